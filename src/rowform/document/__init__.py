"""YAML text → positioned JSON values. Pure: whoever calls it has read the file.

Two paths lead to the same value. The *exact* one composes libyaml's events by the rules of YAML 1.2
(:mod:`rowform.document.compose`, about 2 MB/s). The *fast* one is ``ryaml``
(:mod:`rowform.document.fast`, about 10 MB/s); whatever that refuses is read again by the exact path,
which also writes every message.
``tests/property/test_document_agreement.py`` holds the two against each other. Positions are found only when
somebody asks for one: from the file's outline, and if that does not do, by composing all of it.
"""

from __future__ import annotations

import re

from rowform.document.compose import Composer, UnreadableError
from rowform.document.fast import REFUSED, read
from rowform.document.messages import explained
from rowform.document.nodes import Place
from rowform.document.outline import Outline, Pointer
from rowform.document.scalars import FORBIDDEN, MAX_DEPTH, JsonValue, long_lines, named
from rowform.location import Location, Problem

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_LINE", "Document", "JsonValue", "Pointer", "parse"]

MAX_BYTES = 10 * 1024 * 1024
#: Characters in one line. Nothing that people or tools write by hand comes near.
MAX_LINE = 1024 * 1024
#: Forbidden characters that are named one by one; a binary file is full of them.
MAX_NAMED = 20

_MARKS = (
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\xfe\xff", "UTF-16"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xef\xbb\xbf", "UTF-8 with a byte order mark"),
)
_UTF16_UNMARKED = re.compile(rb"(?s:[^\x00]\x00[^\x00]\x00|\x00[^\x00]\x00[^\x00])")


def parse(file: str, data: bytes) -> tuple[Document | None, list[Problem]]:
    """Read one file. ``file`` is only used to say where.

    Returns the document and every problem found: no document when the text cannot be read at
    all (encoding, size, nesting, syntax), else a document whose bad nodes hold a harmless value, so that the
    caller can go on and report everything in one run. Raises nothing.
    """
    text = _decoded(file, data)
    if not isinstance(text, str):
        return None, text
    if (value := read(text)) is not REFUSED:
        return Document(file, text, value), []  # type: ignore[arg-type]  # REFUSED is ruled out
    return _exact(file, text)


class Document:
    """One file that could be read. ``value`` is ``None`` for an empty file."""

    def __init__(self, file: str, text: str, value: JsonValue, *, faulty: bool = False) -> None:
        self.file = file
        self.text = text
        self.value = value
        self._root: Place | None = None
        self._outline: Outline | None = None
        self._faulty = faulty

    @property
    def is_empty(self) -> bool:
        """Nothing is written but comments and document markers."""
        return self.value is None and not self.source(())

    def locate(self, pointer: Pointer, *, key: bool = False) -> Location:
        """Where the value stands, or with ``key`` the mapping key that leads to it.

        A value that was left out (``a:``) stands at its key; one that does not exist at its nearest
        ancestor that does; one inside an alias inside the anchor's value.
        """
        start = self._outlined().start(pointer, key=key) if self._root is None else None
        if start is not None:
            return Location(self.file, start[0] + 1, start[1] + 1)
        place, found = self._place(pointer)
        line, column = place.line, place.column
        if key and found and place.key is not None:
            line, column = place.key
        return Location(self.file, line + 1, column + 1)

    def lines(self, pointer: Pointer) -> tuple[int, int]:
        """First and last line of the value, without the comments and blank lines after it."""
        lines = self._outlined().lines(pointer) if self._root is None else None
        if lines is not None:
            return lines[0] + 1, lines[1] + 1
        place, _ = self._place(pointer)
        return place.line + 1, place.last + 1

    def source(self, pointer: Pointer) -> str | None:
        """A plain scalar as it was written: ``1.10`` for the value 1.1. ``None`` for anything else."""
        place, found = self._place(pointer)
        return place.source if found else None

    def _outlined(self) -> Outline:
        if self._outline is None:
            self._outline = Outline(self.text, self.value, faulty=self._faulty)
        return self._outline

    def _place(self, pointer: Pointer) -> tuple[Place, bool]:
        """The place of a value, or of its nearest ancestor and ``False``."""
        near = self._outlined().place(pointer) if self._root is None else None
        place, steps = near if near is not None else (self._tree(), pointer)
        for step in steps:
            below = place.child(step)
            if below is None:
                return place, False
            place = below
        return place, True

    def _tree(self) -> Place:
        if self._root is None:
            composer = Composer(self.file, self.text, positions=True)
            composer.run()
            self._root = composer.place or Place(0, 0, 0)
            self._outline = None
        return self._root


def _decoded(file: str, data: bytes) -> str | list[Problem]:
    """The text, or why these bytes are none. Cheap tests first: nothing here looks at YAML."""
    if len(data) > MAX_BYTES:
        size = f"the file has {len(data):,} bytes; the limit is {MAX_BYTES:,}"
        return [Problem(Location(file), size, "split it: any number of files may hold settings")]
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return [Problem(Location(file), f"this file is {encoding}", "save it as UTF-8 without BOM")]
    if _UTF16_UNMARKED.match(data):
        return [Problem(Location(file), "this file looks like UTF-16", "save it as UTF-8 without BOM")]
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        where = _location(file, data[: error.start].decode(), error.start)
        byte = data[error.start]
        return [Problem(where, f"byte 0x{byte:02X} is not valid UTF-8", "save the file as UTF-8")]
    for start, end in long_lines(text, MAX_LINE):
        size = f"this line has {end - start:,} characters; the limit is {MAX_LINE:,}"
        return [Problem(_location(file, text, start), size)]
    problems: list[Problem] = []
    for match in FORBIDDEN.finditer(text):
        where = _location(file, text, match.start())
        problems.append(Problem(where, f"{named(match.group())} is not allowed", "remove the character"))
        if len(problems) == MAX_NAMED:
            break
    return problems or text


def _location(file: str, text: str, offset: int) -> Location:
    """Line breaks are LF, CR LF and CR, as in YAML."""
    offset = min(offset, len(text))
    line = text.count("\n", 0, offset) + text.count("\r", 0, offset) - text.count("\r\n", 0, offset)
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    return Location(file, line + 1, offset - start + 1)


def _exact(file: str, text: str) -> tuple[Document | None, list[Problem]]:
    import yaml

    composer = Composer(file, text)
    try:
        composer.run()
    except UnreadableError:
        return None, composer.problems
    except (yaml.YAMLError, ValueError) as error:
        return None, [*composer.problems, explained(composer, error)]
    faulty = bool(composer.problems)
    return Document(file, text, composer.value, faulty=faulty), composer.problems
