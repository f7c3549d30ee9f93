"""Whatever happens, every client ends on the newest version, and none is another one's trouble."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from websockets.exceptions import InvalidStatus

from rowform.server.client import Client
from rowform.server.limits import Bucket, Limits
from tests.support.live import Live, Peer, live, run, until
from tests.support.project import SAKURA, Project

#: Much of it, so that what nobody reads does not vanish in buffers.
MANY = "staff_groups:\n" + "".join(
    f"  - name: Group {number}\n    color: '#111111'\n    description: {'x' * 400}\n" for number in range(400)
)


@pytest.fixture
def sakura(project: Project) -> Project:
    project.restaurant()
    project.write({"sakura/all.yaml": "staff_groups: [{name: Kitchen, color: '#000001'}]\n"})
    project.apply()
    return project


@asynccontextmanager
async def greeted(server: Live, number: int = 1) -> AsyncIterator[list[Peer]]:
    """Several clients that have been let in."""
    async with AsyncExitStack() as stack:
        clients = await asyncio.gather(*(stack.enter_async_context(server.client()) for _ in range(number)))
        await asyncio.gather(*(client.expect("CONNECTION_ACK") for client in clients))
        yield clients


@asynccontextmanager
async def painter(url: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Makes a new version by a direct write, at the pace of a database; its number."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:

        async def paint() -> int:
            await connection.execute(
                "UPDATE staff_groups SET color = '#' || lpad(to_hex(random(1, 16777215)), 6, '0')"
                " WHERE name IN ('Kitchen', 'Group 0')"
                if connection.info.server_version >= 170000
                else "UPDATE staff_groups SET color = '#' || left(md5(random()::text), 6)"
                " WHERE name IN ('Kitchen', 'Group 0')"
            )
            cursor = await connection.execute("SELECT version_number FROM config_versions WHERE is_active")
            row = await cursor.fetchone()
            assert row
            return row[0]

        yield paint


def kill(url: str, where: str = "true") -> int:
    """End the server's connections to the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE application_name = 'rowform serve' AND datname = current_database() AND {where}".encode()
        ).rowcount


# --- the database --------------------------------------------------------------------------------


