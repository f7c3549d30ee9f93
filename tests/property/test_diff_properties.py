"""Patches do what they say, for any two values; a plan's changes turn what is there into what is wanted."""

from __future__ import annotations

import json
from typing import Any

from deepdiff import DeepDiff
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from rowform.diff import Action, Change, compare, operations
from rowform.kinds import kinds
from tests.property.strategies import FREE_KEYS, JSON, entries, models, mutations, settle, texts, variants
from tests.support.builders import content, exact, from_database, loaded, planned, setting
from tests.support.patch import applied, states

_MANY = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
_OBJECTS = st.dictionaries(FREE_KEYS, JSON, max_size=4).map(settle)
_PAIRS = st.tuples(_OBJECTS, _OBJECTS) | _OBJECTS.flatmap(
    lambda value: st.tuples(st.just(value), mutations(value).filter(lambda found: isinstance(found, dict)))
)


def check(before: Any, after: Any, patch: list[dict[str, Any]]) -> None:
    """The patch leads from ``before`` to ``after``, each step naming what it replaces."""
    result = before
    for operation, (old, following) in zip(patch, states(before, patch), strict=True):
        expected = None if operation["op"] == "add" else old
        assert exact(operation["old"]) == exact(expected)
        # An addition never overwrites, a replacement is never in vain.
        assert operation["op"] != "add" or old is None or operation["path"] == ""
        assert operation["op"] != "replace" or exact(operation["value"]) != exact(operation["old"])
        result = following
    assert exact(result) == exact(after)


@_MANY
@given(_PAIRS)
def test_a_patch_turns_before_into_after(pair: tuple[Any, Any]) -> None:
    before, after = pair
    patch = [operation.to_json() for operation in operations(before, after)]
    note(f"{patch}")
    assert json.loads(json.dumps(patch)) == patch
    check(before, after, patch)
    assert (patch == []) is (exact(before) == exact(after))
    # Somebody else's opinion.
    assert DeepDiff(applied(before, patch), after) == {}
    if patch == []:
        assert DeepDiff(before, after) == {}


@_MANY
@given(st.lists(st.integers(0, 4), max_size=9), st.lists(st.integers(0, 4), max_size=9))
def test_lists_with_much_in_common(before: list[int], after: list[int]) -> None:
    patch = [operation.to_json() for operation in operations({"a": before}, {"a": after})]
    check({"a": before}, {"a": after}, patch)
    assert len(patch) <= len(before) + len(after)
    ins = [operation for operation in patch if operation["op"] == "add"]
    outs = [operation for operation in patch if operation["op"] == "remove"]
    assert len(ins) - len(outs) == len(after) - len(before)


@_MANY
@given(st.data())
def test_the_changes_of_a_plan_turn_what_is_there_into_what_is_wanted(data: st.DataObject) -> None:
    model = data.draw(models(most=3))
    there = loaded(data.draw(texts(data.draw(variants(model))))).state.restaurants
    wanted = loaded(data.draw(texts(model))).state.restaurants
    for slug in set(there) & set(wanted):
        actual = from_database(there[slug].content)
        plan = planned(wanted[slug], actual)
        result = {
            kind: {key: dict(one.entry.values) for key, one in found.items()}
            for kind, found in actual.settings.items()
        }
        for change in plan.changes:
            _apply(change, result)
        expected = {**{k: v for k, v in result.items() if k not in wanted[slug].content}}
        expected |= {
            kind: {key: dict(one.values) for key, one in found.items()}
            for kind, found in wanted[slug].content.items()
        }
        assert exact({kind: found for kind, found in result.items() if found}) == exact(
            {kind: found for kind, found in expected.items() if found}
        )
        count = sum(map(len, wanted[slug].content.values()))
        assert plan.count(Action.CREATE) + plan.count(Action.UPDATE) + plan.unchanged == count
        assert {(kind, key) for kind, found in plan.target.items() for key in found} == {
            (kind, key) for kind, found in result.items() for key in found
        }


def _apply(change: Change, result: dict[str, dict[str, Any]]) -> None:
    """Do to ``result`` what a change says, by its patch."""
    settings_ = result.setdefault(change.kind, {})
    patch = [operation.to_json() for operation in change.patch]
    before = settings_.pop(change.previous_key or change.key, None)
    if before is None:
        assert change.action is Action.CREATE
        assert [operation["op"] for operation in patch] == ["add"]
    else:
        check(before, dict(change.after.values) if change.after else None, patch)
    after = applied(before, patch)
    assert (after is None) is (change.action is Action.DELETE)
    if after is not None:
        settings_[change.key] = after


@_MANY
@given(st.sampled_from(sorted(kinds())), st.data())
def test_a_setting_and_another(kind: str, data: st.DataObject) -> None:
    one, other = (
        setting(kind, **{"key": "A", **_fields(data.draw(entries(kind, "A")), kind)}) for _ in range(2)
    )
    changes, unchanged = compare(content(other), from_database(content(one)).settings)
    same = exact(dict(one.values)) == exact(dict(other.values))
    assert (len(changes), unchanged) == ((0, 1) if same else (1, 0))
    assert (one.canonical == other.canonical) is same
    for change in changes:
        check(dict(one.values), dict(other.values), [operation.to_json() for operation in change.patch])


def _fields(entry: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != kinds()[kind].key}
