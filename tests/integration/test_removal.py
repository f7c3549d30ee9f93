"""`db remove`: plain tables again, with the same answers, and nothing of rowform's left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import Any, ClassVar

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.rows import dict_row

from rowform.kinds import Kind, Setting, kinds
from rowform.kinds.base import Key, Number
from rowform.store.connection import connect as store_connection
from rowform.store.migrate import upgrade
from tests.support.database import Databases
from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.seed_application import TABLES, Application

SEED = Path(__file__).parents[1] / "fixtures" / "seed-database.sql"
FIRST_VERSION = "6e5c1f66-5a0e-4d6e-9b0a-6b8a5b1d9f11"
#: What grows around such tables: references, grants, policies, triggers of several modes, views, functions.
AROUND = """
CREATE TABLE shifts (
    id serial PRIMARY KEY,
    group_id uuid REFERENCES staff_groups (id) ON DELETE CASCADE,
    worker text
);
INSERT INTO shifts (group_id, worker) SELECT id, name FROM staff_groups WHERE name IN ('Group 1', 'Group 2');
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, UPDATE ON staff_groups, daily_limits TO {role} WITH GRANT OPTION;
GRANT ALL ON restaurants, priority_rules, ml_model_configs, config_changes TO {role};
GRANT SELECT (id, restaurant_id, version_number, is_active, created_at) ON config_versions TO {role};
ALTER TABLE staff_groups ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON staff_groups USING (true);
CREATE TRIGGER update_daily_limits_updated_at BEFORE UPDATE ON daily_limits
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
ALTER TABLE daily_limits ENABLE ALWAYS TRIGGER update_daily_limits_updated_at;
CREATE TRIGGER update_monthly_limits_updated_at BEFORE UPDATE ON monthly_limits
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
ALTER TABLE monthly_limits DISABLE TRIGGER update_monthly_limits_updated_at;
CREATE VIEW colours WITH (security_invoker = true, security_barrier = true) AS
    SELECT g.id, g.name, g.color FROM staff_groups g WHERE g.is_active WITH LOCAL CHECK OPTION;
GRANT SELECT ON colours TO {role};
CREATE VIEW colours_in_use AS SELECT DISTINCT color FROM colours;
CREATE FUNCTION how_many() RETURNS bigint LANGUAGE sql STABLE
    BEGIN ATOMIC SELECT count(*) FROM daily_limits; END;
COMMENT ON TABLE staff_groups IS 'Who works together';
"""
CATALOG = """
SELECT 'column' AS sort, c.oid::regclass::text AS place, a.attname AS name,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
                 a.attacl, pg_get_expr(d.adbin, d.adrelid),
                 row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum)) AS about
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'relation', oid::regclass::text, relkind::text,
       concat_ws(' ', reloptions, relpersistence, relrowsecurity, relforcerowsecurity,
                 pg_get_userbyid(relowner), obj_description(oid),
                 pg_get_viewdef(CASE WHEN relkind = 'v' THEN oid END))
FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'privilege', c.oid::regclass::text, concat(a.grantee::regrole, ' ', a.privilege_type),
       a.is_grantable::text
FROM pg_class c, aclexplode(c.relacl) a
WHERE c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index', indexrelid::regclass::text, '', pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(t.oid) || tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal
UNION ALL
SELECT 'function', oid::regprocedure::text, proacl::text, pg_get_functiondef(oid)
FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'policy', polrelid::regclass::text, polname,
       concat_ws(' ', polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid))
FROM pg_policy
UNION ALL
SELECT 'schema', nspname, '', '' FROM pg_namespace WHERE nspname !~ '^pg_'
ORDER BY 1, 2, 3, 4
"""


def connect(url: str) -> Connection:
    """As an application that finds its tables by itself."""
    return psycopg.connect(url, autocommit=True, options="-c search_path=public")


def catalog(url: str) -> list[tuple[Any, ...]]:
    """Everything that there is, but for rowform's own schema."""
    with connect(url) as connection:
        return connection.execute(CATALOG).fetchall()


