"""Looking at versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rowform.errors import UsageError
from rowform.plan import Actual
from rowform.state import Content
from rowform.sync.configuration import Settings, load_tool_config
from rowform.sync.database import session
from rowform.text import did_you_mean, escape, joined

if TYPE_CHECKING:
    from rowform.store.read import Version


#: More digits are beyond PostgreSQL's integers.
_MAX_DIGITS = 9


def history_of(
    settings: Settings, slugs: Sequence[str], limit: int | None = None
) -> list[tuple[str, str, list[Version]]]:
    """The versions of the restaurants that ``slugs`` names, of all without it: slug, id, versions.

    Raises:
        UsageError: there is no such restaurant in the database.
    """
    from rowform.store.read import history, snapshot

    with session(settings, load_tool_config(settings)) as (opened, _, _):
        there = snapshot(opened, {})
        return [
            (name, one.restaurant_id, history(opened, one.restaurant_id, limit=limit))
            for name, one in _named(there.values(), slugs)
        ]


def content_of_version(
    settings: Settings, slugs: Sequence[str], version: str | None
) -> tuple[str, str, Version, Content]:
    """One version and its content: slug, id, version, content.

    Args:
        settings: where to look.
        slugs: the restaurant; may be left out if there is only one.
        version: a number, or ``active``, which is the default.

    Raises:
        UsageError: there is no such restaurant or version, or it is not clear which is meant.
    """
    from rowform.store.read import content_of, one_version, snapshot, version_rows

    number = _number(version)
    with session(settings, load_tool_config(settings)) as (opened, _, _):
        found = _named(snapshot(opened, {}).values(), slugs)
        if len(found) != 1:
            raise UsageError(
                f"there are {len(found)} restaurants: {joined(name for name, _ in found)}"
                if found
                else "there are no restaurants yet",
                "choose one with -r" if found else "`rowform apply` makes them",
            )
        name, actual = found[0]
        if number is None:
            if actual.base is None:
                raise UsageError(f"{escape(name)} has no active version", "`rowform apply` makes one")
            number = actual.base.version_number
        head = one_version(opened, actual.restaurant_id, number)
        rows = version_rows(opened, actual.restaurant_id, number)
    return name, actual.restaurant_id, head, content_of(rows)


def _number(version: str | None) -> int | None:
    if version is None or version == "active":
        return None
    if not version.isascii() or not version.isdigit() or len(version) > _MAX_DIGITS:
        raise UsageError(f'"{escape(version)}" is no version', "give a number, or `active`")
    return int(version)


def _named(there: Iterable[Actual], slugs: Sequence[str]) -> list[tuple[str, Actual]]:
    """The restaurants by slug (by id where they have none), those that ``slugs`` names or all."""
    known = {one.slug or one.restaurant_id: one for one in there}
    for slug in slugs:
        if slug not in known:
            raise UsageError(
                f'there is no restaurant "{escape(slug)}" in the database',
                did_you_mean(slug, known) or (f"there is {joined(sorted(known))}" if known else None),
            )
    return [(name, known[name]) for name in sorted(set(slugs) or known)]
