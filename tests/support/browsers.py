"""Exports of browsers: the samples, and ones drawn at random, of every generation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from rowform.localstorage.mapping import Mapped, map_source
from rowform.localstorage.source import read_source
from rowform.state import Content
from rowform.text import pointer
from tests.property.strategies import FREE_KEYS, JSON, NUMBERS, PEOPLE, TEXT

SAMPLES = Path(__file__).parents[1] / "fixtures" / "localstorage"
#: The samples that are settings by themselves.
PLAIN = ("legacy", "seed", "v4")


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def keys_of(value: Any) -> Iterator[str]:
    """The names of all members, at any depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from keys_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys_of(item)


def mapped(value: Any, *leave_out: str, name: str = "a.json") -> Mapped:
    """What an export becomes."""
    data = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    return map_source(read_source(name, data), leave_out)


def answered(value: Any) -> Mapped:
    """What an export becomes if all that has no home is left out."""
    first = mapped(value)
    assert first.faults == []
    return mapped(value, *{pointer(one.path) for one in first.homeless})


def content_of(found: Mapped) -> Content:
    content: dict[str, dict[str, Any]] = {}
    for one in found.settings:
        assert one.entry is not None
        content.setdefault(one.kind.name, {})[one.entry.key] = one.entry
    return content


# --- drawing -------------------------------------------------------------------------------------

#: Values of free members; whole trees of them only here and there.
_FREE = NUMBERS | TEXT | st.none() | st.lists(TEXT, max_size=2) | st.dictionaries(FREE_KEYS, TEXT, max_size=2)
NAMES = st.sampled_from(["Kitchen", "kitchen", "Max off", "Kitchen (2)", "Group 1", "料理", "no", "a: b"]) | (
    TEXT.filter(lambda text: text.strip() != "")
)
_PERSONS = st.sampled_from([*PEOPLE, "料理長", ""])
_IDS = st.sampled_from(["group1", "group2", "1", "rule-1", "daily-limit-off", "backup-1"]) | TEXT
_DAYS = st.sampled_from(["2025-10-01", "2025-12-31", "2024-02-29"])
_WEIGHTS = st.integers(0, 100) | st.sampled_from([0.5, 1.0, 30.5])
_FLAGS = st.booleans() | st.none()
_WEEK = st.lists(st.integers(0, 6), max_size=7)
_COUNTS = NUMBERS

