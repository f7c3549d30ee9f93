"""Which rows of an application's tables fit, and which do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import Connection, sql

from rowform.kinds.base import Kind
from rowform.store.adoption.findings import Choices, Finding
from rowform.store.adoption.tables import AppTable
from rowform.store.queries import query

_IN_NO_VERSION = "keeps them in no version"
#: Why a row fits in no version: what is wrong with it, and what becomes of it.
_REASONS = {
    "unplaced": "rows without a restaurant or a version",
    "unknown": "rows of versions that do not exist",
    "stray": "rows of versions that belong to no restaurant",
    "foreign": "rows of another restaurant than their version",
    "nameless": "rows without a {key}",
    "inactive": "rows that are deleted (is_active is not true)",
    "double": "rows of a {key} that their version has already",
}
_FIXES = {
    "inactive": f"{_IN_NO_VERSION}; --keep-inactive makes them paused settings instead",
    "double": f"{_IN_NO_VERSION}: an active row stays before others, then the one that was updated last",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """How many of a kind's rows fit, and the ids of those that do not, by reason."""

    fitting: int
    others: Mapping[str, tuple[str, ...]]

    @property
    def kept(self) -> int:
        """How many rows are kept in no version."""
        return sum(map(len, self.others.values()))


def placed_rows(
    kind: Kind, table: AppTable, schema: str, app: sql.Identifier, choices: Choices
) -> sql.Composed:
    """The query that says where each row of a kind's table belongs.

    Args:
        kind: whose rows.
        table: the table as the application made it.
        schema: where it is now.
        app: the application's schema.
        choices: what the person has decided.
    """
    stamps = [name for name in ("updated_at", "created_at") if name in table.columns]
    return query(
        "placed_rows",
        app=app,
        table=sql.Identifier(schema, table.name),
        key=sql.Identifier(kind.key),
        inactive=sql.SQL("setting.is_active IS NOT TRUE" if "is_active" in table.columns else "false"),
        refuse_inactive=sql.SQL("false" if choices.keep_inactive else "true"),
        stamps=sql.SQL("").join(sql.SQL("setting.{}, ").format(sql.Identifier(name)) for name in stamps),
        latest=sql.SQL(", ").join(
            sql.SQL("{} DESC NULLS LAST").format(sql.Identifier(name)) for name in stamps
        )
        if stamps
        else sql.SQL("version_number"),
    )


def count_rows(connection: Connection, kind: Kind, table: AppTable, schema: str, choices: Choices) -> Taken:
    """Sort a kind's rows, before anything was changed."""
    placed = placed_rows(kind, table, schema, sql.Identifier(schema), choices)
    fitting = 0
    others: dict[str, tuple[str, ...]] = {}
    for reason, number, ids in connection.execute(query("count_rows", placed=placed)):
        if reason is None:
            fitting = number
        else:
            others[reason] = tuple(ids)
    return Taken(fitting, {reason: others[reason] for reason in _REASONS if reason in others})


def row_findings(kind: Kind, taken: Taken) -> list[Finding]:
    """What :func:`count_rows` found that has to be decided upon."""
    return [
        Finding(kind.name, _REASONS[reason].format(key=kind.key), ids, fix=_FIXES.get(reason, _IN_NO_VERSION))
        for reason, ids in taken.others.items()
    ]
