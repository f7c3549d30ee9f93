"""The plan: an immutable value that says what an apply would do, and whether it may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rowform import __version__
from rowform.diff import Action, Change, Stored, compare
from rowform.guards import Guard, Thresholds, fired
from rowform.kinds import Kind
from rowform.references import dangling
from rowform.state import Content, Restaurant, digest
from rowform.text import quote

FORMAT = "rowform.plan/1"
#: What a version's ``source`` says as its ``kind`` if it did not come from the configuration: the triggers'
#: words, and that of live clients.
UNPLANNED = ("direct", "application", "client")


@dataclass(frozen=True, slots=True)
class Base:
    """The active version that a plan was made against, and the newest one's number."""

    version_id: str
    version_number: int
    newest_version_number: int
    is_locked: bool
    origin: str | None

    def to_json(self) -> dict[str, Any]:
        return {
            "version_id": self.version_id,
            "version_number": self.version_number,
            "newest_version_number": self.newest_version_number,
            "is_locked": self.is_locked,
            "origin": self.origin,
        }


@dataclass(frozen=True, slots=True)
class Actual:
    """What the database has of one restaurant: its row, its active version, its settings.

    ``newest`` is the highest version number, 0 if there is none. ``settings`` has all
    kinds, also those that are not managed. ``former`` has, by kind and key, the identity
    that a setting of that key had in an older version; it may be left empty for keys that
    nobody wants back.
    """

    restaurant_id: str
    slug: str | None = None
    name: str | None = None
    timezone: str | None = None
    exists: bool = False
    newest: int = 0
    base: Base | None = None
    settings: Mapping[str, Mapping[str, Stored]] = field(default_factory=dict[str, Mapping[str, Stored]])
    former: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])

    def missing(self, desired: Content) -> dict[str, list[str]]:
        """The wanted keys, by kind, that are not there."""
        found = {
            kind: [key for key in entries if key not in self.settings.get(kind, {})]
            for kind, entries in desired.items()
        }
        return {kind: keys for kind, keys in found.items() if keys}


@dataclass(frozen=True, slots=True)
class RestaurantPlan:
    """What would be done to one restaurant.

    ``target`` is the whole content afterwards, kinds that are not managed included.
    ``notes`` are sentences for people that change nothing.
    """

    restaurant: Restaurant
    actual: Actual
    changes: tuple[Change, ...]
    unchanged: int
    blocked: tuple[Guard, ...]
    target: Content
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        return self.restaurant.slug

    @property
    def base(self) -> Base | None:
        return self.actual.base

    @property
    def creates_restaurant(self) -> bool:
        return not self.actual.exists

    @property
    def has_changes(self) -> bool:
        """Whether an apply would write anything. A first version is written even if it is empty."""
        return bool(self.changes) or self.creates_restaurant

    def count(self, action: Action) -> int:
        return sum(change.action is action for change in self.changes)

    def desired_digest(self) -> str:
        """A digest of what the configuration wants, and of which kinds it wants to manage."""
        return digest(self.restaurant.content, managed=True)

    def to_json(self) -> dict[str, Any]:
        return {
            "restaurant": self.slug,
            "restaurant_id": self.restaurant.id,
            "name": self.restaurant.name,
            "timezone": self.restaurant.timezone,
            "creates_restaurant": self.creates_restaurant,
            "base": self.base.to_json() if self.base else None,
            "desired_digest": self.desired_digest(),
            "summary": {
                **{action.value: self.count(action) for action in Action},
                "unchanged": self.unchanged,
            },
            "blocked": [guard.to_json() for guard in self.blocked],
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "changes": [change_json(change) for change in self.changes],
        }


