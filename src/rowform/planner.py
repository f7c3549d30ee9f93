"""Making plans: desired content, against what the database has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rowform.diff import Change, compare
from rowform.guards import Thresholds, fired, locked, overwriting
from rowform.kinds import Kind
from rowform.plan import Actual, Plan, RestaurantPlan
from rowform.remarks import leading_nowhere, like_renames, not_today
from rowform.staged import staged_note
from rowform.state import Content, Restaurant
from rowform.text import Sentence, Told, Word

if TYPE_CHECKING:
    from rowform.drift import Drift


def plan_restaurant(
    restaurant: Restaurant,
    actual: Actual,
    kinds: Mapping[str, Kind],
    thresholds: Thresholds,
    now: datetime | None = None,
) -> RestaurantPlan:
    """Compare one restaurant's desired content with the database's.

    With the time ``now`` it also warns of changes that do nothing today.
    """
    changes, unchanged = compare(restaurant.content, actual.settings, actual.former)
    target = _target(restaurant, actual)
    base = actual.base
    lost = _overwritten(restaurant, actual, changes)
    counts = {kind: len(entries) for kind, entries in actual.settings.items() if kind in restaurant.content}
    guards = fired(
        changes,
        counts,
        lock=locked(base.version_number, base.locked_at, base.lock_reason)
        if base and base.is_locked
        else None,
        thresholds=thresholds,
    )
    return RestaurantPlan(
        restaurant,
        actual,
        tuple(changes),
        unchanged,
        (*guards, *overwriting(lost)),
        target,
        (
            *(leading_nowhere(target, kinds) if changes else ()),
            *(not_today(changes, kinds, (actual.timezone, restaurant.timezone), now) if now else ()),
        ),
        (
            *_header_notes(restaurant, actual),
            *like_renames(changes, kinds),
            *([staged_note(restaurant.slug, actual.staged, target)] if actual.staged else ()),
        ),
        drift=lost,
        settled_number=actual.lineage.settled.number if actual.lineage and actual.lineage.settled else None,
    )


def _overwritten(restaurant: Restaurant, actual: Actual, changes: Sequence[Change]) -> tuple[Drift, ...]:
    if actual.lineage is None or not changes:
        return ()
    # Few plans are about direct writes.
    from rowform.drift import managed_drift

    found = managed_drift(actual.lineage, actual.settings, restaurant.content, changes)
    return tuple(one for one in found if not one.kept)


def _target(restaurant: Restaurant, actual: Actual) -> Content:
    unmanaged = {
        kind: {key: stored.entry for key, stored in entries.items()}
        for kind, entries in actual.settings.items()
        if kind not in restaurant.content
    }
    return {**unmanaged, **restaurant.content}


def _header_notes(restaurant: Restaurant, actual: Actual) -> Iterable[Sentence]:
    if not actual.exists:
        return
    for field_name, wanted, there in (
        ("slug", restaurant.slug, actual.slug),
        ("name", restaurant.name, actual.name),
        ("timezone", restaurant.timezone, actual.timezone),
    ):
        if wanted != there:
            yield Sentence(
                "{field} is {wanted} here and {there} in the database;"
                " rowform leaves an existing restaurant's row alone",
                field=Word(field_name),
                wanted=wanted,
                there=there,
            )


def make_plan(
    restaurants: Iterable[Restaurant],
    actual: Callable[[Restaurant], Actual],
    kinds: Mapping[str, Kind],
    thresholds: Thresholds,
    *,
    database_id: str | None,
    target: str | None,
    source: Mapping[str, Any],
    notes: Sequence[Told] = (),
    now: datetime | None = None,
) -> Plan:
    """Plan all ``restaurants`` against what ``actual`` knows of each; warn of what does nothing ``now``."""
    return Plan(
        database_id,
        target,
        source,
        tuple(plan_restaurant(one, actual(one), kinds, thresholds, now) for one in restaurants),
        tuple(notes),
    )
