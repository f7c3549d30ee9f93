"""Bytes → the settings that a browser kept, and all that is wrong with them, by JSON pointer."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from rowform.document import MAX_BYTES, MAX_DEPTH, MAX_LINE
from rowform.document.scalars import FORBIDDEN, MAX_DIGITS, named
from rowform.errors import InvalidSource
from rowform.jsontypes import is_list, is_object
from rowform.localstorage.rules import SETTINGS_KEY, containers
from rowform.state import MAX_EXACT, normalise
from rowform.text import count, escape, joined, pointer, quote

Path: TypeAlias = tuple[str | int, ...]

#: How often a value may be encoded as a string inside another one.
_MAX_LAYERS = 4
#: A member of this name changes an object's prototype as soon as JavaScript assigns it.
_PROTOTYPE = "__proto__"
#: Unknown members of an object without settings that a message repeats.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that cannot be taken as it is.

    ``remedy`` is the smallest thing around it that may be left out; ``None`` if the text itself is wrong.
    """

    path: Path
    message: str
    remedy: Path | None = None

    def __str__(self) -> str:
        return f"{escape(pointer(self.path)) or 'the whole'}: {self.message}"

    def to_json(self) -> dict[str, Any]:
        remedy = None if self.remedy is None else escape(pointer(self.remedy))
        return {"pointer": escape(pointer(self.path)), "message": self.message, "leave_out": remedy}


@dataclass(frozen=True, slots=True)
class Source:
    """The settings of one browser.

    ``name`` is the file for people; ``wrapping`` says from outside to inside what they were wrapped in;
    ``others`` are the other keys of a dump. ``faults`` are values that settings cannot hold.
    """

    name: str
    value: dict[str, Any]
    wrapping: tuple[str, ...]
    others: tuple[str, ...]
    faults: tuple[Fault, ...]


