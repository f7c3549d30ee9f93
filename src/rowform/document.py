"""YAML text → positioned JSON values. Pure: whoever calls it has read the file.

Two paths lead to the same value. The *exact* one composes libyaml's events by the rules of YAML 1.2
(:mod:`rowform.yaml12`, about 2 MB/s). The *fast* one is ``ryaml`` (about 12 MB/s), taken only when
:func:`ryaml_agrees` shows from the text that its known deviations cannot occur; whatever it refuses is read
again by the exact path, which also writes every message. ``tests/property/test_document_agreement.py``
holds the two against each other. Positions are found only when somebody asks for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from rowform.location import Location, Problem
from rowform.text import escape, quote
from rowform.yaml12 import (
    FORBIDDEN,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_INTEGER,
    OPENING,
    Composer,
    JsonValue,
    Place,
    UnreadableError,
    named,
    settled,
)

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_LINE", "Document", "JsonValue", "Pointer", "parse", "ryaml_agrees"]

Pointer: TypeAlias = tuple[str | int, ...]

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
    if (value := _fast(text)) is not _NO:
        return Document(file, text, value), []  # type: ignore[arg-type]
    return _exact(file, text)


class Document:
    """One file that could be read. ``value`` is ``None`` for an empty file."""

    def __init__(self, file: str, text: str, value: JsonValue) -> None:
        self.file = file
        self.text = text
        self.value = value
        self._root: Place | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is written but comments and document markers."""
        return self.value is None and not self.source(())

    def locate(self, pointer: Pointer, *, key: bool = False) -> Location:
        """Where the value stands, or with ``key`` the mapping key that leads to it.

        A value that was left out (``a:``) stands at its key; one that does not exist at its nearest
        ancestor that does; one inside an alias inside the anchor's value.
        """
        place, found = self._place(pointer)
        line, column = place.line, place.column
        if key and found and place.key is not None:
            line, column = place.key
        return Location(self.file, line + 1, column + 1)

    def lines(self, pointer: Pointer) -> tuple[int, int]:
        """First and last line of the value, without the comments and blank lines after it."""
        place, _ = self._place(pointer)
        return place.line + 1, place.last + 1

    def source(self, pointer: Pointer) -> str | None:
        """A plain scalar as it was written: ``1.10`` for the value 1.1. ``None`` for anything else."""
        place, found = self._place(pointer)
        return place.source if found else None

    def _place(self, pointer: Pointer) -> tuple[Place, bool]:
        """The place of a value, or of its nearest ancestor and ``False``."""
        if self._root is None:
            composer = Composer(self.file, self.text, positions=True)
            composer.run()
            self._root = composer.place or Place(0, 0, 0)
        place = self._root
        for step in pointer:
            below = place.child(step)
            if below is None:
                return place, False
            place = below
        return place, True


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
    for start, end in _long_lines(text, MAX_LINE):
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


def _long_lines(text: str, limit: int) -> Iterator[tuple[int, int]]:
    """Start and end of every line of more than ``limit`` characters, by leaps of about that length."""
    start = 0
    while start + limit < len(text):
        leap = start + limit + 1
        last = max(text.rfind("\n", start, leap), text.rfind("\r", start, leap))
        if last < 0:
            ends = [end for end in (text.find("\n", leap), text.find("\r", leap)) if end >= 0]
            last = min(ends, default=len(text))
            yield start, last
        start = last + 1


# --- the fast path -------------------------------------------------------------------------------

_NO = object()
_Node: TypeAlias = list[JsonValue] | dict[str, JsonValue]
#: A plain scalar begins after one of these, or at the start of the text …
_FRONT = r"\s,\[{:"
#: … and ends before one of these. Both admit too much, which costs time and nothing else.
_END = r"(?=[\s,\[\]{}]|:(?![0-9])|\Z)"
#: Where ryaml 0.5 leaves the core schema, or may not be trusted to follow it. Each pattern begins with a
#: literal character, which `re` finds at memchr speed, and looks behind from there.
_DEVIATIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"[!](?<![^{_FRONT}]!)",  # tags: `!foo 1` is {{"!foo": 1}}
        rf"&(?<![^{_FRONT}]&)\S",  # anchors and
        rf"[*](?<![^{_FRONT}][*])\S",  # aliases: other limits, other errors
        r"<<",  # a plain key
        r"%(?<![^\r\n]%)",  # directives
        r"\\[0abefvxuUNLP]",  # escapes that may make forbidden characters
        rf"0(?<![^{_FRONT}]0)(?:[xXoObB]|[0-9]+{_END})",  # 010 is text, 0b11 three, 0xFFFF… an error
        rf"0(?<=[+-]0)(?<![^{_FRONT}][+-]0)(?:[xXoObB]|[0-9]+{_END})",  # -0x1F a number
    )
)
#: 1e400 is text. Colours and UUIDs look the same at their end: :func:`_is_number` looks at their beginning.
_EXPONENTS = tuple(re.compile(rf"{sign}(?<=[0-9.]{sign})[-+]?[0-9]+{_END}") for sign in "eE")
#: How text ends when its closing quote was meant to open the next one; the exact path looks closer.
_QUOTE_NEXT = (OPENING | {" "}) - {":", "-"}
_HUGE = re.compile("[0-9]{300}")
#: ryaml takes quadratic time for the brackets that one line leaves open: 20,000 take a second.
_MAX_BRACKETS = 2_000


