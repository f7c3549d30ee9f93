"""`db upgrade` on an application's own database: nothing is lost, what does not fit is listed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Any, ClassVar

import psycopg
import pytest
from psycopg import Connection, sql

from rowform.errors import DoesNotFit
from rowform.kinds import Kind, Setting, kinds
from rowform.kinds.base import Json, JsonObject, Key, Weight
from rowform.store.adoption import Choices
from rowform.store.connection import connect
from rowform.store.migrate import check, pending, script, upgrade
from tests.support.catalog import Row, catalog
from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.script import statements


class WeeklyLimit(Setting):
    """Limits that count per week."""

    table: ClassVar[str] = "weekly_limits"
    name: Key
    limit_config: Annotated[JsonObject | None, Json] = JsonObject()
    penalty_weight: Weight | None = 1


SQL = Path(__file__).parent / "adoption"
SEED = Path(__file__).parents[1] / "fixtures" / "seed-database.sql"
TABLES = ("restaurants", "config_versions", "config_changes", *kinds())
FIX = Choices(fix=True)
V2, V5, V9 = (
    "6e5c1f66-5a0e-4d6e-9b0a-6b8a5b1d9f11",
    "00000000-0000-4000-8000-000000000005",
    "00000000-0000-4000-8000-000000000009",
)


def load(connection: Connection, *files: str) -> None:
    """Make the application's database: the seed's, with more on top."""
    for file in (SEED, *(SQL / name for name in files)):
        connection.execute(file.read_bytes())


@pytest.fixture
def application(empty_database: str) -> Iterator[Connection]:
    """A connection to the seed's database as the application made it."""
    with connect(empty_database) as connection:
        load(connection)
        yield connection


def rows(connection: Connection, table: str) -> list[dict[str, Any]]:
    """A table's or view's whole content."""
    found = connection.execute(
        sql.SQL("SELECT to_jsonb(t) FROM {} AS t").format(sql.Identifier(table))
    ).fetchall()
    return sorted((row for (row,) in found), key=str)


