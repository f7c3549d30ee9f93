"""Reading the config directory, and what every command is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rowform.config import ToolConfig, read_tool_config
from rowform.errors import InvalidConfig, UsageError
from rowform.files import read_config
from rowform.kinds import kinds
from rowform.load import Loaded, load
from rowform.location import Severity
from rowform.state import Restaurant, State
from rowform.text import did_you_mean, escape, joined

Report = Callable[[str], None]


def _silent(_: str) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What every command knows: where the configuration is, and which database was asked for.

    ``report`` receives sentences for people that are no results.
    """

    config_dir: Path
    database_url: str | None = None
    target: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    report: Report = _silent


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole config directory, valid."""

    loaded: Loaded
    tool: ToolConfig

    @property
    def state(self) -> State:
        return self.loaded.state


def load_configuration(settings: Settings, *, strict: bool = False) -> Configuration:
    """Read and validate the config directory.

    Raises:
        InvalidConfig: with all its problems.
        UsageError: there is no such directory.
    """
    found = read_config(settings.config_dir)
    tool, problems = read_tool_config(found.tool)
    faults = (*found.problems, *problems.sorted(Severity.ERROR))
    loaded = load(found.files, kinds(), strict=strict, folders=found.folders, found=faults)
    return Configuration(loaded, tool)


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
