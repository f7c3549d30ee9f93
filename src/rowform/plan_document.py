"""The document of a plan, read: its members, and the plan that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from rowform.diff import Action, Change, Stored
from rowform.drift import ABSENT, Drift
from rowform.guards import Allowed, Guard, GuardName
from rowform.kinds import Kind
from rowform.location import Location
from rowform.plan import Actual, Base, Plan, RestaurantPlan
from rowform.state import Entry, Restaurant, canonical
from rowform.text import UNSAFE, Verbatim, from_pointer, quote


class StrangeError(ValueError):
    """What a document says makes no sense to this rowform."""


def _one_line(text: str) -> str:
    if UNSAFE.search(text):
        raise ValueError("it has control characters")
    return text


#: What is shown as it is: nobody who makes a plan up shall write to a terminal with it.
_Line = Annotated[str, AfterValidator(_one_line)]


class _Model(BaseModel):
    """Members that a newer rowform may have added change nothing."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _Place(_Model):
    file: _Line
    line: int
    column: int

    def location(self) -> Location:
        return Location(self.file, self.line, self.column)

    def lines(self) -> tuple[int, int]:
        """The file has no more than where the entry begins."""
        return self.line, self.line


class _Change(_Model):
    action: str
    kind: str
    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    location: _Place | None

    def change(self, kinds: Mapping[str, Kind]) -> Change:
        there = (self.before is not None, self.after is not None)
        if {(False, True): "create", (True, True): "update", (True, False): "delete"}.get(
            there
        ) != self.action:
            raise StrangeError(f"the change of {quote(self.key)} is no {quote(self.action)}")
        kind = kinds.get(self.kind)
        if kind is None:
            raise StrangeError(f"the kind {quote(self.kind)} is not installed here")
        before = self._entry(kind, self.before, None) if self.before is not None else None
        after = self._entry(kind, self.after, self.location) if self.after is not None else None
        latest = after or before
        if latest is None or latest.key != self.key:
            raise StrangeError(f"the change of {quote(self.key)} is about another setting")
        stored = Stored(before, row_id="", entity_id="") if before else None
        return Change(Action(self.action), self.kind, self.key, stored, after)

    def _entry(self, kind: Kind, values: dict[str, Any], origin: _Place | None) -> Entry:
        key = values.get(kind.key)
        if set(values) != set(kind.column_names) or not isinstance(key, str):
            raise StrangeError(f"{kind.name} {quote(self.key)} has other fields than {kind.name} has here")
        return Entry(kind.name, key, values, canonical(values), (), origin)


class _Guard(_Model):
    guard: str
    reason: str

    def fired(self) -> Guard:
        try:
            return Guard(GuardName(self.guard), Verbatim(self.reason))
        except ValueError:
            raise StrangeError(f"there is no guard {quote(self.guard)}") from None


class _By(_Model):
    commit: str
    author: str


class _Allowed(_Guard):
    by: _By

    def allowed(self) -> Allowed:
        return Allowed(self.fired(), self.by.commit, self.by.author)


class _Base(_Model):
    version_id: str
    version_number: int
    newest_version_number: int
    is_locked: bool
    origin: str | None


class _Summary(_Model):
    unchanged: int


class _Drift(_Model):
    kind: str
    key: str
    path: str
    git: Any = ABSENT
    active: Any = ABSENT
    desired: Any = ABSENT

    def drift(self) -> Drift:
        return Drift(self.kind, self.key, from_pointer(self.path), self.git, self.active, self.desired)


class _Restaurant(_Model):
    restaurant: str
    restaurant_id: _Line
    name: str
    timezone: _Line
    creates_restaurant: bool
    base: _Base | None
    desired_digest: str
    summary: _Summary
    blocked: list[_Guard]
    allowed: list[_Allowed]
    warnings: list[str]
    notes: list[str]
    drift: list[_Drift]
    settled_version_number: int | None
    changes: list[_Change]

    def plan(self, kinds: Mapping[str, Kind]) -> RestaurantPlan:
        base = Base(**dict(self.base)) if self.base else None
        newest = base.newest_version_number if base else 0
        return RestaurantPlan(
            Restaurant(self.restaurant, self.restaurant_id, self.name, self.timezone, {}, file=""),
            Actual(self.restaurant_id, exists=not self.creates_restaurant, newest=newest, base=base),
            tuple(change.change(kinds) for change in self.changes),
            self.summary.unchanged,
            tuple(guard.fired() for guard in self.blocked),
            {},
            tuple(map(Verbatim, self.warnings)),
            tuple(map(Verbatim, self.notes)),
            tuple(one.allowed() for one in self.allowed),
            drift=tuple(one.drift() for one in self.drift),
            settled_number=self.settled_version_number,
        )


class PlanDocument(_Model):
    """A saved plan as its file has it."""

    tool_version: str
    #: JSON has no times: this one is text.
    created_at: AwareDatetime = Field(strict=False)
    checksum: str
    database_id: str
    target: str | None
    source: dict[str, Any]
    notes: list[str]
    restaurants: list[_Restaurant]

    def digests(self) -> dict[str, str]:
        """Each restaurant's ``desired_digest``, by slug.

        Raises:
            StrangeError: a restaurant is there twice.
        """
        found = {one.restaurant: one.desired_digest for one in self.restaurants}
        if len(found) < len(self.restaurants):
            raise StrangeError("it has a restaurant twice")
        return found

    def plan(self, kinds: Mapping[str, Kind]) -> Plan:
        """What can be shown of the plan: changes, guards and notes, but no settings that stay as they are.

        Raises:
            StrangeError: something in it is not known here, or contradicts the rest.
        """
        restaurants = tuple(one.plan(kinds) for one in self.restaurants)
        return Plan(self.database_id, self.target, self.source, restaurants, tuple(map(Verbatim, self.notes)))
