"""Named SQL: every statement lives in a ``.sql`` file beside this module.

A file holds blocks of the form::

    -- name: active_versions
    -- One line on what it is for.
    SELECT …

``{name}`` in a block stands for an identifier or fragment that :func:`query` fills in;
values are always parameters, ``%(name)s``. A literal brace is doubled.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

from psycopg import sql

from rowform.errors import UsageError
from rowform.kinds.base import Column

_NAME = re.compile(r"^-- name: (\w+)\n(-- .+\n)+", re.MULTILINE)
#: The files that hold named queries, in ``store/sql``.
_FILES = (
    "read",
    "write",
    "schema",
    "activation",
    "adoption",
    "tenancy",
    "verification",
    "removal",
    "audit",
    "drift",
    "rollbacks",
    "live",
    "browse",
    "editing",
    "export",
)


@cache
def _blocks() -> dict[str, LiteralString]:
    found: dict[str, LiteralString] = {}
    for name in _FILES:
        # The text comes from the package itself, which is what LiteralString is to guarantee.
        content = files("rowform.store").joinpath("sql", f"{name}.sql").read_text("utf-8")
        text = cast("LiteralString", content)  # type: ignore[redundant-cast]  # to mypy it is a str
        heads = list(_NAME.finditer(text))
        ends = [*(head.start() for head in heads[1:]), len(text)]
        for head, end in zip(heads, ends, strict=False):
            found[head.group(1)] = text[head.end() : end].strip().rstrip(";")
    return found


@cache
def _plain(name: str) -> sql.SQL:
    return sql.SQL(_blocks()[name])


def query(name: str, /, **parts: sql.Composable) -> sql.Composed:
    """The statement called ``name``, its ``{placeholders}`` replaced by ``parts``.

    Raises:
        KeyError: there is no such statement, or a part is missing.
    """
    return _plain(name).format(**parts)


def column_list(names: tuple[str, ...], table: str | None = None) -> sql.Composed:
    """``"t"."a", "t"."b"``."""
    return sql.SQL(", ").join(
        sql.Identifier(table, name) if table else sql.Identifier(name) for name in names
    )


#: The PostgreSQL types that a kind's columns may have.
SQL_TYPES = {
    "text": sql.SQL("text"),
    "boolean": sql.SQL("boolean"),
    "integer": sql.SQL("integer"),
    "numeric": sql.SQL("numeric"),
    "date": sql.SQL("date"),
    "jsonb": sql.SQL("jsonb"),
}


def sql_type(column: Column) -> sql.SQL:
    """The type of a kind's column.

    Raises:
        UsageError: rowform has no such type.
    """
    try:
        return SQL_TYPES[column.sql_type]
    except KeyError:
        raise UsageError(
            f"column {column.name} has the type {column.sql_type}", f"the types are {', '.join(SQL_TYPES)}"
        ) from None
