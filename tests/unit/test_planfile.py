"""Saved plans as files: what is refused, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rowform import __version__
from rowform.errors import UnusablePlan
from rowform.kinds import kinds
from rowform.plan import Plan
from rowform.planfile import SavedPlan, _checksum, load, same_changes, save
from rowform.render.ink import Ink
from rowform.render.saved_plan import saved_plan_text
from tests.support.builders import actual, group, nothing, plan_of, planned, restaurant, setting

NOW = datetime(2026, 11, 23, 2, 31, tzinfo=UTC)
Document = dict[str, Any]


def plan() -> Plan:
    """An update with a rename, a create and two deletes that a guard stops."""
    wanted = restaurant(group("New", ["Old"], line=3, color="#fff"), setting("daily_limits", "L", line=7))
    there = actual(*(group(key) for key in ("Old", "A", "B", "C")))
    return plan_of(wanted, there, notes=["a note"])


def read(data: bytes) -> SavedPlan:
    return load(data, "plan.json", kinds())


def refusal(data: bytes) -> str:
    with pytest.raises(UnusablePlan) as caught:
        read(data)
    assert caught.value.hint
    return caught.value.message


def changed(change: Callable[[Document], object], *, checked: bool = True) -> bytes:
    """A saved plan that somebody changed; ``checked`` makes its checksum right again."""
    document = json.loads(save(plan(), NOW))
    change(document)
    if checked:
        document.pop("checksum", None)
        document["checksum"] = _checksum(document)
    return json.dumps(document).encode()


def first(document: Document) -> Document:
    """The first change."""
    return document["restaurants"][0]["changes"][0]


def test_the_members_of_a_file() -> None:
    document = json.loads(save(plan(), NOW))
    assert document == {
        **plan().to_json(),
        "created_at": "2026-11-23T02:31:00+00:00",
        "checksum": _checksum({k: v for k, v in document.items() if k != "checksum"}),
    }


def test_what_a_file_says_of_itself() -> None:
    saved = read(save(plan(), NOW))
    assert (saved.created_at, saved.tool_version) == (NOW, __version__)
    assert saved.digests == {"sakura": plan().restaurants[0].desired_digest()}
    assert saved_plan_text(saved, kinds(), Ink()).splitlines()[:5] == [
        f"# saved plan, made 2026-11-23 02:31:00 UTC by rowform {__version__}",
        "# database: db",
        "# base: sakura, version 4",
        "",
        "Note: a note",
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no JSON, or not all of it: line 1, column 1: Expecting value"),
        (save(plan(), NOW)[:-30], "is no JSON, or not all of it: line "),
        (save(plan(), NOW) * 2, "is no JSON, or not all of it: line "),
        (b"\xff", "is no JSON: byte 1 is no UTF-8"),
        (b"\xef\xbb\xbf{}", "is no JSON, or not all of it: line 1, column 1: Unexpected UTF-8 BOM"),
        (b"5", "is no saved plan"),
        (b"{}", "is no saved plan"),
        (b'{"format": 1}', "is no saved plan"),
        (b'{"format": "rowform.apply/1\\u001b"}', 'is no saved plan: its format is "rowform.apply/1\\u001b"'),
        (b'{"a": {"b": 1, "b\\u001b": 2, "b": 1}}', 'is no saved plan: it has "b" twice in one object'),
        (b'{"a": NaN}', "is no saved plan: NaN is no JSON"),
        (b'{"a": -Infinity}', "is no saved plan: -Infinity is no JSON"),
        (b'{"a": 1e999}', "is no saved plan: the number 1e999 is too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is no saved plan: "),
        (b"[" * 100_000, "is no saved plan: it is nested too deeply"),
        (
            b'{"format": "rowform.plan/1", "checksum": "", "a": ' + b"[" * 600 + b"]" * 600 + b"}",
            "is not as it was saved",
        ),
        (
            b'{"format": "rowform.plan/2", "tool_version": "7.0"}',
            (
                'is a plan of the format "rowform.plan/2" of rowform 7.0; rowform '
                f"{__version__} reads rowform.plan/1 alone"
            ),
        ),
        (b'{"format": "rowform.plan/x"}', 'is a plan of the format "rowform.plan/x"; rowform '),
        (json.dumps(plan().to_json()).encode(), "has no checksum: only `rowform plan -o FILE` saves plans"),
    ],
)
def test_files_that_are_no_plans(data: bytes, words: str) -> None:
    assert refusal(data).startswith(f"plan.json {words}")


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(database_id="other"),
        lambda document: document.update(created_at="2026-11-23T02:31:01+00:00"),
        lambda document: document.update(new=None),
        lambda document: document.pop("target"),
        lambda document: document.update(checksum="sha256:"),
        lambda document: document.update(checksum=5),
        lambda document: first(document)["after"].update(is_active=1),
        lambda document: document["restaurants"][0]["changes"].reverse(),
    ],
)
def test_any_change_of_what_it_says(change: Callable[[Document], object]) -> None:
    message = refusal(changed(change, checked=False))
    assert message == "plan.json is not as it was saved: its checksum is another one"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda document: document.pop("target"), "target: Field required"),
        (
            lambda document: document.update(created_at="yesterday"),
            "created_at: Input should be a valid datetime",
        ),
        (lambda document: document.update(restaurants={}), "restaurants: Input should be a valid list"),
        (
            lambda document: document["restaurants"][0]["base"].update(version_number="4"),
            "restaurants.0.base.version_number: Input should be a valid integer",
        ),
        (
            lambda document: document["restaurants"][0].update(timezone="\x1b[2J"),
            "restaurants.0.timezone: Value error, it has control characters",
        ),
        (
            lambda document: first(document)["location"].update(file="\x1b[2J"),
            "restaurants.0.changes.0.location.file: Value error, it has control characters",
        ),
        (
            lambda document: document.update(restaurants=document["restaurants"] * 2),
            "it has a restaurant twice",
        ),
        (
            lambda document: document["restaurants"][0]["blocked"][0].update(guard="moon"),
            'there is no guard "moon"',
        ),
        (
            lambda document: first(document).update(kind="teas\x1b"),
            'the kind "teas\\u001b" is not installed here',
        ),
        (lambda document: first(document).update(action="delete"), 'the change of "New" is no "delete"'),
        (lambda document: first(document).update(before=None), 'the change of "New" is no "update"'),
        (lambda document: first(document).update(key="X"), 'the change of "X" is about another setting'),
        (
            lambda document: first(document)["after"].pop("color"),
            'staff_groups "New" has other fields than staff_groups has here',
        ),
        (
            lambda document: first(document)["after"].update(name=5),
            'staff_groups "New" has other fields than staff_groups has here',
        ),
    ],
)
def test_what_this_rowform_does_not_understand(change: Callable[[Document], object], words: str) -> None:
    """With a checksum that is right, as another version of rowform would write it."""
    message = refusal(changed(change))
    start = f"plan.json is a plan of rowform {__version__}, and rowform {__version__} does not understand it:"
    assert message.startswith(f"{start} {words}")


def test_members_of_a_newer_rowform_change_nothing() -> None:
    data = changed(lambda document: (document.update(more=1), first(document).update(more=1)))
    assert read(data).plan == read(save(plan(), NOW)).plan


def test_a_whole_number_with_a_point_is_as_good() -> None:
    """What other tools make of a file must not crash us, whatever the checksum says."""
    data = save(plan(), NOW).replace(b'"version_number": 4', b'"version_number": 4.0')
    assert refusal(data) == "plan.json is not as it was saved: its checksum is another one"


def test_the_same_changes() -> None:
    def one(value: Any, *previously: str, line: int = 1) -> Any:
        entry = group("New", previously, line=line, group_config={"a": value})
        return planned(restaurant(entry), actual(group("Old", color="#fff")))

    assert same_changes(one(1), one(1.0, line=5))
    assert not same_changes(one(1), one(True))
    assert not same_changes(one(1), one("1"))
    assert not same_changes(one(1), one(1, "Old"))
    assert not same_changes(one(1), planned(restaurant(), actual(group("Old", color="#fff"))))
    assert not same_changes(one(1), planned(restaurant(group("New", group_config={"a": 1})), nothing()))


def test_bases_of_all_sorts_are_shown() -> None:
    document = json.loads(save(plan(), NOW))
    (sakura,) = document["restaurants"]
    ahead = {**sakura["base"], "newest_version_number": 6}
    others = [
        {"restaurant": "ahead", "base": ahead},
        {"restaurant": "new\x1b", "base": None, "creates_restaurant": True},
        {"restaurant": "off", "base": None},
        *({"restaurant": f"r{number}"} for number in range(3)),
    ]
    data = changed(lambda d: d.update(
        restaurants=[{**sakura, **one} for one in others],
        target="production",
        source={"author": "A \x1b", "commit": "0" * 40, "ref": "main", "dirty": False},
    ))  # fmt: skip
    assert saved_plan_text(read(data), kinds(), Ink()).splitlines()[1:10] == [
        "# author: A \\x1b",
        f"# commit: {'0' * 40}",
        "# ref: main",
        "# database: db (target production)",
        "# base: ahead, version 4 of 6",
        "# base: new\\x1b, no restaurant yet",
        "# base: off, no active version",
        "# base: r0, version 4",
        "# base: r1, version 4",
    ]
