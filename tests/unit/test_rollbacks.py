"""What a rollback took away, and whether a plan brings it back; against a plain reading of the rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowform.diff import Stored, compare
from rowform.kinds import kinds
from rowform.rollbacks import Gone, SwitchBack, brought_back, some
from rowform.state import Entry
from tests.support.builders import content, group, stored

GONE = Gone(5, "Lower\x1b", "git", is_dirty=False, commit=None)


def kept(entries: Sequence[Entry]) -> dict[str, dict[str, Stored]]:
    found: dict[str, dict[str, Stored]] = {kind: {} for kind in kinds()}
    for one in entries:
        found[one.kind][one.key] = stored(one)
    return found


def switch(gone: Sequence[Stored], back: Sequence[Stored], **more: Any) -> SwitchBack:
    apart = {"staff_groups": (gone, back)}
    when = datetime(2026, 4, 1, 12, 30, tzinfo=UTC)
    return replace(SwitchBack(True, when, None, None, GONE, 4, None, apart), **more)


def fields(
    gone: Sequence[Entry], back: Sequence[Entry], wanted: Sequence[Entry], now: Sequence[Entry]
) -> list[str]:
    changes, _ = compare(content(*wanted), kept(now))
    taken = switch([stored(one) for one in gone], [stored(one) for one in back])
    return [one.said() for one in brought_back(changes, {}, taken)]


def one(value: Any, **more: Any) -> list[Entry]:
    return [group("A", group_config={"x": value, **more})]


X = ['staff_groups "A" group_config.x']


@pytest.mark.parametrize(
    ("gone", "back", "wanted", "now", "fires"),
    [
        (3, 30, 3, 30, True),
        (3, 30, 20, 30, False),  # a third value
        (3, 30, 30, 3, False),  # the good value comes
        (3, 30, 3, 20, True),  # somebody wrote another one meanwhile
        (3, 3, 3, 30, False),  # the rollback did not touch it
        (1, True, 1, True, True),
        (1, 2, True, 2, False),
        (None, 0, None, 0, True),
        ([1, 2], [1], [1, 2], [1], True),
        ([1, 2], [1], [2, 1, 5], [1], True),  # the element is back, among others
        ([1, 2], [1], [1, 5], [1], False),
        ([1], [1, 2], [1, 5], [1, 2], True),  # the element is gone again
        ([1], [1, 2], [1, 2, 5], [1, 2], False),
        ([1, 1], [1], [1, 1], [1], True),
        ([1, 1], [1], [1, 1, 1], [1], True),  # even more of it
        ([1, 1], [1], [1], [], False),
        ([2, 1], [1, 2], [2, 1], [1, 2], True),  # the order alone
        ([2, 1], [1, 2], [2, 1, 5], [1, 2], False),
        ({"a": 1, "b": 2}, {"a": 0, "b": 2}, {"a": 0, "b": 3}, {"a": 0, "b": 2}, False),
        ([1], {"a": 1}, 7, {"a": 1}, False),
        ({"a": 1}, [1], {"a": 1, "b": 1}, [1], False),
        ({"a": 1}, [1], {"a": 1}, [1], True),
    ],
)
def test_one_value(gone: Any, back: Any, wanted: Any, now: Any, fires: bool) -> None:
    assert fields(one(gone), one(back), one(wanted), one(now)) == (X if fires else [])


def test_members_that_came_and_went() -> None:
    without = [group("A", group_config={"y": 1})]
    assert fields(one(1, y=1), without, one(1, y=1), without) == X
    assert fields(one(1, y=1), without, one(2, y=1), without) == []
    assert fields(without, one(1, y=1), without, one(1, y=1)) == X
    assert fields(without, one(1, y=1), one(2, y=1), one(1, y=1)) == []


def test_settings_as_a_whole() -> None:
    new, other = [group("N", color="#111111")], [group("N", color="#222222")]
    assert fields(new, [], new, []) == ['staff_groups "N"']
    assert fields(new, [], other, []) == []
    assert fields([], new, [], new) == ['staff_groups "N"']
    assert fields([], new, other, new) == []
    assert fields([], new, [], other) == ['staff_groups "N"']


def test_renames() -> None:
    """The fault renamed a group; by identity it is still the same one."""
    old, new = group("A"), group("B", previously=["A"])
    taken = switch([replace(stored(new), entity_id=stored(old).entity_id)], [stored(old)])
    changes, _ = compare(content(new), kept([old]))
    assert [field.said() for field in brought_back(changes, {}, taken)] == ['staff_groups "B" name']
    changes, _ = compare(content(group("C", previously=["A"])), kept([old]))
    assert brought_back(changes, {}, taken) == []


def test_one_that_was_made_anew_is_known_by_its_key() -> None:
    gone, back = group("A", color="#111111"), group("A", color="#222222")
    taken = switch([replace(stored(gone), entity_id="other")], [stored(back)])
    changes, _ = compare(content(gone), kept([back]))
    assert [field.said() for field in brought_back(changes, {}, taken)] == ['staff_groups "A" color']


def test_one_that_comes_back_is_known_by_its_former_identity() -> None:
    gone = group("A", color="#111111")
    taken = switch([replace(stored(group("Z", color="#111111")), entity_id="first")], [])
    changes, _ = compare(content(gone), kept([]))
    assert brought_back(changes, {}, taken) == []
    taken = switch([replace(stored(gone), entity_id="first")], [])
    former = {"staff_groups": {"A": "first"}}
    assert [field.said() for field in brought_back(changes, former, taken)] == ['staff_groups "A"']


VALUES: Any = st.recursive(
    st.sampled_from([None, True, 0, 1, "1", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES, VALUES, VALUES)
def test_what_the_rollback_left_alone_or_the_plan_does_not_touch_never_fires(a: Any, b: Any, c: Any) -> None:
    assert fields(one(a), one(a), one(b), one(c)) == []
    assert fields(one(a), one(b), one(c), one(c)) == []
    # Nor does what was wanted and is there.
    assert fields(one(a), one(b), one(c), one(a)) == []


@given(VALUES, VALUES)
def test_the_whole_fault_always_fires(gone: Any, back: Any) -> None:
    differ = one(gone)[0].canonical != one(back)[0].canonical
    assert bool(fields(one(gone), one(back), one(gone), one(back))) is differ


@given(VALUES, VALUES, VALUES, VALUES)
def test_only_values_of_the_version_that_is_gone_fire(gone: Any, back: Any, other: Any, more: Any) -> None:
    """A fault in one member, and a plan that changes only another one."""
    wanted, now = one(back, y=more), one(back, y=other)
    assert fields(one(gone, y=other), one(back, y=other), wanted, now) == []


def test_sentences() -> None:
    found = [field for key in "ABCDE" for field in brought_back(
        compare(content(group(key)), kept([]))[0], {}, switch([stored(group(key))], []))]  # fmt: skip
    assert str(some(found[:2])) == 'staff_groups "A" and staff_groups "B"'
    assert str(some(found)) == 'staff_groups "A", staff_groups "B", staff_groups "C" and 2 more'
    told = 'version 5 "Lower\\u001b" was rolled back on 2026-04-01 12:30:00 UTC'
    assert switch([], []).told() == told
    assert switch([], [], reason="Rolled back by app, psql").told() == f"{told} by app, psql"
    assert switch([], [], reason="too few", actor="x").told() == f"{told} by x (too few)"
    assert switch([], [], reason="x" * 500).told() == f"{told} ({'x' * 119}…)"
    assert "was replaced by version 4 on" in switch([], [], is_rollback=False).told()
