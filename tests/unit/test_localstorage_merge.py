"""Copies of several browsers: what they agree on, and who is right where they do not."""

from __future__ import annotations

from typing import Any

import pytest

from rowform.localstorage.merge import ABSENT, Merged, Take, merge
from rowform.text import pointer
from tests.support.browsers import mapped
from tests.support.builders import loaded, sakura

A = {"staffGroups": [{"name": "Kitchen", "members": ["a"], "color": "#000"}, {"name": "Bar"}]}
B = {"staffGroups": [{"name": "Kitchen", "members": ["b"], "color": "#fff"}, {"name": "Bar"}]}
C = {"staffGroups": [{"name": "Bar"}]}
PRESENT = """\
staff_groups:
  - name: Kitchen
    previously: [Galley]
    color: "#000"
    group_config: {members: [c]}
"""


def merged(*values: Any, present: str = "", takes: tuple[str, ...] = ()) -> Merged:
    copies = [mapped(value, name=f"{name}.json") for name, value in zip("abc", values, strict=False)]
    content = loaded(sakura(present)).state.restaurants["sakura"].content if present else {}
    answers = [Take(file, where) for file, _, where in (take.partition(":") for take in takes)]
    return merge(copies, content, answers)


def kitchen(result: Merged) -> Any:
    found = [one for one in (*result.added, *(new for _, new in result.replaced)) if one.key == "Kitchen"]
    return found[0].values if found else None


def test_what_is_new_is_added_and_what_is_equal_is_not() -> None:
    result = merged(A, present="staff_groups:\n  - name: Bar\n")
    assert [one.key for one in result.added] == ["Kitchen"]
    assert [one.key for one in result.equal] == ["Bar"]
    assert result.conflicts == []


def test_copies_that_agree_need_no_answer() -> None:
    result = merged(A, A, A)
    assert [one.key for one in result.added] == ["Kitchen", "Bar"]
    assert result.conflicts == []


def test_fields_that_differ_are_shown_with_every_side() -> None:
    (conflict,) = merged(A, B, present=PRESENT).conflicts
    assert [(side.file, side.pointer) for side in conflict.sides] == [
        ("a.json", "/staffGroups/0"),
        ("b.json", "/staffGroups/0"),
        ("config/sakura/settings.yaml", "/staff_groups/0"),
    ]
    assert {pointer(path): values for path, values in conflict.fields} == {
        "/color": ("#000", "#fff", "#000"),
        "/group_config/members": (["a"], ["b"], ["c"]),
    }


def test_a_setting_that_only_some_have_is_a_disagreement() -> None:
    (conflict,) = merged(A, C).conflicts
    assert conflict.key == "Kitchen"
    assert [side.pointer for side in conflict.sides] == ["/staffGroups/0", "/staffGroups"]
    assert all(values[1] is ABSENT for _, values in conflict.fields)
    assert [one["present"] for one in conflict.to_json()["sides"]] == [True, False]
    assert conflict.to_json()["fields"][0] == {"path": "/name", "values": {"a.json": "Kitchen"}}


@pytest.mark.parametrize(
    ("takes", "color", "members"),
    [
        (("a.json:/staffGroups/0",), "#000", ["a"]),
        (("b.json:/staffGroups/0",), "#fff", ["b"]),
        (("b.json:/staffGroups",), "#fff", ["b"]),
        (("b.json:",), "#fff", ["b"]),
        (("a.json:", "b.json:/staffGroups"), "#fff", ["b"]),
        (("a.json:", "b.json:/staffGroups/0/color"), "#fff", ["a"]),
        (("b.json:/staffGroups/0/members", "a.json:/staffGroups/0/color"), "#000", ["b"]),
    ],
)
def test_answers(takes: tuple[str, ...], color: str, members: list[str]) -> None:
    result = merged(A, B, takes=takes)
    assert result.unanswered == []
    assert result.unused == []
    assert (kitchen(result)["color"], kitchen(result)["group_config"]) == (color, {"members": members})


@pytest.mark.parametrize("takes", [(), ("a.json:/staffGroups/0/color",), ("a.json:", "b.json:")])
def test_what_is_not_answered_for_certain_stays_open(takes: tuple[str, ...]) -> None:
    result = merged(A, B, takes=takes)
    assert [one.key for one in result.unanswered] == ["Kitchen"]
    assert kitchen(result) is None


def test_absence_can_be_right() -> None:
    result = merged(A, C, takes=("b.json:/staffGroups",))
    assert result.unanswered == []
    assert [one.key for one in result.added] == ["Bar"]


def test_the_present_setting_can_be_right_or_wrong() -> None:
    kept = merged(A, present=PRESENT, takes=("config/sakura/settings.yaml:/staff_groups/0",))
    assert ([one.key for one in kept.equal], kept.replaced) == (["Kitchen"], [])
    taken = merged(A, present=PRESENT, takes=("a.json:/staffGroups/0",))
    ((old, new),) = taken.replaced
    assert (old.values["group_config"], new.values["group_config"]) == (
        {"members": ["c"]},
        {"members": ["a"]},
    )
    assert new.previously == ("Galley",)


def test_one_field_of_the_present_setting_can_be_right() -> None:
    where = "config/sakura/settings.yaml:/staff_groups/0/group_config/members"
    result = merged(B, present=PRESENT, takes=("a.json:", where))
    assert (kitchen(result)["color"], kitchen(result)["group_config"]) == ("#fff", {"members": ["c"]})


def test_names_that_differ_only_in_case_are_one_setting() -> None:
    (conflict,) = merged({"staffGroups": [{"name": "KITCHEN"}]}, present=PRESENT).conflicts
    assert dict(conflict.fields)["name",] == ("KITCHEN", "Kitchen")


@pytest.mark.parametrize(
    "take", ["a.json:/staffGroups/1", "a.json:/staffGroups/0/name", "b.json:/dailyLimits"]
)
def test_answers_to_nothing_are_told(take: str) -> None:
    result = merged(A, {"staffGroups": A["staffGroups"]}, takes=(take,))
    assert [str(one) for one in result.unused] == [take]
