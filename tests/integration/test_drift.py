"""``rowform drift``, and plans that would overwrite direct writes."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from rowform.render.drift_text import NO_DRIFT
from rowform.sync import drift as drift_module
from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.proxy import proxy

BEFORE = """\
staff_groups:
  - name: Kitchen
    color: "#111111"
    group_config: {members: [料理長, 井関]}
  - name: Floor
daily_limits:
  - name: Max off
    limit_config: {maxCount: 3, rules: {a: 1, b: 2}}
    penalty_weight: 20
"""
HERE = "version_id = (SELECT id FROM config_versions WHERE is_active AND restaurant_id = '{}')"
CLAIMS = {"sub": "5f3c9f5e-6a35-4b0e-8f0b-3a4f9a6e7d11", "email": "mika@example.com"}


@pytest.fixture
def sakura(project: Project) -> Project:
    """Version 1, from a commit."""
    project.restaurant()
    project.write({"sakura/all.yaml": BEFORE})
    project.commit("First")
    project.apply()
    return project


def sql(project: Project, *statements: str, claims: Any = None, restaurant: str = SAKURA) -> None:
    """Plain SQL in one transaction; ``ACTIVE`` is the active version."""
    here = HERE.format(restaurant)
    with psycopg.connect(project.url, application_name="psql") as connection:
        if claims is not None:
            connection.execute("SELECT set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        for statement in statements:
            connection.execute(statement.replace("ACTIVE", here).encode())


def heavier(project: Project, weight: float = 50, **options: Any) -> None:
    sql(
        project,
        f"UPDATE daily_limits SET penalty_weight = {weight} WHERE name = 'Max off' AND ACTIVE",
        **options,
    )


def text(project: Project, *options: str) -> str:
    """The text, without what differs from run to run."""
    found = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", project.ok("drift", *options).out)
    user = re.escape(project.value("SELECT session_user::text"))
    return re.sub(rf"\b{user}\b", "USER", re.sub(r"\b[0-9a-f]{7}\b", "COMMIT", found))


def fields(project: Project, *options: str) -> list[dict[str, Any]]:
    (one,) = project.ok("drift", "--format", "json", *options).json["restaurants"]
    found: list[dict[str, Any]] = one["drift"]
    return found


def refused(project: Project, *arguments: str) -> str:
    """An apply is refused by the guard alone, and writes nothing; its message."""
    before = project.rows("SELECT * FROM config_versions ORDER BY 1")
    result = project.run("apply", "--auto-approve", *arguments)
    assert result.code == 3, result
    assert project.rows("SELECT * FROM config_versions ORDER BY 1") == before
    return result.err


# --- what is shown -------------------------------------------------------------------------------


def test_a_row_edited_with_psql(sakura: Project) -> None:
    heavier(sakura)
    assert text(sakura) == (
        """\
sakura (version 2 is active; version 1 "First", COMMIT, is the last one from Git)

  ~ daily_limits "Max off"
      ~ penalty_weight: 20 -> 50  # version 2, TIME UTC, USER, psql

