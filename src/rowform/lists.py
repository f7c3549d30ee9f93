"""What happened to a list: which items came and which went. Where an item stands does not count here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rowform.state import token


def tally(items: Sequence[Any]) -> Counter[bytes]:
    """How often each item is there, by its :func:`rowform.state.token`."""
    return Counter(map(token, items))


class Edit:
    """What led from one list to another; ``items`` came or went: there are more or fewer of them."""

    def __init__(self, before: Sequence[Any], after: Sequence[Any]) -> None:
        was, self._is = tally(before), tally(after)
        self.came = frozenset(self._is - was)
        self.went = frozenset(was - self._is)

    @property
    def items(self) -> frozenset[bytes]:
        return self.came | self.went

    def done_in(self, other: Sequence[Any]) -> frozenset[bytes]:
        """Those items with which the same has happened in another list.

        What came is there at least as often as after the edit, what went at most as often.
        """
        found = tally(other)
        came = {item for item in self.came if found[item] >= self._is[item]}
        return frozenset(came | {item for item in self.went if found[item] <= self._is[item]})
