"""Versions that are made now and activated later, and what happens in between."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from rowform.cli import apply as apply_command
from tests.integration.test_activation import ACTIVE, active, assert_replay, content, sql
from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.proxy import proxy

ONE = """\
staff_groups:
  - name: Kitchen
    color: "#111111"
  - name: Floor
daily_limits:
  - name: Max off
    penalty_weight: 30.5
"""
TWO = ONE.replace("#111111", "#222222").replace("  - name: Floor\n", "  - name: Bar\n")
THREE = ONE.replace("#111111", "#333333")
AUDIT = "SELECT * FROM config_changes ORDER BY seq"
COMPLETE = "Apply complete! Version {} staged: {} added, {} changed, {} destroyed."


def stage(project: Project, text: str, *arguments: str) -> str:
    """Stage a configuration; what the command says last."""
    project.write({"sakura/all.yaml": text})
    result = project.apply("--no-activate", *arguments)
    return result.out.splitlines()[-1]


def states(project: Project) -> list[tuple[int, str]]:
    (found,) = project.ok("history", "--format", "json").json["restaurants"]
    return [(one["version_number"], one["state"]) for one in found["versions"]]


def names(project: Project, number: int) -> set[str]:
    """The staff groups of a version."""
    return {row["name"] for row in content(project, number)["staff_groups"]}


@pytest.fixture
def new(project: Project) -> Project:
    """A restaurant that the database does not know yet."""
    project.restaurant()
    project.write({"sakura/all.yaml": ONE})
    return project


@pytest.fixture
def sakura(new: Project) -> Project:
    """Version 1 is active."""
    new.apply("--message", "One")
    return new


# --- nothing that is live changes ----------------------------------------------------------------


def test_a_staged_version_changes_nothing_that_is_live(sakura: Project) -> None:
    audit, live = sakura.rows(AUDIT), content(sakura, 1)
    steps = sakura.rows("SELECT * FROM rowform.activations")
    with psycopg.connect(sakura.url, autocommit=True) as listener:
        listener.execute("LISTEN rowform")
        line = stage(sakura, TWO, "--message", "Two")
        assert list(listener.notifies(timeout=0.3)) == []
    assert line == f"{COMPLETE.format(2, 1, 1, 1)} Activate it with: rowform activate 2 -r sakura"
    assert (active(sakura), content(sakura, 1)) == (1, live)
    assert sakura.rows(AUDIT) == audit
    assert sakura.rows("SELECT * FROM rowform.activations") == steps
    assert sakura.value("SELECT count(*) FROM rowform.own_writes") == 0
    assert names(sakura, 2) == {"Kitchen", "Bar"}
    assert states(sakura) == [(2, "staged"), (1, "active")]
    assert_replay(sakura)


def test_its_activation_is_audited_then(sakura: Project) -> None:
    stage(sakura, TWO)
    newest = sakura.value("SELECT max(seq) FROM config_changes")
    done = sakura.ok("activate", "2", "--auto-approve")
    assert done.out == "Activation complete! Version 2 active: 1 added, 1 changed, 1 destroyed.\n"
    head, *changes = sakura.rows("SELECT * FROM config_changes WHERE seq > %s ORDER BY seq", newest)
    assert (head["table_name"], head["old_data"]["version_number"]) == ("config_versions", 1)
    assert [(one["operation"], (one["new_data"] or one["old_data"])["name"]) for one in changes] == [
        ("DELETE", "Floor"),
        ("UPDATE", "Kitchen"),
        ("INSERT", "Bar"),
    ]
    assert states(sakura) == [(2, "active"), (1, "inactive")]
    assert_replay(sakura)
    sakura.ok("rollback", "--auto-approve")
    assert active(sakura) == 1
    # It has been active by now.
    assert states(sakura) == [(2, "inactive"), (1, "active")]
    assert_replay(sakura)


def test_its_audit_names_the_commit(sakura: Project) -> None:
    sakura.write({"sakura/all.yaml": TWO})
    commit = sakura.commit("Summer")[:7]
    sakura.apply("--no-activate")
    sakura.write({"sakura/all.yaml": THREE})
    sakura.apply("--no-activate")
    said = "SELECT DISTINCT reason FROM config_changes WHERE version_id = (" + ACTIVE + ")"
    sakura.ok("activate", "2", "--auto-approve", "--reason", "The season begins")
    assert sakura.value(said) == f"The season begins: version 2 of commit {commit}"
    sakura.ok("activate", "3", "--auto-approve")
    # With changes that are in no commit.
    assert sakura.value(said).endswith(f", rowform: version 3 of commit {commit}+")
    newest = sakura.value("SELECT max(seq) FROM config_changes")
    sakura.ok("activate", "2", "--auto-approve", "--reason", "Again")
    again = sakura.rows("SELECT DISTINCT reason FROM config_changes WHERE seq > %s", newest)
    assert again == [{"reason": "Again"}]
    # The log says who made what came with a version's first activation, and not again.
    headings = [line for line in sakura.ok("log").out.splitlines() if line.startswith("20")]
    assert [("Aiko Sato" in line, commit in line) for line in headings] == [
        (False, False),
        (True, True),
        (True, True),
        (False, False),
    ]


def test_the_first_version_of_a_restaurant(new: Project) -> None:
    assert stage(new, ONE) == (
        f"{COMPLETE.format(1, 3, 0, 0)} Activate it with: rowform activate 1 -r sakura"
    )
    assert new.rows(AUDIT) == []
    assert new.rows("SELECT slug FROM restaurants") == [{"slug": "sakura"}]
    plan = new.ok("plan").out
    assert "sakura (no version is active)\n" in plan
    assert 'Note: version 1 "Applied by rowform ' in plan
    made = "makes it the active one"
    assert f"is staged and has this content already: `rowform activate 1 -r sakura` {made}" in plan
    assert plan.endswith("Plan: 3 to add, 0 to change, 0 to destroy.\n")
    assert "sakura has no active version yet" in new.run("rollback").err
    assert "sakura has no active version" in new.run("show").err
    assert new.ok("show", "1").out.startswith("# sakura, version 1 (staged)\n")
    assert "sakura      -       1" in new.ok("db", "status").out
    assert new.ok("activate", "1", "--auto-approve").out == (
        "Activation complete! Version 1 active: 3 added, 0 changed, 0 destroyed.\n"
    )
    assert new.ok("plan").out.endswith("No changes. Settings match the configuration.\n")
    assert_replay(new)


def test_an_apply_after_a_staged_first_version_keeps_its_identities(new: Project) -> None:
    stage(new, ONE)
    new.apply()
    assert (active(new), states(new)) == (2, [(2, "active"), (1, "staged")])
    assert content(new, 2) == content(new, 1)
    assert_replay(new)
    done = new.ok("activate", "1", "--auto-approve")
    assert done.out.endswith("Version 1 active: 0 added, 0 changed, 0 destroyed.\n")
    assert_replay(new)


def test_nothing_was_active_any_more(sakura: Project) -> None:
    """What the deactivation took away is audited when something comes, and not when it is staged."""
    sql(sakura, "UPDATE config_versions SET is_active = false")
    audit = sakura.rows(AUDIT)
    stage(sakura, TWO)
    assert sakura.rows(AUDIT) == audit
    sakura.ok("activate", "2", "--auto-approve")
    assert_replay(sakura)
    sql(sakura, "UPDATE config_versions SET is_active = false")
    stage(sakura, THREE)
    sakura.apply()
    assert active(sakura) == 4
    assert_replay(sakura)


# --- one after the other -------------------------------------------------------------------------


def test_two_staged_versions_and_what_follows_them(sakura: Project) -> None:
    stage(sakura, TWO)
    assert stage(sakura, THREE).startswith(COMPLETE.format(3, 0, 1, 0))
    old = {number: content(sakura, number) for number in (1, 2, 3)}
    sakura.write({"sakura/all.yaml": ONE.replace("30.5", "31")})
    # The audit is what changes for people, who have version 1.
    assert sakura.apply().out.endswith("Version 4 active: 0 added, 1 changed, 0 destroyed.\n")
    assert_replay(sakura)
    stage(sakura, TWO)
    sql(sakura, f"UPDATE staff_groups SET color = '#aaaaaa' WHERE version_id = ({ACTIVE}) AND name = 'Floor'")
    assert active(sakura) == 6
    assert [row["color"] for row in content(sakura, 6)["staff_groups"]] == [
        "#aaaaaa" if row["name"] == "Floor" else "#111111" for row in content(sakura, 6)["staff_groups"]
    ]
    assert_replay(sakura)
    for number in (2, 5, 3, 6):
        sakura.ok("activate", str(number), "--auto-approve")
        assert_replay(sakura)
    for number in (3, 5, 2, 6, 4, 1):
        sakura.ok("rollback", "--auto-approve")
        assert active(sakura) == number
        assert_replay(sakura)
    assert {number: content(sakura, number) for number in (1, 2, 3)} == old


def test_the_same_content_is_not_staged_twice(sakura: Project) -> None:
    stage(sakura, TWO, "--message", "Two")
    versions = "SELECT count(*) FROM config_versions"
    assert stage(sakura, TWO) == (
        "Nothing to stage: version 2 has this content already. Activate it with: rowform activate 2 -r sakura"
    )
    # Nobody is asked either.
    document = sakura.ok("apply", "--no-activate", "--format", "json").json
    (result,) = document["results"]
    assert (result["status"], result["version_number"]) == ("unchanged", 2)
    assert sakura.value(versions) == 2
    assert 'Note: version 2 "Two" is staged and has this content already' in sakura.ok("plan").out
    # What is live needs no other version, and says what waits.
    sakura.write({"sakura/all.yaml": ONE})
    plan = sakura.ok("plan", "--detailed-exitcode").out
    assert (
        'Note: version 2 "Two" is staged, with other content, and not active:'
        " `rowform show 2 -r sakura` shows it\n" in plan
    )
    assert plan.endswith("No changes. Settings match the configuration.\n")
    assert sakura.apply("--no-activate").out == plan
    assert stage(sakura, THREE).startswith("Apply complete! Version 3 staged")
    # The latest counts.
    assert stage(sakura, TWO).startswith("Apply complete! Version 4 staged")
    assert sakura.apply().out.endswith("Version 5 active: 1 added, 1 changed, 1 destroyed.\n")
    assert "Note" not in sakura.ok("plan").out


def test_a_name_that_would_paint_the_terminal(sakura: Project) -> None:
    stage(sakura, TWO, "--message", "Two\x1b[31m")
    assert r'Note: version 2 "Two\u001b[31m" is staged' in sakura.ok("plan").out


def test_only_what_is_not_staged_yet_is_staged(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    sakura.write({"momiji/all.yaml": ONE})
    stage(sakura, TWO, "-r", "sakura")
    result = sakura.apply("--no-activate")
    assert result.out.endswith(
        "\nmomiji:\nApply complete! Version 1 staged: 3 added, 0 changed, 0 destroyed."
        " Activate it with: rowform activate 1 -r momiji\n"
        "sakura:\nNothing to stage: version 2 has this content already."
        " Activate it with: rowform activate 2 -r sakura\n"
    )
    sakura.ok("activate", "1", "-r", "momiji", "--auto-approve")


def test_json(sakura: Project) -> None:
    sakura.write({"sakura/all.yaml": TWO})
    (result,) = sakura.apply("--no-activate", "--format", "json").json["results"]
    assert result == {
        "restaurant": "sakura",
        "status": "staged",
        "version_id": str(sakura.value("SELECT id FROM config_versions WHERE version_number = 2")),
        "version_number": 2,
        "summary": {"create": 1, "update": 1, "delete": 1},
        "error": None,
    }


# --- a staged version is finished ----------------------------------------------------------------


@pytest.mark.parametrize("nothing_active", [False, True])
def test_direct_writes_to_it_are_refused(new: Project, nothing_active: bool) -> None:
    if not nothing_active:
        new.apply()
    stage(new, TWO)
    number = 1 if nothing_active else 2
    before = content(new, number)
    staged = f"(SELECT id FROM config_versions WHERE version_number = {number})"
    for statement in (
        f"UPDATE staff_groups SET color = '#000000' WHERE version_id = {staged}",
        f"DELETE FROM staff_groups WHERE version_id = {staged}",
        f"INSERT INTO staff_groups (restaurant_id, version_id, name) VALUES ('{SAKURA}', {staged}, 'New')",
    ):
        with pytest.raises(psycopg.Error) as caught:
            sql(new, statement)
        assert caught.value.sqlstate == "RF001"
        assert f"version {number} is finished" in str(caught.value)
    assert content(new, number) == before


def test_the_application_may_activate_it(sakura: Project) -> None:
    stage(sakura, TWO)
    sql(sakura, "UPDATE config_versions SET is_active = (version_number = 2)")
    assert active(sakura) == 2
    assert_replay(sakura)


def test_drafts_are_no_staged_versions(sakura: Project) -> None:
    sql(
        sakura,
        "INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
        f" VALUES ('{SAKURA}', 2, 'Mine', false)",
    )
    assert states(sakura) == [(2, "draft"), (1, "active")]
    assert "staged" not in sakura.ok("plan").out
    stage(sakura, TWO)
    text = sakura.ok("history").out.splitlines()
    assert [line.split()[1] for line in text[2:]] == ["staged", "draft", "active"]
    # They have changed nothing yet.
    assert ["+" in line for line in text[2:]] == [False, False, True]
    shown = sakura.ok("show", "3", "--format", "json").json
    assert (shown["state"], shown["is_active"]) == ("staged", False)


# --- guards, saved plans -------------------------------------------------------------------------


def test_guards_hold_for_staged_versions(sakura: Project) -> None:
    sakura.write({"sakura/all.yaml": "staff_groups: []\n"})
    refused = sakura.run("apply", "--auto-approve", "--no-activate")
    assert refused.code == 3
    assert "blocked by threshold" in refused.err
    sakura.write({"sakura/all.yaml": TWO})
    sakura.ok("lock", "1")
    refused = sakura.run("apply", "--auto-approve", "--no-activate")
    assert (refused.code, "blocked by locked" in refused.err) == (3, True)
    assert states(sakura) == [(1, "active")]


def test_a_saved_plan_is_staged(sakura: Project, tmp_path: Path) -> None:
    sakura.write({"sakura/all.yaml": TWO})
    file = str(tmp_path / "plan.json")
    sakura.ok("plan", "-o", file)
    assert "Version 2 staged" in sakura.apply(file, "--no-activate").out
    again = sakura.run("apply", file, "--auto-approve")
    assert again.code == 3
    assert "was staged already: it made version 2 of sakura\n" in again.err
    assert "Hint: what is staged waits for `rowform activate 2 -r sakura`\n" in again.err
    sakura.ok("activate", "2", "--auto-approve")
    assert "was applied already: it made version 2 of sakura\n" in sakura.run("apply", file).err


def test_a_plan_is_stale_after_somebody_has_staged(sakura: Project, tmp_path: Path) -> None:
    sakura.write({"sakura/all.yaml": TWO})
    file = str(tmp_path / "plan.json")
    sakura.ok("plan", "-o", file)
    other = Project(tmp_path / "other", sakura.url)
    other.restaurant()
    stage(other, THREE)
    refused = sakura.run("apply", file, "--auto-approve")
    assert refused.code == 3
    assert "sakura was at version 1, and since then version 2 was staged from files\n" in refused.err
    sakura.write({"sakura/all.yaml": ONE.replace("30.5", "32")})
    sakura.apply()
    assert "version 2 was staged from files and version 3 applied from files\n" in (
        sakura.write({"sakura/all.yaml": TWO}) or sakura.run("apply", file, "--auto-approve").err
    )


def test_nobody_to_ask(sakura: Project) -> None:
    sakura.write({"sakura/all.yaml": TWO})
    result = sakura.run("apply", "--no-activate")
    assert result.code == 3
    assert states(sakura) == [(1, "active")]


# --- unlock and apply in one step ----------------------------------------------------------------


def test_what_a_version_is_locked_for_is_said(sakura: Project) -> None:
    stage(sakura, TWO)
    sakura.ok("lock", "1", "--reason", "Before")
    sakura.ok("unlock", "1")
    sakura.ok("lock", "1", "--reason", "Inventory\x1b week")
    sakura.write({"sakura/all.yaml": TWO})
    since = sakura.value(
        "SELECT to_char(max(changed_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM config_changes"
    )
    said = rf'the active version 1 is locked since {since} UTC: "Inventory\u001b week"'
    plan = sakura.ok("plan").out
    assert f"BLOCKED: locked: {said}" in plan
    stopped = sakura.run("activate", "2", "--auto-approve")
    assert (stopped.code, said in stopped.err) == (3, True)
    refused = sakura.run("apply", "--auto-approve")
    assert refused.code == 3
    assert said in refused.err
    assert "rowform apply --unlock" in refused.err
    assert f'\n  Version 1 is locked since {since}: "Inventory\\u001b week".\n' in sakura.ok("history").out
    assert f'# locked since {since}: "Inventory\\u001b week"\n' in sakura.ok("show").out
    assert sakura.ok("show", "--format", "json").json["lock_reason"] == "Inventory\x1b week"


def test_unlock_and_apply_are_one_step(sakura: Project) -> None:
    sakura.ok("lock", "1", "--reason", "Inventory week")
    sakura.write({"sakura/all.yaml": TWO})
    newest = sakura.value("SELECT max(seq) FROM config_changes")
    done = sakura.apply("--unlock", "--reason", "Counted", "--actor", MOMIJI)
    assert done.out.endswith("Version 2 active: 1 added, 1 changed, 1 destroyed.\n")
    head, *changes = sakura.rows("SELECT * FROM config_changes WHERE seq > %s ORDER BY seq", newest)
    assert (head["reason"], str(head["changed_by"])) == ("Counted", MOMIJI)
    assert (head["old_data"]["is_locked"], head["new_data"]["is_locked"]) == (True, False)
    assert {one["changed_at"] for one in changes} == {head["changed_at"]}
    assert [one["table_name"] for one in changes] == ["staff_groups"] * 3
    assert [one["is_locked"] for one in sakura.rows("SELECT is_locked FROM config_versions")] == [
        False,
        False,
    ]
    assert_replay(sakura)


def test_nothing_is_unlocked_for_nothing(sakura: Project) -> None:
    sakura.ok("lock", "1")
    assert sakura.apply("--unlock").out.endswith("No changes. Settings match the configuration.\n")
    assert sakura.value("SELECT is_locked FROM config_versions")
    sakura.write({"sakura/all.yaml": "staff_groups: []\n"})
    refused = sakura.run("apply", "--auto-approve", "--unlock")
    assert (refused.code, "blocked by threshold" in refused.err) == (3, True)
    assert sakura.value("SELECT is_locked FROM config_versions")
    assert sakura.run("apply", "--auto-approve", "--force", "locked").code == 1
    assert sakura.run("apply", "--auto-approve", "--reason", "Why").code == 1


def test_a_lock_that_nobody_knew_of_is_not_opened(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    sakura.write({"sakura/all.yaml": TWO})
    monkeypatch.setattr(apply_command, "ask", lambda _: sakura.ok("lock", "active"))
    result = sakura.run("apply", "--unlock")
    assert (result.code, active(sakura)) == (3, 1)
    assert "the active version 1 is locked" in result.err


@pytest.mark.parametrize("arguments", [("--unlock",), ("--no-activate",), ("--no-activate", "--unlock")])
def test_at_most_four_round_trips(sakura: Project, arguments: tuple[str, ...]) -> None:
    options = conninfo_to_dict(sakura.url)
    host = str(options.get("host", ""))
    if not host.startswith("/"):
        pytest.skip("the counting proxy stands before a Unix socket, and this server has none")
    stage(sakura, THREE)
    if "--unlock" in arguments:
        sakura.ok("lock", "1")
    sakura.write({"sakura/all.yaml": ONE.replace("30.5", "31")})
    # A directory with a short name: a socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(host) / f".s.PGSQL.{options.get('port', 5432)}"
        through = Project(
            sakura.directory, sakura.url.replace(quote(host, safe=""), quote(directory, safe=""))
        )
        with proxy(socket, Path(directory)) as connections:
            through.apply(*arguments)
    (recorded,) = connections
    trips = recorded.round_trips()
    begin = next(index for index, sent in enumerate(trips) if b"BEGIN ISOLATION LEVEL READ COMMITTED" in sent)
    # What is staged, or locked, costs a plan nothing more.
    assert begin <= 2
    assert len(trips) - begin <= 4


def test_what_is_staged_survives_a_lost_answer(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = psycopg.Connection.execute

    def lossy(self: psycopg.Connection, query: Any, *arguments: Any, **named: Any) -> Any:
        if query == "COMMIT" and not self.pgconn.pipeline_status:
            execute(self, query, *arguments, **named)
            self.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return execute(self, query, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", lossy)
        assert stage(sakura, TWO).startswith("Apply complete! Version 2 staged")
    assert names(sakura, 2) == {"Kitchen", "Bar"}
    assert states(sakura) == [(2, "staged"), (1, "active")]
