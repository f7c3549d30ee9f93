"""Switching versions and locking them: at most four round trips, as an apply.

1. ``BEGIN``, timeouts and the restaurant's lock
2. a later statement reads what the lock protects: is everything as it was when it was decided?
3. mark, off, on, as one pipeline; triggers write the audit and notify
4. ``COMMIT``
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor, sql

from rowform.errors import LockedVersion, StalePlan
from rowform.guards import locked as locked_words
from rowform.plan import UNPLANNED
from rowform.store.failures import translated
from rowform.store.queries import query
from rowform.store.session import Session
from rowform.store.writing import Why, heed_protection, write_locked


@dataclass(frozen=True, slots=True)
class Ref:
    """A version as the target or the origin of a switch; ``kind`` is that of its source."""

    id: str
    number: int
    name: str
    is_locked: bool
    kind: str | None
    lock_reason: str | None
    locked_at: datetime | None

    @property
    def is_direct(self) -> bool:
        return self.kind in UNPLANNED


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a restaurant stands.

    ``last`` is the version of the last activation, which is ``step``; ``back`` the version that it
    replaced, at ``back_step``; ``settled`` the latest one from there on that no direct write made;
    ``wanted`` the one that was asked for.
    """

    step: int | None = None
    back_step: int | None = None
    active: Ref | None = None
    last: Ref | None = None
    back: Ref | None = None
    settled: Ref | None = None
    wanted: Ref | None = None


@dataclass(frozen=True, slots=True)
class NetChange:
    """How many settings a switch adds, changes and removes."""

    added: int
    changed: int
    destroyed: int

    def to_json(self) -> dict[str, int]:
        return {"create": self.added, "update": self.changed, "delete": self.destroyed}


@dataclass(frozen=True, slots=True)
class Switch:
    """What to do: make ``target`` the active version.

    ``back_to`` is the activation that a rollback goes back to. ``seen`` is where the restaurant
    stood when this was decided; ``None`` if that does not matter.
    """

    target: Ref
    back_to: int | None = None
    seen: Standing | None = None


@dataclass(frozen=True, slots=True)
class Switched:
    """A switch that is done. Without ``net`` the target was active already, and nothing was written."""

    before: Ref | None
    net: NetChange | None
    step: int | None = None
    activated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Locking:
    """A version that is locked, or unlocked, now; ``done`` is false if it was so before."""

    version: Ref
    is_active: bool
    done: bool


@translated()
def standing(session: Session, restaurant_id: str, number: int | None = None) -> Standing:
    """Where a restaurant stands, and its version ``number``. One round trip.

    Raises:
        DatabaseError: the server refused or failed.
    """
    rows = session.connection.execute(
        query("standing", app=session.app),
        {"restaurant": restaurant_id, "number": number, "direct": list(UNPLANNED)},
    ).fetchall()
    found = {part: (step, Ref(*version)) for part, step, *version in rows}
    refs = {part: ref for part, (_, ref) in found.items()}
    steps = {part: step for part, (step, _) in found.items()}
    return Standing(steps.get("last"), steps.get("back"), **refs)


@translated()
def number_range(session: Session, restaurant_id: str) -> tuple[int, int] | None:
    """The lowest and the highest version number of a restaurant, if it has any."""
    row = session.connection.execute(
        query("number_range", app=session.app), {"restaurant": restaurant_id}
    ).fetchone()
    return (row[0], row[1]) if row and row[0] is not None else None


@translated()
def activation_reason(session: Session, restaurant_id: str, version_id: str) -> str | None:
    """What the audit says of the last switch to a version, if there was one. One round trip."""
    row = session.connection.execute(
        query("activation_reason", app=session.app), {"restaurant": restaurant_id, "version": version_id}
    ).fetchone()
    return row[0] if row else None


@translated()
def net_change(session: Session, restaurant_id: str, before: Ref | None, after: Ref) -> NetChange:
    """What a switch from one version to another would change. One round trip."""
    return _net_change(_count(session, restaurant_id, before, after))


def _count(session: Session, restaurant_id: str, before: Ref | None, after: Ref) -> Cursor[Any]:
    return session.connection.execute(
        query("net_change"),
        {"restaurant": restaurant_id, "from": before.id if before else None, "to": after.id},
    )


def _net_change(cursor: Cursor[Any]) -> NetChange:
    return NetChange(*(cursor.fetchone() or (0, 0, 0)))


