"""The canonical form, the digest, and values as the database gives them back."""

from __future__ import annotations

import itertools
import json
from hashlib import sha256
from typing import Any

import pytest

from rowform.kinds import kinds
from rowform.state import State, canonical, digest, entry, normalise, number, read_json, values_at
from tests.support.builders import Here, content, group, jsonb, restaurant, setting


def test_entries_have_every_column_and_no_order() -> None:
    one = entry(kinds()["staff_groups"], {"name": "A", "color": "#fff"}, ["B"], Here(line=3))
    other = entry(
        kinds()["staff_groups"], {"color": "#fff", "is_active": True, "name": "A", "group_config": {}}
    )
    assert one.canonical == other.canonical
    assert one.values == {
        "name": "A",
        "description": None,
        "color": "#fff",
        "group_config": {},
        "is_active": True,
    }
    assert (one.kind, one.key, one.previously) == ("staff_groups", "A", ("B",))
    assert json.loads(one.canonical) == one.values
    assert list(json.loads(one.canonical)) == sorted(one.values)


def test_where_an_entry_stands_is_no_part_of_it() -> None:
    assert group("A", line=1) == group("A", line=2) == group("A")
    assert group("A") != group("A", color="#fff")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, 1), (-0.0, 0), (0.0, 0), (1.5, 1.5), (-3.0, -3), (1e15, 10**15), (float(2**53 - 1), 2**53 - 1),
        (float(2**53), 2.0**53), (2**53, 2.0**53), (2**53 - 1, 2**53 - 1), (2**53 + 1, 2**53 + 1), (-(2**53),
        -(2.0**53)),
        (10**16, 1e16), (10**22, 1e22), (10**23, 1e23), (10**300, 1e300), (10**308, 1e308), (10**309,
        10**309),
        (15 * 10**299, 1.5e300), (123456789012345678901234567890, 123456789012345678901234567890), (2**70,
        2.0**70), (0, 0), (5e-324, 5e-324),
    ],
)  # fmt: skip
def test_every_number_has_one_form(value: float, expected: float) -> None:
    found = number(value)
    assert (found, type(found)) == (expected, type(expected))


def test_normalise_goes_deep_and_leaves_booleans() -> None:
    value = {"a": [1.0, True, None, "1.0", {"b": 2.0, "c": [-0.0]}]}
    assert repr(normalise(value)) == repr({"a": [1, True, None, "1.0", {"b": 2, "c": [0]}]})


VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 1.5, "", "1", "true", "null", "é", "e\u0301", [], {}, [[]], [{}], [1],
    [True], ["1"],
    {"a": 1}, {"a": True}, {"a": "1"}, {"a": None}, {"a": []}, {"": 1}, [1, 2], [2, 1], 2.0**53, 2**53 + 1,
    10**400, "\x00", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(VALUES, 2)))
def test_values_that_differ_have_different_bytes(one: Any, other: Any) -> None:
    assert canonical({"x": one}) != canonical({"x": other})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.10", 1.1), ("1.0", 1), ("1.00", 1), ("0.50", 0.5), ("10", 10), ("-0", 0), ("-0.0", 0), ("1e2",
        100), ("100000000000000000000000", 1e23),
        ("1.10e1", 11), ("9007199254740991", 2**53 - 1), ("9007199254740993", 2**53 + 1), ("0.1", 0.1),
        ("0.0000000025", 2.5e-9),
        ("0.30000000000000004", 0.30000000000000004), ('"1.10"', "1.10"), ('{"a": [1.50, {"b": 2.0}]}',
        {"a": [1.5, {"b": 2}]}),
        ('{"1.0": "1e5"}', {"1.0": "1e5"}), ("null", None), ("true", True), ("[]", []),
        ("123456789012345678901234567890", 123456789012345678901234567890),
    ],
)  # fmt: skip
def test_read_json(text: str, expected: Any) -> None:
    assert repr(read_json(text)) == repr(expected)
    # The same inside a larger text, where another number decides how it is read.
    for frame in ("[{}]", "[{}, 1.0]", "[{}, 12345678901234567890]", '{{"x": {}}}'):
        found = read_json(frame.format(text))
        assert repr(found["x"] if isinstance(found, dict) else found[0]) == repr(expected)


def test_the_oracle_of_the_tests_writes_jsonb_as_postgresql_does() -> None:
    assert jsonb({"bb": 1.1, "c": [None, True, "x"], "a": {"é": 1e23, "z": {}}}) == (
        '{"a": {"z": {}, "é": 100000000000000000000000}, "c": [null, true, "x"], "bb": 1.10}'
    )


# --- digests -------------------------------------------------------------------------------------


def test_a_digest_is_pinned() -> None:
    """It is stored with every version: it may never change for the same content."""
    found = content(
        group("料理", group_config={"members": ["井関"], "x": 1.10}),
        setting("daily_limits", "A", penalty_weight=0.5),
    )
    parts = [
        "daily_limits", "A",
        ('{"effective_from":null,"effective_until":null,"is_active":true,"is_hard_constraint":false,'
        '"limit_config":{},"name":"A","penalty_weight":0.5}'),
        "staff_groups", "料理",
        '{"color":null,"description":null,"group_config":{"members":["井関"],"x":1.1},"is_active":true,"name":"料理"}',
    ]  # fmt: skip
    hashed = sha256(b"".join(len(part.encode()).to_bytes(8, "big") + part.encode() for part in parts))
    assert digest(found) == f"sha256:{hashed.hexdigest()}"
    assert digest(found) == "sha256:ed1229206aed88a8420a47ab986903cb8478caecebe23e8cfcdd86d37dabe840"


def test_digest_and_order() -> None:
    entries = [group("A"), group("B"), setting("daily_limits", "A"), setting("ml_model_configs", "C")]
    digests = {digest(content(*order)) for order in itertools.permutations(entries)}
    backwards = {kind: dict(reversed(found.items())) for kind, found in reversed(content(*entries).items())}
    assert digests == {digest(backwards)}


def test_digests_tell_contents_apart() -> None:
    contents = [
        content(),
        content(group("A")),
        content(group("B")),
        content(group("A"), group("B")),
        content(group("A", color="#fff")),
        content(group("A", group_config=None)),
        content(group("A", group_config={"x": 1})),
        content(group("A", group_config={"x": True})),
        content(group("A", group_config={"x": "1"})),
        content(group("A", group_config={"x": None})),
        content(setting("daily_limits", "A")),
        content(setting("monthly_limits", "A")),
        content(group("AB"), group("C")),
        content(group("A"), group("BC")),
    ]
    assert len({digest(one) for one in contents}) == len(contents)


def test_former_names_and_places_are_no_content() -> None:
    assert digest(content(group("A", ["B"], line=7))) == digest(content(group("A")))


def test_counting() -> None:
    one = restaurant(group("A"), group("B"), setting("daily_limits", "A"))
    assert State({"a": one, "b": restaurant(group("A"))}).count() == 4
    assert State({}).count() == 0


# --- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", [(("a",), {"b": [1, {"c": 2}], "d": None})]),
        ("a.d", [(("a", "d"), None)]),
        ("a.b[]", [(("a", "b", 0), 1), (("a", "b", 1), {"c": 2})]),
        ("a.b[].c", [(("a", "b", 1, "c"), 2)]),
        ("a.x", []), ("x.y[]", []), ("a.d[]", []), ("a[]", []), ("a.d.e", []),
    ],
)  # fmt: skip
def test_values_at(path: str, expected: list[Any]) -> None:
    assert list(values_at({"a": {"b": [1, {"c": 2}], "d": None}}, path)) == expected
