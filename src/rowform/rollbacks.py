"""What a switch back to an older version took away, and whether a plan would bring it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rowform.diff import Change, Stored, compare_stored
from rowform.drift import ABSENT, same
from rowform.jsontypes import is_list, is_object
from rowform.lists import Edit
from rowform.text import Plain, Sentence, Several, Word, steps, utc

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

    def told(self) -> Sentence:
        """What happened, as one sentence without a full stop."""
        parts = {"number": self.gone.number, "name": self.gone.name}
        what = (
            Sentence("version {number} {name} was rolled back", **parts)
            if self.is_rollback
            else Sentence(
                "version {number} {name} was replaced by version {back}", **parts, back=self.back_number
            )
        )
        return self._because(Sentence("{what} on {moment} UTC", what=what, moment=Word(utc(self.at))))

    def _because(self, event: Sentence) -> Sentence:
        who, reason = self.actor, self.reason
        for word in ("Rolled back by ", "Activated by "):
            # What the database notes where nobody gave a reason.
            if reason and reason.startswith(word):
                who, reason = reason.removeprefix(word), None
        if who:
            event = Sentence("{event} by {who}", event=event, who=Plain(_cut(who)))
        return Sentence("{event} ({reason})", event=event, reason=Plain(_cut(reason))) if reason else event


@dataclass(frozen=True, slots=True)
class Field:
    """A value that would come back; without a path it is the whole setting."""

    kind: str
    key: str
    path: Path

    def said(self) -> Sentence:
        """The value as people call it."""
        kind = Word(self.kind)
        if not self.path:
            return Sentence("{kind} {key}", kind=kind, key=self.key)
        return Sentence(
            "{kind} {key} {field}", kind=kind, key=self.key, field=Plain("".join(steps(self.path)))
        )


def some(fields: Sequence[Field]) -> Several:
    """The first few fields, and how many more there are."""
    return Several.of([one.said() for one in fields], _SHOWN)


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
    apart = {kind: _Apart(kind, *rows) for kind, rows in switch.apart.items()}
    for change in changes:
        pair = apart[change.kind].of(change, former) if change.kind in apart else None
        if pair is not None:
            gone, back = (_values(one) for one in pair)
            wanted = change.after.values if change.after else ABSENT
            for path in _returning(gone, back, wanted, _values(change.before), ()):
                found[Field(change.kind, change.key, path)] = None
    return list(found)


_Pair = tuple[Stored | None, Stored | None]


class _Apart:
    """The settings of one kind in which two versions differ: as each of them has it."""

    def __init__(self, kind: str, gone: Sequence[Stored], back: Sequence[Stored]) -> None:
        self._by_entity: dict[str, _Pair] = {}
        self._by_key: dict[str, _Pair] = {}
        was, came = ({one.entry.key: one for one in rows} for rows in (gone, back))
        for change in compare_stored({kind: was}, {kind: came})[0]:
            pair = (change.before, came[change.key] if change.after else None)
            for one in pair:
                if one:
                    self._by_entity[one.entity_id] = pair
            # Who has a key in the version that is gone comes first.
            self._by_key.setdefault(change.key, pair)
            if change.before:
                self._by_key[change.before.entry.key] = pair

    def of(self, change: Change, former: Mapping[str, Mapping[str, str]]) -> _Pair | None:
        entity = change.before.entity_id if change.before else former.get(change.kind, {}).get(change.key)
        return self._by_entity.get(entity or "") or self._by_key.get(change.key)


def _values(one: Stored | None) -> Any:
    return ABSENT if one is None else one.entry.values


def _returning(gone: Any, back: Any, wanted: Any, now: Any, path: Path) -> Iterator[Path]:
    """The paths of the values that are in ``gone``, not in ``back``, and from ``now`` on again."""
    if is_object(gone) and is_object(back) and is_object(wanted) and (now is ABSENT or is_object(now)):
        there: Mapping[str, Any] = now if is_object(now) else {}
        for key in dict.fromkeys((*gone, *back)):
            was, came = gone.get(key, ABSENT), back.get(key, ABSENT)
            yield from _returning(was, came, wanted.get(key, ABSENT), there.get(key, ABSENT), (*path, key))
    elif same(wanted, gone) and not same(gone, back):
        if not same(now, gone):
            yield path
    elif is_list(gone) and is_list(back) and is_list(wanted) and is_list(now):
        fault = Edit(back, gone)
        if fault.done_in(wanted) - fault.done_in(now):
            yield path


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
