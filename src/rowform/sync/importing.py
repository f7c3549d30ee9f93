"""Settings of browsers into the configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rowform.document import MAX_BYTES
from rowform.entries import Written
from rowform.errors import RowformError, UsageError
from rowform.files import is_slug, read_config
from rowform.header import RESTAURANT_FILE
from rowform.kinds import kinds
from rowform.load import Loaded, SourceFile, load
from rowform.localstorage.mapping import Mapped, map_source
from rowform.localstorage.merge import Merged, Take, merge
from rowform.localstorage.report import Dangling, Outcome
from rowform.localstorage.sidefile import SIDE_FILE, read_side_file, remembered, side_file_text
from rowform.localstorage.source import read_source
from rowform.modeline import modeline
from rowform.placing import by_kind, changed_file, managing, new_file
from rowform.references import dangling
from rowform.state import Content, Entry
from rowform.sync.configuration import Settings
from rowform.sync.replacing import replace_files
from rowform.sync.scaffold import restaurant_file
from rowform.sync.schemas import write_schemas
from rowform.text import did_you_mean, escape, joined


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be imported: the exports by the names that people gave, and the answers."""

    sources: Mapping[str, bytes]
    slug: str
    only: Sequence[str] = ()
    leave_out: Sequence[str] = ()
    takes: Sequence[str] = ()
    dry_run: bool = False


def read_export(path: Path) -> bytes:
    """The bytes of an export; of one that is too large only what shows it.

    Raises:
        RowformError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise RowformError(f"cannot read {escape(str(path))}: {error.strerror}") from error


def import_files(settings: Settings, request: Request) -> Outcome:
    """Map exports of browsers, merge them with the configuration, and write it if nothing is in the way.

    Returns:
        What was found; :meth:`~rowform.localstorage.report.Outcome.error` tells whether it was written.

    Raises:
        UsageError: the restaurant, a kind or an answer makes no sense.
        InvalidSource: an export cannot be read.
        InvalidConfig: the configuration is not valid, or would not be.
        RowformError: a file cannot be read or written.
    """
    _check(request)
    names = _names(request.sources)
    copies = [
        map_source(read_source(names[given], data), request.leave_out, request.only)
        for given, data in request.sources.items()
    ]
    target = _Target(settings, request.slug)
    outcome = Outcome(
        request.slug, target.shown(""), target.shown(SIDE_FILE), copies, dry_run=request.dry_run
    )
    if any(copy.faults for copy in copies):
        return outcome
    takes = [_take(one, [*names.values(), *target.file_names()]) for one in request.takes]
    outcome.merged = merge(copies, target.content, takes)
    if outcome.merged.unused:
        take = outcome.merged.unused[0]
        raise UsageError(
            f'"{escape(str(take))}" answers no conflict', "the report lists what to answer, and how"
        )
    outcome.dangling = _dangling(copies, target.content, outcome.merged)
    if outcome.error() is None:
        _place(target, outcome, request)
    return outcome


def _check(request: Request) -> None:
    if not is_slug(request.slug):
        raise UsageError(
            f'"{escape(request.slug)}" is no slug', "use letters, digits, dots, hyphens and underscores"
        )
    for name in request.only:
        if name not in kinds():
            hint = did_you_mean(name, kinds()) or f"the kinds are {joined(kinds())}"
            raise UsageError(f'unknown kind "{escape(name)}"', hint)
    for pointer in request.leave_out:
        if not pointer.startswith("/"):
            raise UsageError(f'"{escape(pointer)}" is no JSON pointer to a part', "it starts with a slash")


def _names(given: Iterable[str]) -> dict[str, str]:
    """What the files are called in reports: their last names, or their whole ones if two are alike."""
    short = {one: "stdin" if one == "-" else Path(one).name for one in given}
    names = list(short.values())
    return {one: name if names.count(name) == 1 else one for one, name in short.items()}


def _take(text: str, files: Iterable[str]) -> Take:
    known = list(files)
    for file in known:
        if text.startswith(f"{file}:"):
            pointer = text.removeprefix(f"{file}:")
            if pointer == "" or pointer.startswith("/"):
                return Take(file, pointer)
    raise UsageError(
        f'"{escape(text)}" is no answer', f"write FILE:POINTER; the files are {joined(map(escape, known))}"
    )


class _Target:
    """The directory of a restaurant, which may have to be made."""

    def __init__(self, settings: Settings, slug: str) -> None:
        self.settings = settings
        self.slug = slug
        self.home = settings.config_dir / slug
        self.found = read_config(settings.config_dir, may_be_empty=True)
        self.is_new = slug not in self.found.folders
        loaded = self.load({}) if self.found.folders else None
        there = loaded.state.restaurants.get(slug) if loaded else None
        self.content: Content = there.content if there else {}

    def shown(self, name: str) -> str:
        return escape(str(self.home / name if name else self.home))

    def file_names(self) -> list[str]:
        return [file.shown for file in self.found.files]

    def data(self, name: str) -> bytes | None:
        """What a file of the restaurant holds, if it has it."""
        return next((file.data for file in self.found.files if file.parts == self._parts(name)), None)

    def place_of(self, entry: Entry) -> tuple[str, int] | None:
        """The restaurant's own file that an entry stands in, and its index there; ``None`` if inherited."""
        if not isinstance(entry.origin, Written):
            return None
        file = next(one for one in self.found.files if one.shown == entry.origin.document.file)
        folder, *rest = file.parts
        return ("/".join(rest), int(entry.origin.pointer[1])) if folder == self.slug else None

    def _parts(self, name: str) -> tuple[str, ...]:
        return (self.slug, *name.split("/"))

    def load(self, changed: Mapping[str, bytes]) -> Loaded:
        """The configuration with changed files of the restaurant."""
        files = {file.parts: file for file in self.found.files}
        for name, data in changed.items():
            files[self._parts(name)] = SourceFile(self._parts(name), self.shown(name), data)
        folders = {**self.found.folders, **({self.slug: self.shown("")} if changed else {})}
        return load(files.values(), kinds(), folders=folders, found=self.found.problems)


