"""Where the values of a browser's settings go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rowform.errors import UsageError
from rowform.localstorage.mapping import map_source
from rowform.localstorage.source import read_source
from rowform.text import pointer
from tests.support.browsers import content_of, mapped, sample


def values(value: Any, kind: str) -> dict[str, dict[str, Any]]:
    """The settings of a kind by key, without what they leave out."""
    found = mapped(value)
    assert found.faults == []
    return {one.values[one.kind.key]: one.values for one in found.settings if one.kind.name == kind}


def kept(value: Any, *leave_out: str) -> dict[str, str]:
    return {pointer(one.path): one.why for one in mapped(value, *leave_out).kept}


def homeless(value: Any) -> list[str]:
    return [pointer(one.path) for one in mapped(value).homeless]


def faults(value: Any) -> list[str]:
    return [str(one) for one in mapped(value).faults]


def test_v4() -> None:
    found = mapped(sample("v4"))
    content = content_of(found)
    assert {kind: len(entries) for kind, entries in content.items()} == {
        "staff_groups": 8,
        "daily_limits": 4,
        "priority_rules": 2,
        "monthly_limits": 1,
        "ml_model_configs": 1,
    }
    assert content["staff_groups"]["Group 1"].values == {
        "name": "Group 1",
        "description": None,
        "color": "#3B82F6",
        "group_config": {"id": "group1", "members": ["料理長", "井関"]},
        "is_active": True,
    }
    assert content["daily_limits"]["Max off per day"].values["limit_config"] == {
        "shiftType": "off",
        "maxCount": 3,
    }
    assert content["daily_limits"]["Min working staff per day"].values["limit_config"] == {"minCount": 3}
    rule = content["priority_rules"]["カマル - early preference"].values
    assert rule["rule_definition"] == {
        "id": "rule-2",
        "ruleType": "preferred_shift",
        "staffId": "カマル",
        "shiftType": "early",
        "daysOfWeek": [1, 3, 5],
    }
    assert rule["rule_config"] == {"preferenceStrength": 0.5}
    assert (rule["priority_level"], rule["effective_from"], rule["is_active"]) == (2, "2025-10-01", False)
    limit = content["monthly_limits"]["Maximum Off Days Per Month"].values
    assert limit["limit_config"]["distributionRules"] == {"maxConsecutive": 2, "preferWeekends": False}
    assert limit["limit_config"]["description"].startswith("Maximum number")
    assert limit["penalty_weight"] == 40
    model = content["ml_model_configs"]["genetic_algorithm"].values
    assert model["parameters"]["targetAccuracy"] == 0.85
    assert model["confidence_threshold"] == 0.75
    assert [pointer(one.path) for one in found.homeless] == ["/backupAssignments"]
    assert {pointer(one.path) for one in found.kept} == {
        "/migrationVersion",
        "/weeklyLimits",
        "/lastSyncedAt",
    }


def test_legacy_weekly_limits_per_day_are_daily_ones() -> None:
    found = values(sample("legacy"), "daily_limits")
    assert found["Max off per day"] == {
        "name": "Max off per day",
        "limit_config": {"shiftType": "off", "maxCount": 4},
        "is_hard_constraint": True,
        "penalty_weight": 50,
    }
    assert set(found) == {
        "Max off per day",
        "Max early per day",
        "Max late per day",
        "Min working staff per day",
    }


def test_legacy_wishes_are_rules() -> None:
    found = values(sample("legacy"), "priority_rules")
    assert found["料理長 - early preference on sunday"] == {
        "name": "料理長 - early preference on sunday",
        "priority_level": 3,
        "rule_definition": {
            "staffId": "料理長",
            "ruleType": "preferred_shift",
            "shiftType": "early",
            "daysOfWeek": [0],
        },
        "rule_config": {"preferenceStrength": 1},
    }
    assert found["井関 - late preference on friday"]["priority_level"] == 1


def test_words_that_are_not_known_stay_under_their_own_name() -> None:
    wish = {"shift": "early", "day": "Holiday", "priority": "urgent", "note": 1}
    (rule,) = values({"priorityRules": {"岸": {"preferredShifts": [wish]}}}, "priority_rules").values()
    assert rule["rule_definition"] == {
        "staffId": "岸",
        "ruleType": "preferred_shift",
        "shiftType": "early",
        "day": "Holiday",
        "priority": "urgent",
        "note": 1,
    }
    assert "priority_level" not in rule


def test_the_seed_s_arrays() -> None:
    assert values(sample("seed"), "daily_limits")["Max off"]["limit_config"] == {"value": 3, "type": "off"}
    rule = values(sample("seed"), "priority_rules")["Chef first"]
    assert rule["rule_definition"] == {"conditions": [{"field": "role", "equals": "chef"}]}
    assert values(sample("seed"), "ml_model_configs")["genetic"]["parameters"] == {"populationSize": 100}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            {"modelName": "a", "modelType": "b", "confidenceThreshold": 0.5, "other": 1},
            {"model_name": "a", "model_type": "b", "confidence_threshold": 0.5, "model_config": {"other": 1}},
        ),
        (
            {"model_name": "a", "model_type": "b", "model_config": {"other": 1}, "is_default": True},
            {"model_name": "a", "model_type": "b", "model_config": {"other": 1}, "is_default": True},
        ),
        (
            {"populationSize": 9, "other": 1},
            {
                "model_name": "genetic_algorithm",
                "model_type": "genetic_algorithm",
                "parameters": {"populationSize": 9, "other": 1},
            },
        ),
        (
            {"modelType": "tabu", "generations": 3},
            {"model_name": "tabu", "model_type": "tabu", "parameters": {"generations": 3}},
        ),
    ],
)
def test_models(model: dict[str, Any], expected: dict[str, Any]) -> None:
    (found,) = values({"mlParameters": model}, "ml_model_configs").values()
    assert found == expected


@pytest.mark.parametrize(
    ("value", "name", "shapes"),
    [
        (json.loads(sample("v4")), "v4", {"dailyLimits": "object", "mlParameters": "snake_case"}),
        (
            json.loads(sample("legacy")),
            "v0",
            {"priorityRules": "object by staff name", "mlParameters": "flat"},
        ),
        (json.loads(sample("seed")), "seed", {"dailyLimits": "array", "mlParameters": "camelCase"}),
        ({"migrationVersion": 0, "staffGroups": []}, "v0", {"staffGroups": "empty array"}),
        ({"migrationVersion": 5, "dailyLimits": [{"name": "a"}]}, "v5", {"dailyLimits": "array"}),
        ({"migrationVersion": 6, "weeklyLimits": {}}, "unknown", {"weeklyLimits": "empty object"}),
        ({"migrationVersion": "4", "weeklyLimits": None}, "unknown", {"weeklyLimits": "null"}),
        ({"migrationVersion": True, "staffGroups": []}, "unknown", {}),
        ({"staffGroups": [{"name": "a", "restaurant_id": "x"}]}, "rows", {"staffGroups": "array"}),
        ({"staffGroups": [{"name": "a", "group_config": {}}]}, "rows", {}),
    ],
)
def test_generations(value: Any, name: str, shapes: dict[str, str]) -> None:
    generation = mapped(value).generation
    assert generation.name == name
    assert shapes.items() <= generation.shapes.items()


def test_rows_leave_the_identity_that_they_had() -> None:
    row = {
        "id": "u",
        "restaurant_id": "r",
        "version_id": "v",
        "created_at": "t",
        "name": "a",
        "group_config": {"x": 1},
    }
    assert values({"staffGroups": [row]}, "staff_groups") == {"a": {"name": "a", "group_config": {"x": 1}}}
    assert set(kept({"staffGroups": [row]})) == {
        f"/staffGroups/0/{name}" for name in ("id", "restaurant_id", "version_id", "created_at")
    }


def test_names_that_collide_are_renamed() -> None:
    groups = [
        {"name": "A"},
        {"name": "a"},
        {"name": "A (2)"},
        {"name": "A"},
        {"name": "Å"},
        {"name": "A\u030a"},
    ]
    found = mapped({"staffGroups": groups})
    assert [one.values["name"] for one in found.settings] == [
        "A",
        "a (3)",
        "A (2)",
        "A (4)",
        "Å",
        "A\u030a (2)",
    ]
    assert [one.former for one in found.settings] == [None, "a", None, "A", None, "A\u030a"]


def test_a_limit_in_two_containers_is_two_limits() -> None:
    value = {"dailyLimits": {"maxOffPerDay": 1}, "weeklyLimits": {"maxOffPerDay": 2}}
    assert set(values(value, "daily_limits")) == {"Max off per day", "Max off per day (2)"}


def test_names_that_are_missing_are_made() -> None:
    found = values({"staffGroups": [{"id": "g7"}, {"color": "#fff"}, {"id": 3}]}, "staff_groups")
    assert set(found) == {"g7", "Staff group 2", "Staff group 3"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"backupAssignments": [{"id": 1}], "staffGroups": []}, ["/backupAssignments"]),
        (
            {"weeklyLimits": [{"id": "w", "name": "x"}, {"id": "daily-limit-off", "name": "y"}]},
            ["/weeklyLimits/0"],
        ),
        ({"weeklyLimits": {"maxOffPerDay": 1, "maxHoursPerWeek": 40}}, ["/weeklyLimits/maxHoursPerWeek"]),
        ({"dailyLimits": {"somethingElse": 1}}, ["/dailyLimits/somethingElse"]),
        ({"priorityRules": {"a": {"avoids": [1]}}}, ["/priorityRules/a/avoids"]),
        ({"staffGroups": [{"name": "a", "is_active": True, "isActive": False}]}, ["/staffGroups/0/isActive"]),
        (
            {"priorityRules": [{"name": "a", "ruleType": "x", "ruleDefinition": {"ruleType": "y", "z": 1}}]},
            ["/priorityRules/0/ruleDefinition/ruleType"],
        ),
        (
            {"dailyLimits": {"maxOffPerDay": {"value": 1, "maxCount": 2}}},
            ["/dailyLimits/maxOffPerDay/maxCount"],
        ),
    ],
)
def test_values_without_a_home(value: Any, expected: list[str]) -> None:
    assert homeless(value) == expected
    again = mapped(value, *expected)
    assert again.homeless == []
    assert {pointer(one.path): one.why for one in again.kept}.items() >= dict.fromkeys(
        expected, "left out"
    ).items()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"staffGroups": [None, {"name": "a"}]}, "/staffGroups/0: expected an object, got null"),
        ({"staffGroups": 3}, "/staffGroups: expected a list or an object, got the number 3"),
        (
            {"dailyLimits": {"maxOffPerDay": "3"}},
            '/dailyLimits/maxOffPerDay: expected a number or an object, got the text "3"',
        ),
        (
            {"dailyLimits": {"maxOffPerDay": None}},
            "/dailyLimits/maxOffPerDay: expected a number or an object, got null",
        ),
        (
            {"dailyLimits": {"maxOffPerDay": True}},
            "/dailyLimits/maxOffPerDay: expected a number or an object, got true",
        ),
        (
            {"dailyLimits": {"maxOffPerDay": {"value": "3"}}},
            '/dailyLimits/maxOffPerDay/value: maxCount: expected a number, got the text "3"',
        ),
        (
            {"dailyLimits": [{"name": "a", "penaltyWeight": -1}]},
            "/dailyLimits/0/penaltyWeight: penalty_weight: -1 is too small",
        ),
        (
            {"staffGroups": [{"name": "a", "members": ["b", 3]}]},
            "/staffGroups/0/members/1: expected text, got the number 3",
        ),
        ({"staffGroups": [{"name": " "}]}, '/staffGroups/0/name: name: " " is blank'),
        (
            {"staffGroups": [{"name": "a", "color": "red"}]},
            '/staffGroups/0/color: color: "red" is not a colour',
        ),
        ({"priorityRules": {"a": 1}}, "/priorityRules/a: expected an object, got the number 1"),
        (
            {"priorityRules": {"a": {"preferredShifts": {"x": 1}}}},
            "/priorityRules/a/preferredShifts: expected a list",
        ),
        (
            {"priorityRules": [{"name": "a", "effectiveFrom": "2025-02-30"}]},
            "/priorityRules/0/effectiveFrom: effective_from: there is no such date: 2025-02-30",
        ),
        (
            {"priorityRules": [{"name": "a", "effectiveFrom": "2025-03-02", "effectiveUntil": "2025-03-01"}]},
            "/priorityRules/0/effectiveFrom: 2025-03-02 is after effective_until 2025-03-01",
        ),
    ],
)
def test_faults(value: Any, expected: str) -> None:
    (fault,) = faults(value)
    assert fault.startswith(expected)
    (remedy,) = [one.remedy for one in mapped(value).faults]
    assert remedy is not None
    assert mapped(value, pointer(remedy)).faults == []


def test_left_out_values_are_kept_at_any_depth() -> None:
    value = {
        "staffGroups": [{"name": "a"}, None, {"name": "b"}],
        "monthlyLimits": [{"name": "m", "distributionRules": {"x": {"y": 1, "z": 2}}}],
    }
    found = mapped(value, "/staffGroups/1", "/monthlyLimits/0/distributionRules/x/y")
    assert found.faults == []
    assert content_of(found)["monthly_limits"]["m"].values["limit_config"] == {
        "distributionRules": {"x": {"z": 2}}
    }
    assert {pointer(one.path): one.value for one in found.kept} == {
        "/staffGroups/1": None,
        "/monthlyLimits/0/distributionRules/x/y": 1,
    }


@pytest.mark.parametrize(
    "wrong", ["/nope", "/staffGroups/7", "/staffGroups/0/members/0", "/staffGroups/0/name/x"]
)
def test_leaving_out_what_is_not_there_is_an_error(wrong: str) -> None:
    with pytest.raises(UsageError, match="has nothing at"):
        mapped({"staffGroups": [{"name": "a", "members": ["x"]}]}, wrong)


def test_only_some_kinds() -> None:
    found = map_source(read_source("a.json", sample("v4")), only=["staff_groups"])
    assert {one.kind.name for one in found.settings} == {"staff_groups"}
    assert found.homeless == []
    assert {pointer(one.path) for one in found.kept if one.why == "not asked for"} >= {
        "/dailyLimits/maxOffPerDay",
        "/mlParameters",
        "/backupAssignments",
    }
