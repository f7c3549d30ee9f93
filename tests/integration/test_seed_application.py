"""The existing application runs on, unchanged, on a database that rowform has taken over.

The same requests go to two databases made from one script: a plain one, and one that was adopted.
Where rowform applies or rolls back, the plain one is changed the old way: a full copy is made,
changed and activated. Every answer must be the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from psycopg import sql

from rowform.dump import dump
from rowform.kinds import kinds
from rowform.store.read import content_of, version_rows
from rowform.store.session import open_session
from tests.support.database import Databases
from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.seed_application import TABLES, Application, plain

SEED = Path(__file__).parents[1] / "fixtures" / "seed-database.sql"
GROUP = {"name": "Group 10", "description": "New", "color": "#000000", "group_config": {"members": ["岸"]}}
MIGRATED = {
    "staff_groups": [
        {"name": "Kitchen", "color": "#111111", "group_config": {"members": ["料理長", "井関"]}}
    ],
    "daily_limits": [{"name": "Maximum Off Days", "limit_config": {"maxCount": 4}, "penalty_weight": 10.5}],
    "monthly_limits": [{"name": "Year-end peak", "limit_config": {}, "effective_from": "2026-12-01"}],
    "priority_rules": [{"name": "Kishi early", "priority_level": 2, "rule_definition": {"staffId": "岸"}}],
    "ml_model_configs": [{"model_name": "genetic_algorithm", "model_type": "genetic_algorithm"}],
}
DEFAULTS = {"staff_groups": [{"name": "Everybody", "group_config": {}}]}


@dataclass
class Pair:
    """The application on both databases, and rowform on the adopted one."""

    plain: Application
    adopted: Application
    project: Project

    def same(self, what: Callable[[Application], Any]) -> Any:
        """Do it on both; the answers must be the same."""
        first, second = what(self.plain), what(self.adopted)
        assert first == second
        return second


@pytest.fixture
def role(databases: Databases) -> Iterator[str]:
    name = f"anon_{token_hex(4)}"
    url = databases.create()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def pair(databases: Databases, role: str, tmp_path: Path) -> Iterator[Pair]:
    urls = [databases.create(), databases.create()]
    for url in urls:
        with psycopg.connect(url, autocommit=True, options="-c search_path=public") as connection:
            connection.execute(SEED.read_bytes())
            connection.execute(
                sql.SQL(
                    "GRANT ALL ON ALL TABLES IN SCHEMA public TO {0}; GRANT USAGE ON SCHEMA public TO {0}"
                ).format(sql.Identifier(role))
            )
    project = Project(tmp_path, urls[1])
    project.restaurant()
    project.ok("db", "upgrade", "--auto-approve")
    yield Pair(Application(urls[0], role, SAKURA), Application(urls[1], role, SAKURA), project)
    for url in urls:
        databases.drop(url)


def versions(application: Application) -> list[tuple[Any, ...]]:
    """What the application sees of its versions, by number."""
    found = application.get("config_versions", restaurant_id=SAKURA)
    return sorted((one["version_number"], one["name"], one["is_active"], one["is_locked"]) for one in found)


def by_name(application: Application, table: str, name: str) -> dict[str, Any]:
    version = application.fetch_active_config_version()
    assert version
    (found,) = (row for row in application.fetch(table, version["id"]) if row["name"] == name)
    return found


def logged(application: Application) -> list[tuple[Any, ...]]:
    """What the application wrote into the audit trail itself."""
    rows = application.get("config_changes", reason="WebSocket operation")
    return sorted(
        (row["table_name"], row["operation"], json.dumps(plain([row["new_data"]]), sort_keys=True))
        for row in rows
    )


def copy_change_activate(application: Application, changes: dict[str, Any]) -> None:
    """What an apply is on the plain database: a full copy under a new number, then the change."""
    old = application.fetch_active_config_version()
    assert old
    version = application.create_config_version("Apply", "")
    for table in TABLES:
        for row in application.fetch(table, old["id"]):
            new = {name: value for name, value in row.items() if name != "id"}
            if table == "staff_groups" and row["name"] == "Group 1":
                new |= changes
            application.insert(table, version["id"], new)
    application.activate_config_version(version["id"])


def write_config(pair: Pair, replace: tuple[str, str]) -> None:
    """The live state of the adopted database as YAML, with one text replaced."""
    session = open_session(pair.project.url, kinds())
    try:
        number = pair.project.value(
            "SELECT version_number FROM config_versions WHERE restaurant_id = %s AND is_active", SAKURA
        )
        text = dump(content_of(version_rows(session, SAKURA, number)), kinds())
    finally:
        session.connection.close()
    assert replace[0] in text
    pair.project.write({"sakura/settings.yaml": text.replace(*replace, 1)})


def test_the_recorded_run(pair: Pair) -> None:
    same = pair.same
    # Reading.
    assert len(same(lambda app: app.fetch_aggregated_settings())["staff_groups"]) == 9
    assert same(versions) == [(1, "Initial", True, False)]
    before = {
        application.url: application.fetch_active_config_version()
        for application in (pair.plain, pair.adopted)
    }
    assert same(lambda app: by_name(app, "staff_groups", "Group 3")["color"]) == "#10B981"
    assert same(lambda app: plain(app.get("staff_groups", restaurant_id=MOMIJI))) == []
    # PATCH by id and version; one that meets nothing; one that changes nothing.
    change = {"color": "#ABCDEF", "group_config": {"members": ["高野"]}}
    assert (
        same(
            lambda app: app.handle_update(
                "staff_groups", {**by_name(app, "staff_groups", "Group 1"), **change}
            )
        )
        == 1
    )
    assert (
        same(lambda app: app.handle_update("daily_limits", by_name(app, "daily_limits", "Maximum Off Days")))
        == 1
    )
    nobody = "00000000-0000-4000-8000-000000000000"
    assert (
        same(lambda app: app.patch("staff_groups", {"color": "#000000"}, id=nobody, version_id=nobody)) == 0
    )

    # A client that still names the version that it loaded.
    def stale(app: Application) -> int:
        old = before[app.url]
        assert old
        group = by_name(app, "staff_groups", "Group 2")
        return app.update("staff_groups", old["id"], {"id": group["id"], "description": "From a stale tab"})

    assert same(stale) == 1

    # Insert, with and without what has a default; delete.
    def insert(app: Application) -> dict[str, Any]:
        version = app.fetch_active_config_version()
        assert version
        return plain([app.insert("staff_groups", version["id"], GROUP)])[0]

    assert same(insert)["name"] == "Group 10"

    def insert_bare(app: Application) -> dict[str, Any]:
        version = app.fetch_active_config_version()
        assert version
        (row,) = app.post(
            "daily_limits", {"restaurant_id": SAKURA, "version_id": version["id"], "name": "Bare"}
        )
        return plain([row])[0]

    assert same(insert_bare)["penalty_weight"] == 1
    assert same(lambda app: app.delete("staff_groups", id=by_name(app, "staff_groups", "Group 9")["id"])) == 1
    same(lambda app: app.fetch_aggregated_settings())
    same(logged)
    # An apply, in both worlds' ways.
    write_config(pair, ("#ABCDEF", "#123456"))
    copy_change_activate(pair.plain, {"color": "#123456"})
    pair.project.apply("--force", "drift")
    settings = same(lambda app: app.fetch_aggregated_settings())
    assert {row["color"] for row in settings["staff_groups"] if row["name"] == "Group 1"} == {"#123456"}
    assert (
        same(
            lambda app: app.handle_update(
                "monthly_limits", by_name(app, "monthly_limits", "Golden Week") | {"penalty_weight": 41}
            )
        )
        == 1
    )
    same(lambda app: app.fetch_aggregated_settings())
    # Migrate: a version of the application's own, filled row by row over many requests.
    migrated = {
        application.url: application.handle_migrate(MIGRATED) for application in (pair.plain, pair.adopted)
    }
    assert [row["name"] for row in same(lambda app: app.fetch_aggregated_settings())["staff_groups"]] == [
        "Kitchen"
    ]
    assert (
        same(
            lambda app: app.handle_update(
                "staff_groups", by_name(app, "staff_groups", "Kitchen") | {"color": None}
            )
        )
        == 1
    )
    # Reset, then back to what was migrated.
    same(lambda app: app.handle_reset(DEFAULTS)["name"])
    assert [row["name"] for row in same(lambda app: app.fetch_aggregated_settings())["staff_groups"]] == [
        "Everybody"
    ]
    same(lambda app: app.fetch_aggregated_settings()["ml_model_configs"])
    same(logged)
    pair.project.ok("rollback", "--auto-approve", "-r", "sakura")
    pair.plain.activate_config_version(migrated[pair.plain.url]["id"])
    same(lambda app: app.fetch_aggregated_settings())
    assert (
        same(
            lambda app: app.handle_update(
                "staff_groups", by_name(app, "staff_groups", "Kitchen") | {"color": "#222222"}
            )
        )
        == 1
    )
    same(lambda app: app.fetch_aggregated_settings())
    # Nobody else's restaurant was touched by any of it.
    assert same(lambda app: plain(app.get("config_versions", restaurant_id=MOMIJI))) == []


def test_the_application_activates_an_older_version(pair: Pair) -> None:
    for application in (pair.plain, pair.adopted):
        application.handle_migrate(MIGRATED)

    def back(app: Application) -> tuple[int, int]:
        (first,) = (
            one for one in app.get("config_versions", restaurant_id=SAKURA) if one["version_number"] == 1
        )
        return app.activate_config_version(first["id"])

    assert pair.same(back) == (2, 1)
    assert len(pair.same(lambda app: app.fetch_aggregated_settings())["staff_groups"]) == 9
    assert pair.same(versions) == [(1, "Initial", True, False), (2, "localStorage Migration", False, False)]


def test_the_accident_replayed(pair: Pair) -> None:
    """A tab that slept for a day deletes everything and writes what it remembers."""
    application, project = pair.adopted, pair.project
    remembered = application.fetch_active_config_version()
    assert remembered
    cache = {table: application.fetch(table, remembered["id"]) for table in TABLES}
    application.handle_update(
        "staff_groups", by_name(application, "staff_groups", "Group 1") | {"color": "#777777"}
    )
    write_config(pair, ("#777777", "#888888"))
    project.apply("--force", "drift")
    contents = {
        version["version_number"]: application.fetch_aggregated_settings(version["id"])
        for version in application.get("config_versions", restaurant_id=SAKURA)
    }
    before = application.fetch_active_config_version()
    assert before

    # One request, as the accident was: everything goes, and a stale part of it comes back.
    with psycopg.connect(
        project.url, options="-c search_path=public -c application_name=stale-tab"
    ) as connection:
        connection.execute("SELECT set_config('role', %s, true)", (application.role,))
        for table in TABLES:
            name = sql.Identifier(table)
            gone = connection.execute(
                sql.SQL("DELETE FROM {} WHERE version_id = %s").format(name), (before["id"],)
            )
            assert gone.rowcount == len(contents[before["version_number"]][table])
        active = connection.execute("SELECT id FROM config_versions WHERE is_active").fetchone()
        assert active
        for row in cache["staff_groups"][:3]:
            connection.execute(
                "INSERT INTO staff_groups (id, restaurant_id, version_id, name, color)"
                " VALUES (%s, %s, %s, %s, %s)",
                (row["id"], SAKURA, before["id"], row["name"], row["color"]),
            )
    assert {table: len(rows) for table, rows in application.fetch_aggregated_settings().items()} == {
        **dict.fromkeys(TABLES, 0),
        "staff_groups": 3,
    }

    # Every earlier version is intact, and the audit names the writer.
    for version in application.get("config_versions", restaurant_id=SAKURA):
        if version["version_number"] in contents:
            assert application.fetch_aggregated_settings(version["id"]) == contents[version["version_number"]]
    (accident,) = project.rows("SELECT version_number, name, source FROM config_versions WHERE is_active")
    assert accident["name"] == "Direct write"
    assert accident["source"]["role"] == application.role
    assert accident["source"]["application_name"] == "stale-tab"
    audit = project.rows(
        "SELECT operation, count(*), min(reason) AS reason FROM config_changes JOIN config_versions v"
        " ON v.id = version_id WHERE v.is_active GROUP BY operation ORDER BY operation"
    )
    assert [(row["operation"], row["count"]) for row in audit] == [("DELETE", 21), ("INSERT", 3)]
    assert all(application.role in row["reason"] and "stale-tab" in row["reason"] for row in audit)

    # A rollback takes less than a second.
    began = time.perf_counter()
    result = project.ok("rollback", "--auto-approve", "-r", "sakura")
    took = time.perf_counter() - began
    assert result.out.splitlines()[-1] == (
        f"Rollback complete! Version {before['version_number']} active: 18 added, 3 changed, 0 destroyed."
    )
    assert application.fetch_aggregated_settings() == contents[before["version_number"]]
    assert took < 1, took

    # Protected, the same is refused.
    project.ok("db", "protect", "--managed-in", "https://example.com/settings", "--auto-approve")
    for table in TABLES:
        with pytest.raises(psycopg.Error) as caught:
            application.delete(table, version_id=before["id"])
        assert caught.value.sqlstate == "RF001"
        assert caught.value.diag.message_primary == (
            f"settings are managed in https://example.com/settings: DELETE of {table} refused"
        )
    assert application.fetch_aggregated_settings() == contents[before["version_number"]]


def test_nine_groups_in_nine_requests_change_only_what_differs(pair: Pair) -> None:
    application = pair.adopted
    version = application.fetch_active_config_version()
    assert version
    groups = application.fetch("staff_groups", version["id"])
    for number, group in enumerate(groups):
        row = {
            name: group[name] for name in ("id", "name", "description", "color", "group_config", "is_active")
        }
        assert (
            application.update(
                "staff_groups", version["id"], row | ({"color": "#000000"} if number == 4 else {})
            )
            == 1
        )
    assert [row[0] for row in versions(application)] == [1, 2]
    (change,) = pair.project.rows("SELECT old_data, new_data FROM config_changes")
    assert change["old_data"] | {"color": "#000000"} == change["new_data"] | {
        name: change["old_data"][name] for name in ("version_id", "updated_at")
    }
