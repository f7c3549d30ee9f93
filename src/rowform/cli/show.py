"""``rowform show``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import click

from rowform.cli.common import emit, format_option, ink, note, print_json, restaurants_option, settings
from rowform.errors import UsageError
from rowform.kinds import kinds
from rowform.kinds.base import DAY_PATTERN
from rowform.plan import Actual
from rowform.render.versions import version_text
from rowform.state import Content, Entry
from rowform.sync.configuration import Settings
from rowform.sync.versions import content_of_version
from rowform.text import escape, quote

FORMAT = "rowform.version/1"


@click.command()
@click.argument("version", required=False)
@restaurants_option
@format_option
@click.option("--on", metavar="DATE", help="Only what is in effect on that day; or `today`.")
@click.pass_context
def show(ctx: click.Context, version: str | None, slugs: tuple[str, ...], form: str, on: str | None) -> None:
    """VERSION is a number or `active`, which is the default. Every version is shown in full, as YAML.

    With `--on` that is what is in effect on a day of the restaurant's calendar; comments name the rest.

    The name of a file shows the plan that `plan -o` has saved there, as it was then; that needs no database.
    """
    if version is not None and _is_file(version):
        if on is not None:
            raise UsageError("a saved plan is shown whole", "leave --on out here")
        _show_plan(version, slugs, as_json=form == "json")
        return
    asked = _date(on)
    given = settings(ctx)
    slug, actual, found, content = content_of_version(given, slugs, version)
    day = _Day()
    if on is not None:
        day = _on_day(given, actual, asked, content)
        content = day.content
    if form == "json":
        print_json(
            {
                "format": FORMAT,
                "restaurant": slug,
                "restaurant_id": actual.restaurant_id,
                **found.to_json(),
                **day.members,
                "settings": {
                    kind: [dict(content[kind][key].values) for key in sorted(content[kind])]
                    for kind in kinds()
                    if kind in content
                },
            }
        )
        return
    emit(version_text(slug, found, content, kinds(), day.remarks))


def _date(on: str | None) -> date | None:
    """The day that was asked for; none for ``today``, which depends on the restaurant."""
    if on is None or on == "today":
        return None
    try:
        if re.fullmatch(DAY_PATTERN, on):
            return date.fromisoformat(on)
    except ValueError:
        raise UsageError(f"there is no such date: {on}") from None
    raise UsageError(f'"{escape(on)}" is no date', "write YYYY-MM-DD, or `today`")


@dataclass(frozen=True)
class _Day:
    """What a version is on a day: what is in effect, and what to say of the rest."""

    content: Content = field(default_factory=dict[str, Mapping[str, Entry]])
    members: Mapping[str, Any] = field(default_factory=dict[str, Any])
    remarks: tuple[str, ...] = ()


def _on_day(given: Settings, actual: Actual, asked: date | None, content: Content) -> _Day:
    from rowform.effective import on_day, today
    from rowform.render.versions import on_day_remarks

    day, zone = asked, None
    if day is None:
        day, zone = today((actual.timezone,), given.clock())
        if zone is None:
            zone = "UTC"
            named = (
                f"its time zone {quote(actual.timezone)} is unknown"
                if actual.timezone
                else "it has no time zone"
            )
            note(f"{actual.slug or actual.restaurant_id}: {named}: today is the day in UTC")
    kept, left_out = on_day(content, kinds(), day)
    members = {"on": day.isoformat(), "left_out": [one.to_json() for one in left_out]}
    return _Day(kept, members, tuple(on_day_remarks(day.isoformat(), zone, kept, left_out)))


def _is_file(version: str) -> bool:
    """Whether a word names a file: by its form, or because there is one. `./5` is a file, `5` a version."""
    if version.isdigit() or version == "active":
        return False
    return version.endswith(".json") or "/" in version or Path(version).is_file()


def _show_plan(name: str, slugs: tuple[str, ...], *, as_json: bool) -> None:
    from rowform.render.saved_plan import saved_plan_text
    from rowform.sync.saved import read_plan

    if slugs:
        raise UsageError("a saved plan is shown whole", "leave -r out here")
    saved = read_plan(name)
    if as_json:
        print_json(dict(saved.document))
    else:
        emit(saved_plan_text(saved, kinds(), ink()))
