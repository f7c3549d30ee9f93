"""Settings into YAML files: new files, and entries in files that people wrote.

What such a file says already stays as it is, comments included, but for the values that are replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from rowform.document import Document, parse
from rowform.document.scalars import JsonValue
from rowform.dump import written
from rowform.errors import InvalidConfig, RowformError
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind, kinds
from rowform.kinds.base import PREVIOUSLY
from rowform.kinds.restaurant import RestaurantFile
from rowform.pull.restaurant import updated
from rowform.pull.texts import canonical_element, canonical_item, canonical_member
from rowform.splice import Guide, Pointer, splice
from rowform.state import Entry

_INDENT = "  "


def new_file(kind: Kind, entries: Sequence[Entry], header: Iterable[str]) -> str:
    """A file of one kind, in canonical layout, below a header of comments."""
    items = [_item(kind, entry) for entry in entries]
    return "".join(f"{line}\n" for line in (*header, "", *_list_lines(kind, items)))


def changed_file(
    shown: str,
    data: bytes,
    added: Mapping[str, Sequence[Entry]],
    replaced: Mapping[tuple[str, int], Entry],
    note: str,
) -> str:
    """A file with entries added and replaced.

    Args:
        shown: its path for people.
        data: what it holds.
        added: entries to add, by kind.
        replaced: entries by the kind and the index of those whose place they take.
        note: a comment that goes before added entries.

    Raises:
        RowformError: its layout leaves no place that could be found without changing other lines.
    """
    document, problems = parse(shown, data)
    if document is None or problems:
        raise InvalidConfig(problems)
    wanted: dict[str, Any] = dict(document.value) if is_object(document.value) else {}
    for (name, index), entry in replaced.items():
        items = list(wanted[name])
        items[index] = updated(kinds()[name], items[index], entry)
        wanted[name] = items
    aligned: dict[Pointer, Sequence[int | None]] = {}
    for name in {*added, *(name for name, _ in replaced)}:
        there = wanted.get(name)
        kept = there if is_list(there) else []
        new = [_item(kinds()[name], entry) for entry in added.get(name, ())]
        wanted[name] = [*kept, *new]
        aligned[name,] = [*range(len(kept)), *(None for _ in new)]
    writer = _Writer(note, [wanted[name][-len(entries)] for name, entries in added.items() if entries])
    return _spliced(document, wanted, Guide(writer.order, writer.lines, aligned, apart=True))


def managing(shown: str, data: bytes, names: Iterable[str]) -> str:
    """A ``restaurant.yaml`` by which the kinds that ``names`` has are managed as well.

    Args:
        shown: its path for people.
        data: what it holds.
        names: kinds; nothing changes if it says nothing of kinds, for then all are managed.

    Raises:
        RowformError: it cannot be edited.
    """
    document, problems = parse(shown, data)
    if document is None or problems:
        raise InvalidConfig(problems)
    there = document.value.get("manages") if is_object(document.value) else None
    missing = [name for name in names if is_list(there) and name not in there]
    if not missing or not is_object(document.value) or not is_list(there):
        return document.text
    guide = Guide(
        lambda at: () if at else tuple(RestaurantFile.model_fields),
        lambda _, name, value: (
            canonical_element(value) if name is None else canonical_member(name, value, day=False)
        ),
        {("manages",): [*range(len(there)), *(None for _ in missing)]},
    )
    return _spliced(document, {**document.value, "manages": [*there, *missing]}, guide)


def _spliced(document: Document, wanted: JsonValue, guide: Guide) -> str:
    text = splice(document.text, wanted, guide, document.value)
    if text is None:
        raise RowformError(
            f"{document.file} cannot be edited so that it has the imported settings and keeps the rest",
            "run `rowform fmt` first",
        )
    return text


def by_kind(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Entries by kind, in order of kind and key."""
    order = {name: number for number, name in enumerate(kinds())}
    ordered = sorted(entries, key=lambda one: (order[one.kind], one.key))
    return {name: list(group) for name, group in groupby(ordered, lambda one: one.kind)}


def _item(kind: Kind, entry: Entry) -> dict[str, Any]:
    former = {PREVIOUSLY: list(entry.previously)} if entry.previously else {}
    return {**written(kind, entry), **former}


def _list_lines(kind: Kind, items: Iterable[Mapping[str, Any]], note: str | None = None) -> list[str]:
    """Entries below the name of their kind, and above them a note."""
    above = [] if note is None else [note]
    below = [*above, *(line for item in items for line in canonical_item(kind, item))]
    return [f"{kind.name}:", *(f"{_INDENT}{line}" for line in below)]


class _Writer:
    """How new parts of a file of settings are written; above the ``first`` ones of a list stands a note."""

    def __init__(self, note: str, first: Sequence[Mapping[str, Any]]) -> None:
        self._note = note
        self._first = first

    def order(self, at: Pointer) -> Sequence[str]:
        """The canonical order of the members of a mapping."""
        if not at:
            return tuple(kinds())
        if len(at) == 2:
            kind = kinds()[str(at[0])]
            return tuple(dict.fromkeys((kind.key, PREVIOUSLY, *kind.column_names)))
        return ()

    def lines(self, at: Pointer, name: str | None, value: Any) -> list[str]:
        """The lines of a member of a mapping, or of an element of a list."""
        kind = kinds()[str(at[0] if at else name)]
        if not at:
            return _list_lines(kind, value, self._note)
        if name is None and len(at) == 1:
            note = [self._note] if any(value is one for one in self._first) else []
            return [*note, *canonical_item(kind, value)]
        if name is None:
            return canonical_element(value)
        day = len(at) == 2 and any(one.name == name and one.sql_type == "date" for one in kind.columns)
        return canonical_member(name, value, day=day)
