"""Refusing direct writes to settings, and allowing them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import Connection

from rowform.errors import SchemaError
from rowform.store.failures import UPGRADE_HINT, translated
from rowform.store.queries import query


@dataclass(frozen=True, slots=True)
class Protection:
    """Since when direct writes are refused, and where the refusal says that settings are managed."""

    since: datetime | None
    managed_in: str | None


@translated()
def protection(connection: Connection) -> Protection:
    """Whether direct writes are refused at present.

    Raises:
        SchemaError: rowform is not installed there.
    """
    row = connection.execute(query("protection")).fetchone()
    if row is None:
        raise SchemaError("the database has no rowform tables yet", UPGRADE_HINT)
    return Protection(*row)


@translated()
def set_protection(connection: Connection, managed_in: str | None) -> None:
    """Refuse direct writes from now on, or allow them.

    Once this has returned no direct write is accepted any more: it waits for transactions that
    have written directly and not ended yet, while new ones wait for it.

    Args:
        connection: in autocommit mode and outside any transaction.
        managed_in: what people whose write is refused read; ``None`` allows direct writes.

    Raises:
        DatabaseError: the server refused or failed, or a direct writer takes too long.
    """
    try:
        connection.execute(query("begin_protection"))
        if managed_in is None:
            connection.execute(query("unprotect"))
        else:
            connection.execute(query("protect"), {"managed_in": managed_in})
        connection.execute("COMMIT")
    except BaseException:
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
        raise
