"""Where benchmarks work: a directory, a database server, configurations that are applied already."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import generated
from tests.benchmarks.measuring import Command, Launcher
from tests.support.database import Databases, make_directory, remove_directory

ROOT = Path(__file__).resolve().parents[2]
PYTHON = str(Path(sysconfig.get_path("scripts"), "python"))
ROWFORM = str(Path(sysconfig.get_path("scripts"), "rowform"))
_AUTHOR = (
    "-c",
    "user.name=Benchmark",
    "-c",
    "user.email=benchmark@example.com",
    "-c",
    "commit.gpgsign=false",
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A configuration in a Git repository that was applied to a database, before one setting changed."""

    directory: Path
    config: Path
    url: str

    def rowform(self, *arguments: str, expected: str = "", url: str | None = None) -> Command:
        return Command((ROWFORM, "--database-url", url or self.url, *arguments), self.directory, expected)


@dataclass
class Workspace:
    """What all benchmarks of a run share. Servers and configurations are made when first asked for."""

    directory: Path
    launcher: Launcher
    rounds: int
    _stack: ExitStack
    _prepared: dict[str, Prepared] = field(default_factory=dict[str, Prepared])
    _databases: Databases | None = None

    @property
    def databases(self) -> Databases:
        if self._databases is None:
            from rowform.store.embedded import embedded

            url = self._stack.enter_context(embedded(self.directory / "database"))
            self._databases = Databases(url, "bench")
            self._stack.callback(self._databases.close)
        return self._databases

    def empty_database(self) -> str:
        """A new database with rowform's tables and nothing in them."""
        url = self.databases.create()
        command = (ROWFORM, "--database-url", url, "db", "upgrade", "--auto-approve")
        self.launcher.run(Command(command, self.directory))
        return url

    def generated(self, count: int) -> Prepared:
        """A generated configuration of ``count`` settings."""
        return self._prepare(f"generated-{count}", lambda config: generated.write(config, count))

    def example(self) -> Prepared:
        """The repository's own configuration."""
        return self._prepare("example", lambda config: shutil.copytree(ROOT / "config", config))

    def _prepare(self, name: str, write: Any) -> Prepared:
        if name not in self._prepared:
            directory = self.directory / name
            directory.mkdir()
            prepared = Prepared(directory, directory / "config", self.empty_database())
            write(prepared.config)
            self.launcher.run(prepared.rowform("apply", "--auto-approve", expected="Apply complete!"))
            _git(directory, "init", "--quiet")
            _commit(directory, "The settings as they are")
            generated.change_one(prepared.config)
            _commit(directory, "One setting changed")
            self._prepared[name] = prepared
        return self._prepared[name]


def _git(directory: Path, *arguments: str) -> None:
    subprocess.run(["git", *_AUTHOR, *arguments], cwd=directory, check=True)


def _commit(directory: Path, subject: str) -> None:
    _git(directory, "add", ".")
    _git(directory, "commit", "--quiet", "--message", subject)


@contextmanager
def workspace(rounds: int) -> Iterator[Workspace]:
    """A workspace that leaves nothing behind."""
    directory = make_directory()
    try:
        with ExitStack() as stack, Launcher() as launcher:
            yield Workspace(directory, launcher, rounds, stack)
    finally:
        remove_directory(directory)
