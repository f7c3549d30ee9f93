"""``rowform drift``."""

from __future__ import annotations

import click

from rowform.cli.common import emit, format_option, ink, note, print_json, restaurants_option, settings
from rowform.errors import ExitCode
from rowform.kinds import kinds
from rowform.render.drift_text import drift_text
from rowform.sync.drift import RestaurantDrift, drift_of
from rowform.text import count, joined

FORMAT = "rowform.drift/1"


@click.command()
@restaurants_option
@format_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there is drift.")
@click.pass_context
def drift(ctx: click.Context, *, slugs: tuple[str, ...], form: str, detailed_exitcode: bool) -> int:
    """What SQL and clients have changed since the last version that a plan made: each field, who and when.

    What the configuration says already is left out. Restaurants that it does not have are shown whole.
    """
    found = drift_of(settings(ctx), slugs)
    if form == "json":
        print_json({"format": FORMAT, "restaurants": [one.to_json() for one in found]})
    else:
        emit(drift_text(found, kinds(), ink()))
    _notes(found)
    has_drift = any(one.written for one in found)
    return int(ExitCode.CHANGES if has_drift and detailed_exitcode else ExitCode.OK)


def _notes(found: list[RestaurantDrift]) -> None:
    for one in found:
        if one.active is None:
            note(f"{one.slug} has no active version.")
        if one.kept:
            note(f"{one.slug}: {count(one.kept, 'direct change')} left out: the configuration says the same.")
    unknown = [one.slug for one in found if one.written and not one.is_configured]
    if unknown:
        note(f"Not in the configuration, and so with all that direct writes changed: {joined(unknown)}.")
    if any(one.written for one in found):
        note("`rowform pull` brings this into the YAML; `rowform apply --force drift` overwrites it.")
