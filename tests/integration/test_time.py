"""``show --on`` and what ``plan`` says of settings that are not in effect today."""

from __future__ import annotations

import pytest
import yaml

from tests.support.project import MOMIJI, Project

SETTINGS = """\
staff_groups:
  - name: Kitchen
daily_limits:
  - name: Always
  - name: Distant
    effective_from: 2999-06-01
  - name: Past
    effective_until: 1999-12-31
  - name: Paused & quoted
    is_active: false
  - name: One day
    effective_from: 2026-05-01
    effective_until: 2026-05-01
"""


@pytest.fixture
def applied(project: Project) -> Project:
    project.restaurant()
    project.write({"sakura/all.yaml": SETTINGS})
    project.apply()
    return project


def test_a_version_on_a_day(applied: Project) -> None:
    result = applied.ok("show", "--on", "2026-05-01")
    assert "# in effect on 2026-05-01: 3 settings; 3 others left out\n" in result.out
    assert '#   daily_limits "Distant" takes effect on 2999-06-01\n' in result.out
    assert '#   daily_limits "Past" ended on 1999-12-31\n' in result.out
    assert '#   daily_limits "Paused & quoted" is paused\n' in result.out
    shown = yaml.safe_load(result.out)
    assert [one["name"] for one in shown["daily_limits"]] == ["Always", "One day"]
    assert [one["name"] for one in shown["staff_groups"]] == ["Kitchen"]

    before = yaml.safe_load(applied.ok("show", "1", "--on", "1999-12-31").out)
    assert [one["name"] for one in before["daily_limits"]] == ["Always", "Past"]
    # Without it everything is shown, as ever.
    assert len(yaml.safe_load(applied.ok("show").out)["daily_limits"]) == 5


def test_as_json(applied: Project) -> None:
    document = applied.ok("show", "--on", "2026-05-02", "--format", "json").json
    assert document["on"] == "2026-05-02"
    assert [one["name"] for one in document["settings"]["daily_limits"]] == ["Always"]
    assert document["left_out"] == [
        {"kind": "daily_limits", "key": "Distant", "state": "pending", "day": "2999-06-01"},
        {"kind": "daily_limits", "key": "One day", "state": "ended", "day": "2026-05-01"},
        {"kind": "daily_limits", "key": "Past", "state": "ended", "day": "1999-12-31"},
        {"kind": "daily_limits", "key": "Paused & quoted", "state": "paused", "day": None},
    ]
    whole = applied.ok("show", "--format", "json").json
    assert "on" not in whole
    assert "left_out" not in whole


def test_today_is_the_restaurants(applied: Project) -> None:
    result = applied.ok("show", "--on", "today")
    assert ", which is today in Asia/Tokyo: 2 settings; 4 others left out\n" in result.out
    assert result.err == ""
    applied.rows("UPDATE restaurants SET timezone = E'Nowhere/\\x1bLand' RETURNING id")
    unknown = applied.ok("show", "--on", "today")
    assert 'its time zone "Nowhere/\\u001bLand" is unknown: today is the day in UTC' in unknown.err
    assert "which is today in UTC" in unknown.out
    applied.rows("UPDATE restaurants SET timezone = NULL RETURNING id")
    assert "it has no time zone" in applied.ok("show", "--on", "today", "--format", "json").err


def test_what_is_no_day(applied: Project) -> None:
    for odd in (
        "tomorrow",
        "2026-5-1",
        "20260501",
        "2026-W01-1",
        "",
        "2026-05-01T00:00",
        "\u0662026-05-01",
        "\x1b",
    ):
        result = applied.run("show", "--on", odd)
        assert (result.code, result.out) == (1, "")
        assert "is no date" in result.err
        assert "\x1b" not in result.err
    assert "there is no such date: 2026-02-30" in applied.run("show", "--on", "2026-02-30").err
    applied.ok("plan", "-o", str(applied.directory / "plan.json"))
    refused = applied.run("show", str(applied.directory / "plan.json"), "--on", "today")
    assert (refused.code, "a saved plan is shown whole" in refused.err) == (1, True)


def test_several_restaurants_and_none(project: Project) -> None:
    assert "there are no restaurants yet" in project.run("show", "--on", "today").err
    project.restaurant()
    project.restaurant("momiji", MOMIJI, "timezone: America/New_York\n")
    project.apply()
    assert "there are 2 restaurants" in project.run("show", "--on", "today").err
    result = project.ok("show", "--on", "today", "-r", "momiji")
    assert "which is today in America/New_York: 0 settings; 0 others left out" in result.out


def test_a_plan_warns_of_what_does_nothing_today(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/all.yaml": SETTINGS})
    document = project.ok("plan", "--format", "json").json
    distant, past, once = document["restaurants"][0]["warnings"]
    assert distant.startswith('daily limit "Distant" takes effect on 2999-06-01, in ')
    assert past == 'daily limit "One day" ended on 2026-05-01: it changes nothing today'
    assert once == 'daily limit "Past" ended on 1999-12-31: it changes nothing today'
    assert f"  Warning: {past}\n" in project.ok("plan").out
    # A plan that was saved yesterday is the same plan today.
    saved = str(project.directory / "plan.json")
    project.ok("plan", "-o", saved)
    project.ok("apply", saved, "--auto-approve")
    assert project.ok("plan", "--format", "json").json["restaurants"][0]["warnings"] == []
