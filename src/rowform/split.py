"""A plan against the database in two parts: what a branch changed, and what was pending without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rowform.diff import Action, Change, Stored, compare
from rowform.kinds import Kind
from rowform.state import Content
from rowform.text import Sentence, Several, Word, pointer

#: Kind and key of a setting.
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Point:
    """A commit that a branch is held against.

    ``rev`` is what was asked for, ``remark`` a sentence on why ``commit`` is not just that.
    """

    rev: str
    commit: str
    short: str
    remark: Sentence | None = None

    def to_json(self) -> dict[str, Any]:
        return {"rev": self.rev, "commit": self.commit}


@dataclass(frozen=True, slots=True)
class Split:
    """What of a restaurant's changes would be applied without the branch as well.

    ``riding_along`` names the changes that are none of the branch's. ``pending`` names, for changes of the
    branch, the fields that would change without it too, as JSON pointers; the empty one is the whole setting.
    """

    riding_along: frozenset[Name]
    pending: Mapping[Name, tuple[str, ...]]

    def rides_along(self, change: Change) -> bool:
        return (change.kind, change.key) in self.riding_along

    def change_json(self, change: Change) -> dict[str, Any]:
        """What the JSON plan says of a change besides."""
        return {
            "riding_along": self.rides_along(change),
            "pending": list(self.pending.get((change.kind, change.key), ())),
        }

    def parts(self, changes: Iterable[Change]) -> tuple[list[Change], list[Change]]:
        """The branch's changes, and those that ride along."""
        mine: list[Change] = []
        others: list[Change] = []
        for change in changes:
            (others if self.rides_along(change) else mine).append(change)
        return mine, others

    def notes(self, changes: Iterable[Change], kinds: Mapping[str, Kind]) -> Iterator[Sentence]:
        """A sentence for each of the branch's changes in which something was pending without it."""
        for change in changes:
            paths = self.pending.get((change.kind, change.key))
            if paths is None:
                continue
            kind = Word(kinds[change.kind].noun)
            if "" in paths:
                yield Sentence(
                    "{kind} {key}: it was pending before this branch changed it", kind=kind, key=change.key
                )
            else:
                yield Sentence(
                    "{kind} {key}: pending before this branch changed it: {fields}",
                    kind=kind,
                    key=change.key,
                    fields=Several(paths),
                )


def split(
    changes: Sequence[Change],
    before: Content | None,
    after: Content,
    actual: Mapping[str, Mapping[str, Stored]],
    former: Mapping[str, Mapping[str, str]],
) -> Split:
    """Split the changes of a plan.

    A change is the branch's if what the configuration wants of its setting differs between ``before`` and
    ``after``, under its key now or its former one.

    Args:
        changes: the plan's, from ``actual`` to ``after``.
        before: what the configuration wanted where the branch began; ``None`` if that is not known, or the
            restaurant was not there: then everything is the branch's.
        after: what it wants now.
        actual: what the database has.
        former: whose keys came back; see :func:`rowform.diff.compare`.
    """
    if before is None:
        return Split(frozenset(), {})
    touched = _touched(before, after)
    # What an apply would do if the branch were not there.
    otherwise, _ = compare({kind: before[kind] for kind in after if kind in before}, actual, former)
    pending: dict[Name, Change] = {name: change for change in otherwise for name in _names(change)}
    riding: set[Name] = set()
    shared: dict[Name, tuple[str, ...]] = {}
    for change in changes:
        name = (change.kind, change.key)
        if change.kind in before and touched.isdisjoint(_names(change)):
            riding.add(name)
        elif found := next((pending[one] for one in _names(change) if one in pending), None):
            own = {"", *_paths(change)}
            shared[name] = tuple(path for path in dict.fromkeys(_paths(found)) if path in own)
    shared = {name: paths for name, paths in shared.items() if paths}
    return Split(frozenset(riding), shared)


def _touched(before: Content, after: Content) -> set[Name]:
    """The settings that differ between two contents, by all keys that they have in them."""
    there = {
        kind: {key: Stored(entry, "", f"{kind}\0{key}") for key, entry in entries.items()}
        for kind, entries in before.items()
    }
    return {name for change in compare(after, there)[0] for name in _names(change)}


def _names(change: Change) -> tuple[Name, ...]:
    if change.previous_key is None:
        return ((change.kind, change.key),)
    return (change.kind, change.key), (change.kind, change.previous_key)


def _paths(change: Change) -> Iterable[str]:
    return (pointer(one.path) for one in change.patch) if change.action is Action.UPDATE else ("",)
