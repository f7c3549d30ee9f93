"""Runs statements on a database and on the model of it, and compares everything that can be seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg import Cursor, sql

from rowform.kinds import kinds
from rowform.store.session import Session
from tests.support.versions_model import Refused, Row, Tenant, Version, World

T = TypeVar("T")
#: Where a row that is read came from: restaurant, version number, kind, id.
Place = tuple[str, int, str, str]
APPLICATION = "The application"
LEFT_EMPTY = "Deactivated before"
#: Reasons of changes that happened at once, in which two settings may have changed names.
_AT_ONCE = re.compile("Activated|Deactivated|Rolled back")

_VERSIONS = """
    SELECT version.restaurant_id::text, version.version_number, version.id::text, version.name,
           base.version_number, version.source ->> 'kind', version.is_active, version.is_locked,
           EXISTS (SELECT FROM rowform.drafts WHERE version_id = version.id),
           version.source ->> 'application_name'
    FROM config_versions AS version LEFT JOIN config_versions AS base ON base.id = version.base_version_id
    ORDER BY 1, 2"""
_AUDIT = """
    SELECT seq, restaurant_id::text, version_id::text, table_name, old_data, new_data, reason
    FROM config_changes
    WHERE seq > %s AND table_name <> 'config_versions' AND seq NOT IN (SELECT seq FROM rowform.notes)
    ORDER BY seq"""
#: Nothing of a transaction may outlive it.
_LEFT_OVER = """
    SELECT 'own_writes' FROM rowform.own_writes UNION ALL SELECT 'reached' FROM rowform.reached
    UNION ALL SELECT 'passed_over' FROM rowform.passed_over"""


class Failed(Exception):
    """The statement failed, as the model said that it would."""


class Run:
    """A database, and the model of what is in it. ``session`` is the one connection to both.

    ``names`` are the kinds that the run is about.
    """

    def __init__(self, session: Session, names: tuple[str, ...]) -> None:
        self.session = session
        self.connection = session.connection
        self.names = names
        self.world = World({name: kinds()[name].key for name in names})
        self._contents = _contents_query(names)
        self._overlaps = _overlaps_query(names)
        self.log: list[str] = []
        self._seq = 0
        self._replayed: dict[str, dict[tuple[str, str], Row]] = {}
        self._read: dict[Place, tuple[Row, Row]] = {}
        self.connection.execute("SELECT set_config('application_name', %s, false)", (APPLICATION,))

    def restaurant(self, id_: str, slug: str) -> Tenant:
        """A new restaurant."""
        self.connection.execute(
            "INSERT INTO restaurants (id, name, slug) VALUES (%s, %s, %s)", (id_, slug, slug)
        )
        self.world.tenants[id_] = Tenant(id_)
        self._replayed[id_] = {}
        return self.world.tenants[id_]

    def execute(self, query: str | sql.Composed, parameters: Sequence[Any] = ()) -> Cursor:
        """Run one statement, and remember it for people who have to find out what went wrong."""
        text = query.as_string(self.connection) if isinstance(query, sql.Composed) else query
        self.log.append(f"{text} {list(parameters) or ''}")
        return self.connection.execute(query, parameters)  # type: ignore[arg-type]

    # --- statements -------------------------------------------------------------------------------

    def attempt(self, predict: Callable[[World, Any], T], execute: Callable[[], T]) -> T:
        """Run a statement, and find what the model says: a result, or a refusal.

        ``predict`` gets the world to change, and the statement's result once there is one.

        Raises:
            Failed: it was refused, and is not in the model.
        """
        states: frozenset[str] = frozenset()
        try:
            predict(self.world.copy(), None)
        except Refused as refused:
            states = refused.states
        if states:
            with pytest.raises(psycopg.Error) as caught:
                execute()
            self.log.append(f"-- {caught.value.sqlstate} {caught.value.diag.message_primary}")
            assert caught.value.sqlstate in states
            raise Failed
        result = execute()
        assert predict(self.world, result) == result
        self.learn()
        return result

    def learn(self) -> None:
        """Ask for the ids that the database has chosen."""
        for tenant in self.world.tenants.values():
            for version in tenant.versions.values():
                if version.id is None:
                    row = self.connection.execute(
                        "SELECT id::text FROM config_versions"
                        " WHERE restaurant_id = %s AND version_number = %s",
                        (tenant.id, version.number),
                    ).fetchone()
                    assert row is not None, f"version {version.number} should have been made"
                    (version.id,) = row

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[None]:
        """One transaction; it ends with its first failure, or without trace unless it is to be kept."""
        before = self.world.copy()
        self.world.transaction += 1
        self.execute("BEGIN")
        try:
            yield
        except Failed:
            keep = False
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT" if keep else "ROLLBACK")
        if not keep:
            before.transaction = self.world.transaction
            self.world.become(before)

    @contextmanager
    def savepoint(self, *, keep: bool = True) -> Iterator[None]:
        """Part of a transaction; if it fails or is not to be kept, the transaction goes on without it."""
        before = self.world.copy()
        self.execute("SAVEPOINT part")
        try:
            yield
        except Failed:
            keep = False
        if keep:
            self.execute("RELEASE part")
        else:
            self.execute("ROLLBACK TO part")
            self.world.become(before)

    # --- comparison -------------------------------------------------------------------------------

    def check(self) -> None:
        """Everything is as the model says, and what nobody wrote is as it was read before."""
        rows = self.connection.execute(_VERSIONS, prepare=True).fetchall()
        expected = [
            (tenant.id, one.number, one.id, one.name, one.base, one.origin, one.active, one.locked, one.draft)
            for tenant in sorted(self.world.tenants.values(), key=lambda tenant: tenant.id)
            for _, one in sorted(tenant.versions.items())
        ]
        assert [row[:-1] for row in rows] == expected
        assert all(row[-1] == APPLICATION for row in rows if row[5] in ("direct", "application"))
        self._check_contents()
        assert self.connection.execute(self._overlaps, prepare=True).fetchall() == []
        assert self.connection.execute(_LEFT_OVER, prepare=True).fetchall() == []
        self._check_audit()

    def _check_contents(self) -> None:
        found: dict[Place, Row] = {}
        for row in self.connection.execute(self._contents, prepare=True):
            *place, shown = row
            assert tuple(place) not in found
            found[tuple(place)] = shown
        expected = {
            (tenant.id, version.number, kind, id_): row
            for tenant in self.world.tenants.values()
            for version in tenant.versions.values()
            for kind in version.content
            for id_, row in version.rows(kind).items()
        }
        assert {place: self._values(place[2], shown) for place, shown in found.items()} == expected
        for place, row in expected.items():
            tenant_id, number, kind, id_ = place
            version = self.world.tenants[tenant_id].versions[number]
            for earlier in (
                place,
                *([(tenant_id, version.base, kind, id_)] if version.origin == "direct" else []),
            ):
                was = self._read.get(earlier)  # type: ignore[arg-type]
                # The very same row: not even its time stamps may have changed.
                assert was is None or was[0] is not row or was[1] == found[place]
        self._read |= {place: (row, found[place]) for place, row in expected.items()}

    def _check_audit(self) -> None:
        """What the audit says, one change after the other, leads to what people saw last."""
        rows = self.connection.execute(_AUDIT, (self._seq,), prepare=True).fetchall()
        at_once = groupby(rows, lambda row: row[1:4] if row[-1] is None or _AT_ONCE.match(row[-1]) else row)
        for _, group in at_once:
            changes = list(group)
            for _, tenant_id, version_id, kind, old, _, reason in changes:
                found = self.world.find(version_id)
                assert found is not None
                # Who writes past rowform is named.
                assert found[1].origin == "generated" or APPLICATION in reason or reason == LEFT_EMPTY
                if old is not None:
                    was = self._replayed[tenant_id].pop((kind, old[self.world.keys[kind]]))
                    assert was == self._values(kind, old)
            for self._seq, tenant_id, _, kind, _, new, _ in changes:
                if new is not None:
                    place = kind, new[self.world.keys[kind]]
                    assert place not in self._replayed[tenant_id]
                    self._replayed[tenant_id][place] = self._values(kind, new)
        for tenant in self.world.tenants.values():
            shown = tenant.versions[tenant.shown].content if tenant.shown is not None else {}
            there = {
                (kind, row[self.world.keys[kind]]): row
                for kind, entries in shown.items()
                for row in entries.values()
            }
            assert self._replayed[tenant.id] == there

    def _values(self, kind: str, shown: Mapping[str, Any]) -> Row:
        return {name: shown[name] for name in kinds()[kind].column_names}


def _contents_query(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(" UNION ALL ").join(
        sql.SQL(
            "SELECT version.restaurant_id::text, version.version_number, {name}, setting.id::text,"
            " to_jsonb(setting) - 'version_id' FROM {view} AS setting JOIN config_versions AS version"
            " ON version.id = setting.version_id AND version.restaurant_id = setting.restaurant_id"
        ).format(name=name, view=sql.Identifier(name))
        for name in names
    )


def _overlaps_query(names: tuple[str, ...]) -> sql.Composed:
    """Rows of one setting, or of one key, that share a version."""
    return sql.SQL(" UNION ALL ").join(
        sql.SQL(
            "SELECT one.id, other.id FROM {table} AS one JOIN {table} AS other"
            " ON other.restaurant_id = one.restaurant_id AND other.id > one.id"
            " AND (other.entity_id = one.entity_id OR other.{key} = one.{key})"
            " AND int4range(other.since_version, other.until_version)"
            " && int4range(one.since_version, one.until_version)"
        ).format(table=sql.Identifier("rowform", name), key=sql.Identifier(kinds()[name].key))
        for name in names
    )


def content_by_key(version: Version | None, kind: str, key: str) -> dict[str, tuple[str, Row]]:
    """A version's settings of one kind: id and row by key."""
    rows = version.rows(kind) if version else {}
    return {row[key]: (id_, row) for id_, row in rows.items()}
