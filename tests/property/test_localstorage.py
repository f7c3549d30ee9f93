"""Exports of browsers: import → YAML → load → export gives what came in."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rowform.dump import dump
from rowform.kinds import kinds
from rowform.localstorage.export import export_like, export_rows, records
from rowform.text import pointer
from tests.support.browsers import DRAWN, EXPORTS, PLAIN, answered, content_of, keys_of, mapped, sample
from tests.support.builders import exact, header, loaded

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def through_yaml(content: Any) -> Any:
    texts = {"sakura/restaurant.yaml": header(), "sakura/a.yaml": dump(content, kinds())}
    return loaded(texts).state.restaurants["sakura"].content


def canonical(content: Any) -> Any:
    return {(kind, key): one.canonical for kind, entries in content.items() for key, one in entries.items()}


def test_the_generators_cover_every_key_of_every_sample() -> None:
    for name in PLAIN:
        assert set(keys_of(json.loads(sample(name)))) <= DRAWN


@settings(max_examples=1000, suppress_health_check=SLOW)
@given(source=EXPORTS)
def test_what_is_imported_is_exported_as_it_was(source: dict[str, Any]) -> None:
    found = answered(source)
    assert (found.faults, found.homeless) == ([], [])
    content = content_of(found)
    again = through_yaml(content)
    assert canonical(again) == canonical(content)
    remembered = json.loads(json.dumps(found.document))
    assert exact(export_like(again, remembered)) == exact(source)


@settings(max_examples=300, suppress_health_check=SLOW)
@given(source=EXPORTS, random=st.randoms(use_true_random=False))
def test_what_is_left_out_comes_back_too(source: dict[str, Any], random: Random) -> None:
    told = [pointer(row.path) for one in mapped(source).settings for row in one.rows]
    left_out = {one for one in told if random.random() < 0.2}
    found = mapped(source, *left_out)
    found = mapped(source, *left_out, *(pointer(one.path) for one in found.homeless))
    assert (found.faults, found.homeless) == ([], [])
    remembered = json.loads(json.dumps(found.document))
    assert exact(export_like(through_yaml(content_of(found)), remembered)) == exact(source)


@settings(max_examples=100, suppress_health_check=SLOW)
@given(source=EXPORTS)
def test_every_value_is_in_the_report_once(source: dict[str, Any]) -> None:
    found = mapped(source)
    told = [row.path for one in found.settings for row in one.rows]
    told += [one.path for one in (*found.kept, *found.homeless)]
    assert len({pointer(path) for path in told}) == len(told)
    for path, value in _leaves(source, ()):
        assert [path[:length] for length in range(len(path) + 1) if path[:length] in set(told)] or value in (
            [],
            {},
        )


def _leaves(value: Any, path: tuple[str | int, ...]) -> Any:
    if isinstance(value, dict | list) and value:
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, (*path, step))
    else:
        yield path, value


@settings(max_examples=100, suppress_health_check=SLOW)
@given(source=EXPORTS)
def test_rows_are_imported_as_they_were(source: dict[str, Any]) -> None:
    content = content_of(answered(source))
    rows = export_rows(records(content))
    if rows:
        assert canonical(content_of(answered(rows))) == canonical(content)


@settings(max_examples=100, suppress_health_check=SLOW)
@given(source=EXPORTS, other=EXPORTS)
@example(source={"mlParameters": {"note": None}}, other={"mlParameters": {"parameters": {}}})
@example(source={"mlParameters": {"note": 0}}, other={"mlParameters": {"note": None, "parameters": {}}})
@example(
    source={"staffGroups": [{}, {"id": "group1"}, {"members": []}]},
    other={"staffGroups": [{}, {}, {"note": None}]},
)
def test_other_settings_in_the_shape_of_an_import_are_imported_as_they_are(
    source: dict[str, Any], other: dict[str, Any]
) -> None:
    """Settings that are gone leave nothing, changed ones are as they are now, new ones are found again."""
    remembered = json.loads(json.dumps(answered(source).document))
    wanted = content_of(answered(other))
    exported = export_like(wanted, remembered)
    again = answered({"staffGroups": [], **exported})
    assert canonical(content_of(again)) == canonical(wanted)
