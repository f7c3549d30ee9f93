"""Generated configurations against a real PostgreSQL, one after the other on one database.

Every example finds what the ones before it left, so that updates, deletions, returning keys and
renames all occur; whatever was there, an apply leads to what the configuration says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.plan import Actual, Plan, make_plan
from rowform.state import State, digest
from rowform.store.apply import Origin, apply_plan
from rowform.store.read import content_of, history, snapshot, version_rows
from rowform.store.session import Session, open_session
from tests.property.strategies import models, texts
from tests.support.builders import loaded
from tests.support.database import Databases

#: What each version of each restaurant has contained since it was made, by id and number.
Contents = dict[tuple[str, int], str]


@pytest.fixture(scope="module")
def session(databases: Databases, template: str) -> Iterator[Session]:
    url = databases.create(template)
    opened = open_session(url, kinds())
    yield opened
    opened.connection.close()
    databases.drop(url)


@pytest.fixture(scope="module")
def contents() -> Contents:
    return {}


def plan(session: Session, state: State) -> Plan:
    restaurants = [state.restaurants[slug] for slug in sorted(state.restaurants)]
    there = snapshot(session, [one.id for one in restaurants]).restaurants
    return make_plan(
        restaurants,
        lambda one: there.get(one.id) or Actual(one.id),
        kinds(),
        Thresholds(),
        database_id=session.database_id,
        target=None,
        source={},
    )


def apply(session: Session, state: State) -> None:
    for one in plan(session, state).restaurants:
        if one.has_changes:
            apply_plan(session, one, Origin("Generated", None, {}, {}), lambda: session)


def content(session: Session, restaurant_id: str, number: int) -> str:
    return digest(content_of(version_rows(session, restaurant_id, number)))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_after_an_apply_there_is_nothing_to_do(
    session: Session, contents: Contents, data: st.DataObject
) -> None:
    model = data.draw(models())
    state = loaded(data.draw(texts(model))).state
    apply(session, state)

    again = plan(session, loaded(data.draw(texts(model))).state)
    assert not again.has_changes
    for one in again.restaurants:
        assert one.base is not None
        number = one.base.version_number
        assert content(session, one.restaurant.id, number) == digest(one.target)
        contents.setdefault((one.restaurant.id, number), digest(one.target))


def test_every_version_still_has_the_content_that_it_was_made_with(
    session: Session, contents: Contents
) -> None:
    """Runs after the examples, and looks at all the versions that they made."""
    assert len(contents) >= 50
    for (restaurant_id, number), expected in contents.items():
        assert content(session, restaurant_id, number) == expected


def test_the_audit_replays_to_the_active_content(session: Session, contents: Contents) -> None:
    """Every change of every version, one after the other, ends at what is active now."""
    for restaurant_id in {restaurant_id for restaurant_id, _ in contents}:
        replayed: dict[tuple[str, str], Any] = {}
        rows = session.connection.execute(
            "SELECT table_name, old_data, new_data FROM config_changes WHERE restaurant_id = %s ORDER BY seq",
            (restaurant_id,),
        ).fetchall()
        for kind, old, new in rows:
            if old is not None:
                known = replayed.pop((kind, old["id"]))
                assert values(kind, known) == values(kind, old)
            if new is not None:
                assert (kind, new["id"]) not in replayed
                replayed[kind, new["id"]] = new
        (active,) = (version for version in history(session, restaurant_id) if version.is_active)
        found = version_rows(session, restaurant_id, active.number)
        assert {(kind, one.entity_id) for kind, rows in found.items() for one in rows.values()} == set(replayed)


def values(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in kinds()[kind].column_names}
