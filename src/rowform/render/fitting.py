"""Fitting a page into a limit: what matters most stays, and what had to go is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count

#: More than will ever be left out: the room that saying so takes.
_MANY = 99_999_999


class Rank(IntEnum):
    """What matters more than what when a page has to be cut."""

    NAME = 0
    GUARD = 1
    DELETION = 2
    REMARK = 3
    CHANGE = 4
    DETAIL = 5
    REST = 6


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a page that stays whole or goes. ``noun`` is what it is counted as; without one it is not."""

    text: str
    rank: Rank
    noun: str | None = None


@dataclass(slots=True, eq=False)
class Section:
    """Parts of a page, and what stands around them if any of them is left.

    ``more`` says within it how many of its own items are not.
    """

    head: str = ""
    tail: str = ""
    parts: Sequence[Item | Section] = ()
    more: Callable[[int], str] | None = None
    is_open: bool = False
    left_out: int = 0

    def cost(self) -> int:
        """The bytes that it takes to open it."""
        return _bytes(self.head) + _bytes(self.tail) + (_bytes(self.more(_MANY)) if self.more else 0)


@dataclass(slots=True)
class _Place:
    item: Item
    around: tuple[Section, ...]
    number: int
    taken: bool = field(default=False)


def fitted(page: Section, room: int) -> tuple[str, Counter[str]]:
    """The page in at most ``room`` bytes of UTF-8, and how many items of what are not in it."""
    numbers = count()
    places = list(_places(page, (), numbers))
    left_out = Counter[str]()
    for place in sorted(places, key=lambda place: (place.item.rank, place.number)):
        closed = [section for section in place.around if not section.is_open]
        cost = _bytes(place.item.text) + sum(section.cost() for section in closed)
        if cost <= room:
            room -= cost
            place.taken = True
            for section in closed:
                section.is_open = True
        elif place.item.noun:
            left_out[place.item.noun] += 1
            place.around[-1].left_out += 1
    taken = {id(place.item) for place in places if place.taken}
    return "".join(_shown(page, taken)), left_out


def _places(section: Section, around: tuple[Section, ...], numbers: Iterator[int]) -> Iterator[_Place]:
    inside = (*around, section)
    for part in section.parts:
        if isinstance(part, Section):
            yield from _places(part, inside, numbers)
        else:
            yield _Place(part, inside, next(numbers))


def _shown(section: Section, taken: set[int]) -> Iterator[str]:
    if not section.is_open:
        return
    yield section.head
    for part in section.parts:
        if isinstance(part, Section):
            yield from _shown(part, taken)
        elif id(part) in taken:
            yield part.text
    if section.left_out and section.more:
        yield section.more(section.left_out)
    yield section.tail


def _bytes(text: str) -> int:
    return len(text.encode())
