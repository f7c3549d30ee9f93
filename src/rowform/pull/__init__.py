"""Live settings as YAML: new texts from texts, their positions, and what a database has.

Nothing here opens a file or a database. What comes out is checked against what was wanted before anybody
writes it (:func:`faults`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rowform.checks import Problems
from rowform.diff import Action, Change, Stored, compare
from rowform.document import parse
from rowform.entries import read_directory
from rowform.header import RESTAURANT_FILE
from rowform.jsontypes import is_object
from rowform.kinds import Kind
from rowform.load import SourceFile, load
from rowform.pull.findings import findings
from rowform.pull.model import FileChange, Finding, Live, Parts, Pulled, SettingChange
from rowform.pull.restaurant import RestaurantFiles, UneditableError
from rowform.pull.texts import new_files
from rowform.state import Content, Entry, Restaurant, State

__all__ = [
    "FileChange",
    "Finding",
    "Live",
    "Parts",
    "Pulled",
    "SettingChange",
    "UneditableError",
    "adopted",
    "backwards",
    "faults",
    "findings",
    "pulled",
]


def adopted(live: Live, kinds: Mapping[str, Kind]) -> Pulled:
    """A complete directory for a restaurant that has none."""
    files: list[FileChange] = []
    changes: list[SettingChange] = []
    for parts, text, entries in new_files(live, kinds):
        files.append(FileChange(parts, None, text.encode("utf-8", "surrogatepass")))
        changes += (SettingChange(Action.CREATE, kind, key, None, parts) for kind, key in entries)
    return Pulled(tuple(changes), tuple(files))


def backwards(
    content: Content,
    stored: Mapping[str, Mapping[str, Stored]],
    former: Mapping[str, Mapping[str, str]],
) -> tuple[list[Change], dict[str, dict[str, str]]]:
    """The changes that make the YAML what is live, and the former keys of what is live under another one.

    They are those of a plan the other way round: what it would create has to go.
    """
    planned, _ = compare(content, stored, former)
    turned = {Action.CREATE: Action.DELETE, Action.DELETE: Action.CREATE, Action.UPDATE: Action.UPDATE}
    renames: dict[str, dict[str, str]] = {}
    changes: list[Change] = []
    for one in planned:
        key = one.before.entry.key if one.before else one.key
        if one.previous_key is not None:
            renames.setdefault(one.kind, {})[key] = one.key
        changes.append(Change(turned[one.action], one.kind, key, one.before, one.after))
    return changes, renames


def pulled(
    restaurant: Restaurant,
    live: Live,
    renames: Mapping[str, Mapping[str, str]],
    files: Iterable[SourceFile],
    kinds: Mapping[str, Kind],
) -> Pulled:
    """The changes of a restaurant's files that make them say what is live.

    Args:
        restaurant: what the configuration says.
        live: what the database has, of the kinds that are managed.
        renames: former keys by kind and live key, see :func:`backwards`.
        files: all files of the configuration, which is valid.
        kinds: the kinds that exist.

    Raises:
        UneditableError: a file cannot be edited.
    """
    everything = list(files)
    own = [file for file in everything if file.parts[0] == restaurant.slug]
    inherited = _inherited(own, everything, kinds)
    return RestaurantFiles(live, restaurant.content, own, inherited, kinds).pulled(renames)


def _inherited(
    own: Iterable[SourceFile], everything: Iterable[SourceFile], kinds: Mapping[str, Kind]
) -> dict[str, dict[str, Entry]]:
    header = next(file for file in own if file.parts[1:] == (RESTAURANT_FILE,))
    document, _ = parse(header.shown, header.data)
    value = document.value if document is not None else None
    merged: dict[str, dict[str, Entry]] = {}
    for name in value.get("inherits", ()) if is_object(value) else ():
        parsed = (parse(file.shown, file.data)[0] for file in everything if file.parts[0] == name)
        directory = read_directory([one for one in parsed if one is not None], kinds, Problems())
        for kind, entries in directory.entries.items():
            merged.setdefault(kind, {}).update(entries)
    return merged


def faults(
    before: State, files: Iterable[SourceFile], live: Mapping[str, Live], kinds: Mapping[str, Kind]
) -> list[str]:
    """The restaurants of which ``files`` would say something else than they should.

    Args:
        before: what the configuration says now.
        files: the whole configuration as it would be.
        live: what was pulled, by slug; all others must stay as they are.
        kinds: the kinds that exist.

    Raises:
        InvalidConfig: the configuration would not be valid.
    """
    after = load(files, kinds).state.restaurants
    wanted = {slug: one.content for slug, one in before.restaurants.items()}
    wanted |= {slug: one.content for slug, one in live.items()}
    return sorted(
        slug
        for slug in wanted.keys() | after.keys()
        if slug not in wanted or slug not in after or not _same(wanted[slug], after[slug].content)
    )


def _same(one: Content, other: Content) -> bool:
    return {kind: _canonical(entries) for kind, entries in one.items() if entries} == {
        kind: _canonical(entries) for kind, entries in other.items() if entries
    }


def _canonical(entries: Mapping[str, Entry]) -> dict[str, bytes]:
    return {key: one.canonical for key, one in entries.items()}
