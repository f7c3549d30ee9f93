"""A role of one restaurant reads and writes nothing of another, by whatever way; and who gets around that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from rowform.kinds import kinds
from rowform.store.migrate import upgrade
from tests.support.database import Databases
from tests.support.tenants import MOMIJI, SAKURA, Ids, Outcome, Tenants


@dataclass
class World:
    people: Tenants
    sakura: Ids
    momiji: Ids
    #: A second superuser, who holds Momiji's lock all the time.
    holder: psycopg.Connection
    #: Every row of Momiji's.
    before: list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def world(databases: Databases) -> Iterator[World]:
    people = Tenants(databases.create())
    people.make_roles()
    with psycopg.connect(people.url, autocommit=True, options="-c search_path=public") as owner:
        owner.execute(f"SET SESSION AUTHORIZATION {people.role('owner')}".encode())
        upgrade(owner, kinds())
    people.grant("tenant", "both", "stranger", "server", "web")
    sakura, momiji = people.add_restaurant("sakura", SAKURA), people.add_restaurant("momiji", MOMIJI)
    people.add_member("tenant", SAKURA)
    for restaurant in (SAKURA, MOMIJI):
        people.add_member("both", restaurant)
    people.add_member("server", None)
    people.sql(
        f"""
        CREATE SCHEMA evil;
        GRANT ALL ON SCHEMA evil TO {people.role("tenant")};
        CREATE FUNCTION evil.yes(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE OPERATOR evil.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = evil.yes);
        CREATE FUNCTION evil.my_restaurants() RETURNS uuid[] LANGUAGE sql AS
            'SELECT ARRAY[''{MOMIJI}''::uuid]';
        CREATE FUNCTION evil.row_security_active(oid) RETURNS boolean LANGUAGE sql AS 'SELECT false';
        CREATE FUNCTION evil.row_security_active(regclass) RETURNS boolean LANGUAGE sql AS 'SELECT false';
        CREATE FUNCTION row_security_active(regclass) RETURNS boolean LANGUAGE sql AS 'SELECT false';
        CREATE FUNCTION format(text, regclass, name) RETURNS text LANGUAGE sql AS
            $$SELECT 'SELECT %s OR true'$$;
        CREATE FUNCTION to_jsonb(staff_groups) RETURNS jsonb LANGUAGE sql AS
            $$SELECT '{{"restaurant_id": "{SAKURA}"}}'::jsonb$$;
        CREATE FUNCTION jsonb_build_object(unknown text, value uuid) RETURNS jsonb LANGUAGE sql AS
            $$SELECT '{{"restaurant_id": "{SAKURA}"}}'::jsonb$$;
        CREATE TABLE evil.members AS SELECT '{people.role("tenant")}'::name AS role_name,
            '{MOMIJI}'::uuid AS restaurant_id, false AS is_gateway;
        """
    )
    holder = psycopg.connect(people.url, options="-c search_path=public")
    holder.execute("SELECT FROM restaurants WHERE id = %s FOR UPDATE", (MOMIJI,))
    people.root.execute("SET lock_timeout = '3s'")
    yield World(people, sakura, momiji, holder, _of_momiji(people))
    holder.close()
    people.close(databases)


def _claims(json: str) -> str:
    return f"SET LOCAL \"request.jwt.claims\" = '{json}';"


def _setting(value: str) -> str:
    return f"SET LOCAL rowform.restaurant_id = '{value}';"


WEB = "SET LOCAL ROLE {web};"
#: Who is of Sakura and not of Momiji, and what they try.
SAKURA_ONLY = {
    "tenant": ("tenant", ""),
    "tenant that sets the setting": ("tenant", _setting(MOMIJI)),
    "tenant that brings claims": ("tenant", _claims(f'{{"restaurant_id": "{MOMIJI}"}}')),
    "tenant that sets a role": ("tenant", WEB + _setting(MOMIJI)),
    "tenant with tricks on its path": ("tenant", "SET LOCAL search_path = evil, public, pg_catalog;"),
    "tenant with temporary tables": (
        "tenant",
        (f"CREATE TEMP TABLE members AS SELECT '{{tenant}}'::name AS role_name, '{MOMIJI}'::uuid AS"
         " restaurant_id, true AS is_gateway; SET LOCAL search_path = pg_temp, public;"),
    ),
    "gateway with the setting": ("server", WEB + _setting(SAKURA)),
    "gateway without another role": ("server", _setting(SAKURA)),
    "gateway with a claim": ("server", WEB + _claims(f'{{"restaurant_id": "{SAKURA}"}}')),
    "gateway with an app claim": (
        "server",
        WEB + _claims(f'{{"app_metadata": {{"restaurant_id": "{SAKURA}"}},'
                      f' "user_metadata": {{"restaurant_id": "{MOMIJI}"}}}}'),
    ),
    "gateway whose setting says other than the claim": (
        "server", WEB + _setting(SAKURA) + _claims(f'{{"restaurant_id": "{MOMIJI}"}}')),
}  # fmt: skip
#: Who is of no restaurant.
NOBODY = {
    "stranger": ("stranger", ""),
    "stranger that sets the setting": ("stranger", _setting(MOMIJI)),
    "gateway that names none": ("server", WEB),
    "gateway with an emptied setting": ("server", WEB + _setting("")),
    "gateway with a setting that is none": ("server", WEB + _setting("all")),
    "gateway with a wrong setting and a claim": (
        "server", WEB + _setting("x") + _claims(f'{{"restaurant_id": "{MOMIJI}"}}')),
    "gateway with a claim of the user's own": (
        "server", WEB + _claims(f'{{"user_metadata": {{"restaurant_id": "{MOMIJI}"}}}}')),
    "gateway with claims that are none": ("server", WEB + _claims("[1")),
    "gateway with a list": ("server", WEB + _claims(f'{{"restaurant_id": ["{MOMIJI}"]}}')),
}  # fmt: skip
EVERYBODY = SAKURA_ONLY | NOBODY

READS = {
    "restaurants": "SELECT id FROM restaurants WHERE id = '{restaurant}'",
    "versions": "SELECT id FROM config_versions WHERE restaurant_id = '{restaurant}'",
    "version by id": "SELECT version_number FROM config_versions WHERE id = '{old}'",
    "audit": "SELECT seq FROM config_changes WHERE restaurant_id = '{restaurant}'",
    "audit by version": "SELECT seq FROM config_changes WHERE version_id = '{version}'",
    "settings": "SELECT name FROM staff_groups WHERE restaurant_id = '{restaurant}'",
    "settings of a version": "SELECT name FROM staff_groups WHERE version_id = '{version}'",
    "setting by id": "SELECT name FROM staff_groups WHERE id = '{group}' AND version_id = '{old}'",
    "storage": "SELECT name FROM rowform.staff_groups WHERE restaurant_id = '{restaurant}'",
    "storage by id": "SELECT name FROM rowform.staff_groups WHERE entity_id = '{group}'",
    "locks": "SELECT id FROM restaurants WHERE id = '{restaurant}' FOR NO KEY UPDATE",
    "locks of versions": "SELECT id FROM config_versions WHERE id = '{version}' FOR UPDATE",
}
BOOKS = {
    "activations": "SELECT FROM rowform.activations",
    "births": "SELECT FROM rowform.version_births",
    "drafts": "SELECT FROM rowform.drafts",
    "notes": "SELECT FROM rowform.notes",
    "members": "SELECT FROM rowform.members",
    "open versions": "SELECT FROM rowform.open_versions",
}
#: {…} is the other restaurant's, {my…} the writer's own.
WRITES = {
    "insert": "INSERT INTO staff_groups (restaurant_id, version_id, name)"
              " VALUES ('{restaurant}', '{version}', 'Evil')",
    "insert by version": "INSERT INTO staff_groups (version_id, name) VALUES ('{version}', 'Evil')",
    "insert into an old version": "INSERT INTO staff_groups (version_id, name) VALUES ('{old}', 'Evil')",
    "insert with my restaurant": "INSERT INTO staff_groups (restaurant_id, version_id, name)"
                                 " VALUES ('{my_restaurant}', '{version}', 'Evil')",
    "insert with my version": "INSERT INTO staff_groups (restaurant_id, version_id, name)"
                              " VALUES ('{restaurant}', '{my_version}', 'Evil')",
    "insert with its id": "INSERT INTO staff_groups (id, restaurant_id, version_id, name)"
                          " VALUES ('{group}', '{my_restaurant}', '{my_version}', 'Evil')",
    "update": "UPDATE staff_groups SET color = 'evil' WHERE restaurant_id = '{restaurant}'",
    "update by id and version": "UPDATE staff_groups SET color = 'evil' WHERE id = '{group}'"
                                " AND version_id = '{version}'",
    "update and return": "UPDATE staff_groups SET color = 'evil' WHERE id = '{group}' RETURNING name",
    "move there": "UPDATE staff_groups SET restaurant_id = '{restaurant}' WHERE version_id = '{my_version}'",
    "move to its version": "UPDATE staff_groups SET version_id = '{version}'"
                           " WHERE version_id = '{my_version}'",
    "delete": "DELETE FROM staff_groups WHERE restaurant_id = '{restaurant}'",
    "delete by id": "DELETE FROM staff_groups WHERE id = '{group}' RETURNING name",
    "storage update": "UPDATE rowform.staff_groups SET color = 'evil' WHERE restaurant_id = '{restaurant}'",
    "storage delete": "DELETE FROM rowform.staff_groups WHERE entity_id = '{group}'",
    "make a version": "INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
                      " VALUES ('{restaurant}', 9, 'Evil', false)",
    "make an active one": "INSERT INTO config_versions (restaurant_id, version_number, name)"
                          " VALUES ('{restaurant}', 9, 'Evil')",
    "make an old number": "INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
                          " VALUES ('{restaurant}', -1, 'Evil', false)",
    "make one of its base": "INSERT INTO config_versions"
                            " (restaurant_id, version_number, name, is_active, base_version_id)"
                            " VALUES ('{my_restaurant}', 9, 'Evil', false, '{version}')",
    "give a version away": "UPDATE config_versions SET restaurant_id = '{restaurant}'"
                           " WHERE id = '{my_version}'",
    "lock": "UPDATE config_versions SET is_locked = true WHERE id = '{version}'",
    "activate": "UPDATE config_versions SET is_active = true WHERE id = '{old}'",
    "deactivate": "UPDATE config_versions SET is_active = false WHERE restaurant_id = '{restaurant}'",
    "rename a version": "UPDATE config_versions SET name = 'Evil' WHERE id = '{version}' RETURNING name",
    "forge audit": "INSERT INTO config_changes (restaurant_id, table_name, operation)"
                   " VALUES ('{restaurant}', 'staff_groups', 'DELETE')",
    "forge audit by version": "INSERT INTO config_changes (version_id, table_name, operation)"
                              " VALUES ('{version}', 'staff_groups', 'DELETE')",
    "forge audit with both": "INSERT INTO config_changes (restaurant_id, version_id, table_name, operation)"
                             " VALUES ('{restaurant}', '{version}', 'staff_groups', 'DELETE')",
    "forge audit with my restaurant": "INSERT INTO config_changes"
                                      " (restaurant_id, version_id, table_name, operation) VALUES"
                                      " ('{my_restaurant}', '{version}', 'staff_groups', 'DELETE')",
    "rename the restaurant": "UPDATE restaurants SET name = 'Evil' WHERE id = '{restaurant}'",
    "delete the restaurant": "DELETE FROM restaurants WHERE id = '{restaurant}'",
    "make the restaurant": "INSERT INTO restaurants (id, name) VALUES ('{restaurant}', 'Evil')",
    "become the restaurant": "UPDATE restaurants SET id = '{restaurant}' WHERE id = '{my_restaurant}'",
    "map myself": "INSERT INTO rowform.members (role_name, restaurant_id)"
                  " VALUES (session_user, '{restaurant}')",
    "forge an activation": "INSERT INTO rowform.activations (restaurant_id, version_id)"
                           " VALUES ('{restaurant}', '{version}')",
    "reopen a version": "INSERT INTO rowform.drafts VALUES ('{version}')",
    "mark": "INSERT INTO rowform.own_writes DEFAULT VALUES",
    "copy the content": "SELECT rowform.copy_content('{restaurant}', 1, '{version}', 2)",
    "target": "SELECT rowform.write_target('staff_groups', 'DELETE', '{restaurant}', '{version}')",
}  # fmt: skip


def _made_up() -> Ids:
    return Ids(*(str(uuid4()) for _ in range(4)))


def _try(world: World, who: tuple[str, str], statement: str, ids: Ids) -> Outcome:
    """What comes of it, with the ids taken out; nothing of Momiji's may have changed."""
    people = world.people
    name, prelude = who
    told = prelude.replace("{web}", people.role("web")).replace("{tenant}", people.role("tenant"))
    names = ids.named("") | world.sakura.named("my_")
    with people.acting(name, told):
        outcome = people.attempt(statement.format(**names))
        people.come_back()
        assert _of_momiji(people) == world.before
    message = outcome.message
    for word, value in ids.named("").items():
        message = message.replace(value, word)
    return Outcome(outcome.rows, outcome.met, outcome.state, message)


