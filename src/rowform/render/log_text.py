"""The audit trail as text: what happened, newest first, and who set each value of a setting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rowform.audit import Audited, Leaf
from rowform.render.ink import Ink
from rowform.render.plan_text import operation_lines
from rowform.render.tables import table
from rowform.render.versions import author_of
from rowform.text import escape, quote, steps, utc

_SYMBOLS = {"INSERT": "+", "UPDATE": "~", "DELETE": "-"}
#: Of a table's cells; JSON output has the whole.
_VALUE_WIDTH = 60
#: What is said of a value that no row of the audit trail accounts for.
_BEFORE = "there before the audit trail begins"


def log_text(slug: str, rows: Sequence[Audited], ink: Ink) -> str:
    """The rows of one restaurant, those that were written together under one heading."""
    if not rows:
        return f"{ink.bold(escape(slug))}: no entries."
    lines = [ink.bold(escape(slug))]
    for _, together in groupby(rows, lambda row: (row.changed_at, row.version_id, row.note)):
        group = list(together)
        lines.extend(("", _heading(group[0], ink)))
        for row in group:
            lines.extend(_event(row, ink) if row.is_event else _setting(row, ink))
    return "\n".join(lines)


def _heading(row: Audited, ink: Ink) -> str:
    parts = [utc(row.changed_at)]
    if row.version_number is not None:
        parts.append(f"version {row.version_number} {quote(row.version_name)}")
    if row.made:
        parts += [ink.yellow(commit(row)), escape(author_of(row.source))]
    if row.changed_by:
        parts.append(f"by {row.changed_by}")
    if row.note:
        parts.append("(note of the application)")
    return "  ".join(part for part in parts if part)


def commit(row: Audited) -> str:
    """The short commit that a row's version comes from, with a plus if files were changed since."""
    short = str(row.source.get("commit") or "")[:7]
    return escape(short + ("+" if short and row.source.get("dirty") else ""))


def _event(row: Audited, ink: Ink) -> Iterator[str]:
    what = f"version {row.version_number}"
    if row.replaced is not None:
        what = f"version {row.replaced} -> {what}"
    yield f"  #{row.seq} {ink.bold(row.event)}: {what}{_why(row, ink)}"


def _setting(row: Audited, ink: Ink) -> Iterator[str]:
    symbol = _SYMBOLS.get(row.operation)
    shown = ink.symbol(symbol) if symbol else escape(row.operation)
    former = f"{quote(row.previous_key)} -> " if row.previous_key is not None else ""
    name = f" {former}{quote(row.key)}" if row.key is not None else ""
    yield f"  #{row.seq} {shown} {escape(row.table)}{name}{_why(row, ink)}"
    for operation in row.shown():
        for line_symbol, line in operation_lines(operation):
            yield f"      {ink.symbol(line_symbol)} {line}"


def _why(row: Audited, ink: Ink) -> str:
    return f"  {ink.dim(escape(row.reason))}" if row.reason else ""


def fields_text(slug: str, kind: str, key: str, leaves: Sequence[Leaf], ink: Ink) -> str:
    """The values of a setting as a table, each with who set it, when and why."""
    heading = ("FIELD", "VALUE", "VERSION", "WHEN", "COMMIT", "WHO", "REASON")
    rows = [heading, *(_field(leaf) for leaf in leaves)]
    title = f"{ink.bold(escape(slug))}: {escape(kind)} {quote(key)}"
    return "\n".join([title, *(f"  {line}" for line in table(rows))])


def _field(leaf: Leaf) -> tuple[str, ...]:
    name, value, row = "".join(steps(leaf.path)), quote(leaf.value, _VALUE_WIDTH), leaf.row
    if row is None:
        return name, value, "", "", "", "", _BEFORE
    return (
        name,
        value,
        "" if row.version_number is None else str(row.version_number),
        utc(row.changed_at),
        commit(row),
        escape((author_of(row.source) if row.made else "") or row.changed_by or ""),
        escape(row.reason or ""),
    )
