"""Reaching the database: which one, and connections to it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rowform.config import ToolConfig
from rowform.kinds import kinds
from rowform.sync.configuration import Settings, load_tool_config
from rowform.target import Database, choose
from rowform.text import escape

if TYPE_CHECKING:
    from rowform.store.session import Session
    from rowform.store.status import Status


@contextmanager
def database_url(settings: Settings, tool: ToolConfig) -> Generator[tuple[str, Database]]:
    """The URL of the chosen database; the embedded one runs for as long as the context lasts."""
    database = choose(settings.database_url, settings.target, tool, settings.environment)
    if database.url is not None:
        yield database.url, database
        return
    from rowform.store.embedded import embedded
    from rowform.store.migrate import upgrade_database

    directory = settings.config_dir.resolve().parent / ".rowform"
    settings.report(f"Using the embedded database in {escape(_relative(directory))} ({database.source}).")
    with embedded(directory) as url:
        if upgrade_database(url):
            settings.report("Its tables were brought up to date.")
        yield url, database


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


@contextmanager
def session(
    settings: Settings, tool: ToolConfig
) -> Generator[tuple[Session, Callable[[], Session], Database]]:
    """A checked connection to the chosen database, and a way to make another one.

    Raises:
        ConnectionFailed: the server cannot be reached.
        SchemaError: rowform is not installed there, or in another version.
    """
    from rowform.store.session import open_session

    with database_url(settings, tool) as (url, database):

        def opened() -> Session:
            return open_session(url, kinds())

        first = opened()
        try:
            yield first, opened, database
        finally:
            first.connection.close()


def upgrade(settings: Settings) -> list[str]:
    """Create or upgrade the tables; what was done, one sentence each.

    Raises:
        SchemaError: the database is newer than this tool, or tables are in the way.
    """
    from rowform.store.migrate import upgrade_database

    with database_url(settings, load_tool_config(settings)) as (url, _):
        return upgrade_database(url)


def upgrade_script(settings: Settings) -> str:
    """The SQL that :func:`upgrade` would run; empty if there is nothing to do."""
    from rowform.store.connection import connect
    from rowform.store.migrate import script

    with database_url(settings, load_tool_config(settings)) as (url, _), connect(url) as connection:
        return script(connection, kinds())


def database_status(settings: Settings) -> Status:
    """What is in the database."""
    from rowform.store.connection import connect
    from rowform.store.status import status

    with database_url(settings, load_tool_config(settings)) as (url, _), connect(url) as connection:
        return status(connection, kinds())
