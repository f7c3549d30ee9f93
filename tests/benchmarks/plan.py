"""`rowform plan` and `rowform --help` as whole processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import generated, octodns_zone
from tests.benchmarks.measuring import Command, Measured
from tests.benchmarks.results import Result
from tests.benchmarks.workspace import PYTHON, ROOT, ROWFORM, Prepared, Workspace

SMALL, LARGE = 10_000, 100_000
IMPORTS = "import pydantic, psycopg, click"
_CHANGED = "Plan: 0 to add, 1 to change, 0 to destroy."


def plan_10k(work: Workspace) -> Iterator[Result]:
    """10,000 settings, one changed; octoDNS with 10,000 records; the sum of what cannot be left out."""
    prepared = work.generated(SMALL)
    yaml_target, json_target = octodns_zone.write(work.directory / "octodns", SMALL)
    octodns = Path(ROWFORM).with_name("octodns-sync")
    if not octodns.exists():
        raise SystemExit("octoDNS is not installed here: `make bench` does that")

    def peer(configuration: Path) -> Command:
        run = ("env", f"PYTHONPATH={ROOT}", str(octodns), "--quiet", "--config-file", str(configuration))
        return Command(run, work.directory, "Summary: Creates=0, Updates=1, Deletes=0")

    found = work.launcher.interleaved(
        {
            "ours": prepared.rowform("plan", expected=_CHANGED),
            "peer": peer(yaml_target),
            "peer, JSON": peer(json_target),
            "floor": Command(
                (PYTHON, str(Path(__file__).with_name("floor.py")), str(prepared.config), prepared.url),
                work.directory,
                f"{SMALL} entries, {SMALL} rows",
            ),
        },
        work.rounds,
    )
    ours, floor = found["ours"], found["floor"]
    size = generated.size(prepared.config) / 1e6
    what = f"plan, 10,000 settings ({size:.1f} MB), 1 changed"
    yield _peer(what, ours, "octoDNS 1.22, 10,000 records, YAML against YAML", found["peer"], target=True)
    yield _peer(what, ours, "the same, YAML against JSON", found["peer, JSON"], target=False)
    yield _against(what, ours, "import, parse with ryaml, select", floor, 3)


def _peer(what: str, ours: Measured, name: str, peer: Measured, *, target: bool) -> Result:
    return Result(
        what,
        ours.shown(),
        name,
        peer.shown(),
        f"{peer.seconds / ours.seconds:.1f} x faster",
        "10 x faster, less memory" if target else "",
        ours.seconds * 10 <= peer.seconds and ours.peak < peer.peak if target else None,
    )


def plan_100k(work: Workspace) -> Iterator[Result]:
    """100,000 settings against 10,000, the start-up taken from both."""
    small, large = work.generated(SMALL), work.generated(LARGE)
    found = work.launcher.interleaved(
        {
            "large": large.rowform("plan", expected=_CHANGED),
            "small": small.rowform("plan", expected=_CHANGED),
            "start": Command((PYTHON, "-c", IMPORTS), work.directory),
        },
        max(3, work.rounds // 3),
    )
    large_net = found["large"].seconds - found["start"].seconds
    small_net = found["small"].seconds - found["start"].seconds
    yield Result(
        "plan, 100,000 settings, 1 changed",
        found["large"].shown(),
        "plan, 10,000 settings",
        found["small"].shown(),
        f"{large_net / small_net:.1f} x without start-up",
        "under 11 x",
        large_net < 11 * small_net,
    )


def plan_example(work: Workspace) -> Iterator[Result]:
    """The example configuration against the mere imports: nothing to do, and one setting changed."""
    prepared = work.example()
    unchanged = _unchanged(work, prepared)
    found = work.launcher.interleaved(
        {
            "changed": prepared.rowform("plan", expected=_CHANGED),
            "unchanged": unchanged,
            "imports": Command((PYTHON, "-c", IMPORTS), work.directory),
        },
        3 * work.rounds,
    )
    floor = found["imports"]
    for name, what in (("changed", "1 changed"), ("unchanged", "no changes")):
        yield _against(f"plan, example, {what}", found[name], f'python -c "{IMPORTS}"', floor, 2)


def _unchanged(work: Workspace, prepared: Prepared) -> Command:
    """A plan with nothing to do: the changed configuration, applied to a copy of the database."""
    url = work.databases.create(prepared.url)
    work.launcher.run(prepared.rowform("apply", "--auto-approve", expected="Apply complete!", url=url))
    return prepared.rowform("plan", expected="No changes. Settings match the configuration.", url=url)


def help_(work: Workspace) -> Iterator[Result]:
    """The console script's help."""
    found = work.launcher.interleaved(
        {
            "help": Command((ROWFORM, "--help"), work.directory, "Usage: rowform"),
            "click": Command((PYTHON, "-c", "import click"), work.directory),
        },
        3 * work.rounds,
    )
    yield _against("rowform --help", found["help"], 'python -c "import click"', found["click"], 1.5)


def _against(what: str, ours: Measured, name: str, floor: Measured, limit: float) -> Result:
    ratio = ours.seconds / floor.seconds
    return Result(
        what, ours.shown(), name, floor.shown(), f"{ratio:.2f} x", f"under {limit:g} x", ratio < limit
    )
