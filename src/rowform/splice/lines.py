"""A text's lines by offset, and the edits to be made in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_BREAK = re.compile(r"\r\n|\r|\n")
#: White space, comments, and single characters of punctuation between two nodes.
_BETWEEN = re.compile(r"#[^\r\n]*|[^\s#]")


class CannotEditError(Exception):
    """The text is written in a way that these edits do not fit."""


class Lines:
    """A text and where its lines begin and end."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = _BREAK.search(text)
        #: The line break that the text uses.
        self.newline = found.group() if found else "\n"

    def start(self, at: int) -> int:
        """Where the line of an offset begins."""
        return max(self.text.rfind("\n", 0, at), self.text.rfind("\r", 0, at)) + 1

    def end(self, at: int) -> int:
        """Where the line of an offset ends, before its line break."""
        found = _BREAK.search(self.text, at)
        return found.start() if found else len(self.text)

    def before(self, at: int) -> int:
        """Where the line before that of an offset ends; 0 if there is none."""
        start = self.start(at)
        return start - 2 if self.text[max(start - 2, 0) : start] == "\r\n" else max(start - 1, 0)

    def column(self, at: int) -> int:
        return at - self.start(at)

    def is_first(self, at: int) -> bool:
        """Whether nothing but spaces stands before an offset in its line."""
        return not self.text[self.start(at) : at].strip(" ")

    def same_line(self, first: int, second: int) -> bool:
        return not _BREAK.search(self.text, first, second)

    def find(self, start: int, end: int, char: str) -> int | None:
        """The first ``char`` between two nodes that is in no comment."""
        for found in _BETWEEN.finditer(self.text, start, end):
            if found.group() == char:
                return found.start()
        return None

    def has_comment(self, start: int, end: int) -> bool:
        return "#" in self.text[start:end]

    def line_at(self, at: int) -> str:
        return self.text[self.start(at) : self.end(at)]

    def above(self, at: int) -> int:
        """Where the comment begins that stands directly above the line of an offset; else that line.

        Comments that are indented further belong to what is above them. A result is a start of line.
        """
        column, first = self.column(at), self.start(at)
        while first > 0:
            previous = self.start(self.before(first))
            line = self.text[previous : self.end(previous)]
            content = line.lstrip(" ")
            if not content.startswith("#") or len(line) - len(content) > column:
                break
            first = previous
        return first

    def blank_above(self, first: int) -> int:
        """The start of the first of the blank lines directly above a line's start; else that start."""
        while first > 0:
            previous = self.start(self.before(first))
            if self.text[previous : self.end(previous)].strip(" \t"):
                break
            first = previous
        return first


class Edits:
    """Replacements that do not overlap; those of one place are made in the order in which they came."""

    def __init__(self) -> None:
        self._found: list[tuple[int, int, int, str]] = []

    def replace(self, start: int, end: int, text: str) -> None:
        self._found.append((start, end, len(self._found), text))

    def insert(self, at: int, text: str) -> None:
        self.replace(at, at, text)

    def delete(self, start: int, end: int) -> None:
        self.replace(start, end, "")

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._found)

    def since(self, count: int) -> list[tuple[int, int, str]]:
        """Those that came after the first ``count``."""
        return [(start, end, text) for start, end, _, text in self._found[count:]]

    def ordered(self) -> Iterator[tuple[int, int, str]]:
        """All of them, in the order of their places."""
        for start, end, _, text in sorted(self._found):
            yield start, end, text

    def applied(self, text: str) -> str:
        """The text with all edits made.

        Raises:
            CannotEditError: two of them overlap.
        """
        parts: list[str] = []
        done = 0
        for start, end, new in self.ordered():
            if start < done:
                raise CannotEditError
            parts += (text[done:start], new)
            done = end
        return "".join((*parts, text[done:]))


def indented(lines: Sequence[str], indent: str) -> list[str]:
    """Lines behind an indentation; blank ones stay blank."""
    return [indent + line if line else line for line in lines]