Drift: 0 added, 1 changed, 0 destroyed.
"""
    )
    (one,) = fields(sakura)
    assert one["set_by"].pop("changed_at")
    assert one["set_by"].pop("seq")
    assert one["set_by"]["version"]["version_number"] == 2
    assert one["set_by"]["author"].endswith(", psql")
    assert {name: value for name, value in one.items() if name != "set_by"} == {
        "kind": "daily_limits",
        "key": "Max off",
        "path": "/penalty_weight",
        "git": 20,
        "active": 50,
        "desired": 20,
    }
    assert "--force drift" in sakura.ok("drift").err
    assert sakura.run("drift", "--detailed-exitcode").code == 2


def test_no_drift(sakura: Project) -> None:
    result = sakura.run("drift", "--detailed-exitcode")
    assert (result.code, result.out, result.err) == (0, f"{NO_DRIFT}\n", "")
    (one,) = sakura.ok("drift", "--format", "json").json["restaurants"]
    assert (one["drift"], one["settled"], one["active"]["version_number"]) == ([], None, 1)


def test_an_empty_database_has_no_drift(project: Project) -> None:
    for _ in range(2):
        assert project.ok("drift").out == f"{NO_DRIFT}\n"
        assert project.ok("drift", "--format", "json").json == {
            "format": "rowform.drift/1",
            "restaurants": [],
        }
        project.restaurant()
    assert project.run("drift", "-r", "sakura").code == 1


def test_each_field_has_its_own_writer(sakura: Project) -> None:
    heavier(sakura, 40)
    heavier(sakura, claims=CLAIMS)
    sql(sakura, "UPDATE daily_limits SET limit_config = limit_config #- '{rules,a}' WHERE ACTIVE")
    sql(
        sakura,
        'UPDATE staff_groups SET name = \'Stoves\', group_config = \'{"members": ["井関"], "x": null}\''
        " WHERE name = 'Kitchen' AND ACTIVE",
        claims={"sub": {"odd": ["\x1b[31m"]}, "email": 3},
    )
    sql(sakura, "DELETE FROM staff_groups WHERE name = 'Floor' AND ACTIVE", claims={"sub": "nobody"})
    sql(
        sakura,
        "INSERT INTO monthly_limits (restaurant_id, version_id, name, penalty_weight, effective_from)"
        f" SELECT restaurant_id, id, 'Golden \x1b[31mWeek', 'NaN', 'infinity' FROM config_versions"
        f" WHERE is_active AND restaurant_id = '{SAKURA}'",
    )
    found = text(sakura)
    assert found == (
        """\
sakura (version 7 is active; version 1 "First", COMMIT, is the last one from Git)

  ~ staff_groups "Kitchen" -> "Stoves"  # version 5, TIME UTC, 3, USER, psql
      + group_config.x: null  # version 5, TIME UTC, 3, USER, psql
      ~ group_config.members: ["料理長", "井関"] -> ["井関"]  # version 5, TIME UTC, 3, USER, psql

  - staff_groups "Floor"  # version 6, TIME UTC, nobody, USER, psql

  ~ daily_limits "Max off"
      - limit_config.rules.a: 1  # version 4, TIME UTC, USER, psql
      ~ penalty_weight: 20 -> 50  # version 3, TIME UTC, mika@example.com, USER, psql

  + monthly_limits "Golden \\u001b[31mWeek"  # version 7, TIME UTC, USER, psql
      + penalty_weight: "NaN"
      + effective_from: "infinity"

