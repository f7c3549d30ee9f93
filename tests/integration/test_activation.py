"""Switching versions, going back, and locking: what changes, what the audit says, and what is refused."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from rowform.cli import activate as activate_command
from rowform.errors import StalePlan
from rowform.kinds import kinds
from rowform.store import activation
from rowform.store.activation import Switch, Switched, standing, switch
from rowform.store.session import Session, open_session
from rowform.store.writing import Why
from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.proxy import proxy

ONE = """\
staff_groups:
  - name: Kitchen
    color: "#111111"
    group_config: {members: [料理長]}
  - name: Floor
daily_limits:
  - name: Max off
    penalty_weight: 30.5
"""
TWO = ONE.replace("#111111", "#222222").replace("  - name: Floor\n", "")
THREE = TWO.replace("#222222", "#333333") + "monthly_limits:\n  - name: Weekends\n  - name: Peak\n"
ACTIVE = "SELECT id FROM config_versions WHERE is_active"


@pytest.fixture
def sakura(project: Project) -> Project:
    """Versions 1, 2 and 3; 3 is active."""
    project.restaurant()
    for name, text in (("One", ONE), ("Two", TWO), ("Three", THREE)):
        project.write({"sakura/all.yaml": text})
        project.apply("--message", name, "--force", "threshold")
    return project


def sql(project: Project, *statements: str) -> None:
    """Plain SQL in one transaction, as an application or a person with psql sends it."""
    with psycopg.connect(project.url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def active(project: Project) -> int:
    return int(project.value("SELECT version_number FROM config_versions WHERE is_active"))


def content(project: Project, number: int) -> dict[str, list[Any]]:
    """A version's settings, as applications see them, without what differs from version to version."""
    return {
        name: [
            plain(found["row"])
            for found in project.rows(
                f"SELECT to_jsonb(s) AS row FROM {name} AS s"
                " JOIN config_versions AS v ON v.id = s.version_id WHERE v.version_number = %s ORDER BY s.id",
                number,
            )
        ]
        for name in kinds()
    }


def replayed(project: Project) -> dict[str, dict[str, Any]]:
    """The content that the audit trail leads to, from nothing: kind, key, values."""
    found: dict[str, dict[str, Any]] = {name: {} for name in kinds()}
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in project.rows(
        "SELECT * FROM config_changes WHERE table_name <> 'config_versions'"
        " AND seq NOT IN (SELECT seq FROM rowform.notes) ORDER BY seq"
    ):
        groups.setdefault((row["changed_at"], row["version_id"], row["table_name"]), []).append(row)
    for (_, _, kind), rows in groups.items():
        key = kinds()[kind].key
        for row in rows:
            if row["old_data"]:
                old = found[kind].pop(row["old_data"][key])
                assert plain(old) == plain(row["old_data"])
        for row in rows:
            if row["new_data"]:
                assert row["new_data"][key] not in found[kind]
                found[kind][row["new_data"][key]] = row["new_data"]
    return found


def plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in ("version_id", "created_at", "updated_at")}


def assert_replay(project: Project) -> None:
    """The audit, replayed from the first version on, gives what is active."""
    there = content(project, active(project))
    assert {
        kind: sorted((plain(row) for row in rows.values()), key=lambda row: row["id"])
        for kind, rows in replayed(project).items()
    } == {kind: sorted(rows, key=lambda row: row["id"]) for kind, rows in there.items()}


def session(project: Project) -> Session:
    return open_session(project.url, kinds())


# --- activate ------------------------------------------------------------------------------------


def test_activate_switches_and_says_what_changed(sakura: Project) -> None:
    old = {number: content(sakura, number) for number in (1, 2, 3)}
    result = sakura.ok("activate", "1", "--auto-approve")
    assert result.out == "Activation complete! Version 1 active: 1 added, 1 changed, 2 destroyed.\n"
    assert result.err == ""
    assert active(sakura) == 1
    assert {number: content(sakura, number) for number in (1, 2, 3)} == old
    assert sakura.value("SELECT count(*) FROM rowform.own_writes") == 0
    assert_replay(sakura)


def test_what_is_active_already_stays_and_nothing_is_written(sakura: Project) -> None:
    before = sakura.rows("SELECT * FROM config_changes"), sakura.rows("SELECT * FROM rowform.activations")
    for version in ("3", "active"):
        result = sakura.ok("activate", version)
        assert result.out == "Version 3 is active already.\n"
    document = sakura.ok("activate", "3", "--format", "json").json
    assert (document["status"], document["summary"]) == (
        "unchanged",
        {"create": 0, "update": 0, "delete": 0},
    )
    after = sakura.rows("SELECT * FROM config_changes"), sakura.rows("SELECT * FROM rowform.activations")
    assert after == before


