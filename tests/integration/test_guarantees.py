"""What the database guarantees by itself: plain SQL tries to break each promise of the design."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_hex
from textwrap import dedent
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from rowform.kinds import kinds
from rowform.store.migrate import upgrade
from tests.support.database import Databases

SAKURA = "5a000000-0000-4000-8000-000000000000"
MOMIJI = "30000000-0000-4000-8000-000000000000"
#: Versions 1 to 3 of Sakura; 2 is active, 3 a draft. Momiji's only one is active and locked.
S1, S2, S3 = (f"5a000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
M1 = "30000000-0000-4000-8000-000000000001"
#: A version that attacks make themselves.
S4 = "5a000000-0000-4000-8000-000000000004"
MARK = "INSERT INTO rowform.own_writes DEFAULT VALUES;"
UNMARK = "DELETE FROM rowform.own_writes;"
FRESH = f"""{MARK} INSERT INTO config_versions (id, restaurant_id, version_number, name, is_active)
    VALUES ('{S4}', '{SAKURA}', 4, 'Four', false);"""

Row = tuple[Any, ...]


def connect(url: str) -> Connection:
    """As an application that finds its tables by itself, whatever the role is called."""
    return psycopg.connect(url, autocommit=True, options="-c search_path=public")


def make_version(
    connection: Connection,
    restaurant: str,
    number: int,
    *,
    version_id: str | None = None,
    add: dict[str, str] | None = None,
    end: tuple[str, ...] = (),
    activate: bool = True,
) -> str:
    """Make a version as apply does, with plain SQL. ``add`` are staff groups and their colours."""
    version = version_id or str(uuid4())
    with connection.transaction():
        connection.execute("SELECT 1 FROM restaurants WHERE id = %s FOR NO KEY UPDATE", (restaurant,))
        connection.execute("INSERT INTO rowform.own_writes DEFAULT VALUES")
        connection.execute(
            "INSERT INTO config_versions (id, restaurant_id, version_number, name, is_active)"
            " VALUES (%s, %s, %s, %s, false)",
            (version, restaurant, number, f"Number {number}"),
        )
        connection.execute(
            "UPDATE rowform.staff_groups SET until_version = %s"
            " WHERE restaurant_id = %s AND name = ANY (%s) AND until_version IS NULL",
            (number, restaurant, list(end)),
        )
        for name, color in (add or {}).items():
            key = str(uuid4())
            connection.execute(
                "INSERT INTO rowform.staff_groups"
                " (id, entity_id, restaurant_id, version_id, since_version, name, color, group_config)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    key,
                    key,
                    restaurant,
                    version,
                    number,
                    name,
                    color,
                    Jsonb({"members": ["岸"], "level": 1.0}),
                ),
            )
            connection.execute(
                "INSERT INTO config_changes (version_id, table_name, operation, new_data)"
                " VALUES (%s, 'staff_groups', 'INSERT', %s)",
                (version, Jsonb({"name": name})),
            )
        if activate:
            connection.execute(
                "UPDATE config_versions SET is_active = false WHERE restaurant_id = %s AND is_active",
                (restaurant,),
            )
            connection.execute("UPDATE config_versions SET is_active = true WHERE id = %s", (version,))
        connection.execute("DELETE FROM rowform.own_writes")
    return version


def add_restaurant(connection: Connection, slug: str, restaurant_id: str | None = None) -> str:
    restaurant = restaurant_id or str(uuid4())
    connection.execute(
        "INSERT INTO restaurants (id, name, slug) VALUES (%s, %s, %s)", (restaurant, slug, slug)
    )
    return restaurant


def content(connection: Connection) -> dict[str, list[Row]]:
    """Everything that is stored, table by table."""
    tables = connection.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace IN ('public'::regnamespace, 'rowform'::regnamespace) ORDER BY 1"
    ).fetchall()
    return {
        table: connection.execute(
            sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1").format(sql.Identifier(*table.split(".")))
        ).fetchall()
        for (table,) in tables
    }


@dataclass
class World:
    """One database, and three people in it: who may do anything, who owns it, who was granted all."""

    superuser: Connection
    owner: Connection
    guest: Connection

    def who(self, name: str) -> Connection:
        return {"superuser": self.superuser, "owner": self.owner, "guest": self.guest}[name]


def _as(url: str, role: str | None) -> Connection:
    connection = connect(url)
    if role:
        connection.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(role)))
    return connection


@pytest.fixture(scope="module")
def world(databases: Databases) -> Iterator[World]:
    url = databases.create()
    owner, guest = f"owner_{token_hex(4)}", f"guest_{token_hex(4)}"
    root = _as(url, None)
    for role in (owner, guest):
        root.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    # Row level security is no help against him: what is promised here holds without.
    root.execute(sql.SQL("ALTER ROLE {} BYPASSRLS").format(sql.Identifier(guest)))
    root.execute(
        sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(
            sql.Identifier(root.info.dbname), sql.Identifier(owner)
        )
    )
    root.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(owner)))
    made = World(root, _as(url, owner), _as(url, guest))
    upgrade(made.owner, kinds())
    for what in ("TABLES", "SEQUENCES", "FUNCTIONS"):
        root.execute(
            f"GRANT ALL ON ALL {what} IN SCHEMA public, rowform TO {guest};"
            f"GRANT USAGE ON SCHEMA public, rowform TO {guest}".encode()
        )
    add_restaurant(made.owner, "sakura", SAKURA)
    add_restaurant(made.owner, "momiji", MOMIJI)
    make_version(made.owner, SAKURA, 1, version_id=S1, add={"Kitchen": "#111111", "Floor": "#222222"})
    make_version(made.owner, SAKURA, 2, version_id=S2, add={"Kitchen": "#333333"}, end=("Kitchen",))
    make_version(made.owner, SAKURA, 3, version_id=S3, add={"Bar": "#444444"}, end=("Floor",), activate=False)
    make_version(made.owner, MOMIJI, 1, version_id=M1, add={"Kitchen": "#555555"})
    made.owner.execute("UPDATE config_versions SET is_locked = true WHERE id = %s", (M1,))
    yield made
    for connection in (made.owner, made.guest, root):
        connection.close()
    databases.drop(url)
    with connect(databases.create()) as last:
        for role in (owner, guest):
            last.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@dataclass(frozen=True)
class Attack:
    name: str
    state: str
    message: str
    statements: str


def _row(table: str, **values: object) -> str:
    given = {
        "entity_id": "gen_random_uuid()",
        "restaurant_id": f"'{SAKURA}'",
        "version_id": f"'{S4}'",
        "since_version": 4,
        "name": "'Evil'",
        **values,
    }
    return f"INSERT INTO {table} ({', '.join(given)}) VALUES ({', '.join(map(str, given.values()))})"


def _stored(**values: object) -> str:
    return _row("rowform.staff_groups", **values)


# fmt: off
#: Attacks that need no mark: anybody may try them.
PLAIN = [
    # Through the application's views.
    Attack("view insert", "RF001", "version 1 is finished: INSERT of staff_groups refused",
        f"INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES ('{SAKURA}', '{S1}', 'Evil')"),
    Attack("view insert into another's version", "23503", "there is no config version",
        f"INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES ('{SAKURA}', '{M1}', 'Evil')"),
    Attack("view insert into no version", "23502", "INSERT of staff_groups needs a version_id",
        f"INSERT INTO staff_groups (restaurant_id, name) VALUES ('{SAKURA}', 'Evil')"),
    Attack("view update", "RF001", "version 1 is finished: UPDATE of staff_groups refused",
        f"UPDATE staff_groups SET name = 'Evil' WHERE version_id = '{S1}'"),
    Attack("view update of a version to come", "RF001", "version 3 is finished: UPDATE of staff_groups",
        f"UPDATE staff_groups SET color = 'Evil' WHERE version_id = '{S3}'"),
    Attack("view move", "RF001", "a setting does not move to another version",
        f"UPDATE staff_groups SET version_id = '{S1}' WHERE version_id = '{S2}'"),
    Attack("view change of identity", "RF001", "a setting keeps its id and its restaurant",
        f"UPDATE staff_groups SET id = gen_random_uuid() WHERE version_id = '{S2}'"),
    Attack("view change of restaurant", "RF001", "a setting keeps its id and its restaurant",
        f"UPDATE staff_groups SET restaurant_id = '{MOMIJI}' WHERE version_id = '{S2}'"),
    Attack("view wipe", "RF001", "version 1 is finished: DELETE of staff_groups refused",
        f"DELETE FROM staff_groups WHERE version_id = '{S1}'"),
    Attack("view wipe in a CTE", "RF001", "DELETE of staff_groups refused",
        f"WITH gone AS (DELETE FROM staff_groups WHERE version_id = '{S1}' RETURNING id)"
        " SELECT count(*) FROM gone"),
    Attack("view insert, locked", "RF004", "version 1 is locked: INSERT of staff_groups refused",
        f"INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES ('{MOMIJI}', '{M1}', 'Evil')"),
    Attack("view update, locked", "RF004", "version 1 is locked: UPDATE of staff_groups refused",
        f"UPDATE staff_groups SET name = 'Evil' WHERE version_id = '{M1}'"),
    Attack("view update of everything", "RF004", "version 1 is locked",
        "UPDATE staff_groups SET name = 'Evil'"),
    Attack("view wipe, locked", "RF004", "version 1 is locked: DELETE of staff_groups refused",
        f"DELETE FROM staff_groups WHERE restaurant_id = '{MOMIJI}'"),
    Attack("view write under an old snapshot", "RF007", "not written under repeatable read",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
        f"UPDATE staff_groups SET color = 'Evil' WHERE version_id = '{S2}'"),
    Attack("view truncate", "42809", "is not a table", "TRUNCATE staff_groups"),
    # Storage.
    Attack("storage insert", "RF002", "INSERT refused", _stored(version_id=f"'{S2}'", since_version=2)),
    Attack("storage update", "RF002", "UPDATE refused", "UPDATE rowform.staff_groups SET color = 'Evil'"),
    Attack("storage end", "RF002", "UPDATE refused",
        "UPDATE rowform.staff_groups SET until_version = 9 WHERE until_version IS NULL"),
    Attack("storage reopen", "RF002", "UPDATE refused",
        "UPDATE rowform.staff_groups SET until_version = NULL WHERE name = 'Floor'"),
    Attack("storage upsert", "RF002", "refused",
        "INSERT INTO rowform.staff_groups SELECT * FROM rowform.staff_groups"
        " ON CONFLICT (id) DO UPDATE SET color = 'Evil'"),
    Attack("storage merge", "RF002", "UPDATE refused",
        "MERGE INTO rowform.staff_groups AS t USING (VALUES (1)) AS s (x) ON true"
        " WHEN MATCHED THEN UPDATE SET color = NULL"),
    Attack("storage merge delete", "RF002", "DELETE refused",
        "MERGE INTO rowform.staff_groups AS t USING (VALUES (1)) AS s (x) ON true WHEN MATCHED THEN DELETE"),
    Attack("storage delete", "RF002", "rowform.staff_groups is written by rowform alone: DELETE refused",
        "DELETE FROM rowform.staff_groups"),
    Attack("storage delete in a CTE", "RF002", "DELETE refused",
        "WITH gone AS (DELETE FROM rowform.staff_groups RETURNING id) SELECT count(*) FROM gone"),
    Attack("storage truncate", "RF002", "TRUNCATE refused", "TRUNCATE rowform.staff_groups"),
    Attack("storage, faked setting", "RF002", "INSERT refused",
        "SET LOCAL rowform.own_write = 'on'; SET LOCAL rowform.marked = 'true';"
        + _stored(version_id=f"'{S2}'", since_version=2)),
    Attack("storage, shadowed books", "RF002", "INSERT refused",
        "CREATE TEMP TABLE own_writes ON COMMIT DROP AS SELECT pg_current_xact_id() AS xid;"
        "CREATE FUNCTION pg_temp.is_marked() RETURNS boolean LANGUAGE sql RETURN true;"
        "SET LOCAL search_path = pg_temp, rowform, public, pg_catalog;"
        + _stored(version_id=f"'{S2}'", since_version=2)),
    Attack("storage, trigger depth", "RF002", "UPDATE refused",
        "CREATE TEMP TABLE door (x int) ON COMMIT DROP;"
        "CREATE FUNCTION pg_temp.deeper() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN UPDATE rowform.staff_groups SET color = 'Evil'; RETURN NULL; END$$;"
        "CREATE TRIGGER t AFTER INSERT ON door FOR EACH ROW EXECUTE FUNCTION pg_temp.deeper();"
        "INSERT INTO door VALUES (1)"),
    # Versions.
    Attack("version insert, active", "23P01", "config_versions_one_active",
        f"INSERT INTO config_versions (restaurant_id, version_number, name) VALUES ('{SAKURA}', 9, 'Evil')"),
    Attack("version insert, before others", "RF003", "version 0 cannot follow version 3",
        "INSERT INTO config_versions (restaurant_id, version_number, is_active)"
        f" VALUES ('{SAKURA}', 0, false)"),
    Attack("version insert, number taken", "23505", "restaurant_id_version_number",
        "INSERT INTO config_versions (restaurant_id, version_number, is_active)"
        f" VALUES ('{SAKURA}', 2, false)"),
    Attack("version insert for nobody", "23502", "needs a restaurant_id",
        "INSERT INTO config_versions (version_number, name) VALUES (1, 'Evil')"),
    Attack("version activate", "23P01", "config_versions_one_active",
        f"UPDATE config_versions SET is_active = true WHERE id = '{S1}'"),
    Attack("version upsert", "23P01", "config_versions_one_active",
        f"INSERT INTO config_versions (id, restaurant_id, version_number, name) VALUES"
        f" ('{S1}', '{SAKURA}', 1, 'Evil') ON CONFLICT (id) DO UPDATE SET is_active = true"),
    Attack("version merge", "23P01", "config_versions_one_active",
        f"MERGE INTO config_versions AS t USING (VALUES (1)) AS s (x) ON t.id = '{S1}'"
        " WHEN MATCHED THEN UPDATE SET is_active = true"),
    *(
        Attack(f"version {column}", "RF003", "version 1 says for ever where it came from",
               f"UPDATE config_versions SET {column} = {value} WHERE id = '{S1}'")
        for column, value in {
            "id": "gen_random_uuid()",
            "restaurant_id": f"'{MOMIJI}'",
            "version_number": "100",
            "created_at": "now()",
            "created_by": "gen_random_uuid()",
            "base_version_id": f"'{S2}'",
            "source": '\'{"kind": "evil"}\'',
        }.items()
    ),
    Attack(
        "version without a name", "23502", "name", f"UPDATE config_versions SET name = NULL WHERE id = '{S1}'"
    ),
    Attack("version delete", "RF003", "config versions are kept for ever: DELETE refused",
        f"DELETE FROM config_versions WHERE id = '{S1}'"),
    Attack("version truncate", "0A000", "cannot truncate", "TRUNCATE config_versions"),
    Attack("version truncate cascade", "RF003", "TRUNCATE refused", "TRUNCATE config_versions CASCADE"),
    Attack("locked off", "RF004", "version 1 is active and locked",
        f"UPDATE config_versions SET is_active = false WHERE id = '{M1}'"),
    Attack("locked off and unlocked at once", "RF004", "version 1 is active and locked",
        f"UPDATE config_versions SET is_active = false, is_locked = false WHERE id = '{M1}'"),
    # The audit trail.
    Attack("audit update", "RF005", "append-only: UPDATE of config_changes refused",
        "UPDATE config_changes SET reason = 'Evil'"),
    Attack(
        "audit delete", "RF005", "append-only: DELETE of config_changes refused", "DELETE FROM config_changes"
    ),
    Attack("audit truncate", "RF005", "append-only: TRUNCATE of config_changes refused",
        "TRUNCATE config_changes"),
    Attack("audit upsert", "RF005", "UPDATE of config_changes refused",
        "INSERT INTO config_changes (id, table_name, operation) SELECT id, table_name, operation"
        " FROM config_changes ON CONFLICT (id) DO UPDATE SET reason = 'Evil'"),
    Attack("audit merge", "RF005", "DELETE of config_changes refused",
        "MERGE INTO config_changes AS t USING (VALUES (1)) AS s (x) ON true WHEN MATCHED THEN DELETE"),
    Attack("audit with a chosen seq", "428C9", "cannot insert a non-DEFAULT value",
        "INSERT INTO config_changes (seq, table_name, operation) VALUES (1, 'x', 'INSERT')"),
    Attack("audit of another's version", "23503", "foreign key",
        "INSERT INTO config_changes (restaurant_id, version_id, table_name, operation)"
        f" VALUES ('{MOMIJI}', '{S1}', 'x', 'INSERT')"),
    Attack("audit of no version", "23503", "there is no config version",
        f"INSERT INTO config_changes (version_id, table_name, operation) VALUES ('{S4}', 'x', 'INSERT')"),
    Attack("audit of no restaurant", "23503", "there is no restaurant",
        f"INSERT INTO config_changes (restaurant_id, table_name, operation) VALUES ('{S4}', 'x', 'INSERT')"),
    # Restaurants.
    Attack("restaurant delete", "RF006", "the restaurant sakura has a history: DELETE refused",
        f"DELETE FROM restaurants WHERE id = '{SAKURA}'"),
    Attack("restaurant truncate", "0A000", "cannot truncate", "TRUNCATE restaurants"),
    Attack("restaurant truncate cascade", "RF006", "TRUNCATE refused", "TRUNCATE restaurants CASCADE"),
    Attack("restaurant re-identified", "23503", "foreign key",
        f"UPDATE restaurants SET id = gen_random_uuid() WHERE id = '{SAKURA}'"),
    # rowform's own books.
    Attack("births deleted", "RF007", "DELETE refused", "DELETE FROM rowform.version_births"),
    Attack("births updated", "RF007", "UPDATE refused",
        "UPDATE rowform.version_births SET xid = pg_current_xact_id(), made_at = transaction_timestamp()"),
    Attack("births truncated", "RF007", "TRUNCATE refused", "TRUNCATE rowform.version_births"),
    Attack("marks updated", "RF007", "UPDATE refused", "UPDATE rowform.own_writes SET xid = '99'"),
    Attack("marks truncated", "RF007", "TRUNCATE refused", "TRUNCATE rowform.own_writes"),
]

#: Attacks by somebody who may mark: the owner, who follows the protocol halfway and then cheats.
MARKED = [
    Attack("mark left", "RF008", "before rowform has finished writing", MARK),
    Attack("mark brought back", "RF008", "before rowform has finished writing",
        f"{MARK} SAVEPOINT a; {UNMARK} ROLLBACK TO a"),
    Attack(
        "mark checked early", "RF008", "before rowform has finished", f"{MARK} SET CONSTRAINTS ALL IMMEDIATE"
    ),
    Attack("mark for later", "RF007", "a mark for another transaction",
        "INSERT INTO rowform.own_writes SELECT (pg_current_xact_id()::text::bigint + 1)::text::xid8"),
    Attack("mark under an old snapshot", "RF007", "not written under repeatable read",
        f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; {MARK}"),
    Attack("mark rolled back", "RF002", "INSERT refused", f"SAVEPOINT a; {MARK} ROLLBACK TO a;" + _stored()),
    Attack("rows after the mark", "RF002", "INSERT refused", FRESH + UNMARK + _stored()),
    Attack("old number", "23505", "restaurant_id_version_number",
        f"{MARK} INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
        f" VALUES ('{SAKURA}', 3, 'Evil', false)"),
    Attack("number nought", "RF003", "version 0 cannot follow version 0",
        f"{MARK} DELETE FROM restaurants WHERE slug = 'new';"
        "INSERT INTO restaurants (id, name, slug) VALUES (gen_random_uuid(), 'New', 'new');"
        "INSERT INTO config_versions (restaurant_id, version_number, name)"
        " SELECT id, 0, 'Evil' FROM restaurants WHERE slug = 'new'"),
    Attack("numbers backwards", "RF003", "version 5 cannot follow version 6",
        f"{MARK} INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
        f" VALUES ('{SAKURA}', 6, 'Evil', false), ('{SAKURA}', 5, 'Evil', false)"),
    Attack("base of another restaurant", "23503", "foreign key",
        f"{MARK} INSERT INTO config_versions"
        " (restaurant_id, version_number, name, is_active, base_version_id)"
        f" VALUES ('{SAKURA}', 4, 'Evil', false, '{M1}')"),
    Attack("second active", "23P01", "config_versions_one_active",
        f"{FRESH} UPDATE config_versions SET is_active = true WHERE id = '{S4}'"),
    Attack("born active", "23P01", "config_versions_one_active",
        f"{MARK} INSERT INTO config_versions (restaurant_id, version_number, name)"
        f" VALUES ('{SAKURA}', 4, 'Evil')"),
    Attack("locked off, marked", "RF004", "version 1 is active and locked",
        f"{MARK} UPDATE config_versions SET is_active = false WHERE id = '{M1}'"),
    Attack("locked off and unlocked, marked", "RF004", "version 1 is active and locked",
        f"{MARK} UPDATE config_versions SET is_active = NULL, is_locked = NULL WHERE id = '{M1}'"),
    Attack("origin, marked", "RF003", "says for ever where it came from",
        f"{MARK} UPDATE config_versions SET source = '{{\"a\": 1}}' WHERE id = '{S1}'"),
    Attack("version delete, marked", "RF003", "DELETE refused", f"{MARK} DELETE FROM config_versions"),
    Attack("audit update, marked", "RF005", "UPDATE of config_changes refused",
        f"{MARK} UPDATE config_changes SET reason = 'Evil'"),
    Attack("restaurant delete, marked", "RF006", "has a history", f"{MARK} DELETE FROM restaurants"),
    Attack("storage delete, marked", "RF002", "DELETE refused", f"{FRESH} DELETE FROM rowform.staff_groups"),
    Attack("storage truncate, marked", "RF002", "TRUNCATE refused", f"{FRESH} TRUNCATE rowform.staff_groups"),
    Attack("rows for the active version", "RF002", "rows begin only at the newest version",
        MARK + _stored(version_id=f"'{S2}'", since_version=2)),
    Attack("rows for the newest version, made earlier", "RF002", "rows begin only at the newest version",
        MARK + _stored(version_id=f"'{S3}'", since_version=3)),
    Attack("rows for a version with a newer one", "RF002", "rows begin only at the newest version",
        f"{FRESH} INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
        f" VALUES ('{SAKURA}', 5, 'Five', false);" + _stored()),
    Attack(
        "rows of another restaurant", "23503", "foreign key", FRESH + _stored(restaurant_id=f"'{MOMIJI}'")
    ),
    Attack("rows from another number", "23503", "foreign key", FRESH + _stored(since_version=2)),
    Attack(
        "rows born ended", "RF002", "rows begin only at the newest version", FRESH + _stored(until_version=5)
    ),
    Attack("rows ended before they begin", "23514", "check", FRESH + _stored(until_version=4)),
    Attack("two live rows of a key", "23505", "staff_groups_live_key", FRESH + _stored(name="'Kitchen'")),
    Attack("two live rows of an identity", "23505", "staff_groups_live_entity",
        f"{FRESH} INSERT INTO rowform.staff_groups"
        " (entity_id, restaurant_id, version_id, since_version, name)"
        f" SELECT entity_id, restaurant_id, '{S4}', 4, 'Evil' FROM rowform.staff_groups WHERE name = 'Bar'"),
    Attack("overlapping range", "RF002", "rows begin only at the newest version",
        f"{FRESH} INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
        f" VALUES ('{SAKURA}', 5, 'Five', false);"
        "UPDATE rowform.staff_groups SET until_version = 5 WHERE name = 'Bar';" + _stored(name="'Bar'")),
    Attack("ended at a finished version", "RF002", "rows only end",
        f"{MARK} UPDATE rowform.staff_groups SET until_version = 3"
        f" WHERE restaurant_id = '{SAKURA}' AND name = 'Kitchen' AND until_version IS NULL"),
    Attack("ended at a version to come", "RF002", "rows only end",
        f"{FRESH} UPDATE rowform.staff_groups SET until_version = 5 WHERE name = 'Bar'"),
    Attack("ended by another's version", "RF002", "rows only end",
        f"{FRESH} UPDATE rowform.staff_groups SET until_version = 4 WHERE restaurant_id = '{MOMIJI}'"),
    Attack("ended twice", "RF002", "rows only end",
        f"{FRESH} UPDATE rowform.staff_groups SET until_version = 4 WHERE name = 'Floor'"),
    Attack("reopened", "RF002", "rows only end",
        f"{FRESH} UPDATE rowform.staff_groups SET until_version = NULL WHERE name = 'Floor'"),
    Attack("touched", "RF002", "rows only end",
        f"{FRESH} UPDATE rowform.staff_groups SET until_version = until_version"),
    Attack("content changed", "RF002", "rows only end",
        f"{FRESH} UPDATE rowform.staff_groups SET color = NULL WHERE name = 'Bar'"),
    # Equal for PostgreSQL, and yet not what was stored.
    Attack("content written otherwise", "RF002", "rows only end",
        f"{FRESH} UPDATE rowform.staff_groups SET group_config = '{{\"members\": [\"岸\"], \"level\": 1.00}}'"
        " WHERE name = 'Bar'"),
    Attack("begun earlier", "23503", "foreign key",
        f"{FRESH} UPDATE rowform.staff_groups SET since_version = 2 WHERE name = 'Bar'"),
    Attack("begun in another version", "RF002", "rows only end",
        f"{FRESH} UPDATE rowform.staff_groups SET since_version = 2, version_id = '{S2}' WHERE name = 'Bar'"),
    Attack("begun at the new version", "RF002", "rows only end",
        f"{FRESH} UPDATE rowform.staff_groups SET since_version = 4, version_id = '{S4}' WHERE name = 'Bar'"),
    Attack("birth forged", "23505", "version_births_pkey",
        f"INSERT INTO rowform.version_births (version_id) VALUES ('{S2}')"),
    Attack("birth forged over", "RF007", "UPDATE refused",
        f"INSERT INTO rowform.version_births (version_id) VALUES ('{S2}')"
        " ON CONFLICT (version_id) DO UPDATE SET xid = excluded.xid"),
    Attack("birth before the version", "23503", "foreign key",
        f"INSERT INTO rowform.version_births (version_id) VALUES ('{S4}')"),
]

#: What only the owner may do, tried by somebody who was granted everything but ownership.
GUEST = [
    Attack("mark", "RF007", "rowform.own_writes belongs to rowform: INSERT refused", MARK),
    Attack("unmark", "RF007", "DELETE refused", UNMARK),
    Attack("mark through a function", "RF007", "INSERT refused",
        "CREATE FUNCTION pg_temp.mark() RETURNS void LANGUAGE sql SECURITY DEFINER"
        " AS 'INSERT INTO rowform.own_writes DEFAULT VALUES'; SELECT pg_temp.mark()"),
    Attack("birth", "RF007", "INSERT refused", f"INSERT INTO rowform.version_births VALUES ('{S4}')"),
    Attack("migrations", "RF007", "DELETE refused", "DELETE FROM rowform.migrations"),
    Attack("kinds", "RF007", "INSERT refused", "INSERT INTO rowform.kinds VALUES ('x', 'y', now(), '1')"),
    Attack("database", "RF007", "UPDATE refused", "UPDATE rowform.database SET application_schema = 'evil'"),
    Attack("trigger off", "42501", "must be owner", "ALTER TABLE config_changes DISABLE TRIGGER ALL"),
    Attack("replica", "42501", "permission denied", "SET session_replication_role = replica"),
    Attack(
        "rule", "42501", "must be owner", "CREATE RULE r AS ON DELETE TO config_changes DO INSTEAD NOTHING"
    ),
]
# fmt: on


def _repel(world: World, who: str, attack: Attack) -> None:
    before = content(world.superuser)
    with pytest.raises(psycopg.Error) as caught, world.who(who).transaction():
        world.who(who).execute(attack.statements.encode())
    assert caught.value.diag.sqlstate == attack.state, caught.value
    assert attack.message in str(caught.value)
    assert content(world.superuser) == before


@pytest.mark.parametrize("who", ["superuser", "owner", "guest"])
@pytest.mark.parametrize("attack", PLAIN, ids=lambda attack: attack.name)
def test_plain_sql_is_repelled(world: World, who: str, attack: Attack) -> None:
    _repel(world, who, attack)


@pytest.mark.parametrize("who", ["superuser", "owner"])
@pytest.mark.parametrize("attack", MARKED, ids=lambda attack: attack.name)
def test_marked_sql_is_repelled(world: World, who: str, attack: Attack) -> None:
    _repel(world, who, attack)


@pytest.mark.parametrize("attack", GUEST, ids=lambda attack: attack.name)
def test_a_guest_is_repelled(world: World, attack: Attack) -> None:
    _repel(world, "guest", attack)


@pytest.mark.parametrize("who", ["superuser", "owner", "guest"])
@pytest.mark.parametrize(
    ("target", "line", "state"),
    [
        ("staff_groups (restaurant_id, version_id, name)", f"{SAKURA}\t{S1}\tEvil\n", "RF001"),
        ("rowform.staff_groups (entity_id, restaurant_id, version_id, since_version, name)",
         f"{uuid4()}\t{SAKURA}\t{S2}\t2\tEvil\n", "RF002"),
        ("config_versions (restaurant_id, version_number, name)", f"{SAKURA}\t9\tEvil\n", "23P01"),
    ],
    ids=["view", "storage", "versions"],
)  # fmt: skip
def test_copy_is_repelled(world: World, who: str, target: str, line: str, state: str) -> None:
    before = content(world.superuser)
    with (
        pytest.raises(psycopg.Error) as caught,
        world.who(who).cursor() as cursor,
        cursor.copy(f"COPY {target} FROM STDIN".encode()) as copy,
    ):
        copy.write(line)
    assert caught.value.diag.sqlstate == state
    assert content(world.superuser) == before


def test_refusals_name_the_way_out(world: World) -> None:
    hints: dict[str, str | None] = {}
    for statement in (
        f"DELETE FROM staff_groups WHERE version_id = '{S1}'",
        f"UPDATE config_versions SET is_active = false WHERE id = '{M1}'",
        f"DELETE FROM restaurants WHERE id = '{SAKURA}'",
    ):
        with pytest.raises(psycopg.Error) as caught:
            world.guest.execute(statement.encode())
        hints[caught.value.diag.sqlstate or ""] = caught.value.diag.message_hint
    assert hints == {
        "RF001": "Write to the active version, which is 2.",
        "RF004": "Unlock it first: rowform unlock 1",
        "RF006": 'Only "rowform db purge -r sakura" deletes a restaurant and its history.',
    }


def test_somebody_elses_mark_does_not_count(world: World) -> None:
    with world.owner.transaction(force_rollback=True):
        world.owner.execute(MARK.encode())
        with pytest.raises(psycopg.Error) as caught:
            world.superuser.execute(_stored(version_id=f"'{S3}'", since_version=3).encode())
    assert caught.value.diag.sqlstate == "RF002"


@pytest.mark.parametrize("same", ["xid = pg_current_xact_id()", "made_at = transaction_timestamp()"])
def test_an_old_version_is_not_fresh_by_chance(world: World, same: str) -> None:
    """After dump and restore transaction ids start again: one may equal that of an old birth."""
    with world.superuser.transaction(force_rollback=True):
        world.superuser.execute(
            f"""
            ALTER TABLE rowform.version_births DISABLE TRIGGER USER;
            UPDATE rowform.version_births SET {same} WHERE version_id = '{S3}';
            ALTER TABLE rowform.version_births ENABLE TRIGGER USER;
            {MARK}
            """.encode()
        )
        with pytest.raises(psycopg.Error) as caught, world.superuser.transaction():
            world.superuser.execute(_stored(version_id=f"'{S3}'", since_version=3).encode())
    assert caught.value.diag.sqlstate == "RF002"


@pytest.mark.parametrize(
    ("who", "way"),
    [(who, way) for who in ("superuser", "owner", "guest") for way in ("overriding", "copy", "turned back")],
)
def test_nobody_chooses_the_order_of_the_audit(world: World, who: str, way: str) -> None:
    connection = world.who(who)
    columns = "(seq, id, version_id, table_name, operation)"
    change = uuid4()
    with connection.transaction(force_rollback=True):
        before = connection.execute("SELECT max(seq), count(*) FROM config_changes").fetchone()
        if way == "copy":
            with connection.cursor().copy(f"COPY config_changes {columns} FROM STDIN".encode()) as copy:
                copy.write(f"-5\t{change}\t{S1}\tstaff_groups\tINSERT\n")
        else:
            if way == "turned back":
                connection.execute("SELECT setval('config_changes_seq_seq', 1, false)")
            connection.execute(
                f"INSERT INTO config_changes {columns} OVERRIDING SYSTEM VALUE"
                f" VALUES (-5, '{change}', '{S1}', 'staff_groups', 'INSERT')".encode()
            )
        after = connection.execute(
            "SELECT seq, restaurant_id FROM config_changes WHERE id = %s", (change,)
        ).fetchone()
        assert before is not None
        assert after is not None
        assert after[0] > before[0]
        assert after[1] == UUID(SAKURA)


# ------------------------------------------------------------------------ what plain SQL may do


@pytest.mark.parametrize("who", ["superuser", "owner", "guest"])
def test_names_and_locks_are_edited_freely(world: World, who: str) -> None:
    connection = world.who(who)
    with connection.transaction(force_rollback=True):
        connection.execute(
            "UPDATE config_versions SET name = 'Spring', description = 'Menu', is_locked = true"
            " WHERE id = %s",
            (S1,),
        )
        row = connection.execute(
            "SELECT restaurant_id, operation, old_data, new_data, reason, changed_by FROM config_changes"
            " WHERE table_name = 'config_versions' AND version_id = %s",
            (S1,),
        ).fetchall()
        role = connection.execute("SELECT session_user").fetchone()
        assert role is not None
    [(restaurant, operation, old, new, reason, actor)] = row
    assert (restaurant, operation, actor) == (UUID(SAKURA), "UPDATE", None)
    assert (old["is_locked"], new["is_locked"], new["name"]) == (False, True, "Spring")
    assert "source" not in new
    assert "source" not in old
    assert reason == f"Locked by {role[0]}"


def test_whoever_ends_a_row_changes_nothing_else(world: World) -> None:
    with world.owner.transaction(force_rollback=True):
        world.owner.execute(FRESH.encode())
        whole = "SELECT to_jsonb(s) - 'until_version' FROM rowform.staff_groups s WHERE name = 'Bar'"
        before = world.owner.execute(whole.encode()).fetchall()
        world.owner.execute(
            "UPDATE rowform.staff_groups SET until_version = 4, id = gen_random_uuid(),"
            " entity_id = gen_random_uuid(), name = 'Evil', color = NULL, group_config = NULL,"
            f" created_at = now(), updated_at = now(), restaurant_id = '{MOMIJI}' WHERE name = 'Bar'".encode()
        )
        assert world.owner.execute(whole.encode()).fetchall() == before


def test_a_lock_says_who_and_why(world: World) -> None:
    actor = uuid4()
    with world.owner.transaction(force_rollback=True):
        world.owner.execute(
            "SELECT set_config('rowform.reason', 'inventory', true), set_config('rowform.actor', %s, true)",
            (str(actor),),
        )
        world.owner.execute("UPDATE config_versions SET is_locked = false WHERE id = %s", (M1,))
        row = world.owner.execute(
            "SELECT reason, changed_by FROM config_changes WHERE version_id = %s ORDER BY seq DESC LIMIT 1",
            (M1,),
        ).fetchone()
    assert row == ("inventory", actor)


def test_an_edit_of_the_name_alone_is_no_change_of_content(world: World) -> None:
    with world.owner.transaction(force_rollback=True):
        before = world.owner.execute("SELECT count(*) FROM config_changes").fetchone()
        world.owner.execute("UPDATE config_versions SET name = 'Spring' WHERE id = %s", (S1,))
        assert world.owner.execute("SELECT count(*) FROM config_changes").fetchone() == before


def test_an_unlocked_version_can_be_replaced(database: str) -> None:
    with connect(database) as connection:
        restaurant = add_restaurant(connection, "sakura")
        first = make_version(connection, restaurant, 1)
        connection.execute("UPDATE config_versions SET is_locked = true WHERE id = %s", (first,))
        connection.execute("UPDATE config_versions SET is_locked = false WHERE id = %s", (first,))
        second = make_version(connection, restaurant, 2)
        row = connection.execute("SELECT id::text FROM config_versions WHERE is_active").fetchall()
    assert row == [(second,)]


def test_a_restaurant_without_a_history_can_be_deleted(database: str) -> None:
    with connect(database) as connection:
        restaurant = add_restaurant(connection, "sakura")
        connection.execute("DELETE FROM restaurants WHERE id = %s", (restaurant,))
        assert connection.execute("SELECT count(*) FROM restaurants").fetchone() == (0,)


@pytest.mark.parametrize(("given", "name"), [(None, "Version 7"), ("  ", "Version 7"), ("Spring", "Spring")])
def test_a_version_always_has_a_name(database: str, given: str | None, name: str) -> None:
    with connect(database) as connection:
        restaurant = add_restaurant(connection, "sakura")
        with connection.transaction():
            connection.execute("INSERT INTO rowform.own_writes DEFAULT VALUES")
            row = connection.execute(
                "INSERT INTO config_versions (restaurant_id, version_number, name) VALUES (%s, 7, %s)"
                " RETURNING name, source",
                (restaurant, given),
            ).fetchone()
            connection.execute("DELETE FROM rowform.own_writes")
    assert row == (name, {})


def test_activation_notifies_with_the_id_and_nothing_else(database: str) -> None:
    with (
        connect(database) as listener,
        connect(database) as connection,
    ):
        listener.execute("LISTEN rowform")
        restaurant = add_restaurant(connection, "sakura")
        first = make_version(connection, restaurant, 1, add={"Kitchen": "#111111"})
        make_version(connection, restaurant, 2, activate=False)
        third = make_version(connection, restaurant, 3)
        connection.execute("UPDATE config_versions SET name = 'Other' WHERE id = %s", (third,))
        with connection.transaction():
            connection.execute("INSERT INTO rowform.own_writes DEFAULT VALUES")
            born = connection.execute(
                "INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
                " VALUES (%s, 1, 'Born active', true) RETURNING id::text",
                (add_restaurant(connection, "momiji"),),
            ).fetchone()
            connection.execute("DELETE FROM rowform.own_writes")
        assert born is not None
        heard = [notify.payload for notify in listener.notifies(timeout=5, stop_after=3)]
        assert [*heard, *(notify.payload for notify in listener.notifies(timeout=0.2))] == [
            first,
            third,
            born[0],
        ]


# ----------------------------------------------------------------------------------- the views


def _shown(connection: Connection, version: str) -> dict[str, str]:
    return dict(
        connection.execute(
            "SELECT name, color FROM staff_groups WHERE version_id = %s", (version,)
        ).fetchall()
    )


def test_every_version_is_shown_in_full(world: World) -> None:
    connection = world.owner
    assert _shown(connection, S1) == {"Kitchen": "#111111", "Floor": "#222222"}
    assert _shown(connection, S2) == {"Kitchen": "#333333", "Floor": "#222222"}
    assert _shown(connection, S3) == {"Kitchen": "#333333", "Bar": "#444444"}
    assert _shown(connection, M1) == {"Kitchen": "#555555"}
    total = connection.execute("SELECT count(*) FROM staff_groups").fetchone()
    assert total == (7,)


def test_an_identity_is_the_same_in_all_versions(world: World) -> None:
    rows = world.owner.execute(
        "SELECT version_id::text, id, restaurant_id::text FROM staff_groups WHERE name = 'Floor' ORDER BY 1"
    ).fetchall()
    assert [(version, restaurant) for version, _, restaurant in rows] == [(S1, SAKURA), (S2, SAKURA)]
    assert len({id_ for _, id_, _ in rows}) == 1


def test_views_look_like_the_seeds_tables(world: World) -> None:
    for kind in kinds().values():
        rows = world.superuser.execute(
            "SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid)"
            " FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
            " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
            (f"public.{kind.name}",),
        ).fetchall()
        assert tuple(name for name, _, _ in rows) == kind.table_columns
        types = {name: type_ for name, type_, _ in rows}
        assert [types[column.name] for column in kind.columns] == [column.sql_type for column in kind.columns]
        assert types["id"] == types["restaurant_id"] == types["version_id"] == "uuid"
        assert types["created_at"] == types["updated_at"] == "timestamp with time zone"
        with_default = {name for name, _, default in rows if default is not None}
        assert with_default == {
            "id",
            "created_at",
            "updated_at",
            *(column.name for column in kind.columns if column.default is not None),
        }


def test_storage_defaults_are_the_kinds(world: World) -> None:
    with world.owner.transaction(force_rollback=True):
        world.owner.execute(FRESH.encode())
        for kind in kinds().values():
            required = {
                column.name: "'x'" for column in kind.columns if column.required and column.name != "name"
            }
            key = {} if kind.key == "name" else {"name": None}
            values = {"name": "'x'", **required, **key}
            text = _row(f"rowform.{kind.name}", **{k: v for k, v in values.items() if v is not None})
            if kind.key != "name":
                text = _row_without_name(text)
            world.owner.execute(text.encode())
            names = list(kind.defaults)
            row = world.owner.execute(
                sql.SQL("SELECT to_jsonb(t) FROM {} AS t WHERE version_id = %s").format(
                    sql.Identifier("rowform", kind.name)
                ),
                (S4,),
            ).fetchone()
            assert row is not None
            assert {name: row[0][name] for name in names} == dict(kind.defaults)


def _row_without_name(text: str) -> str:
    return text.replace("name, model_name", "model_name").replace("'Evil', 'x'", "'x'")


def test_an_updated_at_trigger_does_not_reach_old_versions(database: str) -> None:
    with connect(database) as connection:
        connection.execute(
            dedent("""
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN NEW.updated_at = now() + interval ''1 day''; RETURN NEW; END';
            CREATE TRIGGER update_staff_groups_updated_at BEFORE UPDATE ON rowform.staff_groups
                FOR EACH ROW EXECUTE FUNCTION touch()
            """).encode()
        )
        restaurant = add_restaurant(connection, "sakura")
        first = make_version(connection, restaurant, 1, add={"Kitchen": "#111111"})
        read = "SELECT updated_at FROM staff_groups WHERE version_id = %s"
        before = connection.execute(read, (first,)).fetchall()
        make_version(connection, restaurant, 2, end=("Kitchen",))
        assert len(before) == 1
        assert connection.execute(read, (first,)).fetchall() == before


def test_a_version_is_read_through_indexes(database: str) -> None:
    """2,000 versions of one restaurant with 1,000 settings, of which each version changes twenty."""
    with connect(database) as connection:
        restaurant = add_restaurant(connection, "sakura")
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(
                "INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
                " SELECT %s, n, 'V', n = 2000 FROM generate_series(1, 2000) AS n",
                (restaurant,),
            )
            connection.execute(
                "INSERT INTO rowform.staff_groups"
                " (entity_id, restaurant_id, version_id, since_version, until_version, name)"
                " SELECT gen_random_uuid(), restaurant_id, id, version_number, nullif(least("
                "     version_number + 50, 2001), 2001), 'Group ' || setting"
                " FROM config_versions, generate_series(0, 999) AS setting"
                " WHERE setting % 50 = version_number % 50"
            )
        connection.execute("VACUUM ANALYZE rowform.staff_groups")
        connection.execute("VACUUM ANALYZE config_versions")
        for number in (1000, 1990, 2000):
            found = connection.execute(
                "SELECT id FROM config_versions WHERE version_number = %s", (number,)
            ).fetchone()
            assert found is not None
            count = connection.execute(
                "SELECT count(*) FROM staff_groups WHERE version_id = %s", found
            ).fetchone()
            assert count == (1000,)
            plan = _plan(
                connection, sql.SQL("SELECT * FROM staff_groups WHERE version_id = {}").format(found[0])
            )
            assert "Seq Scan" not in plan, plan
            assert "staff_groups_past" in plan, plan
        plan = _plan(
            connection,
            sql.SQL(
                "SELECT DISTINCT ON (name) name, entity_id FROM rowform.staff_groups WHERE restaurant_id = {}"
                " AND until_version IS NOT NULL AND name = ANY ('{{Group 1,Group 2}}')"
                " ORDER BY name, until_version DESC"
            ).format(restaurant),
        )
        assert "staff_groups_past_key" in plan, plan


def _plan(connection: Connection, statement: sql.Composed) -> str:
    return "\n".join(line for (line,) in connection.execute(sql.SQL("EXPLAIN ") + statement).fetchall())


# ------------------------------------------------------------------------------ two at a time


def _wait_until_blocked(connection: Connection, blocked: Connection) -> None:
    for _ in range(500):
        row = connection.execute(
            "SELECT pg_blocking_pids(%s), pg_sleep(0.01)", (blocked.info.backend_pid,)
        ).fetchone()
        if row and row[0]:
            return
    pytest.fail("nobody waits")


def _race(database: str, first: str, second: str) -> psycopg.Error | None:
    """Hold ``first`` open, run ``second`` beside it, commit ``first``: what becomes of ``second``?"""
    caught: list[psycopg.Error] = []

    def run() -> None:
        try:
            with two.transaction():
                two.execute(second.encode())
        except psycopg.Error as error:
            caught.append(error)

    with (
        connect(database) as one,
        connect(database) as two,
        connect(database) as watcher,
    ):
        thread = threading.Thread(target=run)
        with one.transaction():
            one.execute(first.encode())
            thread.start()
            _wait_until_blocked(watcher, two)
        thread.join(timeout=30)
        assert not thread.is_alive()
    return caught[0] if caught else None


def _insert(restaurant: str, number: int) -> str:
    return (
        f"{MARK} INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
        f" VALUES ('{restaurant}', {number}, 'Draft', false); {UNMARK}"
    )


@pytest.mark.parametrize(("number", "state"), [(2, "23505"), (1, "RF003"), (3, None)])
def test_numbers_are_checked_under_the_lock(database: str, number: int, state: str | None) -> None:
    with connect(database) as connection:
        restaurant = add_restaurant(connection, "sakura")
    error = _race(database, _insert(restaurant, 2), _insert(restaurant, number))
    assert (error.diag.sqlstate if error else None) == state


def test_a_lock_beats_a_waiting_activation(database: str) -> None:
    with connect(database) as connection:
        restaurant = add_restaurant(connection, "sakura")
        version = make_version(connection, restaurant, 1)
    error = _race(
        database,
        f"UPDATE config_versions SET is_locked = true WHERE id = '{version}'",
        f"{MARK} UPDATE config_versions SET is_active = false WHERE id = '{version}'; {UNMARK}",
    )
    assert error is not None
    assert error.diag.sqlstate == "RF004"


def test_a_lock_waits_for_whoever_writes(database: str) -> None:
    """Both write audit rows: their order is that of the commits."""
    with connect(database) as connection:
        restaurant = add_restaurant(connection, "sakura")
        version = make_version(connection, restaurant, 1)
    error = _race(
        database,
        f"SELECT FROM restaurants WHERE id = '{restaurant}' FOR NO KEY UPDATE",
        f"UPDATE config_versions SET is_locked = true WHERE id = '{version}'",
    )
    assert error is None
    with connect(database) as connection:
        assert connection.execute("SELECT is_locked FROM config_versions").fetchall() == [(True,)]


def test_a_restaurant_is_not_deleted_under_a_first_version(database: str) -> None:
    with connect(database) as connection:
        restaurant = add_restaurant(connection, "sakura")
    error = _race(database, _insert(restaurant, 1), f"DELETE FROM restaurants WHERE id = '{restaurant}'")
    assert error is not None
    assert error.diag.sqlstate == "RF006"


# --------------------------------------------------------------------------------- privileges


def test_public_has_nothing_but_what_policies_ask(world: World) -> None:
    row = world.superuser.execute(
        """
        SELECT
            (SELECT array_agg(privilege_type) FROM pg_namespace, aclexplode(nspacl)
             WHERE nspname = 'rowform' AND grantee = 0),
            (SELECT count(*) FROM pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner)))
             WHERE relnamespace = 'rowform'::regnamespace AND relkind IN ('r', 'v') AND grantee = 0),
            (SELECT array_agg(proname::text ORDER BY proname)
             FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
             WHERE pronamespace = 'rowform'::regnamespace AND grantee = 0)
        """
    ).fetchone()
    assert row == (["USAGE"], 0, ["last_lock", "my_restaurants", "policy"])


def test_functions_look_names_up_in_a_fixed_place(world: World) -> None:
    rows = world.superuser.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'rowform'::regnamespace"
        " AND prosqlbody IS NULL AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)"
    ).fetchall()
    # That one asks the application's policies, as the caller.
    assert rows == [("admit",)]


def test_a_reader_needs_no_more_than_select(world: World) -> None:
    reader = f"reader_{token_hex(4)}"
    with world.superuser.transaction(force_rollback=True):
        world.superuser.execute(
            f"CREATE ROLE {reader}; GRANT USAGE ON SCHEMA rowform, public TO {reader};"
            f"GRANT SELECT ON config_versions, staff_groups, rowform.staff_groups TO {reader};"
            f"INSERT INTO rowform.members (role_name, restaurant_id) VALUES (session_user, '{SAKURA}');"
            f"SET LOCAL ROLE {reader}".encode()
        )
        assert _shown(world.superuser, S3) == {"Kitchen": "#333333", "Bar": "#444444"}
