"""A live server in the test's own event loop, on a real database, and clients that are real WebSockets."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import psycopg
from psycopg.conninfo import conninfo_to_dict
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from rowform.kinds import kinds
from rowform.server.app import Address, LiveServer
from rowform.server.edits import Edits, RejectEdits
from rowform.server.gate import Doors, Gate
from rowform.server.identity import Anybody, Authenticator
from rowform.server.limits import Limits
from rowform.server.surroundings import Surroundings
from rowform.store.listening import listen
from rowform.store.live import LiveDatabase

#: Longer than anything takes, shorter than anybody waits.
PATIENCE = 20.0
SECRET = "a secret of the tests that is long enough"
AUDIENCE = "authenticated"


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine."""

    async def limited() -> None:
        async with asyncio.timeout(3 * PATIENCE):
            await test

    asyncio.run(limited())


async def until(what: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = what()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Live:
    """A running server."""

    server: LiveServer
    surroundings: Surroundings
    database: LiveDatabase
    url: str
    port: int = 0
    listener: asyncio.Task[None] | None = None

    def start_listening(self) -> None:
        self.listener = asyncio.create_task(listen(self.url, self.server.hub))

    async def hears(self) -> None:
        """Wait until the listener is connected."""
        await until(lambda: self.surroundings.listener.is_up)

    async def stop_listening(self) -> None:
        if self.listener is not None:
            self.listener.cancel()
            await asyncio.gather(self.listener, return_exceptions=True)

    @asynccontextmanager
    async def client(self, path: str = "/", **options: Any) -> AsyncIterator[Peer]:
        """A client that is connected; closed in the end."""
        async with connect(
            f"ws://127.0.0.1:{self.port}{path}", compression=None, max_size=None, **options
        ) as one:
            yield Peer(one)

    async def get(self, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Ask by HTTP: status, body, headers."""
        return await asyncio.to_thread(_get, f"http://127.0.0.1:{self.port}{path}", headers)

    async def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        text = self.surroundings.metrics.text().decode()
        return sum(
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if line.startswith((f"{name} ", f"{name}{{"))
        )


@asynccontextmanager
async def live(
    url: str,
    *,
    limits: Limits | None = None,
    authenticator: Authenticator | None = None,
    doors: Doors | None = None,
    clock: Callable[[], datetime] | None = None,
    listening: bool = True,
    metrics_token: str | None = None,
    edits: Edits | None = None,
) -> AsyncIterator[Live]:
    """A server on any free port; it listens already."""
    database = LiveDatabase(url, "public", kinds())
    time = {"clock": clock} if clock else {}
    surroundings = Surroundings(database, kinds(), limits or Limits(), **time)
    gate = Gate(authenticator or Anybody(), database, doors or Doors())
    server = LiveServer(gate, edits or RejectEdits(), surroundings, metrics_token)
    found = Live(server, surroundings, database, url)
    found.port = (await server.start(Address("127.0.0.1", 0))).port
    try:
        if listening:
            found.start_listening()
            await found.hears()
        yield found
    finally:
        await found.stop_listening()
        await server.stop()
        await database.close()


@dataclass
class Peer:
    """A client's end. ``heard`` is everything that it has received, as it came."""

    connection: ClientConnection
    heard: list[str] = field(default_factory=list)

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            text = await self.connection.recv()
        assert isinstance(text, str)
        self.heard.append(text)
        return json.loads(text)

    async def expect(self, type_: str) -> dict[str, Any]:
        """The next message, which must be of this type."""
        message = await self.receive()
        assert message["type"] == type_, message
        return message

    async def send(self, type_: str, payload: Any = None, client_id: str = "tab-1") -> None:
        message = {"type": type_, "payload": payload or {}, "timestamp": "2026-04-01T00:00:00.000Z"}
        await self.connection.send(json.dumps({**message, "clientId": client_id}))

    async def synchronise(self, **payload: Any) -> dict[str, Any]:
        """Ask for the settings; the answer."""
        await self.send("SETTINGS_SYNC_REQUEST", payload)
        return await self.receive()

    async def closed(self) -> tuple[int | None, str | None]:
        """Wait until the server closes: code and reason."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosed):
                while True:
                    self.heard.append(str(await self.connection.recv()))
        return self.connection.close_code, self.connection.close_reason

    async def version(self, number: int) -> dict[str, Any]:
        """Receive until it has this version."""
        while True:
            message = await self.receive()
            if message["type"] == "SETTINGS_SYNC_RESPONSE":
                found = message["payload"]["settings"]["version"]["versionNumber"]
                assert found <= number, "a version too far"
                if found == number:
                    return message


def token(restaurant: str | None, *, seconds: float = 600, secret: str = SECRET, **claims: Any) -> str:
    """A token as an application makes it."""
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    named = {} if restaurant is None else {"restaurant_id": restaurant}
    return jwt.encode(
        {"aud": AUDIENCE, "exp": expires, "role": "manager", **named, **claims}, secret, "HS256"
    )


def bearer(given: str) -> dict[str, Any]:
    """Options of a client that sends a token as a header."""
    return {"additional_headers": {"Authorization": f"Bearer {given}"}}


def subprotocol(given: str) -> dict[str, Any]:
    """Options of a client that sends a token as browsers can."""
    return {"subprotocols": [Subprotocol("bearer"), Subprotocol(given)]}


def as_role(url: str, role: str, password: str) -> str:
    """The same database for another login."""
    options = conninfo_to_dict(url)
    return psycopg.conninfo.make_conninfo("", **{**options, "user": role, "password": password})


def _get(url: str, headers: dict[str, str]) -> tuple[int, str, dict[str, str]]:
    request = urllib.request.Request(
        url, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), dict(error.headers)
