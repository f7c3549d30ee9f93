"""Runs the shipped workflows as GitHub's runner does: their own ``run:`` blocks, with bash, in order.

Only what these workflows use is known; whatever else turns up in one is an error.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import yaml

from tests.support.expressions import Strict, evaluate, interpolate
from tests.support.forge import REPOSITORY, Event, Forge

_STEP = {"name", "id", "if", "uses", "with", "env", "run"}
_JOB = {
    "name",
    "if",
    "runs-on",
    "timeout-minutes",
    "permissions",
    "environment",
    "concurrency",
    "env",
    "steps",
}
_WORKFLOW = {"name", "on", "permissions", "defaults", "jobs"}
_SERVER = "https://github.com"
#: What a runner takes as a command in a line of output: at its beginning, or in the old form anywhere.
_COMMAND = re.compile(r"^\s*::(?P<new>[^ :]+)[^:]*::|##\[(?P<old>[^ \]]+)[^\]]*\]")


@dataclass
class Run:
    """What happened: the outcome of each step that was reached, all output, and the summary."""

    outcomes: dict[str, str] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    log: str = ""
    summary: str = ""

    @property
    def ok(self) -> bool:
        return "failure" not in self.outcomes.values()

    @property
    def commands(self) -> list[str]:
        """The names of the commands that the runner obeys in the log."""
        found: list[str] = []
        token = None
        for line in self.log.splitlines():
            command = _COMMAND.search(line)
            name = (command["new"] or command["old"]) if command else None
            if token is not None:
                token = None if name == token else token
            elif name == "stop-commands":
                token = line.rpartition("::")[2].strip().split(" ")[0]
            elif name:
                found.append(name)
        return found


def triggers(workflow: dict[Any, Any]) -> dict[str, Any]:
    """What starts a workflow. YAML 1.1 reads the word ``on`` as true."""
    found: dict[str, Any] = workflow[True]
    return found


def stub_wheel(directory: Path) -> Path:
    """A package ``rowform`` for the workflows to install: the one that is tested, under its own Python."""
    wheel = directory / "rowform-0-py3-none-any.whl"
    main = (
        "import os, sys\n\n\ndef run():\n"
        f"    os.execv({sys.executable!r}, [{sys.executable!r}, '-m', 'rowform', *sys.argv[1:]])\n"
    )
    info = "rowform-0.dist-info"
    files = {
        "rowform_stub.py": main,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: rowform\nVersion: 0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nrowform = rowform_stub:run\n",
        f"{info}/RECORD": "",
    }
    with ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


class Runner:
    """Runs workflows of a forge's repository.

    ``secrets`` are by environment; ``variables`` are the repository's.
    """

    def __init__(
        self, forge: Forge, directory: Path, secrets: dict[str, dict[str, str]], variables: dict[str, str]
    ) -> None:
        self.forge = forge
        self.directory = directory
        self.secrets = secrets
        self.variables = variables
        #: What the repository's own settings take away from tokens.
        self.refused_permissions: tuple[str, ...] = ()
        self.runs = 0
        self.attempt = 1
        self.tools = directory / "tools"
        self.tools.mkdir(parents=True)
        gh = Path(__file__).with_name("fake_gh.py")
        for name, command in {"python": sys.executable, "gh": f'{sys.executable}" "{gh}'}.items():
            (self.tools / name).write_text(f'#!/bin/sh\nexec "{command}" "$@"\n', "utf-8")
            (self.tools / name).chmod(0o755)

    def run(self, name: str, event: Event) -> Run:
        """Run the workflow of that file, as the event's commit has it, for the event."""
        text = self.forge.git("show", f"{event.sha}:.github/workflows/{name}")
        workflow: dict[Any, Any] = yaml.safe_load(text)
        assert set(workflow) - {True} <= _WORKFLOW, workflow.keys()
        assert workflow["permissions"] == {}
        assert workflow["defaults"] == {"run": {"shell": "bash"}}
        _check_trigger(triggers(workflow), event)
        (job,) = workflow["jobs"].values()
        return self.job(job, event)

    def job(self, job: dict[str, Any], event: Event) -> Run:
        """Run one job."""
        assert set(job) <= _JOB, job.keys()
        self.runs += 1
        return _JobRun(self, job, event).all()


def _check_trigger(on: dict[str, Any], event: Event) -> None:
    assert event.name in on, f"{event.name} starts nothing here"
    details = on[event.name] or {}
    if event.name == "push":
        branch = event.ref.removeprefix("refs/heads/")
        assert any(pattern in ("**", branch) for pattern in details["branches"])
    if event.name == "workflow_dispatch":
        known = details.get("inputs", {})
        needed = {name for name, one in known.items() if one["required"]}
        assert needed <= set(event.payload["inputs"]) <= set(known)


