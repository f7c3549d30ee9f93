"""Several copies of a restaurant's settings: what they agree on, and where somebody has to choose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rowform.diff import leaves
from rowform.dump import is_default
from rowform.entries import Written, fold
from rowform.jsontypes import is_object
from rowform.kinds import Kind, kinds
from rowform.localstorage import rules
from rowform.localstorage.mapping import Mapped
from rowform.localstorage.settings import Setting
from rowform.state import Content, Entry, canonical, entry
from rowform.text import pointer

#: In place of a value that a side does not have.
ABSENT: Any = type("Absent", (), {})()


@dataclass(frozen=True, slots=True)
class Take:
    """An answer: of what stands at ``pointer`` in ``file``, that is right."""

    file: str
    pointer: str

    def __str__(self) -> str:
        return f"{self.file}:{self.pointer}"

    def covers(self, pointer: str) -> bool:
        """Whether something at ``pointer`` is a part of what the answer is about."""
        return self.pointer in ("", pointer) or pointer.startswith(f"{self.pointer}/")


@dataclass(frozen=True, slots=True)
class Side:
    """What one copy says of a setting: ``entry`` is ``None`` if it has none.

    ``pointer`` leads to it, or to where it would be.
    """

    file: str
    pointer: str
    entry: Entry | None
    setting: Setting | None = None

    def place_of(self, pointer_inside: str) -> tuple[str, ...] | None:
        """The place in the setting of a value of this copy."""
        if self.setting is not None:
            for row in self.setting.rows:
                if pointer(row.path) == pointer_inside:
                    return row.place
            return None
        steps = pointer_inside.removeprefix(self.pointer).split("/")[1:]
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps[:2]) or None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Copies that disagree about a setting. ``fields`` are what differs: a path, and every side's value."""

    kind: str
    key: str
    sides: tuple[Side, ...]
    fields: tuple[tuple[tuple[str | int, ...], tuple[Any, ...]], ...]
    answer: str | None = None

    def to_json(self) -> dict[str, Any]:
        files = [side.file for side in self.sides]
        return {
            "kind": self.kind,
            "key": self.key,
            "sides": [
                {"file": s.file, "pointer": s.pointer, "present": s.entry is not None} for s in self.sides
            ],
            "fields": [
                {
                    "path": pointer(path),
                    "values": {
                        file: value for file, value in zip(files, values, strict=True) if value is not ABSENT
                    },
                }
                for path, values in self.fields
            ],
            "answer": self.answer,
        }


@dataclass(slots=True)
class Merged:
    """``added`` are settings that the restaurant lacks, ``replaced`` those whose present form loses.

    ``sources`` has, for each of both, the copy that it comes from.
    """

    added: list[Entry] = field(default_factory=list[Entry])
    replaced: list[tuple[Entry, Entry]] = field(default_factory=list[tuple[Entry, Entry]])
    equal: list[Entry] = field(default_factory=list[Entry])
    conflicts: list[Conflict] = field(default_factory=list[Conflict])
    unused: list[Take] = field(default_factory=list[Take])

    @property
    def unanswered(self) -> list[Conflict]:
        return [one for one in self.conflicts if one.answer is None]


def merge(copies: Sequence[Mapped], present: Content, takes: Sequence[Take] = ()) -> Merged:
    """Compare copies with each other, and with what the restaurant has already.

    A setting that the restaurant has and no copy is not touched. One that some copies have and others do not
    is a disagreement: nobody knows whether it was added or deleted.
    """
    result = Merged()
    used: set[Take] = set()
    there = {(kind, fold(key)): one for kind, entries in present.items() for key, one in entries.items()}
    found: dict[tuple[str, str], list[Setting | None]] = {}
    for number, copy in enumerate(copies):
        for setting in copy.settings:
            name = (setting.kind.name, fold(_entry(setting).key))
            found.setdefault(name, [None] * len(copies))[number] = setting
    for name, settings in found.items():
        own = there.get(name)
        sides = [_side(copy, name[0], setting) for copy, setting in zip(copies, settings, strict=True)]
        if own is not None:
            sides.append(_present(own))
        _settle(name[0], sides, own, takes, used, result)
    result.unused = [one for one in takes if one not in used]
    return result


