"""``rowform plan``."""

from __future__ import annotations

import click

from rowform.cli.common import emit, format_option, ink, print_json, restaurants_option, settings
from rowform.errors import ExitCode
from rowform.kinds import kinds
from rowform.render.plan_text import plan_text
from rowform.sync.planning import planned


@click.command()
@restaurants_option
@format_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes.")
@click.pass_context
def plan(ctx: click.Context, slugs: tuple[str, ...], form: str, detailed_exitcode: bool) -> int:
    """Compares the configuration with the active versions and writes nothing.

    A guard that would stop the apply is shown as BLOCKED; the plan is always whole.
    """
    with planned(settings(ctx), slugs) as work:
        if form == "json":
            print_json(work.plan.to_json())
        else:
            emit(plan_text(work.plan, kinds(), ink()))
        changes = work.plan.has_changes
    return int(ExitCode.CHANGES if changes and detailed_exitcode else ExitCode.OK)
