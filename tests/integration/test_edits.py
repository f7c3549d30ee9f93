"""What becomes of live clients' edits in the database and its audit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from rowform.edits.faults import EditCode
from rowform.guards import Thresholds
from rowform.sync.configuration import Settings
from rowform.sync.defaults import default_content
from rowform.sync.editing import Editor
from rowform.wire import Code, Fault
from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.tabs import TABLES, Tab, editing, load

SEED = Path(__file__).parents[1] / "fixtures" / "seed-database.sql"
USER = "5f3c9f5e-6a35-4b0e-8f0b-3a4f9a6e7d11"
SETTINGS = """\
staff_groups:
  - {name: Kitchen, color: "#3B82F6", group_config: {members: [料理長, 井関], shift: {late: 1, early: 2}}}
  - {name: Floor, description: In front}
  - {name: Bar, group_config: null}
  - {name: Old, is_active: false}
daily_limits:
  - {name: Off, limit_config: {shiftType: off, maxCount: 3}, penalty_weight: 12.50,
     effective_from: 2026-04-01}
  - {name: Late, limit_config: {shiftType: late, maxCount: 2}, is_hard_constraint: true}
monthly_limits:
  - {name: Month, limit_config: {maxCount: 8}, penalty_weight: null}
priority_rules:
  - {name: Sundays, rule_definition: {staffId: 料理長, daysOfWeek: [0]}, priority_level: 3}
ml_model_configs:
  - {model_name: genetic_algorithm, model_type: genetic_algorithm, parameters: {mutationRate: 0.1},
     is_default: true}