def content(url: str) -> dict[str, list[str]]:
    """Every row of every table of the application, as text."""
    with connect(url) as connection:
        names = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        return {
            name: sorted(row for (row,) in connection.execute(f"SELECT t::text FROM {name} t"))  # type: ignore[arg-type]
            for (name,) in names
        }


@pytest.fixture
def role(databases: Databases) -> Iterator[str]:
    """A role of the application's; the server has it as long as the test's databases."""
    name = f"anon_{token_hex(4)}"
    url = databases.create()
    with connect(url) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def seed(databases: Databases, role: str, tmp_path: Path) -> Iterator[Project]:
    """The application's database, with all that is around it, not adopted yet."""
    url = databases.create()
    with connect(url) as connection:
        connection.execute(SEED.read_bytes())
        connection.execute(sql.SQL(AROUND).format(role=sql.Identifier(role)))
    project = Project(tmp_path, url)
    project.restaurant()
    yield project
    databases.drop(url)


@pytest.fixture
def adopted(seed: Project) -> Project:
    """The same, adopted."""
    seed.ok("db", "upgrade", "--auto-approve")
    return seed


def remove(project: Project) -> str:
    return project.ok("db", "remove", "--auto-approve").out


def run(project: Project, statement: str, *parameters: object) -> None:
    with connect(project.url) as connection:
        connection.execute(statement, parameters or None)  # type: ignore[arg-type]


