"""How commits descend from each other, and what their messages consent to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rowform.errors import GitError
from rowform.git import Repository

#: The object id of a commit. What is none never gets to Git, which might take it for an option.
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
#: What a clone without its whole history needs.
DEEPEN = (
    "fetch the whole history: `fetch-depth: 0` for actions/checkout,"
    " GIT_DEPTH: 0 in GitLab CI, `git fetch --unshallow` elsewhere"
)


@dataclass(frozen=True, slots=True)
class Trailers:
    """What a commit's message says under one token: a value for each line."""

    sha: str
    author: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A commit as people know it; one whose message nobody has read has no subject."""

    sha: str
    short: str
    subject: str = ""


def is_sha(text: str) -> bool:
    """Whether a text is the full id of a commit."""
    return _SHA.fullmatch(text) is not None


def knows(repository: Repository, sha: str) -> bool:
    """Whether a commit is in a repository."""
    return is_sha(sha) and repository.run("cat-file", "-e", f"{sha}^{{commit}}").returncode == 0


def contains(repository: Repository, newer: str, older: str) -> bool:
    """Whether a commit is another one or descends from it; the repository must know both."""
    return not _lines(repository, "rev-list", "--max-count=1", older, f"^{newer}", "--")


def between(repository: Repository, after: str, until: str, paths: Sequence[str]) -> list[Named]:
    """The commits that are in ``until`` and not in ``after``, newest first.

    Merges are left out, and what touches none of ``paths``: patterns below the config directory.
    """
    patterns = (f":(glob){path}" for path in paths)
    form = "--format=%H%x00%h%x00%s"
    lines = _lines(repository, "log", "--no-merges", form, until, f"^{after}", "--", *patterns)
    return [Named(*line.split("\0", 2)) for line in lines]


def folders(repository: Repository, commits: Sequence[str]) -> set[str]:
    """The directories of the config directory in which some commits changed settings."""
    if not commits:
        return set()
    form = ("--no-walk", "--no-renames", "--name-only", "--relative", "-z", "--format=")
    files = _text(repository, "log", *form, *commits, "--", ":(glob)*/**/*.yaml")
    names = (name.strip("\n").partition("/")[0] for name in files.split("\0"))
    return {name for name in names if name}


def trailers(repository: Repository, token: str, *, without: Sequence[str] | None) -> list[Trailers]:
    """The commits up to HEAD whose messages have a trailer, newest first.

    Args:
        repository: where they are.
        token: what the trailer begins with, in any case.
        without: commits that are left out with all before them. ``None`` reads HEAD alone, and what it
            merged if it is a merge.
    """
    form = f"--format=%H%x00%an <%ae>%x00%(trailers:key={token},valueonly,unfold,separator=%x00)%x1e"
    # Whatever the user's own configuration calls a trailer.
    log = ("-c", "trailer.separators=:", "log", form)
    if without is None:
        try:
            text = _text(repository, *log, "HEAD^..HEAD", "--")
        except GitError:
            # The first commit, or the first one that a shallow clone has.
            text = _text(repository, *log, "--max-count=1", "HEAD", "--")
    else:
        text = _text(repository, *log, "HEAD", *(f"^{sha}" for sha in without), "--")
    fields = (one.lstrip("\n").split("\0") for one in text.split("\x1e") if one.strip("\n"))
    found = (Trailers(sha, author, tuple(filter(None, values))) for sha, author, *values in fields)
    return [one for one in found if one.values]


def _text(repository: Repository, *arguments: str) -> str:
    return repository.output(*arguments).decode("utf-8", "replace")


def _lines(repository: Repository, *arguments: str) -> list[str]:
    return [line for line in _text(repository, *arguments).split("\n") if line]
