"""Reading the config directory: regular files inside it and nothing else, without waiting for anything."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rowform.cli.main import main
from rowform.document import MAX_BYTES
from rowform.errors import UsageError
from rowform.files import read_config
from tests.support.builders import header, write

NOBODY = 65534
_SETTINGS = {"config/sakura/restaurant.yaml": header(), "config/sakura/a.yaml": "staff_groups: []\n"}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A valid config directory, ``config`` in the current one."""
    write(tmp_path, _SETTINGS)
    monkeypatch.chdir(tmp_path)
    return Path("config")


def problems(config: Path) -> list[str]:
    return [str(problem) for problem in read_config(config).problems]


def names(config: Path) -> list[str]:
    return ["/".join(file.parts) for file in read_config(config).files]


def validate(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = main(["validate"])
    return code, capsys.readouterr().out.splitlines()


# --- what is read --------------------------------------------------------------------------------


def test_files_in_order_with_their_bytes(config: Path) -> None:
    write(config, {"sakura/rules/b/c.yaml": "{}\n", "rowform.yaml": "# tool\n", "_d/x.yaml": b"\xff"})
    found = read_config(config)
    assert [(file.parts, file.shown, file.data) for file in found.files] == [
        (("_d", "x.yaml"), "config/_d/x.yaml", b"\xff"),
        (("sakura", "a.yaml"), "config/sakura/a.yaml", b"staff_groups: []\n"),
        (("sakura", "restaurant.yaml"), "config/sakura/restaurant.yaml", header().encode()),
        (("sakura", "rules", "b", "c.yaml"), "config/sakura/rules/b/c.yaml", b"{}\n"),
    ]
    assert found.tool is not None
    assert (found.tool.shown, found.tool.data) == ("config/rowform.yaml", b"# tool\n")
    assert found.folders == {"_d": "config/_d", "sakura": "config/sakura"}
    assert found.problems == []


def test_hidden_and_other_files_are_passed_over(config: Path) -> None:
    write(
        config, {".git/x.yaml": "[", "sakura/.x.yaml": "[", "sakura/x.yaml~": "[", "sakura/x.YAML.txt": "["}
    )
    write(config, {"README.md": "", "sakura/x.json": "["})
    assert names(config) == ["sakura/a.yaml", "sakura/restaurant.yaml"]
    assert problems(config) == []


def test_the_directory_may_be_a_link_and_have_any_name(config: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(config)
    assert names(Path("link")) == names(Path("../" + tmp_path.name + "/config")) == names(config)


def test_a_link_that_stays_inside_is_read(config: Path) -> None:
    write(config, {"_shared/groups.yaml": "staff_groups: [{name: Kitchen}]\n"})
    (config / "sakura/groups.yaml").symlink_to("../_shared/groups.yaml")
    assert "sakura/groups.yaml" in names(config)
    assert problems(config) == []


def test_the_current_directory(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config)
    write(Path(), {"sakura/b.yml": ""})
    assert read_config(Path()).folders == {"sakura": "sakura"}
    assert [file.shown for file in read_config(Path()).files] == ["sakura/a.yaml", "sakura/restaurant.yaml"]
    assert problems(Path()) == ["sakura/b.yml:1:1: is not read: its name ends in .yml (rename it to .yaml)"]


# --- what is refused -----------------------------------------------------------------------------


def test_no_directory(config: Path) -> None:
    for missing in ("konfig", "config/sakura/a.yaml"):
        with pytest.raises(UsageError) as caught:
            read_config(Path(missing))
        assert caught.value.message == f'there is no config directory "{missing}"'
        assert caught.value.hint == "`rowform init` makes one; --config-dir names another"


def test_an_empty_directory_is_no_configuration(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert problems(Path("empty")) == [
        "empty:1:1: there is no restaurant here (`rowform init --restaurant SLUG` adds one)"
    ]
    (config / "momiji").mkdir()
    assert validate(capsys) == (
        1,
        [
            (
                'config/momiji/restaurant.yaml:1:1: missing restaurant.yaml for the restaurant "momiji"'
                " (`rowform init --restaurant SLUG` writes one)"
            )
        ],
    )


def test_yml_is_named_and_not_read(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(config, {"sakura/b.yml": "[", "sakura/sub/c.yml": "[", "rowform.yml": "["})
    assert validate(capsys) == (
        1,
        [
            f"config/{name}:1:1: is not read: its name ends in .yml (rename it to .yaml)"
            for name in ("rowform.yml", "sakura/b.yml", "sakura/sub/c.yml")
        ],
    )


def test_a_link_that_leaves(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "outside.yaml").write_text("staff_groups: [{name: SECRET}]\n")
    # The same beginning of the path does not make it inside.
    (tmp_path / "config-other").mkdir()
    (tmp_path / "config-other/x.yaml").write_text("secret\n")
    (config / "sakura/b.yaml").symlink_to(tmp_path / "outside.yaml")
    (config / "sakura/c.yaml").symlink_to("../../outside.yaml")
    (config / "sakura/d.yaml").symlink_to("c.yaml")
    (config / "sakura/e.yaml").symlink_to("../../config-other/x.yaml")
    (config / "rowform.yaml").symlink_to("/etc/passwd")
    shown = [f"config/sakura/{name}.yaml" for name in "bcde"]
    assert validate(capsys) == (
        1,
        [
            f"{file}:1:1: is a symbolic link that leaves the config directory"
            for file in ("config/rowform.yaml", *shown)
        ],
    )


def test_links_to_directories(config: Path, tmp_path: Path) -> None:
    (config / "momiji").symlink_to("sakura")
    (config / "etc").symlink_to("/etc")
    (config / "sakura/loop").symlink_to("..")
    (config / "sakura/self.yaml").symlink_to(".")
    assert problems(config) == [
        f"config/{name}:1:1: is a symbolic link to a directory"
        for name in ("etc", "momiji", "sakura/loop", "sakura/self.yaml")
    ]


def test_links_that_lead_nowhere(config: Path) -> None:
    (config / "sakura/b.yaml").symlink_to("c.yaml")
    (config / "sakura/c.yaml").symlink_to("b.yaml")
    (config / "sakura/d.yaml").symlink_to("nothing.yaml")
    loop = r"config/sakura/{}.yaml:1:1: cannot be read: "
    found = problems(config)
    assert [line.startswith(loop.format(name)) for line, name in zip(found, "bcd", strict=True)] == [True] * 3
    assert all("loop" in line or "Too many levels of symbolic links" in line for line in found[:2])
    assert found[2] == "config/sakura/d.yaml:1:1: cannot be read: No such file or directory"


def test_a_fifo_is_not_waited_for(config: Path) -> None:
    os.mkfifo(config / "sakura/b.yaml")
    start = time.monotonic()
    assert problems(config) == ["config/sakura/b.yaml:1:1: is not a regular file"]
    assert time.monotonic() - start < 1


def test_a_socket(config: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("config/sakura/b.yaml")
        assert problems(config) == ["config/sakura/b.yaml:1:1: cannot be read: No such device or address"]


def test_a_device(config: Path) -> None:
    node = config / "sakura/b.yaml"
    try:
        os.mknod(node, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero: reading it would never end
    except PermissionError:
        node.symlink_to("/dev/zero")
        assert problems(config) == [f"{node}:1:1: is a symbolic link that leaves the config directory"]
        return
    found = problems(config)
    assert found in (
        [f"{node}:1:1: is not a regular file"],
        [f"{node}:1:1: cannot be read: Permission denied"],  # a file system mounted with nodev
    )


def test_a_directory_named_like_a_file(config: Path) -> None:
    (config / "sakura/b.yaml").mkdir()
    (config / "rowform.yaml").mkdir()
    write(config, {"sakura/b.yaml/c.yaml": "daily_limits: []\n"})
    assert names(config) == ["sakura/a.yaml", "sakura/b.yaml/c.yaml", "sakura/restaurant.yaml"]


@contextmanager
def as_somebody() -> Iterator[None]:
    """Root may read everything: be nobody for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that everybody may enter, unlike ``tmp_path``."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        monkeypatch.chdir(directory)
        yield directory


def test_unreadable(open_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(open_directory, _SETTINGS)
    write(open_directory, {"config/sakura/x/y.yaml": "{}\n", "config/momiji/restaurant.yaml": header()})
    hidden = [Path(f"config/{name}") for name in ("sakura/a.yaml", "sakura/x", "momiji/restaurant.yaml")]
    for path in hidden:
        path.chmod(0)
    with as_somebody():
        found = validate(capsys)
    for path in hidden:
        path.chmod(0o755)
    assert found == (
        1,
        [
            "config/momiji/restaurant.yaml:1:1: cannot be read: Permission denied",
            "config/sakura/a.yaml:1:1: cannot be read: Permission denied",
            "config/sakura/x:1:1: cannot be listed: Permission denied",
        ],
    )


# --- sizes ---------------------------------------------------------------------------------------


def test_a_huge_file_is_not_read(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (config / "sakura/b.yaml").open("wb") as file:
        file.truncate(200_000_000)
    tracemalloc.start()
    start = time.monotonic()
    found = validate(capsys)
    elapsed, (_, peak) = time.monotonic() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == (
        1,
        [
            (
                "config/sakura/b.yaml:1:1: has 200,000,000 bytes; the limit is 10,485,760"
                " (split it into several files)"
            )
        ],
    )
    assert elapsed < 1
    assert peak < 15_000_000


def test_the_limit_itself_is_fine(config: Path) -> None:
    start, line = b"staff_groups: []\n", b"#" * 99 + b"\n"
    full = start + line * ((MAX_BYTES - len(start)) // len(line))
    full += b"#" * (MAX_BYTES - len(full))
    write(config, {"sakura/b.yaml": full})
    assert problems(config) == []
    write(config, {"sakura/b.yaml": full + b"#"})
    assert problems(config) == [
        (
            "config/sakura/b.yaml:1:1: has 10,485,761 bytes; the limit is 10,485,760"
            " (split it into several files)"
        )
    ]


BOMBS = {
    "brackets": (
        b"staff_groups: " + b"[" * 100_000,
        "1:78: nested more than 64 levels deep",
    ),
    "braces": (
        b"staff_groups: " + b"{a: " * 100_000,
        "1:267: nested more than 64 levels deep",
    ),
    "one line": (
        b"staff_groups:\n  - description: " + b"x" * 5_000_000 + b"\n    name: Kitchen\n",
        "2:1: this line has 5,000,017 characters; the limit is 1,048,576",
    ),
    "billion laughs": (
        b"staff_groups:\n  - &a [x, x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"  - &%c [%s]\n" % (i + 1, b", ".join([b"*%c" % i] * 10)) for i in range(97, 122)),
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), BOMBS.values(), ids=BOMBS)
def test_bombs(data: bytes, expected: str | None, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(config, {"sakura/b.yaml": data})
    main(["validate"])  # imports are not what is measured
    capsys.readouterr()
    start = time.monotonic()
    code, lines = validate(capsys)
    elapsed = time.monotonic() - start
    tracemalloc.start()
    assert validate(capsys) == (code, lines)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code == 1
    if expected is not None:
        assert lines == [f"config/sakura/b.yaml:{expected}"]
    else:
        assert lines[-1].endswith(": aliases repeat too much: this file would grow beyond any use")
    assert elapsed < 1
    assert peak < 40_000_000


# --- names ---------------------------------------------------------------------------------------


def test_names_are_shown_escaped(config: Path) -> None:
    write(config, {"sakura/a\x1b[31m\nb.yml": "", "\u202eevil/restaurant.yaml": header()})
    assert problems(config) == [
        "config/sakura/a\\x1b[31m\\nb.yml:1:1: is not read: its name ends in .yml (rename it to .yaml)",
        (
            "config/\\u202eevil:1:1: a directory's name is a restaurant's slug"
            " (use letters, digits, dots, hyphens and underscores)"
        ),
    ]
    write(config, {"sakura/x\ny.yaml": "[]"})
    assert "config/sakura/x\\ny.yaml" in [file.shown for file in read_config(config).files]
    Path("new\nline").mkdir()
    Path("new\nline/momiji").mkdir(parents=True)
    assert list(read_config(Path("new\nline")).folders.values()) == ["new\\nline/momiji"]
    Path("new\nline/momiji").rmdir()
    assert problems(Path("new\nline")) == [
        "new\\nline:1:1: there is no restaurant here (`rowform init --restaurant SLUG` adds one)"
    ]


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("sakura", True), ("Sakura-2.0_x", True), ("_defaults", True), ("2nd", True), ("a" * 100, True),
     ("a" * 101, False), ("a b", False), ("料亭", False), ("__x", False), ("-x", False), ("_", False)],
)  # fmt: skip
def test_slugs(name: str, allowed: bool, config: Path) -> None:
    (config / name).mkdir(exist_ok=True)
    assert (problems(config) == []) is allowed
