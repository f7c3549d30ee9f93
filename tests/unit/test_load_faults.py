"""Config directories with faults, one folder each, and every line that `rowform validate` says of them.

``expected.txt`` is the command's stdout; ``expected-strict.txt``, where there is one, that with ``--strict``.
``ROWFORM_UPDATE_GOLDEN=1`` rewrites them: read the difference before you commit it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rowform.cli.main import main
from tests.support.golden import check_golden

FAULTS = Path(__file__).parents[1] / "faults"
CASES = sorted(path for path in FAULTS.glob("*/expected*.txt"))
_LINE = re.compile(r"(config(?:/[^:]+)?):([1-9]\d*):([1-9]\d*): (warning: )?\S.*")
_SUMMARY = re.compile(r"\d+ restaurants?, \d+ settings?, (no problems|\d+ warnings?)\.")


def test_every_folder_has_its_expectation() -> None:
    assert {path.parent.name for path in CASES} == {path.name for path in FAULTS.iterdir() if path.is_dir()}


@pytest.mark.parametrize("expected", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_fault(expected: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(expected.parent)
    strict = ["--strict"] if expected.stem == "expected-strict" else []
    code = main(["validate", *strict])
    out, err = capsys.readouterr()
    lines = out.splitlines()
    if _SUMMARY.fullmatch(lines[-1]):
        summary = lines.pop()
        assert (code, err) == (0, "")
        assert all(": warning: " in line for line in lines)
        assert summary.endswith(
            f"{len(lines)} warning{'s' * (len(lines) != 1)}." if lines else "no problems."
        )
    else:
        noun = "problem" if len(lines) == 1 else "problems"
        assert (code, err) == (1, f"Error: {len(lines)} {noun} in the configuration\n")
    positions = [_position(line) for line in lines]
    assert positions == sorted(positions)
    check_golden(expected, out)


def _position(line: str) -> tuple[str, int, int]:
    """The file, line and column that a line names; that place must exist."""
    match = _LINE.fullmatch(line)
    assert match, line
    file, row, column = match[1], int(match[2]), int(match[3])
    if Path(file).is_file():
        written = Path(file).read_text(encoding="utf-8").split("\n")
        assert row <= len(written)
        assert column <= len(written[row - 1]) + 1
    else:
        assert (row, column) == (1, 1)
    return file, row, column
