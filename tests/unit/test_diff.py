"""Desired against actual content, and each difference leaf by leaf."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from rowform.diff import Action, Change, compare, operations
from rowform.state import Entry
from tests.support.builders import actual, content, from_database, group, loaded, sakura, setting, stored
from tests.support.patch import applied


def changes(wanted: list[Entry], there: list[Entry]) -> tuple[list[tuple[str, str, str | None]], int]:
    """Action, key and previous key of every change, and the number of settings that stay."""
    found, unchanged = compare(content(*wanted), actual(*there).settings)
    return [(change.action.value, change.key, change.previous_key) for change in found], unchanged


def patch(before: Any, after: Any) -> list[dict[str, Any]]:
    return [operation.to_json() for operation in operations(before, after)]


# --- changes -------------------------------------------------------------------------------------


def test_create_update_delete_and_none() -> None:
    found = changes(
        [group("new"), group("same"), group("other", color="#fff")],
        [group("same"), group("other"), group("gone")],
    )
    assert found == ([("create", "new", None), ("update", "other", None), ("delete", "gone", None)], 1)


def test_order_of_kinds_and_keys_deletes_last() -> None:
    wanted = [
        setting("daily_limits", "b"),
        setting("daily_limits", "a"),
        group("z", color="#fff"),
        group("A"),
        group("a"),
    ]
    there = [group("z"), group("y"), group("B"), setting("daily_limits", "0")]
    found, _ = compare(content(*wanted), actual(*there).settings)
    assert [(change.kind, change.action.value, change.key) for change in found] == [
        ("staff_groups", "create", "A"),
        ("staff_groups", "create", "a"),
        ("staff_groups", "update", "z"),
        ("staff_groups", "delete", "B"),
        ("staff_groups", "delete", "y"),
        ("daily_limits", "create", "a"),
        ("daily_limits", "create", "b"),
        ("daily_limits", "delete", "0"),
    ]


def test_one_key_in_two_kinds_is_two_settings() -> None:
    found, unchanged = compare(content(group("A")), actual(setting("daily_limits", "A")).settings)
    assert [(change.kind, change.action) for change in found] == [
        ("staff_groups", Action.CREATE),
        ("daily_limits", Action.DELETE),
    ]
    assert unchanged == 0


def test_kinds_that_are_not_managed_are_not_looked_at() -> None:
    there = actual(setting("daily_limits", "A"), group("B")).settings
    assert compare(content(group("B"), managed=["staff_groups"]), there) == ([], 1)
    assert compare({}, there) == ([], 0)


def test_what_a_change_holds() -> None:
    before, after = group("A", color="#000"), group("A", color="#fff")
    ((update,), _) = compare(content(after), actual(before).settings)
    assert (update.before, update.after) == (stored(before), after)
    ((create,), _) = compare(content(after), {})
    assert (create.before, create.after) == (None, after)
    ((delete,), _) = compare(content(), actual(before).settings)
    assert (delete.before, delete.after) == (stored(before), None)


# --- renames -------------------------------------------------------------------------------------


def test_a_rename_is_one_update() -> None:
    assert changes([group("new", ["old"])], [group("old")]) == ([("update", "new", "old")], 0)
    ((change,), _) = compare(content(group("new", ["old"])), actual(group("old")).settings)
    assert change.before == stored(group("old"))
    assert [operation.to_json() for operation in change.patch] == [
        {"op": "replace", "path": "/name", "value": "new", "old": "old"}
    ]


def test_a_rename_may_change_more() -> None:
    there = from_database(content(group("old"))).settings
    ((change,), _) = compare(content(group("new", ["old"], color="#fff")), there)
    assert [operation.to_json()["path"] for operation in change.patch] == ["/name", "/color"]


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [
        # Done already: the former name is history.
        ([group("new", ["old"])], [group("new")], []),
        # Both are there: the old one is deleted and not merged.
        ([group("new", ["old"])], [group("new"), group("old")], [("delete", "old", None)]),
        # Somebody else has the old name now.
        ([group("new", ["old"]), group("old")], [group("old")], [("create", "new", None)]),
        # The latest former name counts.
        ([group("c", ["a", "b"])], [group("b")], [("update", "c", "b")]),
        ([group("c", ["a", "b"])], [group("a")], [("update", "c", "a")]),
        ([group("c", ["a", "b"])], [group("a"), group("b")], [("update", "c", "b"), ("delete", "a", None)]),
        # A name that nobody knows.
        ([group("new", ["older"])], [group("old")], [("create", "new", None), ("delete", "old", None)]),
        # Two change places.
        ([group("a", ["b"], color="#1aa"), group("b", ["a"])], [group("a"), group("b")], [("update", "a",
        None)]),
        # One moves into another's former place.
        ([group("b", ["a"]), group("c", ["b"])], [group("a"), group("b")],
         [("create", "c", None), ("delete", "a", None)]),
    ],
)  # fmt: skip
def test_former_names(
    wanted: list[Entry], there: list[Entry], expected: list[tuple[str, str, str | None]]
) -> None:
    assert changes(wanted, there)[0] == expected


def test_a_rename_that_is_taken_back_keeps_the_identity() -> None:
    there = actual(group("new"), group("kept")).settings
    identity = stored(group("new")).entity_id

    def found(former: dict[str, dict[str, str]], *keys: str) -> list[tuple[str, str, str | None]]:
        changes_, _ = compare(content(*(group(key) for key in keys)), there, former)
        return [(change.action.value, change.key, change.previous_key) for change in changes_]

    was = {"staff_groups": {"old": identity}}
    assert found(was, "old", "kept") == [("update", "old", "new")]
    # It lives on under a key that is wanted, or is somebody else, or of another kind.
    assert found(was, "old", "new", "kept") == [("create", "old", None)]
    other = [("create", "old", None), ("delete", "new", None)]
    assert found({"staff_groups": {"old": "44444444-4444-4444-8444-444444444444"}}, "old", "kept") == other
    assert found({"daily_limits": {"old": identity}}, "old", "kept") == other


def test_one_identity_comes_back_once_whatever_the_order() -> None:
    there = actual(group("new")).settings
    former = {"staff_groups": dict.fromkeys(["a", "b"], stored(group("new")).entity_id)}
    for keys in (["a", "b"], ["b", "a"]):
        found, _ = compare(content(*(group(key) for key in keys)), there, former)
        assert [(c.action.value, c.key, c.previous_key) for c in found] == [
            ("update", "a", "new"),
            ("create", "b", None),
        ]


def test_what_previously_says_comes_first() -> None:
    there = actual(group("new")).settings
    former = {"staff_groups": {"a": stored(group("new")).entity_id}}
    found, _ = compare(content(group("a"), group("b", ["new"])), there, former)
    assert [(c.action.value, c.key, c.previous_key) for c in found] == [
        ("create", "a", None),
        ("update", "b", "new"),
    ]


def test_a_former_name_of_another_kind_is_none() -> None:
    wanted = content(setting("daily_limits", "new", ["old"]))
    found, _ = compare(wanted, actual(setting("monthly_limits", "old")).settings)
    assert [(change.action.value, change.kind) for change in found] == [
        ("create", "daily_limits"),
        ("delete", "monthly_limits"),
    ]


# --- equal and unequal (BAD_INPUT 7) -------------------------------------------------------------

SAME = [
    ("1.10", "1.1"), ("1.0", "1"), ("1e2", "100"), ("-0", "0"), ("-0.0", "0"), ("0x1F", "31"), ("1e23",
    "100000000000000000000000.0"),
    ("{a: 1, b: 2}", "{b: 2, a: 1}"), ("{a: {c: 1, d: [1.50]}}", "{a: {d: [1.5], c: 1.0}}"), ("'x'", "x"),
    ("TRUE", "true"), ("~", "null"),
    ('"\\u00e9"', "é"), ("[]", "[ ]"),
]  # fmt: skip
DIFFERENT = ["1", "true", '"1"', "null", '"true"', '"null"', "0", "false", '""', '"0"', "[]", "{}", "[1]",
    "[true]",
             "{a: null}", "{a: 0}", "[1, 2]", "[2, 1]", "[null]", '"1.0"', "1.5", '"e\\u0301"',
             '"é"']  # fmt: skip


def limit_with(value: str | None) -> Entry:
    config = "{}" if value is None else f"{{x: {value}}}"
    text = f"daily_limits: [{{name: A, limit_config: {config}}}]"
    return loaded(sakura(text)).state.restaurants["sakura"].content["daily_limits"]["A"]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_value_written_otherwise_is_no_change(one: str, other: str) -> None:
    first, second = limit_with(one), limit_with(other)
    assert compare(content(first), from_database(content(second)).settings) == ([], 1)
    assert compare(content(second), from_database(content(first)).settings) == ([], 1)
    assert list(operations(first.values, second.values)) == []


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations([None, *DIFFERENT], 2)))
def test_values_that_differ_are_a_change(one: str | None, other: str | None) -> None:
    first, second = limit_with(one), limit_with(other)
    for before, after in ((first, second), (second, first)):
        ((change,), unchanged) = compare(content(after), from_database(content(before)).settings)
        assert (change.action, unchanged) == (Action.UPDATE, 0)
        steps = [operation.to_json() for operation in change.patch]
        assert steps
        assert repr(applied(dict(before.values), steps)) == repr(dict(after.values))


def test_absent_null_and_default_of_a_column() -> None:
    absent, null = setting("daily_limits", "A"), setting("daily_limits", "A", limit_config=None)
    default = setting("daily_limits", "A", limit_config={}, penalty_weight=1.0, effective_from=None)
    assert compare(content(absent), from_database(content(default)).settings) == ([], 1)
    ((change,), _) = compare(content(absent), from_database(content(null)).settings)
    assert [step.to_json() for step in change.patch] == [
        {"op": "replace", "path": "/limit_config", "value": {}, "old": None}
    ]


# --- patches -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [{"op": "replace", "path": "/a", "value": 2, "old": 1}]),
        ({"a": 1}, {"a": True}, [{"op": "replace", "path": "/a", "value": True, "old": 1}]),
        ({"a": 1}, {}, [{"op": "remove", "path": "/a", "old": 1}]),
        ({}, {"a": None}, [{"op": "add", "path": "/a", "value": None, "old": None}]),
        ({"a": None}, {}, [{"op": "remove", "path": "/a", "old": None}]),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 1, "d": 3}}},
         [{"op": "replace", "path": "/a/b/d", "value": 3, "old": 2}]),
        ({"a": {}}, {"a": []}, [{"op": "replace", "path": "/a", "value": [], "old": {}}]),
        ({"a": {"b": 1}}, {"a": None}, [{"op": "replace", "path": "/a", "value": None, "old": {"b": 1}}]),
        ({"a/b": {"m~n": 1}}, {"a/b": {"m~n": 2}}, [{"op": "replace", "path": "/a~1b/m~0n", "value": 2,
        "old": 1}]),
        ({"": {"": 1}}, {"": {"": 2}}, [{"op": "replace", "path": "//", "value": 2, "old": 1}]),
        ({"~1": 1}, {"~1": 2}, [{"op": "replace", "path": "/~01", "value": 2, "old": 1}]),
        ({"a": [1, 2, 3]}, {"a": [1, 3]}, [{"op": "remove", "path": "/a/1", "old": 2}]),
        ({"a": [1, 3]}, {"a": [1, 2, 3]}, [{"op": "add", "path": "/a/1", "value": 2, "old": None}]),
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, [{"op": "add", "path": "/a/2", "value": 3, "old": None}]),
        ({"a": [1, 2, 3, 4]}, {"a": [2]},
         [{"op": "remove", "path": "/a/3", "old": 4}, {"op": "remove", "path": "/a/2", "old": 3},
          {"op": "remove", "path": "/a/0", "old": 1}]),
        ({"a": [{"x": 1, "y": 2}, 5]}, {"a": [{"x": 1, "y": 3}, 5]},
         [{"op": "replace", "path": "/a/0/y", "value": 3, "old": 2}]),
        ({"a": [1]}, {"a": [True]}, [{"op": "replace", "path": "/a/0", "value": True, "old": 1}]),
        ({"a": [[1, 2], [3]]}, {"a": [[1], [3]]}, [{"op": "remove", "path": "/a/0/1", "old": 2}]),
    ],
)  # fmt: skip
def test_patch(before: Any, after: Any, expected: list[dict[str, Any]]) -> None:
    found = patch(before, after)
    assert repr(found) == repr(expected)
    assert applied(before, found) == after


def test_the_whole_value_of_a_create_and_a_delete() -> None:
    one = group("A", color="#fff")
    values = dict(one.values)
    create, delete = (
        Change(Action.CREATE, "staff_groups", "A", None, one),
        Change(Action.DELETE, "staff_groups", "A", stored(one), None),
    )
    assert [step.to_json() for step in create.patch] == [
        {"op": "add", "path": "", "value": values, "old": None}
    ]
    assert [step.to_json() for step in delete.patch] == [
        {"op": "replace", "path": "", "value": None, "old": values}
    ]
    assert applied(None, [step.to_json() for step in create.patch]) == values
    assert applied(values, [step.to_json() for step in delete.patch]) is None


def test_patches_touch_neither_side() -> None:
    before, after = {"a": [{"b": [1]}]}, {"a": [{"b": [1, 2]}, 3]}
    kept = repr((before, after))
    list(operations(before, after))
    assert repr((before, after)) == kept


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (list(range(20_000)), [*range(9_000), "new", *range(9_000, 20_000)]),
        (list(range(20_000)), [*range(1, 9_000), "new", *range(9_000, 19_999)]),
        ([0] * 5_000, [1, *([0] * 5_001), 1]),
        ([0, 1] * 5_000, [1, 0] * 5_000),
        (list(range(2_000)), list(range(2_000, 4_000))),
    ],
    ids=["one inserted", "both ends and one inserted", "all alike", "two in turns", "all new"],
)
def test_long_lists_take_no_time(before: list[Any], after: list[Any]) -> None:
    patch({"a": [1]}, {"a": [2]})  # imports are not what is measured
    start = time.monotonic()
    found = patch({"a": before}, {"a": after})
    assert time.monotonic() - start < 1
    assert applied({"a": before}, found) == {"a": after}
