"""What makes tables impossible to take over, whatever their rows; nobody but their owner can decide it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rowform.fit import READABLE
from rowform.kinds.base import STAMPS, Kind
from rowform.store.adoption.findings import Finding
from rowform.store.adoption.tables import AppColumn, AppTable
from rowform.store.ddl import RANGE, TABLES, index_names
from rowform.text import joined

_TEXT = ("text", "character varying")
_UUID = ("uuid",)
_FLAG = ("boolean",)
_MOMENT = ("timestamp with time zone",)
#: The types that a column may have; the first is what it has in a new table.
_BOOK_TYPES: Mapping[str, Mapping[str, Collection[str]]] = {
    "restaurants": {
        "id": _UUID, "name": _TEXT, "slug": _TEXT, "timezone": _TEXT, "is_active": _FLAG,
        "created_at": _MOMENT,
    },
    "config_versions": {
        "id": _UUID, "restaurant_id": _UUID, "version_number": ("integer",), "is_active": _FLAG,
        "name": _TEXT, "description": _TEXT, "created_by": _UUID, "created_at": _MOMENT, "is_locked": _FLAG,
    },
    "config_changes": {
        "id": _UUID, "version_id": _UUID, "table_name": _TEXT, "operation": _TEXT, "old_data": ("jsonb",),
        "new_data": ("jsonb",), "changed_by": _UUID, "changed_at": _MOMENT, "reason": _TEXT,
    },
}  # fmt: skip
#: Columns without which a table is not the one that its name promises; all others can be added.
_ESSENTIAL = {
    "restaurants": ("id", "name"),
    "config_versions": ("id", "restaurant_id", "version_number", "is_active"),
    "config_changes": ("id", "version_id", "table_name", "operation"),
}
#: Columns that every new row gets a value for.
_FILLED = {
    "restaurants": ("id", "name", "slug", "timezone"),
    "config_versions": ("id", "restaurant_id", "version_number", "name", "is_active", "is_locked"),
    "config_changes": ("id", "version_id", "table_name", "operation"),
}
#: Columns that rowform adds.
_OURS = {
    "restaurants": (),
    "config_versions": ("base_version_id", "source"),
    "config_changes": ("restaurant_id", "seq"),
}


def book_findings(table: AppTable, schema: str) -> list[Finding]:
    """What is impossible about one of the tables that stay tables."""
    assert table.name in TABLES
    return _table_findings(
        table, schema, _BOOK_TYPES[table.name], _ESSENTIAL[table.name], _FILLED[table.name], _OURS[table.name]
    )


def kind_findings(table: AppTable, schema: str, kind: Kind) -> list[Finding]:
    """What is impossible about a kind's table."""
    types: dict[str, Collection[str]] = {
        column.name: (column.sql_type, *READABLE[column.sql_type]) for column in kind.columns
    }
    types |= dict.fromkeys(("id", "restaurant_id", "version_id"), _UUID) | dict.fromkeys(STAMPS, _MOMENT)
    required = [column.name for column in kind.columns if column.required and not column.nullable]
    essential = ("id", "restaurant_id", "version_id", *required)
    filled = ("id", "restaurant_id", "version_id", "created_at", *kind.column_names)
    found = _table_findings(table, schema, types, essential, filled, RANGE)
    if table.sort != "r":
        return found
    name = f"{schema}.{table.name}"
    columns = table.columns.values()
    if granted := [column.name for column in columns if column.has_privileges]:
        found.append(
            _unfit(
                table,
                f"has privileges on single columns ({joined(granted)})",
                "grant them on the whole table",
            )
        )
    if counted := [column.name for column in columns if column.is_identity]:
        found.append(
            _unfit(
                table,
                f"has identity columns ({joined(counted)}), and a setting has a row for each of its versions",
                f"ALTER TABLE {name} ALTER COLUMN {counted[0]} DROP IDENTITY",
            )
        )
    if odd := [column.name for column in columns if "$$" in column.name]:
        found.append(_unfit(table, f"has columns with $$ in their name ({joined(odd)})", "rename them"))
    if taken := sorted(set(table.indexes) & set(index_names(kind))):
        found.append(_unfit(table, f"has indexes with names of ours ({joined(taken)})", "rename them"))
    return found


def _table_findings(
    table: AppTable,
    schema: str,
    types: Mapping[str, Collection[str]],
    essential: Collection[str],
    filled: Collection[str],
    ours: Collection[str],
) -> list[Finding]:
    name = f"{schema}.{table.name}"
    if table.sort != "r":
        what = {"v": "a view", "m": "a materialized view", "p": "partitioned", "f": "a foreign table"}
        return [_unfit(table, f"is {what.get(table.sort, 'something else')} and no plain table",
                       "rename it, or make a table of it")]  # fmt: skip
    found: list[Finding] = []
    if not table.is_owned:
        found.append(_unfit(
            table, f"belongs to the role {table.owner}",
            f"connect as {table.owner}, as a member of it, or as a superuser",
        ))  # fmt: skip
    if table.is_inherited:
        found.append(_unfit(table, "inherits from another table, or is inherited", "let it stand alone"))
    if table.is_forced:
        found.append(_unfit(table, "has row level security that also binds its owner",
                            f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY"))  # fmt: skip
    found += (
        _unfit(
            table, f"has a trigger with a function of others, {function}, that has no search_path of its own",
            f"ALTER FUNCTION {function} SET search_path = …, as its owner",
        )
        for function, is_owned in table.pathless_functions.items()
        if not is_owned
    )  # fmt: skip
    if missing := [column for column in essential if column not in table.columns]:
        found.append(_unfit(table, f"has no {joined(missing)}", "add what is missing, with its values"))
    if taken := [column for column in ours if column in table.columns]:
        found.append(_unfit(table, f"has a column with a name of ours ({joined(taken)})",
                            f"ALTER TABLE {name} RENAME COLUMN {taken[0]} TO …"))  # fmt: skip
    for column in table.columns.values():
        found += _column_findings(table, name, column, types.get(column.name), filled)
    return found


def _column_findings(
    table: AppTable, name: str, column: AppColumn, types: Collection[str] | None, filled: Collection[str]
) -> list[Finding]:
    if types is not None and column.type not in types:
        wanted = next(iter(types))
        hint = f"ALTER TABLE {name} ALTER COLUMN {column.name} TYPE {wanted} USING {column.name}::{wanted}"
        return [_unfit(table, f"has {column.name} of the type {column.type} instead of {wanted}", hint)]
    if types is not None and column.is_computed:
        return [_unfit(table, f"computes {column.name}, which rowform writes",
                       f"ALTER TABLE {name} ALTER COLUMN {column.name} DROP EXPRESSION")]  # fmt: skip
    bare = column.is_required and not (column.has_default or column.is_identity)
    if bare and column.name not in filled:
        hint = f"ALTER TABLE {name} ALTER COLUMN {column.name} SET DEFAULT …, or DROP NOT NULL"
        return [_unfit(table, f"wants {column.name} in every row, which rowform does not know", hint)]
    return []


def _unfit(table: AppTable, problem: str, hint: str) -> Finding:
    return Finding(table.name, problem, hint=hint)
