"""``rowform pull``: what is live, in the files that people keep."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.project import SAKURA, Project
from tests.support.round_trips import waits

ROOT = Path(__file__).parents[2]
NOTHING = "Nothing to pull. The configuration has what is live.\n"
NO_CHANGES = "No changes. Settings match the configuration.\n"


@pytest.fixture
def example(project: Project) -> Project:
    """The repository's own configuration, committed and applied."""
    shutil.copytree(ROOT / "config", project.directory / "config")
    project.commit("Settings")
    project.apply()
    return project


def files(project: Project) -> dict[str, bytes]:
    config = project.directory / "config"
    return {str(one.relative_to(config)): one.read_bytes() for one in config.rglob("*") if one.is_file()}


def sql(project: Project, statement: str) -> None:
    project.rows(f"{statement} RETURNING 1")


def test_a_row_edited_with_sql_comes_into_its_file_and_nothing_else_changes(example: Project) -> None:
    before = files(example)
    sql(example, "UPDATE priority_rules SET penalty_weight = 81.5 WHERE name = 'Kishi early'")
    result = example.ok("pull")
    file = example.directory / "config/sakura/priority_rules.yaml"
    assert result.out.splitlines() == [
        f"updated {file}: 1 changed",
        "Pulled: 0 added, 1 changed, 0 removed in 1 file.",
    ]
    expected = dict(before)
    name = "sakura/priority_rules.yaml"
    expected[name] = before[name].replace(b"    penalty_weight: 80\n", b"    penalty_weight: 81.5\n", 1)
    assert files(example) == expected
    assert example.ok("plan").out == NO_CHANGES
    assert example.ok("pull").out == NOTHING
    assert files(example) == expected


def test_many_edits_at_once(example: Project) -> None:
    sql(example, "UPDATE staff_groups SET name = 'Grill and fry', color = '#000000' WHERE name = 'Grill'")
    sql(example, "DELETE FROM staff_groups WHERE name = 'Simmering'")
    sql(example, "UPDATE daily_limits SET penalty_weight = 51 WHERE name = 'Maximum off per day'")
    sql(example, "DELETE FROM monthly_limits WHERE name = 'Year-end peak'")
    added = (
        "INSERT INTO priority_rules (restaurant_id, version_id, name, effective_from, rule_definition)"
        " SELECT restaurant_id, id, 'Ann: off', '2026-05-01', '{\"ruleType\": \"off\"}' FROM config_versions"
        " WHERE is_active AND restaurant_id = %s RETURNING 1"
    )
    example.rows(added, SAKURA)
    result = example.ok("pull", "--format", "json").json
    assert result["format"] == "rowform.pull/1"
    # Both restaurants have a group Grill, and inherit both limits.
    assert result["summary"] == {"added": 1, "changed": 4, "removed": 3, "files": 6}
    assert example.ok("plan").out == NO_CHANGES
    texts = {name: data.decode() for name, data in files(example).items()}
    assert '- name: Grill and fry\n    color: "#000000"\n' in texts["sakura/staff_groups.yaml"]
    assert "previously: [Simmering]" not in texts["sakura/staff_groups.yaml"]
    assert "  monthly_limits: [Year-end peak]\n" in texts["sakura/restaurant.yaml"]
    assert texts["sakura/priority_rules.yaml"].endswith(
        '\n\n  - name: "Ann: off"\n    rule_definition:\n      ruleType: "off"\n'
        "    effective_from: 2026-05-01\n"
    )
    before = (ROOT / "config/_defaults/daily_limits.yaml").read_text()
    assert texts["_defaults/daily_limits.yaml"] == before


def test_a_database_is_adopted_into_nothing(example: Project) -> None:
    sql(example, "UPDATE restaurants SET timezone = NULL, name = 'It''s: \"S\"' WHERE slug = 'sakura'")
    shutil.rmtree(example.directory / "config")
    for _ in range(2):
        result = example.ok("pull")
        assert "Pulled: 42 added, 0 changed, 0 removed in 12 files." in result.out
        assert (example.directory / "schemas/settings.schema.json").is_file()
        assert "2 restaurants, 42 settings, " in example.ok("validate").out
        assert "No changes." in example.ok("plan").out
        assert example.ok("fmt", "--check").out == "0 files would be formatted, 12 unchanged.\n"
        assert example.ok("pull").out == NOTHING
        shutil.rmtree(example.directory / "config")
        (example.directory / "config").mkdir()
    text = (ROOT / "config/sakura/staff_groups.yaml").read_text()
    example.ok("pull", "-r", "sakura")
    assert sorted(path.name for path in (example.directory / "config").iterdir()) == ["sakura"]
    assert files(example)["sakura/staff_groups.yaml"].decode().splitlines()[0] == text.splitlines()[0]


