"""Which restaurants a pull is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rowform.errors import UsageError
from rowform.plan import Actual
from rowform.state import Content, Restaurant, State
from rowform.sync.planning import check_slugs
from rowform.sync.pulled_files import some
from rowform.text import did_you_mean, escape

if TYPE_CHECKING:
    from rowform.store.session import Session


@dataclass(slots=True)
class Chosen:
    """The restaurants to pull: those with a directory, and those that get one."""

    there: Mapping[str, Actual]
    known: list[Restaurant]
    new: list[Actual]
    notes: list[str] = field(default_factory=list[str])


def choose(opened: Session, state: State, slugs: Sequence[str]) -> Chosen:
    """The restaurants to pull, with what the database has of them.

    Args:
        opened: where to look.
        state: the configuration.
        slugs: the restaurants. By default those that have a directory; all, if none has one.

    Raises:
        UsageError: there is no such restaurant, or it has no active version.
    """
    from rowform.store.read import snapshot

    here = state.restaurants
    known = [here[slug] for slug in sorted(set(slugs) or here) if slug in here]
    there = snapshot(opened, {one.id: one.content for one in known})
    ids = {one.id for one in here.values()}
    foreign = {name_of(one): one for id_, one in there.items() if id_ not in ids}
    wanted = sorted(set(slugs) - here.keys()) if slugs else [] if here else sorted(foreign)
    for slug in wanted:
        if slug not in foreign:
            raise UsageError(
                f'there is no restaurant "{escape(slug)}", neither in the configuration nor in the database',
                did_you_mean(slug, (*here, *foreign)),
            )
    if not known and not wanted:
        raise UsageError(
            "there are no restaurants in the database yet",
            "`rowform init --restaurant SLUG` starts a configuration, `rowform apply` makes the restaurant",
        )
    check_slugs(known, there)
    chosen = Chosen(there, known, [foreign[slug] for slug in wanted])
    if wanted:
        content: dict[str, Content] = {foreign[slug].restaurant_id: {} for slug in wanted}
        found = snapshot(opened, content)
        chosen.new = [found[one] for one in content if one in found]
    _leave_aside(chosen, slugs, foreign if here and not slugs else {})
    return chosen


def _leave_aside(chosen: Chosen, slugs: Sequence[str], foreign: Mapping[str, Actual]) -> None:
    """Restaurants that cannot be pulled are errors if they were asked for; else they are told of."""
    missing = [one.slug for one in chosen.known if one.id not in chosen.there]
    if missing and slugs:
        raise UsageError(f"the database has no restaurant {some(missing)} yet", "`rowform apply` makes it")
    if missing:
        chosen.notes.append(f"Not in the database yet, and left as they are: {some(missing)}.")
    chosen.known = [one for one in chosen.known if one.id in chosen.there]
    idle = [one.slug for one in chosen.known if chosen.there[one.id].base is None]
    idle += [name_of(one) for one in chosen.new if one.base is None and slugs]
    if idle:
        verb = "has" if len(idle) == 1 else "have"
        raise UsageError(f"{some(idle)} {verb} no active version", "`rowform activate N` switches to one")
    empty = [name_of(one) for one in chosen.new if one.base is None]
    if empty:
        chosen.notes.append(f"Without an active version, and left out: {some(empty)}.")
    chosen.new = [one for one in chosen.new if one.base is not None]
    if foreign:
        chosen.notes.append(
            f"Without a directory here, and left out: {some(sorted(foreign))}."
            f" `rowform pull -r {escape(min(foreign))}` makes one."
        )


def name_of(one: Actual) -> str:
    """What a restaurant of the database is called: its slug, if it has one."""
    return one.slug or one.restaurant_id
