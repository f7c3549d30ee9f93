"""``rowform db``: the tables themselves."""

from __future__ import annotations

import click

from rowform.cli.commands import DB_COMMANDS
from rowform.cli.common import ask, emit, format_option, print_json, settings
from rowform.cli.main import LazyGroup
from rowform.render.status import status_text
from rowform.sync.database import database_status, upgrade_script
from rowform.sync.database import upgrade as upgrade_database

FORMAT = "rowform.status/1"


@click.group(cls=LazyGroup, entries=DB_COMMANDS)
def db() -> None:
    """The embedded database upgrades itself; others only by `db upgrade`."""


@click.command()
@click.option("--sql", "only_sql", is_flag=True, help="Print the SQL instead of running it.")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.pass_context
def upgrade(ctx: click.Context, only_sql: bool, auto_approve: bool) -> None:
    """Everything in one transaction; running it again does nothing."""
    script = upgrade_script(settings(ctx))
    if only_sql:
        if script:
            emit(script.rstrip("\n"))
        return
    if not script:
        emit("The database is up to date.")
        return
    if not auto_approve:
        ask("Do you want to upgrade the database?")
    for sentence in upgrade_database(settings(ctx)):
        emit(sentence)
    emit("The database is up to date.")


@click.command()
@format_option
@click.pass_context
def status(ctx: click.Context, form: str) -> None:
    """Tells versions, schema and restaurants; writes nothing."""
    found = database_status(settings(ctx))
    if form == "json":
        print_json({"format": FORMAT, **found.to_json()})
    else:
        emit(status_text(found.to_json()))
