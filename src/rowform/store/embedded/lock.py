"""Locks on files. The kernel drops them when their holder dies, whatever it died of."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from rowform.errors import EmbeddedError

# A poll rather than a blocking call: only so can waiting end with an error that says what it waited for.
INTERVAL = 0.01


class FileLock:
    """One file, open for locking by this object alone; a context manager that closes it.

    The descriptor is not inherited by children, so no child can keep a lock of ours.
    """

    def __init__(self, path: Path) -> None:
        """Open (or create) ``path``; never through a symlink. Raises :class:`EmbeddedError`."""
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self.fd = os.open(path, flags, 0o600)
            adopt_owner(self.fd, path.parent)
        except OSError as error:
            raise EmbeddedError(
                f"cannot open the lock file {path}: {error.strerror}",
                f"{path.parent} must belong to you; or give --database-url",
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock and the file back. Twice does no harm."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def try_exclusive(self) -> bool:
        """Whether the lock is now ours alone; false while anybody else has it."""
        return self._try(fcntl.LOCK_EX)

    def release(self) -> None:
        """Unlock, keep the file open."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def exclusive(self, deadline: float) -> None:
        """Wait for the lock, until ``deadline`` by :func:`time.monotonic`; then :class:`EmbeddedError`."""
        self._wait(fcntl.LOCK_EX, deadline)

    def shared(self, deadline: float) -> None:
        """As :meth:`exclusive`, but others may share."""
        self._wait(fcntl.LOCK_SH, deadline)

    def _wait(self, how: int, deadline: float) -> None:
        while not self._try(how):
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"another process has been starting or stopping the embedded database for too long: "
                    f"it holds {self.path}",
                    "end that process, or give --database-url",
                )
            time.sleep(INTERVAL)

    def _try(self, how: int) -> bool:
        try:
            fcntl.flock(self.fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise EmbeddedError(
                f"cannot lock {self.path}: {error.strerror}",
                "the embedded database needs a local file system; or give --database-url",
            ) from None
        return True


def write_file(path: Path, content: bytes) -> None:
    """Replace a small file, for the owner of its directory; never through a symlink. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        adopt_owner(file.fileno(), path.parent)
        file.write(content)


def adopt_owner(fd: int, directory: Path) -> None:
    """Hand a new file that root made to the owner of its directory, who may come back without root."""
    if os.geteuid() != 0:
        return
    wanted, actual = directory.stat(), os.fstat(fd)
    if actual.st_uid != wanted.st_uid:
        os.fchown(fd, wanted.st_uid, wanted.st_gid)
