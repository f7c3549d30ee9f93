"""Which direct writes a plan would overwrite, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rowform.diff import Stored, compare
from rowform.drift import ABSENT, Drift, drift
from rowform.guards import GuardName, overwriting
from rowform.state import Entry
from tests.support.builders import content, group, setting, stored

Found = list[tuple[str, str, bool]]


def found(git: list[Entry], active: list[Entry], desired: list[Entry] | None, *, of: str = "") -> list[Drift]:
    """Three versions of one restaurant. ``of`` is a rename by direct writes: ``old>new``."""
    old, _, new = of.partition(">")
    before: dict[str, dict[str, Stored]] = {}
    now: dict[str, dict[str, Stored]] = {}
    for rows, entries in ((before, git), (now, active)):
        for one in entries:
            same = group(old) if of and one.key == new else one
            rows.setdefault(one.kind, {})[one.key] = replace(stored(same), entry=one)
    return drift(before, now, None if desired is None else compare(content(*desired), now)[0])


def said(*versions: Any, of: str = "") -> Found:
    return [(one.key, one.where, one.kept) for one in found(*versions, of=of)]


def config(value: Any) -> list[Entry]:
    return [group("A", group_config=value)]


# --- one field -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("git", "active", "desired", "kept"),
    [
        (1, 2, 1, False),
        (1, 2, 3, False),
        (1, 2, 2, True),
        (1, 2, ABSENT, False),
        (ABSENT, 2, ABSENT, False),
        (ABSENT, 2, 2, True),
        (1, ABSENT, 1, False),
        (1, ABSENT, ABSENT, True),
        (1, ABSENT, 2, False),
        (None, ABSENT, ABSENT, True),
        (None, ABSENT, None, False),
        (ABSENT, None, ABSENT, False),
        (1, True, 1, False),
        (1, "1", "1", True),
        (1, {"a": 1}, 1, False),
        ({"a": 1}, 1, {"a": 2}, False),
        ({"a": 1}, ABSENT, {"b": 2}, False),
        (1, [], [1], False),
        ([1], None, [1, 2], False),
        # Lists.
        ([1, 2], [1, 2, 3], [1, 2], False),
        ([1, 2], [1, 2, 3], [0, 1, 2, 3, 4], True),
        ([1, 2], [1, 2, 3], [3], True),
        ([1, 2], [1], [1, 2], False),
        ([1, 2], [1], [0, 1], True),
        ([1, 2], [2, 1], [1, 2], False),
        ([1, 2], [2, 1], [1, 0, 2], False),
        ([1, 2], [2, 1], [2, 0, 1], True),
        ([1, 2], [2, 1], [2], True),
        ([1, 2, 3], [1, 2], [2, 1], True),
        ([1, 2], [3, 1, 2], [1, 2, 3], False),
        ([1], [1, 1], [1], False),
        ([1, 1], [1], [1, 1], False),
        ([{"a": 1}], [{"a": 2}], [{"a": 2}, {"b": 1}], True),
        ([{"a": 1}], [{"a": 2}], [{"a": 1}], False),
        ([1], [True], [1, True], False),
        ([1], [], None, False),
    ],
)
def test_a_field(git: Any, active: Any, desired: Any, kept: bool) -> None:
    values = ({} if one is ABSENT else {"x": one} for one in (git, active, desired))
    expected = [("A", "group_config.x", kept)]
    assert said(*(config({"same": 0, **value}) for value in values)) == expected


@pytest.mark.parametrize("desired", [{"a": 1, "b": {"c": 2}}, {}, {"a": 3}])
def test_what_direct_writes_did_not_change_is_the_configuration_s_to_change(desired: Any) -> None:
    assert said(config({"a": 1}), config({"a": 1}), config(desired)) == []
    removed = said(config({"a": 1, "x": 1}), config({"a": 1}), config(desired))
    assert removed == [("A", "group_config.x", True)]


def test_members_of_an_object_are_fields_of_their_own() -> None:
    git, active = {"a": 1, "b": {"c": 1, "d": 1}}, {"a": 1, "b": {"c": 2, "d": 2}, "e": {"f": {}}}
    assert said(config(git), config(active), config({"a": 2, "b": {"c": 2, "d": 1}})) == [
        ("A", "group_config.b.c", True),
        ("A", "group_config.b.d", False),
        ("A", "group_config.e", False),
    ]
    # An object that direct writes made, and the configuration goes on with.
    assert said(config({}), config({"a": {"b": 1, "c": 1}}), config({"a": {"b": 1, "d": 1}})) == [
        ("A", "group_config.a.b", True),
        ("A", "group_config.a.c", False),
    ]


# --- whole settings ------------------------------------------------------------------------------


def test_settings_that_came_and_went() -> None:
    a, b = group("A"), group("B", color="#fff")
    assert said([a], [a, b], [a]) == [("B", "", False)]
    assert said([a], [a, b], [a, b]) == [("B", "", True)]
    assert ("B", "color", False) in said([a], [a, b], [a, group("B", color="#000")])
    assert said([a, b], [a], [a, b]) == [("B", "", False)]
    assert said([a, b], [a], [a]) == [("B", "", True)]
    assert said([a, b], [a], [a, group("C", ["B"])]) == [("B", "", False)]
    assert said([b], [group("B", color="#000")], []) == [("B", "color", False)]
    # What was only taken away is lost as well if the rest goes.
    assert said(config({"a": 1}), config({}), []) == [("A", "group_config.a", False)]


def test_without_a_configuration_nothing_is_kept() -> None:
    assert said([group("A"), group("B")], [group("A", color="#fff"), group("C")], None) == [
        ("A", "color", False),
        ("C", "", False),
        ("B", "", False),
    ]


def test_renames() -> None:
    git, active = [group("A")], [group("B")]
    rename = "A>B"
    assert said(git, active, [group("B")], of=rename) == [("B", "name", True)]
    assert said(git, active, [group("B", color="#fff")], of=rename) == [("B", "name", True)]
    assert said(git, active, [group("A", ["B"])], of=rename) == [("B", "name", False)]
    assert said(git, active, [group("C", ["B"])], of=rename) == [("B", "name", False)]
    assert said(git, active, [], of=rename) == [("B", "name", False)]
    # The old name comes back beside the new one.
    assert said(git, active, [group("A"), group("B")], of=rename) == [("B", "name", True), ("A", "", False)]


def test_other_settings_do_not_count() -> None:
    a, b = group("A"), group("B")
    assert said([a, b], [a, b], []) == []
    assert said([a], [a], [a, b, setting("daily_limits", "A", line=1)]) == []


# --- words ---------------------------------------------------------------------------------------


def test_the_guard_names_a_few_fields() -> None:
    limit = {"limit_config": {"maxCount": 3, "odd key": None}, "penalty_weight": 20}
    git = [setting("daily_limits", "Max off", **limit), group("Gone"), group("Left", color="#fff")]
    active = [
        setting("daily_limits", "Max off", limit_config={"maxCount": 4}, penalty_weight=50),
        group("Made\x1b"),
        group("Left", color="#000"),
    ]
    desired = [setting("daily_limits", "Max off", limit_config={}, penalty_weight=20, line=2), group("Gone")]
    lost = [one for one in found(git, active, desired) if not one.kept]
    assert [one.said() for one in lost] == [
        'daily_limits "Max off" limit_config.maxCount (3 -> 4, would be gone)',
        'daily_limits "Max off" penalty_weight (20 -> 50, back to 20)',
        'staff_groups "Left" color ("#fff" -> "#000", would be gone)',
        'staff_groups "Made\\u001b" (made, would be deleted)',
        'staff_groups "Gone" (deleted, would be made again)',
    ]
    (guard,) = overwriting(lost)
    assert guard.name is GuardName.DRIFT
    assert guard.reason == (
        f"direct writes would be overwritten: {'; '.join(one.said() for one in lost[:3])}; and 2 more"
    )
    assert list(overwriting([])) == []
    nothing = Drift("staff_groups", "A", ("group_config", "odd key"), ABSENT, "x" * 100, {"a": 1})
    assert nothing.said() == (
        f'staff_groups "A" group_config."odd key" (nothing -> "{"x" * 59}…, would be {{"a": 1}})'
    )


def test_json_leaves_out_what_is_not_there() -> None:
    one = Drift("staff_groups", "A", ("group_config", "a/b"), ABSENT, None, ABSENT)
    assert one.to_json() == {"kind": "staff_groups", "key": "A", "path": "/group_config/a~1b", "active": None}
