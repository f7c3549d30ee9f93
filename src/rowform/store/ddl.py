"""The DDL of one kind, derived from its model: storage table, indexes, triggers, view."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from rowform.errors import UsageError
from rowform.kinds.base import STAMPS, Column, Kind
from rowform.store.queries import query, sql_type

#: The application's tables that stay tables, in the order in which they refer to each other.
TABLES = ("restaurants", "config_versions", "config_changes")
#: Tables in the schema rowform that are no kind's.
BOOKS = frozenset(
    {
        "activations",
        "database",
        "drafts",
        "fresh_versions",
        "kinds",
        "members",
        "migrations",
        "notes",
        "open_versions",
        "own_writes",
        "passed_over",
        "reached",
        "staged_versions",
        "version_births",
        "write_target",
    }
)
#: What storage adds to the columns of a kind's table.
RANGE = ("entity_id", "since_version", "until_version")
_INDEXES = ("live_key", "live_entity", "past", "past_key", "since")
_IDS = ("id", "restaurant_id", "version_id")
_FIXED = {
    "id": sql.SQL("id uuid PRIMARY KEY DEFAULT gen_random_uuid()"),
    "restaurant_id": sql.SQL("restaurant_id uuid"),
    "version_id": sql.SQL("version_id uuid"),
    "created_at": sql.SQL("created_at timestamptz DEFAULT now()"),
    "updated_at": sql.SQL("updated_at timestamptz DEFAULT now()"),
}
#: Where a view's columns come from, if not from storage's column of the same name.
_SHOWN = {"id": ("setting", "entity_id"), "version_id": ("version", "id")}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a sentence for people, and the statements."""

    what: str
    statement: sql.Composed


def stored_columns(kind: Kind) -> tuple[str, ...]:
    """The names of all columns of a kind's storage table, as a new one has them."""
    return (*kind.table_columns, *RANGE)


def ensure_usable(kind: Kind) -> None:
    """Check that a kind's names leave rowform's own alone.

    Raises:
        UsageError: its table or one of its columns has a name that is taken.
    """
    if kind.name in BOOKS:
        raise UsageError(f"the kind {kind.name} has the name of one of rowform's own tables")
    taken = set(kind.column_names) & {*_IDS, *STAMPS, *RANGE}
    if taken:
        raise UsageError(
            f"the kind {kind.name} has columns that rowform adds itself: {', '.join(sorted(taken))}"
        )


def create_table(kind: Kind) -> sql.Composed:
    """The statement that makes a kind's table, before it is storage."""
    model = {column.name: column for column in kind.columns}
    columns = (_FIXED.get(name) or _definition(model[name]) for name in kind.table_columns)
    return query("kind_table", table=_table(kind), columns=sql.SQL(",\n    ").join(columns))


def add_range(kind: Kind) -> sql.Composed:
    """The statement that gives a kind's table the columns of storage."""
    return query("range_columns", table=_table(kind))


def make_storage(kind: Kind, app: sql.Identifier) -> sql.Composed:
    """The statements that make storage of a kind's table: indexes, constraints and triggers."""
    return query(
        "kind_storage",
        app=app,
        table=_table(kind),
        key=sql.Identifier(kind.key),
        **{role: sql.Identifier(name) for role, name in zip(_INDEXES, index_names(kind), strict=True)},
    )


def index_names(kind: Kind) -> tuple[str, ...]:
    """The names of the indexes that storage has besides its primary key."""
    return tuple(f"{kind.name}_{role}" for role in _INDEXES)


def _table(kind: Kind) -> sql.Identifier:
    return sql.Identifier("rowform", kind.name)


def add_columns(kind: Kind, names: Iterable[str]) -> sql.Composed:
    """The statements that add columns to a kind's storage; old rows get the default."""
    model = {column.name: column for column in kind.columns}
    return statements(
        query("kind_column", table=_table(kind), column=_FIXED.get(name) or _definition(model[name]))
        for name in names
    )


