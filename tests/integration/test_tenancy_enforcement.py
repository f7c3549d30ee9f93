"""When row level security begins, what it says first, and what `db status` tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rowform.kinds import kinds
from rowform.store.migrate import upgrade
from tests.support.database import Databases
from tests.support.project import Project
from tests.support.tenants import MOMIJI, SAKURA, Tenants

GROUPS = "staff_groups:\n  - name: Kitchen\n    color: '#3B82F6'\n"


@pytest.fixture
def people(databases: Databases, template: str) -> Iterator[Tenants]:
    """A database whose restaurants nothing keeps apart, as if it had been an application's before."""
    made = Tenants(databases.create(template))
    made.make_roles()
    for (table,) in made.sql("SELECT relation::text FROM rowform.tenancy()"):
        made.sql(
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;"
            f"DROP POLICY rowform_tenancy ON {table}; DROP POLICY rowform_access ON {table}"
        )
    yield made
    made.close(databases)


@pytest.fixture
def project(tmp_path: Path, people: Tenants) -> Project:
    return Project(tmp_path, people.url)


def upgraded(project: Project, *options: str) -> list[str]:
    return project.ok("db", "upgrade", "--auto-approve", *options).out.splitlines()


def tenancy(project: Project) -> Any:
    return project.ok("db", "status", "--format", "json").json["tenancy"]


DONE = ["Keep restaurants apart by row level security.", "The database is up to date."]
NOTHING = DONE[1:]


def test_a_new_database_keeps_restaurants_apart(databases: Databases, template: str, tmp_path: Path) -> None:
    project = Project(tmp_path, template)
    assert tenancy(project)["is_enforced"]
    assert upgraded(project) == upgraded(project, "--enforce-rls") == NOTHING


def test_what_was_there_before_is_left_alone_until_told(people: Tenants, project: Project) -> None:
    assert upgraded(project) == NOTHING
    assert not tenancy(project)["is_begun"]
    assert "does not keep restaurants apart" in project.ok("db", "status").out
    assert upgraded(project, "--enforce-rls") == DONE
    assert tenancy(project)["is_enforced"]
    assert upgraded(project, "--enforce-rls") == upgraded(project) == NOTHING


def test_who_would_see_nothing_is_named_first(people: Tenants, project: Project) -> None:
    people.grant("web", "stranger")
    people.sql(f"GRANT SELECT (name) ON restaurants TO {people.role('both')}")
    for arguments in (["--auto-approve"], ["--sql"]):
        refused = project.run("db", "upgrade", "--enforce-rls", *arguments)
        assert refused.code == 3
        assert refused.out == ""
        both, server, stranger, tenant, web = map(
            people.role, ("both", "server", "stranger", "tenant", "web")
        )
        assert (
            f"4 roles would see no restaurant any more: {both}, {server} (through {web}), {stranger}"
            f" and {tenant} (through {web})" in refused.err
        )
    assert not tenancy(project)["is_begun"]
    people.add_restaurant("sakura", SAKURA)
    people.add_member("server", None)
    for name in ("both", "stranger"):
        people.add_member(name, SAKURA)
    refused = project.run("db", "upgrade", "--enforce-rls", "--auto-approve")
    assert f"1 role would see no restaurant any more: {tenant} (through {web})" in refused.err
    people.add_member("tenant", SAKURA)
    assert upgraded(project, "--enforce-rls") == DONE


def test_what_public_may_do_counts_for_every_login(people: Tenants, project: Project) -> None:
    people.sql("GRANT SELECT ON staff_groups TO PUBLIC")
    named = {one["role"]: one["through"] for one in tenancy(project)["unmapped"]}
    assert {people.role(name) for name in ("owner", "tenant", "both", "stranger", "server")} <= set(named)
    assert named[people.role("tenant")] == ["PUBLIC"]
    assert people.role("web") not in named
    people.sql(f"ALTER ROLE {people.role('tenant')} BYPASSRLS")
    people.sql(f"REVOKE CONNECT ON DATABASE {people.root.info.dbname} FROM PUBLIC")
    named = {one["role"] for one in tenancy(project)["unmapped"]}
    assert people.role("tenant") not in named
    assert people.role("stranger") not in named


def test_a_role_that_can_take_one_that_no_policy_holds_is_not_shut_out(
    people: Tenants, project: Project
) -> None:
    people.grant("web")
    people.sql(f"ALTER ROLE {people.role('web')} BYPASSRLS")
    assert tenancy(project)["unmapped"] == []


def test_an_owner_who_is_held_as_well_is_refused(people: Tenants, project: Project) -> None:
    people.sql("ALTER TABLE config_versions FORCE ROW LEVEL SECURITY")
    assert tenancy(project)["forced_tables"] == []  # superusers are not held
    people.sql(f"ALTER TABLE config_versions OWNER TO {people.role('owner')}")
    refused = project.run("db", "upgrade", "--enforce-rls", "--auto-approve")
    assert (refused.code, refused.out) == (3, "")
    assert "row level security is forced upon the owner of public.config_versions" in refused.err
    assert "warning: it is forced upon the owner" in project.ok("db", "status").out


