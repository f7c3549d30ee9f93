"""Hearing of activations: LISTEN on a connection of its own, made again whenever it is lost.

What is notified while there is no connection is lost. So whoever listens here is told of every new
connection, and then looks for itself.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from psycopg import AsyncConnection, Notify

from rowform.errors import RowformError
from rowform.store.connection import connect_async, redact
from rowform.store.failures import translated
from rowform.store.live import APPLICATION
from rowform.store.queries import query

#: Seconds between two looks at whether a silent connection is alive, and for how long to wait for the answer.
PULSE = 10.0
PATIENCE = 10.0
#: Seconds before the first new attempt, and at most.
FIRST, LONGEST = 0.1, 5.0


class Ear(Protocol):
    """Who is told."""

    def connected(self) -> None:
        """From now on activations are heard. Those before may have been missed."""
        ...

    def disconnected(self, error: RowformError) -> None:
        """From now on they are not."""
        ...

    def heard(self, versions: Collection[str]) -> None:
        """Versions that somebody says were activated. Anybody can say so."""
        ...


async def listen(url: str, ear: Ear) -> None:
    """Listen until cancelled."""
    delay = FIRST
    while True:
        try:
            with translated(redact(url)):
                async with asyncio.timeout(PATIENCE):
                    connection = await connect_async(url, application_name=APPLICATION)
                async with connection:
                    await _answered(connection, "live_listen")
                    ear.connected()
                    delay = FIRST
                    await _hear(connection, ear)
        except RowformError as error:
            ear.disconnected(error)
        except TimeoutError:
            ear.disconnected(RowformError(f"{redact(url)}: no answer in time"))
        # Not all servers at the same moment.
        await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311  # no secret
        delay = min(2 * delay, LONGEST)


async def _hear(connection: AsyncConnection, ear: Ear) -> None:
    while True:
        async for notification in connection.notifies(timeout=PULSE):
            if (version := _version(notification)) is not None:
                ear.heard((version,))
        await _answered(connection, "live_pulse")


async def _answered(connection: AsyncConnection, name: str) -> None:
    async with asyncio.timeout(PATIENCE):
        await connection.execute(query(name))


def _version(notification: Notify) -> str | None:
    """The version's id; nothing if that is not what was sent."""
    try:
        return str(UUID(notification.payload))
    except ValueError:
        return None
