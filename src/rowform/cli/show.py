"""``rowform show``."""

from __future__ import annotations

import click

from rowform.cli.common import emit, format_option, print_json, restaurants_option, settings
from rowform.kinds import kinds
from rowform.render.versions import version_text
from rowform.sync.versions import content_of_version

FORMAT = "rowform.version/1"


@click.command()
@click.argument("version", required=False)
@restaurants_option
@format_option
@click.pass_context
def show(ctx: click.Context, version: str | None, slugs: tuple[str, ...], form: str) -> None:
    """VERSION is a number or `active`, which is the default. Every version is shown in full, as YAML."""
    slug, id_, found, content = content_of_version(settings(ctx), slugs, version)
    if form == "json":
        print_json(
            {
                "format": FORMAT,
                "restaurant": slug,
                "restaurant_id": id_,
                **found.to_json(),
                "settings": {
                    kind: [dict(content[kind][key].values) for key in sorted(content[kind])]
                    for kind in kinds()
                    if kind in content
                },
            }
        )
        return
    emit(version_text(slug, found, content, kinds()))