def _of_momiji(people: Tenants) -> list[tuple[Any, ...]]:
    """The stored rows that name Momiji or one of its things, and nothing of Sakura's."""
    tables = people.sql(
        "SELECT format('%I.%I', nspname, relname) FROM pg_class"
        " JOIN pg_namespace AS n ON n.oid = relnamespace"
        " WHERE relkind = 'r' AND nspname IN ('public', 'rowform')"
    )
    named = (
        f"SELECT '{table}', t::text FROM {table} AS t"
        f" WHERE t::text LIKE '%{MOMIJI[:8]}%' AND t::text NOT LIKE '%{SAKURA[:8]}%'"
        for (table,) in tables
    )
    return people.sql(" UNION ALL ".join(named) + " ORDER BY 1, 2")


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("what", READS)
def test_nobody_reads_another_restaurant(world: World, who: str, what: str) -> None:
    found = _try(world, EVERYBODY[who], READS[what], world.momiji)
    # With an = that is always true one finds all that one may see.
    mine = _try(world, EVERYBODY[who], READS[what], world.sakura).rows if "path" in who else []
    assert (found.rows, found.state) == (mine, None)


@pytest.mark.parametrize("who", EVERYBODY)
def test_nobody_reads_the_books(world: World, who: str) -> None:
    for what in BOOKS.values():
        assert _try(world, EVERYBODY[who], what, world.momiji).rows == []


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("what", WRITES)
def test_another_restaurant_is_as_if_it_did_not_exist(world: World, who: str, what: str) -> None:
    """Nothing is changed, nothing waits for Momiji's lock, and no answer tells it from a made-up one."""
    found = _try(world, EVERYBODY[who], WRITES[what], world.momiji)
    assert found == _try(world, EVERYBODY[who], WRITES[what], _made_up())
    assert found.state != "55P03"


