"""Who gets in, as whom, and that nobody gets anything of another restaurant."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from secrets import token_hex
from typing import Any

import jwt
import psycopg
import pytest
from psycopg import sql
from websockets.exceptions import InvalidStatus

from rowform.kinds import kinds
from rowform.server.gate import Doors
from rowform.server.identity import ProxyHeader, Tokens
from rowform.server.limits import Limits
from rowform.store.live import LiveDatabase, standing
from rowform.store.session import open_session
from tests.support.live import (
    AUDIENCE,
    SECRET,
    Live,
    Peer,
    as_role,
    bearer,
    live,
    run,
    subprotocol,
    token,
)
from tests.support.project import MOMIJI, SAKURA, Project

#: Words that only Sakura's settings have.
SECRETS = ("Sakura", "sakura", SAKURA, "Omakase", "板前")
TOKENS = Tokens(SECRET, AUDIENCE)


@pytest.fixture
def two(project: Project) -> Project:
    project.restaurant("sakura", SAKURA)
    project.restaurant("momiji", MOMIJI)
    project.write(
        {
            "sakura/all.yaml": "staff_groups: [{name: Omakase, group_config: {members: [板前]}}]\n",
            "momiji/all.yaml": "staff_groups: [{name: Ramen}]\n",
        }
    )
    project.apply()
    return project


@dataclass
class Gateway:
    """The role that serves."""

    url: str
    name: str


@pytest.fixture
def gateway(two: Project) -> Iterator[Gateway]:
    name, password = f"live_{token_hex(4)}", token_hex(8)
    with psycopg.connect(two.url, autocommit=True) as root:
        root.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password))
        )
        root.execute("SELECT rowform.allow_serving(%s)", (name,))
        yield Gateway(as_role(two.url, name, password), name)
        root.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))


async def refused(server: Live, path: str = "/", **options: Any) -> tuple[str, int | None]:
    """Connect and be sent away: the code in the message, and that of the close frame; the reasons agree."""
    async with server.client(path, **options) as client:
        message = await client.expect("ERROR")
        code, reason = await client.closed()
        assert reason == message["payload"]["message"]
        return message["payload"]["code"], code


async def admitted(server: Live, path: str = "/", **options: Any) -> str:
    async with server.client(path, **options) as client:
        return (await client.expect("CONNECTION_ACK"))["payload"]["restaurant"]


# --- tokens --------------------------------------------------------------------------------------


def test_the_three_ways_to_bring_a_token(gateway: Gateway) -> None:
    async def test() -> None:
        async with live(gateway.url, authenticator=TOKENS) as server:
            assert await admitted(server, **bearer(token(MOMIJI))) == "momiji"
            assert (
                await admitted(server, **bearer(token(None, app_metadata={"restaurant_id": SAKURA})))
                == "sakura"
            )
            async with server.client(**subprotocol(token(SAKURA))) as client:
                await client.expect("CONNECTION_ACK")
                assert client.connection.subprotocol == "bearer"
            async with server.client() as client:
                await client.send("STAFF_UPDATE", {"not": "for us"})
                await client.send("SETTINGS_SYNC_REQUEST")
                assert (await client.expect("ERROR"))["payload"]["code"] == "UNAUTHENTICATED"
                await client.send("AUTH", {"token": token(MOMIJI)})
                assert (await client.expect("CONNECTION_ACK"))["payload"]["restaurant"] == "momiji"
                assert (await client.synchronise())["type"] == "SETTINGS_SYNC_RESPONSE"

    run(test())


def claims(**more: Any) -> dict[str, Any]:
    return {"aud": AUDIENCE, "exp": datetime.now(UTC) + timedelta(hours=1), "restaurant_id": MOMIJI, **more}


def unsigned() -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value, default=str).encode()).rstrip(b"=").decode()

    body = {**claims(), "exp": 4102444800}
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(body)}."


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in claims().items() if key != name}


BAD = {
    "nonsense": lambda: "x",
    "empty": lambda: "",
    "another secret": lambda: token(MOMIJI, secret="another secret, which is as long as it must be"),
    "no algorithm": unsigned,
    "another algorithm": lambda: jwt.encode(claims(), SECRET * 2, "HS512"),
    "another audience": lambda: token(MOMIJI, aud="others"),
    "no audience": lambda: jwt.encode(without("aud"), SECRET, "HS256"),
    "no expiry": lambda: jwt.encode(without("exp"), SECRET, "HS256"),
    "not yet": lambda: token(MOMIJI, nbf=datetime.now(UTC) + timedelta(hours=1)),
    "an endless expiry": lambda: jwt.encode(claims(exp=10**30), SECRET, "HS256"),
    "a slug": lambda: token("momiji"),
    "a number": lambda: token(MOMIJI, restaurant_id=7),
    "a list": lambda: token(MOMIJI, restaurant_id=[MOMIJI, SAKURA]),
}


def test_bad_tokens_close_with_a_reason(gateway: Gateway) -> None:
    async def test() -> None:
        async with live(gateway.url, authenticator=TOKENS) as server:
            for name, make in BAD.items():
                if name != "empty":
                    assert await refused(server, **bearer(make())) == ("UNAUTHENTICATED", 1008), name
                async with server.client() as client:
                    await client.send("AUTH", {"token": make()})
                    assert (await client.expect("ERROR"))["payload"]["code"] == "UNAUTHENTICATED", name
                    assert (await client.closed())[0] == 1008
            assert await refused(server, **bearer(token(MOMIJI, seconds=-1))) == ("TOKEN_EXPIRED", 1008)
            two_tokens = {
                "additional_headers": [("Authorization", f"Bearer {token(one)}") for one in (MOMIJI, SAKURA)]
            }
            assert await refused(server, **two_tokens) == ("UNAUTHENTICATED", 1008)
            # What stands in the address ends up in logs: it is not looked at.
            async with server.client(f"/?token={token(MOMIJI)}&access_token={token(MOMIJI)}") as client:
                await client.send("SETTINGS_SYNC_REQUEST")
                assert (await client.expect("ERROR"))["payload"]["code"] == "UNAUTHENTICATED"

    run(test())


def test_who_says_nothing_has_to_go(gateway: Gateway) -> None:
    async def test() -> None:
        limits = replace(Limits(), authentication=0.2)
        async with live(gateway.url, authenticator=TOKENS, limits=limits) as server:
            assert await refused(server) == ("UNAUTHENTICATED", 1008)

    run(test())


def test_a_token_expires_in_the_middle(gateway: Gateway) -> None:
    async def test() -> None:
        async with live(gateway.url, authenticator=TOKENS) as server:
            async with server.client(**bearer(token(MOMIJI, seconds=1.5))) as client:
                await client.expect("CONNECTION_ACK")
                assert (await client.expect("ERROR"))["payload"]["code"] == "TOKEN_EXPIRED"
                assert await client.closed() == (1008, "the token has expired")
            assert server.server.hub.census() == {}

    run(test())


def test_a_newer_token_lets_a_session_go_on(gateway: Gateway) -> None:
    async def test() -> None:
        async with live(gateway.url, authenticator=TOKENS) as server:
            short = bearer(token(MOMIJI, seconds=2))
            async with server.client(**short) as client, server.client(**short) as other:
                for one in (client, other):
                    await one.expect("CONNECTION_ACK")
                await client.send("AUTH", {"token": token(MOMIJI)})
                assert (await client.synchronise())["type"] == "SETTINGS_SYNC_RESPONSE"
                # When the one without is gone, the other one is still there.
                assert (await other.closed())[0] == 1008
                assert (await client.synchronise())["type"] == "SETTINGS_SYNC_RESPONSE"
                await client.send("AUTH", {"token": token(SAKURA)})
                assert (await client.expect("ERROR"))["payload"]["code"] == "FORBIDDEN"
                assert (await client.closed())[0] == 1008

    run(test())


# --- another restaurant --------------------------------------------------------------------------


def test_momijis_token_gets_no_byte_of_sakura(two: Project, gateway: Gateway) -> None:
    async def test() -> None:
        async with live(gateway.url, authenticator=TOKENS) as server:
            mine = bearer(token(MOMIJI))
            heard: list[str] = []

            async def everything(client: Peer) -> None:
                await client.expect("CONNECTION_ACK")
                sakura = two.rows("SELECT id::text FROM config_versions WHERE restaurant_id = %s", SAKURA)
                for named in (SAKURA, "sakura", sakura[0]["id"]):
                    for member in ("versionId", "restaurantId", "restaurant"):
                        await client.synchronise(**{member: named})
                    await client.send("SETTINGS_ACK", {"versionId": named})
                    await client.send("SETTINGS_ACTIVATE_VERSION", {"versionId": named})
                    await client.expect("ERROR")

            async with server.client(**mine) as client, server.client(**bearer(token(SAKURA))) as theirs:
                await theirs.expect("CONNECTION_ACK")
                await everything(client)
                two.write({"sakura/all.yaml": "staff_groups: [{name: Omakase, color: '#222222'}]\n"})
                await asyncio.to_thread(two.apply)
                await theirs.version(2)
                two.write({"momiji/all.yaml": "staff_groups: [{name: Ramen, color: '#333333'}]\n"})
                await asyncio.to_thread(two.apply)
                # The next that this client hears of is its own restaurant's version.
                message = await client.expect("SETTINGS_SYNC_RESPONSE")
                assert message["payload"]["settings"]["version"]["restaurantId"] == MOMIJI
                heard += client.heard
            for path in (
                "/?restaurant=sakura",
                f"/ws?restaurant={SAKURA}",
                "/?restaurant=nowhere",
                "/?restaurant=",
            ):
                async with server.client(path, **mine) as client:
                    # There is no telling which of these restaurants exist.
                    assert (await client.expect("ERROR"))["payload"] == {
                        "message": "this is not your restaurant",
                        "code": "FORBIDDEN",
                    }
                    await client.closed()
                    heard += [*client.heard, str(client.connection.close_reason)]
            assert await admitted(server, "/?restaurant=momiji", **mine) == "momiji"
            for path in ("/metrics", "/readyz", "/healthz", "/?restaurant=sakura", "/sakura"):
                for headers in ({}, {"Authorization": f"Bearer {token(MOMIJI)}"}):
                    heard += str(await server.get(path, **headers))
            assert "Ramen" in "".join(heard)
            assert not [word for word in SECRETS if word in "".join(heard)]

    run(test())


def test_a_token_of_no_restaurant_does_not_choose_one(gateway: Gateway) -> None:
    async def test() -> None:
        async with live(gateway.url, authenticator=TOKENS) as server:
            assert await refused(server, **bearer(token(None))) == ("FORBIDDEN", 1008)
            assert await refused(server, "/?restaurant=momiji", **bearer(token(None))) == ("FORBIDDEN", 1008)
            assert await refused(server, **bearer(token("99999999-9999-4999-8999-999999999999"))) == (
                "FORBIDDEN",
                1008,
            )
            elsewhere = token(None, user_metadata={"restaurant_id": SAKURA})
            assert await refused(server, **bearer(elsewhere)) == ("FORBIDDEN", 1008)
        async with live(gateway.url, authenticator=TOKENS, doors=Doors(default="momiji")) as server:
            assert await admitted(server, **bearer(token(None))) == "momiji"
            assert await refused(server, "/?restaurant=sakura", **bearer(token(None))) == ("FORBIDDEN", 1008)
            assert await admitted(server, **bearer(token(SAKURA))) == "sakura"
        async with live(gateway.url, authenticator=TOKENS, doors=Doors(only=(MOMIJI,))) as server:
            assert await admitted(server, **bearer(token(None))) == "momiji"
            assert await refused(server, **bearer(token(SAKURA))) == ("FORBIDDEN", 1008)

    run(test())


def test_the_database_keeps_them_apart_for_the_role_that_serves(two: Project, gateway: Gateway) -> None:
    session = open_session(gateway.url, kinds())
    with session.connection as connection:
        found = standing(session)
        assert (found.role, found.is_held, found.visible) == (gateway.name, True, 0)
        for table in (
            "restaurants",
            "config_versions",
            "config_changes",
            "staff_groups",
            "rowform.staff_groups",
        ):
            assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)
        connection.execute("SELECT set_config('rowform.restaurant_id', %s, false)", (MOMIJI,))
        assert connection.execute("SELECT name FROM staff_groups").fetchall() == [("Ramen",)]
        for statement in (
            "UPDATE staff_groups SET name = 'x'",
            "DELETE FROM rowform.staff_groups",
            "INSERT INTO rowform.members (role_name, is_gateway) VALUES ('x', true)",
            "SELECT * FROM rowform.members",
            "SELECT rowform.allow_serving('x')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    owner = open_session(two.url, kinds())
    with owner.connection:
        assert (standing(owner).is_held, standing(owner).visible) == (False, 2)

    async def test() -> None:
        database = LiveDatabase(gateway.url, "public", kinds())
        for id_, name in ((SAKURA, "Omakase"), (MOMIJI, "Ramen"), (SAKURA, "Omakase")):
            found = await database.load(id_)
            assert found
            (group,) = json.loads(found.settings)["staffGroups"]
            assert (group["name"], group["restaurantId"]) == (name, id_)
        await database.close()

    run(test())


def test_who_is_behind_another_gateway_learns_nothing_from_the_servers_functions(two: Project) -> None:
    name = f"other_{token_hex(4)}"
    with psycopg.connect(two.url, autocommit=True) as root:
        root.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        root.execute("INSERT INTO rowform.members (role_name, is_gateway) VALUES (%s, true)", (name,))
        try:
            root.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(name)))
            for call in (
                "find_restaurant('sakura')",
                "live_versions('{}', '{}')",
                f"allow_serving('{name}')",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    root.execute(f"SELECT rowform.{call}".encode())
        finally:
            root.execute("RESET SESSION AUTHORIZATION")
            root.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


# --- a proxy's word ------------------------------------------------------------------------------


def test_a_proxy_names_the_restaurant(gateway: Gateway) -> None:
    here = ProxyHeader("X-Restaurant", [ip_network("127.0.0.0/8")])

    def header(*values: str) -> dict[str, Any]:
        return {"additional_headers": [("x-restaurant", value) for value in values]}

    async def test() -> None:
        async with live(gateway.url, authenticator=here) as server:
            assert await admitted(server, **header("momiji")) == "momiji"
            assert await admitted(server, **header(SAKURA)) == "sakura"
            assert await refused(server) == ("UNAUTHENTICATED", 1008)
            assert await refused(server, **header(" ")) == ("UNAUTHENTICATED", 1008)
            assert await refused(server, **header("momiji", "sakura")) == ("UNAUTHENTICATED", 1008)
            assert await refused(server, **header("nowhere")) == ("FORBIDDEN", 1008)
            assert await refused(server, "/?restaurant=sakura", **header("momiji")) == ("FORBIDDEN", 1008)
        elsewhere = ProxyHeader("X-Restaurant", [ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
        async with live(gateway.url, authenticator=elsewhere) as server:
            assert await refused(server, **header("momiji")) == ("FORBIDDEN", 1008)

    run(test())


# --- pages ---------------------------------------------------------------------------------------


def test_foreign_origins(two: Project) -> None:
    async def status(server: Live, origin: str | None, **headers: str) -> int:
        more = {**({"Origin": origin} if origin is not None else {}), **headers}
        try:
            async with server.client("/?restaurant=momiji", additional_headers=more) as client:
                await client.expect("CONNECTION_ACK")
                return 101
        except InvalidStatus as error:
            return error.response.status_code

    async def test() -> None:
        async with live(two.url, doors=Doors(origins=("https://app.example.com",))) as server:
            assert await status(server, None) == 101
            assert await status(server, f"http://127.0.0.1:{server.port}") == 101
            assert await status(server, f"https://127.0.0.1:{server.port}") == 101
            assert await status(server, "https://app.example.com") == 101
            for foreign in (
                "https://evil.example",
                "null",
                "",
                "http://127.0.0.1",
                f"http://127.0.0.1:{server.port + 1}",
                f"http://127.0.0.1.evil.example:{server.port}",
                "https://app.example.com.evil.example",
                "https://app.example.com:444",
                "http://app.example.com",
                "file://",
                f"ftp://127.0.0.1:{server.port}",
                "http://[::1",
            ):
                assert await status(server, foreign) == 403, foreign
            code, _, _ = await server.get("/healthz", Origin="https://evil.example")
            assert code == 403
            # A page whose own name was given this machine's address is its own origin and yet foreign.
            rebound = f"evil.example:{server.port}"
            for path in ("/", "/metrics"):
                code, _, _ = await server.get(path, Host=rebound, Origin=f"http://{rebound}")
                assert code == 403
            assert await server.metric("rowform_live_refused_total") >= 15

    run(test())


def test_metrics_want_a_token_of_their_own(gateway: Gateway) -> None:
    async def test() -> None:
        async with live(gateway.url, authenticator=TOKENS, metrics_token="let me see") as server:
            assert (await server.get("/metrics"))[0] == 401
            for wrong in (
                "Bearer x",
                "let me see",
                "Bearer ",
                "Basic let me see",
                f"Bearer {token(MOMIJI)}",
                "é",
            ):
                assert (await server.get("/metrics", Authorization=wrong))[0] == 401
            assert (await server.get("/metrics", Authorization="Bearer let me see"))[0] == 200
        async with live(gateway.url, authenticator=TOKENS) as server:
            assert (await server.get("/metrics", Authorization="Bearer "))[0] == 401
            assert (await server.get("/metrics", Authorization="Bearer None"))[0] == 401

    run(test())
