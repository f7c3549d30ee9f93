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


def writes(plan: RestaurantPlan, newest: Rows, reasons: Reasons) -> dict[str, KindWrites]:
    """The writes, by kind, that make a version with the plan's target content.

    Args:
        plan: the plan of one restaurant.
        newest: the rows of its newest version; those of the active one unless they differ.
        reasons: the reason to note for each change.
    """
    changed = {(change.kind, change.key): change for change in plan.changes}
    found: dict[str, KindWrites] = {}
    for kind in dict.fromkeys((*plan.target, *newest)):
        result = _kind_writes(plan, kind, newest.get(kind, {}), changed, reasons)
        if result.close or result.insert or result.audit:
            found[kind] = result
    return found


def _kind_writes(
    plan: RestaurantPlan,
    kind: str,
    newest: Mapping[str, Stored],
    changed: Mapping[tuple[str, str], Change],
    reasons: Reasons,
) -> KindWrites:
    result = KindWrites()
    active = plan.actual.settings.get(kind, {})
    live = {stored.entity_id: stored for stored in newest.values()}
    in_use = {stored.entity_id for stored in active.values()}
    former = plan.actual.former.get(kind, {})
    row_ids: dict[str, str] = {}
    for key, entry in plan.target.get(kind, {}).items():
        change = changed.get((kind, key))
        before = change.before if change else active[key]
        entity = before.entity_id if before else former.get(key)
        if entity in in_use and before is None:
            # The former identity lives on under another key.
            entity = None
        elif entity:
            # Two returning keys may have been the same setting, one after the other.
            in_use.add(entity)
        current = live.get(entity) if entity else None
        # What a file does not say stays as people see it, and not as it is in a newer version.
        previous = before or current
        if current and previous and (current.entry.canonical, current.own) == (entry.canonical, previous.own):
            row_ids[key] = current.row_id
        else:
            row_ids[key] = str(uuid4())
            result.insert.append(_row(entry, row_ids[key], entity or row_ids[key], previous))
    kept = set(row_ids.values())
    result.close = [stored.row_id for stored in newest.values() if stored.row_id not in kept]
    result.audit = [
        {
            "position": position,
            "operation": _OPERATIONS[change.action],
            "old": change.before.row_id if change.before else None,
            "new": row_ids[change.key] if change.after else None,
            "reason": reasons.get((kind, change.key)),
        }
        for position, change in enumerate(plan.changes)
        if change.kind == kind
    ]
    return result


def _row(entry: Entry, row_id: str, entity: str, previous: Stored | None) -> bytes:
    """A row as JSON. The canonical bytes are an object already: the ids are put before its members."""
    before = f'"{previous.row_id}"' if previous else "null"
    head = f'{{"_id":"{row_id}","_entity":"{entity}","_previous":{before},'
    return head.encode("ascii") + entry.canonical[1:]
