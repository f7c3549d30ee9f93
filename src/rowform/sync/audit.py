"""What the audit trail knows: who changed what, when, from which commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rowform.audit import Audited, Blame, Leaf, setting_values
from rowform.errors import UsageError
from rowform.kinds import Kind, kinds
from rowform.plan import Actual
from rowform.render.versions import author_of
from rowform.sync.configuration import Settings, load_tool_config
from rowform.sync.database import session
from rowform.sync.versions import named, one_restaurant, version_number
from rowform.text import did_you_mean, escape, joined, pointer, quote

if TYPE_CHECKING:
    from rowform.store.audit import Filter, Holder
    from rowform.store.session import Session

#: How many rows are read at a time until every field is accounted for.
_BATCH = 500
#: More than anybody reads, and still a number that PostgreSQL takes.
_MAX_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows people want to see; what is left out lets everything through.

    ``version`` is a number, or ``active``; ``before`` leaves out rows from that number on.
    """

    kind: str | None = None
    key: str | None = None
    version: str | None = None
    before: int | None = None
    notes: bool = False
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Trail:
    """Rows of one restaurant, newest first, and whether there are older ones."""

    slug: str
    restaurant_id: str
    rows: Sequence[Audited]
    more: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "restaurant": self.slug,
            "restaurant_id": self.restaurant_id,
            "entries": [_row_json(row) for row in self.rows],
            "more": self.more,
        }


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of one setting as they are active, each with the row that set it."""

    slug: str
    restaurant_id: str
    kind: str
    key: str
    leaves: Sequence[Leaf]

    def to_json(self) -> dict[str, Any]:
        return {
            "restaurant": self.slug,
            "restaurant_id": self.restaurant_id,
            "kind": self.kind,
            "key": self.key,
            "fields": [
                {
                    "path": pointer(leaf.path),
                    "value": leaf.value,
                    "set_by": {"seq": leaf.row.seq, **origin_json(leaf.row)} if leaf.row else None,
                }
                for leaf in self.leaves
            ],
        }


def origin_json(row: Audited) -> dict[str, Any]:
    """Who wrote a row, when, why and in which version, as documents have it."""
    version = {
        "version_id": row.version_id,
        "version_number": row.version_number,
        "name": row.version_name,
        "origin": row.source.get("kind"),
    }
    return {
        "changed_at": row.changed_at.isoformat(),
        "version": version if row.version_id else None,
        "author": (author_of(row.source) or None) if row.made else None,
        "changed_by": row.changed_by,
        "commit": row.source.get("commit"),
        "dirty": row.source.get("dirty"),
        "reason": row.reason,
    }


def _row_json(row: Audited) -> dict[str, Any]:
    event = row.is_event
    return {
        "seq": row.seq,
        **origin_json(row),
        "event": row.event if event else None,
        "replaced_version_number": row.replaced if event else None,
        "operation": None if event else row.operation,
        "kind": None if event else row.table,
        "key": None if event else row.key,
        "previous_key": None if event else row.previous_key,
        "setting_id": None if event else row.setting_id,
        "before": None if event or row.old is None else dict(row.before),
        "after": None if event or row.new is None else dict(row.after),
        "patch": [] if event else [operation.to_json() for operation in row.patch()],
        "note": row.note,
    }


def audit_of(settings: Settings, slugs: Sequence[str], wanted: Wanted) -> list[Trail]:
    """The audit trail of the restaurants that ``slugs`` names, of all without it.

    A key stands for the setting that has it, or had it last, under all its names; and for others while
    they had it. Restaurants that never had such a setting are left out then.

    Raises:
        UsageError: there is no such restaurant, kind or version, or there never was such a setting.
    """
    from rowform.store.read import snapshot

    _check(wanted)
    with session(settings, load_tool_config(settings)) as (opened, _, _):
        return trails(opened, named(snapshot(opened, {}).values(), slugs), wanted)


def trails(opened: Session, places: Sequence[tuple[str, Actual]], wanted: Wanted) -> list[Trail]:
    """The audit trail of some restaurants, each with its slug; see :func:`audit_of`.

    Raises:
        UsageError: there is no such kind or version, or there never was such a setting.
    """
    from rowform.store.audit import Filter

    chosen, number = _check(wanted)
    limit = min(wanted.limit, _MAX_LIMIT)
    every = Filter(
        kind=wanted.kind,
        version=number,
        before=wanted.before,
        notes=wanted.notes,
        limit=limit + 1,
        key=wanted.key,
    )
    filters = {one.restaurant_id: every for _, one in places}
    if wanted.version is not None and number is None:
        filters = {
            one.restaurant_id: replace(every, version=one.base.version_number)
            for _, one in places
            if one.base
        }
    if wanted.key is not None:
        filters = _of_key(opened, places, chosen, filters, wanted.key)
    found = _read(opened, filters)
    if number is not None and not any(found.values()):
        _ensure_version(opened, places, number)
    return [
        Trail(slug, one.restaurant_id, rows[:limit], len(rows) > limit)
        for slug, one in places
        if (rows := found.get(one.restaurant_id)) is not None
    ]


def _check(wanted: Wanted) -> tuple[list[Kind], int | None]:
    """The kinds that are wanted, and the number of the version, if it is one."""
    return _kinds(wanted.kind), None if wanted.version is None else version_number(wanted.version)


def _kinds(name: str | None) -> list[Kind]:
    if name is None:
        return list(kinds().values())
    if name not in kinds():
        hint = did_you_mean(name, kinds()) or f"the kinds are {', '.join(kinds())}"
        raise UsageError(f'unknown kind "{escape(name)}"', hint)
    return [kinds()[name]]


def _of_key(
    opened: Session,
    places: Sequence[tuple[str, Actual]],
    chosen: Sequence[Kind],
    filters: Mapping[str, Filter],
    key: str,
) -> dict[str, Filter]:
    from rowform.store.audit import key_holders

    holders = key_holders(opened, list(filters), chosen, key)
    found = {
        restaurant: replace(filters[restaurant], ids=[one.entity_id for one in held])
        for restaurant, held in holders.items()
        if held
    }
    if not found:
        raise _unknown_key(opened, places, chosen, key)
    return found


def _unknown_key(
    opened: Session, places: Sequence[tuple[str, Actual]], chosen: Sequence[Kind], key: str
) -> UsageError:
    from rowform.store.read import version_rows

    hint = None
    if len(places) == 1 and (base := places[0][1].base):
        rows = version_rows(opened, places[0][1].restaurant_id, base.version_number)
        hint = did_you_mean(key, [name for kind in chosen for name in rows[kind.name]])
    noun = chosen[0].noun if len(chosen) == 1 else "setting"
    return UsageError(f"there never was a {noun} {quote(key)}", hint)


def _read(opened: Session, filters: Mapping[str, Filter]) -> dict[str, list[Audited]]:
    """The rows; a setting that was deleted and made anew in one go is followed to what it was before."""
    from rowform.store.audit import audit

    found: dict[str, list[Audited]] = {}
    pending = dict(filters)
    while pending:
        rows = audit(opened, pending)
        found.update(rows)
        pending = {
            restaurant: replace(one, ids=[*one.ids, *former])
            for restaurant, one in pending.items()
            if one.ids is not None and (former := _former(rows[restaurant], one.ids))
        }
    return found


def _former(rows: Sequence[Audited], ids: Sequence[str]) -> list[str]:
    former = {row.former_id for row in rows if row.setting_id in ids and not row.note}
    return sorted(one for one in former if one is not None and one not in ids)


def _ensure_version(opened: Session, places: Sequence[tuple[str, Actual]], number: int) -> None:
    from rowform.store.read import history, one_version

    if places and not any(history(opened, one.restaurant_id, number) for _, one in places):
        one_version(opened, places[0][1].restaurant_id, number)


def fields_of(settings: Settings, slugs: Sequence[str], kind: str | None, key: str) -> Fields:
    """Who set each value that a setting has in the active version.

    Args:
        settings: where to look.
        slugs: the restaurant; may be left out if there is only one.
        kind: the setting's kind; may be left out if only one kind has the key.
        key: the setting's key.

    Raises:
        UsageError: there is no such restaurant, kind or setting, or it is not clear which is meant.
    """
    from rowform.store.audit import key_holders
    from rowform.store.read import one_snapshot

    chosen = _kinds(kind)
    with session(settings, load_tool_config(settings)) as (opened, _, _):
        slug, actual = one_restaurant(opened, slugs)
        with one_snapshot(opened):
            held = key_holders(opened, [actual.restaurant_id], chosen, key)[actual.restaurant_id]
            if not held:
                raise _unknown_key(opened, [(slug, actual)], chosen, key)
            holder = _one_live(held, key)
            blame = Blame(setting_values(holder.image, holder.kind))
            _look_back(opened, actual.restaurant_id, holder, blame)
    return Fields(slug, actual.restaurant_id, holder.kind.name, key, blame.leaves())


def _one_live(held: Sequence[Holder], key: str) -> Holder:
    live = [one for one in held if one.is_live]
    if len(live) == 1:
        return live[0]
    if live:
        raise UsageError(
            f"{quote(key)} is in {len(live)} kinds: {joined(one.kind.name for one in live)}",
            "choose one with --kind",
        )
    raise UsageError(
        f"the active version has no {held[0].kind.noun} {quote(key)}",
        "`rowform log --key` without --fields shows what became of it",
    )


def _look_back(opened: Session, restaurant_id: str, holder: Holder, blame: Blame) -> None:
    """Show the setting's rows to ``blame``, until it has seen enough or there are no more."""
    from rowform.store.audit import Filter, audit

    identity = holder.entity_id
    before: int | None = None
    while not blame.is_done:
        wanted = Filter(kind=holder.kind.name, ids=[identity], before=before, limit=_BATCH)
        rows = audit(opened, {restaurant_id: wanted})[restaurant_id]
        for row in rows:
            if row.setting_id != identity:
                # Another setting took over from this one; that is none of its own history.
                continue
            blame.see(row)
            if row.former_id not in (None, identity):
                identity, before = str(row.former_id), row.seq
                break
        else:
            if len(rows) < _BATCH:
                return
            before = rows[-1].seq