def content(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    return {table: rows(connection, table) for table in TABLES}


def named(found: Sequence[dict[str, Any]], version: str) -> dict[str, dict[str, Any]]:
    """The rows of one version by key, without what tells them apart from other versions' rows."""
    return {
        row.get("name") or row["model_name"]: {key: value for key, value in row.items() if key != "id"}
        for row in found
        if row["version_id"] == version
    }


def without(found: Sequence[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in names} for row in found]


# ------------------------------------------------------------------------------ the plain database


def test_everything_is_taken(application: Connection) -> None:
    before = content(application)
    done = upgrade(application, kinds())
    assert "Take over public.staff_groups: 9 rows." in done
    check(application, kinds())
    after = content(application)
    for kind in kinds():
        assert after[kind] == before[kind]
    assert after["restaurants"] == before["restaurants"]
    assert without(after["config_versions"], "source", "base_version_id") == before["config_versions"]
    assert [row["source"] for row in after["config_versions"]] == [{"kind": "adopted"}]
    assert application.execute("SELECT count(*) FROM rowform.drafts").fetchone() == (0,)


def test_a_second_upgrade_does_nothing(application: Connection) -> None:
    upgrade(application, kinds())
    before = catalog(application), content(application)
    assert upgrade(application, kinds()) == []
    assert upgrade(application, kinds(), Choices(fix=True, keep_inactive=True)) == []
    assert script(application, kinds()) == ""
    assert (catalog(application), content(application)) == before


def test_the_schema_is_that_of_a_fresh_database(application: Connection, database: str) -> None:
    upgrade(application, kinds(), enforce_rls=True)

    def comparable(row: Row) -> Row:
        sort, relation, name, text = row
        if sort == "column":
            # The seed's own defaults: its function for ids, 1.0 for what is 1.
            text = text.replace("uuid_generate_v4()", "gen_random_uuid()").replace("'1'::numeric", "1.0")
        if sort == "constraint" and text.startswith("NOT NULL"):
            name = ""  # as from PostgreSQL 18 on
        return sort, relation, name, text

    with connect(database) as fresh:
        adopted = {comparable(row) for row in catalog(application)}
        made = {comparable(row) for row in catalog(fresh)}
    assert made - adopted == set()
    assert sorted(row[:3] for row in adopted - made if row[0] != "function") == [
        ("trigger", "rowform.staff_groups", "update_staff_groups_updated_at")
    ]
    assert sorted(row[1] for row in adopted - made if row[0] == "function") == [
        "update_updated_at_column()", "uuid_generate_v4()",
    ]  # fmt: skip


def test_the_applications_own_statements_go_on(application: Connection) -> None:
    upgrade(application, kinds())
    group = application.execute("SELECT id FROM staff_groups WHERE name = 'Group 1'").fetchone()
    assert group is not None
    changed = application.execute(
        "UPDATE staff_groups SET color = '#000000' WHERE id = %s AND version_id = %s RETURNING id, color",
        (group[0], V2),
    ).fetchall()
    assert changed == [(group[0], "#000000")]
    made = application.execute(
        "INSERT INTO ml_model_configs (restaurant_id, version_id, model_name, model_type)"
        " SELECT restaurant_id, id, 'new', 'x' FROM config_versions WHERE is_active"
        " RETURNING confidence_threshold, is_default, is_active, parameters"
    ).fetchall()
    assert made == [(pytest.approx(0.75), False, True, {})]
    old = application.execute(
        "SELECT color FROM staff_groups WHERE version_id = %s AND name = 'Group 1'", (V2,)
    )
    assert old.fetchall() == [("#3B82F6",)]


def test_the_script_does_the_same(application: Connection, databases: Any) -> None:
    load_again = databases.create()
    with connect(load_again) as other:
        load(other, "history.sql", "faults.sql")
        application.execute((SQL / "history.sql").read_bytes() + (SQL / "faults.sql").read_bytes())
        text = script(application, kinds(), FIX)
        assert text.startswith("-- rowform ")
        upgrade(other, kinds(), FIX)
        for statement in statements(text):
            application.execute(statement.encode())
        assert catalog(application) == catalog(other)
        for table in kinds():
            assert len(rows(application, table)) == len(rows(other, table))
        assert upgrade(application, kinds()) == []
    databases.drop(load_again)


def test_the_script_refuses_what_came_later(application: Connection) -> None:
    text = script(application, kinds())
    application.execute("UPDATE staff_groups SET is_active = false WHERE name = 'Group 1'")
    before = catalog(application)
    with pytest.raises(psycopg.Error, match="rows in staff_groups now that do not fit"):
        application.execute(text.encode())
    application.execute("ROLLBACK")
    assert catalog(application) == before


def test_an_interruption_anywhere_leaves_the_old_database(empty_database: str) -> None:
    with connect(empty_database) as watcher:
        load(watcher, "history.sql", "faults.sql", "surroundings.sql")
        watcher.execute("UPDATE staff_groups SET note = NULL")
        before = catalog(watcher), content(watcher)
        parts = statements(script(watcher, kinds(), FIX))
        assert len(parts) > 150
        for stop in (*range(1, len(parts), 12), len(parts) - 1):
            connection = connect(empty_database)
            connection.execute(";".join(parts[:stop]).encode())
            connection.close()
            assert (catalog(watcher), content(watcher)) == before, parts[stop - 1]
        watcher.execute(";".join(parts).encode())
        check(watcher, kinds())


# -------------------------------------------------------------------------------------- old versions


def test_every_old_version_is_as_it_was(application: Connection) -> None:
    application.execute((SQL / "history.sql").read_bytes())
    before = content(application)
    upgrade(application, kinds())
    after = content(application)
    for kind in kinds():
        for version in (V2, V5, V9):
            assert named(after[kind], version) == named(before[kind], version)
        active = {row["id"] for row in before[kind] if row["version_id"] == V5}
        assert {row["id"] for row in after[kind] if row["version_id"] == V5} == active
        assert len(after[kind]) == len(before[kind])
    assert len(named(after["staff_groups"], V9)) == 8
    # One setting, one id; also where it was gone in between, and where it is no more.
    ids = application.execute("SELECT count(*), count(DISTINCT id), count(DISTINCT name) FROM staff_groups")
    assert ids.fetchall() == [(25, 9, 9)]
    ranges = application.execute(
        "SELECT since_version, until_version, count(*) FROM rowform.staff_groups GROUP BY 1, 2 ORDER BY 1"
    ).fetchall()
    assert ranges == [(2, 5, 9), (5, 9, 8), (9, None, 8)]


def test_versions_keep_their_flags_and_get_names(application: Connection) -> None:
    application.execute((SQL / "history.sql").read_bytes())
    upgrade(application, kinds())
    versions = application.execute(
        "SELECT version_number, name, is_active, is_locked FROM config_versions ORDER BY 1"
    ).fetchall()
    assert versions == [
        (2, "Initial", False, False), (5, "Version 5", True, None), (9, "Version 9", None, True),
    ]  # fmt: skip
    activations = application.execute("SELECT version_id::text, replaced FROM rowform.activations").fetchall()
    assert activations == [(V5, None)]


def test_the_audit_goes_on_behind_the_old_one(application: Connection) -> None:
    application.execute((SQL / "history.sql").read_bytes())
    upgrade(application, kinds())
    old = application.execute(
        "SELECT seq, operation, restaurant_id::text FROM config_changes ORDER BY seq"
    ).fetchall()
    assert old == [(1, "import", None), (2, "create", SAKURA), (3, "update", SAKURA)]
    assert application.execute("SELECT count(*) FROM rowform.notes").fetchone() == (3,)
    application.execute("UPDATE staff_groups SET color = NULL WHERE name = 'Group 2'")
    new = application.execute("SELECT seq > 3, table_name FROM config_changes WHERE operation = 'UPDATE'")
    assert new.fetchall() == [(True, "staff_groups")]


def test_a_restaurant_without_a_version(application: Connection) -> None:
    upgrade(application, kinds())
    application.execute(
        "INSERT INTO config_versions (restaurant_id, version_number, is_active) VALUES (%s, 1, true)",
        (MOMIJI,),
    )
    assert application.execute("SELECT count(*) FROM config_versions WHERE is_active").fetchone() == (2,)


# ------------------------------------------------------------------------------- what does not fit


@pytest.fixture
def faulty(application: Connection) -> Connection:
    """The application's database with one of each fault that can be fixed."""
    for file in ("history.sql", "faults.sql"):
        application.execute((SQL / file).read_bytes())
    return application


def a(last: str) -> str:
    return f"a0000000-0000-4000-8000-{last:0>12}"


FOUND = {
    ("config_versions", "more than one active version of a restaurant"): [V5],
    ("config_versions", "versions without a restaurant"): ["00000000-0000-4000-8000-000000000020"],
    ("config_versions", "versions of restaurants that do not exist"): [
        "00000000-0000-4000-8000-000000000040"
    ],
    ("staff_groups", "rows without a restaurant or a version"): [a("1"), a("2")],
    ("staff_groups", "rows of versions that do not exist"): [a("3")],
    ("staff_groups", "rows of versions that belong to no restaurant"): [a("5")],
    ("staff_groups", "rows of another restaurant than their version"): [a("4")],
    ("staff_groups", "rows without a name"): [a("6")],
    ("staff_groups", "rows that are deleted (is_active is not true)"): [a("7"), a("8"), a("9")],
    ("staff_groups", "rows of a name that their version has already"): [a("a")],
    (
        "ml_model_configs",
        "the unique index one_model (restaurant_id and model_name) allows one version alone",
    ): [],
}


def test_what_does_not_fit_is_listed_and_nothing_changed(faulty: Connection) -> None:
    before = catalog(faulty), content(faulty)
    for function in (upgrade, pending, script):
        with pytest.raises(DoesNotFit) as caught:
            function(faulty, kinds())
        found = {(one["table"], one["problem"]): one["ids"] for one in caught.value.findings}
        assert found == FOUND
        assert all(one["fix"] for one in caught.value.findings)
        assert caught.value.hint == "--fix does what is said there; take a backup first"
    assert (catalog(faulty), content(faulty)) == before


def test_fix_does_what_it_says(faulty: Connection) -> None:
    before = content(faulty)
    done = upgrade(faulty, kinds(), FIX)
    assert "Take over public.staff_groups: 26 rows; 10 rows kept in no version." in done
    check(faulty, kinds())
    active = faulty.execute("SELECT version_number, restaurant_id::text FROM config_versions WHERE is_active")
    assert sorted(active.fetchall(), key=str) == [(1, MOMIJI), (1, None), (1, None), (11, SAKURA)]
    lost = faulty.execute("SELECT description FROM config_versions WHERE name = 'Lost'").fetchone()
    assert lost == ("(of the restaurant 99999999-9999-4999-8999-999999999999, which does not exist)",)
    kept = faulty.execute(
        "SELECT id::text, until_version, entity_id = id FROM rowform.staff_groups WHERE since_version IS NULL"
    ).fetchall()
    assert sorted(kept) == [(a(number), 0, True) for number in "123456789a"]
    # Nothing is lost, not a single value.
    stored = faulty.execute(
        "SELECT to_jsonb(s) - '{entity_id,since_version,until_version}'::text[]"
        " FROM rowform.staff_groups AS s"
    ).fetchall()
    assert sorted((row for (row,) in stored), key=str) == before["staff_groups"]
    shown = named(rows(faulty, "staff_groups"), V5)
    assert shown["Group 2"]["is_active"] is True
    assert shown["Double"]["updated_at"].startswith("2025-06-01")
    assert len(shown) == 9
    assert faulty.execute("SELECT to_regclass('rowform.one_model')").fetchone() == (None,)


def test_inactive_rows_can_be_paused_settings(faulty: Connection) -> None:
    choices = Choices(fix=True, keep_inactive=True)
    with pytest.raises(DoesNotFit) as caught:
        upgrade(faulty, kinds(), Choices(keep_inactive=True))
    problems = {one["problem"]: one["ids"] for one in caught.value.findings if one["table"] == "staff_groups"}
    # The twin of an active row is a double then, however young it is.
    assert problems["rows of a name that their version has already"] == [a("9"), a("a")]
    assert "rows that are deleted (is_active is not true)" not in problems
    upgrade(faulty, kinds(), choices)
    shown = named(rows(faulty, "staff_groups"), V5)
    assert (shown["Deleted"]["is_active"], shown["Maybe"]["is_active"]) == (False, None)
    assert shown["Group 2"]["is_active"] is True


def test_inactive_rows_alone_are_no_finding_when_they_are_kept(application: Connection) -> None:
    application.execute("UPDATE staff_groups SET is_active = NULL WHERE name = 'Group 1'")
    with pytest.raises(DoesNotFit):
        upgrade(application, kinds())
    done = upgrade(application, kinds(), Choices(keep_inactive=True))
    assert "Take over public.staff_groups: 9 rows." in done


def test_time_stamps_stay_although_a_trigger_sets_them(application: Connection) -> None:
    application.execute(
        "ALTER TABLE staff_groups DISABLE TRIGGER USER; UPDATE staff_groups SET updated_at = '2020-01-01';"
        "ALTER TABLE staff_groups ENABLE TRIGGER USER"
    )
    upgrade(application, kinds())
    stamps = application.execute("SELECT DISTINCT updated_at::date::text FROM staff_groups").fetchall()
    assert stamps == [("2020-01-01",)]


UNFIT = re.findall(
    r"^-- (\w+): (.+)\n((?:(?!--).*\n)+)", (SQL / "unfit.sql").read_text("utf-8"), re.MULTILINE
)
assert len(UNFIT) == 21


@pytest.mark.parametrize(("table", "problem", "made"), UNFIT)
def test_what_nobody_but_the_owner_can_decide(
    application: Connection, table: str, problem: str, made: str
) -> None:
    application.execute(made.encode())
    before = catalog(application), content(application)
    with pytest.raises(DoesNotFit) as caught:
        upgrade(application, kinds(), Choices(fix=True, keep_inactive=True))
    assert (table, problem) in [(one["table"], one["problem"]) for one in caught.value.findings]
    assert all(one["hint"] for one in caught.value.findings if not one["fix"])
    assert caught.value.hint == "do what is said there first; --fix cannot decide that"
    assert (catalog(application), content(application)) == before


def test_the_command_lists_and_refuses(tmp_path: Path, empty_database: str) -> None:
    project = Project(tmp_path, empty_database)
    with connect(empty_database) as connection:
        load(connection)
        connection.execute(
            "INSERT INTO staff_groups (version_id, name)"
            " SELECT %s, 'Row ' || n FROM generate_series(1, 23) AS n",
            (V2,),
        )
    refused = project.run("db", "upgrade", "--auto-approve")
    assert refused.code == 3
    assert "staff_groups: rows without a restaurant or a version: 23 rows" in refused.out
    assert "    … and 3 more rows; --format json lists all" in refused.out
    assert "  --fix keeps them in no version" in refused.out
    assert refused.err == (
        "Error: public.staff_groups cannot be taken over as it is; nothing was changed\n"
        "Hint: --fix does what is said there; take a backup first\n"
    )
    as_json = project.run("db", "upgrade", "--auto-approve", "--format", "json")
    assert as_json.code == 3
    (finding,) = as_json.json["error"]["findings"]
    assert (finding["count"], len(finding["ids"])) == (23, 23)
    done = project.ok("db", "upgrade", "--auto-approve", "--fix", "--format", "json").json
    assert done["format"] == "rowform.upgrade/1"
    assert "Take over public.staff_groups: 9 rows; 23 rows kept in no version." in done["done"]
    assert project.ok("db", "upgrade", "--auto-approve").out == "The database is up to date.\n"


# --------------------------------------------------------------------------------- what grew around


@pytest.fixture
def surrounded(application: Connection) -> Connection:
    """The application's database with all that may hang on its tables."""
    for file in ("history.sql", "surroundings.sql"):
        application.execute((SQL / file).read_bytes())
    return application


def test_columns_stay_as_they_are(surrounded: Connection) -> None:
    before = content(surrounded)
    types = (
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0"
    )
    old = {kind: surrounded.execute(types, (kind,)).fetchall() for kind in kinds()}
    upgrade(surrounded, kinds())
    assert {kind: surrounded.execute(types, (kind,)).fetchall() for kind in kinds()} == old
    for version in (V2, V5, V9):
        assert named(rows(surrounded, "staff_groups"), version) == named(before["staff_groups"], version)
    written = surrounded.execute(
        "UPDATE staff_groups SET note = 'x', name = 'Group two' WHERE name = 'Group 2' AND version_id = %s"
        " RETURNING legacy_id, note", (V5,)
    ).fetchall()  # fmt: skip
    assert written == [(7, "x")]
    shouted = surrounded.execute("SELECT shout FROM staff_groups WHERE note = 'x'").fetchall()
    assert shouted == [("GROUP TWO",)]
    comment = surrounded.execute("SELECT obj_description('staff_groups'::regclass)").fetchone()
    assert comment == ("Who works with whom",)


def test_what_refers_to_the_tables_goes_on(surrounded: Connection) -> None:
    def shown() -> list[Row]:
        found = surrounded.execute("SELECT * FROM active_groups ORDER BY name").fetchall()
        count = surrounded.execute(
            "SELECT group_count(), (SELECT count(*) FROM shifts JOIN staff_groups"
            " ON staff_groups.id = group_id AND version_id = %s)",
            (V5,),
        ).fetchall()
        return [*found, *count]

    before = shown()
    upgrade(surrounded, kinds())
    assert shown() == before
    options = surrounded.execute("SELECT reloptions FROM pg_class WHERE relname = 'active_groups'").fetchone()
    assert options == (["security_barrier=true"],)
    surrounded.execute("UPDATE staff_groups SET color = NULL WHERE name = 'Group 1'")
    assert len(shown()) == len(before)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        surrounded.execute("INSERT INTO shifts (group_id) VALUES (gen_random_uuid())")
    surrounded.execute("INSERT INTO shifts (group_id) SELECT id FROM active_groups")


def test_triggers_policies_and_publications_stay(surrounded: Connection) -> None:
    upgrade(surrounded, kinds())
    assert surrounded.execute("SELECT * FROM fired").fetchall() == []
    # Whoever writes, and with whatever search_path: a trigger finds what it names.
    surrounded.execute("UPDATE staff_groups SET color = NULL WHERE name = 'Group 1'")
    assert surrounded.execute("SELECT count(*) > 0 FROM fired").fetchone() == (True,)
    modes = surrounded.execute(
        "SELECT tgname, tgenabled::text, tgrelid::regclass::text FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgname !~ '^zz_|^owner_only$|^refuse$' ORDER BY 1"
    ).fetchall()
    assert modes == [
        ("asleep", "D", "rowform.daily_limits"),
        ("log_groups", "A", "rowform.staff_groups"),
        ("log_versions", "O", "config_versions"),
        ("update_staff_groups_updated_at", "O", "rowform.staff_groups"),
    ]
    policies = surrounded.execute(
        "SELECT polname, polrelid::regclass::text, relrowsecurity"
        " FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid WHERE relname = 'priority_rules'"
    ).fetchall()
    assert policies == [("everyone", "rowform.priority_rules", True)]
    published = surrounded.execute("SELECT schemaname, tablename FROM pg_publication_tables").fetchall()
    assert published == [("rowform", "staff_groups")]


def test_a_kind_that_comes_later_finds_its_table(application: Connection) -> None:
    """An application has the table, and the package that declares the kind is installed a year later."""
    upgrade(application, kinds())
    application.execute("UPDATE staff_groups SET color = NULL WHERE name = 'Group 1'")
    application.execute(
        "CREATE TABLE weekly_limits (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), restaurant_id uuid,"
        " version_id uuid REFERENCES config_versions (id), name text, limit_config jsonb);"
        "INSERT INTO weekly_limits (restaurant_id, version_id, name)"
        " SELECT restaurant_id, id, 'Max ' || version_number FROM config_versions"
    )
    before = rows(application, "weekly_limits")
    more = {**kinds(), "weekly_limits": Kind(WeeklyLimit)}
    assert "Take over public.weekly_limits: 2 rows." in upgrade(application, more)
    check(application, more)
    after = rows(application, "weekly_limits")
    assert without(after, "created_at", "updated_at", "penalty_weight") == before
    assert {row["penalty_weight"] for row in after} == {1}
    application.execute("UPDATE weekly_limits SET penalty_weight = 2")
    counts = application.execute("SELECT count(*) FROM weekly_limits GROUP BY version_id").fetchall()
    assert counts == [(1,)] * 3


def test_missing_tables_and_columns_are_made(empty_database: str) -> None:
    with connect(empty_database) as connection:
        load(connection)
        connection.execute(
            "DROP TABLE ml_model_configs; DROP TABLE config_changes;"
            "ALTER TABLE staff_groups DROP COLUMN description, DROP COLUMN updated_at;"
            "ALTER TABLE restaurants DROP COLUMN timezone;"
            "ALTER TABLE config_versions DROP COLUMN description,"
            " DROP CONSTRAINT config_versions_restaurant_id_version_number_key;"
            "ALTER TABLE priority_rules DROP CONSTRAINT priority_rules_pkey"
        )
        upgrade(connection, kinds())
        check(connection, kinds())
        assert [row["timezone"] for row in rows(connection, "restaurants")] == ["Asia/Tokyo"] * 2
        assert {row["description"] for row in rows(connection, "staff_groups")} == {None}
        keys = connection.execute(
            "SELECT conrelid::regclass::text, contype::text FROM pg_constraint WHERE conname IN"
            " ('priority_rules_pkey', 'config_versions_restaurant_id_version_number_key') ORDER BY 1"
        ).fetchall()
        assert keys == [("config_versions", "u"), ("rowform.priority_rules", "p")]


# ------------------------------------------------------------------------------------------- roles


@pytest.fixture
def roles(application: Connection) -> Iterator[dict[str, str]]:
    """Roles of the test's own by what they stand for."""
    made = {name: f"{name}_{token_hex(4)}" for name in ("anon", "authenticated", "reader", "owner")}
    for role in made.values():
        application.execute(f"CREATE ROLE {role}".encode())
    yield made
    application.execute("RESET ROLE")
    for role in made.values():
        application.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode())


