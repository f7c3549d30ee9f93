"""`db purge`: one restaurant with all its history, and not a byte of anybody else's."""

from __future__ import annotations

from threading import Thread
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from tests.support.project import MOMIJI, SAKURA, Project, Result

#: The application's own tables: one goes along, one only loses its hold, and a log of what is deleted.
AROUND = """
CREATE TABLE bookings (id integer PRIMARY KEY, restaurant_id uuid REFERENCES restaurants ON DELETE CASCADE);
CREATE TABLE shifts (id integer, group_id uuid REFERENCES rowform.staff_groups ON DELETE SET NULL);
CREATE TABLE farewells (restaurant uuid, at timestamptz DEFAULT now());
CREATE FUNCTION say_farewell() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO farewells VALUES (OLD.id); RETURN OLD; END';
CREATE TRIGGER say_farewell BEFORE DELETE ON restaurants FOR EACH ROW EXECUTE FUNCTION say_farewell();
"""
TRIGGERS = """
SELECT tgrelid::regclass::text, tgname::text, tgenabled::text FROM pg_trigger
WHERE NOT tgisinternal ORDER BY 1, 2
"""


def connect(url: str) -> Connection:
    """As an application that finds its tables by itself."""
    return psycopg.connect(url, autocommit=True, options="-c search_path=public")


def run(project: Project, statement: str, *parameters: object) -> None:
    with connect(project.url) as connection:
        connection.execute(statement, parameters or None)  # type: ignore[arg-type]


def content(project: Project) -> dict[str, list[str]]:
    """Every row of every table, as text; and where every trigger stands."""
    with connect(project.url) as connection:
        names = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace IN ('public'::regnamespace, 'rowform'::regnamespace)"
        ).fetchall()
        found = {
            name: sorted(row for (row,) in connection.execute(f"SELECT t::text FROM {name} t"))  # type: ignore[arg-type]
            for (name,) in names
        }
        return {**found, "triggers": [str(row) for row in connection.execute(TRIGGERS)]}


def ids(project: Project, restaurant: str) -> list[str]:
    """What a row that belongs to a restaurant contains: its id, or that of one of its versions."""
    rows = project.rows("SELECT id::text FROM config_versions WHERE restaurant_id = %s", restaurant)
    return [restaurant, *(row["id"] for row in rows)]


def purge(project: Project, *arguments: str) -> Result:
    return project.run("db", "purge", *arguments, "--auto-approve")


@pytest.fixture
def two(project: Project) -> Project:
    """Sakura and Momiji, each with applies, a direct write, a draft, a note, a member, rows in no version."""
    run(project, AROUND)
    for number, (slug, id_) in enumerate((("sakura", SAKURA), ("momiji", MOMIJI))):
        project.restaurant(slug, id_)
        for color in ("#000000", "#ffffff"):
            groups = f"staff_groups:\n  - name: Kitchen\n    color: '{color}'\n  - name: Bar\n"
            project.write({f"{slug}/all.yaml": groups})
            project.apply("-r", slug)
        run(
            project,
            f"""
            UPDATE staff_groups SET description = 'By hand' WHERE restaurant_id = '{id_}' AND name = 'Bar';
            INSERT INTO config_versions (restaurant_id, version_number, name, is_active)
                VALUES ('{id_}', 4, 'Draft', false);
            INSERT INTO staff_groups (restaurant_id, version_id, name)
                SELECT restaurant_id, id, 'Not yet' FROM config_versions
                WHERE restaurant_id = '{id_}' AND version_number = 4;
            INSERT INTO config_changes (version_id, table_name, operation, reason)
                SELECT id, 'staff_groups', 'UPDATE', 'Noted' FROM config_versions
                WHERE restaurant_id = '{id_}' AND is_active;
            INSERT INTO rowform.members (role_name, restaurant_id) VALUES ('{slug}_role', '{id_}');
            INSERT INTO bookings VALUES ({number}, '{id_}');
            BEGIN;
            INSERT INTO rowform.own_writes DEFAULT VALUES;
            ALTER TABLE rowform.daily_limits DISABLE TRIGGER zz_rowform_inserted;
            INSERT INTO rowform.daily_limits (restaurant_id, entity_id, until_version, name)
                VALUES ('{id_}', gen_random_uuid(), 0, 'In no version');
            INSERT INTO rowform.daily_limits (version_id, entity_id, until_version, name)
                SELECT id, gen_random_uuid(), 0, 'Of a version' FROM config_versions
                WHERE restaurant_id = '{id_}' AND version_number = 1;
            ALTER TABLE rowform.daily_limits ENABLE TRIGGER zz_rowform_inserted;
            DELETE FROM rowform.own_writes;
            INSERT INTO shifts SELECT {number}, id FROM rowform.staff_groups
                WHERE restaurant_id = '{id_}' AND name = 'Kitchen' AND until_version = 2;
            COMMIT;
            """,
        )
    return project


