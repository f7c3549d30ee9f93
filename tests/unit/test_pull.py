"""What a pull makes of texts, to the letter."""

from __future__ import annotations

from typing import Any

import pytest

from rowform.kinds import kinds
from rowform.pull import Live, adopted, faults, findings, pulled, texts
from rowform.state import Content
from tests.support.builders import content, group, header, loaded, setting, sources

MODELINE = "# yaml-language-server: $schema=../../schemas/settings.schema.json\n"


def after(files: dict[str, str], live_content: Content, renames: Any = None) -> dict[str, str]:
    """The files that a pull leaves; those that it does not change are left out."""
    state = loaded(files).state
    one = state.restaurants["sakura"]
    live = Live(one.slug, one.id, one.name, one.timezone, live_content)
    done = pulled(one, live, renames or {}, sources(files), kinds())
    result = {"/".join(file.parts): file.after.decode() for file in done.files}
    assert faults(state, sources({**files, **result}), {"sakura": live}, kinds()) == []
    return result


def settings(text: str) -> dict[str, str]:
    return {"sakura/restaurant.yaml": header(), "sakura/a.yaml": text}


SORTED = """\
staff_groups:
  # the first
  - name: B

  - name: D   # dee

  - name: F
"""


def test_a_sorted_file_stays_sorted() -> None:
    groups = [group(key) for key in "ABCDEFG"]
    assert after(settings(SORTED), content(*groups)) == {
        "sakura/a.yaml": """\
staff_groups:
  - name: A

  # the first
  - name: B

  - name: C

  - name: D   # dee

  - name: E

  - name: F

  - name: G
"""
    }


def test_what_goes_takes_its_comment_along() -> None:
    assert after(settings(SORTED), content(group("D"), group("F"))) == {
        "sakura/a.yaml": "staff_groups:\n  - name: D   # dee\n\n  - name: F\n"
    }
    assert after(settings(SORTED), content(group("B"), group("F"))) == {
        "sakura/a.yaml": "staff_groups:\n  # the first\n  - name: B\n\n  - name: F\n"
    }
    assert after(settings(SORTED + "# end"), content()) == {"sakura/a.yaml": "staff_groups: []\n# end"}


def test_a_kind_that_is_nowhere_gets_a_file() -> None:
    live = content(group("B"), group("D"), group("F"), setting("daily_limits", "no", penalty_weight=2))
    assert after(settings(SORTED), live) == {
        "sakura/daily_limits.yaml": f'{MODELINE}daily_limits:\n  - name: "no"\n    penalty_weight: 2\n'
    }
    files = {"sakura/daily_limits.yaml": "daily_limits: []  # none yet\n", **settings(SORTED)}
    assert after(files, live) == {
        "sakura/daily_limits.yaml": 'daily_limits:  # none yet\n  - name: "no"\n    penalty_weight: 2\n'
    }


def test_a_file_with_comments_alone() -> None:
    files = {"sakura/restaurant.yaml": header(), "sakura/staff_groups.yaml": "# groups"}
    assert after(files, content(group("A"))) == {
        "sakura/staff_groups.yaml": "# groups\nstaff_groups:\n  - name: A\n"
    }


def test_json_stays_json() -> None:
    text = '{"staff_groups": [\n  {"name": "A", "color": "#fff"},\n  {"name": "B"}\n]}\n'
    live = content(group("A", color="#000", description="no"), group("B"), group("C", is_active=False))
    assert after(settings(text), live) == {
        "sakura/a.yaml": '{"staff_groups": [\n  {"name": "A", "description": "no", "color": "#000"},\n'
        '  {"name": "B"},\n  {"name": "C", "is_active": false}\n]}\n'
    }


ALIASES = """\
staff_groups:
  - name: A
    group_config: &config
      members: [x, w]   # two
  - name: B
    group_config: *config   # the same
  - name: C
    group_config: *config
"""


def test_aliases_mean_what_is_live() -> None:
    old, new = {"members": ["x", "w"]}, {"members": ["x", "z"]}
    live = content(
        *(group(key, group_config=value) for key, value in zip("ABC", (new, old, new), strict=True))
    )
    assert after(settings(ALIASES), live) == {
        "sakura/a.yaml": ALIASES.replace("[x, w]", "[x, z]")
        .replace("*config   # the same", "  # the same\n      members: [x, w]")
        .replace("group_config:   #", "group_config:   #")
    }
    live = content(*(group(key, group_config=new) for key in "ABC"))
    assert after(settings(ALIASES), live) == {"sakura/a.yaml": ALIASES.replace("[x, w]", "[x, z]")}
    live = content(*(group(key, group_config=old) for key in "BC"))
    (text,) = after(settings(ALIASES), live).values()
    assert "*config" not in text
    assert "# the same" in text


DEFAULTS = {
    "_defaults/all.yaml": "staff_groups: [{name: A}, {name: B}, {name: C, color: '#fff'}]\n",
    "sakura/restaurant.yaml": "# top\nid: 11111111-1111-4111-8111-111111111111\nname: Sakura\n"
    "inherits: [_defaults]\nwithout: {staff_groups: [C]}  # no C\n",
}


def test_inherited_entries() -> None:
    top = DEFAULTS["sakura/restaurant.yaml"]
    assert after(DEFAULTS, content(group("A"))) == {"sakura/restaurant.yaml": top.replace("[C]", "[C, B]")}
    assert after(DEFAULTS, content(group("A"), group("B"), group("C", color="#fff"))) == {
        "sakura/restaurant.yaml": top.replace("without: {staff_groups: [C]}  # no C\n", "")
    }
    one_own = f'{MODELINE}staff_groups:\n  - name: C\n    color: "#000"\n'
    assert after(DEFAULTS, content(group("A"), group("B"), group("C", color="#000"))) == {
        "sakura/staff_groups.yaml": one_own
    }
    renamed = after(DEFAULTS, content(group("A"), group("X")), {"staff_groups": {"X": "B"}})
    assert renamed == {
        "sakura/restaurant.yaml": top.replace("[C]", "[C, B]"),
        "sakura/staff_groups.yaml": f"{MODELINE}staff_groups:\n  - name: X\n",
    }


def test_much_content_takes_several_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_FULL", 150)
    live = Live(
        "sakura",
        loaded(settings("{}")).state.restaurants["sakura"].id,
        "S",
        None,
        content(*(group(f"Group {number:02}", description="x" * 30) for number in range(20))),
    )
    done = adopted(live, kinds())
    files = {"/".join(file.parts): file.after.decode() for file in done.files}
    assert len(files) == 11
    assert loaded(files).state.count() == 20
    assert {file for change in done.changes for file in ["/".join(change.file)]} == files.keys() - {
        "sakura/restaurant.yaml"
    }
    bad = content(*live.content["staff_groups"].values(), group("Group 15x", color="red"))
    (found,) = findings(Live("sakura", live.id, "S", None, bad), kinds())
    assert (found.kind, found.key, found.field) == ("staff_groups", "Group 15x", "color")
