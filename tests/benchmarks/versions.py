"""Versions at work: what a direct write costs a row, and what an activation costs a setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle

import psycopg
from psycopg import Connection, sql

from rowform.kinds import kinds
from rowform.store.activation import Switch, Why, standing, switch
from rowform.store.session import open_session
from tests.benchmarks.generated import RESTAURANT_ID
from tests.benchmarks.measuring import alternating, timed
from tests.benchmarks.plan import SMALL
from tests.benchmarks.results import Result
from tests.benchmarks.workspace import Workspace

TINY = 20
#: Milliseconds, as design section 10 measured it.
_PER_ROW = 0.9
_ACTIVE = "version_id = (SELECT id FROM config_versions WHERE is_active)"


def direct_writes(work: Workspace) -> Iterator[Result]:
    """An UPDATE of all priority rules among 10,000 settings, and of one, beside the same of a plain table."""
    with psycopg.connect(work.databases.create(work.generated(SMALL).url), autocommit=True) as connection:
        plain = f"SELECT s.* FROM priority_rules AS s WHERE {_ACTIVE}"
        connection.execute(sql.SQL("CREATE TABLE plain AS " + plain))  # type: ignore[arg-type]
        connection.execute("ALTER TABLE plain ADD PRIMARY KEY (id)")
        connection.execute("VACUUM ANALYZE")
        rows = _updated(connection, "plain", "true")
        found = alternating(
            {
                "view": lambda: timed(lambda: _updated(connection, "priority_rules", _ACTIVE)),
                "plain": lambda: timed(lambda: _updated(connection, "plain", "true")),
            },
            work.rounds,
        )
        ours, bare = (found[name].seconds * 1000 / rows for name in ("view", "plain"))
        yield Result(
            f"direct write, {rows:,} rows in one statement, a row",
            f"{ours:.2f} ms",
            "a plain table",
            f"{bare:.3f} ms",
            f"{ours / bare:.0f} x",
            f"under {_PER_ROW} ms",
            ours < _PER_ROW,
        )
        name = "name = (SELECT min(name) FROM plain)"
        found = alternating(
            {
                "view": lambda: timed(
                    lambda: _updated(connection, "priority_rules", f"{_ACTIVE} AND {name}")
                ),
                "plain": lambda: timed(lambda: _updated(connection, "plain", name)),
            },
            3 * work.rounds,
        )
        ours, bare = (found[name].seconds * 1000 for name in ("view", "plain"))
        yield Result(
            "direct write of 1 row among 10,000",
            f"{ours:.1f} ms",
            "a plain table",
            f"{bare:.1f} ms",
            f"{ours / bare:.1f} x",
            "under 10 ms (a tenth of the application's 100)",
            ours < 10,
        )


def _updated(connection: Connection, table: str, condition: str) -> int:
    statement = f"UPDATE {table} SET penalty_weight = penalty_weight + 1 WHERE {condition}"
    return connection.execute(statement).rowcount  # type: ignore[call-overload]


def activate(work: Workspace) -> Iterator[Result]:
    """Flips between two versions that differ in one setting, among 10,000 settings and among 20."""
    with ExitStack() as stack:
        flips = {str(count): stack.enter_context(_flips(work, count)) for count in (SMALL, TINY)}
        found = alternating(flips, 3 * work.rounds)
    large, small = found[str(SMALL)], found[str(TINY)]
    ratio = large.seconds / small.seconds
    yield Result(
        "activate, 1 net change among 10,000",
        f"{large.seconds * 1000:.1f} ms",
        f"among {TINY}",
        f"{small.seconds * 1000:.1f} ms",
        f"{ratio:.2f} x",
        "under 1.5 x",
        ratio < 1.5,
    )


@contextmanager
def _flips(work: Workspace, count: int) -> Iterator[Callable[[], float]]:
    """A function that activates the other one of two versions, and times it."""
    url = work.databases.create(work.generated(count).url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE priority_rules SET penalty_weight = 7 WHERE name = (SELECT min(name) FROM priority_rules)"
        )
        connection.execute("VACUUM ANALYZE")
    session = open_session(url, kinds())
    turn = cycle((1, 2))

    def flip() -> float:
        target = standing(session, RESTAURANT_ID, next(turn)).wanted
        assert target
        return timed(lambda: switch(session, RESTAURANT_ID, Switch(target), Why(), lambda: session))

    try:
        yield flip
    finally:
        session.connection.close()
