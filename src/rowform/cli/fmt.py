"""``rowform fmt``."""

from __future__ import annotations

from collections.abc import Iterator

import click

from rowform.cli.common import emit, note, restaurants_option, settings
from rowform.errors import InvalidConfig, RowformError
from rowform.sync.formatting import Rewrite, format_files
from rowform.text import count, escape


@click.command()
@restaurants_option
@click.option("--check", is_flag=True, help="Write nothing; fail if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
@click.pass_context
def fmt(ctx: click.Context, slugs: tuple[str, ...], check: bool, diff: bool) -> None:
    """Comments stay, and so does what the files say: only order, indentation, quotes and blank lines change.

    Prints the files that were rewritten. A file that cannot be read is reported and left alone.
    """
    dry = check or diff
    done = format_files(settings(ctx), slugs, write=not dry)
    for rewrite in done.rewrites:
        for line in _diff(rewrite) if diff else (rewrite.shown,):
            emit(line)
    verb = "would be formatted" if dry else "formatted"
    summary = f"{count(len(done.rewrites), 'file')} {verb}, {done.unchanged:,} unchanged."
    # A diff is all that stdout has, so that it can be given to other tools.
    note(summary) if diff else emit(summary)
    if done.problems:
        raise InvalidConfig(done.problems)
    if check and done.rewrites:
        verb = "is" if len(done.rewrites) == 1 else "are"
        raise RowformError(
            f"{count(len(done.rewrites), 'file')} {verb} not in canonical layout",
            "run `rowform fmt` and commit the result",
        )


def _diff(rewrite: Rewrite) -> Iterator[str]:
    from difflib import unified_diff

    before = rewrite.before.decode()
    after = rewrite.after
    lines = unified_diff(_lines(before), _lines(after), rewrite.shown, rewrite.shown, lineterm="")
    for line in lines:
        # Tabs may stand in files; nothing else that a terminal would obey.
        yield "\t".join(escape(part) for part in line.removesuffix(_NO_NEWLINE).split("\t"))
        if line.endswith(_NO_NEWLINE):
            yield "\\ No newline at end of file"


_NO_NEWLINE = "\0"


def _lines(text: str) -> list[str]:
    *whole, rest = text.split("\n")
    return [*whole, rest + _NO_NEWLINE] if rest else whole
