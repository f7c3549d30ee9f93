"""The desired or actual content of restaurants: settings by kind and key, in canonical form.

Two settings are the same exactly when their canonical bytes are equal. The canonical form
has every column (defaults filled in), keys sorted, numbers that are equal written alike
(``1.10`` and ``1.1``, ``1.0`` and ``1``), and nothing of a row's identity or time stamps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any, Protocol

import orjson

from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.location import Location

#: Integers up to here are exact in every JSON client (IEEE 754 doubles; ECMA-262 MAX_SAFE_INTEGER).
MAX_EXACT = 2**53 - 1


class Origin(Protocol):
    """Where an entry was written."""

    def location(self) -> Location: ...

    def lines(self) -> tuple[int, int]:
        """First and last line of the entry."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting: its values for every column of its kind.

    ``previously`` are former keys under which the database may still know it.
    """

    kind: str
    key: str
    values: Mapping[str, Any]
    canonical: bytes
    previously: tuple[str, ...] = ()
    origin: Origin | None = field(default=None, compare=False)


#: The settings of one restaurant: kind, then key. A kind that is absent is not managed.
Content = Mapping[str, Mapping[str, Entry]]


@dataclass(frozen=True, slots=True)
class Restaurant:
    """What ``restaurant.yaml`` says of a restaurant, and the content its directory wants."""

    slug: str
    id: str
    name: str
    timezone: str
    content: Content
    file: str


@dataclass(frozen=True, slots=True)
class State:
    """All restaurants of a configuration, by slug."""

    restaurants: Mapping[str, Restaurant]

    def count(self) -> int:
        """How many settings there are."""
        return sum(len(keys) for one in self.restaurants.values() for keys in one.content.values())


def canonical(values: Mapping[str, Any]) -> bytes:
    """The canonical bytes of values whose numbers are normalised already (see :func:`normalise`)."""
    try:
        return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Integers beyond 64 bits, which only somebody else's rows can hold.
        return json.dumps(
            values, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode("utf-8", "surrogatepass")


def token(value: Any) -> bytes:
    """Bytes that are equal exactly when two normalised values are: 1, true and "1" are three things."""
    return canonical({"": value})


def number(value: float) -> int | float:
    """The one spelling of a number: an integer if it is one that every client reads exactly."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= MAX_EXACT else value
    return value if abs(value) <= MAX_EXACT else _large(value)


def _large(value: int) -> int | float:
    """The double that ``value`` is, or that is written like it: 1e23 comes back as 23 zeros."""
    from decimal import Decimal

    try:
        double = float(value)
    except OverflowError:
        return value
    return double if value in (int(double), int(Decimal(repr(double)))) else value


def normalise(value: Any) -> Any:
    """``value`` with all its numbers in their one spelling."""
    if is_object(value):
        return {key: normalise(item) for key, item in value.items()}
    if is_list(value):
        return [normalise(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return value


#: Numbers in JSON text for which orjson's reading is not the canonical one: fractions and
#: exponents that may be integral, and integers so long that it would round them.
_SPECIAL_NUMBER = re.compile(r"\.\d*0(?!\d)|[0-9][eE][-+]?\d|\d{16,}|-0")


def read_json(text: str) -> Any:
    """Read a JSON text from the database into normalised values."""
    if not _SPECIAL_NUMBER.search(text):
        return orjson.loads(text)
    return normalise(json.loads(text))


def entry(
    kind: Kind,
    values: Mapping[str, Any],
    previously: Iterable[str] = (),
    origin: Origin | None = None,
) -> Entry:
    """An entry of ``kind`` from normalised ``values``; fields that are left out take their defaults."""
    defaults = kind.defaults
    full = {name: values[name] if name in values else defaults[name] for name in kind.column_names}
    return Entry(kind.name, full[kind.key], full, canonical(full), tuple(previously), origin)


def digest(content: Content, *, managed: bool = False) -> str:
    """A digest of the content, independent of order: ``sha256:`` and 64 hexadecimal digits.

    Args:
        content: the settings.
        managed: whether a kind without entries makes a difference.
    """
    total = sha256()
    for kind in sorted(content):
        entries = content[kind]
        if managed:
            total.update(f"{kind}\0".encode())
        for key in sorted(entries):
            for part in (kind.encode(), key.encode("utf-8", "surrogatepass"), entries[key].canonical):
                total.update(len(part).to_bytes(8, "big"))
                total.update(part)
    return f"sha256:{total.hexdigest()}"


def values_at(value: Any, path: str) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """All values that a reference path such as ``limit_config.targetIds[]`` leads to, with their pointers."""
    return _values_at(value, [step for part in path.split(".") for step in _steps(part)], ())


@cache
def _path(path: str) -> tuple[str, ...]:
    return tuple(step for part in path.split(".") for step in _steps(part))


def texts_at(value: Any, path: str) -> list[str]:
    """The texts that a reference path leads to, without their pointers: in a quarter of the time."""
    level: list[Any] = [value]
    for step in _path(path):
        if step == "[]":
            level = [item for found in level if is_list(found) for item in found]
        else:
            level = [found[step] for found in level if is_object(found) and step in found]
    return [found for found in level if isinstance(found, str)]


def _steps(part: str) -> list[str]:
    return [part[:-2], "[]"] if part.endswith("[]") else [part]


def _values_at(
    value: Any, path: list[str], at: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if not path:
        yield at, value
    elif path[0] == "[]":
        for index, item in enumerate(value if is_list(value) else ()):
            yield from _values_at(item, path[1:], (*at, index))
    elif is_object(value) and path[0] in value:
        yield from _values_at(value[path[0]], path[1:], (*at, path[0]))
