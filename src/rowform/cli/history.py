"""``rowform history``."""

from __future__ import annotations

import click

from rowform.cli.common import emit, format_option, ink, print_json, restaurants_option, settings
from rowform.render.versions import history_text
from rowform.sync.versions import history_of

FORMAT = "rowform.history/1"


@click.command()
@restaurants_option
@format_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest so many.")
@click.pass_context
def history(ctx: click.Context, slugs: tuple[str, ...], form: str, limit: int | None) -> None:
    """Newest first, with who made each one, from which commit, and how much it changed."""
    found = history_of(settings(ctx), slugs, limit)
    if form == "json":
        print_json(
            {
                "format": FORMAT,
                "restaurants": [
                    {"restaurant": slug, "restaurant_id": id_, "versions": [v.to_json() for v in versions]}
                    for slug, id_, versions in found
                ],
            }
        )
        return
    emit("\n\n".join(history_text(slug, versions, ink()) for slug, _, versions in found))
