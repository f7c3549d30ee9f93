"""What clients of the live server are told, in the words and types of the application."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rowform.server.limits import Limits
from tests.support.go_structs import misfits
from tests.support.live import Clock, Peer, live, run, until
from tests.support.project import MOMIJI, SAKURA, Project

SETTINGS = """\
staff_groups:
  - name: 厨房
    color: "#111111"
    group_config: {members: [料理長, 井関], note: "a \\"quote\\", a \\\\ and a 🍁"}
  - name: Bar
    description: Everybody
  - name: Away
    is_active: false
daily_limits:
  - name: Max off
    limit_config: {shiftType: off, maxCount: 3, exact: 1234567.10, deep: [{a: {b: null}}]}
    penalty_weight: 12.50
    is_hard_constraint: true
    effective_from: 2026-04-01
    effective_until: 2026-05-06
monthly_limits:
  - name: Nothing said
    penalty_weight: null
    limit_config: null
"""
MORE = """\
priority_rules:
  - name: Head chef
    rule_definition: {ruleType: required_off, staffId: 料理長, daysOfWeek: [0]}
    priority_level: 2
ml_model_configs:
  - {model_name: aaa, model_type: x}
  - {model_name: zzz, model_type: genetic_algorithm, is_default: true, parameters: {populationSize: 100}}
