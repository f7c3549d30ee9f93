"""Several databases by name: `targets` of rowform.yaml, by environment variables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.database import Databases
from tests.support.project import Project

TARGETS = """\
targets:
  staging:
    database_url_env: STAGING_URL
  production:
    database_url_env: PRODUCTION_URL
"""
GROUPS = "staff_groups:\n  - name: Kitchen\n"


class Place:
    """A configuration with two targets, and the command line with nothing but variables."""

    def __init__(self, directory: Path, variables: dict[str, str]) -> None:
        self.project = Project(directory, "")
        self.project.restaurant()
        self.project.write({"rowform.yaml": TARGETS, "sakura/all.yaml": GROUPS})
        self.variables = variables

    def run(self, *arguments: str, **variables: str | None) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ROWFORM_")}
        given = {**clean, **self.variables, **variables}
        return subprocess.run(
            [sys.executable, "-m", "rowform", *arguments],
            cwd=self.project.directory,
            env={name: value for name, value in given.items() if value is not None},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def place(tmp_path: Path, database: str, databases: Databases, template: str) -> Place:
    return Place(tmp_path, {"STAGING_URL": database, "PRODUCTION_URL": databases.create(template)})


def test_each_target_is_a_database_of_its_own(place: Place) -> None:
    done = place.run("--target", "staging", "apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert place.run("--target", "staging", "plan", "--detailed-exitcode").returncode == 0
    assert place.run("--target", "production", "plan", "--detailed-exitcode").returncode == 2


def test_a_plan_for_one_is_refused_at_the_other(place: Place) -> None:
    done = place.run("--target", "staging", "plan", "-o", "plan.json")
    assert done.returncode == 0, done.stderr
    assert '"target": "staging"' in (place.project.directory / "plan.json").read_text("utf-8")
    for target in (["--target", "production"], []):
        refused = place.run(*target, "apply", "plan.json", "--auto-approve")
        assert refused.returncode == (3 if target else 1)
        assert "staging" in refused.stderr
    for url in place.variables.values():
        assert Project(place.project.directory, url).value("SELECT count(*) FROM config_versions") == 0
    assert place.run("--target", "staging", "apply", "plan.json", "--auto-approve").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "variables", "message", "hint"),
    [
        (["plan"], {}, "rowform.yaml names the targets staging and production", "choose one with --target"),
        (
            ["--target", "productoin", "plan"],
            {},
            'there is no target "productoin"',
            "did you mean `production`?",
        ),
        (["--target", "x", "plan"], {}, 'there is no target "x"', "the targets are staging and production"),
        (
            ["--target", "staging", "plan"],
            {"STAGING_URL": None},
            "STAGING_URL, the database of target staging, is not set",
            None,
        ),
        (
            ["--target", "staging", "plan"],
            {"STAGING_URL": ""},
            "STAGING_URL is set but empty",
            "a missing secret looks like this",
        ),
        # The embedded database is for configurations that name none.
        (["plan"], {"STAGING_URL": None, "PRODUCTION_URL": None}, "rowform.yaml names the targets", None),
    ],
)
def test_what_is_not_clear_is_an_error(
    place: Place, arguments: list[str], variables: dict[str, str | None], message: str, hint: str | None
) -> None:
    done = place.run(*arguments, **variables)
    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr
    assert hint is None or f"Hint: {hint}" in done.stderr
    assert not (place.project.directory / ".rowform").exists()


def test_variables_say_what_options_say(place: Place) -> None:
    (place.project.directory / "config").rename(place.project.directory / "elsewhere")
    named = {"ROWFORM_CONFIG_DIR": "elsewhere", "ROWFORM_TARGET": "staging"}
    assert place.run("apply", "--auto-approve", **named).returncode == 0
    assert place.run("plan", "--detailed-exitcode", **named).returncode == 0
    assert place.run("--target", "production", "plan", "--detailed-exitcode", **named).returncode == 2
    # A pipeline's variable that is not set arrives empty, and says nothing.
    empty = {"ROWFORM_CONFIG_DIR": "", "ROWFORM_TARGET": ""}
    assert "choose one with --target" in place.run("--config-dir", "elsewhere", "plan", **empty).stderr


def test_no_password_is_ever_printed(place: Place) -> None:
    done = place.run("--target", "staging", "plan", STAGING_URL="postgresql://me:geheim@127.0.0.1:1/x")
    assert done.returncode == 1
    assert "geheim" not in done.stdout + done.stderr
