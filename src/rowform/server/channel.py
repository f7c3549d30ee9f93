"""One restaurant: its clients, and the newest snapshot, which is encoded once for all of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date
from typing import Any

from rowform import wire
from rowform.effective import today
from rowform.server.client import Client, Frame, Goodbye
from rowform.server.logs import reason, tell
from rowform.server.surroundings import Surroundings
from rowform.wire import Code, Fault, Head, Snapshot

#: Of so many versions the number is remembered, for those who say that they have one of them.
_REMEMBERED = 50


class Channel:
    """Reads again whenever it is told to, one reading at a time, and once more if that was while it read."""

    def __init__(self, restaurant_id: str, surroundings: Surroundings) -> None:
        self.restaurant_id = restaurant_id
        self.clients: set[Client] = set()
        self.versions: OrderedDict[str, int] = OrderedDict()
        self._surroundings = surroundings
        self._snapshot: Snapshot | None = None
        self._day: date | None = None
        self._activated: float | None = None
        self._wanted = 0
        self._done = 0
        self._progress = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None

    @property
    def snapshot(self) -> Snapshot | None:
        """What was read last, also if no version was active; nothing before the first reading."""
        return self._snapshot

    @property
    def told(self) -> Snapshot | None:
        """What there is to tell: nothing without an active version."""
        return self._snapshot if self._snapshot and self._snapshot.settings else None

    @property
    def name(self) -> str:
        """What people call the restaurant."""
        return (self._snapshot.head.slug if self._snapshot else None) or self.restaurant_id

    # --- reading ----------------------------------------------------------------------------------

    def is_at(self, head: Head) -> bool:
        """Whether that is what was read last."""
        return self._snapshot is not None and self._snapshot.head == head

    def refresh(self, head: Head | None = None) -> None:
        """Read again: what is active may have changed, to ``head`` if somebody knows."""
        if (
            head
            and head.age is not None
            and self._snapshot
            and head.version_id != self._snapshot.head.version_id
        ):
            self._activated = time.monotonic() - max(head.age, 0)
        self._wanted += 1
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())

    async def settled(self) -> None:
        """Wait until there was a reading that began after now."""
        wanted = self._wanted
        async with self._progress:
            await self._progress.wait_for(lambda: self._done >= wanted)

    def close(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            self._reader.cancel()

    async def _read(self) -> None:
        surroundings = self._surroundings
        while self._done < self._wanted:
            wanted = self._wanted
            try:
                with surroundings.metrics.loads.time():
                    found = await surroundings.source.load(self.restaurant_id)
            except Exception as error:  # noqa: BLE001  # clients wait for it, and it may work next time
                surroundings.database.failed()
                surroundings.metrics.database_errors.inc()
                tell(
                    "settings cannot be read",
                    level=logging.WARNING,
                    error=error,
                    restaurant=self.name,
                    reason=reason(error),
                )
                await asyncio.sleep(surroundings.limits.retry)
                continue
            surroundings.database.worked()
            self._take(found)
            async with self._progress:
                self._done = wanted
                self._progress.notify_all()

    def _take(self, found: Snapshot | None) -> None:
        if found is None:
            self._snapshot = None
            for client in self.clients:
                client.end(Goodbye(Fault(Code.NO_RESTAURANT, "there is no such restaurant any more")))
            return
        before, self._snapshot = self._snapshot, found
        activated, self._activated = self._activated, None
        self._day = self._today()
        if self.told is None or found.head.version_id is None:
            return
        self.versions[found.head.version_id] = found.number
        self.versions.move_to_end(found.head.version_id)
        if len(self.versions) > _REMEMBERED:
            self.versions.popitem(last=False)
        if before is not None and before.head != found.head:
            self.publish(wire.update_marks(wire.changed_tables(before, found)), activated)

    # --- telling ----------------------------------------------------------------------------------

    def publish(self, marks: Mapping[str, Any], activated: float | None = None) -> None:
        """Send the newest snapshot to everybody; ``marks`` say why."""
        told = self.told
        if told is None:
            return
        data = wire.sync_response(told, self._surroundings.clock(), wire.SERVER_ID, marks)
        frame = Frame(told, data, activated)
        for client in self.clients:
            client.offer(frame)
        tell(
            "settings sent",
            restaurant=self.name,
            version=told.number,
            clients=len(self.clients),
            bytes=len(data),
            tables=",".join(marks.get("updatedTables", ())) or None,
            effective_on=marks.get("effectiveOn"),
        )

    def turn_page(self) -> None:
        """Look at the restaurant's calendar: what is in effect may change at midnight, without a version."""
        day = self._today()
        if day is None or day == self._day:
            return
        before, self._day = self._day, day
        told = self.told
        if told and before and wire.effects_differ(told, self._surroundings.kinds.values(), before, day):
            self.publish({"effectiveOn": day.isoformat()})

    def _today(self) -> date | None:
        if self._snapshot is None:
            return None
        return today((self._snapshot.head.timezone,), self._surroundings.clock())[0]
