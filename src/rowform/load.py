"""From files to the desired state, or all problems of all files at once.

Nothing here opens a file: the caller brings names and bytes (see :mod:`rowform.files`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rowform.checks import Problems, kind_of_value, schema_problems
from rowform.document import Document, parse
from rowform.entries import Directory, Written, check_previously, check_unique_flag, fold, read_directory
from rowform.errors import InvalidConfig
from rowform.jsontypes import is_object
from rowform.kinds import Kind
from rowform.kinds.restaurant import RestaurantFile
from rowform.location import Location, Problem, Severity
from rowform.references import dangling
from rowform.state import Entry, Restaurant, State
from rowform.text import did_you_mean, escape, joined, quote

RESTAURANT_FILE = "restaurant.yaml"
#: Directories whose name starts like this hold entries for others to inherit.
DEFAULTS_PREFIX = "_"


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
        strict: whether a reference that leads nowhere is an error.
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


_HEADER: TypeAdapter[RestaurantFile] = TypeAdapter(RestaurantFile)


def _restaurant(
    folder: _Folder, directories: Mapping[str, Directory], kinds: Mapping[str, Kind], problems: Problems
) -> tuple[Restaurant, Document, bool] | None:
    """One restaurant with its own and its inherited entries; ``None`` if its header is unusable.

    The last member says whether all of its entries could be read.
    """
    document = folder.restaurant
    if document is None:
        return None
    header, usable = _header(document, problems)
    managed = _managed(header, document, kinds, problems)
    sources = _sources(header, document, directories, problems)
    if sources or not header.inherits:
        _check_without(header, document, sources, kinds, problems)
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


def _header(document: Document, problems: Problems) -> tuple[RestaurantFile, bool]:
    """What ``restaurant.yaml`` says, and whether that will do.

    If it will not, what is right in it still serves to find the faults elsewhere.
    """
    value = document.value
    if not is_object(value):
        what = "nothing" if document.is_empty else kind_of_value(value)
        problems.error(Location(document.file), f"expected id and name of the restaurant, got {what}")
        return _partial_header({}), False
    try:
        return _HEADER.validate_python(value), True
    except ValidationError as error:
        fields = tuple(RestaurantFile.model_fields)
        problems.extend(schema_problems(error, document, (), lambda at: () if at else fields))
        faulty = {detail["loc"][0] for detail in error.errors(include_url=False, include_input=False)}
        right = {name: value[name] for name in fields if name in value and name not in faulty}
        if "inherits" in faulty:
            right.pop("without", None)
        return _partial_header(right), False


def _partial_header(right: Mapping[str, Any]) -> RestaurantFile:
    values: dict[str, Any] = {"id": "", "name": "", **right}
    return RestaurantFile.model_construct(set(values), **values)


def _managed(
    header: RestaurantFile, document: Document, kinds: Mapping[str, Kind], problems: Problems
) -> set[str]:
    if header.manages is None:
        return set(kinds)
    for index, name in enumerate(header.manages):
        _check_kind(name, document.locate(("manages", index)), kinds, problems)
    return set(header.manages)


def _check_kind(name: str, place: Location, kinds: Mapping[str, Kind], problems: Problems) -> bool:
    if name not in kinds:
        problems.error(
            place,
            f'unknown kind "{escape(name)}"',
            did_you_mean(name, kinds) or f"the kinds are {joined(kinds)}",
        )
    return name in kinds


def _sources(
    header: RestaurantFile, document: Document, directories: Mapping[str, Directory], problems: Problems
) -> list[Directory]:
    """The inherited directories, in order."""
    shared = [name for name in directories if name.startswith(DEFAULTS_PREFIX)]
    for index, name in enumerate(header.inherits):
        if name not in shared:
            hint = did_you_mean(name, shared) or f"directories to inherit start with {DEFAULTS_PREFIX}"
            problems.error(
                document.locate(("inherits", index)), f'there is no directory "{escape(name)}"', hint
            )
    return [directories[name] for name in header.inherits if name in shared]


def _check_without(
    header: RestaurantFile,
    document: Document,
    sources: Sequence[Directory],
    kinds: Mapping[str, Kind],
    problems: Problems,
) -> None:
    """Everything that ``without`` drops must be inherited, or it is a mistake."""
    readable = all(source.readable for source in sources)
    for name, keys in header.without.items():
        if not _check_kind(name, document.locate(("without", name), key=True), kinds, problems):
            continue
        inherited = [key for source in sources for key in source.entries.get(name, {})]
        for index, key in enumerate(keys):
            faulty = not readable or any(source.written(name, key) for source in sources)
            if key not in inherited and not faulty:
                problems.error(
                    document.locate(("without", name, index)),
                    f"no {kinds[name].noun} {quote(key)} is inherited",
                    did_you_mean(key, inherited),
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