def test_access_is_kept_where_grants_alone_decided(people: Tenants, project: Project) -> None:
    sakura = people.add_restaurant("sakura", SAKURA)
    people.sql(
        """
        CREATE POLICY asleep ON restaurants USING (false);
        ALTER TABLE rowform.staff_groups ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON rowform.staff_groups FOR SELECT USING (true);
        ALTER TABLE rowform.daily_limits ENABLE ROW LEVEL SECURITY;
        """
    )
    people.grant("tenant")
    people.sql(f"REVOKE {people.role('web')} FROM {people.role('tenant')}")
    people.add_member("tenant", SAKURA)
    before = people.sql("SELECT * FROM pg_policies WHERE policyname !~ '^rowform_' ORDER BY tablename")
    assert upgraded(project, "--enforce-rls") == DONE
    assert (
        people.sql("SELECT * FROM pg_policies WHERE policyname !~ '^rowform_' ORDER BY tablename") == before
    )
    assert people.sql(
        "SELECT tablename::text FROM pg_policies WHERE policyname = 'rowform_access' ORDER BY 1"
    ) == [(name,) for name in ("config_changes", "config_versions", "ml_model_configs", "monthly_limits",
                               "priority_rules", "restaurants")]  # fmt: skip
    with people.acting("tenant"):
        assert people.attempt("SELECT slug FROM restaurants").rows == [("sakura",)]
        assert people.attempt("UPDATE restaurants SET name = 'Sakura!'").met == 1
        assert people.attempt(f"SELECT FROM staff_groups WHERE version_id = '{sakura.version}'").met == 1
        # Its one policy is for reading, and was so before.
        assert people.attempt("UPDATE staff_groups SET color = 'x'").met == 0
        written = people.attempt(
            f"INSERT INTO daily_limits (version_id, name) VALUES ('{sakura.version}', 'Max')"
        )
        assert written.state == "42501"  # no policy at all


@pytest.mark.parametrize(
    "damage",
    ["ALTER TABLE config_changes DISABLE ROW LEVEL SECURITY",
     "DROP POLICY rowform_tenancy ON rowform.daily_limits",
     "ALTER POLICY rowform_tenancy ON rowform.daily_limits TO pg_monitor"],
)  # fmt: skip
def test_an_upgrade_brings_back_what_was_taken_away(
    databases: Databases, template: str, tmp_path: Path, damage: str
) -> None:
    project = Project(tmp_path, databases.create(template))
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(damage.encode())
    found = tenancy(project)
    assert (found["is_enforced"], found["is_begun"], len(found["open_tables"])) == (False, True, 1)
    assert f"row level security: not on {found['open_tables'][0]};" in project.ok("db", "status").out
    assert upgraded(project) == DONE
    assert tenancy(project)["is_enforced"]


def test_a_kind_that_is_added_is_kept_apart(empty_database: str) -> None:
    some = {name: kind for name, kind in kinds().items() if name != "daily_limits"}
    with psycopg.connect(empty_database, autocommit=True) as connection:
        assert DONE[0] in upgrade(connection, some)
        assert DONE[0] in upgrade(connection, kinds())
        rows = connection.execute(
            "SELECT count(*), bool_and(is_active AND has_policy) FROM rowform.tenancy()"
        )
        assert rows.fetchone() == (8, True)


def test_nobody_but_the_owner_decides(people: Tenants) -> None:
    people.grant("tenant")
    people.sql(
        f"GRANT EXECUTE ON FUNCTION rowform.enforce_tenancy(), rowform.tenancy() TO {people.role('tenant')}"
    )
    with people.acting("tenant"):
        assert people.attempt("SELECT rowform.enforce_tenancy()").state == "42501"
        mapped = people.attempt("INSERT INTO rowform.members (role_name, is_gateway) VALUES ('x', true)")
    assert mapped.state == "RF007"


def test_status_names_every_role_that_gets_around(people: Tenants, project: Project) -> None:
    role = people.role
    people.sql(
        f"""
        ALTER ROLE {role("stranger")} BYPASSRLS;
        GRANT {role("stranger")} TO {role("server")};
        GRANT {role("server")} TO {role("both")};
        GRANT TRIGGER ON restaurants, rowform.staff_groups TO {role("web")};
        GRANT EXECUTE ON FUNCTION rowform.version_made() TO {role("tenant")};
        ALTER TABLE config_changes OWNER TO {role("owner")};
        """
    )
    found = {one["role"]: (one["can_login"], one["reasons"]) for one in tenancy(project)["bypassing"]}
    assert found[people.root.info.user][0]
    assert found[people.root.info.user][1][0] == "superuser"
    assert found[role("stranger")] == (True, ["BYPASSRLS"])
    # Through others as well, and by SET ROLE alone.
    assert found[role("server")] == (True, [f"may act as {role('stranger')}, {role('web')}"])
    assert found[role("both")] == (True, [f"may act as {role('stranger')}, {role('web')}"])
    assert found[role("web")] == (False, ["TRIGGER on restaurants, staff_groups"])
    assert found[role("tenant")] == (
        True, ["EXECUTE on functions that run as rowform's owner", f"may act as {role('web')}"])  # fmt: skip
    assert found[role("owner")] == (True, ["owner of config_changes"])
    assert f"  {role('stranger')}: BYPASSRLS\n" in project.ok("db", "status").out


