"""Which database a command talks to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rowform.config import ToolConfig
from rowform.errors import UsageError
from rowform.text import did_you_mean, escape, joined

#: Names the embedded database where a URL is expected.
EMBEDDED = "embedded"
URL_VARIABLE = "ROWFORM_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Database:
    """A database: its URL (``None`` for the embedded one) and the target's name, if one was chosen.

    ``source`` says where the URL comes from, for messages.
    """

    url: str | None
    source: str
    target: str | None = None


def choose(
    option: str | None, target: str | None, config: ToolConfig, environment: Mapping[str, str]
) -> Database:
    """The database that the options, the environment and the configuration lead to.

    ``--database-url`` comes first, then ``ROWFORM_DATABASE_URL``, then the target's variable.
    The embedded database is for configurations that name none, and never for a pipeline that
    does not ask for it.

    Raises:
        UsageError: a value is empty or missing, or the choice is not clear.
    """
    if target is not None and target not in config.targets:
        known = f"the targets are {joined(config.targets)}" if config.targets else "rowform.yaml names none"
        raise UsageError(
            f'there is no target "{escape(target)}"', did_you_mean(target, config.targets) or known
        )
    if option is not None:
        return _database(option, "--database-url", target)
    if URL_VARIABLE in environment:
        return _database(environment[URL_VARIABLE], URL_VARIABLE, target)
    if config.targets:
        return _of_target(target, config, environment)
    if environment.get("CI"):
        raise UsageError(
            "no database is named, and a pipeline gets no embedded one by default",
            f"set {URL_VARIABLE}, or ask for it with --database-url {EMBEDDED}",
        )
    return Database(None, "no database is named")


def _database(value: str, source: str, target: str | None) -> Database:
    if not value.strip():
        raise UsageError(f"{source} is set but empty", "a missing secret looks like this")
    return Database(None if value == EMBEDDED else value, source, target)


def _of_target(target: str | None, config: ToolConfig, environment: Mapping[str, str]) -> Database:
    if target is None:
        if len(config.targets) > 1:
            raise UsageError(
                f"rowform.yaml names the targets {joined(config.targets)}", "choose one with --target"
            )
        target = next(iter(config.targets))
    variable = config.targets[target]
    if variable not in environment:
        raise UsageError(f"{variable}, the database of target {target}, is not set")
    return _database(environment[variable], variable, target)
