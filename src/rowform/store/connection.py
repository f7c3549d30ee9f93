"""Connections: how they are made, and how their URL may be shown."""

from __future__ import annotations

import logging
import os
import re
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rowform.errors import ConnectionFailed, DatabaseError
from rowform.store.failures import connection_failure
from rowform.text import escape

#: The oldest server that has security_invoker views.
MINIMUM = 150000
CONNECT_TIMEOUT = 10
#: A peer that vanished is noticed within a minute, not in two hours.
_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_HIDDEN = "the database"
_HINT = "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special characters percent-encoded"
_PORTS = re.compile(r"[0-9,]*")
# What psycopg warns of while it cleans up after an error would stand on stderr, with user and database.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


def connect(url: str, *, application_name: str = "rowform", autocommit: bool = True) -> psycopg.Connection:
    """Open a connection that also works through PgBouncer in transaction mode.

    Args:
        url: a URL or ``key=value`` pairs, as libpq takes them.
        application_name: what the server shows, unless ``url`` says otherwise.
        autocommit: whether statements outside of explicit transactions commit by themselves.

    Raises:
        ConnectionFailed: the URL is unusable, or the server cannot be reached or refuses.
        DatabaseError: the server is older than PostgreSQL 15.
    """
    where = redact(url)
    try:
        # Prepared statements belong to a server connection, and a pooler may give another one.
        connection = psycopg.connect(
            _conninfo(url, application_name), autocommit=autocommit, prepare_threshold=None
        )
    except psycopg.Error as error:
        raise connection_failure(error, where, secrets(url)) from error
    version = connection.info.server_version
    if version < MINIMUM:
        connection.close()
        raise DatabaseError(
            f"{where}: PostgreSQL {version // 10000}.{version % 10000} is too old for rowform",
            f"rowform needs PostgreSQL {MINIMUM // 10000} or newer",
        )
    if not (connection.info.parameter_status("DateStyle") or "ISO").startswith("ISO"):
        # The database's own default may be what psycopg cannot read.
        connection.execute("SET datestyle TO 'ISO'")
        if not autocommit:
            connection.commit()
    return connection


async def connect_async(url: str, *, application_name: str) -> psycopg.AsyncConnection:
    """As :func:`connect`, in autocommit mode and for an event loop; the server's age is not looked at.

    Raises:
        ConnectionFailed: the URL is unusable, or the server cannot be reached or refuses.
    """
    try:
        return await psycopg.AsyncConnection.connect(
            _conninfo(url, application_name), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as error:
        raise connection_failure(error, redact(url), secrets(url)) from error


def _conninfo(url: str, application_name: str) -> str:
    options: dict[str, Any] = {"fallback_application_name": application_name, **_KEEPALIVE, **_parse(url)}
    if "PGCONNECT_TIMEOUT" not in os.environ:
        options.setdefault("connect_timeout", CONNECT_TIMEOUT)
    options["client_encoding"] = "utf8"
    return make_conninfo("", **options)


def redact(url: str) -> str:
    """``url`` as it may be shown: who, where and which database; no password, no options."""
    try:
        options = _parse(url)
    except ConnectionFailed:
        return _HIDDEN
    user = f"{options['user']}@" if options.get("user") else ""
    database = f"/{options['dbname']}" if options.get("dbname") else ""
    hosts = (options.get("host") or options.get("hostaddr") or "").split(",")
    ports = (options.get("port") or "").split(",")
    if len(ports) < len(hosts):
        ports = ports * len(hosts) if len(ports) == 1 else [*ports, *[""] * len(hosts)]
    shown = ",".join(
        f"{_host(host)}:{port}" if port else _host(host) for host, port in zip(hosts, ports, strict=False)
    )
    service = f"?service={options['service']}" if options.get("service") else ""
    return escape(f"postgresql://{user}{shown}{database}{service}")


def secrets(url: str) -> list[str]:
    """The parts of ``url`` that must never be shown."""
    try:
        options = _parse(url)
    except ConnectionFailed:
        return [url]
    return [value for key, value in options.items() if value and "password" in key and key != "passfile"]


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _parse(url: str) -> dict[str, str]:
    """The options that ``url`` sets.

    A password with an unescaped ``@``, ``/`` or ``:`` still parses: its rest becomes the
    host, the port or the database's name, and would be shown. Such URLs are refused.

    Raises:
        ConnectionFailed: it cannot be understood; the message quotes nothing of it.
    """
    if not url.strip():
        raise ConnectionFailed("the database URL is empty", _HINT)
    if "\0" in url:  # where it would end for libpq
        raise ConnectionFailed("the database URL cannot be understood: a NUL character in it", _HINT)
    try:
        options = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except (psycopg.Error, UnicodeError):
        # `from None`: the driver's message quotes what it stumbled over.
        raise ConnectionFailed("the database URL cannot be understood", _HINT) from None
    scheme, separator, rest = url.partition("://")
    if separator and scheme in {"postgresql", "postgres"}:
        # libpq's rule: whatever stands before the first @ are credentials, unless a / comes sooner.
        place = rest.partition("@")[2] if "@" in rest.partition("/")[0] else rest
        if "@" in place.partition("?")[0]:
            raise ConnectionFailed("the database URL cannot be understood: a stray @ in it", _HINT)
    if not _PORTS.fullmatch(options.get("port", "")):
        raise ConnectionFailed("the database URL cannot be understood: its port is no number", _HINT)
    return options
