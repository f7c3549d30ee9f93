"""Applying a plan: guards first, then one transaction per restaurant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rowform import __version__
from rowform.diff import Action
from rowform.errors import Blocked, PartlyApplied, Refused, RowformError
from rowform.guards import Guard, GuardName
from rowform.kinds import kinds
from rowform.plan import Plan, RestaurantPlan
from rowform.staged import Staged
from rowform.state import digest
from rowform.store.apply import AT_ONCE, Applied, Manner, Origin, apply_plan
from rowform.sync.planning import Planned
from rowform.sync.reasons import Reason, reasons
from rowform.text import count, joined


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one restaurant; ``staged_already`` is the version that made staging it unnecessary."""

    plan: RestaurantPlan
    applied: Applied | None = None
    error: RowformError | None = None
    staged_already: Staged | None = None

    @property
    def status(self) -> str:
        if self.error:
            return "failed"
        if self.applied is None:
            return "unchanged"
        return "staged" if self.applied.is_staged else "applied"

    def to_json(self) -> dict[str, Any]:
        version = self.applied or self.staged_already
        return {
            "restaurant": self.plan.slug,
            "status": self.status,
            "version_id": version.version_id if version else None,
            "version_number": version.version_number if version else None,
            "summary": {action.value: self.plan.count(action) for action in Action},
            "error": self.error.to_json() if self.error else None,
        }


def check_guards(plan: Plan, forced: Sequence[GuardName], manner: Manner = AT_ONCE) -> None:
    """Refuse a plan with guards that were not forced. What is unlocked first is not locked.

    Raises:
        Blocked: before anything was written.
    """
    fired = [
        (one.slug, guard)
        for one in plan.restaurants
        for guard in one.blocked
        if not (guard.name.forceable and guard.name in forced)
        and not (guard.name is GuardName.LOCKED and manner.unlock)
    ]
    if not fired:
        return
    places = dict.fromkeys(f"{guard.name} ({slug})" for slug, guard in fired)
    reasons = dict.fromkeys(guard.reason for _, guard in fired)
    message = f"nothing was applied: blocked by {joined(places)}: {'; '.join(reasons)}"
    raise Blocked(message, _ways_out([guard for _, guard in fired]))


#: What to do about a guard instead of overruling it.
_WAYS_OUT = {
    GuardName.LOCKED: "`rowform apply --unlock` unlocks what is locked, and applies, in one step",
    GuardName.DRIFT: "`rowform pull` brings direct writes into the files",
    GuardName.OLDER: "rebase, or check out the newest commit",
}


def _ways_out(fired: Sequence[Guard]) -> str:
    ways = dict.fromkeys(way for guard in fired if (way := guard.way_out or _WAYS_OUT.get(guard.name)))
    forces = " ".join(dict.fromkeys(f"--force {guard.name}" for guard in fired if guard.name.forceable))
    return "; ".join([*ways, *([f"if this is what you want: {forces}"] if forces else ())])


def pending(plan: Plan, manner: Manner) -> list[RestaurantPlan]:
    """The restaurants that an apply would write a version of."""
    return [one for one in plan.restaurants if one.has_changes and not (manner.stages and one.staged_already)]


def _no_progress(_plan: RestaurantPlan, _index: int, _total: int) -> None:
    """Show nothing."""


def apply_planned(
    work: Planned,
    *,
    message: str | None = None,
    actor: str | None = None,
    forced: Sequence[GuardName] = (),
    manner: Manner = AT_ONCE,
    progress: Callable[[RestaurantPlan, int, int], None] = _no_progress,
) -> list[Outcome]:
    """Apply a plan, one transaction per restaurant; one that fails does not stop the others.

    What is staged already is not staged again.

    Raises:
        Blocked: a guard fired that was not forced; nothing was written.
    """
    check_guards(work.plan, forced, manner)
    todo = pending(work.plan, manner)
    slugs = {one.slug for one in todo}
    outcomes: list[Outcome] = [
        Outcome(one, staged_already=one.staged_already if one.has_changes else None)
        for one in work.plan.restaurants
        if one.slug not in slugs
    ]
    why = _reasons(work, todo, message)
    current = work.session
    for index, one in enumerate(todo):
        progress(one, index, len(todo))
        try:
            if current.connection.closed:
                current = work.reconnect()
            origin = _origin(work, one, message, actor, forced, why.get(one.slug, {}))
            outcomes.append(Outcome(one, apply_plan(current, one, origin, work.reconnect, manner)))
        except RowformError as error:
            outcomes.append(Outcome(one, error=error))
    return sorted(outcomes, key=lambda outcome: outcome.plan.slug)


def _origin(
    work: Planned,
    plan: RestaurantPlan,
    message: str | None,
    actor: str | None,
    forced: Sequence[GuardName],
    why: Mapping[tuple[str, str], Reason],
) -> Origin:
    """What the version and its audit will say of where they come from."""
    overruled = sorted({guard.name.value for guard in plan.blocked if guard.name in forced})
    subject = work.commit.subject if work.commit else ""
    source = {**work.plan.source, "digest": digest(plan.target), "reason": message}
    if overruled:
        source["forced"] = overruled
    if plan.allowed:
        source["allowed"] = {one.guard.name.value: one.commit for one in plan.allowed}
    taken_back = sorted({sha for one in why.values() for sha in one.reverts})
    if taken_back:
        source["reverts"] = taken_back
    return Origin(
        message or subject or f"Applied by rowform {__version__}",
        actor,
        source,
        {name: one.text for name, one in why.items()},
        _overruled([guard for guard in plan.blocked if guard.name.value in overruled]),
    )


def _overruled(guards: Sequence[Guard]) -> str | None:
    """What the audit says of the guards that were overruled, if there are any."""
    if not guards:
        return None
    names = list(dict.fromkeys(guard.name.value for guard in guards))
    noun = "Guard" if len(names) == 1 else "Guards"
    return f"{noun} {joined(names)} overruled with --force: {'; '.join(guard.reason for guard in guards)}"


def _reasons(
    work: Planned, plans: Sequence[RestaurantPlan], message: str | None
) -> dict[str, dict[tuple[str, str], Reason]]:
    """Why each change was made, by restaurant: the commit that last touched its entry, else the message."""
    if work.repository is not None and work.commit is not None:
        return reasons(work.repository, work.commit, plans, kinds(), work.config_dir)
    return {
        plan.slug: {(change.kind, change.key): Reason(message) for change in plan.changes if message}
        for plan in plans
    }


def failure(outcomes: Sequence[Outcome]) -> RowformError | None:
    """The error that a run with these outcomes ends with, if any.

    A refusal is one only if nothing at all was written.
    """
    failed = [outcome for outcome in outcomes if outcome.error]
    errors = [outcome.error for outcome in failed if outcome.error]
    if not errors:
        return None
    written = any(outcome.applied for outcome in outcomes)
    if len(errors) == 1 and not written:
        return errors[0]
    names = joined(outcome.plan.slug for outcome in failed)
    message = f"{len(failed)} of {count(len(outcomes), 'restaurant')} failed: {names}"
    if written:
        return PartlyApplied(message, "the others are applied; run it again for these")
    hints = {error.hint for error in errors}
    refused = all(isinstance(error, Refused) for error in errors)
    return (Refused if refused else RowformError)(message, hints.pop() if len(hints) == 1 else None)
