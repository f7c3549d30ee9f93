"""Which role may see which restaurant: row level security, whom it confines and whom it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import class_row

from rowform.errors import Refused
from rowform.store.queries import query
from rowform.text import count, escape, joined


@dataclass(frozen=True, slots=True)
class Member:
    """A login role that is of ``restaurants`` (slugs), or a gateway. It need not exist."""

    role: str
    is_gateway: bool
    restaurants: Sequence[str]
    exists: bool


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A login role with privileges and no restaurant; ``through`` are the roles that have them."""

    role: str
    through: Sequence[str]


@dataclass(frozen=True, slots=True)
class Bypassing:
    """A role that no policy holds, and why; ``PUBLIC`` stands for all."""

    role: str
    can_login: bool
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class ForeignPolicy:
    """A policy of the application's own.

    ``storage_ids`` are the columns that it reads and that are others in storage than in the views.
    """

    relation: str
    name: str
    is_permissive: bool
    command: str
    roles: Sequence[str]
    using_expression: str | None
    check_expression: str | None
    storage_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Tenancy:
    """How far restaurants are kept apart.

    ``open_tables`` are those without row level security or without rowform's policy; if it ``is_begun``,
    these are not all. ``forced_tables`` are those whose policies hold the owner too, as whom rowform's
    functions run. ``routes`` are the application's views and functions that reach around policies.
    """

    is_enforced: bool
    is_begun: bool
    open_tables: Sequence[str]
    forced_tables: Sequence[str]
    members: Sequence[Member]
    unmapped: Sequence[Unmapped]
    bypassing: Sequence[Bypassing]
    routes: Sequence[str]
    foreign_policies: Sequence[ForeignPolicy]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the settings are: the application's ``schema``, its tables, the kinds' names."""

    schema: str
    tables: Sequence[str]
    kinds: Iterable[str]

    def parameters(self, members: Sequence[str] = ()) -> dict[str, list[str]]:
        """All relations that settings are read or written through, there or not."""
        names = [(self.schema, name) for name in (*self.tables, *self.kinds)]
        names += [("rowform", name) for name in self.kinds]
        return {
            "relations": [sql.Identifier(*name).as_string(None) for name in names],
            "members": list(members),
        }


def tenancy(connection: Connection, places: Places) -> Tenancy:
    """Read who may see what; one query for each sort of thing."""
    tables = connection.execute(query("tenancy")).fetchall()
    with connection.cursor(row_factory=class_row(Member)) as cursor:
        members = cursor.execute(query("members", app=sql.Identifier(places.schema))).fetchall()
    asked = places.parameters([one.role for one in members])
    can_act_as = query("can_act_as")
    with connection.cursor(row_factory=class_row(Bypassing)) as cursor:
        bypassing = cursor.execute(query("bypassing", can_act_as=can_act_as), asked).fetchall()
    with connection.cursor(row_factory=class_row(ForeignPolicy)) as cursor:
        policies = cursor.execute(query("foreign_policies"), asked).fetchall()
    return Tenancy(
        is_enforced=all(enforced for _, enforced in tables),
        is_begun=any(enforced for _, enforced in tables),
        open_tables=[name for name, enforced in tables if not enforced],
        forced_tables=_forced(connection, asked),
        members=members,
        unmapped=_unmapped(connection, asked),
        bypassing=bypassing,
        routes=[route for (route,) in connection.execute(query("routes"), asked)],
        foreign_policies=policies,
    )


def enforcement(
    connection: Connection, places: Places, stored: Mapping[str, object], *, installed: bool, wanted: bool
) -> sql.Composed | None:
    """What an upgrade still has to do so that restaurants are kept apart; nothing if that is done.

    Where no application was before, they are from the start. Where that has begun it goes on, for
    kinds that are new as well. Else it begins where it is wanted.

    Args:
        connection: to the database as it is before the upgrade.
        places: where settings are, or will be.
        stored: the kinds that have their storage already.
        installed: whether the database knows about members and policies yet.
        wanted: whether it may begin in an application that did without.

    Raises:
        Refused: roles that have access now would see nothing any more.
    """
    if installed:
        tables = connection.execute(query("tenancy")).fetchall()
        if all(enforced for _, enforced in tables) and all(kind in stored for kind in places.kinds):
            return None
        begins = not any(enforced for _, enforced in tables)
    else:
        begins = connection.execute(query("any_settings"), places.parameters()).fetchone() == (True,)
    if begins and not wanted:
        return None
    if begins:
        _ensure_mapped(connection, places, installed=installed)
    return query("enforce_tenancy")


def _ensure_mapped(connection: Connection, places: Places, *, installed: bool) -> None:
    """Nobody who has access now may lose it unawares."""
    members = query("members", app=sql.Identifier(places.schema))
    asked = places.parameters([row[0] for row in connection.execute(members)] if installed else [])
    if forced := _forced(connection, asked):
        raise Refused(
            f"row level security is forced upon the owner of {joined(escape(name) for name in forced)}",
            "rowform's own functions run as the owner: ALTER TABLE … NO FORCE ROW LEVEL SECURITY",
        )
    lost = _unmapped(connection, asked)
    if not lost:
        return
    names = joined(
        escape(one.role)
        + ("" if list(one.through) == [one.role] else f" (through {escape(joined(one.through))})")
        for one in lost
    )
    raise Refused(
        f"{count(len(lost), 'role')} would see no restaurant any more: {names}",
        "give each its rows in rowform.members: (role_name, restaurant_id), or (role_name, is_gateway) for"
        " the login of a trusted server that names the restaurant each time"
        if installed
        else "run `rowform db upgrade` without --enforce-rls, list these roles in rowform.members, then"
        " run it again",
    )


def _unmapped(connection: Connection, asked: Mapping[str, Sequence[str]]) -> list[Unmapped]:
    with connection.cursor(row_factory=class_row(Unmapped)) as cursor:
        return cursor.execute(query("unmapped", can_act_as=query("can_act_as")), asked).fetchall()


def _forced(connection: Connection, asked: Mapping[str, Sequence[str]]) -> list[str]:
    return [name for (name,) in connection.execute(query("forced"), asked)]
