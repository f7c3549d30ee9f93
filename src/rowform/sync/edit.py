"""One message of a live client that asks for something to be written, on one connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rowform import __version__
from rowform.edits.browser import BrowserSettings, with_browser
from rowform.edits.faults import EditCode, Problem, invalid
from rowform.edits.merge import Known, Merged, merge
from rowform.edits.sent import Sent, as_uuid, confirmed, sent_settings, words
from rowform.edits.threeway import Later
from rowform.errors import DatabaseError, InvalidConfig, LockedVersion, RowformError, StalePlan
from rowform.fit import ensure_fitting
from rowform.guards import Guard, GuardName, Thresholds
from rowform.kinds import Kind, kinds
from rowform.plan import Actual, RestaurantPlan
from rowform.planner import make_plan
from rowform.server.edits import Done
from rowform.state import Content, Restaurant, digest
from rowform.store.activation import Switch, switch
from rowform.store.apply import Manner, Origin, apply_plan
from rowform.store.editing import There, former_settings, later_forms, standing_content, version_of
from rowform.store.read import former_identities
from rowform.store.session import Session
from rowform.store.writing import Why
from rowform.sync.guarding import guarded
from rowform.text import count, quote
from rowform.wire import Code, Fault, Message

#: How often an edit is compared anew because somebody else was faster.
_ATTEMPTS = 3
_PROTECTED = "RF001"
#: Name and description of the versions, in the words of the application's own server.
_MIGRATION = ("localStorage Migration", "Automatic migration from localStorage")
_RESET = ("Default Configuration", "Reset to system defaults")


@dataclass(frozen=True, slots=True)
class Author:
    """Who edits: the client's name for itself, and the person's, which is a UUID or an e-mail address."""

    client: str
    user: str | None = None
    id: str | None = None

    @property
    def shown(self) -> str:
        """Both, the person first."""
        client = f"client {self.client}" if self.client else "a live client"
        return f"{self.user}, {client}" if self.user else client


@dataclass(frozen=True, slots=True)
class _Work:
    """A version to be made. ``because`` is what the audit says of its changes, before the author."""

    content: Content
    name: str
    description: str
    because: str = "Changed"


#: The settings that a reset goes back to; the kinds that it leaves out stay as they are.
Defaults = Callable[[Actual], Content]


class Edit:
    """One message that asks for something to be written."""

    def __init__(
        self,
        session: Session,
        connect: Callable[[], Session],
        thresholds: Thresholds,
        message: Message,
        author: Author,
        restaurant_id: str,
    ) -> None:
        self._session = session
        self._connect = connect
        self._thresholds = thresholds
        self._message = message
        self._author = author
        self._restaurant = restaurant_id
        self._confirmed = confirmed(message)

    # --- the messages ----------------------------------------------------------------------------

    def update(self, kind: Kind) -> Done:
        sent = sent_settings(kind, self._message.payload, self._restaurant)
        named = sorted({found for one in sent if (found := as_uuid(one.version_id))})

        def work(there: There) -> _Work:
            merged = self._merged(kind, sent, there)
            content = {**_content(there.actual), kind.name: merged.entries}
            return _Work(content, _update_name(kind, merged), f"Edited live by {self._author.shown}")

        return Done(self._write(work, named))

    def migrate(self) -> Done:
        wanted = BrowserSettings.read(self._message.payload)

        def work(there: There) -> _Work:
            content = with_browser(wanted, _content(there.actual))
            return _Work(content, *_MIGRATION, "localStorage migration")

        return Done(self._write(work), {"migrated": True})

    def reset(self, defaults: Defaults) -> Done:
        def work(there: There) -> _Work:
            try:
                wanted = defaults(there.actual)
            except InvalidConfig as error:
                message = f"the default settings cannot be read: {error.message}"
                raise Fault(EditCode.NO_DEFAULTS, message) from error
            if not any(wanted.values()):
                raise Fault(EditCode.NO_DEFAULTS, "there are no default settings to go back to")
            return _Work({**_content(there.actual), **wanted}, *_RESET, "Reset to defaults")

        return Done(self._write(work), {"reset": True}, for_all=True)

    def create_version(self) -> Done:
        name, description = (words(self._message, member) for member in ("name", "description"))
        for _ in range(_ATTEMPTS):
            there = self._there(())
            if there.actual.base is None:
                raise Fault(Code.NO_ACTIVE_VERSION, "no version of the settings is active")
            plan = self._plan(there.actual, _content(there.actual))
            origin = self._origin(plan, name or "", description or "", {}, ())
            manner = Manner(stages=True, heeds_protection=True)
            try:
                made = apply_plan(self._session, plan, origin, self._connect, manner)
            except StalePlan:
                continue
            shown = {"id": made.version_id, "versionNumber": made.version_number}
            return Done(made.version_id, {"created": shown})
        raise _too_busy()

    def activate_version(self) -> Done:
        wanted = as_uuid(self._message.text("versionId"))
        target = version_of(self._session, self._restaurant, wanted) if wanted else None
        if target is None:
            raise Fault(EditCode.UNKNOWN_VERSION, "there is no such version")
        why = Why(f"Activated by {self._author.shown}", self._author.id)
        switch(self._session, self._restaurant, Switch(target), why, self._connect, heeds_protection=True)
        return Done(target.id)

    # --- writing ---------------------------------------------------------------------------------

    def _write(self, work: Callable[[There], _Work], named: Sequence[str] = ()) -> str | None:
        """Make a version, comparing anew if somebody else was faster; its id, if anything changes."""
        for _ in range(_ATTEMPTS):
            there = self._there(named)
            todo = work(there)
            plan = self._plan(there.actual, todo.content)
            if not plan.changes:
                return None
            self._check(plan)
            because = f"{todo.because} by {self._author.shown}"
            reasons = {(change.kind, change.key): because for change in plan.changes}
            forced = [guard for guard in plan.blocked if guard.name in self._confirmed]
            origin = self._origin(plan, todo.name, todo.description, reasons, forced)
            manner = Manner(heeds_protection=True)
            try:
                return apply_plan(self._session, plan, origin, self._connect, manner).version_id
            except StalePlan:
                continue
        raise _too_busy()

    def _there(self, named: Sequence[str]) -> There:
        there = standing_content(self._session, self._restaurant, named)
        if there is None:
            raise Fault(Code.NO_RESTAURANT, "there is no such restaurant")
        return there

    def _plan(self, actual: Actual, content: Content) -> RestaurantPlan:
        restaurant = Restaurant(
            actual.slug or "", self._restaurant, actual.name or "", actual.timezone or "", content, ""
        )
        missing = actual.missing(content)
        if missing and actual.newest:
            actual = replace(actual, former=self._former_identities(missing))
        plan = make_plan(
            [restaurant],
            lambda _: actual,
            kinds(),
            self._thresholds,
            database_id=self._session.database_id,
            target=None,
            source={},
        )
        plan = guarded(plan, self._session, None, None)
        changes = plan.restaurants[0].changes
        try:
            ensure_fitting(changes, kinds(), self._session.tables)
        except InvalidConfig as error:
            raise invalid([Problem((), problem.message) for problem in error.problems]) from error
        return plan.restaurants[0]

    def _former_identities(self, missing: Mapping[str, Sequence[str]]) -> Mapping[str, Mapping[str, str]]:
        return former_identities(self._session, {self._restaurant: missing}).get(self._restaurant, {})

    def _check(self, plan: RestaurantPlan) -> None:
        """Heed the guards, but for those that the client has been told of and confirms."""
        locked = [guard for guard in plan.blocked if guard.name is GuardName.LOCKED]
        if locked:
            raise _locked(str(locked[0].reason))
        fired = [guard for guard in plan.blocked if guard.name not in self._confirmed]
        if fired:
            reasons = "; ".join(dict.fromkeys(str(guard.reason) for guard in fired))
            raise Fault(EditCode.BLOCKED, reasons, {"guards": [guard.to_json() for guard in fired]})

    def _origin(
        self,
        plan: RestaurantPlan,
        name: str,
        description: str,
        reasons: Mapping[tuple[str, str], str],
        forced: Sequence[Guard],
    ) -> Origin:
        names = sorted({guard.name.value for guard in forced})
        source = {
            "kind": "client",
            "client": self._author.client,
            "user": self._author.user,
            "message": self._message.type,
            "tool_version": __version__,
            "digest": digest(plan.target),
            **({"forced": names} if names else {}),
        }
        overruled = None
        if forced:
            told = "; ".join(str(guard.reason) for guard in forced)
            overruled = f"Guard {', '.join(names)} overruled by {self._author.shown}: {told}"
        return Origin(name, self._author.id, source, reasons, overruled, description or None)

    # --- comparing -------------------------------------------------------------------------------

    def _merged(self, kind: Kind, sent: Sequence[Sent], there: There) -> Merged:
        active = there.actual.settings.get(kind.name, {})
        versions = {version: found.get(kind.name, {}) for version, found in there.versions.items()}
        present = {one.entity_id for one in active.values()}
        strange = {
            one.id
            for one in sent
            if one.id and one.id not in present and not any(one.id in rows for rows in versions.values())
        }
        former = (
            former_settings(self._session, self._restaurant, kind, strange) if strange else frozenset[str]()
        )

        def since(setting: str, version: str) -> Sequence[Later]:
            if not self._author.client:
                # Whoever has no name cannot be told from others.
                return ()
            forms = later_forms(
                self._session,
                self._restaurant,
                kind,
                setting,
                version,
                client=self._author.client,
                user=self._author.user,
            )
            return [Later(is_own, one.values) for is_own, one in forms]

        return merge(kind, sent, Known(active, versions, former, since))


def _content(actual: Actual) -> dict[str, Mapping[str, Any]]:
    """All that is active, as something that is wanted."""
    return {
        name: {key: stored.entry for key, stored in actual.settings.get(name, {}).items()} for name in kinds()
    }


def _update_name(kind: Kind, merged: Merged) -> str:
    """What a version of an update is called."""
    edited = merged.edited
    what = f" {quote(edited[0].key)}" if len(edited) == 1 else f", {count(len(edited), 'setting')}"
    return f"Table update: {kind.name}{what}"


def _too_busy() -> Fault:
    return Fault(EditCode.STALE, "others are writing at the same time: try again")


def _locked(reason: str) -> Fault:
    # In the words of the application's own server.
    return Fault(EditCode.LOCKED, "Cannot modify locked version", {"reason": reason})


def told(error: RowformError) -> Fault:
    """What a client is told of an error: nothing of the database but what is about its own settings."""
    if isinstance(error, LockedVersion):
        return _locked(error.message)
    if isinstance(error, DatabaseError):
        if error.sqlstate == _PROTECTED:
            return Fault(Code.MANAGED_IN_GIT, error.message)
        return Fault(Code.UNAVAILABLE, "the database cannot be written to at the moment: nothing was changed")
    return Fault(Code.INTERNAL, "this edit failed: nothing was changed")
