"""`rowform db remove`: plain tables of the active versions, and nothing of rowform's any more."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import Connection, sql

from rowform import __version__
from rowform.store.dismantling import dismantling
from rowform.store.failures import translated
from rowform.store.ownership import first_row
from rowform.store.queries import query

#: What a transaction that alters tables begins with.
_OPENING = ("begin_upgrade", "safe_path", "check_at_once")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What there is, and what of it will be lost: the contents of ``past`` versions and ``drafts``."""

    tables: tuple[str, ...]
    restaurants: int
    settings: int
    versions: int
    past: int
    drafts: int
    changes: int


@translated()
def outlook(connection: Connection) -> Outlook | None:
    """What a removal would do; ``None`` if rowform is not there. Changes nothing.

    Raises:
        SchemaError: the schema is another rowform's.
        Refused: objects of others depend on rowform's.
    """
    if not _is_installed(connection):
        return None
    with _looking(connection):
        work = dismantling(connection)
        work.steps()  # refuses what is in the way
        live = (
            query("live_counts", app=work.app, view=table.plain, kind=sql.Literal(table.name))
            for table in work.tables
        )
        settings = sum(row[2] for row in connection.execute(sql.SQL("\nUNION ALL\n").join(live)))
        counts = first_row(connection, query("removal_outlook", app=work.app))
    restaurants, versions, past, drafts, changes = counts
    names = tuple(f"{work.schema}.{table.name}" for table in work.tables)
    return Outlook(names, restaurants, settings, versions, past, drafts, changes)


@translated()
def remove(connection: Connection) -> list[str]:
    """Take rowform out, in one transaction.

    Args:
        connection: in autocommit mode and outside any transaction.

    Returns:
        What was done, one sentence each; nothing if rowform is not there.

    Raises:
        SchemaError: the schema is another rowform's.
        Refused: objects of others depend on rowform's; nothing was changed.
        DatabaseError: the server refused or failed; nothing was changed.
    """
    if not _is_installed(connection):
        return []
    try:
        for name in _OPENING:
            connection.execute(query(name))
        connection.execute(dismantling(connection).lock())
        # A later statement: whoever held the lock may have changed everything.
        steps = dismantling(connection).steps()
        for step in steps:
            connection.execute(step.statement)
        connection.execute(sql.SQL("COMMIT"))
    except BaseException:
        if not connection.closed:
            connection.execute(sql.SQL("ROLLBACK"))
        raise
    return [step.what for step in steps]


@translated()
def script(connection: Connection) -> str:
    """The SQL that a removal would run, for psql; empty if rowform is not there.

    Raises:
        SchemaError: the schema is another rowform's.
        Refused: objects of others depend on rowform's.
    """
    if not _is_installed(connection):
        return ""
    with _looking(connection):
        work = dismantling(connection)
        opening = (*(query(name) for name in _OPENING), work.lock())
        steps = work.steps()
    parts = [f"-- rowform {__version__}: what `rowform db remove` would run here."]
    parts += (f"{statement.as_string(connection)};" for statement in opening)
    parts += (f"-- {step.what}\n{step.statement.as_string(connection)};" for step in steps)
    return "\n\n".join((*parts, "COMMIT;\n"))


def _is_installed(connection: Connection) -> bool:
    return bool(first_row(connection, query("is_installed"))[0])


@contextmanager
def _looking(connection: Connection) -> Generator[None]:
    """A transaction that looks, with full names in what PostgreSQL writes, and leaves nothing."""
    connection.execute(sql.SQL("BEGIN READ ONLY"))
    try:
        connection.execute(query("safe_path"))
        yield
    finally:
        if not connection.closed:
            connection.execute(sql.SQL("ROLLBACK"))
