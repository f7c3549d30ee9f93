"""Completion in a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import MOMIJI, Project

TARGETS = "targets:\n  production: {database_url_env: A}\n  staging: {database_url_env: B}\n"


@pytest.fixture
def restaurants(tmp_path: Path) -> Project:
    project = Project(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    project.restaurant()
    project.restaurant("momiji", MOMIJI)
    project.write({"_defaults/a.yaml": "", "rowform.yaml": TARGETS, "not-one/a.yaml": ""})
    return project


def proposed(project: Project, *words: str) -> list[str]:
    """What the shell would show after these words, the last one of which is not finished."""
    done = subprocess.run(
        [sys.executable, "-c", "from rowform.cli.main import run; run()"],
        cwd=project.directory,
        env={
            **os.environ,
            "_ROWFORM_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(["rowform", *words]),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pl"], ["plan"]),
        (["plan", "-r", ""], ["momiji", "sakura"]),
        (["history", "--restaurant", "s"], ["sakura"]),
        (["plan", "-r", "_"], []),
        (["--target", ""], ["production", "staging"]),
        (["--target", "st"], ["staging"]),
        (["apply", "--force", "ol"], ["older"]),
        (["log", "--kind", "da"], ["daily_limits"]),
        (["import", "a.json", "-r", "s"], ["sakura"]),
        (["import", "a.json", "--only", "da"], ["daily_limits"]),
        (["completion", "z"], ["zsh"]),
        (["--config-dir", "elsewhere", "plan", "-r", ""], []),
        (["--config-dir", "elsewhere", "--target", ""], []),
    ],
    ids=" ".join,
)
def test_words(restaurants: Project, words: list[str], expected: list[str]) -> None:
    assert proposed(restaurants, *words) == expected


def test_an_invalid_configuration_proposes_what_it_can(restaurants: Project) -> None:
    restaurants.write({"rowform.yaml": "targets: ["})
    assert proposed(restaurants, "--target", "") == []
    assert proposed(restaurants, "plan", "-r", "") == ["momiji", "sakura"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one(restaurants: Project, shell: str) -> None:
    script = restaurants.ok("completion", shell).out
    assert f"_ROWFORM_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_another_shell_is_an_error(restaurants: Project) -> None:
    result = restaurants.run("completion", "ksh")
    assert result.code == 1
    assert "'ksh' is not one of" in result.err
