"""What only the owner of rowform's schema may do: that it is the owner, and where everything is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Connection, sql

from rowform.errors import DatabaseError, SchemaError
from rowform.store.ddl import TABLES, named
from rowform.store.migrate import application_schema, check
from rowform.store.queries import query


def owned_schema(connection: Connection) -> str:
    """The application's schema, once it is clear that rowform is there and this role owns it.

    Raises:
        SchemaError: rowform is not installed there, or in another version.
        DatabaseError: something belongs to a role that this one is no member of.
    """
    check(connection, {})
    schema = application_schema(connection)
    foreign = connection.execute(
        query("not_ours", schema=sql.Literal(schema), **named_tables(schema))
    ).fetchall()
    if foreign:
        what, owner = foreign[0]
        more = f", and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise DatabaseError(
            f"only the owner may do this: {what} belongs to {owner}{more}",
            "connect as the role that ran `rowform db upgrade`, or as a member of it",
            "42501",
        )
    return schema


def named_tables(schema: str) -> dict[str, sql.Literal]:
    """The parts ``restaurants``, ``versions`` and ``changes`` of a query: the tables' full names."""
    names = (named(schema, name) for name in TABLES)
    return dict(zip(("restaurants", "versions", "changes"), names, strict=True))


def first_row(
    connection: Connection, statement: sql.Composed, parameters: Mapping[str, Any] | None = None
) -> tuple[Any, ...]:
    """The one row of a query that always has one.

    Raises:
        SchemaError: it has none.
    """
    row = connection.execute(statement, parameters).fetchone()
    if row is None:
        raise SchemaError("the server gave no answer about its schema")
    return row
