"""From files to the desired state, or all problems of all files at once.

Nothing here opens a file: the caller brings names and bytes (see :mod:`rowform.files`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rowform.checks import Problems
from rowform.document import Document, parse
from rowform.effective import overlaps
from rowform.entries import Directory, Written, check_previously, check_unique_flag, fold, read_directory
from rowform.errors import InvalidConfig
from rowform.header import (
    DEFAULTS_PREFIX,
    RESTAURANT_FILE,
    check_without,
    managed_kinds,
    read_header,
    sources_of,
)
from rowform.kinds import Kind
from rowform.location import Location, Problem, Severity
from rowform.references import dangling
from rowform.state import Entry, Restaurant, State
from rowform.text import escape, quote


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the configuration.

    ``parts`` is its path inside the config directory, ``shown`` the path for people.
    """

    parts: tuple[str, ...]
    shown: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid configuration, and what is odd about it."""

    state: State
    warnings: tuple[Problem, ...]


@dataclass(slots=True)
class _Folder:
    """The parsed files of one directory."""

    name: str
    shown: str
    documents: list[Document] = field(default_factory=list[Document])
    restaurant: Document | None = None
    has_restaurant: bool = False
    complete: bool = True


def load(
    files: Iterable[SourceFile],
    kinds: Mapping[str, Kind],
    *,
    strict: bool = False,
    folders: Mapping[str, str] | None = None,
    found: Sequence[Problem] = (),
) -> Loaded:
    """Load a configuration.

    Args:
        files: every YAML file of the config directory, in any order.
        folders: the directories, by name, as people see them; also those without any file.
        kinds: the kinds that exist.
        strict: whether a reference that leads nowhere is an error, and periods that overlap are one.
        found: problems that reading the files has met already.

    Raises:
        InvalidConfig: with every error in every file, sorted by place.
    """
    problems = Problems()
    problems.extend(found)
    parsed = _folders(files, folders or {}, problems)
    for folder in parsed.values():
        # What could not even be read may hold anything.
        if any(problem.location.file.startswith(f"{folder.shown}/") for problem in found):
            folder.complete = False
    directories = {
        name: read_directory(folder.documents, kinds, problems, complete=folder.complete)
        for name, folder in parsed.items()
    }
    for name, directory in directories.items():
        for kind in kinds.values():
            entries = directory.entries.get(kind.name, {})
            check_previously(entries, kind.noun, problems)
            if name.startswith(DEFAULTS_PREFIX):
                check_unique_flag(kind, entries.values(), problems)
    restaurants = [
        made
        for name, folder in parsed.items()
        if not name.startswith(DEFAULTS_PREFIX)
        and (made := _restaurant(folder, directories, kinds, problems)) is not None
    ]
    _check_ids(restaurants, problems)
    for one, _, complete in restaurants:
        if complete:
            _check_references(one, kinds, strict, problems)
            _check_overlaps(one, kinds, strict, problems)
    errors = problems.sorted(Severity.ERROR)
    if errors:
        raise InvalidConfig(tuple(sorted((*errors, *problems.sorted(Severity.WARNING)), key=_place)))
    state = State({one.slug: one for one, _, _ in restaurants})
    return Loaded(state, problems.sorted(Severity.WARNING))


def _place(problem: Problem) -> Location:
    return problem.location


def _folders(files: Iterable[SourceFile], known: Mapping[str, str], problems: Problems) -> dict[str, _Folder]:
    """Parse all files and sort them by directory."""
    folders = {name: _Folder(name, shown) for name, shown in known.items()}
    for file in sorted(files, key=lambda file: file.parts):
        document, faults = parse(file.shown, file.data)
        problems.extend(faults)
        name = file.parts[0]
        shown = file.shown[: len(file.shown) - len("/".join(file.parts[1:])) - 1]
        folder = folders.setdefault(name, _Folder(name, shown))
        if file.parts[1:] == (RESTAURANT_FILE,):
            folder.has_restaurant = True
            folder.restaurant = document
        elif document is not None:
            folder.documents.append(document)
        else:
            folder.complete = False
    for folder in folders.values():
        defaults = folder.name.startswith(DEFAULTS_PREFIX)
        if defaults and folder.has_restaurant:
            problems.error(
                Location(f"{folder.shown}/{RESTAURANT_FILE}"),
                f"{folder.name} holds entries to inherit and is no restaurant",
            )
        if not defaults and not folder.has_restaurant:
            problems.error(
                Location(f"{folder.shown}/{RESTAURANT_FILE}"),
                f'missing {RESTAURANT_FILE} for the restaurant "{escape(folder.name)}"',
                "`rowform init --restaurant SLUG` writes one",
            )
    return folders


def _restaurant(
    folder: _Folder, directories: Mapping[str, Directory], kinds: Mapping[str, Kind], problems: Problems
) -> tuple[Restaurant, Document, bool] | None:
    """One restaurant with its own and its inherited entries; ``None`` if its header is unusable.

    The last member says whether all of its entries could be read.
    """
    document = folder.restaurant
    if document is None:
        return None
    header, usable = read_header(document, problems)
    managed = managed_kinds(header, document, kinds, problems)
    sources = sources_of(header, document, directories, problems)
    if sources or not header.inherits:
        check_without(header, document, sources, kinds, problems)
    own = directories[folder.name]
    content: dict[str, dict[str, Entry]] = {}
    for name, kind in kinds.items():
        if name in managed:
            content[name] = _merged(kind, own, sources, header.without.get(name, []), problems)
        elif name in own.mentioned:
            problems.error(
                own.mentioned[name].locate((name,), key=True),
                f"{name} is not managed here",
                f"add it to `manages` in {folder.shown}/{RESTAURANT_FILE}",
            )
    if not usable:
        return None
    return (
        Restaurant(folder.name, header.id.lower(), header.name, header.timezone, content, document.file),
        document,
        own.complete and all(source.complete for source in sources),
    )


def _merged(
    kind: Kind, own: Directory, sources: Sequence[Directory], without: Sequence[str], problems: Problems
) -> dict[str, Entry]:
    """A kind's entries: inherited ones, a later directory over an earlier, the restaurant's own over all."""
    merged: dict[str, Entry] = {}
    for source in sources:
        merged.update(source.entries.get(kind.name, {}))
    for key in without:
        merged.pop(key, None)
    mine = own.entries.get(kind.name, {})
    # An own entry with a fault still stands for the inherited one of its key.
    folded = {fold(key): key for key in merged}
    for (kind_name, form), (key, written) in own.keys.items():
        other = folded.get(form) if kind_name == kind.name else None
        if other is not None and other != key:
            origin = merged[other].origin
            place = origin.at(kind.key) if isinstance(origin, Written) else ""
            problems.error(
                written.at(kind.key),
                f"{kind.noun} {quote(key)} differs from the inherited {quote(other)} at {place}"
                " only in case or Unicode form",
            )
    merged.update(mine)
    check_previously(merged, kind.noun, problems)
    check_unique_flag(kind, sorted(merged.values(), key=lambda one: one.key in mine), problems)
    return merged


def _check_ids(restaurants: Sequence[tuple[Restaurant, Document, bool]], problems: Problems) -> None:
    seen: dict[str, Document] = {}
    for one, document, _ in restaurants:
        first = seen.setdefault(one.id, document)
        if first is not document:
            problems.error(
                document.locate(("id",)),
                f"the id {one.id} is taken by another restaurant, at {first.locate(('id',))}",
            )


def _check_references(
    restaurant: Restaurant, kinds: Mapping[str, Kind], strict: bool, problems: Problems
) -> None:
    for found in dangling(restaurant.content, kinds):
        if isinstance(found.entry.origin, Written):
            place = found.entry.origin.at(*found.pointer)
            message = f"{quote(found.name)} is no {found.what} of {restaurant.slug}"
            if strict:
                problems.error(place, message)
            else:
                problems.warn(place, message, dangling=True)


def _check_overlaps(
    restaurant: Restaurant, kinds: Mapping[str, Kind], strict: bool, problems: Problems
) -> None:
    for found in overlaps(restaurant.content, kinds):
        mine, other = found.entry.origin, found.other.origin
        if isinstance(mine, Written) and isinstance(other, Written):
            noun = kinds[found.entry.kind].noun
            message = (
                f"{noun} {quote(found.entry.key)} ({found.days(found.entry)}) overlaps"
                f" {quote(found.other.key)} ({found.days(found.other)}) at {other.at(found.period[0])}:"
                " both limit the same"
            )
            (problems.error if strict else problems.warn)(mine.at(found.period[0]), message)
