"""Which commit last touched each entry: the reason that the audit notes for its change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rowform.document import parse
from rowform.git import Blob, Commit, Repository, Revision
from rowform.header import DEFAULTS_PREFIX
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.plan import RestaurantPlan
from rowform.reverts import reverted_by
from rowform.state import Entry, canonical

#: Kind and key of an entry.
Name = tuple[str, str]
#: The entries of files, by the id of the content: each as its canonical bytes.
Read = Mapping[str, Mapping[Name, bytes]]
#: How much history is read before the last commit has to do as the answer.
MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A changed entry. ``file`` is where it stands; an entry that is gone has none."""

    slug: str
    name: Name
    file: str | None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an entry changed, in words, and the commits that were taken back by it."""

    text: str
    reverts: tuple[str, ...] = ()


def reasons(
    repository: Repository,
    commit: Commit,
    plans: Iterable[RestaurantPlan],
    kinds: Mapping[str, Kind],
    config_dir: Path,
) -> dict[str, dict[Name, Reason]]:
    """Subject and short SHA of the last non-merge commit that touched each changed entry.

    For one that reverts others it also names those.

    Entries are compared as values, so a commit that only took a line away, moved the entry
    within its file or deleted it is judged rightly, and one that only reformats is passed over.

    Args:
        repository: where the history is.
        commit: what is checked out, and the answer where the history is too long to tell.
        plans: what an apply would do.
        kinds: all kinds.
        config_dir: the configuration's directory.

    Returns:
        The reasons by restaurant, kind and key.

    Raises:
        GitError: Git failed.
    """
    root = repository.root()
    pending = {
        _Wanted(plan.slug, (c.kind, c.key), _file(c.after, root)) for plan in plans for c in plan.changes
    }
    found = dict.fromkeys(pending, _By(commit.sha, commit.short, commit.subject))
    home = _inside(config_dir, root)
    read: dict[str, Mapping[Name, bytes]] = {}
    budget = MAX_BYTES
    for revision in repository.revisions() if pending else ():
        budget -= _read(revision, read, kinds)
        touched = {one for one in pending if _touches(revision, one, read, home)}
        found.update(dict.fromkeys(touched, _By(revision.sha, revision.short, revision.subject)))
        pending -= touched
        if not pending or budget < 0:
            break
    return _told(repository, found)


@dataclass(frozen=True, slots=True)
class _By:
    """A commit; ``sha`` is ``None`` for what is not committed yet."""

    sha: str | None
    short: str
    subject: str

    def reason(self, taken_back: Mapping[str, tuple[str, ...]]) -> Reason:
        if self.sha is None:
            return Reason(f"uncommitted changes on {self.short}")
        reverts = taken_back.get(self.sha, ())
        named = f"; reverts {', '.join(one[:7] for one in reverts)}" if reverts else ""
        return Reason(f"{self.subject} ({self.short}{named})", reverts)


def _told(repository: Repository, found: Mapping[_Wanted, _By]) -> dict[str, dict[Name, Reason]]:
    taken_back = reverted_by(repository, {by.sha for by in found.values() if by.sha})
    told: dict[str, dict[Name, Reason]] = {}
    for one, by in found.items():
        told.setdefault(one.slug, {})[one.name] = by.reason(taken_back)
    return told


def _file(entry: Entry | None, root: Path) -> str | None:
    return _inside(Path(entry.origin.location().file), root) if entry and entry.origin else None


def _inside(path: Path, root: Path) -> str:
    resolved = path.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else ""


def _touches(revision: Revision, wanted: _Wanted, read: Read, home: str) -> bool:
    """Whether a revision changed, made or deleted an entry."""
    for change in revision.changes:
        if wanted.file is None:
            folder = change.path.removeprefix(home).lstrip("/").partition("/")[0]
            if folder != wanted.slug and not folder.startswith(DEFAULTS_PREFIX):
                continue
        elif change.path != wanted.file:
            continue
        before = read[change.before.id].get(wanted.name) if change.before else None
        after = read[change.after.id].get(wanted.name) if change.after else None
        if before != after and (wanted.file is not None or after is None):
            return True
    return False


def _read(revision: Revision, read: dict[str, Mapping[Name, bytes]], kinds: Mapping[str, Kind]) -> int:
    """Read the entries of a revision's files; how many bytes that took."""
    size = 0
    for change in revision.changes:
        for blob in (change.before, change.after):
            if blob is not None and blob.id not in read:
                size += len(blob.data)
                read[blob.id] = _entries(blob, kinds)
    return size


def _entries(blob: Blob, kinds: Mapping[str, Kind]) -> Mapping[Name, bytes]:
    """A file's entries as written, by kind and key; none if it cannot be read."""
    document, _ = parse("", blob.data)
    value: Any = document.value if document else None
    found: dict[Name, bytes] = {}
    for name, kind in kinds.items():
        entries = value.get(name) if is_object(value) else None
        for entry in entries if is_list(entries) else ():
            if is_object(entry):
                # As bytes: to Python 1 and true are equal, and order does not matter.
                found[name, str(entry.get(kind.key))] = canonical(entry)
    return found
