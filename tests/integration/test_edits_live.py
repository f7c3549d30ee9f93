"""Edits over real WebSockets: what who sent them, and everybody else, is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from psycopg import sql

from rowform.config import ToolConfig
from rowform.errors import UsageError
from rowform.server.identity import Tokens
from rowform.sync.configuration import Settings
from rowform.sync.editing import applied_edits
from tests.support.live import AUDIENCE, SECRET, Live, Peer, as_role, bearer, live, run, token
from tests.support.project import SAKURA, Project

USER = "5f3c9f5e-6a35-4b0e-8f0b-3a4f9a6e7d11"
TEXT = """\
staff_groups: [{name: Kitchen, color: "#3B82F6"}, {name: Floor}]
daily_limits: [{name: Off, limit_config: {maxCount: 3}}]
"""


@pytest.fixture
def sakura(project: Project) -> Project:
    project.restaurant()
    project.write({"sakura/settings.yaml": TEXT})
    project.apply()
    return project


@asynccontextmanager
async def editable(project: Project, **options: Any) -> AsyncIterator[Live]:
    """A server that applies edits."""
    edits = applied_edits(Settings(project.directory / "config"), ToolConfig(), project.url)
    try:
        async with live(project.url, edits=edits, **options) as server:
            yield server
    finally:
        await asyncio.to_thread(edits.close)


async def told(peer: Peer) -> dict[str, Any]:
    """The settings as of now, after the greeting."""
    greeting = await peer.expect("CONNECTION_ACK")
    assert greeting["payload"]["edits"] == "apply"
    return (await peer.synchronise())["payload"]["settings"]


def test_every_tab_is_told_of_an_edit(sakura: Project) -> None:
    async def test() -> None:
        async with editable(sakura) as server, server.client() as one, server.client() as two:
            settings = await told(one)
            await told(two)
            kitchen = next(group for group in settings["staffGroups"] if group["name"] == "Kitchen")
            await one.send("SETTINGS_UPDATE_STAFF_GROUPS", {"group": {**kitchen, "color": "#111111"}})
            for peer in (one, two):
                message = await peer.version(2)
                assert message["payload"]["updated"] == "staff_groups"
                (found,) = [
                    g for g in message["payload"]["settings"]["staffGroups"] if g["name"] == "Kitchen"
                ]
                assert found["color"] == "#111111"
            # Who repeats what it was told long ago gets what is so now.
            await one.send("SETTINGS_UPDATE_STAFF_GROUPS", {"group": kitchen}, "tab-7")
            answer = await one.expect("SETTINGS_SYNC_RESPONSE")
            assert answer["clientId"] == "tab-7"
            assert "updated" not in answer["payload"]
            assert answer["payload"]["settings"]["version"]["versionNumber"] == 2
            await two.send(
                "SETTINGS_UPDATE_STAFF_GROUPS", {"group": {**kitchen, "color": "#222222"}}, "tab-2"
            )
            error = await two.expect("ERROR")
            assert error["payload"]["code"] == "STALE"
            assert error["payload"]["problems"][0]["path"] == "/group/color"
            await two.send("SETTINGS_ACTIVATE_VERSION", {"versionId": settings["version"]["id"]})
            for peer in (one, two):
                assert (await peer.receive())["payload"]["settings"]["version"]["versionNumber"] == 1

    run(test())


def test_the_other_messages_are_answered(sakura: Project) -> None:
    async def test() -> None:
        async with editable(sakura) as server, server.client() as one, server.client() as two:
            await told(one)
            await told(two)
            await one.send("SETTINGS_MIGRATE", {"settings": {"staffGroups": [{"name": "Bar"}]}})
            answers = [await one.receive(), await one.receive()]
            # Only who migrated is to remember that.
            assert [answer["payload"].get("migrated") for answer in answers].count(True) == 1
            assert "migrated" not in (await two.version(2))["payload"]
            await one.send("SETTINGS_CREATE_VERSION", {"name": "Draft"})
            created = (await one.expect("SETTINGS_SYNC_RESPONSE"))["payload"]
            assert created["created"]["versionNumber"] == 3
            assert created["settings"]["version"]["versionNumber"] == 2
            sakura.write({"_defaults/all.yaml": TEXT.replace("maxCount: 3", "maxCount: 1")})
            await one.send("SETTINGS_RESET")
            for peer in (one, two):
                while not (payload := (await peer.version(4))["payload"]).get("reset"):
                    pass
                assert payload["settings"]["version"]["name"] == "Default Configuration"
            await asyncio.to_thread(sakura.ok, "lock", "active")
            await one.send("SETTINGS_UPDATE_STAFF_GROUPS", {"group": {"name": "New"}})
            while (message := await one.receive())["type"] != "ERROR":
                assert message["type"] == "SETTINGS_SYNC_RESPONSE"
            error = message["payload"]
            assert (error["code"], error["message"]) == ("LOCKED", "Cannot modify locked version")

    run(test())


def test_the_audit_knows_whose_token_it_was(sakura: Project) -> None:
    async def test() -> None:
        options = {"authenticator": Tokens(SECRET, AUDIENCE)}
        given = token(SAKURA, sub=USER, email="aiko@example.com")
        async with editable(sakura, **options) as server, server.client(**bearer(given)) as one:
            await told(one)
            await one.send("SETTINGS_UPDATE_STAFF_GROUPS", {"group": {"name": "New"}}, "till-3")
            await one.version(2)

    run(test())
    (row,) = sakura.rows(
        "SELECT * FROM config_changes WHERE table_name = 'staff_groups' ORDER BY seq DESC LIMIT 1"
    )
    assert (str(row["changed_by"]), row["reason"]) == (USER, "Changed by aiko@example.com, client till-3")


def test_odd_names_of_clients_are_harmless(sakura: Project) -> None:
    async def test() -> None:
        async with editable(sakura) as server, server.client() as one:
            await told(one)
            await one.send("SETTINGS_UPDATE_STAFF_GROUPS", {"group": {"name": "New"}}, "\x00\x1b[2J\u202e")
            await one.version(2)

    run(test())
    (row,) = sakura.rows(
        "SELECT reason FROM config_changes WHERE table_name = 'staff_groups' ORDER BY seq DESC LIMIT 1"
    )
    assert row["reason"] == r"Changed by client \x00\x1b[2J\u202e"


def test_many_tabs_at_once(sakura: Project) -> None:
    async def test() -> None:
        async with editable(sakura) as server:

            async def make(at: int) -> None:
                async with server.client() as one:
                    await told(one)
                    await one.send("SETTINGS_UPDATE_STAFF_GROUPS", {"group": {"name": f"Group {at}"}})
                    while True:
                        message = await one.expect("SETTINGS_SYNC_RESPONSE")
                        groups = message["payload"]["settings"]["staffGroups"]
                        if any(group["name"] == f"Group {at}" for group in groups):
                            return

            await asyncio.gather(*map(make, range(12)))

    run(test())
    assert sakura.value("SELECT max(version_number) FROM config_versions") == 13


def test_a_client_that_goes_away_in_the_middle_holds_nobody_up(sakura: Project) -> None:
    async def test() -> None:
        async with editable(sakura) as server, server.client() as stays:
            await told(stays)
            for at in range(5):
                async with server.client() as goes:
                    await goes.expect("CONNECTION_ACK")
                    await goes.send("SETTINGS_UPDATE_STAFF_GROUPS", {"group": {"name": f"Group {at}"}})
            await stays.send("SETTINGS_UPDATE_STAFF_GROUPS", {"group": {"name": "Mine"}})
            while True:
                message = await stays.expect("SETTINGS_SYNC_RESPONSE")
                if any(group["name"] == "Mine" for group in message["payload"]["settings"]["staffGroups"]):
                    return

    run(test())


def test_a_role_that_may_not_write_is_told_so_at_once(sakura: Project) -> None:
    name, password = f"live_{token_hex(4)}", token_hex(8)
    settings = Settings(sakura.directory / "config")
    with psycopg.connect(sakura.url, autocommit=True) as root:
        role = sql.Identifier(name)
        root.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        root.execute("SELECT rowform.allow_serving(%s)", (name,))
        try:
            with pytest.raises(UsageError, match="may not write versions") as caught:
                applied_edits(settings, ToolConfig(), as_role(sakura.url, name, password))
            assert "--edit-url" in (caught.value.hint or "")
        finally:
            root.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))
