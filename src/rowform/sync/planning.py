"""Making a plan: configuration, Git and database together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rowform import __version__
from rowform.errors import GitError, UsageError
from rowform.fit import ensure_fitting
from rowform.git import Commit, Repository
from rowform.kinds import kinds
from rowform.plan import Actual, Plan
from rowform.planner import make_plan
from rowform.state import Restaurant, State
from rowform.sync.configuration import Configuration, Limit, Settings, chosen, load_configuration
from rowform.sync.database import session
from rowform.text import Count, Plain, Sentence, Several, escape

if TYPE_CHECKING:
    from rowform.store.session import Session

#: How many foreign restaurants a note names.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what is needed to apply it."""

    plan: Plan
    configuration: Configuration
    commit: Commit | None
    repository: Repository | None
    session: Session
    reconnect: Callable[[], Session]
    config_dir: Path


def _any_database(_database_id: str, _target: str | None) -> None:
    """Accept every database."""


@contextmanager
def planned(
    settings: Settings,
    slugs: Sequence[str] = (),
    *,
    choose: Callable[[State], list[Restaurant]] | None = None,
    accept: Callable[[str, str | None], None] = _any_database,
    limit: Limit | None = None,
) -> Generator[Planned]:
    """Make a plan for the configuration against the chosen database, which stays connected.

    Args:
        settings: where the configuration and the database are.
        slugs: the restaurants; all of them by default.
        choose: picks the restaurants instead of ``slugs``.
        accept: is told the database's id and the target, and raises an error if they are not the right ones.
        limit: leaves restaurants aside.
    """
    from rowform.store.drift import with_lineages
    from rowform.store.read import snapshot

    configuration = configuration_to_plan(settings, limit)
    restaurants = choose(configuration.state) if choose else chosen(configuration, slugs)
    repository, commit = commit_of(settings)
    with session(settings, configuration.tool) as (opened, reconnect, database):
        accept(opened.database_id, database.target)
        wanted = {one.id: one.content for one in restaurants}
        found = with_lineages(opened, snapshot(opened, wanted), wanted)
        plan = make_plan(
            restaurants,
            lambda one: found.get(one.id) or Actual(one.id),
            kinds(),
            configuration.tool.thresholds,
            database_id=opened.database_id,
            target=database.target,
            source=source_of(commit, settings.environment),
            notes=_foreign_notes(configuration, found),
            now=settings.clock(),
        )
        check_slugs(restaurants, found)
        if plan.has_changes:
            # Guards are about changes.
            from rowform.sync.guarding import guarded

            plan = guarded(plan, opened, repository, commit)
        changes = (change for one in plan.restaurants for change in one.changes)
        ensure_fitting(changes, kinds(), opened.tables)
        yield Planned(plan, configuration, commit, repository, opened, reconnect, settings.config_dir)


def configuration_to_plan(settings: Settings, limit: Limit | None) -> Configuration:
    """The configuration, its warnings reported; of what leads nowhere the plan itself warns.

    Raises:
        InvalidConfig: with all its problems.
        UsageError: there is no such directory.
    """
    configuration = load_configuration(settings, limit=limit)
    for warning in configuration.loaded.warnings:
        if not warning.dangling:
            settings.report(str(warning))
    return configuration


def commit_of(settings: Settings) -> tuple[Repository | None, Commit | None]:
    try:
        repository = Repository.around(settings.config_dir)
    except GitError as error:
        settings.report(f"No commit is recorded: {escape(error.message)}")
        return None, None
    return repository, repository.head() if repository else None


def source_of(commit: Commit | None, environment: Mapping[str, str]) -> dict[str, Any]:
    """What a version remembers of where it came from (see ``config_versions.source``)."""
    return {
        "kind": "git" if commit else "files",
        "commit": commit.sha if commit else None,
        "ref": (commit.ref if commit else None) or _ci_ref(environment),
        "author": commit.author if commit else None,
        "subject": commit.subject if commit else None,
        "dirty": commit.dirty if commit else None,
        "ci_run": _ci_run(environment),
        "tool_version": __version__,
    }


def _ci_ref(environment: Mapping[str, str]) -> str | None:
    return environment.get("GITHUB_REF_NAME") or environment.get("CI_COMMIT_REF_NAME") or None


def _ci_run(environment: Mapping[str, str]) -> str | None:
    """The address of the pipeline's run (GitHub Actions, GitLab CI), if this is one."""
    server, repository, run = (
        environment.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    if server and repository and run:
        return f"{server}/{repository}/actions/runs/{run}"
    return environment.get("CI_JOB_URL") or None


def _foreign_notes(configuration: Configuration, there: Mapping[str, Actual]) -> list[Sentence]:
    known = {one.id for one in configuration.state.restaurants.values()}
    foreign = sorted(
        one.slug or restaurant_id
        for restaurant_id, one in there.items()
        if restaurant_id not in known and one.slug not in configuration.aside
    )
    if not foreign:
        return []
    note = Sentence(
        "{restaurants} of the database without a directory here: {names}; not touched",
        restaurants=Count(len(foreign), "restaurant"),
        names=Several.of([Plain(name) for name in foreign], _SHOWN),
    )
    return [note]


def check_slugs(restaurants: Sequence[Restaurant], there: Mapping[str, Actual]) -> None:
    """Make sure that no restaurant is in the database under another id.

    Raises:
        UsageError: one is.
    """
    taken = {one.slug: restaurant_id for restaurant_id, one in there.items() if one.slug}
    for one in restaurants:
        other = taken.get(one.slug)
        if one.id not in there and other is not None:
            raise UsageError(
                f"{one.file}: the database knows {escape(one.slug)} under the id {other}, not {one.id}",
                "put that id into the file, or rename the directory",
            )
