"""`db protect`: every direct write is refused, rowform's own go on, and nobody slips through."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest
from psycopg import sql as compose

from rowform.cli import db_protect
from rowform.git import public_address
from tests.support.project import SAKURA, Project, Result

GROUPS = "staff_groups:\n  - name: Kitchen\n    color: '#111111'\n  - name: Floor\n"
ACTIVE = "(SELECT id FROM config_versions WHERE is_active)"
PROTECT = ("db", "protect", "--auto-approve", "--managed-in", "github.com/sakura/settings")
UPDATE = f"UPDATE staff_groups SET color = '#aaaaaa' WHERE version_id = {ACTIVE} AND name = 'Kitchen'"

#: What the application and people with psql do, and what they then read.
DIRECT = {
    UPDATE: "UPDATE of staff_groups",
    f"DELETE FROM staff_groups WHERE version_id = {ACTIVE}": "DELETE of staff_groups",
    f"INSERT INTO daily_limits (restaurant_id, version_id, name) VALUES ('{SAKURA}', {ACTIVE}, 'New')": (
        "INSERT of daily_limits"
    ),
    "INSERT INTO config_versions (restaurant_id, version_number, name, is_active)"
    f" VALUES ('{SAKURA}', 9, 'New', false)": "INSERT of config_versions",
    "UPDATE config_versions SET is_active = false WHERE is_active": "UPDATE of config_versions",
}


@pytest.fixture
def sakura(project: Project) -> Project:
    """Versions 1 and 2; 2 is active."""
    project.restaurant()
    project.write({"sakura/all.yaml": GROUPS.replace("#111111", "#000000")})
    project.apply()
    project.write({"sakura/all.yaml": GROUPS})
    project.apply()
    return project


def direct(project: Project, statement: str) -> None:
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("statement", DIRECT, ids=lambda one: one[:30])
def test_every_direct_write_is_refused(sakura: Project, statement: str) -> None:
    result = sakura.ok(*PROTECT)
    assert result.out == "Direct writes are refused: settings are managed in github.com/sakura/settings.\n"
    with pytest.raises(psycopg.Error) as caught:
        direct(sakura, statement)
    assert caught.value.sqlstate == "RF001"
    assert caught.value.diag.message_primary == (
        f"settings are managed in github.com/sakura/settings: {DIRECT[statement]} refused"
    )
    assert 'come back with "rowform db unprotect"' in str(caught.value.diag.message_hint)
    assert sakura.value("SELECT max(version_number) FROM config_versions WHERE is_active") == 2

    assert sakura.ok("db", "unprotect", "--auto-approve").out == "Direct writes are allowed.\n"
    direct(sakura, statement)


def test_rowform_itself_goes_on(sakura: Project) -> None:
    sakura.ok(*PROTECT)
    sakura.write({"sakura/all.yaml": GROUPS.replace("#111111", "#333333")})
    assert "Version 3 active" in sakura.apply().out
    assert "Version 2 active" in sakura.ok("rollback", "--auto-approve").out
    assert "Version 1 active" in sakura.ok("activate", "1", "--auto-approve").out
    sakura.ok("lock", "active")
    sakura.ok("unlock", "active")


def test_it_can_be_said_again_or_otherwise(sakura: Project) -> None:
    sakura.ok(*PROTECT)
    since = sakura.value("SELECT protected_at FROM rowform.database")
    again = sakura.ok(*PROTECT)
    assert again.out.startswith("Direct writes are refused already: settings are managed in github.com")
    sakura.ok("db", "protect", "--auto-approve", "--managed-in", "the wiki")
    (book,) = sakura.rows("SELECT protected_at, managed_in FROM rowform.database")
    assert (book["protected_at"], book["managed_in"]) == (since, "the wiki")
    sakura.ok("db", "unprotect", "--auto-approve")
    assert sakura.ok("db", "unprotect").out == "Direct writes are allowed already.\n"


def test_status_tells(sakura: Project) -> None:
    assert "\ndirect writes: allowed\n" in sakura.ok("db", "status").out
    status = sakura.ok("db", "status", "--format", "json").json
    assert (status["protected_at"], status["managed_in"]) == (None, None)
    sakura.ok("db", "protect", "--auto-approve", "--managed-in", "Git\x1b[2J")
    status = sakura.ok("db", "status", "--format", "json").json
    since = sakura.value("SELECT protected_at FROM rowform.database").isoformat()
    assert (status["protected_at"], status["managed_in"]) == (since, "Git\x1b[2J")
    text = sakura.ok("db", "status").out
    assert f"\ndirect writes: refused since {since}; settings are managed in Git\\x1b[2J\n" in text


def test_it_asks(sakura: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = sakura.run("db", "protect")
    assert refused.code == 3
    assert refused.err.startswith("Whoever writes directly will read: settings are managed in Git.\n")
    asked: list[str] = []
    monkeypatch.setattr(db_protect, "ask", asked.append)
    sakura.ok("db", "protect")
    sakura.ok("db", "unprotect")
    assert asked == ["Do you want to refuse direct writes?", "Do you want to allow direct writes?"]


def test_the_remote_is_named_without_its_token(sakura: Project) -> None:
    sakura.git("init", "--quiet")
    sakura.git("remote", "add", "origin", "https://aiko:ghp_s3cret@github.com/sakura/settings.git")
    # What the user's own Git puts into addresses stays there.
    sakura.git("config", "url.https://other:t0ken@github.com/.insteadOf", "https://github.com/")
    result = sakura.ok("db", "protect", "--auto-approve")
    assert "managed in https://github.com/sakura/settings.git." in result.out
    book = sakura.rows("SELECT * FROM rowform.database")
    assert "s3cret" not in f"{book}{result}"
    assert "aiko" not in f"{book}"
    assert "t0ken" not in f"{book}"


@pytest.mark.parametrize("text", ["", " ", "https://aiko:s3cret@github.com/x", "see ssh://a:b/c@d"])
def test_credentials_are_refused(sakura: Project, text: str) -> None:
    result = sakura.run("db", "protect", "--auto-approve", "--managed-in", text)
    assert result.code == 1
    assert "s3cret" not in result.err
    assert sakura.value("SELECT protected_at FROM rowform.database") is None


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://github.com/sakura/settings.git", "https://github.com/sakura/settings.git"),
        ("https://token@github.com/sakura/settings.git", "https://github.com/sakura/settings.git"),
        ("https://user:p%40ss@host:8443/x", "https://host:8443/x"),
        ("https://user:p@ss@host/x", "https://host/x"),
        ("https://host/x?access_token=secret#more", "https://host/x"),
        ("https://user:pa/ss@host/x", None),
        ("https://user:pa?ss@host/x", None),
        ("https://user:pa#ss@host/x", None),
        ("ssh://git@host:22/x", "ssh://host:22/x"),
        ("git@github.com:sakura/settings.git", "github.com:sakura/settings.git"),
        ("user:pass@host:x", "host:x"),
        ("user:pa@ss@host:x", None),
        ("user:pa/ss@host:x", None),
        ("/srv/git/settings.git", "/srv/git/settings.git"),
        ("file:///srv/git/settings.git", "file:///srv/git/settings.git"),
        ("ext::sh -c secret", None),
        ("helper::https://user:pass@host/x", None),
        ("", None),
    ],
)
def test_addresses_of_remotes(remote: str, shown: str | None) -> None:
    assert public_address(remote) == shown


def test_only_the_owner_can(sakura: Project) -> None:
    role = f"guest_{sakura.value('SELECT current_database()')}"
    with psycopg.connect(sakura.url, autocommit=True) as root:
        name = compose.Identifier(role)
        root.execute(compose.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(name))
        try:
            root.execute(
                compose.SQL(
                    "GRANT USAGE ON SCHEMA public, rowform TO {0};"
                    "GRANT ALL ON ALL TABLES IN SCHEMA public, rowform TO {0}"
                ).format(name)
            )
            with psycopg.connect(sakura.url, autocommit=True) as guest:
                guest.execute(compose.SQL("SET ROLE {}").format(name))
                with pytest.raises(psycopg.Error) as caught:
                    guest.execute("UPDATE rowform.database SET protected_at = NULL")
                assert caught.value.sqlstate == "RF007"
        finally:
            root.execute(compose.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(name))


# --- a direct writer at the same time ------------------------------------------------------------


class Run(threading.Thread):
    """A command, or a direct write, in the background."""

    def __init__(self, project: Project, *what: str) -> None:
        super().__init__()
        self.project, self.what = project, what
        self.result: Result | None = None
        self.error: psycopg.Error | None = None
        self.start()

    def run(self) -> None:
        if len(self.what) > 1:
            self.result = self.project.run(*self.what)
            return
        try:
            direct(self.project, self.what[0])
        except psycopg.Error as error:
            self.error = error


def wait_for(project: Project, waiting: int) -> None:
    """Until so many sessions wait for the lock on rowform.database."""
    query = (
        "SELECT count(*) FROM pg_locks WHERE relation = 'rowform.database'::regclass AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    deadline = time.monotonic() + 20
    while project.value(query) < waiting:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_waits_for_who_has_written_and_lets_nobody_begin(sakura: Project) -> None:
    with psycopg.connect(sakura.url) as early:
        early.execute(UPDATE.encode())
        protecting = Run(sakura, *PROTECT)
        wait_for(sakura, 1)
        # Two that come later, by both ways, and one of them wants the restaurant's lock as well.
        late = [
            Run(sakura, statement) for statement in (UPDATE.replace("#aaaaaa", "#bbbbbb"), list(DIRECT)[3])
        ]
        wait_for(sakura, 3)
        # rowform and readers wait for nobody.
        assert sakura.value("SELECT protected_at FROM rowform.database") is None
        # The early one may go on as it likes.
        early.execute(f"DELETE FROM staff_groups WHERE version_id = {ACTIVE} AND name = 'Floor'".encode())
    for thread in (protecting, *late):
        thread.join(30)
    assert protecting.result is not None
    assert protecting.result.code == 0
    for one in late:
        assert one.error is not None
        assert one.error.sqlstate == "RF001"
    rows: list[dict[str, Any]] = sakura.rows(
        f"SELECT name, color FROM staff_groups WHERE version_id = {ACTIVE}"
    )
    assert rows == [{"name": "Kitchen", "color": "#aaaaaa"}]
    assert sakura.value("SELECT max(version_number) FROM config_versions") == 3


def test_a_writer_that_began_before_but_writes_after(sakura: Project) -> None:
    with psycopg.connect(sakura.url) as early:
        assert early.execute("SELECT count(*) FROM staff_groups").fetchone() == (4,)
        sakura.ok(*PROTECT)
        with pytest.raises(psycopg.Error) as caught:
            early.execute(UPDATE.encode())
        assert caught.value.sqlstate == "RF001"


def write_and_commit(connection: psycopg.Connection, statement: str) -> None:
    connection.execute(statement.encode())
    connection.commit()


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize("statement", DIRECT, ids=lambda one: one[:30])
def test_an_old_snapshot_is_no_way_round(sakura: Project, level: str, statement: str) -> None:
    before = sakura.rows("SELECT * FROM config_versions ORDER BY version_number")
    with psycopg.connect(sakura.url) as early:
        early.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
        early.execute("SELECT count(*) FROM staff_groups")
        sakura.ok(*PROTECT)
        with pytest.raises(psycopg.Error) as caught:
            write_and_commit(early, statement)
        assert caught.value.sqlstate in {"RF001", "RF007"}
    assert sakura.rows("SELECT * FROM config_versions ORDER BY version_number") == before