def switch(
    session: Session,
    restaurant_id: str,
    wanted: Switch,
    why: Why,
    reconnect: Callable[[], Session],
    *,
    heeds_protection: bool = False,
) -> Switched:
    """Make another version the active one, in one transaction.

    Args:
        session: a connection in autocommit mode, outside any transaction.
        restaurant_id: whose version.
        wanted: what to do.
        why: what the audit says.
        reconnect: makes another session, should the answer to COMMIT get lost.
        heeds_protection: whether it is refused where direct writes are refused.

    Raises:
        StalePlan: another version was activated since it was decided.
        LockedVersion: the active version is locked.
        DatabaseError: the server refused or failed; nothing was written.
    """

    def work() -> Switched:
        now = _under_lock(session, restaurant_id)
        if wanted.seen is not None:
            _check_seen(wanted.seen, now)
        if now.active is not None and now.active.id == wanted.target.id:
            return Switched(now.active, None)
        ensure_unlocked(now.active)
        return _flip(session, restaurant_id, now, wanted, why)

    def went_through(other: Session, done: Switched) -> bool:
        if done.net is None:
            return True
        row = other.connection.execute(
            query("activation_exists"), {"step": done.step, "activated_at": done.activated_at}
        ).fetchone()
        return bool(row and row[0])

    first = heed_protection() if heeds_protection else sql.SQL("")
    return write_locked(session, restaurant_id, work, went_through, reconnect, first)


@dataclass(frozen=True, slots=True)
class _Now:
    """What nobody else can change any more: the audit's end, the last activation, the active version."""

    seq: int = 0
    step: int | None = None
    active: Ref | None = None


def _under_lock(session: Session, restaurant_id: str) -> _Now:
    row = session.connection.execute(
        query("under_switch_lock", app=session.app), {"restaurant": restaurant_id}
    ).fetchone()
    if row is None:
        return _Now()
    seq, step, *version = row
    return _Now(seq, step, Ref(*version) if version[0] is not None else None)


def _check_seen(seen: Standing, now: _Now) -> None:
    was, found = seen.active, now.active
    if now.step == seen.step and (was.id if was else None) == (found.id if found else None):
        return
    if was and found and was.id == found.id:
        message = f"version {found.number} was activated anew by somebody else"
    else:
        message = f"{_said(found)} is active now, and no longer {_said(was)}: somebody else was faster"
    raise StalePlan(f"{message}; nothing was done", "look at `rowform history`, and decide again")


def _said(version: Ref | None) -> str:
    return f"version {version.number}" if version else "no version"


def ensure_unlocked(active: Ref | None) -> None:
    """Make sure that the active version may be replaced.

    Raises:
        LockedVersion: it may not.
    """
    if active is not None and active.is_locked:
        raise LockedVersion(
            locked_words(active.number, active.locked_at, active.lock_reason),
            f"unlock it first: `rowform unlock {active.number}`",
        )


def _flip(session: Session, restaurant_id: str, now: _Now, wanted: Switch, why: Why) -> Switched:
    connection, app = session.connection, session.app
    place = {"restaurant": restaurant_id, "seq": now.seq}
    with connection.pipeline():
        # The audit goes on from the last version that was active; people saw nothing.
        seen = _count(session, restaurant_id, None, wanted.target) if now.active is None else None
        connection.execute(query("mark_switch"), {"back_to": wanted.back_to})
        connection.execute(query("say_why"), why.settings())
        connection.execute(query("deactivate", app=app), place)
        connection.execute(query("activate", app=app), {"id": wanted.target.id})
        connection.execute(query("unmark_write"))
        audited = connection.execute(query("switched", app=app), place)
    # Only now: to fetch inside the pipeline is a round trip of its own.
    step, activated_at, *counts = audited.fetchone() or (None, None, 0, 0, 0)
    return Switched(now.active, _net_change(seen) if seen else NetChange(*counts), step, activated_at)


def set_lock(
    session: Session,
    restaurant_id: str,
    target: Ref,
    why: Why,
    reconnect: Callable[[], Session],
    *,
    locked: bool,
) -> Locking:
    """Lock or unlock a version, in one transaction.

    Args:
        session: a connection in autocommit mode, outside any transaction.
        restaurant_id: whose version.
        target: which one.
        why: what the audit says.
        reconnect: makes another session, should the answer to COMMIT get lost.
        locked: what it is to be.

    Raises:
        DatabaseError: the server refused or failed; nothing was written.
    """

    def look(at: Session) -> tuple[bool, bool]:
        row = at.connection.execute(query("lock_state", app=at.app), {"id": target.id}).fetchone()
        return row or (False, False)

    def work() -> Locking:
        is_locked, is_active = look(session)
        if is_locked != locked:
            with session.connection.pipeline():
                session.connection.execute(query("say_why"), why.settings())
                session.connection.execute(
                    query("set_lock", app=session.app), {"id": target.id, "locked": locked}
                )
        return Locking(target, is_active, is_locked != locked)

    def went_through(other: Session, _: Locking) -> bool:
        return look(other)[0] == locked

    return write_locked(session, restaurant_id, work, went_through, reconnect)
