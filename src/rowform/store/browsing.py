"""Sessions for looking at one restaurant, kept open from one look to the next."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from rowform.errors import DatabaseError
from rowform.kinds import Kind
from rowform.store.failures import translated
from rowform.store.queries import query
from rowform.store.read import one_snapshot
from rowform.store.session import Session, open_session

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class About:
    """What there is to know of a restaurant besides its settings."""

    slug: str | None
    name: str | None
    timezone: str | None
    managed_in: str | None


def about(session: Session, restaurant_id: str) -> About | None:
    """What is known of a restaurant; nothing if there is none. One round trip.

    Raises:
        DatabaseError: the server refused or failed.
    """
    with translated():
        row = session.connection.execute(
            query("browse_restaurant", app=session.app), {"restaurant": restaurant_id}
        ).fetchone()
    return About(*row) if row else None


class Looks:
    """Sessions that threads take and bring back. What is read is of one moment and of one restaurant."""

    def __init__(self, url: str, kinds: Mapping[str, Kind]) -> None:
        self._url = url
        self._kinds = kinds
        self._idle: queue.LifoQueue[Session] = queue.LifoQueue()

    def look(self, restaurant_id: str, work: Callable[[Session], T]) -> T:
        """Do ``work`` with a session that sees this restaurant alone, as far as policies hold its role.

        Args:
            restaurant_id: which one.
            work: reads; it begins no transaction.

        Raises:
            ConnectionFailed: the server cannot be reached.
            DatabaseError: the server refused or failed.
        """
        try:
            session = self._idle.get_nowait()
        except queue.Empty:
            return self._use(open_session(self._url, self._kinds), restaurant_id, work)
        try:
            return self._use(session, restaurant_id, work)
        except DatabaseError:
            if not session.connection.broken:
                raise
            # It was lost while nobody looked.
            return self._use(open_session(self._url, self._kinds), restaurant_id, work)

    def _use(self, session: Session, restaurant_id: str, work: Callable[[Session], T]) -> T:
        try:
            with one_snapshot(session):
                session.connection.execute(query("live_restaurant"), {"restaurant": restaurant_id})
                found = work(session)
        except BaseException:
            if not session.connection.broken:
                session.connection.close()
            raise
        self._idle.put_nowait(session)
        return found

    def close(self) -> None:
        """Close the sessions that are not in use."""
        while True:
            try:
                self._idle.get_nowait().connection.close()
            except queue.Empty:
                return
