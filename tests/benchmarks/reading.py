"""The aggregated load: the active version through the application's views, in one statement."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import sql

from tests.benchmarks.apply import KINDS
from tests.benchmarks.measuring import alternating, timed
from tests.benchmarks.plan import SMALL
from tests.benchmarks.results import Result
from tests.benchmarks.workspace import Workspace

_PART = """
    {name}, (SELECT json_agg(setting) FROM {table} AS setting WHERE {condition})"""
_LOAD = "SELECT json_build_object({parts})::text"
_LIVE = "setting.restaurant_id = {restaurant}::uuid AND setting.is_active AND "
#: As the seed's readers do it: by the active version's id.
_VIEW = (
    _LIVE + "setting.version_id = (SELECT id FROM config_versions"
    " WHERE restaurant_id = {restaurant}::uuid AND is_active)"
)
_PLAIN = "setting.is_active"


def read(work: Workspace) -> Iterator[Result]:
    """Warm loads of the example and of 10,000 settings, beside the same from plain tables."""
    for prepared, what, limit in (
        (work.example(), "example", 0.010),
        (work.generated(SMALL), "10,000", 0.150),
    ):
        with psycopg.connect(work.databases.create(prepared.url), autocommit=True) as connection:
            restaurant = _scalar(connection, "SELECT id::text FROM restaurants ORDER BY slug DESC LIMIT 1")
            view = _statement("public", _VIEW, restaurant)
            connection.execute("CREATE SCHEMA plain")
            for kind in KINDS:
                statement = sql.SQL("CREATE TABLE {} AS SELECT s.* FROM {} AS s WHERE s.restaurant_id = {}")
                connection.execute(
                    statement.format(
                        sql.Identifier("plain", kind), sql.Identifier(kind), sql.Literal(restaurant)
                    )
                )
            connection.execute("VACUUM ANALYZE")
            plain = _statement("plain", _PLAIN, restaurant)
            found = alternating(
                {
                    "view": lambda: timed(lambda: connection.execute(view).fetchall()),  # noqa: B023
                    "plain": lambda: timed(lambda: connection.execute(plain).fetchall()),  # noqa: B023
                },
                3 * work.rounds,
            )
        ours, bare = found["view"], found["plain"]
        yield Result(
            f"aggregated load, {what}, warm",
            f"{ours.seconds * 1000:.1f} ms",
            "the same from plain tables",
            f"{bare.seconds * 1000:.1f} ms",
            f"{ours.seconds / bare.seconds:.2f} x",
            f"under {limit * 1000:.0f} ms",
            ours.seconds < limit,
        )


def _statement(schema: str, condition: str, restaurant: str) -> sql.Composed:
    parts = [
        sql.SQL(_PART).format(
            name=sql.Literal(kind),
            table=sql.Identifier(schema, kind),
            condition=sql.SQL(condition).format(restaurant=sql.Literal(restaurant)),
        )
        for kind in KINDS
    ]
    return sql.SQL(_LOAD).format(parts=sql.SQL(",").join(parts))


def _scalar(connection: psycopg.Connection, statement: str) -> str:
    row = connection.execute(sql.SQL(statement)).fetchone()
    assert row is not None
    return str(row[0])
