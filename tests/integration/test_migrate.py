"""`db upgrade`: from nothing, again, half-way, by script, with a new kind, with a new column."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from secrets import token_hex
from typing import Annotated, Any, ClassVar

import psycopg
import pytest
from psycopg import Connection, sql

from rowform.errors import DatabaseError, DoesNotFit, SchemaError, UsageError
from rowform.kinds import Kind, Setting, kinds
from rowform.kinds.base import Flag, Json, JsonObject, Key, Text, Weight
from rowform.store.connection import connect
from rowform.store.migrate import (
    application_schema,
    check,
    database_id,
    pending,
    script,
    upgrade,
    upgrade_database,
)
from rowform.store.migrations import latest
from rowform.store.status import ActiveVersion, status
from tests.support.catalog import catalog
from tests.support.script import statements


class WeeklyLimit(Setting):
    """Limits that count per week."""

    table: ClassVar[str] = "weekly_limits"
    name: Key
    limit_config: Annotated[JsonObject | None, Json] = JsonObject()
    penalty_weight: Weight | None = 1


class WeeklyLimitLater(WeeklyLimit):
    """The same kind in its package's next release."""

    note: Text | None = "it's new"
    is_strict: Flag | None = True
    rules: Annotated[JsonObject | None, Json] = JsonObject.model_validate({"a": ["b'c"]})


class WeeklyLimitTooLate(WeeklyLimit):
    """And in one that no row can follow."""

    reason: Text


def with_kind(model: type[Setting]) -> Mapping[str, Kind]:
    return {**kinds(), model.table: Kind(model)}


def test_a_fresh_database_gets_everything(empty_database: str) -> None:
    done = upgrade_database(empty_database)
    assert done[:3] == ["Create the schema rowform.", "Migration 1: tables.", "Migration 2: core."]
    assert done[-3:] == [
        "Create the table rowform.ml_model_configs.",
        "Create the view public.ml_model_configs.",
        "Keep restaurants apart by row level security.",
    ]
    with connect(empty_database) as connection:
        check(connection, kinds())
        tables = connection.execute(
            "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'v') ORDER BY 1"
        ).fetchall()
        assert dict(tables) == {
            "restaurants": "r", "config_versions": "r", "config_changes": "r",
            **dict.fromkeys(kinds(), "v"),
        }  # fmt: skip
        recorded = connection.execute("SELECT name, key_column FROM rowform.kinds").fetchall()
        assert dict(recorded) == {kind.name: kind.key for kind in kinds().values()}


