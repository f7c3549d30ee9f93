"""`rowform db upgrade`: what a database lacks, as one list of steps that is printed or run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import Connection, sql

from rowform import __version__
from rowform.errors import SchemaError
from rowform.kinds import kinds as all_kinds
from rowform.kinds.base import Kind
from rowform.store.adoption import (
    Choices,
    awaken_steps,
    book_steps,
    close_kind,
    close_schema,
    examine,
    kind_steps,
    last_steps,
    lock_tables,
)
from rowform.store.connection import connect
from rowform.store.ddl import (
    TABLES,
    Step,
    add_columns,
    add_range,
    create_table,
    create_view,
    ensure_usable,
    make_storage,
    named,
    statements,
    stored_columns,
)
from rowform.store.failures import UPGRADE_HINT, translated
from rowform.store.inventory import Found, look, only
from rowform.store.migrations import Migration, latest, migrations
from rowform.store.queries import query
from rowform.store.tenancy import Places, enforcement
from rowform.text import escape, joined

#: What an upgrade does about rows that do not fit, unless somebody decides otherwise: nothing.
CAREFULLY = Choices()
#: The migration that needs the application's tables in order.
_CORE = 2
#: The migration from which on there are members and policies.
_TENANCY = 5


def upgrade_database(url: str, choices: Choices = CAREFULLY, *, enforce_rls: bool = False) -> list[str]:
    """Connect to ``url`` and upgrade; see :func:`upgrade`."""
    with connect(url) as connection:
        return upgrade(connection, all_kinds(), choices, enforce_rls=enforce_rls)


@translated()
def upgrade(
    connection: Connection,
    kinds: Mapping[str, Kind],
    choices: Choices = CAREFULLY,
    *,
    enforce_rls: bool = False,
) -> list[str]:
    """Bring the schema up to date, in one transaction. An application's own tables are taken over.

    Args:
        connection: in autocommit mode and outside any transaction.
        kinds: the kinds that the database is to have.
        choices: what to do with what does not fit.
        enforce_rls: keep restaurants apart where an application did without so far.

    Returns:
        What was done, one sentence each; nothing when it was up to date.

    Raises:
        DoesNotFit: the application's tables cannot be taken over as they are.
        Refused: to keep restaurants apart would shut somebody out.
        SchemaError: the database is newer than this tool.
        DatabaseError: the server refused or failed; nothing was changed.
    """
    return [
        step.what for step in _in_transaction(connection, kinds, choices, enforce_rls=enforce_rls, run=True)
    ]


@translated()
def pending(
    connection: Connection,
    kinds: Mapping[str, Kind],
    choices: Choices = CAREFULLY,
    *,
    enforce_rls: bool = False,
) -> list[Step]:
    """What an upgrade would do, in order. Changes nothing.

    Raises:
        DoesNotFit: the application's tables cannot be taken over as they are.
        SchemaError: an upgrade is not possible.
    """
    return _in_transaction(connection, kinds, choices, enforce_rls=enforce_rls, run=False)


@translated()
def script(
    connection: Connection,
    kinds: Mapping[str, Kind],
    choices: Choices = CAREFULLY,
    *,
    enforce_rls: bool = False,
) -> str:
    """The SQL that an upgrade would run, for psql; empty when there is nothing to do.

    Raises:
        DoesNotFit: the application's tables cannot be taken over as they are.
        SchemaError: an upgrade is not possible.
    """
    return as_script(
        connection, _in_transaction(connection, kinds, choices, enforce_rls=enforce_rls, run=False)
    )


def as_script(connection: Connection, steps: Sequence[Step]) -> str:
    """Steps as SQL for psql, in one transaction; empty without any."""
    if not steps:
        return ""
    parts: list[str] = [f"-- rowform {__version__}: what `rowform db upgrade` would run here."]
    parts += (f"{query(name).as_string(connection)};" for name in ("begin_upgrade", "safe_path"))
    parts += (
        f"-- {escape(step.what)}\n{step.statement.as_string(connection).strip().rstrip(';')};"
        for step in steps
    )
    return "\n\n".join((*parts, "COMMIT;\n"))


def _in_transaction(
    connection: Connection, kinds: Mapping[str, Kind], choices: Choices, *, enforce_rls: bool, run: bool
) -> list[Step]:
    """Find out what is to be done, and do it if ``run``."""
    try:
        connection.execute(query("begin_upgrade" if run else "begin_look"))
        found = look(connection, kinds)
        connection.execute(query("safe_path"))
        if run and found.foreign:
            # What cannot be locked is said better than the server would.
            examine(connection, found.schema, found.foreign, kinds, choices, rows=False).ensure_fitting()
            connection.execute(lock_tables(found.schema, _ordered(found, kinds)))
            found = look(connection, kinds, found)
        steps = _pending(connection, kinds, found, choices)
        places = Places(found.schema, TABLES, list(kinds))
        apart = enforcement(
            connection, places, found.stored, installed=_TENANCY in found.done, wanted=enforce_rls
        )
        if apart is not None:
            steps.append(Step("Keep restaurants apart by row level security.", apart))
        if run:
            for step in steps:
                connection.execute(step.statement)
        connection.execute(sql.SQL("COMMIT"))
    except BaseException:
        if not connection.closed:
            connection.execute(sql.SQL("ROLLBACK"))
        raise
    return steps


@translated()
def check(connection: Connection, kinds: Mapping[str, Kind]) -> None:
    """Make sure that the schema is the one that this tool and these kinds need.

    Raises:
        SchemaError: tables are missing, or the schema is older or newer.
    """
    found = look(connection, kinds)
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


def _ordered(found: Found, kinds: Mapping[str, Kind]) -> list[str]:
    """The application's own tables in the one order in which they are locked."""
    return [name for name in (*TABLES, *sorted(kinds)) if name in found.foreign]


