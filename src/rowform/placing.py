"""Settings into YAML files: new files, and entries in files that people wrote.

What such a file says already stays byte for byte, but for the entries that are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rowform.document import Document, parse
from rowform.dump import item_lines, written
from rowform.errors import InvalidConfig, RowformError
from rowform.kinds import Kind, kinds
from rowform.kinds.base import PREVIOUSLY
from rowform.layout import Form, formatted
from rowform.state import Entry

#: What stands before an entry of a list in block style.
_DASH = re.compile(r"( *)- +")
_EMPTY = re.compile(r"[ \t]*\[[ \t]*\]")
_BREAK = re.compile(r"\r\n|\n|\r")


def new_file(kind: Kind, entries: Sequence[Entry], header: Iterable[str]) -> str:
    """A file of one kind, in canonical layout, below a header of comments."""
    return (
        "".join(f"{line}\n" for line in header)
        + "\n"
        + "".join(f"{line}\n" for line in _lines(kind, entries))
    )


def changed_file(
    shown: str,
    data: bytes,
    added: Mapping[str, Sequence[Entry]],
    replaced: Mapping[tuple[str, int], Entry],
    note: str,
) -> str:
    """A file with entries added and replaced.

    Args:
        shown: its path for people.
        data: what it holds.
        added: entries to add, by kind.
        replaced: entries by the kind and the index of those whose place they take.
        note: a comment that goes before added entries.

    Raises:
        RowformError: its layout leaves no place that could be found without changing other lines.
    """
    document, problems = parse(shown, data)
    if document is None or problems:
        raise InvalidConfig(problems)
    lines = _split(document.text)
    end = _BREAK.search(document.text)
    writer = _Writer(document, lines, end.group() if end else "\n")
    for (name, index), entry in replaced.items():
        writer.replace(kinds()[name], index, entry)
    for name, entries in added.items():
        writer.add(kinds()[name], entries, note)
    return writer.text()


def _split(text: str) -> list[str]:
    """The lines with their ends."""
    ends = [match.end() for match in _BREAK.finditer(text)]
    return [
        text[start:stop] for start, stop in zip([0, *ends], [*ends, len(text)], strict=True) if start < stop
    ]


def _lines(kind: Kind, entries: Sequence[Entry]) -> list[str]:
    """Entries below the name of their kind, in canonical layout."""
    lines = [f"{kind.name}:"]
    for entry in entries:
        former = {PREVIOUSLY: list(entry.previously)} if entry.previously else {}
        lines += [f"  {line}" for line in item_lines(kind, {**written(kind, entry), **former})]
    text, problems = formatted("import", "\n".join([*lines, ""]).encode(), Form.SETTINGS, kinds())
    if text is None:
        raise InvalidConfig(problems)
    return text.removesuffix("\n").split("\n")


class _Writer:
    """Edits of a file, by line; made from the last line to the first, so that numbers stay right."""

    def __init__(self, document: Document, lines: list[str], end: str) -> None:
        self._document = document
        self._lines = lines
        self._end = end
        #: First line, number of lines, what takes their place.
        self._edits: list[tuple[int, int, list[str]]] = []
        self._tail: list[str] = []

    def replace(self, kind: Kind, index: int, entry: Entry) -> None:
        indent = self._indent(kind, index)
        first, last = self._document.lines((kind.name, index))
        self._edits.append((first - 1, last - first + 1, self._indented(_lines(kind, [entry])[1:], indent)))

    def add(self, kind: Kind, entries: Sequence[Entry], note: str) -> None:
        below = _lines(kind, entries)
        value = self._document.value
        there = value.get(kind.name) if isinstance(value, dict) else None
        if there is None:
            blank = [""] if self._lines or self._tail else []
            self._tail += [*blank, below[0], f"  {note}", *below[1:]]
            return
        if there == []:
            place = self._document.locate((kind.name,))
            line = self._lines[place.line - 1]
            match = _EMPTY.match(line, place.column - 1)
            if match is None or not line[: place.column - 1].rstrip().endswith(":"):
                raise self._unusual(kind)
            opened = line[: place.column - 1].rstrip() + line[match.end() :]
            self._edits.append(
                (place.line - 1, 1, [opened, *self._indented([f"  {note}", *below[1:]], "  ")])
            )
            return
        indent = self._indent(kind, 0)
        last = self._document.lines((kind.name,))[1]
        self._edits.append((last, 0, self._indented([f"  {note}", *below[1:]], indent)))

    def text(self) -> str:
        lines = list(self._lines)
        for start, count, new in sorted(self._edits, key=lambda edit: edit[0], reverse=True):
            lines[start : start + count] = new
        if self._tail:
            lines += [f"{line}{self._end}" for line in self._tail]
        return "".join(line if line.endswith(("\n", "\r")) else line + self._end for line in lines)

    def _indent(self, kind: Kind, index: int) -> str:
        """What stands before the dash of an entry."""
        place = self._document.locate((kind.name, index))
        match = _DASH.fullmatch(self._lines[place.line - 1][: place.column - 1])
        if match is None:
            raise self._unusual(kind)
        return match[1]

    def _indented(self, lines: Iterable[str], indent: str) -> list[str]:
        return [f"{indent}{line[2:]}{self._end}" if line else self._end for line in lines]

    def _unusual(self, kind: Kind) -> RowformError:
        return RowformError(
            f"{self._document.file}: the entries of {kind.name} are not one below the other",
            "run `rowform fmt` first",
        )


def by_kind(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Entries by kind, in order of kind and key."""
    order = {name: number for number, name in enumerate(kinds())}
    ordered = sorted(entries, key=lambda one: (order[one.kind], one.key))
    return {name: list(group) for name, group in groupby(ordered, lambda one: one.kind)}
