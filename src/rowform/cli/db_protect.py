"""``rowform db protect`` and ``rowform db unprotect``."""

from __future__ import annotations

import click

from rowform.cli.common import approve_option, ask, emit, note, settings
from rowform.sync.protection import protect as protect_database
from rowform.sync.protection import unprotect as unprotect_database
from rowform.text import escape


@click.command()
@click.option(
    "--managed-in",
    metavar="TEXT",
    help="What people read whose write is refused; the remote `origin` by default.",
)
@approve_option
@click.pass_context
def protect(ctx: click.Context, managed_in: str | None, auto_approve: bool) -> None:
    """No SQL but rowform's own changes settings then; whoever tries reads where they are managed.

    `apply`, `activate` and `rollback` go on working.
    """

    def confirm(place: str) -> None:
        if not auto_approve:
            note(f"Whoever writes directly will read: settings are managed in {place}.")
            ask("Do you want to refuse direct writes?")

    found, is_new = protect_database(settings(ctx), managed_in, confirm)
    word = "" if is_new else " already"
    emit(f"Direct writes are refused{word}: settings are managed in {escape(found.managed_in or '')}.")


@click.command()
@approve_option
@click.pass_context
def unprotect(ctx: click.Context, auto_approve: bool) -> None:
    """The application, and people with psql, may change settings again; each write becomes a version."""

    def confirm() -> None:
        if not auto_approve:
            ask("Do you want to allow direct writes?")

    is_new = unprotect_database(settings(ctx), confirm)
    emit(f"Direct writes are allowed{'' if is_new else ' already'}.")
