"""Whatever the plan: it comes back from its file as it was, and nobody changes what the file says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowform.errors import UnusablePlan
from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.plan import Plan
from rowform.planfile import load, same_changes, save
from rowform.planner import make_plan
from rowform.render.ink import Ink
from rowform.render.plan_text import plan_text
from tests.property.strategies import TEXT, models, texts
from tests.support.builders import exact, from_database, loaded, nothing

NOW = datetime(2026, 11, 23, 2, 31, tzinfo=UTC)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """From one configuration to another."""
    before, after = (loaded(draw(texts(draw(models())))).state.restaurants for _ in range(2))
    there = {
        one.id: from_database(one.content, draw(st.integers(1, 9)), one.id, one.slug)
        for one in before.values()
    }
    return make_plan(
        [after[slug] for slug in sorted(after)],
        lambda one: there.get(one.id, nothing()),
        kinds(),
        Thresholds(),
        database_id="db",
        target=draw(st.none() | TEXT),
        source={"kind": "git", "author": draw(TEXT), "dirty": draw(st.booleans()), "ref": None},
        notes=draw(st.lists(TEXT, max_size=2)),
    )


def described(plan: Plan) -> Any:
    """All that a file says, but for digests, which are of settings that it does not say."""
    document = plan.to_json()
    for one in document["restaurants"]:
        del one["desired_digest"]
    return exact(document)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(plans())
def test_what_is_saved_is_what_is_loaded(plan: Plan) -> None:
    saved = load(save(plan, NOW), "plan.json", kinds())
    assert described(saved.plan) == described(plan)
    assert saved.digests == {one.slug: one.desired_digest() for one in plan.restaurants}
    assert plan_text(saved.plan, kinds(), Ink()) == plan_text(plan, kinds(), Ink())
    assert all(map(same_changes, saved.plan.restaurants, plan.restaurants))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(plans(), st.data())
def test_a_changed_byte_is_noticed_or_changes_nothing(plan: Plan, data: st.DataObject) -> None:
    """Nothing that the file says can change; only its layout, or how it writes the same value."""
    file = save(plan, NOW)
    meaning = exact(json.loads(file))
    for _ in range(20):
        at = data.draw(st.integers(0, len(file) - 1))
        byte = data.draw(st.sampled_from(b' "0,9:[]eE-.\n{}\\ax\xff') | st.integers(0, 255))
        other = file[:at] + bytes([byte]) + file[at + 1 :]
        try:
            saved = load(other, "plan.json", kinds())
        except UnusablePlan:
            assert other != file
        else:
            assert exact(saved.document) == meaning
