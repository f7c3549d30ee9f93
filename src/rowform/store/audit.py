"""Reading the audit trail."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor, sql

from rowform.audit import Audited
from rowform.kinds import Kind
from rowform.state import read_json
from rowform.store.failures import translated
from rowform.store.queries import query
from rowform.store.session import Session, storage

#: Where a row of the query has its table's name, and what there was before and after.
_TABLE, *_IMAGES = 8, 10, 11


@dataclass(frozen=True, slots=True)
class Holder:
    """A setting that has a key in the active version, or had it last; ``image`` is its row."""

    kind: Kind
    entity_id: str
    is_live: bool
    image: Any


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are wanted; what is left out lets everything through.

    ``key`` and ``ids`` go together: rows of settings while they had the key, and all of those settings.
    ``before`` leaves out rows from that number on. ``notes`` lets in what others wrote.
    """

    kind: str | None = None
    version: int | None = None
    key: str | None = None
    ids: Sequence[str] | None = None
    before: int | None = None
    notes: bool = False
    limit: int | None = None


@translated()
def audit(session: Session, wanted: Mapping[str, Filter]) -> dict[str, list[Audited]]:
    """Rows of the audit trail by restaurant's id, newest first. One round trip.

    Args:
        session: where to look.
        wanted: which rows of each restaurant.

    Raises:
        DatabaseError: the server refused or failed.
    """
    with session.connection.pipeline():
        cursors = {restaurant: _rows(session, restaurant, one) for restaurant, one in wanted.items()}
        return {
            restaurant: [_audited(session, row) for row in cursor] for restaurant, cursor in cursors.items()
        }


def _rows(session: Session, restaurant_id: str, wanted: Filter) -> Cursor[Any]:
    return session.connection.execute(
        query("audit", app=session.app),
        {
            "restaurant": restaurant_id,
            "kind": wanted.kind,
            "version": wanted.version,
            "before": wanted.before,
            "notes": wanted.notes,
            "ids": None if wanted.ids is None else list(wanted.ids),
            "key": wanted.key,
            "keys": json.dumps({name: kind.key for name, kind in session.kinds.items()}),
            "limit": wanted.limit,
        },
    )


def _audited(session: Session, row: Sequence[Any]) -> Audited:
    values = list(row)
    for place in _IMAGES:
        values[place] = None if values[place] is None else read_json(values[place])
    values.append(session.kinds.get(values[_TABLE]))
    return Audited(*values)


@translated()
def key_holders(
    session: Session, restaurants: Sequence[str], kinds: Sequence[Kind], key: str
) -> dict[str, list[Holder]]:
    """The settings of some kinds that a key stands for, by restaurant's id. One round trip.

    Raises:
        DatabaseError: the server refused or failed.
    """
    with session.connection.pipeline():
        cursors = [
            (restaurant, kind, _holder(session, restaurant, kind, key))
            for restaurant in restaurants
            for kind in kinds
        ]
        found: dict[str, list[Holder]] = {restaurant: [] for restaurant in restaurants}
        for restaurant, kind, cursor in cursors:
            for entity_id, is_live, image in cursor:
                found[restaurant].append(Holder(kind, entity_id, is_live, read_json(image)))
    return found


def _holder(session: Session, restaurant_id: str, kind: Kind, key: str) -> Cursor[Any]:
    statement = query("key_holders", app=session.app, table=storage(kind), key=sql.Identifier(kind.key))
    return session.connection.execute(statement, {"restaurant": restaurant_id, "key": key})
