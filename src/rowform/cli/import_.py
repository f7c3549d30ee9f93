"""``rowform import``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from rowform.cli import completing
from rowform.cli.common import emit, format_option, ink, note, print_json, settings
from rowform.errors import InvalidSource, RowformError, UsageError
from rowform.localstorage.report import Outcome
from rowform.render.mapping import mapping_text
from rowform.sync.importing import Request, import_files, into, read_export
from rowform.text import escape

#: Standard input in place of a file.
_STDIN = "-"


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "-r",
    "--restaurant",
    "slug",
    metavar="SLUG",
    required=True,
    shell_complete=completing.restaurants,
    help="Whose settings these are.",
)
@click.option(
    "--only",
    metavar="KIND",
    multiple=True,
    shell_complete=completing.kind_names,
    help="Only this kind of settings; repeatable.",
)
@click.option("--into", "directory", metavar="DIR", help="The config directory to write to, if another one.")
@click.option(
    "--leave-out",
    metavar="POINTER",
    multiple=True,
    help="Keep this value in the side file and out of the settings; repeatable.",
)
@click.option(
    "--take",
    "takes",
    metavar="FILE:POINTER",
    multiple=True,
    help="Of copies that disagree, this one is right; repeatable.",
)
@click.option(
    "--report", metavar="FILE", type=click.Path(path_type=Path), help="Write the report as a web page."
)
@click.option("--dry-run", is_flag=True, help="Write no settings.")
@format_option
@click.pass_context
def import_(
    ctx: click.Context,
    *,
    files: tuple[str, ...],
    slug: str,
    only: tuple[str, ...],
    directory: str | None,
    leave_out: tuple[str, ...],
    takes: tuple[str, ...],
    report: Path | None,
    dry_run: bool,
    form: str,
) -> None:
    """Settings that a browser keeps in localStorage become YAML.

    FILE holds the value of the key shift-schedule-settings, or a dump of all keys; `-` reads standard input.
    Several files are compared: where they disagree, --take says who is right. Nothing is written before every
    value has a place.
    """
    if len(set(files)) != len(files):
        raise UsageError("a file is named twice", "name each file once")
    sources = {file: _stdin() if file == _STDIN else read_export(Path(file)) for file in files}
    request = Request(sources, slug, only, leave_out, takes, dry_run)
    try:
        outcome = import_files(into(settings(ctx), directory), request)
    except InvalidSource as unreadable:
        for fault in unreadable.faults:
            note(str(fault))
        raise
    if report is not None:
        _write_page(report, outcome)
    if form == "json":
        print_json(outcome.to_json())
    else:
        emit(mapping_text(outcome, ink()))
    error = outcome.error()
    if error is not None:
        error.hint = _hint(ctx, outcome, files)
        error.shown = True
        raise error


def _stdin() -> bytes:
    from rowform.document import MAX_BYTES

    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _hint(ctx: click.Context, outcome: Outcome, files: Sequence[str]) -> str | None:
    """The command to paste, which keeps aside what is in the way."""
    remedies = outcome.remedies()
    if not remedies:
        return "answer each conflict with --take FILE:POINTER" if outcome.merged else None
    words = ["rowform"]
    if ctx.find_root().params["config_dir"] != "config":
        words += ["--config-dir", str(ctx.find_root().params["config_dir"])]
    words += ["import", *files]
    for option, name in (("--restaurant", "slug"), ("--into", "directory")):
        if ctx.params[name] is not None:
            words += [option, ctx.params[name]]
    for option, name in (("--only", "only"), ("--leave-out", "leave_out"), ("--take", "takes")):
        for value in ctx.params[name]:
            words += [option, value]
    return f"keep aside what is in the way: {shlex.join(words)} {' '.join(remedies)}"


def _write_page(path: Path, outcome: Outcome) -> None:
    from rowform.render.mapping_page import mapping_page

    try:
        path.write_text(mapping_page(outcome), encoding="utf-8")
    except OSError as error:
        raise RowformError(f"cannot write {escape(str(path))}: {error.strerror}") from error
