"""Writers at the same time: nothing is lost. Each write is there at the end, or its author was told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from rowform.errors import StalePlan
from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.plan import RestaurantPlan
from rowform.planner import make_plan
from rowform.state import Restaurant
from rowform.store import apply as store_apply
from rowform.store.apply import Origin, apply_plan
from rowform.store.read import content_of, snapshot
from rowform.store.session import Session, open_session
from tests.support.builders import setting

RESTAURANTS = tuple(str(uuid4()) for _ in range(3))
#: How often each writer writes in each restaurant.
ROUNDS = 25
ACTIVE = "(SELECT id FROM config_versions WHERE restaurant_id = %(restaurant)s AND is_active)"
#: What a writer may be told: the version is finished, or somebody else took the number.
TOLD = {"RF001", "RF003", "23505"}


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True)


@pytest.fixture
def url(database: str) -> str:
    """Three restaurants, each with a version of one shared group."""
    with connect(database) as connection:
        for id_ in RESTAURANTS:
            connection.execute(
                "INSERT INTO restaurants (id, name, slug) VALUES (%s, 'R', %s)", (id_, id_[:8])
            )
            with connection.transaction():
                connection.execute(
                    "INSERT INTO config_versions (restaurant_id, version_number, name) VALUES (%s, 1, 'One')",
                    (id_,),
                )
                connection.execute(
                    "INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES"
                    f" (%(restaurant)s, {ACTIVE}, 'Shared')",
                    {"restaurant": id_},
                )
    return database


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as made:
        yield made


def read_active(connection: psycopg.Connection, restaurant: str) -> dict[str, dict[str, Any]]:
    """The active version's groups by name."""
    rows = connection.execute(
        f"SELECT to_jsonb(s) FROM staff_groups s WHERE version_id = {ACTIVE}", {"restaurant": restaurant}
    ).fetchall()
    return {row["name"]: row for (row,) in rows}


# --- everybody at once -------------------------------------------------------------------------------


class Writer:
    """A client that remembers what it was told has been written."""

    def __init__(self, url: str, number: int) -> None:
        self.url = url
        self.number = number
        self.inserted: list[tuple[str, str]] = []
        self.shared: dict[str, str] = {}
        self.transactions = 0

    def work(self, start: threading.Barrier) -> None:
        with connect(self.url) as connection:
            start.wait()
            for n in range(ROUNDS):
                for restaurant in RESTAURANTS:
                    self.insert(connection, restaurant, f"{self.number}-{n}")
                    self.update(connection, restaurant, f"{self.number}-{n}")

    def insert(self, connection: psycopg.Connection, restaurant: str, name: str) -> None:
        """A group of its own, and in every other round one more in the same transaction."""
        names = [name, f"{name} too"] if name.endswith(("0", "2", "4")) else [name]
        try:
            with connection.transaction():
                for one in names:
                    connection.execute(
                        "INSERT INTO staff_groups (restaurant_id, version_id, name)"
                        f" VALUES (%(restaurant)s, {ACTIVE}, %(name)s)",
                        {"restaurant": restaurant, "name": one},
                    )
        except psycopg.Error as error:
            if error.sqlstate not in TOLD:
                raise
            return
        self.inserted += ((restaurant, one) for one in names)
        self.transactions += 1

    def update(self, connection: psycopg.Connection, restaurant: str, value: str) -> None:
        """One column of the group that all writers share: the others' columns are not its business."""
        column = ("color", "description")[self.number]
        shared = read_active(connection, restaurant)["Shared"]
        try:
            cursor = connection.execute(
                f"UPDATE staff_groups SET {column} = %s WHERE id = %s AND version_id = %s",  # type: ignore[arg-type]
                (value, shared["id"], shared["version_id"]),
            )
        except psycopg.Error as error:
            if error.sqlstate not in TOLD:
                raise
            return
        # The version was read a moment ago, and it has the group.
        assert cursor.rowcount == 1
        self.shared[restaurant] = value
        self.transactions += 1


