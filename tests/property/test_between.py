"""A plan between two configurations is the plan against a database to which the first one was applied."""

from __future__ import annotations

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from rowform.between import as_database
from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.plan import Actual, RestaurantPlan
from rowform.planfile import same_changes
from rowform.planner import plan_restaurant
from rowform.split import split
from rowform.state import Restaurant
from tests.property.strategies import Model, models, texts, variants
from tests.support.builders import from_database, loaded, stored


def database(before: Restaurant, now: Restaurant) -> Actual:
    """What a database has and remembers after ``before``, with ids and numbers of its own."""
    found = from_database(before.content, restaurant_id=now.id, slug=now.slug)
    former = {
        kind: {name: stored(one).entity_id for one in entries.values() for name in one.previously}
        for kind, entries in before.content.items()
    }
    return Actual(
        found.restaurant_id, now.slug, now.name, now.timezone, True, 1, found.base, found.settings, former
    )


def planned(now: Restaurant, there: Actual) -> RestaurantPlan:
    return plan_restaurant(now, there, kinds(), Thresholds())


def pairs(data: st.DataObject) -> list[tuple[Restaurant, Restaurant]]:
    """The restaurants of two configurations that have much in common, each before and after."""
    after = data.draw(models())
    before: Model = data.draw(variants(after))
    then, now = (loaded(data.draw(texts(model))).state.restaurants for model in (before, after))
    both = [(then[slug], now[slug]) for slug in sorted(now)]
    return both if data.draw(st.booleans()) else [(new, old) for old, new in both]


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_changes_are_those_of_a_plan_against_a_database(data: st.DataObject) -> None:
    for before, now in pairs(data):
        one, other = planned(now, as_database(now, before)), planned(now, database(before, now))
        assert same_changes(one, other)
        assert [change.to_json() for change in one.blocked] == [change.to_json() for change in other.blocked]
        assert (one.unchanged, one.warnings, one.notes) == (other.unchanged, other.warnings, other.notes)
        assert [change.previous_key for change in one.changes] == [c.previous_key for c in other.changes]
        event("changes" if one.changes else "no changes")


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_was_applied_before_the_branch_rides_along_with_nothing(data: st.DataObject) -> None:
    for before, now in pairs(data):
        there = database(before, now)
        plan = planned(now, there)
        found = split(plan.changes, before.content, now.content, there.settings, there.former)
        assert found.parts(plan.changes) == ([*plan.changes], [])
        assert found.pending == {}


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_without_changes_of_the_branch_all_rides_along(data: st.DataObject) -> None:
    for before, now in pairs(data):
        there = database(before, now)
        plan = planned(now, there)
        found = split(plan.changes, now.content, now.content, there.settings, there.former)
        assert found.parts(plan.changes) == ([], [*plan.changes])
        assert found.pending == {}
