"""The command line as a person or a pipeline meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rowform.cli.commands import COMMANDS, DB_COMMANDS
from rowform.cli.main import main
from tests.support.project import Project

GROUPS = "staff_groups:\n  - name: Kitchen\n"


def test_without_a_command_it_explains_itself(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "Usage: rowform" in err
    for name, entry in COMMANDS.items():
        assert name in err
        assert entry.summary in err
    assert "upgrade" in project.run("db").err


@pytest.mark.parametrize(
    "command", [*([name] for name in COMMANDS), *(["db", name] for name in DB_COMMANDS)], ids=" ".join
)
def test_every_command_has_help(project: Project, command: list[str]) -> None:
    result = project.ok(*command, "--help")
    assert result.out.startswith("Usage: rowform")
    assert not any(line.startswith("      ") for line in result.out.split("Options:")[0].splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plann"], "No such command 'plann'"),
        (["plan", "--nope"], "No such option '--nope'"),
        (["plan", "--target", "x"], "it belongs before the command"),
        (["apply", "--force", "stale"], "'stale' is not one of 'threshold'"),
        (["apply", "--actor", "me"], "is no UUID"),
        (["apply", "--message", " "], "--message is empty"),
        (["show", "-1"], "No such option"),
        (["show", "99999999999"], "is no version"),
    ],
)
def test_wrong_usage_exits_with_1(project: Project, arguments: list[str], message: str) -> None:
    project.restaurant()
    result = project.run(*arguments)
    assert result.code == 1
    assert result.out == ""
    assert message in result.err


@pytest.mark.parametrize(
    "arguments",
    [["plan", "--nope"], ["plan"], ["history", "-r", "nobody"], ["show", "7"], ["db", "status", "-x"]],
)
def test_with_json_stdout_is_one_document_also_when_it_fails(project: Project, arguments: list[str]) -> None:
    project.write({"sakura/all.yaml": "nonsense: 1\n"})
    result = project.run(*arguments, "--format", "json")
    assert result.code == 1
    assert result.json["format"] == "rowform.error/1"
    assert set(result.json["error"]) >= {"code", "message", "hint"}
    assert result.json["error"]["message"] in result.err


def test_detailed_exit_codes(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/all.yaml": GROUPS})
    assert project.run("plan", "--detailed-exitcode").code == 2
    assert project.run("plan").code == 0
    project.apply()
    assert project.run("plan", "--detailed-exitcode").code == 0


def test_an_unexpected_error_is_no_traceback(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("rowform.cli.plan.planned", explode)
    result = project.run("plan")
    assert result.code == 1
    assert result.err.startswith("Error: internal error: ZeroDivisionError: oh\n")
    assert "Traceback" not in result.err
    assert "Traceback" in project.run("--debug", "plan").err


def test_a_reader_that_goes_away_is_no_error_message(project: Project) -> None:
    project.restaurant()
    script = (
        "import io, os, sys\n"
        "reader, writer = os.pipe()\n"
        "os.close(reader)\n"
        "os.dup2(writer, 1)\n"
        "from rowform.cli.main import run\n"
        "run()\n"
    )
    arguments = ["--config-dir", str(project.directory / "config"), "validate"]
    result = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr == ""


def test_an_interactive_yes(project: Project, tmp_path: Path) -> None:
    project.restaurant()
    project.write({"sakura/all.yaml": GROUPS})
    assert answered(project, "y").returncode == 3
    assert answered(project, "no").returncode == 3
    assert project.value("SELECT count(*) FROM config_versions") == 0
    result = answered(project, "yes")
    assert result.returncode == 0
    assert "Apply complete! Version 1 active: 1 added, 0 changed, 0 destroyed." in result.stdout


def answered(project: Project, answer: str) -> subprocess.CompletedProcess[str]:
    """Apply at a terminal at which somebody types ``answer``."""
    script = (
        "import os, pty, sys\n"
        "inner, outer = pty.openpty()\n"
        f"os.write(inner, {answer + chr(10)!r}.encode())\n"
        "os.dup2(outer, 0)\n"
        "from rowform.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    arguments = ["--config-dir", str(project.directory / "config"), "--database-url", project.url, "apply"]
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )


def test_init_validate_plan(project: Project) -> None:
    result = project.ok("init", str(project.directory / "new"), "--restaurant", "fuji")
    assert "restaurant.yaml" in result.out
    # init works below the directory it is given, whatever --config-dir is called.
    made = next((project.directory).rglob("fuji/restaurant.yaml"))
    other = ["--config-dir", str(made.parents[1])]
    assert project.ok(*other, "validate").out == "1 restaurant, 0 settings, no problems.\n"
    assert project.ok(*other, "schema", "--check").out == "The schemas are current.\n"
    again = project.run("init", str(project.directory / "new"), "--restaurant", "fuji")
    assert again.code == 1
    assert "is there already" in again.err
    assert project.run("init", str(project.directory / "new"), "--restaurant", "../x").code == 1


def test_schema_writes_checks_and_notices(project: Project) -> None:
    project.restaurant()
    assert project.run("schema", "--check").code == 1
    project.ok("schema")
    assert project.ok("schema", "--check").out == "The schemas are current.\n"
    schema = project.directory / "schemas" / "settings.schema.json"
    json.loads(schema.read_text("utf-8"))
    schema.write_text("{}")
    assert "not current: settings.schema.json" in project.run("schema", "--check").err


def test_db_upgrade_and_status(tmp_path: Path, empty_database: str) -> None:
    project = Project(tmp_path, empty_database)
    project.restaurant()
    result = project.run("plan")
    assert result.code == 1
    assert "the database has no rowform tables yet" in result.err
    assert "Hint: run `rowform db upgrade`" in result.err
    script = project.ok("db", "upgrade", "--sql").out
    assert "CREATE TABLE" in script
    assert project.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'rowform'") == 0
    assert project.run("db", "upgrade").code == 3
    assert "Migration 1: tables." in project.ok("db", "upgrade", "--auto-approve").out
    assert project.ok("db", "upgrade").out == "The database is up to date.\n"
    assert project.ok("db", "upgrade", "--sql").out == ""
    assert "No restaurants yet." in project.ok("db", "status").out
    project.apply()
    status = project.ok("db", "status", "--format", "json").json
    assert status["restaurants"][0]["slug"] == "sakura"
    assert status["kinds"]


def test_nothing_is_known_of_a_database_without_restaurants(project: Project) -> None:
    assert project.ok("history", "--format", "json").json["restaurants"] == []
    result = project.run("show")
    assert result.code == 1
    assert "there are no restaurants yet" in result.err
