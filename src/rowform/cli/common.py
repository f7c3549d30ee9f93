"""What commands share: options, settings from the context, output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args
from uuid import UUID

import click

from rowform.cli import completing
from rowform.errors import Declined, UsageError
from rowform.kinds.facts import Language
from rowform.render.ink import Ink
from rowform.sync.configuration import Settings
from rowform.text import escape, json_text

F = TypeVar("F", bound=Callable[..., Any])
Format = Literal["text", "json"]


def settings(ctx: click.Context) -> Settings:
    """The settings that the options before the command made."""
    options = ctx.find_root().obj
    return Settings(
        config_dir=Path(options["config_dir"]),
        database_url=options["database_url"],
        target=options["target"],
        environment=os.environ,
        report=note,
    )


def note(sentence: str) -> None:
    """Tell people something that is no result."""
    click.echo(escape(sentence), err=True)


def restaurants_option(command: F) -> F:
    """``-r SLUG``, as often as wanted."""
    return click.option(
        "-r",
        "--restaurant",
        "slugs",
        metavar="SLUG",
        multiple=True,
        shell_complete=completing.restaurants,
        help="Only this restaurant; repeatable.",
    )(command)


def formats_option(*more: str) -> Callable[[F], F]:
    """``--format text|json``, or ``more``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", *more]),
        default="text",
        show_default=True,
        help="How results are printed.",
    )


def format_option(command: F) -> F:
    """``--format text|json``."""
    return formats_option()(command)


def language_option(command: F) -> F:
    """``--lang en|ja``."""
    return click.option(
        "--lang",
        "language",
        type=click.Choice(get_args(Language)),
        help="The language of Markdown: English, which is the default, or Japanese.",
    )(command)


def language_for(form: str, language: Language | None) -> Language:
    """The language that was asked for, or English.

    Raises:
        UsageError: the format has no languages.
    """
    if language is not None and form != "markdown":
        raise UsageError("only --format markdown is written in several languages", "leave --lang out")
    return language or "en"


def changed_since_option(command: F) -> F:
    """``--changed-since REV``."""
    return click.option(
        "--changed-since",
        metavar="REV",
        help="Only restaurants whose files, or what they inherit, this branch changed since it left REV.",
    )(command)


def actor_option(command: F) -> F:
    """``--actor UUID``, or ``ROWFORM_ACTOR``."""
    return click.option(
        "--actor",
        metavar="UUID",
        envvar="ROWFORM_ACTOR",
        callback=_actor,
        help="Who is noted as responsible.",
    )(command)


def _actor(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return str(UUID(value))
    except ValueError:
        raise UsageError(f'the actor "{escape(value)}" is no UUID') from None


def reason_option(command: F) -> F:
    """``--reason TEXT``."""
    return click.option("--reason", metavar="TEXT", callback=reason_given, help="Why; for the audit trail.")(
        command
    )


def reason_given(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A reason that says something."""
    if value is not None and not value.strip():
        raise UsageError("--reason is empty")
    return value


def approve_option(command: F) -> F:
    """``--auto-approve``."""
    return click.option("--auto-approve", is_flag=True, help="Do not ask.")(command)


def active_line(what: str, number: int, added: int, changed: int, destroyed: int) -> str:
    """The stable line about a version that has just become the active one."""
    return (
        f"{what} complete! Version {number} active: {added} added, {changed} changed, {destroyed} destroyed."
    )


def emit(text: str = "") -> None:
    """Print a result. Unlike `click.echo` it notices when nobody reads any more.

    Raises:
        BrokenPipeError: the reader went away.
    """
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_json(document: dict[str, Any]) -> None:
    """Print the one JSON document of a command."""
    emit(json_text(document))


def ink(stream: Any = None) -> Ink:
    """Colours, if the stream is a terminal that wants them (https://no-color.org)."""
    terminal = (stream or sys.stdout).isatty()
    return Ink(terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb")


def ask(question: str) -> None:
    """Ask on stderr; only ``yes`` is a yes.

    Raises:
        Declined: another answer, or no terminal to ask at.
    """
    if not sys.stdin.isatty():
        raise Declined(
            "nobody can be asked here: this is no terminal", "--auto-approve goes on without asking"
        )
    click.echo(f"\n{question} Only `yes` will do: ", nl=False, err=True)
    if sys.stdin.readline().strip() != "yes":
        raise Declined("not approved; nothing was done")
