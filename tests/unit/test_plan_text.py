"""Plans as text, against files in ``tests/golden``; ``ROWFORM_UPDATE_GOLDEN=1`` rewrites them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.plan import Plan
from rowform.planner import make_plan
from rowform.render.ink import Ink
from rowform.render.plan_text import NO_CHANGES, plan_text, summary_line
from rowform.text import Count, Plain, Sentence, Several
from tests.support.builders import (
    actual,
    from_database,
    group,
    loaded,
    nothing,
    plan_of,
    restaurant,
    sakura,
    setting,
)
from tests.support.golden import check_golden

GOLDEN = Path(__file__).parents[1] / "golden"

BEFORE = """\
staff_groups:
  - name: Back of house
    color: "#3B82F6"
    group_config: {members: [料理長, 井関]}
  - name: Floor
  - name: Gone
    description: Was here
    group_config: {members: [], nested: {list: [1, {a: x}]}}
daily_limits:
  - name: Max off
    limit_config:
      shiftType: off
      maxCount: 3
      daysOfWeek: [0, 1, 2]
      distributionRules: {maxConsecutive: 2, preferWeekends: false}
      stages: [{until: 10, count: 1}, {until: 20, count: 2}]
      "odd key": {"": 1, "x.y": 2}
    penalty_weight: 50
  - name: Same
"""
AFTER = """\
staff_groups:
  - name: Kitchen
    previously: [Back of house]
    color: "#EF4444"
    group_config: {members: [料理長, 古藤, 井関]}
  - name: Floor
daily_limits:
  - name: Max off
    limit_config:
      shiftType: early
      maxCount: true
      daysOfWeek: [0, 2]
      distributionRules: {maxConsecutive: 2, preferWeekends: null, minimum: {days: [1], of: 7}}
      stages: [{until: 10, count: "1"}, {until: 20, count: 2}, {until: 30}]
      "odd key": {"": 1.5}
    effective_from: 2026-04-01
  - name: Same
monthly_limits:
  - name: Golden Week
    limit_config: {maxCount: 4, scope: individual, targetIds: [], rules: [{a: 1}, {}]}
    penalty_weight: 1
    effective_until: 2026-05-06
ml_model_configs:
  - {model_name: genetic, model_type: genetic}
""".replace("maxCount: true", "maxCount: 3.5")


def of_texts(before: str | None, after: str) -> Plan:
    wanted = loaded(sakura(after)).state.restaurants["sakura"]
    if before is None:
        return plan_of(wanted, nothing())
    return plan_of(
        wanted, from_database(loaded(sakura(before)).state.restaurants["sakura"].content, number=4)
    )


UNSAFE = "\x1b[31mred\x1b]0;t\x07\r\u202eevil\x9b2J"


def blocked() -> Plan:
    groups = [group(f"Group {index}", color="#fff") for index in range(4)]
    there = dataclasses.replace(actual(*groups, locked=True), name="Other", slug=None)
    rule = setting("priority_rules", "Ann first", line=2, rule_definition={"staffId": "Ann"})
    renamed = group("Group 5", line=5, color="#fff")
    return plan_of(
        restaurant(rule, renamed),
        there,
        notes=[
            Sentence(
                "{restaurants} of the database without a directory here: {names}; not touched",
                restaurants=Count(1, "restaurant"),
                names=Several((Plain("x"),)),
            )
        ],
    )


def unsafe() -> Plan:
    name = f"A{UNSAFE}"
    there = actual(
        group(name, description="old\nnew", group_config={UNSAFE: UNSAFE, "members": [UNSAFE]}),
        group(f"old{UNSAFE}"),
    )
    wanted = restaurant(
        group(name, description=UNSAFE, group_config={"members": ["x" * 500]}),
        group(f"new{UNSAFE}", [f"old{UNSAFE}"]),
        setting(
            "priority_rules", "R", description="`code` | <img> @team #1", rule_definition={"staffId": UNSAFE}
        ),
    )
    return plan_of(wanted, dataclasses.replace(there, name=UNSAFE), notes=[f"note {UNSAFE}"])


def several() -> Plan:
    one, same, other = (restaurant(group("A", line=2), slug=slug) for slug in ("first", "same", "second"))
    found = {
        "first": nothing(),
        "same": actual(group("A"), slug="same"),
        "second": actual(group("A", color="#fff"), slug="second", number=12),
    }
    return make_plan(
        [one, same, other],
        lambda wanted: found[wanted.slug],
        kinds(),
        Thresholds(),
        database_id="db",
        target=None,
        source={},
    )


CASES = {
    "changes": lambda: of_texts(BEFORE, AFTER),
    "back": lambda: of_texts(AFTER, BEFORE),
    "first": lambda: of_texts(None, AFTER),
    "no_changes": lambda: of_texts(AFTER, AFTER),
    "no_changes_but_notes": lambda: plan_of(restaurant(), dataclasses.replace(actual(), name="Other")),
    "new_and_empty": lambda: plan_of(restaurant(), nothing()),
    "blocked": blocked,
    "unsafe": unsafe,
    "several": several,
}


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str) -> None:
    plan = CASES[name]()
    text = plan_text(plan, kinds(), Ink())
    check_golden(GOLDEN / f"plan_{name}.txt", f"{text}\n")
    assert text.splitlines()[-1] == summary_line(plan)
    # Colours are all that an ink adds.
    coloured = plan_text(plan, kinds(), Ink(enabled=True))
    assert re.sub(r"\x1b\[\d+m", "", coloured) == text
    assert coloured != text


def test_no_golden_file_is_left_over() -> None:
    assert {file.name for file in GOLDEN.glob("plan_*.txt")} == {f"plan_{name}.txt" for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_nothing_unprintable_reaches_a_terminal(name: str) -> None:
    text = plan_text(CASES[name](), kinds(), Ink())
    assert all(char.isprintable() or char == "\n" for char in text)
    assert not any("\u202a" <= char <= "\u202e" for char in text)
    assert all(line == line.rstrip() for line in text.splitlines())


def test_the_last_line() -> None:
    assert (
        summary_line(of_texts(BEFORE, BEFORE))
        == NO_CHANGES
        == "No changes. Settings match the configuration."
    )
    assert summary_line(of_texts(BEFORE, AFTER)) == "Plan: 2 to add, 2 to change, 1 to destroy."
    assert summary_line(plan_of(restaurant(), nothing())) == "Plan: 0 to add, 0 to change, 0 to destroy."


def test_a_warning_stands_under_its_restaurant() -> None:
    rule = setting("priority_rules", "R", rule_definition={"staffId": "Ann"})
    text = plan_text(plan_of(restaurant(rule), actual()), kinds(), Ink())
    assert (
        '  Warning: priority rule "R" names "Ann", which is no member of a staff group' in text.splitlines()
    )
