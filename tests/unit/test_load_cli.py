"""The real command, once per exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import header, write

SRC = Path(__file__).parents[2] / "src"
GOOD = {
    "config/sakura/restaurant.yaml": header(),
    "config/sakura/a.yaml": "staff_groups: [{name: Kitchen}]\n",
}


def rowform(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROWFORM_")}
    return subprocess.run(
        [sys.executable, "-m", "rowform", *arguments],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(SRC)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_0_when_all_is_well(tmp_path: Path) -> None:
    done = rowform(write(tmp_path, GOOD), "validate")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 restaurant, 1 setting, no problems.\n", "")


def test_0_with_warnings_which_go_to_stdout_too(tmp_path: Path) -> None:
    done = rowform(write(tmp_path, {**GOOD, "config/sakura/b.yaml": ""}), "validate")
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        done.stdout
        == "config/sakura/b.yaml:1:1: warning: the file is empty\n1 restaurant, 1 setting, 1 warning.\n"
    )


def test_1_for_problems_and_for_wrong_usage(tmp_path: Path) -> None:
    write(tmp_path, {**GOOD, "config/sakura/b.yaml": "staff_group: []\n"})
    done = rowform(tmp_path, "validate")
    place = 'config/sakura/b.yaml:1:1: unknown kind "staff_group" (did you mean `staff_groups`?)'
    assert (done.returncode, done.stdout) == (1, f"{place}\n")
    assert done.stderr == "Error: 1 problem in the configuration\n"
    done = rowform(tmp_path, "validate", "--formt", "json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: No such option")
    done = rowform(tmp_path, "--config-dir", "konfig", "validate")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith('Error: there is no config directory "konfig"\nHint: ')


def test_json_is_one_document_also_when_it_fails(tmp_path: Path) -> None:
    write(tmp_path, {**GOOD, "config/sakura/b.yaml": "staff_group: []\n"})
    done = rowform(tmp_path, "validate", "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "format": "rowform.validate/1",
        "ok": False,
        "problems": [
            {
                "severity": "error",
                "file": "config/sakura/b.yaml",
                "line": 1,
                "column": 1,
                "message": 'unknown kind "staff_group"',
                "hint": "did you mean `staff_groups`?",
            }
        ],
    }


def test_2_for_changes_only_when_asked_and_3_when_nobody_says_yes(tmp_path: Path, database: str) -> None:
    write(tmp_path, GOOD)
    done = rowform(tmp_path, "--database-url", database, "plan", "--detailed-exitcode")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        2,
        "Plan: 1 to add, 0 to change, 0 to destroy.",
    )
    assert rowform(tmp_path, "--database-url", database, "plan").returncode == 0
    done = rowform(tmp_path, "--database-url", database, "apply")
    assert done.returncode == 3
    assert "Error: nobody can be asked here" in done.stderr
    assert rowform(tmp_path, "--database-url", database, "plan", "--detailed-exitcode").returncode == 2


@pytest.mark.parametrize("arguments", [("plan",), ("apply", "--auto-approve"), ("validate",)])
def test_a_faulty_configuration_reaches_no_database(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write(tmp_path, {**GOOD, "config/sakura/b.yaml": "[\n"})
    done = rowform(tmp_path, "--database-url", "postgresql://nobody@127.0.0.1:1/none", *arguments)
    assert done.returncode == 1
    assert 'config/sakura/b.yaml:1:1: "[" is never closed' in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
