"""The DDL of one kind, derived from its model: storage table, indexes, triggers, view."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from psycopg import sql

from rowform.errors import UsageError
from rowform.kinds.base import STAMPS, Column, Kind
from rowform.store.queries import query, sql_type

#: Tables in the schema rowform that are no kind's.
BOOKS = frozenset(
    {"database", "migrations", "kinds", "own_writes", "version_births", "fresh_versions", "members"}
)
#: What storage adds to the columns of a kind's table.
RANGE = ("entity_id", "since_version", "until_version")
_IDS = ("id", "restaurant_id", "version_id")
_FIXED = {
    "id": sql.SQL("id uuid PRIMARY KEY DEFAULT gen_random_uuid()"),
    "restaurant_id": sql.SQL("restaurant_id uuid NOT NULL"),
    "version_id": sql.SQL("version_id uuid NOT NULL"),
    "created_at": sql.SQL("created_at timestamptz DEFAULT now()"),
    "updated_at": sql.SQL("updated_at timestamptz DEFAULT now()"),
}
_FIXED_DEFAULTS = {
    "id": sql.SQL("gen_random_uuid()"),
    "created_at": sql.SQL("now()"),
    "updated_at": sql.SQL("now()"),
}
#: Where a view's columns come from, if not from storage's column of the same name.
_SHOWN = {"id": ("setting", "entity_id"), "version_id": ("version", "id")}


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


def create_table(kind: Kind, app: sql.Identifier) -> sql.Composed:
    """The statements that make a kind's storage, with its indexes, constraints and triggers."""
    model = {column.name: column for column in kind.columns}
    columns = (_FIXED.get(name) or _definition(model[name]) for name in kind.table_columns)
    return query(
        "kind_table",
        app=app,
        table=sql.Identifier("rowform", kind.name),
        key=sql.Identifier(kind.key),
        columns=sql.SQL(",\n    ").join(columns),
        live_key=sql.Identifier(f"{kind.name}_live_key"),
        live_entity=sql.Identifier(f"{kind.name}_live_entity"),
        past=sql.Identifier(f"{kind.name}_past"),
        past_key=sql.Identifier(f"{kind.name}_past_key"),
        version=sql.Identifier(f"{kind.name}_version"),
    )


def add_columns(kind: Kind, names: Iterable[str]) -> sql.Composed:
    """The statements that add columns to a kind's storage; old rows get the default."""
    model = {column.name: column for column in kind.columns}
    table = sql.Identifier("rowform", kind.name)
    return _statements(query("kind_column", table=table, column=_definition(model[name])) for name in names)


def create_view(kind: Kind, app: sql.Identifier, schema: str, columns: Sequence[str]) -> sql.Composed:
    """The statements that make, or replace, the view under a kind's name.

    Args:
        kind: whose settings it shows.
        app: the application's schema.
        schema: its name.
        columns: the view's columns in order: a replaced view keeps those that it has, and
            new ones stand at its end.
    """
    view = sql.Identifier(schema, kind.name)
    shown = (
        sql.SQL("{} AS {}").format(sql.Identifier(*_SHOWN.get(name, ("setting", name))), sql.Identifier(name))
        for name in columns
    )
    defaults = {column.name: _default(column) for column in kind.columns}
    return _statements(
        (
            query(
                "kind_view",
                view=view,
                app=app,
                table=sql.Identifier("rowform", kind.name),
                columns=sql.SQL(", ").join(shown),
            ),
            *(
                query("view_default", view=view, column=sql.Identifier(name), value=value)
                for name in columns
                if (value := _FIXED_DEFAULTS.get(name) or defaults.get(name)) is not None
            ),
            query("view_triggers", view=view),
        )
    )


def _statements(parts: Iterable[sql.Composed]) -> sql.Composed:
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
