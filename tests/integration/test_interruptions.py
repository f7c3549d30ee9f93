"""Whatever happens to an apply in the middle: the old version or the new one, nothing between."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rowform.kinds import kinds
from rowform.store import apply, writing
from tests.support import killed_apply
from tests.support.project import MOMIJI, SAKURA, Project

OLD = """\
staff_groups:
  - name: Kitchen
    color: "#3B82F6"
  - name: Floor
daily_limits:
  - name: Max off
"""
NEW = """\
staff_groups:
  - name: Kitchen
    color: "#10B981"
  - name: Bar
daily_limits:
  - name: Max off
    penalty_weight: 5
"""


@pytest.fixture
def sakura(project: Project) -> Project:
    """Version 1 is active, and the configuration wants something else."""
    project.restaurant()
    project.write({"sakura/all.yaml": OLD})
    project.apply()
    project.write({"sakura/all.yaml": NEW})
    return project


def everything(project: Project) -> dict[str, list[dict[str, Any]]]:
    """All rows that an apply writes to, without the time and ids that each run makes anew."""
    tables = {
        "versions": "SELECT version_number, name, is_active, is_locked FROM config_versions ORDER BY 1",
        "audit": "SELECT table_name, operation, old_data ->> 'name' AS was, new_data ->> 'name' AS becomes"
        " FROM config_changes ORDER BY seq",
        "marks": "SELECT * FROM rowform.own_writes",
    }
    for name in kinds():
        kind = kinds()[name]
        tables[name] = (
            f"SELECT {', '.join(kind.column_names)}, since_version, until_version FROM rowform.{name}"
            " ORDER BY since_version, 1"
        )
    return {name: project.rows(query) for name, query in tables.items()}


def run_killed(project: Project, when: str, number: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            str(Path(killed_apply.__file__)),
            str(project.directory / "config"),
            project.url,
            when,
            str(number),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def wait_until_alone(project: Project) -> None:
    """Until the server has noticed that the killed client is gone."""
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("SELECT 1 FROM restaurants FOR UPDATE")


def test_killed_before_every_statement(sakura: Project) -> None:
    old = everything(sakura)
    for number in range(1, 100):
        result = run_killed(sakura, "before", number)
        if result.returncode == 0:
            break
        assert result.returncode == -signal.SIGKILL, result
        wait_until_alone(sakura)
        assert everything(sakura) == old
    # Begin, the two reads, the writes, the commit.
    assert number > 14
    assert_applied(sakura)


def test_killed_right_after_the_commit(sakura: Project) -> None:
    project = Project(sakura.directory / "rehearsal", sakura.url)
    project.restaurant("momiji", MOMIJI)
    project.write({"momiji/all.yaml": OLD})
    project.apply()
    project.write({"momiji/all.yaml": NEW})
    statements = int(run_killed(project, "before", 1000).stdout)
    result = run_killed(sakura, "after", statements)
    assert result.returncode == -signal.SIGKILL, result
    wait_until_alone(sakura)
    newest = "SELECT max(version_number) FROM config_versions WHERE restaurant_id = %s"
    assert sakura.value(newest, SAKURA) == 2
    assert sakura.ok("plan").out.splitlines()[-1].startswith("No changes.")


def assert_applied(project: Project) -> None:
    """The new version is there in full, and so is its audit."""
    new = everything(project)
    assert [row["is_active"] for row in new["versions"]] == [False, True]
    assert [(row["operation"], row["was"], row["becomes"]) for row in new["audit"][3:]] == [
        ("INSERT", None, "Bar"),
        ("UPDATE", "Kitchen", "Kitchen"),
        ("DELETE", "Floor", None),
        ("UPDATE", "Max off", "Max off"),
    ]
    assert new["marks"] == []
    assert project.ok("plan").out.startswith("No changes.")


def test_the_answer_to_commit_gets_lost(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version's id is the client's own, so it can look whether the commit went through."""
    execute = psycopg.Connection.execute

    def lossy(self: psycopg.Connection, query: Any, *arguments: Any, **named: Any) -> Any:
        result = execute(self, query, *arguments, **named)
        if query == "COMMIT" and not self.pgconn.pipeline_status:
            self.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return result

    monkeypatch.setattr(psycopg.Connection, "execute", lossy)
    result = sakura.run("apply", "--auto-approve")
    assert result.code == 0, result
    assert "Apply complete! Version 2 active: 1 added, 2 changed, 1 destroyed." in result.out


def test_the_commit_itself_gets_lost(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = psycopg.Connection.execute

    def lossy(self: psycopg.Connection, query: Any, *arguments: Any, **named: Any) -> Any:
        if query == "COMMIT" and not self.pgconn.pipeline_status:
            self.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return execute(self, query, *arguments, **named)

    old = everything(sakura)
    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", lossy)
        result = sakura.run("apply", "--auto-approve")
    assert result.code == 1, result
    assert "connection was lost" in result.err
    assert everything(sakura) == old
    sakura.apply()


def test_a_deadlock_is_retried_once(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    write = apply._write
    deadlocks = 0

    def unlucky(*arguments: Any) -> None:
        nonlocal deadlocks
        write(*arguments)
        if deadlocks == 0:
            deadlocks += 1
            raise psycopg.errors.DeadlockDetected("deadlock detected")

    monkeypatch.setattr(apply, "_write", unlucky)
    result = sakura.apply()
    assert deadlocks == 1
    assert "Version 2 active" in result.out


def test_a_client_that_waits_too_long_for_the_lock_says_so(
    sakura: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LOCK_TIMEOUT", "100ms")
    with psycopg.connect(sakura.url) as other:
        other.execute("SELECT 1 FROM restaurants WHERE id = %s FOR UPDATE", (SAKURA,))
        result = sakura.run("apply", "--auto-approve")
    assert result.code == 1
    assert "lock" in result.err
    assert len(everything(sakura)["versions"]) == 1
