"""Whom the server runs as, and where its files can be, given that PostgreSQL refuses to run as root.

As an ordinary user everything is simple: the server runs as that user, in ``.rowform/postgres``.

As root it runs as the owner of the directory where that is a real user (``sudo rowform`` in
somebody's checkout), else as ``nobody``. Other programs run as ``nobody`` too, therefore the
server's files stand in a directory that only root and a *group* without members can enter, and
the server alone is put into that group. The kernel asks for the same group before one process may
look into another, so sharing the user id with them gives nothing away.

Root's own directories are usually closed to ``nobody`` and stay so: where a directory cannot be
reached, the files go to ``/var/lib/rowform``, and ``.rowform/postgres.location`` says where.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from rowform.errors import EmbeddedError
from rowform.store.embedded.lock import write_file

SHARED_BASES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - ours is checked for its owner
_POINTER = "postgres.location"
_ORIGIN = "directory"
# A range that neither Debian nor systemd gives to anybody.
_PRIVATE_GROUPS = range(60706, 61184)


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group of the server. ``switch``: we are root, and it is not."""

    uid: int
    gid: int
    switch: bool

    @property
    def user(self) -> int | None:
        """For :class:`subprocess.Popen`, as the next two are."""
        return self.uid if self.switch else None

    @property
    def group(self) -> int | None:
        return self.gid if self.switch else None

    @property
    def extra_groups(self) -> list[int] | None:
        return [] if self.switch else None


@dataclass(frozen=True, slots=True)
class Home:
    """Where the server's files are: ``path`` is closed to other users; ``data`` is PostgreSQL's own."""

    path: Path
    account: Account

    @property
    def data(self) -> Path:
        return self.path / "data"


def locate(directory: Path) -> Home:
    """Find or choose the home of the database of ``directory``, and create it.

    In: the resolved ``.rowform`` directory, under its lock. Raises :class:`EmbeddedError`
    where it belongs to somebody else or cannot be made.
    """
    try:
        return _locate_as_root(directory) if os.geteuid() == 0 else _locate_as_user(directory)
    except OSError as error:
        raise EmbeddedError(
            f"cannot make a place for the embedded database of {directory}: {error}",
            "check the permissions and the free space, or give --database-url",
        ) from None


def make_private(path: Path, account: Account) -> None:
    """Create ``path``, or make an existing directory of ours, such that ``account`` alone can use it."""
    _make_directory(path, account.uid if account.switch else None, account.gid, 0o700)


def is_private(path: Path, uid: int) -> bool:
    """Whether ``path`` is a real directory of ``uid`` that nobody else can enter."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & 0o077


def reachable(path: Path, account: Account) -> bool:
    """Whether ``account`` may enter every directory above ``path``, and ``path`` (or execute it)."""
    path = path.resolve()
    return all(_may_enter(part, account) for part in (path, *path.parents))


def shared_base() -> Path:
    """Root's directory for what has to be reachable by others: everybody may enter, only root write."""
    for parent in SHARED_BASES:
        base = parent / "rowform"
        try:
            base.mkdir(mode=0o755, exist_ok=True)
            found = base.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == 0:
                base.chmod(0o755)
                return base
        except OSError:
            continue  # read-only, or no such parent on this system
    tried = " and ".join(str(parent / "rowform") for parent in SHARED_BASES)
    raise EmbeddedError(
        f"root's files are closed to the user that PostgreSQL has to run as, "
        f"and neither of {tried} can be used",
        "run rowform as an ordinary user, or give --database-url",
    )


def _locate_as_user(directory: Path) -> Home:
    path = directory / "postgres"
    account = Account(os.geteuid(), os.getegid(), switch=False)
    path.mkdir(mode=0o700, exist_ok=True)
    owner = path.stat().st_uid
    if owner != account.uid:
        raise EmbeddedError(
            f"the embedded database in {path} belongs to {_user_name(owner)}, not to you",
            "run rowform as that user, or delete the directory to start afresh",
        )
    try:
        pwd.getpwuid(account.uid)
    except KeyError:
        raise EmbeddedError(
            f"PostgreSQL cannot run as user id {account.uid}, which has no name on this system",
            "add it to /etc/passwd, or give --database-url",
        ) from None
    path.chmod(0o700)
    return Home(path, account)


