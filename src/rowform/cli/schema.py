"""``rowform schema``."""

from __future__ import annotations

import click

from rowform.cli.common import emit, settings
from rowform.errors import RowformError
from rowform.sync.schemas import write_schemas
from rowform.text import joined


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if a file is not current.")
@click.pass_context
def schema(ctx: click.Context, check: bool) -> None:
    """They go to `schemas/` beside the config directory, one per sort of file."""
    outdated, directory = write_schemas(settings(ctx), check=check)
    if check and outdated:
        raise RowformError(f"not current: {joined(outdated)}", "run `rowform schema` and commit the result")
    if check:
        emit("The schemas are current.")
    elif outdated:
        emit(f"Wrote {joined(outdated)} in {directory}.")
    else:
        emit("The schemas are current.")
