"""Refusing direct writes to settings, and allowing them again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from rowform.errors import UsageError
from rowform.git import Repository
from rowform.kinds import kinds
from rowform.sync.configuration import Settings, load_tool_config
from rowform.sync.database import database_url

if TYPE_CHECKING:
    from rowform.store.protection import Protection

#: Where settings are managed, if nothing better is known.
_SOMEWHERE = "Git"
_CREDENTIALS = re.compile(r"://\S*@")


def protect(
    settings: Settings, managed_in: str | None, confirm: Callable[[str], None]
) -> tuple[Protection, bool]:
    """Refuse direct writes.

    Args:
        settings: where to look.
        managed_in: what the refusal names; the remote of the configuration's repository otherwise.
        confirm: is told what the refusal will name, and raises an error if it shall not be.

    Returns:
        How things stand now, and whether that is new.

    Raises:
        UsageError: ``managed_in`` is empty or has credentials in it.
        DatabaseError: not the owner, or a direct writer takes too long.
    """
    if managed_in is None:
        place = Repository(settings.config_dir).origin() or _SOMEWHERE
    else:
        place = _given(managed_in)
    return _change(settings, place, lambda: confirm(place))


def unprotect(settings: Settings, confirm: Callable[[], None]) -> bool:
    """Allow direct writes; whether that is new.

    Raises:
        DatabaseError: not the owner.
    """
    return _change(settings, None, confirm)[1]


def _change(settings: Settings, place: str | None, confirm: Callable[[], None]) -> tuple[Protection, bool]:
    from rowform.store.connection import connect
    from rowform.store.migrate import check
    from rowform.store.protection import protection, set_protection

    with database_url(settings, load_tool_config(settings)) as (url, _), connect(url) as connection:
        check(connection, kinds())
        before = protection(connection)
        if (before.since is not None) == (place is not None) and before.managed_in == place:
            return before, False
        confirm()
        set_protection(connection, place)
        return protection(connection), True


def _given(managed_in: str) -> str:
    if not managed_in.strip():
        raise UsageError("--managed-in is empty")
    if _CREDENTIALS.search(managed_in):
        raise UsageError(
            "--managed-in has a user or a password in it, and everybody would read it",
            "leave out what stands before the @",
        )
    return managed_in.strip()
