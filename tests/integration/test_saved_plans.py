"""Saved plans: applied exactly, or refused with the reason."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rowform import planfile
from rowform.jsontypes import is_object
from rowform.state import canonical
from rowform.sync import saved as saving
from tests.support.project import MOMIJI, SAKURA, Project

GROUPS = """\
staff_groups:
  - name: Kitchen
    color: "#3B82F6"
  - name: Floor
    description: "\\e[31m"
daily_limits:
  - name: Max off
    limit_config: {shiftType: off, maxCount: 3}
    penalty_weight: 30.50
"""


def configured(project: Project) -> Project:
    project.restaurant()
    project.write({"sakura/all.yaml": GROUPS.replace("\\e[31m", "料理")})
    return project


@pytest.fixture
def sakura(project: Project) -> Project:
    """Version 1 of three settings is active."""
    configured(project).apply()
    return project


@pytest.fixture
def other(sakura: Project, tmp_path: Path) -> Project:
    """Somebody else's checkout of the same configuration, for the same database."""
    return configured(Project(tmp_path / "other", sakura.url))


def edit(project: Project, old: str, new: str) -> None:
    path = project.directory / "config" / "sakura" / "all.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def saved(project: Project, *arguments: str, name: str = "plan.json") -> str:
    """Save a plan; the file's name."""
    file = str(project.directory / name)
    project.ok("plan", "-o", file, *arguments)
    return file


def planned(project: Project, old: str = "#3B82F6", new: str = "#10B981") -> str:
    """Edit, and save the plan."""
    edit(project, old, new)
    return saved(project)


def refused(project: Project, file: str, *arguments: str) -> str:
    """An apply that is refused and leaves the database as it was; what it says."""
    before = everything(project)
    result = project.run("apply", "--auto-approve", *arguments, file)
    assert (result.code, result.out) == (3, ""), result
    assert "internal error" not in result.err
    assert everything(project) == before
    return result.err


def everything(project: Project) -> list[Any]:
    tables = ("config_versions", "config_changes", "restaurants", "rowform.staff_groups")
    return [project.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]


def sql(project: Project, statement: str) -> None:
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(statement.encode())


def doctored(file: str, **members: Any) -> str:
    """A copy that somebody edited, and gave a checksum that is right."""
    document = json.loads(Path(file).read_text("utf-8"))
    document |= members
    del document["checksum"]
    document["checksum"] = planfile._checksum(document)
    copy = Path(file).with_name("doctored.json")
    copy.write_text(json.dumps(document), "utf-8")
    return str(copy)


# --- saving --------------------------------------------------------------------------------------


def test_a_plan_is_saved_and_shown_as_usual(sakura: Project) -> None:
    edit(sakura, "#3B82F6", "#10B981")
    plain = sakura.ok("plan")
    file = sakura.directory / "my plan.json"
    result = sakura.ok("plan", "-o", str(file))
    assert result.out == plain.out
    assert result.err == f"{plain.err}Saved the plan to {file}; apply it with: rowform apply '{file}'\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in sakura.directory.iterdir() if "plan" in path.name] == ["my plan.json"]
    document = json.loads(file.read_text("utf-8"))
    checksum, created = document.pop("checksum"), document.pop("created_at")
    assert checksum.startswith("sha256:")
    assert created.endswith("+00:00")
    assert document == sakura.ok("plan", "--format", "json").json


def test_saving_goes_with_the_other_options(sakura: Project) -> None:
    edit(sakura, "#3B82F6", "#10B981")
    file = sakura.directory / "plan.json"
    result = sakura.run("plan", "-o", str(file), "--format", "json", "--detailed-exitcode", "-r", "sakura")
    assert result.code == 2
    assert result.json["format"] == "rowform.plan/1"
    assert "checksum" not in result.json
    assert file.exists()


