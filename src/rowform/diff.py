"""Desired against actual content: the changes, and each one leaf by leaf."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal

from rowform.jsontypes import is_list, is_object
from rowform.state import Entry, token
from rowform.text import pointer

#: Pairs of equal items up to which two lists are aligned.
_MAX_MATCHES = 100_000


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Stored:
    """A setting as the database has it: the entry, the id of its row and of the setting itself.

    ``own`` stands for what is in the application's own columns, if it has any: rows with the same one
    have the same there.
    """

    entry: Entry
    row_id: str
    entity_id: str
    own: str | None = None


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
            # Removing the root is not defined; nothing in its place is.
            return (Operation("replace", (), None, dict(self.before.entry.values)),)
        return tuple(operations(self.before.entry.values, self.after.values))

    @property
    def essence(self) -> tuple[str, str, str, bytes | None, bytes | None]:
        """What it does: kind, key, values before and after. Where it is written does not count."""
        before = self.before.entry.canonical if self.before else None
        return self.action, self.kind, self.key, before, self.after.canonical if self.after else None


def compare(
    desired: Mapping[str, Mapping[str, Entry]],
    actual: Mapping[str, Mapping[str, Stored]],
    former: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[list[Change], int]:
    """Compare the kinds of ``desired`` with what the database has.

    Args:
        desired: the wanted entries by kind and key.
        actual: the stored ones.
        former: for keys that come back, the identity that they had, by kind and key. If it
            lives on under a key that nobody wants any more, that is a rename taken back.

    Returns:
        The changes in order of kind and key (creates and updates before deletes), and how
        many settings stay as they are. Kinds that ``desired`` lacks are not looked at.
    """
    changes: list[Change] = []
    unchanged = 0
    for kind, wanted in desired.items():
        stored = actual.get(kind, {})
        renamed = _renames(wanted, stored, (former or {}).get(kind, {}))
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


def _renames(
    wanted: Mapping[str, Entry], stored: Mapping[str, Stored], former: Mapping[str, str]
) -> dict[str, Stored]:
    """What the database still knows under another key, by wanted key; no stored setting is taken twice."""
    found: dict[str, Stored] = {}
    free = {one.entity_id: one for key, one in stored.items() if key not in wanted}
    new = sorted(key for key in wanted if key not in stored)
    for key in new:
        # The latest former name is written last.
        for name in reversed(wanted[key].previously):
            one = stored.get(name)
            if one is not None and one.entity_id in free:
                found[key] = free.pop(one.entity_id)
                break
    for key in new:
        if key not in found and former.get(key) in free:
            found[key] = free.pop(former[key])
    return found


def digest_of(changes: Iterable[Change], *facts: str) -> str:
    """A digest of what changes do, and of other facts about them: ``sha256:`` and 64 hexadecimal digits."""
    total = sha256()
    for parts in (facts, *(change.essence for change in changes)):
        for part in parts:
            # What is not there differs from what is empty.
            data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            total.update(b"-" if data is None else f"{len(data)}:".encode() + data)
        total.update(b"\n")
    return f"sha256:{total.hexdigest()}"


def compare_stored(
    before: Mapping[str, Mapping[str, Stored]], after: Mapping[str, Mapping[str, Stored]]
) -> tuple[list[Change], int]:
    """Compare two versions: settings are the same by identity, and then by key.

    Args:
        before: the settings of one version, by kind and key.
        after: those of the other one.

    Returns:
        The changes from ``before`` to ``after``, in the order of :func:`compare`, and how many settings
        stay as they are.
    """
    changes: list[Change] = []
    unchanged = 0
    for kind in dict.fromkeys((*after, *before)):
        old, new = before.get(kind, {}), after.get(kind, {})
        left = {one.entity_id: one for one in old.values()}
        met = {key: left.pop(one.entity_id) for key, one in new.items() if one.entity_id in left}
        # The same name under another identity is the same setting to people.
        named = {one.entry.key: one for one in left.values()}
        for key in sorted(new):
            was = met.get(key) or named.pop(key, None)
            if was is None:
                changes.append(Change(Action.CREATE, kind, key, None, new[key].entry))
            elif was.entry.canonical != new[key].entry.canonical:
                changes.append(Change(Action.UPDATE, kind, key, was, new[key].entry))
            else:
                unchanged += 1
        changes.extend(Change(Action.DELETE, kind, key, named[key], None) for key in sorted(named))
    return changes, unchanged


def operations(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Operation]:
    """An RFC 6902 patch from ``before`` to ``after``; empty if they are equal."""
    return _mapping(before, after, ())


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The leaves of a value. Lists of plain values are one leaf: they read better whole."""
    if is_object(value) and value:
        inside: Iterable[tuple[str | int, Any]] = value.items()
    elif is_list(value) and any(isinstance(item, dict | list) for item in value):
        inside = enumerate(value)
    else:
        yield path, value
        return
    for step, item in inside:
        yield from leaves(item, (*path, step))


def _value(before: Any, after: Any, path: tuple[str | int, ...]) -> Iterator[Operation]:
    if is_object(before) and is_object(after):
        yield from _mapping(before, after, path)
    elif is_list(before) and is_list(after):
        yield from _list(before, after, path)
    elif token(before) != token(after):
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


def _list(before: Sequence[Any], after: Sequence[Any], path: tuple[str | int, ...]) -> Iterator[Operation]:
    """Align two lists and emit replacements, then removals from the end, then additions from the start.

    In this order every index is right at its time: replacements are numbered as in
    ``before``, removals do not move what comes before them, and additions are numbered
    as in ``after``.
    """
    old, new = [token(item) for item in before], [token(item) for item in after]
    if old == new:
        return
    removed: list[int] = []
    added: list[int] = []
    for old_start, old_end, new_start, new_end in _differing(old, new):
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


def _differing(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """The stretches in which two lists differ: start and end in each, in order."""
    first, limit = 0, min(len(old), len(new))
    while first < limit and old[first] == new[first]:
        first += 1
    last = 0
    while last < limit - first and old[-1 - last] == new[-1 - last]:
        last += 1
    old, new = old[first : len(old) - last], new[first : len(new) - last]
    counts = Counter(old)
    if sum(counts[item] for item in new) > _MAX_MATCHES:
        # Where so much is alike, aligning it would take minutes and help nobody.
        yield first, first + len(old), first, first + len(new)
        return
    # difflib takes 10 ms to import: only a list that differs pays for it.
    from difflib import SequenceMatcher

    for tag, *ends in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            old_start, old_end, new_start, new_end = (first + end for end in ends)
            yield old_start, old_end, new_start, new_end
