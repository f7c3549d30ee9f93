"""The entry point, the lazy command group, and the one place where errors become output."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from rowform import __version__
from rowform.cli import completing
from rowform.cli.commands import COMMANDS, Entry

if TYPE_CHECKING:
    from rowform.errors import RowformError


class ReaderGoneError(Exception):
    """Nobody reads our output any more, as after `| head`. Click would make an exit code 0 of it."""


class LazyGroup(click.Group):
    """A group that imports a command only when it is used."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGoneError from error

    def __init__(self, *args: Any, entries: Mapping[str, Entry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._entries = entries
        self._loaded: dict[str, click.Command] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        if cmd_name in self._loaded:
            return self._loaded[cmd_name]
        module, _, attribute = entry.place.partition(":")
        command: click.Command = getattr(importlib.import_module(f"rowform.cli.{module}"), attribute)
        details = inspect.cleandoc(command.help or "")
        command.help = f"{entry.summary}\n\n{details}".strip()
        command.short_help = entry.summary
        self._loaded[cmd_name] = command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self._entries.items()])


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config-dir",
    type=click.Path(),
    default="config",
    show_default=True,
    envvar="ROWFORM_CONFIG_DIR",
    show_envvar=True,
    help="The directory with the restaurants' settings.",
)
@click.option("--database-url", metavar="URL", help="The database; `embedded` for the built-in one.")
@click.option(
    "--target",
    metavar="NAME",
    envvar="ROWFORM_TARGET",
    show_envvar=True,
    shell_complete=completing.targets,
    help="A database that rowform.yaml names.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="rowform")
@click.pass_context
def cli(
    ctx: click.Context, config_dir: str, database_url: str | None, target: str | None, debug: bool
) -> None:
    """Settings as code for PostgreSQL applications.

    Settings live as YAML in Git. `plan` shows what would change, `apply` makes it one new
    version, and every version stays readable for ever.
    """
    ctx.obj = {"config_dir": config_dir, "database_url": database_url, "target": target, "debug": debug}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code and lets no exception out.

    Args:
        arguments: without the program's name; those of the process by default.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        try:
            result = cli.main(given, prog_name="rowform", standalone_mode=False)
            sys.stdout.flush()
            return result if isinstance(result, int) else 0
        except Exception as error:  # noqa: BLE001  # the one boundary
            return _failed(error, given)
    except (BrokenPipeError, ReaderGoneError):
        # Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("Aborted.", err=True)
        return 1


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    from rowform.errors import ExitCode, RowformError, UsageError

    if isinstance(error, BrokenPipeError | ReaderGoneError | click.Abort):
        raise error
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return int(ExitCode.ERROR)
    if "--debug" in arguments:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, RowformError):
        known = error
    elif isinstance(error, click.ClickException):
        known = UsageError(error.format_message(), _usage_hint(error))
    else:
        known = RowformError(
            f"internal error: {type(error).__name__}: {error}", "please report it; --debug shows where"
        )
    _show(known, _wants_json(arguments))
    return int(known.exit_code)


def _usage_hint(error: click.ClickException) -> str | None:
    """Where to read on; or where an option belongs that was written behind the command."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return None
    known = {name for option in cli.params for name in option.opts}
    if isinstance(error, click.NoSuchOption) and error.option_name in known:
        return f"it belongs before the command: `rowform {error.option_name} … {context.info_name}`"
    return f"see `{context.command_path} --help`"


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether stdout is to be one JSON document. Also right for a command line that does not parse."""
    pairs = zip(arguments, (*arguments[1:], ""), strict=False)
    return any(one == "--format=json" or (one, following) == ("--format", "json") for one, following in pairs)


def _show(error: RowformError, as_json: bool) -> None:
    from rowform.errors import InvalidConfig
    from rowform.text import escape

    if as_json and not error.shown:
        import json

        click.echo(
            json.dumps({"format": "rowform.error/1", "error": error.to_json()}, ensure_ascii=False, indent=2)
        )
    if isinstance(error, InvalidConfig) and not error.shown:
        for problem in error.problems:
            click.echo(str(problem), err=True)
    click.echo(f"Error: {escape(error.message)}", err=True)
    if error.hint:
        click.echo(f"Hint: {escape(error.hint)}", err=True)


def run() -> None:
    """The console script."""
    import gc

    # What a run reads lives until its end: the collector would only walk it again and again.
    gc.set_threshold(200_000, 50, 100)
    code = main()
    # Everything is closed and written. To free object after object would take as long as a small plan.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)
