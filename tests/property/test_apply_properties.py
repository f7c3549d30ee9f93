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
from rowform.plan import Actual, Plan
from rowform.planner import make_plan
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


def plan(session: Session, state: State) -> Plan:
    restaurants = [state.restaurants[slug] for slug in sorted(state.restaurants)]
    there = snapshot(session, {one.id: one.content for one in restaurants})
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


def test_whatever_was_there_an_apply_leads_to_what_the_configuration_says(session: Session) -> None:
    contents: Contents = {}

    @settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def after_an_apply_there_is_nothing_to_do(data: st.DataObject) -> None:
        model = data.draw(models())
        apply(session, loaded(data.draw(texts(model))).state)
        again = plan(session, loaded(data.draw(texts(model))).state)
        assert not again.has_changes
        for one in again.restaurants:
            assert one.base is not None
            number = one.base.version_number
            assert content(session, one.restaurant.id, number) == digest(one.target)
            contents.setdefault((one.restaurant.id, number), digest(one.target))

    after_an_apply_there_is_nothing_to_do()
    assert len(contents) >= 50
    assert_versions_are_unchanged(session, contents)
    for restaurant_id in {restaurant_id for restaurant_id, _ in contents}:
        assert_the_audit_replays(session, restaurant_id)


def assert_versions_are_unchanged(session: Session, contents: Contents) -> None:
    """Every version still has the content that it was made with."""
    for (restaurant_id, number), expected in contents.items():
        assert content(session, restaurant_id, number) == expected


def assert_the_audit_replays(session: Session, restaurant_id: str) -> None:
    """Every change of every version, one after the other, ends at what is active now."""
    replayed: dict[tuple[str, str], Any] = {}
    rows = session.connection.execute(
        "SELECT table_name, old_data, new_data FROM config_changes WHERE restaurant_id = %s ORDER BY seq",
        (restaurant_id,),
    ).fetchall()
    for kind, old, new in rows:
        if old is not None:
            assert values(kind, replayed.pop((kind, old["id"]))) == values(kind, old)
        if new is not None:
            assert (kind, new["id"]) not in replayed
            replayed[kind, new["id"]] = new
    (active,) = (version for version in history(session, restaurant_id) if version.is_active)
    found = version_rows(session, restaurant_id, active.number)
    there = {(kind, one.entity_id) for kind, entries in found.items() for one in entries.values()}
    assert there == set(replayed)


def values(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in kinds()[kind].column_names}
