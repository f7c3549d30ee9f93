"""`rowform pull` and `rowform fmt` as whole processes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.measuring import Command, Measured, alternating
from tests.benchmarks.plan import SMALL
from tests.benchmarks.results import Result
from tests.benchmarks.workspace import PYTHON, ROWFORM, Prepared, Workspace

_FLOOR = Path(__file__).with_name("floor.py")
_EVENTS = """
import sys, yaml
from pathlib import Path
count = 0
for file in Path(sys.argv[1]).rglob("*.yaml"):
    count += sum(1 for _ in yaml.parse(file.read_text("utf-8"), Loader=yaml.CSafeLoader))
print(count > 0)
"""


def pull(work: Workspace) -> Iterator[Result]:
    """10,000 settings: one that differs, and all of them into an empty directory."""
    prepared = work.generated(SMALL)
    empty = work.directory / "adopted"
    pulled = prepared.rowform("pull", expected="Pulled: 0 added, 1 changed, 0 removed in 1 file.")
    adopted = Command(
        (ROWFORM, "--config-dir", str(empty), "--database-url", prepared.url, "pull"),
        prepared.directory,
        f"Pulled: {SMALL:,} added, 0 changed, 0 removed",
    )
    found = alternating(
        {
            "one": _after(lambda: _restored(prepared), work, pulled),
            "all": _after(lambda: _emptied(empty), work, adopted),
            "plan": _after(
                lambda: _restored(prepared), work, prepared.rowform("plan", expected="1 to change")
            ),
            "floor": _after(lambda: _restored(prepared), work, _floor(prepared.config, prepared.url, SMALL)),
            "select": _after(lambda: _emptied(empty), work, _floor(empty, prepared.url, 0)),
        },
        work.rounds,
    )
    yield _beside("pull, 1 of 10,000 settings differs", found["one"], "plan of the same", found["plan"], 3)
    yield _beside(
        "pull, 1 of 10,000 settings differs", found["one"], "import, parse with ryaml, select", found["floor"]
    )
    yield _beside("pull of 10,000 into nothing", found["all"], "plan of the same", found["plan"], 3)
    yield _beside("pull of 10,000 into nothing", found["all"], "import, select", found["select"])


def fmt(work: Workspace) -> Iterator[Result]:
    """10,000 settings in canonical layout."""
    prepared = work.generated(SMALL)
    _restored(prepared)
    found = work.launcher.interleaved(
        {
            "ours": prepared.rowform("fmt", "--check", expected="0 files would be formatted"),
            "events": Command((PYTHON, "-c", _EVENTS, str(prepared.config)), work.directory, "True"),
        },
        work.rounds,
    )
    yield _beside("fmt --check of 10,000 settings", found["ours"], "libyaml's events, read", found["events"])


def _floor(config: Path, url: str, entries: int) -> Command:
    arguments = (PYTHON, str(_FLOOR), str(config), url)
    return Command(arguments, config.parent, f"{entries} entries, {SMALL} rows")


def _after(prepare: Callable[[], object], work: Workspace, command: Command) -> Callable[[], float]:
    """A function that measures a command after something that is not measured."""

    def run() -> float:
        prepare()
        return work.launcher.run(command).seconds

    return run


def _restored(prepared: Prepared) -> None:
    """The configuration as it was committed."""
    subprocess.run(["git", "checkout", "--quiet", "--", "."], cwd=prepared.directory, check=True)


def _emptied(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()


def _beside(what: str, ours: Measured, name: str, other: Measured, limit: float | None = None) -> Result:
    ratio = ours.seconds / other.seconds
    return Result(
        what,
        ours.shown(),
        name,
        other.shown(),
        f"{ratio:.2f} x",
        f"under {limit:g} x" if limit else "",
        ratio < limit if limit else None,
    )
