"""A saved plan: the JSON plan with a time and a checksum, and back.

The file is the document that ``plan --format json`` prints, and two members more: ``created_at``, and
``checksum``: ``sha256:`` and the SHA-256 of the canonical JSON of everything else (keys sorted, no white
space, UTF-8; see :func:`rowform.state.canonical`). Layout does not count: a file that was laid out anew, or
got other line ends on its way, is still the same plan. Whatever else is changed in it makes it unusable.

The checksum finds accidents and edits; it is no signature, and need not be one. An apply takes nothing
but the expectations from the file: it plans afresh, and refuses what is not the same (:func:`same_changes`).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from rowform import __version__
from rowform.diff import Action, Change, Stored
from rowform.drift import ABSENT, Drift
from rowform.errors import UnusablePlan
from rowform.guards import Allowed, Guard, GuardName
from rowform.jsontypes import is_object
from rowform.kinds import Kind
from rowform.location import Location
from rowform.plan import FORMAT, Actual, Base, Plan, RestaurantPlan
from rowform.state import Entry, Restaurant, canonical
from rowform.text import UNSAFE, escape, from_pointer, quote

#: What all formats of plans begin with, also those to come.
_FAMILY = "rowform.plan/"
_AGAIN = "save a new one with `rowform plan -o FILE`"
_OTHER = "use the version of rowform that made it, or plan again with this one"


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan from a file, and what the file says of itself.

    ``plan`` is what can be shown of it: all changes, guards and notes, but no settings that stay as they
    are. ``digests`` has each restaurant's ``desired_digest`` by slug; ``document`` is the file's content.
    """

    plan: Plan
    created_at: datetime
    tool_version: str
    checksum: str
    digests: Mapping[str, str]
    document: Mapping[str, Any]


def save(plan: Plan, created_at: datetime) -> bytes:
    """The content of the file that a plan is saved in."""
    document = {**plan.to_json(), "created_at": created_at.isoformat()}
    document["checksum"] = _checksum(document)
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def load(data: bytes, name: str, kinds: Mapping[str, Kind]) -> SavedPlan:
    """Read a file that :func:`save` has made.

    Args:
        data: the file's content.
        name: what messages call it.
        kinds: all kinds.

    Raises:
        UnusablePlan: it is something else, was changed since, or is for another version of rowform.
    """
    shown = escape(name)
    try:
        document = _document(data, shown)
        _check_format(document, shown)
        _check_checksum(document, shown)
    except RecursionError:
        raise UnusablePlan(f"{shown} is no saved plan: it is nested too deeply", _AGAIN) from None
    try:
        return _restored(document, kinds)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        _foreign(document, shown, f"{where}: {first['msg']}")
    except _StrangeError as error:
        _foreign(document, shown, str(error))


def same_changes(one: RestaurantPlan, other: RestaurantPlan) -> bool:
    """Whether two plans do the same: kinds, keys, values before and after. Places in files do not count."""
    return [change.essence for change in one.changes] == [change.essence for change in other.changes]


def _checksum(document: Mapping[str, Any]) -> str:
    return f"sha256:{sha256(canonical(document)).hexdigest()}"


class _StrangeError(ValueError):
    """What the file says makes no sense to this rowform."""


def _document(data: bytes, shown: str) -> Mapping[str, Any]:
    try:
        text = data.decode("utf-8")
        document: Any = json.loads(
            text, object_pairs_hook=_object, parse_float=_float, parse_constant=_constant
        )
    except UnicodeDecodeError as error:
        raise UnusablePlan(f"{shown} is no JSON: byte {error.start + 1} is no UTF-8", _AGAIN) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UnusablePlan(f"{shown} is no JSON, or not all of it: {place}: {error.msg}", _AGAIN) from None
    except ValueError as error:
        raise UnusablePlan(f"{shown} is no saved plan: {error}", _AGAIN) from None
    if not is_object(document):
        raise UnusablePlan(f"{shown} is no saved plan", _AGAIN)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _StrangeError(f"it has {quote(twice)} twice in one object")
    return found


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _StrangeError(f"the number {text[:40]} is too large")
    return value


