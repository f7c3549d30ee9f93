"""What rowform says for what the driver raises."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from rowform.errors import ConnectionFailed, DatabaseError, ExitCode, LockedVersion, RowformError, SchemaError
from rowform.store.failures import CASES, connection_failure, failure, translated

WHERE = "postgresql://chef@db:5432/shop"
HEAD = 'connection failed: connection to server at "10.0.0.1", port 5432 failed: '

#: What libpq 15 to 18 says while connecting, and what becomes of it.
CONNECTING = [
    ("connection failed: could not translate host name \"nowhere\" to address: Name or service not known",
     "there is no such host", "host", None),
    ("[Errno -2] Name or service not known", "there is no such host", "host", None),
    (HEAD + "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
     "nothing answers there", "running", None),
    ('connection failed: connection to server on socket "/x/.s.PGSQL.5432" failed: No such file or directory',
     "nothing answers there", "running", None),
    (HEAD + "timeout expired", "no answer in time", "connect_timeout", None),
    (HEAD + "Connection timed out", "no answer in time", "connect_timeout", None),
    (HEAD + "No route to host", "there is no way to that host", "network", None),
    (HEAD + 'FATAL:  password authentication failed for user "chef"', "wrong password", "password", "28P01"),
    (HEAD + "fe_sendauth: no password supplied", "asks for a password and got none", "URL", None),
    (HEAD + 'FATAL:  role "chef" does not exist', "knows no such user", "user", "28000"),
    (HEAD + 'FATAL:  database "shop" does not exist', "there is no such database", "name", "3D000"),
    (HEAD + "FATAL:  sorry, too many clients already", "too many connections: sorry", "pooler", "53300"),
    (HEAD + 'FATAL:  too many connections for role "chef"', "too many connections", "pooler", "53300"),
    (HEAD + "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
     "too many connections", "pooler", "53300"),
    (HEAD + 'FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "chef", database "shop", no encryption',
     "does not let this user in from here", "sslmode=require", None),
    (HEAD + "server does not support SSL, but SSL was required", "TLS failed", "sslmode", None),
    (HEAD + "SSL error: certificate verify failed", "TLS failed: SSL error: certificate verify failed",
     "sslrootcert", None),
    (HEAD + 'root certificate file "/root.crt" does not exist', "TLS failed", "sslrootcert", None),
    (HEAD + "FATAL:  the database system is starting up", "not ready", "moment", "57P03"),
    (HEAD + "FATAL:  the database system is not accepting connections", "not ready", "moment", "57P03"),
    (HEAD + 'FATAL:  permission denied for database "shop"', "a privilege is missing", "grant", "42501"),
    (HEAD + "received invalid response to SSL negotiation: H", "no PostgreSQL answers there", "port", None),
    (HEAD + "server closed the connection unexpectedly", "no PostgreSQL answers there", "port", None),
    (HEAD + "FATAL:  Benutzername »x« ist komisch", "Benutzername »x« ist komisch", None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "message", "hint", "state"), CONNECTING, ids=[case[0][-40:] for case in CONNECTING]
)
def test_connecting(said: str, message: str, hint: str | None, state: str | None) -> None:
    error = connection_failure(psycopg.OperationalError(said), WHERE)
    assert isinstance(error, DatabaseError)
    assert message in error.message
    assert error.sqlstate == state
    assert (hint is None and error.hint is None) or (hint is not None and hint in (error.hint or ""))
    assert error.exit_code is ExitCode.ERROR
    assert "\n" not in error.message


def test_connecting_says_where() -> None:
    error = connection_failure(psycopg.OperationalError(HEAD + "Connection refused"), WHERE)
    assert error.message == f"{WHERE}: nothing answers there"


def test_a_connection_timeout_of_the_drivers_own() -> None:
    error = connection_failure(errors.ConnectionTimeout("connection timeout expired"), WHERE)
    assert error.message == f"{WHERE}: no answer in time"


def test_several_hosts_are_summed_up_by_the_most_telling_answer() -> None:
    said = (
        "Multiple connection attempts failed. All failures were:\n"
        "- host: 'localhost', port: 5432, hostaddr: '::1': Connection refused\n"
        "- host: 'localhost', port: 5432, hostaddr: '127.0.0.1': "
        'FATAL:  password authentication failed for user "x"'
    )
    assert "wrong password" in connection_failure(psycopg.OperationalError(said), WHERE).message


def test_secrets_are_cut_out_of_what_is_quoted() -> None:
    error = connection_failure(psycopg.OperationalError("odd: s3cret, s3cret!"), WHERE, ["s3cret"])
    assert error.message == f"{WHERE}: odd: ***, ***!"


#: By SQLSTATE: class, words of the message, words of the hint.
STATEMENTS = [
    ("25006", DatabaseError, "is read-only", "primary"),
    ("53100", DatabaseError, "disk is full", "nothing is half-written"),
    ("53200", DatabaseError, "out of memory", "nothing is half-written"),
    ("57014", DatabaseError, "stopped a statement", "statement_timeout"),
    ("55P03", DatabaseError, "somebody else is writing", "try again"),
    ("25P03", ConnectionFailed, "waited too long", "nothing is half-written"),
    ("57P05", ConnectionFailed, "ended an idle session", "try again"),
    ("57P01", ConnectionFailed, "the connection was lost", "nothing is half-written"),
    ("08006", ConnectionFailed, "the connection was lost", "nothing is half-written"),
    ("40P01", DatabaseError, "waited for each other", "try again"),
    ("40001", DatabaseError, "somebody else wrote at the same time", "try again"),
    ("42501", DatabaseError, "a privilege is missing: words", "grant"),
    ("42P01", SchemaError, "a table is missing: words", "rowform db upgrade"),
    ("3F000", SchemaError, "a schema is missing: words", "rowform db upgrade"),
    ("42703", SchemaError, "a column is missing: words", "rowform db upgrade"),
    ("42883", SchemaError, "a function is missing: words", "rowform db upgrade"),
    ("23505", DatabaseError, "words", None),
]


@pytest.mark.parametrize(
    ("state", "kind", "message", "hint"), STATEMENTS, ids=[case[0] for case in STATEMENTS]
)
def test_statements(state: str, kind: type[DatabaseError], message: str, hint: str | None) -> None:
    error = failure(errors.lookup(state)("words"), WHERE)
    assert type(error) is kind
    assert message in error.message
    assert error.sqlstate == state
    assert hint is None or hint in (error.hint or "")


def test_messages_differ() -> None:
    """Nobody has to guess which of two causes a message stands for."""
    assert len({case.message for case in CASES.values()}) == len(CASES)


def test_a_connection_that_breaks() -> None:
    error = failure(psycopg.OperationalError("consuming input failed: server closed the connection"), WHERE)
    assert isinstance(error, ConnectionFailed)
    assert error.message == f"{WHERE}: the connection was lost"
    assert error.sqlstate is None


def test_the_drivers_own_refusal() -> None:
    error = failure(psycopg.DataError("date too large\x1b[2J"), WHERE)
    assert type(error) is DatabaseError
    assert error.message == "date too large\\x1b[2J"


def test_translation_keeps_the_cause_and_other_errors() -> None:
    with pytest.raises(SchemaError) as caught, translated():
        raise errors.UndefinedTable("words")
    assert isinstance(caught.value.__cause__, errors.UndefinedTable)
    ours = LockedVersion("locked")
    with pytest.raises(RowformError) as again, translated():
        raise ours
    assert again.value is ours


def test_translation_of_a_whole_function() -> None:
    @translated("here")
    def broken() -> None:
        raise errors.ReadOnlySqlTransaction("cannot execute INSERT")

    for _ in range(2):
        with pytest.raises(DatabaseError, match="here is read-only: cannot execute INSERT"):
            broken()
