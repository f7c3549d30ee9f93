"""Writing what is live into the configuration: database, Git and files together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rowform.config import ToolConfig, read_tool_config
from rowform.diff import Action, Change
from rowform.errors import (
    Blocked,
    Unwritable,
    UsageError,
)
from rowform.files import ConfigFiles, is_slug, read_config
from rowform.guards import Guard, GuardName, fired
from rowform.kinds import kinds
from rowform.load import load
from rowform.location import Severity
from rowform.plan import Actual
from rowform.pull import (
    FileChange,
    Finding,
    Live,
    Parts,
    Pulled,
    SettingChange,
    UneditableError,
    adopted,
    backwards,
    findings,
    pulled,
)
from rowform.state import Content, Restaurant, State
from rowform.sync.configuration import Settings
from rowform.sync.database import session
from rowform.sync.pulled_files import distinct, ensure_committed, shown, uneditable, verify, write
from rowform.sync.pulled_restaurants import Chosen, choose, name_of
from rowform.sync.schemas import write_schemas
from rowform.text import escape, joined, quote


@dataclass(frozen=True, slots=True)
class PulledFile:
    """A file that was, or would be, written, and how many settings changed in it."""

    shown: str
    is_new: bool
    added: int = 0
    changed: int = 0
    removed: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.shown,
            "action": "write" if self.is_new else "update",
            "added": self.added,
            "changed": self.changed,
            "removed": self.removed,
        }


@dataclass(frozen=True, slots=True)
class PulledRestaurant:
    """What a restaurant's pull changed, or would change. ``is_new``: it had no directory."""

    slug: str
    id: str
    version_number: int
    is_new: bool
    changes: Sequence[SettingChange]
    blocked: Sequence[Guard]


