"""The plan: what an apply would do, as a value and as JSON."""

from __future__ import annotations

import dataclasses
import json

import pytest

from rowform import __version__
from rowform.diff import Action, digest_of
from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.plan import FORMAT, Actual
from rowform.planner import make_plan
from rowform.state import digest
from tests.support.builders import (
    ID,
    VERSION_ID,
    actual,
    content,
    from_database,
    group,
    header,
    loaded,
    nothing,
    plan_of,
    planned,
    restaurant,
    setting,
)


def rule(key: str, line: int = 0, **definition: str):
    return setting("priority_rules", key, line=line, rule_definition=definition)


# --- what is planned -----------------------------------------------------------------------------


def test_a_restaurant_that_is_new() -> None:
    plan = planned(restaurant(group("A")), nothing())
    assert plan.creates_restaurant
    assert plan.has_changes
    assert (plan.base, plan.count(Action.CREATE), plan.unchanged) == (None, 1, 0)
    assert plan.notes == ()


def test_a_new_restaurant_without_settings_is_a_change_too() -> None:
    plan = planned(restaurant(), nothing())
    assert (plan.has_changes, plan.changes) == (True, ())


def test_a_restaurant_that_exists_without_a_version() -> None:
    there = Actual(ID, "sakura", "Sakura", "Asia/Tokyo", exists=True)
    assert not planned(restaurant(), there).has_changes
    assert planned(restaurant(group("A")), there).count(Action.CREATE) == 1


def test_equal_is_no_change() -> None:
    plan = planned(
        restaurant(group("A"), rule("R", staffId="nobody")), actual(group("A"), rule("R", staffId="nobody"))
    )
    assert not plan.has_changes
    assert (plan.changes, plan.unchanged, plan.blocked, plan.warnings, plan.notes) == ((), 2, (), (), ())


def test_an_unmanaged_kind_is_kept_in_the_target() -> None:
    plan = planned(
        restaurant(group("A"), managed=["staff_groups"]), actual(setting("daily_limits", "B"), group("C"))
    )
    assert [(change.action.value, change.key) for change in plan.changes] == [
        ("create", "A"),
        ("delete", "C"),
    ]
    assert {kind: list(found) for kind, found in plan.target.items()} == {
        "daily_limits": ["B"],
        "staff_groups": ["A"],
    }
    assert plan.desired_digest() == digest(content(group("A"), managed=["staff_groups"]), managed=True)


def test_a_kind_that_is_managed_and_empty_is_deleted() -> None:
    plan = planned(restaurant(managed=["staff_groups"]), actual(group("A"), group("B")))
    assert [change.action for change in plan.changes] == [Action.DELETE] * 2
    assert not plan.blocked


def test_a_files_disappearance_is_never_silent() -> None:
    """BAD_INPUT 10: the file of a kind is deleted, or emptied."""
    texts = {
        "sakura/restaurant.yaml": header(),
        "sakura/staff_groups.yaml": "staff_groups: [{name: A}, {name: B}, {name: C}]\n",
        "sakura/daily_limits.yaml": "daily_limits: ["
        + ", ".join(f"{{name: L{i}}}" for i in range(30))
        + "]\n",
    }
    there = from_database(loaded(texts).state.restaurants["sakura"].content)
    for lost in (
        {**texts, "sakura/staff_groups.yaml": ""},
        {**texts, "sakura/staff_groups.yaml": "staff_groups: []\n"},
        {path: text for path, text in texts.items() if path != "sakura/staff_groups.yaml"},
    ):
        plan = planned(loaded(lost).state.restaurants["sakura"], there)
        assert [guard.reason for guard in plan.blocked] == ["all 3 entries of staff_groups would be deleted"]


# --- notes and warnings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "notes"),
    [
        ({}, []),
        ({"name": "Sakura\x1b"}, ['name is "Sakura" here and "Sakura\\u001b" in the database']),
        ({"slug": None}, ['slug is "sakura" here and null in the database']),
        ({"timezone": "UTC"}, ['timezone is "Asia/Tokyo" here and "UTC" in the database']),
        ({"slug": "x", "timezone": None}, ['slug is "sakura" here and "x" in the database',
                                           'timezone is "Asia/Tokyo" here and null in the database']),
    ],
)  # fmt: skip
def test_what_differs_in_the_restaurants_row_is_noted(
    change: dict[str, str | None], notes: list[str]
) -> None:
    plan = planned(restaurant(), dataclasses.replace(actual(), **change))
    assert list(plan.notes) == [
        f"{note}; rowform leaves an existing restaurant's row alone" for note in notes
    ]
    assert not plan.has_changes


def test_what_looks_like_a_rename_is_pointed_out() -> None:
    old, new = group("Old", color="#fff"), group("New", color="#fff")
    assert planned(restaurant(new), actual(old)).notes == (
        (
            'staff group "Old" is deleted and "New" created with the same content; for a rename,'
            ' add `previously: ["Old"]` to keep its history'
        ),
    )


def test_each_creation_is_one_rename_at_most() -> None:
    there = [group(key, color="#fff") for key in ("A", "B", "C")]
    wanted = [group(key, color="#fff") for key in ("X", "Y")]
    notes = planned(restaurant(*wanted), actual(*there)).notes
    assert [note.split(" is deleted and ")[0] for note in notes] == ['staff group "A"', 'staff group "B"']


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # Nothing but defaults: they have nothing in common that would tell.
        (group("Old"), group("New")),
        (group("Old", color="#fff"), group("New", color="#ffe")),
        (
            setting("daily_limits", "Old", penalty_weight=5),
            setting("monthly_limits", "New", penalty_weight=5),
        ),
        # A rename that says so.
        (group("Old", color="#fff"), group("New", ["Old"], color="#fff")),
    ],
)
def test_what_does_not_look_like_a_rename(old, new) -> None:
    assert planned(restaurant(new), actual(old)).notes == ()


