"""What the tests of the workflows do again and again."""

from __future__ import annotations

import re

from tests.support.forge import Event, Forge
from tests.support.project import Project
from tests.support.runner import Run

FIRST = """\
daily_limits:
  - name: Max off per day
    limit_config:
      shiftType: off
      maxCount: 3
    penalty_weight: 50
"""
LIMITS = "sakura/daily_limits.yaml"


def start(forge: Forge, project: Project) -> Event:
    """`init` in an empty repository, a first setting, and the first push."""
    project.ok("init", str(forge.clone), "--restaurant", "sakura")
    project.write({LIMITS: FIRST})
    project.ok("fmt")
    forge.commit("Settings of Sakura")
    return forge.push()


def live(forge: Forge, project: Project) -> None:
    """As `start`, and applied."""
    start(forge, project)
    project.apply()


def text_of(project: Project, name: str = LIMITS) -> str:
    return (project.directory / "config" / name).read_text("utf-8")


def weigh(project: Project, weight: int, name: str = LIMITS) -> None:
    """Change the limit's weight in the clone."""
    project.write({name: re.sub("penalty_weight: .*", f"penalty_weight: {weight}", text_of(project, name))})


def weight_of(project: Project) -> int:
    """The weight that is live."""
    return int(
        project.value(
            "SELECT penalty_weight FROM daily_limits l JOIN config_versions v ON v.id = l.version_id"
            " WHERE v.is_active AND l.name = 'Max off per day'"
        )
    )


def propose(forge: Forge, project: Project, branch: str, weight: int) -> int:
    """A branch from main with one commit, pushed, and its pull request."""
    forge.git("fetch", "--quiet", "origin")
    forge.git("switch", "--quiet", "--create", branch, "origin/main")
    weigh(project, weight)
    forge.commit(f"Weigh {weight}", author="Kenji Ito")
    forge.push()
    return forge.open_pull(f"Weigh {weight}")


def passed(run: Run) -> Run:
    assert run.ok, run.log
    return run


def failed(run: Run, step: str) -> Run:
    """The run failed at that step, and nowhere before it."""
    assert run.outcomes.get(step) == "failure", (run.outcomes, run.log)
    before = list(run.outcomes)[: list(run.outcomes).index(step)]
    assert all(run.outcomes[name] != "failure" for name in before), run.outcomes
    return run


def is_live(project: Project) -> bool:
    """Whether the database is what the developer's clone says."""
    return project.run("plan", "--detailed-exitcode").code == 0
