"""The application's own policies hold on the settings views as they did on its plain tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rowform.store.migrate import upgrade_database
from tests.support.database import Databases
from tests.support.tenants import SAKURA, Ids, Tenants

Stage = tuple[Tenants, Ids]


@pytest.fixture(scope="module")
def stage(databases: Databases) -> Iterator[Stage]:
    """A view, and a plain table with the same rows, in which grants allow everything."""
    people = Tenants(databases.create())
    people.make_roles()
    upgrade_database(people.url)
    people.add_member("server", None)
    sakura = people.add_restaurant("sakura", SAKURA)
    people.sql(
        """
        UPDATE staff_groups SET color = '#open';
        INSERT INTO staff_groups (version_id, name, color)
            SELECT v.id, g.name, g.color FROM config_versions AS v,
                   (VALUES ('Floor', '#closed'), ('Bar', 'hidden'), ('Office', NULL)) AS g (name, color)
            WHERE v.is_active;
        CREATE TABLE plain AS SELECT * FROM staff_groups WHERE version_id IN (
            SELECT id FROM config_versions WHERE is_active);
        ALTER TABLE plain ALTER id SET DEFAULT gen_random_uuid(), ALTER is_active SET DEFAULT true;
        ALTER TABLE plain ENABLE ROW LEVEL SECURITY;
        -- As if row level security had been on before rowform came.
        DROP POLICY rowform_access ON rowform.staff_groups;
        CREATE TABLE friends AS SELECT 'Kitchen' AS name, id AS restaurant_id FROM restaurants;
        CREATE FUNCTION is_friend(wanted text) RETURNS boolean LANGUAGE sql STABLE
            AS 'SELECT EXISTS (SELECT FROM friends WHERE name = wanted)';
        """
    )
    [(active,)] = people.sql("SELECT id::text FROM config_versions WHERE is_active")
    people.grant("server", "web")
    yield people, Ids(SAKURA, active, sakura.old, sakura.group)
    people.close(databases)


SEE = "FOR SELECT USING (true)"
POLICIES = {
    "none": [],
    "for everything": ["USING (true)"],
    "for reading": [SEE],
    "with a check": ["USING (color IS DISTINCT FROM '#closed') WITH CHECK (name <> 'Evil')"],
    "update without a check": [SEE, "FOR UPDATE USING (name = 'Kitchen')"],
    "insert alone": [SEE, "FOR INSERT WITH CHECK (name <> 'Evil')"],
    "delete alone": [SEE, "FOR DELETE USING (name = 'Kitchen')"],
    "what becomes invisible": ["FOR SELECT USING (color <> 'hidden')", "FOR UPDATE USING (true)"],
    "several": ["USING (name = 'Kitchen')", "USING (name = 'Floor') WITH CHECK (color = 'x')", SEE],
    "restrictive": [
        "USING (true)", "AS RESTRICTIVE FOR DELETE USING (name <> 'Kitchen')",
        "AS RESTRICTIVE FOR UPDATE USING (color <> '#closed') WITH CHECK (name <> 'Evil')"],
    "restrictive alone": ["AS RESTRICTIVE USING (true)"],
    "for another role": ["TO {owner} USING (true)"],
    "for one's role": ["TO {web}, {owner} USING (true)"],
    "for a role that others are in": [SEE, "TO {server} USING (true)"],
    "unknown": [SEE, "USING (nullif(color, color) = 'x')"],
    "another table": [
        ("USING (EXISTS (SELECT FROM friends AS f WHERE f.restaurant_id = {table}.restaurant_id"
         " AND f.name = {table}.name)) WITH CHECK (name IN (SELECT name FROM friends))")],
    "the whole row": [SEE, "FOR UPDATE USING (to_jsonb({table}) ->> 'name' = 'Kitchen')"],
    "a function": ["USING (is_friend(name))"],
    "claims": ["USING (current_setting('request.jwt.claims')::json ->> 'role' = 'cook')"],
    "the version": [SEE, "FOR ALL USING (version_id = '{version}')"],
    "the user": ["USING (current_user = '{web}' AND session_user = '{server}')"],
}  # fmt: skip
WRITES = {
    "read": "SELECT name, color FROM {table} WHERE version_id = '{version}' ORDER BY name",
    "insert": "INSERT INTO {table} (restaurant_id, version_id, name)"
              " VALUES ('{restaurant}', '{version}', 'Pantry')",
    "insert what is checked": "INSERT INTO {table} (restaurant_id, version_id, name, color)"
                              " VALUES ('{restaurant}', '{version}', 'Evil', 'x')",
    "insert many": "INSERT INTO {table} (restaurant_id, version_id, name, color)"
                   " SELECT '{restaurant}', '{version}', n, 'x' FROM unnest('{{A,B,Evil}}'::text[]) AS n",
    "insert and return": "INSERT INTO {table} (restaurant_id, version_id, name, color)"
                         " VALUES ('{restaurant}', '{version}', 'Pantry', 'x') RETURNING name, color",
    "update all": "UPDATE {table} SET color = 'x' WHERE version_id = '{version}'",
    "hide": "UPDATE {table} SET color = 'hidden' WHERE version_id = '{version}' AND name = 'Kitchen'",
    "close": "UPDATE {table} SET color = '#closed' WHERE version_id = '{version}' AND name = 'Kitchen'",
    "rename": "UPDATE {table} SET name = 'Evil' WHERE version_id = '{version}' AND name = 'Kitchen'"
              " RETURNING name, color",
    "delete all": "DELETE FROM {table} WHERE version_id = '{version}'",
    "delete one": "DELETE FROM {table} WHERE version_id = '{version}' AND name = 'Kitchen'"
                  " RETURNING name, color",
}  # fmt: skip
CLAIMS = """SET LOCAL "request.jwt.claims" = '{"role": "cook", "restaurant_id": "%s"}';"""


@pytest.mark.parametrize("who", ["web", "server"])
@pytest.mark.parametrize("policies", POLICIES)
def test_policies_hold_as_on_a_plain_table(stage: Stage, policies: str, who: str) -> None:
    found = {what: _both(stage, policies, who, WRITES[what]) for what in WRITES}
    assert {what: view for what, (view, _) in found.items()} == {
        what: plain for what, (_, plain) in found.items()
    }


def _both(stage: Stage, policies: str, who: str, statement: str) -> list[Any]:
    """What comes of it, and what is there afterwards: on the view, and on the plain table."""
    people, sakura = stage
    roles = {name: people.role(name) for name in ("owner", "web", "server")}
    results = []
    for table, storage in (("staff_groups", "rowform.staff_groups"), ("plain", "plain")):
        with people.root.transaction(force_rollback=True):
            for number, text in enumerate(POLICIES[policies]):
                definition = text.format(table=storage.rpartition(".")[2], **roles, **sakura.named(""))
                people.sql(f"CREATE POLICY own_{number} ON {storage} {definition}")
            people.become(
                "server", CLAIMS % SAKURA + (f"SET LOCAL ROLE {roles['web']}" if who == "web" else "")
            )
            outcome = people.attempt(statement.format(table=table, **sakura.named("")))
            people.come_back()
            left = people.sql(
                "SELECT name, color FROM staff_groups WHERE version_id IN ("
                " SELECT id FROM config_versions WHERE is_active) ORDER BY name"
                if table == "staff_groups"
                else "SELECT name, color FROM plain ORDER BY name"
            )
        results.append((sorted(outcome.rows, key=str), outcome.met, outcome.state, left))
    return results


def test_what_is_refused_says_so_as_a_table_would(stage: Stage) -> None:
    people, sakura = stage
    with people.root.transaction(force_rollback=True):
        people.sql(f"CREATE POLICY own ON rowform.staff_groups {SEE}")
        people.become("server", CLAIMS % SAKURA)
        found = people.attempt(WRITES["insert"].format(table="staff_groups", **sakura.named("")))
    assert found.message == 'new row violates row-level security policy for view "staff_groups"'
