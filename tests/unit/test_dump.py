"""Settings as YAML, which every reader reads alike."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from rowform.document import parse
from rowform.dump import dump, scalar
from rowform.kinds import kinds
from rowform.state import digest
from tests.support.builders import content, group, header, loaded, setting


def written(*entries: Any, managed: list[str] | None = None) -> str:
    return dump(content(*entries, managed=managed), kinds())


def test_layout() -> None:
    text = written(
        group(
            "Kitchen", color="#3B82F6", group_config={"members": ["料理長", "井関"], "empty": [], "none": {}}
        ),
        group("Floor"),
        setting(
            "daily_limits",
            "Max off",
            limit_config={"daysOfWeek": [0, 6], "deep": {"list": [{"a": 1, "b": [2, 3]}, []], "x": None}},
            penalty_weight=1.5,
            effective_from="2026-04-01",
            is_active=None,
        ),
        managed=["staff_groups", "daily_limits", "monthly_limits"],
    )
    assert (
        text
        == """\
staff_groups:
  - name: Floor
  - name: Kitchen
    color: "#3B82F6"
    group_config:
      members: [料理長, 井関]
      empty: []
      none: {}
daily_limits:
  - name: Max off
    limit_config:
      daysOfWeek: [0, 6]
      deep:
        list:
          - {a: 1, b: [2, 3]}
          - []
        x: null
    penalty_weight: 1.5
    effective_from: 2026-04-01
    is_active: null
monthly_limits: []
"""
    )


def test_nothing() -> None:
    assert dump({}, kinds()) == "{}\n"
    assert written(managed=["staff_groups"]) == "staff_groups: []\n"


def test_defaults_are_left_out_and_null_and_false_are_not() -> None:
    assert written(
        setting("daily_limits", "A", limit_config={}, penalty_weight=1), managed=["daily_limits"]
    ) == ("daily_limits:\n  - name: A\n")
    one = setting(
        "daily_limits", "A", limit_config=None, penalty_weight=None, is_hard_constraint=None, is_active=False
    )
    assert written(one, managed=["daily_limits"]).splitlines()[2:] == [
        "    limit_config: null",
        "    penalty_weight: null",
        "    is_hard_constraint: null",
        "    is_active: false",
    ]


TRICKY = [
    "", " ", "a", "no", "No", "off", "yes", "y", "on", "null", "Null", "~", "true", "1", "1.5", "010",
    "0x1F", "0o7", "1e5",
    ".inf", ".nan", "+1", "-", "- a", "-a", "12:30", "1_000", "2026-04-01", "=", "<<", "a: b", "a:", ":a",
    "a #b", "#a",
    "a b", " a", "a ", "a\nb", "a\n", "\n", "a\tb", "'", '"', "it's", '"a"', "\\", "a\\nb", "[", "]", "{a}",
    "a, b", "&a", "*a",
    "!a", "%a", "@a", "`a", "|", ">", "? a", "---", "...", "料理長", "é", "e\u0301", "😀", "\u00a0",
    "\u3000a",
    "a\u200bb", "x" * 500,
    "NaN", "Infinity", "料 理", "٣", "Ⅷ", "ª", "a/b (c) 5%", "a.", "a -", "a-b", "a--", "no way", "y.",
    "True story", "1 2",
]  # fmt: skip


@pytest.mark.parametrize("text", TRICKY)
@pytest.mark.parametrize("frame", ["a: {}", "a: [{}]", "a: {{b: {}, c: 1}}", "{}: 1", "- {}"])
def test_scalars_read_the_same_everywhere(text: str, frame: str) -> None:
    line = frame.replace("{}", scalar(text)).replace("{{", "{").replace("}}", "}")
    document, problems = parse("f", line.encode())
    assert problems == []
    assert document is not None
    # PyYAML reads YAML 1.1.
    assert document.value == yaml.safe_load(line)
    assert text in repr_leaves(document.value)


def repr_leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in (*value, *value.values()) for leaf in repr_leaves(item)]
    return [leaf for item in value for leaf in repr_leaves(item)] if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    "value", [None, True, False, 0, -1, 1.5, 2**53 - 1, 1e23, 1e300, 5e-324, -2.5e-9, 0.1]
)
def test_other_scalars(value: Any) -> None:
    document, problems = parse("f", f"a: {scalar(value)}\n".encode())
    assert (problems, document.value if document else None) == ([], {"a": value})


def test_what_is_dumped_loads_to_the_same_digest() -> None:
    tricky = {key: {"x": key, "list": [key], "deep": [{key: [key]}]} for key in TRICKY}
    one = content(
        group("A", group_config=tricky),
        *(group(f"{index} {key}") for index, key in enumerate(TRICKY) if len(key) < 250),
    )
    texts = {"sakura/restaurant.yaml": header(), "sakura/a.yaml": dump(one, kinds())}
    assert digest(loaded(texts).state.restaurants["sakura"].content) == digest(one)


def test_keys_longer_than_yaml_allows_for_simple_ones() -> None:
    long = "k" * 2000
    one = content(
        group(
            "A", group_config={long: 1, "flow": [{long: 2, "x": {long: []}}], "block": {long: {long: [[]]}}}
        )
    )
    texts = {"sakura/restaurant.yaml": header(), "sakura/a.yaml": dump(one, kinds())}
    assert digest(loaded(texts).state.restaurants["sakura"].content) == digest(one)