class _JobRun:
    def __init__(self, runner: Runner, job: dict[str, Any], event: Event) -> None:
        self.runner, self.forge, self.job, self.event = runner, runner.forge, job, event
        self.base = runner.directory / f"run{runner.runs}"
        self.workspace, self.temp = self.base / "workspace", self.base / "temp"
        for directory in (self.workspace, self.temp):
            directory.mkdir(parents=True)
        self.done = Run()
        self.path: list[str] = []
        number = str(100 + runner.runs)
        self.github = Strict(
            repository=REPOSITORY,
            server_url=_SERVER,
            run_id=number,
            ref=event.ref,
            sha=event.sha,
            actor=event.actor,
            base_ref=event.base_ref,
            event=event.payload,
        )
        permissions = dict(job["permissions"])
        if event.fork:
            permissions = dict.fromkeys(permissions, "read")
        for name in runner.refused_permissions:
            permissions.pop(name)
        self.github["token"] = self.forge.token(permissions)
        self.steps = Strict()
        self.contexts: dict[str, Any] = {
            "github": self.github,
            "inputs": event.payload.get("inputs", {}),
            "vars": runner.variables,
            "steps": self.steps,
        }

    def text(self, template: Any) -> str:
        return interpolate(template, self.contexts, {})

    def _truth(self, condition: str) -> bool:
        """A step's or job's condition; it is ``success()`` unless it asks for the state itself."""
        expression = condition.strip().removeprefix("${{").removesuffix("}}")
        asks = {"cancelled": lambda: False}
        value = bool(evaluate(expression, self.contexts, asks))
        return value and (self.done.ok or "cancelled()" in expression)

    def all(self) -> Run:
        if not self._truth(self.job["if"]):
            return self.done
        environment = self.job.get("environment")
        if isinstance(environment, dict):
            assert environment["deployment"] is False
            environment = environment["name"]
        name = self.text(environment or "")
        self.contexts["secrets"] = {} if self.event.fork else self.runner.secrets.get(name, {})
        concurrency = self.job["concurrency"]
        assert self.text(concurrency["group"]).startswith("rowform-")
        assert concurrency["cancel-in-progress"] in (True, False)
        assert self.job["runs-on"] == "ubuntu-latest"
        shared = {key: self.text(value) for key, value in self.job.get("env", {}).items()}
        for step in self.job["steps"]:
            assert set(step) <= _STEP, step.keys()
            self.step(step, shared)
        summary = self.temp / "summary"
        self.done.summary = summary.read_text("utf-8") if summary.exists() else ""
        for secrets in self.runner.secrets.values():
            for value in secrets.values():
                assert value not in self.done.log + self.done.summary, "a secret was printed"
        return self.done

    def step(self, step: dict[str, Any], shared: dict[str, str]) -> None:
        self.contexts["env"] = shared
        name = step["name"]
        outputs: dict[str, str] = {}
        if self._truth(step.get("if", "true")):
            code, outputs = (self.action(step), {}) if "uses" in step else self.bash(step, shared)
            self.done.codes[name] = code
            self.done.outcomes[name] = "failure" if code else "success"
        else:
            self.done.outcomes[name] = "skipped"
        if "id" in step:
            self.steps[step["id"]] = {"outcome": self.done.outcomes[name], "outputs": outputs}

    def bash(self, step: dict[str, Any], shared: dict[str, str]) -> tuple[int, dict[str, str]]:
        """Run a step's script, as it stands in the file."""
        assert "${{" not in step["run"], "values reach a script through its environment only"
        script, output, path = (self.temp / name for name in ("script.sh", "output", "path"))
        script.write_text(step["run"], "utf-8")
        output.write_text("", "utf-8")
        path.write_text("", "utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env={**self.environment(), **shared, **{k: self.text(v) for k, v in step.get("env", {}).items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self.done.log += done.stdout.decode("utf-8", "replace")
        self.path = [*path.read_text("utf-8").split("\n")[:-1], *self.path]
        lines = output.read_text("utf-8").splitlines()
        assert all("=" in line for line in lines), lines
        return done.returncode, {name: value for name, _, value in (line.partition("=") for line in lines)}

    def environment(self) -> dict[str, str]:
        base = self.forge.environment()
        return {
            **base,
            "PATH": ":".join([*self.path, str(self.runner.tools), base["PATH"]]),
            "CI": "true",
            "FAKE_GH_STATE": str(self.forge.file),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_PATH": str(self.temp / "path"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": _SERVER,
            "GITHUB_RUN_ID": str(self.github["run_id"]),
            "GITHUB_RUN_ATTEMPT": str(self.runner.attempt),
            "GITHUB_SHA": self.event.sha,
            "GITHUB_REF": self.event.ref,
            "GITHUB_REF_NAME": re.sub(r"^refs/(heads|pull)/", "", self.event.ref),
            "GITHUB_BASE_REF": self.event.base_ref,
            "GITHUB_ACTOR": self.event.actor,
        }

    def action(self, step: dict[str, Any]) -> int:
        """What the two actions do that the workflows use."""
        uses, given = step["uses"], {key: self.text(value) for key, value in step["with"].items()}
        name, _, version = uses.partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", version), uses
        if name == "actions/setup-python":
            assert set(given) == {"python-version"}
        elif name == "actions/checkout":
            assert given.pop("persist-credentials") == "false"
            depth = given.pop("fetch-depth", "1")
            assert not given
            self.checkout(depth)
        else:
            raise AssertionError(f"{uses} is not known here")
        return 0

    def checkout(self, depth: str) -> None:
        def git(*arguments: str) -> None:
            subprocess.run(
                ["git", *arguments], cwd=self.workspace, env=self.forge.environment(), check=True,
                capture_output=True,
            )  # fmt: skip

        ref, sha = self.event.ref, self.event.sha
        git("init", "--quiet")
        git("remote", "add", "origin", f"file://{self.forge.remote}")
        if depth == "0":
            git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
            git("fetch", "--quiet", "origin", sha)
        else:
            git("fetch", "--quiet", f"--depth={depth}", "origin", sha)
        if ref.startswith("refs/heads/"):
            git("checkout", "--quiet", "-B", ref.removeprefix("refs/heads/"), sha)
        else:
            git("checkout", "--quiet", "--detach", sha)
