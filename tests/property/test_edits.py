"""Edits of live clients are three-way merges: nothing of anybody else's is ever undone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from rowform.edits.faults import EditCode
from rowform.edits.merge import Known, merge
from rowform.edits.sent import sent_settings
from rowform.edits.threeway import Later
from rowform.kinds import kinds
from rowform.state import Entry, entry, normalise
from rowform.wire import Fault, setting_fields, table_name
from tests.property.strategies import KINDS, entries, mutations
from tests.support.builders import ID, VERSION_ID, exact, stored

KEY = "Setting"
ABSENT = object()


def made(kind: str, values: Mapping[str, Any]) -> Entry:
    return entry(kinds()[kind], normalise(dict(values)))


def wire(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as a client has them, after JavaScript's JSON."""
    shown: dict[str, Any] = {}
    for field in setting_fields(kinds()[kind]):
        if field.column in values:
            value = values[field.column]
            if field.shape == "date" and value is not None:
                value = f"{value}T00:00:00Z"
            shown[field.name] = field.zero if value is None else value
    return json.loads(orjson.dumps(shown))


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, Entry, Entry, dict[str, Any]]:
    """A kind; a setting as a tab was told of it, and as it is now; and what the tab's person made of it."""
    kind = draw(st.sampled_from(KINDS))
    base, others, mine = (made(kind, draw(entries(kind, KEY))) for _ in range(3))
    now = dict(base.values)
    tab = dict(base.values)
    for values, source in ((now, others), (tab, mine)):
        for name in draw(st.lists(st.sampled_from(sorted(base.values)), max_size=3)):
            if kinds()[kind].key == name:
                continue
            if isinstance(base.values[name], dict) and draw(st.booleans()):
                changed = draw(mutations(base.values[name]))
                values[name] = changed if isinstance(changed, dict) else source.values[name]
            else:
                values[name] = source.values[name]
    if "priority_level" in tab and tab["priority_level"] is None:
        # Zero stands for it on the wire, which nobody may send.
        tab["priority_level"] = base.values["priority_level"]
    return kind, base, made(kind, now), wire(kind, tab)


def fields(*values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Every field by its path, as each of several values has it."""
    if all(isinstance(one, dict) for one in values):
        for name in sorted({name for one in values for name in one}):
            yield from fields(*(one.get(name, ABSENT) for one in values), path=(*path, name))
    else:
        yield path, list(values)


def form(value: Any) -> Any:
    return value if value is ABSENT else exact(value)


def put(kind: str, base: Entry, now: Entry, tab: Mapping[str, Any], *later: Later) -> dict[str, Any] | Fault:
    there = {stored(base).entity_id: stored(base)}
    known = Known({KEY: stored(now)}, {VERSION_ID: there}, frozenset(), lambda *_: later)
    sent = {**tab, "id": stored(base).entity_id, "versionId": VERSION_ID}
    sent = json.loads(json.dumps(sent))
    one = kinds()[kind]
    try:
        merged = merge(one, sent_settings(one, {table_name(one): [sent]}, ID), known)
    except Fault as fault:
        return fault
    assert len(merged.edited) == (merged.entries[KEY].canonical != now.canonical)
    return wire(kind, merged.entries[KEY].values)


@given(histories())
def test_an_edit_is_a_three_way_merge_or_stale(history: tuple[str, Entry, Entry, dict[str, Any]]) -> None:
    kind, base, now, tab = history
    was, there = wire(kind, base.values), wire(kind, now.values)
    three = [(path, [form(one) for one in row]) for path, row in fields(was, tab, there)]
    torn = [path for path, (old, mine, others) in three if mine not in (old, others) and old != others]
    result = put(kind, base, now, tab)
    if isinstance(result, Fault):
        # Two valid forms of a setting may have a period that begins after its end between them.
        assert torn if result.code == EditCode.STALE else " is after " in result.message, result.message
        return
    assert not torn
    for path, (old, mine, others, found) in fields(was, tab, there, result):
        wanted = others if form(mine) in (form(old), form(others)) else mine
        assert form(found) == form(wanted), path


@given(histories())
def test_an_echo_changes_nothing(history: tuple[str, Entry, Entry, dict[str, Any]]) -> None:
    kind, base, now, _ = history
    assert put(kind, base, now, wire(kind, base.values)) == wire(kind, now.values)


@given(histories())
def test_nobody_else_is_undone_by_an_own_later_form(
    history: tuple[str, Entry, Entry, dict[str, Any]],
) -> None:
    kind, base, now, tab = history
    with_own = put(kind, base, now, tab, Later(is_own=True, values=now.values))
    if isinstance(with_own, Fault):
        # All that changed was the client's own doing: nothing is out of date.
        assert with_own.code == EditCode.INVALID
        return
    was, there = wire(kind, base.values), wire(kind, now.values)
    for path, (old, mine, others, found) in fields(was, tab, there, with_own):
        wanted = others if form(mine) == form(old) else mine
        assert form(found) == form(wanted), path
    others_did = put(kind, base, now, tab, Later(is_own=False, values=now.values))
    assert isinstance(others_did, Fault) or others_did == with_own