class _Doubled(dict[str, Any]):
    """An object in which names came twice."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _NoNumber:
    """A number that is none, or that no reader keeps."""

    text: str


def read_source(name: str, data: bytes) -> Source:
    """Read what a browser kept: the value as stored, encoded once more, or inside a dump of everything.

    Args:
        name: the file for people.
        data: at most one byte more than the limit; that one shows a file that is too large.

    Raises:
        InvalidSource: the text is no JSON, or holds no settings.
    """
    value: Any = _parsed(name, _decoded(name, data))
    wrapping: list[str] = []
    others: tuple[str, ...] = ()
    for _ in range(_MAX_LAYERS):
        if isinstance(value, str):
            wrapping.append("a string")
            value = _parsed(name, value, " of the string inside")
        elif is_object(value) and SETTINGS_KEY in value and not others and "a dump" not in wrapping:
            wrapping.append("a dump")
            others = tuple(key for key in value if key != SETTINGS_KEY)
            _refuse_broken(name, {key: value[key] for key in others})
            value = value[SETTINGS_KEY]
        else:
            break
    _refuse_broken(name, value)
    if not is_object(value) or not any(key in containers() for key in value):
        raise InvalidSource(name, _no_settings(value), "export the value of the key " + SETTINGS_KEY)
    faults = tuple(faults_in(value, ()))
    return Source(name, normalise(_plain(value)), tuple(wrapping), others, faults)


def _no_settings(value: Any) -> str:
    if not is_object(value):
        return f"holds no settings: {quote(value, 60)} is no object"
    found = f"only {joined([quote(key, 40) for key in list(value)[:_SHOWN]])}" if value else "nothing"
    return f"holds no settings: there is {found}"


def _decoded(name: str, data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise InvalidSource(
            name,
            f"is larger than {MAX_BYTES:,} bytes, which is more than a browser stores",
            f"export the value of the key {SETTINGS_KEY} alone",
        )
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        shown = encoding.removesuffix("-sig").upper()
        raise InvalidSource(name, f"byte {error.start + 1:,} is not valid {shown}") from None
    if not text.strip():
        raise InvalidSource(name, "is empty")
    return text


def _parsed(name: str, text: str, where: str = "") -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_fraction,
            parse_int=_integer,
            parse_constant=_NoNumber,
        )
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        what = "the text ends too early; was it cut off?" if cut else f"no JSON: {error.msg}"
        place = f"line {error.lineno}, column {error.colno}{where}"
        inside = pointer(_path_at(text, error.pos))
        raise InvalidSource(name, f"{place}{f', in {escape(inside)}' if inside else ''}: {what}") from None
    except RecursionError:
        raise InvalidSource(name, f"lists and objects are nested more than {MAX_DEPTH} deep") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = _Doubled(found)
    doubled.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return doubled


def _integer(text: str) -> int | _NoNumber:
    return int(text) if len(text) <= MAX_DIGITS else _NoNumber(text)


def _fraction(text: str) -> Decimal | _NoNumber:
    try:
        return Decimal(text) if len(text) <= MAX_DIGITS else _NoNumber(text)
    except InvalidOperation:
        return _NoNumber(text)


_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]', re.DOTALL)


def _path_at(text: str, position: int) -> Path:
    """The pointer to where a broken text breaks."""
    path: list[str | int] = []
    before = ""
    for match in _MARK.finditer(text, 0, position):
        match match.group():
            case "[":
                path.append(0)
            case "{":
                path.append("")
            case "]" | "}":
                del path[-1:]
            case "," if path:
                path[-1] = path[-1] + 1 if isinstance(path[-1], int) else ""
            case ":" if path and before and path[-1] == "":
                path[-1] = str(json.loads(before, strict=False))
            case _:
                pass
        before = match.group() if match.group().startswith('"') else ""
    while path and path[-1] == "":
        path.pop()
    return tuple(path[:MAX_DEPTH])


def _refuse_broken(name: str, value: Any) -> None:
    """Refuse what could not even be kept beside the settings as it is."""
    broken = list(_broken(value, ()))
    if broken:
        raise InvalidSource(name, f"{count(len(broken), 'value')} cannot be read for certain", faults=broken)


def _broken(value: Any, path: Path) -> Iterator[Fault]:
    if len(path) > MAX_DEPTH:
        yield Fault(path[:MAX_DEPTH], f"lists and objects are nested more than {MAX_DEPTH} deep")
    elif isinstance(value, _NoNumber):
        yield Fault(path, f"{_cut(value.text)} is no number that JSON can carry")
    elif (isinstance(value, Decimal) and not _is_double(value)) or (
        isinstance(value, int) and abs(value) > MAX_EXACT and not _is_double(Decimal(value))
    ):
        yield Fault(path, f"{_cut(str(value))} is no number that a browser can have written")
    elif is_object(value):
        if isinstance(value, _Doubled):
            for key in value.names:
                yield Fault((*path, key), f"the key {quote(key, 60)} is there twice")
        for key, item in value.items():
            yield from _broken(item, (*path, key))
    elif is_list(value):
        for index, item in enumerate(value):
            yield from _broken(item, (*path, index))


def _is_double(value: Decimal) -> bool:
    """Whether a number is one that JavaScript writes: the shortest text of a double, or a small integer."""
    double = float(value)
    return abs(double) != float("inf") and value in (Decimal(repr(double)), Decimal(double))


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


def faults_in(value: Any, path: Path) -> Iterator[Fault]:
    """Values that JSON can hold and settings cannot."""
    if isinstance(value, str):
        bad = FORBIDDEN.search(value)
        if bad:
            yield Fault(path, f"{named(bad.group())} is not allowed in settings", path)
        elif len(value) >= MAX_LINE:
            yield Fault(path, f"this text has {len(value):,} characters", path)
    elif is_object(value):
        for key, item in value.items():
            bad = FORBIDDEN.search(key)
            if key == _PROTOTYPE:
                yield Fault(
                    (*path, key), "a key of this name is an attack on JavaScript programs", (*path, key)
                )
            elif bad:
                message = f"{named(bad.group())} is not allowed in a key"
                yield Fault((*path, key), message, (*path, key))
            else:
                yield from faults_in(item, (*path, key))
    elif is_list(value):
        for index, item in enumerate(value):
            yield from faults_in(item, (*path, index))


def _plain(value: Any) -> Any:
    """The value with numbers as Python has them."""
    if isinstance(value, Decimal):
        return float(value)
    if is_object(value):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if is_list(value) else value