def active_rows(project: Project) -> dict[str, list[dict[str, Any]]]:
    """What the seed's reader gets of each table, whole rows."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in TABLES:
        with psycopg.connect(
            project.url, options="-c search_path=public", row_factory=dict_row
        ) as connection:
            found[table] = connection.execute(
                f"SELECT * FROM {table} WHERE is_active AND version_id IN"  # type: ignore[arg-type]
                " (SELECT id FROM config_versions WHERE is_active) ORDER BY id"
            ).fetchall()
    return found


@pytest.mark.parametrize("options", [[], ["--enforce-rls"]])
def test_adopted_and_removed_the_database_is_what_it_was(seed: Project, options: list[str]) -> None:
    before = catalog(seed.url), content(seed.url)
    seed.ok("db", "upgrade", "--auto-approve", *options)
    assert catalog(seed.url) != before[0]
    out = remove(seed)
    assert (catalog(seed.url), content(seed.url)) == before
    assert "21 settings of 2 restaurants as plain tables: public.daily_limits, " in out
    assert "  the contents of 0 versions that are not active\n" in out
    assert out.endswith("rowform is not in this database any more.\n")
    # And again.
    again = seed.ok("db", "remove", "--auto-approve")
    assert again.out == "rowform is not in this database: there is nothing to remove.\n"
    assert seed.ok("db", "remove", "--sql").out == f"-- {again.out}"


def test_the_script_does_the_same(seed: Project) -> None:
    before = catalog(seed.url), content(seed.url)
    seed.ok("db", "upgrade", "--auto-approve")
    script = seed.ok("db", "remove", "--sql").out
    assert script.rstrip().endswith("COMMIT;")
    run(seed, script)
    assert (catalog(seed.url), content(seed.url)) == before


def test_privileges_that_came_later_stay(adopted: Project, role: str) -> None:
    run(
        adopted,
        f"""
        GRANT SELECT, INSERT ON monthly_limits TO PUBLIC;
        GRANT UPDATE (name, color) ON staff_groups TO {role};
        REVOKE UPDATE ON daily_limits FROM {role};
        """,
    )
    privileges = """
        SELECT class.relname::text, given.name, grantee::regrole::text, privilege_type, is_grantable
        FROM pg_class class, LATERAL (
            SELECT '' AS name, relacl AS acl
            UNION ALL
            SELECT attname::text, attacl FROM pg_attribute WHERE attrelid = class.oid
        ) AS given, aclexplode(given.acl)
        WHERE relnamespace = 'public'::regnamespace AND relname = ANY (%s) AND grantee <> relowner
        ORDER BY 1, 2, 3, 4"""
    before = adopted.rows(privileges, list(TABLES))
    assert {("monthly_limits", ""), ("staff_groups", "color"), ("daily_limits", "")} <= {
        (row["relname"], row["name"]) for row in before
    }
    remove(adopted)
    assert adopted.rows(privileges, list(TABLES)) == before


def test_a_database_of_rowforms_own_becomes_the_seeds(project: Project, databases: Databases) -> None:
    url = databases.create()
    with connect(url) as connection:
        connection.execute(SEED.read_bytes())
        connection.execute("DROP TRIGGER update_staff_groups_updated_at ON staff_groups")
    project.restaurant()
    project.write({"sakura/all.yaml": "staff_groups:\n  - name: Kitchen\n"})
    project.apply()
    remove(project)

    def of(where: str) -> set[tuple[Any, ...]]:
        return {
            tuple(
                str(part).replace("uuid_generate_v4", "gen_random_uuid").replace("'1'::numeric", "1.0")
                for part in row
            )
            for row in catalog(where)
            if row[0] != "function" and not row[3].startswith("NOT NULL")
        }

    assert of(project.url) == of(url)


def test_what_the_application_reads_is_the_same(seed: Project, role: str) -> None:
    run(seed, "GRANT ALL ON ALL TABLES IN SCHEMA public TO " + role)
    adopted = seed
    adopted.ok("db", "upgrade", "--auto-approve")
    application = Application(adopted.url, role, SAKURA)
    first = {row["name"]: row for row in application.fetch("staff_groups", FIRST_VERSION)}
    # A direct write, a deletion, an apply, a version of the application's own, a rollback and a draft.
    application.handle_update("staff_groups", {**first["Group 3"], "color": "#ABCDEF"})
    run(adopted, "DELETE FROM staff_groups WHERE name IN ('Group 2', 'Group 9')")
    run(adopted, "UPDATE daily_limits SET is_active = false WHERE name = 'Maximum Late Shifts'")
    adopted.write(
        {
            "sakura/restaurant.yaml": f"id: {SAKURA}\nname: Sakura\nmanages: [monthly_limits]\n",
            "sakura/all.yaml": "monthly_limits: [{name: Golden Week, penalty_weight: 12.50}, {name: New}]\n",
        }
    )
    adopted.apply("--force", "threshold")
    application.handle_migrate({"staff_groups": [{"name": "Kitchen"}]})
    adopted.ok("rollback", "-r", "sakura", "--auto-approve")
    draft = application.create_config_version("Draft", "")
    application.insert("staff_groups", draft["id"], {"name": "Not yet"})

    def answers() -> list[Any]:
        return [
            active_rows(adopted),
            application.fetch_aggregated_settings(),
            [
                {name: value for name, value in row.items() if name not in ("base_version_id", "source")}
                for row in application.get("config_versions", restaurant_id=SAKURA)
            ],
            sorted(
                str({k: v for k, v in row.items() if k not in ("restaurant_id", "seq")})
                for row in adopted.rows("SELECT * FROM config_changes")
            ),
            adopted.rows("SELECT * FROM shifts ORDER BY id"),
        ]

    before = answers()
    assert len(before[1]["staff_groups"]) == 7
    out = adopted.ok("db", "remove", "--auto-approve").out
    assert answers() == before
    assert "  7 rows of config_versions, " in out
    assert "  the contents of 5 versions that are not active\n" in out
    assert "  the contents of 1 draft that nobody has activated\n" in out
    assert adopted.value("SELECT count(*) FROM colours") == 7
    # Nothing but the active version's settings, and the row that a shift refers to.
    (kept,) = adopted.rows(
        "SELECT * FROM staff_groups WHERE version_id NOT IN (SELECT id FROM config_versions WHERE is_active)"
    )
    assert (kept["name"], kept["is_active"], str(kept["version_id"])) == ("Group 2", False, FIRST_VERSION)
    assert adopted.value("SELECT count(*) FROM staff_groups") == 8
    # The application writes as it did on its plain tables.
    version = application.fetch_active_config_version()
    assert version
    changed = {"id": first["Group 3"]["id"], "color": "#000001"}
    assert application.handle_update("staff_groups", changed) == 1
    assert [
        row["color"] for row in application.fetch("staff_groups", version["id"]) if row["name"] == "Group 3"
    ] == ["#000001"]
    assert application.handle_reset({"staff_groups": [{"name": "Everybody"}]})["version_number"] == 8


def test_it_can_be_adopted_again(adopted: Project) -> None:
    run(adopted, "UPDATE staff_groups SET color = '#ABCDEF' WHERE name = 'Group 3'")
    before = active_rows(adopted)
    remove(adopted)
    adopted.ok("db", "upgrade", "--auto-approve")
    assert active_rows(adopted) == before
    run(adopted, "UPDATE staff_groups SET color = '#000000' WHERE name = 'Group 3'")
    remove(adopted)
    assert adopted.value("SELECT color FROM staff_groups WHERE name = 'Group 3'") == "#000000"
    assert adopted.value("SELECT count(*) FROM config_versions") == 3


def test_a_row_that_is_referred_to_carries_the_active_content(seed: Project) -> None:
    """Full copies: the active version's row is what others refer to; then an older version becomes active."""
    second = "22222222-5a0e-4d6e-9b0a-6b8a5b1d9f11"
    run(
        seed,
        f"""
        UPDATE config_versions SET is_active = false;
        INSERT INTO config_versions (id, restaurant_id, version_number, name)
            VALUES ('{second}', '{SAKURA}', 2, 'Second');
        INSERT INTO staff_groups (restaurant_id, version_id, name, color)
            SELECT restaurant_id, '{second}', name, '#222222' FROM staff_groups WHERE name <> 'Group 9';
        """,
    )
    old = {
        row["name"]: row["id"]
        for row in seed.rows("SELECT * FROM staff_groups WHERE version_id = %s", FIRST_VERSION)
    }
    new = {
        row["name"]: row["id"]
        for row in seed.rows("SELECT * FROM staff_groups WHERE version_id = %s", second)
    }
    run(seed, "INSERT INTO shifts (group_id, worker) VALUES (%s, 'new')", new["Group 3"])
    seed.ok("db", "upgrade", "--auto-approve")
    seed.ok("activate", "1", "-r", "sakura", "--auto-approve")
    before = active_rows(seed)
    assert {row["name"]: row["id"] for row in before["staff_groups"]} == {**old, **new}
    remove(seed)
    assert active_rows(seed) == before
    # Groups 1 and 2 were referred to by the ids of their rows in the first version.
    referred = seed.rows("SELECT g.* FROM shifts JOIN staff_groups g ON g.id = group_id ORDER BY shifts.id")
    assert [(row["name"], row["is_active"], row["id"]) for row in referred] == [
        ("Group 1", False, old["Group 1"]),
        ("Group 2", False, old["Group 2"]),
        ("Group 3", True, new["Group 3"]),
    ]
    assert seed.value("SELECT count(*) FROM staff_groups") == 9 + 2


