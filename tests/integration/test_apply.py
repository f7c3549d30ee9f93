"""Apply against a real PostgreSQL: what is written, and that it is all or nothing."""

from __future__ import annotations

import re
import threading
from typing import Any

import psycopg
import pytest

from rowform.errors import StalePlan
from rowform.kinds import kinds
from rowform.store.apply import Origin, apply_plan
from rowform.store.session import open_session
from rowform.sync import applying
from rowform.sync.configuration import Settings
from rowform.sync.planning import planned
from tests.support.project import MOMIJI, SAKURA, Project

GROUPS = """\
staff_groups:
  - name: Kitchen
    color: "#3B82F6"
    group_config: {members: [料理長, 井関]}
  - name: Floor
    group_config: {members: [カマル]}
daily_limits:
  - name: Max off
    limit_config: {shiftType: off, maxCount: 3, daysOfWeek: [0, 6]}
    penalty_weight: 30.50
    effective_from: 2026-04-01
"""


@pytest.fixture
def sakura(project: Project) -> Project:
    """Version 1 of three settings is active."""
    project.restaurant()
    project.write({"sakura/all.yaml": GROUPS})
    project.apply()
    return project


def edit(project: Project, old: str, new: str, file: str = "sakura/all.yaml") -> None:
    path = project.directory / "config" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def sql(project: Project, statement: str) -> None:
    """Run a statement as the owner."""
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(statement.encode())


def shown(project: Project, number: int, table: str = "staff_groups") -> list[dict[str, Any]]:
    """A version's content as an application reads it."""
    return project.rows(
        f"SELECT t.* FROM {table} t JOIN config_versions v ON v.id = t.version_id"
        " WHERE v.version_number = %s AND v.restaurant_id = %s ORDER BY t.id",
        number,
        SAKURA,
    )


def test_first_apply(sakura: Project) -> None:
    (version,) = sakura.rows("SELECT * FROM config_versions")
    assert version["version_number"] == 1
    assert version["is_active"] is True
    assert version["base_version_id"] is None
    assert version["source"]["kind"] == "files"
    assert version["source"]["digest"].startswith("sha256:")
    (restaurant,) = sakura.rows("SELECT * FROM restaurants")
    assert (restaurant["slug"], restaurant["name"], restaurant["timezone"]) == (
        "sakura",
        "Sakura",
        "Asia/Tokyo",
    )
    limit = shown(sakura, 1, "daily_limits")[0]
    assert limit["limit_config"] == {"shiftType": "off", "maxCount": 3, "daysOfWeek": [0, 6]}
    assert str(limit["penalty_weight"]) == "30.5"
    assert str(limit["effective_from"]) == "2026-04-01"
    assert limit["is_hard_constraint"] is False
    audit = sakura.rows("SELECT * FROM config_changes ORDER BY seq")
    assert [(row["table_name"], row["operation"]) for row in audit] == [
        ("staff_groups", "INSERT"),
        ("staff_groups", "INSERT"),
        ("daily_limits", "INSERT"),
    ]
    assert all(row["old_data"] is None for row in audit)


def test_second_apply_writes_nothing(sakura: Project) -> None:
    before = sakura.rows("SELECT * FROM config_versions")
    result = sakura.apply()
    assert result.out == "No changes. Settings match the configuration.\n"
    assert sakura.rows("SELECT * FROM config_versions") == before


