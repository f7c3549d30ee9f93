"""``rowform db``: the tables themselves."""

from __future__ import annotations

import click

from rowform.cli.commands import DB_COMMANDS
from rowform.cli.common import approve_option, ask, emit, format_option, note, print_json, settings
from rowform.cli.main import LazyGroup
from rowform.errors import DoesNotFit, RowformError
from rowform.render.findings import findings_text
from rowform.render.status import status_text
from rowform.sync.configuration import Settings
from rowform.sync.database import UpgradeOptions, database_status, pending_upgrade
from rowform.sync.database import upgrade as upgrade_database
from rowform.text import count, escape

FORMAT = "rowform.status/1"
UPGRADE_FORMAT = "rowform.upgrade/1"


@click.group(cls=LazyGroup, entries=DB_COMMANDS)
def db() -> None:
    """The embedded database upgrades itself; others only by `db upgrade`."""


@click.command()
@click.option("--sql", "only_sql", is_flag=True, help="Print the SQL instead of running it.")
@click.option("--fix", is_flag=True, help="Do with rows that do not fit what their finding says.")
@click.option(
    "--keep-inactive",
    is_flag=True,
    help="Rows whose is_active is not true are paused settings, not deleted ones.",
)
@click.option(
    "--enforce-rls",
    is_flag=True,
    help="Keep an adopted application's restaurants apart by row level security.",
)
@format_option
@approve_option
@click.pass_context
def upgrade(
    ctx: click.Context,
    *,
    only_sql: bool,
    fix: bool,
    keep_inactive: bool,
    enforce_rls: bool,
    form: str,
    auto_approve: bool,
) -> None:
    """Everything in one transaction; running it again does nothing.

    An application's own tables are taken over, rows included. What of them does not fit is
    listed, and nothing is changed until it fits or --fix says what to do.
    """
    options = UpgradeOptions(fix, keep_inactive, enforce_rls)
    try:
        _upgrade(settings(ctx), options, only_sql=only_sql, form=form, auto_approve=auto_approve)
    except DoesNotFit as error:
        if form == "text":
            emit(findings_text(error.findings))
        raise


def _upgrade(
    known: Settings, options: UpgradeOptions, *, only_sql: bool, form: str, auto_approve: bool
) -> None:
    pending = pending_upgrade(known, options)
    if only_sql:
        if pending.script:
            emit(pending.script.rstrip("\n"))
        return
    if pending.steps and not auto_approve:
        for sentence in pending.steps:
            note(sentence)
        ask("Do you want to upgrade the database?")
    done = upgrade_database(known, options) if pending.steps else []
    if form == "json":
        print_json({"format": UPGRADE_FORMAT, "done": done})
        return
    for sentence in done if auto_approve else ():
        emit(escape(sentence))
    emit("The database is up to date.")


@click.command()
@click.option("--verify", is_flag=True, help="Compute the digest of every version anew, and compare.")
@format_option
@click.pass_context
def status(ctx: click.Context, form: str, verify: bool) -> None:
    """Tells versions, schema and restaurants; writes nothing.

    A version's digest was made of its content when it was applied. `--verify` fails if another one
    comes out today.
    """
    found, verification = database_status(settings(ctx), verify=verify)
    document = {**found.to_json(), "verification": verification.to_json() if verification else None}
    as_json = form == "json"
    if as_json:
        print_json({"format": FORMAT, **document})
    else:
        emit(status_text(document))
    if verification and verification.differing:
        differing = len(verification.differing)
        error = RowformError(
            f"{differing:,} of {count(verification.checked, 'version')} are not as recorded",
            "the tables were altered past rowform; a backup has what they held",
        )
        error.shown = as_json
        raise error
