"""What a pull request is told: by its one comment, by the run's summary, and by annotations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.forge import Forge
from tests.support.project import Project
from tests.support.runner import Runner
from tests.workflows.steps import FIRST, LIMITS, failed, live, passed, propose, start, text_of, weigh

REFUSED = "Fail if an apply would be refused"
COMMENT = "Comment on the pull request"
HOSTILE = [
    "::error::pwned",
    "::set-output name=x::y",
    "##[add-mask]Sakura",
    "@example/everybody #1 <img src=x onerror=alert(1)>",
    "[click](https://example.com) ![i](https://example.com/i.png)",
    "```\n::stop-commands::x\n~~~\n</details>",
    "`one` | *two* | <!-- rowform-plan-digest {} -->",
    "$(touch pwned) `touch pwned` ${IFS} %0A::warning::x",
]


@pytest.mark.parametrize(("fork", "actor"), [(True, "stranger"), (False, "dependabot[bot]")])
def test_without_secrets_the_base_is_compared_with(
    forge: Forge, project: Project, runner: Runner, *, fork: bool, actor: str
) -> None:
    start(forge, project)
    number = propose(forge, project, "theirs", 20)
    run = passed(runner.run("rowform-plan.yml", forge.pull_event(number, fork=fork, actor=actor)))
    assert run.outcomes[COMMENT] == "skipped"
    assert forge.comments(number) == []
    assert "20" in run.summary
    assert "origin/main" in run.summary
    assert project.value("SELECT count(*) FROM restaurants") == 0


def test_a_missing_secret_fails(forge: Forge, project: Project, runner: Runner) -> None:
    start(forge, project)
    del runner.secrets["plan"]["ROWFORM_DATABASE_URL"]
    number = propose(forge, project, "mine", 20)
    run = failed(runner.run("rowform-plan.yml", forge.pull_event(number)), "Plan")
    assert "ROWFORM_DATABASE_URL is set but empty" in run.log
    assert "No plan" in run.summary


def test_a_comment_shows_no_earlier_plan_once_there_is_none(
    forge: Forge, project: Project, runner: Runner
) -> None:
    live(forge, project)
    number = propose(forge, project, "typo", 20)
    passed(runner.run("rowform-plan.yml", forge.pull_event(number)))
    (first,) = forge.comments(number)
    good = text_of(project)
    project.write({LIMITS: good.replace("penalty_weight", "penalty_wieght")})
    forge.commit("Oops")
    forge.push()
    run = failed(runner.run("rowform-plan.yml", forge.pull_event(number)), "Plan")
    assert "did you mean `penalty_weight`?" in run.log
    (second,) = forge.comments(number)
    assert second.startswith("<!-- rowform-plan -->\n## No plan\n")
    assert f"actions/runs/{100 + runner.runs})" in second
    project.write({LIMITS: good})
    forge.commit("Better")
    forge.push()
    passed(runner.run("rowform-plan.yml", forge.pull_event(number)))
    assert forge.comments(number) == [first]


def test_comments_of_others_are_left_alone(forge: Forge, project: Project, runner: Runner) -> None:
    live(forge, project)
    number = propose(forge, project, "mine", 20)
    state = forge.read()
    for index in range(130):
        body = "<!-- rowform-plan -->\nForged" if index % 2 else "Looks good"
        state["comments"].append(
            {"id": 1000 + index, "issue": number, "user": {"login": "mallory"}, "body": body}
        )
    forge.save(state)
    for _ in range(2):
        passed(runner.run("rowform-plan.yml", forge.pull_event(number)))
    comments = forge.comments(number)
    assert len(comments) == 131
    assert comments[:130] == [one["body"] for one in state["comments"]]


def test_what_an_apply_would_refuse_fails_until_a_commit_allows_it(
    forge: Forge, project: Project, runner: Runner
) -> None:
    start(forge, project)
    entries = "".join(f"  - name: Limit {number}\n" for number in range(5))
    project.write({LIMITS: f"daily_limits:\n{entries}"})
    project.ok("fmt")
    forge.commit("Five")
    forge.push()
    project.apply()
    forge.git("switch", "--quiet", "--create", "none")
    project.write({LIMITS: "daily_limits: []\n"})
    forge.commit("None of them")
    forge.push()
    number = forge.open_pull("None")
    run = failed(runner.run("rowform-plan.yml", forge.pull_event(number)), REFUSED)
    assert "error" in run.commands
    assert "BLOCKED" in forge.comments(number)[0]
    forge.commit_empty("We mean it\n\nRowform-Allow: threshold")
    forge.push()
    run = passed(runner.run("rowform-plan.yml", forge.pull_event(number)))
    assert "BLOCKED" not in forge.comments(number)[0]
    assert "ALLOWED" in forge.comments(number)[0]
    passed(runner.run("rowform-apply.yml", forge.merge(number)))
    assert project.value("SELECT count(*) FROM rowform.daily_limits WHERE until_version IS NULL") == 0


def test_values_are_inert(forge: Forge, project: Project, runner: Runner, tmp_path: Path) -> None:
    live(forge, project)
    forge.git("switch", "--quiet", "--create", "hostile")
    weigh(project, 10)
    entries = [f"  - name: {_quoted(value)}\n    description: {_quoted(value)}\n" for value in HOSTILE]
    project.write({"sakura/staff_groups.yaml": f"staff_groups:\n{''.join(entries)}"})
    forge.commit("::error::pwned by the subject")
    forge.push()
    number = forge.open_pull("Hostile")
    run = passed(runner.run("rowform-plan.yml", forge.pull_event(number)))
    assert set(run.commands) == {"notice"}
    (comment,) = forge.comments(number)
    assert comment.count("<!-- rowform-plan-digest") == 1 + comment.count(
        "` | *two* | <!-- rowform-plan-digest"
    )
    project.write({"sakura/staff_groups.yaml": f"staff_groups:\n{''.join(entries)}  - nmae: x\n"})
    forge.commit("And wrong")
    forge.push()
    run = failed(runner.run("rowform-plan.yml", forge.pull_event(number)), "Plan")
    assert run.commands == []
    forge.git("reset", "--quiet", "--hard", "HEAD~1")
    forge.push()
    merged = passed(runner.run("rowform-apply.yml", forge.merge(number)))
    assert merged.commands == []
    assert not list(tmp_path.rglob("pwned"))


def _quoted(value: str) -> str:
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def test_two_targets_have_a_comment_each(forge: Forge, project: Project, runner: Runner) -> None:
    start(forge, project)
    targets = "targets:\n  staging: {database_url_env: A}\n  production: {database_url_env: B}\n"
    project.write({"rowform.yaml": targets})
    project.ok("fmt")
    forge.commit("Two databases")
    forge.push()
    number = propose(forge, project, "mine", 20)
    for _ in range(2):
        for target in ("staging", "production"):
            runner.variables["ROWFORM_TARGET"] = target
            passed(runner.run("rowform-plan.yml", forge.pull_event(number)))
    staging, production = forge.comments(number)
    assert "staging" in staging.splitlines()[1]
    assert "production" in production.splitlines()[1]
    merged = forge.merge(number)
    run = passed(runner.run("rowform-apply.yml", merged))
    assert f"This is the plan that was reviewed in #{number}." in run.summary
    assert FIRST.splitlines()[1].split(": ")[1] in project.ok("show").out
