"""The audit trail's rows, who is to blame for a value, and two versions by identity; without a database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowform.audit import Audited, Blame
from rowform.diff import Action, Stored, compare_stored, leaves
from rowform.kinds import kinds
from rowform.render.ink import Ink
from rowform.render.log_text import fields_text, log_text
from tests.support.builders import group
from tests.support.patch import applied

KIND = kinds()["staff_groups"]
THEN = datetime(2026, 4, 1, 12, 0, 0, tzinfo=UTC)
UNSAFE = "\x1b[31mred\r\u202eevil\x9b2J"


def row(old: Any, new: Any, seq: int = 1, **fields: Any) -> Audited:
    values: dict[str, Any] = {
        "version_id": f"v{seq}",
        "version_number": seq,
        "version_name": "Name",
        "source": {},
        "made": True,
        "changed_by": None,
        "table": KIND.name,
        "operation": "INSERT" if old is None else "DELETE" if new is None else "UPDATE",
        "reason": None,
        "back": False,
        "note": False,
        "kind": KIND,
    }
    return Audited(seq=seq, changed_at=THEN + timedelta(seq), old=old, new=new, **{**values, **fields})


def version(id_: str, number: int = 1, *, active: bool = True, locked: bool | None = False) -> dict[str, Any]:
    return {"id": id_, "version_number": number, "is_active": active, "is_locked": locked}


# --- rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "back", "event", "replaced"),
    [
        (version("a"), version("a", locked=True), False, "locked", None),
        (version("a", locked=None), version("a", locked=True), False, "locked", None),
        (version("a", locked=True), version("a"), False, "unlocked", None),
        (version("a", active=False), version("a", active=False, locked=True), False, "locked", None),
        (version("a"), version("a", active=False), False, "deactivated", None),
        (version("a", 3), version("b", 4), False, "activated", 3),
        (version("a", 4, active=False), version("b", 3, locked=True), True, "rolled back", 4),
        (None, version("a"), False, "activated", None),
        (None, version("a", active=False), False, "forced", None),
    ],
)
def test_events(old: Any, new: Any, back: bool, event: str, replaced: int | None) -> None:
    found = row(old, new, table="config_versions", kind=None, back=back)
    assert found.is_event
    assert (found.event, found.replaced) == (event, replaced)
    assert not row(old, new, table="config_versions", kind=None, note=True).is_event


def test_ids_and_stamps_are_no_content() -> None:
    image = {"id": "x", "restaurant_id": "r", "version_id": "v", "created_at": "1", "updated_at": "2"}
    one = row(None, {**image, "own": 1, "color": "#fff", "name": "A"})
    assert list(one.after.items()) == [("name", "A"), ("color", "#fff"), ("own", 1)]
    assert (one.setting_id, one.key, one.previous_key) == ("x", "A", None)


def test_a_kind_that_is_not_installed() -> None:
    text = log_text(
        "s", [row({"name": "A", "x": 1}, {"name": "B", "x": True}, kind=None, table="other")], Ink()
    )
    assert text.splitlines()[3:] == ['  #1 ~ other "A" -> "B"', "      ~ x: 1 -> true"]


@pytest.mark.parametrize(
    "image", [UNSAFE, [UNSAFE, {UNSAFE: UNSAFE}], {"name": UNSAFE, UNSAFE: UNSAFE}, 1, {}]
)
def test_nothing_unprintable_reaches_a_terminal(image: Any) -> None:
    unsafe = {"author": UNSAFE, "commit": UNSAFE, "dirty": True}
    more: dict[str, Any] = {"version_name": UNSAFE, "source": unsafe, "reason": UNSAFE}
    rows = [
        row(image, None, 1, table=UNSAFE, operation=UNSAFE, note=True, **more),
        row(image, {"name": "A"}, 2, **more),
        row(None, version("a"), 3, table="config_versions", kind=None, **more),
    ]
    blame = Blame(rows[0].before or {UNSAFE: UNSAFE})
    blame.see(rows[1])
    for text in (log_text(UNSAFE, rows, Ink()), fields_text(UNSAFE, UNSAFE, UNSAFE, blame.leaves(), Ink())):
        assert all(char.isprintable() or char == "\n" for char in text)
        assert not any("\u202a" <= char <= "\u202e" for char in text)


# --- blame ---------------------------------------------------------------------------------------

JSON = st.recursive(
    st.sampled_from([0, 1, True, "1", None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
DOCUMENTS = st.lists(st.dictionaries(st.sampled_from(["x", "y"]), JSON, min_size=1), min_size=1, max_size=6)


def value_at(document: Any, path: tuple[str | int, ...]) -> str:
    """A value as text, so that 1, true and "1" are three things; nothing if it is not there."""
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return ""
    return repr(document)


@given(DOCUMENTS)
def test_a_value_is_put_down_to_the_last_row_that_changed_it(documents: list[dict[str, Any]]) -> None:
    rows = [
        row({"id": "s", **old} if old is not None else None, {"id": "s", **new}, number)
        for number, (old, new) in enumerate(zip([None, *documents], documents, strict=False), 1)
    ]
    blame = Blame(documents[-1])
    for one in reversed(rows):
        blame.see(one)
    assert blame.is_done
    found = blame.leaves()
    assert [(leaf.path, leaf.value) for leaf in found] == list(leaves(documents[-1]))
    for leaf in found:
        values = [
            value_at(document, leaf.path) if leads_somewhere(document, leaf.path) else ""
            for document in documents
        ]
        since = len(values)
        while since > 1 and values[since - 2] == values[-1]:
            since -= 1
        assert leaf.row is not None
        assert leaf.row.seq == since


def leads_somewhere(document: Any, path: tuple[str | int, ...]) -> bool:
    """Whether each step meets what it is for: an index a list, a name an object."""
    for step in path:
        if not isinstance(document, list if isinstance(step, int) else dict):
            return False
        try:
            document = document[step]
        except (KeyError, IndexError):
            return False
    return True


def test_what_is_older_than_the_audit_trail() -> None:
    blame = Blame({"name": "A", "color": "#fff"})
    blame.see(row({"id": "s", "name": "A", "color": "#000"}, {"id": "s", "name": "A", "color": "#fff"}, 7))
    assert not blame.is_done
    assert [(leaf.path, leaf.row.seq if leaf.row else None) for leaf in blame.leaves()] == [
        (("name",), None),
        (("color",), 7),
    ]
    text = fields_text("s", "staff_groups", "A", blame.leaves(), Ink())
    assert re.sub(" +", " ", text.splitlines()[2]) == ' name "A" there before the audit trail begins'


# --- two versions --------------------------------------------------------------------------------

#: Settings by key: identity and a value.
CONTENTS = st.dictionaries(
    st.sampled_from("ABCD"), st.tuples(st.integers(0, 4), st.integers(0, 1)), max_size=4
)


def rows_of(content: dict[str, tuple[int, int]]) -> dict[str, dict[str, Stored]]:
    entries = {key: group(key, color=f"#{value}00") for key, (_, value) in content.items()}
    found = {key: Stored(entries[key], f"row {key}", str(content[key][0])) for key in content}
    return {"staff_groups": found}


def is_possible(content: dict[str, tuple[int, int]]) -> bool:
    return len({identity for identity, _ in content.values()}) == len(content)


@given(CONTENTS.filter(is_possible), CONTENTS.filter(is_possible))
def test_changes_between_two_versions(
    before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]
) -> None:
    old, new = rows_of(before), rows_of(after)
    changes, unchanged = compare_stored(old, new)
    state = {key: dict(one.entry.values) for key, one in old["staff_groups"].items()}
    gone = [change.before.entry.key for change in changes if change.before]
    assert len(gone) == len(set(gone))
    rest = {key: values for key, values in state.items() if key not in gone}
    for change in changes:
        if change.after:
            assert change.key not in rest
            there = change.before.entry.values if change.before else None
            patch = [one.to_json() for one in change.patch]
            rest[change.key] = applied(dict(there), patch) if there else dict(change.after.values)
    assert rest == {key: dict(one.entry.values) for key, one in new["staff_groups"].items()}
    assert unchanged == len(new["staff_groups"]) - sum(
        change.action is not Action.DELETE for change in changes
    )
    # Who is in both is neither made nor deleted, whatever it is called.
    both = {one.entity_id for one in old["staff_groups"].values()} & {
        one.entity_id for one in new["staff_groups"].values()
    }
    for change in changes:
        if change.action is Action.DELETE and change.before:
            assert change.before.entity_id not in both
            assert change.key not in new["staff_groups"] or new["staff_groups"][change.key].entity_id in both
        if change.action is Action.CREATE:
            assert new["staff_groups"][change.key].entity_id not in both