def test_previous_goes_there_and_back(sakura: Project) -> None:
    sakura.ok("activate", "previous", "--auto-approve")
    assert active(sakura) == 2
    sakura.ok("activate", "previous", "--auto-approve")
    assert active(sakura) == 3


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("9", "sakura has no version 9: the versions are 1 to 3"),
        ("0", "sakura has no version 0: the versions are 1 to 3"),
        ("-1", "No such option"),
        ("two", '"two" is no version'),
        ("99999999999", '"99999999999" is no version'),
    ],
)
def test_versions_that_there_are_not(sakura: Project, version: str, said: str) -> None:
    result = sakura.run("activate", version, "--auto-approve")
    assert result.code == 1
    assert said in result.err
    assert result.out == ""


def test_the_audit_of_an_activation(sakura: Project) -> None:
    newest = sakura.value("SELECT max(seq) FROM config_changes")
    sakura.ok("activate", "2", "--auto-approve", "--reason", "Peak was wrong", "--actor", MOMIJI)
    head, *changes = sakura.rows("SELECT * FROM config_changes WHERE seq > %s ORDER BY seq", newest)
    two = sakura.value(ACTIVE)
    assert {(r["version_id"], r["reason"], str(r["changed_by"])) for r in (head, *changes)} == {
        (two, "Peak was wrong", MOMIJI)
    }
    assert (head["table_name"], head["operation"]) == ("config_versions", "UPDATE")
    assert (head["old_data"]["version_number"], head["new_data"]["version_number"]) == (3, 2)
    assert head["new_data"]["is_active"] is True
    assert [(r["table_name"], r["operation"], (r["old_data"] or r["new_data"])["name"]) for r in changes] == [
        ("monthly_limits", "DELETE", "Peak"),
        ("monthly_limits", "DELETE", "Weekends"),
        ("staff_groups", "UPDATE", "Kitchen"),
    ]
    assert (changes[2]["old_data"]["color"], changes[2]["new_data"]["color"]) == ("#333333", "#222222")


def test_an_audit_without_a_reason_says_what_was_done_and_by_whom(sakura: Project) -> None:
    user = sakura.value("SELECT session_user::text")
    for command, word in (
        (("activate", "1", "--auto-approve"), "Activated"),
        (("rollback", "--auto-approve"), "Rolled back"),
        (("lock", "active"), "Locked"),
        (("unlock", "active"), "Unlocked"),
    ):
        newest = sakura.value("SELECT max(seq) FROM config_changes")
        sakura.ok(*command)
        reasons = sakura.rows("SELECT DISTINCT reason FROM config_changes WHERE seq > %s", newest)
        assert reasons == [{"reason": f"{word} by {user}, rowform"}]


def test_the_notification_is_the_version_id_alone(sakura: Project) -> None:
    with psycopg.connect(sakura.url, autocommit=True) as listener:
        listener.execute("LISTEN rowform")
        sakura.ok("activate", "1", "--auto-approve")
        sakura.ok("rollback", "--auto-approve")
        heard = [one.payload for one in listener.notifies(timeout=5, stop_after=2)]
    ids = {r["version_number"]: str(r["id"]) for r in sakura.rows("SELECT * FROM config_versions")}
    assert heard == [ids[1], ids[3]]