def test_what_would_be_left_dangling() -> None:
    kitchen = group("Kitchen", group_config={"members": ["Ann"]})
    rules = [
        rule("B", staffId="Ann"),
        rule("A", staffId="Ann", groupId="Kitchen"),
        rule("C", staffId="Bob\x1b"),
    ]
    plan = planned(restaurant(*rules), actual(kitchen, *rules))
    assert plan.warnings == (
        'priority rule "A" names "Ann", which is no member of a staff group',
        'priority rule "B" names "Ann", which is no member of a staff group',
        'priority rule "C" names "Bob\\u001b", which is no member of a staff group',
        'priority rule "A" names "Kitchen", which is no staff group',
    )


def test_an_unmanaged_kind_answers_references() -> None:
    kitchen, one = (
        group("Kitchen", group_config={"members": ["Ann"]}),
        rule("A", staffId="Ann", groupId="Kitchen"),
    )
    plan = planned(restaurant(one, managed=["priority_rules"]), actual(kitchen))
    assert (plan.count(Action.CREATE), plan.warnings) == (1, ())


# --- JSON ----------------------------------------------------------------------------------------


def test_the_json_of_a_plan() -> None:
    wanted = restaurant(
        group("New", ["Old"], line=3, color="#fff"), group("Same"), setting("daily_limits", "L", line=7)
    )
    there = actual(group("Old"), group("Same"), setting("monthly_limits", "M"), number=4)
    plan = plan_of(wanted, there, notes=["a note"])
    document = json.loads(json.dumps(plan.to_json()))
    (one,) = document.pop("restaurants")
    assert document == {
        "format": "rowform.plan/1",
        "tool_version": __version__,
        "database_id": "db",
        "target": None,
        "source": {"kind": "files"},
        "notes": ["a note"],
    }
    update, create, delete = one.pop("changes")
    assert one == {
        "restaurant": "sakura",
        "restaurant_id": ID,
        "name": "Sakura",
        "timezone": "Asia/Tokyo",
        "creates_restaurant": False,
        "base": {
            "version_id": VERSION_ID,
            "version_number": 4,
            "newest_version_number": 4,
            "is_locked": False,
            "origin": "git",
        },
        "desired_digest": digest(wanted.content, managed=True),
        "changes_digest": digest_of(plan.restaurants[0].changes, ID),
        "summary": {"create": 1, "update": 1, "delete": 1, "unchanged": 1},
        "blocked": [],
        "allowed": [],
        "warnings": [],
        "notes": [],
        "drift": [],
        "settled_version_number": None,
    }
    old = {"name": "Old", "description": None, "color": None, "group_config": {}, "is_active": True}
    patch = update.pop("patch")
    assert update == {
        "action": "update",
        "kind": "staff_groups",
        "key": "New",
        "previous_key": "Old",
        "before": old,
        "after": {**old, "name": "New", "color": "#fff"},
        "location": {"file": "config/sakura/settings.yaml", "line": 3, "column": 5},
    }
    assert sorted(patch, key=lambda operation: operation["path"]) == [
        {"op": "replace", "path": "/color", "value": "#fff", "old": None},
        {"op": "replace", "path": "/name", "value": "New", "old": "Old"},
    ]
    limit = {key: create["after"][key] for key in create["after"]}
    assert (create["action"], create["before"], create["previous_key"], create["location"]["line"]) == (
        "create",
        None,
        None,
        7,
    )
    assert create["patch"] == [{"op": "add", "path": "", "value": limit, "old": None}]
    assert (delete["action"], delete["after"], delete["location"]) == ("delete", None, None)
    assert delete["patch"] == [{"op": "replace", "path": "", "value": None, "old": delete["before"]}]


def test_the_json_of_a_first_apply_and_of_blocked_ones() -> None:
    assert plan_of(restaurant(), nothing()).to_json()["restaurants"][0]["base"] is None
    blocked = plan_of(restaurant(), actual(*(group(key) for key in "ABC"), locked=True))
    one = blocked.to_json()["restaurants"][0]
    assert any(one.blocked for one in blocked.restaurants)
    assert one["base"]["is_locked"] is True
    assert one["blocked"] == [
        {"guard": "locked", "reason": "the active version 4 is locked", "forceable": False},
        {"guard": "threshold", "reason": "3 of 3 settings would be deleted (100 %)", "forceable": True},
        {"guard": "threshold", "reason": "all 3 entries of staff_groups would be deleted", "forceable": True},
    ]


def test_a_plan_of_several_restaurants() -> None:
    one, other = restaurant(group("A"), slug="a"), restaurant(slug="b")
    plan = make_plan(
        [one, other],
        lambda found: nothing() if found is one else actual(group("B"), slug="b"),
        kinds(),
        Thresholds(),
        database_id="db",
        target="production",
        source={},
    )
    assert [found.slug for found in plan.restaurants] == ["a", "b"]
    assert [plan.count(action) for action in Action] == [1, 0, 1]
    assert (plan.has_changes, plan.target) == (True, "production")
    assert not any(one.blocked for one in plan.restaurants)
    assert plan.to_json()["format"] == FORMAT


def test_the_desired_digest_notices_which_kinds_are_managed() -> None:
    """No entries of a managed kind means to delete them all; of another kind, nothing."""
    all_kinds = planned(restaurant(group("A")), nothing())
    one_kind = planned(restaurant(group("A"), managed=["staff_groups"]), nothing())
    assert all_kinds.desired_digest() != one_kind.desired_digest()
