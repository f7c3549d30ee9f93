"""``rowform diff``: two versions side by side, or one and the configuration."""

from __future__ import annotations

from itertools import product
from typing import Any

import psycopg
import pytest

from rowform.store.activation import Standing
from rowform.sync import comparing
from tests.support.patch import applied
from tests.support.project import MOMIJI, SAKURA, Project

ONE = """\
staff_groups:
  - name: Kitchen
    color: "#111111"
    group_config: {members: [料理長]}
  - name: Floor
daily_limits:
  - name: Max off
    penalty_weight: 30.5
"""
TWO = """\
staff_groups:
  - name: Stoves
    previously: [Kitchen]
    color: "#222222"
    group_config: {members: [料理長, 井関]}
daily_limits:
  - name: Max off
    penalty_weight: 30.5
  - name: Max early
"""
TWO_AGAIN = TWO.replace("    previously: [Kitchen]\n", "")
SWAPPED = TWO_AGAIN.replace("Max off", "x").replace("Max early", "Max off").replace("x", "Max early")


@pytest.fixture
def sakura(project: Project) -> Project:
    """Versions 1 and 2; 2 is active."""
    project.restaurant()
    for name, text in (("One", ONE), ("Two", TWO)):
        project.write({"sakura/all.yaml": text})
        project.apply("--message", name)
    return project


def sql(project: Project, *statements: str) -> None:
    """Plain SQL in one transaction."""
    with psycopg.connect(project.url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def changes(project: Project, before: str, after: str) -> list[tuple[str, str, str | None]]:
    found = project.ok("diff", before, after, "--format", "json").json
    return [(one["action"], one["key"], one["previous_key"]) for one in found["changes"]]


def test_text(sakura: Project) -> None:
    assert sakura.ok("diff", "1", "2").out == (
        """\
sakura (version 1 "One" -> version 2 "Two")

  ~ staff_groups "Kitchen" -> "Stoves"
      ~ color: "#111111" -> "#222222"
      + group_config.members[1]: "井関"

  - staff_groups "Floor"

  + daily_limits "Max early"

Difference: 1 added, 1 changed, 1 destroyed.
"""
    )


def test_the_other_way_round(sakura: Project) -> None:
    text = sakura.ok("diff", "2", "1").out
    assert '  ~ staff_groups "Stoves" -> "Kitchen"\n      ~ color: "#222222" -> "#111111"\n' in text
    assert '  + staff_groups "Floor"\n' in text
    assert '  - daily_limits "Max early"\n' in text
    assert text.splitlines()[-1] == "Difference: 1 added, 1 changed, 1 destroyed."


def test_no_differences(sakura: Project) -> None:
    result = sakura.ok("diff", "2", "active")
    assert result.out == 'sakura (version 2 "Two" -> version 2 "Two")\n\nNo differences.\n'
    assert result.err == ""


def test_words_for_versions(sakura: Project) -> None:
    assert sakura.ok("diff", "previous", "active").out == sakura.ok("diff", "1", "2").out
    sakura.ok("rollback", "--auto-approve")
    assert sakura.ok("diff", "active", "2").out == sakura.ok("diff", "1", "2").out
    result = sakura.run("diff", "previous", "active")
    assert result.code == 1
    assert "version 1 is as far back as it goes" in result.err


def test_json(sakura: Project) -> None:
    found = sakura.ok("diff", "1", "2", "--format", "json").json
    assert found["format"] == "rowform.diff/1"
    assert (found["restaurant"], found["restaurant_id"]) == ("sakura", SAKURA)
    for side, number, name in (("from", 1, "One"), ("to", 2, "Two")):
        id_ = str(sakura.value("SELECT id FROM config_versions WHERE version_number = %s", number))
        origin = {"version_id": id_, "version_number": number, "name": name, "origin": "files"}
        assert found[side] == origin
    assert found["summary"] == {"create": 1, "update": 1, "delete": 1, "unchanged": 1}
    kitchen = found["changes"][0]
    assert (kitchen["kind"], kitchen["key"], kitchen["previous_key"]) == ("staff_groups", "Stoves", "Kitchen")
    assert applied(kitchen["before"], kitchen["patch"]) == kitchen["after"]
    assert found["changes"][1]["after"] is None
    assert found["changes"][2]["before"] is None


# --- the configuration ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TWO, id="as applied"),
        pytest.param(TWO_AGAIN, id="renamed before"),
        pytest.param(ONE, id="a rename taken back"),
        pytest.param(SWAPPED, id="names swapped"),
        pytest.param("staff_groups: [{name: New, previously: [Stoves]}]\ndaily_limits: []\n", id="much gone"),
    ],
)
def test_from_the_active_version_to_the_configuration_is_the_plan(sakura: Project, text: str) -> None:
    sakura.write({"sakura/all.yaml": text})
    plan = sakura.ok("plan", "--format", "json").json["restaurants"][0]
    found = sakura.ok("diff", "active", "config", "--format", "json").json
    assert found["changes"] == plan["changes"]
    assert found["summary"] == plan["summary"]
    nothing = {"version_id": None, "version_number": None, "name": None, "origin": "config"}
    assert found["to"] == nothing


def test_from_the_configuration_to_a_version(sakura: Project) -> None:
    """A setting of the files is the one that an apply would make of it, whatever it was called."""
    assert changes(sakura, "config", "1") == [
        ("create", "Floor", None),
        ("update", "Kitchen", "Stoves"),
        ("delete", "Max early", None),
    ]
    sakura.write({"sakura/all.yaml": TWO_AGAIN})
    assert changes(sakura, "1", "config") == changes(sakura, "1", "2")
    assert changes(sakura, "config", "config") == []
    assert "sakura (configuration -> version 1 " in sakura.ok("diff", "config", "1").out


