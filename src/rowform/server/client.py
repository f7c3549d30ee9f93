"""One client: what it is sent, one thing after the other, and never more than it takes.

Nobody waits for a client but its own writer. Of the snapshots that it has not been sent yet only the newest
is kept; what it is answered waits in a short queue, and while that is full it is not read from.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.protocol import State

from rowform import wire
from rowform.server.identity import Identity
from rowform.server.surroundings import Surroundings
from rowform.wire import Fault, Snapshot

if TYPE_CHECKING:
    from rowform.server.channel import Channel


class Goodbye(Exception):
    """A connection has to end. The client is told why, and by a code."""

    def __init__(self, fault: Fault, code: int = CloseCode.POLICY_VIOLATION) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.code = code


@dataclass(frozen=True, slots=True)
class Frame:
    """A snapshot as all clients of a restaurant are sent it. ``activated`` is when, if that is measured."""

    told: Snapshot
    data: bytes
    activated: float | None = None


class Client:
    """Somebody who has been let in. ``version`` is the id of the one that they have."""

    def __init__(
        self, connection: ServerConnection, channel: Channel, identity: Identity, surroundings: Surroundings
    ) -> None:
        self.connection = connection
        self.channel = channel
        self.identity = identity
        self.version: str | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.says_what_it_has = False
        self._surroundings = surroundings
        self._answers: deque[bytes] = deque()
        self._asked_by: str | None = None
        self._frame: Frame | None = None
        self._has_skipped = False
        self._work = asyncio.Event()
        self._room = asyncio.Event()

    # --- what others want it to be sent -----------------------------------------------------------

    def offer(self, frame: Frame) -> None:
        """Send it this snapshot, in place of one that it has not been sent yet."""
        if self._frame is not None:
            self._has_skipped = True
            self._surroundings.metrics.skipped.inc()
        self._frame = frame
        self._work.set()

    def answer_with_settings(self, client_id: str) -> None:
        """Send it the newest snapshot there is when its turn comes."""
        self._asked_by = client_id
        self._work.set()

    async def say(self, data: bytes) -> None:
        """Send it an answer. Waits while too many wait already."""
        while len(self._answers) >= self._surroundings.limits.answers:
            self._room.clear()
            await self._room.wait()
        self._answers.append(data)
        self._work.set()

    async def complain(self, fault: Fault, client_id: str = "") -> None:
        """Answer with an error."""
        self._surroundings.metrics.errors.labels(fault.code).inc()
        await self.say(wire.error(fault, self._surroundings.clock(), client_id))

    def end(self, goodbye: Goodbye) -> None:
        """Let it go, whatever it is doing."""
        if not self.ended.done():
            self.ended.set_exception(goodbye)

    def has(self, version: str) -> None:
        """It says itself which version it has, and from now on is believed."""
        self.says_what_it_has = True
        self.version = version

    # --- the writer -------------------------------------------------------------------------------

    async def write(self) -> None:
        """Send everything, for as long as the connection is open.

        Raises:
            ConnectionClosed: it is not any more.
        """
        while True:
            await self._work.wait()
            self._work.clear()
            while self._answers or self._asked_by is not None or self._frame is not None:
                await self._write_next()

    async def _write_next(self) -> None:
        if self._answers:
            data = self._answers.popleft()
            self._room.set()
            await self._send(data)
            return
        frame, self._frame = self._frame, None
        asked_by, self._asked_by = self._asked_by, None
        told = self.channel.told
        if told is None:
            return
        if frame is None or asked_by is not None or self._has_skipped:
            # What changed since the last one does not say what changed for this client.
            self._has_skipped = False
            await self._send(wire.sync_response(told, self._surroundings.clock(), asked_by or wire.SERVER_ID))
        else:
            await self._send(frame.data)
        if not self.says_what_it_has:
            self.version = told.head.version_id
        if frame is not None and frame.activated is not None:
            self._surroundings.metrics.lag.observe(time.monotonic() - frame.activated)

    async def _send(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(self._surroundings.limits.send):
                await self.connection.send(data, text=True)
        except TimeoutError:
            # It takes nothing any more, not even a ping: nor would it take a close frame.
            self._surroundings.metrics.dropped.inc()
            cut(self.connection)
            await self.connection.wait_closed()


def cut(connection: ServerConnection) -> None:
    """End a connection without a word. A transport that is gone already would object."""
    if connection.state is not State.CLOSED:
        connection.transport.abort()


async def hang_up(connection: ServerConnection, goodbye: Goodbye, surroundings: Surroundings) -> None:
    """Say why, and close; a client that does not listen is cut off."""
    surroundings.metrics.refused.labels(goodbye.fault.code).inc()
    try:
        async with asyncio.timeout(surroundings.limits.close):
            await connection.send(wire.error(goodbye.fault, surroundings.clock()), text=True)
            await connection.close(goodbye.code, goodbye.fault.message)
    except ConnectionClosed:
        pass
    except TimeoutError:
        cut(connection)