def _dangling(copies: Sequence[Mapped], present: Content, merged: Merged) -> list[Dangling]:
    content = {name: dict(present.get(name, {})) for name in kinds()}
    for old, new in merged.replaced:
        del content[old.kind][old.key]
        content[new.kind][new.key] = new
    for added in merged.added:
        content[added.kind][added.key] = added
    settings = {(s.kind.name, s.values[s.kind.key]): (c, s) for c in reversed(copies) for s in c.settings}
    found: list[Dangling] = []
    for one in dangling(content, kinds()):
        if (one.entry.kind, one.entry.key) in settings:
            copy, setting = settings[one.entry.kind, one.entry.key]
            found.append(Dangling(copy.source.name, setting.source_of(one.pointer), one.name, one.what))
    return found


def _place(target: _Target, outcome: Outcome, request: Request) -> None:
    """Make the files, see that they are valid and say what they should, and write them."""
    assert outcome.merged is not None
    files = _yaml_files(target, outcome)
    if target.is_new:
        # Whoever asked for some kinds alone does not want the others to be managed here.
        manages = f"manages: [{', '.join(request.only)}]\n" if request.only else ""
        files = {RESTAURANT_FILE: (restaurant_file(target.slug) + manages).encode(), **files}
    elif (header := target.data(RESTAURANT_FILE)) is not None:
        # A kind that is asked for by name is to be managed from now on; without a name it may not be meant.
        wanted = [name for name in by_kind(outcome.merged.added) if name in request.only]
        managed = managing(target.shown(RESTAURANT_FILE), header, wanted).encode()
        files.update({} if managed == header else {RESTAURANT_FILE: managed})
    if files:
        loaded = target.load(files)
        _verify(loaded.state.restaurants[target.slug].content, outcome.merged)
        shown = {target.shown(name) for name in files}
        outcome.warnings = [one for one in loaded.warnings if one.location.file in shown and not one.dangling]
    files.update(_side_file(target, outcome))
    outcome.files = [target.shown(name) for name in files]
    if request.dry_run:
        return
    try:
        replace_files({Path(os.path.realpath(target.home / name)): data for name, data in files.items()})
    except OSError as error:
        raise RowformError(f"cannot write {escape(str(error.filename))}: {error.strerror}") from error
    if target.is_new:
        schemas, where = write_schemas(target.settings)
        outcome.files += [f"{where}/{name}" for name in schemas]


def _side_file(target: _Target, outcome: Outcome) -> dict[str, bytes]:
    """The side file, if it becomes another one."""
    path = target.home / SIDE_FILE
    try:
        before = path.read_bytes() if path.is_file() else None
    except OSError as error:
        raise RowformError(f"cannot read {target.shown(SIDE_FILE)}: {error.strerror}") from error
    imports = [] if before is None else read_side_file(str(path), before)
    after = side_file_text(imports, [remembered(copy, imports) for copy in outcome.copies]).encode()
    return {} if after == before else {SIDE_FILE: after}


def _yaml_files(target: _Target, outcome: Outcome) -> dict[str, bytes]:
    """The restaurant's YAML files that become different ones, by name."""
    assert outcome.merged is not None
    note = f"# Imported from {joined(map(_origin, outcome.copies))}."
    header = [modeline("settings", depth=2).rstrip("\n"), note]
    added = list(outcome.merged.added)
    replaced: dict[str, dict[tuple[str, int], Entry]] = {}
    for old, new in outcome.merged.replaced:
        place = target.place_of(old)
        if place is None:
            # What is inherited stays where it is; the restaurant gets an entry of its own.
            added.append(new)
        else:
            replaced.setdefault(place[0], {})[old.kind, place[1]] = new
    new_entries = {f"{name}.yaml": {name: entries} for name, entries in by_kind(added).items()}
    files: dict[str, bytes] = {}
    for name in dict.fromkeys((*new_entries, *replaced)):
        data = target.data(name)
        below = new_entries.get(name, {})
        if data is None:
            text = "".join(new_file(kinds()[kind], entries, header) for kind, entries in below.items())
        else:
            text = changed_file(target.shown(name), data, below, replaced.get(name, {}), note)
        files[name] = text.encode()
    return files


def _origin(copy: Mapped) -> str:
    """A source in a comment."""
    synced = copy.source.value.get("lastSyncedAt")
    date = f", last synced {synced}" if isinstance(synced, str) and synced else ""
    return escape(f"{copy.source.name} ({copy.generation.words}{date})")


def _verify(content: Content, merged: Merged) -> None:
    for wanted in (*merged.added, *(new for _, new in merged.replaced)):
        there = content.get(wanted.kind, {}).get(wanted.key)
        if there is None or there.canonical != wanted.canonical:
            raise RowformError(
                f"internal error: {wanted.kind} {escape(wanted.key)} would not be read back as it is",
                "please report it; nothing was written",
            )


def into(settings: Settings, directory: str | None) -> Settings:
    """The settings for another config directory, if one is named."""
    return settings if directory is None else replace(settings, config_dir=Path(directory))
