"""A reader's fresh checkout: the example configuration, Git, and a virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rowform.store.embedded import embedded
from tests.docs.terminal import git_environment
from tests.support.database import make_directory, remove_directory

ROOT = Path(__file__).resolve().parents[2]
#: What the README's commands touch.
_PARTS = ("config", "schemas", "Makefile", "pyproject.toml", ".gitignore")
#: So that commits have the same hashes in every run.
_WHEN = "2026-04-01T09:00:00+00:00"


@contextmanager
def checkout() -> Generator[Path]:
    """A directory ``rowform`` with one commit, and its embedded database running; deleted afterwards."""
    base = make_directory()
    try:
        directory = base / "rowform"
        directory.mkdir(mode=0o755)
        for name in _PARTS:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, directory / name)
        _virtual_environment(directory / ".venv")
        _commit(directory)
        # Held open, the server need not start anew for every command.
        with embedded(directory / ".rowform", durable=False):
            yield directory
    finally:
        remove_directory(base)


def _virtual_environment(directory: Path) -> None:
    """What ``make demo`` would install, in front of the Python that runs this."""
    (directory / "bin").mkdir(parents=True)
    for name, options in (("python", ""), ("rowform", " -m rowform")):
        program = directory / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{options} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    (directory / "bin" / "activate").write_text(
        f'PATH="{directory}/bin:$PATH"; export PATH\n', encoding="utf-8"
    )
    (directory / ".demo").touch()


def _commit(directory: Path) -> None:
    environment = {
        **os.environ,
        **git_environment(directory.parent),
        "GIT_AUTHOR_DATE": _WHEN,
        "GIT_COMMITTER_DATE": _WHEN,
    }
    for arguments in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message=Settings of Sakura and Momiji"],
    ):
        subprocess.run(["git", *arguments], cwd=directory, env=environment, check=True)
