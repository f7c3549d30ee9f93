"""An application's own tables as they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from rowform.store.queries import query


@dataclass(frozen=True, slots=True)
class AppColumn:
    """A column of an application's table; ``type`` is without length and precision."""

    name: str
    type: str
    is_required: bool
    has_default: bool
    is_computed: bool
    is_identity: bool
    has_privileges: bool


@dataclass(frozen=True, slots=True)
class UniqueIndex:
    """An index that refuses rows; ``is_plain`` if it is about nothing but columns, in all rows, at once."""

    name: str
    constraint: str | None
    is_primary: bool
    is_plain: bool
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AppTable:
    """A relation under one of the names that rowform needs.

    ``sort`` is PostgreSQL's ``relkind``; ``triggers`` are the enabled ones with their mode
    (``O``, ``R`` or ``A``), ``pathless_functions`` those of them without a search_path of their
    own and whether we may give them one, ``own_foreign_keys`` those to restaurants and versions.
    """

    name: str
    sort: str
    owner: str
    is_owned: bool
    is_inherited: bool
    has_row_security: bool
    is_forced: bool
    columns: Mapping[str, AppColumn]
    unique_indexes: tuple[UniqueIndex, ...]
    indexes: tuple[str, ...]
    triggers: Mapping[str, str]
    pathless_functions: Mapping[str, bool]
    own_foreign_keys: tuple[str, ...]
    publications: tuple[str, ...]

    @property
    def has_unique_id(self) -> bool:
        """Whether other tables can refer to its ``id``."""
        return any(index.is_plain and index.columns == ("id",) for index in self.unique_indexes)

    @property
    def has_primary_key(self) -> bool:
        return any(index.is_primary for index in self.unique_indexes)


def read_tables(connection: Connection, schema: str, names: Sequence[str]) -> dict[str, AppTable]:
    """The application's relations of these names."""
    rows = connection.execute(query("adoption_tables"), {"schema": schema, "names": list(names)}).fetchall()
    found = {row[0]["name"]: _table(row[0]) for row in rows}
    return {name: found[name] for name in names if name in found}


def _table(read: Mapping[str, Any]) -> AppTable:
    return AppTable(
        name=read["name"],
        sort=read["sort"],
        owner=read["owner"],
        is_owned=read["is_owned"],
        is_inherited=read["is_inherited"],
        has_row_security=read["has_row_security"],
        is_forced=read["is_forced"],
        columns={column["name"]: AppColumn(**column) for column in read["columns"]},
        unique_indexes=tuple(
            UniqueIndex(
                name=index["name"],
                constraint=index["constraint"],
                is_primary=index["is_primary"],
                is_plain=index["is_plain"],
                columns=tuple(index["columns"]),
            )
            for index in read["unique_indexes"]
        ),
        indexes=tuple(read["indexes"]),
        triggers={trigger["name"]: trigger["mode"] for trigger in read["triggers"]},
        pathless_functions=read["pathless_functions"],
        own_foreign_keys=tuple(read["own_foreign_keys"]),
        publications=tuple(read["publications"]),
    )
