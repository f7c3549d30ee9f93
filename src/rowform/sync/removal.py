"""Taking rowform out of a database, and one restaurant out of rowform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rowform.sync.configuration import Settings, load_tool_config
from rowform.sync.database import database_url

if TYPE_CHECKING:
    from rowform.store.purging import Purged
    from rowform.store.removal import Outlook


def removal_outlook(settings: Settings) -> Outlook | None:
    """What :func:`remove` would do and lose; ``None`` if rowform is not in the database.

    Raises:
        Refused: objects of others depend on rowform's.
    """
    from rowform.store.connection import connect
    from rowform.store.removal import outlook

    with database_url(settings, load_tool_config(settings)) as (url, _), connect(url) as connection:
        return outlook(connection)


def removal_script(settings: Settings) -> str:
    """The SQL that :func:`remove` would run; empty if rowform is not in the database."""
    from rowform.store.connection import connect
    from rowform.store.removal import script

    with database_url(settings, load_tool_config(settings)) as (url, _), connect(url) as connection:
        return script(connection)


def remove(settings: Settings) -> list[str]:
    """Leave plain tables of the active versions; what was done, one sentence each.

    Raises:
        Refused: objects of others depend on rowform's; nothing was changed.
    """
    from rowform.store.connection import connect
    from rowform.store.removal import remove

    with database_url(settings, load_tool_config(settings)) as (url, database), connect(url) as connection:
        done = remove(connection)
        if done and database.url is None:
            settings.report("The embedded database takes its tables over again with the next command.")
        return done


def purge_outlook(settings: Settings, wanted: str) -> Purged:
    """What :func:`purge` would delete; ``wanted`` is a slug or an id.

    Raises:
        UsageError: there is no such restaurant.
    """
    from rowform.store.connection import connect
    from rowform.store.purging import outlook

    with database_url(settings, load_tool_config(settings)) as (url, _), connect(url) as connection:
        return outlook(connection, wanted)


def purge(settings: Settings, restaurant_id: str) -> Purged:
    """Delete a restaurant and everything that is known of it; what was deleted.

    Raises:
        UsageError: there is no such restaurant.
        Refused: tables of the application still refer to it; nothing was deleted.
    """
    from rowform.store.connection import connect
    from rowform.store.purging import purge

    with database_url(settings, load_tool_config(settings)) as (url, _), connect(url) as connection:
        purged = purge(connection, restaurant_id)
    directory = _directory(settings, purged)
    if directory:
        settings.report(f"{directory} is still there: the next `rowform apply` makes the restaurant again.")
    return purged


def _directory(settings: Settings, purged: Purged) -> str | None:
    """The restaurant's directory: the one of its slug, or one that has its id."""
    for file in sorted(settings.config_dir.glob("*/restaurant.yaml")):
        if file.is_file() and (
            file.parent.name == purged.slug or purged.id in file.read_text("utf-8", errors="replace").lower()
        ):
            return str(file.parent)
    return None
