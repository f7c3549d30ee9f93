"""What of a large text matters for some changes: a short text that is edited in its place.

Of the lists at the second level, entries that stay are cut out, but for those beside a change and those at
both ends. What is left reads and is edited as the whole would be, and its edits are those of the whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rowform.document.outline import Outline
from rowform.jsontypes import is_list, is_object
from rowform.splice.guide import Guide, Pointer
from rowform.splice.lines import CannotEditError, Edits
from rowform.splice.nodes import Tree, read
from rowform.splice.parts import runs
from rowform.state import token

#: Entries at each end of a list that stay: what goes there, and how members are set apart, is seen from them.
_ENDS = 2


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text without some stretches of another one, and what is wanted of it."""

    text: str
    tree: Tree
    wanted: dict[str, Any]
    guide: Guide
    #: Where the stretches begin that are left: here, and in the whole text.
    starts: tuple[int, ...]
    origins: tuple[int, ...]

    def in_whole(self, edits: Edits) -> Edits | None:
        """The edits as those of the whole text; ``None`` if one is at a place where something was cut out."""
        found = Edits()
        for start, end, text in edits.ordered():
            first = bisect_right(self.starts, start) - 1
            last = max(bisect_right(self.starts, end - 1) - 1, 0) if end > start else first
            if first != last or (start == end and first and start == self.starts[first]):
                return None
            shift = self.origins[first] - self.starts[first]
            found.replace(start + shift, end + shift, text)
        return found


def excerpt(text: str, value: dict[str, Any], wanted: dict[str, Any], guide: Guide) -> Excerpt | None:
    """The part of a text that has to be known to change it; ``None`` if that may be all of it.

    Args:
        text: the whole text.
        value: what it means.
        wanted: what it is to mean.
        guide: what the caller knows of the meaning.
    """
    outline = Outline(text, value)
    cuts: list[tuple[int, int]] = []
    was, will, aligned = dict(value), dict(wanted), dict(guide.aligned)
    places: dict[str, dict[int, int]] = {}
    for name, entries in value.items():
        kept = _kept(name, entries, wanted, guide)
        spans = outline.spans(name) if kept is not None else []
        if kept is None or not spans or (None in kept and _is_flow(text, spans[0])):
            continue
        needed = _needed(entries, wanted[name], kept)
        cuts += ((spans[first][0], spans[last][1]) for first, last in runs(set(range(len(entries))) - needed))
        place = {old: new for new, old in enumerate(sorted(needed))}
        was[name] = [entries[index] for index in place]
        pairs = [
            (one, old) for one, old in zip(wanted[name], kept, strict=True) if old is None or old in place
        ]
        will[name] = [one for one, _ in pairs]
        aligned[(name,)] = [None if old is None else place[old] for _, old in pairs]
        places[name] = place
    if not cuts:
        return None
    whole = frozenset(_moved(pointer, places) for pointer in guide.whole)
    return _read(text, was, will, replace(guide, aligned=aligned, whole=whole), cuts)


def _kept(name: str, entries: object, wanted: dict[str, Any], guide: Guide) -> Sequence[int | None] | None:
    """For each wanted entry of a list the index of the old one, if they are known."""
    if not is_list(entries) or len(entries) <= 2 * _ENDS or not is_list(wanted.get(name)):
        return None
    known = guide.aligned.get((name,))
    if known is None and token(entries) == token(wanted[name]):
        return range(len(entries))
    return known


def _is_flow(text: str, span: tuple[int, int]) -> bool:
    """Whether an entry is written in brackets: what is new looks like all the others then."""
    return text[span[0] : span[1]].lstrip(" ")[1:].lstrip(" \t")[:1] in ("{", "[")


def _needed(entries: Sequence[Any], wanted: Sequence[Any], kept: Sequence[int | None]) -> set[int]:
    """The entries at the ends of a list, those that change or go, and those on both sides of a change."""
    found: set[int] = set()
    previous = -1
    for new, old in enumerate(kept):
        if old is None:
            found.update((previous, previous + 1))
            continue
        if old > previous + 1:
            found.update(range(previous, old + 1))
        if token(entries[old]) != token(wanted[new]):
            found.update((old - 1, old, old + 1))
        previous = old
    count = len(entries)
    if previous + 1 < count:
        found.update(range(previous, count))
    ends = (*range(_ENDS), *range(count - _ENDS, count))
    return {index for index in found if 0 <= index < count}.union(ends)


def _moved(pointer: Pointer, places: dict[str, dict[int, int]]) -> Pointer:
    name, *rest = pointer
    if name in places and rest and isinstance(rest[0], int):
        return (name, places[str(name)][rest[0]], *rest[1:])
    return pointer


def _read(
    text: str, was: dict[str, Any], wanted: dict[str, Any], guide: Guide, cuts: list[tuple[int, int]]
) -> Excerpt | None:
    """What is left between the cuts, if it means what it should; aliases need all of a text."""
    stretches = list(_left(len(text), sorted(cuts)))
    starts: list[int] = []
    length = 0
    for start, end in stretches:
        starts.append(length)
        length += end - start
    short = "".join(text[start:end] for start, end in stretches)
    try:
        tree = read(short)
    except (CannotEditError, ValueError):
        return None
    root = tree.root
    if tree.anchored or root is None or not is_object(root.value) or token(root.value) != token(was):
        return None
    return Excerpt(short, tree, wanted, guide, tuple(starts), tuple(start for start, _ in stretches))


def _left(length: int, cuts: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    done = 0
    for start, end in cuts:
        yield done, start
        done = end
    yield done, length
