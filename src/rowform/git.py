"""What Git knows: the commit at hand, and which commit last touched an entry."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rowform.errors import GitError

#: Up to this many entries are traced one by one, so that a commit which only removed a line
#: of an entry is found; beyond it, one ``git blame`` per file serves them all.
MAX_TRACED = 32
_TIMEOUT = 60.0
_UNCOMMITTED = "0" * 40
_REASON = "%s (%h)"


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that is checked out. ``dirty`` says whether the config directory differs from it."""

    sha: str
    short: str
    author: str
    subject: str
    ref: str | None
    dirty: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a file, both inclusive, counted from 1."""

    file: str
    first: int
    last: int


class Repository:
    """The Git repository around a config directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @classmethod
    def around(cls, directory: Path) -> Repository | None:
        """The repository that contains ``directory``, or ``None`` if there is none with a commit.

        Raises:
            GitError: Git refuses to look at it.
        """
        repository = cls(directory)
        try:
            repository._git("rev-parse", "--verify", "--quiet", "HEAD")
        except FileNotFoundError:
            return None
        except GitError as error:
            if "dubious ownership" in error.message:
                raise
            return None
        return repository

    def head(self) -> Commit:
        """The commit that is checked out."""
        sha, short, author, subject = self._git("log", "-1", "--format=%H%x00%h%x00%an <%ae>%x00%s").split(
            "\0", 3
        )
        ref = self._git("rev-parse", "--abbrev-ref", "HEAD")
        return Commit(
            sha,
            short,
            author,
            subject,
            None if ref == "HEAD" else ref,
            bool(self._git("status", "--porcelain", "--", ".")),
        )

    def reasons(self, entries: Mapping[tuple[str, str], Lines]) -> dict[tuple[str, str], str]:
        """Subject and short SHA of the last non-merge commit that touched each entry's lines.

        Args:
            entries: where each one stands in the working tree.
        """
        changed = self._changed_files({lines.file for lines in entries.values()})
        found: dict[tuple[str, str], str] = {}
        rest: dict[str, dict[tuple[str, str], Lines]] = {}
        for name, lines in entries.items():
            if len(entries) <= MAX_TRACED and lines.file not in changed:
                found[name] = self._log_lines(lines)
            else:
                rest.setdefault(lines.file, {})[name] = lines
        for file, wanted in rest.items():
            found.update(self._blame(file, wanted))
        return {name: reason for name, reason in found.items() if reason}

    def removal_reasons(self, keys: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
        """For entries that are gone: the last non-merge commit that removed (or added) their key.

        Beyond :data:`MAX_TRACED` of them, the last one that touched the config directory.
        """
        if not keys:
            return {}
        last = self._last_commit()
        if len(keys) > MAX_TRACED:
            return dict.fromkeys(keys, last)
        return {name: self._last_commit(f"-S{key}") or last for name, key in keys.items()}

    def _last_commit(self, *options: str) -> str:
        return self._git("log", "-1", "--no-merges", f"--format={_REASON}", *options, "--", ".")

    def _changed_files(self, files: Iterable[str]) -> set[str]:
        """Those of ``files`` that differ from the commit, so that their lines have moved."""
        names = sorted(files)
        if not names:
            return set()
        return {name for name in names if self._git("status", "--porcelain", "--", self._inside(name))}

    def _inside(self, file: str) -> str:
        """A file's path as Git, running in the config directory, takes it."""
        return str(Path(file).resolve())

    def _log_lines(self, lines: Lines) -> str:
        where = f"-L{lines.first},{lines.last}:{self._inside(lines.file)}"
        try:
            return self._git("log", "-1", "--no-merges", "-s", f"--format={_REASON}", where)
        except GitError:
            return ""

    def _blame(self, file: str, wanted: Mapping[tuple[str, str], Lines]) -> dict[tuple[str, str], str]:
        try:
            output = self._git("blame", "--line-porcelain", "--", self._inside(file))
        except GitError:
            return {}
        commits = _blamed(output)
        short = self._git("rev-parse", "--short", "HEAD")
        found: dict[tuple[str, str], str] = {}
        for name, lines in wanted.items():
            touched = commits[lines.first - 1 : lines.last]
            if touched:
                _, sha, subject = max(touched)
                uncommitted = sha == _UNCOMMITTED
                found[name] = (
                    f"uncommitted changes on {short}" if uncommitted else f"{subject} ({sha[: len(short)]})"
                )
        return found

    def _git(self, *arguments: str) -> str:
        try:
            result = subprocess.run(  # noqa: S603  # a fixed program; every argument is its own word
                ["git", "-c", "core.quotepath=off", *arguments],  # noqa: S607  # the user's Git
                cwd=self._directory,
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git {arguments[0]} took longer than {_TIMEOUT:g} seconds") from error
        if result.returncode:
            message = result.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitError(f"git {arguments[0]} failed: {message[0] if message else 'no message'}")
        return result.stdout.decode("utf-8", "replace").rstrip("\n")


def _blamed(output: str) -> Sequence[tuple[int, str, str]]:
    """The commit of each line: time, SHA and subject."""
    found: list[tuple[int, str, str]] = []
    sha, time, subject = "", 0, ""
    for line in output.split("\n"):
        if line.startswith("\t"):
            found.append((time, sha, subject))
        elif line.startswith("committer-time "):
            time = int(line.removeprefix("committer-time "))
        elif line.startswith("summary "):
            subject = line.removeprefix("summary ")
        elif len(line) > 40 and line[40] == " " and all(c in "0123456789abcdef" for c in line[:40]):
            sha = line[:40]
    return found