def test_one_field(sakura: Project) -> None:
    old_rows = {table: shown(sakura, 1, table) for table in ("staff_groups", "daily_limits")}
    edit(sakura, "#3B82F6", "#10B981")

    plan = sakura.ok("plan").out
    assert '  ~ staff_groups "Kitchen"' in plan
    assert "config/sakura/all.yaml:2\n" in plan
    assert '      ~ color: "#3B82F6" -> "#10B981"\n' in plan
    assert plan.endswith("\nPlan: 0 to add, 1 to change, 0 to destroy.\n")

    applied = sakura.apply()
    assert applied.out.endswith("\nApply complete! Version 2 active: 0 added, 1 changed, 0 destroyed.\n")
    rows = sakura.rows("SELECT * FROM rowform.staff_groups ORDER BY since_version, name")
    assert [(r["name"], r["color"], r["since_version"], r["until_version"]) for r in rows] == [
        ("Floor", None, 1, None),
        ("Kitchen", "#3B82F6", 1, 2),
        ("Kitchen", "#10B981", 2, None),
    ]
    assert rows[1]["entity_id"] == rows[2]["entity_id"] == rows[1]["id"]
    assert rows[1]["created_at"] == rows[2]["created_at"]
    assert rows[1]["updated_at"] < rows[2]["updated_at"]
    assert sakura.value("SELECT count(*) FROM rowform.daily_limits") == 1
    assert sakura.value("SELECT count(*) FROM config_versions") == 2

    (audit,) = sakura.rows("SELECT * FROM config_changes WHERE operation = 'UPDATE'")
    assert audit["old_data"]["color"] == "#3B82F6"
    assert audit["new_data"]["color"] == "#10B981"
    assert audit["old_data"]["group_config"] == {"members": ["料理長", "井関"]}
    assert audit["old_data"]["id"] == audit["new_data"]["id"] == str(rows[1]["entity_id"])
    assert set(audit["new_data"]) == set(shown(sakura, 2)[0])

    # Every version shows in full under the seed's names; the old one as it was.
    assert {table: shown(sakura, 1, table) for table in old_rows} == old_rows
    assert {row["name"]: row["color"] for row in shown(sakura, 2)} == {"Kitchen": "#10B981", "Floor": None}
    assert len(shown(sakura, 2, "daily_limits")) == 1


def test_rename_keeps_the_identity(sakura: Project) -> None:
    (before,) = [row for row in shown(sakura, 1) if row["name"] == "Kitchen"]
    edit(sakura, "- name: Kitchen\n", "- name: 厨房\n    previously: [Kitchen]\n")
    assert '~ staff_groups "Kitchen" -> "厨房"' in sakura.ok("plan").out
    sakura.apply()
    (after,) = [row for row in shown(sakura, 2) if row["name"] == "厨房"]
    assert after["id"] == before["id"]
    assert sakura.ok("plan").out.startswith("No changes.")
    (audit,) = sakura.rows("SELECT * FROM config_changes WHERE version_id = %s", after["version_id"])
    assert (audit["old_data"]["name"], audit["new_data"]["name"]) == ("Kitchen", "厨房")


def test_a_rename_taken_back_keeps_the_identity(sakura: Project) -> None:
    """As `git revert` does it: the old name is back, and `previously` is gone."""
    (before,) = [row for row in shown(sakura, 1) if row["name"] == "Kitchen"]
    edit(sakura, "- name: Kitchen\n", "- name: 厨房\n    previously: [Kitchen]\n")
    sakura.apply()
    edit(sakura, "- name: 厨房\n    previously: [Kitchen]\n", "- name: Kitchen\n")
    assert '~ staff_groups "厨房" -> "Kitchen"' in sakura.ok("plan").out
    sakura.apply()
    assert [row["id"] for row in shown(sakura, 3) if row["name"] == "Kitchen"] == [before["id"]]


def test_swapped_names_need_no_tricks(sakura: Project) -> None:
    edit(sakura, "name: Kitchen", "name: ZZZ")
    edit(sakura, "name: Floor", "name: Kitchen")
    edit(sakura, "name: ZZZ", "name: Floor")
    sakura.apply()
    assert {row["name"]: row["color"] for row in shown(sakura, 2)} == {"Floor": "#3B82F6", "Kitchen": None}


def test_a_returning_key_gets_its_identity_back(sakura: Project) -> None:
    (before,) = [row for row in shown(sakura, 1) if row["name"] == "Floor"]
    floor = "  - name: Floor\n    group_config: {members: [カマル]}\n"
    edit(sakura, floor, "")
    sakura.apply()
    assert len(shown(sakura, 2)) == 1
    edit(sakura, "daily_limits:\n", floor + "daily_limits:\n")
    sakura.apply()
    (after,) = [row for row in shown(sakura, 3) if row["name"] == "Floor"]
    assert after["id"] == before["id"]
    assert len(shown(sakura, 1)) == 2