def _constant(text: str) -> NoReturn:
    raise _StrangeError(f"{text} is no JSON")


def _check_format(document: Mapping[str, Any], shown: str) -> None:
    form = document.get("format")
    if form == FORMAT:
        return
    if not isinstance(form, str) or not form.startswith(_FAMILY):
        said = f": its format is {quote(form)}" if isinstance(form, str) else ""
        raise UnusablePlan(f"{shown} is no saved plan{said}", _AGAIN)
    raise UnusablePlan(
        f"{shown} is a plan of the format {quote(form)}{_made_by(document)};"
        f" rowform {__version__} reads {FORMAT} alone",
        _OTHER,
    )


def _check_checksum(document: Mapping[str, Any], shown: str) -> None:
    found = document.get("checksum")
    if found is None:
        raise UnusablePlan(f"{shown} has no checksum: only `rowform plan -o FILE` saves plans", _AGAIN)
    if found != _checksum({member: value for member, value in document.items() if member != "checksum"}):
        raise UnusablePlan(f"{shown} is not as it was saved: its checksum is another one", _AGAIN)


def _foreign(document: Mapping[str, Any], shown: str, why: str) -> NoReturn:
    raise UnusablePlan(
        f"{shown} is a plan{_made_by(document)},"
        f" and rowform {__version__} does not understand it: {escape(why)}",
        _OTHER,
    )


def _made_by(document: Mapping[str, Any]) -> str:
    version = document.get("tool_version")
    return f" of rowform {escape(version)}" if isinstance(version, str) else ""


# --- the plan that a document describes ----------------------------------------------------------


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
            raise _StrangeError(f"the change of {quote(self.key)} is no {quote(self.action)}")
        kind = kinds.get(self.kind)
        if kind is None:
            raise _StrangeError(f"the kind {quote(self.kind)} is not installed here")
        before = self._entry(kind, self.before, None) if self.before is not None else None
        after = self._entry(kind, self.after, self.location) if self.after is not None else None
        latest = after or before
        if latest is None or latest.key != self.key:
            raise _StrangeError(f"the change of {quote(self.key)} is about another setting")
        stored = Stored(before, row_id="", entity_id="") if before else None
        return Change(Action(self.action), self.kind, self.key, stored, after)

    def _entry(self, kind: Kind, values: dict[str, Any], origin: _Place | None) -> Entry:
        key = values.get(kind.key)
        if set(values) != set(kind.column_names) or not isinstance(key, str):
            raise _StrangeError(f"{kind.name} {quote(self.key)} has other fields than {kind.name} has here")
        return Entry(kind.name, key, values, canonical(values), (), origin)


class _Guard(_Model):
    guard: str
    reason: str

    def fired(self) -> Guard:
        try:
            return Guard(GuardName(self.guard), self.reason)
        except ValueError:
            raise _StrangeError(f"there is no guard {quote(self.guard)}") from None


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
            tuple(self.warnings),
            tuple(self.notes),
            tuple(one.allowed() for one in self.allowed),
            drift=tuple(one.drift() for one in self.drift),
            settled_number=self.settled_version_number,
        )


class _Document(_Model):
    tool_version: str
    #: JSON has no times: this one is text.
    created_at: AwareDatetime = Field(strict=False)
    checksum: str
    database_id: str
    target: str | None
    source: dict[str, Any]
    notes: list[str]
    restaurants: list[_Restaurant]


def _restored(document: Mapping[str, Any], kinds: Mapping[str, Kind]) -> SavedPlan:
    found = _Document.model_validate(document)
    digests = {one.restaurant: one.desired_digest for one in found.restaurants}
    if len(digests) < len(found.restaurants):
        raise _StrangeError("it has a restaurant twice")
    restaurants = tuple(one.plan(kinds) for one in found.restaurants)
    plan = Plan(found.database_id, found.target, found.source, restaurants, tuple(found.notes))
    return SavedPlan(plan, found.created_at, found.tool_version, found.checksum, digests, document)
