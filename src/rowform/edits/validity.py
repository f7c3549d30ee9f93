"""Whether the values of a setting are what its kind allows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from rowform.checks import schema_problems
from rowform.document import Document, Pointer
from rowform.edits.faults import Path
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.localstorage.source import faults_in
from rowform.location import Location
from rowform.state import MAX_EXACT
from rowform.text import steps


class _Values(Document):
    """The values of one setting, which no file has: their places are paths in it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__("", "", [dict(values)])
        self.paths: dict[str, Path] = {}

    def locate(self, pointer: Pointer, *, key: bool = False) -> Location:  # noqa: ARG002  # the base's signature
        shown = "".join(steps(pointer))
        self.paths[shown] = tuple(pointer[1:])
        return Location(shown)

    def source(self, pointer: Pointer) -> str | None:  # noqa: ARG002  # as above
        return None


def value_faults(
    kind: Kind, values: Mapping[str, Any], edited: Collection[str]
) -> Iterator[tuple[Path, str]]:
    """What is wrong with the values of a setting: the path of each fault, and a message."""
    for name in edited:
        yield from ((fault.path, fault.message) for fault in faults_in(values[name], (name,)))
        yield from _inexact(values[name], (name,))
    document = _Values(values)
    try:
        kind.entries.validate_python(document.value)
    except ValidationError as error:
        for problem in schema_problems(error, document, (), lambda _: ()):
            path = document.paths[problem.location.file]
            prefix = f"{path[-1]}: " if path and isinstance(path[-1], str) else ""
            yield path, problem.message.removeprefix(prefix)
        return
    for start, end in kind.periods:
        first, last = values.get(start), values.get(end)
        if first is not None and last is not None and first > last:
            yield (start if start in edited else end,), f"{first} is after {last}"


def _inexact(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Integers that some clients would read as others."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_EXACT:
        yield path, f"{value} is too large to be exact"
    elif is_object(value):
        for name, item in value.items():
            yield from _inexact(item, (*path, name))
    elif is_list(value):
        for at, item in enumerate(value):
            yield from _inexact(item, (*path, at))
