"""Which generation of the application wrote a browser's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rowform.jsontypes import is_list, is_object
from rowform.kinds import kinds
from rowform.localstorage import rules
from rowform.text import quote

#: The newest generation of the application that is known.
NEWEST = 5
_SEED_MEMBERS = (
    ("dailyLimits", {"value", "type"}),
    ("monthlyLimits", {"value", "type"}),
    ("priorityRules", {"conditions"}),
)


@dataclass(frozen=True, slots=True)
class Generation:
    """``name`` is short (``v4``), ``words`` say it to people, ``shapes`` what the containers look like."""

    name: str
    words: str
    shapes: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "description": self.words, "shapes": dict(self.shapes)}


def detect(value: Mapping[str, Any]) -> Generation:
    """The generation of settings, by the version that they name, else by their shapes."""
    name, words = _named(value)
    return Generation(name, words, dict(_shapes(value)))


def _named(value: Mapping[str, Any]) -> tuple[str, str]:
    entries = [item for part in value.values() if is_list(part) for item in part if is_object(item)]
    columns = {name for kind in kinds().values() for name in rules.json_columns(kind)}
    if any(not (rules.ROW_MARKS | columns).isdisjoint(item) for item in entries):
        return "rows", "rows of the database, as its data recovery exports them"
    version = value.get("migrationVersion")
    if isinstance(version, int) and not isinstance(version, bool) and 0 <= version <= NEWEST:
        return f"v{version}", f"the application's generation v{version}, by its migrationVersion"
    if version is not None:
        words = (
            f"an unknown generation of the application (migrationVersion {quote(version, 40)}), by its shapes"
        )
        return "unknown", words
    for member, marks in _SEED_MEMBERS:
        part = value.get(member)
        if is_list(part) and any(is_object(item) and marks <= set(item) for item in part):
            return "seed", "the seed's arrays"
    return "v0", "the application's generation v0, which names no version"


def _shapes(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, container in rules.containers().items():
        if name not in value:
            continue
        part = value[name]
        if is_list(part):
            yield name, "array" if part else "empty array"
        elif not is_object(part):
            yield name, "null" if part is None else "neither array nor object"
        elif not part:
            yield name, "empty object"
        elif container.single:
            yield name, _model_shape(container, part)
        else:
            yield name, "object by staff name" if container.by_person else "object"


def _model_shape(container: rules.Container, part: Mapping[str, Any]) -> str:
    if rules.is_flat(kinds()[container.kind], part):
        return "flat"
    return "snake_case" if any("_" in name for name in part) else "camelCase"
