"""Entries put into files that people wrote: all else stays as it is."""

from __future__ import annotations

import pytest

from rowform.dump import dump
from rowform.errors import RowformError
from rowform.kinds import kinds
from rowform.placing import changed_file, managing, new_file
from rowform.state import Content
from tests.support.builders import content, group, loaded, sakura, setting

NOTE = "# from a.json"
NEW = group("New", color="#fff", group_config={"members": ["a"]})
LINES = '  - name: New\n    color: "#fff"\n    group_config:\n      members: [a]\n'
FLOW = '{name: New, color: "#fff", group_config: {members: [a]}}'


def added(text: str, *entries: object) -> str:
    return changed_file("a.yaml", text.encode(), {"staff_groups": list(entries or (NEW,))}, {}, NOTE)  # type: ignore[arg-type]


def read(text: str) -> Content:
    return loaded(sakura(text)).state.restaurants["sakura"].content


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("staff_groups:\n  - name: A\n", f"staff_groups:\n  - name: A\n  {NOTE}\n{LINES}"),
        ("staff_groups:\n  - name: A", f"staff_groups:\n  - name: A\n  {NOTE}\n{LINES}".rstrip("\n")),
        ("staff_groups: []\n", f"staff_groups:\n  {NOTE}\n{LINES}"),
        (
            "# top\nstaff_groups: [ ]  # none\n# end\n",
            f"# top\nstaff_groups:  # none\n  {NOTE}\n{LINES}# end\n",
        ),
        ("daily_limits: []\n", f"staff_groups:\n  {NOTE}\n{LINES}\ndaily_limits: []\n"),
        ("", f"staff_groups:\n  {NOTE}\n{LINES}"),
        ("# nothing yet\n", f"# nothing yet\nstaff_groups:\n  {NOTE}\n{LINES}"),
        (
            "staff_groups:\n  - {name: A,  color: '#0f0'}\n\n# x\ndaily_limits: []\n",
            f"staff_groups:\n  - {{name: A,  color: '#0f0'}}\n  - {FLOW}\n\n# x\ndaily_limits: []\n",
        ),
        ("staff_groups: [{name: A}]\n", f"staff_groups: [{{name: A}}, {FLOW}]\n"),
        ("staff_groups:\n  [{name: A}]\n", f"staff_groups:\n  [{{name: A}}, {FLOW}]\n"),
        ("staff_groups:\n  -\n    name: A\n", f"staff_groups:\n  -\n    name: A\n  {NOTE}\n{LINES}"),
        ("{}\n", f"{{staff_groups: [{FLOW}]}}\n"),
    ],
)
def test_added_entries_stand_at_the_end_of_their_list(before: str, after: str) -> None:
    assert added(before) == after
    assert "New" in read(after)["staff_groups"]


def test_other_indentation_and_line_ends_are_kept() -> None:
    text = added("staff_groups:\r\n- name: A\r\n")
    assert text == f"staff_groups:\r\n- name: A\r\n{NOTE}\r\n" + "".join(
        f"{line[2:]}\r\n" for line in LINES.splitlines()
    )
    deep = added("staff_groups:\n      - name: A\n")
    assert f"\n      {NOTE}\n      - name: New\n        color:" in deep
    assert set(read(deep)["staff_groups"]) == {"A", "New"}


def test_replaced_entries_keep_their_comments() -> None:
    before = (
        "staff_groups:\n  # a\n  - name: A  # b\n    color: '#000'  # c\n    group_config:\n      # d\n"
        "      members:\n        - x  # e\n        - y\n  # f\n  - name: B\n    # g\n  - name: C\n"
    )
    new = group("A", color="#fff", description="d", group_config={"members": ["x", "z"]})
    after = changed_file("a.yaml", before.encode(), {}, {("staff_groups", 0): new}, NOTE)
    assert after == before.replace("#000", "#fff").replace("- y", "- z").replace(
        "    color:", "    description: d\n    color:"
    )


def test_several_edits_of_one_file() -> None:
    before = "staff_groups:\n  - name: A\n  - name: B\ndaily_limits:\n  - name: D\n"
    edits = {
        ("staff_groups", 0): group("A", color="#111"),
        ("daily_limits", 0): setting("daily_limits", "D", penalty_weight=2),
    }
    after = changed_file("a.yaml", before.encode(), {"staff_groups": [NEW]}, edits, NOTE)
    found = read(after)
    assert list(found["staff_groups"]) == ["A", "B", "New"]
    assert found["staff_groups"]["A"].values["color"] == "#111"
    assert found["daily_limits"]["D"].values["penalty_weight"] == 2


def test_what_cannot_be_edited_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        return None

    monkeypatch.setattr("rowform.placing.splice", refused)
    with pytest.raises(RowformError, match=r"a\.yaml cannot be edited") as caught:
        added("staff_groups: []\n")
    assert caught.value.hint == "run `rowform fmt` first"


def test_new_files_are_canonical() -> None:
    entries = [group("A"), NEW]
    text = new_file(kinds()["staff_groups"], entries, ["# one", "# two"])
    assert text == "# one\n# two\n\n" + dump(content(*entries, managed=["staff_groups"]), kinds())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("id: x\n", "id: x\n"),
        ("manages: [daily_limits]  # so far\n", "manages: [daily_limits, staff_groups]  # so far\n"),
        (
            "manages:\n  - daily_limits # a\nname: b\n",
            "manages:\n  - daily_limits # a\n  - staff_groups\nname: b\n",
        ),
        ("manages: [staff_groups]\r\n", "manages: [staff_groups, daily_limits]\r\n"),
        ("manages: []\n", "manages: [daily_limits, staff_groups]\n"),
    ],
)
def test_further_kinds_are_managed(before: str, after: str) -> None:
    assert managing("restaurant.yaml", before.encode(), ["daily_limits", "staff_groups"]) == after