def test_the_seeds_columns(database: str) -> None:
    """Types, defaults and order of the seed's tables; additions stand behind them."""
    with connect(database) as connection:
        rows = connection.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'public.config_versions'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
        assert rows == [
            ("id", "uuid"), ("restaurant_id", "uuid"), ("version_number", "integer"), ("name", "text"),
            ("description", "text"), ("created_by", "uuid"), ("created_at", "timestamp with time zone"),
            ("is_active", "boolean"), ("is_locked", "boolean"), ("base_version_id", "uuid"),
            ("source", "jsonb"),
        ]  # fmt: skip
        rows = connection.execute(
            "SELECT attname FROM pg_attribute"
            " WHERE attrelid = 'rowform.staff_groups'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
        assert [name for (name,) in rows] == [
            "id", "restaurant_id", "version_id", "name", "description", "color", "group_config", "created_at",
            "updated_at", "is_active", "entity_id", "since_version", "until_version",
        ]  # fmt: skip


def test_a_second_upgrade_does_nothing(database: str) -> None:
    with connect(database) as connection:
        before, identity = catalog(connection), database_id(connection)
        assert pending(connection, kinds()) == []
        assert script(connection, kinds()) == ""
        assert upgrade(connection, kinds()) == []
        assert catalog(connection) == before
        assert database_id(connection) == identity


def test_the_script_does_what_the_upgrade_does(empty_database: str, database: str) -> None:
    with connect(empty_database) as connection, connect(database) as upgraded:
        text = script(connection, kinds())
        assert pending(connection, kinds())
        for statement in statements(text):
            connection.execute(statement.encode())
        assert catalog(connection) == catalog(upgraded)
        assert len(catalog(connection)) > 300
        check(connection, kinds())
        assert upgrade(connection, kinds()) == []


def test_a_script_that_stops_anywhere_leaves_nothing(empty_database: str) -> None:
    with connect(empty_database) as watcher:
        before = catalog(watcher)
        parts = statements(script(watcher, kinds()))
        assert len(parts) > 80
        for stop in (*range(1, len(parts), 12), len(parts) - 1):
            connection = connect(empty_database)
            connection.execute(";".join(parts[:stop]).encode())
            connection.close()
            assert catalog(watcher) == before
        watcher.execute(";".join(parts).encode())
        check(watcher, kinds())


class Interrupted(Connection):
    """A connection whose user presses ^C at the n-th statement."""

    left: int = 0

    def execute(self, *args: Any, **kwargs: Any) -> psycopg.Cursor:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return super().execute(*args, **kwargs)


def test_an_upgrade_interrupted_anywhere_leaves_nothing(empty_database: str) -> None:
    with (
        connect(empty_database) as watcher,
        Interrupted.connect(empty_database, autocommit=True) as connection,
    ):
        before = catalog(watcher)
        stop = 0
        for stop in range(1, 1000):
            connection.left = stop
            try:
                upgrade(connection, kinds())
            except KeyboardInterrupt:
                assert catalog(watcher) == before
            else:
                break
        assert stop > 15
        check(watcher, kinds())


def test_a_failing_step_leaves_nothing(empty_database: str) -> None:
    with connect(empty_database) as connection:
        # The last view's name is taken by a type, which nobody looks for.
        connection.execute("CREATE TYPE ml_model_configs AS ENUM ('x')")
        before = catalog(connection)
        with pytest.raises(DatabaseError) as caught:
            upgrade(connection, kinds())
        assert "ml_model_configs" in caught.value.message
        assert catalog(connection) == before


def test_two_upgrades_at_once(empty_database: str) -> None:
    done: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: done.append(upgrade_database(empty_database))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bool, done)) == [False, False, False, True]


@pytest.mark.parametrize("schema", ["app", "My App", 'so"called', "it's"])
def test_the_application_may_live_in_another_schema(empty_database: str, schema: str) -> None:
    name = sql.Identifier(schema)
    with connect(empty_database) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}; SET search_path = {}, public").format(name, name))
        upgrade(connection, kinds())
        assert application_schema(connection) == schema
        # From now on the search_path does not matter.
        connection.execute("SET search_path = public")
        assert upgrade(connection, kinds()) == []
        check(connection, kinds())
        assert status(connection, kinds()).application_schema == schema
        here = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        assert here.fetchall() == []
        connection.execute(sql.SQL("SET search_path = {}").format(name))
        connection.execute(
            "INSERT INTO restaurants (name) VALUES ('x');"
            "INSERT INTO config_changes (table_name, operation, restaurant_id)"
            " SELECT 'x', 'x', id FROM restaurants"
        )
        assert connection.execute("SELECT count(seq) FROM config_changes").fetchone() == (1,)


def test_no_schema_for_the_application(empty_database: str) -> None:
    with connect(empty_database) as connection:
        connection.execute("SET search_path = nowhere")
        with pytest.raises(SchemaError, match="search_path leads to no schema") as caught:
            upgrade(connection, kinds())
        assert caught.value.hint is not None


def test_a_role_called_rowform_is_no_trap(empty_database: str) -> None:
    with connect(empty_database) as connection:
        connection.execute("CREATE SCHEMA rowform; SET search_path = rowform, public")
        upgrade(connection, kinds())
        assert application_schema(connection) == "public"