"""


@pytest.fixture
def sakura(project: Project) -> Project:
    project.restaurant()
    project.write({"sakura/all.yaml": SETTINGS + MORE})
    project.apply()
    return project


async def change(project: Project, number: int) -> None:
    """Apply another colour, in another thread."""
    text = (SETTINGS + MORE).replace("#111111", f"#{number:06d}")
    project.write({"sakura/all.yaml": text})
    await asyncio.to_thread(project.apply)


def test_the_settings_are_what_the_applications_structs_are(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server, server.client("/staff-sync") as client:
            greeting = await client.expect("CONNECTION_ACK")
            answer = await client.synchronise()
        settings = answer["payload"]["settings"]
        assert misfits(settings) == []
        assert (answer["type"], answer["clientId"]) == ("SETTINGS_SYNC_RESPONSE", "tab-1")
        assert set(answer["payload"]) == {"settings", "timestamp"}
        assert answer["payload"]["timestamp"] == answer["timestamp"]
        assert greeting["payload"] == {
            "restaurantId": SAKURA,
            "restaurant": "sakura",
            "versionId": settings["version"]["id"],
            "versionNumber": 1,
            "edits": "reject",
            "server": greeting["payload"]["server"],
        }
        assert [one["name"] for one in settings["staffGroups"]] == ["Bar", "厨房"]
        bar, kitchen = settings["staffGroups"]
        assert (bar["description"], bar["color"], bar["groupConfig"]) == ("Everybody", "", {})
        assert kitchen["groupConfig"] == {"members": ["料理長", "井関"], "note": 'a "quote", a \\ and a 🍁'}
        (daily,) = settings["dailyLimits"]
        assert (daily["effectiveFrom"], daily["effectiveUntil"]) == (
            "2026-04-01T00:00:00Z",
            "2026-05-06T00:00:00Z",
        )
        assert (daily["penaltyWeight"], daily["isHardConstraint"]) == (12.5, True)
        assert daily["limitConfig"]["deep"] == [{"a": {"b": None}}]
        (monthly,) = settings["monthlyLimits"]
        assert (monthly["penaltyWeight"], monthly["limitConfig"], monthly["effectiveFrom"]) == (0, None, None)
        assert [one["modelName"] for one in settings["mlModelConfigs"]] == ["zzz", "aaa"]
        assert settings["version"]["versionNumber"] == 1
        row = sakura.rows("SELECT id::text, version_id::text FROM staff_groups WHERE name = 'Bar'")[0]
        assert (bar["id"], bar["versionId"], bar["restaurantId"]) == (row["id"], row["version_id"], SAKURA)

    run(test())


def test_odd_values_that_only_a_database_has(sakura: Project) -> None:
    exact = '{"big": 123456789012345678901234567890.5, "exact": 1.10}'
    for statement in (
        "daily_limits SET penalty_weight = 'NaN', effective_from = '-infinity', effective_until = 'infinity'",
        f"monthly_limits SET penalty_weight = 'Infinity', limit_config = '{exact}'",
        "monthly_limits SET effective_from = '20000-01-01'",
        "staff_groups SET is_active = NULL WHERE name = 'Bar'",
    ):
        sakura.rows(f"UPDATE {statement} RETURNING 1")

    async def test() -> None:
        async with live(sakura.url) as server, server.client() as client:
            await client.expect("CONNECTION_ACK")
            settings = (await client.synchronise())["payload"]["settings"]
        assert misfits(settings) == []
        (daily,), (monthly,) = settings["dailyLimits"], settings["monthlyLimits"]
        assert (daily["effectiveFrom"], daily["effectiveUntil"]) == (
            "0001-01-01T00:00:00Z",
            "9999-12-31T00:00:00Z",
        )
        assert (daily["penaltyWeight"], float(monthly["penaltyWeight"])) == (0, 1.7976931348623157e308)
        assert monthly["effectiveFrom"] == "9999-12-31T00:00:00Z"
        assert '"big": 123456789012345678901234567890.5, "exact": 1.10' in client.heard[-1]
        assert [one["name"] for one in settings["staffGroups"]] == ["厨房"]

    run(test())


def test_every_activation_reaches_everybody_with_what_it_changed(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server, server.client() as one, server.client("/ws") as other:
            for client in (one, other):
                await client.expect("CONNECTION_ACK")
            await change(sakura, 2)
            for client in (one, other):
                message = await client.expect("SETTINGS_SYNC_RESPONSE")
                assert message["payload"]["updated"] == "staff_groups"
                assert message["payload"]["updatedTables"] == ["staff_groups"]
                assert message["clientId"] == "rowform"
                assert message["payload"]["settings"]["staffGroups"][1]["color"] == "#000002"
            # The very same bytes for all.
            assert one.heard[-1] == other.heard[-1]
            text = (sakura.directory / "config/sakura/all.yaml").read_text()
            sakura.write({"sakura/all.yaml": text.replace("#000002", "#000003").replace("12.50", "13")})
            await asyncio.to_thread(sakura.apply)
            both = (await one.expect("SETTINGS_SYNC_RESPONSE"))["payload"]
            assert both["updatedTables"] == ["staff_groups", "daily_limits"]
            assert "updated" not in both
            await asyncio.to_thread(sakura.ok, "rollback", "--auto-approve")
            back = await one.version(2)
            assert back["payload"]["updatedTables"] == ["staff_groups", "daily_limits"]
            assert misfits(back["payload"]["settings"]) == []
            await until(lambda: server.surroundings.metrics.lag._sum.get() > 0)
            assert await server.metric("rowform_live_send_lag_seconds_count") >= 5

    run(test())


def test_direct_writes_are_activations_too(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server, server.client() as client:
            await client.expect("CONNECTION_ACK")
            await asyncio.to_thread(sakura.rows, "UPDATE staff_groups SET color = '#abcdef' RETURNING 1")
            message = await client.expect("SETTINGS_SYNC_RESPONSE")
            assert message["payload"]["updated"] == "staff_groups"
            assert {one["color"] for one in message["payload"]["settings"]["staffGroups"]} == {"#abcdef"}

    run(test())


def test_the_version_is_where_a_client_goes_on(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server, server.client() as client:
            version = (await client.expect("CONNECTION_ACK"))["payload"]["versionId"]
            same = await client.synchronise(versionId=version)
            assert same["type"] == "SETTINGS_UP_TO_DATE"
            assert same["clientId"] == "tab-1"
            assert (same["payload"]["versionId"], same["payload"]["versionNumber"]) == (version, 1)
            for other in ("11111111-1111-4111-8111-111111111111", "", "no id", None):
                assert (await client.synchronise(versionId=other))["type"] == "SETTINGS_SYNC_RESPONSE"
            wrong = await client.synchronise(versionId=7)
            assert wrong["payload"] == {"message": "payload.versionId is no text", "code": "INVALID_PAYLOAD"}

    run(test())


def test_who_has_which_version(sakura: Project) -> None:
    async def test() -> None:
        async with (
            live(sakura.url) as server,
            server.client() as one,
            server.client() as two,
            server.client() as mute,
        ):
            first = (await one.expect("CONNECTION_ACK"))["payload"]["versionId"]
            for client in (two, mute):
                await client.expect("CONNECTION_ACK")
            assert server.server.hub.census() == {("sakura", "none"): 3}
            await one.synchronise()
            await two.send("SETTINGS_ACK", {"versionId": first})
            await until(lambda: server.server.hub.census() == {("sakura", "1"): 2, ("sakura", "none"): 1})
            await change(sakura, 2)
            for client in (one, two, mute):
                await client.version(2)
            # Who says itself what it has is believed; for the others it is what they were sent.
            await until(lambda: server.server.hub.census() == {("sakura", "1"): 1, ("sakura", "2"): 2})
            await two.send("SETTINGS_ACK", {"versionId": "made up"})
            await until(lambda: server.server.hub.census()[("sakura", "none")] == 1)
            wrong = (await _ask(two, "SETTINGS_ACK", {}))["payload"]
            assert wrong["code"] == "INVALID_PAYLOAD"
            _, text, _ = await server.get("/metrics")
            assert 'rowform_live_clients{restaurant="sakura",version="2"} 2.0' in text
        assert server.server.hub.census() == {}

    run(test())


async def _ask(client: Peer, type_: str, payload: Any = None) -> dict[str, Any]:
    await client.send(type_, payload)
    return await client.receive()


EDITS = (
    "SETTINGS_UPDATE_STAFF_GROUPS",
    "SETTINGS_UPDATE_DAILY_LIMITS",
    "SETTINGS_UPDATE_MONTHLY_LIMITS",
    "SETTINGS_UPDATE_PRIORITY_RULES",
    "SETTINGS_UPDATE_ML_CONFIG",
    "SETTINGS_MIGRATE",
    "SETTINGS_RESET",
    "SETTINGS_CREATE_VERSION",
    "SETTINGS_ACTIVATE_VERSION",
)


def test_edits_are_told_where_settings_are_managed(sakura: Project) -> None:
    before = sakura.rows("SELECT count(*) AS n FROM config_versions")

    async def test() -> None:
        async with live(sakura.url) as server, server.client() as client:
            await client.expect("CONNECTION_ACK")
            for type_ in EDITS:
                answer = await _ask(client, type_, {"group": {"name": "x"}, "versionId": "y", "settings": {}})
                assert answer["payload"] == {
                    "message": "settings are managed in Git, and are changed there",
                    "code": "MANAGED_IN_GIT",
                }
                assert (answer["type"], answer["clientId"]) == ("ERROR", "tab-1")
            place = "https://git.example.com/till/settings"
            await asyncio.to_thread(sakura.ok, "db", "protect", "--auto-approve", "--managed-in", place)
            await change(sakura, 2)
            await client.version(2)
            assert (await _ask(client, EDITS[0]))["payload"]["message"].endswith(f"change them in {place}")

    run(test())
    assert sakura.rows("SELECT count(*) AS n FROM config_versions")[0]["n"] == before[0]["n"] + 1


def test_what_is_not_understood_is_answered_and_what_is_for_others_is_not(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server, server.client() as client:
            await client.expect("CONNECTION_ACK")
            for text, code in (
                ("{", "INVALID_MESSAGE"),
                ("[1]", "INVALID_MESSAGE"),
                ('{"type": "SETTINGS_SYNC_REQUEST", "payload": []}', "INVALID_PAYLOAD"),
                ('{"type": "SETTINGS_UPDATE_EVERYTHING"}', "UNKNOWN_TYPE"),
                ('{"type": "\\u001b[31m<img>"}', "UNKNOWN_TYPE"),
            ):
                await client.connection.send(text)
                answer = await client.expect("ERROR")
                assert answer["payload"]["code"] == code
                assert "img" not in client.heard[-1]
            for type_ in ("STAFF_UPDATE", "SHIFT_DELETE", "SYNC_REQUEST"):
                await client.send(type_, {"anything": 1})
            assert (await client.synchronise())["type"] == "SETTINGS_SYNC_RESPONSE"
            assert await server.metric("rowform_live_errors_total") == 5

    run(test())


def test_which_restaurant(sakura: Project) -> None:
    from rowform.server.gate import Doors

    async def greeted(server: Any, path: str) -> Any:
        async with server.client(path) as client:
            message = await client.receive()
            if message["type"] == "ERROR":
                code, reason = await client.closed()
                assert (code, reason) == (1008, message["payload"]["message"])
            return message["payload"].get("restaurant") or message["payload"]["code"]

    async def test() -> None:
        async with live(sakura.url) as server:
            assert await greeted(server, "/") == "sakura"  # the only one
            sakura.restaurant("momiji", MOMIJI)
            sakura.write({"momiji/all.yaml": "staff_groups: [{name: Secret}]\n"})
            await asyncio.to_thread(sakura.apply)
        async with live(sakura.url) as server:
            assert await greeted(server, "/") == "NO_RESTAURANT"
            assert await greeted(server, "/ws?restaurant=sakura") == "sakura"
            assert await greeted(server, f"/ws?restaurant={MOMIJI.upper()}") == "momiji"
            for odd in ("nowhere", "", "%00", "a" * 500, "%F0%9F%8D%81", "sakura&restaurant=momiji", "'--"):
                assert await greeted(server, f"/?restaurant={odd}") == "NO_RESTAURANT"
        async with live(sakura.url, doors=Doors(default="momiji")) as server:
            assert await greeted(server, "/") == "momiji"
            assert await greeted(server, "/?restaurant=sakura") == "sakura"
        async with live(sakura.url, doors=Doors(only=(MOMIJI,))) as server:
            assert await greeted(server, "/") == "momiji"
            assert await greeted(server, "/?restaurant=sakura") == "NO_RESTAURANT"

    run(test())


def test_no_restaurant_and_no_version(project: Project) -> None:
    async def test() -> None:
        async with live(project.url) as server:
            async with server.client() as client:
                assert (await client.expect("ERROR"))["payload"]["code"] == "NO_RESTAURANT"
                assert (await client.closed())[0] == 1008
            project.rows(
                "INSERT INTO restaurants (id, name, slug) VALUES (%s, 'Sakura', 'sakura') RETURNING 1", SAKURA
            )
            async with server.client() as client:
                assert (await client.expect("CONNECTION_ACK"))["payload"]["versionId"] is None
                assert (await client.synchronise())["payload"]["code"] == "NO_ACTIVE_VERSION"
                project.restaurant()
                project.write({"sakura/all.yaml": SETTINGS})
                await asyncio.to_thread(project.apply)
                await client.version(1)
                # An application may leave none active; nobody is told, but then there is nothing to have.
                project.rows("UPDATE config_versions SET is_active = false RETURNING 1")
                await server.stop_listening()
                server.start_listening()
                await until(lambda: server.server.hub.channel(SAKURA).told is None)
                assert (await client.synchronise())["payload"]["code"] == "NO_ACTIVE_VERSION"

    run(test())


def test_a_purged_restaurant_says_goodbye(sakura: Project) -> None:
    async def test() -> None:
        limits = replace(Limits(), poll=0.05)
        async with live(sakura.url, limits=limits) as server, server.client() as client:
            await client.expect("CONNECTION_ACK")
            (sakura.directory / "config/sakura/restaurant.yaml").unlink()
            (sakura.directory / "config/sakura/all.yaml").unlink()
            await asyncio.to_thread(sakura.ok, "db", "purge", "-r", "sakura", "--auto-approve")
            assert await client.closed() == (1008, "there is no such restaurant any more")

    run(test())


def test_a_lock_is_told_as_well(sakura: Project) -> None:
    async def test() -> None:
        limits = replace(Limits(), poll=0.05)
        async with live(sakura.url, limits=limits) as server, server.client() as client:
            await client.expect("CONNECTION_ACK")
            await asyncio.to_thread(sakura.ok, "lock", "active")
            message = await client.expect("SETTINGS_SYNC_RESPONSE")
            assert message["payload"]["settings"]["version"]["isLocked"] is True
            assert message["payload"]["updatedTables"] == []
            assert await server.metric("rowform_live_missed_notifications_total") == 0

    run(test())


def test_midnight_in_the_restaurants_time_zone(sakura: Project) -> None:
    clock = Clock(datetime(2026, 5, 6, 14, 59, 59, tzinfo=UTC))  # 23:59:59 in Tokyo

    async def test() -> None:
        limits = replace(Limits(), tick=0.01)
        async with live(sakura.url, limits=limits, clock=clock) as server, server.client() as client:
            await client.expect("CONNECTION_ACK")
            await client.synchronise()
            clock.now = datetime(2026, 5, 6, 15, 0, 0, tzinfo=UTC)
            message = await client.expect("SETTINGS_SYNC_RESPONSE")
            payload = message["payload"]
            assert payload["effectiveOn"] == "2026-05-07"
            assert payload["timestamp"] == "2026-05-06T15:00:00.000Z"
            assert payload["settings"]["version"]["versionNumber"] == 1
            assert "updatedTables" not in payload
            # The next midnight changes nothing; nothing is said.
            clock.now = datetime(2026, 5, 7, 15, 0, 0, tzinfo=UTC)
            await until(lambda: server.server.hub.channel(SAKURA)._day.isoformat() == "2026-05-08")
            assert (await _ask(client, "NOTHING"))["payload"]["code"] == "UNKNOWN_TYPE"

    run(test())


def test_paths_and_answers(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server:
            await until(lambda: server.surroundings.database.is_up)
            for path, status in (
                ("/healthz", 200),
                ("/readyz", 200),
                ("/metrics", 200),
                ("/", 426),
                ("/x", 404),
            ):
                found, body, headers = await server.get(path)
                assert found == status, path
                assert body.endswith("\n")
                assert headers["Cache-Control"] == "no-store"
                assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert "Server" not in headers
            assert json.loads((await server.get("/healthz"))[1]) == {"status": "ok"}
            with pytest.raises(Exception, match="404"):
                async with server.client("/elsewhere"):
                    pass

    run(test())