def test_a_restaurant_without_a_directory_is_named_and_written_on_request(example: Project) -> None:
    shutil.rmtree(example.directory / "config/momiji")
    example.commit("Momiji moved out")
    result = example.ok("pull")
    assert result.out == NOTHING
    assert (
        "Without a directory here, and left out: momiji. `rowform pull -r momiji` makes one.\n" in result.err
    )
    assert "wrote" in example.ok("pull", "-r", "momiji").out
    assert example.ok("plan").out == NO_CHANGES
    result = example.run("pull", "-r", "momij")
    assert result.code == 1
    assert "did you mean `momiji`?" in result.err


def test_check_writes_nothing_and_fails(example: Project) -> None:
    assert example.ok("pull", "--check").out == NOTHING
    sql(example, "UPDATE priority_rules SET penalty_weight = 81.5 WHERE name = 'Kishi early'")
    before = files(example)
    result = example.run("pull", "--check")
    file = example.directory / "config/sakura/priority_rules.yaml"
    assert result.code == 1
    assert result.out.splitlines() == [
        f"would update {file}: 1 changed",
        "Would pull: 0 added, 1 changed, 0 removed in 1 file.",
    ]
    assert "Error: 1 file differs from what is live\n" in result.err
    result = example.run("pull", "--check", "--format", "json")
    assert (result.code, result.json["check"], len(result.json["files"])) == (1, True, 1)
    assert files(example) == before


def test_files_that_git_does_not_have_are_left_alone(example: Project) -> None:
    sql(example, "UPDATE priority_rules SET penalty_weight = 81.5 WHERE name = 'Kishi early'")
    file = example.directory / "config/sakura/priority_rules.yaml"
    other = example.directory / "config/sakura/staff_groups.yaml"
    other.write_text(other.read_text() + "# of no importance\n")
    file.write_text(file.read_text() + "# unsaved\n")
    before = files(example)
    result = example.run("pull")
    assert result.code == 3
    assert "nothing was pulled: sakura/priority_rules.yaml has changes that are not committed" in result.err
    assert files(example) == before
    example.git("stash", "push", "--quiet", "--", str(file))
    assert "1 changed" in example.ok("pull").out
    # What is not to be touched may be as it is; what was never committed may not.
    example.git("rm", "--cached", "--quiet", str(file))
    sql(example, "UPDATE priority_rules SET penalty_weight = 82.5 WHERE name = 'Kishi early'")
    assert example.run("pull", "--format", "json").json["error"]["code"] == "dirty"
    shutil.rmtree(example.directory / ".git")
    result = example.ok("pull")
    assert "Without a commit in a Git repository nothing keeps what the files said before.\n" in result.err
    assert example.ok("plan").out == NO_CHANGES


def test_a_wiped_database_does_not_wipe_the_files(example: Project) -> None:
    example.rows("DELETE FROM priority_rules WHERE restaurant_id = %s RETURNING 1", SAKURA)
    before = files(example)
    result = example.run("pull")
    assert result.code == 3
    assert "blocked by threshold (sakura): all 4 entries of priority_rules would be deleted" in result.err
    assert files(example) == before
    assert "BLOCKED: threshold" in example.run("pull", "--check").err
    result = example.ok("pull", "--force", "threshold")
    assert "0 added, 0 changed, 4 removed in 2 files." in result.out
    assert files(example)["sakura/priority_rules/weekend.yaml"].decode().endswith("\npriority_rules: []\n")
    assert example.ok("plan").out == NO_CHANGES