def test_a_schema_rowform_of_somebody_elses(empty_database: str) -> None:
    with connect(empty_database) as connection:
        connection.execute("CREATE SCHEMA rowform CREATE TABLE rowform.other ()")
        with pytest.raises(SchemaError, match="not this tool's"):
            upgrade(connection, kinds())


def test_an_empty_schema_rowform_is_used(empty_database: str) -> None:
    """An administrator may have made it for a role that may not create schemas."""
    role = f"maker_{token_hex(4)}"
    with connect(empty_database) as connection:
        try:
            connection.execute(
                f"CREATE ROLE {role}; CREATE SCHEMA rowform AUTHORIZATION {role};"
                f"ALTER SCHEMA public OWNER TO {role}; SET SESSION AUTHORIZATION {role}".encode()
            )
            assert "Create the schema rowform." not in upgrade(connection, kinds())
        finally:
            connection.execute(
                f"RESET SESSION AUTHORIZATION; DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode()
            )


def test_a_missing_privilege_is_named(empty_database: str) -> None:
    role = f"nobody_{token_hex(4)}"
    with connect(empty_database) as connection:
        connection.execute(f"CREATE ROLE {role}".encode())
        try:
            connection.execute(f"SET SESSION AUTHORIZATION {role}".encode())
            with pytest.raises(DatabaseError, match="permission denied for database") as caught:
                upgrade(connection, kinds())
        finally:
            connection.execute(f"RESET SESSION AUTHORIZATION; DROP ROLE {role}".encode())
    assert caught.value.sqlstate == "42501"


# ------------------------------------------------------------------------- kinds of packages


def test_a_new_kind_comes_with_the_next_upgrade(database: str) -> None:
    more = with_kind(WeeklyLimit)
    with connect(database) as connection:
        before = catalog(connection)
        with pytest.raises(SchemaError, match="no table for weekly_limits"):
            check(connection, more)
        assert [step.what for step in pending(connection, more)] == upgrade(connection, more) == [
            "Create the table rowform.weekly_limits.",
            "Create the view public.weekly_limits.",
            "Keep restaurants apart by row level security.",
        ]  # fmt: skip
        check(connection, more)
        assert set(before) < set(catalog(connection))
        _fill(connection)
        rows = connection.execute(
            "SELECT name, limit_config, penalty_weight FROM public.weekly_limits"
        ).fetchall()
        assert rows == [("Max", {}, 1)]
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("DELETE FROM rowform.weekly_limits")
        assert caught.value.diag.sqlstate == "RF002"
        # Without the package its settings stay, and are named.
        check(connection, kinds())
        assert status(connection, kinds()).unknown_kinds == ("weekly_limits",)


def _fill(connection: Connection) -> None:
    connection.execute(
        """
        BEGIN;
        INSERT INTO rowform.own_writes DEFAULT VALUES;
        INSERT INTO public.restaurants (name, slug) VALUES ('Sakura', 'sakura');
        INSERT INTO public.config_versions (restaurant_id, version_number, name)
            SELECT id, 1, 'First' FROM public.restaurants;
        INSERT INTO rowform.weekly_limits (restaurant_id, version_id, entity_id, since_version, name)
            SELECT restaurant_id, id, gen_random_uuid(), 1, 'Max' FROM public.config_versions;
        DELETE FROM rowform.own_writes;
        COMMIT
        """
    )