def test_the_listeners_connection_is_killed(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server, greeted(server, 3) as clients, painter(sakura.url) as paint:
            for _ in range(3):
                assert await asyncio.to_thread(kill, sakura.url) >= 1
                number = await paint()
                for client in clients:
                    await client.version(number)
            await until(lambda: server.surroundings.listener.is_up)
            assert await server.metric("rowform_live_listener_reconnects_total") >= 3

    run(test())


def test_what_was_notified_meanwhile_is_caught_up_on(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server, greeted(server, 2) as clients, painter(sakura.url) as paint:
            await server.stop_listening()
            server.server.hub.disconnected(_lost())
            for _ in range(3):
                number = await paint()
            # Who asks meanwhile gets what there is.
            assert (await clients[0].synchronise())["payload"]["settings"]["version"][
                "versionNumber"
            ] == number
            server.start_listening()
            await clients[1].version(number)

    run(test())


def _lost() -> Any:
    from rowform.errors import ConnectionFailed

    return ConnectionFailed("lost")


def test_polling_finds_what_the_listener_does_not_hear(sakura: Project) -> None:
    async def test() -> None:
        limits = replace(Limits(), poll=0.05)
        async with (
            live(sakura.url, limits=limits, listening=False) as server,
            greeted(server) as (client,),
            painter(sakura.url) as paint,
        ):
            number = await paint()
            await client.version(number)
            assert (await server.get("/readyz"))[0] == 503

    run(test())


def test_notifications_that_are_forged_or_repeated(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server, greeted(server) as (client,), painter(sakura.url) as paint:
            first = await client.synchronise()
            await paint()
            number = await paint()
            await client.version(number)
            loads = await server.metric("rowform_live_load_seconds_count")
            active = (await client.synchronise())["payload"]["settings"]["version"]["id"]
            old = first["payload"]["settings"]["version"]["id"]
            async with await psycopg.AsyncConnection.connect(sakura.url, autocommit=True) as stranger:
                for payload in ("", "x" * 7000, "'; DROP TABLE restaurants; --", active, active, old, SAKURA):
                    await stranger.execute("SELECT pg_notify('rowform', %s)", (payload,))
                await stranger.execute(
                    "SELECT pg_notify('rowform', gen_random_uuid()::text) FROM generate_series(1, 3000)"
                )
            # The next that this client hears of is the next version.
            number = await paint()
            message = await client.expect("SETTINGS_SYNC_RESPONSE")
            assert message["payload"]["settings"]["version"]["versionNumber"] == number
            # Somebody who floods the channel may make it look once more, and not three thousand times.
            assert await server.metric("rowform_live_load_seconds_count") <= loads + 2

    run(test())


def test_the_database_is_away_for_a_while(sakura: Project) -> None:
    async def test() -> None:
        limits = replace(Limits(), stale=0.1, retry=0.05, poll=0.05, patience=0.1)
        async with live(sakura.url, limits=limits) as server, greeted(server, 2) as clients:
            await until(lambda: server.surroundings.database.is_up)
            number = (await clients[0].synchronise())["payload"]["settings"]["version"]["versionNumber"]
            with Closed(sakura.url):
                await until(lambda: _complains(server, "the database", "the listener"))
                assert (await server.get("/healthz"))[0] == 200
                # What is known is still told, also to who comes now.
                assert (await clients[0].synchronise())["payload"]["settings"]["version"][
                    "versionNumber"
                ] == number
                async with greeted(server) as (late,):
                    assert (await late.synchronise())["type"] == "SETTINGS_SYNC_RESPONSE"
            async with painter(sakura.url) as paint:
                number = await paint()
            for client in clients:
                await client.version(number)
            await until(lambda: _status(server, 200))

    run(test())


def test_nothing_is_known_and_the_database_is_away(sakura: Project) -> None:
    async def test() -> None:
        limits = replace(Limits(), retry=0.05, patience=0.1)
        async with live(sakura.url, limits=limits, listening=False) as server:
            with Closed(sakura.url):
                async with server.client() as client:
                    assert (await client.expect("ERROR"))["payload"]["code"] == "UNAVAILABLE"
                    assert (await client.closed())[0] == 1013
            await server.server._gate._find("sakura")
            with Closed(sakura.url):
                async with server.client("/?restaurant=sakura") as client:
                    assert (await client.expect("CONNECTION_ACK"))["payload"]["versionId"] is None
                    assert (await client.synchronise())["payload"]["code"] == "UNAVAILABLE"

    run(test())


async def _complains(server: Live, *parts: str) -> bool:
    status, text, _ = await server.get("/readyz")
    assert "postgres" not in text
    reasons = json.loads(text).get("reasons", [])
    return status == 503 and [reason.partition(" has ")[0] for reason in reasons] == list(parts)


async def _status(server: Live, status: int) -> bool:
    return (await server.get("/readyz"))[0] == status


class Closed:
    """The database takes no connections, and ends those that it has, as while it restarts."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._name = str(conninfo_to_dict(url)["dbname"])

    def __enter__(self) -> None:
        self._set(allowed=False)
        kill(psycopg.conninfo.make_conninfo(self._url, dbname="postgres"), "false")
        with self._root() as root:
            root.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self._name,)
            )

    def __exit__(self, *_: object) -> None:
        self._set(allowed=True)

    def _root(self) -> psycopg.Connection:
        return psycopg.connect(psycopg.conninfo.make_conninfo(self._url, dbname="postgres"), autocommit=True)

    def _set(self, *, allowed: bool) -> None:
        with self._root() as root:
            statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
            root.execute(statement.format(sql.Identifier(self._name), sql.Literal(allowed)))


# --- many and slow clients -----------------------------------------------------------------------


def test_two_servers_side_by_side(sakura: Project) -> None:
    async def test() -> None:
        async with (
            live(sakura.url) as one,
            live(sakura.url) as other,
            painter(sakura.url) as paint,
            greeted(one, 2) as ones,
            greeted(other, 2) as others,
        ):
            for _ in range(3):
                number = await paint()
                for client in (*ones, *others):
                    await client.version(number)

    run(test())


def test_two_hundred_clients_and_all_of_them_again(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server, painter(sakura.url) as paint:
            async with greeted(server, 200) as clients:
                for _ in range(5):
                    number = await paint()
                await asyncio.gather(*(client.version(number) for client in clients))
                found = server.server.hub.census
                await until(lambda: found() == {("sakura", str(number)): 200})
            assert await server.metric("rowform_live_load_seconds_count") <= 7
            # All at once, and the newest version comes in the middle of it.
            async with greeted(server, 200) as clients:
                answers = asyncio.gather(*(client.synchronise() for client in clients))
                number = await paint()
                await answers
                for client in clients:
                    heard = json.loads(client.heard[-1])["payload"]["settings"]["version"]["versionNumber"]
                    if heard != number:
                        await client.version(number)
        assert server.server.hub.census() == {}

    run(test())


async def stalled(server: Live) -> socket.socket:
    """A client that has connected, asks, and never reads a byte."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(one, ("127.0.0.1", server.port))
    request = (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(one, request.encode())
    return one


def test_a_stalled_client_holds_up_nobody_and_holds_no_memory(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/all.yaml": MANY})
    project.apply()

    async def test() -> None:
        limits = replace(Limits(), send=3.0)
        async with (
            live(project.url, limits=limits) as server,
            painter(project.url) as paint,
            greeted(server, 3) as clients,
        ):
            with await stalled(server):
                await until(lambda: len(server.server.hub.channel(SAKURA).clients) == 4)
                held = 0
                for _ in range(25):
                    number = await paint()
                    for client in clients:
                        await client.version(number)
                    held = max(held, *map(_unsent, server.server.hub.channel(SAKURA).clients))
                # One message that the socket does not take. The others that wait are one, and everybody's.
                assert 0 < held < 2 * len(clients[0].heard[-1].encode())
                assert await server.metric("rowform_live_skipped_snapshots_total") > 0
                # In the end it is let go.
                await until(lambda: len(server.server.hub.channel(SAKURA).clients) == 3)
                assert await server.metric("rowform_live_dropped_clients_total") == 1

    run(test())


def _unsent(client: Client) -> int:
    return client.connection.transport.get_write_buffer_size()


def test_a_slow_client_skips_to_the_newest(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/all.yaml": MANY})
    project.apply()

    async def test() -> None:
        async with (
            live(project.url) as server,
            painter(project.url) as paint,
            server.client(max_queue=1) as slow,
            greeted(server) as (quick,),
        ):
            await slow.expect("CONNECTION_ACK")
            for _ in range(80):
                number = await paint()
                await quick.version(number)
            message = await slow.version(number)
            assert len(slow.heard) < 70
            # It has missed what others changed in between: so nothing is said of what changed.
            assert "updatedTables" not in message["payload"]
            assert await server.metric("rowform_live_skipped_snapshots_total") >= 80 - len(slow.heard)

    run(test())


def test_a_restart_tells_clients_to_come_back(sakura: Project) -> None:
    async def test() -> None:
        async with AsyncExitStack() as stack:
            async with live(sakura.url) as server:
                clients = [await stack.enter_async_context(server.client()) for _ in range(3)]
                for client in clients:
                    await client.expect("CONNECTION_ACK")
                lazy = await stalled(server)
                started = asyncio.get_running_loop().time()
            for client in clients:
                assert await client.closed() == (1012, "the server restarts")
            # A client of the application tries again for seven seconds.
            assert asyncio.get_running_loop().time() - started < 6
            lazy.close()

    run(test())


# --- too much and too odd ------------------------------------------------------------------------


def test_bad_frames_close_with_the_right_code_and_others_go_on(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url) as server, greeted(server) as (bystander,):

            async def close_code(do: Callable[[Peer], Awaitable[None]]) -> int | None:
                async with greeted(server) as (client,):
                    await do(client)
                    return (await client.closed())[0]

            # The head of a frame of 10 MB, and the beginning of it: its size is enough to know.
            large = b"\x81\xff" + (10_000_000).to_bytes(8) + b"mask" + b"x" * 50_000
            assert await close_code(lambda client: _raw(client, large)) == 1009
            assert await close_code(lambda client: client.connection.send(b"\x00\x01")) == 1003
            assert await close_code(lambda client: client.connection.send(b"\xff\xfe", text=True)) == 1007
            # A frame that claims to be compressed, though nobody has agreed on that.
            assert await close_code(lambda client: _raw(client, b"\xc1\x84abcd\x00\x00\x00\x00")) == 1002
            assert (await bystander.synchronise())["type"] == "SETTINGS_SYNC_RESPONSE"

    run(test())


async def _raw(client: Peer, data: bytes) -> None:
    client.connection.transport.write(data)


def test_compression_is_not_agreed_to(sakura: Project) -> None:
    from websockets.asyncio.client import connect

    async def test() -> None:
        async with (
            live(sakura.url) as server,
            connect(f"ws://127.0.0.1:{server.port}/", compression="deflate") as client,
        ):
            assert client.response
            assert "Sec-WebSocket-Extensions" not in client.response.headers

    run(test())


def test_a_flood_of_messages(sakura: Project) -> None:
    async def test() -> None:
        limits = replace(Limits(), burst=20, rate=1.0)
        async with live(sakura.url, limits=limits) as server, greeted(server, 2) as (flood, calm):
            for _ in range(30):
                await flood.send("STAFF_UPDATE")
            assert (await flood.expect("ERROR"))["payload"]["code"] == "TOO_MANY_MESSAGES"
            assert (await flood.closed())[0] == 1008
            assert (await calm.synchronise())["type"] == "SETTINGS_SYNC_RESPONSE"

    run(test())


def test_a_client_that_asks_and_does_not_read_is_not_read_from(sakura: Project) -> None:
    async def test() -> None:
        limits = replace(Limits(), burst=1_000_000, send=1.0)
        async with live(sakura.url, limits=limits) as server, greeted(server, 1) as (calm,):
            async with server.client(max_queue=1) as rude:
                await rude.expect("CONNECTION_ACK")

                async def ask() -> None:
                    while True:
                        await rude.connection.send(
                            '{"type": "SETTINGS_RESET", "clientId": "' + "x" * 200 + '"}'
                        )

                with pytest.raises(Exception, match="close"):
                    await ask()
                await until(lambda: len(server.server.hub.channel(SAKURA).clients) == 1)
            assert (await calm.synchronise())["type"] == "SETTINGS_SYNC_RESPONSE"
            assert await server.metric("rowform_live_dropped_clients_total") == 1

    run(test())


def test_more_connections_than_there_may_be(sakura: Project) -> None:
    async def test() -> None:
        async with live(sakura.url, limits=replace(Limits(), connections=2)) as server:
            async with greeted(server, 2):
                with pytest.raises(InvalidStatus, match="503"):
                    async with server.client():
                        pass
                assert (await server.get("/healthz"))[0] == 200
            await until(lambda: not server.server._open)
            async with greeted(server, 2):
                pass

    run(test())


def test_a_bucket_fills_up_again() -> None:
    now = 0.0
    bucket = Bucket(3, 2.0, lambda: now)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    now = 1000.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_strangers_who_speak_no_http(sakura: Project, capfd: pytest.CaptureFixture[str]) -> None:
    async def test() -> None:
        async with live(sakura.url) as server:
            for said in (
                b"\x16\x03\x01" + os.urandom(64),
                b"GET\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
            ):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(said)
                writer.write_eof()
                await reader.read()
                writer.close()
                await writer.wait_closed()
            assert (await server.get("/healthz"))[0] == 200

    run(test())
    assert "Traceback" not in capfd.readouterr().err
