"""Direct writes: what applications and people do to the seed's tables, and what comes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.support.project import MOMIJI, SAKURA, Project

PERSON = "5f3c9f5e-6a35-4b0e-8f0b-3a4f9a6e7d11"
CONTENT = ("name", "description", "color", "group_config", "is_active")
#: Nine groups and two limits, as the first version from files.
SETTINGS = {
    "staff_groups": [{"name": f"Group {n}", "color": f"#00000{n}"} for n in range(1, 10)],
    "daily_limits": [{"name": "Max off", "limit_config": {"maxCount": 3}}, {"name": "Max early"}],
}


class Database:
    """A connection as an application has it, and what it would look at."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)

    def run(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        cursor = self.connection.execute(query, parameters or None)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []

    def count(self, query: str, *parameters: Any) -> int:
        """How many rows a statement says that it wrote."""
        return self.connection.execute(query, parameters or None).rowcount  # type: ignore[arg-type]

    def value(self, query: str, *parameters: Any) -> Any:
        (row,) = self.run(query, *parameters)
        (value,) = row.values()
        return value

    def refused(self, state: str, words: str, query: str, *parameters: Any) -> None:
        """A statement fails, and leaves no trace."""
        before = self.everything()
        with pytest.raises(psycopg.Error, match=words) as caught:
            self.run(query, *parameters)
        assert caught.value.sqlstate == state
        assert self.everything() == before

    @property
    def active(self) -> str:
        return self.value("SELECT id FROM config_versions WHERE is_active AND restaurant_id = %s", SAKURA)

    def version(self, number: int) -> dict[str, Any]:
        (row,) = self.run("SELECT * FROM config_versions WHERE version_number = %s", number)
        return row

    def newest(self) -> int:
        return self.value("SELECT max(version_number) FROM config_versions WHERE restaurant_id = %s", SAKURA)

    def shown(self, number: int, table: str = "staff_groups") -> list[dict[str, Any]]:
        """A version's content as an application reads it."""
        return self.run(
            f"SELECT t.* FROM {table} t JOIN config_versions v ON v.id = t.version_id"
            " WHERE v.version_number = %s AND v.restaurant_id = %s ORDER BY t.name, t.id",
            number,
            SAKURA,
        )

    def group(self, name: str) -> dict[str, Any]:
        (row,) = self.run("SELECT * FROM staff_groups WHERE name = %s AND version_id = %s", name, self.active)
        return row

    def audit(self, after: int = 0) -> list[dict[str, Any]]:
        return self.run(
            "SELECT * FROM config_changes WHERE seq > %s AND table_name <> 'config_versions' ORDER BY seq",
            after,
        )

    def seq(self) -> int:
        return self.value("SELECT max(seq) FROM config_changes")

    def everything(self) -> Any:
        """All content of all versions, and the audit's length."""
        numbers = [row["version_number"] for row in self.run("SELECT version_number FROM config_versions")]
        content = {
            (number, table): self.shown(number, table) for number in sorted(numbers) for table in SETTINGS
        }
        return content, self.value("SELECT count(*) FROM config_changes")


@pytest.fixture
def adopted(project: Project) -> Project:
    """Version 1, from files, is active."""
    project.restaurant()
    project.write({"sakura/all.yaml": json.dumps(SETTINGS)})
    project.apply()
    return project


@pytest.fixture
def db(adopted: Project) -> Iterator[Database]:
    opened = Database(adopted.url)
    yield opened
    opened.connection.close()


def new_version(db: Database, *, active: bool = False, number: int | None = None) -> str:
    """A version as the application makes it."""
    return db.value(
        "INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
        " VALUES (%s, %s, 'Mine', %s) RETURNING id",
        SAKURA,
        number or db.newest() + 1,
        active,
    )


# --- versions of their own ---------------------------------------------------------------------------


def test_an_update_of_one_row_makes_one_audited_version(db: Database) -> None:
    before, seq, group = db.shown(1), db.seq(), db.group("Group 3")
    other = db.shown(1, "daily_limits")
    count = db.count(
        "UPDATE staff_groups SET color = '#ffffff' WHERE id = %s AND version_id = %s", group["id"], db.active
    )
    assert count == 1
    assert db.shown(1) == before
    made = db.version(2)
    assert (made["name"], made["is_active"], made["is_locked"]) == ("Direct write", True, False)
    assert made["base_version_id"] == db.version(1)["id"]
    assert made["source"]["kind"] == "direct"
    assert db.version(1)["is_active"] is False
    now = {row["name"]: row for row in db.shown(2)}
    assert {name: row["color"] for name, row in now.items()} == {
        row["name"]: "#ffffff" if row["name"] == "Group 3" else row["color"] for row in before
    }
    for row in before:
        if row["name"] != "Group 3":
            assert now[row["name"]] == {**row, "version_id": made["id"]}
    assert [{**row, "version_id": None} for row in db.shown(2, "daily_limits")] == [
        {**row, "version_id": None} for row in other
    ]
    (change,) = db.audit(after=seq)
    assert (change["table_name"], change["operation"]) == ("staff_groups", "UPDATE")
    assert (change["old_data"]["color"], change["new_data"]["color"]) == ("#000003", "#ffffff")
    assert change["old_data"]["id"] == change["new_data"]["id"] == str(group["id"])
    assert set(change["new_data"]) == set(before[0])
    # One row ends and one begins, whatever else there is.
    assert db.value("SELECT count(*) FROM rowform.staff_groups WHERE until_version = 2") == 1
    assert db.value("SELECT count(*) FROM rowform.staff_groups WHERE since_version = 2") == 1


def test_an_insert_takes_the_seeds_defaults_and_returns_the_row(db: Database) -> None:
    active = db.active
    (row,) = db.run(
        "INSERT INTO daily_limits (restaurant_id, version_id, name) VALUES (%s, %s, 'New')"
        " RETURNING *, now() AS now",
        SAKURA,
        active,
    )
    assert row.pop("now") == row["created_at"] == row["updated_at"]
    expected = {"limit_config": {}, "penalty_weight": 1, "is_hard_constraint": False, "is_active": True}
    assert {name: row[name] for name in expected} == expected
    assert (row["effective_from"], row["effective_until"]) == (None, None)
    assert row["version_id"] == db.active != active
    assert db.run("SELECT * FROM daily_limits WHERE id = %s AND version_id = %s", row["id"], db.active) == [
        row
    ]
    (change,) = db.audit()[-1:]
    assert (change["operation"], change["old_data"], change["new_data"]["id"]) == (
        "INSERT", None, str(row["id"])
    )  # fmt: skip


def test_every_kind_takes_its_defaults(db: Database) -> None:
    for table in ("staff_groups", "monthly_limits", "priority_rules"):
        (row,) = db.run(
            f"INSERT INTO {table} (restaurant_id, version_id, name) VALUES (%s, %s, 'New') RETURNING *",
            SAKURA,
            db.active,
        )
        assert row["is_active"] is True
        assert row.get("priority_level", 1) == row.get("penalty_weight", 1) == 1
        assert row.get("group_config", {}) == row.get("rule_definition", {}) == {}
    (row,) = db.run(
        "INSERT INTO ml_model_configs (restaurant_id, version_id, model_name, model_type)"
        " VALUES (%s, %s, 'genetic', 'genetic') RETURNING *",
        SAKURA,
        db.active,
    )
    assert (str(row["confidence_threshold"]), row["is_default"]) == ("0.75", False)
    assert row["parameters"] == row["model_config"] == {}


def test_a_delete(db: Database) -> None:
    group = db.group("Group 3")
    deleted = db.run(
        "DELETE FROM staff_groups WHERE id = %s AND version_id = %s RETURNING name", group["id"], db.active
    )
    assert deleted == [{"name": "Group 3"}]
    assert [row["name"] for row in db.shown(2)] == [f"Group {n}" for n in range(1, 10) if n != 3]
    assert len(db.shown(1)) == 9
    assert (db.audit()[-1]["operation"], db.audit()[-1]["new_data"]) == ("DELETE", None)
    # The identity may come back, as it was or otherwise.
    db.run(
        "INSERT INTO staff_groups (id, restaurant_id, version_id, name) VALUES (%s, %s, %s, 'Again')",
        group["id"],
        SAKURA,
        db.active,
    )
    assert [row["name"] for row in db.shown(3) if row["id"] == group["id"]] == ["Again"]


def test_many_rows_and_several_tables_in_a_transaction_make_one_version(db: Database) -> None:
    seq = db.seq()
    with db.connection.transaction():
        active = db.active
        db.run("UPDATE staff_groups SET color = NULL WHERE version_id = %s", active)
        # The second statement still names the version that it read first.
        db.run("UPDATE daily_limits SET penalty_weight = 9 WHERE version_id = %s", active)
        db.run("DELETE FROM staff_groups WHERE name = 'Group 9' AND version_id = %s", active)
        db.run(
            "INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES (%s, %s, 'Tenth')",
            SAKURA,
            active,
        )
    assert db.newest() == 2
    assert [row["name"] for row in db.shown(2)] == [f"Group {n}" for n in range(1, 9)] + ["Tenth"]
    assert {row["color"] for row in db.shown(2)} == {None}
    assert {row["penalty_weight"] for row in db.shown(2, "daily_limits")} == {9}
    assert len(db.audit(after=seq)) == 9 + 2 + 1 + 1


def test_what_is_rolled_back_leaves_nothing(db: Database) -> None:
    before = db.everything()
    with db.connection.transaction(force_rollback=True):
        db.run("UPDATE staff_groups SET color = NULL WHERE version_id = %s", db.active)
        assert db.newest() == 2
    assert db.everything() == before
    with db.connection.transaction():
        with db.connection.transaction(force_rollback=True):
            db.run("DELETE FROM staff_groups WHERE version_id = %s", db.active)
        db.run(
            "UPDATE daily_limits SET penalty_weight = 3 WHERE name = 'Max off' AND version_id = %s", db.active
        )
    assert len(db.shown(2)) == 9
    assert [str(row["penalty_weight"]) for row in db.shown(2, "daily_limits")] == ["1", "3"]
    assert [row["table_name"] for row in db.audit()[11:]] == ["daily_limits"]


@pytest.mark.parametrize(
    "assignment",
    [
        "color = color",
        "color = '#000003'",
        "updated_at = now()",
        "name = 'Group 3', group_config = '{}', updated_at = now(), is_active = true",
    ],
)
def test_a_write_that_changes_nothing_makes_no_version(db: Database, assignment: str) -> None:
    before = db.everything()
    group = db.group("Group 3")
    query = f"UPDATE staff_groups SET {assignment} WHERE id = %s AND version_id = %s RETURNING *"
    assert db.run(query, group["id"], db.active) == [group]
    assert db.everything() == before


def test_equal_numbers_and_objects_are_no_change(db: Database) -> None:
    before = db.everything()
    assert db.count("UPDATE daily_limits SET penalty_weight = 1.00 WHERE version_id = %s", db.active) == 2
    db.run(
        "UPDATE daily_limits SET limit_config = %s WHERE name = 'Max off' AND version_id = %s",
        '{"maxCount": 3.0}',
        db.active,
    )
    assert db.count("DELETE FROM staff_groups WHERE name = 'Nobody' AND version_id = %s", db.active) == 0
    assert db.everything() == before


# --- which version is meant --------------------------------------------------------------------------


def test_nine_groups_patched_in_nine_requests_change_what_differs(db: Database) -> None:
    """A client that read version 1 sends it back, three fields changed, request after request."""
    stale, groups, seq = db.active, db.shown(1), db.seq()
    wanted = {row["name"]: row["color"] if n % 3 else "#abcdef" for n, row in enumerate(groups)}
    for row in groups:
        count = db.count(
            "UPDATE staff_groups SET name = %s, color = %s, group_config = %s, is_active = true,"
            " updated_at = now() WHERE id = %s AND version_id = %s",
            row["name"],
            wanted[row["name"]],
            Jsonb(row["group_config"]),
            row["id"],
            stale,
        )
        assert count == 1
    assert db.newest() == 4
    assert {row["name"]: row["color"] for row in db.shown(4)} == wanted
    assert db.shown(1) == groups
    assert [change["operation"] for change in db.audit(after=seq)] == ["UPDATE"] * 3


def test_a_version_that_direct_writes_have_superseded_means_the_active_one(db: Database) -> None:
    stale, group = db.active, db.group("Group 3")
    one = (group["id"], stale)
    db.run("UPDATE staff_groups SET color = '#111111' WHERE id = %s AND version_id = %s", *one)
    db.run("UPDATE staff_groups SET description = 'Mine' WHERE id = %s AND version_id = %s", *one)
    now = db.group("Group 3")
    # Neither has undone what the other did.
    assert (now["color"], now["description"]) == ("#111111", "Mine")
    # Who says explicitly what the stale version says changes nothing.
    db.run("UPDATE staff_groups SET color = '#000003' WHERE id = %s AND version_id = %s", *one)
    assert db.group("Group 3") == now
    assert db.count("DELETE FROM staff_groups WHERE id = %s AND version_id = %s", *one) == 1
    assert db.count("UPDATE staff_groups SET color = NULL WHERE id = %s AND version_id = %s", *one) == 0
    assert db.count("UPDATE staff_groups SET color = color WHERE id = %s AND version_id = %s", *one) == 0
    db.run("INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES (%s, %s, 'New')", SAKURA, stale)
    assert [row["name"] for row in db.shown(db.newest())][-1] == "New"
    assert db.newest() == 5


def test_a_finished_version_is_refused(adopted: Project, db: Database) -> None:
    old, group = db.active, db.group("Group 3")
    db.run("UPDATE staff_groups SET color = NULL WHERE id = %s AND version_id = %s", group["id"], old)
    # The files say what the direct write said, and more.
    groups = [{**one, "color": None} if one["name"] == "Group 3" else one for one in SETTINGS["staff_groups"]]
    more = {**SETTINGS, "staff_groups": [*groups, {"name": "More"}]}
    adopted.write({"sakura/all.yaml": json.dumps(more)})
    adopted.apply()
    assert db.newest() == 3
    words = "version 1 is finished"
    one = (group["id"], old)
    db.refused("RF001", words, "UPDATE staff_groups SET color = NULL WHERE id = %s AND version_id = %s", *one)
    db.refused("RF001", words, "DELETE FROM staff_groups WHERE id = %s AND version_id = %s", *one)
    db.refused("RF001", words, "DELETE FROM staff_groups WHERE version_id = %s", old)
    db.refused(
        "RF001",
        words,
        "INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES (%s, %s, 'New')",
        SAKURA,
        old,
    )
    db.run("UPDATE config_versions SET is_locked = true WHERE version_number = 1")
    db.refused("RF004", "version 1 is locked", "DELETE FROM staff_groups WHERE version_id = %s", old)


def test_a_locked_version_is_refused(db: Database) -> None:
    db.run("UPDATE config_versions SET is_locked = true WHERE is_active")
    words = "version 1 is locked"
    db.refused("RF004", words, "UPDATE staff_groups SET color = NULL WHERE version_id = %s", db.active)
    db.refused("RF004", words, "DELETE FROM staff_groups")
    db.refused(
        "RF004",
        words,
        "INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES (%s, %s, 'New')",
        SAKURA,
        db.active,
    )
    draft = new_version(db)
    db.run("UPDATE config_versions SET is_locked = true WHERE id = %s", draft)
    db.refused(
        "RF004",
        "version 2 is locked",
        "INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES (%s, %s, 'New')",
        SAKURA,
        draft,
    )


@pytest.mark.parametrize("where", ["name = 'Group 3'", "id = '{id}'", "color LIKE '%%3'"])
def test_a_statement_without_a_version_changes_the_active_one_and_counts_one_row(
    db: Database, where: str
) -> None:
    group = db.group("Group 3")
    for n in (1, 2, 3):
        condition = where.format(id=group["id"])
        (row,) = db.run(
            f"UPDATE staff_groups SET description = %s WHERE {condition} RETURNING *", f"Number {n}"
        )
        assert row == db.group("Group 3")
        assert row["description"] == f"Number {n}"
        assert db.newest() == n + 1
    condition = where.format(id=group["id"]).replace("%%", "%")
    assert db.count(f"DELETE FROM staff_groups WHERE {condition}") == 1
    assert [len(db.shown(number)) for number in range(1, 6)] == [9, 9, 9, 9, 8]
    assert [row["description"] for n in (1, 2, 3, 4) for row in db.shown(n) if row["id"] == group["id"]] == [
        None, "Number 1", "Number 2", "Number 3"
    ]  # fmt: skip


def test_increments_without_a_version_count_from_the_active_one(db: Database) -> None:
    for _ in range(3):
        assert db.count("UPDATE daily_limits SET penalty_weight = penalty_weight + 1") == 2
    assert [str(row["penalty_weight"]) for row in db.shown(4, "daily_limits")] == ["4", "4"]


def test_a_value_of_the_past_means_nothing(db: Database) -> None:
    db.run("UPDATE staff_groups SET color = '#111111' WHERE name = 'Group 3'")
    assert db.count("DELETE FROM staff_groups WHERE color = '#10B981'") == 0
    assert db.count("UPDATE staff_groups SET name = 'Green' WHERE color = '#10B981'") == 0
    assert db.newest() == 2


def test_a_function_may_name_a_version_that_was_superseded(db: Database) -> None:
    first = db.active
    db.run(
        "CREATE FUNCTION paint(at uuid, which text, colour text) RETURNS bigint LANGUAGE sql AS $$"
        " WITH painted AS (UPDATE staff_groups SET color = colour WHERE version_id = at AND name = which"
        " RETURNING 1) SELECT count(*) FROM painted $$"
    )
    for colour in ("#111111", "#222222"):
        assert db.connection.execute("SELECT paint(%s, 'Group 3', %s) AS n", (first, colour)).fetchone() == {
            "n": 1
        }
    (row,) = [row for row in db.shown(db.newest()) if row["name"] == "Group 3"]
    assert row["color"] == "#222222"


def test_a_former_name_takes_nothing_back(db: Database) -> None:
    db.run("UPDATE staff_groups SET color = '#111111' WHERE name = 'Group 3'")
    db.run("UPDATE staff_groups SET name = 'Third', color = '#222222' WHERE name = 'Group 3'")
    db.run("UPDATE staff_groups SET description = 'Mine' WHERE name = 'Group 3'")
    (row,) = [row for row in db.shown(db.newest()) if row["name"] in ("Group 3", "Third")]
    assert (row["name"], row["color"]) == ("Third", "#222222")


# --- shapes of statements ----------------------------------------------------------------------------


def test_copy_into_a_view(db: Database) -> None:
    with (
        db.connection.cursor() as cursor,
        cursor.copy("COPY staff_groups (restaurant_id, version_id, name, color) FROM STDIN") as copy,
    ):
        for n in range(50):
            copy.write_row((SAKURA, db_active(db), f"Copied {n}", None if n % 2 else "#123456"))
    assert db.newest() == 2
    rows = [row for row in db.shown(2) if row["name"].startswith("Copied")]
    assert len(rows) == len({row["id"] for row in rows}) == 50
    assert all(row["group_config"] == {} and row["is_active"] for row in rows)
    assert len(db.audit()) == 11 + 50


def db_active(db: Database) -> str:
    """The active version, asked on another connection: this one is in the middle of a COPY."""
    with psycopg.connect(db.url) as connection:
        row = connection.execute("SELECT id FROM config_versions WHERE version_number = 1").fetchone()
    assert row is not None
    return row[0]


def test_data_modifying_ctes(db: Database) -> None:
    rows = db.run(
        "WITH active AS (SELECT id FROM config_versions WHERE is_active),"
        " gone AS (DELETE FROM staff_groups WHERE name = 'Group 1' AND version_id = (SELECT id FROM active)"
        "          RETURNING name),"
        " moved AS (UPDATE daily_limits SET penalty_weight = 7 WHERE version_id = (SELECT id FROM active)"
        "           RETURNING name),"
        " added AS (INSERT INTO priority_rules (restaurant_id, version_id, name, description)"
        "           SELECT %s, active.id, 'From ' || gone.name, 'moved' FROM gone, active RETURNING name)"
        " SELECT name FROM gone UNION ALL SELECT name FROM moved UNION ALL SELECT name FROM added ORDER BY 1",
        SAKURA,
    )
    assert [row["name"] for row in rows] == ["From Group 1", "Group 1", "Max early", "Max off"]
    assert db.newest() == 2
    assert (len(db.shown(2)), len(db.shown(2, "priority_rules"))) == (8, 1)


def test_postgrests_statements(db: Database) -> None:
    group = db.group("Group 3")
    body = {"color": "#fedcba", "group_config": {"members": ["岸"]}, "updated_at": "2026-01-01T00:00:00Z"}
    (row,) = db.run(
        "WITH pgrst_source AS (UPDATE public.staff_groups SET color = pgrst_body.color,"
        " group_config = pgrst_body.group_config, updated_at = pgrst_body.updated_at"
        " FROM (SELECT * FROM json_to_record(%s)"
        " AS _ (color text, group_config jsonb, updated_at timestamptz)) pgrst_body"
        " WHERE public.staff_groups.id = %s AND public.staff_groups.version_id = %s"
        " RETURNING public.staff_groups.*)"
        " SELECT count(*) AS page_total, json_agg(_postgrest_t)::jsonb AS body"
        " FROM (SELECT * FROM pgrst_source) _postgrest_t",
        json.dumps(body),
        group["id"],
        db.active,
    )
    assert row["page_total"] == 1
    (answer,) = row["body"]
    assert (answer["color"], answer["group_config"]) == ("#fedcba", {"members": ["岸"]})
    assert answer["version_id"] == str(db.active)
    body = {"restaurant_id": SAKURA, "version_id": str(db.active), "is_active": True}
    (row,) = db.run(
        "WITH pgrst_source AS (INSERT INTO public.staff_groups"
        " (restaurant_id, version_id, is_active, name, color)"
        " SELECT restaurant_id, version_id, is_active, name, color"
        " FROM json_populate_recordset(null::public.staff_groups, %s) _ RETURNING public.staff_groups.*)"
        " SELECT json_agg(_postgrest_t)::jsonb AS body FROM (SELECT * FROM pgrst_source) _postgrest_t",
        json.dumps([{**body, "name": "One", "color": None}, {**body, "name": "Two", "color": "#121212"}]),
    )
    assert [(one["name"], one["group_config"]) for one in row["body"]] == [("One", {}), ("Two", {})]
    assert db.newest() == 3
    assert len(db.shown(3)) == 11


def test_merge(db: Database) -> None:
    if db.connection.info.server_version < 170000:
        pytest.skip("MERGE into a view came with PostgreSQL 17")
    count = db.count(
        "MERGE INTO staff_groups AS t USING (VALUES ('Group 1'), ('Group 77')) AS s (name)"
        " ON t.name = s.name AND t.version_id = %(active)s"
        " WHEN MATCHED THEN UPDATE SET color = '#777777'"
        " WHEN NOT MATCHED THEN INSERT (restaurant_id, version_id, name)"
        f" VALUES ('{SAKURA}', %(active)s, s.name)".replace("%(active)s", f"'{db.active}'")
    )
    assert count == 2
    assert db.newest() == 2
    assert {row["name"]: row["color"] for row in db.shown(2)}.items() >= {
        "Group 1": "#777777", "Group 77": None
    }.items()  # fmt: skip


# --- what is no good ---------------------------------------------------------------------------------


def test_where_a_setting_belongs_is_not_edited(db: Database) -> None:
    stale, group = db.active, db.group("Group 3")
    db.run("UPDATE staff_groups SET color = NULL WHERE id = %s AND version_id = %s", group["id"], stale)
    one = (group["id"], db.active)
    # The client sends the whole row, with the version that it read: that is where the setting is.
    db.run(
        "UPDATE staff_groups SET version_id = %s, description = 'x' WHERE id = %s AND version_id = %s",
        stale,
        *one,
    )
    assert db.group("Group 3")["description"] == "x"
    draft = new_version(db)
    move = "UPDATE staff_groups SET version_id = %s WHERE id = %s AND version_id = %s"
    one = (group["id"], db.active)
    db.refused("RF001", "does not move to another version", move, draft, *one)
    db.refused("23503", "there is no config version", move, PERSON, *one)
    db.refused("23502", "needs a version_id", move, None, *one)
    for column in ("id", "restaurant_id"):
        query = f"UPDATE staff_groups SET {column} = gen_random_uuid() WHERE id = %s AND version_id = %s"
        db.refused("RF001", "keeps its id and its restaurant", query, *one)


def test_what_an_insert_must_say(db: Database) -> None:
    query = (
        "INSERT INTO staff_groups (id, restaurant_id, version_id, name) VALUES (%s, %s, %s, %s) RETURNING *"
    )
    active, group = db.active, db.group("Group 3")
    db.refused("23502", "needs a version_id", query, None, SAKURA, None, "New")
    db.refused("23502", "null value", query, None, SAKURA, active, None)
    db.refused("23503", "there is no config version", query, None, SAKURA, PERSON, "New")
    db.refused("23503", "there is no config version", query, None, MOMIJI, active, "New")
    db.refused("23505", "duplicate key", query, None, SAKURA, active, "Group 4")
    db.refused("23505", "duplicate key", query, group["id"], SAKURA, active, "New")
    (row,) = db.run(query, None, None, active, "New")
    # Neither an id nor a restaurant is needed: the one is made, the other the version's.
    assert row["id"] is not None
    assert str(row["restaurant_id"]) == SAKURA
    assert row == db.group("New")


def test_a_rename_into_a_name_that_is_taken(db: Database) -> None:
    query = "UPDATE staff_groups SET name = 'Group 4' WHERE name = 'Group 3' AND version_id = %s"
    db.refused("23505", "duplicate key", query, db.active)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_old_snapshots_do_not_write(db: Database, level: str) -> None:
    before, active = db.everything(), db.active
    db.run(f"BEGIN ISOLATION LEVEL {level}")
    with pytest.raises(psycopg.Error, match="settings are not written under") as caught:
        db.run("UPDATE staff_groups SET color = NULL WHERE version_id = %s", active)
    assert caught.value.sqlstate == "RF007"
    db.run("ROLLBACK")
    assert db.everything() == before


# --- time stamps -------------------------------------------------------------------------------------


def test_time_stamps(db: Database) -> None:
    group = db.group("Group 3")
    query = "UPDATE staff_groups SET {} WHERE id = %s AND version_id = %s RETURNING *, now() AS now"

    def update(assignments: str) -> dict[str, Any]:
        (row,) = db.run(query.format(assignments), group["id"], db.active)
        return row

    row = update("color = '#111111'")
    assert (row["created_at"], row["updated_at"]) == (group["created_at"], row["now"])
    row = update("color = '#222222', updated_at = '2020-01-01T00:00:00Z'")
    assert (row["created_at"], row["updated_at"].year) == (group["created_at"], 2020)
    # Alone, they are no content.
    assert update("updated_at = '2021-01-01', created_at = '2021-01-01'")["updated_at"].year == 2020
    assert db.newest() == 3
    assert update("color = NULL, created_at = '2019-01-01'")["created_at"].year == 2019
    (row,) = db.run(
        "INSERT INTO staff_groups (restaurant_id, version_id, name, created_at, updated_at)"
        " VALUES (%s, %s, 'New', '2018-01-01', '2018-02-01') RETURNING *",
        SAKURA,
        db.active,
    )
    assert (row["created_at"].year, row["updated_at"].month) == (2018, 2)
    # What nobody wrote keeps its own in every version.
    stamps = {
        (row["created_at"], row["updated_at"])
        for n in range(1, db.newest() + 1)
        for row in db.shown(n)
        if row["name"] == "Group 4"
    }
    assert len(stamps) == 1


# --- who ---------------------------------------------------------------------------------------------


def test_a_version_names_its_writer(db: Database) -> None:
    role = f"web_{token_hex(4)}"
    db.run(f"CREATE ROLE {role}")
    try:
        db.run(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON staff_groups, config_versions, config_changes TO {role}"
        )
        db.run(f"GRANT USAGE ON SCHEMA rowform TO {role}")
        db.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA rowform TO {role}")
        db.run("INSERT INTO rowform.members (role_name, restaurant_id) VALUES (session_user, %s)", SAKURA)
        claims = {"sub": PERSON, "email": "aiko@example.com", "role": role}
        with db.connection.transaction():
            db.run(
                "SELECT set_config('role', %s, true), set_config('request.jwt.claims', %s, true),"
                " set_config('application_name', 'Settings server', true)",
                role,
                json.dumps(claims),
            )
            assert db.count("UPDATE staff_groups SET color = NULL WHERE name = 'Group 3'") == 1
        made = db.version(2)
        assert made["source"] == {
            "kind": "direct",
            "database_user": db.connection.info.user,
            "role": role,
            "application_name": "Settings server",
            "claims": claims,
        }
        assert str(made["created_by"]) == PERSON
        change = db.audit()[-1]
        assert str(change["changed_by"]) == PERSON
        assert change["reason"] == (
            f"Direct write by aiko@example.com, {role}, {db.connection.info.user}, Settings server"
        )
    finally:
        db.run(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize(
    ("claims", "kept"),
    [
        ("", None),
        ("{", None),
        ("[1]", None),
        ('"text"', None),
        ('{"a": "\\u0000"}', None),
        ('{"sub": 7}', {"sub": 7}),
        ('{"sub": "aiko"}', {"sub": "aiko"}),
        ('{"sub": {"a": []}, "email": ["x"]}', {"sub": {"a": []}, "email": ["x"]}),
    ],
)
def test_claims_of_any_shape_do_no_harm(db: Database, claims: str, kept: Any) -> None:
    db.run("SELECT set_config('request.jwt.claims', %s, false)", claims)
    db.run("UPDATE staff_groups SET color = NULL WHERE name = 'Group 3'")
    assert db.version(2)["source"].get("claims") == kept
    assert db.version(2)["created_by"] is None


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param('{"a": 1e999999}', id="a number that is too large"),
        pytest.param('{"a":' + "[" * 20_000 + "]" * 20_000 + "}", id="nested too deeply"),
    ],
)
def test_claims_that_cannot_be_kept_do_no_harm(db: Database, claims: str) -> None:
    db.run("SELECT set_config('request.jwt.claims', %s, false)", claims)
    db.run("UPDATE staff_groups SET color = NULL WHERE name = 'Group 3'")
    assert "claims" not in db.version(2)["source"]