def ryaml_agrees(text: str) -> bool:
    """Whether ``text`` has nothing in it that ryaml could read otherwise than the core schema does.

    Integers, floats, keys and depth are judged by :func:`_settle`, from what ryaml made of them.
    """
    if any(pattern.search(text) for pattern in _DEVIATIONS):
        return False
    if any(_is_number(text, found.start()) for pattern in _EXPONENTS for found in pattern.finditer(text)):
        return False
    for start, end in _long_lines(text, 300):
        if _HUGE.search(text, start, end):  # too many digits are text to ryaml
            return False
        if text.count("[", start, end) + text.count("{", start, end) > _MAX_BRACKETS:
            return False
    return True


def _is_number(text: str, end: int) -> bool:
    """Whether a plain scalar that begins with a sign, digits and a point leads up to ``end``."""
    before = text[max(0, end - MAX_DIGITS) : end].rstrip("0123456789.")
    before = before[:-1] if before[-1:] in ("+", "-") else before
    return not before or before[-1].isspace() or before[-1] in ",[{:"


def _fast(text: str) -> object:
    """The value, or ``_NO`` when only the exact path may decide."""
    if not ryaml_agrees(text):
        return _NO
    import ryaml

    try:
        root: list[JsonValue] = [ryaml.loads(text)]  # type: ignore[attr-defined]
    except ValueError:
        return _NO
    return root[0] if _settle(root) else _NO


def _settle(root: list[JsonValue]) -> bool:
    """Settle the floats below ``root`` in place; whether JSON can carry everything there."""
    level: list[_Node] = [root]
    for _ in range(MAX_DEPTH + 1):
        below: list[_Node] = []
        for node in level:
            try:
                if not _settle_node(node, below):
                    return False
            except TypeError:  # a key that is no text
                return False
        if not below:
            return True
        level = below
    return False


def _settle_node(node: _Node, below: list[_Node]) -> bool:
    """Settle the floats of one mapping or list, and add those inside it to ``below``."""
    if isinstance(node, dict):
        "".join(node)  # the cheapest way to ask whether all keys are text
    pairs: Any = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
        if kind is str:
            if value[-1:] in _QUOTE_NEXT:
                return False
        elif kind is dict or kind is list:
            below.append(value)
        elif kind is int or kind is float:
            if not -MAX_INTEGER <= value <= MAX_INTEGER:  # false for NaN too
                return False
            if kind is float:
                node[key] = settled(value)
    return True


# --- the exact path ------------------------------------------------------------------------------


def _exact(file: str, text: str) -> tuple[Document | None, list[Problem]]:
    import yaml

    composer = Composer(file, text)
    try:
        composer.run()
    except UnreadableError:
        return None, composer.problems
    except (yaml.YAMLError, ValueError) as error:
        return None, [*composer.problems, _explained(composer, error)]
    return Document(file, text, composer.value), composer.problems