def test_one_goes_and_the_other_stays_byte_for_byte(two: Project) -> None:
    run(two, "ALTER TABLE config_changes ENABLE ALWAYS TRIGGER zz_rowform_append_only")
    before = content(two)
    names = ids(two, SAKURA)
    notes = {
        str(row["seq"]) for row in two.rows("SELECT seq FROM config_changes WHERE restaurant_id = %s", SAKURA)
    }
    result = purge(two, "-r", "sakura")
    assert result.code == 0, result
    assert result.out == (
        f"Sakura (sakura, {SAKURA}); version 3 is active.\n"
        "Goes for ever: 4 versions, 7 stored rows of settings and 5 audit rows.\n"
        "Rows that refer to it go from public.bookings as well.\n"
        "\n"
        "Purge complete! sakura: 4 versions, 7 stored rows of settings and 5 audit rows deleted.\n"
    )
    after = content(two)
    assert after.pop("farewells") != before.pop("farewells")
    shifts = before.pop("shifts")
    assert after.pop("shifts") == ["(0,)", *(row for row in shifts if row.startswith("(1,"))]
    left = {
        table: [
            row
            for row in rows
            if not any(name in row for name in names)
            and not (table == "rowform.notes" and row.strip("()") in notes)
        ]
        for table, rows in before.items()
    }
    assert after == left
    rowforms = ("staff_groups", "daily_limits", "activations", "version_births", "drafts", "notes", "members")
    shorter = {table for table in before if len(after[table]) < len(before[table])}
    assert shorter == {
        *("restaurants", "config_versions", "config_changes", "bookings"),
        *(f"rowform.{name}" for name in rowforms),
    }
    # What protects the others still does.
    with pytest.raises(psycopg.errors.DatabaseError, match="append-only"):
        run(two, "DELETE FROM config_changes")
    with pytest.raises(psycopg.errors.DatabaseError, match="has a history"):
        run(two, "DELETE FROM restaurants")


def test_by_id_and_a_new_beginning(two: Project) -> None:
    result = purge(two, "-r", SAKURA.upper())
    assert result.code == 0, result
    directory = two.directory / "config" / "sakura"
    assert result.err == f"{directory} is still there: the next `rowform apply` makes the restaurant again.\n"
    assert "sakura: Version 1" not in two.ok("history", "-r", "momiji").out
    two.apply("-r", "sakura")
    assert [
        row["version_number"]
        for row in two.rows("SELECT * FROM config_versions WHERE restaurant_id = %s", SAKURA)
    ] == [1]
    assert purge(two, "-r", "momiji").code == 0
    assert two.value("SELECT count(*) FROM config_changes WHERE restaurant_id <> %s", SAKURA) == 0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("invoices (r uuid REFERENCES restaurants (id))", "public.invoices still refers to"),
        (
            "invoices (r uuid REFERENCES restaurants (id) DEFERRABLE INITIALLY DEFERRED)",
            "public.invoices still refers",
        ),
        (
            "invoices (r uuid REFERENCES restaurants (id) ON DELETE RESTRICT)",
            "public.invoices still refers to",
        ),
    ],
)
def test_a_foreign_key_of_the_application_says_no(two: Project, table: str, said: str) -> None:
    run(two, f"CREATE TABLE {table}; INSERT INTO invoices VALUES ('{SAKURA}')")
    before = content(two)
    result = purge(two, "-r", "sakura")
    assert result.code == 3
    assert said in result.err
    assert "(invoices_r_fkey); nothing was deleted\n" in result.err
    assert content(two) == before
    run(two, "DELETE FROM invoices")
    assert purge(two, "-r", "sakura").code == 0


