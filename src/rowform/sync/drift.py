"""What direct writes changed, and who it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rowform.audit import Audited
from rowform.config import ToolConfig
from rowform.diff import compare
from rowform.drift import Drift, Member, drift, managed_drift
from rowform.files import read_config
from rowform.plan import UNPLANNED, Actual, Base
from rowform.render.versions import author_of
from rowform.state import Content, State
from rowform.sync.audit import origin_json
from rowform.sync.configuration import Settings, load_configuration, load_tool_config
from rowform.sync.database import session
from rowform.sync.versions import named

if TYPE_CHECKING:
    from rowform.store.session import Session

#: How many rows of the audit trail are read at a time until every field is accounted for.
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Written:
    """A field that direct writes changed, and the row of the audit trail that did it, if that is there."""

    field: Drift
    row: Audited | None

    @property
    def who(self) -> str:
        """Whoever wrote it, as far as that is known."""
        return (author_of(self.row.source) or self.row.changed_by or "") if self.row else ""

    def to_json(self) -> dict[str, Any]:
        set_by = (
            {"seq": self.row.seq, **origin_json(self.row), "author": self.who or None} if self.row else None
        )
        return {**self.field.to_json(), "set_by": set_by}


@dataclass(frozen=True, slots=True)
class RestaurantDrift:
    """What direct writes changed in one restaurant.

    ``active`` is the active version. If direct writes made it, ``settled`` is the last version below it that
    they did not make. ``kept`` is how many changed fields are in the configuration already, and left out;
    ``is_configured`` is false if the configuration has no such restaurant, and everything is in.
    """

    slug: str
    restaurant_id: str
    active: Base | None
    settled: Member | None = None
    written: Sequence[Written] = ()
    kept: int = 0
    is_configured: bool = True

    def to_json(self) -> dict[str, Any]:
        active = self.active
        return {
            "restaurant": self.slug,
            "restaurant_id": self.restaurant_id,
            "active": {
                "version_id": active.version_id,
                "version_number": active.version_number,
                "origin": active.origin,
            }
            if active
            else None,
            "settled": self.settled.to_json() if self.settled else None,
            "configured": self.is_configured,
            "kept": self.kept,
            "drift": [one.to_json() for one in self.written],
        }


def drift_of(settings: Settings, slugs: Sequence[str]) -> list[RestaurantDrift]:
    """What direct writes changed in the restaurants that ``slugs`` names, in all without it.

    Raises:
        InvalidConfig: there is a configuration, and it has problems.
        UsageError: there is no such restaurant in the database.
    """
    from rowform.store.drift import with_lineages
    from rowform.store.read import snapshot

    state, tool = _configuration(settings)
    content = {one.id: one.content for one in state.restaurants.values()}
    with session(settings, tool) as (opened, _, _):
        places = named(snapshot(opened, {}).values(), slugs)
        # Nothing more is read of those that a plan made.
        direct = {
            one.restaurant_id: content.get(one.restaurant_id, {})
            for _, one in places
            if one.base and one.base.origin in UNPLANNED
        }
        there: Mapping[str, Actual] = {}
        if direct:
            there = with_lineages(opened, snapshot(opened, direct), direct)
        places = [(slug, there.get(one.restaurant_id, one)) for slug, one in places]
        fields = {one.restaurant_id: _fields(one, content.get(one.restaurant_id)) for _, one in places}
        shown = {id_: [one for one in found if not one.kept] for id_, found in fields.items()}
        rows = _rows(opened, {one.restaurant_id: one for _, one in places}, shown)
        return [
            RestaurantDrift(
                slug,
                id_ := one.restaurant_id,
                one.base,
                one.lineage.settled if one.lineage else None,
                list(map(Written, shown[id_], rows[id_])),
                len(fields[id_]) - len(shown[id_]),
                id_ in content,
            )
            for slug, one in places
        ]


def _configuration(settings: Settings) -> tuple[State, ToolConfig]:
    """The configuration, or none where nobody has begun to write one."""
    there = read_config(settings.config_dir, may_be_empty=True)
    if not (there.files or there.folders or there.problems):
        return State({}), load_tool_config(settings)
    configuration = load_configuration(settings)
    return configuration.state, configuration.tool


def _fields(actual: Actual, content: Content | None) -> list[Drift]:
    """All that direct writes changed in the kinds that are managed."""
    if actual.lineage is None:
        return []
    if content is None:
        return drift(actual.lineage.settings, actual.settings, None)
    changes, _ = compare(content, actual.settings, actual.former)
    return managed_drift(actual.lineage, actual.settings, content, changes)


def _rows(
    opened: Session, places: Mapping[str, Actual], shown: Mapping[str, Sequence[Drift]]
) -> dict[str, list[Audited | None]]:
    """The row of the audit trail that gave each field its value, by restaurant's id."""
    from rowform.store.audit import Filter, audit

    searches = {
        id_: _Search(fields, lineage.direct)
        for id_, fields in shown.items()
        if fields and (lineage := places[id_].lineage) is not None
    }
    filters = {id_: Filter(ids=one.identities, limit=_BATCH) for id_, one in searches.items()}
    while filters:
        for id_, rows in audit(opened, filters).items():
            for row in rows:
                searches[id_].see(row)
            if len(rows) < _BATCH or searches[id_].is_done:
                del filters[id_]
            else:
                filters[id_] = replace(filters[id_], before=rows[-1].seq)
    return {id_: searches[id_].rows() if id_ in searches else [] for id_ in shown}


class _Search:
    """Finds the direct write behind each field; is told the rows of the audit trail newest first."""

    def __init__(self, fields: Sequence[Drift], direct: Sequence[Member]) -> None:
        self._fields = fields
        self._versions = {one.version_id for one in direct}
        self._found: dict[int, Audited] = {}
        self._open: dict[tuple[str, str], set[int]] = {}
        for index, one in enumerate(fields):
            for identity in one.identities:
                self._open.setdefault((one.kind, identity), set()).add(index)

    @property
    def identities(self) -> list[str]:
        """Those of all settings that the fields are in."""
        return sorted({identity for one in self._fields for identity in one.identities})

    @property
    def is_done(self) -> bool:
        """Whether earlier rows can tell no more."""
        return len(self._found) == len(self._fields)

    def see(self, row: Audited) -> None:
        """Take the next earlier row. What other versions than those of direct writes did was undone since."""
        # A version is activated anew with what it has had since the first time.
        if row.note or not row.made or row.version_id not in self._versions:
            return
        settings = {(row.table, identity) for identity in (row.setting_id, row.former_id) if identity}
        for index in set[int]().union(*(self._open.get(one, ()) for one in settings)):
            if index not in self._found and row.sets(self._fields[index].path):
                self._found[index] = row

    def rows(self) -> list[Audited | None]:
        """One for each field, if there is one."""
        return [self._found.get(index) for index in range(len(self._fields))]
