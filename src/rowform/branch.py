"""What a branch is held against: a revision's name, the commit that is meant, and what changed since."""

from __future__ import annotations

import os

from rowform.ancestry import DEEPEN, is_sha
from rowform.errors import GitError, UsageError
from rowform.git import Repository
from rowform.split import Point
from rowform.text import Plain, Sentence, quote


def branched_from(repository: Repository, rev: str) -> Point:
    """Where the branch that is checked out left ``rev``: their merge base.

    A branch stands for what it changes, and not for what others have changed since on ``rev``. Where the
    two have no common history it is ``rev`` itself.

    Raises:
        UsageError: there is no such commit.
        GitError: it is missing in this clone, or Git failed.
    """
    tip = _commit(repository, rev)
    found = repository.run("merge-base", tip, "HEAD")
    base = found.stdout.decode("ascii", "replace").partition("\n")[0]
    if found.returncode or not is_sha(base):
        if repository.is_shallow():
            raise GitError(f"this clone is too shallow to tell where the branch left {quote(rev)}", DEEPEN)
        short = _short(repository, tip)
        remark = Sentence(
            "{rev} and this branch have no history in common: compared with {commit}",
            rev=rev,
            commit=Plain(short),
        )
        return Point(rev, tip, short, remark)
    short = _short(repository, base)
    if base == tip:
        return Point(rev, tip, short)
    remark = Sentence(
        "{rev} has moved on since this branch left it: compared with {commit}", rev=rev, commit=Plain(short)
    )
    return Point(rev, base, short, remark)


def changed_files(repository: Repository, commit: str) -> list[tuple[str, ...]]:
    """The files of the config directory that differ from those of a commit, as steps from there.

    What is not committed counts, new files included; those that Git ignores do not. A renamed file
    is there with both its names.

    Raises:
        GitError: Git failed.
    """
    here = ("--", ".")
    differing = repository.output("diff", "--name-only", "--no-renames", "--relative", "-z", commit, *here)
    new = repository.output("ls-files", "--others", "--exclude-standard", "-z", *here)
    names = {name for name in (*differing.split(b"\0"), *new.split(b"\0")) if name}
    return sorted(tuple(os.fsdecode(name).split("/")) for name in names)


def _commit(repository: Repository, rev: str) -> str:
    """The commit that a name stands for."""
    found = _resolved(repository, rev)
    commit = _resolved(repository, f"{found}^{{commit}}") if found else None
    if commit is not None:
        return commit
    if repository.is_shallow():
        raise GitError(f"there is no commit {quote(rev)} in this clone, which is shallow", DEEPEN)
    remote = f"origin/{rev}"
    hint = "a branch, a tag or a commit is wanted, as Git knows it"
    if _resolved(repository, remote):
        hint = f"did you mean `{remote}`?"
    elif is_sha(rev):
        hint = f"if others have it: {DEEPEN}"
    raise UsageError(f"there is no commit {quote(rev)} in this repository", hint)


def _resolved(repository: Repository, name: str) -> str | None:
    # No revision begins with a hyphen; options do.
    if name.startswith("-"):
        return None
    found = repository.run("rev-parse", "--verify", "--quiet", name)
    text = found.stdout.decode("ascii", "replace").strip()
    return text if found.returncode == 0 and is_sha(text) else None


def _short(repository: Repository, commit: str) -> str:
    return repository.output("rev-parse", "--short", commit).decode("ascii").strip()
