"""The workflows as files: one definition, least privilege, and what `init` does with them."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rowform.sync.pipelines import pipeline_files
from tests.docs.generate import ROOT
from tests.docs.generate import workflows as copies
from tests.support.forge import Forge
from tests.support.project import Project
from tests.support.runner import Runner, triggers
from tests.workflows.lint import scripts
from tests.workflows.steps import failed, start

FILES = pipeline_files()
WORKFLOWS = [name for name in FILES if name.startswith(".github/workflows/")]
ACTION = ".github/actions/rowform/action.yml"


def read(name: str) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(FILES[name])
    return document


def test_there_are_all_of_them() -> None:
    names = ("apply", "drift", "plan", "rollback", "validate")
    wanted = [f".github/workflows/rowform-{name}.yml" for name in names]
    assert wanted == WORKFLOWS
    assert set(FILES) == {*WORKFLOWS, ACTION, ".github/CODEOWNERS", ".pre-commit-config.yaml"}


def test_this_repository_has_the_same() -> None:
    for file, text in copies().items():
        assert file.read_text("utf-8") == text, "run `make docs`"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_is_safe(name: str) -> None:
    workflow, text = read(name), FILES[name]
    on = triggers(workflow)
    assert "workflow_call" in on
    assert "pull_request_target" not in on
    assert "workflow_run" not in on
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert job["permissions"]["contents"] == ("write" if "rollback" in name else "read")
    assert job["timeout-minutes"] <= 30
    uses = re.findall(r"uses: (.*)", text)
    assert uses
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in uses), uses
    assert text.count("actions/checkout@") == text.count("persist-credentials: false") == 1
    assert ("fetch-depth: 0" in text) is ("validate" not in name)
    for step, script in scripts_of(name):
        assert "${{" not in script, step


def scripts_of(name: str) -> list[tuple[str, str]]:
    return list(scripts(ROOT / name))


def test_only_a_run_that_nothing_newer_supersedes_is_cancelled() -> None:
    """An apply, a rollback or a drift check that has begun is never cut off."""
    cancelled = {
        name: next(iter(read(name)["jobs"].values()))["concurrency"]["cancel-in-progress"]
        for name in WORKFLOWS
    }
    assert {name for name, value in cancelled.items() if value} == {
        ".github/workflows/rowform-plan.yml",
        ".github/workflows/rowform-validate.yml",
    }


def test_rowform_is_installed_in_one_way() -> None:
    found = {dict(scripts_of(name))["Install rowform"] for name in (*WORKFLOWS, ACTION)}
    assert len(found) == 1


def test_hashes_come_first(forge: Forge, project: Project, runner: Runner) -> None:
    start(forge, project)
    wheel = Path(runner.variables.pop("ROWFORM_INSTALL"))
    run = failed(runner.run("rowform-validate.yml", forge.push()), "Install rowform")
    assert "set the variable ROWFORM_INSTALL" in run.log
    assert run.commands == ["error"]
    assert run.outcomes["Check the layout"] == "skipped"
    requirements = forge.clone / ".github" / "rowform-requirements.txt"
    for digest, fine in (("0" * 64, False), (hashlib.sha256(wheel.read_bytes()).hexdigest(), True)):
        requirements.write_text(f"rowform @ file://{wheel} --hash=sha256:{digest}\n", "utf-8")
        forge.commit("Pin rowform")
        run = runner.run("rowform-validate.yml", forge.push())
        assert run.ok is fine, run.log


def test_all_checks_report(forge: Forge, project: Project, runner: Runner) -> None:
    start(forge, project)
    project.write({"sakura/daily_limits.yaml": "daily_limits: [ {name: 7} ]\n"})
    (forge.clone / "schemas" / "settings.schema.json").write_text("{}", "utf-8")
    forge.commit("All wrong")
    run = runner.run("rowform-validate.yml", forge.push())
    assert {name: outcome for name, outcome in run.outcomes.items() if outcome == "failure"} == {
        "Check the settings": "failure",
        "Check the layout": "failure",
        "Check the schemas for editors": "failure",
    }
    assert "error" in run.commands


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_variable_switches_them_off(forge: Forge, project: Project, runner: Runner, name: str) -> None:
    pushed = start(forge, project)
    runner.variables["ROWFORM_PIPELINES"] = "off"
    (job,) = read(name)["jobs"].values()
    assert runner.job(job, pushed).outcomes == {}


def test_the_action_wants_the_whole_history(
    forge: Forge, project: Project, runner: Runner, tmp_path: Path
) -> None:
    start(forge, project)
    forge.commit_empty("One more")
    pushed = forge.push()
    action = read(ACTION)
    defaults = {name: one["default"] for name, one in action["inputs"].items()}
    job: dict[str, Any] = {
        "if": "true",
        "runs-on": "ubuntu-latest",
        "permissions": {"contents": "read"},
        "concurrency": {"group": "rowform-own", "cancel-in-progress": False},
        "steps": [],
    }
    inputs = {**defaults, "install": runner.variables["ROWFORM_INSTALL"]}
    for depth, history, fine in (("1", "true", False), ("0", "true", True), ("1", "false", True)):
        given = {"fetch-depth": depth, "persist-credentials": False}
        checkout = {"name": "Check out", "uses": f"actions/checkout@{'0' * 40}", "with": given}
        steps = [{key: one[key] for key in one if key != "shell"} for one in action["runs"]["steps"]]
        pushed.payload["inputs"] = {**inputs, "history": history}
        run = runner.job({**job, "steps": [checkout, *steps]}, pushed)
        assert run.ok is fine, run.log
        assert ("fetch-depth: 0" in run.log) is not fine


class TestInit:
    def test_the_first_restaurant_brings_them(self, project: Project) -> None:
        project.git("init", "--quiet")
        result = project.ok("init", str(project.directory), "--restaurant", "sakura")
        for name, text in FILES.items():
            assert f"wrote {project.directory / name}" in result.out
            assert (project.directory / name).read_text("utf-8") == text
        assert "ROWFORM_DATABASE_URL" in result.err
        assert "ROWFORM_DATABASE_URL" not in result.out

    def test_another_restaurant_does_not(self, project: Project) -> None:
        project.ok("init", str(project.directory), "--restaurant", "sakura")
        (project.directory / ".github" / "CODEOWNERS").unlink()
        (project.directory / ACTION).write_text("ours", "utf-8")
        result = project.ok("init", str(project.directory), "--restaurant", "momiji")
        assert ".github" not in result.out
        assert "ROWFORM_DATABASE_URL" not in result.err
        assert not (project.directory / ".github" / "CODEOWNERS").exists()
        result = project.ok("init", str(project.directory), "--workflows")
        assert result.out == f"wrote {project.directory / '.github' / 'CODEOWNERS'}\n"
        assert (project.directory / ACTION).read_text("utf-8") == "ours"
        assert project.run("init", str(project.directory), "--restaurant", "momiji", "--workflows").code == 1

    def test_nor_does_who_says_so(self, project: Project) -> None:
        result = project.ok("init", str(project.directory), "--no-workflows")
        assert ".github" not in result.out
        assert not (project.directory / ".github").exists()
        assert not (project.directory / ".pre-commit-config.yaml").exists()

    def test_nor_does_a_directory_inside_a_repository(self, project: Project) -> None:
        project.git("init", "--quiet")
        inner = Project(project.directory / "settings", project.url)
        result = inner.ok("init", str(inner.directory), "--restaurant", "sakura")
        assert f"which is {project.directory}" in result.err
        assert not (inner.directory / ".github").exists()
        assert (inner.directory / "config" / "sakura" / "restaurant.yaml").exists()

    def test_another_config_directory_has_owners_too(self, tmp_path: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "rowform", "--config-dir", "my settings", "init"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Set the variable ROWFORM_CONFIG_DIR to my settings" in done.stderr
        owners = (tmp_path / ".github" / "CODEOWNERS").read_text("utf-8")
        assert "\n/my\\ settings/   @" in owners

    def test_a_place_that_cannot_be_written_is_an_error(self, project: Project) -> None:
        (project.directory / ".github").write_text("", "utf-8")
        result = project.run("init", str(project.directory))
        assert result.code == 1
        assert "cannot write" in result.err


def test_hooks_of_both_sorts_do_the_same(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    own: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    (local,) = yaml.safe_load(FILES[".pre-commit-config.yaml"])["repos"]
    commands = {one["id"]: one["entry"] for one in own}
    assert set(commands) == {"rowform-validate", "rowform-fmt", "rowform-schema"}
    for hook in (*own, *local["hooks"]):
        assert commands[hook["id"]] == hook["entry"]
        assert hook["pass_filenames"] is False
    project.ok("init", str(project.directory), "--restaurant", "sakura", "--no-workflows")
    project.write({"sakura/daily_limits.yaml": "daily_limits:   [{name:   x}]\n"})
    # pre-commit fails if a hook fails or changes a file.
    for entry, changes in (("validate", False), ("fmt", True), ("fmt", False), ("schema", False)):
        assert f"rowform {entry}" in commands.values()
        before = sorted((one, one.read_bytes()) for one in project.directory.rglob("*") if one.is_file())
        project.ok(entry)
        after = sorted((one, one.read_bytes()) for one in project.directory.rglob("*") if one.is_file())
        assert (before != after) is changes


def test_ci_runs_what_contributors_run() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))["jobs"]
    commands = [step["run"].split()[:2] for step in jobs["test"]["steps"] if "run" in step]
    assert commands == [["make", "demo"], ["make", "check"], ["make", "test"]]
    versions = jobs["test"]["strategy"]["matrix"]["python-version"]
    assert versions == ["3.11", "3.12", "3.13"]
