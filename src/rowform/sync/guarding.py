"""The guards that need Git and the history of the database, and what commits consent to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rowform.ancestry import contains, is_sha, knows, subjects, trailers
from rowform.branch import DEEPEN
from rowform.errors import GitError
from rowform.git import Commit, Repository
from rowform.guards import TRAILER, Allowed, Consent, Guard, GuardName, consent
from rowform.header import DEFAULTS_PREFIX
from rowform.plan import Base, Plan, RestaurantPlan
from rowform.rollbacks import Field, SwitchBack, brought_back, some
from rowform.text import did_you_mean, quote

if TYPE_CHECKING:
    from rowform.store.rollbacks import Lineage
    from rowform.store.session import Session

#: How many commits are named.
_SHOWN = 5
#: More of a subject than this is not told.
_WIDTH = 120


def guarded(plan: Plan, session: Session, repository: Repository | None, commit: Commit | None) -> Plan:
    """A plan with all its guards, and those that a commit allows apart.

    Asks the database only where the active version is not simply the last one that a plan made, and Git
    only about commits that differ.

    Args:
        plan: what would be done, with the guards that its changes set off.
        session: where it would be done.
        repository: the configuration's, if it is in one.
        commit: what is checked out there.

    Raises:
        GitError: part of the history that is needed is missing, or Git failed.
        DatabaseError: the server refused or failed.
    """
    work = [one for one in plan.restaurants if one.has_changes and one.base]
    if not work:
        return plan
    asked = [one.restaurant.id for one in work if one.base and not one.base.is_settled]
    found: Mapping[str, Lineage] = {}
    if asked:
        from rowform.store.rollbacks import lineages

        found = lineages(session, asked)
    history = _History(repository, commit) if repository and commit else None
    done: dict[str, RestaurantPlan] = {}
    notes: dict[str, None] = dict.fromkeys(plan.notes)
    for one in work:
        more, said = _guarded(one, found.get(one.restaurant.id), history)
        done[one.slug] = more
        notes.update(dict.fromkeys(said))
    restaurants = tuple(done.get(one.slug, one) for one in plan.restaurants)
    return replace(plan, restaurants=restaurants, notes=tuple(notes))


def consented(plan: Plan, repository: Repository, commit: Commit, applied: str) -> Plan:
    """A plan without a database, with the guards apart that commits allow.

    Args:
        plan: what would be done, with the guards that its changes set off.
        repository: the configuration's.
        commit: what is checked out there.
        applied: the commit that takes the active version's place.

    Raises:
        GitError: Git failed.
    """
    history = _History(repository, commit)
    found = [history.allow(one, applied, ()) if one.blocked else (one, ()) for one in plan.restaurants]
    notes = dict.fromkeys((*plan.notes, *(said for _, strange in found for said in strange)))
    return replace(plan, restaurants=tuple(one for one, _ in found), notes=tuple(notes))


def _guarded(
    plan: RestaurantPlan, lineage: Lineage | None, history: _History | None
) -> tuple[RestaurantPlan, Iterable[str]]:
    """One restaurant's plan with all its guards, and notes that are not about it alone."""
    base = plan.base
    if base is None:
        return plan, ()
    returning: list[tuple[SwitchBack, list[Field]]] = []
    seen = set[Field]()
    for switch in lineage.switches if lineage else ():
        # What was taken away twice is told of once.
        fields = [f for f in brought_back(plan.changes, plan.actual.former, switch) if f not in seen]
        if fields:
            returning.append((switch, fields))
            seen.update(fields)
    reverts = [(switch, fields, _Revert.of(switch, plan.slug, history)) for switch, fields in returning]
    commit = _sha(lineage.commit if lineage else base.commit)
    blocked = [*plan.blocked, *_rolled_back(reverts)]
    if history and commit:
        blocked.extend(history.older(commit, base))
    notes = (*plan.notes, *_behind(base, reverts))
    plan = replace(plan, blocked=tuple(blocked), notes=notes)
    if not (history and blocked):
        return plan, ()
    # Nobody consents beforehand to what a rollback takes away later.
    taken = [switch.gone.commit for switch, _ in returning if switch.is_rollback]
    return history.allow(plan, commit, taken)


def _sha(commit: str | None) -> str | None:
    """What a version says of its commit, if that is one."""
    return commit if commit and is_sha(commit) else None


# --- what a rollback took away -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Revert:
    """What to revert in Git, so that what was taken away stays away."""

    commits: Sequence[tuple[str, str]] = ()
    more: int = 0

    @classmethod
    def of(cls, switch: SwitchBack, slug: str, history: _History | None) -> _Revert:
        """The commits between the two versions that are about the restaurant, newest first."""
        gone, back = _sha(switch.gone.commit), _sha(switch.back_commit)
        if history is None or gone is None or switch.gone.is_dirty or gone == back:
            return cls()
        found = history.between(back, gone, slug)
        return cls(found[:_SHOWN], max(0, len(found) - _SHOWN))

    def __str__(self) -> str:
        if not self.commits:
            return ""
        named = ", ".join(quote(subject, _WIDTH) for _, subject in self.commits if subject)
        more = f" and {self.more:,} earlier ones" if self.more else ""
        return f"{self.command}{f' ({named}{more})' if named or more else ''}"

    @property
    def command(self) -> str:
        return f"git revert {' '.join(short for short, _ in self.commits)}"