def test_a_new_column_comes_with_the_next_upgrade(database: str) -> None:
    with connect(database) as connection:
        upgrade(connection, with_kind(WeeklyLimit))
        _fill(connection)
        later = with_kind(WeeklyLimitLater)
        with pytest.raises(
            SchemaError, match="weekly_limits lacks note, is_strict and rules in the database"
        ):
            check(connection, later)
        assert upgrade(connection, later) == [
            "Add note, is_strict and rules to rowform.weekly_limits.",
            "Show note, is_strict and rules in the view public.weekly_limits.",
        ]
        check(connection, later)
        assert upgrade(connection, later) == []
        cursor = connection.execute("SELECT * FROM public.weekly_limits")
        assert cursor.description is not None
        assert [column.name for column in cursor.description] == [
            "id", "restaurant_id", "version_id", "name", "limit_config", "penalty_weight", "created_at",
            "updated_at", "note", "is_strict", "rules",
        ]  # fmt: skip
        assert [row[-3:] for row in cursor] == [("it's new", True, {"a": ["b'c"]})]
        options = connection.execute(
            "SELECT reloptions, pg_get_viewdef(oid) LIKE '%UNION ALL%' FROM pg_class"
            " WHERE oid = 'public.weekly_limits'::regclass"
        ).fetchone()
        assert options == (["security_invoker=true"], True)
        defaults = connection.execute(
            "SELECT count(*) FROM pg_attrdef WHERE adrelid = 'public.weekly_limits'::regclass"
        ).fetchone()
        assert defaults == (8,)
        written = connection.execute("UPDATE public.weekly_limits SET note = NULL RETURNING note, is_strict")
        assert written.fetchall() == [(None, True)]
        # An older package goes on working.
        check(connection, with_kind(WeeklyLimit))
        assert upgrade(connection, with_kind(WeeklyLimit)) == []


def test_a_new_column_without_a_default(database: str) -> None:
    with connect(database) as connection:
        upgrade(connection, with_kind(WeeklyLimit))
        _fill(connection)
        with pytest.raises(SchemaError, match="its new reason has no default"):
            upgrade(connection, with_kind(WeeklyLimitTooLate))


def test_a_new_column_without_a_default_in_an_empty_table(database: str) -> None:
    with connect(database) as connection:
        upgrade(connection, with_kind(WeeklyLimit))
        assert upgrade(connection, with_kind(WeeklyLimitTooLate))
        check(connection, with_kind(WeeklyLimitTooLate))


def test_a_new_kind_does_not_replace_a_table(database: str) -> None:
    with connect(database) as connection:
        connection.execute("CREATE VIEW public.weekly_limits AS SELECT 1 AS x")
        with pytest.raises(DoesNotFit, match=r"public\.weekly_limits cannot be taken over"):
            upgrade(connection, with_kind(WeeklyLimit))


def test_a_lost_view_is_made_again(database: str) -> None:
    with connect(database) as connection:
        before = catalog(connection)
        connection.execute("DROP VIEW public.staff_groups")
        with pytest.raises(SchemaError, match=r"the view public\.staff_groups is missing") as caught:
            check(connection, kinds())
        assert caught.value.hint == "run `rowform db upgrade`"
        assert upgrade(connection, kinds()) == ["Create the view public.staff_groups."]
        assert catalog(connection) == before


def test_kinds_with_names_of_ours(database: str) -> None:
    books = type(
        "Books", (WeeklyLimit,), {"table": "migrations", "__annotations__": {"table": ClassVar[str]}}
    )
    ranges = type(
        "Ranges", (WeeklyLimit,), {"since_version": None, "__annotations__": {"since_version": Text | None}}
    )
    with connect(database) as connection:
        with pytest.raises(UsageError, match="one of rowform's own tables"):
            pending(connection, {"migrations": Kind(books)})
        with pytest.raises(UsageError, match="columns that rowform adds itself: since_version"):
            pending(connection, {"weekly_limits": Kind(ranges)})


# ---------------------------------------------------------------------------- older and newer


def test_tables_missing(empty_database: str) -> None:
    with connect(empty_database) as connection:
        with pytest.raises(SchemaError) as caught:
            check(connection, kinds())
        assert (caught.value.message, caught.value.hint) == (
            "the database has no rowform tables yet",
            "run `rowform db upgrade`",
        )
        with pytest.raises(SchemaError) as caught:
            database_id(connection)
        assert caught.value.hint == "run `rowform db upgrade`"


