"""What holds for every configuration: its meaning does not depend on how it is written down."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from rowform.dump import dump
from rowform.kinds import kinds
from rowform.plan import RestaurantPlan
from rowform.state import Restaurant, canonical, digest, normalise, read_json
from tests.property.strategies import JSON, NUMBERS, Model, models, settle, spellings, texts, variants
from tests.support.builders import exact, from_database, header, jsonb, loaded, planned

# Whole configurations are large: what Hypothesis finds slow is drawing them, not the code under test.
_MANY = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def content_of(restaurant: Restaurant) -> dict[str, dict[str, Any]]:
    return {
        kind: {key: exact(dict(one.values)) for key, one in found.items()}
        for kind, found in restaurant.content.items()
    }


def against_database(restaurant: Restaurant, there: Restaurant) -> RestaurantPlan:
    """A plan against what the database gives back after ``there`` was applied."""
    return planned(restaurant, from_database(there.content, restaurant_id=there.id, slug=there.slug))


@_MANY
@given(st.data())
def test_loading_gives_what_the_model_means_however_it_is_written(data: st.DataObject) -> None:
    model: Model = data.draw(models())
    written, otherwise = data.draw(texts(model)), data.draw(texts(model))
    for text in (written, otherwise):
        note("\n".join(f"--- {path}\n{content}" for path, content in text.items()))
    one, other = loaded(written).state.restaurants, loaded(otherwise).state.restaurants
    expected = model.expected()
    assert set(one) == set(other) == set(expected)
    for slug, restaurant in one.items():
        wanted = {
            kind: {key: exact(values) for key, values in found.items()}
            for kind, found in expected[slug].items()
        }
        assert content_of(restaurant) == wanted
        # Order of files, entries and keys, style and spelling: never any matter.
        assert digest(restaurant.content) == digest(other[slug].content)
        # What was applied comes back from the database as it is.
        plan = against_database(restaurant, other[slug])
        assert plan.changes == ()
        assert plan.unchanged == sum(map(len, wanted.values()))
        assert (plan.blocked, plan.warnings) == ((), ())
        # And from a dump.
        dumped = {"sakura/restaurant.yaml": header(), "sakura/all.yaml": dump(restaurant.content, kinds())}
        again = loaded(dumped).state.restaurants["sakura"]
        assert digest(again.content) == digest(restaurant.content)


@_MANY
@given(st.data())
def test_a_plan_does_not_depend_on_how_either_side_is_written(data: st.DataObject) -> None:
    after = data.draw(models(most=3))
    there = loaded(data.draw(texts(data.draw(variants(after))))).state.restaurants
    one = loaded(data.draw(texts(after))).state.restaurants
    other = loaded(data.draw(texts(after))).state.restaurants
    for slug in set(there) & set(one):
        plans = [_comparable(against_database(side[slug], there[slug])) for side in (one, other)]
        assert plans[0] == plans[1]


def _comparable(plan: RestaurantPlan) -> Any:
    """The plan without what depends on the text: places, and the order of keys inside JSON values."""
    document = plan.to_json()
    for change in document["changes"]:
        del change["location"]
        change["patch"].sort(key=lambda operation: json.dumps(operation, sort_keys=True))
    return json.dumps(document, sort_keys=True)


# --- values --------------------------------------------------------------------------------------


@given(NUMBERS, st.data())
@settings(max_examples=300)
def test_a_number_is_the_same_in_every_spelling(number: float, data: st.DataObject) -> None:
    value = settle(number)
    spelling = data.draw(st.sampled_from(spellings(value)))
    text = f"daily_limits: [{{name: A, limit_config: {{x: {spelling}}}}}]"
    found = loaded({"sakura/restaurant.yaml": header(), "sakura/a.yaml": text}).state.restaurants["sakura"]
    read = found.content["daily_limits"]["A"].values["limit_config"]["x"]
    assert exact(read) == ("number", Decimal(repr(value)))
    assert type(read) is type(value)


@given(JSON.map(settle))
@settings(max_examples=300)
def test_a_value_comes_back_from_jsonb(value: Any) -> None:
    back = read_json(jsonb(value))
    assert exact(back) == exact(value)
    assert canonical({"x": back}) == canonical({"x": value})


@given(JSON.map(settle), JSON.map(settle))
@settings(max_examples=300)
def test_canonical_bytes_are_equal_exactly_when_values_are(one: Any, other: Any) -> None:
    same = exact(one) == exact(other)
    assert (canonical({"x": one}) == canonical({"x": other})) is same


@given(st.integers(-(10**400), 10**400) | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False))
def test_normalising_again_changes_nothing_and_every_integer_keeps_its_value(number: float) -> None:
    once = normalise(number)
    twice = normalise(once)
    assert (twice, type(twice)) == (once, type(once))
    if isinstance(number, int) and abs(number) < 2**53:
        assert (once, type(once)) == (number, int)
    if isinstance(once, int) and isinstance(number, int):
        assert once == number
