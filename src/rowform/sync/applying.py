"""Applying a plan: guards first, then one transaction per restaurant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rowform import __version__
from rowform.diff import Action
from rowform.errors import Blocked, PartlyApplied, Refused, RowformError
from rowform.guards import GuardName
from rowform.kinds import kinds
from rowform.plan import Plan, RestaurantPlan
from rowform.state import digest
from rowform.store.apply import Applied, Origin, apply_plan
from rowform.sync.planning import Planned
from rowform.sync.reasons import reasons
from rowform.text import count, joined


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one restaurant."""

    plan: RestaurantPlan
    applied: Applied | None = None
    error: RowformError | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "restaurant": self.plan.slug,
            "status": "failed" if self.error else "applied" if self.applied else "unchanged",
            "version_id": self.applied.version_id if self.applied else None,
            "version_number": self.applied.version_number if self.applied else None,
            "summary": {action.value: self.plan.count(action) for action in Action},
            "error": self.error.to_json() if self.error else None,
        }


def check_guards(plan: Plan, forced: Sequence[GuardName]) -> None:
    """Refuse a plan with guards that were not forced.

    Raises:
        Blocked: before anything was written.
    """
    fired = [
        (one.slug, guard)
        for one in plan.restaurants
        for guard in one.blocked
        if not (guard.name.forceable and guard.name in forced)
    ]
    if not fired:
        return
    places = dict.fromkeys(f"{guard.name} ({slug})" for slug, guard in fired)
    reasons = dict.fromkeys(guard.reason for _, guard in fired)
    names = dict.fromkeys(guard.name for _, guard in fired)
    if all(name.forceable for name in names):
        hint = f"if this is what you want: {' '.join(f'--force {name}' for name in names)}"
    else:
        hint = "a locked version stays as it is until somebody unlocks it"
    raise Blocked(f"nothing was applied: blocked by {joined(places)}: {'; '.join(reasons)}", hint)


def _no_progress(_plan: RestaurantPlan, _index: int, _total: int) -> None:
    """Show nothing."""


def apply_planned(
    work: Planned,
    *,
    message: str | None = None,
    actor: str | None = None,
    forced: Sequence[GuardName] = (),
    progress: Callable[[RestaurantPlan, int, int], None] = _no_progress,
) -> list[Outcome]:
    """Apply a plan, one transaction per restaurant; one that fails does not stop the others.

    Raises:
        Blocked: a guard fired that was not forced; nothing was written.
    """
    check_guards(work.plan, forced)
    pending = [one for one in work.plan.restaurants if one.has_changes]
    outcomes: list[Outcome] = [Outcome(one) for one in work.plan.restaurants if not one.has_changes]
    why = _reasons(work, pending, message)
    current = work.session
    for index, one in enumerate(pending):
        progress(one, index, len(pending))
        try:
            if current.connection.closed:
                current = work.reconnect()
            origin = _origin(work, one, message, actor, forced, why.get(one.slug, {}))
            outcomes.append(Outcome(one, apply_plan(current, one, origin, work.reconnect)))
        except RowformError as error:
            outcomes.append(Outcome(one, error=error))
    return sorted(outcomes, key=lambda outcome: outcome.plan.slug)


def _origin(
    work: Planned,
    plan: RestaurantPlan,
    message: str | None,
    actor: str | None,
    forced: Sequence[GuardName],
    why: Mapping[tuple[str, str], str],
) -> Origin:
    """What the version and its audit will say of where they come from."""
    overruled = sorted({guard.name.value for guard in plan.blocked if guard.name in forced})
    subject = work.commit.subject if work.commit else ""
    source = {**work.plan.source, "digest": digest(plan.target), "reason": message}
    if overruled:
        source["forced"] = overruled
    return Origin(message or subject or f"Applied by rowform {__version__}", actor, source, why)


def _reasons(
    work: Planned, plans: Sequence[RestaurantPlan], message: str | None
) -> dict[str, dict[tuple[str, str], str]]:
    """Why each change was made, by restaurant: the commit that last touched its entry, else the message."""
    if work.repository is not None and work.commit is not None:
        return reasons(work.repository, work.commit, plans, kinds(), work.config_dir)
    return {
        plan.slug: {(change.kind, change.key): message for change in plan.changes if message}
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
