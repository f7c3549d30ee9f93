"""What does not fit in an application's tables, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rowform.text import count, escape

#: How many ids of a finding are listed; JSON has all of them.
SHOWN = 20


def findings_text(findings: Iterable[Mapping[str, Any]]) -> str:
    """The findings of a refused ``db upgrade``, each with its rows and what can be done."""
    return "\n\n".join("\n".join(_lines(finding)) for finding in findings)


def _lines(finding: Mapping[str, Any]) -> Iterable[str]:
    ids = finding["ids"]
    problem = f"{finding['table']}: {finding['problem']}"
    yield escape(f"{problem}: {count(len(ids), 'row')}" if ids else problem)
    for id_ in ids[:SHOWN]:
        yield f"    {escape(id_)}"
    if len(ids) > SHOWN:
        yield f"    … and {count(len(ids) - SHOWN, 'more row')}; --format json lists all"
    yield escape(f"  --fix {finding['fix']}" if finding["fix"] else f"  to do: {finding['hint']}")