def test_a_failure_in_the_middle_leaves_everything(two: Project) -> None:
    run(
        two,
        """
        CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN RAISE EXCEPTION ''the books of % are open'', OLD.slug; END';
        CREATE TRIGGER never AFTER DELETE ON restaurants FOR EACH ROW EXECUTE FUNCTION never();
        """,
    )
    before = content(two)
    result = purge(two, "-r", "sakura")
    assert result.code == 1
    assert "the books of sakura are open" in result.err
    assert content(two) == before


def test_others_wait_and_readers_do_not(two: Project) -> None:
    results: list[Result] = []
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    active = "SELECT id FROM config_versions WHERE is_active AND restaurant_id = %s"

    def wait_for(watcher: Connection, number: int, *threads: Thread) -> None:
        while watcher.execute(waiting).fetchone() != (number,):
            assert all(thread.is_alive() for thread in threads)

    def write() -> None:
        run(
            two,
            f"UPDATE staff_groups SET description = 'Late' WHERE name = 'Bar' AND version_id IN ({active})",
            MOMIJI,
        )

    with connect(two.url) as first, connect(two.url) as reader:
        with first.transaction():
            first.execute(
                f"UPDATE staff_groups SET color = '#111111' WHERE version_id IN ({active})",  # type: ignore[arg-type]
                (MOMIJI,),
            )
            purging = Thread(target=lambda: results.append(purge(two, "-r", "sakura")))
            purging.start()
            wait_for(reader, 1, purging)
            late = Thread(target=write)
            late.start()
            wait_for(reader, 2, purging, late)
            reader.execute("SET statement_timeout = '5s'")
            assert reader.execute("SELECT count(*) FROM staff_groups").fetchone() != (0,)
        purging.join()
        late.join()
    assert [result.code for result in results] == [0]
    rows = two.rows(
        "SELECT name, color, description FROM staff_groups"
        " WHERE version_id IN (SELECT id FROM config_versions WHERE is_active) ORDER BY name"
    )
    assert rows == [
        {"name": "Bar", "color": "#111111", "description": "Late"},
        {"name": "Kitchen", "color": "#111111", "description": None},
    ]


def test_a_locked_version_is_mentioned(two: Project) -> None:
    two.ok("lock", "active", "-r", "sakura")
    result = two.run("db", "purge", "-r", "sakura")
    assert result.code == 3
    assert result.out.startswith(f"Sakura (sakura, {SAKURA}); version 3 is active and locked.\n")
    assert "nobody can be asked here" in result.err
    assert two.value("SELECT count(*) FROM restaurants") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing option '-r'"),
        (["-r", "sakuta"], 'there is no restaurant "sakuta" in the database\nHint: did you mean `sakura`?'),
        (["-r", "x"], 'there is no restaurant "x" in the database\nHint: there is momiji and sakura'),
    ],
)
def test_it_must_be_clear_which_one(two: Project, arguments: list[str], said: str) -> None:
    before: dict[str, Any] = content(two)
    result = purge(two, *arguments)
    assert result.code == 1
    assert said in result.err
    assert content(two) == before


def test_only_the_owner(two: Project) -> None:
    before = content(two)
    # A role that every server has, and that owns nothing here.
    result = purge(Project(two.directory, f"{two.url}&options=-crole%3Dpg_monitor"), "-r", "sakura")
    assert result.code == 1
    assert "connect as the role that ran `rowform db upgrade`" in result.err
    assert content(two) == before