def privileges(connection: Connection) -> set[Row]:
    """Everybody's privileges on relations and columns of the application's schema."""
    found = connection.execute(
        "SELECT relname, '', coalesce(r.rolname, 'PUBLIC'), privilege_type, is_grantable"
        " FROM pg_class, aclexplode(relacl) AS acl LEFT JOIN pg_roles r ON r.oid = acl.grantee"
        " WHERE relnamespace = 'public'::regnamespace AND acl.grantee <> relowner"
        " UNION SELECT relname, attname, coalesce(r.rolname, 'PUBLIC'), privilege_type, is_grantable"
        " FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl) AS acl"
        " LEFT JOIN pg_roles r ON r.oid = acl.grantee WHERE relnamespace = 'public'::regnamespace"
    )
    return set(found.fetchall())


def test_grants_are_what_they_were(application: Connection, roles: dict[str, str]) -> None:
    anon, authenticated, reader = roles["anon"], roles["authenticated"], roles["reader"]
    application.execute(
        f"""
        ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {anon};
        ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO {anon};
        ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO {anon};
        GRANT SELECT, INSERT, UPDATE, DELETE ON staff_groups, config_versions TO {authenticated};
        GRANT SELECT ON staff_groups TO {anon} WITH GRANT OPTION;
        GRANT SELECT, UPDATE ON daily_limits TO PUBLIC;
        SET ROLE {anon};
        GRANT SELECT ON staff_groups TO {reader};
        RESET ROLE
        """.encode()
    )
    before = privileges(application)
    upgrade(application, kinds())
    # Who reads settings reads which version each is of.
    assert privileges(application) - before == {
        ("config_versions", column, role, "SELECT", False)
        for column in ("id", "restaurant_id", "version_number")
        for role in (anon, reader, "PUBLIC")
    }
    assert before - privileges(application) == set()
    stored = application.execute(
        "SELECT relname, coalesce(r.rolname, 'PUBLIC'), privilege_type"
        " FROM pg_class, aclexplode(relacl) AS acl LEFT JOIN pg_roles r ON r.oid = acl.grantee"
        " WHERE relnamespace = 'rowform'::regnamespace AND acl.grantee <> relowner"
    ).fetchall()
    assert sorted(stored) == sorted(
        [("daily_limits", "PUBLIC", "SELECT")]
        + [("staff_groups", role, "SELECT") for role in (anon, authenticated, reader)]
    )
    callable_ = application.execute(
        "SELECT count(*) FROM pg_proc WHERE pronamespace = 'rowform'::regnamespace"
        " AND EXISTS (SELECT FROM aclexplode(proacl) AS acl WHERE acl.grantee = %s::regrole)", (anon,)
    ).fetchone()  # fmt: skip
    assert callable_ == (0,)


