"""After the merge: which plan is applied, in which order, and the ways back."""

from __future__ import annotations

import json
import re

from tests.support.forge import Forge
from tests.support.project import MOMIJI, Project
from tests.support.runner import Runner
from tests.workflows.steps import (
    FIRST,
    LIMITS,
    failed,
    is_live,
    live,
    passed,
    propose,
    text_of,
    weigh,
    weight_of,
)


def test_an_older_merge_never_overwrites_a_newer_one(forge: Forge, project: Project, runner: Runner) -> None:
    live(forge, project)
    older = forge.merge(propose(forge, project, "first", 20))
    newer = forge.merge(propose(forge, project, "second", 30))
    passed(runner.run("rowform-apply.yml", newer))
    run = failed(runner.run("rowform-apply.yml", older), "Apply")
    assert run.codes["Apply"] == 3
    assert "older" in run.summary
    assert weight_of(project) == 30
    assert project.value("SELECT max(version_number) FROM config_versions") == 2


def test_a_plan_that_was_not_reviewed_is_said_to_be_another(
    forge: Forge, project: Project, runner: Runner
) -> None:
    live(forge, project)
    number = propose(forge, project, "mine", 20)
    passed(runner.run("rowform-plan.yml", forge.pull_event(number)))
    # Meanwhile somebody else's change is merged, and its apply never ran.
    forge.git("switch", "--quiet", "main")
    project.write({"sakura/staff_groups.yaml": "staff_groups:\n  - name: Kitchen\n"})
    forge.commit("A group")
    forge.push()
    run = passed(runner.run("rowform-apply.yml", forge.merge(number)))
    said, _, rest = run.summary.partition("\n")
    assert said.startswith(f"**This is not the plan that was reviewed in #{number}.**")
    shown = re.findall(r"^    [+-].*", rest, re.MULTILINE)
    assert any(line.startswith("    +") and "Kitchen" in line for line in shown), shown
    assert not any("rowform-plan" in line for line in shown)
    assert is_live(project)


def test_a_merge_without_a_plan_is_said_to_be_unseen(forge: Forge, project: Project, runner: Runner) -> None:
    live(forge, project)
    number = propose(forge, project, "mine", 20)
    run = passed(runner.run("rowform-apply.yml", forge.merge(number)))
    assert f"**Nobody has reviewed this plan:** #{number} has none in its comments." in run.summary


def test_a_caller_says_where(forge: Forge, project: Project, runner: Runner) -> None:
    """As a reusable workflow: what it is called with comes before the repository's variables."""
    live(forge, project)
    pushed = forge.merge(propose(forge, project, "mine", 20))
    runner.secrets["elsewhere"] = runner.secrets.pop("production")
    runner.variables.update(ROWFORM_CONFIG_DIR="nowhere", ROWFORM_ENVIRONMENT="nowhere")
    install = runner.variables.pop("ROWFORM_INSTALL")
    inputs = {"environment": "elsewhere", "config-dir": "config", "install": install, "language": "ja"}
    pushed.payload["inputs"] = inputs
    run = passed(runner.run("rowform-apply.yml", pushed))
    assert "設定" in run.summary
    assert weight_of(project) == 20


def test_nothing_to_apply(forge: Forge, project: Project, runner: Runner) -> None:
    live(forge, project)
    run = passed(runner.run("rowform-apply.yml", forge.push()))
    assert "No changes." in run.summary
    assert project.value("SELECT count(*) FROM config_versions") == 1


def roll_back(forge: Forge, runner: Runner) -> str:
    """Run the workflow; the branch of the pull request that it opened."""
    event = forge.started(restaurant="sakura", reason="Too many `days` off")
    run = passed(runner.run("rowform-rollback.yml", event))
    assert "Rolled back sakura from version 2 to version 1." in run.summary
    assert run.commands == []
    pull = forge.read()["pulls"][-1]
    assert f"Now merge https://github.com/example/settings/pull/{pull['number']}." in run.summary
    assert "    Too many `days` off\n" in pull["body"]
    assert pull["base"] == "main"
    forge.git("fetch", "--quiet", "origin")
    branch = pull["head"]
    assert isinstance(branch, str)
    return branch


def test_a_rollback_opens_the_pull_request_that_keeps_it(
    forge: Forge, project: Project, runner: Runner
) -> None:
    live(forge, project)
    before = text_of(project)
    merged = forge.merge(propose(forge, project, "mine", 20))
    passed(runner.run("rowform-apply.yml", merged))
    branch = roll_back(forge, runner)
    assert weight_of(project) == 50
    reason = project.ok("log", "--limit", "1").out
    assert "Too many `days` off (by aiko, https://github.com/example/settings/actions/runs/" in reason
    # Nothing else may bring the change back before that is merged.
    forge.git("switch", "--quiet", "main")
    project.write({"sakura/staff_groups.yaml": "staff_groups:\n  - name: Kitchen\n"})
    forge.commit("A group")
    run = failed(runner.run("rowform-apply.yml", forge.push()), "Apply")
    assert run.codes["Apply"] == 3
    assert weight_of(project) == 50
    # The commit is a revert of the one that did it.
    mine = forge.git("rev-parse", f"{merged.sha}^2")
    assert f"This reverts commit {mine}." in forge.git("log", "-1", "--format=%B", f"origin/{branch}")
    assert forge.git("show", f"origin/{branch}:config/{LIMITS}") == before.strip()
    number = forge.read()["pulls"][-1]["number"]
    passed(runner.run("rowform-apply.yml", forge.merge(number)))
    assert weight_of(project) == 50
    assert is_live(project)


