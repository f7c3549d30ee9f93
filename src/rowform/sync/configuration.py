"""Reading the config directory, and what every command is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rowform.config import ToolConfig, read_tool_config
from rowform.errors import InvalidConfig, UsageError
from rowform.files import ConfigFiles, read_config
from rowform.header import DEFAULTS_PREFIX
from rowform.kinds import kinds
from rowform.load import Loaded, load
from rowform.location import Problem, Severity
from rowform.state import Restaurant, State
from rowform.text import did_you_mean, escape, joined

Report = Callable[[str], None]


def _silent(_: str) -> None:
    """Report nothing."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """What every command knows: where the configuration is, and which database was asked for.

    ``report`` receives sentences for people that are no results; ``clock`` tells the time.
    """

    config_dir: Path
    database_url: str | None = None
    target: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    report: Report = _silent
    clock: Callable[[], datetime] = _utc_now


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole config directory, valid."""

    loaded: Loaded
    tool: ToolConfig
    #: The restaurants' directories that are left aside; of these, those with problems are not in ``loaded``.
    aside: frozenset[str] = frozenset()

    @property
    def state(self) -> State:
        return self.loaded.state


#: Says which directories matter, once the files are read.
Limit = Callable[[ConfigFiles], Collection[str]]


def load_configuration(
    settings: Settings, *, strict: bool = False, limit: Limit | None = None
) -> Configuration:
    """Read and validate the config directory.

    Args:
        settings: where it is.
        strict: whether a reference that leads nowhere is an error.
        limit: leaves restaurants aside; problems in their files are not reported.

    Raises:
        InvalidConfig: with all its problems.
        UsageError: there is no such directory.
    """
    found = read_config(settings.config_dir)
    tool, problems = read_tool_config(found.tool)
    faults = (*found.problems, *problems.sorted(Severity.ERROR))
    if limit is None:
        loaded = load(found.files, kinds(), strict=strict, folders=found.folders, found=faults)
        return Configuration(loaded, tool)
    mine = limit(found)
    aside = frozenset(name for name in found.folders if is_restaurant(name) and name not in mine)
    return Configuration(_load_without(aside, found, faults, strict=strict), tool, aside)


def is_restaurant(folder: str) -> bool:
    """Whether a directory is a restaurant's, and not one to inherit from."""
    return not folder.startswith(DEFAULTS_PREFIX)


def folder_of(problem: Problem, folders: Mapping[str, str]) -> str | None:
    """The directory that a problem is in; ``folders`` are all by name, as people see them."""
    file = problem.location.file
    return next((name for name in file.split("/") if _is_in(file, folders.get(name))), None)


def _is_in(file: str, directory: str | None) -> bool:
    return directory is not None and f"{file}/".startswith(f"{directory}/")


def _load_without(
    aside: frozenset[str], found: ConfigFiles, faults: Sequence[Problem], *, strict: bool
) -> Loaded:
    """Load a configuration in which some directories may have any problems."""
    # Of two restaurants with one id the later one is told of: let that be one that matters.
    folders = dict(sorted(found.folders.items(), key=lambda item: item[0] not in aside))
    try:
        loaded = load(found.files, kinds(), strict=strict, folders=folders, found=faults)
    except InvalidConfig as error:
        mine = [one for one in error.problems if folder_of(one, folders) not in aside]
        if any(one.severity is Severity.ERROR for one in mine):
            raise InvalidConfig(mine) from None
        loaded = load(
            [file for file in found.files if file.parts[0] not in aside],
            kinds(),
            strict=strict,
            folders={name: shown for name, shown in folders.items() if name not in aside},
            found=[one for one in faults if folder_of(one, folders) not in aside],
        )
    kept = [one for one in loaded.warnings if folder_of(one, folders) not in aside]
    return Loaded(loaded.state, tuple(kept))


def load_tool_config(settings: Settings) -> ToolConfig:
    """Only ``rowform.yaml``, for commands that do without the rest; no file, no complaint.

    Raises:
        InvalidConfig: it has problems.
    """
    if not settings.config_dir.is_dir():
        return ToolConfig()
    tool, problems = read_tool_config(read_config(settings.config_dir).tool)
    errors = problems.sorted(Severity.ERROR)
    if errors:
        raise InvalidConfig(errors)
    return tool


def selected(state: State, slugs: Sequence[str]) -> list[Restaurant]:
    """The restaurants that ``-r`` names, all of them without it, in order of slug.

    Raises:
        UsageError: there is no such restaurant.
    """
    for slug in slugs:
        if slug not in state.restaurants:
            raise UsageError(
                f'there is no restaurant "{escape(slug)}" in the configuration',
                did_you_mean(slug, state.restaurants) or f"there is {joined(sorted(state.restaurants))}",
            )
    return [state.restaurants[slug] for slug in sorted(set(slugs) or state.restaurants)]


def chosen(configuration: Configuration, slugs: Sequence[str]) -> list[Restaurant]:
    """The restaurants that ``-r`` names, all of them without it, but for those that are left aside.

    Raises:
        UsageError: there is no such restaurant.
    """
    if not configuration.aside:
        return selected(configuration.state, slugs)
    wanted = [slug for slug in slugs if slug not in configuration.aside]
    if slugs and not wanted:
        return []
    return [one for one in selected(configuration.state, wanted) if one.slug not in configuration.aside]
