"""References between settings: which names lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rowform.kinds import Kind
from rowform.state import Content, Entry, texts_at, values_at


@dataclass(frozen=True, slots=True)
class Dangling:
    """A setting names something that is nowhere defined."""

    entry: Entry
    pointer: tuple[str | int, ...]
    name: str
    what: str


def dangling(content: Content, kinds: Mapping[str, Kind]) -> Iterator[Dangling]:
    """References in ``content`` that no setting in it answers, in order of kind and key.

    A reference whose target kinds are all absent from ``content`` cannot be judged and is passed over.
    """
    defined: dict[str, set[str]] = {}
    for kind_name in content:
        for reference in kinds[kind_name].references:
            known: set[str] = set()
            judged = False
            for target in reference.targets:
                target_kind, _, path = target.partition(".")
                if target_kind in content:
                    judged = True
                    if target not in defined:
                        defined[target] = _names(content[target_kind].values(), path)
                    known |= defined[target]
            if judged:
                entries = [one for _, one in sorted(content[kind_name].items())]
                yield from _unanswered(entries, reference.path, reference.what, known)


def _names(entries: Iterable[Entry], path: str) -> set[str]:
    return {value for one in entries for value in texts_at(one.values, path)}


def _unanswered(entries: Iterable[Entry], path: str, what: str, known: set[str]) -> Iterator[Dangling]:
    for one in entries:
        if known.issuperset(texts_at(one.values, path)):
            continue
        for pointer, value in values_at(one.values, path):
            if isinstance(value, str) and value not in known:
                yield Dangling(one, pointer, value, what)
