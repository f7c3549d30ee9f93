"""When settings are in effect: on a day, today, and together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowform.effective import Effect, Standing, effect, on_day, overlaps, today
from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.planfile import same_changes
from rowform.planner import plan_restaurant
from rowform.state import Entry
from tests.support.builders import actual, content, place, restaurant, said, sakura, setting

DAY = date(2026, 5, 1)
LIMITS = kinds()["daily_limits"]


def limit(key: str = "A", kind: str = "daily_limits", **values: Any) -> Entry:
    return setting(kind, key, line=1, **values)


def window(key: str, start: str | None, end: str | None, **config: Any) -> Entry:
    config = config or {"shiftType": "off", "maxCount": 3}
    return limit(key, effective_from=start, effective_until=end, limit_config=config)


# --- a setting on a day --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Effect(Standing.IN_EFFECT)),
        ({"effective_from": "2026-05-01", "effective_until": "2026-05-01"}, Effect(Standing.IN_EFFECT)),
        ({"effective_from": "2026-05-02"}, Effect(Standing.PENDING, "2026-05-02")),
        ({"effective_until": "2026-04-30"}, Effect(Standing.ENDED, "2026-04-30")),
        ({"is_active": False}, Effect(Standing.PAUSED)),
        ({"is_active": None}, Effect(Standing.PAUSED)),
        ({"is_active": False, "effective_until": "2026-04-30"}, Effect(Standing.PAUSED)),
        # What only PostgreSQL knows.
        ({"effective_from": "-infinity", "effective_until": "infinity"}, Effect(Standing.IN_EFFECT)),
        ({"effective_from": "infinity"}, Effect(Standing.PENDING, "infinity")),
        ({"effective_until": "9999-12-31 BC"}, Effect(Standing.ENDED, "9999-12-31 BC")),
        ({"effective_from": "10000-01-01"}, Effect(Standing.PENDING, "10000-01-01")),
    ],
)
def test_a_setting_on_a_day(values: Mapping[str, Any], expected: Effect) -> None:
    assert effect(LIMITS, {**limit().values, **values}, DAY) == expected


def test_a_kind_without_dates_is_always_in_effect() -> None:
    for name in ("staff_groups", "ml_model_configs"):
        assert effect(kinds()[name], setting(name, "A").values, DAY) == Effect(Standing.IN_EFFECT)


@given(st.lists(st.tuples(*[st.none() | st.dates(date(2026, 4, 28), date(2026, 5, 4))] * 2), max_size=6))
def test_a_version_on_a_day(periods: list[tuple[date | None, date | None]]) -> None:
    wanted = content(
        *(window(str(n), str(a) if a else None, str(b) if b else None) for n, (a, b) in enumerate(periods))
    )
    kept, left_out = on_day(wanted, kinds(), DAY)
    expected = [n for n, (a, b) in enumerate(periods) if (a or DAY) <= DAY <= (b or DAY)]
    assert list(kept["daily_limits"]) == [str(n) for n in expected]
    assert len(left_out) == len(periods) - len(expected)
    assert set(kept) == set(wanted)


# --- today ---------------------------------------------------------------------------------------


def test_today_is_that_of_the_first_time_zone_that_is_known() -> None:
    now = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)
    assert today(("Asia/Tokyo",), now) == (date(2026, 5, 2), "Asia/Tokyo")
    assert today(("America/Los_Angeles", "Asia/Tokyo"), now) == (DAY, "America/Los_Angeles")
    for odd in (None, "", "Nowhere/Land", "../etc/passwd", "\0", "Asia", "a" * 500):
        assert today((odd, "Asia/Tokyo"), now) == (date(2026, 5, 2), "Asia/Tokyo")
        assert today((odd,), now) == (DAY, None)


NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)  # the 24th in Tokyo


def warned(before: Entry | None, after: Entry, timezone: str | None = "Asia/Tokyo") -> list[str]:
    there = actual(*([before] if before else []))
    there = dataclasses.replace(there, timezone=timezone)
    plan = plan_restaurant(restaurant(after), there, kinds(), Thresholds(), NOW)
    again = plan_restaurant(restaurant(after), there, kinds(), Thresholds(), NOW + timedelta(days=4000))
    assert same_changes(plan, again)
    return list(plan.warnings)


def test_a_plan_points_out_what_does_nothing_today() -> None:
    assert warned(None, window("Summer", "2027-06-02", None)) == [
        'daily limit "Summer" takes effect on 2027-06-02, in 190 days'
    ]
    assert warned(None, window("Soon", "2026-11-25", None)) == [
        'daily limit "Soon" takes effect on 2026-11-25, tomorrow'
    ]
    assert warned(None, window("Winter", None, "2026-03-31")) == [
        'daily limit "Winter" ended on 2026-03-31: it changes nothing today'
    ]
    assert warned(None, window("Now", "2026-11-24", "2026-11-24")) == []
    rule = setting("priority_rules", "R", effective_from="9999-12-31")
    assert warned(None, rule) == ['priority rule "R" takes effect on 9999-12-31, in 2912115 days']


def test_what_ends_at_once_does_change_something_today() -> None:
    always = window("A", None, None)
    assert warned(always, window("A", None, "2026-11-23")) == [
        'daily limit "A" applies today and will not any more: it ended on 2026-11-23'
    ]
    assert warned(always, window("A", "2026-11-26", None)) == [
        'daily limit "A" applies today and will not again before 2026-11-26, in 2 days'
    ]


def test_what_stays_or_is_paused_is_not_pointed_out() -> None:
    summer = window("Summer", "2027-06-01", None)
    assert warned(summer, summer) == []
    paused = limit("P", effective_from="2027-06-01", is_active=False)
    assert warned(None, paused) == []


@pytest.mark.parametrize("unknown", [None, "Nowhere/Land", "\x1b[31m"])
def test_a_time_zone_that_nobody_knows_gives_way_to_the_file(unknown: str | None) -> None:
    assert warned(None, window("Soon", "2026-11-25", None), unknown) == [
        'daily limit "Soon" takes effect on 2026-11-25, tomorrow'
    ]


# --- overlaps ------------------------------------------------------------------------------------


def pairs(*entries: Entry) -> list[tuple[str, str]]:
    return [(one.entry.key, one.other.key) for one in overlaps(content(*entries), kinds())]


def test_windows_that_share_a_day() -> None:
    assert pairs(window("A", "2026-05-01", "2026-05-06"), window("B", "2026-05-06", "2026-05-09")) == [
        ("B", "A")
    ]
    assert pairs(window("A", "2026-05-01", "2026-05-05"), window("B", "2026-05-06", "2026-05-09")) == []


def test_a_season_within_the_rule_is_meant() -> None:
    season = window("Season", "2026-05-01", "2026-05-06")
    for start, end in ((None, None), ("2026-01-01", None), (None, "2026-12-31")):
        assert pairs(season, window("Rule", start, end)) == []


OFF = {"shiftType": "off", "maxCount": 3}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (OFF, {"shiftType": "off", "maxCount": 5}, True),
        (OFF, {"shiftType": "early", "maxCount": 3}, False),
        (OFF, {"shiftType": "off", "minCount": 1}, False),
        (OFF, {"shiftType": "off", "minCount": 1, "maxCount": 2}, True),
        (OFF, {**OFF, "targetIds": [], "scope": None}, True),
        (OFF, {**OFF, "targetIds": ["Kitchen"]}, False),
        (OFF, {**OFF, "daysOfWeek": [6, 5, 4, 3, 2, 1, 0]}, True),
        (OFF, {**OFF, "daysOfWeek": [0]}, False),
        ({**OFF, "targetIds": ["a", "b"]}, {**OFF, "targetIds": ["b", "a"]}, True),
        ({**OFF, "distributionRules": {"maxConsecutive": 2}}, OFF, True),
        (OFF, {**OFF, "branch": "east"}, False),
        ({}, {}, False),
    ],
)
def test_what_makes_one_purpose(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    for first, second in ((one, other), (other, one)):
        a, b = (
            limit(key, limit_config=config, effective_from="2026-05-01", effective_until="2026-05-06")
            for key, config in (("A", first), ("B", second))
        )
        assert pairs(a, b) == ([("B", "A")] if same else [])


def test_hard_and_soft_limits_make_a_pair_and_paused_ones_do_not_count() -> None:
    a = window("A", "2026-05-01", "2026-05-06")
    for different in ({"is_hard_constraint": True}, {"is_active": False}):
        b = limit("B", **{**a.values, "name": "B", **different})
        assert pairs(a, b) == []
    monthly = limit("M", "monthly_limits", **{**a.values, "name": "M"})
    assert pairs(a, monthly) == []


_WINDOW = st.tuples(st.integers(1, 28), st.integers(0, 10), st.sampled_from(["off", "early"]))


@given(st.lists(_WINDOW, max_size=8))
def test_exactly_those_that_meet_an_earlier_one_are_pointed_out(drawn: list[tuple[int, int, str]]) -> None:
    start = date(2026, 5, 1)
    entries = {
        f"{n}": window(
            f"{n}", str(start + timedelta(a)), str(start + timedelta(a + length)), shiftType=shift, maxCount=1
        )
        for n, (a, length, shift) in enumerate(drawn)
    }

    def meet(one: Entry, other: Entry) -> bool:
        return (
            one.values["limit_config"] == other.values["limit_config"]
            and one.values["effective_from"] <= other.values["effective_until"]
            and other.values["effective_from"] <= one.values["effective_until"]
        )

    found = pairs(*entries.values())
    assert all(meet(entries[one], entries[other]) for one, other in found)
    assert len({one for one, _ in found}) == len(found)
    # Every pair that meets is known by one of its two.
    for one, other in combinations(entries.values(), 2):
        if meet(one, other):
            assert {one.key, other.key} & {key for key, _ in found}


TEXT = """\
daily_limits:
  - name: Golden Week
    limit_config: {shiftType: off, maxCount: 3}
    effective_from: 2026-04-29
    effective_until: 2026-05-06
  - name: 'Spring "high"'
    limit_config: {maxCount: 4, shiftType: off}
    effective_from: 2026-03-01
    effective_until: 2026-04-29
  - name: Always
    limit_config: {maxCount: 5, shiftType: off}
"""


def test_validate_names_both_places() -> None:
    expected = (
        f"sakura/settings.yaml:{place(TEXT, '2026-04-29')}: {{}}"
        'daily limit "Golden Week" (2026-04-29 to 2026-05-06) overlaps "Spring \\"high\\"" (2026-03-01 to'
        f" 2026-04-29) at config/sakura/settings.yaml:{place(TEXT, '2026-03-01')}: both limit the same"
    )
    assert said(sakura(TEXT)) == [expected.format("warning: ")]
    assert said(sakura(TEXT), strict=True) == [expected.format("")]
