"""Columns of text that line up, wide characters included."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence


def width(text: str) -> int:
    """How many terminal cells ``text`` takes (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Left-aligned columns, two spaces apart; the first row is the heading."""
    widths = [max(width(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        cells = (cell + " " * (room - width(cell)) for cell, room in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
