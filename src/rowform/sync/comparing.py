"""Two versions side by side, or a version and the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rowform.diff import Action, Change, Stored, compare, compare_stored
from rowform.errors import UsageError
from rowform.plan import Actual, change_json
from rowform.state import Content, Entry, State
from rowform.store.activation import Ref, standing
from rowform.sync.activation import (
    PREVIOUS,
    Place,
    active_version,
    place_of,
    replaced_version,
    unknown_version,
    version_json,
)
from rowform.sync.configuration import Settings, load_configuration
from rowform.sync.versions import version_number
from rowform.text import escape, joined, quote

CONFIG = "config"
Rows = Mapping[str, Mapping[str, Stored]]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared; without a version it is the configuration."""

    version: Ref | None

    @property
    def words(self) -> str:
        return (
            f"version {self.version.number} {quote(self.version.name)}" if self.version else "configuration"
        )

    def to_json(self) -> dict[str, Any]:
        if self.version is None:
            return {"version_id": None, "version_number": None, "name": None, "origin": CONFIG}
        return version_json(self.version)


@dataclass(frozen=True, slots=True)
class Difference:
    """What leads from one side to the other."""

    slug: str
    restaurant_id: str
    before: Side
    after: Side
    changes: Sequence[Change]
    unchanged: int

    def to_json(self) -> dict[str, Any]:
        return {
            "restaurant": self.slug,
            "restaurant_id": self.restaurant_id,
            "from": self.before.to_json(),
            "to": self.after.to_json(),
            "summary": {
                **{action.value: sum(c.action is action for c in self.changes) for action in Action},
                "unchanged": self.unchanged,
            },
            "changes": [change_json(change) for change in self.changes],
        }


def difference(settings: Settings, slugs: Sequence[str], before: str, after: str) -> Difference:
    """Compare two versions of one restaurant, or one with the configuration.

    Args:
        settings: where to look.
        slugs: the restaurant; may be left out if there is only one.
        before: a number, ``active``, ``previous`` for what the active one replaced, or ``config``.
        after: the same.

    Raises:
        InvalidConfig: one of them is ``config``, and the configuration has problems.
        UsageError: there is no such restaurant or version, or it is not clear which is meant.
    """
    from rowform.store.read import one_snapshot

    state = load_configuration(settings).state if CONFIG in (before, after) else None
    for one in (before, after):
        _number(one)
    with place_of(settings, slugs) as place:
        content = _content(place, state) if state else None
        with one_snapshot(place.session):
            return between(place, before, after, content)


def between(place: Place, before: str, after: str, content: Content | None = None) -> Difference:
    """Compare two sides, inside a transaction that shows both of them in one moment.

    Args:
        place: whose.
        before: a number, ``active`` or ``previous``; ``config`` with ``content``.
        after: the same.
        content: what the configuration wants.

    Raises:
        UsageError: there is no such version.
    """
    sides = _side(place, before), _side(place, after)
    desired = _identified(place, content) if content is not None else None
    old, new = (_rows(place, side, desired) for side in sides)
    changes, unchanged = compare_stored(old, new)
    return Difference(place.slug, place.restaurant_id, *sides, changes, unchanged)


def _number(word: str) -> int | None:
    return version_number(word, PREVIOUS, CONFIG)


def _side(place: Place, word: str) -> Side:
    if word == CONFIG:
        return Side(None)
    number = _number(word)
    here = replace(place, stands=standing(place.session, place.restaurant_id, number))
    if number is not None:
        return Side(here.stands.wanted or unknown_version(here, number))
    return Side(replaced_version(here)[0] if word == PREVIOUS else active_version(here))


def _rows(place: Place, side: Side, desired: Rows | None) -> Rows:
    """The settings of one side. What the configuration does not manage is no difference."""
    from rowform.store.read import version_rows

    if side.version is None:
        return desired or {}
    rows = version_rows(place.session, place.restaurant_id, side.version.number)
    return rows if desired is None else {kind: rows[kind] for kind in desired}


def _content(place: Place, state: State) -> Content:
    for one in state.restaurants.values():
        if one.id == place.restaurant_id:
            return one.content
    raise UsageError(
        f"the configuration has no restaurant {escape(place.slug)} ({place.restaurant_id})",
        f"there is {joined(sorted(state.restaurants))}" if state.restaurants else None,
    )


def _identified(place: Place, content: Content) -> Rows:
    """What the configuration wants, each setting with the identity that an apply would give it."""
    from rowform.store.read import former_identities, version_rows

    active = standing(place.session, place.restaurant_id).active
    there = Actual(
        place.restaurant_id,
        settings=version_rows(place.session, place.restaurant_id, active.number) if active else {},
    )
    former = former_identities(place.session, {place.restaurant_id: there.missing(content)})
    identities = former.get(place.restaurant_id, {})
    changes, _ = compare(content, there.settings, identities)
    before = {(change.kind, change.key): change.before for change in changes}
    return {
        kind: dict(_kind_identified(entries, there.settings.get(kind, {}), identities.get(kind, {}), before))
        for kind, entries in content.items()
    }


def _kind_identified(
    entries: Mapping[str, Entry],
    active: Mapping[str, Stored],
    former: Mapping[str, str],
    before: Mapping[tuple[str, str], Stored | None],
) -> Iterator[tuple[str, Stored]]:
    taken = {one.entity_id for one in active.values()}
    for key, entry in entries.items():
        was = before.get((entry.kind, key), active.get(key))
        identity = was.entity_id if was else former.get(key, "")
        if was is None and (not identity or identity in taken):
            # New. No identity of the database is written like this.
            identity = f"new {key}"
        taken.add(identity)
        yield key, Stored(entry, "", identity)