"""


@pytest.fixture
def sakura(project: Project) -> Project:
    """A restaurant with settings of all kinds, at version 1."""
    project.restaurant()
    project.write({"sakura/settings.yaml": SETTINGS})
    project.apply()
    return project


@pytest.fixture
def editor(sakura: Project) -> Iterator[Editor]:
    with editing(sakura.url) as found:
        yield found


def refusal(tab: Tab, type_: str, payload: dict[str, Any] | None = None) -> Fault:
    with pytest.raises(Fault) as caught:
        tab.send(type_, payload)
    return caught.value


def number(project: Project) -> int:
    return project.value("SELECT max(version_number) FROM config_versions")


def audit(project: Project, after: int = 0) -> list[tuple[str, str, str]]:
    """Operation, table and key of what the audit has about settings."""
    rows = project.rows(
        "SELECT operation, table_name, coalesce(new_data, old_data) AS data FROM config_changes"
        " WHERE seq > %s AND table_name <> 'config_versions' ORDER BY seq",
        after,
    )
    return [
        (row["operation"], row["table_name"], row["data"].get("name") or row["data"]["model_name"])
        for row in rows
    ]


def last(project: Project) -> int:
    return project.value("SELECT max(seq) FROM config_changes")


# --- tables ----------------------------------------------------------------------------------------


def test_an_echo_of_everything_writes_nothing(sakura: Project, editor: Editor) -> None:
    tab = Tab(sakura.url, editor)
    assert [done.version_id for table in TABLES for done in tab.save(table)] == [None] * 8
    assert number(sakura) == 1


def test_odd_values_that_an_application_wrote_are_echoed_as_well(sakura: Project, editor: Editor) -> None:
    sakura.rows(
        "UPDATE daily_limits SET penalty_weight = 'NaN',"
        " effective_from = '-infinity', effective_until = 'infinity',"
        """ limit_config = '{"n": 9007199254740993, "f": 1.10, "e": 1e22, "l": 1e-9}' RETURNING 1"""
    )
    sakura.rows("UPDATE staff_groups SET color = 'red', description = '', group_config = '[1]' RETURNING 1")
    tab = Tab(sakura.url, editor)
    assert {done.version_id for table in TABLES for done in tab.save(table)} == {None}
    tab.find("staffGroups", "Floor")["description"] = "mine"
    tab.save("staffGroups")
    assert sakura.value("SELECT DISTINCT color FROM staff_groups WHERE version_id IN"
                        " (SELECT id FROM config_versions WHERE is_active)") == "red"  # fmt: skip


def test_a_tab_that_was_offline_for_a_day(sakura: Project, editor: Editor) -> None:
    offline = Tab(sakura.url, editor, "offline")
    other = Tab(sakura.url, editor, "other")
    for group, color in (("Floor", "#111111"), ("Bar", "#222222")):
        other.find("staffGroups", group)["color"] = color
        other.save("staffGroups")
        other.synchronise()
    sakura.write({"sakura/settings.yaml": SETTINGS.replace("maxCount: 3", "maxCount: 4")})
    sakura.apply("--force", "drift")
    other.synchronise()
    other.find("staffGroups", "Bar")["color"] = "#333333"
    other.save("staffGroups")
    before, seq = load(sakura.url), last(sakura)
    offline.find("staffGroups", "Kitchen")["groupConfig"]["members"].append("高野")
    assert [done.version_id is None for table in TABLES for done in offline.save(table)].count(False) == 1
    now = load(sakura.url)
    assert audit(sakura, seq) == [("UPDATE", "staff_groups", "Kitchen")]
    assert now["version"]["versionNumber"] == before["version"]["versionNumber"] + 1
    changed = [
        (table, old["name"], name)
        for table in TABLES
        for old, new in zip(before[table], now[table], strict=True)
        for name in old
        if old[name] != new[name] and name not in ("versionId", "updatedAt")
    ]
    assert changed == [("staffGroups", "Kitchen", "groupConfig")]


def test_two_tabs_edit_different_tables(sakura: Project, editor: Editor) -> None:
    one, two = Tab(sakura.url, editor, "one"), Tab(sakura.url, editor, "two")
    one.find("dailyLimits", "Off")["limitConfig"]["maxCount"] = 5
    two.find("priorityRules", "Sundays")["ruleDefinition"]["daysOfWeek"] = [0, 6]
    one.save("dailyLimits")
    two.save("priorityRules")
    one.synchronise()
    assert one.find("dailyLimits", "Off")["limitConfig"]["maxCount"] == 5
    assert one.find("priorityRules", "Sundays")["ruleDefinition"]["daysOfWeek"] == [0, 6]
    assert one.version == 3


def test_two_tabs_edit_one_field(sakura: Project, editor: Editor) -> None:
    one, two = Tab(sakura.url, editor, "one"), Tab(sakura.url, editor, "two")
    one.find("staffGroups", "Kitchen")["color"] = "#111111"
    two.find("staffGroups", "Kitchen")["color"] = "#222222"
    two.find("staffGroups", "Kitchen")["groupConfig"]["shift"]["late"] = 9
    one.save("staffGroups")
    fault = refusal(two, "SETTINGS_UPDATE_STAFF_GROUPS", {"group": two.settings["staffGroups"]})
    assert (fault.code, fault.message) == (
        EditCode.STALE,
        'staff group "Kitchen" color was changed by somebody else meanwhile',
    )
    assert number(sakura) == 2
    two.synchronise()
    assert two.find("staffGroups", "Kitchen")["color"] == "#111111"
    two.find("staffGroups", "Kitchen")["color"] = "#222222"
    two.save("staffGroups")
    assert number(sakura) == 3


def test_who_types_is_faster_than_the_answer(sakura: Project, editor: Editor) -> None:
    tab, other = Tab(sakura.url, editor, "typist", user="aiko@example.com"), Tab(sakura.url, editor, "other")
    for text in ("S", "So", "Sou", "Soup"):
        tab.find("staffGroups", "Kitchen")["description"] = text
        tab.save("staffGroups")
    assert number(sakura) == 5
    # Another person behind a tab that calls itself the same is another one.
    same = Tab(sakura.url, editor, "typist", user="ren@example.com")
    same.settings = json.loads(json.dumps(other.settings))
    same.find("staffGroups", "Kitchen")["description"] = "Rice"
    with pytest.raises(Fault, match="changed by somebody else"):
        same.save("staffGroups")
    other.synchronise()
    other.find("staffGroups", "Kitchen")["description"] = "Noodles"
    other.save("staffGroups")
    tab.find("staffGroups", "Kitchen")["description"] = "Soups"
    with pytest.raises(Fault, match="changed by somebody else"):
        tab.save("staffGroups")


def test_tabs_without_a_name_have_no_edits_of_their_own(sakura: Project, editor: Editor) -> None:
    tab = Tab(sakura.url, editor, "")
    tab.find("staffGroups", "Kitchen")["description"] = "S"
    tab.save("staffGroups")
    tab.find("staffGroups", "Kitchen")["description"] = "So"
    with pytest.raises(Fault, match="changed by somebody else"):
        tab.save("staffGroups")


def test_every_table_can_be_edited(sakura: Project, editor: Editor) -> None:
    tab = Tab(sakura.url, editor, user="aiko@example.com", user_id=USER)
    tab.find("staffGroups", "Bar")["groupConfig"] = {"members": ["高野"]}
    tab.find("dailyLimits", "Off")["effectiveFrom"] = "2026-05-01"
    tab.find("monthlyLimits", "Month")["penaltyWeight"] = 2.5
    tab.find("priorityRules", "Sundays")["isActive"] = False
    tab.find("mlModelConfigs", "genetic_algorithm")["parameters"]["mutationRate"] = 0.25
    for table in TABLES:
        tab.save(table)
    now = Tab(sakura.url, editor)
    assert now.find("staffGroups", "Bar")["groupConfig"] == {"members": ["高野"]}
    assert now.find("dailyLimits", "Off")["effectiveFrom"] == "2026-05-01T00:00:00Z"
    assert now.find("dailyLimits", "Off")["penaltyWeight"] == 12.5
    assert now.find("monthlyLimits", "Month")["penaltyWeight"] == 2.5
    assert now.settings["priorityRules"] == []
    assert now.find("mlModelConfigs", "genetic_algorithm")["parameters"] == {"mutationRate": 0.25}
    assert [row["name"] for row in sakura.rows("SELECT name FROM config_versions ORDER BY version_number")][
        1:
    ] == [
        'Table update: staff_groups "Bar"',
        'Table update: daily_limits "Off"',
        'Table update: monthly_limits "Month"',
        'Table update: priority_rules "Sundays"',
        'Table update: ml_model_configs "genetic_algorithm"',
    ]


def test_the_version_and_the_audit_say_who_it_was(sakura: Project, editor: Editor) -> None:
    tab = Tab(sakura.url, editor, "till-3", user="aiko@example.com", user_id=USER)
    tab.find("staffGroups", "Floor")["name"] = "Hall"
    tab.save("staffGroups")
    (row,) = sakura.rows("SELECT * FROM config_versions WHERE version_number = 2")
    assert (row["description"], str(row["created_by"])) == (
        "Edited live by aiko@example.com, client till-3",
        USER,
    )
    source = row["source"]
    assert source.pop("digest").startswith("sha256:")
    assert source.pop("tool_version")
    assert source == {
        "kind": "client",
        "client": "till-3",
        "user": "aiko@example.com",
        "message": "SETTINGS_UPDATE_STAFF_GROUPS",
    }
    (change,) = sakura.rows("SELECT * FROM config_changes WHERE version_id = %s", row["id"])
    assert (change["operation"], change["reason"]) == ("UPDATE", "Changed by aiko@example.com, client till-3")
    assert str(change["changed_by"]) == USER
    assert (change["old_data"]["name"], change["new_data"]["name"]) == ("Floor", "Hall")
    assert change["old_data"]["id"] == change["new_data"]["id"]
    history = sakura.ok("history").out
    assert "aiko@example.com, client till-3" in history
    # It is drift to Git, as any other direct write.
    assert 'staff_groups "Floor" -> "Hall"' in sakura.ok("drift").out


def test_new_settings(sakura: Project, editor: Editor) -> None:
    tab = Tab(sakura.url, editor)
    for group in ({"name": "Stock"}, {"id": "group-17", "name": "Bakery", "groupConfig": {"members": ["x"]}}):
        assert tab.save_one("staffGroups", group).version_id
        assert tab.save_one("staffGroups", group).version_id is None
    kitchen = tab.find("staffGroups", "Kitchen")
    copy = {**kitchen, "id": USER, "name": "Kitchen 2"}
    assert tab.save_one("staffGroups", copy).version_id
    tab.synchronise()
    assert [one["name"] for one in tab.settings["staffGroups"]] == [
        "Bakery", "Bar", "Floor", "Kitchen", "Kitchen 2", "Stock",
    ]  # fmt: skip
    assert len({one["id"] for one in tab.settings["staffGroups"]}) == 6
    fault = refusal(tab, "SETTINGS_UPDATE_STAFF_GROUPS", {"group": {"name": "Old"}})
    assert fault.code == EditCode.STALE
    again = {"name": "Old", "versionId": tab.settings["version"]["id"]}
    assert tab.save_one("staffGroups", again).version_id


def test_deleted_settings_stay_deleted(sakura: Project, editor: Editor) -> None:
    tab = Tab(sakura.url, editor)
    text = SETTINGS.replace("  - {name: Floor, description: In front}\n", "")
    sakura.write({"sakura/settings.yaml": text})
    sakura.apply()
    assert {done.version_id for done in tab.save("staffGroups")} == {None}
    floor = {**tab.find("staffGroups", "Floor"), "color": "#111111"}
    assert refusal(tab, "SETTINGS_UPDATE_STAFF_GROUPS", {"group": floor}).code == EditCode.STALE
    del floor["versionId"]
    assert refusal(tab, "SETTINGS_UPDATE_STAFF_GROUPS", {"group": floor}).code == EditCode.STALE
    # To make one of that name is another matter: it gets its old id back.
    del floor["id"]
    assert tab.save_one("staffGroups", floor).version_id
    was = tab.find("staffGroups", "Floor")["id"]
    tab.synchronise()
    assert tab.find("staffGroups", "Floor")["id"] == was


def test_another_restaurants_ids_lead_nowhere(sakura: Project, editor: Editor) -> None:
    sakura.restaurant("momiji", MOMIJI)
    sakura.write({"momiji/settings.yaml": "staff_groups: [{name: Secret, color: '#111111'}]\n"})
    sakura.apply()
    theirs = Tab(sakura.url, editor, restaurant_id=MOMIJI)
    tab = Tab(sakura.url, editor)
    secret = theirs.find("staffGroups", "Secret")
    fault = refusal(tab, "SETTINGS_UPDATE_STAFF_GROUPS", {"group": {**secret, "color": "#222222"}})
    assert (fault.code, fault.details["problems"][0]["path"]) == (EditCode.INVALID, "/group/restaurantId")
    # Without it the setting is what anybody may make in his own restaurant.
    mine = {**secret, "restaurantId": SAKURA}
    assert tab.save_one("staffGroups", mine).version_id
    tab.synchronise()
    assert tab.find("staffGroups", "Secret")["id"] != secret["id"]
    theirs.synchronise()
    assert theirs.version == 1
    version = theirs.settings["version"]["id"]
    for wanted in (version, USER, "x", None):
        fault = refusal(tab, "SETTINGS_ACTIVATE_VERSION", {"versionId": wanted})
        assert (fault.code, fault.message) == (EditCode.UNKNOWN_VERSION, "there is no such version")


def test_faults_of_values_write_nothing(sakura: Project, editor: Editor) -> None:
    tab = Tab(sakura.url, editor)
    good = {**tab.find("staffGroups", "Floor"), "color": "#111111"}
    bad = {**tab.find("staffGroups", "Kitchen"), "color": "red"}
    fault = refusal(tab, "SETTINGS_UPDATE_STAFF_GROUPS", {"group": [good, bad]})
    assert fault.details == {
        "problems": [
            {"path": "/group/1/color", "message": '"red" is not a colour; write it as "#RRGGBB", in quotes'}
        ]
    }
    assert number(sakura) == 1


def test_columns_that_an_application_made_narrower(empty_database: str, project: Project) -> None:
    project.url = empty_database
    with psycopg.connect(empty_database) as connection:
        connection.execute(SEED.read_text().replace("color TEXT", "color VARCHAR(7)"))  # type: ignore[arg-type]
    project.ok("db", "upgrade", "--auto-approve")
    with editing(project.url) as editor:
        tab = Tab(project.url, editor)
        group = {"name": "Long", "color": "#11111111"}
        fault = refusal(tab, "SETTINGS_UPDATE_STAFF_GROUPS", {"group": group})
        assert fault.code == EditCode.INVALID
        assert fault.message == 'color: "#11111111" is longer than 7 characters'
        assert tab.save_one("staffGroups", {**group, "color": "#111111"}).version_id


# --- guards ----------------------------------------------------------------------------------------


def test_a_locked_version(sakura: Project, editor: Editor) -> None:
    sakura.ok("lock", "active", "--reason", "Stocktaking")
    tab = Tab(sakura.url, editor)
    assert {done.version_id for done in tab.save("staffGroups")} == {None}
    tab.find("staffGroups", "Kitchen")["color"] = "#111111"
    for type_, payload in (
        ("SETTINGS_UPDATE_STAFF_GROUPS", {"group": tab.settings["staffGroups"]}),
        ("SETTINGS_MIGRATE", {"settings": {"staffGroups": [{"name": "New"}]}}),
    ):
        fault = refusal(tab, type_, payload)
        assert (fault.code, fault.message) == (EditCode.LOCKED, "Cannot modify locked version")
        assert fault.details["reason"].endswith(': "Stocktaking"')
    draft = tab.send("SETTINGS_CREATE_VERSION", {"name": "Draft"})
    fault = refusal(tab, "SETTINGS_ACTIVATE_VERSION", {"versionId": draft.version_id})
    assert (fault.code, fault.message) == (EditCode.LOCKED, "Cannot modify locked version")


def test_edits_of_too_much_are_blocked_until_confirmed(sakura: Project) -> None:
    with editing(sakura.url, thresholds=Thresholds(update_total=2, update_percent=20)) as editor:
        tab = Tab(sakura.url, editor, user="aiko@example.com")
        for group in tab.settings["staffGroups"]:
            group["color"] = "#111111"
        payload = {"group": tab.settings["staffGroups"]}
        fault = refusal(tab, "SETTINGS_UPDATE_STAFF_GROUPS", payload)
        assert fault.code == EditCode.BLOCKED
        assert fault.message == "3 of 9 settings would be updated (33.3 %)"
        assert fault.details["guards"] == [{"guard": "threshold", "reason": fault.message, "forceable": True}]
        done = tab.send("SETTINGS_UPDATE_STAFF_GROUPS", {**payload, "confirm": ["threshold"]})
    assert sakura.value("SELECT source -> 'forced' FROM config_versions WHERE id = %s", done.version_id) == [
        "threshold"
    ]
    reason = sakura.value(
        "SELECT reason FROM config_changes WHERE version_id = %s AND table_name = 'config_versions'",
        done.version_id,
    )
    assert reason.startswith("Guard threshold overruled by aiko@example.com, client tab-1: 3 of 9")
    name = sakura.value("SELECT name FROM config_versions WHERE id = %s", done.version_id)
    assert name == "Table update: staff_groups, 3 settings"


def test_what_was_rolled_back_does_not_come_back_by_itself(sakura: Project, editor: Editor) -> None:
    tab, stale = Tab(sakura.url, editor, "one"), Tab(sakura.url, editor, "two")
    tab.find("dailyLimits", "Off")["penaltyWeight"] = 99
    tab.save("dailyLimits")
    tab.synchronise()
    sakura.ok("rollback", "--auto-approve", "--reason", "Too much")
    # What the tab had when it was active is an echo of that version, and no edit.
    assert {done.version_id for done in tab.save("dailyLimits")} == {None}
    stale.find("dailyLimits", "Off")["penaltyWeight"] = 99
    fault = refusal(stale, "SETTINGS_UPDATE_DAILY_LIMITS", {"limit": stale.settings["dailyLimits"]})
    assert fault.code == EditCode.BLOCKED
    assert "was rolled back" in fault.message
    stale.find("dailyLimits", "Off")["penaltyWeight"] = 50
    stale.save("dailyLimits")
    assert number(sakura) == 3


def test_protected_settings_are_not_edited(sakura: Project, editor: Editor) -> None:
    sakura.ok("db", "protect", "--managed-in", "https://example.com/settings", "--auto-approve")
    tab = Tab(sakura.url, editor)
    tab.find("staffGroups", "Kitchen")["color"] = "#111111"
    before = number(sakura)
    for type_, payload in (
        ("SETTINGS_UPDATE_STAFF_GROUPS", {"group": tab.settings["staffGroups"]}),
        ("SETTINGS_MIGRATE", {"settings": {"staffGroups": [{"name": "New"}]}}),
        ("SETTINGS_CREATE_VERSION", {"name": "Draft"}),
    ):
        fault = refusal(tab, type_, payload)
        assert fault.code == Code.MANAGED_IN_GIT
        assert "https://example.com/settings" in fault.message
    sakura.ok("db", "unprotect", "--auto-approve")
    draft = tab.send("SETTINGS_CREATE_VERSION", {"name": "Draft"})
    sakura.ok("db", "protect", "--auto-approve")
    assert (
        refusal(tab, "SETTINGS_ACTIVATE_VERSION", {"versionId": draft.version_id}).code == Code.MANAGED_IN_GIT
    )
    assert number(sakura) == before + 1
    # Plans are what protection is for.
    sakura.write({"sakura/settings.yaml": SETTINGS.replace("maxCount: 3", "maxCount: 4")})
    sakura.apply()


# --- the other messages ----------------------------------------------------------------------------


def test_a_migration_is_a_version_that_can_be_rolled_back(sakura: Project, editor: Editor) -> None:
    tab = Tab(sakura.url, editor, user="aiko@example.com")
    kept = {
        "staffGroups": [{"id": "g1", "name": "Bakery", "members": ["x"]}],
        "dailyLimits": [{"name": "Early", "value": 2, "type": "early"}],
        "mlParameters": {},
    }
    done = tab.send("SETTINGS_MIGRATE", {"settings": kept})
    assert (done.marks, done.for_all) == ({"migrated": True}, False)
    (row,) = sakura.rows("SELECT * FROM config_versions WHERE id = %s", done.version_id)
    assert (row["name"], row["description"]) == (
        "localStorage Migration",
        "Automatic migration from localStorage",
    )
    assert row["is_active"]
    reasons = {
        one["reason"]
        for one in sakura.rows("SELECT reason FROM config_changes WHERE version_id = %s", row["id"])
    }
    assert reasons == {"localStorage migration by aiko@example.com, client tab-1"}
    tab.synchronise()
    assert [one["name"] for one in tab.settings["staffGroups"]] == ["Bakery", "Bar", "Floor", "Kitchen"]
    again = tab.send("SETTINGS_MIGRATE", {"settings": kept})
    assert (again.version_id, again.marks) == (None, {"migrated": True})
    sakura.ok("rollback", "--auto-approve")
    tab.synchronise()
    assert [one["name"] for one in tab.settings["staffGroups"]] == ["Bar", "Floor", "Kitchen"]


def test_a_stale_browser_wipes_nothing(sakura: Project, editor: Editor) -> None:
    tab = Tab(sakura.url, editor)
    before = load(sakura.url)
    for kept in (
        {"staffGroups": [{"name": "Kitchen", "color": "#000000"}]},
        {"staffGroups": [], "dailyLimits": []},
    ):
        answer = tab.attempt("SETTINGS_MIGRATE", {"settings": kept})
        assert answer.code == EditCode.CONFLICT if isinstance(answer, Fault) else answer.version_id is None
    assert load(sakura.url) == before


def test_a_reset_goes_back_to_what_is_inherited(sakura: Project) -> None:
    defaults = partial(default_content, Settings(sakura.directory / "config", sakura.url))
    with editing(sakura.url, defaults) as editor:
        tab = Tab(sakura.url, editor, user="aiko@example.com")
        assert refusal(tab, "SETTINGS_RESET").code == EditCode.NO_DEFAULTS
        sakura.write(
            {"_defaults/all.yaml": "daily_limits: [{name: Off, limit_config: {maxCount: 1}}, {name: New}]\n"}
        )
        fault = refusal(tab, "SETTINGS_RESET")
        assert fault.code == EditCode.BLOCKED
        assert {guard["guard"] for guard in fault.details["guards"]} == {"threshold"}
        assert number(sakura) == 1
        done = tab.send("SETTINGS_RESET", {"confirm": ["threshold"]})
        assert (done.marks, done.for_all) == ({"reset": True}, True)
        (row,) = sakura.rows("SELECT * FROM config_versions WHERE id = %s", done.version_id)
        assert (row["name"], row["description"]) == ("Default Configuration", "Reset to system defaults")
        was = tab.find("dailyLimits", "Off")["id"]
        tab.synchronise()
        assert [one["name"] for one in tab.settings["dailyLimits"]] == ["New", "Off"]
        assert tab.find("dailyLimits", "Off")["limitConfig"] == {"maxCount": 1}
        assert tab.find("dailyLimits", "Off")["id"] == was
        assert [tab.settings[table] for table in ("staffGroups", "monthlyLimits", "priorityRules")] == [
            []
        ] * 3
        # What the restaurant inherits by name comes before what all do; what it does not manage stays.
        sakura.write({"_more/daily.yaml": "daily_limits: [{name: Late, penalty_weight: 7}]\n"})
        sakura.restaurant(more="inherits: [_more]\nmanages: [daily_limits]\n")
        tab.send("SETTINGS_UPDATE_STAFF_GROUPS", {"group": {"name": "Kept"}})
        tab.send("SETTINGS_RESET", {"confirm": ["threshold", "rolled-back"]})
        tab.synchronise()
        assert [one["name"] for one in tab.settings["dailyLimits"]] == ["Late"]
        assert [one["name"] for one in tab.settings["staffGroups"]] == ["Kept"]
        sakura.write({"_more/daily.yaml": "daily_limits: [{nam: Late}]\n"})
        assert refusal(tab, "SETTINGS_RESET").code == EditCode.NO_DEFAULTS
        # Other people's mistakes do not matter here.
        sakura.write(
            {"_more/daily.yaml": "daily_limits: [{name: Late}]\n", "momiji/restaurant.yaml": "id: [\n"}
        )
        tab.send("SETTINGS_RESET")


def test_versions_are_made_and_switched(sakura: Project, editor: Editor) -> None:
    tab, other = (
        Tab(sakura.url, editor, user="aiko@example.com", user_id=USER),
        Tab(sakura.url, editor, "other"),
    )
    done = tab.send("SETTINGS_CREATE_VERSION", {"name": "春のメニュー", "description": "Before the season"})
    assert done.marks == {"created": {"id": done.version_id, "versionNumber": 2}}
    (row,) = sakura.rows("SELECT * FROM config_versions WHERE id = %s", done.version_id)
    assert (row["name"], row["description"]) == ("春のメニュー", "Before the season")
    assert not row["is_active"]
    assert str(row["created_by"]) == USER
    tab.find("staffGroups", "Kitchen")["color"] = "#111111"
    tab.save("staffGroups")
    seq = last(sakura)
    assert tab.send("SETTINGS_ACTIVATE_VERSION", {"versionId": done.version_id}).version_id == done.version_id
    assert audit(sakura, seq) == [("UPDATE", "staff_groups", "Kitchen")]
    (change, *_) = sakura.rows("SELECT * FROM config_changes WHERE seq > %s ORDER BY seq", seq)
    assert change["reason"] == "Activated by aiko@example.com, client tab-1"
    assert str(change["changed_by"]) == USER
    other.synchronise()
    assert other.find("staffGroups", "Kitchen")["color"] == "#3B82F6"
    assert other.version == 2
    unnamed = tab.send("SETTINGS_CREATE_VERSION")
    assert sakura.value("SELECT name FROM config_versions WHERE id = %s", unnamed.version_id) == "Version 4"


def test_a_restaurant_without_versions(project: Project) -> None:
    project.rows(
        "INSERT INTO restaurants (id, slug, name) VALUES (%s, 'sakura', 'Sakura') RETURNING 1", SAKURA
    )
    with editing(project.url) as editor:
        tab = Tab(project.url, editor)
        assert refusal(tab, "SETTINGS_CREATE_VERSION", {"name": "x"}).code == Code.NO_ACTIVE_VERSION
        tab.send("SETTINGS_MIGRATE", {"settings": {"staffGroups": [{"name": "Kitchen"}]}})
        tab.synchronise()
        assert (tab.version, len(tab.settings["staffGroups"])) == (1, 1)
        gone = Tab(project.url, editor)
        gone._restaurant = MOMIJI
        assert (
            refusal(gone, "SETTINGS_UPDATE_STAFF_GROUPS", {"group": {"name": "x"}}).code == Code.NO_RESTAURANT
        )


# --- at once ---------------------------------------------------------------------------------------


def test_many_at_once_lose_nothing(sakura: Project) -> None:
    tables = ["Kitchen", "Floor", "Bar"]
    with editing(sakura.url) as one, editing(sakura.url) as two:
        tabs = [Tab(sakura.url, (one, two)[at % 2], f"tab-{at}") for at in range(6)]

        def edit(at: int) -> None:
            group = tabs[at].find("staffGroups", tables[at % 3])
            group["color" if at < 3 else "description"] = f"#00000{at}"
            payload = {"group": group}
            while isinstance(answer := tabs[at].attempt("SETTINGS_UPDATE_STAFF_GROUPS", payload), Fault):
                assert "at the same time" in answer.message

        with ThreadPoolExecutor(6) as threads:
            list(threads.map(edit, range(6)))
    now = Tab(sakura.url, one)
    for at in range(6):
        group = now.find("staffGroups", tables[at % 3])
        assert group["color" if at < 3 else "description"] == f"#00000{at}"
    assert now.version == 7
    assert len(audit(sakura)) == 9 + 6


def test_a_lost_connection_costs_one_edit(sakura: Project, editor: Editor) -> None:
    tab = Tab(sakura.url, editor)
    tab.save("staffGroups")
    sakura.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()")  # fmt: skip
    tab.find("staffGroups", "Kitchen")["color"] = "#111111"
    with pytest.raises(Fault) as caught:
        tab.save("staffGroups")
    assert caught.value.code == Code.UNAVAILABLE
    tab.save("staffGroups")
    assert number(sakura) == 2


NAMES, FIELDS = ("Kitchen", "Floor", "Bar"), ("color", "description", "late", "early")
#: A field by the group's name and its own.
Place = tuple[str, str]


def fields(settings: dict[str, Any]) -> dict[Place, Any]:
    """The values of all fields."""
    groups = {group["name"]: group for group in settings["staffGroups"]}
    return {
        (name, field): groups[name][field]
        if field in groups[name]
        else groups[name]["groupConfig"]["shift"][field]
        for name in NAMES
        for field in FIELDS
    }


def put(tab: Tab, place: Place, value: Any) -> None:
    group = tab.find("staffGroups", place[0])
    (group if place[1] in group else group["groupConfig"]["shift"])[place[1]] = value


class Truth:
    """Every field's value, and by version who set it."""

    def __init__(self, values: dict[Place, Any]) -> None:
        self.values = values
        self._log: list[tuple[Place, int, str]] = []

    def wanted(self, mine: dict[Place, Any], told: dict[Place, Any]) -> dict[Place, Any]:
        """What a tab changes, and is not so already."""
        return {
            place: value for place, value in mine.items() if value not in (told[place], self.values[place])
        }

    def is_torn(self, wanted: dict[Place, Any], told: dict[Place, Any], tab: Tab) -> bool:
        """Whether others have changed some of it since."""
        return any(
            self.values[place] != told[place]
            and any(
                at == place and since > tab.version and who != tab.author.client
                for at, since, who in self._log
            )
            for place in wanted
        )

    def change(self, wanted: dict[Place, Any], number: int, tab: Tab) -> None:
        self.values.update(wanted)
        self._log += [(place, number, tab.author.client) for place in wanted]


