"""Entries of a browser as settings: put together, named, checked against their kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from rowform.checks import schema_problems
from rowform.document import Document, Pointer
from rowform.entries import fold
from rowform.kinds import Kind
from rowform.localstorage.rules import Place
from rowform.localstorage.source import Fault, Path
from rowform.location import Location
from rowform.state import Entry, entry
from rowform.text import escape
from rowform.text import pointer as as_pointer


@dataclass(frozen=True, slots=True)
class Row:
    """One value and the place that it has now. ``said`` is what the source has, ``value`` the setting."""

    path: Path
    place: Place
    said: Any
    value: Any


@dataclass(slots=True)
class Setting:
    """One entry on its way to a setting.

    ``note`` is what the side file remembers of it; ``implied`` are values that the source does not say in
    so many words; ``former`` is its name in the source, if another entry had it already.
    """

    kind: Kind
    path: Path
    note: dict[str, Any]
    rows: list[Row] = field(default_factory=list[Row])
    implied: dict[Place, Any] = field(default_factory=dict[Place, Any])
    former: str | None = None
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    entry: Entry | None = None

    _taken: dict[Place, Row] = field(default_factory=dict[Place, Row])
    _columns: dict[str, Row] = field(default_factory=dict[str, Row])

    def put(self, row: Row) -> Row | None:
        """Add a value, unless something says the same part of the setting: that is returned."""
        column = row.place[0]
        clash = (
            self._columns.get(column)
            if len(row.place) == 1
            else self._taken.get(row.place) or self._taken.get((column,))
        )
        if clash is None:
            self.rows.append(row)
            self._taken[row.place] = row
            self._columns.setdefault(column, row)
        return clash

    def imply(self, implied: Mapping[Place, Any]) -> None:
        """Add what nothing else says, and put all values together."""
        taken = self._taken
        self.implied = {p: v for p, v in implied.items() if p not in taken and p[:1] not in taken}
        for place, value in [*self.implied.items(), *((row.place, row.value) for row in self.rows)]:
            if len(place) == 1:
                self.values[place[0]] = value
            else:
                self.values.setdefault(place[0], {})[place[1]] = value

    def defaulted(self) -> dict[str, Any]:
        """The columns that the source leaves out, and their defaults."""
        defaults = self.kind.defaults.items()
        return {
            name: value for name, value in defaults if name not in self.values and value not in (None, {})
        }

    def source_of(self, path: Sequence[str | int]) -> Path:
        """The path in the source of a value of the setting; of the entry if the source does not say it."""
        place = tuple(str(step) for step in path[:2])
        row = self._taken.get(place) or self._taken.get(place[:1])
        if row is None:
            return self.path
        return (*row.path, *path[len(row.place) :]) if row.said == row.value else row.path


def complete(settings: Sequence[Setting]) -> Iterator[Fault]:
    """Give every setting a name of its own, and make its entry; what its kind does not allow is a fault."""
    by_kind: dict[str, list[Setting]] = {}
    for one in settings:
        by_kind.setdefault(one.kind.name, []).append(one)
    for group in by_kind.values():
        _rename(group)
        yield from _checked(group)


def _rename(group: Sequence[Setting]) -> None:
    """Give the second entry of a name another one."""
    key = group[0].kind.key
    taken = {fold(one.values[key]) for one in group if isinstance(one.values.get(key), str)}
    seen: dict[str, int] = {}
    for one in group:
        name = one.values.get(key)
        if not isinstance(name, str):
            continue
        number = seen[fold(name)] = seen.get(fold(name), 0) + 1
        if number > 1:
            one.former = one.note["name"] = name
            while fold(f"{name} ({number})") in taken:
                number += 1
            seen[fold(name)] = number
            name = one.values[key] = f"{name} ({number})"
            taken.add(fold(name))
        one.note["key"] = name


class _Values(Document):
    """Values that no YAML file has yet: their places are JSON pointers of the source."""

    def __init__(self, group: Sequence[Setting]) -> None:
        super().__init__("", "", [one.values for one in group])
        self._group = group
        self.paths: dict[str, Path] = {}

    def locate(self, pointer: Pointer, *, key: bool = False) -> Location:  # noqa: ARG002  # the base's signature
        path = self._group[int(pointer[0])].source_of(pointer[1:])
        shown = as_pointer(path)
        self.paths[shown] = path
        return Location(shown)

    def source(self, pointer: Pointer) -> str | None:  # noqa: ARG002  # as above
        return None


def _checked(group: Sequence[Setting]) -> Iterator[Fault]:
    kind = group[0].kind
    document = _Values(group)
    faulty: set[int] = set()
    try:
        kind.entries.validate_python(document.value)
    except ValidationError as error:
        faulty = {int(detail["loc"][0]) for detail in error.errors(include_url=False, include_input=False)}
        for problem in schema_problems(error, document, (), lambda _: ()):
            path = document.paths[problem.location.file]
            yield Fault(path, problem.message, _remedy(path))
    for number, one in enumerate(group):
        if number in faulty:
            continue
        for start, end in kind.periods:
            first, last = one.values.get(start), one.values.get(end)
            if first is not None and last is not None and first > last:
                path = one.source_of((start,))
                yield Fault(path, f"{escape(first)} is after {end} {escape(last)}", _remedy(path))
        one.entry = entry(kind, one.values)


def _remedy(path: Path) -> Path:
    """The smallest part around a value that can be left out: a list of a setting only as a whole."""
    for length, step in enumerate(path):
        if isinstance(step, int) and length > 1 and not _is_wish(path[: length + 1]):
            return path[:length]
    return path


def _is_wish(path: Path) -> bool:
    return len(path) == 4 and isinstance(path[1], str)
