"""What there is of rowform in a database, and under its names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from rowform.errors import SchemaError
from rowform.kinds.base import Kind
from rowform.store.ddl import TABLES
from rowform.store.migrations import latest, migrations
from rowform.store.queries import query
from rowform.text import joined, quote


@dataclass(frozen=True, slots=True)
class Found:
    """What there is: ``stored`` and ``shown`` are the columns of the kinds' tables and views.

    ``computed`` are those of them that PostgreSQL generates; ``foreign`` are the
    application's own tables under names that are ours. ``path`` is where it finds what it
    names, its own schema first.
    """

    schema: str
    path: Sequence[str]
    make_schema: bool
    done: Mapping[int, str]
    stored: Mapping[str, Sequence[str]]
    shown: Mapping[str, Sequence[str]]
    computed: Mapping[str, Sequence[str]]
    foreign: Sequence[str]


def look(connection: Connection, kinds: Mapping[str, Kind], known: Found | None = None) -> Found:
    """Read what the database has; refuse what cannot be rowform's.

    Args:
        connection: where to look.
        kinds: the kinds that the database is to have.
        known: what was found before the search_path was another one.
    """
    schema, exists, installed, occupied, path = only(connection.execute(query("where_we_are")).fetchone())
    done: dict[int, str] = {}
    if installed:
        schema, checksums = only(connection.execute(query("migrations_done")).fetchone())
        done = {int(number): checksum for number, checksum in checksums.items()}
    elif occupied:
        raise SchemaError("there is a schema rowform, but it is not this tool's", "rename or drop it")
    if known is not None:
        schema, path = known.schema, known.path
    if schema is None:
        raise SchemaError(
            "it is not clear where the application's tables belong: the search_path leads to no schema",
            "let the search_path of this role begin with the application's schema",
        )
    if "$" in schema:  # it would end the functions' bodies
        raise SchemaError(f"the application's schema is called {quote(schema)}", "use one without a $")
    _ensure_known(done)
    rows = connection.execute(
        query("relations"),
        {"kinds": list(kinds), "names": [*TABLES, *kinds], "application_schema": schema},
    ).fetchall()
    stored = {name: columns for where, name, _, columns, _ in rows if where == "rowform"}
    computed = {name: columns for where, name, _, _, columns in rows if where == "rowform"}
    there = {name: (sort, columns) for where, name, sort, columns, _ in rows if where == schema}
    # A view of that name is ours if its storage is.
    shown = {name: columns for name, (sort, columns) in there.items() if sort == "v" and name in stored}
    foreign = [name for name in there if name not in shown and not (done and name in TABLES)]
    if both := sorted(set(foreign) & set(stored)):
        raise SchemaError(
            f"{joined(f'{schema}.{name}' for name in both)} {'is' if len(both) == 1 else 'are'} in the way"
            " of the view of that name",
            "rename it",
        )
    path = [schema, *(name for name in path if name != schema)]
    return Found(schema, path, not exists, done, stored, shown, computed, foreign)


def _ensure_known(done: Mapping[int, str]) -> None:
    """Every migration that the database has had must be one of ours, word for word."""
    if done and max(done) > latest():
        raise SchemaError(
            f"the database's schema {max(done)} is newer than this rowform, which knows {latest()}",
            "upgrade rowform itself: pip install --upgrade rowform",
        )
    for migration in migrations():
        if done.get(migration.number, migration.checksum) != migration.checksum:
            raise SchemaError(
                f"the database had another migration {migration.number} than this rowform's",
                "use the rowform that upgraded it, or a released one",
            )


def only(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """The row of a question that always has one."""
    if row is None:
        raise SchemaError("the server gave no answer about its schema")
    return row
