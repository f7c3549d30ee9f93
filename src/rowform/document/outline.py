"""Where the entries of a large block-style file stand, without composing all of it.

The layout that people and tools write is ``kind:`` at column 0 and below it ``- `` for each entry, at one
indentation. :class:`Outline` finds such lines by a scan that cannot miss one: every key of a mapping at
column 0 begins a line there, every entry of a block sequence begins a line at the sequence's column. What
looks like one inside a block scalar or a quoted text can therefore only be too many, and then their number
differs from the parsed value's. Whatever is in doubt is ``None``: the caller composes the whole text.

The scan says where keys and entries begin. What stands inside an entry is composed from its lines alone, and
taken only if that gives the value which is already known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rowform.document.compose import Composer, UnreadableError
from rowform.document.nodes import Place
from rowform.document.scalars import JsonValue
from rowform.jsontypes import is_list, is_object

__all__ = ["Outline", "Pointer"]

Pointer: TypeAlias = tuple[str | int, ...]

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_BLANK = r"(?>(?:[ \t]*(?:#[^\n]*)?\r?\n)*)"
_REST = r"(?:[ \t]+#[^\n]*|[ \t]*)\r?\n"
_HEAD = re.compile(rf"{_BLANK}(?:---{_REST}{_BLANK})?")
_KEY = re.compile(rf"({_NAME}):(?=[ \t\r\n]|\Z)")
#: Column 0, neither blank nor a comment nor an entry of a list that is not indented.
_AT_MARGIN = re.compile(r"\n(?![ \t\r\n#]|-[ \t\r\n]|-?\Z)")
_FIRST_ENTRY = re.compile(rf"{_REST}{_BLANK}( *)-(?=[ \t\r\n]|\Z)")
_ENTRY = re.compile(rf"-( +)({_NAME}):(?=[ \t\r\n]|\Z)")
#: Explicit keys, whose absent values stand elsewhere than they seem to.
_EXPLICIT = re.compile(r"\?|\n *:")
#: Composing slices of more than this part of the text costs as much as composing all of it.
_SHARE = 4


@dataclass(slots=True)
class _Section:
    """One top-level key with its value: offsets in the text, and the line of the key."""

    name: str
    start: int
    after: int
    end: int
    line: int
    column: int = 0
    #: Offset and line of each entry; ``None`` before they are looked for, empty when there are none.
    entries: list[tuple[int, int]] | None = None
    places: dict[int | None, Place | None] = field(default_factory=dict[int | None, Place | None])


class Outline:
    """The top-level keys of ``text`` and the entries below them, of which ``value`` is the parsed value.

    ``faulty``: parts of the text may be missing from the value, a doubled key for one. Each question is
    answered exactly as the tree of :class:`Place` answers it, or by ``None``.
    """

    def __init__(self, text: str, value: JsonValue, *, faulty: bool = False) -> None:
        self._text = text
        self._faulty = faulty
        self._value: dict[str, Any] = value if is_object(value) else {}
        self._left = len(text) // _SHARE
        self._sections = self._scanned()

    def start(self, pointer: Pointer, *, key: bool = False) -> tuple[int, int] | None:
        """Line and column of a top-level key or its list, or of an entry that begins ``- name:``."""
        section = self._section(pointer)
        if section is None or len(pointer) > 2:
            return None
        if len(pointer) == 1 and key:
            return section.line, 0
        found = self._entry(section, pointer[1] if len(pointer) == 2 else 0)
        if found is None:
            return None
        (offset, line), value = found
        if len(pointer) == 1:
            return line, section.column
        match = _ENTRY.match(self._text, offset + section.column)
        if match is None or not is_object(value) or next(iter(value), None) != match[2]:
            return None
        return line, section.column + 1 + len(match[1])

    def lines(self, pointer: Pointer) -> tuple[int, int] | None:
        """First and last line of an entry that begins ``- name:`` and ends with nothing unusual."""
        section = self._section(pointer)
        begin = self.start(pointer) if len(pointer) == 2 else None
        if self._faulty or section is None or begin is None or not section.entries:
            return None
        if not isinstance(pointer[1], int):
            return None
        written = _without_comments(self._slice(section, section.entries, pointer[1]), section.column)
        last = written[written.rfind("\n") + 1 :].lstrip(" \t")
        # What looks like a deeper comment may be the end of a block scalar.
        if last.startswith("#") or last[-1:].isspace() or _EXPLICIT.search(written):
            return None
        return begin[0], begin[0] + written.count("\n")

    def spans(self, name: str) -> list[tuple[int, int]]:
        """Where the entries of a top-level list stand, by offset, each up to the next one's first line.

        What stands between two entries is in the span of the first. Nothing, if they are not known.
        """
        section = self._sections.get(name)
        if self._faulty or section is None or self._entry(section, 0) is None or section.entries is None:
            return []
        starts = [start for start, _ in section.entries]
        return list(zip(starts, [*starts[1:], section.end], strict=True))

    def place(self, pointer: Pointer) -> tuple[Place, Pointer] | None:
        """The place of the entry that holds ``pointer``, and the steps from there on."""
        section = self._section(pointer)
        if section is None:
            return None
        step = pointer[1] if len(pointer) > 1 else None
        if self._entry(section, step) is None or not isinstance(step, int):
            place = self._composed(section, None, self._text[section.start : section.end], section.line)
            return None if place is None else (place, pointer[1:])
        entries = section.entries or []
        place = self._composed(section, step, self._slice(section, entries, step), entries[step][1])
        return None if place is None else (place, pointer[2:])

    def _section(self, pointer: Pointer) -> _Section | None:
        step = pointer[0] if pointer else None
        return self._sections.get(step) if isinstance(step, str) else None

    def _scanned(self) -> dict[str, _Section]:
        """The sections by key; none unless all are found, and nothing else at column 0."""
        text = self._text
        if not self._value or ("\r" in text and text.count("\r") != text.count("\r\n")):
            return {}
        head = _HEAD.match(text)
        start = head.end() if head is not None else 0
        starts = [start, *(match.start() + 1 for match in _AT_MARGIN.finditer(text, start))]
        if len(starts) != len(self._value):
            return {}
        sections: dict[str, _Section] = {}
        line, counted = 0, 0
        for name, start, end in zip(self._value, starts, [*starts[1:], len(text)], strict=True):
            match = _KEY.match(text, start)
            if match is None or match[1] != name:
                return {}
            line, counted = line + text.count("\n", counted, start), start
            sections[name] = _Section(name, start, match.end(), end, line)
        return sections

    def _entry(self, section: _Section, step: object) -> tuple[tuple[int, int], Any] | None:
        """Where an entry's first line begins, and its value."""
        values: object = self._value[section.name]
        if not is_list(values) or not isinstance(step, int) or not 0 <= step < len(values):
            return None
        if section.entries is None:
            self._find_entries(section)
        if section.entries is None or len(section.entries) != len(values):
            return None
        return section.entries[step], values[step]

    def _find_entries(self, section: _Section) -> None:
        text, section.entries = self._text, []
        first = _FIRST_ENTRY.match(text, section.after, section.end)
        if first is None:
            return
        section.column = len(first[1])
        pattern = re.compile(rf"\n {{{section.column}}}-(?=[ \t\r\n]|\Z)")
        line, counted = section.line, section.start
        for match in pattern.finditer(text, first.start(1) - 1, section.end):
            start = match.start() + 1
            line, counted = line + text.count("\n", counted, start), start
            section.entries.append((start, line))

    def _slice(self, section: _Section, entries: list[tuple[int, int]], index: int) -> str:
        end = entries[index + 1][0] if index + 1 < len(entries) else section.end
        return self._text[entries[index][0] : end]

    def _composed(self, section: _Section, index: int | None, text: str, line: int) -> Place | None:
        """The place of an entry, or of a whole section, from its lines alone."""
        if index in section.places:
            return section.places[index]
        self._left -= len(text)
        if self._left < 0:
            return None
        known = self._value[section.name]
        place = (
            _compose(text, line, section.name, known)
            if index is None
            else _compose(text, line, 0, known[index])
        )
        section.places[index] = place
        return place


def _without_comments(text: str, column: int) -> str:
    """An entry without what ends it: blank lines, and comments no deeper than its dash.

    With a quote in it, what looks like such a comment may be the end of a quoted text.
    """
    while True:
        text = text.rstrip(" \t\r\n")
        begin = text.rfind("\n") + 1
        bare = text[begin:].lstrip(" ")
        shallow = len(text) - begin - len(bare) <= column
        if not shallow or not bare.startswith("#") or '"' in bare or "'" in bare:
            return text
        text = text[:begin]


def _compose(text: str, line: int, step: str | int, known: JsonValue) -> Place | None:
    """The place of what ``text`` holds alone and under ``step``, if it is ``known`` and nothing is wrong."""
    import yaml

    composer = Composer("", text, positions=True, first=line)
    try:
        composer.run()
    except (UnreadableError, yaml.YAMLError, ValueError):
        return None
    expected: JsonValue = [known] if isinstance(step, int) else {step: known}
    # `repr` tells 1, 1.0, True and "1" apart, and the order of keys.
    if composer.problems or composer.place is None or repr(composer.value) != repr(expected):
        return None
    return composer.place.child(step)
