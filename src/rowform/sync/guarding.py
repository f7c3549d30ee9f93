"""The guards that need Git and the history of the database, and what commits consent to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rowform.git import Commit, Repository
from rowform.plan import Plan, RestaurantPlan
from rowform.sync.commits import History, sha_of
from rowform.text import Sentence, Told

if TYPE_CHECKING:
    from rowform.store.rollbacks import Lineage
    from rowform.store.session import Session


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
    history = History(repository, commit) if repository and commit else None
    done: dict[str, RestaurantPlan] = {}
    notes: dict[Told, None] = dict.fromkeys(plan.notes)
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
    history = History(repository, commit)
    found = [history.allow(one, applied, ()) if one.blocked else (one, ()) for one in plan.restaurants]
    notes: dict[Told, None] = dict.fromkeys(
        (*plan.notes, *(said for _, strange in found for said in strange))
    )
    return replace(plan, restaurants=tuple(one for one, _ in found), notes=tuple(notes))


def _guarded(
    plan: RestaurantPlan, lineage: Lineage | None, history: History | None
) -> tuple[RestaurantPlan, Iterable[Sentence]]:
    """One restaurant's plan with all its guards, and notes that are not about it alone."""
    base = plan.base
    if base is None:
        return plan, ()
    blocked, notes = list(plan.blocked), plan.notes
    taken: Sequence[str | None] = ()
    if lineage and lineage.switches:
        # Few plans come after a switch back.
        from rowform.sync.returning import returning

        found = returning(plan, base, lineage.switches, history)
        blocked.extend(found.guards)
        notes, taken = (*notes, *found.notes), found.commits
    commit = sha_of(lineage.commit if lineage else base.commit)
    if history and commit:
        blocked.extend(history.older(commit, base))
    plan = replace(plan, blocked=tuple(blocked), notes=notes)
    if not (history and blocked):
        return plan, ()
    # Nobody consents beforehand to what a rollback takes away later.
    return history.allow(plan, commit, taken)
