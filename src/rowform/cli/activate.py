"""``rowform activate`` and ``rowform rollback``."""

from __future__ import annotations

import click

from rowform.cli.common import (
    active_line,
    actor_option,
    approve_option,
    ask,
    emit,
    format_option,
    note,
    print_json,
    reason_option,
    restaurants_option,
    settings,
)
from rowform.store.writing import Why
from rowform.sync.activation import Switching, activate_version, roll_back
from rowform.text import quote

FORMAT = "rowform.activation/1"


@click.command()
@click.argument("version")
@restaurants_option
@format_option
@reason_option
@actor_option
@approve_option
@click.pass_context
def activate(
    ctx: click.Context,
    *,
    version: str,
    slugs: tuple[str, ...],
    form: str,
    reason: str | None,
    actor: str | None,
    auto_approve: bool,
) -> None:
    """VERSION is a number, `active`, or `previous` for what the active one replaced.

    Any version can become the active one, whatever came after it. `rollback` then leads back here.
    """
    confirm = None if auto_approve else _Question("goes")
    done = activate_version(settings(ctx), slugs, version, Why(reason, actor), confirm)
    _report("Activation", done, as_json=form == "json")


@click.command()
@restaurants_option
@format_option
@reason_option
@actor_option
@approve_option
@click.pass_context
def rollback(
    ctx: click.Context,
    *,
    slugs: tuple[str, ...],
    form: str,
    reason: str | None,
    actor: str | None,
    auto_approve: bool,
) -> None:
    """Repeated, it goes further back and never forward. No version is lost: `activate` leads anywhere."""
    confirm = None if auto_approve else _Question("goes back")
    done = roll_back(settings(ctx), slugs, Why(reason, actor), confirm)
    _report("Rollback", done, as_json=form == "json")


class _Question:
    """Says what will happen, and asks. On stderr: stdout is for what has happened."""

    def __init__(self, verb: str) -> None:
        self._verb = verb

    def __call__(self, planned: Switching) -> None:
        before, after, net = planned.before, planned.after, planned.net
        origin = f"version {before.number} {quote(before.name)}" if before else "no version"
        note(f"{planned.slug} {self._verb} from {origin} to version {after.number} {quote(after.name)}:")
        if net:
            note(f"{net.added} to add, {net.changed} to change, {net.destroyed} to destroy.")
        ask(f"Do you want to make version {after.number} the active one?")


def _report(what: str, done: Switching, *, as_json: bool) -> None:
    if as_json:
        print_json({"format": FORMAT, "action": what.lower(), **done.to_json(), "error": None})
    elif done.net is None:
        emit(f"Version {done.after.number} is active already.")
    else:
        emit(active_line(what, done.after.number, done.net.added, done.net.changed, done.net.destroyed))
