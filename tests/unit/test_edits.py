"""Edits of live clients: what counts as one, what is refused, and what a fault says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from rowform.edits.browser import BrowserSettings, with_browser
from rowform.edits.faults import EditCode
from rowform.edits.merge import Known, Merged, merge
from rowform.edits.sent import confirmed, sent_settings, words
from rowform.edits.threeway import Later
from rowform.kinds import kinds
from rowform.state import Entry
from rowform.wire import Code, Fault, Message, setting_fields
from tests.support.builders import ID, OTHER_ID, VERSION_ID, content, group, setting, stored

GROUPS, LIMITS, MODELS = (kinds()[name] for name in ("staff_groups", "daily_limits", "ml_model_configs"))
OLD = VERSION_ID
STRANGE = "99999999-9999-4999-8999-999999999999"


def told(one: Entry, version: str = OLD) -> dict[str, Any]:
    """A setting as a client has it."""
    shown: dict[str, Any] = {}
    for field in setting_fields(kinds()[one.kind]):
        value = one.values.get(field.column)
        if field.shape == "date" and value is not None:
            value = f"{value}T00:00:00Z"
        shown[field.name] = field.zero if value is None else value
    found = json.loads(json.dumps(shown))
    return {**found, "id": stored(one).entity_id, "restaurantId": ID, "versionId": version}


def known(
    active: Sequence[Entry],
    base: Sequence[Entry] = (),
    later: Sequence[Later] = (),
    former: Sequence[str] = (),
) -> Known:
    """What the database has; ``base`` is the content of the version that clients name."""
    rows = {stored(one).entity_id: stored(one) for one in base or active}
    return Known({one.key: stored(one) for one in active}, {OLD: rows}, frozenset(former), lambda *_: later)


def merged(kind: str, sent: Any, there: Known, member: str | None = None) -> Merged:
    one = kinds()[kind]
    names = {"staff_groups": "group", "daily_limits": "limit", "ml_model_configs": "config"}
    return merge(one, sent_settings(one, {member or names[kind]: sent}, ID), there)


def edited(kind: str, sent: Any, there: Known) -> dict[str, Any]:
    """What becomes of the only setting that is edited."""
    (found,) = merged(kind, sent, there).edited
    return dict(found.values)


def fault(kind: str, sent: Any, there: Known) -> tuple[str, list[str], str]:
    with pytest.raises(Fault) as caught:
        merged(kind, sent, there)
    paths = [one["path"] for one in caught.value.details["problems"]]
    return caught.value.code, paths, caught.value.message


# --- what counts as an edit ----------------------------------------------------------------------

KITCHEN = group(
    "Kitchen", color="#3B82F6", group_config={"members": ["料理長", "井関"], "note": {"a": 1, "b": [2]}}
)


def test_an_echo_changes_nothing_whatever_became_of_the_setting() -> None:
    now = group("Kitchen", color="#000000", description="new", group_config={"members": []}, is_active=False)
    for active in (KITCHEN, now):
        result = merged("staff_groups", told(KITCHEN), known([active], [KITCHEN]))
        assert result.edited == []
        assert result.entries == {"Kitchen": active}


def test_an_echo_of_what_was_deleted_changes_nothing() -> None:
    assert merged("staff_groups", told(KITCHEN), known([], [KITCHEN])).edited == []


@pytest.mark.parametrize(
    ("stored_as", "sent_as"),
    [
        ({"description": None}, {"description": ""}),
        ({"description": None}, {"description": None}),
        ({"description": ""}, {"description": ""}),
        ({"color": None}, {"color": ""}),
        ({"is_active": None}, {"isActive": False}),
        ({"group_config": {"n": 2**60 + 1}}, {"groupConfig": {"n": float(2**60 + 1)}}),
        ({"group_config": {"n": 1.0}}, {"groupConfig": {"n": 1}}),
    ],
)
def test_what_javascript_makes_of_values_is_no_edit(
    stored_as: dict[str, Any], sent_as: dict[str, Any]
) -> None:
    there = group("Kitchen", **stored_as)
    assert merged("staff_groups", {**told(there), **sent_as}, known([there])).edited == []


@pytest.mark.parametrize("day", ["2026-04-01", "2026-04-01T00:00:00Z", "2026-04-01T00:00:00.000Z"])
def test_days_may_be_spelled_as_times_of_midnight(day: str) -> None:
    there = setting("daily_limits", "Off", effective_from="2026-04-01")
    assert merged("daily_limits", {**told(there), "effectiveFrom": day}, known([there])).edited == []
    there = setting("daily_limits", "Off")
    found = edited("daily_limits", {**told(there), "effectiveFrom": day}, known([there]))
    assert found["effective_from"] == "2026-04-01"


def test_days_can_be_taken_away() -> None:
    there = setting("daily_limits", "Off", effective_from="2026-04-01", effective_until="2026-05-01")
    sent = {**told(there), "effectiveFrom": None, "effectiveUntil": ""}
    found = edited("daily_limits", sent, known([there]))
    assert (found["effective_from"], found["effective_until"]) == (None, None)


@pytest.mark.parametrize("stored_as", ["0044-03-15 BC", "-infinity", "infinity", "12026-01-01"])
def test_days_that_the_wire_cannot_tell_stay(stored_as: str) -> None:
    there = setting("daily_limits", "Off", effective_from=stored_as)
    first = "9999-12-31" if stored_as in ("infinity", "12026-01-01") else "0001-01-01"
    sent = {**told(there), "effectiveFrom": f"{first}T00:00:00Z"}
    assert merged("daily_limits", sent, known([there])).edited == []


@pytest.mark.parametrize(
    ("stored_as", "sent_as"),
    [("NaN", 0), ("Infinity", 1.7976931348623157e308), ("-Infinity", -1.7976931348623157e308)],
)
def test_numbers_that_json_cannot_tell_stay(stored_as: str, sent_as: float) -> None:
    there = setting("daily_limits", "Off", penalty_weight=stored_as)
    sent = {**told(there), "penaltyWeight": sent_as}
    assert merged("daily_limits", sent, known([there])).edited == []


def test_a_part_of_a_setting_is_enough() -> None:
    sent = {"id": stored(KITCHEN).entity_id, "versionId": OLD, "color": "#111111"}
    assert edited("staff_groups", sent, known([KITCHEN])) == {**KITCHEN.values, "color": "#111111"}


def test_a_list_of_settings_is_one_edit() -> None:
    floor = group("Floor")
    sent = [
        told(KITCHEN),
        {**told(floor), "color": "#111111"},
        {"name": "Bar", "groupConfig": {"members": ["x"]}},
    ]
    for member in ("group", "groups", "staffGroups"):
        result = merged("staff_groups", sent, known([KITCHEN, floor]), member)
        assert [one.key for one in result.edited] == ["Floor", "Bar"]
        assert list(result.entries) == ["Kitchen", "Floor", "Bar"]
        assert result.entries["Kitchen"] is not None
        assert result.entries["Bar"].values["is_active"] is True


# --- others ---------------------------------------------------------------------------------------


def test_edits_of_different_fields_meet() -> None:
    now = group(
        "Kitchen", color="#000000", group_config={"members": ["x"], "note": {"a": 1, "b": [2], "c": 3}}
    )
    sent = told(KITCHEN)
    sent["description"] = "mine"
    sent["groupConfig"]["note"]["a"] = 9
    del sent["groupConfig"]["note"]["b"]
    assert edited("staff_groups", sent, known([now], [KITCHEN])) == {
        **now.values,
        "description": "mine",
        "group_config": {"members": ["x"], "note": {"a": 9, "c": 3}},
    }


def test_the_same_edit_by_two_is_none() -> None:
    now = group("Kitchen", color="#111111", group_config=KITCHEN.values["group_config"])
    sent = {**told(KITCHEN), "color": "#111111"}
    assert merged("staff_groups", sent, known([now], [KITCHEN])).edited == []


@pytest.mark.parametrize(
    ("now", "change", "path"),
    [
        ({"color": "#000000"}, {"color": "#111111"}, "/group/color"),
        (
            {"group_config": {"members": ["x"], "note": {"a": 1, "b": [2]}}},
            {"members": ["y"]},
            "/group/groupConfig/members",
        ),
        (
            {"group_config": {"members": ["料理長", "井関"], "note": {"b": [2]}}},
            {"a": 2},
            "/group/groupConfig/note/a",
        ),
        ({"group_config": None}, {"members": ["y"]}, "/group/groupConfig"),
    ],
)
def test_edits_of_one_field_do_not(now: dict[str, Any], change: dict[str, Any], path: str) -> None:
    active = group("Kitchen", **{**KITCHEN.values, **now, "name": "Kitchen"})
    sent = told(KITCHEN)
    inside = sent["groupConfig"]
    (sent if "color" in change else inside["note"] if "a" in change else inside).update(change)
    assert fault("staff_groups", sent, known([active], [KITCHEN]))[:2] == (EditCode.STALE, [path])


def test_a_client_may_go_on_with_its_own_edits() -> None:
    forms = [
        group("Kitchen", **{**KITCHEN.values, "name": "Kitchen", "color": color})
        for color in ("#111111", "#222222")
    ]
    sent = {**told(KITCHEN), "color": "#333333"}
    own = [Later(is_own=True, values=one.values) for one in forms]
    assert edited("staff_groups", sent, known([forms[1]], [KITCHEN], own))["color"] == "#333333"
    for number in (0, 1):
        mixed = [Later(is_own=at != number, values=one.values) for at, one in enumerate(forms)]
        assert fault("staff_groups", sent, known([forms[1]], [KITCHEN], mixed))[0] == EditCode.STALE
    # Somebody went back to before all of it: what is active was not this client's doing.
    assert fault("staff_groups", sent, known([forms[1]], [KITCHEN], []))[0] == EditCode.STALE


def test_what_others_deleted_cannot_be_edited() -> None:
    sent = {**told(KITCHEN), "color": "#333333"}
    code, paths, message = fault("staff_groups", sent, known([], [KITCHEN]))
    assert (code, paths) == (EditCode.STALE, ["/group"])
    assert message == 'staff group "Kitchen" was deleted by somebody else meanwhile'
    sent = {**told(KITCHEN, STRANGE), "color": "#333333"}
    assert fault("staff_groups", sent, known([], [KITCHEN], former=[sent["id"]]))[0] == EditCode.STALE


def test_a_version_that_is_not_known_is_too_old() -> None:
    for version in (STRANGE, "v1", ""):
        sent = told(KITCHEN, version)
        code = EditCode.STALE if version else EditCode.INVALID
        assert fault("staff_groups", sent, known([KITCHEN]))[0] == code


def test_a_rename_keeps_who_it_is() -> None:
    (made,) = merged("staff_groups", {**told(KITCHEN), "name": "Galley"}, known([KITCHEN])).edited
    assert (made.key, made.previously) == ("Galley", ("Kitchen",))


# --- new settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", [{}, {"id": None}, {"id": ""}, {"id": "group-1712"}, {"id": STRANGE}])
def test_what_has_no_id_that_anybody_knows_is_new(id_: dict[str, Any]) -> None:
    sent = {**id_, "name": "Bar", "color": "#111111"}
    result = merged("staff_groups", sent, known([KITCHEN]))
    assert [one.key for one in result.edited] == ["Bar"]
    assert result.entries["Kitchen"].values == KITCHEN.values


def test_to_make_what_is_there_already() -> None:
    there = known([KITCHEN])
    assert merged("staff_groups", {"name": "Kitchen", "color": "#3B82F6"}, there).edited == []
    assert fault("staff_groups", {"name": "Kitchen", "color": "#111111"}, there)[0] == EditCode.STALE
    assert fault("staff_groups", {"name": "KITCHEN"}, there)[:2] == (EditCode.INVALID, ["/group/name"])


def test_what_is_paused_comes_back_only_for_who_knows_since_when() -> None:
    paused = group("Kitchen", color="#3B82F6", is_active=False)
    sent = {"name": "Kitchen", "color": "#111111"}
    code, _, message = fault("staff_groups", sent, known([paused]))
    assert code == EditCode.STALE
    assert "paused" in message
    found = edited("staff_groups", {**sent, "versionId": OLD}, known([paused]))
    assert (found["color"], found["is_active"]) == ("#111111", True)
    assert fault("staff_groups", {**sent, "versionId": OLD}, known([paused], [KITCHEN]))[0] == EditCode.STALE


# --- validity --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "change", "path"),
    [
        ("staff_groups", {"color": "red"}, "/group/color"),
        ("staff_groups", {"color": 7}, "/group/color"),
        ("staff_groups", {"name": ""}, "/group/name"),
        ("staff_groups", {"name": None}, "/group/name"),
        ("staff_groups", {"name": "a\u0000b"}, "/group/name"),
        ("staff_groups", {"description": "\u202e"}, "/group/description"),
        ("staff_groups", {"groupConfig": {"members": ["x", 1]}}, "/group/groupConfig/members/1"),
        ("staff_groups", {"groupConfig": {"members": ["x"], "n": 2**60 + 1}}, "/group/groupConfig/n"),
        ("staff_groups", {"groupConfig": {"__proto__": {}}}, "/group/groupConfig/__proto__"),
        ("staff_groups", {"groupConfig": []}, "/group/groupConfig"),
        ("staff_groups", {"colour": "#111111"}, "/group/colour"),
        ("staff_groups", {"previously": ["x"]}, "/group/previously"),
        ("staff_groups", {"group_config": {}}, "/group/group_config"),
        ("staff_groups", {"restaurantId": OTHER_ID}, "/group/restaurantId"),
        ("staff_groups", {"versionId": 3}, "/group/versionId"),
        ("staff_groups", {"isActive": "true"}, "/group/isActive"),
        ("daily_limits", {"penaltyWeight": -1}, "/limit/penaltyWeight"),
        ("daily_limits", {"effectiveFrom": "2026-04-01T15:00:00Z"}, "/limit/effectiveFrom"),
        ("daily_limits", {"effectiveFrom": "2026-02-30"}, "/limit/effectiveFrom"),
        (
            "daily_limits",
            {"effectiveFrom": "2026-05-01", "effectiveUntil": "2026-04-01"},
            "/limit/effectiveFrom",
        ),
        ("ml_model_configs", {"confidenceThreshold": 1.5}, "/config/confidenceThreshold"),
    ],
)
def test_values_are_what_the_kind_allows(kind: str, change: dict[str, Any], path: str) -> None:
    there = setting(kind, "One")
    assert fault(kind, {**told(there), **change}, known([there]))[:2] == (EditCode.INVALID, [path])


def test_what_is_missing_of_a_new_one() -> None:
    assert fault("ml_model_configs", {}, known([]))[1] == ["/config/modelName", "/config/modelType"]


def test_a_fault_says_where_it_is_and_what_is_wrong() -> None:
    sent = {**told(KITCHEN), "color": "red", "isActive": 1}
    code, paths, message = fault("staff_groups", [sent], known([KITCHEN]))
    assert (code, sorted(paths)) == (EditCode.INVALID, ["/group/0/color", "/group/0/isActive"])
    assert message == 'group[0].color: "red" is not a colour; write it as "#RRGGBB", in quotes (and 1 more)'


def test_what_was_wrong_already_stops_nobody() -> None:
    there = group("Kitchen", color="red", group_config={"members": [1], "n": 2**60 + 1, "x": "\u202e"})
    sent = told(there)
    sent["description"] = "mine"
    sent["groupConfig"]["more"] = True
    found = edited("staff_groups", sent, known([there]))
    assert (found["color"], found["group_config"]["n"]) == ("red", 2**60 + 1)
    assert found["group_config"]["more"] is True


def test_one_default_at_most() -> None:
    one, two = setting("ml_model_configs", "one", is_default=True), setting("ml_model_configs", "two")
    there = known([one, two])
    mine = {**told(two), "isDefault": True}
    assert fault("ml_model_configs", mine, there)[:2] == (EditCode.INVALID, ["/config/isDefault"])
    both = merged("ml_model_configs", [mine, {**told(one), "isDefault": False}], there)
    assert [entry.values["is_default"] for entry in both.edited] == [True, False]


def test_names_may_not_meet() -> None:
    floor = group("Floor")
    for name in ("Floor", "FLOOR"):
        found = fault("staff_groups", {**told(KITCHEN), "name": name}, known([KITCHEN, floor]))
        assert found[:2] == (EditCode.INVALID, ["/group/name"])
    new = [{"name": "Bar"}, {"name": "Bar"}]
    assert fault("staff_groups", new, known([]))[:2] == (EditCode.INVALID, ["/group/1/name"])
    assert fault("staff_groups", [told(floor)] * 2, known([floor]))[:2] == (EditCode.INVALID, ["/group/1/id"])


@pytest.mark.parametrize(
    "payload", [{}, {"limit": {}}, {"group": {}, "groups": []}, {"group": json.loads("[" * 70 + "]" * 70)}]
)
def test_a_payload_has_one_member_that_is_known(payload: dict[str, Any]) -> None:
    with pytest.raises(Fault) as caught:
        sent_settings(GROUPS, payload, ID)
    assert caught.value.code == Code.INVALID_PAYLOAD


@pytest.mark.parametrize("item", [None, 1, "x", [], True])
def test_a_setting_is_an_object(item: Any) -> None:
    with pytest.raises(Fault) as caught:
        sent_settings(GROUPS, {"group": [item]}, ID)
    assert caught.value.code == EditCode.INVALID


def test_confirming_names_guards() -> None:
    assert confirmed(Message("X", {}, "")) == frozenset()
    assert confirmed(Message("X", {"confirm": ["threshold"]}, "")) == {"threshold"}
    for given in (True, "threshold", ["locked"], ["stale"], [{}], {}):
        with pytest.raises(Fault):
            confirmed(Message("X", {"confirm": given}, ""))


def test_names_of_versions() -> None:
    assert words(Message("X", {"name": "春"}, ""), "name") == "春"
    for given in (1, "x" * 1001, "a\u001bb"):
        with pytest.raises(Fault):
            words(Message("X", {"name": given}, ""), "name")


# --- what a browser kept -----------------------------------------------------------------------------

KEPT = {"staffGroups": [{"name": "Kitchen", "color": "#111111", "members": ["料理長"]}, {"name": "Bar"}]}


def taken(payload: dict[str, Any], *active: Entry) -> dict[str, Any]:
    found = with_browser(BrowserSettings.read(payload), content(*active))
    return {key: dict(one.values) for entries in found.values() for key, one in entries.items()}


def refused(payload: dict[str, Any], *active: Entry) -> Fault:
    with pytest.raises(Fault) as caught:
        taken(payload, *active)
    return caught.value


def test_a_browser_adds_and_deletes_nothing() -> None:
    found = taken({"settings": KEPT}, group("Floor"))
    assert list(found) == ["Floor", "Kitchen", "Bar"]
    assert found["Kitchen"]["group_config"] == {"members": ["料理長"]}
    for spelled in (json.dumps(KEPT), json.dumps({"shift-schedule-settings": json.dumps(KEPT)})):
        assert taken({"settings": spelled}, group("Floor")) == found


def test_a_browser_does_not_overwrite_unasked() -> None:
    answer = refused({"settings": KEPT}, KITCHEN)
    assert answer.code == EditCode.CONFLICT
    (conflict,) = answer.details["conflicts"]
    assert (conflict["kind"], conflict["key"], conflict["path"]) == (
        "staff_groups",
        "Kitchen",
        "/settings/staffGroups/0",
    )
    assert {"path": "/color", "browser": "#111111", "active": "#3B82F6"} in conflict["fields"]
    json.dumps(answer.details)
    assert taken({"settings": KEPT, "onConflict": "keep"}, KITCHEN)["Kitchen"] == KITCHEN.values
    assert taken({"settings": KEPT, "onConflict": "replace"}, KITCHEN)["Kitchen"]["color"] == "#111111"


def test_nothing_of_a_browser_is_dropped_in_silence() -> None:
    kept = {**KEPT, "theme": "dark", "weeklyLimits": [{"name": "x"}]}
    answer = refused({"settings": kept})
    assert answer.code == EditCode.INVALID
    assert [one["path"] for one in answer.details["problems"]] == [
        "/settings/theme",
        "/settings/weeklyLimits/0",
    ]
    assert list(taken({"settings": kept, "leaveOut": ["/theme", "/weeklyLimits/0"]})) == ["Kitchen", "Bar"]
    assert list(taken({"settings": kept, "leaveOut": True})) == ["Kitchen", "Bar"]
    assert refused({"settings": kept, "leaveOut": ["/none"]}).code == EditCode.INVALID


def test_tables_can_be_chosen() -> None:
    kept = {**KEPT, "dailyLimits": [{"name": "Off", "value": 3, "type": "off"}]}
    assert list(taken({"settings": kept, "tables": ["staffGroups"]})) == ["Kitchen", "Bar"]
    assert list(taken({"settings": kept, "tables": ["daily_limits"]})) == ["Off"]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"settings": []},
        {"settings": KEPT, "tables": "staff_groups"},
        {"settings": KEPT, "tables": ["x"]},
        {"settings": KEPT, "tables": [{}]},
        {"settings": KEPT, "leaveOut": "all"},
        {"settings": KEPT, "leaveOut": [1]},
        {"settings": KEPT, "onConflict": "merge"},
        {"settings": KEPT, "onConflict": []},
    ],
)
def test_a_migration_says_what_it_wants(payload: dict[str, Any]) -> None:
    assert refused(payload).code == Code.INVALID_PAYLOAD


@pytest.mark.parametrize(
    "settings", [{}, {"x": 1}, "", "{", "null", {"staffGroups": 7}, {"staffGroups": [{"color": 1}]}]
)
def test_what_is_no_browsers_settings_is_refused(settings: Any) -> None:
    answer = refused({"settings": settings})
    assert answer.code == EditCode.INVALID
    assert answer.details["problems"]


def test_a_browser_may_not_make_two_defaults() -> None:
    kept = {"mlModelConfigs": [{"modelName": "two", "modelType": "x", "isDefault": True}]}
    assert (
        refused({"settings": kept}, setting("ml_model_configs", "one", is_default=True)).code
        == EditCode.INVALID
    )
