"""Edits from live clients, through the plans, guards and transactions of every other change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from queue import LifoQueue
from weakref import WeakValueDictionary

from rowform import wire
from rowform.config import ToolConfig
from rowform.edits.sent import as_uuid
from rowform.errors import DatabaseError, RowformError, UsageError
from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.server.edits import Done
from rowform.server.edits import Edit as Asked
from rowform.store.editing import writer
from rowform.store.session import Session, open_session
from rowform.sync.configuration import Settings
from rowform.sync.defaults import default_content
from rowform.sync.edit import Author, Defaults, Edit, told
from rowform.text import escape, quote
from rowform.wire import Fault, Message, update_type

#: So many edits are made at once, each on its own connection.
LANES = 4


class Editor:
    """Makes what clients ask for. Several threads may use it at once.

    Args:
        connect: makes a session of a role that may write.
        defaults: what a reset goes back to; may raise :class:`rowform.errors.InvalidConfig`.
        thresholds: how much one edit may change.
    """

    def __init__(self, connect: Callable[[], Session], defaults: Defaults, thresholds: Thresholds) -> None:
        self._connect = connect
        self._defaults = defaults
        self._thresholds = thresholds
        self._idle: LifoQueue[Session | None] = LifoQueue()
        for _ in range(LANES):
            self._idle.put(None)
        self._updates = {update_type(kind): kind for kind in kinds().values()}

    def carry_out(self, message: Message, author: Author, restaurant_id: str) -> Done:
        """Do what a message asks for, or nothing at all.

        Args:
            message: one of :func:`rowform.wire.edit_types`.
            author: who sent it.
            restaurant_id: the only restaurant that the author may edit.

        Raises:
            Fault: it is not done; says why, and what to do about it.
        """
        with self._session() as session:
            edit = Edit(session, self._connect, self._thresholds, message, author, restaurant_id)
            if message.type in self._updates:
                return edit.update(self._updates[message.type])
            if message.type == wire.MIGRATE:
                return edit.migrate()
            if message.type == wire.RESET:
                return edit.reset(self._defaults)
            if message.type == wire.CREATE_VERSION:
                return edit.create_version()
            return edit.activate_version()

    def close(self) -> None:
        """Close the connections that are not in use."""
        while not self._idle.empty():
            session = self._idle.get_nowait()
            if session is not None:
                session.connection.close()

    @contextmanager
    def _session(self) -> Generator[Session]:
        """A session that nobody else uses meanwhile. After a failure another one takes its place.

        Raises:
            Fault: for every error of rowform's.
        """
        lane = self._idle.get()
        try:
            if lane is None or lane.connection.closed:
                lane = None
                lane = self._connect()
            yield lane
        except Fault:
            raise
        except BaseException as error:
            if lane is not None and (isinstance(error, DatabaseError) or not isinstance(error, RowformError)):
                # Nobody knows what state it is in.
                lane.connection.close()
            if isinstance(error, RowformError):
                raise told(error) from error
            raise
        finally:
            self._idle.put(lane)


def applied_edits(settings: Settings, tool: ToolConfig, url: str) -> ApplyEdits:
    """Edits that are written as the role of ``url``. Defaults are read from the configuration at each reset.

    Raises:
        UsageError: the role may not write.
        DatabaseError: the server cannot be reached, refused or failed.
    """

    def connect() -> Session:
        return open_session(url, kinds())

    session = connect()
    with session.connection:
        role, may = writer(session)
    if not may:
        raise UsageError(
            f"the role {quote(role)} may not write versions, which --edits apply needs",
            "--edit-url names the database as the role that ran `rowform db upgrade`",
        )
    return ApplyEdits(Editor(connect, partial(default_content, settings), tool.thresholds))


class ApplyEdits:
    """``--edits apply``: clients may write, one after the other in each restaurant."""

    name = "apply"

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._threads = ThreadPoolExecutor(LANES, "edits")
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def carry_out(self, edit: Asked) -> Done:
        """Do it in a thread of its own.

        Raises:
            Fault: it is not done.
        """
        identity = edit.identity
        user = identity.user or identity.subject
        # What clients call themselves ends up in the audit.
        author = Author(
            escape(edit.message.client_id), escape(user) if user else None, as_uuid(identity.subject)
        )
        turn = self._turns.setdefault(edit.restaurant_id, asyncio.Lock())
        async with turn:
            work = asyncio.get_running_loop().run_in_executor(
                self._threads, self._editor.carry_out, edit.message, author, edit.restaurant_id
            )
            # Of whoever goes away in the middle it is done, or refused and nobody hears why.
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
            return await asyncio.shield(work)

    def close(self) -> None:
        """Wait for what is being done, and close the connections."""
        self._threads.shutdown()
        self._editor.close()