def test_an_older_schema(database: str) -> None:
    with connect(database) as connection:
        connection.execute("DELETE FROM rowform.migrations WHERE number = %s", (latest(),))
        with pytest.raises(SchemaError, match=f"schema {latest() - 1} is older than this rowform") as caught:
            check(connection, kinds())
        assert caught.value.hint == "run `rowform db upgrade`"
        assert [step.what for step in pending(connection, kinds())] == ["Migration 6: serving."]


def test_a_newer_schema(database: str) -> None:
    with connect(database) as connection:
        connection.execute(
            "INSERT INTO rowform.migrations (number, name, checksum, tool_version)"
            " VALUES (999, 'x', 'x', '9')"
        )
        before = catalog(connection)
        for function in (check, upgrade, pending, script):
            with pytest.raises(SchemaError, match="schema 999 is newer than this rowform") as caught:
                function(connection, kinds())
            assert "pip install --upgrade rowform" in (caught.value.hint or "")
        assert catalog(connection) == before


def test_another_migration_of_the_same_number(database: str) -> None:
    with connect(database) as connection:
        connection.execute("UPDATE rowform.migrations SET checksum = 'other' WHERE number = 1")
        for function in (check, upgrade):
            with pytest.raises(SchemaError, match="another migration 1"):
                function(connection, kinds())


def test_a_lost_column(database: str) -> None:
    with connect(database) as connection:
        connection.execute("ALTER TABLE rowform.staff_groups DROP COLUMN until_version CASCADE")
        with pytest.raises(SchemaError, match=r"rowform\.staff_groups has lost until_version"):
            upgrade(connection, kinds())


# ------------------------------------------------------------------------------------- status


def test_status_of_a_database_with_nothing_in_it(database: str) -> None:
    with connect(database) as connection:
        found = status(connection, kinds())
        assert found.database_id == database_id(connection)
    assert (found.schema_version, found.tool_schema_version) == (latest(), latest())
    assert (found.application_schema, found.restaurants, found.unknown_kinds) == ("public", (), ())
    assert sorted(found.kinds) == sorted(kinds())


def test_status_counts_the_active_version(database: str) -> None:
    with connect(database) as connection:
        connection.execute(
            """
            BEGIN;
            INSERT INTO rowform.own_writes DEFAULT VALUES;
            INSERT INTO public.restaurants (name, slug) VALUES ('Sakura', 'sakura'), ('Momiji', 'momiji');
            INSERT INTO public.config_versions (restaurant_id, version_number, name, is_locked)
                SELECT id, 1, 'First', true FROM public.restaurants WHERE slug = 'sakura';
            INSERT INTO rowform.staff_groups (restaurant_id, version_id, entity_id, since_version, name)
                SELECT restaurant_id, id, gen_random_uuid(), 1, 'Group ' || n
                FROM public.config_versions, generate_series(1, 3) AS n;
            INSERT INTO public.config_versions (restaurant_id, version_number, name, is_active)
                SELECT restaurant_id, 2, 'Draft', false FROM public.config_versions;
            UPDATE rowform.staff_groups SET until_version = 2 WHERE name = 'Group 1';
            DELETE FROM rowform.own_writes;
            COMMIT
            """
        )
        found = status(connection, kinds())
    momiji, sakura = found.restaurants
    assert (momiji.slug, momiji.versions, momiji.newest, momiji.active) == ("momiji", 0, None, None)
    assert momiji.settings == dict.fromkeys(kinds(), 0)
    assert (sakura.versions, sakura.newest) == (2, 2)
    assert sakura.active == ActiveVersion(number=1, name="First", is_locked=True)
    assert sakura.settings == {**dict.fromkeys(kinds(), 0), "staff_groups": 3}
    shown = json.loads(json.dumps(found.to_json()))
    assert shown["restaurants"][1]["active"] == {"number": 1, "name": "First", "is_locked": True}


def test_status_wants_the_schema(empty_database: str) -> None:
    with connect(empty_database) as connection, pytest.raises(SchemaError):
        status(connection, kinds())
