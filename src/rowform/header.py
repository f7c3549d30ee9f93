"""``restaurant.yaml``: which restaurant a directory is about, and what it inherits and manages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rowform.checks import Problems, kind_of_value, schema_problems
from rowform.document import Document
from rowform.entries import Directory
from rowform.jsontypes import is_object
from rowform.kinds import Kind
from rowform.kinds.restaurant import RestaurantFile
from rowform.location import Location
from rowform.text import did_you_mean, escape, joined, quote

RESTAURANT_FILE = "restaurant.yaml"
#: Directories whose name starts like this hold entries for others to inherit.
DEFAULTS_PREFIX = "_"
_HEADER: TypeAdapter[RestaurantFile] = TypeAdapter(RestaurantFile)


def read_header(document: Document, problems: Problems) -> tuple[RestaurantFile, bool]:
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


def managed_kinds(
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


def sources_of(
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


def check_without(
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
