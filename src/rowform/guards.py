"""Guards: reasons for which an apply is refused until somebody looks at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rowform.diff import Action, Change
from rowform.text import count


class GuardName(StrEnum):
    STALE = "stale"
    LOCKED = "locked"
    THRESHOLD = "threshold"
    DRIFT = "drift"
    ROLLED_BACK = "rolled-back"
    OLDER = "older"

    @property
    def forceable(self) -> bool:
        """Whether ``--force`` can overrule it."""
        return self not in (GuardName.STALE, GuardName.LOCKED)

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    GuardName.STALE: "the active version is not the plan's base",
    GuardName.LOCKED: "the active version is locked",
    GuardName.THRESHOLD: "so much would be deleted or updated that it looks like an accident",
    GuardName.DRIFT: "direct writes since the last version from Git would be overwritten",
    GuardName.ROLLED_BACK: "values that a rollback took away would come back",
    GuardName.OLDER: "the commit is older than the active version's, or unrelated to it",
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How much a plan may delete or update. Percentages are of the restaurant's settings."""

    delete_percent: float = 30
    delete_count: int = 3
    emptied_count: int = 3
    update_percent: float = 50
    update_total: int = 10


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard that fired, and why."""

    name: GuardName
    reason: str

    def to_json(self) -> dict[str, object]:
        return {"guard": self.name.value, "reason": self.reason, "forceable": self.name.forceable}


def fired(
    changes: Sequence[Change],
    counts: Mapping[str, int],
    *,
    locked_version: int | None,
    thresholds: Thresholds,
) -> Iterator[Guard]:
    """The guards that a restaurant's changes set off.

    Args:
        changes: what would be done.
        counts: how many settings of each kind there are now.
        locked_version: the active version's number if it is locked.
        thresholds: how much is too much.
    """
    if changes and locked_version is not None:
        yield Guard(GuardName.LOCKED, f"the active version {locked_version} is locked")
    yield from _threshold(changes, counts, thresholds)


def _percent(part: int, total: int) -> str:
    """A share with one decimal, rounded down: what is over a limit never looks like the limit."""
    return f"{part * 1000 // total / 10:g}"


def _threshold(changes: Sequence[Change], counts: Mapping[str, int], limits: Thresholds) -> Iterator[Guard]:
    total = sum(counts.values())
    deleted = sum(change.action is Action.DELETE for change in changes)
    updated = sum(change.action is Action.UPDATE for change in changes)
    if deleted >= limits.delete_count and deleted * 100 > limits.delete_percent * total:
        yield Guard(
            GuardName.THRESHOLD,
            f"{deleted} of {count(total, 'setting')} would be deleted ({_percent(deleted, total)} %)",
        )
    net = Counter[str]()
    for change in changes:
        net[change.kind] += {Action.CREATE: 1, Action.UPDATE: 0, Action.DELETE: -1}[change.action]
    for kind, there in counts.items():
        if there >= limits.emptied_count and there + net[kind] == 0:
            yield Guard(GuardName.THRESHOLD, f"all {there} entries of {kind} would be deleted")
    if total >= limits.update_total and updated * 100 > limits.update_percent * total:
        yield Guard(
            GuardName.THRESHOLD,
            f"{updated} of {count(total, 'setting')} would be updated ({_percent(updated, total)} %)",
        )
