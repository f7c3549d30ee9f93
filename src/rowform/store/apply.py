"""Apply: one transaction per restaurant, at most four round trips, or nothing.

1. ``BEGIN``, timeouts and the restaurant's lock, as one simple query
2. a later statement reads what the lock protects: is the plan still right?
3. version, rows, audit, activation and notification, as one pipeline; of a staged version the first two
4. ``COMMIT``
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
from psycopg import sql

from rowform.errors import LockedVersion, StalePlan
from rowform.fit import RealTable
from rowform.guards import locked
from rowform.kinds import Kind
from rowform.plan import RestaurantPlan
from rowform.store.columns import own_names
from rowform.store.queries import column_list, query, sql_type
from rowform.store.read import Rows, collect, version_cursors
from rowform.store.session import Session, storage
from rowform.store.writing import Why, heed_protection, write_locked
from rowform.writes import KindWrites, Reasons, writes


@dataclass(frozen=True, slots=True)
class Origin:
    """Who applies, from what, and why: goes into the version and its audit.

    ``name`` and ``description`` become the version's, ``actor`` its creator's UUID, ``source`` the
    version's ``source``; ``reasons`` are the audit rows' reasons by kind and key. ``overruled`` is what
    the audit says of guards that were overruled.
    """

    name: str
    actor: str | None
    source: Mapping[str, Any]
    reasons: Reasons
    overruled: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The version that an apply made."""

    version_id: str
    version_number: int
    is_staged: bool = False


@dataclass(frozen=True, slots=True)
class Manner:
    """How to apply: ``stages`` leaves the active version as it is, and the new one for a later activation.

    ``unlock`` is why the active version is unlocked first, should the plan have found it locked.
    ``heeds_protection`` refuses it where direct writes are refused.
    """

    stages: bool = False
    unlock: Why | None = None
    heeds_protection: bool = False


AT_ONCE = Manner()


def apply_plan(
    session: Session,
    plan: RestaurantPlan,
    origin: Origin,
    reconnect: Callable[[], Session],
    manner: Manner = AT_ONCE,
) -> Applied:
    """Write the new version of one restaurant, and activate it unless it is to be staged.

    Args:
        session: a connection in autocommit mode, outside any transaction.
        plan: what to do. It is done exactly, or not at all.
        origin: who, from what, why.
        reconnect: makes another session, should the answer to COMMIT get lost.
        manner: how to do it.

    Raises:
        StalePlan: the active version or the newest number are not the plan's any more.
        LockedVersion: the active version is locked.
        DatabaseError: the server refused or failed; nothing was written.
    """
    version_id = str(uuid4())

    def work() -> Applied:
        newest = _under_lock(session, plan, manner)
        made = Applied(version_id, plan.actual.newest + 1, manner.stages)
        _write(session, plan, origin, manner, made, writes(plan, newest, origin.reasons))
        return made

    def went_through(other: Session, done: Applied) -> bool:
        row = other.connection.execute(
            query("version_exists", app=other.app), {"id": done.version_id}
        ).fetchone()
        return bool(row and row[0])

    create = _creation(session, plan) if plan.creates_restaurant else sql.SQL("")
    heed = heed_protection() if manner.heeds_protection else sql.SQL("")
    return write_locked(session, plan.restaurant.id, work, went_through, reconnect, heed + create)


def _creation(session: Session, plan: RestaurantPlan) -> sql.Composed:
    restaurant = plan.restaurant
    return query(
        "create_restaurant",
        app=session.app,
        id=sql.Literal(restaurant.id),
        slug=sql.Literal(restaurant.slug),
        name=sql.Literal(restaurant.name),
        timezone=sql.Literal(restaurant.timezone),
    ) + sql.SQL(";")