def test_rows_in_no_version_stay_and_do_not_come_back_to_life(seed: Project) -> None:
    nobody = "99999999-5a0e-4d6e-9b0a-6b8a5b1d9f11"
    run(
        seed,
        f"""
        ALTER TABLE staff_groups DROP CONSTRAINT staff_groups_version_id_fkey;
        INSERT INTO staff_groups (restaurant_id, version_id, name, description, is_active, updated_at) VALUES
            ('{SAKURA}', '{FIRST_VERSION}', 'Group 1', '1', true, '2020-01-01'),
            ('{SAKURA}', '{FIRST_VERSION}', 'Old', '2', false, '2020-01-01'),
            ('{SAKURA}', '{nobody}', 'Lost', '3', true, '2020-01-01'),
            (NULL, NULL, 'Nobody', '4', NULL, '2020-01-01');
        """,
    )
    query = (
        "SELECT description, name, version_id::text, is_active, updated_at::date::text FROM staff_groups"
        " WHERE description IS NOT NULL ORDER BY description"
    )
    seed.ok("db", "upgrade", "--auto-approve", "--fix")
    before = active_rows(seed)
    assert len(before["staff_groups"]) == 9
    remove(seed)
    assert active_rows(seed) == before
    assert [tuple(row.values()) for row in seed.rows(query)] == [
        ("1", "Group 1", FIRST_VERSION, False, "2020-01-01"),
        ("2", "Old", FIRST_VERSION, False, "2020-01-01"),
        ("3", "Lost", nobody, True, "2020-01-01"),
        ("4", "Nobody", None, None, "2020-01-01"),
    ]
    # The foreign key is back for what comes from now on.
    assert (
        seed.value("SELECT convalidated FROM pg_constraint WHERE conname = 'staff_groups_version_id_fkey'")
        is False
    )
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        run(seed, "UPDATE staff_groups SET version_id = gen_random_uuid() WHERE name = 'Group 4'")


