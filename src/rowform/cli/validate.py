"""``rowform validate``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rowform.cli.common import (
    changed_since_option,
    emit,
    formats_option,
    print_json,
    restaurants_option,
    settings,
)
from rowform.errors import InvalidConfig
from rowform.location import Problem
from rowform.sync.configuration import Limit, chosen, load_configuration
from rowform.text import count

if TYPE_CHECKING:
    from rowform.sync.revisions import Began

FORMAT = "rowform.validate/1"


@click.command()
@restaurants_option
@formats_option("github")
@click.option(
    "--strict", is_flag=True, help="References that lead nowhere, and limits that overlap, are errors."
)
@changed_since_option
@click.pass_context
def validate(
    ctx: click.Context, slugs: tuple[str, ...], form: str, strict: bool, changed_since: str | None
) -> None:
    """Needs no database. Every problem in every file is reported in one run, one line each.

    With `--changed-since` problems in the files of other restaurants are left out.
    """
    given = settings(ctx)
    start: Began | None = None
    limit: Limit | None = None
    if changed_since is not None:
        # Only here: most checks look at everything.
        from rowform.sync.revisions import began, limit_of

        start = began(given, changed_since)
        limit = limit_of(given, start)
    try:
        configuration = load_configuration(given, strict=strict, limit=limit)
    except InvalidConfig as error:
        if form == "json":
            print_json({"format": FORMAT, "ok": False, "problems": [p.to_json() for p in error.problems]})
        elif form == "github":
            _annotate(error.problems)
        else:
            for problem in error.problems:
                emit(str(problem))
        error.shown = True
        raise
    restaurants = chosen(configuration, slugs)
    settings_count = sum(len(keys) for one in restaurants for keys in one.content.values())
    warnings = configuration.loaded.warnings
    if form == "json":
        print_json(
            {
                "format": FORMAT,
                "ok": True,
                **({"changed_since": start.point.to_json()} if start else {}),
                "restaurants": len(restaurants),
                "settings": settings_count,
                "problems": [problem.to_json() for problem in warnings],
            }
        )
        return
    if form == "github" and warnings:
        _annotate(warnings)
    for problem in warnings if form == "text" else ():
        emit(str(problem))
    if start is not None and not restaurants:
        from rowform.sync.revisions import nothing_changed

        emit(f"Note: {nothing_changed(start)}")
    found = count(len(warnings), "warning") if warnings else "no problems"
    emit(f"{count(len(restaurants), 'restaurant')}, {count(settings_count, 'setting')}, {found}.")


def _annotate(problems: Sequence[Problem]) -> None:
    from rowform.render.github import problem_annotations

    emit(problem_annotations(problems))
