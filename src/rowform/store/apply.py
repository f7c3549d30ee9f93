"""Apply: one transaction per restaurant, at most four round trips, or nothing.

1. ``BEGIN``, timeouts and the restaurant's lock, as one simple query
2. a later statement reads what the lock protects: is the plan still right?
3. version, rows, audit, activation and notification, as one pipeline
4. ``COMMIT``
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
import psycopg
from psycopg import sql

from rowform.errors import DatabaseError, LockedVersion, StalePlan
from rowform.kinds import Kind
from rowform.plan import RestaurantPlan
from rowform.store.failures import translated
from rowform.store.queries import column_list, query, sql_type
from rowform.store.read import Rows, collect, version_cursors
from rowform.store.session import Session, storage
from rowform.writes import KindWrites, Reasons, writes

#: How long to wait for another writer of the same restaurant, and for a silent client.
LOCK_TIMEOUT = "10s"
IDLE_TIMEOUT = "30s"
_DEADLOCK = "40P01"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who applies, from what, and why: goes into the version and its audit.

    ``name`` becomes the version's name, ``actor`` its creator's UUID, ``source`` the
    version's ``source``; ``reasons`` are the audit rows' reasons by kind and key.
    """

    name: str
    actor: str | None
    source: Mapping[str, Any]
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Applied:
    """The version that an apply made."""

    version_id: str
    version_number: int


def apply_plan(
    session: Session, plan: RestaurantPlan, origin: Origin, reconnect: Callable[[], Session]
) -> Applied:
    """Write and activate the new version of one restaurant.

    Args:
        session: a connection in autocommit mode, outside any transaction.
        plan: what to do. It is done exactly, or not at all.
        origin: who, from what, why.
        reconnect: makes another session, should the answer to COMMIT get lost.

    Raises:
        StalePlan: the active version or the newest number are not the plan's any more.
        LockedVersion: the active version is locked.
        DatabaseError: the server refused or failed; nothing was written.
    """
    version_id = str(uuid4())
    try:
        with translated():
            return _transaction(session, plan, origin, version_id, reconnect)
    except DatabaseError as error:
        if error.sqlstate != _DEADLOCK:
            raise
    # The other writer, which locks in another order, has gone on by now.
    with translated():
        return _transaction(session, plan, origin, version_id, reconnect)


def _transaction(
    session: Session,
    plan: RestaurantPlan,
    origin: Origin,
    version_id: str,
    reconnect: Callable[[], Session],
) -> Applied:
    connection = session.connection
    try:
        connection.execute(_begin(session, plan))
        newest = _under_lock(session, plan)
        number = plan.actual.newest + 1
        _write(session, plan, origin, version_id, number, writes(plan, newest, origin.reasons))
    except BaseException:
        _rollback(connection)
        raise
    try:
        connection.execute("COMMIT")
    except psycopg.OperationalError:
        if not _went_through(reconnect(), plan, version_id):
            raise
    return Applied(version_id, number)


def _rollback(connection: psycopg.Connection) -> None:
    """Give the lock back, if the connection still lives."""
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()


def _begin(session: Session, plan: RestaurantPlan) -> sql.Composed:
    restaurant = plan.restaurant
    create: sql.Composable = sql.SQL("")
    if plan.creates_restaurant:
        create = query(
            "create_restaurant",
            app=session.app,
            id=sql.Literal(restaurant.id),
            slug=sql.Literal(restaurant.slug),
            name=sql.Literal(restaurant.name),
            timezone=sql.Literal(restaurant.timezone),
        ) + sql.SQL(";")
    return query(
        "begin_write",
        app=session.app,
        restaurant=sql.Literal(restaurant.id),
        lock_timeout=sql.Literal(LOCK_TIMEOUT),
        idle_timeout=sql.Literal(IDLE_TIMEOUT),
        create_restaurant=create,
    )


def _under_lock(session: Session, plan: RestaurantPlan) -> Rows:
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
    _check_base(plan, state.fetchone())
    return collect(session.kinds, cursors) if cursors else actual.settings


def _check_base(plan: RestaurantPlan, state: Any) -> None:
    active, newest, is_locked = state
    base = plan.base
    if active != (base.version_id if base else None) or newest != plan.actual.newest:
        was = f"version {base.version_number}" if base else "no version"
        now = f"the newest is {newest}" if newest != plan.actual.newest else "another one is active"
        raise StalePlan(
            f"the plan is stale: it was made against {was}, and now {now}",
            "plan again and look at what is different",
        )
    if base and is_locked:
        raise LockedVersion(
            f"the active version {base.version_number} is locked",
            "unlock it first",
        )


def _write(
    session: Session,
    plan: RestaurantPlan,
    origin: Origin,
    version_id: str,
    number: int,
    by_kind: Mapping[str, KindWrites],
) -> None:
    connection, app, base = session.connection, session.app, plan.base
    common = {
        "restaurant": plan.restaurant.id,
        "version": version_id,
        "number": number,
        "actor": origin.actor,
    }
    with connection.pipeline():
        connection.execute(query("mark_write"))
        connection.execute(
            query("insert_version", app=app),
            {
                **common,
                "id": version_id,
                "name": origin.name,
                "base": base.version_id if base else None,
                "source": orjson.dumps(origin.source).decode(),
            },
        )
        for name, found in by_kind.items():
            _write_kind(session, session.kinds[name], found, common)
        connection.execute(query("deactivate", app=app), common)
        connection.execute(query("activate", app=app), {"id": version_id})
        connection.execute(query("unmark_write"))


def _write_kind(session: Session, kind: Kind, found: KindWrites, common: Mapping[str, Any]) -> None:
    connection, table = session.connection, storage(kind)
    names = kind.column_names
    if found.close:
        connection.execute(query("close_rows", table=table), {**common, "ids": found.close})
    if found.insert:
        types = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column.name), sql_type(column)) for column in kind.columns
        )
        connection.execute(
            query(
                "insert_rows",
                table=table,
                columns=column_list(names),
                values=column_list(names, "x"),
                types=types,
            ),
            {**common, "rows": found.rows_json()},
        )
    if found.audit:
        connection.execute(
            query("insert_audit", app=session.app, table=table),
            {**common, "kind": kind.name, "changes": found.audit_json()},
        )


def _went_through(session: Session, plan: RestaurantPlan, version_id: str) -> bool:
    """Whether a COMMIT whose answer got lost has happened. The lock waits for the lost transaction's end."""
    with session.connection as connection, connection.transaction():
        connection.execute(query("lock_restaurant", app=session.app), {"restaurant": plan.restaurant.id})
        row = connection.execute(query("version_exists", app=session.app), {"id": version_id}).fetchone()
    return bool(row and row[0])
