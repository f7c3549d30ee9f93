"""``rowform log``."""

from __future__ import annotations

import click

from rowform.cli import completing
from rowform.cli.common import emit, format_option, ink, note, print_json, restaurants_option, settings
from rowform.errors import UsageError
from rowform.render.log_text import fields_text, log_text
from rowform.sync.audit import Wanted, audit_of, fields_of

FORMAT = "rowform.log/1"
FIELDS_FORMAT = "rowform.fields/1"


@click.command()
@restaurants_option
@click.option(
    "--kind", metavar="KIND", shell_complete=completing.kind_names, help="Only settings of this kind."
)
@click.option("--key", metavar="NAME", help="Only this setting, under earlier names too.")
@click.option("--version", metavar="N", help="Only what brought this version: a number, or `active`.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    default=100,
    show_default=True,
    help="Only the newest so many.",
)
@click.option("--fields", is_flag=True, help="Who set each value that the setting has now; with --key.")
@click.option("--notes", is_flag=True, help="Also what the application itself has logged.")
@format_option
@click.pass_context
def log(
    ctx: click.Context,
    *,
    slugs: tuple[str, ...],
    kind: str | None,
    key: str | None,
    version: str | None,
    limit: int,
    fields: bool,
    notes: bool,
    form: str,
) -> None:
    """Newest first: every change of a setting, with old and new values; activations, rollbacks and locks.

    With --key it answers who set a value, when and in which commit.
    """
    if fields:
        _show_fields(ctx, slugs, kind, key, form)
        return
    trails = audit_of(settings(ctx), slugs, Wanted(kind, key, version, notes=notes, limit=limit))
    for trail in trails:
        if trail.more:
            note(f"{trail.slug} has older entries: --limit shows more.")
    if form == "json":
        print_json({"format": FORMAT, "restaurants": [trail.to_json() for trail in trails]})
        return
    emit("\n\n".join(log_text(trail.slug, trail.rows, ink()) for trail in trails))


def _show_fields(
    ctx: click.Context, slugs: tuple[str, ...], kind: str | None, key: str | None, form: str
) -> None:
    if key is None:
        raise UsageError("--fields needs a setting", "name it with --key")
    for name in ("version", "limit", "notes"):
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            raise UsageError(f"--fields and --{name} do not go together")
    found = fields_of(settings(ctx), slugs, kind, key)
    if form == "json":
        print_json({"format": FIELDS_FORMAT, **found.to_json()})
        return
    emit(fields_text(found.slug, found.kind, found.key, found.leaves, ink()))
