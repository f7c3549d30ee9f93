"""Reading switches back to older versions, and what they took away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from typing import Any

from rowform.diff import Stored
from rowform.plan import UNPLANNED
from rowform.rollbacks import Gone, SwitchBack
from rowform.store.failures import translated
from rowform.store.queries import query
from rowform.store.read import selected, stored_settings
from rowform.store.session import Session, storage

#: Rows of one kind: those of the version that is gone, and those of the one that came back.
_Both = tuple[list[Stored], list[Stored]]


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where an active version comes from.

    ``commit`` is that of the version, or of the one that direct writes built upon. ``switches`` are the
    switches back since the last planned version that stayed, newest first.
    """

    commit: str | None
    switches: Sequence[SwitchBack]


@translated()
def lineages(session: Session, restaurants: Sequence[str]) -> dict[str, Lineage]:
    """Where the active versions of some restaurants come from, by restaurant's id.

    One round trip, and another one where a version was switched back.

    Raises:
        DatabaseError: the server refused or failed.
    """
    rows = session.connection.execute(
        query("switches_back", app=session.app),
        {"restaurants": list(restaurants), "direct": list(UNPLANNED)},
    ).fetchall()
    commits = {restaurant: commit for restaurant, commit, *_ in rows}
    switches = [(row[0], _switch(row)) for row in rows if row[2] is not None]
    apart = _rows_apart(session, switches)
    found: dict[str, list[SwitchBack]] = {restaurant: [] for restaurant in commits}
    for (restaurant, switch), rows_of in zip(switches, apart, strict=True):
        found[restaurant].append(replace(switch, apart=rows_of))
    return {restaurant: Lineage(commits[restaurant], of) for restaurant, of in found.items()}


def _switch(row: Sequence[Any]) -> SwitchBack:
    is_rollback, at, reason, actor, number, name, kind, is_dirty, commit, back_number, back_commit = row[2:]
    gone = Gone(number, name, kind, bool(is_dirty), commit)
    return SwitchBack(is_rollback, at, reason, actor, gone, back_number, back_commit)


def _rows_apart(
    session: Session, switches: Sequence[tuple[str, SwitchBack]]
) -> Sequence[Mapping[str, _Both]]:
    """What only one version of each switch has, by kind: those of the one that is gone, and the others."""
    if not switches:
        return []
    pairs = {
        "restaurants": [restaurant for restaurant, _ in switches],
        "ones": [switch.gone.number for _, switch in switches],
        "others": [switch.back_number for _, switch in switches],
    }
    connection = session.connection
    with connection.pipeline():
        cursors = {
            kind.name: connection.execute(
                query("rows_apart", table=storage(kind), columns=selected(kind, session)), pairs
            )
            for kind in session.kinds.values()
        }
    found = [dict[str, _Both]() for _ in switches]
    # Only now: to fetch inside the pipeline is a round trip of its own.
    for name, cursor in cursors.items():
        places, settings = tee(cursor)
        read = stored_settings(session.kinds[name], (row[2:] for row in settings), session.tables[name])
        for (number, is_gone, *_), (_, stored) in zip(places, read, strict=True):
            gone, back = found[int(number) - 1].setdefault(name, ([], []))
            (gone if is_gone else back).append(stored)
    return found