def _locate_as_root(directory: Path) -> Home:
    inside = directory / "postgres"
    if (inside / "data").is_dir():
        return _existing(inside)
    pointed = _follow_pointer(directory)
    if pointed is not None:
        return (
            _existing(pointed) if (pointed / "data").is_dir() else _create(pointed, _account_for(directory))
        )
    account = _account_for(directory)
    if reachable(directory, account):
        try:
            return _create(inside, account)
        except OSError:
            pass  # a file system on which even root cannot give files away
    return _create(_point_elsewhere(directory), account)


def _existing(path: Path) -> Home:
    for part in (path, path / "data"):
        if part.is_symlink():
            raise EmbeddedError(f"{part} is a symlink, which root does not follow", "delete it")
    owner = (path / "data").stat()
    account = Account(owner.st_uid, owner.st_gid, switch=True)
    if account.uid == 0:
        raise EmbeddedError(
            f"the database files in {path} belong to root, and PostgreSQL refuses to run as root",
            "give them to the user that made them, or delete the directory to start afresh",
        )
    if not reachable(path, account):
        raise EmbeddedError(
            f"the embedded database in {path} runs as {_user_name(account.uid)}, "
            "who cannot reach it there any more",
            "move the directory back to where it was, or delete it to start afresh",
        )
    return Home(path, account)


def _create(path: Path, account: Account) -> Home:
    if account.gid in _PRIVATE_GROUPS:  # root keeps the directory, the server may only pass through
        _make_directory(path, 0, account.gid, 0o710)
    else:
        make_private(path, account)
    return Home(path, account)


def _make_directory(path: Path, uid: int | None, gid: int, mode: int) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    # Root does this in other people's checkouts, hence on the directory itself and not through a symlink.
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if uid is not None:
            os.fchown(fd, uid, gid)
        os.fchmod(fd, mode)
    finally:
        os.close(fd)


def _account_for(directory: Path) -> Account:
    owner = directory.stat().st_uid
    try:
        if owner != 0:
            return Account(owner, pwd.getpwuid(owner).pw_gid, switch=True)
    except KeyError:
        pass  # initdb refuses a user without a name
    try:
        return Account(pwd.getpwnam("nobody").pw_uid, _private_group(), switch=True)
    except KeyError:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root, and this system has no user `nobody`",
            "run rowform as an ordinary user, or give --database-url",
        ) from None


def _private_group() -> int:
    taken = {group.gr_gid for group in grp.getgrall()}
    return next(gid for gid in _PRIVATE_GROUPS if gid not in taken)


def _follow_pointer(directory: Path) -> Path | None:
    """The home elsewhere that belongs to ``directory``; none if there is none, or it is somebody else's."""
    try:
        name = (directory / _POINTER).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not re.fullmatch(r"[0-9a-f]{16}", name):  # a name and never a path: the file may come from anybody
        return None
    found = [home for parent in SHARED_BASES if (home := parent / "rowform" / name).is_dir()]
    if not found or found[0].stat().st_uid != 0:
        return None
    home = found[0]
    origin = Path(os.fsdecode((home / _ORIGIN).read_bytes()))
    if origin != directory:
        if (origin / _POINTER).is_file():
            return None  # `directory` is a copy, which gets a database of its own
        write_file(home / _ORIGIN, os.fsencode(directory))  # it was moved
    return home


def _point_elsewhere(directory: Path) -> Path:
    name = secrets.token_hex(8)
    home = shared_base() / name
    home.mkdir(mode=0o700)
    write_file(home / _ORIGIN, os.fsencode(directory))
    write_file(directory / _POINTER, f"{name}\n".encode())
    return home


def _may_enter(path: Path, account: Account) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _user_name(uid: int) -> str:
    try:
        return f"`{pwd.getpwuid(uid).pw_name}`"
    except KeyError:
        return f"user id {uid}"
