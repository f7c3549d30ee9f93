"""Measuring side by side: commands and functions in turn, medians of several rounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self, TypeVar

T = TypeVar("T")

_LAUNCHER = Path(__file__).with_name("launcher.py")
#: Variables that would change what is measured.
_UNWANTED = ("ROWFORM_", "PG", "PYTHON", "CI", "GITHUB_", "GIT_")


@dataclass(frozen=True, slots=True)
class Command:
    """A process to measure. ``expected`` must stand in what it prints, or the figure means nothing."""

    arguments: tuple[str, ...]
    directory: Path
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """The median time and the median peak memory (0 where it was not measured)."""

    seconds: float
    peak: int = 0

    def shown(self) -> str:
        time_shown = f"{self.seconds:.2f} s" if self.seconds >= 1 else f"{self.seconds * 1000:.0f} ms"
        return f"{time_shown}, {self.peak / 1e6:.0f} MB" if self.peak else time_shown


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of one command."""

    seconds: float
    peak: int
    out: str


class Launcher:
    """Starts commands from a small process and measures each one's time and peak memory."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, command: Command) -> Finished:
        """Run one command to its end.

        Raises:
            RuntimeError: it failed, or did not print what was expected.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {
            "arguments": command.arguments,
            "directory": str(command.directory),
            "environment": environment(),
        }
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if answer["code"] or command.expected not in answer["out"] + answer["err"]:
            shown = " ".join(command.arguments)
            raise RuntimeError(
                f"{shown}\nexit code {answer['code']}\n{answer['out'][-2000:]}\n{answer['err'][-2000:]}"
            )
        return Finished(answer["seconds"], answer["peak"], answer["out"])

    def interleaved(self, commands: Mapping[str, Command], rounds: int) -> dict[str, Measured]:
        """Measure all commands in turn, every other round backwards, after one round to warm up."""
        found: dict[str, list[Finished]] = {name: [] for name in commands}
        for number in range(rounds + 1):
            for name, command in _in_turn(commands, number):
                finished = self.run(command)
                if number:
                    found[name].append(finished)
        return {
            name: Measured(median(one.seconds for one in runs), int(median(one.peak for one in runs)))
            for name, runs in found.items()
        }


def alternating(functions: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Measured]:
    """As :meth:`Launcher.interleaved`, for functions that return how many seconds they took."""
    found: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(rounds + 1):
        for name, function in _in_turn(functions, number):
            seconds = function()
            if number:
                found[name].append(seconds)
    return {name: Measured(median(runs)) for name, runs in found.items()}


def timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _in_turn(things: Mapping[str, T], number: int) -> list[tuple[str, T]]:
    items = list(things.items())
    return items if number % 2 == 0 else items[::-1]


def environment() -> dict[str, str]:
    """The environment of whatever is measured: nothing in it that speeds up or slows down."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}
