"""Guards: reasons for which an apply is refused until somebody looks at it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from rowform.diff import Action, Change
from rowform.text import Count, Sentence, Several, Told, Word, utc

if TYPE_CHECKING:
    from rowform.drift import Drift


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


#: How many fields a reason names.
_SHOWN = 3
#: The token of the commit trailer that consents to a guard.
TRAILER = "Rowform-Allow"


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
    """A guard that fired, and why; ``way_out`` is what to do instead of overruling it, if that is known."""

    name: GuardName
    reason: Told
    way_out: str | None = None

    def to_json(self) -> dict[str, object]:
        return {"guard": self.name.value, "reason": str(self.reason), "forceable": self.name.forceable}


@dataclass(frozen=True, slots=True)
class Allowed:
    """A guard that fired and stops nothing, because a commit consents to it by a trailer."""

    guard: Guard
    commit: str
    author: str

    def told(self) -> str:
        """Which guard, why it fired, and who consents."""
        who = self.author.partition(" <")[0]
        return f"{self.guard.name}: {self.guard.reason} ({TRAILER} in {self.commit[:7]} by {who})"

    def to_json(self) -> dict[str, object]:
        return {**self.guard.to_json(), "by": {"commit": self.commit, "author": self.author}}


@dataclass(frozen=True, slots=True)
class Consent:
    """What the trailers of one commit consent to: the forceable guards, and names that mean nothing."""

    commit: str
    author: str
    guards: tuple[GuardName, ...]
    strange: tuple[str, ...]


def consent(commit: str, author: str, trailers: Iterable[str]) -> Consent:
    """Read the values of a commit's trailers: names of guards, with commas or spaces between them."""
    names = dict.fromkeys(name.lower() for value in trailers for name in re.split(r"[\s,]+", value) if name)
    forceable = [guard for guard in GuardName if guard.forceable]
    return Consent(
        commit,
        author,
        tuple(guard for guard in forceable if guard.value in names),
        tuple(name for name in names if name not in forceable),
    )


def locked(number: int, since: datetime | None, why: str | None) -> Sentence:
    """What is to be said of an active version's lock; an old one may not be in the audit."""
    if since is None or why is None:
        return Sentence("the active version {number} is locked", number=number)
    return Sentence(
        "the active version {number} is locked since {moment} UTC: {why}",
        number=number,
        moment=Word(utc(since)),
        why=why,
    )


def fired(
    changes: Sequence[Change],
    counts: Mapping[str, int],
    *,
    lock: Sentence | None,
    thresholds: Thresholds,
) -> Iterator[Guard]:
    """The guards that a restaurant's changes set off.

    Args:
        changes: what would be done.
        counts: how many settings of each kind there are now.
        lock: what is to be said of the active version's lock, if it is locked.
        thresholds: how much is too much.
    """
    if changes and lock is not None:
        yield Guard(GuardName.LOCKED, lock)
    yield from _threshold(changes, counts, thresholds)


def overwriting(lost: Sequence[Drift]) -> Iterator[Guard]:
    """The guard that the direct writes set off which a plan would overwrite."""
    if lost:
        fields = Several.of([one.said() for one in lost], _SHOWN, apart=True)
        reason = Sentence("direct writes would be overwritten: {fields}", fields=fields)
        yield Guard(GuardName.DRIFT, reason)


def _percent(part: int, total: int) -> str:
    """A share with one decimal, rounded down: what is over a limit never looks like the limit."""
    return f"{part * 1000 // total / 10:g}"


def _share(action: Action, part: int, total: int) -> Guard:
    """The guard against something being done to so many of all."""
    reason = Sentence(
        "{part} of {settings} would be deleted ({percent} %)"
        if action is Action.DELETE
        else "{part} of {settings} would be updated ({percent} %)",
        part=Word(part),
        settings=Count(total, "setting"),
        percent=Word(_percent(part, total)),
    )
    return Guard(GuardName.THRESHOLD, reason)


def _threshold(changes: Sequence[Change], counts: Mapping[str, int], limits: Thresholds) -> Iterator[Guard]:
    total = sum(counts.values())
    deleted = sum(change.action is Action.DELETE for change in changes)
    updated = sum(change.action is Action.UPDATE for change in changes)
    if deleted >= limits.delete_count and deleted * 100 > limits.delete_percent * total:
        yield _share(Action.DELETE, deleted, total)
    net = Counter[str]()
    for change in changes:
        net[change.kind] += {Action.CREATE: 1, Action.UPDATE: 0, Action.DELETE: -1}[change.action]
    for kind, there in counts.items():
        if there >= limits.emptied_count and there + net[kind] == 0:
            reason = Sentence(
                "all {there} entries of {kind} would be deleted", there=Word(there), kind=Word(kind)
            )
            yield Guard(GuardName.THRESHOLD, reason)
    if total >= limits.update_total and updated * 100 > limits.update_percent * total:
        yield _share(Action.UPDATE, updated, total)