def test_roles_go_on_reading_and_writing(application: Connection, roles: dict[str, str]) -> None:
    anon, authenticated = roles["anon"], roles["authenticated"]
    application.execute(
        f"GRANT SELECT ON staff_groups TO {anon};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON staff_groups TO {authenticated};"
        f"GRANT SELECT ON config_versions TO {authenticated}".encode()
    )
    upgrade(application, kinds())
    application.execute(f"SET ROLE {anon}".encode())
    assert application.execute("SELECT count(*) FROM staff_groups").fetchone() == (9,)
    for refused in (
        "UPDATE staff_groups SET color = NULL",
        "SELECT * FROM daily_limits",
        "SELECT name FROM config_versions",
        "UPDATE rowform.staff_groups SET color = NULL",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(refused.encode())
    application.execute(f"SET ROLE {authenticated}".encode())
    # As PostgREST writes it.
    patched = application.execute(
        "WITH pgrst AS (UPDATE staff_groups SET color = '#111111' WHERE name = 'Group 1' AND version_id ="
        " (SELECT id FROM config_versions WHERE is_active) RETURNING staff_groups.*) SELECT color FROM pgrst"
    ).fetchall()
    assert patched == [("#111111",)]
    application.execute(
        "INSERT INTO staff_groups (restaurant_id, version_id, name) SELECT restaurant_id, id, 'New'"
        " FROM config_versions WHERE is_active"
    )
    application.execute("DELETE FROM staff_groups WHERE name = 'Group 9'")
    application.execute(f"SET ROLE {anon}".encode())
    assert application.execute("SELECT count(DISTINCT id) FROM staff_groups").fetchone() == (10,)


def test_owners_stay(application: Connection, roles: dict[str, str]) -> None:
    owner = roles["owner"]
    application.execute("CREATE TABLE shifts (group_id uuid REFERENCES staff_groups (id))")
    application.execute(f"GRANT CREATE ON SCHEMA public TO {owner}".encode())
    for table in (*TABLES, "shifts"):
        application.execute(f"ALTER TABLE {table} OWNER TO {owner}".encode())
    upgrade(application, kinds())
    owners = application.execute(
        "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
        " WHERE relname = ANY (%s) AND relkind IN ('r', 'v')",
        (list(TABLES),),
    ).fetchall()
    assert owners == [(owner,)]
    application.execute(f"SET ROLE {owner}".encode())
    application.execute("INSERT INTO shifts SELECT id FROM staff_groups WHERE name = 'Group 1'")
    application.execute("UPDATE staff_groups SET color = '#222222' WHERE name = 'Group 1'")
    shown = application.execute(
        "SELECT color FROM staff_groups WHERE name = 'Group 1' ORDER BY color"
    ).fetchall()
    assert shown == [("#222222",), ("#3B82F6",)]


def test_a_role_that_does_not_own_the_tables(application: Connection, roles: dict[str, str]) -> None:
    reader = roles["reader"]
    application.execute(
        f"DO $$BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {reader}', current_database()); END$$;"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}; SET ROLE {reader}".encode()
    )
    with pytest.raises(DoesNotFit) as caught:
        upgrade(application, kinds())
    assert {one["table"] for one in caught.value.findings} == set(TABLES)
    assert caught.value.findings[0]["problem"].startswith("belongs to the role ")