def test_which_restaurant_must_be_clear(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    sakura.write({"momiji/all.yaml": ONE})
    sakura.apply("-r", "momiji")
    for command in (("activate", "1"), ("rollback",), ("lock", "1"), ("unlock", "1")):
        result = sakura.run(*command)
        assert result.code == 1
        assert "there are 2 restaurants: momiji and sakura" in result.err
    sakura.ok("activate", "1", "-r", "sakura", "--auto-approve")
    wrong = sakura.run("rollback", "-r", "sakra")
    assert (wrong.code, "did you mean `sakura`?" in wrong.err) == (1, True)


# --- rollback ------------------------------------------------------------------------------------


def test_rollback_goes_further_back_and_never_forward(sakura: Project) -> None:
    def back() -> int:
        assert sakura.ok("rollback", "--auto-approve").out.startswith("Rollback complete! Version ")
        assert_replay(sakura)
        return active(sakura)

    assert [back(), back()] == [2, 1]
    sakura.write({"sakura/all.yaml": THREE})
    sakura.apply("--force", "threshold", "--force", "rolled-back")
    assert active(sakura) == 4
    assert_replay(sakura)
    assert back() == 1
    sakura.ok("activate", "3", "--auto-approve")
    assert back() == 1
    end = sakura.run("rollback", "--auto-approve")
    assert end.code == 1
    assert "version 1 is as far back as it goes: it replaced no other version" in end.err
    assert active(sakura) == 1
    sakura.ok("activate", "3", "--auto-approve")
    sakura.ok("activate", "2", "--auto-approve")
    assert [back(), back()] == [3, 1]


def test_a_version_switched_off_and_on_again_replaced_nothing(sakura: Project) -> None:
    three = sakura.value(ACTIVE)
    for _ in range(3):
        sql(sakura, "UPDATE config_versions SET is_active = false")
        sql(sakura, f"UPDATE config_versions SET is_active = true WHERE id = '{three}'")
    assert active(sakura) == 3
    sakura.ok("rollback", "--auto-approve")
    assert active(sakura) == 2
    sakura.ok("rollback", "--auto-approve")
    assert active(sakura) == 1


def test_nothing_is_active(sakura: Project) -> None:
    sql(sakura, "UPDATE config_versions SET is_active = false")
    for command in (("rollback",), ("activate", "previous"), ("activate", "active"), ("lock", "active")):
        result = sakura.run(*command)
        assert result.code == 1
        assert "sakura has no active version: somebody switched version 3 off" in result.err
        assert "Hint: `rowform activate 3` brings it back" in result.err
    result = sakura.ok("activate", "2", "--auto-approve", "--format", "json")
    assert result.json["from"] is None
    # People saw nothing before.
    assert result.json["summary"] == {"create": 2, "update": 0, "delete": 0}
    assert_replay(sakura)


def test_an_empty_database(project: Project) -> None:
    assert "there are no restaurants yet" in project.run("rollback").err
    sql(project, f"INSERT INTO restaurants (id, name, slug) VALUES ('{SAKURA}', 'Sakura', 'sakura')")
    assert "sakura has no active version yet" in project.run("rollback").err
    assert "sakura has no versions yet" in project.run("activate", "1").err


def test_a_wipe_is_undone_in_under_a_second(sakura: Project) -> None:
    """The accident: a stale client deletes everything and inserts its own."""
    entries = "".join(f"  - name: Group {index}\n    color: '#111111'\n" for index in range(2000))
    sakura.write({"sakura/all.yaml": f"staff_groups:\n{entries}"})
    sakura.apply("--message", "Many groups", "--force", "threshold")
    before = content(sakura, 4)
    sql(
        sakura,
        "SET LOCAL rowform.reason = 'migrated from localStorage'",
        f"DELETE FROM staff_groups WHERE version_id = ({ACTIVE})",
        "INSERT INTO staff_groups (restaurant_id, version_id, name)"
        f" SELECT '{SAKURA}', id, 'Stale' FROM config_versions WHERE is_active",
    )
    assert (active(sakura), len(content(sakura, 5)["staff_groups"])) == (5, 1)
    connected = session(sakura)
    with connected.connection:
        started = time.monotonic()
        stands = standing(connected, SAKURA)
        assert stands.back is not None
        done = switch(
            connected, SAKURA, Switch(stands.back, stands.back_step, stands), Why(), lambda: session(sakura)
        )
        took = time.monotonic() - started
    assert took < 1
    assert done.net == activation.NetChange(2000, 0, 1)
    assert active(sakura) == 4
    assert content(sakura, 4) == before
    assert_replay(sakura)


@pytest.mark.parametrize("way", [(2, 3), (3, 2)], ids=["forward", "back"])
def test_what_a_switch_reads_grows_with_what_differs_alone(sakura: Project, way: tuple[int, int]) -> None:
    rules = "".join(f"  - name: Rule {index}\n" for index in range(1000))
    groups = "".join(f"  - name: Group {index}\n" for index in range(1000))
    many = f"priority_rules:\n{rules}staff_groups:\n{groups}"
    for text in (many, many.replace("Rule 500\n", "Rule 500\n    penalty_weight: 7\n")):
        sakura.write({"sakura/all.yaml": text})
        sakura.apply("--force", "threshold")
    ids = {r["version_number"]: r["id"] for r in sakura.rows("SELECT * FROM config_versions")}
    before, after = (ids[number + 2] for number in way)
    with psycopg.connect(sakura.url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        with connection.transaction():
            found = connection.execute(
                "SELECT kind, operation FROM rowform.net_change(%s, %s, %s)", (SAKURA, before, after)
            )
            assert found.fetchall() == [("priority_rules", "UPDATE")]
            read = connection.execute(
                "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
                " WHERE schemaname = 'rowform' AND relname = ANY (%s)",
                (list(kinds()),),
            )
            assert all(rows < 20 for _, rows in read)


def test_a_rollback_among_direct_writes_names_the_way_past_them(sakura: Project) -> None:
    for color in ("#aaaaaa", "#bbbbbb", "#cccccc"):
        sql(sakura, f"UPDATE staff_groups SET color = '{color}' WHERE version_id = ({ACTIVE})")
    first = sakura.ok("rollback", "--auto-approve")
    assert first.err == (
        "Version 5 is a direct write as well. The last version before these direct writes is 3"
        ' "Three": `rowform activate 3` goes there at once.\n'
    )
    assert first.out == "Rollback complete! Version 5 active: 0 added, 1 changed, 0 destroyed.\n"
    assert "`rowform activate 3 -r sakura`" in sakura.ok("rollback", "-r", "sakura", "--auto-approve").err
    last = sakura.ok("rollback", "--auto-approve")
    assert (active(sakura), last.err) == (3, "")


def test_the_way_past_direct_writes_says_if_it_leads_to_git(sakura: Project) -> None:
    sakura.write({"sakura/all.yaml": ONE})
    sakura.commit("Back to one")
    sakura.apply("--force", "threshold")
    for color in ("#aaaaaa", "#bbbbbb"):
        sql(sakura, f"UPDATE staff_groups SET color = '{color}' WHERE version_id = ({ACTIVE})")
    result = sakura.run("rollback")
    assert (
        'The last version from Git is 4 "Back to one": `rowform activate 4` goes there at once.\n'
        in result.err
    )


def test_two_rollbacks_at_once(sakura: Project) -> None:
    """Both have seen version 3 active: one wins, the other goes back not a step further."""
    both = threading.Barrier(2)
    outcomes: list[Switched | StalePlan] = []

    def one() -> None:
        connected = session(sakura)
        with connected.connection:
            stands = standing(connected, SAKURA)
            assert stands.back is not None
            both.wait()
            try:
                outcomes.append(
                    switch(
                        connected,
                        SAKURA,
                        Switch(stands.back, stands.back_step, stands),
                        Why(),
                        lambda: session(sakura),
                    )
                )
            except StalePlan as error:
                outcomes.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (lost,) = [one for one in outcomes if isinstance(one, StalePlan)]
    assert lost.message == (
        "version 2 is active now, and no longer version 3: somebody else was faster; nothing was done"
    )
    assert lost.exit_code == 3
    assert active(sakura) == 2


# --- asking, and JSON ----------------------------------------------------------------------------


def test_nobody_to_ask(sakura: Project) -> None:
    result = sakura.run("rollback")
    assert result.code == 3
    assert result.out == ""
    assert result.err.startswith(
        'sakura goes back from version 3 "Three" to version 2 "Two":\n'
        "0 to add, 1 to change, 2 to destroy.\nError: nobody can be asked here"
    )
    assert active(sakura) == 3


def test_a_flip_while_somebody_thinks_about_the_answer(
    sakura: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def slow(question: str) -> None:
        asked.append(question)
        monkeypatch.undo()
        sakura.ok("activate", "2", "--auto-approve")
        sakura.ok("activate", "3", "--auto-approve")

    monkeypatch.setattr(activate_command, "ask", slow)
    result = sakura.run("rollback", "--format", "json")
    assert asked == ["Do you want to make version 2 the active one?"]
    assert result.code == 3
    assert result.json["error"]["code"] == "stale"
    assert "version 3 was activated anew by somebody else; nothing was done" in result.err
    assert active(sakura) == 3


def test_json(sakura: Project) -> None:
    document = sakura.ok("rollback", "--auto-approve", "--format", "json").json
    ids = {r["version_number"]: str(r["id"]) for r in sakura.rows("SELECT * FROM config_versions")}
    assert document == {
        "format": "rowform.activation/1",
        "action": "rollback",
        "restaurant": "sakura",
        "restaurant_id": SAKURA,
        "from": {"version_id": ids[3], "version_number": 3, "name": "Three", "origin": "files"},
        "to": {"version_id": ids[2], "version_number": 2, "name": "Two", "origin": "files"},
        "status": "activated",
        "summary": {"create": 0, "update": 1, "delete": 2},
        "error": None,
    }


def test_json_on_failure_is_one_document(sakura: Project) -> None:
    assert sakura.run("activate", "7", "--format", "json").json["error"]["code"] == "usage"
    assert sakura.run("rollback", "--format", "json").json["error"]["code"] == "declined"
    sakura.ok("lock", "3")
    for command in (("rollback",), ("activate", "1")):
        for more in ((), ("--auto-approve",)):
            result = sakura.run(*command, *more, "--format", "json")
            assert result.code == 3
            assert result.json["error"]["code"] == "locked"


# --- lock and unlock -----------------------------------------------------------------------------


def test_lock_and_unlock(sakura: Project) -> None:
    newest = sakura.value("SELECT max(seq) FROM config_changes")
    locked = sakura.ok("lock", "active", "--reason", "Inspection", "--actor", MOMIJI)
    assert locked.out == 'sakura: the active version 3 "Three" is locked.\n'
    assert sakura.ok("lock", "3").out == 'sakura: the active version 3 "Three" is locked already.\n'
    for command in (("rollback",), ("activate", "1"), ("activate", "previous")):
        result = sakura.run(*command, "--auto-approve")
        assert result.code == 3
        assert "the active version 3 is locked" in result.err
        assert "Hint: unlock it first: `rowform unlock 3`" in result.err
    assert sakura.ok("unlock", "3", "--reason", "Done").out.endswith('version 3 "Three" is unlocked.\n')
    assert sakura.ok("unlock", "active").out.endswith("is unlocked already.\n")
    audit = sakura.rows("SELECT * FROM config_changes WHERE seq > %s ORDER BY seq", newest)
    assert [
        (
            r["table_name"],
            r["reason"],
            str(r["changed_by"]),
            r["old_data"]["is_locked"],
            r["new_data"]["is_locked"],
        )
        for r in audit
    ] == [
        ("config_versions", "Inspection", MOMIJI, False, True),
        ("config_versions", "Done", "None", True, False),
    ]
    sakura.ok("rollback", "--auto-approve")


def test_an_old_version_that_is_locked_can_be_activated_but_not_left(sakura: Project) -> None:
    assert sakura.ok("lock", "1").out == 'sakura: the version 1 "One" is locked.\n'
    sakura.ok("activate", "1", "--auto-approve")
    assert sakura.run("rollback", "--auto-approve").code == 3
    assert sakura.run("lock", "4").code == 1


def test_a_lock_set_while_somebody_thinks_about_the_answer(
    sakura: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activate_command, "ask", lambda _: sakura.ok("lock", "active"))
    result = sakura.run("rollback")
    assert (result.code, active(sakura)) == (3, 3)
    assert "the active version 3 is locked" in result.err


@pytest.mark.parametrize(
    "option", [("--actor", "me"), ("--reason", " ")], ids=["actor is no UUID", "reason is empty"]
)
def test_options_that_make_no_sense(sakura: Project, option: tuple[str, str]) -> None:
    for command in (("activate", "1"), ("rollback",), ("lock", "3"), ("unlock", "3")):
        assert sakura.run(*command, *option).code == 1
    assert active(sakura) == 3


# --- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("went_through", [True, False])
@pytest.mark.parametrize("command", [("rollback", "--auto-approve"), ("lock", "3")])
def test_the_answer_to_commit_gets_lost(
    sakura: Project, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], went_through: bool
) -> None:
    execute = psycopg.Connection.execute

    def lossy(self: psycopg.Connection, query: Any, *arguments: Any, **named: Any) -> Any:
        if query == "COMMIT" and not self.pgconn.pipeline_status:
            if went_through:
                execute(self, query, *arguments, **named)
            self.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return execute(self, query, *arguments, **named)

    state = "SELECT version_number, is_locked FROM config_versions WHERE is_active"
    before = sakura.rows(state)
    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", lossy)
        result = sakura.run(*command)
    if went_through:
        assert result.code == 0, result
        assert "complete!" in result.out or "is locked." in result.out
        assert sakura.rows(state) != before
    else:
        assert result.code == 1
        assert "connection was lost" in result.err
        assert sakura.rows(state) == before
        sakura.ok(*command)


def test_a_deadlock_is_retried_once(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    flip = activation._flip
    deadlocks = 0

    def unlucky(*arguments: Any) -> Any:
        nonlocal deadlocks
        done = flip(*arguments)
        if deadlocks == 0:
            deadlocks += 1
            raise psycopg.errors.DeadlockDetected("deadlock detected")
        return done

    monkeypatch.setattr(activation, "_flip", unlucky)
    sakura.ok("rollback", "--auto-approve")
    assert deadlocks == 1
    assert active(sakura) == 2
    assert sakura.value("SELECT count(*) FROM rowform.activations") == 4


@pytest.mark.parametrize("command", [("rollback", "--auto-approve"), ("lock", "active")])
def test_at_most_four_round_trips(sakura: Project, command: tuple[str, ...]) -> None:
    options = conninfo_to_dict(sakura.url)
    host = str(options.get("host", ""))
    if not host.startswith("/"):
        pytest.skip("the counting proxy stands before a Unix socket, and this server has none")
    # A directory with a short name: a socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(host) / f".s.PGSQL.{options.get('port', 5432)}"
        through = Project(
            sakura.directory, sakura.url.replace(quote(host, safe=""), quote(directory, safe=""))
        )
        with proxy(socket, Path(directory)) as connections:
            through.ok(*command)
    (recorded,) = connections
    trips = recorded.round_trips()
    begin = next(index for index, sent in enumerate(trips) if b"BEGIN ISOLATION LEVEL READ COMMITTED" in sent)
    # Before: what is installed, the restaurants, where this one stands.
    assert begin <= 3
    assert len(trips) - begin <= 4
    assert b"COMMIT" in trips[-1]


# --- history and show ----------------------------------------------------------------------------


def test_history_counts_what_a_version_changed_when_it_was_made(sakura: Project) -> None:
    sql(
        sakura,
        'SELECT set_config(\'request.jwt.claims\', \'{"email": "aiko@example.com", "sub": "x"}\', true)',
        "SET LOCAL application_name = 'PostgREST'",
        f"UPDATE staff_groups SET color = '#aaaaaa' WHERE version_id = ({ACTIVE})",
        # What the application logs itself is no change.
        "INSERT INTO config_changes (version_id, table_name, operation)"
        f" VALUES (({ACTIVE}), 'staff_groups', 'UPDATE')",
    )
    # A version that the application makes, fills and activates in transactions of its own.
    sql(
        sakura,
        "INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
        f" VALUES ('{SAKURA}', 5, 'Migration', false)",
    )
    sql(
        sakura,
        "INSERT INTO staff_groups (restaurant_id, version_id, name)"
        f" SELECT '{SAKURA}', id, 'Kitchen' FROM config_versions WHERE version_number = 5",
    )
    sql(
        sakura,
        "UPDATE config_versions SET is_active = false WHERE is_active",
        "UPDATE config_versions SET is_active = true WHERE version_number = 5",
    )
    for number in (1, 4, 1, 3):
        sakura.ok("activate", str(number), "--auto-approve")
    lines = [line.split() for line in sakura.ok("history").out.splitlines()[2:]]
    assert [(line[0], *[cell for cell in line if cell[0] in "+~-"][:3]) for line in lines] == [
        ("5", "+0", "~1", "-3"),
        ("4", "+0", "~1", "-0"),
        ("3", "+2", "~1", "-0"),
        ("2", "+0", "~1", "-1"),
        ("1", "+3", "~0", "-0"),
    ]
    user = sakura.value("SELECT session_user::text")
    text = sakura.ok("history").out
    assert f"direct       aiko@example.com, {user}, PostgREST  Direct write\n" in text
    assert f"application  {user}" in text
    shown = sakura.ok("show", "4").out
    assert f"# written by: aiko@example.com, {user}, PostgREST\n" in shown
    summary = sakura.ok("show", "4", "--format", "json").json["summary"]
    assert summary == {"create": 0, "update": 1, "delete": 0}


def test_a_long_writer_is_cut_in_the_table_alone(sakura: Project) -> None:
    claims = '{"email": "' + "a" * 100 + '@example.com"}'
    sql(
        sakura,
        f"SELECT set_config('request.jwt.claims', '{claims}', true)",
        "SET LOCAL rowform.reason = 'Colours of spring'",
        f"UPDATE staff_groups SET color = '#aaaaaa' WHERE version_id = ({ACTIVE})",
    )
    text = sakura.ok("history").out
    assert f"{'a' * 47}…  Direct write" in text
    shown = sakura.ok("show").out
    assert f"# written by: {'a' * 100}@example.com, " in shown
    assert "# reason: Colours of spring\n" in shown