#: What comes of a write to the writer's own restaurant: how many rows it meets, or its error.
OWN: dict[str, int | str] = {
    "insert": 1, "insert by version": 1, "insert into an old version": "RF001", "insert with its id": "23505",
    "update": 1, "update by id and version": 1, "update and return": 1, "delete": 1, "delete by id": 1,
    "storage update": "RF002", "storage delete": "RF002",
    "make a version": 1, "make an active one": "23P01", "make an old number": "RF003",
    "make one of its base": 1,
    "lock": 1, "deactivate": 2, "rename a version": 1, "forge audit": 1, "forge audit by version": 1,
    "forge audit with both": 1, "rename the restaurant": 1, "delete the restaurant": "RF006",
    "make the restaurant": "23505", "map myself": "RF007", "forge an activation": "RF007",
    "reopen a version": "RF007", "mark": "RF007", "copy the content": "42501", "target": "42501",
}  # fmt: skip


@pytest.mark.parametrize(
    "who",
    [
        "tenant",
        "both",
        "gateway with the setting",
        "gateway with a claim",
        "stranger",
        "gateway that names none",
    ],
)
@pytest.mark.parametrize("what", OWN)
def test_everybody_writes_their_own_restaurant_as_before(world: World, who: str, what: str) -> None:
    found = _try(world, (EVERYBODY | {"both": ("both", "")})[who], WRITES[what], world.sakura)
    expected = OWN[what]
    if who in NOBODY:
        assert found.met == 0
    else:
        assert (found.state or found.met) == expected, found