def test_the_owner_itself_may_upgrade(application: Connection, roles: dict[str, str]) -> None:
    """A role without any special rights that owns the tables and may make schemas."""
    owner, anon = roles["owner"], roles["anon"]
    application.execute((SQL / "history.sql").read_bytes() + (SQL / "surroundings.sql").read_bytes())
    application.execute(
        f"DO $$BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {owner}', current_database()); END$$;"
        f"GRANT CREATE ON SCHEMA public TO {owner}; GRANT SELECT ON staff_groups TO {anon};"
        f"GRANT ALL ON fired TO {owner}; ALTER FUNCTION fired() OWNER TO {owner};"
        f"ALTER FUNCTION update_updated_at_column() OWNER TO {owner};"
        f"ALTER VIEW active_groups OWNER TO {owner}; ALTER FUNCTION group_count() OWNER TO {owner};".encode()
    )
    for table in TABLES:
        application.execute(f"ALTER TABLE {table} OWNER TO {owner}".encode())
    application.execute(f"SET ROLE {owner}".encode())
    upgrade(application, kinds())
    application.execute("UPDATE staff_groups SET color = '#222222' WHERE name = 'Group 1'")
    shown = application.execute("SELECT count(*) FROM staff_groups WHERE color = '#222222'").fetchone()
    assert shown == (1,)
    application.execute(f"RESET ROLE; SET ROLE {anon}".encode())
    assert application.execute("SELECT count(DISTINCT id) FROM staff_groups").fetchone() == (9,)


