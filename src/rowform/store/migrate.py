"""`rowform db upgrade`: what a database lacks, as one list of steps that is printed or run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from rowform import __version__
from rowform.errors import SchemaError
from rowform.kinds import kinds as all_kinds
from rowform.kinds.base import Kind
from rowform.store.connection import connect
from rowform.store.ddl import add_columns, create_table, create_view, ensure_usable, stored_columns
from rowform.store.failures import UPGRADE_HINT, translated
from rowform.store.migrations import Migration, latest, migrations
from rowform.store.queries import query
from rowform.text import joined, quote

#: The application's tables that stay tables.
TABLES = ("restaurants", "config_versions", "config_changes")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a sentence for people, and the statements."""

    what: str
    statement: sql.Composed


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is: ``stored`` and ``shown`` are the columns of the kinds' tables and views."""

    schema: str
    make_schema: bool
    done: Mapping[int, str]
    stored: Mapping[str, Sequence[str]]
    shown: Mapping[str, Sequence[str]]


def upgrade_database(url: str) -> list[str]:
    """Connect to ``url`` and upgrade; see :func:`upgrade`."""
    with connect(url) as connection:
        return upgrade(connection, all_kinds())


@translated()
def upgrade(connection: Connection, kinds: Mapping[str, Kind]) -> list[str]:
    """Bring the schema up to date, in one transaction.

    Args:
        connection: in autocommit mode and outside any transaction.
        kinds: the kinds that the database is to have.

    Returns:
        What was done, one sentence each; nothing when it was up to date.

    Raises:
        SchemaError: the database is newer than this tool, or tables are in the way.
        DatabaseError: the server refused or failed; nothing was changed.
    """
    try:
        connection.execute(query("begin_upgrade"))
        steps = _pending(connection, kinds)
        connection.execute(query("safe_path"))
        for step in steps:
            connection.execute(step.statement)
        connection.execute(sql.SQL("COMMIT"))
    except BaseException:
        if not connection.closed:
            connection.execute(sql.SQL("ROLLBACK"))
        raise
    return [step.what for step in steps]


@translated()
def pending(connection: Connection, kinds: Mapping[str, Kind]) -> list[Step]:
    """What an upgrade would do, in order. Changes nothing.

    Raises:
        SchemaError: an upgrade is not possible.
    """
    return _pending(connection, kinds)


@translated()
def script(connection: Connection, kinds: Mapping[str, Kind]) -> str:
    """The SQL that an upgrade would run, for psql; empty when there is nothing to do.

    Raises:
        SchemaError: an upgrade is not possible.
    """
    steps = _pending(connection, kinds)
    if not steps:
        return ""
    parts: list[str] = [f"-- rowform {__version__}: what `rowform db upgrade` would run here."]
    parts += (f"{query(name).as_string(connection)};" for name in ("begin_upgrade", "safe_path"))
    parts += (
        f"-- {step.what}\n{step.statement.as_string(connection).strip().rstrip(';')};" for step in steps
    )
    return "\n\n".join((*parts, "COMMIT;\n"))


@translated()
def check(connection: Connection, kinds: Mapping[str, Kind]) -> None:
    """Make sure that the schema is the one that this tool and these kinds need.

    Raises:
        SchemaError: tables are missing, or the schema is older or newer.
    """
    found = _look(connection, kinds)
    if not found.done:
        raise SchemaError("the database has no rowform tables yet", UPGRADE_HINT)
    if max(found.done) < latest():
        raise SchemaError(
            f"the database's schema {max(found.done)} is older than this rowform, which needs {latest()}",
            UPGRADE_HINT,
        )
    for kind in kinds.values():
        if kind.name not in found.stored:
            raise SchemaError(f"the database has no table for {kind.name}", UPGRADE_HINT)
        if kind.name not in found.shown:
            raise SchemaError(f"the view {found.schema}.{kind.name} is missing", UPGRADE_HINT)
        lacking = _lacking(kind.table_columns, found.stored[kind.name], found.shown[kind.name])
        if lacking:
            raise SchemaError(f"{kind.name} lacks {joined(lacking)} in the database", UPGRADE_HINT)


@translated()
def database_id(connection: Connection) -> str:
    """The id that this database got when rowform was installed in it."""
    return _database_row(connection)[0]


@translated()
def application_schema(connection: Connection) -> str:
    """The schema in which the application's tables and views are."""
    return _database_row(connection)[1]


def _database_row(connection: Connection) -> tuple[str, str]:
    row = connection.execute(query("database_row")).fetchone()
    if row is None:
        raise SchemaError("rowform.database is empty", "restore the database from a backup")
    return row


