"""Desired against actual content: the changes, and each one leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from rowform.jsontypes import is_list, is_object
from rowform.state import Entry, canonical
from rowform.text import pointer


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Stored:
    """A setting as the database has it: the entry, the id of its row and of the setting itself."""

    entry: Entry
    row_id: str
    entity_id: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of an RFC 6902 patch, with the value it replaces.

    ``path`` is the pointer's steps. ``old`` is ``None`` for ``add``, ``value`` for ``remove``.
    """

    op: Literal["add", "remove", "replace"]
    path: tuple[str | int, ...]
    value: Any
    old: Any

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"op": self.op, "path": pointer(self.path)}
        if self.op != "remove":
            found["value"] = self.value
        return {**found, "old": self.old}


@dataclass(frozen=True)
class Change:
    """Create, update or delete of one setting.

    ``before`` is what the database has (``None`` for a create), ``after`` what the
    configuration wants (``None`` for a delete).
    """

    action: Action
    kind: str
    key: str
    before: Stored | None
    after: Entry | None

    @property
    def previous_key(self) -> str | None:
        """The key before a rename, if this is one."""
        if self.before is None or self.after is None or self.before.entry.key == self.key:
            return None
        return self.before.entry.key

    @cached_property
    def patch(self) -> tuple[Operation, ...]:
        """What turns ``before`` into ``after``, leaf by leaf; for a create or delete, the whole value."""
        if self.before is None:
            return (Operation("add", (), dict(self.after.values), None),) if self.after else ()
        if self.after is None:
            return (Operation("remove", (), None, dict(self.before.entry.values)),)
        return tuple(operations(self.before.entry.values, self.after.values))


def compare(
    desired: Mapping[str, Mapping[str, Entry]], actual: Mapping[str, Mapping[str, Stored]]
) -> tuple[list[Change], int]:
    """Compare the kinds of ``desired`` with what the database has.

    Returns:
        The changes in order of kind and key (creates and updates before deletes), and how
        many settings stay as they are. Kinds that ``desired`` lacks are not looked at.
    """
    changes: list[Change] = []
    unchanged = 0
    for kind, wanted in desired.items():
        stored = actual.get(kind, {})
        renamed = _renames(wanted, stored)
        for key in sorted(wanted):
            entry = wanted[key]
            before = stored.get(key) or renamed.get(key)
            if before is None:
                changes.append(Change(Action.CREATE, kind, key, None, entry))
            elif before.entry.canonical != entry.canonical:
                changes.append(Change(Action.UPDATE, kind, key, before, entry))
            else:
                unchanged += 1
        kept = {before.entry.key for before in renamed.values()}
        changes.extend(
            Change(Action.DELETE, kind, key, stored[key], None)
            for key in sorted(stored)
            if key not in wanted and key not in kept
        )
    return changes, unchanged


def _renames(wanted: Mapping[str, Entry], stored: Mapping[str, Stored]) -> dict[str, Stored]:
    """What the database still knows under a former key, by new key."""
    found: dict[str, Stored] = {}
    for key, entry in wanted.items():
        if entry.previously and key not in stored:
            # The latest former name is written last.
            for former in reversed(entry.previously):
                if former in stored and former not in wanted:
                    found[key] = stored[former]
                    break
    return found


def operations(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Operation]:
    """An RFC 6902 patch from ``before`` to ``after``; empty if they are equal."""
    return _mapping(before, after, ())


def _value(before: Any, after: Any, path: tuple[str | int, ...]) -> Iterator[Operation]:
    if is_object(before) and is_object(after):
        yield from _mapping(before, after, path)
    elif is_list(before) and is_list(after):
        yield from _list(before, after, path)
    elif _token(before) != _token(after):
        yield Operation("replace", path, after, before)


def _mapping(
    before: Mapping[str, Any], after: Mapping[str, Any], path: tuple[str | int, ...]
) -> Iterator[Operation]:
    for key in (*before, *(key for key in after if key not in before)):
        if key not in after:
            yield Operation("remove", (*path, key), None, before[key])
        elif key not in before:
            yield Operation("add", (*path, key), after[key], None)
        else:
            yield from _value(before[key], after[key], (*path, key))


def _token(value: Any) -> str:
    """Text that is equal exactly when values are: 1, true and "1" are three things."""
    return canonical({"": value}).decode("utf-8", "surrogatepass")


def _list(before: Sequence[Any], after: Sequence[Any], path: tuple[str | int, ...]) -> Iterator[Operation]:
    """Align two lists and emit replacements, then removals from the end, then additions from the start.

    In this order every index is right at its time: replacements are numbered as in
    ``before``, removals do not move what comes before them, and additions are numbered
    as in ``after``.
    """
    old, new = [_token(item) for item in before], [_token(item) for item in after]
    if old == new:
        return
    # difflib takes 10 ms to import: only a list that differs pays for it.
    from difflib import SequenceMatcher

    removed: list[int] = []
    added: list[int] = []
    for tag, old_start, old_end, new_start, new_end in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            continue
        pairs = min(old_end - old_start, new_end - new_start)
        for offset in range(pairs):
            was, becomes = old_start + offset, new_start + offset
            yield from _value(before[was], after[becomes], (*path, was))
        removed.extend(range(old_start + pairs, old_end))
        added.extend(range(new_start + pairs, new_end))
    for index in reversed(removed):
        yield Operation("remove", (*path, index), None, before[index])
    for index in added:
        yield Operation("add", (*path, index), after[index], None)
