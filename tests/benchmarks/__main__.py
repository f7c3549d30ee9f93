"""``python -m tests.benchmarks [WORK]...`` from the repository's root."""

from __future__ import annotations

import argparse
import importlib
import sys

from tests.benchmarks.results import Result, table
from tests.benchmarks.workspace import workspace

#: Where each work is; imported when it is asked for.
WORKS = {
    "plan-10k": "plan:plan_10k",
    "plan-100k": "plan:plan_100k",
    "plan-example": "plan:plan_example",
    "help": "plan:help_",
    "apply-one": "apply:apply_one",
    "apply-10k": "apply:apply_10k",
    "read": "reading:read",
    "direct": "versions:direct_writes",
    "activate": "versions:activate",
    "pull": "pull:pull",
    "fmt": "pull:fmt",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Compare with peers and floors."
    )
    parser.add_argument(
        "works", nargs="*", metavar="WORK", help=f"{', '.join(WORKS)}; all of them by default"
    )
    parser.add_argument("--rounds", type=int, default=7, help="how often everything is measured (7)")
    given = parser.parse_args()
    unknown = set(given.works) - set(WORKS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there is {', '.join(WORKS)}")
    results: list[Result] = []
    with workspace(given.rounds) as work:
        for name in given.works or WORKS:
            sys.stderr.write(f"{name} ...\n")
            module, _, function = WORKS[name].partition(":")
            results.extend(getattr(importlib.import_module(f"tests.benchmarks.{module}"), function)(work))
    sys.stdout.write(table(results) + "\n")
    return int(any(result.met is False for result in results))


sys.exit(main())
