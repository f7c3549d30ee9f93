"""``rowform plan``."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

import click

from rowform.cli.common import (
    changed_since_option,
    emit,
    formats_option,
    ink,
    language_for,
    language_option,
    note,
    print_json,
    restaurants_option,
    settings,
)
from rowform.errors import ExitCode, UsageError
from rowform.kinds import kinds
from rowform.kinds.facts import Language
from rowform.plan import Plan
from rowform.render.plan_text import plan_text
from rowform.sync.configuration import Limit, Settings
from rowform.sync.planning import planned


@click.command()
@restaurants_option
@formats_option("markdown", "github")
@language_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes.")
@click.option("-o", "--out", metavar="FILE", help="Save the plan, for `rowform apply FILE`.")
@click.option("--against", metavar="REV", help="Compare with a Git revision; needs no database.")
@click.option("--since", metavar="REV", help="Tell what this branch changed from what was pending already.")
@changed_since_option
@click.pass_context
def plan(
    ctx: click.Context,
    *,
    slugs: tuple[str, ...],
    form: str,
    language: Language | None,
    detailed_exitcode: bool,
    out: str | None,
    against: str | None,
    since: str | None,
    changed_since: str | None,
) -> int:
    """Compares the configuration with the active versions and writes nothing.

    A guard that would stop the apply is shown as BLOCKED; the plan is always whole.

    REV is a branch, a tag or a commit. What counts is the commit where this branch left it.
    """
    show = partial(_show, form=form, language=language_for(form, language))
    if against is not None:
        if out is not None:
            raise UsageError("a plan against a revision is for no database, and cannot be applied or saved")
        if since is not None:
            raise UsageError(
                "--since is for a plan against a database", "--against shows this branch's changes alone"
            )
        made = _between(settings(ctx), slugs, against, changed_since)
        show(made)
        return _exit_code(made, detailed=detailed_exitcode)
    if out is not None:
        # Only here: most plans are not saved.
        from rowform.sync.saved import check_path

        check_path(out)
    branch = _Branch.of(settings(ctx), since, changed_since)
    with planned(settings(ctx), slugs, limit=branch.limit) as work:
        if out is not None:
            from rowform.sync.saved import save_plan

            # Before anything is printed: whoever reads the plan may count on the file.
            save_plan(work.plan, out)
        made = branch.told(work.plan)
        show(made)
    if out is not None:
        note(f"Saved the plan to {out}; apply it with: rowform apply {shlex.quote(out)}")
    return _exit_code(made, detailed=detailed_exitcode)


def _show(made: Plan, form: str, language: Language) -> None:
    if form == "json":
        print_json(made.to_json())
    elif form == "markdown":
        from rowform.render.markdown import plan_markdown

        emit(plan_markdown(made, kinds(), language))
    elif form == "github":
        from rowform.render.github import plan_annotations

        emit(plan_annotations(made, kinds()))
    else:
        emit(plan_text(made, kinds(), ink()))


def _exit_code(made: Plan, *, detailed: bool) -> int:
    return int(ExitCode.CHANGES if made.has_changes and detailed else ExitCode.OK)


def _between(given: Settings, slugs: tuple[str, ...], against: str, changed_since: str | None) -> Plan:
    from rowform.sync.revisions import began, plan_against

    start = began(given, changed_since) if changed_since is not None else None
    return plan_against(given, slugs, against, changed_since=start)


@dataclass(frozen=True)
class _Branch:
    """What the options say of the branch that is checked out."""

    limit: Limit | None = None
    told: Callable[[Plan], Plan] = lambda plan: plan

    @classmethod
    def of(cls, given: Settings, since: str | None, changed_since: str | None) -> Self:
        if since is None and changed_since is None:
            return cls()
        from rowform.sync.revisions import began, limit_of, limited, split_plan

        touched = began(given, changed_since) if changed_since is not None else None
        start = began(given, since) if since is not None else None

        def told(plan: Plan) -> Plan:
            return limited(split_plan(given, plan, start) if start else plan, touched)

        return cls(limit_of(given, touched) if touched else None, told)