@pytest.mark.parametrize("seed", range(4))
def test_tabs_that_do_as_they_like(sakura: Project, editor: Editor, seed: int) -> None:
    random = Random(seed)
    first = Tab(sakura.url, editor)
    for group in first.settings["staffGroups"]:
        group["groupConfig"] = {"shift": {"late": 0, "early": 0}}
    first.save("staffGroups")
    tabs = [Tab(sakura.url, editor, f"tab-{at}") for at in range(3)]
    told = {tab: fields(tab.settings) for tab in tabs}
    truth = Truth(fields(tabs[0].settings))
    outcomes: Counter[str] = Counter()
    for _ in range(40):
        tab = random.choice(tabs)
        place = (random.choice(NAMES), random.choice(FIELDS))
        put(tab, place, f"#{random.randrange(4)}00000" if place[1] in FIELDS[:2] else random.randrange(4))
        wanted = truth.wanted(fields(tab.settings), told[tab])
        is_torn = truth.is_torn(wanted, told[tab], tab)
        answer = tab.attempt("SETTINGS_UPDATE_STAFF_GROUPS", {"group": tab.settings["staffGroups"]})
        if isinstance(answer, Fault):
            assert (answer.code, is_torn) == (EditCode.STALE, True)
        else:
            assert not is_torn
            assert (answer.version_id is not None) == bool(wanted)
            truth.change(wanted, number(sakura), tab)
        outcomes["stale" if is_torn else "edit" if wanted else "echo"] += 1
        assert fields(load(sakura.url)) == truth.values
        if is_torn or random.random() < 0.15:
            tab.synchronise()
            told[tab] = fields(tab.settings)
    assert outcomes["edit"] > 10
    assert outcomes["stale"] > 0
