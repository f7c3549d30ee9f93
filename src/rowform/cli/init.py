"""``rowform init``."""

from __future__ import annotations

from pathlib import Path

import click

from rowform.cli.common import emit, settings
from rowform.sync.scaffold import scaffold


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--restaurant",
    "slug",
    metavar="SLUG",
    default="restaurant",
    show_default=True,
    help="The restaurant's slug.",
)
@click.pass_context
def init(ctx: click.Context, directory: Path, slug: str) -> None:
    """Writes a restaurant's files with a fresh id, and the schemas for editors, into DIRECTORY.

    Files that are there already stay as they are.
    """
    for file in scaffold(settings(ctx), directory, slug):
        emit(f"wrote {file}")
    emit(f"Next: edit {settings(ctx).config_dir}/{slug}, then `rowform validate` and `rowform plan`.")
