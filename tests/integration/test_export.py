"""``rowform export``: the way back into a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.browsers import sample
from tests.support.builders import exact
from tests.support.project import Project


@pytest.fixture
def offline(tmp_path: Path) -> Project:
    """A directory without anything; the database is never asked."""
    return Project(tmp_path, "postgresql://nowhere.invalid/none")


def imported(project: Project, name: str, slug: str = "sakura", *arguments: str) -> Any:
    """Import a sample; returns the settings in it."""
    file = project.directory / f"{name}.json"
    file.write_bytes(sample(name))
    value = json.loads(sample(name))
    value = json.loads(value["shift-schedule-settings"]) if name == "dump" else value
    left_out = ["--leave-out", "/backupAssignments"] if "backupAssignments" in value else []
    project.ok("import", str(file), "-r", slug, *left_out, *arguments)
    return value


@pytest.mark.parametrize("name", ["dump", "legacy", "seed", "v4"])
def test_what_was_imported_and_applied_comes_back_as_it_was(project: Project, name: str) -> None:
    value = imported(project, name)
    project.apply()
    assert exact(project.ok("export").json) == exact(value)
    assert exact(project.ok("export", "1", "--format", "localstorage").json) == exact(value)
    assert exact(project.ok("export", "config").json) == exact(value)


@pytest.mark.parametrize("name", ["legacy", "seed", "v4"])
def test_one_kind_after_the_other_comes_back_as_one(offline: Project, name: str) -> None:
    for kind in ("daily_limits", "staff_groups", "ml_model_configs", "priority_rules", "monthly_limits"):
        value = imported(offline, name, "sakura", "--only", kind)
    assert exact(offline.ok("export", "config").json) == exact(value)
    groups = offline.directory / "config/sakura/staff_groups.yaml"
    groups.write_text(groups.read_text("utf-8").replace('color: "#3B82F6"', 'color: "#000000"'), "utf-8")
    # What is not asked for is as it was; what nobody has asked for yet is as in the newest file.
    changed = offline.directory / f"{name}.json"
    changed.write_text(json.dumps({**value, "note": 2}), "utf-8")
    offline.ok("import", str(changed), "-r", "sakura", "--only", "monthly_limits")
    found = offline.ok("export", "config").json
    assert found["note"] == 2
    assert found["staffGroups"][0]["color"] == "#000000"


def test_a_version_is_exported_as_it_was_then(project: Project) -> None:
    value = imported(project, "seed")
    project.apply()
    groups = project.directory / "config/sakura/staff_groups.yaml"
    groups.write_text(groups.read_text("utf-8") + "  - name: Bar\n", "utf-8")
    project.apply()
    assert exact(project.ok("export", "1").json) == exact(value)
    now = project.ok("export", "active").json
    assert now["staffGroups"] == [*value["staffGroups"], {"name": "Bar"}]
    assert {**now, "staffGroups": None} == {**value, "staffGroups": None}


def test_changes_stand_where_the_browser_had_them(offline: Project) -> None:
    value = imported(offline, "legacy")
    limits = offline.directory / "config/sakura/daily_limits.yaml"
    text = (
        limits.read_text("utf-8")
        .replace("maxCount: 3\n", "maxCount: 7\n")
        .replace("- name: Max off per day\n", "- name: Days off\n    previously: [Max off per day]\n")
    )
    limits.write_text(text, "utf-8")
    rules = offline.directory / "config/sakura/priority_rules.yaml"
    kept, _ = rules.read_text("utf-8").split("  - name: 料理長 - early")
    rules.write_text(kept, "utf-8")
    found = offline.ok("export", "config").json
    weekly = value["weeklyLimits"]
    assert found["weeklyLimits"]["maxLatePerDay"] == {**weekly["maxLatePerDay"], "value": 7}
    assert found["weeklyLimits"]["maxOffPerDay"] == {**weekly["maxOffPerDay"], "name": "Days off"}
    assert found["priorityRules"]["料理長"] == {"preferredShifts": []}
    assert found["priorityRules"]["井関"] == value["priorityRules"]["井関"]


def test_without_an_import_it_is_rows(offline: Project) -> None:
    offline.restaurant()
    models = "ml_model_configs:\n  - {model_name: m, model_type: t}\n"
    offline.write({"sakura/a.yaml": f"staff_groups:\n  - name: A\n{models}"})
    found = offline.ok("export", "config").json
    assert found["staffGroups"] == [
        {"name": "A", "description": None, "color": None, "group_config": {}, "is_active": True}
    ]
    assert found["dailyLimits"] == []
    assert found["mlParameters"]["model_name"] == "m"


def test_without_an_import_a_version_is_its_rows(project: Project) -> None:
    """As the seed's data recovery exports them, and such an export comes in again."""
    project.restaurant()
    limit = "daily_limits:\n  - {name: L, effective_from: 2026-04-01, is_active: false}\n"
    models = "ml_model_configs:\n  - {model_name: m, model_type: t}\n"
    project.write({"sakura/a.yaml": f"staff_groups:\n  - name: A\n{limit}{models}"})
    project.apply()
    found = project.ok("export").json
    assert found == project.ok("export", "1", "--rows").json
    seeds = """
        SELECT json_build_object(
          'staffGroups', (SELECT json_agg(sg.*) FROM staff_groups sg WHERE version_id = v.id),
          'dailyLimits', (SELECT json_agg(dl.*) FROM daily_limits dl WHERE version_id = v.id),
          'monthlyLimits', (SELECT json_agg(ml.*) FROM monthly_limits ml WHERE version_id = v.id),
          'priorityRules', (SELECT json_agg(pr.*) FROM priority_rules pr WHERE version_id = v.id),
          'mlParameters', (SELECT row_to_json(m.*) FROM ml_model_configs m WHERE version_id = v.id LIMIT 1)
        ) AS settings_export FROM config_versions AS v WHERE v.is_active"""
    expected = project.value(seeds)
    assert found == {**expected, "monthlyLimits": [], "priorityRules": []}
    assert list(found["staffGroups"][0]) == list(expected["staffGroups"][0])
    file = project.directory / "recovered.json"
    file.write_text(json.dumps(found), "utf-8")
    again = project.ok("import", str(file), "-r", "sakura")
    assert again.out.splitlines()[-1] == "Import complete: 0 added, 0 replaced, 3 unchanged."
    assert exact(project.ok("export").json) == exact(found)


