"""What happened to a restaurant since a plan was made: which versions came, and who made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rowform.plan import RestaurantPlan
from rowform.render.versions import author_of, is_direct
from rowform.text import count, escape, joined

if TYPE_CHECKING:
    from rowform.store.read import Version
    from rowform.store.session import Session

#: How many versions are told of one by one.
_SHOWN = 5
#: More of a reason than this is not told.
_REASON_WIDTH = 120


def moved(then: RestaurantPlan, now: RestaurantPlan) -> bool:
    """Whether the database is not any more what a plan was made against."""
    return _standing(then) != _standing(now)


def _standing(plan: RestaurantPlan) -> tuple[bool, str | None, int | None]:
    base = plan.base
    if base is None:
        return plan.creates_restaurant, None, None
    return plan.creates_restaurant, base.version_id, base.newest_version_number


def versions_since(session: Session, then: RestaurantPlan, now: RestaurantPlan) -> list[Version]:
    """The versions that came since a plan was made, oldest first; all of them if none was active then.

    Raises:
        DatabaseError: the server refused or failed.
    """
    from rowform.store.read import history

    newest = now.actual.newest
    last = then.base.newest_version_number if then.base else 0
    if newest <= last:
        return []
    return history(session, now.restaurant.id, limit=newest - last)[::-1]


def told(session: Session, then: RestaurantPlan, now: RestaurantPlan, since: Sequence[Version]) -> str:
    """What happened, as one sentence without a full stop.

    Args:
        session: where to look.
        then: the plan as it was made.
        now: the plan as it comes out now.
        since: the versions between the two.

    Raises:
        DatabaseError: the server refused or failed.
    """
    slug = escape(then.slug)
    was = (
        f"{slug} was at version {then.base.version_number}" if then.base else f"{slug} had no active version"
    )
    (subject, done), *others = _events(session, then, now, since)
    return (
        f"{was}, and since then {joined([f'{subject} was {done}', *(' '.join(other) for other in others)])}"
    )


def _events(
    session: Session, then: RestaurantPlan, now: RestaurantPlan, since: Sequence[Version]
) -> list[tuple[str, str]]:
    """What was done to what; at least one event."""
    base = then.base
    if now.creates_restaurant or (base and now.actual.newest < base.newest_version_number):
        return [("its history", "deleted")]
    active = now.base.version_id if now.base else None
    replaced = active != (base.version_id if base else None)
    # Without an active version nobody knows which ones were there already.
    came = since if base or then.creates_restaurant else ()
    events = [(f"version {one.number}", _made(one, applied=replaced)) for one in came[-_SHOWN:]]
    if len(came) > _SHOWN:
        events.append((count(len(came) - _SHOWN, "earlier version"), "made"))
    if replaced and all(one.id != active for one in came):
        events.append(_switched(session, now))
    return events or [("it", "created")]


def _made(version: Version, *, applied: bool) -> str:
    source = version.source
    author = author_of(source)
    who = f" by {escape(author if is_direct(source) else author.partition(' <')[0])}" if author else ""
    if is_direct(source):
        return f"written directly{who}"
    if version.state == "staged":
        done = "staged"
    else:
        done = "applied" if applied and version.state != "draft" else "made"
    return f"{done}{who}{_from(source)}"


def _from(source: Mapping[str, Any]) -> str:
    commit = source.get("commit")
    return (
        f" ({escape(str(commit)[:7])})" if commit else " from files" if source.get("kind") == "files" else ""
    )


def _switched(session: Session, now: RestaurantPlan) -> tuple[str, str]:
    from rowform.store.activation import activation_reason

    if now.base is None:
        return "the active version", "switched off"
    reason = escape(activation_reason(session, now.restaurant.id, now.base.version_id) or "")
    why = f" ({reason[:_REASON_WIDTH]}{'…' if len(reason) > _REASON_WIDTH else ''})" if reason else ""
    return f"version {now.base.version_number}", f"made the active one{why}"
