"""From documents to entries: what one directory of YAML files says, kind by kind."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from rowform.checks import Problems, kind_of_value, schema_problems
from rowform.document import Document, Pointer
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.kinds.base import PREVIOUSLY, JsonObject
from rowform.location import Location
from rowform.state import Entry, entry
from rowform.text import closest, did_you_mean, escape, quote


@dataclass(frozen=True, slots=True)
class Written:
    """Where an entry stands: a document and the pointer to it."""

    document: Document
    pointer: Pointer

    def location(self) -> Location:
        return self.document.locate(self.pointer)

    def at(self, *steps: str | int) -> Location:
        """The location of something inside the entry."""
        return self.document.locate((*self.pointer, *steps))

    def lines(self) -> tuple[int, int]:
        return self.document.lines(self.pointer)


@dataclass(slots=True)
class Directory:
    """The entries of one directory.

    ``keys`` has every key that was written, by kind and folded key. An entry with a fault
    is in it, though not in ``entries``: one fault does not cause messages elsewhere.
    ``mentioned`` has the first document that names each kind.
    """

    entries: dict[str, dict[str, Entry]] = field(default_factory=dict[str, dict[str, Entry]])
    keys: dict[tuple[str, str], tuple[str, Written]] = field(
        default_factory=dict[tuple[str, str], tuple[str, Written]]
    )
    mentioned: dict[str, Document] = field(default_factory=dict[str, Document])
    #: Whether every entry could be read.
    complete: bool = True
    #: Whether every file could be read.
    readable: bool = True

    def written(self, kind: str, key: str) -> Written | None:
        found = self.keys.get((kind, fold(key)))
        return found[1] if found else None


def fold(key: str) -> str:
    """The form in which two keys may not be equal: NFC and case folding (Unicode 3.13, D145)."""
    return (
        key.casefold()
        if key.isascii()
        else unicodedata.normalize("NFC", unicodedata.normalize("NFC", key).casefold())
    )


def read_directory(
    documents: Iterable[Document], kinds: Mapping[str, Kind], problems: Problems, *, complete: bool = True
) -> Directory:
    """Read the entries of all ``documents`` of one directory; faults go to ``problems``."""
    directory = Directory(complete=complete, readable=complete)
    for document in documents:
        if document.is_empty:
            problems.warn(Location(document.file), "the file is empty")
        elif not is_object(document.value):
            directory.complete = False
            problems.error(
                document.locate(()),
                f"expected kinds with lists of entries, got {kind_of_value(document.value)}",
                "start with a line such as `staff_groups:`",
            )
        else:
            for name, value in document.value.items():
                _read_kind(document, name, value, kinds, problems, directory)
    return directory


def _read_kind(
    document: Document,
    name: str,
    value: Any,
    kinds: Mapping[str, Kind],
    problems: Problems,
    directory: Directory,
) -> None:
    kind = kinds.get(name)
    if kind is None:
        directory.complete = False
        hint = did_you_mean(name, kinds) or f"the kinds are {', '.join(kinds)}"
        problems.error(document.locate((name,), key=True), f'unknown kind "{escape(name)}"', hint)
        return
    directory.mentioned.setdefault(name, document)
    if not is_list(value):
        directory.complete = False
        problems.error(
            document.locate((name,)),
            f"{name}: expected a list of entries, got {kind_of_value(value)}",
            "write `[]` for none" if value is None else None,
        )
        return
    faulty = _faulty_entries(document, kind, value, problems)
    directory.complete = directory.complete and not faulty
    for index, item in enumerate(value):
        if is_object(item):
            _read_entry(kind, item, Written(document, (name, index)), index in faulty, problems, directory)


def _faulty_entries(document: Document, kind: Kind, value: list[Any], problems: Problems) -> set[int]:
    """Validate all entries of a kind against its model; the indices of the faulty ones."""
    try:
        kind.entries.validate_python(value)
    except ValidationError as error:
        problems.extend(schema_problems(error, document, (kind.name,), lambda at: known_fields(kind, at[2:])))
        details = error.errors(include_url=False, include_context=False, include_input=False)
        return {int(detail["loc"][0]) for detail in details}
    return set()


def known_fields(kind: Kind, at: Pointer) -> tuple[str, ...]:
    """The fields known inside an entry: its own, or those of an object in a JSON column."""
    if not at:
        return kind.field_names
    model = kind.json_models.get(str(at[0]))
    return tuple(model.known_keys(at[1:])) if model else ()


def _read_entry(
    kind: Kind,
    item: dict[str, Any],
    written: Written,
    faulty: bool,
    problems: Problems,
    directory: Directory,
) -> None:
    key = item.get(kind.key)
    for start, end in kind.periods:
        first, last = item.get(start), item.get(end)
        if isinstance(first, str) and isinstance(last, str) and not faulty and first > last:
            problems.error(
                written.at(start), f"{start}: {first} is after {end} {last}", "both days are inclusive"
            )
    for column, model in kind.json_models.items():
        if is_object(item.get(column)):
            _near_misses(model, item[column], written, (column,), problems)
    if not isinstance(key, str) or not key.strip():
        return
    folded = (kind.name, fold(key))
    first_seen = directory.keys.setdefault(folded, (key, written))
    if first_seen[1] is not written:
        _collision(kind, key, written, first_seen, problems)
    elif not faulty:
        values = {name: value for name, value in item.items() if name != PREVIOUSLY}
        directory.entries.setdefault(kind.name, {})[key] = entry(
            kind, values, item.get(PREVIOUSLY, ()), written
        )


def _collision(
    kind: Kind, key: str, written: Written, first: tuple[str, Written], problems: Problems
) -> None:
    place = first[1].at(kind.key)
    if key == first[0]:
        message = f"{kind.noun} {quote(key)} is defined twice, first at {place}"
    else:
        message = (
            f"{kind.noun} {quote(key)} differs from {quote(first[0])} at {place} only in case or Unicode form"
        )
    problems.error(written.at(kind.key), message)


def _near_misses(
    model: type[JsonObject], value: dict[str, Any], written: Written, at: Pointer, problems: Problems
) -> None:
    """Warn about keys that look like a known one misspelt; every other key is free."""
    known = model.known()
    for name, item in value.items():
        if name in known:
            nested = known[name]
            if nested is not None and is_object(item):
                _near_misses(nested, item, written, (*at, name), problems)
        else:
            meant = closest(name, known)
            if meant is not None and meant not in value:
                where = written.document.locate((*written.pointer, *at, name), key=True)
                problems.warn(where, f'unusual key "{escape(name)}"', f"did you mean `{meant}`?")


def check_unique_flag(kind: Kind, entries: Iterable[Entry], problems: Problems) -> None:
    """At most one entry of a restaurant may carry the kind's unique flag."""
    flag = kind.unique_flag
    if flag is None:
        return
    marked = [one for one in entries if one.values.get(flag) is True]
    for one in marked[1:]:
        if isinstance(one.origin, Written) and isinstance(marked[0].origin, Written):
            first = marked[0].origin.at(flag)
            problems.error(
                one.origin.at(flag),
                f"{kind.noun} {quote(one.key)} is a second one with {flag}: true, first at {first}",
            )


def check_previously(entries: Mapping[str, Entry], noun: str, problems: Problems) -> None:
    """No former name may be claimed by two entries, nor by the entry itself."""
    claimed: dict[str, Entry] = {}
    for one in entries.values():
        for index, former in enumerate(one.previously):
            if not isinstance(one.origin, Written):
                continue
            place = one.origin.at(PREVIOUSLY, index)
            if former == one.key:
                problems.error(place, f"{quote(former)} is the entry's present name, not a former one")
            elif claimed.setdefault(former, one) is not one:
                other = claimed[former]
                problems.error(
                    place, f"{quote(former)} is claimed as a former name by {noun} {quote(other.key)} too"
                )