_SHARED: dict[str, st.SearchStrategy[Any]] = {
    "penaltyWeight": _WEIGHTS | st.none(),
    "isHardConstraint": _FLAGS,
    "effectiveUntil": _DAYS.filter(lambda day: day > "2025-11") | st.none(),
    "effectiveFrom": _DAYS.filter(lambda day: day < "2025-11") | st.none(),
    "isActive": _FLAGS,
}
GROUP = {
    "id": _IDS | st.integers(0, 9),
    "members": st.lists(_PERSONS, max_size=3),
    "description": TEXT | st.none(),
    "color": st.sampled_from(["#3B82F6", "#fff", None]),
    "isActive": _FLAGS,
    "groupConfig": st.dictionaries(FREE_KEYS, _FREE, max_size=2) | st.none(),
}
LIMIT = {
    **_SHARED,
    "id": _IDS,
    "value": _COUNTS,
    "type": TEXT,
    "limitType": TEXT,
    "shiftType": TEXT,
    "maxCount": _COUNTS,
    "minCount": _COUNTS,
    "scope": TEXT,
    "targetIds": st.lists(_IDS, max_size=2),
    "daysOfWeek": _WEEK,
    "distributionRules": st.fixed_dictionaries(
        {}, optional={"maxConsecutive": st.integers(0, 9), "preferWeekends": st.booleans(), "x": JSON}
    ),
    "description": TEXT,
}
RULE = {
    **_SHARED,
    "id": _IDS,
    "description": TEXT | st.none(),
    "ruleType": TEXT,
    "staffId": _PERSONS,
    "groupId": _IDS,
    "shiftType": TEXT,
    "daysOfWeek": _WEEK,
    "priorityLevel": st.integers(1, 9) | st.none(),
    "preferenceStrength": _COUNTS,
    "conditions": st.lists(st.fixed_dictionaries({"field": TEXT}, optional={"equals": JSON}), max_size=2),
    "ruleConfig": st.dictionaries(FREE_KEYS, _FREE, max_size=2),
}
PARAMETERS = {
    "populationSize": st.integers(0, 1000),
    "generations": st.integers(0, 1000),
    "mutationRate": NUMBERS,
    "crossoverRate": NUMBERS,
    "elitismRate": NUMBERS,
    "convergenceThreshold": NUMBERS,
    "maxRuntime": NUMBERS,
    "enableAdaptiveMutation": st.booleans(),
    "parallelProcessing": st.booleans(),
    "targetAccuracy": NUMBERS,
}
_MODEL = {"name": NAMES, "type": TEXT, "confidence": st.sampled_from([0, 0.8, 1.0, None])}
MODEL = {"modelName": NAMES, "modelType": TEXT, "confidenceThreshold": _MODEL["confidence"]}
SNAKE_MODEL = {"model_name": NAMES, "model_type": TEXT, "confidence_threshold": _MODEL["confidence"]}
WISH = {
    "shift": TEXT | st.sampled_from(["early", "late", "off"]),
    "day": st.sampled_from(["sunday", "monday", "friday", "Friday", "holiday", ""]) | st.none(),
    "priority": st.sampled_from(["high", "medium", "low", "urgent", "", 3]),
    "strength": NUMBERS,
}
COUNT = {"value": NUMBERS, "isHard": _FLAGS, "weight": _WEIGHTS}
DAILY = ("maxOffPerDay", "maxEarlyPerDay", "maxLatePerDay", "minWorkingStaffPerDay", "minSplitPerDay")
MONTHLY = ("maxOffDaysPerMonth", "minWeekendDaysPerMonth")
BACKUP = {"id": _IDS, "staffId": _PERSONS, "groupId": _IDS, "createdAt": TEXT}
#: All names that are drawn on purpose.
DRAWN = frozenset(
    {*GROUP, *LIMIT, *RULE, *PARAMETERS, *MODEL, *SNAKE_MODEL, *WISH, *COUNT, *DAILY, *MONTHLY, *BACKUP}
    | {"name", "parameters", "preferredShifts", "料理長", "井関"}
    | {"staffGroups", "dailyLimits", "weeklyLimits", "monthlyLimits", "priorityRules", "mlParameters"}
    | {
        "migrationVersion",
        "lastSyncedAt",
        "backupAssignments",
        "maxConsecutive",
        "preferWeekends",
        "field",
        "equals",
    }
)


def _entry(
    known: dict[str, st.SearchStrategy[Any]], free: bool = True, **required: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    optional = {name: one for name, one in known.items() if name not in required}
    entry = st.fixed_dictionaries(required, optional=optional)
    if not free:
        return entry
    return st.builds(lambda more, one: {**more, **one}, st.dictionaries(FREE_KEYS, _FREE, max_size=2), entry)


def _list(entry: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(entry, max_size=3)


def _counts(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), NUMBERS | _entry(COUNT), max_size=3)


_NAMED = NAMES
_BY_PERSON = st.dictionaries(
    st.sampled_from(["料理長", "井関", "Ann", "", "a/b~"]),
    st.fixed_dictionaries({}, optional={"preferredShifts": _list(_entry(WISH)), "note": TEXT | st.just([])}),
    max_size=3,
)
CONTAINERS: dict[str, st.SearchStrategy[Any]] = {
    "staffGroups": _list(_entry(GROUP, name=_NAMED)) | _list(_entry(GROUP)),
    "dailyLimits": _list(_entry(LIMIT, name=_NAMED)) | _counts(DAILY),
    "weeklyLimits": _list(_entry(LIMIT, name=_NAMED)) | _counts((*DAILY, "maxHoursPerWeek")),
    "monthlyLimits": _list(_entry(LIMIT, name=_NAMED)) | _counts(MONTHLY),
    "priorityRules": _list(_entry(RULE, name=_NAMED)) | _BY_PERSON,
    "mlParameters": st.one_of(
        _entry({**MODEL, "parameters": _entry(PARAMETERS)}),
        _entry({**SNAKE_MODEL, "parameters": _entry(PARAMETERS)}),
        _entry(PARAMETERS),
    ),
}
REST: dict[str, st.SearchStrategy[Any]] = {
    "migrationVersion": st.integers(0, 9) | TEXT,
    "lastSyncedAt": TEXT | st.none(),
    "backupAssignments": _list(_entry(BACKUP)),
    "somethingElse": JSON,
    "version": JSON,
}
EXPORTS = st.fixed_dictionaries({}, optional={**CONTAINERS, **REST}).filter(
    lambda one: any(name in CONTAINERS for name in one)
)
