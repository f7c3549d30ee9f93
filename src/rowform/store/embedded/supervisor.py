"""The process that runs the embedded server, and stops it when its last user has left.

It is started as a script by :mod:`rowform.store.embedded` and imports the standard library only, so
that it is up in milliseconds. Every user of the server holds a shared lock on the file ``users``, which
the kernel drops whatever the process dies of. This process simply waits for an exclusive one: no
polling, no process ids, and a ``kill -9`` counts as leaving.

The server itself, and nothing else, inherits a lock on the file ``server``; it is free exactly when
no process of the server is left. Starting and stopping happen under the file ``lock``.
"""

# pathlib would take as long to import as everything else here:
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import NoReturn, TypedDict

# Fast shutdown ends the sessions and writes a checkpoint; if that takes longer, the log must do.
_PATIENCE = 30.0


class Order(TypedDict):
    """What to do, as JSON in the only argument. ``command`` is null to adopt a running server.

    ``starting`` is the starter's open ``lock``, which is kept until the server is locked: nobody starts
    another one, even if the starter is killed meanwhile.
    """

    directory: str
    starting: int
    data: str
    command: list[str] | None
    environment: dict[str, str]
    user: int | None
    group: int | None
    scratch: str | None


def main() -> int:
    """Start the server and say ``ok`` or what went wrong on stdout; then stay until nobody needs it."""
    order: Order = json.loads(sys.argv[1])
    if os.fork():
        os._exit(0)  # whoever started us collects this one, init the other
    lock, users, server, alive = (_open(order, name) for name in ("lock", "users", "server", "supervisor"))
    fcntl.flock(alive, fcntl.LOCK_SH)
    child: subprocess.Popen[bytes] | None = None
    if order["command"] is not None:
        try:
            child = _start(order, order["command"], server)
        except OSError as error:
            _report(f"{error.errno} {error}")
            return 1
        finally:
            os.close(server)  # the server's processes alone keep it locked
        server = _open(order, "server")
        threading.Thread(target=_leave_with, args=(child, order), daemon=True).start()
    signal.signal(signal.SIGTERM, _terminated)
    _report("ok")
    os.close(order["starting"])
    with contextlib.suppress(SystemExit):  # told to go: stop the server all the same
        _wait_for_last_user(lock, users)
    _stop(order, server, child)
    _clean(order)
    return 0


def _open(order: Order, name: str) -> int:
    path = os.path.join(order["directory"], name)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _report(text: str) -> None:
    """Answer, and give up the pipe: its end is what the starter waits for."""
    with contextlib.suppress(BrokenPipeError):  # the starter was killed; the server goes when nobody uses it
        os.write(1, text.encode())
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.close(null)


def _start(order: Order, command: list[str], server: int) -> subprocess.Popen[bytes]:
    fcntl.flock(server, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return subprocess.Popen(  # noqa: S603 - the wheel's own program
        command,
        stdin=subprocess.DEVNULL,
        stdout=2,  # the log
        stderr=2,
        cwd="/",
        env=order["environment"],
        user=order["user"],
        group=order["group"],
        extra_groups=None if order["user"] is None else [],
        pass_fds=[server],
    )


def _leave_with(child: subprocess.Popen[bytes], order: Order) -> NoReturn:
    """When the server ends, however it does, there is nothing left to supervise."""
    child.wait()
    _clean(order)
    os._exit(0)


def _clean(order: Order) -> None:
    if order["scratch"] is not None:
        shutil.rmtree(order["scratch"], ignore_errors=True)


def _wait_for_last_user(lock: int, users: int) -> None:
    while True:
        fcntl.flock(users, fcntl.LOCK_EX)
        # Given back at once: a newcomer holds `lock` while it asks for `users`.
        fcntl.flock(users, fcntl.LOCK_UN)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(lock, fcntl.LOCK_UN)  # somebody came in between
        else:
            return  # with both locks held: who comes now waits until we are gone


def _stop(order: Order, server: int, child: subprocess.Popen[bytes] | None) -> None:
    started = time.monotonic()
    step, steps = 0, (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
    while not _is_gone(server):
        if step < len(steps) and time.monotonic() >= started + step * _PATIENCE:
            pid = child.pid if child is not None else _server_pid(order)
            if pid is not None:
                _send(pid, steps[step])
                step += 1
        time.sleep(0.005)


def _is_gone(server: int) -> bool:
    try:
        fcntl.flock(server, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _server_pid(order: Order) -> int | None:
    """The process id that the server wrote; to be trusted only while the ``server`` lock is held."""
    try:
        with open(os.path.join(order["data"], "postmaster.pid"), encoding="utf-8", errors="replace") as file:
            pid = int(file.readline())
    except (OSError, ValueError):
        return None
    return pid if pid > 1 else None


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(OSError):  # it is going already
        os.kill(pid, number)


def _terminated(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
