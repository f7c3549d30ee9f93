"""Plain scalars of YAML 1.2 → JSON values, and what a file may not contain.

Rules: YAML 1.2.2, section 10.3.2 (core schema), narrowed to what JSON and PostgreSQL can carry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

JsonValue: TypeAlias = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None

#: Mappings and lists inside each other; deeper than any setting, shallower than any recursion limit.
MAX_DEPTH = 64
#: Integers beyond it change in JavaScript and in every JSON reader that uses doubles.
MAX_INTEGER = 2**53 - 1
#: More than any double needs; ``int()`` refuses thousands, and takes its time for hundreds.
MAX_DIGITS = 400
#: Characters of a number that a message repeats.
_SHOWN = 40

#: Characters that no file may contain, raw or escaped: C0 and C1 controls except tab and line
#: breaks, DEL, U+2028/2029 (line breaks to libyaml), bidirectional marks, embeddings, overrides and
#: isolates (UAX 9; "Trojan Source"), surrogates, the byte order mark and the two non-characters.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_CONTROL_NAMES = {0: "NULL", 7: "BELL", 8: "BACKSPACE", 12: "FORM FEED", 27: "ESCAPE", 127: "DELETE"}

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WORD_OR_NUMBER = frozenset("~nNtTfF+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
#: What stands before an opening quote, spaces apart.
OPENING = frozenset(":-,[{")


class BadScalarError(ValueError):
    """A plain scalar that YAML can read and JSON cannot carry. ``args``: message, hint."""


def named(char: str) -> str:
    """``U+202E (RIGHT-TO-LEFT OVERRIDE)``."""
    import unicodedata

    code = ord(char)
    return f"U+{code:04X} ({unicodedata.name(char, _CONTROL_NAMES.get(code, 'control character'))})"


def settled(number: float) -> int | float:
    """Equal numbers as equal values: an integral float that is exact becomes an int, and -0.0 zero."""
    return int(number) if number.is_integer() and abs(number) <= MAX_INTEGER else number


def resolve(text: str) -> JsonValue:
    """The value of a plain scalar in the core schema. Raises :class:`BadScalarError`."""
    if not text:
        return None
    if text[0] not in _WORD_OR_NUMBER:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2])
        short = text if len(text) <= MAX_DIGITS else "9" * MAX_DIGITS
        number = int(short[2:], base) if base and short is text else int(short)
        if abs(number) <= MAX_INTEGER:
            return number
        raise BadScalarError(f"{shown(text)} is too large for a JSON number", "quote it to keep every digit")
    if _FLOAT.fullmatch(text):
        value = float(text)
        if abs(value) != float("inf"):
            return settled(value)
        raise BadScalarError(f"{shown(text)} is too large for a JSON number", "quote it if it is text")
    if _NOT_FINITE.fullmatch(text):
        what = "NaN" if text[1] in "nN" else "infinity"
        raise BadScalarError(f"{what} is not a number that JSON can carry", "quote it if it is text")
    return text


def shown(text: str) -> str:
    """A number as a message repeats it: not all of its digits."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def long_lines(text: str, limit: int) -> Iterator[tuple[int, int]]:
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
