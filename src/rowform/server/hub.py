"""All restaurants that have clients, and whatever makes them look again: the listener, polling, midnight."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any

from rowform.errors import RowformError
from rowform.server.channel import Channel
from rowform.server.client import Client
from rowform.server.logs import reason, tell
from rowform.server.surroundings import Surroundings
from rowform.wire import Head

#: So many restaurants are asked about in one query, and so many versions that somebody has notified.
_BATCH = 1000
#: What polling finds may be news for the listener as well, a moment later.
_GRACE = 2.0


class Hub:
    """Brings clients and snapshots together. It is also the listener's ear."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._channels: dict[str, Channel] = {}
        self._heard: set[str] = set()
        self._news = asyncio.Event()
        #: Whether every restaurant has to be looked at, because news may have been lost.
        self._suspicious = False
        self._tasks: list[asyncio.Task[None]] = []

    # --- clients ----------------------------------------------------------------------------------

    def channel(self, restaurant_id: str) -> Channel:
        """The restaurant's channel, which reads at once if it is a new one; :meth:`leave` ends it."""
        found = self._channels.get(restaurant_id)
        if found is None:
            found = self._channels[restaurant_id] = Channel(restaurant_id, self._surroundings)
            found.refresh()
        return found

    def leave(self, client: Client) -> None:
        """A client is gone; with the last one the restaurant is forgotten."""
        channel = client.channel
        channel.clients.discard(client)
        if not channel.clients and self._channels.get(channel.restaurant_id) is channel:
            del self._channels[channel.restaurant_id]
            channel.close()

    async def freshen(self, channel: Channel, *, again: bool = False) -> None:
        """Make sure that a channel has what is active; but wait for that no longer than patience lasts.

        It is read ``again`` for whoever knows that it has changed.
        """
        if channel.snapshot is not None:
            if self._surroundings.listener.is_up and not again:
                return
            channel.refresh()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._surroundings.limits.patience):
                await channel.settled()

    def census(self) -> Mapping[tuple[str, str], int]:
        """How many clients there are, by restaurant and the number of the version that they have."""
        return Counter(
            (channel.name, str(channel.versions.get(client.version or "", "none")))
            for channel in self._channels.values()
            for client in channel.clients
        )

    def clients_of(self, restaurant_id: str) -> list[dict[str, Any]]:
        """How many clients of a restaurant have which version, newest first; without one at the end."""
        channel = self._channels.get(restaurant_id)
        found = Counter(client.version for client in channel.clients) if channel else Counter[str | None]()
        numbers: Mapping[str, int] = channel.versions if channel else {}
        counted: list[dict[str, Any]] = [
            {"version_id": version, "version_number": numbers.get(version or ""), "clients": clients}
            for version, clients in found.items()
        ]
        return sorted(counted, key=lambda one: one["version_number"] or 0, reverse=True)

    # --- the listener's ear -----------------------------------------------------------------------

    def connected(self) -> None:
        listener = self._surroundings.listener
        if listener.has_been_up:
            self._surroundings.metrics.reconnects.inc()
        listener.worked()
        tell("listening for activations")
        self._suspicious = True
        self._news.set()

    def disconnected(self, error: RowformError) -> None:
        if self._surroundings.listener.is_up:
            tell("the listener's connection is lost", level=logging.WARNING, reason=error.message)
        self._surroundings.listener.failed()

    def heard(self, versions: Collection[str]) -> None:
        self._heard.update(versions)
        if len(self._heard) > _BATCH:
            # Somebody floods the channel: it costs less to look at everything once.
            self._heard.clear()
            self._suspicious = True
        self._news.set()

    # --- what goes on all the time ----------------------------------------------------------------

    def start(self) -> None:
        """Begin to follow the news, to poll and to watch the calendar."""
        self._tasks = [asyncio.create_task(one()) for one in (self._follow, self._poll, self._watch_calendar)]

    async def stop(self) -> None:
        """End all that, and all readings."""
        for task in self._tasks:
            task.cancel()
        for channel in self._channels.values():
            channel.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            versions, self._heard = self._heard, set()
            suspicious, self._suspicious = self._suspicious, False
            try:
                if versions:
                    self._consider(await self._surroundings.source.heads((), versions))
                if suspicious:
                    await self._look_at_all()
            except Exception as error:  # noqa: BLE001  # the next attempt may work
                self._failed(error)
                self._heard |= versions
                self._suspicious |= suspicious
                self._news.set()
                await asyncio.sleep(self._surroundings.limits.retry)
            else:
                self._surroundings.database.worked()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._surroundings.limits.poll)
            try:
                await self._look_at_all(polling=self._surroundings.listener.is_up)
            except Exception as error:  # noqa: BLE001  # the next attempt may work
                self._failed(error)
            else:
                self._surroundings.database.worked()

    async def _look_at_all(self, *, polling: bool = False) -> None:
        """Compare every restaurant's active version with the one that its clients were told of."""
        ids = list(self._channels)
        # Also without any clients it is good to know whether the database answers.
        for start in range(0, max(len(ids), 1), _BATCH):
            asked = ids[start : start + _BATCH]
            heads = await self._surroundings.source.heads(asked, ())
            self._consider(heads, polling=polling)
            for gone in set(asked) - {head.restaurant_id for head in heads}:
                if gone in self._channels:
                    self._channels[gone].refresh()

    def _consider(self, heads: Iterable[Head], *, polling: bool = False) -> None:
        for head in heads:
            channel = self._channels.get(head.restaurant_id)
            if channel is None or channel.is_at(head):
                continue
            known = channel.snapshot.head.version_id if channel.snapshot else None
            if polling and known and head.version_id != known and (head.age or 0) > _GRACE:
                self._surroundings.metrics.missed.inc()
                tell(
                    "the listener did not hear of an activation; behind a pooler it needs --listen-url",
                    level=logging.WARNING,
                    restaurant=channel.name,
                )
            channel.refresh(head)

    async def _watch_calendar(self) -> None:
        while True:
            await asyncio.sleep(self._surroundings.limits.tick)
            for channel in list(self._channels.values()):
                channel.turn_page()

    def _failed(self, error: Exception) -> None:
        if self._surroundings.database.is_up:
            tell("the database does not answer", level=logging.WARNING, error=error, reason=reason(error))
        self._surroundings.database.failed()
        self._surroundings.metrics.database_errors.inc()
