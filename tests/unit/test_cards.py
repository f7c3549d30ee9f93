"""Settings and changes in words, for a page."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowform.diff import Stored, compare_stored
from rowform.kinds import kinds
from rowform.render.cards import Cards, unmarked
from rowform.render.inert import SPAN_LIMIT, span
from rowform.render.phrases import Phrases
from rowform.state import entry
from rowform.text import escape

TODAY = date(2026, 4, 1)


def cards(language: Any = "en") -> Cards:
    return Cards(Phrases(language, kinds()), kinds())


def limit(name: str = "Late", **values: Any) -> Any:
    return entry(kinds()["daily_limits"], {"name": name, **values})


def shown(one: Any, language: Any = "en") -> dict[str, Any]:
    (kind,) = cards(language).settings({one.kind: {one.key: one}}, TODAY)
    (found,) = kind["settings"]
    return found


def changed(before: Any, after: Any, language: Any = "en") -> dict[str, Any]:
    old, new = (
        {one.kind: {one.key: Stored(one, "row", "id")}} if one else {"daily_limits": {}}
        for one in (before, after)
    )
    changes, _ = compare_stored(old, new)
    (kind,) = cards(language).changes(changes)
    (found,) = kind["changes"]
    return found


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_code_spans_show_what_was_put_into_them(texts: list[str]) -> None:
    expected = []
    for text in texts:
        whole = escape(text)
        cut = whole if len(whole) <= SPAN_LIMIT else f"{whole[:SPAN_LIMIT]}…"
        expected.append(cut if cut.strip(" ") else f'"{cut}"')
    assert unmarked(" and ".join(map(span, texts))) == " and ".join(expected)


def test_a_setting_with_its_fields() -> None:
    one = limit(
        limit_config={"shiftType": "late", "daysOfWeek": [0, 6], "own key": {"a": 1}}, penalty_weight=2.5
    )
    assert shown(one) == {
        "key": "Late",
        "standing": "in-effect",
        "day": None,
        "color": None,
        "fields": [
            {"label": "shift", "value": ["late"]},
            {"label": "days", "value": ["Sunday", "Saturday"]},
            {"label": "own key / a", "value": ["1"]},
            {"label": "penalty weight", "value": ["2.5"]},
        ],
    }
    assert [field["label"] for field in shown(one, "ja")["fields"]][:2] == ["シフト", "曜日"]


@pytest.mark.parametrize(
    ("values", "standing", "day"),
    [
        ({"effective_from": "2026-04-02"}, "pending", "2 April 2026"),
        ({"effective_until": "2026-03-31"}, "ended", "31 March 2026"),
        ({"effective_until": "2026-04-01"}, "in-effect", None),
        ({"is_active": False, "effective_until": "2026-03-31"}, "paused", None),
    ],
)
def test_whether_it_is_in_effect_today(values: dict[str, Any], standing: str, day: str | None) -> None:
    found = shown(limit(**values))
    assert (found["standing"], found["day"]) == (standing, day)


def test_a_colour_is_a_colour_or_a_text() -> None:
    kind = kinds()["staff_groups"]
    assert shown(entry(kind, {"name": "A", "color": "#3B82F6"}))["color"] == "#3B82F6"
    found = shown(entry(kind, {"name": "A", "color": "red; background: url(//x)"}))
    assert found["color"] is None
    assert found["fields"] == [{"label": "colour", "value": ["red; background: url(//x)"]}]


def test_changes_leaf_by_leaf() -> None:
    before = limit(limit_config={"maxCount": 3, "daysOfWeek": [0], "note": "1"}, penalty_weight=1)
    after = limit(limit_config={"maxCount": 2, "daysOfWeek": [0, 6], "note": 1}, penalty_weight=5)
    assert changed(before, after) == {
        "action": "update",
        "key": "Late",
        "previous_key": None,
        "fields": [
            {"label": "at most", "old": ["3"], "new": ["2"]},
            {"label": "days", "old": None, "new": ["Saturday"]},
            {"label": "note", "old": ['"1"'], "new": ["1"]},
            {"label": "penalty weight", "old": ["1"], "new": ["5"]},
        ],
    }
    assert changed(None, limit(penalty_weight=5))["fields"] == [
        {"label": "penalty weight", "old": None, "new": ["5"]}
    ]
    assert changed(limit(penalty_weight=5), None)["fields"] == [
        {"label": "penalty weight", "old": ["5"], "new": None}
    ]
    # What a card shows as its state is a field like any other in a change.
    assert shown(limit(is_active=False))["fields"] == []
    paused = [{"label": "in use", "old": None, "new": ["no"]}]
    assert changed(None, limit(is_active=False))["fields"] == paused
    assert changed(limit("Late"), limit("Later"))["previous_key"] == "Late"


def test_what_nobody_should_see_raw_is_escaped_and_long_texts_are_whole() -> None:
    long = "x" * (SPAN_LIMIT + 50) + "\u202e"
    one = limit("a\x1b[31m", limit_config={"note": long, "\u202ekey": "`tick`"})
    found = shown(one)
    assert found["key"] == r"a\x1b[31m"
    assert [field["value"] for field in found["fields"]] == [[long.replace("\u202e", "\\u202e")], ["`tick`"]]
    assert found["fields"][1]["label"] == "\\u202ekey"


def test_the_pages_words_are_the_same_in_both_languages() -> None:
    words = json.loads(files("rowform.server").joinpath("page", "words.json").read_text("utf-8"))
    for name, said in words.items():
        assert set(said) == {"en", "ja"}, name
        parts = [sorted(re.findall(r"\{(\w+)\}", one)) for one in said.values()]
        assert parts[0] == parts[1], name


def test_every_word_that_a_script_says_is_there() -> None:
    home = files("rowform.server").joinpath("page")
    words = json.loads(home.joinpath("words.json").read_text("utf-8"))
    said = {
        name
        for file in home.iterdir()
        if file.name.endswith(".js")
        for name in re.findall(r'\bsay\("([\w -]+)"', file.read_text("utf-8"))
    }
    assert len(said) > 40
    assert said <= set(words)
