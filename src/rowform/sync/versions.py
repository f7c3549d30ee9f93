"""Looking at versions."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rowform.errors import UsageError
from rowform.plan import Actual
from rowform.state import Content
from rowform.sync.configuration import Settings, load_tool_config
from rowform.sync.database import session
from rowform.text import did_you_mean, escape, joined

if TYPE_CHECKING:
    from rowform.store.read import Version
    from rowform.store.session import Session


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
            for name, one in named(there.values(), slugs)
        ]


@contextmanager
def version_at(
    settings: Settings, slugs: Sequence[str], version: str | None
) -> Generator[tuple[Session, str, Actual, Version]]:
    """A session, and one version in it: session, slug, restaurant, version.

    Args:
        settings: where to look.
        slugs: the restaurant; may be left out if there is only one.
        version: a number, or ``active``, which is the default.

    Raises:
        UsageError: there is no such restaurant or version, or it is not clear which is meant.
    """
    from rowform.store.read import one_version

    number = None if version is None else version_number(version)
    with session(settings, load_tool_config(settings)) as (opened, _, _):
        name, actual = one_restaurant(opened, slugs)
        if number is None:
            if actual.base is None:
                hint = (
                    "`rowform activate N` switches to one" if actual.newest else "`rowform apply` makes one"
                )
                raise UsageError(f"{escape(name)} has no active version", hint)
            number = actual.base.version_number
        yield opened, name, actual, one_version(opened, actual.restaurant_id, number)


def content_of_version(
    settings: Settings, slugs: Sequence[str], version: str | None
) -> tuple[str, Actual, Version, Content]:
    """One version and its content, as :func:`version_at` finds it: slug, restaurant, version, content."""
    from rowform.store.read import content_of, version_rows

    with version_at(settings, slugs, version) as (opened, name, actual, head):
        return name, actual, head, content_of(version_rows(opened, actual.restaurant_id, head.number))


def one_restaurant(opened: Session, slugs: Sequence[str]) -> tuple[str, Actual]:
    """The restaurant that a command about one version means: its slug, and what the database has of it.

    Args:
        opened: where to look.
        slugs: names it; may be left out if there is only one.

    Raises:
        UsageError: there is no such restaurant, or it is not clear which is meant.
    """
    from rowform.store.read import snapshot

    found = named(snapshot(opened, {}).values(), slugs)
    if len(found) != 1:
        raise UsageError(
            f"there are {len(found)} restaurants: {joined(name for name, _ in found)}"
            if found
            else "there are no restaurants yet",
            "choose one with -r" if found else "`rowform apply` makes them",
        )
    return found[0]


def version_number(version: str, *words: str) -> int | None:
    """The number that people wrote; ``None`` for ``active``, and for other ``words`` that are fine here.

    Raises:
        UsageError: it is neither.
    """
    if version in ("active", *words):
        return None
    if not version.isascii() or not version.isdigit() or len(version) > _MAX_DIGITS:
        others = " or ".join(f"`{word}`" for word in ("active", *words))
        raise UsageError(f'"{escape(version)}" is no version', f"give a number, or {others}")
    return int(version)


def named(there: Iterable[Actual], slugs: Sequence[str]) -> list[tuple[str, Actual]]:
    """The restaurants by slug (by id where they have none), those that ``slugs`` names or all."""
    known = {one.slug or one.restaurant_id: one for one in there}
    for slug in slugs:
        if slug not in known:
            raise UsageError(
                f'there is no restaurant "{escape(slug)}" in the database',
                did_you_mean(slug, known) or (f"there is {joined(sorted(known))}" if known else None),
            )
    return [(name, known[name]) for name in sorted(set(slugs) or known)]