def test_kinds_that_are_not_managed_are_left_out(sakura: Project) -> None:
    sakura.restaurant(more="manages: [staff_groups]\n")
    groups = TWO.partition("daily_limits")[0]
    sakura.write({"sakura/all.yaml": groups})
    assert changes(sakura, "active", "config") == []
    assert {key for _, key, _ in changes(sakura, "config", "1")} == {"Kitchen", "Floor"}
    # Between two versions everything counts.
    assert ("create", "Max early", None) in changes(sakura, "1", "2")


def test_a_faulty_configuration_matters_only_if_it_is_compared(sakura: Project) -> None:
    sakura.write({"sakura/all.yaml": "staff_groups: [{nam: x}]\n"})
    sakura.ok("diff", "1", "2")
    result = sakura.run("diff", "1", "config")
    assert result.code == 1
    assert "all.yaml:1:" in result.err


def test_a_restaurant_without_a_directory(sakura: Project) -> None:
    sakura.restaurant(id=MOMIJI)
    result = sakura.run("diff", "1", "config", "--format", "json")
    assert result.code == 1
    assert result.json["error"]["message"] == f"the configuration has no restaurant sakura ({SAKURA})"


# --- identity ------------------------------------------------------------------------------------


def test_names_that_changed_hands_are_renames(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/all.yaml": "staff_groups: [{name: A, color: '#aaa'}, {name: B, color: '#bbb'}]\n"})
    project.apply()
    here = "version_id = (SELECT id FROM config_versions WHERE is_active)"
    sql(
        project,
        f"UPDATE staff_groups SET name = 'C' WHERE name = 'A' AND {here}",
        f"UPDATE staff_groups SET name = 'A' WHERE name = 'B' AND {here}",
    )
    assert changes(project, "1", "2") == [("update", "A", "B"), ("update", "C", "A")]
    assert changes(project, "2", "1") == [("update", "A", "C"), ("update", "B", "A")]


def test_a_setting_made_anew_under_its_name_is_an_update(sakura: Project) -> None:
    place = "(SELECT id FROM config_versions WHERE is_active)"
    sql(
        sakura,
        f"DELETE FROM staff_groups WHERE name = 'Stoves' AND version_id = {place}",
        "INSERT INTO staff_groups (restaurant_id, version_id, name, color)"
        f" SELECT restaurant_id, id, 'Stoves', '#333333' FROM config_versions WHERE id = {place}",
    )
    newest = str(sakura.value("SELECT max(version_number) FROM config_versions"))
    assert changes(sakura, "2", newest) == [("update", "Stoves", None)]


def test_counts_are_those_of_an_activation(sakura: Project) -> None:
    for text in (ONE, TWO, SWAPPED, ONE.replace("Floor", "Hall"), TWO):
        sakura.write({"sakura/all.yaml": text})
        sakura.apply("--force", "threshold")
    last = int(sakura.value("SELECT max(version_number) FROM config_versions"))
    assert last == 7
    for before, after in product(range(1, last + 1), repeat=2):
        found = sakura.ok("diff", str(before), str(after), "--format", "json").json["summary"]
        counted: dict[str, Any] = {"create": 0, "update": 0, "delete": 0}
        for row in sakura.rows(
            "SELECT operation, count(*) AS count FROM rowform.net_change(%s,"
            " (SELECT id FROM config_versions WHERE version_number = %s),"
            " (SELECT id FROM config_versions WHERE version_number = %s)) GROUP BY operation",
            SAKURA,
            before,
            after,
        ):
            action = {"INSERT": "create", "UPDATE": "update", "DELETE": "delete"}[row["operation"]]
            counted[action] = row["count"]
        assert {name: found[name] for name in counted} == counted, (before, after)


# --- which one is meant --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("1", "9"), "sakura has no version 9: the versions are 1 to 2"),
        (("0", "1"), "sakura has no version 0: the versions are 1 to 2"),
        (("one", "2"), '"one" is no version'),
        (("1", "-r", "other", "2"), 'there is no restaurant "other" in the database'),
    ],
)
def test_what_there_is_not(sakura: Project, words: tuple[str, ...], message: str) -> None:
    result = sakura.run("diff", *words)
    assert (result.code, result.out) == (1, "")
    assert message in result.err


def test_several_restaurants(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    sakura.write({"momiji/all.yaml": "staff_groups: [{name: A}]\n"})
    sakura.apply()
    result = sakura.run("diff", "1", "2")
    assert result.code == 1
    assert "there are 2 restaurants: momiji and sakura" in result.err
    sakura.ok("diff", "1", "2", "-r", "sakura")
    assert changes_of(sakura, "momiji") == []


def changes_of(project: Project, slug: str) -> list[Any]:
    found: list[Any] = project.ok("diff", "active", "config", "-r", slug, "--format", "json").json["changes"]
    return found


def test_both_sides_are_of_one_moment(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    real = comparing.standing
    calls = 0

    def meanwhile(*arguments: Any) -> Standing:
        nonlocal calls
        calls += 1
        found = real(*arguments)
        if calls == 1:
            sakura.ok("activate", "1", "--auto-approve")
        return found

    monkeypatch.setattr(comparing, "standing", meanwhile)
    result = sakura.ok("diff", "active", "active")
    assert calls == 2
    assert sakura.value("SELECT version_number FROM config_versions WHERE is_active") == 1
    assert result.out == 'sakura (version 2 "Two" -> version 2 "Two")\n\nNo differences.\n'