Drift: 1 added, 2 changed, 1 destroyed.
"""
    )
    assert "\x1b" not in found
    sakura.ok("drift", "--format", "json")


def test_what_the_configuration_says_already_is_left_out(sakura: Project) -> None:
    heavier(sakura)
    sql(sakura, "UPDATE staff_groups SET color = '#222222' WHERE name = 'Kitchen' AND ACTIVE")
    sakura.write({"sakura/all.yaml": BEFORE.replace("penalty_weight: 20", "penalty_weight: 50")})
    result = sakura.ok("drift")
    assert "color" in result.out
    assert "penalty_weight" not in result.out
    assert "sakura: 1 direct change left out: the configuration says the same.\n" in result.err
    sakura.write({"sakura/all.yaml": BEFORE.replace("20", "50").replace("#111111", "#222222")})
    assert sakura.run("drift", "--detailed-exitcode").out == f"{NO_DRIFT}\n"
    sakura.write({"sakura/all.yaml": BEFORE.replace("20", "60")})
    assert "~ penalty_weight: 20 -> 50, and 60 in the configuration  #" in sakura.ok("drift").out


def test_without_a_configuration_everything_is_shown(sakura: Project, tmp_path: Path) -> None:
    heavier(sakura)
    sql(sakura, "DELETE FROM staff_groups WHERE name = 'Floor' AND ACTIVE")
    elsewhere = Project(tmp_path / "elsewhere", sakura.url)
    assert [one["key"] for one in fields(elsewhere)] == ["Floor", "Max off"]
    assert "desired" not in fields(elsewhere)[1]
    assert "Not in the configuration" in elsewhere.ok("drift").err
    elsewhere.write({"rowform.yaml": "thresholds: {delete_count: 5}\n"})
    assert [one["key"] for one in fields(elsewhere)] == ["Floor", "Max off"]
    elsewhere.restaurant("momiji", MOMIJI)
    assert [one["key"] for one in fields(elsewhere)] == ["Floor", "Max off"]
    elsewhere.write({"momiji/all.yaml": "staff_groups: [{nome: x}]\n"})
    result = elsewhere.run("drift", "--format", "json")
    assert (result.code, result.json["error"]["code"]) == (1, "invalid-config")


def test_kinds_that_are_not_managed_are_left_out(sakura: Project) -> None:
    heavier(sakura)
    sakura.restaurant(more="manages: [staff_groups]\n")
    sakura.write({"sakura/all.yaml": BEFORE.partition("daily_limits")[0]})
    assert sakura.ok("drift").out == f"{NO_DRIFT}\n"
    sakura.ok("plan")


def test_several_restaurants(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    sakura.write({"momiji/all.yaml": BEFORE})
    sakura.apply("--message", "Momiji")
    heavier(sakura, 70, restaurant=MOMIJI)
    heavier(sakura, 60)
    document = sakura.ok("drift", "--format", "json").json
    assert [(one["restaurant"], one["drift"][0]["active"]) for one in document["restaurants"]] == [
        ("momiji", 70),
        ("sakura", 60),
    ]
    only = sakura.ok("drift", "-r", "momiji").out
    assert "momiji" in only
    assert "sakura" not in only
    plan = sakura.run("plan", "--format", "json").json
    assert [one["drift"][0]["active"] for one in plan["restaurants"]] == [70, 60]
    message = refused(sakura)
    assert "drift (momiji) and drift (sakura)" in message


def test_a_version_that_the_application_filled_itself(sakura: Project) -> None:
    """Its rows are audited when it is activated, and again when it is activated again."""
    made = "aaaaaaaa-0000-4000-8000-000000000009"
    sql(
        sakura,
        "INSERT INTO config_versions (id, restaurant_id, version_number, name, is_active)"
        f" VALUES ('{made}', '{SAKURA}', 2, 'Mine', false)",
    )
    sql(
        sakura,
        "INSERT INTO staff_groups (restaurant_id, version_id, name, color)"
        f" VALUES ('{SAKURA}', '{made}', 'Kitchen', '#333333')",
    )
    sql(
        sakura,
        "UPDATE config_versions SET is_active = false WHERE is_active",
        f"UPDATE config_versions SET is_active = true WHERE id = '{made}'",
    )
    sakura.ok("activate", "1", "--auto-approve")
    assert sakura.ok("drift").out == f"{NO_DRIFT}\n"
    sakura.ok("activate", "2", "--auto-approve", "--reason", "again")
    found = {(one["key"], one["path"]): one for one in fields(sakura)}
    assert set(found) == {
        ("Kitchen", "/color"),
        ("Kitchen", "/group_config/members"),
        ("Floor", ""),
        ("Max off", ""),
    }
    assert {one["set_by"]["version"]["version_number"] for one in found.values()} == {2}
    assert all(one["set_by"]["reason"] != "again" for one in found.values())


def test_a_switch_in_between_does_not_take_the_writer_s_place(sakura: Project) -> None:
    heavier(sakura)
    sakura.ok("activate", "1", "--auto-approve", "--reason", "Back")
    sakura.ok("activate", "2", "--auto-approve", "--reason", "Forth")
    (one,) = fields(sakura)
    assert one["set_by"]["reason"].startswith("Direct write by")


def test_direct_writes_after_a_rollback_are_compared_with_what_they_build_upon(sakura: Project) -> None:
    sakura.write({"sakura/all.yaml": BEFORE.replace("#111111", "#222222")})
    sakura.commit("Second")
    sakura.apply()
    sakura.ok("rollback", "--auto-approve")
    heavier(sakura)
    assert [one["path"] for one in fields(sakura)] == ["/penalty_weight"]
    assert 'version 3 is active; version 1 "First"' in sakura.ok("drift").out


def test_a_setting_deleted_and_made_anew_is_the_same_one(sakura: Project) -> None:
    sql(sakura, "DELETE FROM staff_groups WHERE name = 'Floor' AND ACTIVE")
    sql(
        sakura,
        "INSERT INTO staff_groups (restaurant_id, version_id, name, color)"
        " SELECT restaurant_id, id, 'Floor', '#123456' FROM config_versions WHERE is_active",
    )
    (one,) = fields(sakura)
    assert (one["path"], one["active"], one["set_by"]["version"]["version_number"]) == (
        "/color",
        "#123456",
        3,
    )


def test_many_rows_of_the_audit_trail(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_module, "_BATCH", 2)
    sql(sakura, "UPDATE daily_limits SET is_hard_constraint = true WHERE ACTIVE")
    for weight in range(21, 26):
        heavier(sakura, weight)
    found = {one["path"]: one["set_by"]["version"]["version_number"] for one in fields(sakura)}
    assert found == {"/is_hard_constraint": 2, "/penalty_weight": 7}


# --- plans ---------------------------------------------------------------------------------------


def test_apply_refuses_to_overwrite_a_direct_write(sakura: Project) -> None:
    heavier(sakura)
    plan = sakura.ok("plan").out
    assert "      ~ penalty_weight: 50 -> 20  # overwrites a direct write: was 20 in version 1\n" in plan
    reason = (
        'direct writes would be overwritten: daily_limits "Max off" penalty_weight (20 -> 50, back to 20)'
    )
    assert f"  BLOCKED: drift: {reason}\n" in plan
    message = refused(sakura)
    assert reason in message
    assert "--force drift" in message
    document = sakura.ok("plan", "--format", "json").json["restaurants"][0]
    assert document["drift"] == [
        {
            "kind": "daily_limits",
            "key": "Max off",
            "path": "/penalty_weight",
            "git": 20,
            "active": 50,
            "desired": 20,
        }
    ]
    assert document["settled_version_number"] == 1
    assert [one["overwrites_drift"] for one in document["changes"]] == [True]
    assert [one["guard"] for one in document["blocked"]] == ["drift"]

    sakura.apply("--force", "drift")
    source = sakura.value("SELECT source FROM config_versions WHERE is_active")
    assert source["forced"] == ["drift"]
    assert sakura.ok("drift").out == f"{NO_DRIFT}\n"
    assert sakura.apply().out == "No changes. Settings match the configuration.\n"


def test_a_plan_that_leaves_direct_writes_alone_goes_through(sakura: Project) -> None:
    heavier(sakura)
    sql(
        sakura,
        'UPDATE staff_groups SET group_config = \'{"members": ["料理長", "井関", "古藤"]}\''
        " WHERE name = 'Kitchen' AND ACTIVE",
    )
    sakura.write(
        {
            "sakura/all.yaml": BEFORE.replace("20", "50")
            .replace("maxCount: 3", "maxCount: 4")
            .replace("[料理長, 井関]", "[料理長, 古賀, 井関, 古藤]")
        }
    )
    plan = sakura.ok("plan").out
    assert "BLOCKED" not in plan
    assert "direct write" not in plan
    sakura.apply()


def test_what_would_be_deleted_and_made_again(sakura: Project) -> None:
    sql(
        sakura,
        "DELETE FROM staff_groups WHERE name = 'Floor' AND ACTIVE",
        "INSERT INTO staff_groups (restaurant_id, version_id, name)"
        " SELECT restaurant_id, id, 'Bar' FROM config_versions WHERE is_active",
        "UPDATE staff_groups SET name = 'Stoves' WHERE name = 'Kitchen' AND ACTIVE",
        'UPDATE daily_limits SET limit_config = \'{"maxCount": 3, "rules": {"a": 1}}\' WHERE ACTIVE',
    )
    sakura.write({"sakura/all.yaml": BEFORE.partition("daily_limits")[0] + "daily_limits: []\n"})
    plan = sakura.ok("plan").out
    mark = "  # overwrites a direct write: "
    marked = dict(
        re.sub("  /.*/config", "  config", line).split(mark) for line in plan.splitlines() if mark in line
    )
    assert marked == {
        '  - staff_groups "Bar"': "made since version 1",
        '  + staff_groups "Floor"  config/sakura/all.yaml:5': "deleted since version 1",
        '  ~ staff_groups "Stoves" -> "Kitchen"  config/sakura/all.yaml:2': 'was "Kitchen" in version 1',
        '  - daily_limits "Max off"': "changed since version 1",
    }
    assert 'staff_groups "Floor" (deleted, would be made again)' in plan
    assert "and 1 more" in plan


def test_a_saved_plan_shows_what_it_overwrites_and_is_still_the_same(sakura: Project) -> None:
    heavier(sakura)
    file = str(sakura.directory / "plan.json")
    shown = sakura.ok("plan", "-o", file).out
    assert shown in sakura.ok("show", file).out
    assert "was 20 in version 1" in shown
    assert "blocked by drift" in refused(sakura, file)
    sakura.ok("apply", file, "--auto-approve", "--force", "drift")


def test_a_restaurant_without_an_active_version(sakura: Project) -> None:
    heavier(sakura)
    sql(sakura, "UPDATE config_versions SET is_active = false WHERE is_active")
    result = sakura.ok("drift")
    assert (result.out, result.err) == (f"{NO_DRIFT}\n", "sakura has no active version.\n")
    assert "direct write" not in sakura.ok("plan").out


def test_direct_writes_on_nothing_at_all(project: Project) -> None:
    """A restaurant that no plan has ever touched."""
    with psycopg.connect(project.url) as connection:
        connection.execute(
            "INSERT INTO restaurants (id, slug, name, timezone)"
            " VALUES (%s, 'sakura', 'Sakura', 'Asia/Tokyo')",
            [SAKURA],
        )
        connection.execute(
            "INSERT INTO config_versions (id, restaurant_id, version_number, name, is_active)"
            " VALUES (%s, %s, 1, 'Mine', true)",
            [MOMIJI, SAKURA],
        )
        connection.execute(
            "INSERT INTO staff_groups (restaurant_id, version_id, name, color)"
            " VALUES (%s, %s, 'Kitchen', '#fff')",
            [SAKURA, MOMIJI],
        )
    assert "(version 1 is active; direct writes alone made it)" in project.ok("drift").out
    project.restaurant(more="timezone: Asia/Tokyo\n")
    project.write({"sakura/all.yaml": BEFORE})
    plan = project.ok("plan").out
    assert '~ color: "#fff" -> "#111111"  # overwrites a direct write\n' in plan
    assert "BLOCKED: drift" in plan
    project.apply("--force", "drift")


def test_a_plan_takes_one_more_round_trip_if_there_are_direct_writes(sakura: Project) -> None:
    options = conninfo_to_dict(sakura.url)
    host = str(options.get("host", ""))
    if not host.startswith("/"):
        pytest.skip("the counting proxy stands before a Unix socket, and this server has none")
    sakura.restaurant("momiji", MOMIJI)
    sakura.write({"momiji/all.yaml": BEFORE})
    sakura.apply("--message", "Momiji")

    def trips() -> int:
        with tempfile.TemporaryDirectory() as directory:
            socket = Path(host) / f".s.PGSQL.{options.get('port', 5432)}"
            url = sakura.url.replace(quote(host, safe=""), quote(directory, safe=""))
            with proxy(socket, Path(directory)) as connections:
                Project(sakura.directory, url).ok("plan")
        (recorded,) = connections
        return len(recorded.round_trips())

    settled = trips()
    heavier(sakura)
    one = trips()
    heavier(sakura, restaurant=MOMIJI)
    assert one == trips()
    # The other one asks after switches back.
    assert settled < one <= settled + 2
