"""``rowform export --format json``: what live clients get."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import psycopg
import pytest
from psycopg import sql

from rowform.kinds import kinds
from rowform.store.live import LiveDatabase
from tests.support.project import SAKURA, Project

SETTINGS = """
staff_groups:
  - name: 料理長
    group_config: {members: [a], key_with_underscore: 1}
  - {name: plain, color: null}
  - {name: paused, is_active: false}
daily_limits:
  - {name: d, penalty_weight: null, effective_from: 2026-04-01, limit_config: null}
ml_model_configs:
  - {model_name: a, model_type: t}
  - {model_name: b, model_type: t, is_default: true, confidence_threshold: 0.1}
"""
MEMBERS = ["staffGroups", "dailyLimits", "monthlyLimits", "priorityRules", "mlModelConfigs", "version"]


@pytest.fixture
def filled(project: Project) -> Project:
    project.restaurant()
    project.write({"sakura/a.yaml": SETTINGS})
    project.apply("--message", "one")
    return project


def test_the_fields_and_types_are_those_of_the_application(filled: Project) -> None:
    found = filled.ok("export", "--format", "json").json
    assert list(found) == MEMBERS
    version = found["version"]
    assert {**version, "id": "", "createdAt": ""} == {
        "id": "",
        "restaurantId": SAKURA,
        "versionNumber": 1,
        "name": "one",
        "description": "",
        "createdBy": None,
        "createdAt": "",
        "isActive": True,
        "isLocked": False,
    }
    assert version["createdAt"].endswith("Z")
    assert [one["name"] for one in found["staffGroups"]] == ["plain", "料理長"]
    group = found["staffGroups"][1]
    ids = filled.rows("SELECT id::text, created_at FROM staff_groups WHERE name = %s", "料理長")[0]
    assert group == {
        "id": ids["id"],
        "restaurantId": SAKURA,
        "versionId": version["id"],
        "name": "料理長",
        "description": "",
        "color": "",
        "groupConfig": {"members": ["a"], "key_with_underscore": 1},
        "createdAt": group["createdAt"],
        "updatedAt": group["updatedAt"],
        "isActive": True,
    }
    (limit,) = found["dailyLimits"]
    assert (limit["penaltyWeight"], limit["isHardConstraint"], limit["limitConfig"]) == (0, False, None)
    assert (limit["effectiveFrom"], limit["effectiveUntil"]) == ("2026-04-01T00:00:00Z", None)
    assert [one["modelName"] for one in found["mlModelConfigs"]] == ["b", "a"]
    assert found["monthlyLimits"] == found["priorityRules"] == []


def test_it_is_what_a_live_server_tells(filled: Project) -> None:
    async def told() -> Any:
        live = LiveDatabase(filled.url, "public", kinds())
        try:
            return await live.load(SAKURA)
        finally:
            await live.close()

    with psycopg.connect(filled.url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET TimeZone = 'Asia/Tokyo'").format(name))
    snapshot = asyncio.run(told())
    assert json.loads(snapshot.settings) == filled.ok("export", "active", "--format", "json").json


def test_an_older_version_is_told_as_it_was(filled: Project) -> None:
    before = filled.ok("export", "--format", "json").json
    filled.write({"sakura/a.yaml": "staff_groups:\n  - name: only\n"})
    filled.apply("--force", "threshold", "--message", "two")
    assert [one["name"] for one in filled.ok("export", "--format", "json").json["staffGroups"]] == ["only"]
    again = filled.ok("export", "1", "--format", "json").json
    assert again == {**before, "version": {**before["version"], "isActive": False}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["config"], "the files have neither ids nor versions"),
        (["9"], "there is no version 9"),
        (["--rows"], "only localstorage comes in several shapes"),
    ],
)
def test_a_failure_is_one_document_as_well(filled: Project, arguments: list[str], message: str) -> None:
    result = filled.run("export", "--format", "json", *arguments)
    assert result.code == 1
    assert result.json["format"] == "rowform.error/1"
    assert message in result.json["error"]["message"]