def _look(connection: Connection, kinds: Mapping[str, Kind]) -> _Found:
    """Read what the database has; refuse what cannot be rowform's."""
    schema, exists, installed, occupied = _one(connection.execute(query("where_we_are")).fetchone())
    done: dict[int, str] = {}
    if installed:
        schema, checksums = _one(connection.execute(query("migrations_done")).fetchone())
        done = {int(number): checksum for number, checksum in checksums.items()}
    elif occupied:
        raise SchemaError("there is a schema rowform, but it is not this tool's", "rename or drop it")
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
    stored = {name: columns for where, name, _, columns in rows if where == "rowform"}
    there = {name: (sort, columns) for where, name, sort, columns in rows if where == schema}
    # A view of that name is ours if its storage is.
    shown = {name: columns for name, (sort, columns) in there.items() if sort == "v" and name in stored}
    foreign = sorted(name for name in there if name not in shown and not (done and name in TABLES))
    if foreign:
        raise SchemaError(
            f"{joined(f'{schema}.{name}' for name in foreign)} already"
            f" {'exists' if len(foreign) == 1 else 'exist'}; taking over an existing application's tables"
            " is not available in this version yet",
            "use a database or a schema of its own",
        )
    return _Found(schema, not exists, done, stored, shown)


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


def _pending(connection: Connection, kinds: Mapping[str, Kind]) -> list[Step]:
    for kind in kinds.values():
        ensure_usable(kind)
    found = _look(connection, kinds)
    app = sql.Identifier(found.schema)
    steps: list[Step] = []
    if found.make_schema:
        steps.append(Step("Create the schema rowform.", query("make_schema")))
    steps += (
        _migrate(migration, app, found.schema)
        for migration in migrations()
        if migration.number not in found.done
    )
    if not found.done:
        steps.append(
            Step(
                f"Record {found.schema} as the application's schema.",
                query("record_database", schema=sql.Literal(found.schema)),
            )
        )
    for kind in kinds.values():
        steps += _kind_steps(connection, kind, found, app)
    return steps


def _migrate(migration: Migration, app: sql.Identifier, schema: str) -> Step:
    # nextval() wants the sequence's name as a value.
    sequence = sql.Literal(sql.Identifier(schema, "config_changes_seq_seq").as_string(None))
    record = query(
        "record_migration",
        number=sql.Literal(migration.number),
        title=sql.Literal(migration.name),
        checksum=sql.Literal(migration.checksum),
        tool_version=sql.Literal(__version__),
    )
    # The text comes from the package itself, which is what a literal is to guarantee.
    text = sql.SQL(migration.text)  # pyright: ignore[reportArgumentType]
    body = text.format(app=app, sequence=sequence + sql.SQL("::regclass"))
    return Step(f"Migration {migration.number}: {migration.name}.", body + sql.SQL("\n") + record)


def _kind_steps(connection: Connection, kind: Kind, found: _Found, app: sql.Identifier) -> list[Step]:
    """What one kind lacks: its table or columns of it, and the view or columns of that."""
    steps: list[Step] = []
    stored = found.stored.get(kind.name)
    if stored is None:
        record = query(
            "record_kind",
            kind=sql.Literal(kind.name),
            key=sql.Literal(kind.key),
            tool_version=sql.Literal(__version__),
        )
        table = create_table(kind, app) + sql.SQL(";\n") + record
        steps.append(Step(f"Create the table rowform.{kind.name}.", table))
    elif missing := _lacking(stored_columns(kind), stored):
        _ensure_addable(connection, kind, missing)
        steps.append(Step(f"Add {joined(missing)} to rowform.{kind.name}.", add_columns(kind, missing)))
    shown = found.shown.get(kind.name, ())
    if missing := _lacking(kind.table_columns, shown):
        view = create_view(kind, app, found.schema, (*shown, *missing))
        what = f"Show {joined(missing)} in" if shown else "Create"
        steps.append(Step(f"{what} the view {found.schema}.{kind.name}.", view))
    return steps


def _lacking(wanted: Sequence[str], *there: Sequence[str]) -> list[str]:
    return [name for name in wanted if any(name not in columns for columns in there)]


def _ensure_addable(connection: Connection, kind: Kind, names: Sequence[str]) -> None:
    """A column can be added if it is the model's, and rows that exist have a value for it."""
    model = {column.name: column for column in kind.columns}
    lost = [name for name in names if name not in model]
    if lost:
        raise SchemaError(
            f"rowform.{kind.name} has lost {joined(lost)}", "restore the database from a backup"
        )
    bare = [name for name in names if model[name].required and not model[name].nullable]
    table = sql.Identifier("rowform", kind.name)
    if bare and _one(connection.execute(query("has_rows", table=table)).fetchone())[0]:
        raise SchemaError(
            f"{kind.name} has settings already, and its new {joined(bare)} has no default for them",
            "give the field a default in the kind's model",
        )


def _one(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    if row is None:
        raise SchemaError("the server gave no answer about its schema")
    return row
