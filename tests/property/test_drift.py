"""Whatever direct writes changed: a plan that overwrites any of it says so, and others do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, event, example, given, note, settings
from hypothesis import strategies as st

from rowform.drift import ABSENT, Lineage, Member
from rowform.guards import GuardName, Thresholds
from rowform.kinds import kinds
from rowform.plan import Plan, RestaurantPlan
from rowform.planfile import load, same_changes, save
from rowform.planner import make_plan
from rowform.render.ink import Ink
from rowform.render.plan_text import plan_text
from tests.property.strategies import TEXT, mutations
from tests.support.builders import actual, exact, group, restaurant, stored

#: So few values that two of them are often the same.
SMALL = st.recursive(
    st.sampled_from([0, 1, True, None, "a", {}, []]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("xy"), below, max_size=2),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from("pq"), SMALL, max_size=2)
#: The groups of one version, by name.
Version = Mapping[str, Any]
_MANY = settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@st.composite
def versions(draw: st.DrawFn) -> tuple[Version, Version, Version]:
    """The last planned version, the active one, the desired one; much alike."""
    found: tuple[dict[str, Any], ...] = ({}, {}, {})
    for name in "AB":
        git = draw(st.none() | OBJECTS)
        active = draw(st.just(git) | st.none() | OBJECTS | _like(git))
        desired = draw(st.just(git) | st.just(active) | st.none() | _like(git) | _like(active))
        for one, value in zip(found, (git, active, desired), strict=True):
            if value is not None:
                one[name] = value
    return found  # type: ignore[return-value]


def _like(value: Any) -> st.SearchStrategy[Any]:
    return st.just(None) if value is None else mutations(value).filter(lambda one: isinstance(one, dict))


def planned(git: Version, active: Version, desired: Version) -> RestaurantPlan:
    return plan_of(git, active, desired).restaurants[0]


def plan_of(
    git: Version, active: Version, desired: Version, origin: str = "git", name: str = "First"
) -> Plan:
    before, now, wanted = (
        [group(key, group_config=value) for key, value in one.items()] for one in (git, active, desired)
    )
    lineage = Lineage(
        (Member("b", 2, "Direct write", "direct", None),),
        Member("a", 1, name, origin, None),
        {"staff_groups": {one.key: stored(one) for one in before}},
    )
    return make_plan(
        [restaurant(*wanted)],
        lambda _: replace(actual(*now, number=2), lineage=lineage),
        kinds(),
        Thresholds(delete_count=99, emptied_count=99),
        database_id="db",
        target=None,
        source={},
    )


# --- somebody else's opinion ---------------------------------------------------------------------


def facts(version: Version) -> dict[tuple[Any, ...], Any]:
    """All that a version says, piece by piece: what is there, what is an object, what each value is."""
    found: dict[tuple[Any, ...], Any] = {}

    def look(place: tuple[Any, ...], value: Any) -> None:
        if isinstance(value, dict):
            found[place] = "an object"
            for name, item in value.items():
                look((*place, name), item)
        else:
            found[place] = value

    for name, value in version.items():
        look((name,), value)
    return found


def survives(git: Any, active: Any, desired: Any) -> bool:
    """Whether what turned ``git`` into ``active`` is still there in ``desired``."""
    if same(active, desired):
        return True
    if not all(isinstance(one, list) for one in (git, active, desired)):
        return False
    was, now, wanted = (Counter(repr(exact(item)) for item in one) for one in (git, active, desired))
    return all(
        (wanted[item] >= now[item] if now[item] > was[item] else wanted[item] <= now[item])
        for item in {*was, *now}
        if was[item] != now[item]
    ) and not (was == now == wanted)


def same(one: Any, other: Any) -> bool:
    if one is ABSENT or other is ABSENT:
        return one is other
    return bool(exact(one) == exact(other))


@_MANY
@given(versions())
@example(({"A": {"p": 1}}, {}, {}))
@example(({"A": {"p": {"x": 1}}}, {"A": {"p": {}}}, {"A": {"p": {"y": 1}}}))
def test_what_direct_writes_set_survives_every_plan_that_says_nothing(
    found: tuple[Version, Version, Version],
) -> None:
    git, active, desired = found
    plan = planned(git, active, desired)
    note(f"{plan.drift}")
    guards = [guard.name for guard in plan.blocked]
    assert guards == ([GuardName.DRIFT] if plan.drift else [])
    event(f"drift: {bool(plan.drift)}, changes: {bool(plan.changes)}, written: {not same(git, active)}")
    wanted, now, before = facts(desired), facts(active), facts(git)
    written = {
        place: (before.get(place, ABSENT), now.get(place, ABSENT), wanted.get(place, ABSENT))
        for place in {*before, *now}
        if not same(before.get(place, ABSENT), now.get(place, ABSENT))
    }
    if not plan.drift:
        assert all(survives(*values) for values in written.values())
    # And a plan that leaves all of it exactly as it was written says nothing.
    if all(same(now, wanted) for _, now, wanted in written.values()) and not (
        # A setting that goes takes along what was only removed from it.
        any(name in active and name not in desired for name in {place[0] for place in written})
    ):
        assert plan.drift == ()
    for one in plan.drift:
        assert not same(one.git, one.active)
        assert not same(one.active, one.desired) or one.key not in desired


@_MANY
@given(versions(), st.sampled_from(["git", "files", "adopted"]), TEXT)
def test_a_saved_plan_shows_the_same(found: tuple[Version, Version, Version], origin: str, name: str) -> None:
    plan = plan_of(*found, origin, name)
    saved = load(save(plan, datetime(2026, 11, 23, tzinfo=UTC)), "plan.json", kinds())
    assert plan_text(saved.plan, kinds(), Ink()) == plan_text(plan, kinds(), Ink())
    assert saved.plan.restaurants[0].drift == plan.restaurants[0].drift
    assert [one["drift"] for one in saved.plan.to_json()["restaurants"]] == [
        one["drift"] for one in plan.to_json()["restaurants"]
    ]
    assert all(map(same_changes, saved.plan.restaurants, plan.restaurants))
    marks = sum(
        change.get("overwrites_drift", False) for change in plan.to_json()["restaurants"][0]["changes"]
    )
    assert bool(marks) is bool(plan.restaurants[0].drift)
    # A mark for every change that overwrites something.
    text = plan_text(plan, kinds(), Ink())
    assert ("# overwrites a direct write" in text) is bool(marks)
