"""Comments at the ends of lines that change."""

from __future__ import annotations

import re

from rowform.splice.lines import Edits, Lines

_COMMENT = re.compile("( +)#")
#: More spaces than people put before a comment that is in no column.
_USUAL = 2


def keep_column(lines: Lines, edits: Edits, since: int, end: int) -> None:
    """Move a comment back to the column of those around it, after a value before it has become another one.

    Args:
        lines: the text.
        edits: the edits so far.
        since: how many there were before those of the value.
        end: where the value ends in the text.
    """
    found = _COMMENT.match(lines.text, end, lines.end(end))
    made = edits.since(since)
    start = lines.start(end)
    if found is None or any(
        one < start or other > end or "\n" in new or "\r" in new for one, other, new in made
    ):
        return
    gap = len(found[1])
    grown = sum(len(new) - (other - one) for one, other, new in made)
    if not grown or (gap <= _USUAL and not _is_column(lines, start, end + gap)):
        return
    # Where the value needs the column for itself, the comment follows as closely as comments do.
    left = gap - grown if gap > grown else min(gap, _USUAL)
    edits.replace(end, end + gap, " " * left)


def _is_column(lines: Lines, start: int, at: int) -> bool:
    """Whether a comment in the line above or below begins in the same column as the one at ``at``."""
    column = at - start
    end = lines.end(at)
    below = end + (2 if lines.text.startswith("\r\n", end) else 1)
    neighbours = (lines.line_at(lines.before(start)) if start else "", lines.line_at(below))
    return any(line[column - 1 : column + 1] in (" #", "\t#") for line in neighbours)
