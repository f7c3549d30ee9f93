"""Rollback by revert: a revert commit plans to the inverse, and what is noted names both commits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.project import SAKURA, Project

GROUPS = """\
staff_groups:
  - name: Kitchen
    color: "#111111"
  - name: Floor
  - name: Bar
  - name: Office
"""
CHANGED = """\
staff_groups:
  - name: Küche
    previously: [Kitchen]
    color: "#222222"
  - name: Floor
  - name: Office
  - name: Terrace
"""


@pytest.fixture
def applied(project: Project) -> Project:
    """A first version, and a second one from a commit that is a fault."""
    project.restaurant()
    project.write({"sakura/groups.yaml": GROUPS})
    project.commit("Start")
    project.apply()
    project.write({"sakura/groups.yaml": CHANGED})
    project.commit("Change much")
    project.apply()
    return project


def head(project: Project) -> tuple[str, str]:
    return project.git("rev-parse", "HEAD"), project.git("rev-parse", "--short", "HEAD")


def edits(project: Project) -> list[tuple[Any, ...]]:
    """Action, keys and patch of each change of the plan."""
    (plan,) = project.ok("plan", "--format", "json").json["restaurants"]
    return [
        (
            one["action"],
            one["previous_key"],
            one["key"],
            sorted((step["op"], step["path"], step.get("value"), step["old"]) for step in one["patch"])
            if one["action"] == "update"
            else None,
        )
        for one in plan["changes"]
    ]


def content(project: Project) -> Any:
    return project.rows(
        "SELECT id, name, color FROM staff_groups WHERE version_id ="
        " (SELECT id FROM config_versions WHERE is_active AND restaurant_id = %s) ORDER BY name",
        SAKURA,
    )


def noted(project: Project) -> tuple[set[str], list[str], str]:
    """The reasons of the newest version's changes, what it took back, and its name."""
    reasons = project.rows(
        "SELECT DISTINCT c.reason FROM config_changes c JOIN config_versions v ON v.id = c.version_id"
        " WHERE v.is_active AND c.table_name <> 'config_versions'"
    )
    (version,) = project.rows("SELECT name, source FROM config_versions WHERE is_active")
    return {row["reason"] for row in reasons}, version["source"].get("reverts", []), version["name"]


def test_a_revert_and_a_revert_of_it(applied: Project) -> None:
    before = content(applied)
    fault, fault_short = head(applied)
    applied.git("revert", "--no-edit", "HEAD")
    revert, revert_short = head(applied)
    assert edits(applied) == [
        ("create", None, "Bar", None),
        (
            "update",
            "Küche",
            "Kitchen",
            [("replace", "/color", "#111111", "#222222"), ("replace", "/name", "Kitchen", "Küche")],
        ),
        ("delete", None, "Terrace", None),
    ]
    applied.apply()
    reason = f'Revert "Change much" ({revert_short}; reverts {fault[:7]})'
    assert noted(applied) == ({reason}, [fault], 'Revert "Change much"')
    assert [row["name"] for row in content(applied)] == ["Bar", "Floor", "Kitchen", "Office"]
    # The rename was taken back: it is the same setting.
    ids = {row["name"]: row["id"] for row in before}
    assert {row["name"]: row["id"] for row in content(applied)}["Kitchen"] == ids["Küche"]

    history = applied.ok("history").out
    assert f'Revert "Change much" (reverts {fault[:7]})' in history
    assert revert_short in history
    assert reason in applied.ok("log").out
    assert {one["reason"] for one in applied.ok("log", "--version", "3", "--format", "json").json[
        "restaurants"][0]["entries"] if one["kind"]} == {reason}  # fmt: skip
    assert f"# reverts: {fault}\n" in applied.ok("show").out
    assert applied.ok("show", "--format", "json").json["source"]["reverts"] == [fault]
    assert applied.ok("plan").out == "No changes. Settings match the configuration.\n"

    applied.git("revert", "--no-edit", "HEAD")
    _, again_short = head(applied)
    subject = applied.git("log", "-1", "--format=%s")
    assert len(edits(applied)) == 3
    applied.apply()
    assert noted(applied) == ({f"{subject} ({again_short}; reverts {revert[:7]})"}, [revert], subject)
    assert [(row["name"], row["color"]) for row in content(applied)] == [
        (row["name"], row["color"]) for row in before
    ]
    assert fault_short in applied.ok("log").out


def test_a_revert_of_a_merge_that_is_merged(applied: Project) -> None:
    applied.git("switch", "-q", "-c", "feature")
    applied.write({"sakura/groups.yaml": CHANGED.replace("Terrace", "Garden")})
    applied.commit("Garden")
    applied.git("switch", "-q", "main")
    applied.git("merge", "-q", "--no-ff", "--no-edit", "feature")
    merge, _ = head(applied)
    applied.apply()
    applied.git("switch", "-q", "-c", "undo")
    applied.git("revert", "--no-edit", "-m", "1", "HEAD")
    _, revert = head(applied)
    applied.git("switch", "-q", "main")
    applied.git("merge", "-q", "--no-ff", "-m", "Merge the revert", "undo")
    applied.apply()
    (reason,), taken_back, name = noted(applied)
    assert reason.endswith(f"({revert}; reverts {merge[:7]})")
    assert (taken_back, name) == ([merge], "Merge the revert")
    assert f"Merge the revert (reverts {merge[:7]})" in applied.ok("history").out
    assert {row["name"] for row in content(applied)} == {"Küche", "Floor", "Office", "Terrace"}


def test_each_change_has_its_own_commits(applied: Project) -> None:
    fault, _ = head(applied)
    applied.git("revert", "--no-edit", "HEAD")
    revert = applied.git("rev-parse", "--short", "HEAD")
    applied.write({"sakura/more.yaml": "staff_groups: [{name: Garden}]\n"})
    other = applied.commit("Garden")
    applied.apply()
    reasons, taken_back, _ = noted(applied)
    assert reasons == {f'Revert "Change much" ({revert}; reverts {fault[:7]})', f"Garden ({other})"}
    assert taken_back == [fault]


def test_what_is_no_revert_takes_nothing_back(applied: Project) -> None:
    applied.write({"sakura/groups.yaml": GROUPS})
    applied.apply()
    reasons, taken_back, _ = noted(applied)
    assert reasons == {f"uncommitted changes on {applied.git('rev-parse', '--short', 'HEAD')}"}
    assert taken_back == []
    assert "reverts" not in applied.ok("history").out