def create_view(
    kind: Kind, app: sql.Identifier, schema: str, columns: Sequence[str], computed: Collection[str] = ()
) -> sql.Composed:
    """The statements that make, or replace, the view under a kind's name, and what writes to it do.

    Args:
        kind: whose settings it shows.
        app: the application's schema.
        schema: its name.
        columns: the view's columns in order: a replaced view keeps those that it has, and
            new ones stand at its end.
        computed: those of them that PostgreSQL generates and nobody can write.
    """
    view = sql.Identifier(schema, kind.name)
    function = sql.Identifier("rowform", f"write_{kind.name}")
    shown = (
        sql.SQL("{} AS {}").format(sql.Identifier(*_SHOWN.get(name, ("setting", name))), sql.Identifier(name))
        for name in columns
    )
    return statements(
        (
            query("kind_view", view=view, app=app, table=_table(kind), columns=sql.SQL(", ").join(shown)),
            query(
                "view_defaults", view_name=named(schema, kind.name), table_name=named("rowform", kind.name)
            ),
            _writer(kind, app, function, columns, computed),
            query("view_triggers", view=view, function=function),
        )
    )


def named(schema: str, relation: str) -> sql.Literal:
    """A relation's full name as a string of SQL, for what wants to be told which one."""
    return sql.Literal(sql.Identifier(schema, relation).as_string(None))


def _writer(
    kind: Kind,
    app: sql.Identifier,
    function: sql.Identifier,
    columns: Sequence[str],
    computed: Collection[str],
) -> sql.Composed:
    """The function behind a view's triggers, with every column spelt out: plans are kept, rows are typed."""
    own = [name for name in columns if name not in (*_IDS, *STAMPS)]
    content = [name for name in own if name not in computed]
    written = [name for name in columns if name not in (*_IDS, *computed)]

    def listed(pattern: LiteralString, names: Iterable[str], between: LiteralString = ", ") -> sql.Composed:
        return sql.SQL(between).join(sql.SQL(pattern).format(name=sql.Identifier(name)) for name in names)

    return query(
        "kind_writer",
        app=app,
        function=function,
        table=_table(kind),
        kind=sql.Literal(kind.name),
        key=sql.Identifier(kind.key),
        take=listed("changed.{name} := NEW.{name};", content, " "),
        give=listed("NEW.{name} := changed.{name};", own, " "),
        merge=listed(
            "IF NEW.{name} IS DISTINCT FROM OLD.{name} THEN changed.{name} := NEW.{name}; END IF;",
            content,
            " ",
        ),
        clash=listed(
            "NEW.{name} IS DISTINCT FROM OLD.{name} AND stored.{name} IS DISTINCT FROM OLD.{name}",
            content,
            " OR ",
        ),
        changed_content=listed("changed.{name}", content),
        stored_content=listed("stored.{name}", content),
        columns=listed("{name}", written),
        changed_columns=listed("changed.{name}", written),
    )


def statements(parts: Iterable[sql.Composed]) -> sql.Composed:
    """Several statements as one text."""
    return sql.SQL(";\n").join(parts)


def _definition(column: Column) -> sql.Composed:
    """A column as CREATE TABLE and ADD COLUMN want it."""
    parts: list[sql.Composable] = [sql.Identifier(column.name), sql_type(column)]
    if not column.nullable:
        parts.append(sql.SQL("NOT NULL"))
    default = _default(column)
    if default is not None:
        parts += (sql.SQL("DEFAULT"), default)
    return sql.SQL(" ").join(parts)


def _default(column: Column) -> sql.Composable | None:
    """The column's default as SQL; ``None`` where the field is required or its default is null."""
    if column.required or column.default is None:
        return None
    if column.is_json:
        return sql.Literal(json.dumps(column.default, ensure_ascii=False)) + sql.SQL("::jsonb")
    # JSON's numbers and booleans are SQL's as well.
    if isinstance(column.default, str):
        return sql.Literal(column.default)
    return sql.Literal(json.dumps(column.default)) + sql.SQL("::") + sql_type(column)
