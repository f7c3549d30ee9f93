"""``rowform validate``."""

from __future__ import annotations

import click

from rowform.cli.common import emit, format_option, print_json, restaurants_option, settings
from rowform.errors import InvalidConfig
from rowform.sync.configuration import load_configuration, selected
from rowform.text import count

FORMAT = "rowform.validate/1"


@click.command()
@restaurants_option
@format_option
@click.option("--strict", is_flag=True, help="References that lead nowhere are errors.")
@click.pass_context
def validate(ctx: click.Context, slugs: tuple[str, ...], form: str, strict: bool) -> None:
    """Needs no database. Every problem in every file is reported in one run, one line each."""
    try:
        configuration = load_configuration(settings(ctx), strict=strict)
    except InvalidConfig as error:
        if form == "json":
            print_json({"format": FORMAT, "ok": False, "problems": [p.to_json() for p in error.problems]})
        else:
            for problem in error.problems:
                emit(str(problem))
        error.shown = True
        raise
    restaurants = selected(configuration.state, slugs)
    settings_count = sum(len(keys) for one in restaurants for keys in one.content.values())
    warnings = configuration.loaded.warnings
    if form == "json":
        print_json(
            {
                "format": FORMAT,
                "ok": True,
                "restaurants": len(restaurants),
                "settings": settings_count,
                "problems": [problem.to_json() for problem in warnings],
            }
        )
        return
    for problem in warnings:
        emit(str(problem))
    found = count(len(warnings), "warning") if warnings else "no problems"
    emit(f"{count(len(restaurants), 'restaurant')}, {count(settings_count, 'setting')}, {found}.")
