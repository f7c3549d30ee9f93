"""Drift as text: what direct writes changed, field by field, and who did it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Protocol

from rowform.audit import Audited
from rowform.diff import Action
from rowform.drift import ABSENT, Drift, Member, Nothing
from rowform.kinds import Kind
from rowform.plan import Base
from rowform.render.ink import Ink
from rowform.render.plan_text import SYMBOLS, setting_lines
from rowform.text import escape, quote, utc

NO_DRIFT = "No drift. No direct write has changed what the configuration says."
#: Longer values are cut in text; JSON output has them whole.
_VALUE_LIMIT = 400
#: How people call the origin of a version.
_ORIGINS = {"git": "from Git", "files": "from files", "adopted": "that was taken over with the tables"}


class Written(Protocol):
    """What this module shows of a field that was written directly."""

    @property
    def field(self) -> Drift: ...
    @property
    def row(self) -> Audited | None: ...
    @property
    def who(self) -> str: ...


class RestaurantDrift(Protocol):
    """What this module shows of a restaurant."""

    @property
    def slug(self) -> str: ...
    @property
    def active(self) -> Base | None: ...
    @property
    def settled(self) -> Member | None: ...
    @property
    def written(self) -> Sequence[Written]: ...


def drift_text(restaurants: Sequence[RestaurantDrift], kinds: Mapping[str, Kind], ink: Ink) -> str:
    """The drift of all restaurants; the last line is stable."""
    lines: list[str] = []
    actions: list[Action] = []
    for one in restaurants:
        if not one.written:
            continue
        lines.append(_heading(one, ink))
        for _, together in groupby(one.written, _setting_of):
            fields = list(together)
            first = fields[0].field
            actions.append(action(first))
            lines.extend(("", *_setting(fields, kinds[first.kind], ink)))
        lines.append("")
    if not actions:
        return ink.bold(NO_DRIFT)
    added, changed, destroyed = (actions.count(one) for one in Action)
    lines.append(ink.bold(f"Drift: {added} added, {changed} changed, {destroyed} destroyed."))
    return "\n".join(lines)


def _setting_of(one: Written) -> tuple[str, str, bool]:
    # A name may have gone from one setting to another.
    return one.field.kind, one.field.key, not one.field.path


def action(field: Drift) -> Action:
    """What direct writes did to the setting that a field is in."""
    if not field.path:
        return Action.DELETE if field.active is ABSENT else Action.CREATE
    return Action.UPDATE


def _heading(one: RestaurantDrift, ink: Ink) -> str:
    active = f"version {one.active.version_number} is active" if one.active else "no version is active"
    settled = one.settled
    if settled is None:
        return f"{ink.bold(escape(one.slug))} ({active}; direct writes alone made it)"
    commit = f", {escape(settled.commit[:7])}," if settled.commit else ""
    origin = _ORIGINS.get(settled.kind or "", "of a plan")
    last = f"version {settled.number} {quote(settled.name)}{commit} is the last one {origin}"
    return f"{ink.bold(escape(one.slug))} ({active}; {last})"


def _setting(fields: Sequence[Written], kind: Kind, ink: Ink) -> Iterator[str]:
    first = fields[0].field
    symbol = ink.symbol(SYMBOLS[action(first)])
    renamed = next((one for one in fields if one.field.path == (kind.key,)), None)
    former = f"{quote(renamed.field.git)} -> " if renamed and renamed.field.git is not ABSENT else ""
    heading = f"  {symbol} {kind.name} {former}{quote(first.key)}"
    if not first.path:
        yield heading + _origin(fields[0], ink)
        values = first.git if first.active is ABSENT else first.active
        for _, line in setting_lines(values, kind):
            yield f"      {symbol} {line}"
        return
    yield heading + (_origin(renamed, ink) if renamed else "")
    for one in fields:
        if one is not renamed:
            yield f"      {_field(one.field, ink)}{_origin(one, ink)}"


def _field(field: Drift, ink: Ink) -> str:
    git, active = quote(field.git, _VALUE_LIMIT), quote(field.active, _VALUE_LIMIT)
    other = ""
    if not isinstance(field.desired, Nothing) and not field.goes_back:
        other = f", and {quote(field.desired, _VALUE_LIMIT)} in the configuration"
    if field.git is ABSENT:
        return f"{ink.symbol('+')} {field.where}: {active}{other}"
    if field.active is ABSENT:
        return f"{ink.symbol('-')} {field.where}: {git}{other}"
    return f"{ink.symbol('~')} {field.where}: {git} -> {active}{other}"


def _origin(one: Written, ink: Ink) -> str:
    row = one.row
    if row is None:
        return ink.dim("  # the audit trail does not say who wrote this")
    version = [f"version {row.version_number}"] if row.version_number is not None else []
    parts = [*version, f"{utc(row.changed_at)} UTC", *([escape(one.who)] if one.who else [])]
    return ink.dim(f"  # {', '.join(parts)}")
