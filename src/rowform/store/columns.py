"""The columns that storage really has, as against those that the kinds declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rowform.errors import SchemaError
from rowform.fit import READABLE, RealColumn, RealTable
from rowform.kinds.base import STAMPS, Kind
from rowform.store.ddl import RANGE, stored_columns
from rowform.text import escape

#: Rows as the catalog gives them: a name and what :class:`RealColumn` says of it, in order.
Facts = Mapping[str, Sequence[Sequence[Any]]]
_STAMP_TYPE = "timestamp with time zone"


def has_all(kinds: Mapping[str, Kind], facts: Facts) -> bool:
    """Whether every kind has its table with all its columns."""
    there = {name: {column for column, *_ in columns} for name, columns in facts.items()}
    return all(set(stored_columns(kind)) <= there.get(name, set()) for name, kind in kinds.items())


def real_tables(kinds: Mapping[str, Kind], facts: Facts) -> dict[str, RealTable]:
    """The kinds' tables by name.

    Raises:
        SchemaError: a column is of a type that the kind's values cannot be read from or written to.
    """
    return {
        name: _real_table(kind, [RealColumn(*fact) for fact in facts[name]]) for name, kind in kinds.items()
    }


def own_names(table: RealTable) -> tuple[str, ...]:
    """The names of the application's own columns, for statements with parameters: a % is doubled there."""
    return tuple(column.name.replace("%", "%%") for column in table.own)


def _real_table(kind: Kind, found: Sequence[RealColumn]) -> RealTable:
    by_name = {column.name: column for column in found}
    expected = set(stored_columns(kind))
    names = [column.name for column in found]
    later = names[max(names.index(name) for name in RANGE) + 1 :]
    for column in kind.columns:
        real = by_name[column.name]
        if real.is_generated or real.base_type not in READABLE[column.sql_type]:
            what = "computed by the database" if real.is_generated else real.type
            raise SchemaError(
                f"the column {kind.name}.{column.name} is {escape(what)}; rowform needs {column.sql_type}",
                "it was altered after `rowform db upgrade`; change it back",
            )
    return RealTable(
        {column.name: by_name[column.name] for column in kind.columns},
        tuple(one for one in found if one.name not in expected and not one.is_generated),
        frozenset(column.name for column in kind.columns if by_name[column.name].type != column.sql_type),
        tuple(name for name in later if name in kind.column_names),
        all(by_name[name].type == _STAMP_TYPE for name in STAMPS),
    )
