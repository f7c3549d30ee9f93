"""``rowform plan``."""

from __future__ import annotations

import shlex

import click

from rowform.cli.common import emit, format_option, ink, note, print_json, restaurants_option, settings
from rowform.errors import ExitCode
from rowform.kinds import kinds
from rowform.render.plan_text import plan_text
from rowform.sync.planning import planned


@click.command()
@restaurants_option
@format_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes.")
@click.option("-o", "--out", metavar="FILE", help="Save the plan, for `rowform apply FILE`.")
@click.pass_context
def plan(
    ctx: click.Context, *, slugs: tuple[str, ...], form: str, detailed_exitcode: bool, out: str | None
) -> int:
    """Compares the configuration with the active versions and writes nothing.

    A guard that would stop the apply is shown as BLOCKED; the plan is always whole.
    """
    if out is not None:
        # Only here: most plans are not saved.
        from rowform.sync.saved import check_path

        check_path(out)
    with planned(settings(ctx), slugs) as work:
        if out is not None:
            from rowform.sync.saved import save_plan

            # Before anything is printed: whoever reads the plan may count on the file.
            save_plan(work.plan, out)
        if form == "json":
            print_json(work.plan.to_json())
        else:
            emit(plan_text(work.plan, kinds(), ink()))
        changes = work.plan.has_changes
    if out is not None:
        note(f"Saved the plan to {out}; apply it with: rowform apply {shlex.quote(out)}")
    return int(ExitCode.CHANGES if changes and detailed_exitcode else ExitCode.OK)
