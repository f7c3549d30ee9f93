"""``rowform serve`` in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.project import Project

_PATIENCE = 30.0
_ADDRESS = re.compile(r"serving on http://127\.0\.0\.1:(\d+)")


class Serving:
    """A server on a free port, which it keeps when it is started again."""

    def __init__(
        self, project: Project, options: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ):
        self._project = project
        self._options = options
        self._environment = {**os.environ, "ROWFORM_DATABASE_URL": project.url, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.log: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def start(self) -> None:
        """Start it, and wait until it listens for activations."""
        config = Path(self._project.directory) / "config"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "rowform", "--config-dir", str(config)),
                *("serve", "--port", str(self.port), *self._options),
            ],
            env=self._environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        ready = threading.Event()
        threading.Thread(target=self._read, args=(self._process, ready), daemon=True).start()
        assert ready.wait(_PATIENCE), self.log
        assert self.port, self.log

    def _read(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self.log.append(line)
                if match := _ADDRESS.search(line):
                    self.port = int(match[1])
                if "listening for activations" in line:
                    ready.set()
        ready.set()

    def stop(self) -> int:
        """End it in good order; the exit code."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        return process.wait(_PATIENCE)

    def restart(self) -> None:
        self.stop()
        self.start()


def settings_of(group: str, more: str = "") -> str:
    """A file with one staff group, and whatever else."""
    config = "group_config: {members: [料理長, 井関]}"
    return f"staff_groups: [{{name: {group}, color: '#3B82F6', {config}}}]\n{more}"


def script(name: str) -> str:
    """A function to be called in a page."""
    file = Path(__file__).parent.parent / "browser" / "scripts" / f"{name}.js"
    return file.read_text(encoding="utf-8").partition("*/\n")[2]
