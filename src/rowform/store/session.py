"""A connection to a database that rowform has been installed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import Connection, sql

from rowform.errors import SchemaError
from rowform.fit import RealTable
from rowform.kinds import Kind
from rowform.store.columns import has_all, real_tables
from rowform.store.connection import connect
from rowform.store.failures import translated
from rowform.store.migrate import check
from rowform.store.migrations import latest
from rowform.store.queries import query


@dataclass(frozen=True, slots=True)
class Session:
    """A checked connection: the schema is there and of the right version.

    ``application_schema`` is where the seed's tables and views are; ``tables`` are the kinds' as they
    really are.
    """

    connection: Connection
    database_id: str
    application_schema: str
    kinds: Mapping[str, Kind]
    tables: Mapping[str, RealTable]

    @property
    def app(self) -> sql.Identifier:
        return sql.Identifier(self.application_schema)


def open_session(url: str, kinds: Mapping[str, Kind]) -> Session:
    """Connect, and make sure that the database is ready for this rowform and these kinds.

    Raises:
        ConnectionFailed: the server cannot be reached or refuses.
        SchemaError: rowform is not installed there, or in another version.
    """
    connection = connect(url)
    try:
        with translated():
            return _checked(connection, kinds)
    except BaseException:
        connection.close()
        raise


def _checked(connection: Connection, kinds: Mapping[str, Kind]) -> Session:
    try:
        row = connection.execute(query("installation"), {"kinds": list(kinds)}).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        row = None
    if row is not None:
        database_id, schema, number, facts = row
        if number == latest() and has_all(kinds, facts):
            return Session(connection, database_id, schema, kinds, real_tables(kinds, facts))
    # Something is amiss: find out what, at leisure.
    check(connection, kinds)
    raise SchemaError("the database's schema is not usable", "run `rowform db status`")


def storage(kind: Kind) -> sql.Identifier:
    """The table that holds a kind's row versions."""
    return sql.Identifier("rowform", kind.name)
