"""Plans and checks that know the branch: against a revision, split since one, limited to what changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import MOMIJI, SAKURA, Project

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere?connect_timeout=1"
GROUPS = """\
staff_groups:
  - name: Kitchen
    color: "#111111"
  - name: Floor
"""


@pytest.fixture
def offline(tmp_path: Path) -> Project:
    """Two restaurants on the branch `feature`, as on `main`, and no database."""
    found = Project(tmp_path, NOWHERE)
    found.restaurant()
    found.restaurant("momiji", MOMIJI, "inherits: [_defaults]\n")
    found.write({"sakura/groups.yaml": GROUPS, "_defaults/limits.yaml": "daily_limits: [{name: Max off}]\n"})
    found.commit("Start")
    found.git("switch", "-q", "-c", "feature")
    return found


def changes(plan: Any) -> list[tuple[str, str, str, str | None]]:
    return [
        (one["restaurant"], change["action"], change["key"], change["previous_key"])
        for one in plan["restaurants"]
        for change in one["changes"]
    ]


def against(project: Project, rev: str = "main", *options: str) -> Any:
    return project.ok("plan", "--against", rev, "--format", "json", *options).json


# --- against a revision --------------------------------------------------------------------------


def test_a_plan_against_a_revision(offline: Project) -> None:
    main = offline.git("rev-parse", "--short", "main")
    text = GROUPS.replace("- name: Floor", "- name: Bar").replace("#111111", "#222222")
    offline.write({"sakura/groups.yaml": text})
    offline.commit("Change")
    result = offline.run("plan", "--against", "main", "--detailed-exitcode")
    assert (result.code, result.err) == (2, "")
    file = offline.directory / "config/sakura/groups.yaml"
    assert result.out.splitlines() == [
        "",
        f"sakura (compared with main, {main})",
        "",
        f'  + staff_groups "Bar"  {file}:4',
        "",
        f'  ~ staff_groups "Kitchen"  {file}:2',
        '      ~ color: "#111111" -> "#222222"',
        "",
        '  - staff_groups "Floor"',
        "",
        "Plan: 1 to add, 1 to change, 1 to destroy.",
    ]


def test_nothing_is_connected_and_nothing_started(offline: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("psycopg", "rowform.store"))]:
        monkeypatch.delitem(sys.modules, name)
    plan = against(offline)
    assert (plan["database_id"], plan["target"]) == (None, None)
    assert plan["against"] == {"rev": "main", "commit": offline.git("rev-parse", "main")}
    assert [one["base"] for one in plan["restaurants"]] == [None, None]
    assert changes(plan) == []
    assert not [name for name in sys.modules if name.startswith("psycopg")]
    assert not (offline.directory / ".rowform").exists()


def test_what_others_did_on_main_meanwhile_is_no_change(offline: Project) -> None:
    began = offline.git("rev-parse", "main")
    offline.git("switch", "-q", "main")
    offline.write({"sakura/more.yaml": "staff_groups: [{name: Bar}]\n"})
    offline.commit("Others")
    offline.git("switch", "-q", "feature")
    offline.write({"sakura/mine.yaml": "staff_groups: [{name: Mine}]\n"})
    plan = against(offline)
    assert changes(plan) == [("sakura", "create", "Mine", None)]
    assert plan["against"] == {"rev": "main", "commit": began}
    (note,) = plan["notes"]
    assert note == f'"main" has moved on since this branch left it: compared with {began[:7]}'
    # As a pipeline has it that checks the merge out.
    offline.commit("Mine")
    offline.git("switch", "-q", "--detach", "main")
    offline.git("merge", "-q", "--no-ff", "feature")
    assert (changes(against(offline)), against(offline)["notes"]) == (
        [("sakura", "create", "Mine", None)],
        [],
    )


def test_histories_without_a_common_commit(offline: Project) -> None:
    offline.git("switch", "-q", "--orphan", "other")
    offline.restaurant()
    offline.write({"sakura/groups.yaml": "staff_groups: [{name: Floor}]\n"})
    offline.commit("Anew")
    plan = against(offline)
    assert changes(plan) == [("sakura", "delete", "Kitchen", None)]
    assert plan["notes"][0].startswith('"main" and this branch have no history in common: compared with ')


def test_renames_and_guards(offline: Project) -> None:
    entries = "".join(f"  - name: G{n}\n" for n in range(6))
    offline.write({"sakura/groups.yaml": GROUPS + entries})
    offline.commit("Many")
    offline.write(
        {"sakura/groups.yaml": "staff_groups:\n  - {name: Küche, previously: [Kitchen]}\n  - name: Floor\n"}
    )
    plan = against(offline, "HEAD")
    assert changes(plan)[0] == ("sakura", "update", "Küche", "Kitchen")
    (guard,) = plan["restaurants"][1]["blocked"]
    assert guard["guard"] == "threshold"
    assert "BLOCKED: threshold: 6 of 8 settings" in offline.ok("plan", "--against", "HEAD").out


def test_a_commit_of_the_branch_consents_to_a_guard(offline: Project) -> None:
    offline.write({"sakura/groups.yaml": "staff_groups:\n" + "".join(f"  - name: G{n}\n" for n in range(6))})
    offline.commit("Many\n\nRowform-Allow: threshold")
    offline.git("branch", "-f", "main")
    offline.write({"sakura/groups.yaml": "staff_groups: []\n"})
    offline.commit("None")
    assert "BLOCKED: threshold: " in offline.ok("plan", "--against", "main").out
    offline.git("commit", "-q", "--allow-empty", "-m", "Yes\n\nRowform-Allow: threshold")
    text = offline.ok("plan", "--against", "main").out
    assert "ALLOWED: threshold: " in text
    assert "BLOCKED" not in text


def test_restaurants_that_come_and_go(offline: Project) -> None:
    (offline.directory / "config/momiji").rename(offline.directory / "config/kaede")
    (offline.directory / "config/sakura/restaurant.yaml").unlink()
    (offline.directory / "config/sakura/groups.yaml").unlink()
    (offline.directory / "config/sakura").rmdir()
    offline.restaurant("ume", "00000000-0000-4000-8000-000000000001", "timezone: Europe/Paris\n")
    plan = against(offline)
    kaede, ume = plan["restaurants"]
    assert (kaede["creates_restaurant"], ume["creates_restaurant"]) == (False, True)
    assert kaede["notes"] == [
        'slug changes from "momiji" to "kaede"; rowform leaves an existing restaurant\'s row alone'
    ]
    assert plan["notes"] == ['sakura is at "main" and has no directory here: the database keeps it as it is']
    assert changes(plan) == []
    assert '+ restaurant "Ume"' in offline.ok("plan", "--against", "main").out
    assert offline.run("plan", "--against", "main", "-r", "sakura").code == 1
    assert against(offline, "main", "-r", "kaede")["notes"] == []


def test_a_restaurant_with_another_id(offline: Project) -> None:
    offline.restaurant("momiji", "00000000-0000-4000-8000-000000000001", "inherits: [_defaults]\n")
    plan = against(offline)
    assert changes(plan) == [("momiji", "create", "Max off", None)]
    (note,) = plan["notes"]
    assert note == (
        'momiji has another id than at "main": it is a new restaurant,'
        " and the database keeps the old one as it is"
    )


def test_kinds_that_are_managed_no_more_or_again(offline: Project) -> None:
    offline.write({"sakura/groups.yaml": "daily_limits: [{name: L}]\n"})
    offline.restaurant(more="manages: [daily_limits]\n")
    (_, sakura) = against(offline)["restaurants"]
    assert "staff_groups is not managed any more: the database keeps what it has of it" in sakura["notes"]
    assert [one["key"] for one in sakura["changes"]] == ["L"]
    offline.commit("Limits only")
    offline.restaurant()
    (_, sakura) = against(offline, "HEAD")["restaurants"]
    assert (
        "staff_groups was not managed before: what the database has of it is not known here"
        in sakura["notes"]
    )
    assert sakura["changes"] == []


def test_a_revision_that_was_not_valid(offline: Project) -> None:
    offline.write({"sakura/groups.yaml": "staff_groups: [{nmae: Kitchen}]\n", "config.yml": "x"})
    offline.commit("Broken")
    broken = offline.git("rev-parse", "--short", "HEAD")
    (offline.directory / "config/config.yml").unlink()
    offline.write(
        {"sakura/groups.yaml": GROUPS, "_defaults/limits.yaml": "daily_limits: [{name: Min off}]\n"}
    )
    result = offline.ok("plan", "--against", "HEAD", "--format", "json")
    assert changes(result.json) == [
        ("momiji", "create", "Min off", None),
        ("momiji", "delete", "Max off", None),
        ("sakura", "create", "Floor", None),
        ("sakura", "create", "Kitchen", None),
    ]
    sakura = result.json["restaurants"][1]
    assert sakura["notes"] == [
        f'its configuration at "HEAD" ({broken}) is not valid: all of it is shown as new'
    ]
    assert result.err.splitlines()[0] == f"Warning: the configuration at HEAD ({broken}) is not valid:"
    assert f"{broken}:{offline.directory}/config/sakura/groups.yaml:1:17: " in result.err
    # What is inherited is part of it.
    offline.commit("Mended")
    offline.write({"_defaults/limits.yaml": "daily_limits: [{}]\n"})
    offline.commit("Broken for heirs")
    offline.write({"_defaults/limits.yaml": "daily_limits: []\n"})
    momiji, sakura = against(offline, "HEAD")["restaurants"]
    assert (len(momiji["notes"]), momiji["changes"], sakura["notes"]) == (1, [], [])


def test_an_invalid_work_tree_is_an_error(offline: Project) -> None:
    offline.write({"sakura/groups.yaml": "staff_groups: [{nmae: Kitchen}]\n"})
    result = offline.run("plan", "--against", "main", "--format", "json")
    assert (result.code, result.json["error"]["code"]) == (1, "invalid-config")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--against", "nope"], 'there is no commit "nope" in this repository'),
        (["--against", ""], 'there is no commit "" in this repository'),
        (["--against=--all"], 'there is no commit "--all" in this repository'),
        (["--against", "main..HEAD"], 'there is no commit "main..HEAD" in this repository'),
        (["--against", "^main"], 'there is no commit "^main" in this repository'),
        (["--against", "main:config"], 'there is no commit "main:config" in this repository'),
        (["--since", "a\x1bb"], 'there is no commit "a\\u001bb" in this repository'),
        (["--changed-since", "f" * 40], f'there is no commit "{"f" * 40}" in this repository'),
        (["--against", "main", "-o", "x"], "a plan against a revision is for no database, and cannot be"),
        (["--against", "main", "--since", "main"], "--since is for a plan against a database"),
    ],
)
def test_wrong_usage(offline: Project, options: list[str], message: str) -> None:
    result = offline.run("plan", *options, "--format", "json")
    assert (result.code, result.json["error"]["code"]) == (1, "usage")
    assert message in result.json["error"]["message"]
    assert not Path("x").exists()


def test_names_of_commits(offline: Project) -> None:
    offline.git("tag", "-a", "-m", "A tag", "v1")
    sha = offline.git("rev-parse", "HEAD")
    for rev in ("v1", "HEAD", sha, sha[:8], "@", ":/Start", "main@{0}"):
        assert against(offline, rev)["against"] == {"rev": rev, "commit": sha}
    offline.git("update-ref", "refs/remotes/origin/trunk", "HEAD")
    result = offline.run("plan", "--against", "trunk", "--format", "json")
    assert result.json["error"]["hint"] == "did you mean `origin/trunk`?"


def test_without_git(tmp_path: Path) -> None:
    bare = Project(tmp_path, NOWHERE)
    bare.restaurant()
    for command in (["plan", "--against"], ["plan", "--since"], ["validate", "--changed-since"]):
        result = bare.run(*command, "main")
        assert (result.code, result.out) == (1, "")
        assert "needs a Git repository with a commit" in result.err
    bare.git("init", "-q")
    assert "needs a Git repository with a commit" in bare.run("plan", "--against", "main").err


def test_a_shallow_clone(offline: Project, tmp_path: Path) -> None:
    first = offline.git("rev-parse", "HEAD")
    offline.write({"sakura/groups.yaml": "{}\n"})
    offline.commit("Second")
    clone = Project(tmp_path / "clone", NOWHERE)
    clone.directory.mkdir()
    clone.git("clone", "-q", "--depth", "1", f"file://{offline.directory}", ".")
    for rev in (first, "main"):
        result = clone.run("plan", "--against", rev, "--format", "json")
        assert (result.code, result.json["error"]["code"]) == (1, "git")
        assert "shallow" in result.json["error"]["message"]
        assert "fetch-depth: 0" in result.json["error"]["hint"]
    # The commit alone does not tell where the branch began.
    clone.git("fetch", "-q", "--depth", "1", "origin", "main")
    result = clone.run("plan", "--against", "FETCH_HEAD")
    assert "too shallow to tell where the branch left" in result.err
    assert "fetch-depth: 0" in result.err
    clone.git("fetch", "-q", "--unshallow")
    assert changes(against(clone, first))[0] == ("sakura", "delete", "Floor", None)


# --- what a branch touches -----------------------------------------------------------------------


def touched(project: Project, *options: str) -> Any:
    result = project.run("validate", "--changed-since", "main", "--format", "json", *options)
    return result.json


def names(project: Project) -> list[str]:
    plan = against(project, "main", "--changed-since", "main")
    assert plan["changed_since"] == plan["against"]
    return [one["restaurant"] for one in plan["restaurants"]]


def test_only_what_a_branch_touches(offline: Project) -> None:
    assert names(offline) == []
    assert touched(offline)["restaurants"] == 0
    result = offline.ok("validate", "--changed-since", "main")
    main = offline.git("rev-parse", "--short", "main")
    assert result.out == (
        f'Note: no restaurant changed since "main" ({main})\n0 restaurants, 0 settings, no problems.\n'
    )
    text = offline.ok("plan", "--against", "main", "--changed-since", "main").out
    assert text.startswith(f'Note: no restaurant changed since "main" ({main})\n')

    offline.write({"sakura/new.yaml": "{}\n"})
    assert names(offline) == ["sakura"]
    offline.commit("New")
    assert names(offline) == ["sakura"]
    offline.git("mv", "config/sakura/new.yaml", "config/momiji/new.yaml")
    assert names(offline) == ["momiji"]
    offline.git("rm", "-q", "-f", "config/momiji/new.yaml")
    assert names(offline) == []
    (offline.directory / "config/sakura/groups.yaml").unlink()
    assert names(offline) == ["sakura"]
    offline.write({"sakura/groups.yaml": GROUPS, "momiji/README.md": "x"})
    assert names(offline) == ["momiji"]
    (offline.directory / ".gitignore").write_text("README.md\n")
    assert names(offline) == []


def test_heirs_the_tools_file_and_links(offline: Project) -> None:
    offline.write({"_defaults/limits.yaml": "daily_limits: [{name: Max off, penalty_weight: 7}]\n"})
    assert names(offline) == ["momiji"]
    offline.git("checkout", "-q", ".")
    (offline.directory / "config/_defaults/limits.yaml").rename(offline.directory / "config/_defaults/l.yaml")
    assert names(offline) == ["momiji"]
    offline.git("checkout", "-q", ".")
    offline.git("clean", "-q", "-f", "-d")
    # Inherited at the revision, and no more.
    offline.restaurant("momiji", MOMIJI)
    offline.git("rm", "-q", "-r", "config/_defaults")
    assert names(offline) == ["momiji"]
    offline.git("reset", "-q", "--hard")
    offline.write({"rowform.yaml": "thresholds: {delete_count: 5}\n"})
    assert names(offline) == ["momiji", "sakura"]
    (offline.directory / "config/rowform.yaml").unlink()
    assert names(offline) == []
    offline.write({"_shared/groups.yaml": "staff_groups: [{name: Bar}]\n"})
    (offline.directory / "config/sakura/bar.yaml").symlink_to("../_shared/groups.yaml")
    offline.commit("A link")
    offline.git("branch", "-f", "main")
    assert names(offline) == []
    offline.write({"_shared/groups.yaml": "staff_groups: [{name: Café}]\n"})
    assert names(offline) == ["sakura"]


def test_problems_elsewhere_are_not_reported(offline: Project) -> None:
    offline.write({"momiji/bad.yaml": "staff_groups: [{nmae: x}]\n", "momiji/x.yml": ""})
    offline.commit("Broken on main")
    offline.git("branch", "-f", "main")
    offline.write({"sakura/groups.yaml": GROUPS + "  - name: Bar\n"})
    assert offline.run("validate").code == 1
    assert touched(offline) == {
        "format": "rowform.validate/1",
        "ok": True,
        "changed_since": {"rev": "main", "commit": offline.git("rev-parse", "main")},
        "restaurants": 1,
        "settings": 3,
        "problems": [],
    }
    assert offline.ok("validate", "--changed-since", "main", "-r", "momiji").out.endswith(
        "0 restaurants, 0 settings, no problems.\n"
    )
    assert offline.run("validate", "--changed-since", "main", "-r", "nobody").code == 1
    # Its own problems and shared ones are.
    offline.write({"sakura/bad.yaml": "staff_groups: [{name: 7}]\n", "root.yaml": "{}\n"})
    files = [Path(one["file"]).name for one in touched(offline)["problems"]]
    assert files == ["root.yaml", "bad.yaml"]
    (offline.directory / "config/root.yaml").unlink()
    (offline.directory / "config/sakura/bad.yaml").unlink()
    offline.write({"_defaults/limits.yaml": "daily_limits: [{nmae: x}]\n"})
    problems = touched(offline)["problems"]
    assert {Path(one["file"]).parent.name for one in problems} == {"_defaults", "momiji"}


def test_an_id_that_somebody_else_has_is_a_problem_of_whoever_took_it(offline: Project) -> None:
    offline.restaurant("aoi", SAKURA)
    (problem,) = touched(offline)["problems"]
    assert (Path(problem["file"]).parent.name, "is taken by another restaurant" in problem["message"]) == (
        "aoi",
        True,
    )


# --- with a database -----------------------------------------------------------------------------


@pytest.fixture
def online(offline: Project, project: Project) -> Project:
    """The same with a database, to which `main` was applied."""
    assert offline.directory == project.directory
    project.apply()
    return project


def test_it_is_the_plan_against_a_database_that_has_the_revision(online: Project) -> None:
    online.write(
        {
            "sakura/groups.yaml": "staff_groups: [{name: Küche, previously: [Kitchen]}, {name: Bar}]\n",
            "_defaults/limits.yaml": "daily_limits: [{name: Max off, limit_config: {maxCount: 3}}]\n",
        }
    )
    online.commit("Change")
    for rev in ("main", "HEAD"):
        if rev == "HEAD":
            online.apply()
            # The rename is taken back, by the names that the database remembers.
            online.git("revert", "--no-edit", "HEAD")
        there = online.ok("plan", "--format", "json").json
        here = against(online, "main" if rev == "main" else "HEAD~1")
        assert [one["changes"] for one in here["restaurants"]] == [
            one["changes"] for one in there["restaurants"]
        ]
        assert len(changes(here)) == 4


def test_riding_along(online: Project) -> None:
    # Applied by nobody: on main, before the branch began.
    online.git("switch", "-q", "main")
    online.write({"sakura/groups.yaml": GROUPS.replace("#111111", "#333333") + "    description: Pending\n"})
    online.commit("Pending")
    online.git("switch", "-q", "feature")
    online.git("merge", "-q", "main")
    main = online.git("rev-parse", "--short", "main")
    online.rows("INSERT INTO staff_groups (restaurant_id, version_id, name)"
                " SELECT restaurant_id, id, 'Drifted' FROM config_versions c"
                " WHERE is_active AND restaurant_id = %s RETURNING id", SAKURA)  # fmt: skip
    online.write(
        {
            "sakura/groups.yaml": GROUPS.replace("#111111", "#333333")
            + "    description: Pending\n    color: '#444444'\n  - name: Bar\n"
        }
    )
    plan = online.ok("plan", "--since", "main", "--format", "json").json
    assert plan["since"] == {"rev": "main", "commit": online.git("rev-parse", "main")}
    (sakura,) = [one for one in plan["restaurants"] if one["restaurant"] == "sakura"]
    found = {one["key"]: (one["riding_along"], one["pending"]) for one in sakura["changes"]}
    assert found == {
        "Bar": (False, []),
        "Floor": (False, ["/description"]),
        "Kitchen": (True, []),
        "Drifted": (True, []),
    }
    assert 'staff group "Floor": pending before this branch changed it: "/description"' in sakura["notes"]
    text = online.ok("plan", "--since", "main").out
    lines = [line for line in text.splitlines() if line]
    order = [
        next(index for index, line in enumerate(lines) if line.startswith(start))
        for start in (
            "sakura (version ",
            f"  Changed since main ({main}):",
            '  + staff_groups "Bar"',
            '  ~ staff_groups "Floor"',
            "  Pending already, and applied with it:",
            '  ~ staff_groups "Kitchen"',
            '  - staff_groups "Drifted"',
        )
    ]
    assert order == sorted(order)
    assert lines[-2] == (
        f"Changed since main ({main}): 1 to add, 1 to change, 0 to destroy."
        " Pending already, and applied with it: 0 to add, 1 to change, 1 to destroy."
    )
    assert lines[-1] == "Plan: 1 to add, 2 to change, 1 to destroy."
    # Without it nothing is said of a branch.
    assert '"riding_along":' not in online.ok("plan", "--format", "json").out
    assert "Pending already" not in online.ok("plan").out


def test_riding_along_with_a_revision_that_was_not_valid_or_has_moved_on(online: Project) -> None:
    online.write({"sakura/groups.yaml": "staff_groups: [{nmae: Kitchen}]\n"})
    began = online.git("rev-parse", "--short", "HEAD")
    online.commit("Broken")
    broken = online.git("rev-parse", "--short", "HEAD")
    online.write({"sakura/groups.yaml": GROUPS + "  - name: Bar\n"})
    online.write({"_defaults/limits.yaml": "daily_limits: [{name: Max off, penalty_weight: 7}]\n"})
    online.commit("Mended")
    result = online.ok("plan", "--since", "HEAD~1", "--format", "json")
    momiji, sakura = result.json["restaurants"]
    assert [one["riding_along"] for one in (*momiji["changes"], *sakura["changes"])] == [False, False]
    assert sakura["notes"] == [
        f'its configuration at "HEAD~1" ({broken}) is not valid: all changes are counted as the branch\'s'
    ]
    assert f"Warning: the configuration at HEAD~1 ({broken}) is not valid:\n" in result.err
    online.git("switch", "-q", "main")
    online.restaurant("ume", "00000000-0000-4000-8000-000000000001")
    online.commit("Others")
    online.git("switch", "-q", "feature")
    result = online.ok("plan", "--since", "main", "--format", "json")
    assert result.json["notes"] == [f'"main" has moved on since this branch left it: compared with {began}']
    assert result.err == ""


def test_a_restaurant_that_is_new_on_the_branch_is_the_branchs(online: Project) -> None:
    online.restaurant("ume", "00000000-0000-4000-8000-000000000001", "inherits: [_defaults]\n")
    plan = online.ok("plan", "--since", "main", "--format", "json").json
    assert changes(plan) == [("ume", "create", "Max off", None)]
    assert plan["restaurants"][2]["changes"][0]["riding_along"] is False
    assert online.ok("plan", "--since", "main", "-r", "sakura").out.startswith("No changes.")


def test_a_plan_that_is_split_may_be_saved_and_applied(online: Project) -> None:
    online.write({"sakura/groups.yaml": GROUPS + "  - name: Bar\n"})
    file = str(online.directory / "plan.json")
    online.ok("plan", "--since", "main", "--changed-since", "main", "-r", "sakura", "-o", file)
    online.ok("show", file)
    assert "1 added, 0 changed, 0 destroyed." in online.apply(file).out
    none = online.ok("plan", "--since", "main", "--detailed-exitcode").out
    assert none.endswith("\nNo changes. Settings match the configuration.\n") or none.startswith(
        "No changes."
    )
    assert "Pending already" not in none


def test_a_plan_of_what_changed(online: Project) -> None:
    online.write({"momiji/bad.yaml": "staff_groups: [{nmae: x}]\n"})
    online.commit("Broken on main")
    online.git("branch", "-f", "main")
    online.write({"sakura/groups.yaml": GROUPS + "  - name: Bar\n"})
    plan = online.ok("plan", "--changed-since", "main", "--format", "json").json
    assert changes(plan) == [("sakura", "create", "Bar", None)]
    # Left aside, and not unknown.
    assert plan["notes"] == []
    online.git("checkout", "-q", ".")
    plan = online.ok("plan", "--changed-since", "main", "--format", "json", "--detailed-exitcode").json
    assert plan["restaurants"] == []
    assert plan["notes"] == [
        f'no restaurant changed since "main" ({online.git("rev-parse", "--short", "main")})'
    ]
