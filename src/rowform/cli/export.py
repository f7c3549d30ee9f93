"""``rowform export``."""

from __future__ import annotations

import click

from rowform.cli.common import emit, print_json, restaurants_option, settings
from rowform.errors import UsageError
from rowform.sync.exporting import browser_settings, insert_script, live_settings


@click.command()
@click.argument("version", required=False)
@restaurants_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["localstorage", "json", "sql"]),
    default="localstorage",
    show_default=True,
    help="What is to read it.",
)
@click.option(
    "--like", metavar="FILE", help="The imported file whose shape it gets; the latest one by default."
)
@click.option("--rows", is_flag=True, help="The shape of database rows, whatever was imported.")
@click.pass_context
def export(
    ctx: click.Context,
    *,
    version: str | None,
    slugs: tuple[str, ...],
    form: str,
    like: str | None,
    rows: bool,
) -> None:
    """VERSION is a number, `active`, which is the default, or `config` for the files, without a database.

    `localstorage` is the value of a browser's key shift-schedule-settings: in the shape in which the
    restaurant's settings were imported, else as database rows. `json` is what live clients get.

    `sql` puts a version into tables as the application makes them, ids and time stamps included, and makes
    it the active one there if it is so here.
    """
    if like is not None and rows:
        raise UsageError("--like and --rows are two shapes", "give one of them")
    if form != "localstorage" and (rows or like is not None):
        raise UsageError("only localstorage comes in several shapes", "leave --like and --rows out")
    if form == "sql":
        emit(insert_script(settings(ctx), slugs, version))
        return
    if form == "json":
        print_json(live_settings(settings(ctx), slugs, version))
        return
    print_json(browser_settings(settings(ctx), slugs, version, like=like, rows=rows))
