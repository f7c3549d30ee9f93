"""``rowform diff``."""

from __future__ import annotations

import click

from rowform.cli.common import (
    emit,
    formats_option,
    ink,
    language_for,
    language_option,
    print_json,
    restaurants_option,
    settings,
)
from rowform.kinds import kinds
from rowform.kinds.facts import Language
from rowform.render.diff_text import diff_text
from rowform.sync.comparing import difference

FORMAT = "rowform.diff/1"


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@restaurants_option
@formats_option("markdown")
@language_option
@click.pass_context
def diff(
    ctx: click.Context, before: str, after: str, slugs: tuple[str, ...], form: str, language: Language | None
) -> None:
    """A and B are numbers, `active`, `previous` for what that one replaced, or `config` for the files.

    What is shown leads from A to B. With `config`, kinds that the files do not manage are left out.
    """
    words = language_for(form, language)
    found = difference(settings(ctx), slugs, before, after)
    if form == "json":
        print_json({"format": FORMAT, **found.to_json()})
        return
    if form == "markdown":
        from rowform.render.markdown import diff_markdown

        sides = [
            (side.version.number, side.version.name) if side.version else None
            for side in (found.before, found.after)
        ]
        emit(diff_markdown(found.slug, sides, found.changes, kinds(), words))
        return
    emit(diff_text(found.slug, (found.before.words, found.after.words), found.changes, kinds(), ink()))
