"""What `rowform db status` tells about a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import Connection, sql

from rowform.errors import SchemaError
from rowform.kinds.base import Kind
from rowform.store.ddl import TABLES
from rowform.store.failures import UPGRADE_HINT, translated
from rowform.store.migrate import check
from rowform.store.migrations import latest
from rowform.store.queries import query
from rowform.store.tenancy import Places, Tenancy, tenancy


@dataclass(frozen=True, slots=True)
class ActiveVersion:
    """The version that a restaurant's application sees."""

    number: int
    name: str
    is_locked: bool


@dataclass(frozen=True, slots=True)
class RestaurantStatus:
    """One restaurant. ``settings`` counts those of its active version, by kind; no kind is left out."""

    id: str
    slug: str | None
    name: str
    versions: int
    newest: int | None
    active: ActiveVersion | None
    settings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Status:
    """The database as a whole. ``unknown_kinds`` have tables here, but no package that declares them.

    ``protected_at`` is the time since when direct writes are refused, if they are, and ``managed_in``
    what people then read.
    """

    database_id: str
    server_version: str
    schema_version: int
    tool_schema_version: int
    application_schema: str
    kinds: tuple[str, ...]
    unknown_kinds: tuple[str, ...]
    protected_at: str | None
    managed_in: str | None
    restaurants: tuple[RestaurantStatus, ...]
    tenancy: Tenancy

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@translated()
def status(connection: Connection, kinds: Mapping[str, Kind]) -> Status:
    """Read what is there, with as many queries for ten thousand restaurants as for one.

    Raises:
        SchemaError: the schema is not the one that this tool and these kinds need.
    """
    check(connection, kinds)
    row = connection.execute(query("database_status")).fetchone()
    if row is None:
        raise SchemaError("the database has no rowform tables yet", UPGRADE_HINT)
    database_id, schema, version, registered, protected_at, managed_in = row
    app = sql.Identifier(schema)
    counts = _counts(connection, kinds, schema)
    nothing = dict.fromkeys(kinds, 0)
    restaurants = tuple(
        RestaurantStatus(
            id=id_,
            slug=slug,
            name=name,
            versions=versions,
            newest=newest,
            active=None if number is None else ActiveVersion(number, title, locked),
            settings={**nothing, **counts.get(id_, {})},
        )
        for id_, slug, name, versions, newest, number, title, locked in connection.execute(
            query("restaurant_status", app=app)
        )
    )
    return Status(
        database_id=database_id,
        server_version=_server_version(connection.info.server_version),
        schema_version=version,
        tool_schema_version=latest(),
        application_schema=schema,
        kinds=tuple(name for name in registered if name in kinds),
        unknown_kinds=tuple(name for name in registered if name not in kinds),
        protected_at=protected_at.isoformat() if protected_at else None,
        managed_in=managed_in,
        restaurants=restaurants,
        tenancy=tenancy(connection, Places(schema, TABLES, registered)),
    )


def _counts(connection: Connection, kinds: Mapping[str, Kind], schema: str) -> dict[str, dict[str, int]]:
    """Settings in active versions, by restaurant and kind; all kinds in one query."""
    parts = [
        query(
            "live_counts",
            app=sql.Identifier(schema),
            view=sql.Identifier(schema, name),
            kind=sql.Literal(name),
        )
        for name in kinds
    ]
    found: dict[str, dict[str, int]] = {}
    for restaurant, kind, number in connection.execute(sql.SQL("\nUNION ALL\n").join(parts)):
        found.setdefault(restaurant, {})[kind] = number
    return found


def _server_version(number: int) -> str:
    return f"{number // 10000}.{number % 10000}"