_TAB = "tab used for indentation; use spaces"
_TEXT = "quote it if it is text"
#: What libyaml 0.2.5 says (its misspelling included) → what to say instead, and a hint …
#: … about the place where it noticed,
_NOTICED = {
    "found a tab character that violates indentation": (_TAB, None),
    "found a tab character where an indentation space is expected": (_TAB, None),
    "mapping values are not allowed in this context": (
        '":" is not allowed here',
        'check the indentation, and quote text that contains ": "',
    ),
    "block sequence entries are not allowed in this context": (
        '"- " is not allowed here',
        'begin a list on its own line, and quote text that begins with "- "',
    ),
    "mapping keys are not allowed in this context": ('"? " is not allowed here', _TEXT),
    "did not find expected key": ("a key was expected here", "check the indentation and the quotes"),
    "did not find expected '-' indicator": ('a list item, "- ", was expected here', "check the indentation"),
    "did not find expected <document start>": (
        "this does not belong to what stands before it",
        "check the indentation, brackets and quotes",
    ),
    "did not find expected ',' or ']'": ('a comma or "]" was expected here', None),
    "did not find expected ',' or '}'": ('a comma or "}" was expected here', None),
    "did not find expected node content": ("a value was expected here", None),
    "found unknown escape character": (
        "unknown escape in double quotes",
        "double the backslash, or use single quotes",
    ),
    "found undefined tag handle": ("tags are not allowed", _TEXT),
    "found incompatible YAML document": ("this file is not YAML 1.2", "write %YAML 1.2, or nothing"),
    "did not find expected comment or line break": ('nothing may follow "|" or ">" on its line', _TEXT),
}
#: … about the place where the construct began,
_BEGUN = {
    "found unexpected end of stream": ("quote is never closed", None),
    "found unexpected document indicator": ("quote is never closed", None),
    "could not find expected ':'": (
        'this is neither "key: value" nor a list item',
        "check the colon, the indentation and the quotes",
    ),
    "did not find expected alphabetic or numeric character": (
        '"&" and "*" must be followed by a name',
        _TEXT,
    ),
}
#: … and about an escape, which it notices two characters late.
_ESCAPE = {
    "did not find expected hexdecimal number": ("this escape needs hexadecimal digits", None),
    "found invalid Unicode character escape code": (
        "this escape is no character",
        "surrogate pairs are JSON, not YAML: write the character itself",
    ),
}


def _explained(composer: Composer, error: Exception) -> Problem:
    """What libyaml said, in words for people, where the mistake is rather than where it was noticed."""
    said = str(getattr(error, "problem", None) or error)
    here: Any = getattr(error, "problem_mark", None)
    if here is None:
        return Problem(Location(composer.file), f"not readable as YAML: {escape(said)}")
    begun: Any = getattr(error, "context_mark", None) or here
    lines = re.split("\r\n|\r|\n", composer.text)
    unclosed = _unclosed(composer, said, here, begun, lines)
    if unclosed is not None:
        return unclosed
    mark, shift = here, 0
    message, hint = _NOTICED.get(said, (f"not readable as YAML: {escape(said)}", None))
    if getattr(error, "context", None) == "while scanning a directive":
        mark, message, hint = begun, 'a line that begins with "%" is a directive', _TEXT
    elif said == "found character that cannot start any token":
        char = lines[here.line][here.column]
        message, hint = (
            (_TAB, None) if char == "\t" else (f"a value cannot begin with {quote(char)}", "quote it")
        )
    elif said in _BEGUN:
        mark, (message, hint) = begun, _BEGUN[said]
    elif said in _ESCAPE:
        shift, (message, hint) = -2, _ESCAPE[said]
    return _at(composer.file, lines, mark, message, hint, shift=shift)


def _unclosed(composer: Composer, said: str, here: Any, begun: Any, lines: list[str]) -> Problem | None:
    """The quote or bracket whose missing end explains the error, if one does."""
    file, suspect, bracket = composer.file, composer.suspect, composer.bracket
    if suspect is not None:
        closing = f"it ends at the next quote, on line {suspect.end_mark.line + 1}"
        return _at(file, lines, suspect.start_mark, "quote is never closed", closing)
    if bracket is None or said not in _NOTICED or begun is here:
        return None
    opened = bracket.start_mark
    at_end = here.line >= len(lines) or not "".join(lines[here.line :])[here.column :]
    if not at_end and here.line == opened.line:
        return None
    sign = quote(lines[opened.line][opened.column])
    also = "" if at_end else f", or a comma is missing before line {here.line + 1}"
    return _at(file, lines, opened, f"{sign} is never closed{also}")


def _at(
    file: str, lines: list[str], mark: Any, message: str, hint: str | None = None, *, shift: int = 0
) -> Problem:
    """A problem at ``mark``, which libyaml may put on a line after the last one."""
    if mark.line >= len(lines):
        return Problem(Location(file, len(lines), len(lines[-1]) + 1), message, hint)
    return Problem(Location(file, mark.line + 1, mark.column + 1 + shift), message, hint)
