"""Taking members out of a collection's text and putting new ones in, with commas, lines and comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rowform.splice.lines import CannotEditError, Edits, Lines, indented
from rowform.splice.nodes import Node


@dataclass(frozen=True, slots=True)
class Part:
    """Where a member stands, its dash or question mark included."""

    start: int
    end: int


class BlockParts:
    """The members of a collection in block style. ``apart``: blank lines stand between them."""

    def __init__(self, lines: Lines, edits: Edits, parts: Sequence[Part], *, apart: bool) -> None:
        self._lines = lines
        self._edits = edits
        self._parts = parts
        self._apart = apart or self._has_blank_lines()

    def finish(self, gone: set[int], new: Sequence[tuple[int, list[str]]]) -> None:
        """Take away the members of some indices, and put lines behind others; -1 is the front."""
        for first, last in runs(gone):
            self._take(first, last)
        front = [lines for after, lines in new if after < 0]
        if front:
            self._put_first(front, min(set(range(len(self._parts))) - gone))
        for after, lines in new:
            if after >= 0:
                indent = " " * self._lines.column(self._parts[after].start)
                blank = [""] if self._apart else []
                text = "".join(self._lines.newline + line for line in [*blank, *indented(lines, indent)])
                self._edits.insert(self._lines.end(self._parts[after].end), text)

    def _has_blank_lines(self) -> bool:
        if len(self._parts) < 2:
            return False
        before, last = self._parts[-2:]
        between = self._lines.text[self._lines.end(before.end) : self._lines.start(last.start)]
        return any(not line.strip() for line in between.splitlines()[1:])

    def _take(self, first: int, last: int) -> None:
        lines = self._lines
        start, end = self._parts[first].start, lines.end(self._parts[last].end)
        if not lines.is_first(start):
            self._take_front(start, last)
            return
        top = lines.above(start)
        above = lines.before(top)
        follows = last + 1 < len(self._parts)
        if first:
            above = max(lines.before(lines.blank_above(top)), lines.end(self._parts[first - 1].end))
        elif follows and (line := lines.above(self._parts[last + 1].start)) > end:
            # What stood below the first member is now on top, without the blank lines.
            blank = lines.before(lines.blank_above(line))
            end = lines.before(line) if blank <= end else end
        self._edits.delete(above, end)

    def _take_front(self, start: int, last: int) -> None:
        """Take the first members away that stand on the line of a dash: what follows moves up to it."""
        if last + 1 == len(self._parts):
            raise CannotEditError
        following = self._parts[last + 1].start
        end = self._parts[last].end
        if self._lines.has_comment(self._lines.end(end), following):
            # A dash may be followed by comments, and then by what it is about.
            self._edits.delete(start, self._lines.end(end))
        else:
            self._edits.delete(start, following)

    def _put_first(self, new: Sequence[list[str]], first: int) -> None:
        lines = self._lines
        start = self._parts[first].start
        indent = " " * lines.column(start)
        blank = [""] if self._apart else []
        written = [line for one in new for line in [*indented(one, indent), *blank]]
        if not lines.is_first(start):
            joined = "".join(line + lines.newline for line in written)
            self._edits.insert(start, joined.removeprefix(indent) + indent)
            return
        top = lines.above(start)
        self._edits.insert(top, "".join(line + lines.newline for line in written))


class FlowParts:
    """The members of a collection in brackets."""

    def __init__(self, lines: Lines, edits: Edits, node: Node, parts: Sequence[Part]) -> None:
        self._lines = lines
        self._edits = edits
        self._node = node
        self._parts = parts

    def finish(self, gone: set[int], new: Sequence[tuple[int, str]]) -> None:
        """Take away the members of some indices, and put texts behind others; -1 is the front."""
        for first, last in runs(gone):
            self._take(first, last)
        first_kept = min(set(range(len(self._parts))) - gone)
        for after, text in new:
            if after >= 0:
                part = self._parts[after]
                self._edits.insert(part.end, f",{self._break(part.start)}{text}")
            else:
                part = self._parts[first_kept]
                self._edits.insert(part.start, f"{text},{self._break(part.start)}")

    def _break(self, start: int) -> str:
        """What follows a comma: a line break where each member has a line."""
        if self._lines.is_first(start) and not self._lines.same_line(self._node.start, start):
            return self._lines.newline + " " * self._lines.column(start)
        return " "

    def _take(self, first: int, last: int) -> None:
        lines = self._lines
        start, end = self._parts[first].start, self._parts[last].end
        if last + 1 < len(self._parts):
            following = self._parts[last + 1].start
            comma = lines.find(end, following, ",")
            if lines.same_line(end, following):
                self._edits.delete(start, following)
            elif lines.is_first(start):
                # Whole lines, with the comments beside them.
                self._edits.delete(lines.before(start), lines.end(end))
            else:
                self._edits.delete(start, end if comma is None else comma + 1)
            return
        before = self._parts[first - 1].end
        inside = [
            (one.end, other.start)
            for one, other in zip(self._parts[first - 1 :], self._parts[first:], strict=False)
        ]
        if not any(lines.has_comment(*gap) for gap in inside):
            self._edits.delete(before, end)
            return
        comma = lines.find(end, self._node.end, ",")
        # A comma before the bracket means nothing.
        self._edits.delete(start, end if comma is None else comma + 1)


def emptied(lines: Lines, node: Node, *, is_list: bool) -> tuple[int, int] | None:
    """What to take out of brackets if nothing is to be in them but the comments below the last member."""
    if not node.is_flow or not node.members or node.is_list != is_list:
        return None
    end = lines.end(node.members[-1].value.end)
    if not lines.has_comment(end, node.end) or lines.find(end, node.end, ",") is not None:
        return None
    return node.start + 1, end


def runs(indices: set[int]) -> Iterator[tuple[int, int]]:
    """Stretches of indices that follow each other: the first and the last of each."""
    start = last = None
    for index in sorted(indices):
        if last is not None and index == last + 1:
            last = index
            continue
        if start is not None and last is not None:
            yield start, last
        start = last = index
    if start is not None and last is not None:
        yield start, last