def _pending(connection: Connection, kinds: Mapping[str, Kind], found: Found, choices: Choices) -> list[Step]:
    for kind in kinds.values():
        ensure_usable(kind)
    adoption = examine(connection, found.schema, found.foreign, kinds, choices)
    adoption.ensure_fitting()
    app = sql.Identifier(found.schema)
    steps: list[Step] = []
    if adoption.tables:
        lock = lock_tables(found.schema, _ordered(found, kinds))
        steps.append(Step("Keep everybody else away from the application's tables.", lock))
    if found.make_schema:
        steps.append(Step("Create the schema rowform.", query("make_schema")))
    for migration in migrations():
        if migration.number not in found.done:
            if migration.number == _CORE:
                steps += book_steps(adoption)
            steps.append(_migrate(migration, app, found.schema))
            if migration.number == _CORE:
                steps += awaken_steps(adoption)
    if not found.done:
        made = [name for name in TABLES if name not in adoption.tables]
        record = (
            query("record_database", schema=sql.Literal(found.schema)),
            close_schema(found.schema, (*made, "config_changes_seq_seq")),
        )
        steps.append(Step(f"Record {found.schema} as the application's schema.", statements(record)))
    for kind in kinds.values():
        steps += (
            kind_steps(adoption, kind)
            if kind.name in adoption.tables
            else _kind_steps(connection, kind, found, app)
        )
    return [*steps, *last_steps(adoption, found.path)]


def _migrate(migration: Migration, app: sql.Identifier, schema: str) -> Step:
    record = query(
        "record_migration",
        number=sql.Literal(migration.number),
        title=sql.Literal(migration.name),
        checksum=sql.Literal(migration.checksum),
        tool_version=sql.Literal(__version__),
    )
    # The text comes from the package itself, which is what a literal is to guarantee.
    text = sql.SQL(migration.text)  # pyright: ignore[reportArgumentType]
    body = text.format(
        app=app,
        sequence=named(schema, "config_changes_seq_seq") + sql.SQL("::regclass"),
        restaurants=named(schema, "restaurants"),
        versions=named(schema, "config_versions"),
        changes=named(schema, "config_changes"),
    )
    return Step(f"Migration {migration.number}: {migration.name}.", body + sql.SQL("\n") + record)


def _kind_steps(connection: Connection, kind: Kind, found: Found, app: sql.Identifier) -> list[Step]:
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
        closed = close_kind(kind, "rowform")
        parts = (create_table(kind), add_range(kind), make_storage(kind, app), record, closed)
        steps.append(Step(f"Create the table rowform.{kind.name}.", statements(parts)))
    elif missing := _lacking(stored_columns(kind), stored):
        _ensure_addable(connection, kind, missing)
        steps.append(Step(f"Add {joined(missing)} to rowform.{kind.name}.", add_columns(kind, missing)))
    shown = found.shown.get(kind.name, ())
    if missing := _lacking(kind.table_columns, shown):
        computed = found.computed.get(kind.name, ())
        view = create_view(kind, app, found.schema, (*shown, *missing), computed)
        what = f"Show {joined(missing)} in" if shown else "Create"
        if not shown:
            view = statements((view, close_kind(kind, found.schema)))
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
    if bare and only(connection.execute(query("has_rows", table=table)).fetchone())[0]:
        raise SchemaError(
            f"{kind.name} has settings already, and its new {joined(bare)} has no default for them",
            "give the field a default in the kind's model",
        )
