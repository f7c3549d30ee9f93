"""The plan: an immutable value that says what an apply would do, and whether it may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rowform import __version__
from rowform.diff import Action, Change, Stored, digest_of
from rowform.guards import Allowed, Guard
from rowform.staged import Staged, has_content
from rowform.state import Content, Restaurant, digest
from rowform.text import Told

if TYPE_CHECKING:
    from rowform.drift import Drift, Lineage, Overwritten
    from rowform.split import Point, Split

FORMAT = "rowform.plan/1"
#: What a version's ``source`` says as its ``kind`` if it did not come from the configuration: the triggers'
#: words, and that of live clients.
UNPLANNED = ("direct", "application", "client")


@dataclass(frozen=True, slots=True)
class Base:
    """The active version that a plan was made against, and the newest one's number.

    ``lock_reason`` and ``locked_at`` are what the audit says of its lock; ``commit`` is what it was made
    from. ``is_settled`` says that it came from a plan, and that there was no switch back since. A saved plan
    has none of these.
    """

    version_id: str
    version_number: int
    newest_version_number: int
    is_locked: bool
    origin: str | None
    lock_reason: str | None = None
    locked_at: datetime | None = None
    commit: str | None = None
    is_settled: bool = True

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
    nobody wants back. ``staged`` is the latest staged version, if that is newer than the active one.
    ``lineage`` is what the active version builds upon, if direct writes made it.
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
    staged: Staged | None = None
    lineage: Lineage | None = None

    def missing(self, desired: Content) -> dict[str, list[str]]:
        """The wanted keys, by kind, that are not there."""
        found = {
            kind: [key for key in entries if key not in self.settings.get(kind, {})]
            for kind, entries in desired.items()
        }
        return {kind: keys for kind, keys in found.items() if keys}


@dataclass(frozen=True)
class RestaurantPlan:
    """What would be done to one restaurant.

    ``target`` is the whole content afterwards, kinds that are not managed included.
    ``notes`` are sentences for people that change nothing. ``allowed`` are guards that fired and to which
    a commit consents. ``drift`` are the direct writes that would be overwritten, and ``settled_number`` is
    the last version before them, if there is one. ``split`` tells the changes of a branch from the others.
    """

    restaurant: Restaurant
    actual: Actual
    changes: tuple[Change, ...]
    unchanged: int
    blocked: tuple[Guard, ...]
    target: Content
    warnings: tuple[Told, ...] = ()
    notes: tuple[Told, ...] = ()
    allowed: tuple[Allowed, ...] = ()
    drift: tuple[Drift, ...] = ()
    settled_number: int | None = None
    split: Split | None = None

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

    @property
    def staged_already(self) -> Staged | None:
        """The staged version, if its content is the plan's."""
        staged = self.actual.staged
        return staged if staged and has_content(staged, self.target) else None

    def count(self, action: Action) -> int:
        return sum(change.action is action for change in self.changes)

    def desired_digest(self) -> str:
        """A digest of what the configuration wants, and of which kinds it wants to manage."""
        return digest(self.restaurant.content, managed=True)

    def changes_digest(self) -> str:
        """A digest of what an apply would do: equal for two plans that do the same."""
        new = (self.restaurant.name, self.restaurant.timezone) if self.creates_restaurant else ()
        return digest_of(self.changes, self.restaurant.id, *new)

    def to_json(self) -> dict[str, Any]:
        return {
            "restaurant": self.slug,
            "restaurant_id": self.restaurant.id,
            "name": self.restaurant.name,
            "timezone": self.restaurant.timezone,
            "creates_restaurant": self.creates_restaurant,
            "base": self.base.to_json() if self.base else None,
            "desired_digest": self.desired_digest(),
            "changes_digest": self.changes_digest(),
            "summary": {
                **{action.value: self.count(action) for action in Action},
                "unchanged": self.unchanged,
            },
            "blocked": [guard.to_json() for guard in self.blocked],
            "allowed": [one.to_json() for one in self.allowed],
            "warnings": [str(warning) for warning in self.warnings],
            "notes": [str(note) for note in self.notes],
            "drift": [one.to_json() for one in self.drift],
            "settled_version_number": self.settled_number,
            "changes": [
                {
                    **change_json(change),
                    **({"overwrites_drift": True} if self.overwritten_by(change) else {}),
                    **(self.split.change_json(change) if self.split else {}),
                }
                for change in self.changes
            ],
        }

    def parts(self) -> tuple[Sequence[Change], Sequence[Change]]:
        """The changes of the branch, and those that ride along; all are the branch's if it is not known."""
        return self.split.parts(self.changes) if self.split else (self.changes, ())

    def overwritten_by(self, change: Change) -> list[Drift]:
        """The direct writes that one change would overwrite."""
        return self._overwritten.by(change) if self.drift else []

    @cached_property
    def _overwritten(self) -> Overwritten:
        # Few plans are about direct writes.
        from rowform.drift import Overwritten

        return Overwritten(self.drift)


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
    """The plan for all restaurants of one run, in order of slug.

    ``against`` is the commit that takes the database's place; without it there is a ``database_id``.
    ``since`` is where the branch began whose changes are told from the others, and ``changed_since`` the
    commit that the plan's restaurants differ from.
    """

    database_id: str | None
    target: str | None
    source: Mapping[str, Any]
    restaurants: tuple[RestaurantPlan, ...]
    notes: tuple[Told, ...] = ()
    against: Point | None = None
    since: Point | None = None
    changed_since: Point | None = None

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
            **self._points(),
            "notes": [str(note) for note in self.notes],
            "restaurants": [one.to_json() for one in self.restaurants],
        }

    def _points(self) -> dict[str, Any]:
        points = {"against": self.against, "since": self.since, "changed_since": self.changed_since}
        return {name: point.to_json() for name, point in points.items() if point}