def test_a_file_is_replaced_and_a_link_is_kept(sakura: Project) -> None:
    real, link = sakura.directory / "real.json", sakura.directory / "link.json"
    real.write_text("old")
    real.chmod(0o644)
    link.symlink_to(real)
    saved(sakura, name="link.json")
    assert link.is_symlink()
    assert json.loads(real.read_text("utf-8"))["format"] == "rowform.plan/1"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("-", "a plan is saved in a file, not on stdout"),
        ("", 'cannot save the plan: "" is no regular file'),
        ("{directory}", "is no regular file"),
        ("{directory}/no/plan.json", "the directory of {directory}/no/plan.json does not exist"),
        ("/dev/null", '"/dev/null" is no regular file'),
        ("{directory}/" + "x" * 300, "File name too long"),
    ],
)
def test_where_no_plan_can_be_saved(sakura: Project, name: str, words: str) -> None:
    edit(sakura, "#3B82F6", "#10B981")
    place = {"directory": str(sakura.directory)}
    for form in ("text", "json"):
        result = sakura.run("plan", "-o", name.format(**place), "--format", form)
        assert result.code == 1
        assert words.format(**place) in result.err
        assert result.out == "" or words.format(**place) in result.json["error"]["message"]
        assert "internal error" not in result.err
    assert not list(sakura.directory.glob(".*x*"))