# --- versions that the application makes -------------------------------------------------------------


def test_a_version_of_the_applications_own(db: Database) -> None:
    """SETTINGS_MIGRATE: a new version, filled by one request after the other, then activated by two."""
    before, seq = db.shown(1), db.seq()
    draft = new_version(db)
    assert db.shown(2) == []
    for name in ("Group 1", "Own"):
        db.run(
            "INSERT INTO staff_groups (restaurant_id, version_id, name, color)"
            " VALUES (%s, %s, %s, '#000001')",
            SAKURA,
            draft,
            name,
        )
    # Meanwhile the active version goes on, by itself.
    db.run("UPDATE staff_groups SET color = NULL WHERE name = 'Group 2' AND version_id = %s", db.active)
    assert db.newest() == 3
    query = "UPDATE staff_groups SET color = '#999999' WHERE name = 'Own' AND version_id = %s"
    assert db.count(query, draft) == 1
    assert [row["color"] for row in db.shown(2)] == ["#000001", "#999999"]
    assert [row["name"] for row in db.shown(3)] == [row["name"] for row in before]
    assert len(db.audit(after=seq)) == 1
    db.run("UPDATE config_versions SET is_active = false WHERE restaurant_id = %s", SAKURA)
    db.run("UPDATE config_versions SET is_active = true WHERE id = %s", draft)
    changes = db.audit(after=seq)[1:]
    assert [change["operation"] for change in changes if change["table_name"] == "staff_groups"] == [
        *["DELETE"] * 8, "INSERT"
    ]  # fmt: skip
    assert [change["operation"] for change in changes if change["table_name"] == "daily_limits"] == [
        "DELETE"
    ] * 2
    assert {str(change["version_id"]) for change in changes} == {str(draft)}
    # Now it is a version as any other.
    db.run("DELETE FROM staff_groups WHERE name = 'Own' AND version_id = %s", draft)
    assert (len(db.shown(2)), len(db.shown(4))) == (2, 1)


