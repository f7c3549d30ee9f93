"""What Git knows: the commit at hand, and what each earlier commit did to which files."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rowform.errors import GitError

_TIMEOUT = 60.0
#: Whatever the user's own configuration says: paths from the top, in UTF-8, of the first commit too.
_OPTIONS = (
    "log.decorate=short",
    "core.quotepath=off",
    "diff.relative=false",
    "i18n.logOutputEncoding=utf-8",
    "log.showRoot=true",
)
_GIT = ("git", *(word for option in _OPTIONS for word in ("-c", option)))
#: Starts the line of a commit in our log format; no path or subject begins with it.
_MARK = "\x01"
#: A remote's URL: scheme, authority, path, and what is never shown.
_REMOTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)([^?#]*)(.*)", re.DOTALL)


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
class FileChange:
    """A file before and after a commit; ``None`` where it did not exist. ``path`` is today's one."""

    path: str
    before: Blob | None
    after: Blob | None


@dataclass(frozen=True, slots=True)
class Blob:
    """A file's content, and an id that is equal for equal content."""

    id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit and its changes; ``sha`` is ``None`` for what is not committed yet."""

    sha: str | None
    short: str
    subject: str
    changes: tuple[FileChange, ...]


class Repository:
    """The Git repository around a config directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._last: str | None = None

    @classmethod
    def around(cls, directory: Path) -> Repository | None:
        """The repository that contains ``directory``, or ``None`` if there is none with a commit.

        Raises:
            GitError: Git refuses to look at it.
        """
        repository = cls(directory)
        try:
            repository._last = repository._last_commit()
        except FileNotFoundError:
            return None
        except GitError as error:
            if "dubious ownership" in error.message:
                raise
            return None
        return repository

    def head(self) -> Commit:
        """The commit that is checked out."""
        sha, short, author, names, subject = (self._last or self._last_commit()).split("\0", 4)
        # "HEAD -> main, origin/main"; a detached HEAD has no arrow.
        _, arrow, branch = names.partition(", ")[0].partition("HEAD -> ")
        if not names.startswith("HEAD"):
            branch = self._git("rev-parse", "--abbrev-ref", "HEAD")
        ref = branch if arrow or branch != "HEAD" else None
        dirty = bool(self._git("status", "--porcelain", "--", "."))
        return Commit(sha, short, author, subject, ref or None, dirty)

    def origin(self) -> str | None:
        """The address of the remote `origin`, without user, password or token; ``None`` if none is known."""
        try:
            # As it is written: `git remote get-url` may put a token of the user's own into it.
            return public_address(self._git("config", "--get", "remote.origin.url"))
        except (GitError, OSError):
            return None

    def is_shallow(self) -> bool:
        """Whether part of the history was left out when this repository was cloned."""
        return self._git("rev-parse", "--is-shallow-repository") == "true"

    def _last_commit(self) -> str:
        return self._git("log", "-1", "--format=%H%x00%h%x00%an <%ae>%x00%D%x00%s")

    def root(self) -> Path:
        """The top of the working tree, against which the paths of :meth:`revisions` are meant."""
        return Path(self._git("rev-parse", "--show-toplevel")).resolve()

    def revisions(self) -> Iterator[Revision]:
        """What changed the YAML files of the config directory.

        First what is not committed, then every non-merge commit, newest first. Lazy: a
        caller that knows enough just stops. Renamed files are followed back.
        """
        root = self.root()
        short = self._git("rev-parse", "--short", "HEAD")
        with self._contents() as contents:
            uncommitted = self._uncommitted()
            changes = [
                FileChange(path, contents.read("HEAD", old), _working_copy(root / path))
                for old, path in uncommitted
            ]
            if changes:
                yield Revision(None, short, "", tuple(changes))
            today = {old: path for old, path in uncommitted if old != path}
            for sha, abbreviated, subject, paths in self._log():
                yield Revision(
                    sha,
                    abbreviated,
                    subject,
                    tuple(
                        FileChange(
                            today.get(path, path), contents.read(f"{sha}^", old), contents.read(sha, path)
                        )
                        for old, path in paths
                    ),
                )
                today.update({old: today.get(path, path) for old, path in paths if old != path})

    def _uncommitted(self) -> list[tuple[str, str]]:
        changed = self._git("diff", "--name-status", "-M", "HEAD", "--", ".").splitlines()
        new = self._git("ls-files", "--others", "--exclude-standard", "--full-name", "--", ".").splitlines()
        return [*(pair for line in changed for pair in _paths(line)), *((name, name) for name in new)]

    def _log(self) -> Iterator[tuple[str, str, str, list[tuple[str, str]]]]:
        """SHA, short SHA, subject and changed paths of each commit."""
        form = f"--format={_MARK}%H{_MARK}%h{_MARK}%s"
        process = subprocess.Popen(  # noqa: S603  # a fixed program; every argument is its own word
            [*_GIT, "log", "--no-merges", "--name-status", "-M", form, "--", "."],
            cwd=self._directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
        with process:
            head: list[str] = []
            paths: list[tuple[str, str]] = []
            for line in process.stdout or ():
                if line.startswith(_MARK):
                    if head:
                        yield head[1], head[2], head[3], paths
                    head, paths = line.rstrip("\n").split(_MARK, 3), []
                else:
                    paths.extend(_paths(line.rstrip("\n")))
            if head:
                yield head[1], head[2], head[3], paths
            process.kill()

    @contextmanager
    def _contents(self) -> Generator[_Contents]:
        with subprocess.Popen(  # noqa: S603  # as above
            [*_GIT, "cat-file", "--batch"],
            cwd=self._directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                yield _Contents(process)
            finally:
                process.kill()

    def run(self, *arguments: str, stdin: IO[bytes] | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run a Git command in the config directory, whatever it says to it.

        Raises:
            GitError: it took too long.
        """
        try:
            return subprocess.run(  # noqa: S603  # as above
                [*_GIT, *arguments],
                cwd=self._directory,
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
                stdin=stdin or subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git {arguments[0]} took longer than {_TIMEOUT:g} seconds") from error

    def output(self, *arguments: str, stdin: IO[bytes] | None = None) -> bytes:
        """What a Git command prints.

        Raises:
            GitError: it failed, or took too long.
        """
        result = self.run(*arguments, stdin=stdin)
        if result.returncode:
            message = result.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitError(f"git {arguments[0]} failed: {message[0] if message else 'no message'}")
        return result.stdout

    def _git(self, *arguments: str) -> str:
        return self.output(*arguments).decode("utf-8", "replace").rstrip("\n")


def public_address(remote: str) -> str | None:
    """The address of a remote as anybody may see it; ``None`` where it is not clear what is secret.

    Credentials stand before an ``@``. One that has an ``@`` or ``/`` of its own, not encoded,
    could hide in what looks like the host or the path.
    """
    found = _REMOTE.fullmatch(remote)
    if found is None:
        # "git@host:path" or a path; "helper::address" may hold anything.
        user, _, address = remote.rpartition("@")
        return None if "::" in remote or "@" in user or "/" in user else address or None
    scheme, authority, path, more = found.groups()
    return None if "@" in path + more else f"{scheme}{authority.rpartition('@')[2]}{path}"


class _Contents:
    """Files at revisions, through one long-lived ``git cat-file --batch``."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def read(self, revision: str, path: str) -> Blob | None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise GitError("git cat-file has no pipes")
        stdin.write(f"{revision}:{path}\n".encode())
        stdin.flush()
        head = stdout.readline().decode("utf-8", "replace").split(" ")
        if len(head) != 3 or head[1] != "blob":
            return None
        data = stdout.read(int(head[2]))
        stdout.read(1)
        return Blob(head[0], data)


def _paths(line: str) -> Iterator[tuple[str, str]]:
    """The YAML file before and after, from a line of ``--name-status``.

    A name with a quote or a control character comes quoted, and is passed over.
    """
    status, *names = line.split("\t")
    if status and names and names[-1].endswith(".yaml"):
        yield names[0], names[-1]


def _working_copy(file: Path) -> Blob | None:
    try:
        data = file.read_bytes()
    except OSError:
        return None
    return Blob(f"working copy of {file}", data)