def test_a_later_upgrade_leaves_grants_alone(application: Connection, roles: dict[str, str]) -> None:
    reader = roles["reader"]
    upgrade(application, kinds())
    application.execute(f"GRANT SELECT ON rowform.members TO {reader}".encode())
    application.execute("DROP VIEW ml_model_configs")
    assert upgrade(application, kinds()) == ["Create the view public.ml_model_configs."]
    kept = application.execute("SELECT has_table_privilege(%s, 'rowform.members', 'SELECT')", (reader,))
    assert kept.fetchone() == (True,)


def test_a_view_that_lends_its_owners_rights(application: Connection, roles: dict[str, str]) -> None:
    anon = roles["anon"]
    application.execute(
        f"CREATE VIEW names AS SELECT name FROM staff_groups; GRANT SELECT ON names TO {anon}".encode()
    )
    with pytest.raises(DoesNotFit) as caught:
        upgrade(application, kinds(), FIX)
    (finding,) = caught.value.findings
    assert finding["problem"] == (
        f"the view public.names lends its owner's rights to {anon}, which it cannot go on with"
    )
    application.execute(f"GRANT SELECT ON staff_groups TO {anon}".encode())
    upgrade(application, kinds())
    application.execute(f"SET ROLE {anon}".encode())
    assert application.execute("SELECT count(*) FROM names").fetchone() == (9,)


