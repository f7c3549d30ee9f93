"""The tests' PostgreSQL: where the server comes from, and databases to use up.

``ROWFORM_TEST_DATABASE_URL`` (a superuser's), else a container where a Docker daemon answers,
else the embedded server. Every test gets a database of its own, cloned from one template.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Literal
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from rowform.store.embedded import embedded
from rowform.store.embedded.lock import FileLock

URL_VARIABLE = "ROWFORM_TEST_DATABASE_URL"
IMAGE = "postgres:18"

Source = Literal["url", "docker", "embedded"]


def prepare(url: str) -> None:
    """Make the schema of the template database: the one place that says how."""
    if find_spec("rowform.store.migrate") is None:
        return
    import_module("rowform.store.migrate").upgrade_database(url)


def choose_source() -> Source:
    """Where the server will come from. Quick, and never an error."""
    if os.environ.get(URL_VARIABLE):
        return "url"
    return "docker" if _docker_answers() else "embedded"


def describe(source: Source) -> str:
    """One line for pytest's header; without the URL, which may hold a password."""
    return {
        "url": f"given by {URL_VARIABLE}",
        "docker": f"container {IMAGE}",
        "embedded": "embedded PostgreSQL",
    }[source]


@contextmanager
def run_server(source: Source, directory: Path) -> Generator[str]:
    """A server for a test session. Yields a superuser's URL. The embedded one's files go to ``directory``."""
    if source == "url":
        yield os.environ[URL_VARIABLE]
    elif source == "docker":
        from testcontainers.postgres import PostgresContainer

        with PostgresContainer(IMAGE, driver=None) as container:
            yield container.get_connection_url()
    else:
        with embedded(directory / ".rowform", durable=False) as url:
            yield url


def make_directory() -> Path:
    """A new directory that an unprivileged server can pass through; pytest's own ones are closed."""
    directory = Path(tempfile.mkdtemp(prefix="rowform-test-")).resolve()
    directory.chmod(0o711)
    return directory


def remove_directory(directory: Path) -> None:
    """Delete ``directory`` once the embedded servers in it have stopped."""
    for lock in directory.rglob("server"):
        if lock.is_file() and lock.with_name("users").is_file():
            wait_until_stopped(lock.parent)
    shutil.rmtree(directory)


def wait_until_stopped(directory: Path, seconds: float = 30) -> None:
    """Wait until no process of the embedded server of ``directory`` is left; else the test fails."""
    with FileLock(directory / "server") as lock:
        lock.exclusive(time.monotonic() + seconds)


def is_running(directory: Path) -> bool:
    """Whether any process of the embedded server of ``directory`` is left."""
    with FileLock(directory / "server") as lock:
        return not lock.try_exclusive()


class Databases:
    """Creates and drops databases on a server. ``tag`` keeps parallel sessions' names apart."""

    def __init__(self, server_url: str, tag: str) -> None:
        self._server_url = server_url
        self._tag = tag
        self._connection = psycopg.connect(server_url, autocommit=True)
        self._names: list[str] = []

    def create(self, template: str | None = None) -> str:
        """The URL of a new database: empty, or a clone of the database of the URL ``template``."""
        name = f"rowform_test_{self._tag}_{token_hex(6)}"
        source = "template0" if template is None else _database_of(template)
        # FILE_COPY: 18 ms for a small schema, against 60 for the default WAL_LOG.
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._connection.execute(query.format(sql.Identifier(name), sql.Identifier(source)))
        self._names.append(name)
        return with_database(self._server_url, name)

    def drop(self, url: str) -> None:
        """Drop a database of ours, whoever is still connected to it."""
        name = _database_of(url)
        self._connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        self._names.remove(name)

    def close(self) -> None:
        """Drop what is left, and disconnect."""
        for name in tuple(self._names):
            self.drop(with_database(self._server_url, name))
        self._connection.close()


def with_database(url: str, name: str) -> str:
    """The same server and user, another database. Takes any conninfo, returns a URL."""
    options = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    options.pop("dbname", None)
    user, password = options.pop("user", ""), options.pop("password", None)
    account = quote(user, safe="") + ("" if password is None else ":" + quote(password, safe=""))
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""
    return f"postgresql://{account}@/{quote(name, safe='')}{query}"


def _database_of(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


def _docker_answers() -> bool:
    # os.path, because pathlib raises where a directory is closed.
    sockets = ("/var/run/docker.sock", os.path.expanduser("~/.docker/run/docker.sock"))  # noqa: PTH111
    if "DOCKER_HOST" not in os.environ and not any(map(os.path.exists, sockets)):
        return False  # without importing 300 ms of client
    try:
        client = import_module("docker").from_env(timeout=2)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except Exception:  # noqa: BLE001 - whatever is wrong with Docker, the embedded server does not need it
        return False
