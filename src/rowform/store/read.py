"""Rows of the database as settings: what is active, what a version contains, what happened."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from psycopg import Cursor, sql

from rowform.diff import Stored
from rowform.errors import UsageError
from rowform.fit import RealTable
from rowform.kinds import Kind
from rowform.kinds.base import Column
from rowform.plan import UNPLANNED, Actual, Base
from rowform.staged import Staged
from rowform.state import Content, Entry, canonical, number, read_json
from rowform.store.columns import own_names
from rowform.store.failures import translated
from rowform.store.queries import query
from rowform.store.session import Session, storage
from rowform.text import utc

Rows = Mapping[str, Mapping[str, Stored]]


@dataclass(frozen=True, slots=True)
class Version:
    """One row of ``config_versions``, and how many changes its first activation made.

    ``state`` is ``active``, ``draft`` (the application is filling it), ``staged`` (complete, never
    active yet) or ``inactive``.
    """

    id: str
    number: int
    name: str | None
    description: str | None
    is_active: bool
    is_locked: bool
    created_at: datetime | None
    created_by: str | None
    source: Mapping[str, Any]
    base: int | None
    added: int
    changed: int
    destroyed: int
    state: str
    lock_reason: str | None
    locked_at: datetime | None

    def created(self) -> str:
        """When it was made, in UTC, to the second."""
        return utc(self.created_at) if self.created_at else ""

    def to_json(self) -> dict[str, Any]:
        return {
            "version_id": self.id,
            "version_number": self.number,
            "name": self.name,
            "description": self.description,
            "state": self.state,
            "is_active": self.is_active,
            "is_locked": self.is_locked,
            "lock_reason": self.lock_reason,
            "locked_at": self.locked_at.isoformat() if self.locked_at else None,
            "created_at": self.created_at.isoformat() if self.created_at else None,
            "created_by": self.created_by,
            "base_version_number": self.base,
            "source": dict(self.source),
            "summary": {"create": self.added, "update": self.changed, "delete": self.destroyed},
        }


@contextmanager
def one_snapshot(session: Session) -> Generator[None]:
    """Everything that is read inside is of one moment. Not for what begins a transaction itself.

    After an error the connection is of no more use.

    Raises:
        DatabaseError: the server refused or failed.
    """
    with translated():
        session.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
        session.connection.execute("COMMIT")


def snapshot(session: Session, wanted: Mapping[str, Content]) -> Mapping[str, Actual]:
    """What the database has of every restaurant, by id; the active content of those that are ``wanted``.

    One snapshot of the database in one round trip, whatever the number of restaurants. Keys
    that ``wanted`` has and the database lacks cost a second one: who were they before?

    Raises:
        DatabaseError: the server refused or failed.
    """
    connection = session.connection
    with translated(), connection.pipeline():
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        overview = connection.execute(query("restaurants", app=session.app), {"direct": list(UNPLANNED)})
        cursors = {
            kind.name: connection.execute(
                query("active_rows", app=session.app, table=storage(kind), columns=selected(kind, session)),
                {"restaurants": list(wanted)},
            )
            for kind in (session.kinds.values() if wanted else ())
        }
        connection.execute("COMMIT")
    # Only now: to fetch inside the pipeline is a round trip of its own.
    heads = overview.fetchall()
    content: dict[str, dict[str, dict[str, Stored]]] = {}
    for name, cursor in cursors.items():
        for restaurant, stored in stored_settings(session.kinds[name], cursor, session.tables[name]):
            content.setdefault(restaurant, {}).setdefault(name, {})[stored.entry.key] = stored
    found = {head[0]: _actual(head, content.get(head[0], {})) for head in heads}
    missing = {
        id_: keys
        for id_, one in found.items()
        if id_ in wanted and one.newest and (keys := one.missing(wanted[id_]))
    }
    for id_, former in former_identities(session, missing).items() if missing else ():
        found[id_] = replace(found[id_], former=former)
    return found


def _actual(head: Sequence[Any], settings: Rows) -> Actual:
    restaurant_id, slug, name, timezone, newest, *rest = head
    version_id, version_number, is_locked, *facts = rest[:8]
    staged = rest[8:]
    base = None
    if version_id is not None:
        base = Base(version_id, version_number, newest, bool(is_locked), *facts)
    return Actual(
        restaurant_id,
        slug,
        name,
        timezone,
        True,
        newest or 0,
        base,
        settings,
        staged=Staged(*staged) if staged[0] is not None else None,
    )


def former_identities(
    session: Session, wanted: Mapping[str, Mapping[str, Sequence[str]]]
) -> dict[str, dict[str, dict[str, str]]]:
    """Who the settings of some keys were in older versions, by restaurant, kind and key. One round trip.

    Args:
        session: where to look.
        wanted: the keys by restaurant's id and kind.

    Raises:
        DatabaseError: the server refused or failed.
    """
    found: dict[str, dict[str, dict[str, str]]] = {}
    pairs = [
        (restaurant, kind, key)
        for restaurant, kinds in wanted.items()
        for kind, keys in kinds.items()
        for key in keys
    ]
    with translated(), session.connection.pipeline():
        cursors = {
            name: session.connection.execute(
                query("former_identities", table=storage(kind), key=sql.Identifier(kind.key)),
                {
                    "restaurants": [restaurant for restaurant, of, _ in pairs if of == name],
                    "keys": [key for _, of, key in pairs if of == name],
                },
            )
            for name, kind in session.kinds.items()
            if any(of == name for _, of, _ in pairs)
        }
        for name, cursor in cursors.items():
            for restaurant, key, entity in cursor:
                found.setdefault(restaurant, {}).setdefault(name, {})[key] = entity
    return found


def version_rows(session: Session, restaurant_id: str, number_: int) -> Rows:
    """The content of one version, active or not. One round trip.

    Raises:
        DatabaseError: the server refused or failed.
    """
    connection = session.connection
    with translated(), connection.pipeline():
        cursors = version_cursors(session, restaurant_id, number_)
        return collect(session, cursors)


def version_cursors(session: Session, restaurant_id: str, number_: int) -> Mapping[str, Cursor[Any]]:
    """The queries behind :func:`version_rows`, for a caller that runs its own pipeline."""
    return {
        kind.name: session.connection.execute(
            query("version_rows", table=storage(kind), columns=selected(kind, session)),
            {"restaurant": restaurant_id, "number": number_},
        )
        for kind in session.kinds.values()
    }


def collect(session: Session, cursors: Mapping[str, Cursor[Any]]) -> Rows:
    """The settings that cursors of :func:`version_cursors` bring."""
    return {
        name: {
            stored.entry.key: stored
            for _, stored in stored_settings(session.kinds[name], cursor, session.tables[name])
        }
        for name, cursor in cursors.items()
    }


def content_of(rows: Rows) -> Content:
    """Stored settings as plain content."""
    return {kind: {key: one.entry for key, one in entries.items()} for kind, entries in rows.items()}


def history(
    session: Session, restaurant_id: str, number_: int | None = None, limit: int | None = None
) -> list[Version]:
    """The versions of a restaurant, newest first; only ``number_`` if one is given.

    Raises:
        DatabaseError: the server refused or failed.
    """
    with translated():
        rows = session.connection.execute(
            query("history", app=session.app),
            {"restaurant": restaurant_id, "number": number_, "limit": limit},
        ).fetchall()
    return [Version(*row) for row in rows]


def one_version(session: Session, restaurant_id: str, number_: int) -> Version:
    """One version of a restaurant.

    Raises:
        UsageError: there is no such version.
        DatabaseError: the server refused or failed.
    """
    found = history(session, restaurant_id, number_)
    if not found:
        raise UsageError(f"there is no version {number_}", "`rowform history` lists the versions")
    return found[0]


def selected(kind: Kind, session: Session) -> sql.Composed:
    """The model's columns of a table ``s``, for a statement with parameters.

    As text is read what psycopg would turn into slow or failing objects, and what has another type than
    the model's: the blanks that pad a ``char(n)`` are no part of its text. The last column stands for what
    is in those of the application's own, if there are any.
    """
    table = session.tables[kind.name]
    columns: list[sql.Composable] = [
        sql.SQL("s.{}::text").format(sql.Identifier(column.name))
        if column.sql_type in ("jsonb", "numeric", "date") or column.name in table.retyped
        else sql.SQL("s.{}").format(sql.Identifier(column.name))
        for column in kind.columns
    ]
    if table.own:
        own = sql.SQL(", ").join(sql.Identifier("s", name) for name in own_names(table))
        columns.append(sql.SQL("md5(ROW({})::text)").format(own))
    return sql.SQL(", ").join(columns)


@lru_cache(maxsize=4096)
def _numeric(text: str) -> int | float | str:
    """A NUMERIC's text as a number; NaN and the infinities stay text, as JSON has no word for them."""
    try:
        return number(int(text))
    except ValueError:
        value = float(text)
        return number(value) if value - value == 0 else text


_CONVERT: Mapping[str, Callable[[str], Any]] = {"jsonb": read_json, "numeric": _numeric}


def stored_settings(
    kind: Kind, rows: Iterable[Sequence[Any]], table: RealTable | None = None
) -> Iterable[tuple[str, Stored]]:
    """Each row as its restaurant's id and the setting; without ``table`` it is as the model has it."""
    names = kind.column_names
    converters = [
        (index, convert)
        for index, column in enumerate(kind.columns)
        if (convert := _converter(column, table)) is not None
    ]
    key_index = names.index(kind.key)
    has_own = table is not None and bool(table.own)
    for row in rows:
        restaurant, row_id, entity_id, *values = row
        own = values.pop() if has_own else None
        for index, convert in converters:
            if values[index] is not None:
                values[index] = convert(values[index])
        full = dict(zip(names, values, strict=True))
        found = Entry(kind.name, values[key_index], full, canonical(full))
        yield restaurant, Stored(found, row_id, entity_id, own)


def _converter(column: Column, table: RealTable | None) -> Callable[[str], Any] | None:
    if table is not None and column.sql_type == "integer" and column.name in table.retyped:
        return _numeric
    return _CONVERT.get(column.sql_type)