def test_a_rollback_of_a_commit_that_did_more_takes_back_only_its_own(
    forge: Forge, project: Project, runner: Runner
) -> None:
    live(forge, project)
    project.restaurant("momiji", MOMIJI)
    project.write({"momiji/daily_limits.yaml": FIRST})
    project.ok("fmt")
    forge.commit("Momiji too")
    forge.push()
    project.apply()
    weigh(project, 20)
    weigh(project, 20, "momiji/daily_limits.yaml")
    project.write({LIMITS: f"# Kept.\n{text_of(project)}"})
    forge.commit("Both")
    forge.push()
    project.apply()
    branch = roll_back(forge, runner)
    changed = forge.git("diff", "--name-only", "main", f"origin/{branch}").split()
    assert changed == [f"config/{LIMITS}"]
    assert "# Kept." in forge.git("show", f"origin/{branch}:config/{LIMITS}")
    forge.git("switch", "--quiet", "--detach", f"origin/{branch}")
    assert is_live(project)


def test_a_rollback_to_what_the_configuration_says_opens_nothing(
    forge: Forge, project: Project, runner: Runner
) -> None:
    live(forge, project)
    project.rows("UPDATE daily_limits SET penalty_weight = 7 RETURNING 1")
    event = forge.started(restaurant="sakura", reason="Not agreed")
    run = passed(runner.run("rowform-rollback.yml", event))
    assert "there is nothing to take back in Git" in run.summary
    assert run.outcomes["Open the pull request"] == "skipped"
    assert forge.read()["pulls"] == []
    assert weight_of(project) == 50


def test_a_rollback_stands_where_no_pull_request_may_be_opened(
    forge: Forge, project: Project, runner: Runner
) -> None:
    live(forge, project)
    merged = forge.merge(propose(forge, project, "mine", 20))
    passed(runner.run("rowform-apply.yml", merged))
    runner.refused_permissions = ("pull-requests",)
    event = forge.started(restaurant="sakura", reason="Not agreed")
    run = failed(runner.run("rowform-rollback.yml", event), "Open the pull request")
    assert "Open it by hand from the branch `rowform/rollback-" in run.summary
    assert weight_of(project) == 50
    # Another attempt of the same run does not go back once more.
    runner.attempt = 2
    run = failed(runner.run("rowform-rollback.yml", event), "Roll back")
    assert "start a new run" in run.log
    assert project.ok("history", "--format", "json").json["restaurants"][0]["versions"][1]["is_active"]


def test_an_unknown_restaurant_is_not_rolled_back(forge: Forge, project: Project, runner: Runner) -> None:
    live(forge, project)
    event = forge.started(restaurant="$(touch pwned); sakura", reason="-")
    run = failed(runner.run("rowform-rollback.yml", event), "Roll back")
    assert "there is no restaurant" in run.log
    assert not list(runner.directory.rglob("pwned"))


def test_drift_has_one_issue(forge: Forge, project: Project, runner: Runner) -> None:
    live(forge, project)
    passed(runner.run("rowform-drift.yml", forge.started("schedule")))
    assert forge.read()["issues"] == []

    project.rows("UPDATE daily_limits SET penalty_weight = 7, name = '@all' RETURNING 1")
    for _ in range(2):
        passed(runner.run("rowform-drift.yml", forge.started("schedule")))
    (issue,) = forge.read()["issues"]
    assert issue["state"] == "open"
    assert "    " in issue["body"]
    for line in issue["body"].splitlines():
        assert "@all" not in line or line.startswith("    ")
    project.rows("UPDATE daily_limits SET penalty_weight = 8 WHERE penalty_weight = 7 RETURNING 1")
    passed(runner.run("rowform-drift.yml", forge.started()))
    (again,) = forge.read()["issues"]
    assert again["body"] != issue["body"]

    project.ok("rollback", "--auto-approve")
    project.ok("rollback", "--auto-approve")
    passed(runner.run("rowform-drift.yml", forge.started("schedule")))
    (closed,) = forge.read()["issues"]
    assert (closed["state"], closed["state_reason"]) == ("closed", "completed")
    assert len(forge.comments(closed["number"])) == 1

    # Drift that comes back is another matter.
    project.rows("UPDATE daily_limits SET penalty_weight = 9 RETURNING 1")
    passed(runner.run("rowform-drift.yml", forge.started("schedule")))
    assert [one["state"] for one in forge.read()["issues"]] == ["closed", "open"]


def test_an_issue_about_much_drift_fits(forge: Forge, project: Project, runner: Runner) -> None:
    live(forge, project)
    project.rows(
        "INSERT INTO staff_groups (restaurant_id, version_id, name, group_config)"
        " SELECT restaurant_id, id, repeat('料', 60) || n, %s::jsonb"
        " FROM config_versions, generate_series(1, 700) AS n WHERE is_active RETURNING 1",
        json.dumps({"members": ["x" * 40]}),
    )
    passed(runner.run("rowform-drift.yml", forge.started("schedule")))
    (issue,) = forge.read()["issues"]
    assert "The rest is in the run." in issue["body"]
    assert len(issue["body"]) > 50_000


def test_a_drift_check_that_fails_changes_no_issue(forge: Forge, project: Project, runner: Runner) -> None:
    live(forge, project)
    project.rows("UPDATE daily_limits SET penalty_weight = 7 RETURNING 1")
    passed(runner.run("rowform-drift.yml", forge.started("schedule")))
    (before,) = forge.read()["issues"]
    runner.secrets["plan"]["ROWFORM_DATABASE_URL"] = "postgresql://nobody:geheim@127.0.0.1:1/none"
    failed(runner.run("rowform-drift.yml", forge.started("schedule")), "Look for drift")
    assert forge.read()["issues"] == [before]
