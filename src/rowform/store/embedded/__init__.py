"""A PostgreSQL of one's own, without any set-up: ``with embedded(Path(".rowform")) as url``.

Concurrent processes share one server; it stops when the last of them leaves, dead or alive. How:

* ``.rowform/lock`` serialises starting and stopping.
* ``.rowform/users`` is locked in shared mode by every user of the server for as long as it uses it.
* ``.rowform/supervisor`` is locked by :mod:`rowform.store.embedded.supervisor`, which started the
  server, waits for ``users`` to become free and then stops it.
* ``.rowform/server`` is locked by the server's own processes, so that "is any of them left?" has an
  answer that no process id can give. That the server works is then proved by connecting.

All of these are kernel locks on open files: a ``kill -9`` of anybody leaves nothing stale behind.
A server whose supervisor was killed is adopted by the next user.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from rowform.errors import EmbeddedError

if TYPE_CHECKING:
    from rowform.store.embedded.account import Home
    from rowform.store.embedded.lock import FileLock

_PATIENCE = 60.0
_LOG = "postgres.log"
_LOG_LIMIT = 1_000_000
_TAIL = 15


@contextmanager
def embedded(directory: Path, *, durable: bool = True) -> Generator[str]:
    """The URL of the embedded database whose files belong to ``directory``, for the time of the block.

    The server is started unless it runs, its files are made unless they exist. ``durable=False``
    trades safety against a power failure for speed, which suits tests; where several processes
    share the server, the one that starts it decides. Raises :class:`EmbeddedError`.
    """
    if sys.platform == "win32":
        raise EmbeddedError(
            "there is no embedded database on Windows",
            "give --database-url, or run rowform in WSL",
        )
    from rowform.store.embedded.lock import FileLock

    directory = _make_directory(directory)
    deadline = time.monotonic() + _PATIENCE
    with FileLock(directory / "users") as users:
        with FileLock(directory / "lock") as lock:
            lock.exclusive(deadline)
            users.shared(deadline)
            url = _attach(directory, lock, durable, deadline)
        yield url


@dataclass(frozen=True, slots=True)
class _Server:
    """The server of ``directory``, running or not. ``starting`` is held by whoever starts or stops it."""

    directory: Path
    home: Home
    lock: FileLock
    starting: FileLock

    @property
    def log(self) -> Path:
        return self.directory / _LOG


def _attach(directory: Path, starting: FileLock, durable: bool, deadline: float) -> str:
    """Find or start the server. The caller holds ``starting``, which is ``lock``, and ``users``."""
    from rowform.store.embedded.account import locate
    from rowform.store.embedded.cluster import DATABASE, scratch_directory, socket_directory
    from rowform.store.embedded.lock import FileLock

    with FileLock(directory / "server") as server_lock, FileLock(directory / "supervisor") as supervisor:
        server = _Server(directory, locate(directory), server_lock, starting)
        if not _wait_until_alive(server, deadline):
            offset = _start(server, durable)
            if not _wait_until_alive(server, deadline):
                raise EmbeddedError(
                    f"the embedded database did not start; {server.log} says:\n{_tail(server.log, offset)}",
                    "give --database-url if this cannot be put right",
                )
        elif supervisor.try_exclusive():
            supervisor.release()  # somebody killed the supervisor and not the server
            _supervise(server, None, scratch_directory(server.home))
        socket = socket_directory(server.home)
    if socket is None:
        raise EmbeddedError("the embedded database's socket has just disappeared", "try again")
    return _url(socket, DATABASE)


def _wait_until_alive(server: _Server, deadline: float) -> bool:
    """True once the server has accepted a connection, false once none of its processes is left."""
    from rowform.store.embedded.lock import INTERVAL

    problem = "it never opened its socket"
    while True:
        if server.lock.try_exclusive():
            server.lock.release()
            return False
        failure = _connect(server.home)
        if failure is None:
            return True
        problem = failure or problem
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"the embedded database runs but does not answer: {problem}; see {server.log}",
                "end the processes that use it and try again, or give --database-url",
            )
        time.sleep(INTERVAL)


def _connect(home: Home) -> str | None:
    """Connect, and make the database if it is missing: none if that worked, else what went wrong."""
    import psycopg
    from psycopg import sql

    from rowform.store.embedded.cluster import DATABASE, socket_directory

    socket = socket_directory(home)
    if socket is None:
        return ""
    try:
        # "postgres" exists in every cluster, so a crash between initdb and CREATE DATABASE does no harm.
        with psycopg.connect(_url(socket, "postgres"), connect_timeout=5, autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, [DATABASE]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.Error as error:
        return str(error).strip()
    return None


def _url(socket: Path, database: str) -> str:
    from rowform.store.embedded.cluster import PORT, ROLE

    # The port is named because the environment's PGPORT would count otherwise.
    return f"postgresql://{ROLE}@/{database}?host={quote(str(socket), safe='')}&port={PORT}"


def _start(server: _Server, durable: bool) -> int:
    """Start a server where none is left. Returns where in the log its messages begin."""
    from rowform.store.embedded.binaries import find
    from rowform.store.embedded.cluster import command, prepare

    home = server.home
    binaries = find(home.account)
    if not server.lock.try_exclusive():
        raise EmbeddedError("something else has just started the embedded database", "try again")
    scratch = prepare(home, binaries, durable, server.lock.fd)
    server.lock.release()
    log = _open_log(server.log)
    try:
        offset = os.fstat(log).st_size
        if offset > _LOG_LIMIT:
            os.ftruncate(log, 0)
            offset = 0
    finally:
        os.close(log)
    _supervise(server, command(home, binaries, durable), scratch, offset)
    return offset


def _supervise(
    server: _Server, command: list[str] | None, scratch: Path | None, offset: int | None = None
) -> None:
    """Start a supervisor, with a server or (``command`` is none) for the one that runs.

    ``scratch`` is what it deletes when the server has stopped; ``offset`` is where in the
    log its messages begin, by default at the log's present end.
    """
    from rowform.store.embedded.cluster import cannot_run, environment

    account = server.home.account
    order = {
        "directory": str(server.directory),
        "starting": server.starting.fd,
        "data": str(server.home.data),
        "command": command,
        "environment": environment(),
        "user": account.user,
        "group": account.group,
        "scratch": None if scratch is None else str(scratch),
    }
    script = Path(__file__).with_name("supervisor.py")
    log = _open_log(server.log)
    begin = os.fstat(log).st_size if offset is None else offset
    try:
        answer = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(script), json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,  # closed once it has answered, though it lives on
            stderr=log,
            cwd="/",
            start_new_session=True,  # or Ctrl-C in our terminal would reach the server, too
            pass_fds=[server.starting.fd],
            check=False,
        ).stdout.decode()
    except OSError as error:
        answer = str(error)
    finally:
        os.close(log)
    if answer == "ok":
        return
    if answer:
        raise cannot_run(answer, account)
    raise EmbeddedError(
        f"cannot supervise the embedded database; {server.log} says:\n{_tail(server.log, begin)}",
        "give --database-url",
    )


def _open_log(path: Path) -> int:
    """The log, open for appending; begun anew once it has grown large. Raises :class:`EmbeddedError`."""
    from rowform.store.embedded.lock import adopt_owner

    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        adopt_owner(fd, path.parent)
    except OSError as error:
        raise _no_place(path, error) from None
    return fd


def _make_directory(directory: Path) -> Path:
    """Create ``.rowform`` with a ``.gitignore`` of its own; returns its absolute path."""
    from rowform.store.embedded.lock import adopt_owner

    try:
        try:
            directory.mkdir(parents=True)
            if os.geteuid() == 0:  # under sudo, what we make belongs to the checkout's owner
                owner = directory.parent.stat()
                os.chown(directory, owner.st_uid, owner.st_gid)
        except FileExistsError:
            pass
        directory = directory.resolve()
        try:
            with (directory / ".gitignore").open("x", encoding="ascii") as file:
                file.write("*\n")
                adopt_owner(file.fileno(), directory)
        except FileExistsError:
            pass
    except OSError as error:
        raise _no_place(directory, error) from None
    return directory


def _no_place(path: Path, error: OSError) -> EmbeddedError:
    return EmbeddedError(
        f"cannot write {path} for the embedded database: {error.strerror}",
        "check the permissions and the free space, or give --database-url",
    )


def _tail(path: Path, offset: int) -> str:
    """The last lines of the log since ``offset``, fit for a terminal."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            lines = file.read().decode("utf-8", "replace").splitlines()[-_TAIL:]
    except OSError:
        lines = []
    shown = ["".join(letter if letter.isprintable() else " " for letter in line) for line in lines]
    return "\n".join(f"  {line}" for line in shown) or "  (nothing)"