def test_a_function_that_makes_copies_and_activates(db: Database) -> None:
    db.run("""
        CREATE FUNCTION create_config_version(restaurant uuid, title text) RETURNS uuid LANGUAGE plpgsql AS $$
        DECLARE
            made uuid;
        BEGIN
            INSERT INTO config_versions (restaurant_id, version_number, name, is_active)
            SELECT restaurant, max(version_number) + 1, title, false
            FROM config_versions WHERE restaurant_id = restaurant RETURNING id INTO made;
            INSERT INTO staff_groups (restaurant_id, version_id, name, color, group_config)
            SELECT restaurant, made, s.name, s.color, s.group_config FROM staff_groups s
            JOIN config_versions v ON v.id = s.version_id AND v.is_active AND v.restaurant_id = restaurant;
            UPDATE config_versions SET is_active = (id = made) WHERE restaurant_id = restaurant;
            RETURN made;
        END $$""")
    seq, before = db.seq(), db.shown(1)
    made = db.value("SELECT create_config_version(%s, 'Spring')", SAKURA)
    assert db.active == made
    assert (db.version(2)["name"], db.version(2)["source"]["kind"]) == ("Spring", "application")
    assert [[row[name] for name in CONTENT] for row in db.shown(2)] == [
        [row[name] for name in CONTENT] for row in before
    ]
    # The groups are the same to people, the limits are gone.
    assert [(one["table_name"], one["operation"]) for one in db.audit(after=seq)] == [
        ("daily_limits", "DELETE")
    ] * 2


