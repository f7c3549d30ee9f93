"""Making another version the active one, and freezing versions."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from rowform.errors import UsageError
from rowform.store.activation import (
    Locking,
    NetChange,
    Ref,
    Standing,
    Switch,
    ensure_unlocked,
    net_change,
    number_range,
    set_lock,
    standing,
    switch,
)
from rowform.store.writing import Why
from rowform.sync.configuration import Settings, load_tool_config
from rowform.sync.database import session
from rowform.sync.versions import one_restaurant, version_number
from rowform.text import escape, quote

if TYPE_CHECKING:
    from rowform.store.session import Session

PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class Switching:
    """A switch from one version to another, before or after it is done.

    Without ``net`` there is nothing to do: ``after`` is active already.
    """

    slug: str
    restaurant_id: str
    before: Ref | None
    after: Ref
    net: NetChange | None

    def to_json(self) -> dict[str, Any]:
        return {
            "restaurant": self.slug,
            "restaurant_id": self.restaurant_id,
            "from": version_json(self.before) if self.before else None,
            "to": version_json(self.after),
            "status": "activated" if self.net else "unchanged",
            "summary": (self.net.to_json() if self.net else {"create": 0, "update": 0, "delete": 0}),
        }


def version_json(version: Ref) -> dict[str, Any]:
    """A version as other documents name it."""
    return {
        "version_id": version.id,
        "version_number": version.number,
        "name": version.name,
        "origin": version.kind,
    }


Confirm = Callable[[Switching], None]


def activate_version(
    settings: Settings, slugs: Sequence[str], version: str, why: Why, confirm: Confirm | None
) -> Switching:
    """Make a version the active one.

    Args:
        settings: where to look.
        slugs: the restaurant; may be left out if there is only one.
        version: a number, ``active``, or ``previous`` for what the active one replaced.
        why: what the audit says.
        confirm: is told what will happen, and raises an error if it shall not.

    Raises:
        UsageError: there is no such restaurant or version, or it is not clear which is meant.
        LockedVersion: the active version is locked.
        StalePlan: another version was activated after the confirmation.
    """
    number = version_number(version, PREVIOUS)
    with place_of(settings, slugs, number) as place:
        stands = place.stands
        if number is not None:
            target = stands.wanted or unknown_version(place, number)
        elif version == PREVIOUS:
            target = replaced_version(place)[0]
        else:
            target = active_version(place)
        return _switch(place, Switch(target, seen=stands if confirm else None), why, confirm)


def roll_back(settings: Settings, slugs: Sequence[str], why: Why, confirm: Confirm | None) -> Switching:
    """Go back to the version that the active one replaced; repeated, further back and never forward.

    Args:
        settings: where to look.
        slugs: the restaurant; may be left out if there is only one.
        why: what the audit says.
        confirm: is told what will happen, and raises an error if it shall not.

    Raises:
        UsageError: there is no such restaurant, no active version or nothing before it.
        LockedVersion: the active version is locked.
        StalePlan: another version was activated meanwhile.
    """
    with place_of(settings, slugs) as place:
        stands = place.stands
        target, step = replaced_version(place)
        if stands.active and stands.active.is_direct and target.is_direct and stands.settled:
            settings.report(_shortcut(target, stands.settled, slugs))
        return _switch(place, Switch(target, step, stands), why, confirm)


@dataclass(frozen=True, slots=True)
class Place:
    """The one restaurant that is meant, and a connection to where it is."""

    session: Session
    reconnect: Callable[[], Session]
    slug: str
    restaurant_id: str
    stands: Standing


@contextmanager
def place_of(settings: Settings, slugs: Sequence[str], number: int | None = None) -> Generator[Place]:
    """The one restaurant that is meant, and where it stands.

    Raises:
        UsageError: there is no such restaurant, or it is not clear which is meant.
    """
    with session(settings, load_tool_config(settings)) as (opened, reconnect, _):
        slug, actual = one_restaurant(opened, slugs)
        stands = standing(opened, actual.restaurant_id, number)
        yield Place(opened, reconnect, slug, actual.restaurant_id, stands)


def _switch(place: Place, wanted: Switch, why: Why, confirm: Confirm | None) -> Switching:
    before, after = place.stands.active, wanted.target

    def told(origin: Ref | None, net: NetChange | None) -> Switching:
        return Switching(place.slug, place.restaurant_id, origin, after, net)

    if confirm and not (before and before.id == after.id):
        ensure_unlocked(before)
        confirm(told(before, net_change(place.session, place.restaurant_id, before, after)))
    done = switch(place.session, place.restaurant_id, wanted, why, place.reconnect)
    return told(done.before, done.net)


def unknown_version(place: Place, number: int) -> NoReturn:
    """Say that the restaurant has no such version, and which it has.

    Raises:
        UsageError: always.
    """
    there = number_range(place.session, place.restaurant_id)
    if there is None:
        raise UsageError(f"{escape(place.slug)} has no versions yet", "`rowform apply` makes one")
    lowest, highest = there
    known = f"the versions are {lowest} to {highest}" if lowest < highest else f"the only version is {lowest}"
    raise UsageError(
        f"{escape(place.slug)} has no version {number}: {known}", "`rowform history` lists the versions"
    )


def active_version(place: Place) -> Ref:
    """The active version.

    Raises:
        UsageError: there is none.
    """
    slug, last = escape(place.slug), place.stands.last
    if place.stands.active is not None:
        return place.stands.active
    if last is None:
        raise UsageError(f"{slug} has no active version yet", "`rowform history` lists the versions, if any")
    raise UsageError(
        f"{slug} has no active version: somebody switched version {last.number} off",
        f"`rowform activate {last.number}` brings it back",
    )


def replaced_version(place: Place) -> tuple[Ref, int]:
    """The version that the active one replaced, and the activation that it was active by.

    Raises:
        UsageError: there is no active version, or it replaced none.
    """
    active, stands = active_version(place), place.stands
    if stands.back is None or stands.back_step is None:
        raise UsageError(
            f"version {active.number} is as far back as it goes: it replaced no other version",
            "`rowform activate N` goes to any version that `rowform history` lists",
        )
    return stands.back, stands.back_step


def _shortcut(target: Ref, settled: Ref, slugs: Sequence[str]) -> str:
    origin = "from Git" if settled.kind == "git" else "before these direct writes"
    chosen = "".join(f" -r {slug}" for slug in slugs)
    return (
        f"Version {target.number} is a direct write as well. The last version {origin} is {settled.number}"
        f" {quote(settled.name)}: `rowform activate {settled.number}{chosen}` goes there at once."
    )


def lock_version(
    settings: Settings, slugs: Sequence[str], version: str, why: Why, *, locked: bool
) -> tuple[str, Locking]:
    """Lock or unlock a version: the restaurant's slug, and what became of it.

    Args:
        settings: where to look.
        slugs: the restaurant; may be left out if there is only one.
        version: a number, or ``active``.
        why: what the audit says.
        locked: what it is to be.

    Raises:
        UsageError: there is no such restaurant or version, or it is not clear which is meant.
    """
    number = version_number(version)
    with place_of(settings, slugs, number) as place:
        if number is None:
            target = active_version(place)
        else:
            target = place.stands.wanted or unknown_version(place, number)
        found = set_lock(place.session, place.restaurant_id, target, why, place.reconnect, locked=locked)
        return place.slug, found