@pytest.mark.parametrize("who", [*SAKURA_ONLY, "both"])
@pytest.mark.parametrize("what", READS)
def test_everybody_reads_their_own_restaurant(world: World, who: str, what: str) -> None:
    assert _try(world, (EVERYBODY | {"both": ("both", "")})[who], READS[what], world.sakura).rows


def test_a_role_of_two_restaurants_sees_and_writes_both(world: World) -> None:
    people = world.people
    with people.acting("both"):
        rows = people.attempt("SELECT slug FROM restaurants ORDER BY slug").rows
        people.attempt("SET LOCAL lock_timeout = '10ms'")
        waiting = people.attempt(f"DELETE FROM staff_groups WHERE restaurant_id = '{MOMIJI}'")
        moved = people.attempt(
            f"UPDATE staff_groups SET restaurant_id = '{MOMIJI}' WHERE restaurant_id = '{SAKURA}'"
        )
    assert rows == [("momiji",), ("sakura",)]
    assert waiting.state == "55P03"  # this one may wait for Momiji's lock
    assert moved.state == "RF001"


def test_rows_of_no_restaurant_are_nobodys(world: World) -> None:
    people = world.people
    with people.root.transaction(force_rollback=True):
        people.sql("INSERT INTO config_changes (table_name, operation) VALUES ('elsewhere', 'INSERT')")
        assert people.sql("SELECT count(*) FROM config_changes WHERE table_name = 'elsewhere'") == [(1,)]
        people.become("both")
        assert people.attempt("SELECT FROM config_changes WHERE table_name = 'elsewhere'").rows == []
        forged = people.attempt("INSERT INTO config_changes (table_name, operation) VALUES ('x', 'INSERT')")
    assert forged.state == "42501"


