"""How settings are told, as SQL: the columns of a table as the members that clients know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import sql

from rowform.kinds import Kind
from rowform.kinds.base import ACTIVE
from rowform.store.queries import query
from rowform.wire import Field, setting_fields


def told_table(kind: Kind, schema: str) -> sql.Composed:
    """The settings of a kind as JSON, in a statement with a row ``version`` of ``config_versions``."""
    order: list[sql.Composable] = []
    if kind.unique_flag:
        order.append(query("live_flag_first", flag=sql.Identifier(kind.unique_flag)))
    order.append(query("live_order", key=sql.Identifier(kind.key)))
    has_flag = ACTIVE in kind.column_names
    return query(
        "live_table",
        fields=told_fields(setting_fields(kind), "setting"),
        view=sql.Identifier(schema, kind.name),
        in_use=query("live_in_use", flag=sql.Identifier(ACTIVE)) if has_flag else sql.SQL(""),
        order=sql.SQL(", ").join(order),
    )


_SHAPES = {
    "text": "live_text",
    "id": "live_text",
    "boolean": "live_same",
    "jsonb": "live_same",
    "integer": "live_number",
    "numeric": "live_number",
    "date": "live_date",
    "moment": "live_moment",
}


def told_fields(fields: Iterable[Field], table: str) -> sql.Composed:
    """Columns of ``table`` under the names and in the shapes in which they are told."""
    return sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(_value(field, table), sql.Identifier(field.name)) for field in fields
    )


def _value(field: Field, table: str) -> sql.Composed:
    value: Any = query(_SHAPES[field.shape], column=sql.Identifier(table, field.column))
    return value if field.zero is None else query("live_else", value=value, zero=sql.Literal(field.zero))