def test_the_default_model_comes_first(offline: Project) -> None:
    offline.restaurant()
    models = "".join(
        f"  - {{model_name: {name}, model_type: t, is_default: {flag}}}\n"
        for name, flag in (("a", "false"), ("b", "true"), ("c", "false"))
    )
    offline.write({"sakura/a.yaml": f"ml_model_configs:\n{models}"})
    found = offline.ok("export", "config").json
    assert found["mlParameters"]["model_name"] == "b"
    assert [one["model_name"] for one in found["mlModelConfigs"]] == ["a", "c"]


def test_several_imports_and_shapes(offline: Project) -> None:
    seed = imported(offline, "seed")
    found = offline.ok("export", "config", "--rows").json
    assert found["staffGroups"][0]["group_config"] == {"id": "1", "members": ["a", "b"]}
    imported(offline, "legacy")
    result = offline.ok("export", "config")
    legacy = json.loads(sample("legacy"))
    # A rule about nobody and a second model have no place in that shape.
    assert list(result.json) == [*legacy, "dailyLimits", "priority_rules", "mlModelConfigs"]
    assert result.err == (
        "priority_rules: the application does not look there; `rowform import` does\n"
        "mlModelConfigs: the application does not look there; `rowform import` does\n"
    )
    again = offline.ok("export", "config", "--like", "seed.json").json
    assert again["staffGroups"][0] == seed["staffGroups"][0]
    assert [one["name"] for one in again["staffGroups"]] == ["Kitchen", "Group 1", "Group 2", "Group 3"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--like", "nope.json"], '"nope.json" was not imported for sakura'),
        (["--like", "seed.json", "--rows"], "are two shapes"),
        (["-r", "nope"], 'there is no restaurant "nope"'),
        (["--format", "xml"], "'xml' is not one of"),
    ],
)
def test_wrong_usage(offline: Project, arguments: list[str], message: str) -> None:
    imported(offline, "seed")
    result = offline.run("export", "config", *arguments)
    assert (result.code, result.out) == (1, "")
    assert message in result.err


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"format": "rowform.localstorage/2", "imports": []}',
        '{"format": "rowform.localstorage/1", "imports": [{"file": "a", "document": {"value": 1}}]}',
        '{"format": "rowform.localstorage/1", "imports": [{"document": {"object": {}}}]}',
        *(
            '{"format": "rowform.localstorage/1", "imports": [{"file": "a", "document": ' + document + "}]}"
            for document in (
                '{"object": {"a": {"setting": {}}}}',
                '{"object": {"a": {"array": [1]}}}',
                '{"object": {"a": 1}}',
                '{"object": []}',
            )
        ),
    ],
)
def test_a_damaged_side_file_is_told(offline: Project, text: str) -> None:
    imported(offline, "seed")
    (offline.directory / "config/sakura/localstorage.json").write_text(text)
    result = offline.run("export", "config")
    assert result.code == 1
    assert "localstorage.json is no " in result.err
    assert "internal error" not in result.err
