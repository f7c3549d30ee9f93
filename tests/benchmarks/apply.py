"""Apply: what it writes, how often it waits for the server, and what it costs beyond the bare statement."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
from psycopg import sql

from rowform.sync.applying import apply_planned
from rowform.sync.configuration import Settings
from rowform.sync.planning import planned
from tests.benchmarks.measuring import alternating, timed
from tests.benchmarks.plan import SMALL
from tests.benchmarks.results import Result
from tests.benchmarks.workspace import Workspace
from tests.support.proxy import proxy

KINDS = ("staff_groups", "daily_limits", "monthly_limits", "priority_rules", "ml_model_configs")
#: What only the statement that opens an apply contains (the lock of DESIGN section 4).
_OPENING = b"FOR NO KEY UPDATE"
MAX_ROUND_TRIPS = 4


def apply_one(work: Workspace) -> Iterator[Result]:
    """One change among 10,000: the rows it writes, and its round trips as a proxy sees them."""
    prepared = work.generated(SMALL)
    url = work.databases.create(prepared.url)
    before = _tuples(url)
    with tempfile.TemporaryDirectory(prefix="rowform-") as directory:
        socket = _socket(url)
        through = url.replace(quote(str(socket.parent), safe=""), quote(directory, safe=""))
        assert through != url
        with proxy(socket, Path(directory)) as connections:
            done = "Apply complete! Version 2 active: 0 added, 1 changed, 0 destroyed."
            work.launcher.run(prepared.rowform("apply", "--auto-approve", expected=done, url=through))
    after = _tuples(url)
    (recorded,) = connections
    trips = recorded.round_trips()
    opening = next(index for index, burst in enumerate(trips) if _OPENING in burst)
    number = len(trips) - opening
    written = {table: _difference(before[table], after[table]) for table in before}
    settings = tuple(sum(written[f"rowform.{kind}"][which] for kind in KINDS) for which in range(3))
    audit, versions = written["public.config_changes"], written["public.config_versions"]
    # Of the old version only its flag is written.
    exact = settings == (1, 1, 0) and audit == (1, 0, 0) and versions == (1, 1, 0)
    yield Result(
        "apply, 1 change among 10,000: rows",
        f"{settings[0]} inserted, {settings[1]} closed, {audit[0]} audit, {versions[0]} version",
        target="1, 1, 1, 1, nothing else" if exact else f"1, 1, 1, 1; found {settings} {audit} {versions}",
        met=exact,
    )
    yield Result(
        "apply, 1 change among 10,000: round trips",
        f"{number}, and {opening} for the plan before it",
        target=f"at most {MAX_ROUND_TRIPS}",
        met=number <= MAX_ROUND_TRIPS,
    )


def _socket(url: str) -> Path:
    options = parse_qs(urlsplit(url).query)
    return Path(options["host"][0], f".s.PGSQL.{options.get('port', ['5432'])[0]}")


def _tuples(url: str) -> dict[str, Mapping[str, str]]:
    """Every row of the tables that an apply writes: its id, and the transaction that last wrote it."""
    tables = [
        *(("rowform", kind) for kind in KINDS),
        ("public", "config_changes"),
        ("public", "config_versions"),
    ]
    statement = sql.SQL("SELECT id::text, xmin::text FROM {}")
    with psycopg.connect(url) as connection:
        return {
            ".".join(table): dict(connection.execute(statement.format(sql.Identifier(*table))).fetchall())
            for table in tables
        }


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[int, int, int]:
    """How many rows were inserted, updated and deleted."""
    return (
        len(after.keys() - before.keys()),
        sum(before[row] != after[row] for row in before.keys() & after.keys()),
        len(before.keys() - after.keys()),
    )


def apply_10k(work: Workspace) -> Iterator[Result]:
    """10,000 changes against bare inserts of the same rows and audit into tables without triggers."""
    prepared = work.generated(SMALL)
    empty = work.empty_database()
    rows = _rows(prepared.url)
    # Outside of Git: tracing the commits of 10,000 settings is no work of the database's.
    config = work.directory / "no-git" / "config"
    shutil.copytree(prepared.config, config)

    def ours() -> float:
        url = work.databases.create(empty)
        try:
            with planned(Settings(config, url)) as found:
                seconds = timed(lambda: apply_planned(found, message="Benchmark"))
        finally:
            work.databases.drop(url)
        return seconds

    def bare() -> float:
        url = work.databases.create(empty)
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                _bare_tables(connection, rows)
                return timed(lambda: _bare_inserts(connection, rows))
        finally:
            work.databases.drop(url)

    measured = alternating({"ours": ours, "bare": bare}, max(3, work.rounds // 2))
    ratio = measured["ours"].seconds / measured["bare"].seconds
    yield Result(
        "apply, 10,000 changes (the transaction)",
        measured["ours"].shown(),
        "jsonb_to_recordset, no triggers",
        measured["bare"].shown(),
        f"{ratio:.2f} x",
        "under 3 x",
        ratio < 3,
    )


def _rows(url: str) -> dict[tuple[str, str], Any]:
    """What an apply has written, as JSON by table."""
    statement = sql.SQL("SELECT json_agg(row)::text FROM {} AS row")
    tables = [*(("rowform", kind) for kind in KINDS), ("public", "config_changes")]
    with psycopg.connect(url) as connection:
        return {
            table: connection.execute(statement.format(sql.Identifier(*table))).fetchone()[0]  # type: ignore[index]
            for table in tables
        }


def _bare_tables(connection: psycopg.Connection, rows: Mapping[tuple[str, str], Any]) -> None:
    connection.execute("CREATE SCHEMA bare")
    for table in rows:
        # The same indexes; no triggers, no foreign keys.
        statement = sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING INDEXES)")
        connection.execute(statement.format(sql.Identifier("bare", table[1]), sql.Identifier(*table)))


def _bare_inserts(connection: psycopg.Connection, rows: Mapping[tuple[str, str], Any]) -> None:
    statement = sql.SQL("INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, {1}::jsonb)")
    with connection.transaction():
        for table, content in rows.items():
            name = sql.Identifier("bare", table[1])
            connection.execute(statement.format(name, sql.Placeholder()), (content,))
