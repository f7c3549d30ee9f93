"""Which changes of a plan are a branch's, and which would come without it."""

from __future__ import annotations

from collections.abc import Sequence

from rowform.between import as_database
from rowform.kinds import kinds
from rowform.plan import RestaurantPlan
from rowform.split import Split, split
from rowform.state import Entry
from tests.support.builders import actual, content, group, planned, restaurant, setting

Entries = Sequence[Entry]


def parts(
    before: Entries, after: Entries, there: Entries
) -> tuple[list[str], list[str], dict[str, list[str]]]:
    """The keys of the branch's changes, of the others, and what was pending of the branch's, by key."""
    plan, found = _split(before, after, there)
    mine, others = found.parts(plan.changes)
    pending = {key: list(paths) for (_, key), paths in found.pending.items()}
    return [change.key for change in mine], [change.key for change in others], pending


def _split(before: Entries, after: Entries, there: Entries) -> tuple[RestaurantPlan, Split]:
    plan = planned(restaurant(*after), actual(*there))
    found = split(plan.changes, content(*before), plan.restaurant.content, plan.actual.settings, {})
    return plan, found


def test_each_action_on_either_side() -> None:
    before = [group("same"), group("old", color="#111111"), group("going"), group("pending", color="#111111")]
    after = [group("same"), group("old", color="#222222"), group("new"), group("pending", color="#111111")]
    there = [group("same"), group("old", color="#111111"), group("going"), group("pending"), group("drifted")]
    assert parts(before, after, there) == (["new", "old", "going"], ["pending", "drifted"], {})


def test_what_the_branch_changed_may_be_done_already() -> None:
    before, after = [group("a"), group("b")], [group("a", color="#111111"), group("b", color="#222222")]
    assert parts(before, after, [group("a", color="#111111"), group("b")]) == (["b"], [], {})


def test_other_fields_of_a_setting_were_pending() -> None:
    before = [group("a", color="#111111", description="pending")]
    after = [group("a", color="#222222", description="pending")]
    assert parts(before, after, [group("a", color="#111111")]) == (["a"], [], {"a": ["/description"]})
    # The same field: it would have changed to something else.
    assert parts(before, after, [group("a", description="pending")]) == (["a"], [], {"a": ["/color"]})
    # Taken back by the branch: nothing is left to be done about it.
    assert parts(before, [group("a", color="#222222")], [group("a", color="#111111")]) == (["a"], [], {})


def test_a_whole_setting_was_pending() -> None:
    before, after = [group("a")], [group("a", color="#222222")]
    assert parts(before, after, []) == (["a"], [], {"a": [""]})
    # In the database alone, and the branch has one of that name.
    assert parts([], [group("a")], [group("a", color="#222222")]) == (["a"], [], {"a": [""]})


def test_renames() -> None:
    renamed = group("new", ["old"])
    assert parts([group("old")], [renamed], [group("old")]) == (["new"], [], {})
    assert parts([renamed], [renamed], [group("old")]) == ([], ["new"], {})
    later = group("new", ["old"], color="#222222")
    assert parts([renamed], [later], [group("old")]) == (["new"], [], {"new": ["/name"]})
    # The rename was applied, and the branch takes it back.
    assert parts([renamed], [group("old")], [group("new")]) == (["old", "new"], [], {})


def test_a_kind_that_is_new_to_the_configuration() -> None:
    plan = planned(restaurant(group("a")), actual(group("b"), setting("daily_limits", "c")))
    before = content(managed=["daily_limits"])
    found = split(plan.changes, before, plan.restaurant.content, plan.actual.settings, {})
    mine, others = found.parts(plan.changes)
    assert ([one.key for one in mine], [one.key for one in others]) == (["a", "b"], ["c"])


def test_without_a_before_all_is_the_branchs() -> None:
    plan = planned(restaurant(group("a")), actual(group("b")))
    found = split(plan.changes, None, plan.restaurant.content, plan.actual.settings, {})
    assert found.parts(plan.changes) == ([*plan.changes], [])


def test_notes_and_json() -> None:
    plan, found = _split(
        [group("a", description="x"), group("b")],
        [group("a", description="x", color="#222222"), group("b", color="#222222"), group("c")],
        [group("a")],
    )
    assert list(found.notes(plan.changes, kinds())) == [
        'staff group "a": pending before this branch changed it: "/description"',
        'staff group "b": it was pending before this branch changed it',
    ]
    assert [found.change_json(change) for change in plan.changes] == [
        {"riding_along": False, "pending": ["/description"]},
        {"riding_along": False, "pending": [""]},
        {"riding_along": False, "pending": []},
    ]


def test_a_rename_that_is_taken_back_keeps_its_identity() -> None:
    before = restaurant(group("new", ["older", "old"], color="#111111"), group("kept", ["gone"]))
    now = restaurant(group("old", color="#222222"), group("kept"), group("gone"))
    plan = planned(now, as_database(now, before))
    assert [(one.action.value, one.key, one.previous_key) for one in plan.changes] == [
        ("create", "gone", None),
        ("update", "old", "new"),
    ]
