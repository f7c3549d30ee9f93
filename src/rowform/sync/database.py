"""Reaching the database: which one, and connections to it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
    from rowform.store.verification import Verification


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


@dataclass(frozen=True, slots=True)
class UpgradeOptions:
    """What the person who upgrades has decided.

    ``fix`` and ``keep_inactive`` are about an application's rows that do not fit, see
    :class:`rowform.store.adoption.Choices`; ``enforce_rls`` keeps its restaurants apart.
    """

    fix: bool = False
    keep_inactive: bool = False
    enforce_rls: bool = False


@dataclass(frozen=True, slots=True)
class PendingUpgrade:
    """What an upgrade would do: a sentence for each step, and all of it as SQL. Empty if nothing."""

    steps: Sequence[str]
    script: str


def upgrade(settings: Settings, options: UpgradeOptions) -> list[str]:
    """Create or upgrade the tables, or take over an application's; what was done, one sentence each.

    Raises:
        DoesNotFit: an application's tables cannot be taken over as they are.
        SchemaError: the database is newer than this tool.
        Refused: to keep restaurants apart would shut somebody out.
    """
    from rowform.store.adoption import Choices
    from rowform.store.migrate import upgrade_database

    choices = Choices(options.fix, options.keep_inactive)
    with database_url(settings, load_tool_config(settings)) as (url, _):
        return upgrade_database(url, choices, enforce_rls=options.enforce_rls)


def pending_upgrade(settings: Settings, options: UpgradeOptions) -> PendingUpgrade:
    """What :func:`upgrade` would do. Changes nothing, and raises what that would."""
    from rowform.store.adoption import Choices
    from rowform.store.connection import connect
    from rowform.store.migrate import as_script, pending

    choices = Choices(options.fix, options.keep_inactive)
    with database_url(settings, load_tool_config(settings)) as (url, _), connect(url) as connection:
        steps = pending(connection, kinds(), choices, enforce_rls=options.enforce_rls)
        return PendingUpgrade([step.what for step in steps], as_script(connection, steps))


def database_status(settings: Settings, *, verify: bool = False) -> tuple[Status, Verification | None]:
    """What is in the database, and whether every version still is as its digest says, if that is asked.

    Raises:
        SchemaError: the schema is not the one that this tool and these kinds need.
    """
    from rowform.store.connection import connect
    from rowform.store.session import open_session
    from rowform.store.status import status
    from rowform.store.verification import verify as verified

    with database_url(settings, load_tool_config(settings)) as (url, _):
        with connect(url) as connection:
            found = status(connection, kinds())
        if not verify:
            return found, None
        opened = open_session(url, kinds())
        with opened.connection:
            return found, verified(opened, found.unknown_kinds)
