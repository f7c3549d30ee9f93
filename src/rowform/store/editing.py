"""Reading what an edit from a live client is compared with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rowform.diff import Stored
from rowform.kinds import Kind
from rowform.plan import Actual, Base
from rowform.state import Entry
from rowform.store.activation import Ref
from rowform.store.failures import translated
from rowform.store.queries import query
from rowform.store.read import selected, stored_settings
from rowform.store.session import Session, storage


@dataclass(frozen=True, slots=True)
class There:
    """A restaurant, and the settings of those versions that clients name, by version, kind and identity."""

    actual: Actual
    versions: Mapping[str, Mapping[str, Mapping[str, Stored]]]


@translated()
def standing_content(session: Session, restaurant_id: str, versions: Sequence[str] = ()) -> There | None:
    """A restaurant's active settings, and those of some versions; nothing if there is no such restaurant.

    One snapshot in one round trip. Versions that are not the restaurant's are left out.

    Raises:
        DatabaseError: the server refused or failed.
    """
    connection, asked = session.connection, {"restaurant": restaurant_id, "versions": list(versions)}
    with connection.pipeline():
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = connection.execute(query("edited_restaurant", app=session.app), asked)
        named = connection.execute(query("edited_versions", app=session.app), asked)
        cursors = {
            kind.name: connection.execute(
                query("edited_rows", app=session.app, table=storage(kind), columns=selected(kind, session)),
                asked,
            )
            for kind in session.kinds.values()
        }
        connection.execute("COMMIT")
    # Only now: to fetch inside the pipeline is a round trip of its own.
    head = found.fetchone()
    if head is None:
        return None
    slug, name, timezone, newest, version_id, number, is_locked, origin, reason, locked_at, commit = head
    content: dict[str, dict[str, dict[str, Stored]]] = {row[0]: {} for row in named}
    settings: dict[str, dict[str, Stored]] = {}
    for kind, cursor in cursors.items():
        for version, stored in stored_settings(session.kinds[kind], cursor, session.tables[kind]):
            if version in content:
                content[version].setdefault(kind, {})[stored.entity_id] = stored
            if version == version_id:
                settings.setdefault(kind, {})[stored.entry.key] = stored
    base = None
    if version_id is not None:
        # Whether it is settled would cost a look at all activations; whoever asks takes it for unsettled.
        base = Base(
            version_id, number, newest, is_locked, origin, reason, locked_at, commit, is_settled=False
        )
    actual = Actual(restaurant_id, slug, name, timezone, True, newest, base, settings)
    return There(actual, content)


@translated()
def former_settings(session: Session, restaurant_id: str, kind: Kind, ids: Collection[str]) -> frozenset[str]:
    """Those of some ids that a setting of a restaurant has or had in any version. One round trip.

    Raises:
        DatabaseError: the server refused or failed.
    """
    rows = session.connection.execute(
        query("former_settings", table=storage(kind)), {"restaurant": restaurant_id, "ids": list(ids)}
    ).fetchall()
    return frozenset(row[0] for row in rows)


@translated()
def later_forms(
    session: Session,
    restaurant_id: str,
    kind: Kind,
    setting: str,
    version: str,
    *,
    client: str,
    user: str | None,
) -> list[tuple[bool, Entry]]:
    """The forms that a setting took after a version, in order, and whether a client made each of them itself.

    Raises:
        DatabaseError: the server refused or failed.
    """
    rows = session.connection.execute(
        query("later_rows", app=session.app, table=storage(kind), columns=selected(kind, session)),
        {"restaurant": restaurant_id, "setting": setting, "version": version, "client": client, "user": user},
    )
    return [
        (who == "own", stored.entry) for who, stored in stored_settings(kind, rows, session.tables[kind.name])
    ]


@translated()
def version_of(session: Session, restaurant_id: str, version: str) -> Ref | None:
    """One version of a restaurant, if it has that one. One round trip.

    Raises:
        DatabaseError: the server refused or failed.
    """
    row = session.connection.execute(
        query("version_of", app=session.app), {"restaurant": restaurant_id, "version": version}
    ).fetchone()
    return Ref(*row) if row else None


@translated()
def writer(session: Session) -> tuple[str, bool]:
    """The session's role, and whether it may make versions. One round trip.

    Raises:
        DatabaseError: the server refused or failed.
    """
    row = session.connection.execute(query("may_write")).fetchone()
    return (row[0], row[1]) if row else ("", False)
