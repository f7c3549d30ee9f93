"""Between two revisions: a configuration as if a database had exactly what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rowform.diff import Stored
from rowform.plan import Actual
from rowform.split import Point
from rowform.state import Content, Restaurant, State
from rowform.text import Plain, Sentence, Word


def as_database(restaurant: Restaurant, before: Restaurant | None) -> Actual:
    """What a database has to which ``before`` was applied; of the columns of its row ``restaurant``'s own.

    It also knows the settings under the names that ``previously`` gives them, so that a rename that is
    taken back is one.
    """
    if before is None:
        return Actual(restaurant.id)
    return Actual(
        restaurant.id,
        restaurant.slug,
        restaurant.name,
        restaurant.timezone,
        exists=True,
        settings={
            kind: {key: Stored(entry, "", _identity(kind, key)) for key, entry in entries.items()}
            for kind, entries in before.content.items()
        },
        former=_former(before.content),
    )


def _identity(kind: str, key: str) -> str:
    return f"{kind}\0{key}"


def _former(content: Content) -> Mapping[str, Mapping[str, str]]:
    return {
        kind: {
            name: _identity(kind, key)
            for key, entry in entries.items()
            for name in entry.previously
            if name not in entries
        }
        for kind, entries in content.items()
    }


def restaurant_notes(restaurant: Restaurant, before: Restaurant) -> Iterator[Sentence]:
    """What differs between two revisions of a restaurant and changes no setting."""
    for field, now, then in (
        ("slug", restaurant.slug, before.slug),
        ("name", restaurant.name, before.name),
        ("timezone", restaurant.timezone, before.timezone),
    ):
        if now != then:
            yield Sentence(
                "{field} changes from {then} to {now}; rowform leaves an existing restaurant's row alone",
                field=Word(field),
                then=then,
                now=now,
            )
    for kind in before.content:
        if kind not in restaurant.content:
            yield Sentence(
                "{kind} is not managed any more: the database keeps what it has of it", kind=Word(kind)
            )
    for kind in restaurant.content:
        if kind not in before.content:
            yield Sentence(
                "{kind} was not managed before: what the database has of it is not known here",
                kind=Word(kind),
            )


def removal_notes(before: State, after: State, point: Point) -> Iterator[Sentence]:
    """The restaurants that have gone between two revisions."""
    there = {one.id: one for one in after.restaurants.values()}
    for one in before.restaurants.values():
        if one.id in there:
            continue
        if one.slug in after.restaurants:
            yield Sentence(
                "{slug} has another id than at {rev}: it is a new restaurant,"
                " and the database keeps the old one as it is",
                slug=Plain(one.slug),
                rev=point.rev,
            )
        else:
            yield Sentence(
                "{slug} is at {rev} and has no directory here: the database keeps it as it is",
                slug=Plain(one.slug),
                rev=point.rev,
            )