def _under_lock(session: Session, plan: RestaurantPlan, manner: Manner) -> Rows:
    """Check the plan's base; bring the newest version's rows.

    Nothing else need be read again: content never changes without a new version.
    """
    actual = plan.actual
    diverged = actual.newest > 0 and (actual.base is None or actual.base.version_number != actual.newest)
    with session.connection.pipeline():
        state = session.connection.execute(
            query("under_lock", app=session.app), {"restaurant": plan.restaurant.id}
        )
        cursors = version_cursors(session, plan.restaurant.id, actual.newest) if diverged else None
    # Only now: to fetch inside the pipeline is a round trip of its own.
    _check_base(plan, state.fetchone(), manner)
    return collect(session, cursors) if cursors else actual.settings


def _check_base(plan: RestaurantPlan, state: Any, manner: Manner) -> None:
    active, newest, is_locked, reason, locked_at = state
    base = plan.base
    if active != (base.version_id if base else None) or newest != plan.actual.newest:
        was = f"version {base.version_number}" if base else "no version"
        now = f"the newest is {newest}" if newest != plan.actual.newest else "another one is active"
        raise StalePlan(
            f"the plan is stale: it was made against {was}, and now {now}",
            "plan again and look at what is different",
        )
    # A lock that the plan did not know of is not to be opened unseen. A copy changes nothing.
    if base and is_locked and plan.changes and not (manner.unlock and base.is_locked):
        raise LockedVersion(
            locked(base.version_number, locked_at, reason),
            f"`rowform unlock {base.version_number}` unlocks it, `rowform apply --unlock` in the same step",
        )


def _write(
    session: Session,
    plan: RestaurantPlan,
    origin: Origin,
    manner: Manner,
    made: Applied,
    by_kind: Mapping[str, KindWrites],
) -> None:
    connection, app, base = session.connection, session.app, plan.base
    common = {
        "restaurant": plan.restaurant.id,
        "version": made.version_id,
        "number": made.version_number,
        "actor": origin.actor,
    }
    with connection.pipeline():
        if base and base.is_locked and manner.unlock:
            connection.execute(query("say_why"), manner.unlock.settings())
            connection.execute(query("set_lock", app=app), {"id": base.version_id, "locked": False})
        connection.execute(query("mark_stage" if manner.stages else "mark_write"))
        connection.execute(
            query("insert_version", app=app),
            {
                **common,
                "id": made.version_id,
                "name": origin.name,
                "description": origin.description,
                "base": base.version_id if base else None,
                "source": orjson.dumps(origin.source).decode(),
            },
        )
        if origin.overruled:
            connection.execute(query("insert_overruled", app=app), {**common, "reason": origin.overruled})
        for name, found in by_kind.items():
            _write_kind(session, session.kinds[name], found, common)
            # What is not live yet is audited when it is activated.
            if found.audit and not manner.stages:
                _audit_kind(session, session.kinds[name], found, common)
        if not manner.stages:
            connection.execute(query("deactivate", app=app), common)
            connection.execute(query("activate", app=app), {"id": made.version_id})
        connection.execute(query("unmark_write"))


def _write_kind(session: Session, kind: Kind, found: KindWrites, common: Mapping[str, Any]) -> None:
    connection, table = session.connection, storage(kind)
    if found.close:
        connection.execute(query("close_rows", table=table), {**common, "ids": found.close})
    if found.insert:
        connection.execute(_insert(kind, session.tables[kind.name]), {**common, "rows": found.rows_json()})


def _audit_kind(session: Session, kind: Kind, found: KindWrites, common: Mapping[str, Any]) -> None:
    session.connection.execute(
        query("insert_audit", app=session.app, table=storage(kind)),
        {**common, "kind": kind.name, "changes": found.audit_json()},
    )


def _insert(kind: Kind, table: RealTable) -> sql.Composed:
    """The statement that inserts rows; only what the application has of its own needs the longer one."""
    common = {
        "table": storage(kind),
        "columns": column_list(kind.column_names),
        "values": column_list(kind.column_names, "x"),
        "types": sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column.name), sql_type(column)) for column in kind.columns
        ),
    }
    if not table.own and table.has_plain_stamps:
        return query("insert_rows", **common)
    kept = ("created_at", *own_names(table))
    return query(
        "insert_rows_carrying",
        **common,
        kept=column_list(kept),
        kept_values=column_list(kept, "o"),
    )