def _settle(
    kind: str,
    sides: Sequence[Side],
    own: Entry | None,
    takes: Sequence[Take],
    used: set[Take],
    result: Merged,
) -> None:
    first = next(side.entry for side in sides if side.entry is not None)
    fields = tuple(_differing(sides))
    winner: Entry | None = first
    if fields:
        answers = _Answers()
        for take in takes:
            for side in sides:
                if take.file == side.file:
                    answers.add(take, side)
        used.update(answers.takes)
        done = answers.suffice(fields)
        answer = ", ".join(str(take) for take in dict.fromkeys(answers.takes)) if done else None
        result.conflicts.append(Conflict(kind, first.key, tuple(sides), fields, answer))
        winner = answers.result(kinds()[kind], first) if done else None
    if winner is None:
        return
    if own is None:
        result.added.append(winner)
    elif own.canonical == winner.canonical:
        result.equal.append(own)
    else:
        # What only the file knows of the setting stays.
        result.replaced.append((own, replace(winner, previously=own.previously)))


def _entry(setting: Setting) -> Entry:
    assert setting.entry is not None, "merged before its faults were looked at"
    return setting.entry


def _side(copy: Mapped, kind: str, setting: Setting | None) -> Side:
    if setting is not None:
        return Side(copy.source.name, pointer(setting.path), setting.entry, setting)
    names = (
        name for name, one in rules.containers().items() if one.kind == kind and name in copy.source.value
    )
    return Side(copy.source.name, pointer(list(names)[:1]), None)


def _present(own: Entry) -> Side:
    if isinstance(own.origin, Written):
        return Side(own.origin.document.file, pointer(own.origin.pointer), own)
    return Side("", "", own)


def _differing(sides: Sequence[Side]) -> Iterator[tuple[tuple[str | int, ...], tuple[Any, ...]]]:
    """The leaves on which the sides differ; of a setting that only some have, all that is not a default."""
    if len({side.entry and side.entry.canonical for side in sides}) == 1:
        return
    whole = all(side.entry is not None for side in sides)
    values = [_leaves(side.entry, whole=whole) for side in sides]
    for path in dict.fromkeys(path for one in values for path in one):
        row = tuple(one.get(path, ABSENT) for one in values)
        if len({_token(value) for value in row}) > 1:
            yield path, row


def _leaves(one: Entry | None, *, whole: bool) -> dict[tuple[str | int, ...], Any]:
    """The leaves of a setting by path; without ``whole`` only what has to be said of it."""
    if one is None:
        return {}
    kind = kinds()[one.kind]
    names = (name for name, value in one.values.items() if whole or not is_default(kind, name, value))
    return {path: leaf for name in names for path, leaf in leaves(one.values[name], (name,))}


def _token(value: Any) -> bytes:
    return b"" if value is ABSENT else canonical({"": value})


@dataclass(slots=True)
class _Answers:
    """The answers to one conflict: the copy that is right as a whole, and those that are in some fields."""

    side: Side | None = None
    depth: int = -1
    #: Whether two copies are said to be right.
    torn: bool = False
    parts: list[tuple[Side, tuple[str, ...]]] = field(default_factory=list[tuple[Side, tuple[str, ...]]])
    takes: list[Take] = field(default_factory=list[Take])

    def add(self, take: Take, side: Side) -> None:
        """Take an answer into account, if it is about this conflict. Of two, the closer one is meant."""
        if take.covers(side.pointer):
            depth = take.pointer.count("/")
            if depth == self.depth and side is not self.side:
                self.torn = True
            elif depth > self.depth:
                self.side, self.depth, self.torn = side, depth, False
        elif side.entry is not None and Take("", side.pointer).covers(take.pointer):
            place = side.place_of(take.pointer)
            if place is None:
                return
            self.parts.append((side, place))
        else:
            return
        self.takes.append(take)

    def suffice(self, fields: Iterable[tuple[tuple[str | int, ...], Any]]) -> bool:
        """Whether nothing is left to choose."""
        if self.side is not None:
            return not self.torn
        return all(any(_overlap(path, place) for _, place in self.parts) for path, _ in fields)

    def result(self, kind: Kind, first: Entry) -> Entry | None:
        """The setting that is right; ``None`` if there shall be none. ``first`` is what some copy has."""
        if self.side is not None and self.side.entry is None:
            return None
        values = dict(self.side.entry.values if self.side and self.side.entry else first.values)
        for side, place in self.parts:
            assert side.entry is not None
            _copy(values, side.entry.values, place)
        return entry(kind, values)


def _overlap(path: Sequence[str | int], place: Sequence[str]) -> bool:
    return all(one == other for one, other in zip(path, place, strict=False))


def _copy(values: dict[str, Any], source: Mapping[str, Any], place: tuple[str, ...]) -> None:
    column, *rest = place
    if not rest:
        values[column] = source[column]
        return
    inside: dict[str, Any] = dict(values[column]) if is_object(values[column]) else {}
    other = source[column]
    if is_object(other) and rest[0] in other:
        inside[rest[0]] = other[rest[0]]
    else:
        inside.pop(rest[0], None)
    values[column] = inside