_Returning = Sequence[tuple[SwitchBack, Sequence[Field], _Revert]]


def _rolled_back(returning: _Returning) -> Iterator[Guard]:
    for switch, fields, revert in returning:
        if switch.is_rollback:
            way = f"`{revert.command}` keeps away what was rolled back" if revert.commits else None
            yield Guard(
                GuardName.ROLLED_BACK,
                f"{switch.version()} was rolled back, and would come back in part or whole: {some(fields)}"
                f"{f'; revert it first: {revert}' if revert.commits else ''}",
                way,
            )


def _behind(base: Base, returning: _Returning) -> Iterator[str]:
    for switch, _, revert in returning:
        if revert.commits:
            way = f"to keep it that way revert: {revert}"
        elif switch.gone.is_dirty:
            way = "it was made from uncommitted changes, so that there is no commit to revert"
        elif switch.gone.kind != "git":
            way = "it does not come from Git, so that there is no commit to revert"
        else:
            way = "no commit is known to revert"
        ahead = "Git" if switch.gone.kind == "git" else "the configuration"
        yield f"version {base.version_number} is active and behind {ahead}: {switch.told()}; {way}"


# --- Git -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _History:
    """The history that is checked out; what it was asked once it knows."""

    repository: Repository
    head: Commit
    _why: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    _consents: dict[tuple[str, ...] | None, list[Consent]] = field(
        default_factory=dict[tuple[str, ...] | None, list[Consent]]
    )
    _known: dict[str, bool] = field(default_factory=dict[str, bool])

    def older(self, active: str, base: Base) -> Iterator[Guard]:
        """The guard against a commit that does not contain the active version's."""
        if active not in self._why:
            self._why[active] = None if active == self.head.sha else self._unlike(active)
        why = self._why[active]
        if why is not None:
            yield Guard(
                GuardName.OLDER,
                f"version {base.version_number} was made from {active[:7]}; {why}",
            )

    def _unlike(self, active: str) -> str | None:
        """How the commit at hand is not the active one's successor."""
        here = self.head.short
        if not self._knows(active):
            self._ensure_whole(active)
            return f"that commit is not in this repository, where {here} is checked out"
        if contains(self.repository, self.head.sha, active):
            return None
        if contains(self.repository, active, self.head.sha):
            return f"the commit that is checked out, {here}, is older"
        self._ensure_whole(active)
        return f"the commit that is checked out, {here}, does not contain it: they have diverged"

    def _ensure_whole(self, active: str) -> None:
        if self.repository.is_shallow():
            raise GitError(
                f"history is missing: this clone is shallow, and does not tell whether {self.head.short}"
                f" comes after {active[:7]}, which the active version was made from",
                DEEPEN,
            )

    def _knows(self, sha: str) -> bool:
        if sha not in self._known:
            self._known[sha] = knows(self.repository, sha)
        return self._known[sha]

    def between(self, back: str | None, gone: str, slug: str) -> list[tuple[str, str]]:
        """The commits from one version's to another's that are about a restaurant, newest first.

        If Git does not know them, the last one alone.
        """
        if back is None or not (self._knows(back) and self._knows(gone)):
            return [(gone[:7], "")]
        return subjects(self.repository, back, gone, (f"{slug}/**", f"{DEFAULTS_PREFIX}*/**"))

    def allow(
        self, plan: RestaurantPlan, active: str | None, taken: Sequence[str | None]
    ) -> tuple[RestaurantPlan, list[str]]:
        """Set the guards apart that commits consent to; and say what is strange about the consents.

        Args:
            plan: the restaurant's plan.
            active: the commit of the active version: it and those before it have been applied.
            taken: the commits of versions that were rolled back.
        """
        blocked: list[Guard] = []
        allowed: list[Allowed] = []
        strange: dict[str, None] = {}
        for guard in plan.blocked:
            rolled_back = guard.name is GuardName.ROLLED_BACK
            found = self._found([active, *(taken if rolled_back else ())])
            strange.update(dict.fromkeys(said for one in found for said in _strange(one)))
            by = next((one for one in found if guard.name in one.guards), None)
            if by and not self.head.dirty:
                allowed.append(Allowed(guard, by.commit, by.author))
                continue
            blocked.append(guard)
            if by:
                # Nobody has seen what would be applied.
                strange[f"{TRAILER} in {by.commit[:7]} does not count: there are uncommitted changes"] = None
        return replace(plan, blocked=tuple(blocked), allowed=tuple(allowed)), list(strange)

    def _found(self, applied: Sequence[str | None]) -> list[Consent]:
        """The consents of the commits being applied, newest first."""
        known = tuple(dict.fromkeys(sha for one in applied if (sha := _sha(one)) and self._knows(sha)))
        without = known if len(known) == len(dict.fromkeys(applied)) else None
        if without not in self._consents:
            self._consents[without] = [
                consent(one.sha, one.author, one.values)
                for one in trailers(self.repository, TRAILER, without=without)
            ]
        return self._consents[without]


def _strange(found: Consent) -> Iterator[str]:
    for name in found.strange:
        where = f"{TRAILER} in {found.commit[:7]} names {quote(name, _WIDTH)}"
        if name in list(GuardName):
            yield f"{where}, which nothing overrules"
        else:
            forceable = [guard.value for guard in GuardName if guard.forceable]
            hint = did_you_mean(name, forceable)
            yield f"{where}, which is no guard{f': {hint}' if hint else ''}"
