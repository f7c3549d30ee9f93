"""Plans and checks that know where a branch began: between two revisions, or for what it touches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rowform.between import as_database, removal_notes, restaurant_notes
from rowform.branch import branched_from, changed_files
from rowform.document import parse
from rowform.errors import InvalidConfig, UsageError
from rowform.files import TOOL_FILE, ConfigFiles, Parts
from rowform.git import Repository
from rowform.header import RESTAURANT_FILE
from rowform.jsontypes import is_list, is_object
from rowform.kinds import kinds
from rowform.load import SourceFile, load
from rowform.location import Problem, Severity
from rowform.plan import Actual, Plan, RestaurantPlan
from rowform.planner import make_plan
from rowform.split import Point, Split, split
from rowform.state import Restaurant, State
from rowform.sync.configuration import (
    Limit,
    Settings,
    chosen,
    folder_of,
    is_restaurant,
)
from rowform.sync.guarding import consented
from rowform.sync.planning import commit_of, configuration_to_plan, source_of
from rowform.text import Plain, Sentence, escape, quote
from rowform.tree import read_commit


@dataclass(frozen=True, slots=True)
class Began:
    """Where a branch began: a commit of the repository around the config directory."""

    repository: Repository
    point: Point

    def words(self) -> str:
        return f"{escape(self.point.rev)} ({self.point.short})"


@dataclass(frozen=True, slots=True)
class Past:
    """The configuration of a commit, without the directories that were not valid in it."""

    state: State
    faulty: frozenset[str]
    by_id: Mapping[str, Restaurant]

    def restaurant(self, now: Restaurant) -> Restaurant | None:
        """The restaurant as it was then, under whatever directory."""
        return self.by_id.get(now.id)


def began(settings: Settings, rev: str) -> Began:
    """Find where the branch that is checked out left a revision.

    Raises:
        UsageError: there is no Git repository, or no such commit.
        GitError: the commit is missing in this clone, or Git failed.
    """
    repository = Repository.around(settings.config_dir) if settings.config_dir.is_dir() else None
    if repository is None:
        raise UsageError(
            f"{quote(rev)} needs a Git repository with a commit, and there is none around"
            f" {escape(str(settings.config_dir))}"
        )
    return Began(repository, branched_from(repository, rev))


# --- the configuration of a commit ---------------------------------------------------------------


def past(settings: Settings, start: Began) -> Past:
    """Read the configuration as it was where a branch began; what is not valid in it is only reported.

    A restaurant counts as invalid with what it inherits.

    Raises:
        GitError: its files are missing in this clone.
    """
    found = read_commit(start.repository, settings.config_dir, start.point.commit, start.point.short)
    faulty: set[str] = set()
    while True:
        left = {name: shown for name, shown in found.folders.items() if name not in faulty}
        try:
            loaded = load(
                [file for file in found.files if file.parts[0] in left],
                kinds(),
                folders=left,
                found=[one for one in found.problems if folder_of(one, left)],
            )
        except InvalidConfig as error:
            errors = [one for one in error.problems if one.severity is Severity.ERROR]
            if not faulty:
                _report(settings, start, errors)
            faulty.update(name for one in errors if (name := folder_of(one, left)))
        else:
            by_id = {one.id: one for one in loaded.state.restaurants.values()}
            return Past(loaded.state, frozenset(faulty), by_id)


def _report(settings: Settings, start: Began, errors: Sequence[Problem]) -> None:
    settings.report(f"Warning: the configuration at {start.words()} is not valid:")
    for error in errors:
        settings.report(str(error))


# --- between two revisions -----------------------------------------------------------------------


def plan_against(
    settings: Settings, slugs: Sequence[str], rev: str, *, changed_since: Began | None = None
) -> Plan:
    """Plan from where the branch left a revision to what the files say now, without any database.

    Args:
        settings: where the configuration is.
        slugs: the restaurants; all of them by default.
        rev: the revision.
        changed_since: leaves aside the restaurants that are as they were there.

    Raises:
        InvalidConfig: with all problems of the files as they are now.
        UsageError: there is no such revision or restaurant.
        GitError: the revision is missing in this clone, or Git failed.
    """
    start = began(settings, rev)
    limit = limit_of(settings, changed_since) if changed_since else None
    configuration = configuration_to_plan(settings, limit)
    restaurants = chosen(configuration, slugs)
    then = past(settings, start)
    repository, commit = commit_of(settings)
    plan = make_plan(
        restaurants,
        lambda one: _actual(one, then),
        kinds(),
        configuration.tool.thresholds,
        database_id=None,
        target=None,
        source=source_of(commit, settings.environment),
        now=settings.clock(),
    )
    notes = [start.point.remark] if start.point.remark else []
    if not slugs and changed_since is None:
        notes += removal_notes(then.state, configuration.state, start.point)
    made = replace(
        plan,
        restaurants=tuple(_with_notes(one, then, start.point) for one in plan.restaurants),
        notes=tuple(notes),
        against=start.point,
    )
    if repository and commit:
        made = consented(made, repository, commit, start.point.commit)
    return limited(made, changed_since)


def _actual(now: Restaurant, then: Past) -> Actual:
    if now.slug in then.faulty:
        return Actual(now.id, now.slug, now.name, now.timezone, exists=True)
    return as_database(now, then.restaurant(now))


def _with_notes(plan: RestaurantPlan, then: Past, point: Point) -> RestaurantPlan:
    before = then.restaurant(plan.restaurant)
    notes: Iterable[Sentence] = ()
    if plan.slug in then.faulty:
        note = Sentence(
            "its configuration at {rev} ({commit}) is not valid: all of it is shown as new",
            rev=point.rev,
            commit=Plain(point.short),
        )
        notes = (note,)
    elif before:
        notes = restaurant_notes(plan.restaurant, before)
    return replace(plan, notes=(*plan.notes, *notes))


# --- what a branch changed, and what rides along -------------------------------------------------


def split_plan(settings: Settings, plan: Plan, start: Began) -> Plan:
    """Tell the changes of a plan that a branch made from those that were pending without it.

    Raises:
        GitError: the commit's files are missing in this clone, or Git failed.
    """
    then = past(settings, start)
    notes = (start.point.remark,) if start.point.remark else ()
    return replace(
        plan,
        restaurants=tuple(_split(one, then, start.point) for one in plan.restaurants),
        notes=(*plan.notes, *notes),
        since=start.point,
    )


def _split(plan: RestaurantPlan, then: Past, point: Point) -> RestaurantPlan:
    if plan.slug in then.faulty:
        note = Sentence(
            "its configuration at {rev} ({commit}) is not valid: all changes are counted as the branch's",
            rev=point.rev,
            commit=Plain(point.short),
        )
        return replace(plan, split=Split(frozenset(), {}), notes=(*plan.notes, note))
    before = then.restaurant(plan.restaurant)
    parts = split(
        plan.changes,
        before.content if before else None,
        plan.restaurant.content,
        plan.actual.settings,
        plan.actual.former,
    )
    return replace(plan, split=parts, notes=(*plan.notes, *parts.notes(plan.changes, kinds())))


# --- what a branch touches -----------------------------------------------------------------------


def limit_of(settings: Settings, start: Began) -> Limit:
    """Leaves aside every restaurant that is as it was where a branch began.

    One is not if any file of its directory differs, or one of a directory that it inherits, or
    ``rowform.yaml``.
    """

    def touched(found: ConfigFiles) -> Collection[str]:
        files = set(changed_files(start.repository, start.point.commit))
        files |= _led_to(settings.config_dir, found, files)
        if (TOOL_FILE,) in files:
            return [*found.folders]
        folders = {parts[0] for parts in files if len(parts) > 1}
        # Who inherits it no more has another header now.
        heirs = {
            file.parts[0]
            for file in found.files
            if file.parts[1:] == (RESTAURANT_FILE,) and not folders.isdisjoint(_inherits(file, folders))
        }
        return folders | heirs

    return touched


def _led_to(directory: Path, found: ConfigFiles, files: Collection[Parts]) -> set[Parts]:
    """The links whose targets are among ``files``."""
    root = directory.resolve()
    names = [file.parts for file in (*found.files, *([found.tool] if found.tool else []))]
    paths = {parts: path for parts in names if (path := directory.joinpath(*parts)).is_symlink()}
    targets = {root.joinpath(*parts) for parts in files}
    return {parts for parts, path in paths.items() if path.resolve() in targets}


def _inherits(file: SourceFile, folders: Collection[str]) -> list[str]:
    """What a ``restaurant.yaml`` inherits, as far as it can be read."""
    if all(is_restaurant(name) for name in folders):
        return []
    document, _ = parse(file.shown, file.data)
    names = document.value.get("inherits") if document and is_object(document.value) else None
    return [name for name in names if isinstance(name, str)] if is_list(names) else []


def limited(plan: Plan, start: Began | None) -> Plan:
    """Note in a plan that restaurants were left aside."""
    if start is None:
        return plan
    notes = plan.notes if plan.restaurants else (*plan.notes, nothing_changed(start))
    return replace(plan, notes=notes, changed_since=start.point)


def nothing_changed(start: Began) -> Sentence:
    """What to say if no restaurant is left."""
    return Sentence(
        "no restaurant changed since {rev} ({commit})", rev=start.point.rev, commit=Plain(start.point.short)
    )
