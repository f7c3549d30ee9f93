"""Values in Markdown and in logs of pipelines, where nothing that they contain may do anything.

In Markdown a value stands in a code span or in a fenced block, and nowhere else: no mention, reference, link,
image, HTML, emphasis or emoji is looked for there (CommonMark 0.31, 6.1 and 4.5; GitHub leaves code alone).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rowform.text import escape

#: Longer values are cut in a code span.
SPAN_LIMIT = 120
_TICKS = re.compile("`+")


def span(text: str, limit: int = SPAN_LIMIT) -> str:
    """A code span that shows ``text``, its unsafe characters escaped."""
    shown = escape(text)
    shown = shown if len(shown) <= limit else f"{shown[:limit]}…"
    if not shown.strip(" "):
        # A code span may not be empty, and nobody sees blanks.
        shown = f'"{shown}"'
    # A run of another length than those inside.
    ticks = "`" * _longest_but(shown)
    # One space at either end is taken off again; without it a backtick there would join the others.
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def _longest_but(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0) + 1


def fence(lines: Iterable[str]) -> str:
    """What opens and closes a fenced block of these lines."""
    longest = max((len(run) for line in lines for run in _TICKS.findall(line)), default=0)
    return "`" * max(3, longest + 1)


def command(name: str, message: str, **properties: str | int) -> str:
    """A command that GitHub Actions reads from a log, such as ``::error file=a.yaml,line=1::message``."""
    shown = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name}{' ' if shown else ''}{shown}::{_data(message)}"


def _data(text: str) -> str:
    return escape(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
