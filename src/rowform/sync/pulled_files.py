"""The files of a pull: what they would say is checked, then they are written, all or none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rowform.errors import DirtyFiles, GitError, InvalidConfig, RowformError, Unwritable
from rowform.git import Repository
from rowform.kinds import kinds
from rowform.load import SourceFile
from rowform.pull import FileChange, Live, Parts, Pulled, faults
from rowform.state import State
from rowform.sync.configuration import Settings
from rowform.sync.replacing import replace_files
from rowform.text import escape, joined

#: How many restaurants or files a sentence names.
_SHOWN = 5


def some(names: Sequence[str]) -> str:
    """The first few names."""
    more = len(names) - _SHOWN
    shown = [escape(one) for one in names]
    return joined(shown) if more <= 0 else f"{', '.join(shown[:_SHOWN])} and {more:,} more"


def shown(directory: Path, parts: Parts) -> str:
    """A file's path for people."""
    return escape(str(directory.joinpath(*parts)))


def uneditable(what: str) -> Unwritable:
    """The error for a file or directory whose text cannot be brought to what is live."""
    return Unwritable(
        f"{what} cannot be edited so that it says what is live and keeps the rest; nothing was written",
        "edit it by hand (`rowform plan` shows what differs), or bring it into plain form with `rowform fmt`",
    )


def distinct(directory: Path, done: Iterable[Pulled]) -> list[FileChange]:
    """The files to be written, in order. Two names of one file are one file.

    Raises:
        Unwritable: two restaurants share a file, and would have it say different things.
    """
    writes: dict[Path, FileChange] = {}
    for change in sorted((file for one in done for file in one.files), key=lambda file: file.parts):
        other = writes.setdefault(_real(directory, change.parts), change)
        if other.after != change.after:
            raise uneditable(shown(directory, change.parts))
    return list(writes.values())


def _real(directory: Path, parts: Parts) -> Path:
    return Path(os.path.realpath(directory.joinpath(*parts)))


def verify(
    directory: Path,
    files: Sequence[SourceFile],
    state: State,
    writes: Sequence[FileChange],
    live: Mapping[str, Live],
) -> None:
    """Load what would be there, and make sure that it says what is live, and of all else what it said.

    Raises:
        Unwritable: it does not, or would not be valid.
    """
    after = {_real(directory, one.parts): one.after for one in writes}
    there = [replace(one, data=after.get(_real(directory, one.parts), one.data)) for one in files]
    new = [
        SourceFile(one.parts, shown(directory, one.parts), one.after) for one in writes if one.before is None
    ]
    try:
        wrong = faults(state, [*there, *new], live, kinds())
    except InvalidConfig as error:
        raise uneditable(str(error.problems[0])) from error
    if wrong:
        raise uneditable(f"the directory of {some(wrong)}")


def ensure_committed(settings: Settings, writes: Sequence[FileChange]) -> list[str]:
    """Make sure that Git has what the files to be changed say now.

    Returns:
        What is to be said if there is no Git that could.

    Raises:
        DirtyFiles: they have changes that are not committed.
    """
    existing = {_real(settings.config_dir, one.parts) for one in writes if one.before is not None}
    if not existing:
        return []
    uncommitted = _uncommitted(settings)
    if uncommitted is None:
        return ["Without a commit in a Git repository nothing keeps what the files said before."]
    dirty = sorted(existing & uncommitted)
    if dirty:
        names = [os.path.relpath(path, settings.config_dir.resolve()) for path in dirty]
        verb = "has" if len(dirty) == 1 else "have"
        raise DirtyFiles(
            f"nothing was pulled: {some(names)} {verb} changes that are not committed",
            "commit or stash them first, so that what a pull does can be seen and undone",
        )
    return []


def _uncommitted(settings: Settings) -> set[Path] | None:
    """The files that differ from the last commit, untracked ones included; ``None`` without a commit."""
    try:
        repository = Repository.around(settings.config_dir)
        if repository is None:
            return None
        status = repository.output("status", "--porcelain", "-z", "--untracked-files=all", "--", ".")
        root = repository.root()
    except GitError as error:
        settings.report(f"Git was not asked: {escape(error.message)}")
        return None
    return {root / name for name in _names(status)}


def _names(status: bytes) -> Iterator[str]:
    """The paths of ``git status --porcelain -z``; a renamed file's former one stands alone."""
    fields = iter(status.split(b"\0"))
    for one in fields:
        if one:
            yield os.fsdecode(one[3:])
        if one[:1] in (b"R", b"C"):
            next(fields, None)


def write(directory: Path, writes: Sequence[FileChange]) -> None:
    """Write the files.

    Raises:
        RowformError: one has changed since it was read, or cannot be written.
    """
    targets: dict[Path, bytes] = {}
    try:
        for one in writes:
            path = _real(directory, one.parts)
            now = path.read_bytes() if path.exists() else None
            if now != one.before:
                raise RowformError(
                    f"{shown(directory, one.parts)} has changed in the meantime; nothing was written",
                    "try again",
                )
            targets[path] = one.after
        replace_files(targets)
    except OSError as error:
        where = f" {escape(str(error.filename))}" if error.filename else ""
        raise RowformError(f"cannot write{where}: {error.strerror}") from error
