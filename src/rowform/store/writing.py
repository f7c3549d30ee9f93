"""The transaction of every writer: short timeouts, the restaurant's lock first, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from psycopg import sql

from rowform.errors import DatabaseError
from rowform.store.failures import translated
from rowform.store.queries import query
from rowform.store.session import Session

T = TypeVar("T")

#: How long to wait for another writer of the same restaurant, and for a silent client.
LOCK_TIMEOUT = "10s"
IDLE_TIMEOUT = "30s"
_DEADLOCK = "40P01"
_NOTHING = sql.SQL("")


@dataclass(frozen=True, slots=True)
class Why:
    """The reason that the audit gives, and the UUID of who is responsible."""

    reason: str | None = None
    actor: str | None = None

    def settings(self) -> dict[str, str]:
        return {"reason": self.reason or "", "actor": self.actor or ""}


def write_locked(
    session: Session,
    restaurant_id: str,
    work: Callable[[], T],
    went_through: Callable[[Session, T], bool],
    reconnect: Callable[[], Session],
    first: sql.Composable = _NOTHING,
) -> T:
    """Do a piece of work in one transaction that holds the restaurant's lock; a deadlock is retried once.

    Args:
        session: a connection in autocommit mode, outside any transaction.
        restaurant_id: whose lock to take.
        work: what to do under the lock. It may run twice.
        went_through: whether the work that brought this result was committed. Asked on another
            connection, under the lock, if the answer to COMMIT got lost.
        reconnect: makes that connection.
        first: statements that come before the lock, each with a semicolon behind it: what makes the
            restaurant, if it may be new, or refuses the work.

    Returns:
        What ``work`` returned.

    Raises:
        DatabaseError: the server refused or failed; nothing was written.
    """
    begin = query(
        "begin_write",
        app=session.app,
        restaurant=sql.Literal(restaurant_id),
        lock_timeout=sql.Literal(LOCK_TIMEOUT),
        idle_timeout=sql.Literal(IDLE_TIMEOUT),
        first=first,
    )

    def once() -> T:
        with translated():
            result = _uncommitted(session.connection, begin, work)
            try:
                session.connection.execute("COMMIT")
            except psycopg.OperationalError:
                if not _happened(reconnect(), restaurant_id, result, went_through):
                    raise
            return result

    try:
        return once()
    except DatabaseError as error:
        if error.sqlstate != _DEADLOCK:
            raise
    # The other writer, which locks in another order, has gone on by now.
    return once()


def heed_protection() -> sql.Composed:
    """A statement for before the lock: refuses the work where direct writes are refused."""
    return query("heed_protection") + sql.SQL(";")


def _uncommitted(connection: psycopg.Connection, begin: sql.Composed, work: Callable[[], T]) -> T:
    """Begin, and do the work; if that fails, give the lock back if the connection still lives."""
    try:
        connection.execute(begin)
        return work()
    except BaseException:
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
        raise


def _happened(
    session: Session, restaurant_id: str, result: T, went_through: Callable[[Session, T], bool]
) -> bool:
    """Whether a COMMIT whose answer got lost has happened. The lock waits for the lost transaction's end."""
    with session.connection as connection, connection.transaction():
        connection.execute(query("lock_restaurant", app=session.app), {"restaurant": restaurant_id})
        return went_through(session, result)