def test_a_file_that_cannot_be_written_stays_as_it_was(
    sakura: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sakura.directory / "plan.json"
    file.write_text("old")
    before = sorted(sakura.directory.iterdir())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    result = sakura.run("plan", "-o", str(file))
    assert (result.code, result.out) == (1, "")
    assert f"Error: cannot save the plan: {file}: No space left on device\n" in result.err
    assert file.read_text() == "old"
    assert sorted(sakura.directory.iterdir()) == before


def test_a_plan_that_no_apply_would_read(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "MAX_BYTES", 100)
    result = sakura.run("plan", "-o", str(sakura.directory / "plan.json"))
    assert result.code == 1
    assert "bytes; the limit is 100\nHint: save one for each restaurant with -r\n" in result.err
    assert not (sakura.directory / "plan.json").exists()


# --- applying ------------------------------------------------------------------------------------


def test_exactly_the_saved_plan_is_applied(sakura: Project) -> None:
    file = planned(sakura)
    result = sakura.apply(file, "--message", "As reviewed")
    assert '  ~ staff_groups "Kitchen"' in result.out
    assert result.out.endswith("Apply complete! Version 2 active: 0 added, 1 changed, 0 destroyed.\n")
    (version,) = sakura.rows("SELECT * FROM config_versions WHERE is_active")
    assert version["name"] == "As reviewed"
    assert version["source"]["plan"] == json.loads(Path(file).read_text("utf-8"))["checksum"]
    assert sakura.ok("plan").out == "No changes. Settings match the configuration.\n"


def test_a_first_apply_makes_the_restaurant(project: Project) -> None:
    file = saved(configured(project))
    project.apply(file)
    assert project.value("SELECT count(*) FROM restaurants") == 1
    assert f"{file} was applied already: it made version 1 of sakura" in refused(project, file)


def test_the_name_of_a_new_restaurant_is_part_of_its_plan(project: Project) -> None:
    file = saved(configured(project))
    project.write({"sakura/restaurant.yaml": f"id: {SAKURA}\nname: Other\n"})
    assert "the configuration of sakura has changed since the plan was saved" in refused(project, file)


def test_json(sakura: Project) -> None:
    file = planned(sakura)
    result = sakura.apply(file, "--format", "json")
    assert result.json["format"] == "rowform.apply/1"
    assert [one["status"] for one in result.json["results"]] == ["applied"]
    result = sakura.run("apply", file, "--auto-approve", "--format", "json")
    assert result.code == 3
    assert result.json["error"]["code"] == "applied-already"


def test_it_asks_and_refuses_without_a_terminal(sakura: Project) -> None:
    file = planned(sakura)
    result = sakura.run("apply", file)
    assert result.code == 3
    assert "nobody can be asked here" in result.err
    assert sakura.value("SELECT count(*) FROM config_versions") == 1


def test_nothing_to_do(sakura: Project) -> None:
    file = saved(sakura)
    for _ in range(2):
        assert sakura.apply(file).out == "No changes. Settings match the configuration.\n"
    assert sakura.value("SELECT count(*) FROM config_versions") == 1


def test_only_the_restaurants_of_the_plan(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    edit(sakura, "#3B82F6", "#10B981")
    file = saved(sakura, "-r", "sakura")
    result = sakura.run("apply", "--auto-approve", "-r", "sakura", file)
    assert result.code == 1
    assert "a saved plan says itself which restaurants it is for" in result.err
    sakura.apply(file)
    assert [one["slug"] for one in sakura.rows("SELECT slug FROM restaurants")] == ["sakura"]


def test_a_plan_of_no_restaurants_is_not_one_of_all(sakura: Project) -> None:
    file = doctored(planned(sakura), restaurants=[])
    assert sakura.apply(file).out == "No changes. Settings match the configuration.\n"


def test_a_config_that_only_looks_different_is_the_same(sakura: Project) -> None:
    file = planned(sakura)
    edit(sakura, "  - name: Kitchen\n", "  # A comment moves every line.\n  - name: Kitchen\n")
    edit(sakura, "30.50", "30.5")
    sakura.apply(file)


def test_layout_does_not_count(sakura: Project) -> None:
    file = Path(planned(sakura))
    document = json.loads(file.read_text("utf-8"))
    file.write_bytes(json.dumps(document, sort_keys=True).replace(", ", ",\r\n").encode())
    sakura.apply(str(file))


# --- refusals ------------------------------------------------------------------------------------


def test_an_edited_file(sakura: Project) -> None:
    file = Path(planned(sakura))
    file.write_text(file.read_text("utf-8").replace("#10B981", "#10B982"), "utf-8")
    assert f"Error: {file} is not as it was saved: its checksum is another one\n" in refused(
        sakura, str(file)
    )


def test_a_file_that_was_made_up_changes_nothing(sakura: Project) -> None:
    """Nothing is taken from the file: with other values in it, it is not the plan that comes out."""
    file = planned(sakura)
    restaurants = json.loads(Path(file).read_text("utf-8"))["restaurants"]
    restaurants[0]["changes"][0]["after"]["color"] = "#000000"
    message = refused(sakura, doctored(file, restaurants=restaurants))
    assert "planned again, sakura would get other changes than those in" in message


def test_another_database(sakura: Project, empty_database: str) -> None:
    file = planned(sakura)
    elsewhere = Project(sakura.directory, empty_database)
    elsewhere.ok("db", "upgrade", "--auto-approve")
    # There another restaurant has this slug; that it is another database says more.
    sql(elsewhere, f"INSERT INTO restaurants (id, slug, name) VALUES ('{MOMIJI}', 'sakura', 'S')")
    message = refused(elsewhere, file)
    id_ = sakura.value("SELECT id FROM rowform.database")
    assert f"Error: the plan is for the database {id_}, and this one is " in message


def test_another_target(sakura: Project) -> None:
    sakura.write(
        {"rowform.yaml": "targets:\n  production: {database_url_env: A}\n  staging: {database_url_env: B}\n"}
    )
    edit(sakura, "#3B82F6", "#10B981")
    file = str(sakura.directory / "plan.json")
    options = ["--config-dir", str(sakura.directory / "config"), "--target"]
    assert sakura.run(*options, "production", "plan", "-o", file).code == 0
    for given, said in ((["--target", "staging"], "target staging"), ([], "no target")):
        result = sakura.run(*given, "apply", "--auto-approve", file)
        assert result.code == 3
        assert f"Error: the plan was made with target production, and this is {said}\n" in result.err
    assert sakura.run("--target", "production", "apply", "--auto-approve", file).code == 0


def test_a_config_that_has_changed(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    file = planned(sakura)
    edit(sakura, "#10B981", "#10B982")
    message = refused(sakura, file)
    assert "Error: the configuration of sakura has changed since the plan was saved\n" in message
    assert "Hint: plan again, and look at what is different\n" in message


def test_a_restaurant_that_went_or_became_another(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    file = planned(sakura)
    sakura.restaurant("momiji", "5b0c1f7a-2d64-4c0e-9a53-0c6d1f1a7e03")
    assert "since the plan was saved: momiji has another id in it" in refused(sakura, file)
    (sakura.directory / "config/momiji/restaurant.yaml").unlink()
    (sakura.directory / "config/momiji").rmdir()
    assert "since the plan was saved: momiji is not in it any more" in refused(sakura, file)


def test_a_plan_that_was_applied_already(sakura: Project) -> None:
    file = planned(sakura)
    sakura.apply(file)
    assert f"Error: {file} was applied already: it made version 2 of sakura\n" in refused(sakura, file)
    # Also after others, and whatever the configuration says meanwhile.
    edit(sakura, "#10B981", "#10B982")
    sakura.apply()
    assert f"Error: {file} was applied already: it made version 2 of sakura\n" in refused(sakura, file)


def test_two_people_with_plans_on_one_base(sakura: Project, other: Project) -> None:
    mine = planned(sakura)
    edit(other, "penalty_weight: 30.50", "penalty_weight: 50")
    other.git("init", "--quiet")
    commit = other.commit("Let it weigh more")
    theirs = saved(other)
    other.apply(theirs)
    sql(sakura, "UPDATE staff_groups SET color = '#000000' WHERE name = 'Floor' AND version_id ="
        " (SELECT id FROM config_versions WHERE is_active)")  # fmt: skip
    message = refused(sakura, mine)
    user = sakura.value("SELECT session_user::text")
    assert (
        "Error: the plan is stale: sakura was at version 1, and since then version 2 was applied by Aiko Sato"
        f" ({commit}) and version 3 written directly by {user}" in message
    )
    # What they planned is refused for their sake as well: mine is not made on the way.
    assert "applied already: it made version 2" in refused(other, theirs)


def test_versions_from_files_and_more_than_can_be_told(sakura: Project, other: Project) -> None:
    file = planned(sakura)
    for number in range(7):
        other.write({"sakura/more.yaml": f"monthly_limits: [{{name: M, penalty_weight: {number}}}]"})
        other.apply()
    message = refused(sakura, file)
    assert "and since then version 4 was applied from files, version 5 applied from files," in message
    assert "version 8 applied from files and 2 earlier versions made\n" in message


def test_another_version_was_made_active(sakura: Project) -> None:
    edit(sakura, "30.50", "31")
    sakura.apply()
    file = planned(sakura)
    sakura.ok("rollback", "--auto-approve", "--reason", "Too \x1b heavy")
    message = refused(sakura, file)
    assert (
        "sakura was at version 2, and since then version 1 was made the active one (Too \\x1b heavy)\n"
        in message
    )
    sakura.ok("activate", "2", "--auto-approve")
    sakura.apply(file)


def test_a_version_that_was_made_and_left_again(sakura: Project, other: Project) -> None:
    file = planned(sakura)
    edit(other, "30.50", "31")
    other.apply()
    other.ok("rollback", "--auto-approve")
    assert "and since then version 2 was made from files\n" in refused(sakura, file)


def test_the_active_version_was_switched_off_and_on(sakura: Project) -> None:
    file = planned(sakura)
    sql(sakura, "UPDATE config_versions SET is_active = false")
    assert "since then the active version was switched off\n" in refused(sakura, file)
    off = saved(sakura, name="off.json")
    sakura.ok("activate", "1", "--auto-approve")
    assert "sakura had no active version, and since then version 1 was made the active one" in refused(
        sakura, off
    )


def test_the_restaurant_was_purged_or_made(project: Project, tmp_path: Path) -> None:
    first = saved(configured(project), name="first.json")
    configured(Project(tmp_path / "other", project.url)).apply()
    assert "sakura had no active version, and since then version 1 was applied from files\n" in refused(
        project, first
    )
    edit(project, "#3B82F6", "#10B981")
    second = saved(project, name="second.json")
    project.ok("db", "purge", "-r", "sakura", "--auto-approve")
    assert "sakura was at version 1, and since then its history was deleted\n" in refused(project, second)


def test_guards_that_fire_now(sakura: Project) -> None:
    file = planned(sakura)
    sakura.ok("lock", "1")
    result = sakura.run("apply", "--auto-approve", file)
    assert result.code == 3
    assert "blocked by locked (sakura)" in result.err
    sakura.ok("unlock", "1")
    sakura.apply(file)


def test_a_blocked_plan_is_saved_and_can_be_forced(sakura: Project) -> None:
    sakura.write({"sakura/all.yaml": "staff_groups: []\ndaily_limits: []\n"})
    file = saved(sakura)
    result = sakura.run("apply", "--auto-approve", file)
    assert result.code == 3
    assert "BLOCKED: threshold" in result.out
    assert sakura.value("SELECT count(*) FROM config_versions") == 1
    sakura.apply("--force", "threshold", file)
    assert sakura.value("SELECT source -> 'forced' FROM config_versions WHERE is_active") == ["threshold"]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, 1, "No such file or directory"),
        (b"", 3, "is no JSON, or not all of it: line 1, column 1"),
        (b"[]", 3, "is no saved plan"),
        (b'{"format": "rowform.plan/2"}', 3, 'is a plan of the format "rowform.plan/2"; rowform'),
    ],
)
def test_files_that_are_no_plans(sakura: Project, content: bytes | None, code: int, words: str) -> None:
    file = sakura.directory / "odd.json"
    if content is not None:
        file.write_bytes(content)
    for command in (["apply", "--auto-approve"], ["show"]):
        result = sakura.run(*command, str(file))
        assert result.code == code
        assert words in result.err
        assert result.out == ""


def test_files_that_cannot_be_read(sakura: Project) -> None:
    huge = sakura.directory / "huge.json"
    with huge.open("wb") as stream:
        stream.truncate(256 * 1024 * 1024 + 1)
    pipe = sakura.directory / "pipe.json"
    os.mkfifo(pipe)
    for file, words in (
        (huge, "it has 268,435,457 bytes; the limit is 268,435,456"),
        (pipe, "is no regular file"),
        (sakura.directory, "Is a directory"),
    ):
        result = sakura.run("apply", "--auto-approve", str(file))
        assert result.code == 1
        assert words in result.err


# --- showing -------------------------------------------------------------------------------------


def test_a_saved_plan_is_shown_without_database_and_configuration(sakura: Project, tmp_path: Path) -> None:
    sakura.git("init", "--quiet")
    commit = sakura.commit("Settings")
    edit(sakura, "name: Floor", "name: Counter\n    previously: [Floor]")
    file = planned(sakura)
    text = sakura.ok("plan").out
    sakura.apply()  # it is stale now
    nowhere = Project(tmp_path / "nowhere", "postgresql://localhost:1/nowhere")
    result = nowhere.ok("show", file)
    head, _, body = result.out.partition("\n\n")
    assert body == text.lstrip("\n")
    id_ = sakura.value("SELECT id FROM rowform.database")
    facts = head.splitlines()
    assert facts[0].startswith("# saved plan, made 2")
    assert facts[0].endswith(" UTC by rowform 0.1.0")
    assert facts[1:] == [
        "# author: Aiko Sato <aiko@example.com>",
        f"# commit: {sakura.git('rev-parse', commit)} and uncommitted changes",
        "# ref: main",
        f"# database: {id_}",
        "# base: sakura, version 1",
    ]
    assert nowhere.ok("show", "--format", "json", file).json == json.loads(Path(file).read_text("utf-8"))


def test_files_and_versions_are_told_apart(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sakura.directory)
    saved(sakura, name="1")
    saved(sakura, name="reviewed")
    assert sakura.ok("show", "1").out.startswith("# sakura, version 1")
    assert sakura.ok("show", "./1").out.startswith("# saved plan")
    assert sakura.ok("show", "reviewed").out.startswith("# saved plan")
    assert "is no version" in sakura.run("show", "other").err
    assert "No such file" in sakura.run("show", "other.json").err
    assert "a saved plan is shown whole" in sakura.run("show", "reviewed", "-r", "sakura").err


def test_the_canonical_form_is_what_the_checksum_is_of(sakura: Project) -> None:
    document = json.loads(Path(planned(sakura)).read_text("utf-8"))
    assert is_object(document)
    checksum = document.pop("checksum")
    plain = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert plain == canonical(document)
    assert checksum == planfile._checksum(document)