def test_a_member_without_inheritance_may_act_as_the_owner(people: Tenants, project: Project) -> None:
    people.sql(
        f"ALTER ROLE {people.role('tenant')} NOINHERIT; ALTER ROLE {people.role('stranger')} BYPASSRLS;"
        f"GRANT {people.role('stranger')} TO {people.role('tenant')}"
    )
    found = {one["role"]: one["reasons"] for one in tenancy(project)["bypassing"]}
    assert found[people.role("tenant")] == [f"may act as {people.role('stranger')}"]


def test_status_tells_members_routes_and_policies(people: Tenants, project: Project) -> None:
    for slug, restaurant in (("sakura", SAKURA), ("momiji", MOMIJI)):
        people.add_restaurant(slug, restaurant)
        people.add_member("both", restaurant)
    people.add_member("server", None)
    people.sql("INSERT INTO rowform.members (role_name, is_gateway) VALUES ('ghost', true)")
    people.sql(
        f"""
        CREATE POLICY "read \x1b all" ON rowform.staff_groups FOR SELECT TO {people.role("web")} USING (true);
        CREATE POLICY mine ON rowform.staff_groups AS RESTRICTIVE
            USING (version_id IS NOT NULL) WITH CHECK (name <> '');
        CREATE VIEW names AS SELECT name FROM restaurants;
        CREATE VIEW own_names WITH (security_invoker = true) AS SELECT name FROM restaurants;
        CREATE VIEW kept_names AS SELECT name FROM restaurants;
        CREATE FUNCTION activate(uuid) RETURNS void LANGUAGE sql SECURITY DEFINER AS '';
        CREATE FUNCTION harmless(uuid) RETURNS void LANGUAGE sql AS '';
        GRANT SELECT ON names, own_names TO {people.role("web")};
        """
    )
    found = tenancy(project)
    assert [
        (one["role"], one["is_gateway"], one["restaurants"], one["exists"]) for one in found["members"]
    ] == [
        (people.role("both"), False, ["momiji", "sakura"], True),
        ("ghost", True, [], False),
        (people.role("server"), True, [], True),
    ]
    assert found["routes"] == ["function activate(uuid)", "view names"]
    assert [(one["name"], one["is_permissive"], one["command"], one["roles"], one["storage_ids"])
            for one in found["foreign_policies"]] == [
        ("mine", False, "ALL", ["PUBLIC"], ["version_id"]),
        ("read \x1b all", True, "SELECT", [people.role("web")], []),
    ]  # fmt: skip
    text = project.ok("db", "status").out
    for line in (
        f"  {people.role('both')}: momiji and sakura",
        "  ghost: gateway (there is no such role)",
        "  view names",
        rf"  rowform.staff_groups: read \x1b all (SELECT to {people.role('web')})",
        (
            "  rowform.staff_groups: mine (restrictive, ALL to PUBLIC); reads version_id, which in storage is"
            " another than in the view"
        ),
    ):
        assert line in text.splitlines()


# ------------------------------------------------------------------------------ who applies


def _login(people: Tenants, name: str) -> str:
    people.sql(f"ALTER ROLE {people.role(name)} PASSWORD 'secret'")
    options = {**conninfo_to_dict(people.url), "user": people.role(name), "password": "secret"}
    return make_conninfo("", **options)  # type: ignore[arg-type]


def test_who_applies_is_the_owner_or_a_member(databases: Databases, tmp_path: Path) -> None:
    people = Tenants(databases.create())
    people.make_roles()
    owner, ci = people.role("owner"), people.role("tenant")
    people.sql(f"GRANT {owner} TO {ci}; ALTER ROLE {people.role('stranger')} BYPASSRLS")
    by_owner = Project(tmp_path, _login(people, "owner"))
    by_owner.restaurant()
    by_owner.write({"sakura/staff_groups.yaml": GROUPS})
    by_owner.ok("db", "upgrade", "--auto-approve")
    assert "1 added" in by_owner.apply().out
    member = Project(tmp_path, _login(people, "tenant"))
    assert "No changes." in member.ok("plan").out
    member.write({"sakura/staff_groups.yaml": GROUPS.replace("Kitchen", "Floor")})
    assert "Apply complete!" in member.apply("--force", "threshold").out
    # Seeing everything is enough for a plan, and for no more.
    people.grant("stranger")
    reader = Project(tmp_path, _login(people, "stranger"))
    assert "No changes." in reader.ok("plan").out
    reader.write({"sakura/staff_groups.yaml": GROUPS})
    refused = reader.run("apply", "--auto-approve", "--force", "threshold")
    assert refused.code == 1
    assert "belongs to rowform" in refused.err
    people.close(databases)