def change_json(change: Change) -> dict[str, Any]:
    """A change as plans and other documents have it."""
    origin = change.after.origin if change.after else None
    return {
        "action": change.action.value,
        "kind": change.kind,
        "key": change.key,
        "previous_key": change.previous_key,
        "before": dict(change.before.entry.values) if change.before else None,
        "after": dict(change.after.values) if change.after else None,
        "location": origin.location().to_json() if origin else None,
        "patch": [operation.to_json() for operation in change.patch],
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan for all restaurants of one run, in order of slug."""

    database_id: str
    target: str | None
    source: Mapping[str, Any]
    restaurants: tuple[RestaurantPlan, ...]
    notes: tuple[str, ...] = ()

    @property
    def has_changes(self) -> bool:
        return any(one.has_changes for one in self.restaurants)

    def count(self, action: Action) -> int:
        return sum(one.count(action) for one in self.restaurants)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "tool_version": __version__,
            "database_id": self.database_id,
            "target": self.target,
            "source": dict(self.source),
            "notes": list(self.notes),
            "restaurants": [one.to_json() for one in self.restaurants],
        }


def plan_restaurant(
    restaurant: Restaurant, actual: Actual, kinds: Mapping[str, Kind], thresholds: Thresholds
) -> RestaurantPlan:
    """Compare one restaurant's desired content with the database's."""
    changes, unchanged = compare(restaurant.content, actual.settings, actual.former)
    target = _target(restaurant, actual)
    base = actual.base
    counts = {kind: len(entries) for kind, entries in actual.settings.items() if kind in restaurant.content}
    guards = fired(
        changes,
        counts,
        locked_version=base.version_number if base and base.is_locked else None,
        thresholds=thresholds,
    )
    return RestaurantPlan(
        restaurant,
        actual,
        tuple(changes),
        unchanged,
        tuple(guards),
        target,
        tuple(_dangling(target, kinds)) if changes else (),
        (*_header_notes(restaurant, actual), *_rename_notes(changes, kinds)),
    )


def _target(restaurant: Restaurant, actual: Actual) -> Content:
    unmanaged = {
        kind: {key: stored.entry for key, stored in entries.items()}
        for kind, entries in actual.settings.items()
        if kind not in restaurant.content
    }
    return {**unmanaged, **restaurant.content}


def _dangling(target: Content, kinds: Mapping[str, Kind]) -> Iterable[str]:
    for found in dangling(target, kinds):
        noun = kinds[found.entry.kind].noun
        yield f"{noun} {quote(found.entry.key)} names {quote(found.name)}, which is no {found.what}"


def _header_notes(restaurant: Restaurant, actual: Actual) -> Iterable[str]:
    if not actual.exists:
        return
    for field_name, wanted, there in (
        ("slug", restaurant.slug, actual.slug),
        ("name", restaurant.name, actual.name),
        ("timezone", restaurant.timezone, actual.timezone),
    ):
        if wanted != there:
            yield (
                f"{field_name} is {quote(wanted)} here and {quote(there)} in the database;"
                " rowform leaves an existing restaurant's row alone"
            )


def _rename_notes(changes: Sequence[Change], kinds: Mapping[str, Kind]) -> Iterable[str]:
    """Point out a delete and a create that look like a rename."""
    created = [c for c in changes if c.action is Action.CREATE]
    taken: set[int] = set()
    for gone in (change for change in changes if change.action is Action.DELETE):
        kind = kinds[gone.kind]
        for index, new in enumerate(created):
            if index not in taken and new.kind == gone.kind and _look_alike(kind, gone, new):
                taken.add(index)
                yield (
                    f"{kind.noun} {quote(gone.key)} is deleted and {quote(new.key)} created with the same"
                    f" content; for a rename, add `previously: [{quote(gone.key)}]` to keep its history"
                )
                break


def _look_alike(kind: Kind, gone: Change, new: Change) -> bool:
    if gone.before is None or new.after is None:
        return False
    before, after = gone.before.entry.values, new.after.values
    # Content that is all defaults says nothing about identity.
    telling = [
        name for name in kind.column_names if name != kind.key and before[name] != kind.defaults.get(name)
    ]
    return bool(telling) and all(
        before[name] == after[name] for name in kind.column_names if name != kind.key
    )


def make_plan(
    restaurants: Iterable[Restaurant],
    actual: Callable[[Restaurant], Actual],
    kinds: Mapping[str, Kind],
    thresholds: Thresholds,
    *,
    database_id: str,
    target: str | None,
    source: Mapping[str, Any],
    notes: Sequence[str] = (),
) -> Plan:
    """Plan all ``restaurants`` against what ``actual`` knows of each."""
    return Plan(
        database_id,
        target,
        source,
        tuple(plan_restaurant(one, actual(one), kinds, thresholds) for one in restaurants),
        tuple(notes),
    )
