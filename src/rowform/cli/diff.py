"""``rowform diff``."""

from __future__ import annotations

import click

from rowform.cli.common import emit, format_option, ink, print_json, restaurants_option, settings
from rowform.kinds import kinds
from rowform.render.diff_text import diff_text
from rowform.sync.comparing import difference

FORMAT = "rowform.diff/1"


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@restaurants_option
@format_option
@click.pass_context
def diff(ctx: click.Context, before: str, after: str, slugs: tuple[str, ...], form: str) -> None:
    """A and B are numbers, `active`, `previous` for what that one replaced, or `config` for the files.

    What is shown leads from A to B. With `config`, kinds that the files do not manage are left out.
    """
    found = difference(settings(ctx), slugs, before, after)
    if form == "json":
        print_json({"format": FORMAT, **found.to_json()})
        return
    emit(diff_text(found.slug, (found.before.words, found.after.words), found.changes, kinds(), ink()))
