"""What a plan means for rows: which to close, which to insert, what to audit.

A new version's rows are computed against the *newest* version, because a row's validity is
a range of version numbers; its audit is computed against the *active* one, because that is
what changes for people. Usually the two are the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from rowform.diff import Action, Change, Stored
from rowform.plan import RestaurantPlan
from rowform.state import Entry

Rows = Mapping[str, Mapping[str, Stored]]
#: Kind and key of a created setting, with the identity that it had before it was deleted.
Identities = Mapping[tuple[str, str], str]
#: Why a change was made, by kind and key.
Reasons = Mapping[tuple[str, str], str]

_OPERATIONS = {Action.CREATE: "INSERT", Action.UPDATE: "UPDATE", Action.DELETE: "DELETE"}


@dataclass(slots=True)
class KindWrites:
    """The writes to one kind's table.

    ``close`` are row ids; ``insert`` and ``audit`` are JSON objects, encoded.
    """

    close: list[str] = field(default_factory=list[str])
    insert: list[bytes] = field(default_factory=list[bytes])
    audit: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def rows_json(self) -> str:
        return (b"[" + b",".join(self.insert) + b"]").decode("utf-8", "surrogatepass")

    def audit_json(self) -> str:
        return json.dumps(self.audit, ensure_ascii=False)


def writes(
    plan: RestaurantPlan, newest: Rows, identities: Identities, reasons: Reasons
) -> dict[str, KindWrites]:
    """The writes, by kind, that make a version with the plan's target content.

    Args:
        plan: the plan of one restaurant.
        newest: the rows of its newest version; those of the active one unless they differ.
        identities: for created settings that existed before, who they were.
        reasons: the reason to note for each change.
    """
    changed = {(change.kind, change.key): change for change in plan.changes}
    found: dict[str, KindWrites] = {}
    for kind in {*plan.target, *newest}:
        result = _kind_writes(plan, kind, newest.get(kind, {}), changed, identities, reasons)
        if result.close or result.insert or result.audit:
            found[kind] = result
    return found


def _kind_writes(
    plan: RestaurantPlan,
    kind: str,
    newest: Mapping[str, Stored],
    changed: Mapping[tuple[str, str], Change],
    identities: Identities,
    reasons: Reasons,
) -> KindWrites:
    result = KindWrites()
    active = plan.actual.settings.get(kind, {})
    live = {stored.entity_id: stored for stored in newest.values()}
    in_use = {stored.entity_id for stored in active.values()}
    kept: set[str] = set()
    for key, entry in plan.target.get(kind, {}).items():
        change = changed.get((kind, key))
        before = change.before if change else active[key]
        entity = before.entity_id if before else identities.get((kind, key))
        if entity in in_use and before is None:
            # The former identity lives on under another key.
            entity = None
        current = live.get(entity) if entity else None
        if current is not None and current.entry.canonical == entry.canonical:
            kept.add(current.row_id)
            row_id = current.row_id
        else:
            row_id = str(uuid4())
            previous = current or before
            result.insert.append(_row(entry, row_id, entity or row_id, previous))
        if change is not None:
            result.audit.append(_audit(change, before, row_id, reasons, len(result.audit)))
    result.close = [stored.row_id for stored in newest.values() if stored.row_id not in kept]
    for change in plan.changes:
        if change.kind == kind and change.action is Action.DELETE:
            result.audit.append(_audit(change, change.before, None, reasons, len(result.audit)))
    return result


def _row(entry: Entry, row_id: str, entity: str, previous: Stored | None) -> bytes:
    """A row as JSON. The canonical bytes are an object already: the ids are put before its members."""
    before = f'"{previous.row_id}"' if previous else "null"
    head = f'{{"_id":"{row_id}","_entity":"{entity}","_previous":{before},'
    return head.encode("ascii") + entry.canonical[1:]


def _audit(
    change: Change, before: Stored | None, row_id: str | None, reasons: Reasons, position: int
) -> dict[str, Any]:
    return {
        "position": position,
        "operation": _OPERATIONS[change.action],
        "old": before.row_id if before else None,
        "new": row_id,
        "reason": reasons.get((change.kind, change.key)),
    }