def test_a_version_may_go_and_come_back_in_its_own_transaction(db: Database) -> None:
    first = db.active
    with db.connection.transaction():
        db.run("UPDATE staff_groups SET color = NULL WHERE name = 'Group 3' AND version_id = %s", first)
        second = db.active
        for version in (first, second):
            db.run(
                "UPDATE config_versions SET is_active = (id = %s) WHERE restaurant_id = %s", version, SAKURA
            )
    assert db.active == second
    assert db.audit()[-1]["new_data"]["color"] is None


# --- the accident ------------------------------------------------------------------------------------


def test_the_accident(db: Database) -> None:
    """A stale client deletes all rows of the active version, and inserts what its cache has."""
    before, limits, seq, active = db.shown(1), db.shown(1, "daily_limits"), db.seq(), db.active
    db.run("SET application_name = 'Old browser'")
    assert db.count("DELETE FROM staff_groups WHERE version_id = %s", active) == 9
    for name in ("Group 1", "Wrong"):
        db.run(
            "INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES (%s, %s, %s)",
            SAKURA,
            active,
            name,
        )
    assert [row["name"] for row in db.shown(db.newest())] == ["Group 1", "Wrong"]
    # Nothing is lost, and it is clear who did it.
    assert (db.shown(1), db.shown(1, "daily_limits")) == (before, limits)
    changes = db.audit(after=seq)
    assert [change["operation"] for change in changes] == ["DELETE"] * 9 + ["INSERT"] * 2
    assert all("Old browser" in change["reason"] for change in changes)
    assert {db.version(number)["source"]["application_name"] for number in (2, 3, 4)} == {"Old browser"}
    assert [change["old_data"]["name"] for change in changes[:9]] == [row["name"] for row in before]
    # Back to what was, as it was.
    db.run("UPDATE config_versions SET is_active = (version_number = 1) WHERE restaurant_id = %s", SAKURA)
    assert db.run("SELECT * FROM staff_groups WHERE version_id = %s ORDER BY name", db.active) == before
