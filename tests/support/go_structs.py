"""The structs of the application's own server, and a strict reading of JSON into them, as Go would do it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

_OWN = {"id": "string", "restaurantId": "string", "versionId": "string"}
_STAMPS = {"createdAt": "time.Time", "updatedAt": "time.Time"}
_PERIOD = {"effectiveFrom": "*time.Time", "effectiveUntil": "*time.Time"}
_LIMIT = {
    **_OWN, "name": "string", "limitConfig": "map", "penaltyWeight": "float64", "isHardConstraint": "bool",
    **_PERIOD, "isActive": "bool", **_STAMPS,
}  # fmt: skip

#: ``SettingsAggregate``: each member's struct, by the names in its tags.
AGGREGATE: dict[str, dict[str, str]] = {
    "staffGroups": {
        **_OWN, "name": "string", "description": "string", "color": "string", "groupConfig": "map",
        **_STAMPS, "isActive": "bool",
    },
    "dailyLimits": _LIMIT,
    "monthlyLimits": _LIMIT,
    "priorityRules": {
        **_OWN, "name": "string", "description": "string", "priorityLevel": "int", "ruleDefinition": "map",
        "ruleConfig": "map", "penaltyWeight": "float64", "isHardConstraint": "bool", **_PERIOD,
        "isActive": "bool", **_STAMPS,
    },
    "mlModelConfigs": {
        **_OWN, "modelName": "string", "modelType": "string", "parameters": "map", "modelConfig": "map",
        "confidenceThreshold": "float64", "isDefault": "bool", "isActive": "bool", **_STAMPS,
    },
}  # fmt: skip
VERSION = {
    "id": "string", "restaurantId": "string", "versionNumber": "int", "name": "string",
    "description": "string", "createdBy": "*string", "createdAt": "time.Time", "isActive": "bool",
    "isLocked": "bool",
}  # fmt: skip


_PYTHON = {"string": {str}, "bool": {bool}, "int": {int}, "float64": {int, float}, "map": {dict}}


def _time(value: Any) -> bool:
    return isinstance(value, str) and value.endswith("Z") and bool(datetime.fromisoformat(value))


def _is(type_: str, value: Any) -> bool:
    # A map without a value is nil, which is null in JSON both ways; so is a pointer.
    if value is None:
        return type_ == "map" or type_.startswith("*")
    name = type_.removeprefix("*")
    return _time(value) if name == "time.Time" else type(value) in _PYTHON[name]


def misfits(settings: dict[str, Any]) -> list[str]:
    """Everything in ``payload.settings`` that is not exactly as the application's own server sends it."""
    wrong = [] if list(settings) == [*AGGREGATE, "version"] else [f"members: {list(settings)}"]
    rows = [(name, struct, row) for name, struct in AGGREGATE.items() for row in settings[name]]
    for name, struct, row in [*rows, ("version", VERSION, settings["version"])]:
        if set(row) != set(struct):
            wrong.append(f"{name}: {set(row) ^ set(struct)}")
        wrong += [
            f"{name}.{key}: {row[key]!r}" for key, type_ in struct.items() if not _is(type_, row.get(key))
        ]
    return wrong
