"""Entries put into files that people wrote: all else stays byte for byte."""

from __future__ import annotations

import pytest

from rowform.dump import dump
from rowform.errors import RowformError
from rowform.kinds import kinds
from rowform.placing import changed_file, new_file
from rowform.state import Content
from tests.support.builders import content, group, loaded, sakura, setting

NOTE = "# from a.json"
NEW = group("New", color="#fff", group_config={"members": ["a"]})
LINES = '  - name: New\n    color: "#fff"\n    group_config:\n      members: [a]\n'


def added(text: str, *entries: object) -> str:
    return changed_file("a.yaml", text.encode(), {"staff_groups": list(entries or (NEW,))}, {}, NOTE)  # type: ignore[arg-type]


def read(text: str) -> Content:
    return loaded(sakura(text)).state.restaurants["sakura"].content


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("staff_groups:\n  - name: A\n", f"staff_groups:\n  - name: A\n  {NOTE}\n{LINES}"),
        ("staff_groups:\n  - name: A", f"staff_groups:\n  - name: A\n  {NOTE}\n{LINES}"),
        ("staff_groups: []\n", f"staff_groups:\n  {NOTE}\n{LINES}"),
        (
            "# top\nstaff_groups: [ ]  # none\n# end\n",
            f"# top\nstaff_groups:  # none\n  {NOTE}\n{LINES}# end\n",
        ),
        ("daily_limits: []\n", f"daily_limits: []\n\nstaff_groups:\n  {NOTE}\n{LINES}"),
        ("", f"staff_groups:\n  {NOTE}\n{LINES}"),
        ("# nothing yet\n", f"# nothing yet\n\nstaff_groups:\n  {NOTE}\n{LINES}"),
        (
            "staff_groups:\n  - {name: A,  color: '#0f0'}\n\n# x\ndaily_limits: []\n",
            f"staff_groups:\n  - {{name: A,  color: '#0f0'}}\n  {NOTE}\n{LINES}\n# x\ndaily_limits: []\n",
        ),
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


def test_replaced_entries_take_the_place_of_their_lines_alone() -> None:
    before = (
        "staff_groups:\n  # a\n  - name: A\n    color: '#000'\n  # b\n  - name: B\n    # c\n  - name: C\n"
    )
    after = changed_file(
        "a.yaml", before.encode(), {}, {("staff_groups", 0): group("A", ["Z"], color="#fff")}, NOTE
    )
    assert after == (
        'staff_groups:\n  # a\n  - name: A\n    previously: [Z]\n    color: "#fff"\n  # b\n'
        "  - name: B\n    # c\n  - name: C\n"
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


@pytest.mark.parametrize(
    "text",
    [
        "staff_groups: [{name: A}]\n",
        "staff_groups:\n  [{name: A}]\n",
        "staff_groups:\n  []\n",
        "staff_groups:\n  -\n    name: A\n",
        "staff_groups: &x []\n",
    ],
)
def test_a_layout_without_a_place_is_refused(text: str) -> None:
    with pytest.raises(RowformError, match="are not one below the other") as caught:
        added(text)
    assert caught.value.hint == "run `rowform fmt` first"


def test_new_files_are_canonical() -> None:
    entries = [group("A"), NEW]
    text = new_file(kinds()["staff_groups"], entries, ["# one", "# two"])
    assert text == "# one\n# two\n\n" + dump(content(*entries, managed=["staff_groups"]), kinds())
