"""Live messages: what is read, what is written, and that no input gets through as something else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowform import wire
from rowform.kinds import Kind, Setting, kinds
from rowform.kinds.base import Flag, Json, JsonObject, Key, Text, Weight
from rowform.wire import Code, Fault, Head, Snapshot
from tests.support.go_structs import AGGREGATE

NOW = datetime(2026, 4, 1, 9, 30, 0, 125_000, tzinfo=timezone(timedelta(hours=9)))
VERSION = "33333333-3333-4333-8333-333333333333"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def head(version: str | None = VERSION, **more: Any) -> Head:
    facts: dict[str, Any] = {"is_locked": False, "name": "A name", "description": None, **more}
    return Head("11111111-1111-4111-8111-111111111111", "sakura", "Asia/Tokyo", version, **facts)


def told(tables: Mapping[str, Any], version: str = VERSION) -> Snapshot:
    texts = {name: json.dumps(tables.get(name, [])) for name in kinds()}
    return wire.snapshot(head(version), 4, None, json.dumps({"id": version}), texts)


# --- what clients say ----------------------------------------------------------------------------


def test_a_message_is_read() -> None:
    sent = {
        "type": "SETTINGS_ACK",
        "payload": {"versionId": "x"},
        "timestamp": 1,
        "clientId": "タブ",
        "more": [],
    }
    assert wire.decode(json.dumps(sent)) == wire.Message("SETTINGS_ACK", {"versionId": "x"}, "タブ")
    assert wire.decode('{"type": "SETTINGS_RESET"}') == wire.Message("SETTINGS_RESET", {}, "")
    assert wire.decode('{"type": "X", "payload": null, "clientId": null}') == wire.Message("X", {}, "")


@pytest.mark.parametrize("type_", ["SYNC_REQUEST", "STAFF_UPDATE", "STAFF_", "SHIFT_CREATE"])
def test_other_parts_of_the_application_talk_about_other_things(type_: str) -> None:
    assert wire.decode(json.dumps({"type": type_, "payload": "whatever", "clientId": 7})) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.INVALID_MESSAGE),
        ("{", Code.INVALID_MESSAGE),
        ("[]", Code.INVALID_MESSAGE),
        ("null", Code.INVALID_MESSAGE),
        ("NaN", Code.INVALID_MESSAGE),
        ('"SETTINGS_RESET"', Code.INVALID_MESSAGE),
        ("{}", Code.INVALID_MESSAGE),
        ('{"type": 7}', Code.INVALID_MESSAGE),
        ('{"type": ["STAFF_UPDATE"]}', Code.INVALID_MESSAGE),
        ('{"type": "A", "clientId": 7}', Code.INVALID_MESSAGE),
        ('{"type": "A", "clientId": "' + "x" * 201 + '"}', Code.INVALID_MESSAGE),
        ('{"type": "A", "clientId": "\\ud800"}', Code.INVALID_MESSAGE),
        ('{"type": "A", "payload": []}', Code.INVALID_PAYLOAD),
        ('{"type": "A", "payload": "text"}', Code.INVALID_PAYLOAD),
        ('{"type": "A", "payload": false}', Code.INVALID_PAYLOAD),
        ("[" * 100_000, Code.INVALID_MESSAGE),
        ('{"a":' * 100_000, Code.INVALID_MESSAGE),
    ],
)
def test_what_is_no_message(text: str, code: str) -> None:
    with pytest.raises(Fault) as caught:
        wire.decode(text)
    assert caught.value.code == code


@given(st.text() | JSON.map(json.dumps) | st.fixed_dictionaries(
    {"type": JSON}, optional={"payload": JSON, "clientId": JSON}).map(json.dumps))  # fmt: skip
def test_anything_is_a_message_or_a_fault(text: str) -> None:
    try:
        found = wire.decode(text)
    except Fault as one:
        fault = one
    else:
        assert found is None or (isinstance(found.payload, dict) and isinstance(found.client_id, str))
        return
    answer = json.loads(wire.error(fault, NOW))
    assert answer["payload"] == {"message": fault.message, "code": fault.code}


def test_members_that_are_texts() -> None:
    message = wire.Message("A", {"one": "x", "two": 2, "three": None}, "")
    assert (message.text("one"), message.text("three"), message.text("four")) == ("x", None, None)
    with pytest.raises(Fault, match=r"payload\.two is no text"):
        message.text("two")


def test_the_messages_that_write() -> None:
    assert wire.edit_types(kinds().values()) >= {
        "SETTINGS_UPDATE_STAFF_GROUPS",
        "SETTINGS_UPDATE_DAILY_LIMITS",
        "SETTINGS_UPDATE_MONTHLY_LIMITS",
        "SETTINGS_UPDATE_PRIORITY_RULES",
        "SETTINGS_UPDATE_ML_CONFIG",
        "SETTINGS_MIGRATE",
        "SETTINGS_RESET",
        "SETTINGS_CREATE_VERSION",
        "SETTINGS_ACTIVATE_VERSION",
    }


# --- how settings are told -----------------------------------------------------------------------


def test_fields_are_those_of_the_applications_structs() -> None:
    found = {
        wire.table_name(kind): [one.name for one in wire.setting_fields(kind)] for kind in kinds().values()
    }
    assert found == {name: list(struct) for name, struct in AGGREGATE.items()}


class Extra(JsonObject):
    pass


class Shift(Setting):
    table: ClassVar[str] = "night_shifts"
    name: Key
    note: Text | None = None
    weight: Weight | None = None
    extra_config: Annotated[Extra | None, Json] = None
    is_open: Flag | None = None


def test_a_kind_of_ones_own_has_nulls() -> None:
    kind = Kind(Shift)
    assert wire.table_name(kind) == "nightShifts"
    assert wire.update_type(kind) == "SETTINGS_UPDATE_NIGHT_SHIFTS"
    fields = {one.name: (one.shape, one.zero) for one in wire.setting_fields(kind)}
    assert fields["note"] == ("text", None)
    assert fields["extraConfig"] == ("jsonb", None)
    assert fields["isOpen"] == ("boolean", None)
    assert fields["createdAt"] == ("moment", None)


def test_the_answer_to_a_request() -> None:
    found = told({"staff_groups": [{"name": "厨房", "versionId": VERSION}]})
    text = wire.sync_response(found, NOW, 'a "client"', wire.update_marks(["staff_groups"]))
    assert json.loads(text) == {
        "type": "SETTINGS_SYNC_RESPONSE",
        "payload": {
            "settings": {
                "staffGroups": [{"name": "厨房", "versionId": VERSION}],
                "dailyLimits": [],
                "monthlyLimits": [],
                "priorityRules": [],
                "mlModelConfigs": [],
                "version": {"id": VERSION},
            },
            "timestamp": "2026-04-01T00:30:00.125Z",
            "updated": "staff_groups",
            "updatedTables": ["staff_groups"],
        },
        "timestamp": "2026-04-01T00:30:00.125Z",
        "clientId": 'a "client"',
    }


def test_what_has_changed() -> None:
    other = "44444444-4444-4444-8444-444444444444"
    before = told(
        {"staff_groups": [{"name": "A", "versionId": VERSION}], "daily_limits": [{"versionId": VERSION}]}
    )
    after = told(
        {"staff_groups": [{"name": "B", "versionId": other}], "daily_limits": [{"versionId": other}]}, other
    )
    assert wire.changed_tables(before, after) == ("staff_groups",)
    assert wire.changed_tables(before, before) == ()
    nothing = wire.snapshot(head(None), None, None, None, {})
    assert (nothing.settings, nothing.digests) == (b"", {})
    assert wire.changed_tables(nothing, after) == tuple(kinds())
    assert wire.update_marks(["a", "b"]) == {"updatedTables": ["a", "b"]}
    assert wire.update_marks([]) == {"updatedTables": []}


def test_how_long_it_is_active_makes_no_other_head() -> None:
    assert head(age=1.0) == head(age=None)
    assert head() != head(is_locked=True)


def limit(start: str | None, end: str | None) -> dict[str, Any]:
    return {
        "name": "A",
        "effectiveFrom": start and f"{start}T00:00:00Z",
        "effectiveUntil": end and f"{end}T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("start", "end", "differs"),
    [
        ("2026-04-02", None, True),
        (None, "2026-04-01", True),
        ("2026-04-02", "2026-04-02", True),
        ("2026-04-01", "2026-04-02", False),
        (None, None, False),
        ("2026-04-03", None, False),
        (None, "2026-03-31", False),
        ("9999-12-31", None, False),
        ("0001-01-01", "9999-12-31", False),
    ],
)
def test_what_midnight_changes(start: str | None, end: str | None, differs: bool) -> None:
    one, other = date(2026, 4, 1), date(2026, 4, 2)
    for table in ("daily_limits", "monthly_limits", "priority_rules"):
        found = told({table: [limit(None, None), limit(start, end)]})
        assert wire.effects_differ(found, kinds().values(), one, other) is differs
        assert wire.effects_differ(found, kinds().values(), other, one) is differs
    assert not wire.effects_differ(told({}), kinds().values(), one, other)


def test_times() -> None:
    assert wire.moment(NOW) == "2026-04-01T00:30:00.125Z"
    assert wire.moment(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
