"""A plan from a file as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rowform.kinds import Kind
from rowform.plan import RestaurantPlan
from rowform.planfile import SavedPlan
from rowform.render.ink import Ink
from rowform.render.plan_text import plan_text
from rowform.text import count, escape, utc

#: How many restaurants' bases are listed.
_SHOWN = 5


def saved_plan_text(saved: SavedPlan, kinds: Mapping[str, Kind], ink: Ink) -> str:
    """When, with what and against what it was made, as comments; then the plan as it was shown then."""
    head = "".join(f"# {escape(fact)}\n" for fact in _facts(saved))
    return f"{head}\n{plan_text(saved.plan, kinds, ink).lstrip(chr(10))}"


def _facts(saved: SavedPlan) -> Iterator[str]:
    plan, source = saved.plan, saved.plan.source
    yield f"saved plan, made {utc(saved.created_at)} UTC by rowform {saved.tool_version}"
    if source.get("author"):
        yield f"author: {source['author']}"
    if source.get("commit"):
        yield f"commit: {source['commit']}{' and uncommitted changes' if source.get('dirty') else ''}"
    if source.get("ref"):
        yield f"ref: {source['ref']}"
    yield f"database: {plan.database_id}{f' (target {plan.target})' if plan.target else ''}"
    for one in plan.restaurants[:_SHOWN]:
        yield f"base: {one.slug}, {_base(one)}"
    more = len(plan.restaurants) - _SHOWN
    if more > 0:
        yield f"base: and those of {count(more, 'more restaurant')}"


def _base(one: RestaurantPlan) -> str:
    base = one.base
    if base is None:
        return "no restaurant yet" if one.creates_restaurant else "no active version"
    newest = base.newest_version_number
    return f"version {base.version_number}{f' of {newest}' if newest != base.version_number else ''}"
