"""Where the server reads from. The store has the real one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from rowform.wire import Head, Snapshot


class Source(Protocol):
    """All methods raise :class:`rowform.errors.RowformError` when there is no answer."""

    async def find(self, wanted: str | None) -> str | None:
        """The id of the restaurant that a slug or an id names; without one, of the only one there is."""
        ...

    async def heads(self, restaurants: Collection[str], versions: Collection[str]) -> list[Head]:
        """What is active in some restaurants, and in those that some versions are of."""
        ...

    async def load(self, restaurant_id: str) -> Snapshot | None:
        """All that a restaurant's clients see; nothing if there is no such restaurant."""
        ...
