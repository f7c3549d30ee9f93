"""Connecting, and failing to: real servers, and one that says what it is told to."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager
from secrets import token_hex

import psycopg
import pytest

from rowform.errors import ConnectionFailed, DatabaseError, LockedVersion, RowformError, SchemaError
from rowform.store.connection import connect, redact, secrets
from rowform.store.failures import translated
from tests.support.database import with_database

PASSWORD = "p@ss:wo/rd?#%"
ENCODED = "p%40ss%3Awo%2Frd%3F%23%25"


# --------------------------------------------------------------------------- how a URL is shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://chef:s3cret@db:5432/shop", "postgresql://chef@db:5432/shop"),
        (f"postgresql://chef:{ENCODED}@db/shop", "postgresql://chef@db/shop"),
        ("postgres://db/shop?user=chef&password=s3cret&sslmode=require", "postgresql://chef@db/shop"),
        ("host=db port=5432 user=chef password=s3cret dbname=shop", "postgresql://chef@db:5432/shop"),
        ("host=db user=chef password='it\\'s s3cret' dbname=shop", "postgresql://chef@db/shop"),
        ("postgresql://chef:s3cret@a:1,b:2/shop", "postgresql://chef@a:1,b:2/shop"),
        ("postgresql://chef:s3cret@a,b/shop?port=5", "postgresql://chef@a:5,b:5/shop"),
        ("postgresql://chef:s3cret@[::1]:5432/shop", "postgresql://chef@[::1]:5432/shop"),
        ("postgresql:///shop?host=/run/pg&password=s3cret", "postgresql:///run/pg/shop"),
        ("service=prod password=s3cret", "postgresql://?service=prod"),
        ("postgresql://db/shop?sslpassword=s3cret", "postgresql://db/shop"),
        ("postgresql://chef%1b[2J:s3cret@db/shop", "postgresql://chef\\x1b[2J@db/shop"),
        ("nonsense s3cret", "the database"),
        ("postgresql://chef:s3cret@host@db/shop", "the database"),
    ],
)
def test_redact(url: str, shown: str) -> None:
    assert redact(url) == shown


def test_secrets_of_a_url() -> None:
    assert secrets(f"postgresql://chef:{ENCODED}@db/shop?sslpassword=key") == [PASSWORD, "key"]
    assert secrets("postgresql://db/shop?passfile=/x") == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "   ",
        "s3cret",
        "mysql://chef:s3cret@db/shop",
        "postgresql://chef:s3cret@db/shop?nosuch=s3cret",
        "postgresql://chef:s3cret%zz@db/shop",
        "postgresql://chef:p@s3cret@db/shop",
        "postgresql://chef:p/s3cret@db/shop",
        "postgresql://chef:s3cret/word@db:5432/shop",
        "postgresql://chef@db:s3cret/shop",
        "host=db password=s3cret port=s3cret",
        "host=db password='s3cret",
        "postgresql://chef:\x00s3cret@db/shop",
        "postgresql://chef:s3cret@[::1/shop",
    ],
)
def test_an_unusable_url_is_not_quoted(url: str) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        connect(url)
    shown = f"{caught.value.message} {caught.value.hint}"
    assert "database URL" in shown
    assert "s3cret" not in shown
    assert caught.value.__cause__ is None
    assert "postgresql://USER:PASSWORD@HOST:PORT/DATABASE" in shown


# ---------------------------------------------------------------------------------- real servers


def test_a_connection(database: str) -> None:
    with connect(database) as connection:
        assert connection.autocommit
        assert connection.prepare_threshold is None
        row = connection.execute(
            "SELECT current_setting('application_name'), current_setting('client_encoding')"
        ).fetchone()
        parameters = connection.info.get_parameters()
    assert row == ("rowform", "UTF8")
    assert parameters["connect_timeout"] == "10"
    assert parameters["keepalives_idle"] == "30"


def test_the_url_has_the_last_word(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = _with(database, "application_name=mine&connect_timeout=3&keepalives_idle=7")
    with connect(url, application_name="other", autocommit=False) as connection:
        assert not connection.autocommit
        row = connection.execute("SELECT current_setting('application_name')").fetchone()
        parameters = connection.info.get_parameters()
    assert row == ("mine",)
    assert (parameters["connect_timeout"], parameters["keepalives_idle"]) == ("3", "7")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "4")
    with connect(database, application_name="other") as connection:
        row = connection.execute("SELECT current_setting('application_name')").fetchone()
        assert connection.info.get_parameters()["connect_timeout"] == "4"
    assert row == ("other",)


def _with(url: str, options: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{options}"


def _refused(url: str) -> RowformError:
    with pytest.raises(DatabaseError) as caught:
        connect(url)
    assert PASSWORD not in str(caught.value)
    assert ENCODED not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("autocommit", [True, False])
def test_times_are_read_whatever_the_database_calls_them(database: str, autocommit: bool) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET datestyle TO 'German'")  # type: ignore[arg-type]
    with connect(database, autocommit=autocommit) as connection:
        connection.rollback()
        row = connection.execute("SELECT '2026-04-01 09:00+00'::timestamptz").fetchone()
    assert row is not None
    assert row[0].isoformat().startswith("2026-04-01T")


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = _refused(f"postgresql://chef:{ENCODED}@127.0.0.1:{port}/shop")
    assert error.message == f"postgresql://chef@127.0.0.1:{port}/shop: nothing answers there"


def test_no_such_host() -> None:
    error = _refused(f"postgresql://chef:{ENCODED}@nowhere.invalid/shop")
    assert error.message == "postgresql://chef@nowhere.invalid/shop: there is no such host"


def test_no_answer_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = _refused(f"postgresql://chef:{ENCODED}@127.0.0.1:{port}/shop?connect_timeout=2")
    assert error.message.endswith("no answer in time")


def test_no_such_database(database: str) -> None:
    error = _refused(with_database(database, "no_such_shop"))
    assert error.message.endswith("/no_such_shop: there is no such database")


def test_no_such_user(database: str) -> None:
    error = _refused(_with(database, "user=no_such_chef"))
    # Servers that ask for a password do not tell whether there is such a user.
    assert "knows no such user" in error.message or "password" in error.message


def test_a_limit_of_connections(database: str) -> None:
    role = f"crowd_{token_hex(4)}"
    with connect(database) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0 PASSWORD 'pw'".encode())
        try:
            error = _refused(_with(database, f"user={role}&password=pw"))
        finally:
            connection.execute(f"DROP ROLE {role}".encode())
    assert "too many connections" in error.message


# ------------------------------------------------------- a server that says what it is told to


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _error(state: str, text: str) -> bytes:
    fields = (f"SFATAL\0VFATAL\0C{state}\0M{text}\0").encode()
    return _message(b"E", fields + b"\0")


def _welcome(version: str) -> bytes:
    parameters = {"server_version": version, "client_encoding": "UTF8", "standard_conforming_strings": "on"}
    return b"".join(
        (
            _message(b"R", struct.pack("!i", 0)),
            *(_message(b"S", f"{name}\0{value}\0".encode()) for name, value in parameters.items()),
            _message(b"K", struct.pack("!ii", 1, 1)),
            _message(b"Z", b"I"),
        )
    )


_ASK_PASSWORD = _message(b"R", struct.pack("!i", 3))


@contextmanager
def server(*answers: bytes) -> Generator[str]:
    """Answers each message of one client with the next of ``answers``, then hangs up. Yields its URL."""

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            for answer in answers:
                request = client.recv(8192)
                # Offers of TLS or GSSAPI are declined, and come before the first real message.
                while request[4:8] in {struct.pack("!i", 80877103), struct.pack("!i", 80877104)}:
                    client.sendall(b"N")
                    request = client.recv(8192)
                client.sendall(answer)
            client.recv(8192)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"postgresql://chef:{ENCODED}@127.0.0.1:{listener.getsockname()[1]}/shop"
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("answers", "message", "hint"),
    [
        ((_ASK_PASSWORD, _error("28P01", 'password authentication failed for user "chef"')),
         "wrong password", "password"),
        ((_error("28000", 'role "chef" does not exist'),), "the server knows no such user", "user"),
        ((_error("3D000", 'database "shop" does not exist'),), "there is no such database", "name"),
        ((_error("53300", "sorry, too many clients already"),),
         "too many connections: sorry, too many clients already", "pooler"),
        ((_error("57P03", "the database system is starting up"),),
         "not ready: the database system is starting up", "moment"),
        ((_error("28000", 'no pg_hba.conf entry for host "127.0.0.1", user "chef", no encryption'),),
         "the server does not let this user in from here", "pg_hba.conf"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "no PostgreSQL answers there", "port"),
        ((_welcome("14.11"),), "PostgreSQL 14.11 is too old for rowform", "PostgreSQL 15 or newer"),
    ],
    ids=["password", "user", "database", "crowded", "starting", "hba", "http", "old"],
)  # fmt: skip
def test_a_server_that_refuses(answers: tuple[bytes, ...], message: str, hint: str) -> None:
    with server(*answers) as url:
        error = _refused(url)
    assert f"/shop: {message}" in error.message
    assert hint in (error.hint or "")


def test_a_server_without_tls() -> None:
    with server(b"") as url:
        error = _refused(f"{url}?sslmode=require")
    assert "/shop: TLS failed: server does not support SSL" in error.message


def test_the_oldest_server_that_will_do() -> None:
    with server(_welcome("15.0")) as url, connect(url) as connection:
        assert connection.info.server_version == 150000


# --------------------------------------------------------------------------- failing statements


def _fails(url: str, *statements: str) -> RowformError:
    *before, last = statements
    with connect(url) as connection:
        for statement in before:
            connection.execute(statement.encode())
        with pytest.raises(RowformError) as caught, translated(redact(url)):
            connection.execute(last.encode())
    return caught.value


def test_a_read_only_server(database: str) -> None:
    error = _fails(database, "SET default_transaction_read_only = on", "CREATE TABLE x ()")
    assert "is read-only: cannot execute CREATE TABLE" in error.message
    assert "primary" in (error.hint or "")


def test_a_statement_timeout(database: str) -> None:
    error = _fails(database, "SET statement_timeout = 50", "SELECT pg_sleep(5)")
    assert error.message == "the server stopped a statement: canceling statement due to statement timeout"


def test_a_lock_timeout(database: str) -> None:
    with connect(database) as other, other.transaction():
        other.execute("LOCK TABLE public.restaurants")
        error = _fails(database, "SET lock_timeout = 50", "SELECT FROM public.restaurants")
    assert error.message.startswith("somebody else is writing and holds the lock")


def test_a_transaction_that_waited_too_long(database: str) -> None:
    with connect(database) as connection:
        connection.execute("SET idle_in_transaction_session_timeout = 50; BEGIN")
        with psycopg.connect(database, autocommit=True) as watcher:
            for _ in range(200):
                row = watcher.execute(
                    "SELECT count(*), pg_sleep(0.02) FROM pg_stat_activity WHERE pid = %s",
                    (connection.info.backend_pid,),
                ).fetchone()
                if row and row[0] == 0:
                    break
        with pytest.raises(ConnectionFailed) as caught, translated(redact(database)):
            connection.execute("SELECT 1")
    assert caught.value.message.endswith("the server ended a transaction that had waited too long")


def test_a_connection_cut_in_the_middle(database: str) -> None:
    with connect(database) as connection:
        with psycopg.connect(database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))
        with pytest.raises(ConnectionFailed, match="the connection was lost"), translated(redact(database)):
            connection.execute("SELECT 1")
        with pytest.raises(ConnectionFailed, match="the connection was lost"), translated(redact(database)):
            connection.execute("SELECT 1")


@pytest.mark.parametrize(
    ("statement", "kind", "message"),
    [
        ("SELECT FROM rowform.no_such_table", SchemaError, 'relation "rowform.no_such_table" does not exist'),
        ("CREATE TABLE no_such_schema.x ()", SchemaError, 'schema "no_such_schema" does not exist'),
        ("SELECT no_such_column FROM public.restaurants", SchemaError, 'column "no_such_column"'),
        ("UPDATE public.staff_groups SET no_such_column = 1", SchemaError, "no_such_column"),
        ("DO $$BEGIN RAISE disk_full USING MESSAGE = 'could not extend file'; END$$", DatabaseError,
         "the server's disk is full: could not extend file"),
        ("DO $$BEGIN RAISE 'x' USING ERRCODE = 'RF004', HINT = 'Unlock it.'; END$$", LockedVersion, "x"),
        ("DO $$BEGIN RAISE 'x' USING ERRCODE = 'RF002', HINT = 'Unlock it.'; END$$", DatabaseError, "x"),
        ("DELETE FROM public.config_changes", DatabaseError, "the audit trail is append-only"),
    ],
)  # fmt: skip
def test_statements_that_fail(database: str, statement: str, kind: type[RowformError], message: str) -> None:
    error = _fails(database, statement)
    assert type(error) is kind
    assert message in error.message
    if "Unlock" in statement:
        assert error.hint == "Unlock it."


def test_a_missing_privilege_names_the_object(database: str) -> None:
    role = f"nobody_{token_hex(4)}"
    with connect(database) as connection:
        connection.execute(f"CREATE ROLE {role}; SET SESSION AUTHORIZATION {role}".encode())
        refusal = pytest.raises(DatabaseError, match="permission denied for table config_changes")
        with refusal as caught, translated():
            connection.execute("SELECT FROM public.config_changes")
        connection.execute(f"RESET SESSION AUTHORIZATION; DROP ROLE {role}".encode())
    assert caught.value.sqlstate == "42501"


def test_a_deadlock(database: str) -> None:
    with connect(database) as one, connect(database) as two:
        one.execute("BEGIN; LOCK TABLE public.restaurants")
        two.execute("SET deadlock_timeout = '10s'; BEGIN; LOCK TABLE public.config_versions")
        waiting = threading.Thread(target=two.execute, args=("LOCK TABLE public.restaurants",))
        waiting.start()
        one_pid, two_pid = one.info.backend_pid, two.info.backend_pid
        with psycopg.connect(database, autocommit=True) as watcher:
            for _ in range(500):
                row = watcher.execute("SELECT pg_blocking_pids(%s), pg_sleep(0.01)", (two_pid,)).fetchone()
                if row and one_pid in row[0]:
                    break
        with pytest.raises(DatabaseError, match="two writers waited for each other") as caught, translated():
            one.execute("LOCK TABLE public.config_versions")
        one.execute("ROLLBACK")
        waiting.join(timeout=10)
        two.execute("ROLLBACK")
    assert caught.value.sqlstate == "40P01"
