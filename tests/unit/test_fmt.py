"""``rowform fmt`` as a command: which files, what it prints, what it leaves alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from rowform.cli.main import main
from tests.support.builders import header, write

ROOT = Path(__file__).parents[2]
UGLY = "staff_groups:\n- color: '#fff'  # c\n  name: 'A'\n"
CANONICAL = 'staff_groups:\n  - name: A\n    color: "#fff"  # c\n'
FILES = {
    "config/sakura/restaurant.yaml": header(),
    "config/sakura/ugly.yaml": UGLY,
    "config/sakura/deep/fine.yaml": "daily_limits: []\n",
    "config/_defaults/ugly.yaml": UGLY,
    "config/rowform.yaml": "thresholds: {delete_count: 3}\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write(tmp_path, FILES))
    assert main(["fmt", "-r", "sakura"]) == 0
    write(tmp_path, {"config/sakura/ugly.yaml": UGLY})
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["fmt", *arguments])
    return (code, *capsys.readouterr())


def snapshot(directory: Path) -> dict[Path, tuple[bytes, int, int]]:
    files = [file for file in directory.rglob("*") if file.is_file()]
    return {file: (file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino) for file in files}


def test_files_are_rewritten_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(project)
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "config/rowform.yaml",
        "config/_defaults/ugly.yaml",
        "config/sakura/ugly.yaml",
        "3 files formatted, 2 unchanged.",
    ]
    assert (project / "config/sakura/ugly.yaml").read_text() == CANONICAL
    assert (project / "config/rowform.yaml").read_text() == "thresholds:\n  delete_count: 3\n"
    after = snapshot(project)
    assert {file.name for file in after if after[file] != before[file]} == {"ugly.yaml", "rowform.yaml"}
    assert after.keys() == before.keys()
    assert run(capsys) == (0, "0 files formatted, 5 unchanged.\n", "")
    assert snapshot(project) == after


def test_some_directories(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "-r", "sakura")[1] == "config/sakura/ugly.yaml\n1 file formatted, 2 unchanged.\n"
    assert run(capsys, "-r", "_defaults")[1] == "config/_defaults/ugly.yaml\n1 file formatted, 0 unchanged.\n"
    assert run(capsys, "-r", "sakur") == (
        1,
        "",
        'Error: there is no directory "sakur" in the configuration\nHint: did you mean `sakura`?\n',
    )


def test_check(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(project)
    assert run(capsys, "--check", "-r", "sakura") == (
        1,
        "config/sakura/ugly.yaml\n1 file would be formatted, 2 unchanged.\n",
        "Error: 1 file is not in canonical layout\nHint: run `rowform fmt` and commit the result\n",
    )
    assert snapshot(project) == before
    assert run(capsys)[0] == 0
    assert run(capsys, "--check") == (0, "0 files would be formatted, 5 unchanged.\n", "")


def test_diff_is_a_patch(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "config/sakura/ugly.yaml"
    file.write_text(UGLY.removesuffix("\n"))
    before = snapshot(project)
    code, out, err = run(capsys, "--diff")
    assert (code, err) == (0, "3 files would be formatted, 2 unchanged.\n")
    assert "\\ No newline at end of file\n" in out
    assert snapshot(project) == before
    assert run(capsys, "--diff", "--check")[:2] == (1, out)
    subprocess.run(["git", "apply", "-p0"], input=out, text=True, check=True)
    assert file.read_text() == CANONICAL
    assert run(capsys, "--diff") == (0, "", "0 files would be formatted, 5 unchanged.\n")


def test_a_diff_shows_what_a_terminal_would_obey(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "config/sakura/ugly.yaml").write_bytes(b"# one\rstaff_groups: []\r\n")
    out = run(capsys, "--diff", "-r", "sakura")[1]
    assert "-# one\\rstaff_groups: []\\r\n" in out
    assert "\r" not in out


def test_what_cannot_be_read_is_reported_and_the_others_formatted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = project / "config/sakura/bad.yaml"
    bad.write_text("staff_groups: [")
    (project / "config/sakura/link.yaml").symlink_to("/etc/hostname")
    os.mkfifo(project / "config/_defaults/pipe.yaml")
    expected = [
        'config/sakura/bad.yaml:1:15: "[" is never closed',
        "config/sakura/link.yaml:1:1: is a symbolic link that leaves the config directory",
        "Error: 2 problems in the configuration",
    ]
    code, out, err = run(capsys, "-r", "sakura")
    assert (code, out) == (1, "config/sakura/ugly.yaml\n1 file formatted, 2 unchanged.\n")
    assert err.splitlines() == expected
    assert bad.read_text() == "staff_groups: ["
    code, out, err = run(capsys, "--check")
    assert (code, err.splitlines()[0]) == (1, "config/_defaults/pipe.yaml:1:1: is not a regular file")


def test_a_configuration_that_is_not_valid_is_formatted_all_the_same(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "config/sakura/ugly.yaml").write_text("staff_group:\n- nam: 'A'\n")
    assert run(capsys, "-r", "sakura")[0] == 0
    assert (project / "config/sakura/ugly.yaml").read_text() == "staff_group:\n  - nam: A\n"


def test_modes_and_links_stay(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, link = project / "config/sakura/ugly.yaml", project / "config/sakura/another.yaml"
    file.chmod(0o640)
    link.symlink_to("ugly.yaml")
    assert run(capsys, "-r", "sakura")[1] == "config/sakura/another.yaml\n1 file formatted, 2 unchanged.\n"
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert file.read_text() == CANONICAL


def test_what_cannot_be_written_stays(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(_: Path, __: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", replace)
    before = snapshot(project)
    code, out, err = run(capsys, "-r", "sakura")
    assert (code, out) == (1, "0 files formatted, 2 unchanged.\n")
    assert err.startswith("config/sakura/ugly.yaml:1:1: cannot be written: Permission denied\n")
    assert snapshot(project) == before


def test_what_init_writes_and_the_example_are_canonical(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    assert main(["init", "--restaurant", "new"]) == 0
    code, out, err = run(capsys, "--check")
    assert (code, err) == (0, "")
    assert out.startswith("0 files would be formatted, ")