def test_stored_values_that_no_file_may_have_are_named(example: Project) -> None:
    sql(example, "UPDATE staff_groups SET color = 'red', description = E'bell \\x07' WHERE name = 'Sashimi'")
    sql(example, "UPDATE daily_limits SET penalty_weight = 'NaN' WHERE name = 'Maximum early shifts'")
    sql(
        example,
        "UPDATE priority_rules SET rule_definition = '{\"x\": [9007199254740993]}',"
        " effective_from = 'infinity' WHERE name = 'Kishi early'",
    )
    sql(example, "UPDATE monthly_limits SET effective_from = '0044-03-15 BC' WHERE name = 'Autumn leaves'")
    sql(example, "UPDATE staff_groups SET name = 'KITCHEN LEAD' WHERE name = 'Grill'")
    before = files(example)
    result = example.run("pull")
    assert result.code == 1
    assert files(example) == before
    assert 'sakura: staff group "Sashimi": color: "red" is not a colour' in result.err
    assert (
        'sakura: staff group "Sashimi": description: the text has U+0007 (BELL), which is not allowed'
        in result.err
    )
    assert "Hint: correct them in the database with SQL, then pull again" in result.err
    found = example.run("pull", "--format", "json").json["error"]["findings"]
    fields = {(one["restaurant"], one["kind"], one["key"], one["field"]) for one in found}
    assert fields == {
        ("sakura", "staff_groups", "Sashimi", "color"),
        ("sakura", "staff_groups", "Sashimi", "description"),
        ("sakura", "daily_limits", "Maximum early shifts", "penalty_weight"),
        ("momiji", "daily_limits", "Maximum early shifts", "penalty_weight"),
        ("sakura", "priority_rules", "Kishi early", "rule_definition"),
        ("sakura", "priority_rules", "Kishi early", "effective_from"),
        ("momiji", "monthly_limits", "Autumn leaves", "effective_from"),
        ("sakura", "staff_groups", "Kitchen lead", "name"),
    }


GROUPS = """\
# groups\r
staff_groups:\r
- {name: Bar, color: '#abc'}  # odd\r
- name: &name "Café"\r
  description: *name\r
\r
- name: Kitchen\r
  description: |\r
    two\r
    lines\r
"""


