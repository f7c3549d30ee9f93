"""A shell session in a pseudo-terminal: what a reader would see, command by command."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

#: Printed by the shell after every command; no command of ours prints it.
_MARK = "\x1e"
#: The end of rowform's question, and what the reader types.
_QUESTION, _ANSWER = b"Only `yes` will do: ", b"yes\n"
_COLUMNS, _LINES = 120, 50
#: The file beside the directory with the URL of the application's database, which is `$COPY` there.
COPY = "copy.url"


def play(
    commands: Sequence[str], directory: Path, *, colour: bool = False, seconds: float = 300
) -> list[str]:
    """Run ``commands`` one after the other in one bash; the output of each, stderr included.

    Raises:
        TimeoutError: they take longer than ``seconds``.
        RuntimeError: the shell ended before the last of them.
    """
    script = "\n".join(
        f"{command.rstrip()}\n_status=$?; printf '\\036'; (exit $_status)" for command in commands
    )
    file = directory.parent / "session.sh"
    file.write_text(script, encoding="utf-8")
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
        process = subprocess.Popen(
            ["bash", "--norc", str(file)],
            cwd=directory,
            env=_environment(directory, colour=colour),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            output = _read(ours, process, time.monotonic() + seconds)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    finally:
        os.close(ours)
    outputs = output.replace("\r\n", "\n").split(_MARK)
    if len(outputs) != len(commands) + 1:
        raise RuntimeError(f"the session ended early, after:\n{output}")
    return outputs[:-1]


def _read(terminal: int, process: subprocess.Popen[bytes], deadline: float) -> str:
    output = b""
    while True:
        ended = process.poll() is not None
        ready, _, _ = select.select([terminal], [], [], 0 if ended else 0.2)
        if ready:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:  # how Linux says that nobody is left at the other end
                chunk = b""
            output += chunk
            if chunk:
                if output.endswith(_QUESTION):
                    os.write(terminal, _ANSWER)
                continue
            process.wait(timeout=10)
            return output.decode()
        if ended:
            return output.decode()
        if time.monotonic() > deadline:
            raise TimeoutError(f"the session takes too long; so far:\n{output.decode(errors='replace')}")


def _environment(directory: Path, *, colour: bool) -> Mapping[str, str]:
    """The reader's environment: nothing of rowform's or Git's from ours, fixed names and dates."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ROWFORM_", "GIT_", "PG", "MAKE", "PYTEST", "COV_")) and name != "MFLAGS"
    }
    terminal = {"TERM": "xterm-256color"} if colour else {"TERM": "xterm", "NO_COLOR": "1"}
    return {
        **{name: value for name, value in ours.items() if name != "NO_COLOR"},
        **terminal,
        **git_environment(directory.parent),
        "COPY": (directory.parent / COPY).read_text("utf-8"),
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TZ": "UTC",
    }


def git_environment(home: Path) -> Mapping[str, str]:
    """Git without anybody's configuration, and a person who commits."""
    return {
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PAGER": "cat",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "color.ui",
        "GIT_CONFIG_VALUE_0": "never",
        "GIT_AUTHOR_NAME": "Aiko Sato",
        "GIT_AUTHOR_EMAIL": "aiko@example.com",
        "GIT_COMMITTER_NAME": "Aiko Sato",
        "GIT_COMMITTER_EMAIL": "aiko@example.com",
    }


def edit_command(diff: str) -> str:
    """The shell command that makes the edit of a README's ``diff`` block."""
    script = Path(__file__).with_name("edit.py")
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} <<'END_OF_EDIT'\n{diff}END_OF_EDIT"
