"""`db status --verify`: digests that were written down with versions, against what the tables hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from rowform.kinds import Kind, kinds
from rowform.store.connection import connect
from rowform.store.migrate import upgrade
from rowform.store.session import open_session
from rowform.store.verification import verify
from tests.support.project import MOMIJI, SAKURA, Project

GROUPS = """\
staff_groups:
  - name: Kitchen
    group_config: {members: [料理長, 井関]}
  - name: Bar
    color: "#111111"
daily_limits:
  - name: Early
    penalty_weight: 2.50
    effective_from: 2026-04-01
"""


@pytest.fixture
def history(project: Project) -> Project:
    """Two restaurants with three versions each, of which the second one is a direct write."""
    project.restaurant()
    project.restaurant("momiji", MOMIJI)
    for slug in ("sakura", "momiji"):
        project.write({f"{slug}/all.yaml": GROUPS})
    project.apply()
    with psycopg.connect(project.url) as connection:
        connection.execute("UPDATE staff_groups SET color = '#333333' WHERE name = 'Bar'")
    for slug in ("sakura", "momiji"):
        project.write(
            {f"{slug}/all.yaml": GROUPS.replace("2.50", "7").replace("  - name: Kitchen", "  - name: Door")}
        )
    project.apply("--force", "threshold", "--force", "drift")
    return project


def tampered(project: Project, *statements: str) -> None:
    """Do what only the tables' owner can: switch the triggers off."""
    with psycopg.connect(project.url) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            assert connection.execute(statement).rowcount == 1, statement  # type: ignore[arg-type]


def test_an_untouched_history(history: Project) -> None:
    result = history.ok("db", "status", "--verify")
    assert result.out.endswith(
        "\n4 versions verified: the content is as recorded; 2 versions without a digest.\n"
    )
    found = history.ok("db", "status", "--verify", "--format", "json").json
    assert found["verification"] == {"checked": 4, "unrecorded": 2, "differing": []}


def test_nobody_asked(history: Project) -> None:
    assert history.ok("db", "status", "--format", "json").json["verification"] is None
    assert "verified" not in history.ok("db", "status").out


def test_a_change_past_rowform_shows_in_every_version_that_it_reaches(history: Project) -> None:
    tampered(
        history,
        "UPDATE rowform.staff_groups SET color = '#999999' WHERE name = 'Bar' AND since_version = 3"
        f" AND restaurant_id = '{SAKURA}'",
        "UPDATE rowform.staff_groups SET since_version = 2 WHERE name = 'Kitchen'"
        f" AND restaurant_id = '{MOMIJI}'",
    )
    recorded = {
        (row["slug"], row["version_number"]): row["digest"]
        for row in history.rows(
            "SELECT slug, version_number, source ->> 'digest' AS digest FROM config_versions v"
            " JOIN restaurants r ON r.id = v.restaurant_id"
        )
    }
    result = history.run("db", "status", "--verify", "--format", "json")
    assert result.code == 1
    found = result.json["verification"]
    assert (found["checked"], found["unrecorded"]) == (4, 2)
    assert [
        (one["restaurant"], one["restaurant_id"], one["version_number"], one["recorded"])
        for one in found["differing"]
    ] == [
        ("momiji", MOMIJI, 1, recorded["momiji", 1]),
        ("sakura", SAKURA, 3, recorded["sakura", 3]),
    ]
    assert all(one["found"] != one["recorded"] for one in found["differing"])

    result = history.run("db", "status", "--verify")
    assert result.code == 1
    assert (
        f"\n  sakura version 3: {found['differing'][1]['found']}, not {recorded['sakura', 3]}\n" in result.out
    )
    assert result.err == (
        "Error: 2 of 4 versions are not as recorded\n"
        "Hint: the tables were altered past rowform; a backup has what they held\n"
    )


TWICE = """
    INSERT INTO rowform.staff_groups
        (restaurant_id, version_id, entity_id, since_version, until_version, name)
    SELECT restaurant_id, version_id, gen_random_uuid(), 1, 2, 'Kitchen' FROM rowform.staff_groups
    WHERE name = 'Kitchen' AND restaurant_id = '{}'
"""
FORGED = """
    UPDATE config_versions SET source = jsonb_set(source, '{{digest}}', '"sha256:0"')
    WHERE version_number = 1 AND restaurant_id = '{}'
"""


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM rowform.staff_groups WHERE name = 'Door' AND restaurant_id = '{}'",
        "UPDATE rowform.daily_limits SET until_version = 4 WHERE since_version = 1 AND restaurant_id = '{}'",
        TWICE,
        FORGED,
    ],
)
def test_every_sort_of_tampering(history: Project, statement: str) -> None:
    tampered(history, statement.format(SAKURA))
    found = history.run("db", "status", "--verify", "--format", "json").json["verification"]
    assert {one["restaurant"] for one in found["differing"]} == {"sakura"}


def with_column(kind: Kind, *names: str) -> Mapping[str, Kind]:
    """All kinds, one of which has further columns."""
    from rowform.kinds.base import Text

    annotations: dict[str, Any] = dict.fromkeys(names, Text | None)
    model = type(
        kind.model.__name__,
        (kind.model,),
        {"__annotations__": annotations, "__module__": __name__, **dict.fromkeys(names, "new")},
    )
    return {**kinds(), kind.name: Kind(model)}


def test_a_kind_that_gained_columns(history: Project) -> None:
    """What was made before has no such column in its digest."""
    for names in (("emblem",), ("emblem", "motto")):
        wider = with_column(kinds()["staff_groups"], *names)
        with connect(history.url) as connection:
            assert upgrade(connection, wider)
        opened = open_session(history.url, wider)
        with opened.connection:
            assert opened.tables["staff_groups"].later == names
            found = verify(opened, ())
        assert (found.checked, found.differing) == (4, ())
    tampered(
        history,
        f"UPDATE rowform.staff_groups SET name = 'X' WHERE name = 'Door' AND restaurant_id = '{SAKURA}'",
    )
    opened = open_session(history.url, wider)
    with opened.connection:
        assert [one.version_number for one in verify(opened, ()).differing] == [3]


def test_a_kind_that_nobody_declares_any_more(history: Project) -> None:
    """Its settings are in the digests, and only its model could read them."""
    with connect(history.url) as connection:
        connection.execute("INSERT INTO rowform.kinds VALUES ('weekly_limits', 'name', now(), '1')")
        connection.execute("CREATE TABLE rowform.weekly_limits (LIKE rowform.daily_limits)")
        history.ok("db", "status", "--verify")
        connection.execute("INSERT INTO rowform.weekly_limits (id, name) VALUES (gen_random_uuid(), 'Hours')")
    result = history.run("db", "status", "--verify")
    assert result.code == 1
    assert "settings of weekly_limits" in result.err
