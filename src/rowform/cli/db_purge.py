"""``rowform db purge``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowform.cli.common import approve_option, ask, emit, settings
from rowform.sync.removal import purge as purge_restaurant
from rowform.sync.removal import purge_outlook
from rowform.text import count, escape, joined

if TYPE_CHECKING:
    from rowform.store.purging import Purged


@click.command()
@click.option("-r", "--restaurant", "wanted", metavar="SLUG", required=True, help="Which one; or its id.")
@approve_option
@click.pass_context
def purge(ctx: click.Context, wanted: str, auto_approve: bool) -> None:
    """Versions, settings and audit trail: the only way to delete these, and there is no way back.

    Rows of the application's own tables go as their foreign keys say; nothing is deleted if one of
    these says no. Files in the configuration stay.
    """
    found = purge_outlook(settings(ctx), wanted)
    emit(_outlook_text(found))
    if not auto_approve:
        ask(f"Do you want to delete {escape(found.slug or found.id)} for ever?")
    done = purge_restaurant(settings(ctx), found.id)
    emit()
    emit(f"Purge complete! {escape(done.slug or done.id)}: {_counts(done)} deleted.")


def _outlook_text(found: Purged) -> str:
    """Who it is, and what goes."""
    state = "no version is active"
    if found.active is not None:
        state = f"version {found.active} is active{' and locked' if found.is_locked else ''}"
    lines = [
        f"{escape(found.name)} ({escape(found.slug or 'no slug')}, {found.id}); {state}.",
        f"Goes for ever: {_counts(found)}.",
    ]
    if found.cascades:
        lines.append(f"Rows that refer to it go from {escape(joined(found.cascades))} as well.")
    return "\n".join(lines)


def _counts(found: Purged) -> str:
    return joined(
        (
            count(found.versions, "version"),
            count(found.settings, "stored row") + " of settings",
            count(found.changes, "audit row"),
        )
    )