def test_odd_files_stay_odd(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/all.yaml": GROUPS.replace("\r\n", "\n")})
    file = project.directory / "config/sakura/all.yaml"
    file.write_bytes(GROUPS.encode())
    file.chmod(0o640)
    project.apply()
    sql(project, "UPDATE staff_groups SET color = NULL, is_active = false WHERE name = 'Bar'")
    sql(project, "UPDATE staff_groups SET name = 'Kaffee' WHERE name = 'Café'")
    sql(project, "UPDATE staff_groups SET description = E'three\\nlines\\nhere\\n' WHERE name = 'Kitchen'")
    project.ok("pull")
    assert file.read_bytes().decode() == (
        GROUPS.replace("'#abc'", "null, is_active: false")
        .replace('&name "Café"', '&name "Kaffee"')
        .replace("*name", "Café")
        .replace("two\r\n    lines", "three\r\n    lines\r\n    here")
    )
    assert file.stat().st_mode & 0o777 == 0o640
    assert project.ok("plan").out == NO_CHANGES


def test_what_is_not_managed_is_never_written(project: Project) -> None:
    project.restaurant(more="manages: [staff_groups]\n")
    project.write({"sakura/a.yaml": "staff_groups: [{name: A}]\n"})
    project.apply()
    version = project.value("SELECT id FROM config_versions WHERE is_active")
    insert = "INSERT INTO {} (restaurant_id, version_id, name) VALUES (%s, %s, 'B') RETURNING 1"
    for table in ("daily_limits", "staff_groups"):
        project.rows(insert.format(table), SAKURA, version)
    assert "1 added, 0 changed, 0 removed in 1 file." in project.ok("pull").out
    assert files(project)["sakura/a.yaml"] == b"staff_groups: [{name: A}, {name: B}]\n"


def test_restaurants_that_cannot_be_pulled(project: Project) -> None:
    result = project.run("pull")
    assert (result.code, "there are no restaurants in the database yet" in result.err) == (1, True)
    project.restaurant()
    project.write({"sakura/a.yaml": "staff_groups: [{name: A}]\n"})
    assert project.ok("pull").out == NOTHING
    assert "Not in the database yet, and left as they are: sakura.\n" in project.ok("pull").err
    assert "the database has no restaurant sakura yet" in project.run("pull", "-r", "sakura").err
    for name, slug in (("Idle", "idle"), ("Evil", "../../evil")):
        project.rows("INSERT INTO restaurants (name, slug) VALUES (%s, %s) RETURNING 1", name, slug)
    assert project.run("pull", "-r", "idle").err.startswith("Error: idle has no active version\n")
    evil = project.value("SELECT id FROM restaurants WHERE name = 'Evil'")
    project.rows(
        "INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
        " VALUES (%s, 1, 'x', true) RETURNING 1",
        evil,
    )
    result = project.run("pull", "-r", "../../evil")
    assert (result.code, result.err.splitlines()[0]) == (
        1,
        '../../evil: slug: "../../evil" cannot name a directory',
    )
    project.rows("UPDATE restaurants SET slug = 'sakura' WHERE name = 'Evil' RETURNING 1")
    assert f"the database knows sakura under the id {evil}" in project.run("pull").err


def test_two_names_of_one_file(project: Project) -> None:
    project.restaurant()
    project.restaurant("momiji", "5b0c1f7a-2d64-4c0e-9a53-0c6d1f1a7e02")
    project.write({"sakura/all.yaml": "staff_groups:\n  - name: A\n"})
    link = project.directory / "config/momiji/all.yaml"
    link.symlink_to("../sakura/all.yaml")
    project.apply()
    sql(project, "UPDATE staff_groups SET color = '#fff' WHERE name = 'A'")
    assert "in 1 file." in project.ok("pull").out
    assert link.is_symlink()
    assert project.ok("plan").out == NO_CHANGES
    sql(project, f"UPDATE staff_groups SET color = '#000' WHERE name = 'A' AND restaurant_id = '{SAKURA}'")
    before = files(project)
    result = project.run("pull")
    assert (result.code, "cannot be edited so that it says what is live" in result.err) == (1, True)
    assert files(project) == before


def test_a_file_that_cannot_be_replaced_stays(example: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(_: Path, __: Path) -> None:
        raise PermissionError(13, "Permission denied")

    sql(example, "UPDATE staff_groups SET is_active = false WHERE name = 'Grill'")
    before = files(example)
    monkeypatch.setattr(Path, "replace", replace)
    result = example.run("pull")
    assert (result.code, result.err) == (1, "Error: cannot write: Permission denied\n")
    assert files(example) == before


def test_a_rename_back_and_forth(project: Project) -> None:
    project.restaurant()
    project.write(
        {"sakura/a.yaml": "staff_groups:\n  - name: B\n    previously: [A]  # was A\n    color: '#fff'\n"}
    )
    project.write({"sakura/a.yaml": "staff_groups:\n  - name: A\n    color: '#fff'\n"})
    project.apply()
    project.write(
        {"sakura/a.yaml": "staff_groups:\n  - name: B\n    previously: [A]  # was A\n    color: '#fff'\n"}
    )
    # The plan would rename A; what is live is still A.
    result = project.ok("pull", "--format", "json").json
    (change,) = result["restaurants"][0]["changes"]
    assert (change["action"], change["key"], change["previous_key"]) == ("update", "A", "B")
    assert files(project)["sakura/a.yaml"] == b"staff_groups:\n  - name: A\n    color: '#fff'\n"
    assert project.ok("plan").out == NO_CHANGES


def test_a_pull_waits_as_often_as_a_plan_whatever_changed(example: Project) -> None:
    ordinary = waits(example, "plan")
    assert waits(example, "pull") == ordinary
    sql(example, "UPDATE priority_rules SET penalty_weight = 81.5 WHERE name = 'Kishi early'")
    assert waits(example, "pull") == ordinary
    example.commit("Pulled")
    sql(example, "UPDATE daily_limits SET penalty_weight = coalesce(penalty_weight, 0) + 1")
    sql(example, "UPDATE staff_groups SET description = concat(name, ' at work')")
    assert waits(example, "pull") == ordinary
    example.commit("Pulled")
    assert waits(example, "pull") == ordinary
    # One more: which restaurants there are, and only then what they have.
    shutil.rmtree(example.directory / "config")
    (example.directory / "config").mkdir()
    assert waits(example, "pull") == ordinary + 1
    assert example.ok("plan").out == NO_CHANGES
