"""`rowform db purge`: one restaurant with all its history, the only way to delete an audit trail.

The triggers that refuse this are off for the one transaction alone, in which nobody else writes.
The application's own triggers and foreign keys do what they always do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg import Connection, sql

from rowform.errors import Refused, UsageError
from rowform.store.failures import translated
from rowform.store.ownership import first_row, named_tables, owned_schema
from rowform.store.queries import query
from rowform.text import did_you_mean, escape, joined

#: rowform's books about single versions, and those about restaurants.
_VERSION_BOOKS = ("drafts", "version_births")
_RESTAURANT_BOOKS = ("activations", "members")


@dataclass(frozen=True, slots=True)
class Purged:
    """What belongs to a restaurant, or did.

    ``settings`` are stored rows of all versions; ``cascades`` the application's tables
    whose rows go along.
    """

    id: str
    slug: str | None
    name: str
    versions: int
    settings: int
    changes: int
    active: int | None
    is_locked: bool
    cascades: tuple[str, ...]


@translated()
def outlook(connection: Connection, wanted: str) -> Purged:
    """What belongs to one restaurant. Changes nothing.

    Args:
        connection: any.
        wanted: the restaurant's slug, or its id.

    Raises:
        UsageError: there is no such restaurant.
        SchemaError: the schema is another rowform's.
    """
    return _Place(connection, owned_schema(connection)).found(wanted)


@translated()
def purge(connection: Connection, wanted: str) -> Purged:
    """Delete a restaurant in one transaction; a deadlock is retried once.

    Args:
        connection: in autocommit mode and outside any transaction.
        wanted: the restaurant's slug, or its id.

    Raises:
        UsageError: there is no such restaurant.
        Refused: tables of the application still refer to it; nothing was deleted.
        DatabaseError: the server refused or failed; nothing was deleted.
    """
    place = _Place(connection, owned_schema(connection))
    try:
        return _transaction(place, wanted)
    except psycopg.errors.DeadlockDetected:
        # The other writer, which locks in another order, has gone on by now.
        return _transaction(place, wanted)


def _transaction(place: _Place, wanted: str) -> Purged:
    connection = place.connection
    try:
        connection.execute(place.begin())
        # A later statement: whoever held the lock may have changed everything.
        found = place.found(wanted)
        place.delete(found.id)
        connection.execute(sql.SQL("COMMIT"))
    except (psycopg.errors.ForeignKeyViolation, psycopg.errors.RestrictViolation) as error:
        connection.execute(sql.SQL("ROLLBACK"))
        referring = ".".join(name for name in (error.diag.schema_name, error.diag.table_name) if name)
        raise Refused(
            f"{escape(referring)} still refers to what would be deleted"
            f" ({escape(error.diag.constraint_name or 'its foreign key')}); nothing was deleted",
            "delete its rows first, or let its foreign key say ON DELETE CASCADE",
        ) from error
    except BaseException:
        if not connection.closed:
            connection.execute(sql.SQL("ROLLBACK"))
        raise
    return found


@dataclass(frozen=True)
class _Place:
    """A database that this role owns, and what to ask and to run there."""

    connection: Connection
    schema: str

    @property
    def _app(self) -> sql.Identifier:
        return sql.Identifier(self.schema)

    @cached_property
    def _kinds(self) -> list[sql.Identifier]:
        """The tables of all kinds, whoever declared them."""
        rows = self.connection.execute(query("kind_names")).fetchall()
        return [sql.Identifier("rowform", name) for (name,) in rows]

    def begin(self) -> sql.Composed:
        """Begin, and let nobody else write until the end."""
        tables = (
            sql.Identifier(self.schema, "config_versions"),
            *(sql.Identifier("rowform", name) for name in (*_VERSION_BOOKS, *_RESTAURANT_BOOKS)),
            *self._kinds,
            sql.Identifier(self.schema, "config_changes"),
            sql.Identifier("rowform", "notes"),
        )
        return query("begin_purge", app=self._app, tables=sql.SQL(", ").join(tables))

    def found(self, wanted: str) -> Purged:
        """The restaurant, with everything counted.

        Raises:
            UsageError: there is no such restaurant.
        """
        app = self._app
        row = self.connection.execute(query("restaurant_to_purge", app=app), {"wanted": wanted}).fetchone()
        if row is None:
            known = [name for (name,) in self.connection.execute(query("restaurant_names", app=app))]
            raise UsageError(
                f'there is no restaurant "{escape(wanted)}" in the database',
                did_you_mean(wanted, known) or (f"there is {escape(joined(known))}" if known else None),
            )
        id_, slug, name = row
        versions, changes, active, is_locked = self._ask(
            "purge_outlook", id_, its_change=query("its_change", app=app)
        )
        its = query("its_setting", app=app)
        settings = sum(
            self._ask("purge_count", id_, table=table, its_setting=its)[0] for table in self._kinds
        )
        cascades = self.connection.execute(query("purge_cascades", **named_tables(self.schema))).fetchall()
        return Purged(
            id_,
            slug,
            name,
            versions,
            settings,
            changes,
            active,
            bool(is_locked),
            tuple(c for (c,) in cascades),
        )

    def _ask(self, name: str, id_: str, **parts: sql.Composable) -> tuple[Any, ...]:
        return first_row(self.connection, query(name, app=self._app, **parts), {"id": id_})

    def delete(self, id_: str) -> None:
        """Delete everything that names the restaurant, its settings first."""
        triggers = self.connection.execute(query("refusing_triggers")).fetchall()
        its_setting = query("its_setting", app=self._app)
        its_change = query("its_change", app=self._app)
        for off, _ in triggers:
            self.connection.execute(off)
        for table in self._kinds:
            self._run("purge_kind", id_, table=table, its_setting=its_setting)
        self._run("purge_notes", id_, its_change=its_change)
        self._run("purge_changes", id_, its_change=its_change)
        for book in _RESTAURANT_BOOKS:
            self._run("purge_book", id_, table=sql.Identifier("rowform", book))
        for book in _VERSION_BOOKS:
            self._run("purge_version_book", id_, table=sql.Identifier("rowform", book))
        self._run("purge_versions", id_)
        self._run("purge_restaurant", id_)
        for _, on in triggers:
            self.connection.execute(on)

    def _run(self, name: str, id_: str, **parts: sql.Composable) -> None:
        self.connection.execute(query(name, app=self._app, **parts), {"id": id_})
