"""``rowform pull``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from rowform.cli.common import emit, format_option, note, print_json, restaurants_option, settings
from rowform.diff import Action
from rowform.errors import RowformError, Unwritable
from rowform.guards import GuardName
from rowform.kinds import kinds
from rowform.sync.pulling import Pull, PulledFile
from rowform.sync.pulling import pull as pull_settings
from rowform.text import count, escape, quote

FORMAT = "rowform.pull/1"


@click.command()
@restaurants_option
@format_option
@click.option("--check", is_flag=True, help="Write nothing; fail if a file would change.")
@click.option(
    "--force",
    "forced",
    metavar="GUARD",
    type=click.Choice([GuardName.THRESHOLD.value]),
    multiple=True,
    help="Overrule the guard `threshold`, which stops a pull that would remove very much.",
)
@click.pass_context
def pull(
    ctx: click.Context, *, slugs: tuple[str, ...], form: str, check: bool, forced: tuple[str, ...]
) -> None:
    """Brings drift back into Git, or writes a whole configuration for a database that has none yet.

    In files that are there, only the values that differ change: comments, order, quotes and layout stay.
    A restaurant without a directory gets one if -r names it, or if there is no restaurant here at all.
    """
    try:
        done = pull_settings(settings(ctx), slugs, check=check, forced=[GuardName(name) for name in forced])
    except Unwritable as error:
        for finding in error.findings:
            note(_sentence(finding))
        raise
    if form == "json":
        print_json({"format": FORMAT, "check": check, **done.to_json()})
    else:
        _show(done, check=check)
    for sentence in done.notes:
        note(sentence)
    if done.files and check:
        _fail(done, shown=form == "json")


def _show(done: Pull, *, check: bool) -> None:
    if not done.files:
        emit("Nothing to pull. The configuration has what is live.")
        return
    for file in done.files:
        emit(_line(file, check=check))
    for name in done.schemas:
        emit(f"wrote {name}")
    numbers = (
        f"{done.count(Action.CREATE):,} added, {done.count(Action.UPDATE):,} changed,"
        f" {done.count(Action.DELETE):,} removed in {count(len(done.files), 'file')}."
    )
    emit(f"{'Would pull' if check else 'Pulled'}: {numbers}")
    if not check:
        note("Look the changes over, and commit them.")


def _line(file: PulledFile, *, check: bool) -> str:
    would, did = ("would write", "wrote") if file.is_new else ("would update", "updated")
    counts = ((file.added, "added"), (file.changed, "changed"), (file.removed, "removed"))
    numbers = ", ".join(f"{number:,} {word}" for number, word in counts if number)
    return f"{would if check else did} {file.shown}{f': {numbers}' if numbers else ''}"


def _fail(done: Pull, *, shown: bool) -> None:
    for one in done.restaurants:
        for guard in one.blocked:
            note(f"{one.slug}: BLOCKED: {guard.name}: {guard.reason}")
    number = len(done.files)
    error = RowformError(
        f"{count(number, 'file')} {'differs' if number == 1 else 'differ'} from what is live",
        "run `rowform pull` and commit the result",
    )
    error.shown = shown
    raise error


def _sentence(finding: Mapping[str, Any]) -> str:
    """``sakura: staff group "Kitchen": color: …``."""
    parts = [escape(finding["restaurant"])]
    if finding["kind"] is not None:
        noun = kinds()[finding["kind"]].noun
        parts.append(noun if finding["key"] is None else f"{noun} {quote(finding['key'])}")
    return ": ".join([*parts, *([finding["field"]] if finding["field"] else []), finding["message"]])
