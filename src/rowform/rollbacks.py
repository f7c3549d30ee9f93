"""What a switch back to an older version took away, and whether a plan would bring it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rowform.diff import Change, Stored
from rowform.jsontypes import is_list, is_object
from rowform.state import canonical
from rowform.text import quote, steps, utc

#: How many fields a sentence names.
_SHOWN = 3
#: More of a reason or a name than this is not told.
_WIDTH = 120

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """The version that a switch took away; ``kind`` is that of its source."""

    number: int
    name: str | None
    kind: str | None
    is_dirty: bool
    commit: str | None


@dataclass(frozen=True, slots=True)
class SwitchBack:
    """A rollback, or the activation of an older version: ``gone`` was active, then ``back_number``.

    ``commit`` of both are the commits that they were made from. ``apart`` are the rows that only one of the
    two has, by kind: those of ``gone``, and those of what came back.
    """

    is_rollback: bool
    at: datetime
    reason: str | None
    actor: str | None
    gone: Gone
    back_number: int
    back_commit: str | None
    apart: Mapping[str, tuple[Sequence[Stored], Sequence[Stored]]] = field(
        default_factory=dict[str, tuple[Sequence[Stored], Sequence[Stored]]]
    )

    def told(self) -> str:
        """What happened, as one sentence without a full stop."""
        done = "rolled back" if self.is_rollback else f"replaced by version {self.back_number}"
        return f"{self.version()} was {done} on {utc(self.at)} UTC{self._why()}"

    def version(self) -> str:
        """The version that is gone, as people call it."""
        return f"version {self.gone.number} {quote(self.gone.name, _WIDTH)}"

    def _why(self) -> str:
        reason = self.reason or ""
        for word in ("Rolled back by ", "Activated by "):
            if reason.startswith(word):
                return f" by {_cut(reason.removeprefix(word))}"
        by = f" by {self.actor}" if self.actor else ""
        return f"{by} ({_cut(reason)})" if reason else by


@dataclass(frozen=True, slots=True)
class Field:
    """A value that would come back; without a path it is the whole setting."""

    kind: str
    key: str
    path: Path

    def __str__(self) -> str:
        place = f" {''.join(steps(self.path))}" if self.path else ""
        return f"{self.kind} {quote(self.key)}{place}"


def some(fields: Sequence[Field]) -> str:
    """The first few fields, and how many more there are."""
    more = len(fields) - _SHOWN
    shown = ", ".join(str(one) for one in fields[:_SHOWN])
    return f"{shown} and {more:,} more" if more > 0 else shown


def brought_back(
    changes: Sequence[Change], former: Mapping[str, Mapping[str, str]], switch: SwitchBack
) -> list[Field]:
    """The values that a switch took away and a plan would bring back.

    A value is taken away if the two versions differ in it. It comes back if the plan makes it what it was in
    the version that is gone, and it is not so now; any other value is a new one. Of a list the elements
    count, and its order only if nothing else differs. A setting that one of the versions lacks is one value.

    Args:
        changes: what would be done.
        former: for keys that come back, the identity that they had, by kind and key.
        switch: what was taken away.
    """
    found: dict[Field, None] = {}
    apart = {kind: _Apart(*rows) for kind, rows in switch.apart.items()}
    for change in changes:
        pair = apart[change.kind].of(change, former) if change.kind in apart else None
        if pair is not None:
            gone, back = (_values(one) for one in pair)
            wanted = change.after.values if change.after else _ABSENT
            for path in _returning(gone, back, wanted, _values(change.before), ()):
                found[Field(change.kind, change.key, path)] = None
    return list(found)


_Pair = tuple[Stored | None, Stored | None]


class _Apart:
    """The settings of one kind in which two versions differ: as each of them has it."""

    def __init__(self, gone: Sequence[Stored], back: Sequence[Stored]) -> None:
        pairs: dict[str, _Pair] = {one.entity_id: (one, None) for one in gone}
        # The same name under another identity is the same setting to people.
        named = {one.entry.key: one.entity_id for one in gone}
        left = {one.entity_id for one in back}
        for one in back:
            twin = named.get(one.entry.key)
            same = one.entity_id if one.entity_id in pairs or twin is None or twin in left else twin
            pairs[one.entity_id] = pairs[same] = (pairs.get(same, (None, None))[0], one)
        self._by_entity = pairs
        self._by_key = {one.entry.key: pair for pair in pairs.values() for one in pair if one}

    def of(self, change: Change, former: Mapping[str, Mapping[str, str]]) -> _Pair | None:
        entity = change.before.entity_id if change.before else former.get(change.kind, {}).get(change.key)
        return self._by_entity.get(entity or "") or self._by_key.get(change.key)


class _Absent:
    """Stands for a value that is not there, which null is not."""


_ABSENT = _Absent()


def _values(one: Stored | None) -> Any:
    return _ABSENT if one is None else one.entry.values


def _returning(gone: Any, back: Any, wanted: Any, now: Any, path: Path) -> Iterator[Path]:
    """The paths of the values that are in ``gone``, not in ``back``, and from ``now`` on again."""
    if is_object(gone) and is_object(back) and is_object(wanted) and (now is _ABSENT or is_object(now)):
        there: Mapping[str, Any] = now if is_object(now) else {}
        for key in dict.fromkeys((*gone, *back)):
            was, came = gone.get(key, _ABSENT), back.get(key, _ABSENT)
            yield from _returning(was, came, wanted.get(key, _ABSENT), there.get(key, _ABSENT), (*path, key))
    elif _token(wanted) == _token(gone) != _token(back):
        if _token(now) != _token(gone):
            yield path
    elif is_list(gone) and is_list(back) and is_list(wanted) and is_list(now):
        taken, left, next_, there_now = (Counter(map(_token, one)) for one in (gone, back, wanted, now))
        differing = (token for token in {*taken, *left} if taken[token] != left[token])
        if any(next_[token] == taken[token] != there_now[token] for token in differing):
            yield path


def _token(value: Any) -> bytes | None:
    """Bytes that are equal exactly when values are: 1, true and "1" are three things."""
    return None if value is _ABSENT else canonical({"": value})


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
