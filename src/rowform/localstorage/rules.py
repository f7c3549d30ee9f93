"""Where the members of a browser's settings belong: the mapping, as data.

It is derived from the kinds as far as it can be. An entry's member goes, in this order, to the column of
that name (as in SQL, or in camelCase), to the JSON column whose model knows it, or to the JSON column that
takes all else. What is left for this module are the shapes of their own that the application once had.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

from rowform.kinds import Kind, kinds

#: The application's key in localStorage.
SETTINGS_KEY = "shift-schedule-settings"
#: A place in a setting: a column, or a column and a key of its JSON.
Place: TypeAlias = tuple[str, ...]

#: What takes the members that nothing else knows, for the kinds with several JSON columns.
_REST: Mapping[str, str] = MappingProxyType(
    {"priority_rules": "rule_definition", "ml_model_configs": "model_config"}
)
#: Members that say something of the export and not of the restaurant.
BOOKKEEPING = frozenset({"migrationVersion", "lastSyncedAt"})
#: Members of entries that are copies of database rows: their identity there, which an import does not give.
ROW_MEMBERS = frozenset(
    {"id", "restaurant_id", "restaurantId", "version_id", "versionId"}
    | {"created_at", "createdAt", "updated_at", "updatedAt"}
)
#: What such an entry is known by.
ROW_MARKS = frozenset({"restaurant_id", "restaurantId", "version_id", "versionId"})
#: The member by which entries are referred to.
ID = "id"
#: A weekly limit with such an id is a daily one that was filed there.
DAILY_ID = "daily-limit-"


@dataclass(frozen=True, slots=True)
class Words:
    """A member whose words stand for values: ``sunday`` for ``[0]``."""

    place: Place
    values: Mapping[str, Any]

    def word(self, value: Any) -> str | None:
        """The word for a value, or ``None``."""
        return next(
            (word for word, one in self.values.items() if one == value and type(one) is type(value)), None
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """Members with names of their own in one sort of entry; all others are as everywhere."""

    places: Mapping[str, Place] = field(default_factory=dict[str, Place])
    words: Mapping[str, Words] = field(default_factory=dict[str, Words])


_PLAIN = Shape()
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
#: A wish of one person: ``{shift, day, priority, strength}``.
_SHIFT = Shape(
    {"shift": ("rule_definition", "shiftType"), "strength": ("rule_config", "preferenceStrength")},
    {
        "day": Words(("rule_definition", "daysOfWeek"), {day: [number] for number, day in enumerate(_DAYS)}),
        "priority": Words(("priority_level",), {"low": 1, "medium": 2, "high": 3}),
    },
)
_SHIFT_TYPE = "preferred_shift"


def _count_shape(bound: str) -> Shape:
    """A limit that is a member of an object: a number, or ``{value, isHard, weight}``."""
    places = {
        "value": ("limit_config", f"{bound}Count"),
        "isHard": ("is_hard_constraint",),
        "weight": ("penalty_weight",),
    }
    return Shape(places)


#: The shapes by name; the names stand in side files.
SHAPES: Mapping[str, Shape] = MappingProxyType(
    {"entry": _PLAIN, "max": _count_shape("max"), "min": _count_shape("min"), "shift": _SHIFT}
)
#: The shapes whose entry may also be its ``value`` alone.
COUNTS = ("max", "min")
#: The list of a person's wishes.
PREFERRED = "preferredShifts"


@dataclass(frozen=True, slots=True)
class Container:
    """A member of the settings that holds entries.

    ``period`` is how the names of its members end where it is an object of limits; ``by_person`` says that
    it may be an object of people with their wishes, ``single`` that it is one entry itself.
    """

    kind: str
    period: str | None = None
    by_person: bool = False
    single: bool = False


#: The containers by name. Every kind has one under its own name and in camelCase besides.
CONTAINERS: Mapping[str, Container] = MappingProxyType(
    {
        "staffGroups": Container("staff_groups"),
        "dailyLimits": Container("daily_limits", period="PerDay"),
        "weeklyLimits": Container("daily_limits", period="PerDay"),
        "monthlyLimits": Container("monthly_limits", period="PerMonth"),
        "priorityRules": Container("priority_rules", by_person=True),
        "mlParameters": Container("ml_model_configs", single=True),
    }
)
#: The container that holds daily limits only among others.
MIXED = "weeklyLimits"
#: What `mlParameters` leave out.
DEFAULT_MODEL = "genetic_algorithm"


@cache
def containers() -> Mapping[str, Container]:
    """All containers: also those of other packages' kinds, and the tables by their own names."""
    own = {camel(name): Container(name) for name in kinds() if camel(name) not in CONTAINERS}
    return MappingProxyType({**CONTAINERS, **own, **{name: Container(name) for name in kinds()}})


