"""One version as others read it: as rows, as live clients are told it, as statements that insert it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from psycopg import sql

from rowform.kinds import Kind
from rowform.kinds.base import STAMPS
from rowform.state import read_json
from rowform.store.failures import translated
from rowform.store.queries import column_list, query
from rowform.store.session import Session
from rowform.store.told import told_fields, told_table
from rowform.wire import VERSION_FIELDS, table_name

Records = Mapping[str, list[dict[str, Any]]]


def version_records(session: Session, restaurant_id: str, version_id: str) -> Records:
    """The rows of a version by kind, in order of their keys, with ids and time stamps. One round trip.

    Raises:
        DatabaseError: the server refused or failed.
    """
    connection = session.connection
    with translated(), connection.pipeline():
        cursors = {
            kind.name: connection.execute(
                query(
                    "export_records",
                    view=_view(session, kind),
                    columns=column_list(kind.table_columns, "s"),
                    key=sql.Identifier(kind.key),
                ),
                {"restaurant": restaurant_id, "version": version_id},
            )
            for kind in session.kinds.values()
        }
        return {name: [read_json(text) for (text,) in cursor] for name, cursor in cursors.items()}


def told_version(session: Session, restaurant_id: str, version_id: str) -> dict[str, Any]:
    """A version as live clients are told it: its settings by their tables' names, and itself.

    Raises:
        DatabaseError: the server refused or failed.
    """
    tables = [told_table(kind, session.application_schema) for kind in session.kinds.values()]
    statement = query(
        "export_aggregate",
        app=session.app,
        version=told_fields(VERSION_FIELDS, "version"),
        tables=sql.SQL(", ").join(tables),
    )
    connection = session.connection
    with translated(), connection.transaction(), connection.pipeline():
        connection.execute(query("export_utc"))
        cursor = connection.execute(statement, {"restaurant": restaurant_id, "version": version_id})
        ((version, *found),) = cursor.fetchall()
    names = [table_name(kind) for kind in session.kinds.values()]
    return {
        **{name: json.loads(text) for name, text in zip(names, found, strict=True)},
        "version": json.loads(version),
    }


def insert_statements(session: Session, restaurant_id: str, version_id: str) -> list[str]:
    """The statements that put a version into the tables of an application, in order. One round trip.

    They have the columns that rowform knows; those that an application added itself are left out.

    Raises:
        DatabaseError: the server refused or failed.
    """
    connection = session.connection
    which = {"restaurant": restaurant_id, "version": version_id}
    with translated(), connection.pipeline():
        restaurant = connection.execute(query("export_restaurant", app=session.app), which)
        version = connection.execute(query("export_version", app=session.app), which)
        settings = [
            connection.execute(
                query(
                    "export_settings",
                    view=_view(session, kind),
                    kind=sql.Literal(kind.name),
                    names=_names(kind),
                    values=sql.SQL(", ").join(_quoted(kind, name) for name in kind.table_columns),
                    key=sql.Identifier(kind.key),
                ),
                which,
            )
            for kind in session.kinds.values()
        ]
        (first,) = restaurant.fetchall()
        ((before, behind),) = version.fetchall()
        rows = [text for cursor in settings for (text,) in cursor]
    return [*first, before, *rows, *([behind] if behind else ())]


def _view(session: Session, kind: Kind) -> sql.Identifier:
    return sql.Identifier(session.application_schema, kind.name)


def _names(kind: Kind) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("quote_ident({})").format(name) for name in kind.table_columns)


def _quoted(kind: Kind, name: str) -> sql.Composed:
    """A column as a literal of SQL; a day or time in ISO 8601, whatever the session's style."""
    days = {column.name for column in kind.columns if column.sql_type == "date"}
    text = "to_json(s.{}) #>> '{{}}'" if name in STAMPS or name in days else "s.{}::text"
    return sql.SQL("quote_nullable({})").format(sql.SQL(text).format(sql.Identifier(name)))
