"""What a benchmark found, and the table of all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEADINGS = ("work", "ours", "beside", "figure", "ratio", "target", "met")


@dataclass(frozen=True, slots=True)
class Result:
    """One comparison.

    ``met`` is ``None`` for a figure without a target of its own.
    """

    work: str
    ours: str
    beside: str = ""
    figure: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        met = {True: "yes", False: "**no**", None: ""}[self.met]
        return (self.work, self.ours, self.beside, self.figure, self.ratio, self.target, met)


def table(results: Sequence[Result]) -> str:
    """A Markdown table."""
    rows = [HEADINGS, *(result.cells() for result in results)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(HEADINGS))]
    lines = [_line([cell.ljust(width) for cell, width in zip(row, widths, strict=True)]) for row in rows]
    return "\n".join([lines[0], _line(["-" * width for width in widths]), *lines[1:]])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
