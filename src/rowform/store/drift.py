"""Reading what direct writes build upon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rowform.diff import Stored
from rowform.plan import UNPLANNED, Actual
from rowform.store.failures import translated
from rowform.store.queries import query
from rowform.store.read import selected, stored_settings
from rowform.store.session import Session, storage

if TYPE_CHECKING:
    from rowform.drift import Lineage, Member


def with_lineages(
    session: Session, found: Mapping[str, Actual], wanted: Iterable[str]
) -> Mapping[str, Actual]:
    """The same restaurants; those whose active version direct writes made know what these build upon.

    Costs a round trip if there are any, and else none.

    Args:
        session: where to look.
        found: restaurants by id.
        wanted: the ids of those that matter.

    Raises:
        DatabaseError: the server refused or failed.
    """
    versions = {
        id_: base.version_id
        for id_ in wanted
        if id_ in found and (base := found[id_].base) is not None and base.origin in UNPLANNED
    }
    if not versions:
        return found
    lineages = _lineages(session, versions)
    return {id_: replace(one, lineage=lineages.get(id_)) for id_, one in found.items()}


@translated()
def _lineages(session: Session, versions: Mapping[str, str]) -> dict[str, Lineage]:
    # Few plans are about direct writes.
    from rowform.drift import Member

    connection = session.connection
    given = {"versions": list(versions.values()), "direct": list(UNPLANNED)}
    lineage = query("lineage", app=session.app)
    with connection.pipeline():
        # No transaction: a version's origin and content never change.
        members = connection.execute(lineage, given)
        cursors = {
            kind.name: connection.execute(
                query("settled_rows", lineage=lineage, table=storage(kind), columns=selected(kind, session)),
                given,
            )
            for kind in session.kinds.values()
        }
    # Only now: to fetch inside the pipeline is a round trip of its own.
    chains: dict[str, list[Member]] = {id_: [] for id_ in versions}
    for id_, *member in members:
        chains[id_].append(Member(*member))
    content: dict[str, dict[str, dict[str, Stored]]] = {}
    for name, cursor in cursors.items():
        for id_, stored in stored_settings(session.kinds[name], cursor, session.tables[name]):
            content.setdefault(id_, {}).setdefault(name, {})[stored.entry.key] = stored
    return {id_: _lineage(chain, content.get(id_, {})) for id_, chain in chains.items()}


def _lineage(chain: list[Member], settings: Mapping[str, Mapping[str, Stored]]) -> Lineage:
    direct = tuple(one for one in chain if one.kind in UNPLANNED)
    from rowform.drift import Lineage

    settled = next((one for one in chain if one.kind not in UNPLANNED), None)
    return Lineage(direct, settled, settings)
