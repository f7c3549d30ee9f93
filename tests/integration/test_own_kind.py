"""A kind from an installed package works everywhere, from the schema to the database."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.project import Project

PACKAGE = Path(__file__).parents[1] / "packages" / "weekly_limits"
WEEKLY = """\
staff_groups:
  - name: Kitchen
    group_config: {members: [料理長]}
weekly_limits:
  - name: Forty hours
    week_config: {maxHours: 40, staffIds: [料理長], note: kept}
    effective_from: 2026-04-01
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which the package is installed, as an installer leaves it: module and metadata."""
    site = tmp_path / "site"
    site.mkdir()
    shutil.copy(PACKAGE / "rowform_weekly_limits.py", site)
    metadata = site / "rowform_weekly_limits-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: rowform-weekly-limits\nVersion: 1.0\n")
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]
    (group, points) = next(iter(project["entry-points"].items()))
    lines = [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    return {**os.environ, "PYTHONPATH": str(site), "CI": ""}


def rowform(
    project: Project, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rowform", "--database-url", project.url, *arguments],
        cwd=project.directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_whole_way(tmp_path: Path, database: str, environment: dict[str, str]) -> None:
    project = Project(tmp_path, database)
    project.restaurant()
    project.write({"sakura/all.yaml": WEEKLY})

    # The database was made without this kind.
    result = rowform(project, environment, "plan")
    assert result.returncode == 1
    assert "the database has no table for weekly_limits" in result.stderr
    assert "rowform db upgrade" in result.stderr
    result = rowform(project, environment, "db", "upgrade", "--auto-approve")
    assert result.returncode == 0, result.stderr
    assert "Create the table rowform.weekly_limits." in result.stdout

    result = rowform(project, environment, "apply", "--auto-approve")
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("Apply complete! Version 1 active: 2 added, 0 changed, 0 destroyed.\n")
    (row,) = project.rows("SELECT * FROM weekly_limits")
    assert row["name"] == "Forty hours"
    assert row["week_config"] == {"maxHours": 40, "staffIds": ["料理長"], "note": "kept"}
    assert str(row["penalty_weight"]) == "2.5"
    assert str(row["effective_from"]) == "2026-04-01"
    (audit,) = project.rows("SELECT * FROM config_changes WHERE table_name = 'weekly_limits'")
    assert audit["new_data"]["week_config"]["maxHours"] == 40
    assert rowform(project, environment, "plan").stdout == "No changes. Settings match the configuration.\n"
    assert "weekly_limits:\n  - name: Forty hours\n" in rowform(project, environment, "show").stdout

    # Its defaults are the database's, its triggers those of every kind.
    (row,) = project.rows("UPDATE weekly_limits SET penalty_weight = 3 RETURNING name, penalty_weight")
    assert (row["name"], row["penalty_weight"]) == ("Forty hours", 3)
    weights = project.rows(
        "SELECT penalty_weight FROM weekly_limits l JOIN config_versions v ON v.id = l.version_id"
        " ORDER BY version_number"
    )
    assert [str(row["penalty_weight"]) for row in weights] == ["2.5", "3"]
    with pytest.raises(Exception, match=r"rowform\.weekly_limits is written by rowform alone"):
        project.rows("UPDATE rowform.weekly_limits SET name = 'x' RETURNING 1")


def test_its_faults_are_found_like_any_other(
    tmp_path: Path, database: str, environment: dict[str, str]
) -> None:
    project = Project(tmp_path, database)
    project.restaurant()
    broken = WEEKLY.replace("maxHours: 40", "maxHuors: 40").replace("[料理長], note", "[誰か], note")
    project.write({"sakura/all.yaml": broken})
    result = rowform(project, environment, "validate")
    assert result.returncode == 0
    assert result.stdout.splitlines() == [
        'config/sakura/all.yaml:6:19: warning: unusual key "maxHuors" (did you mean `maxHours`?)',
        'config/sakura/all.yaml:6:44: warning: "誰か" is no member of a staff group of sakura',
        "1 restaurant, 2 settings, 2 warnings.",
    ]
    rowform(project, environment, "schema")
    schema = json.loads((project.directory / "schemas" / "settings.schema.json").read_text("utf-8"))
    assert "weekly_limits" in schema["properties"]
    (project.directory / "config/sakura/all.yaml").write_text(WEEKLY.replace("weekly_limits", "weekly_limit"))
    result = rowform(project, environment, "validate")
    assert result.returncode == 1
    assert "did you mean `weekly_limits`?" in result.stdout


def test_without_the_package_the_kind_is_unknown_and_its_settings_stay(
    tmp_path: Path, database: str, environment: dict[str, str]
) -> None:
    project = Project(tmp_path, database)
    project.restaurant()
    project.write({"sakura/all.yaml": WEEKLY})
    rowform(project, environment, "db", "upgrade", "--auto-approve")
    rowform(project, environment, "apply", "--auto-approve")
    project.write({"sakura/all.yaml": WEEKLY[: WEEKLY.index("weekly_limits")].replace("料理長", "井関")})
    project.apply()
    rows = project.rows("SELECT version_id FROM weekly_limits")
    assert len({row["version_id"] for row in rows}) == 2
    assert "kinds whose package is not installed here: weekly_limits" in project.ok("db", "status").out