# ---------------------------------------------------------------------------------- other writers


def test_a_writer_is_waited_for_and_what_it_wrote_is_seen(
    application: Connection, empty_database: str
) -> None:
    found: list[Exception] = []

    def upgrade_meanwhile() -> None:
        with connect(empty_database) as other:
            try:
                upgrade(other, kinds())
            except DoesNotFit as error:
                found.append(error)

    with connect(empty_database, autocommit=False) as writer:
        writer.execute("UPDATE staff_groups SET is_active = false WHERE name = 'Group 1'")
        thread = threading.Thread(target=upgrade_meanwhile)
        thread.start()
        while not application.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall():
            assert thread.is_alive()
        writer.commit()
        thread.join()
    (error,) = found
    assert isinstance(error, DoesNotFit)
    assert [one["problem"] for one in error.findings] == ["rows that are deleted (is_active is not true)"]


def test_fifty_thousand_rows(application: Connection) -> None:
    application.execute(
        "INSERT INTO config_versions (restaurant_id, version_number, is_active)"
        f" SELECT '{SAKURA}', n, false FROM generate_series(2, 101) AS n;"
        "INSERT INTO staff_groups (restaurant_id, version_id, name, description)"
        " SELECT restaurant_id, id, 'Group ' || g, version_number::text FROM config_versions,"
        " generate_series(1, 500) AS g WHERE version_number > 1".encode()
    )
    digest = (
        "SELECT version_id, count(*),"
        " md5(string_agg(concat_ws('|', name, description, created_at, updated_at), ',' ORDER BY name))"
        " FROM staff_groups GROUP BY version_id ORDER BY version_id"
    )
    before = application.execute(digest).fetchall()
    done = upgrade(application, kinds())
    assert "Take over public.staff_groups: 50,009 rows." in done
    assert application.execute(digest).fetchall() == before
