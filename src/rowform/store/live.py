"""What a live server reads, on a few connections of an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from psycopg import AsyncConnection, OperationalError, sql

from rowform.errors import DatabaseError
from rowform.kinds import Kind
from rowform.store.connection import connect_async, redact
from rowform.store.failures import translated
from rowform.store.queries import query
from rowform.store.session import Session
from rowform.store.told import told_fields, told_table
from rowform.wire import VERSION_FIELDS, Head, Snapshot, snapshot

T = TypeVar("T")

#: What the server shows as the name of our connections.
APPLICATION = "rowform serve"
#: So many readings at once; more wait.
LANES = 3
#: After so many seconds the server is taken for lost.
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Standing:
    """The role that reads: whether policies hold it, and how many restaurants it sees at once."""

    role: str
    is_held: bool
    visible: int


def standing(session: Session) -> Standing:
    """Find out whether restaurants are kept apart from each other for this role, and whether it may serve.

    Raises:
        DatabaseError: a privilege is missing, or the server failed.
    """
    connection = session.connection
    with translated():
        connection.execute(query("live_find"), {"wanted": None})
        connection.execute(query("live_heads"), {"restaurants": [], "versions": []})
        row = connection.execute(query("live_standing", app=session.app)).fetchone()
    if row is None:
        raise DatabaseError("the database tells nothing about its restaurants")
    return Standing(*row)


def find(session: Session, wanted: str) -> str | None:
    """The id of the restaurant that a slug or an id names.

    Raises:
        DatabaseError: a privilege is missing, or the server failed.
    """
    with translated():
        row = session.connection.execute(query("live_find"), {"wanted": wanted}).fetchone()
    return row[0] if row else None


class LiveDatabase:
    """Reads what clients are told. Every restaurant's settings are read under its own name alone."""

    def __init__(self, url: str, schema: str, kinds: Mapping[str, Kind]) -> None:
        self._url = url
        self._where = redact(url)
        self._kinds = kinds
        self._snapshot = query(
            "live_snapshot",
            app=sql.Identifier(schema),
            version=told_fields(VERSION_FIELDS, "version"),
            tables=sql.SQL(",\n").join(told_table(kind, schema) for kind in kinds.values()),
        )
        self._lanes: asyncio.LifoQueue[AsyncConnection | None] = asyncio.LifoQueue()
        for _ in range(LANES):
            self._lanes.put_nowait(None)

    async def find(self, wanted: str | None) -> str | None:
        """The id of the restaurant that a slug or an id names; without one, of the only one there is.

        Raises:
            DatabaseError: the server cannot be reached, refused or failed.
        """

        async def read(connection: AsyncConnection) -> str | None:
            cursor = await connection.execute(query("live_find"), {"wanted": wanted})
            row = await cursor.fetchone()
            return row[0] if row else None

        return await self._read(read)

    async def heads(self, restaurants: Collection[str], versions: Collection[str]) -> list[Head]:
        """What is active in some restaurants, and in those that some versions are of.

        Raises:
            DatabaseError: the server cannot be reached, refused or failed.
        """
        asked = {"restaurants": list(restaurants), "versions": list(versions)}

        async def read(connection: AsyncConnection) -> list[Head]:
            cursor = await connection.execute(query("live_heads"), asked)
            return [Head(*row) for row in await cursor.fetchall()]

        return await self._read(read)

    async def load(self, restaurant_id: str) -> Snapshot | None:
        """All that a restaurant's clients see, in one round trip; nothing if there is no such restaurant.

        Raises:
            DatabaseError: the server cannot be reached, refused or failed.
        """
        asked = {"restaurant": restaurant_id}

        async def read(connection: AsyncConnection) -> tuple[Any, ...] | None:
            async with connection.pipeline():
                await connection.execute(query("live_begin"))
                await connection.execute(query("live_restaurant"), asked)
                cursor = await connection.execute(self._snapshot, asked)
                await connection.execute(sql.SQL("COMMIT"))
            return await cursor.fetchone()

        row = await self._read(read)
        if row is None:
            return None
        *head, number, managed_in, version = row[:10]
        tables = dict(zip(self._kinds, row[10:], strict=True))
        return snapshot(Head(*head), number, managed_in, version, tables)

    async def close(self) -> None:
        """Close the connections that are not in use."""
        while not self._lanes.empty():
            connection = self._lanes.get_nowait()
            if connection is not None:
                await connection.close()

    async def _read(self, read: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Read on a connection that nobody else uses meanwhile; one that fails is not used again."""
        lane = await self._lanes.get()
        try:
            with translated(self._where):
                async with asyncio.timeout(PATIENCE):
                    if lane is not None:
                        try:
                            return await read(lane)
                        except OperationalError:
                            # The server may have ended it long ago: that says nothing of a new one.
                            if not lane.closed:
                                raise
                    lane = await connect_async(self._url, application_name=APPLICATION)
                    return await read(lane)
        except BaseException as error:
            broken, lane = lane, None
            if broken is not None:
                await broken.close()
            if isinstance(error, TimeoutError):
                raise DatabaseError("the database did not answer in time", "try again in a moment") from error
            raise
        finally:
            self._lanes.put_nowait(lane)