class WeeklyLimit(Setting):
    """A kind of a package that is not installed any more, and that has no is_active."""

    table: ClassVar[str] = "weekly_limits"
    name: Key
    hours: Number | None = 40


def test_a_kind_that_nobody_declares_any_more(project: Project) -> None:
    with store_connection(project.url) as connection:
        upgrade(connection, {**kinds(), "weekly_limits": Kind(WeeklyLimit)})
    run(
        project,
        f"""
        INSERT INTO restaurants (id, name) VALUES ('{SAKURA}', 'Sakura');
        INSERT INTO config_versions (id, restaurant_id, version_number, name)
            VALUES ('{FIRST_VERSION}', '{SAKURA}', 1, 'One');
        INSERT INTO weekly_limits (restaurant_id, version_id, name)
            SELECT '{SAKURA}', '{FIRST_VERSION}', unnest(ARRAY['Gone', 'Kept', 'Referred to']);
        CREATE TABLE exceptions (limit_id uuid REFERENCES rowform.weekly_limits (id) ON DELETE CASCADE);
        INSERT INTO exceptions SELECT id FROM weekly_limits WHERE name = 'Referred to';
        """,
    )
    run(project, "DELETE FROM weekly_limits WHERE name IN ('Gone', 'Referred to')")
    run(
        project,
        """
        BEGIN;
        ALTER TABLE rowform.weekly_limits DISABLE TRIGGER USER;
        INSERT INTO rowform.weekly_limits (restaurant_id, version_id, entity_id, until_version, name)
            SELECT restaurant_id, id, gen_random_uuid(), 0, 'In none' FROM config_versions WHERE is_active;
        ALTER TABLE rowform.weekly_limits ENABLE TRIGGER USER;
        COMMIT;
        """,
    )
    remove(project)
    rows = project.rows(
        "SELECT w.name, version_number, hours"
        " FROM weekly_limits w LEFT JOIN config_versions v ON v.id = version_id ORDER BY w.name"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("In none", None, 40),
        ("Kept", 2, 40),
        ("Referred to", 1, 40),
    ]
    assert project.value("SELECT count(*) FROM exceptions") == 1