def camel(name: str) -> str:
    """``staff_groups`` as ``staffGroups``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@cache
def spelled(kind: Kind) -> Mapping[str, str]:
    """The columns by every name that an entry may use."""
    found = {column.wire_name: column.name for column in kind.columns}
    return MappingProxyType({**found, **{name: name for name in kind.column_names}})


@cache
def json_columns(kind: Kind) -> frozenset[str]:
    return frozenset(column.name for column in kind.columns if column.is_json)


@cache
def _known(kind: Kind) -> Mapping[str, str]:
    """The JSON columns by the keys that their models know; the first one wins."""
    found: dict[str, str] = {}
    for column, model in kind.json_models.items():
        for key in model.known():
            found.setdefault(key, column)
    return found


def _rest(kind: Kind) -> str | None:
    return _REST.get(kind.name) or next((column.name for column in kind.columns if column.is_json), None)


def place_of(kind: Kind, member: str, shape: Shape, *, flat: bool = False) -> Place | None:
    """Where a member of an entry belongs; ``None`` if nowhere.

    Args:
        kind: the entry's.
        member: its name.
        shape: the entry's.
        flat: whether the entry is nothing but a model's parameters.
    """
    if member in shape.places:
        return shape.places[member]
    if member in spelled(kind):
        return (spelled(kind)[member],)
    column = "parameters" if flat else _known(kind).get(member) or _rest(kind)
    return None if column is None else (column, member)


def is_flat(kind: Kind, members: Iterable[str]) -> bool:
    """Whether the entry of a model is nothing but its parameters."""
    return kind.name == "ml_model_configs" and not any(member in spelled(kind) for member in members)


_COUNTED = re.compile(r"(max|min)([A-Z][A-Za-z0-9]*)")
#: What is counted without being a shift.
_NO_SHIFT = frozenset({"WorkingStaff"})


def counted(container: Container, member: str) -> tuple[str, dict[Place, Any]] | None:
    """The shape of a limit that is a member of an object, and what its name says; ``None`` if it is none."""
    if container.period is None or not member.endswith(container.period):
        return None
    match = _COUNTED.fullmatch(member.removesuffix(container.period))
    if match is None:
        return None
    bound, what = match.groups()
    said: dict[Place, Any] = {("name",): _words(member).capitalize()}
    if container.kind == "monthly_limits":
        said["limit_config", "limitType"] = f"{bound}_{_words(what).replace(' ', '_')}"
    elif what not in _NO_SHIFT:
        said["limit_config", "shiftType"] = what[0].lower() + what[1:]
    return bound, said


def _words(name: str) -> str:
    """``maxOffPerDay`` as ``max off per day``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()


def wished(person: str, wish: Mapping[str, Any]) -> dict[Place, Any]:
    """What a wish says by its place in the object of people. One with a name says the rest itself."""
    said: dict[Place, Any] = {("rule_definition", "staffId"): person}
    if "name" not in wish:
        shift, day = wish.get("shift"), wish.get("day")
        what = f"{shift} preference" if isinstance(shift, str) and shift else "preference"
        when = f" on {day}" if isinstance(day, str) and day else ""
        said["name",] = f"{person} - {what}{when}"
        said["rule_definition", "ruleType"] = _SHIFT_TYPE
    return said


def implied(kind: Kind, members: Mapping[str, Any], step: str | int) -> dict[Place, Any]:
    """What an entry leaves out and cannot do without: a name, the type of a model."""
    if kind.name == "ml_model_configs":
        types = (members.get(name) for name in ("modelType", "model_type"))
        name = next((one for one in types if isinstance(one, str) and one.strip()), DEFAULT_MODEL)
        return {(kind.key,): name, ("model_type",): DEFAULT_MODEL}
    id_ = members.get(ID)
    if isinstance(id_, str) and id_.strip():
        return {(kind.key,): id_}
    number = step + 1 if isinstance(step, int) else step
    return {(kind.key,): f"{kind.noun.capitalize()} {number}"}
