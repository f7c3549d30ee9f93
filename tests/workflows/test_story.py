"""From an empty repository to a revert, with nothing but Git, `rowform init` and the shipped workflows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.support.forge import Forge
from tests.support.golden import check_golden
from tests.support.project import Project
from tests.support.runner import Runner
from tests.workflows.steps import is_live, passed, start, weigh

GOLDEN = Path(__file__).parents[1] / "golden" / "workflows" / "comment.md"


def history(project: Project) -> list[dict[str, Any]]:
    versions: list[dict[str, Any]] = project.ok("history", "--format", "json").json["restaurants"][0][
        "versions"
    ]
    return versions


def test_the_story(forge: Forge, project: Project, runner: Runner) -> None:
    pushed = start(forge, project)
    passed(runner.run("rowform-validate.yml", pushed))
    first = passed(runner.run("rowform-apply.yml", pushed))
    assert "**Nobody has reviewed this plan:** no pull request was merged with this commit." in first.summary
    assert "Apply complete! Version 1 active: 1 added, 0 changed, 0 destroyed." in first.summary
    assert is_live(project)

    # A branch, and what a reviewer sees of it.
    forge.git("switch", "--quiet", "--create", "lighter")
    weigh(project, 20)
    lighter = forge.commit("Let days off weigh less", author="Kenji Ito")
    passed(runner.run("rowform-validate.yml", forge.push()))
    number = forge.open_pull("Let days off weigh less")
    planned = passed(runner.run("rowform-plan.yml", forge.pull_event(number)))
    (comment,) = forge.comments(number)
    assert comment.rstrip("\n") in planned.summary
    check_golden(GOLDEN, re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", comment) + "\n")
    assert planned.commands == ["notice"]
    assert "file=config/sakura/daily_limits.yaml,line=" in planned.log
    assert is_live(project) is False

    # A second push: the same comment says something else.
    weigh(project, 25)
    forge.commit("But not that much", author="Kenji Ito")
    forge.push()
    passed(runner.run("rowform-plan.yml", forge.pull_event(number)))
    (again,) = forge.comments(number)
    assert again != comment
    assert "25" in again

    merged = forge.merge(number)
    applied = passed(runner.run("rowform-apply.yml", merged))
    assert f"This is the plan that was reviewed in #{number}." in applied.summary
    assert "Apply complete! Version 2 active: 0 added, 1 changed, 0 destroyed." in applied.summary
    assert is_live(project)

    # The way back is a commit like any other.
    forge.git("switch", "--quiet", "--create", "back")
    forge.git("revert", "--no-edit", "--mainline", "1", "HEAD")
    reverting = forge.git("rev-parse", "HEAD")
    forge.push()
    second = forge.open_pull("Back")
    passed(runner.run("rowform-plan.yml", forge.pull_event(second)))
    reverted = passed(runner.run("rowform-apply.yml", forge.merge(second)))
    assert f"This is the plan that was reviewed in #{second}." in reverted.summary
    assert is_live(project)

    versions = history(project)
    assert [one["version_number"] for one in versions] == [3, 2, 1]
    assert [one["source"]["author"] for one in versions] == [
        "Hanako Mori <hanako@example.com>",
        "Hanako Mori <hanako@example.com>",
        "Aiko Sato <aiko@example.com>",
    ]
    assert versions[1]["source"]["commit"] == merged.sha
    assert versions[1]["source"]["ci_run"].startswith("https://github.com/example/settings/actions/runs/")
    log = project.ok("log", "--key", "Max off per day").out
    but = forge.git("rev-parse", "--short", f"{merged.sha}^2")
    assert f"But not that much ({but})" in log
    assert forge.git("rev-parse", "--short", reverting) in log
    assert lighter[:7] not in log
