"""``rowform apply``."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

import click

from rowform.cli.common import (
    active_line,
    actor_option,
    approve_option,
    ask,
    emit,
    format_option,
    ink,
    note,
    print_json,
    reason_given,
    restaurants_option,
    settings,
)
from rowform.diff import Action
from rowform.errors import Refused, RowformError, UsageError
from rowform.guards import GuardName
from rowform.kinds import kinds
from rowform.plan import Plan, RestaurantPlan
from rowform.render.plan_text import plan_text
from rowform.store.apply import Manner
from rowform.store.writing import Why
from rowform.sync.applying import Outcome, apply_planned, check_guards, failure, pending
from rowform.sync.configuration import Settings
from rowform.sync.planning import Planned, planned
from rowform.text import escape

FORMAT = "rowform.apply/1"
#: Seconds between two lines of progress.
_PROGRESS_EVERY = 2.0


@click.command()
@click.argument("file", required=False)
@restaurants_option
@format_option
@approve_option
@click.option(
    "--force",
    "forced",
    multiple=True,
    type=click.Choice([guard.value for guard in GuardName if guard.forceable]),
    help="Overrule this guard; repeatable, and noted in the version.",
)
@click.option(
    "--no-activate", "stages", is_flag=True, help="Only make the version: `activate` switches to it later."
)
@click.option(
    "--unlock", is_flag=True, help="Unlock an active version that is locked, in the same transaction."
)
@click.option(
    "--reason", metavar="TEXT", callback=reason_given, help="Why it is unlocked; for the audit trail."
)
@click.option("--message", metavar="TEXT", help="The version's name, instead of the commit's subject.")
@actor_option
@click.pass_context
def apply(
    ctx: click.Context,
    *,
    file: str | None,
    slugs: tuple[str, ...],
    form: str,
    auto_approve: bool,
    forced: tuple[str, ...],
    stages: bool,
    unlock: bool,
    reason: str | None,
    message: str | None,
    actor: str | None,
) -> None:
    """Plans, asks, and then makes one new version per restaurant: all of it, or nothing.

    FILE is a plan that `plan -o` has saved. Exactly that plan is applied; if the configuration or the
    database have changed since, it is refused.
    """
    guards = [GuardName(name) for name in forced]
    if message is not None and not message.strip():
        raise UsageError("--message is empty")
    if reason is not None and not unlock:
        raise UsageError("--reason says why --unlock unlocks", "--message names the version")
    manner = Manner(stages, Why(reason, actor) if unlock else None)
    as_json = form == "json"
    with _planning(settings(ctx), slugs, file) as work:
        if not (as_json and auto_approve):
            text = plan_text(work.plan, kinds(), ink(sys.stderr if as_json else None))
            if as_json:
                click.echo(text, err=True)
            else:
                emit(text)
        outcomes: list[Outcome] = []
        try:
            check_guards(work.plan, guards, manner)
            if pending(work.plan, manner) and not auto_approve:
                ask(_question(work.plan, manner))
            outcomes = apply_planned(
                work, message=message, actor=actor, forced=guards, manner=manner, progress=_Progress().show
            )
            error = failure(outcomes)
        except Refused as refused:
            error = refused
        _report(work, outcomes, error, as_json=as_json)
    if error is not None:
        error.shown = as_json
        raise error


def _question(plan: Plan, manner: Manner) -> str:
    verb = "stage" if manner.stages else "apply"
    bases = [one.base for one in pending(plan, manner) if one.base and one.base.is_locked]
    if manner.unlock and bases:
        what = f"version {bases[0].version_number}" if len(bases) == 1 else f"{len(bases)} versions"
        return f"Do you want to unlock {what} and {verb} this?"
    return f"Do you want to {verb} this?"


def _planning(given: Settings, slugs: tuple[str, ...], file: str | None) -> AbstractContextManager[Planned]:
    if file is None:
        return planned(given, slugs)
    if slugs:
        raise UsageError(
            "a saved plan says itself which restaurants it is for",
            "leave -r out here; `rowform plan -r SLUG -o FILE` saves a plan for one",
        )
    from rowform.sync.saved import planned_again

    return planned_again(given, file)


class _Progress:
    """Says on stderr how far a long run is."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, plan: RestaurantPlan, index: int, total: int) -> None:
        now = time.monotonic()
        if total > 1 and now - self._last >= _PROGRESS_EVERY:
            self._last = now
            note(f"Applying {plan.slug} ({index + 1} of {total}) ...")


def _report(work: Planned, outcomes: Sequence[Outcome], error: RowformError | None, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "format": FORMAT,
                "plan": work.plan.to_json(),
                "results": [outcome.to_json() for outcome in outcomes],
                "error": error.to_json() if error else None,
            }
        )
        return
    done = [outcome for outcome in outcomes if outcome.applied or outcome.error or outcome.staged_already]
    if done:
        emit()
    for outcome in done:
        _report_one(outcome, several=len(done) > 1)


def _report_one(outcome: Outcome, *, several: bool) -> None:
    if outcome.error:
        note(f"{outcome.plan.slug} failed: {outcome.error.message}")
        return
    if several:
        emit(f"{escape(outcome.plan.slug)}:")
    emit(complete_line(outcome))


def complete_line(outcome: Outcome) -> str:
    """The stable line about an apply that is done, or was not needed."""
    done, staged = outcome.applied, outcome.staged_already
    slug = escape(outcome.plan.slug)
    if staged:
        how = _activation(staged.version_number, slug)
        return f"Nothing to stage: version {staged.version_number} has this content already. {how}"
    number = done.version_number if done else 0
    added, changed, destroyed = (outcome.plan.count(action) for action in Action)
    if done and done.is_staged:
        counts = f"{added} added, {changed} changed, {destroyed} destroyed."
        return f"Apply complete! Version {number} staged: {counts} {_activation(number, slug)}"
    return active_line("Apply", number, added, changed, destroyed)


def _activation(number: int, slug: str) -> str:
    return f"Activate it with: rowform activate {number} -r {slug}"
