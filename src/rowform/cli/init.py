"""``rowform init``."""

from __future__ import annotations

from pathlib import Path

import click

from rowform.cli.common import emit, note, settings
from rowform.sync.scaffold import scaffold, scaffold_pipelines

#: What only GitHub's own pages can set up.
_AT_GITHUB = """\
The workflows need these at GitHub, under Settings:
- the variable ROWFORM_INSTALL, what pip shall install; or commit .github/rowform-requirements.txt with hashes
- the environment `production`, open to the branch main alone, with the secret ROWFORM_DATABASE_URL
- the environment `plan` with the secret ROWFORM_DATABASE_URL, of a role that may only read
- for rowform-rollback: Actions may create pull requests
Put the names of those who review into .github/CODEOWNERS.""".splitlines()
_CONFIG_DIR = Path("config")
_SLUG = "restaurant"


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--restaurant",
    "slug",
    metavar="SLUG",
    help=f"The restaurant's slug.  [default: {_SLUG}]",
)
@click.option(
    "--workflows/--no-workflows",
    default=None,
    help="Whether to write what pipelines need; by default with the first restaurant.",
)
@click.pass_context
def init(ctx: click.Context, directory: Path, slug: str | None, *, workflows: bool | None) -> None:
    """Writes a restaurant's files with a fresh id, and the schemas for editors, into DIRECTORY.

    With the first restaurant come workflows for GitHub (validate, plan, apply, rollback, drift), a
    CODEOWNERS, and a configuration for pre-commit. `--workflows` brings them where there are restaurants
    already; without `--restaurant` it writes nothing else.

    Files that are there already stay as they are.
    """
    given = settings(ctx)
    config_dir = given.config_dir
    if workflows and slug is None and (directory / config_dir).exists():
        done = scaffold_pipelines(given, directory)
    else:
        slug = slug or _SLUG
        done = scaffold(given, directory, slug, workflows=workflows)
    for file in done.written:
        emit(f"wrote {file}")
    if done.top is not None:
        note(
            "No workflows were written: GitHub reads them at the top of a repository alone, which is"
            f" {done.top}."
        )
    if done.pipelines:
        for line in _AT_GITHUB:
            note(line)
        if config_dir != _CONFIG_DIR:
            note(f"Set the variable ROWFORM_CONFIG_DIR to {config_dir}, too.")
    if slug is not None:
        emit(f"Next: edit {config_dir}/{slug}, then `rowform validate` and `rowform plan`.")
