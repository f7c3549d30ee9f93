"""What came to a list and went from it, against counting by hand."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from rowform.lists import Edit, tally
from rowform.state import token
from tests.support.builders import exact

#: So few that they meet.
ITEMS: Any = st.recursive(
    st.sampled_from([None, True, 0, 1, "1"]), lambda inner: st.lists(inner, max_size=2), max_leaves=3
)
LISTS = st.lists(ITEMS, max_size=5)


def number(item: Any, items: list[Any]) -> int:
    return sum(exact(one) == exact(item) for one in items)


def is_done(item: Any, before: list[Any], after: list[Any], other: list[Any]) -> bool:
    was, now, there = (number(item, items) for items in (before, after, other))
    return there >= now if now > was else there <= now if now < was else False


@given(LISTS, LISTS, LISTS)
@example([1], [1, 1], [1, 1, 1])
@example([1, 1, 1], [1], [])
@example([True], [1], ["1"])
def test_what_happened_to_each_item(before: list[Any], after: list[Any], other: list[Any]) -> None:
    edit = Edit(before, after)
    everything = [*before, *after, *other]
    assert edit.items == {token(item) for item in everything if number(item, before) != number(item, after)}
    assert edit.done_in(other) == {token(item) for item in everything if is_done(item, before, after, other)}
    assert edit.done_in(after) == edit.items
    assert edit.done_in(before) == frozenset()


@given(LISTS, LISTS, st.data())
def test_order_does_not_count(before: list[Any], after: list[Any], data: st.DataObject) -> None:
    moved = data.draw(st.permutations(after))
    assert tally(moved) == tally(after)
    assert Edit(before, moved).items == Edit(before, after).items
    assert Edit(after, moved).items == frozenset()
