"""``rowform show``."""

from __future__ import annotations

from pathlib import Path

import click

from rowform.cli.common import emit, format_option, ink, print_json, restaurants_option, settings
from rowform.errors import UsageError
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
    """VERSION is a number or `active`, which is the default. Every version is shown in full, as YAML.

    The name of a file shows the plan that `plan -o` has saved there, as it was then; that needs no database.
    """
    if version is not None and _is_file(version):
        _show_plan(version, slugs, as_json=form == "json")
        return
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


def _is_file(version: str) -> bool:
    """Whether a word names a file: by its form, or because there is one. `./5` is a file, `5` a version."""
    if version.isdigit() or version == "active":
        return False
    return version.endswith(".json") or "/" in version or Path(version).is_file()


def _show_plan(name: str, slugs: tuple[str, ...], *, as_json: bool) -> None:
    from rowform.render.saved_plan import saved_plan_text
    from rowform.sync.saved import read_plan

    if slugs:
        raise UsageError("a saved plan is shown whole", "leave -r out here")
    saved = read_plan(name)
    if as_json:
        print_json(dict(saved.document))
    else:
        emit(saved_plan_text(saved, kinds(), ink()))