class Copier:
    """An application's function that makes a version of the active one, and activates it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.made = 0

    def work(self, start: threading.Barrier) -> None:
        with connect(self.url) as connection:
            start.wait()
            for _ in range(ROUNDS // 2):
                for restaurant in RESTAURANTS:
                    self.copy(connection, restaurant)

    def copy(self, connection: psycopg.Connection, restaurant: str) -> None:
        values = {"restaurant": restaurant, "made": str(uuid4())}
        try:
            with connection.transaction():
                connection.execute(
                    "INSERT INTO config_versions (id, restaurant_id, version_number, name, is_active)"
                    " SELECT %(made)s, restaurant_id, max(version_number) + 1, 'Copy', false"
                    " FROM config_versions WHERE restaurant_id = %(restaurant)s GROUP BY restaurant_id",
                    values,
                )
                for kind in ("staff_groups", "daily_limits"):
                    columns = ", ".join(("id", "created_at", "updated_at", *kinds()[kind].column_names))
                    connection.execute(
                        f"INSERT INTO {kind} (restaurant_id, version_id, {columns})"  # type: ignore[arg-type]
                        f" SELECT restaurant_id, %(made)s, {columns} FROM {kind} WHERE version_id = {ACTIVE}",
                        values,
                    )
                connection.execute(
                    "UPDATE config_versions SET is_active = (id = %(made)s)"
                    " WHERE restaurant_id = %(restaurant)s",
                    values,
                )
        except psycopg.Error as error:
            if error.sqlstate not in TOLD:
                raise
            return
        self.made += 1


class Applier:
    """Plans all that there is and one more limit, and applies: at once, or stale."""

    def __init__(self, url: str) -> None:
        self.session = open_session(url, kinds())
        self.applied: list[tuple[str, str]] = []
        self.stale = 0

    def work(self, start: threading.Barrier) -> None:
        start.wait()
        for n in range(ROUNDS):
            for restaurant in RESTAURANTS:
                name = f"Limit {n}"
                plan = plan_of(self.session, restaurant, name)
                try:
                    apply_plan(self.session, plan, Origin("Race", None, {}, {}), lambda: self.session)
                except StalePlan:
                    self.stale += 1
                else:
                    self.applied.append((restaurant, name))
        self.session.connection.close()


def plan_of(session: Session, restaurant: str, name: str) -> RestaurantPlan:
    """A plan that keeps everything and adds a limit, both from one look at the database."""
    found = snapshot(session, {restaurant: {}})[restaurant]
    wanted = {kind: dict(entries) for kind, entries in content_of(found.settings).items()}
    wanted.setdefault("daily_limits", {})[name] = setting("daily_limits", name)
    desired = Restaurant(restaurant[:8], restaurant, "R", "Asia/Tokyo", wanted, "here")
    (plan,) = make_plan(
        [desired],
        lambda _: found,
        kinds(),
        Thresholds(),
        database_id=session.database_id,
        target=None,
        source={},
    ).restaurants
    return plan


def test_writers_and_applies_at_once_lose_nothing(url: str, pool: ThreadPoolExecutor) -> None:
    writers, copier, applier = [Writer(url, 0), Writer(url, 1)], Copier(url), Applier(url)
    start = threading.Barrier(4)
    for future in [pool.submit(one.work, start) for one in (*writers, copier, applier)]:
        future.result(timeout=120)
    with connect(url) as connection:
        for restaurant in RESTAURANTS:
            there = read_active(connection, restaurant)
            inserted = {name for one in writers for where, name in one.inserted if where == restaurant}
            assert set(there) == inserted | {"Shared"}
            shared = there["Shared"]
            assert [shared["color"], shared["description"]] == [one.shared[restaurant] for one in writers]
            limits = connection.execute(
                f"SELECT name FROM daily_limits WHERE version_id = {ACTIVE}", {"restaurant": restaurant}
            ).fetchall()
            assert {name for (name,) in limits} == {
                name for where, name in applier.applied if where == restaurant
            }
        assert len(applier.applied) + applier.stale == ROUNDS * len(RESTAURANTS)
        made = connection.execute(
            "SELECT count(*) FILTER (WHERE source ->> 'kind' = 'direct'),"
            " count(*) FILTER (WHERE name = 'Copy'), count(*) FILTER (WHERE name = 'Race')"
            " FROM config_versions"
        ).fetchone()
        assert made == (sum(one.transactions for one in writers), copier.made, len(applier.applied))
        assert_consistent(connection)


def assert_consistent(connection: psycopg.Connection) -> None:
    """One active version each, no version with a setting twice, and an audit that leads to what is active."""
    active = connection.execute(
        "SELECT restaurant_id::text, count(*) FROM config_versions WHERE is_active GROUP BY 1"
    ).fetchall()
    assert sorted(active) == sorted((restaurant, 1) for restaurant in RESTAURANTS)
    for kind in ("staff_groups", "daily_limits"):
        twice = connection.execute(
            f"SELECT version_id, name FROM {kind} GROUP BY 1, 2 HAVING count(*) > 1"  # type: ignore[arg-type]
            f" UNION ALL SELECT version_id, id::text FROM {kind} GROUP BY 1, 2 HAVING count(*) > 1"
        ).fetchall()
        assert twice == []
        replayed: dict[tuple[str, str], Any] = {}
        changes = connection.execute(
            "SELECT restaurant_id::text, old_data, new_data FROM config_changes"
            " WHERE table_name = %s ORDER BY seq",
            (kind,),
        ).fetchall()
        for restaurant, old, new in changes:
            if old is not None:
                assert content(replayed.pop((restaurant, old["id"]))) == content(old)
            if new is not None:
                assert (restaurant, new["id"]) not in replayed
                replayed[restaurant, new["id"]] = new
        rows = connection.execute(
            f"SELECT s.restaurant_id::text, s.id::text, to_jsonb(s) FROM {kind} s"  # type: ignore[arg-type]
            " JOIN config_versions v ON v.id = s.version_id WHERE v.is_active"
        ).fetchall()
        there = {(restaurant, id_): content(row) for restaurant, id_, row in rows}
        assert {place: content(row) for place, row in replayed.items()} == there
    for book in ("own_writes", "reached", "passed_over"):
        assert connection.execute(f"SELECT FROM rowform.{book}").fetchall() == []  # type: ignore[arg-type]


def content(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in row if name not in ("version_id", "created_at", "updated_at")}


# --- one after the other, to the statement -----------------------------------------------------------


def until_blocked(url: str, *futures: Future[Any]) -> None:
    """Return once somebody waits for a lock; whoever should wait must not be done before."""
    deadline = time.monotonic() + 30
    with connect(url) as connection:
        while time.monotonic() < deadline:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND cardinality(pg_blocking_pids(pid)) > 0"
            ).fetchone()
            if row is not None and row[0] == len(futures):
                return
            assert not any(future.done() for future in futures)
    raise AssertionError("nobody waits")


def execute(url: str, statement: str, parameters: dict[str, Any]) -> int:
    with connect(url) as connection:
        return connection.execute(statement, parameters).rowcount  # type: ignore[arg-type]


@pytest.fixture
def first() -> dict[str, Any]:
    return {"restaurant": RESTAURANTS[0]}


def test_an_apply_that_waited_for_a_direct_write_is_stale(
    url: str, pool: ThreadPoolExecutor, first: dict[str, Any]
) -> None:
    session = open_session(url, kinds())
    plan = plan_of(session, first["restaurant"], "Limit")
    with connect(url) as connection, connection.transaction():
        connection.execute(
            "UPDATE staff_groups SET color = '#111111' WHERE restaurant_id = %(restaurant)s", first
        )
        losing = pool.submit(apply_plan, session, plan, Origin("Race", None, {}, {}), lambda: session)
        until_blocked(url, losing)
    with pytest.raises(StalePlan, match="the newest is 2"):
        losing.result(timeout=30)
    session.connection.close()
    with connect(url) as connection:
        assert read_active(connection, first["restaurant"])["Shared"]["color"] == "#111111"
        assert_consistent(connection)


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE staff_groups SET color = '#111111' WHERE name = 'Shared' AND version_id = {ACTIVE}",
        f"DELETE FROM staff_groups WHERE version_id = {ACTIVE}",
        "DELETE FROM staff_groups WHERE restaurant_id = %(restaurant)s",
        f"INSERT INTO staff_groups (restaurant_id, name, version_id) SELECT %(restaurant)s, 'New', {ACTIVE}",
    ],
    ids=["update", "delete", "delete without a version", "insert"],
)
def test_a_direct_write_that_waited_for_an_apply_is_refused(
    url: str,
    pool: ThreadPoolExecutor,
    first: dict[str, Any],
    statement: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    locked, go_on = threading.Event(), threading.Event()
    write: Callable[..., None] = store_apply._write

    def held(*arguments: Any) -> None:
        locked.set()
        assert go_on.wait(30)
        write(*arguments)

    monkeypatch.setattr(store_apply, "_write", held)
    session = open_session(url, kinds())
    plan = plan_of(session, first["restaurant"], "Limit")
    winning = pool.submit(apply_plan, session, plan, Origin("Race", None, {}, {}), lambda: session)
    assert locked.wait(30)
    losing = pool.submit(execute, url, statement, first)
    until_blocked(url, losing)
    go_on.set()
    assert winning.result(timeout=30).version_number == 2
    with pytest.raises(psycopg.Error, match="version 1 is finished") as caught:
        losing.result(timeout=30)
    assert caught.value.sqlstate == "RF001"
    session.connection.close()
    with connect(url) as connection:
        assert set(read_active(connection, first["restaurant"])) == {"Shared"}
        assert_consistent(connection)


def test_two_direct_writes_of_one_setting_keep_both_fields(
    url: str, pool: ThreadPoolExecutor, first: dict[str, Any]
) -> None:
    statement = f"UPDATE staff_groups SET {{}} WHERE name = 'Shared' AND version_id = {ACTIVE}"
    with connect(url) as connection, connection.transaction():
        connection.execute(statement.format("color = '#111111'"), first)  # type: ignore[arg-type]
        waiting = pool.submit(execute, url, statement.format("description = 'Mine'"), first)
        until_blocked(url, waiting)
    assert waiting.result(timeout=30) == 1
    with connect(url) as connection:
        shared = read_active(connection, first["restaurant"])["Shared"]
        assert (shared["color"], shared["description"]) == ("#111111", "Mine")
        assert_consistent(connection)


def test_one_restaurants_writers_do_not_wait_for_anothers(
    url: str, pool: ThreadPoolExecutor, first: dict[str, Any]
) -> None:
    statement = f"UPDATE staff_groups SET color = '#111111' WHERE version_id = {ACTIVE}"
    with connect(url) as connection, connection.transaction():
        connection.execute(statement, first)
        other = pool.submit(execute, url, statement, {"restaurant": RESTAURANTS[1]})
        assert other.result(timeout=30) == 1


def test_two_increments_at_once_both_count(url: str, pool: ThreadPoolExecutor, first: dict[str, Any]) -> None:
    with connect(url) as connection:
        connection.execute(
            "INSERT INTO daily_limits (restaurant_id, version_id, name)"
            f" VALUES (%(restaurant)s, {ACTIVE}, 'Max')",
            first,
        )
    statement = f"UPDATE daily_limits SET penalty_weight = penalty_weight + 1 WHERE version_id = {ACTIVE}"
    counted = 1
    with connect(url) as connection, connection.transaction():
        connection.execute(statement, first)
        waiting = pool.submit(execute, url, statement, first)
        until_blocked(url, waiting)
    try:
        counted += waiting.result(timeout=30)
    except psycopg.Error as error:
        # To be told is as good.
        if error.sqlstate != "40001":
            raise
    with connect(url) as connection:
        row = connection.execute(
            f"SELECT penalty_weight FROM daily_limits WHERE version_id = {ACTIVE}", first
        )
        assert row.fetchone() == (1 + counted,)
