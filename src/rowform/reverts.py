"""Which commits a commit takes back, as its message says."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable

from rowform.git import Repository

#: What `git revert` writes, also for a merge; an editor or a squash may have put something before it.
_REVERTS = re.compile(r"^[\s*>-]*This reverts commit ([0-9a-f]{7,64})\b", re.MULTILINE)


def reverts(message: str) -> tuple[str, ...]:
    """The commits that a commit with a message takes back."""
    return tuple(dict.fromkeys(_REVERTS.findall(message)))


def reverted_by(repository: Repository, commits: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What commits take back, by commit; those that take back nothing are left out.

    Raises:
        GitError: there is no such commit, or Git failed.
    """
    names = "".join(f"{commit}\n" for commit in commits)
    if not names:
        return {}
    with tempfile.TemporaryFile() as asked:
        asked.write(names.encode())
        asked.seek(0)
        log = repository.output("log", "-z", "--no-walk=unsorted", "--stdin", "--format=%H%n%B", stdin=asked)
    found: dict[str, tuple[str, ...]] = {}
    for one in log.decode("utf-8", "replace").split("\0"):
        sha, _, message = one.partition("\n")
        if taken_back := reverts(message):
            found[sha] = taken_back
    return found
