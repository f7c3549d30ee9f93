"""``rowform lock`` and ``rowform unlock``."""

from __future__ import annotations

import click

from rowform.cli.common import actor_option, emit, reason_option, restaurants_option, settings
from rowform.store.writing import Why
from rowform.sync.activation import lock_version
from rowform.text import escape, quote


@click.command()
@click.argument("version")
@restaurants_option
@reason_option
@actor_option
@click.pass_context
def lock(
    ctx: click.Context, version: str, slugs: tuple[str, ...], reason: str | None, actor: str | None
) -> None:
    """VERSION is a number or `active`. While the active version is locked, nothing replaces it."""
    _set(ctx, version, slugs, Why(reason, actor), locked=True)


@click.command()
@click.argument("version")
@restaurants_option
@reason_option
@actor_option
@click.pass_context
def unlock(
    ctx: click.Context, version: str, slugs: tuple[str, ...], reason: str | None, actor: str | None
) -> None:
    """VERSION is a number or `active`."""
    _set(ctx, version, slugs, Why(reason, actor), locked=False)


def _set(ctx: click.Context, version: str, slugs: tuple[str, ...], why: Why, *, locked: bool) -> None:
    slug, found = lock_version(settings(ctx), slugs, version, why, locked=locked)
    word = "locked" if locked else "unlocked"
    target = found.version
    state = "active " if found.is_active else ""
    already = "" if found.done else " already"
    emit(f"{escape(slug)}: the {state}version {target.number} {quote(target.name)} is {word}{already}.")
