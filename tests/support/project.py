"""A user's repository in a temporary directory, and the command line in this process."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from rowform.cli.main import main

SAKURA = "e1661c71-b24f-4ee1-9e8b-7290a43c9575"
MOMIJI = "5b0c1f7a-2d64-4c0e-9a53-0c6d1f1a7e02"


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


class Project:
    """A directory with ``config/``, and a database."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory = directory
        self.url = url

    def write(self, files: dict[str, str]) -> None:
        """Write files below ``config/``."""
        for name, text in files.items():
            file = self.directory / "config" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def restaurant(self, slug: str = "sakura", id: str = SAKURA, more: str = "") -> None:
        """Write a ``restaurant.yaml``."""
        self.write({f"{slug}/restaurant.yaml": f"id: {id}\nname: {slug.capitalize()}\n{more}"})

    def run(self, *arguments: str) -> Result:
        """Run a command in this process."""
        out, err = io.StringIO(), io.StringIO()
        options = ["--config-dir", str(self.directory / "config"), "--database-url", self.url]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*options, *arguments])
        return Result(code, out.getvalue(), err.getvalue())

    def ok(self, *arguments: str) -> Result:
        """Run a command that must succeed."""
        result = self.run(*arguments)
        assert result.code == 0, result
        return result

    def apply(self, *arguments: str) -> Result:
        """Apply without asking; it must succeed."""
        return self.ok("apply", "--auto-approve", *arguments)

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Ask the database, as its owner."""
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query, parameters or None).fetchall()  # type: ignore[arg-type]

    def value(self, query: str, *parameters: object) -> Any:
        """The one value that a query brings."""
        (row,) = self.rows(query, *parameters)
        (value,) = row.values()
        return value

    def git(self, *arguments: str) -> str:
        """Run Git in the project's directory."""
        identity = ["-c", "user.name=Aiko Sato", "-c", "user.email=aiko@example.com"]
        result = subprocess.run(
            ["git", *identity, "-c", "init.defaultBranch=main", *arguments],
            cwd=self.directory,
            check=True,
            capture_output=True,
            text=True,
        )
        return result.stdout.strip()

    def commit(self, subject: str) -> str:
        """Commit everything; returns the short SHA."""
        if not (self.directory / ".git").exists():
            self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "--short", "HEAD")