@pytest.mark.parametrize("name", ["tenant", "stranger"])
def test_few_functions_can_be_called(world: World, name: str) -> None:
    callable_ones = world.people.sql(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'rowform'::regnamespace"
        " AND has_function_privilege(%s, oid, 'EXECUTE') ORDER BY proname",
        world.people.role(name),
    )
    # They run as the caller, who learns nothing that the tables do not show.
    assert callable_ones == [("last_lock",), ("my_restaurants",), ("policy",)]


def test_a_restaurant_without_a_history_goes_with_its_members(world: World) -> None:
    people, closed = world.people, str(uuid4())
    with people.root.transaction(force_rollback=True):
        people.sql("INSERT INTO restaurants (id, name) VALUES (%s, 'Closed')", closed)
        people.add_member("tenant", closed)
        people.become("tenant")
        assert people.attempt(f"DELETE FROM restaurants WHERE id = '{closed}'").met == 1
        people.come_back()
        assert people.sql("SELECT FROM rowform.members WHERE restaurant_id = %s", closed) == []


def test_a_notification_names_a_version_alone(world: World) -> None:
    people = world.people
    with psycopg.connect(people.url, autocommit=True) as listener:
        listener.execute(f"SET SESSION AUTHORIZATION {people.role('stranger')}".encode())
        listener.execute("LISTEN rowform")
        with people.root.transaction():
            people.become("tenant")
            people.root.execute(b"UPDATE staff_groups SET description = 'seen' WHERE version_id = %s",
                                (world.sakura.version,))  # fmt: skip
            people.come_back()
        [note] = listener.notifies(timeout=5, stop_after=1)
    active = people.sql("SELECT id::text FROM config_versions WHERE restaurant_id = %s AND is_active", SAKURA)
    assert [(note.payload,)] == active


@pytest.mark.parametrize(
    "row",
    [
        "('x', NULL, false)",
        f"('x', '{SAKURA}', true)",
        "('{server}', NULL, true)",
        "('x', '00000000-0000-4000-8000-000000000000', false)",
    ],
)
def test_a_member_is_of_a_restaurant_or_a_gateway_once(world: World, row: str) -> None:
    people = world.people
    with people.root.transaction(force_rollback=True):
        outcome = people.attempt(
            "INSERT INTO rowform.members (role_name, restaurant_id, is_gateway) VALUES "
            + row.replace("{server}", people.role("server"))
        )
    assert outcome.state in {"23514", "23505", "23503"}
