"""What the history that is checked out says of the commits that versions were made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rowform.ancestry import DEEPEN, Named, between, contains, folders, is_sha, knows, trailers
from rowform.errors import GitError
from rowform.git import Commit, Repository
from rowform.guards import TRAILER, Allowed, Consent, Guard, GuardName, consent
from rowform.header import DEFAULTS_PREFIX
from rowform.plan import Base, RestaurantPlan
from rowform.text import Code, Plain, Sentence, closest


def sha_of(commit: str | None) -> str | None:
    """What a version says of its commit, if that is one."""
    return commit if commit and is_sha(commit) else None


@dataclass(slots=True)
class History:
    """The history that is checked out; what it was asked once it knows."""

    repository: Repository
    head: Commit
    _why: dict[str, Sentence | None] = field(default_factory=dict[str, "Sentence | None"])
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
            reason = Sentence(
                "version {number} was made from {commit}; {why}",
                number=base.version_number,
                commit=Plain(active[:7]),
                why=why,
            )
            yield Guard(GuardName.OLDER, reason)

    def _unlike(self, active: str) -> Sentence | None:
        """How the commit at hand is not the active one's successor."""
        here = Plain(self.head.short)
        if not self._knows(active):
            self._ensure_whole(active)
            return Sentence("that commit is not in this repository, where {here} is checked out", here=here)
        if contains(self.repository, self.head.sha, active):
            return None
        if contains(self.repository, active, self.head.sha):
            return Sentence("the commit that is checked out, {here}, is older", here=here)
        self._ensure_whole(active)
        return Sentence(
            "the commit that is checked out, {here}, does not contain it: they have diverged", here=here
        )

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

    def between(self, back: str | None, gone: str, slug: str) -> list[Named]:
        """The commits from one version's to another's that are about a restaurant, newest first.

        If Git does not know them, the last one alone.
        """
        if back is None or not (self._knows(back) and self._knows(gone)):
            return [Named(gone, gone[:7])]
        found = between(self.repository, back, gone, (f"{slug}/**", f"{DEFAULTS_PREFIX}*/**"))
        self._known.update((one.sha, True) for one in found)
        return found

    def beside(self, commits: Sequence[Named], slug: str) -> list[str]:
        """The directories of other restaurants, or of what several inherit, that commits changed."""
        known = [one.sha for one in commits if self._knows(one.sha)]
        return sorted(name for name in folders(self.repository, known) if name != slug)

    def allow(
        self, plan: RestaurantPlan, active: str | None, taken: Sequence[str | None]
    ) -> tuple[RestaurantPlan, list[Sentence]]:
        """Set the guards apart that commits consent to; and say what is strange about the consents.

        Args:
            plan: the restaurant's plan.
            active: the commit of the active version: it and those before it have been applied.
            taken: the commits of versions that were rolled back.
        """
        blocked: list[Guard] = []
        allowed: list[Allowed] = []
        strange: dict[Sentence, None] = {}
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
                said = Sentence(
                    "{trailer} in {commit} does not count: there are uncommitted changes",
                    trailer=Plain(TRAILER),
                    commit=Plain(by.commit[:7]),
                )
                strange[said] = None
        return replace(plan, blocked=tuple(blocked), allowed=tuple(allowed)), list(strange)

    def _found(self, applied: Sequence[str | None]) -> list[Consent]:
        """The consents of the commits being applied, newest first."""
        known = tuple(dict.fromkeys(sha for one in applied if (sha := sha_of(one)) and self._knows(sha)))
        without = known if len(known) == len(dict.fromkeys(applied)) else None
        if without not in self._consents:
            self._consents[without] = [
                consent(one.sha, one.author, one.values)
                for one in trailers(self.repository, TRAILER, without=without)
            ]
        return self._consents[without]


def _strange(found: Consent) -> Iterator[Sentence]:
    for name in found.strange:
        parts = {"trailer": Plain(TRAILER), "commit": Plain(found.commit[:7]), "name": name}
        if name in list(GuardName):
            yield Sentence("{trailer} in {commit} names {name}, which nothing overrules", **parts)
        elif guess := closest(name, [guard.value for guard in GuardName if guard.forceable]):
            yield Sentence(
                "{trailer} in {commit} names {name}, which is no guard: did you mean {guess}?",
                **parts,
                guess=Code(guess),
            )
        else:
            yield Sentence("{trailer} in {commit} names {name}, which is no guard", **parts)