def test_a_key_whose_identity_lives_on_under_another_name_gets_a_new_one(sakura: Project) -> None:
    edit(sakura, "- name: Kitchen\n", "- name: 厨房\n    previously: [Kitchen]\n")
    sakura.apply()
    edit(sakura, "staff_groups:\n", "staff_groups:\n  - name: Kitchen\n")
    sakura.apply()
    ids = {row["name"]: row["id"] for row in shown(sakura, 3)}
    assert len(set(ids.values())) == 3
    assert ids["厨房"] == next(row["id"] for row in shown(sakura, 1) if row["name"] == "Kitchen")


def test_an_unmanaged_kind_is_never_touched(sakura: Project) -> None:
    sakura.restaurant(more="manages: [staff_groups]\n")
    edit(sakura, GROUPS[GROUPS.index("daily_limits") :], "")
    assert sakura.ok("plan").out.startswith("No changes.")
    edit(sakura, "#3B82F6", "#000000")
    sakura.apply()
    assert shown(sakura, 2, "daily_limits")[0]["name"] == "Max off"


def test_the_audit_names_commits(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/groups.yaml": "staff_groups:\n  - name: A\n    color: '#111111'\n"})
    project.commit("Open the restaurant")
    project.write({"sakura/limits.yaml": "daily_limits:\n  - name: L\n"})
    second = project.commit("Limit the days off")
    project.apply()
    (version,) = project.rows("SELECT * FROM config_versions")
    assert version["name"] == "Limit the days off"
    source = version["source"]
    assert source["commit"].startswith(second)
    assert source["author"] == "Aiko Sato <aiko@example.com>"
    assert (source["kind"], source["ref"], source["dirty"]) == ("git", "main", False)
    reasons = {row["table_name"]: row["reason"] for row in project.rows("SELECT * FROM config_changes")}
    first = project.git("rev-parse", "--short", "HEAD~1")
    assert reasons == {
        "staff_groups": f"Open the restaurant ({first})",
        "daily_limits": f"Limit the days off ({second})",
    }
    (project.directory / "config/sakura/limits.yaml").unlink()
    third = project.commit("No more limits")
    project.write({"sakura/groups.yaml": "staff_groups:\n  - name: A\n"})
    fourth = project.commit("Colours are out")
    project.apply("--message", "Spring cleaning", "--actor", MOMIJI)
    audit = project.rows("SELECT * FROM config_changes WHERE changed_by IS NOT NULL ORDER BY table_name")
    assert [(row["operation"], row["reason"]) for row in audit] == [
        ("DELETE", f"No more limits ({third})"),
        ("UPDATE", f"Colours are out ({fourth})"),
    ]
    newest = project.rows("SELECT * FROM config_versions ORDER BY version_number")[-1]
    assert newest["name"] == "Spring cleaning"
    assert str(newest["created_by"]) == MOMIJI


def test_uncommitted_changes_are_called_so(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/groups.yaml": "staff_groups:\n  - name: A\n"})
    sha = project.commit("Start")
    project.write({"sakura/groups.yaml": "staff_groups:\n  - name: A\n    color: '#111111'\n"})
    project.apply()
    assert project.value("SELECT source ->> 'dirty' FROM config_versions") == "true"
    assert project.value("SELECT reason FROM config_changes") == f"uncommitted changes on {sha}"


def test_activation_notifies_with_the_version_id(sakura: Project) -> None:
    with psycopg.connect(sakura.url, autocommit=True) as listener:
        listener.execute("LISTEN rowform")
        edit(sakura, "#3B82F6", "#10B981")
        sakura.apply()
        (notification,) = listener.notifies(timeout=5, stop_after=1)
    assert notification.payload == str(sakura.value("SELECT id FROM config_versions WHERE is_active"))


def test_a_locked_version_refuses(sakura: Project) -> None:
    sql(sakura, "UPDATE config_versions SET is_locked = true")
    edit(sakura, "#3B82F6", "#10B981")
    plan = sakura.run("plan", "--detailed-exitcode")
    assert plan.code == 2
    assert "BLOCKED: locked: the active version 1 is locked" in plan.out
    result = sakura.run("apply", "--auto-approve", "--force", "threshold")
    assert result.code == 3
    assert "the active version 1 is locked" in result.err
    assert sakura.value("SELECT count(*) FROM config_versions") == 1


def test_a_version_locked_between_plan_and_apply_refuses(
    sakura: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(sakura, "#3B82F6", "#10B981")
    interfere(sakura, monkeypatch, "UPDATE config_versions SET is_locked = true")
    result = sakura.run("apply", "--auto-approve")
    assert result.code == 3, result
    assert "locked" in result.err
    assert sakura.value("SELECT count(*) FROM config_versions") == 1


def interfere(project: Project, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """Run a statement in another session right before the apply takes its lock."""
    check = applying.check_guards

    def wrapped(*arguments: Any) -> None:
        check(*arguments)
        sql(project, statement)

    monkeypatch.setattr(applying, "check_guards", wrapped)


def test_twenty_applies_at_once(sakura: Project) -> None:
    """Exactly one wins per base; the others say that they are stale, or have nothing to do."""
    edit(sakura, "#3B82F6", "#10B981")
    settings = Settings(sakura.directory / "config", sakura.url, environment={})
    barrier = threading.Barrier(20)
    outcomes: list[str] = []

    def one() -> None:
        with planned(settings) as work:
            barrier.wait()
            try:
                apply_plan(
                    work.session,
                    work.plan.restaurants[0],
                    Origin("race", None, {}, {}),
                    lambda: open_session(sakura.url, kinds()),
                )
                outcomes.append("applied")
            except StalePlan:
                outcomes.append("stale")

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["applied", *["stale"] * 19]
    assert sakura.value("SELECT count(*) FROM config_versions") == 2
    assert sakura.value("SELECT count(*) FROM config_changes WHERE operation = 'UPDATE'") == 1


def test_a_stale_plan_is_refused(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(sakura, "#3B82F6", "#10B981")
    other = Project(sakura.directory / "other", sakura.url)
    other.restaurant()
    other.write({"sakura/all.yaml": GROUPS.replace("Max off", "Other")})
    check = applying.check_guards

    def wrapped(*arguments: Any) -> None:
        monkeypatch.setattr(applying, "check_guards", check)
        check(*arguments)
        other.apply("--force", "threshold")

    monkeypatch.setattr(applying, "check_guards", wrapped)
    result = sakura.run("apply", "--auto-approve")
    assert result.code == 3
    assert re.search(r"stale.*made against version 1, and now the newest is 2", result.err)
    assert sakura.value("SELECT count(*) FROM config_versions") == 2


def test_a_failing_restaurant_leaves_the_others_applied(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    sakura.write({"momiji/all.yaml": GROUPS})
    sakura.restaurant("zelkova", "5b0c1f7a-2d64-4c0e-9a53-0c6d1f1a7e03")
    edit(sakura, "#3B82F6", "#10B981")
    sql(sakura, f"ALTER TABLE rowform.staff_groups ADD CHECK (restaurant_id <> '{MOMIJI}')")
    result = sakura.run("apply", "--auto-approve")
    assert result.code == 1
    assert "1 of 3 restaurants failed: momiji" in result.err
    assert result.out.count("Apply complete!") == 2
    assert sakura.value("SELECT count(*) FROM config_versions") == 3
    assert sakura.value("SELECT count(*) FROM restaurants WHERE slug = 'momiji'") == 0


def test_only_the_selected_restaurants(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    sakura.write({"momiji/all.yaml": GROUPS})
    edit(sakura, "#3B82F6", "#10B981")
    assert sakura.ok("plan", "-r", "momiji").out.count("restaurant ") == 1
    sakura.apply("-r", "momiji")
    assert sakura.value("SELECT max(version_number) FROM config_versions") == 1
    wrong = sakura.run("plan", "-r", "momji")
    assert wrong.code == 1
    assert "did you mean `momiji`?" in wrong.err


def test_a_restaurant_without_directory_is_reported_and_left_alone(sakura: Project) -> None:
    sql(sakura, "INSERT INTO restaurants (name, slug) VALUES ('Old', 'old')")
    assert (
        "Note: 1 restaurant of the database without a directory here: old; not touched"
        in sakura.ok("plan").out
    )


def test_declined_without_a_terminal(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(sakura, "#3B82F6", "#10B981")
    result = sakura.run("apply")
    assert result.code == 3
    assert "no terminal" in result.err
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in result.out
    assert sakura.value("SELECT count(*) FROM config_versions") == 1


def test_json_of_plan_and_apply(sakura: Project) -> None:
    edit(sakura, "#3B82F6", "#10B981")
    plan = sakura.ok("plan", "--format", "json").json
    assert plan["format"] == "rowform.plan/1"
    (restaurant,) = plan["restaurants"]
    assert restaurant["summary"] == {"create": 0, "update": 1, "delete": 0, "unchanged": 2}
    assert restaurant["base"]["version_number"] == 1
    (change,) = restaurant["changes"]
    assert change["patch"] == [{"op": "replace", "path": "/color", "value": "#10B981", "old": "#3B82F6"}]
    assert change["location"]["line"] == 2
    result = sakura.apply("--format", "json").json
    assert result["format"] == "rowform.apply/1"
    assert result["results"][0]["version_number"] == 2
    assert result["error"] is None


def test_json_of_a_refusal_has_the_plan_and_the_error(sakura: Project) -> None:
    sakura.write({"sakura/all.yaml": "staff_groups: []\n"})
    result = sakura.run("apply", "--auto-approve", "--format", "json")
    assert result.code == 3
    assert result.json["error"]["code"] == "blocked"
    assert result.json["results"] == []
    (guard,) = {guard["guard"] for guard in result.json["plan"]["restaurants"][0]["blocked"]}
    assert guard == "threshold"
    assert "Hint: if this is what you want: --force threshold\n" in result.err
    forced = sakura.apply("--force", "threshold")
    assert "0 added, 0 changed, 3 destroyed." in forced.out
    newest = sakura.rows("SELECT * FROM config_versions ORDER BY version_number")[-1]
    assert newest["source"]["forced"] == ["threshold"]


def test_history_and_show(sakura: Project) -> None:
    edit(sakura, "#3B82F6", "#10B981")
    sakura.apply("--message", "Green")
    history = sakura.ok("history", "--format", "json").json
    assert [(v["version_number"], v["is_active"]) for v in history["restaurants"][0]["versions"]] == [
        (2, True),
        (1, False),
    ]
    assert "Green" in sakura.ok("history").out
    for number, color in (("1", "#3B82F6"), ("2", "#10B981"), ("active", "#10B981")):
        assert f'color: "{color}"' in sakura.ok("show", number).out
    document = sakura.ok("show", "1", "--format", "json").json
    assert document["settings"]["staff_groups"][1]["color"] == "#3B82F6"
    assert sakura.run("show", "3").code == 1
    assert sakura.run("show", "one").code == 1


def test_what_show_prints_is_the_configuration(sakura: Project) -> None:
    text = sakura.ok("show").out
    sakura.write({"sakura/all.yaml": text})
    assert sakura.ok("plan").out.startswith("No changes.")


def test_the_newest_version_is_not_the_active_one(sakura: Project) -> None:
    """After a rollback, rows are computed against the newest version and the audit against the active."""
    edit(sakura, "#3B82F6", "#10B981")
    sakura.apply()
    with psycopg.connect(sakura.url) as connection:
        connection.execute("INSERT INTO rowform.own_writes DEFAULT VALUES")
        connection.execute("UPDATE config_versions SET is_active = false WHERE version_number = 2")
        connection.execute("UPDATE config_versions SET is_active = true WHERE version_number = 1")
        connection.execute("DELETE FROM rowform.own_writes")
    old = {number: shown(sakura, number) for number in (1, 2)}
    # The desired color is version 2's: nothing to write but a version, and audited as a change.
    edit(sakura, "[カマル]", "[カマル, 高野]")
    assert "2 to change" in sakura.ok("plan").out
    sakura.apply()
    assert {number: shown(sakura, number) for number in (1, 2)} == old
    assert {r["name"]: (r["color"], r["group_config"]["members"]) for r in shown(sakura, 3)} == {
        "Kitchen": ("#10B981", ["料理長", "井関"]),
        "Floor": (None, ["カマル", "高野"]),
    }
    version = sakura.value("SELECT id FROM config_versions WHERE version_number = 3")
    audit = sakura.rows("SELECT * FROM config_changes WHERE version_id = %s ORDER BY seq", version)
    assert [(r["old_data"]["name"], r["old_data"]["color"], r["new_data"]["color"]) for r in audit] == [
        ("Floor", None, None),
        ("Kitchen", "#3B82F6", "#10B981"),
    ]
    assert sakura.value("SELECT count(*) FROM rowform.staff_groups WHERE since_version = 3") == 1
    assert sakura.ok("plan").out.startswith("No changes.")