def test_one_identity_in_two_restaurants(project: Project) -> None:
    shared = "00000000-0000-4000-8000-00000000000a"
    run(
        project,
        f"""
        INSERT INTO restaurants (id, name) VALUES ('{SAKURA}', 'S'), ('{MOMIJI}', 'M');
        INSERT INTO config_versions (restaurant_id, version_number) SELECT id, 1 FROM restaurants;
        INSERT INTO staff_groups (id, restaurant_id, version_id, name)
            SELECT '{shared}', restaurant_id, id, 'First' FROM config_versions
            WHERE restaurant_id = '{SAKURA}';
        INSERT INTO staff_groups (id, restaurant_id, version_id, name)
            SELECT '{shared}', restaurant_id, id, 'Second' FROM config_versions
            WHERE restaurant_id = '{MOMIJI}';
        """,
    )
    assert [
        str(row["id"])
        for row in project.rows(
            "SELECT id FROM staff_groups WHERE version_id IN (SELECT id FROM config_versions WHERE is_active)"
        )
    ] == [shared] * 2
    remove(project)
    rows = project.rows("SELECT id::text, name, restaurant_id::text FROM staff_groups ORDER BY name")
    assert [(row["name"], row["restaurant_id"] == SAKURA, row["id"] == shared) for row in rows] == [
        ("First", True, True),
        ("Second", False, False),
    ]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            "CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM staff_groups",
            "materialized view public.totals",
        ),
        (
            "CREATE FUNCTION all_of() RETURNS SETOF staff_groups LANGUAGE sql AS 'TABLE staff_groups'",
            "function public.all_of()",
        ),
        ("CREATE VIEW trail AS SELECT seq FROM config_changes", "view public.trail"),
        (
            "CREATE VIEW origins AS SELECT source FROM config_versions, staff_groups",
            "view public.origins",
        ),
        ("CREATE TABLE rowform.mine (id integer)", "table rowform.mine"),
        ("CREATE FUNCTION rowform.mine() RETURNS integer RETURN 1", "function rowform.mine()"),
        (
            (
                "ALTER TABLE shifts ADD r uuid,"
                " ADD FOREIGN KEY (r, group_id) REFERENCES config_versions (restaurant_id, id)"
            ),
            "constraint shifts_r_group_id_fkey on table public.shifts",
        ),
        (
            "CREATE TRIGGER mine AFTER INSERT ON staff_groups EXECUTE FUNCTION update_updated_at_column()",
            "trigger mine on view public.staff_groups",
        ),
        (
            "CREATE POLICY mine ON config_versions USING (restaurant_id = ANY (rowform.my_restaurants()))",
            "policy mine on table public.config_versions",
        ),
    ],
)
def test_what_would_be_lost_with_it_is_named(adopted: Project, made: str, said: str) -> None:
    run(adopted, made)
    before = catalog(adopted.url)
    for arguments in (["--auto-approve"], ["--sql"]):
        result = adopted.run("db", "remove", *arguments)
        assert result.code == 3
        assert f"what depends on rowform would be lost with it: {said}\n" in result.err
        assert "nothing was changed" in result.err
    assert catalog(adopted.url) == before


def test_only_the_owner(adopted: Project, role: str) -> None:
    run(
        adopted,
        f"GRANT ALL ON ALL TABLES IN SCHEMA public, rowform TO {role};"
        f" GRANT ALL ON SCHEMA rowform, public TO {role}; ALTER ROLE {role} BYPASSRLS",
    )
    before = catalog(adopted.url)
    stranger = Project(adopted.directory, f"{adopted.url}&options=-crole%3D{role}")
    result = stranger.run("db", "remove", "--auto-approve")
    assert result.code == 1
    assert "Error: only the owner may do this: public.config_changes belongs to " in result.err
    assert "connect as the role that ran `rowform db upgrade`" in result.err
    assert catalog(adopted.url) == before


def test_without_a_yes_nothing_happens(adopted: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = catalog(adopted.url)
    result = adopted.run("db", "remove")
    assert result.code == 3
    assert "To keep all that, save the database first: pg_dump " in result.out
    assert catalog(adopted.url) == before


def test_an_interruption_leaves_everything(adopted: Project) -> None:
    run(adopted, "UPDATE staff_groups SET color = '#ABCDEF' WHERE name = 'Group 3'")
    before = catalog(adopted.url), content(adopted.url)
    blocks = adopted.ok("db", "remove", "--sql").out.split("\n\n")
    assert blocks[-1] == "COMMIT;\n"
    for number in range(2, len(blocks)):
        with connect(adopted.url) as connection:
            connection.execute("\n\n".join(blocks[:number]))  # type: ignore[arg-type]
            connection.close()
        assert (catalog(adopted.url), content(adopted.url)) == before, blocks[number - 1]


def test_a_writer_that_came_first_is_not_lost(adopted: Project) -> None:
    """The removal reads what there is only once it has the locks."""
    results: list[str] = []
    with connect(adopted.url) as writer, connect(adopted.url) as watcher:
        with writer.transaction():
            writer.execute("UPDATE staff_groups SET color = '#ABCDEF' WHERE name = 'Group 3'")
            thread = Thread(target=lambda: results.append(remove(adopted)))
            thread.start()
            while not watcher.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                assert thread.is_alive()
        thread.join()
    assert results
    assert adopted.value("SELECT color FROM staff_groups WHERE name = 'Group 3'") == "#ABCDEF"
    assert adopted.value("SELECT count(*) FROM staff_groups") == len(kinds()) + 4
