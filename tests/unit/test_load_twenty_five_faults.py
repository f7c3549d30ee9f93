"""25 faults in 6 files are 25 lines, each with the place that a comment in the file marks.

A marker stands at the end of its line: ``# fault TEXT | MESSAGE``, several separated by ``;;``. The fault is
at TEXT in that same line; MESSAGE is how its message begins.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "faults" / "twenty-five-faults"


def marked() -> list[tuple[str, str]]:
    """Place and beginning of the message of every fault, in order of place."""
    found: list[tuple[str, int, int, str]] = []
    for file in sorted(FOLDER.glob("config/**/*.yaml")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            code, _, markers = line.partition("# fault ")
            for marker in markers.split(" ;; ") if markers else ():
                text, _, message = marker.partition(" | ")
                assert code.count(text) == 1, line
                name = file.relative_to(FOLDER).as_posix()
                found.append((name, number, code.index(text) + 1, message))
    return [(f"{file}:{line}:{column}: ", message) for file, line, column, message in sorted(found)]


def test_twenty_five_faults_in_six_files() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "rowform", "validate"],
        cwd=FOLDER,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = process.stdout.splitlines()
    wanted = marked()
    assert len(wanted) == len(lines) == 25
    assert len(list(FOLDER.glob("config/**/*.yaml"))) == 6
    for line, (place, message) in zip(lines, wanted, strict=True):
        assert line.startswith(place + message), line
    assert process.stderr == "Error: 25 problems in the configuration\n"
    assert process.returncode == 1
