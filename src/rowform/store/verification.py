"""`rowform db status --verify`: whether every version still has the content that its digest was made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from heapq import merge
from itertools import product, tee
from typing import Any, NamedTuple

from psycopg import Connection, sql

from rowform.errors import SchemaError
from rowform.fit import RealTable
from rowform.kinds import Kind
from rowform.state import Content, Entry, canonical, digest
from rowform.store.failures import translated
from rowform.store.queries import query
from rowform.store.read import selected, stored_settings
from rowform.store.session import Session, storage
from rowform.text import joined


@dataclass(frozen=True, slots=True)
class Difference:
    """A version whose content has another digest than the one that was written down with it."""

    restaurant: str
    restaurant_id: str
    version_number: int
    recorded: str
    found: str


@dataclass(frozen=True, slots=True)
class Verification:
    """``checked`` versions have a digest, ``unrecorded`` ones none: direct writes, and what was adopted."""

    checked: int
    unrecorded: int
    differing: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@translated()
def verify(session: Session, unknown_kinds: Iterable[str]) -> Verification:
    """Compute the digests of all versions anew and compare.

    Each kind's rows are read once, in order, and no more of them are held than two versions have.

    Args:
        session: where to look.
        unknown_kinds: kinds of the database that the session does not know.

    Raises:
        SchemaError: such a kind has settings, which are in the digests too.
        DatabaseError: the server refused or failed.
    """
    connection = session.connection
    _ensure_all_known(connection, unknown_kinds)
    checked = unrecorded = 0
    differing: list[Difference] = []
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        with ExitStack() as stack:
            rows = _Rows(merge(*(_rows(session, kind, stack) for kind in session.kinds.values()), key=_order))
            versions = stack.enter_context(connection.cursor("versions"))
            versions.execute(query("all_versions", app=session.app))
            for restaurant_id, restaurant, number, recorded in versions:
                if recorded is None:
                    unrecorded += 1
                    continue
                checked += 1
                found = _digest(rows.of_version(restaurant_id, number), recorded, session.tables)
                if found != recorded:
                    differing.append(Difference(restaurant, restaurant_id, number, recorded, found))
    finally:
        if not connection.closed:
            connection.execute("ROLLBACK")
    return Verification(
        checked, unrecorded, tuple(sorted(differing, key=lambda one: (one.restaurant, one.version_number)))
    )


def _ensure_all_known(connection: Connection, unknown_kinds: Iterable[str]) -> None:
    filled = [
        name
        for name in unknown_kinds
        if (row := connection.execute(query("has_rows", table=sql.Identifier("rowform", name))).fetchone())
        and row[0]
    ]
    if filled:
        raise SchemaError(
            f"the database has settings of {joined(filled)}, and no package here declares that kind",
            "install the package: a digest is of all settings",
        )


class _Row(NamedTuple):
    restaurant: str
    since: int
    until: int | None
    entry: Entry


def _order(row: _Row) -> tuple[str, int]:
    return row.restaurant, row.since


def _rows(session: Session, kind: Kind, stack: ExitStack) -> Iterator[_Row]:
    """A kind's rows as a stream."""
    cursor = stack.enter_context(session.connection.cursor(f"rows_{kind.name}"))
    cursor.execute(
        query("all_rows", app=session.app, table=storage(kind), columns=selected(kind, session)), {}
    )
    ranges, settings = tee(cursor)
    read = stored_settings(kind, (row[2:] for row in settings), session.tables[kind.name])
    for (since, until, *_), (restaurant, stored) in zip(ranges, read, strict=True):
        yield _Row(restaurant, since, until, stored.entry)


class _Rows:
    """A stream of rows in order, of which a version's are taken."""

    def __init__(self, rows: Iterator[_Row]) -> None:
        self._rows = rows
        self._next = next(rows, None)
        self._held: list[_Row] = []

    def of_version(self, restaurant: str, number: int) -> list[_Row]:
        """The rows of a version, which must come after the one that was asked for last."""
        held = [row for row in self._held if row.restaurant == restaurant]
        while self._next is not None and _order(self._next) <= (restaurant, number):
            if self._next.restaurant == restaurant:
                held.append(self._next)
            self._next = next(self._rows, None)
        self._held = [row for row in held if row.until is None or row.until > number]
        return self._held


def _digest(rows: Sequence[_Row], recorded: str, tables: Mapping[str, RealTable]) -> str:
    """The digest of some rows: without a kind's later columns, if it was recorded when there were none."""
    whole = digest(_content(rows, {}))
    if whole == recorded:
        return whole
    # A kind that gained columns may have lacked the last one, the last two, …
    choices = [
        [(name, table.later[start:]) for start in range(len(table.later), -1, -1)]
        for name, table in tables.items()
        if table.later
    ]
    fitting = (digest(_content(rows, dict(lacking))) == recorded for lacking in product(*choices))
    return recorded if any(fitting) else whole


def _content(rows: Iterable[_Row], lacking: Mapping[str, Sequence[str]]) -> Content:
    """Rows as content, but for the columns that each kind is ``lacking``."""
    content: dict[str, dict[str, Entry]] = {}
    for row in rows:
        entry = row.entry
        if columns := lacking.get(entry.kind):
            left = {name: value for name, value in entry.values.items() if name not in columns}
            entry = replace(entry, canonical=canonical(left))
        # Two rows of one key are no content that ever was; no text of PostgreSQL's has a NUL.
        of_kind = content.setdefault(entry.kind, {})
        of_kind[f"{entry.key}\0" if entry.key in of_kind else entry.key] = entry
    return content
