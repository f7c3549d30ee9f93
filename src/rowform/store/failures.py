"""Driver errors in rowform's words, translated once: by SQLSTATE where the server gave one.

While a connection is being made libpq passes on text alone, so that there the text decides.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from rowform.errors import ConnectionFailed, DatabaseError, LockedVersion, RowformError, SchemaError
from rowform.text import escape

UPGRADE_HINT = "run `rowform db upgrade`"
_ATOMIC = "nothing is half-written: a write happens as a whole or not at all"


@dataclass(frozen=True, slots=True)
class Case:
    """What to say. ``{where}`` is the database, ``{said}`` the server's own words."""

    error: type[DatabaseError]
    message: str
    hint: str | None = None


#: By SQLSTATE; names in lower case stand for what has none, because no server was reached.
CASES: dict[str, Case] = {
    "unknown-host": Case(
        ConnectionFailed, "{where}: there is no such host", "check the host in the database URL"
    ),
    "refused": Case(
        ConnectionFailed, "{where}: nothing answers there", "is the server running, are host and port right?"
    ),
    "timeout": Case(
        ConnectionFailed,
        "{where}: no answer in time",
        "a firewall may be in between; `connect_timeout` in the URL sets how long to wait",
    ),
    "unreachable": Case(
        ConnectionFailed, "{where}: there is no way to that host", "check the network, a VPN, the host"
    ),
    "tls": Case(
        ConnectionFailed,
        "{where}: TLS failed: {said}",
        "check `sslmode`, `sslrootcert` and the host name in the database URL",
    ),
    "no-password": Case(
        ConnectionFailed, "{where}: the server asks for a password and got none", "add it to the URL"
    ),
    "stranger": Case(
        ConnectionFailed, "{where}: no PostgreSQL answers there", "check host and port in the database URL"
    ),
    "not-let-in": Case(
        ConnectionFailed,
        "{where}: the server does not let this user in from here: {said}",
        "pg_hba.conf decides; it may want TLS (`sslmode=require`)",
    ),
    "lost": Case(ConnectionFailed, "{where}: the connection was lost", _ATOMIC),
    "other": Case(ConnectionFailed, "{where}: {said}"),
    "28P01": Case(ConnectionFailed, "{where}: wrong password", "check user and password in the database URL"),
    "28000": Case(
        ConnectionFailed, "{where}: the server knows no such user", "check the user in the database URL"
    ),
    "3D000": Case(
        ConnectionFailed,
        "{where}: there is no such database",
        "check its name in the database URL, or create it",
    ),
    "53300": Case(
        ConnectionFailed,
        "{where}: too many connections: {said}",
        "try again, raise the limit or use a pooler",
    ),
    "57P03": Case(ConnectionFailed, "{where}: not ready: {said}", "try again in a moment"),
    "25006": Case(
        DatabaseError, "{where} is read-only: {said}", "it may be a standby: use the primary's URL"
    ),
    "53100": Case(DatabaseError, "the server's disk is full: {said}", f"make room there; {_ATOMIC}"),
    "53200": Case(DatabaseError, "the server is out of memory: {said}", _ATOMIC),
    "57014": Case(
        DatabaseError,
        "the server stopped a statement: {said}",
        "`statement_timeout` sets how long one may take",
    ),
    "55P03": Case(
        DatabaseError, "somebody else is writing and holds the lock: {said}", "try again in a moment"
    ),
    "25P03": Case(
        ConnectionFailed, "{where}: the server ended a transaction that had waited too long", _ATOMIC
    ),
    "57P05": Case(ConnectionFailed, "{where}: the server ended an idle session", "try again"),
    "40P01": Case(
        DatabaseError, "two writers waited for each other, and the server stopped this one", "try again"
    ),
    "40001": Case(DatabaseError, "somebody else wrote at the same time: {said}", "try again"),
    "42501": Case(
        DatabaseError,
        "a privilege is missing: {said}",
        "grant it, or connect as the role that ran `rowform db upgrade`",
    ),
    "42P01": Case(SchemaError, "a table is missing: {said}", UPGRADE_HINT),
    "3F000": Case(SchemaError, "a schema is missing: {said}", UPGRADE_HINT),
    "42703": Case(SchemaError, "a column is missing: {said}", UPGRADE_HINT),
    "42883": Case(SchemaError, "a function is missing: {said}", UPGRADE_HINT),
}
#: The server went away in mid-session.
_LOST = frozenset({"57P01", "57P02", "08000", "08001", "08003", "08004", "08006", "25P04"})

#: What libpq and the server say while connecting; the first that matches wins.
_SAID: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), case)
    for pattern, case in (
        (r"no pg_hba\.conf entry|pg_hba\.conf rejects", "not-let-in"),
        (r"password authentication failed", "28P01"),
        (r"no password supplied", "no-password"),
        (r"too many (clients|connections)|remaining connection slots", "53300"),
        (r"role .* does not exist|not permitted to log in|authentication failed for user", "28000"),
        (r"database .* does not exist", "3D000"),
        (r"permission denied for database", "42501"),
        (r"starting up|shutting down|not yet accepting|not accepting connections", "57P03"),
        (r"received invalid response|expected authentication request|invalid response to", "stranger"),
        (r"\bSSL\b|\bTLS\b|certificate", "tls"),
        (r"could not translate host|name or service not known|failed to resolve", "unknown-host"),
        (r"timeout expired|timed out|connection timeout", "timeout"),
        (r"connection refused|no such file or directory", "refused"),
        (r"no route to host|network is unreachable|host is unreachable", "unreachable"),
        (r"closed the connection unexpectedly|could not receive data", "stranger"),
    )
)
_PREFIX = re.compile(
    r"^.*?(?:FATAL|ERROR):\s+|^(?:connection failed: )?connection to server .*? failed: ", re.DOTALL
)


@contextmanager
def translated(where: str = "the database") -> Generator[None]:
    """Turn the driver's errors into rowform's.

    ``where`` names the database in messages: a URL only after
    :func:`rowform.store.connection.redact`.
    """
    try:
        yield
    except psycopg.Error as error:
        raise failure(error, where) from error


def failure(error: psycopg.Error, where: str = "the database") -> RowformError:
    """What an error of a statement means."""
    state = error.sqlstate or error.diag.sqlstate
    said = escape((error.diag.message_primary or str(error)).strip())
    if state is None:
        # The server says nothing when it is gone; anything else is the driver's own refusal.
        lost = isinstance(error, psycopg.OperationalError)
        return _told("lost", where, said, None) if lost else DatabaseError(said)
    if state in _LOST:
        return _told("lost", where, said, state)
    if state in CASES:
        return _told(state, where, said, state)
    hint = error.diag.message_hint
    hint = escape(hint) if hint else None
    if state == "RF004":
        return LockedVersion(said, hint)
    return DatabaseError(said, hint, state)


def connection_failure(error: psycopg.Error, where: str, secrets: Iterable[str] = ()) -> RowformError:
    """What a failed attempt to connect means; ``secrets`` are cut out of whatever is quoted."""
    text = str(error)
    for secret in secrets:
        text = text.replace(secret, "***")
    state = error.sqlstate
    case = (
        state if state in CASES else next((case for pattern, case in _SAID if pattern.search(text)), "other")
    )
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        case = "timeout"
    said = escape(_PREFIX.sub("", text.strip()).partition("\n")[0])
    return _told(case, where, said, case if len(case) == 5 and case[0].isdigit() else state)


def _told(name: str, where: str, said: str, state: str | None) -> DatabaseError:
    case = CASES[name]
    return case.error(case.message.format(where=where, said=said), case.hint, state)
