"""Versions at work: what a direct write costs a row, and what an activation costs a setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle

import psycopg
from psycopg import Connection, sql

from rowform.kinds import kinds
from rowform.store.activation import Switch, standing, switch
from rowform.store.session import Session, open_session
from rowform.store.writing import Why
from tests.benchmarks.generated import RESTAURANT_ID
from tests.benchmarks.measuring import Measured, alternating, timed
from tests.benchmarks.plan import SMALL
from tests.benchmarks.results import Result
from tests.benchmarks.workspace import Prepared, Workspace

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
    """Going between two versions that differ in one setting, among 10,000 settings and among 20."""
    with ExitStack() as stack:
        sides = {str(count): stack.enter_context(_two_versions(work, count)) for count in (SMALL, TINY)}
        flips = alternating({name: _flips(side) for name, side in sides.items()}, 3 * work.rounds)
        yield _beside("activate", flips)
        rollbacks = alternating({name: _rollbacks(work, side) for name, side in sides.items()}, work.rounds)
        yield _beside("rollback, whole process", rollbacks)


def _beside(what: str, found: Mapping[str, Measured]) -> Result:
    large, small = found[str(SMALL)], found[str(TINY)]
    ratio = large.seconds / small.seconds
    return Result(
        f"{what}, 1 net change among 10,000",
        f"{large.seconds * 1000:.1f} ms",
        f"among {TINY}",
        f"{small.seconds * 1000:.1f} ms",
        f"{ratio:.2f} x",
        "under 1.5 x",
        ratio < 1.5,
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """A database with two versions that differ in one setting."""

    prepared: Prepared
    url: str
    session: Session

    def switch(self, number: int) -> float:
        """Activate a version, and time it."""
        target = standing(self.session, RESTAURANT_ID, number).wanted
        assert target
        return timed(lambda: switch(self.session, RESTAURANT_ID, Switch(target), Why(), lambda: self.session))


def _flips(side: _Side) -> Callable[[], float]:
    """A function that activates the other one of the two versions."""
    turn = cycle((1, 2))
    return lambda: side.switch(next(turn))


def _rollbacks(work: Workspace, side: _Side) -> Callable[[], float]:
    """A function that lets people go back to the first version, once the second one is active."""
    command = side.prepared.rowform("rollback", "--auto-approve", expected="Version 1 active", url=side.url)
    side.switch(1)

    def roll_back() -> float:
        side.switch(2)
        return work.launcher.run(command).seconds

    return roll_back


@contextmanager
def _two_versions(work: Workspace, count: int) -> Iterator[_Side]:
    prepared = work.generated(count)
    url = work.databases.create(prepared.url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE priority_rules SET penalty_weight = 7 WHERE name = (SELECT min(name) FROM priority_rules)"
        )
        connection.execute("VACUUM ANALYZE")
    session = open_session(url, kinds())
    try:
        yield _Side(prepared, url, session)
    finally:
        session.connection.close()
