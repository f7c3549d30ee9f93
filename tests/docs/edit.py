"""Makes the edit that a ``diff`` block of the README shows: stdin is the block, without line numbers."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    old: list[str] = []
    new: list[str] = []
    file: Path | None = None
    for line in sys.stdin.read().splitlines():
        if line.startswith("+++ "):
            file = Path(line.removeprefix("+++ "))
        elif not line.startswith("--- "):
            if not line.startswith("+"):
                old.append(line[1:])
            if not line.startswith("-"):
                new.append(line[1:])
    if file is None:
        sys.exit("the diff names no file")
    text = file.read_text("utf-8")
    before, after = ("\n".join(lines) + "\n" for lines in (old, new))
    if text.count(before) != 1:
        sys.exit(f"{file} has these lines {text.count(before)} times:\n{before}")
    file.write_text(text.replace(before, after), "utf-8")
    return 0


sys.exit(main())
