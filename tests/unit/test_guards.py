"""Guards, at the very numbers where they change their mind."""

from __future__ import annotations

import itertools

import pytest

from rowform.guards import GuardName, Thresholds
from rowform.kinds import kinds
from rowform.plan import RestaurantPlan
from rowform.state import Entry
from tests.support.builders import actual, group, nothing, planned, restaurant, setting


def some(number: int, kind: str = "staff_groups", weight: int | None = None) -> list[Entry]:
    values = {} if weight is None else {"description": str(weight)}
    return [setting(kind, f"{kind} {index}", **values) for index in range(number)]


def reasons(plan: RestaurantPlan) -> list[str]:
    assert {guard.name for guard in plan.blocked} <= {GuardName.THRESHOLD}
    return [guard.reason for guard in plan.blocked]


# --- deletions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "deleted", "reason"),
    [
        (10, 3, None),  # exactly 30 %
        (9, 3, "3 of 9 settings would be deleted (33.3 %)"),
        (10, 4, "4 of 10 settings would be deleted (40 %)"),
        (20, 6, None),
        (20, 7, "7 of 20 settings would be deleted (35 %)"),
        (3, 2, None),  # 66 %, but not three
        (4, 3, "3 of 4 settings would be deleted (75 %)"),
        (1000, 300, None),
        (1000, 301, "301 of 1,000 settings would be deleted (30.1 %)"),
        (5, 0, None),
    ],
)
def test_deletions(total: int, deleted: int, reason: str | None) -> None:
    there = some(total)
    assert reasons(planned(restaurant(*there[deleted:]), actual(*there))) == ([reason] if reason else [])


def test_deletions_count_over_all_managed_kinds() -> None:
    groups, limits = some(5), some(5, "daily_limits")
    wanted = [*groups[2:], *limits[1:]]
    assert reasons(planned(restaurant(*wanted), actual(*groups, *limits))) == []
    # What is not managed neither shrinks nor grows the share.
    kept = restaurant(*groups[3:], managed=["staff_groups"])
    assert reasons(planned(kept, actual(*groups, *some(90, "daily_limits")))) == [
        "3 of 5 settings would be deleted (60 %)"
    ]


def test_creations_do_not_dilute_deletions() -> None:
    there = some(9)
    assert reasons(planned(restaurant(*there[3:], *some(50, "daily_limits")), actual(*there))) == [
        "3 of 9 settings would be deleted (33.3 %)"
    ]


# --- a kind emptied ------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "fires"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_kind_emptied(number: int, fires: bool) -> None:
    others = some(100, "daily_limits")
    plan = planned(restaurant(*others), actual(*others, *some(number)))
    assert reasons(plan) == ([f"all {number} entries of staff_groups would be deleted"] if fires else [])


def test_two_guards_at_once_are_both_named() -> None:
    plan = planned(restaurant(), actual(*some(3)))
    assert reasons(plan) == [
        "3 of 3 settings would be deleted (100 %)",
        "all 3 entries of staff_groups would be deleted",
    ]


def test_a_kind_whose_entries_are_replaced_or_renamed_is_not_emptied() -> None:
    others, three = some(100, "daily_limits"), [group(key) for key in "ABC"]
    there = actual(*others, *three)
    replaced = [group(key) for key in "XYZ"]
    one_left = [group("X", previously=["A"])]
    renamed = [group("X", previously=["A"]), group("Y", previously=["B"]), group("Z", previously=["C"])]
    for wanted in (replaced, one_left, renamed, [group("D")]):
        assert reasons(planned(restaurant(*others, *wanted), there)) == []
    assert len(reasons(planned(restaurant(*others), there))) == 1


def test_a_kind_that_is_not_managed_any_more_is_not_emptied() -> None:
    managed = [kind for kind in kinds() if kind != "staff_groups"]
    plan = planned(restaurant(managed=managed), actual(*some(50)))
    assert (plan.changes, plan.blocked) == ((), ())


# --- updates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "updated", "reason"),
    [
        (10, 5, None),  # exactly 50 %
        (10, 6, "6 of 10 settings would be updated (60 %)"),
        (9, 9, None),  # fewer than ten
        (11, 6, "6 of 11 settings would be updated (54.5 %)"),
        (100, 50, None),
        (100, 51, "51 of 100 settings would be updated (51 %)"),
        (1001, 501, "501 of 1,001 settings would be updated (50 %)"),
    ],
)
def test_updates(total: int, updated: int, reason: str | None) -> None:
    there = some(total)
    wanted = [*some(updated, weight=7), *there[updated:]]
    assert reasons(planned(restaurant(*wanted), actual(*there))) == ([reason] if reason else [])


def test_renames_count_as_updates() -> None:
    there = [group(f"old {index}") for index in range(10)]
    wanted = [group(f"new {index}", previously=[f"old {index}"]) for index in range(10)]
    assert reasons(planned(restaurant(*wanted[:5], *there[5:]), actual(*there))) == []
    assert reasons(planned(restaurant(*wanted), actual(*there))) == [
        "10 of 10 settings would be updated (100 %)"
    ]


# --- settings of the guards ----------------------------------------------------------------------


def test_thresholds_can_be_set() -> None:
    there = some(20)
    two_less = restaurant(*there[2:])
    assert len(reasons(planned(two_less, actual(*there), Thresholds(delete_percent=10, delete_count=2)))) == 0
    assert (
        len(reasons(planned(two_less, actual(*there), Thresholds(delete_percent=9.9, delete_count=2)))) == 1
    )
    assert len(reasons(planned(two_less, actual(*there), Thresholds(delete_percent=0, delete_count=3)))) == 0
    nothing_left = Thresholds(delete_percent=100, emptied_count=21)
    assert reasons(planned(restaurant(), actual(*there), nothing_left)) == []
    one = restaurant(*some(1, weight=1), *there[1:])
    assert len(reasons(planned(one, actual(*there), Thresholds(update_percent=4.9, update_total=20)))) == 1
    assert len(reasons(planned(one, actual(*there), Thresholds(update_percent=4.9, update_total=21)))) == 0


def test_a_first_apply_sets_nothing_off() -> None:
    for there in (nothing(), actual()):
        assert planned(restaurant(*some(100)), there).blocked == ()


# --- locked --------------------------------------------------------------------------------------


def test_locked() -> None:
    plan = planned(restaurant(group("A"), group("B")), actual(group("A"), number=7, locked=True))
    assert [guard.to_json() for guard in plan.blocked] == [
        {"guard": "locked", "reason": "the active version 7 is locked", "forceable": False}
    ]


def test_locked_stops_nothing_where_nothing_changes() -> None:
    assert planned(restaurant(group("A")), actual(group("A"), locked=True)).blocked == ()


def test_locked_and_threshold() -> None:
    plan = planned(restaurant(), actual(*some(3), locked=True))
    assert [guard.name.value for guard in plan.blocked] == ["locked", "threshold", "threshold"]


def test_which_guards_can_be_forced() -> None:
    forceable = {guard.value for guard in GuardName if guard.forceable}
    assert {"threshold"} <= forceable
    assert not forceable & {"stale", "locked"}
    assert all(guard.meaning for guard in GuardName)


def test_the_percentage_shown_never_rounds_up_to_the_limit() -> None:
    for total, deleted in itertools.product(range(10, 40), range(3, 40)):
        if deleted * 100 > 30 * total and deleted < total:
            (reason,) = reasons(planned(restaurant(*some(total)[deleted:]), actual(*some(total))))
            assert (
                reason
                == f"{deleted} of {total} settings would be deleted ({deleted * 1000 // total / 10:g} %)"
            )