@dataclass(slots=True)
class Pull:
    """The outcome of a pull, or what it would be."""

    database_id: str
    target: str | None
    restaurants: list[PulledRestaurant] = field(default_factory=list[PulledRestaurant])
    files: list[PulledFile] = field(default_factory=list[PulledFile])
    schemas: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    shown: dict[Parts, str] = field(default_factory=dict[Parts, str])

    def count(self, action: Action) -> int:
        return sum(change.action is action for one in self.restaurants for change in one.changes)

    def to_json(self) -> dict[str, Any]:
        return {
            "database_id": self.database_id,
            "target": self.target,
            "summary": {
                "added": self.count(Action.CREATE),
                "changed": self.count(Action.UPDATE),
                "removed": self.count(Action.DELETE),
                "files": len(self.files),
            },
            "files": [one.to_json() for one in self.files],
            "schemas": list(self.schemas),
            "restaurants": [
                {
                    "restaurant": one.slug,
                    "restaurant_id": one.id,
                    "version_number": one.version_number,
                    "is_new": one.is_new,
                    "blocked": [guard.to_json() for guard in one.blocked],
                    "changes": [change.to_json(self.shown[change.file]) for change in one.changes],
                }
                for one in self.restaurants
            ],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class _Files:
    """The config directory as it was read."""

    found: ConfigFiles
    state: State
    tool: ToolConfig


def pull(
    settings: Settings, slugs: Sequence[str] = (), *, check: bool = False, forced: Sequence[GuardName] = ()
) -> Pull:
    """Write the active versions' settings into the config directory, or only find out what would change.

    Args:
        settings: where the configuration and the database are.
        slugs: the restaurants. By default those that have a directory; all, if none has one.
        check: write nothing, and refuse nothing.
        forced: guards to overrule.

    Raises:
        InvalidConfig: the configuration has problems.
        UsageError: there is no such restaurant, or it has no active version.
        Unwritable: what is live cannot be said in YAML.
        DirtyFiles: files to be changed have changes that are not committed.
        Blocked: so much would be deleted that it looks like an accident.
    """
    files = _read(settings)
    with session(settings, files.tool) as (opened, _, database):
        chosen = choose(opened, files.state, slugs)
        result = Pull(opened.database_id, database.target, notes=chosen.notes)
    work = _differing(files, chosen)
    changes, writes = _verified(settings, files, work)
    result.files = [_counted(settings.config_dir, one, changes.values()) for one in writes]
    result.restaurants = [_described(one, changes[one.live.slug], files.tool) for one in work]
    result.shown = {one.parts: shown(settings.config_dir, one.parts) for one in writes}
    if not check:
        _ensure_harmless(result, forced)
        result.notes += ensure_committed(settings, writes)
        write(settings.config_dir, writes)
        if writes and not files.state.restaurants:
            names, directory = write_schemas(settings)
            result.schemas = [f"{directory}/{name}" for name in names]
    return result


def _read(settings: Settings) -> _Files:
    found = read_config(settings.config_dir, may_be_empty=True)
    tool, problems = read_tool_config(found.tool)
    known = (*found.problems, *problems.sorted(Severity.ERROR))
    loaded = load(found.files, kinds(), folders=found.folders, found=known)
    return _Files(found, loaded.state, tool)


# --- what changes --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Work:
    """A restaurant whose files are to change. ``known`` is ``None`` if it has none yet."""

    live: Live
    version_number: int
    known: Restaurant | None = None
    changes: Sequence[Change] = ()
    renames: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


def _differing(files: _Files, chosen: Chosen) -> list[_Work]:
    work: list[_Work] = []
    for one in chosen.known:
        actual = chosen.there[one.id]
        changes, renames = backwards(one.content, actual.settings, actual.former)
        if changes:
            live = Live(one.slug, one.id, one.name, one.timezone, _content(actual, one.content))
            work.append(_Work(live, _number(actual), one, changes, renames))
    for actual in chosen.new:
        slug = name_of(actual)
        live = Live(
            slug, actual.restaurant_id, actual.name or slug, actual.timezone, _content(actual, kinds())
        )
        work.append(_Work(live, _number(actual)))
        if slug in files.found.folders:
            raise UsageError(
                f"the database's restaurant {escape(slug)} ({actual.restaurant_id}) has no directory here:"
                f" {files.found.folders[slug]} is another restaurant's",
                "rename that directory, or change the slug in the database",
            )
    return work


def _content(actual: Actual, managed: Iterable[str]) -> Content:
    return {kind: {key: one.entry for key, one in actual.settings.get(kind, {}).items()} for kind in managed}


def _number(actual: Actual) -> int:
    return actual.base.version_number if actual.base else 0


def _verified(
    settings: Settings, files: _Files, work: Sequence[_Work]
) -> tuple[dict[str, Pulled], list[FileChange]]:
    """What changes by restaurant, and the files, which say what is live: all of them were read again.

    Raises:
        Unwritable: no files can say it, or these cannot be edited so that they do.
    """
    if any(not _is_nameable(one) for one in work):
        _ensure_sayable(work)
    try:
        changes = {one.live.slug: _pulled(one, files) for one in work}
        live = {one.live.slug: one.live for one in work}
        writes = distinct(settings.config_dir, changes.values())
        verify(settings.config_dir, files.found.files, files.state, writes, live)
    except Unwritable:
        # Is it what is live, and not how the files are written? To ask that always takes too long.
        _ensure_sayable(work)
        raise
    return changes, writes


def _is_nameable(one: _Work) -> bool:
    return one.known is not None or is_slug(one.live.slug)


def _ensure_sayable(work: Iterable[_Work]) -> None:
    """Name what is live and cannot be said, if anything is."""
    found: list[Finding] = []
    for one in work:
        slug = one.live.slug
        if not _is_nameable(one):
            found.append(Finding(slug, None, None, "slug", f"{quote(slug)} cannot name a directory"))
        else:
            found += findings(one.live, kinds())
    if found:
        noun = "value" if len(found) == 1 else "values"
        raise Unwritable(
            f"the configuration cannot say {len(found):,} stored {noun}; nothing was written",
            "correct them in the database with SQL, then pull again",
            [one.to_json() for one in found],
        )


def _pulled(one: _Work, files: _Files) -> Pulled:
    if one.known is None:
        return adopted(one.live, kinds())
    try:
        return pulled(one.known, one.live, one.renames, files.found.files, kinds())
    except UneditableError as error:
        raise uneditable(error.shown) from error


def _described(one: _Work, done: Pulled, tool: ToolConfig) -> PulledRestaurant:
    guards: list[Guard] = []
    if one.known is not None:
        counts = {kind: len(entries) for kind, entries in one.known.content.items()}
        deleting = [change for change in one.changes if change.action is not Action.UPDATE]
        guards = list(fired(deleting, counts, lock=None, thresholds=tool.thresholds))
    is_new = one.known is None
    return PulledRestaurant(one.live.slug, one.live.id, one.version_number, is_new, done.changes, guards)


def _counted(directory: Path, file: FileChange, done: Iterable[Pulled]) -> PulledFile:
    counts = Counter(change.action for one in done for change in one.changes if change.file == file.parts)
    return PulledFile(
        shown(directory, file.parts),
        file.before is None,
        counts[Action.CREATE],
        counts[Action.UPDATE],
        counts[Action.DELETE],
    )


def _ensure_harmless(result: Pull, forced: Sequence[GuardName]) -> None:
    blocked = [
        (one.slug, guard) for one in result.restaurants for guard in one.blocked if guard.name not in forced
    ]
    if blocked:
        places = dict.fromkeys(f"{guard.name} ({slug})" for slug, guard in blocked)
        reasons = dict.fromkeys(guard.reason for _, guard in blocked)
        raise Blocked(
            f"nothing was pulled: blocked by {joined(places)}: {'; '.join(reasons)}",
            "if this is what you want: --force threshold",
        )
