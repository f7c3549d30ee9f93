"""The README's sessions: ``console`` blocks that are run, in order; ``diff`` blocks that are made; and
``python`` blocks that begin with a file's name in a comment and are written to it.

A line ``…`` in an output stands for any lines: what a reader's terminal shows in full, the page
shortens. Ids, times, hashes and versions may differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.docs.terminal import edit_command

_FENCE = re.compile(r"^```(console|diff|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (\w+\.py)\n")
_SAME = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:?\d\d)?|Z)?"), "<time>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b"), "<hash>"),
    (re.compile(r"^ Date: .*", re.MULTILINE), " Date: <time>"),
    (re.compile(r"PostgreSQL \d+\.\d+"), "PostgreSQL <version>"),
    (re.compile(r"rowform \d+\.\d+\.\d+\S*"), "rowform <version>"),
)
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Step:
    """One shell command. ``output`` is what the page shows of it; none if the page shows no command."""

    command: str
    output: str | None
    start: int
    end: int


def steps(page: str) -> list[Step]:
    """All steps of the page. ``start`` and ``end`` are the output's place in it."""
    found: list[Step] = []
    for block in _FENCE.finditer(page):
        if block[1] == "console":
            found.extend(_commands(block[2], block.start(2)))
        elif block[1] == "diff":
            found.append(Step(edit_command(block[2]), None, *block.span(2)))
        elif name := _FILE.match(block[2]):
            found.append(Step(f"cat > {name[1]} <<'END'\n{block[2]}END", None, *block.span(2)))
    return found


def _commands(text: str, position: int) -> Iterator[Step]:
    """The commands of a session: ``$ `` before each, ``> `` before the lines that continue it."""
    command, output, start = "", "", position
    for line in text.splitlines(keepends=True):
        if line.startswith("$ ") and command:
            yield Step(command, output, start, position)
            command, output = "", ""
        position += len(line)
        if line.startswith("$ ") or (line.startswith("> ") and not output):
            command, start = f"{command}{line[2:]}", position
        else:
            output += line
    yield Step(command, output, start, position)


def same(shown: str, real: str) -> bool:
    """Whether ``real`` is what the page shows."""
    shown, real = _normal(shown), _normal(real)
    parts = [re.escape(part) for part in re.split(rf"^{ELLIPSIS}\n", shown, flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*?".join(parts), real) is not None


def shortened(shown: str, real: str) -> str:
    """``real`` with as many lines left out, at the same ends, as ``shown`` leaves out."""
    lines = shown.splitlines()
    if lines.count(ELLIPSIS) != 1:
        return real
    head = lines.index(ELLIPSIS)
    tail = len(lines) - head - 1
    whole = real.splitlines()
    kept = [*whole[:head], ELLIPSIS, *whole[max(head, len(whole) - tail) :]]
    return "".join(f"{line}\n" for line in kept)


def _normal(text: str) -> str:
    for pattern, instead in _SAME:
        text = pattern.sub(instead, text)
    # A table's columns are as wide as what stands in them.
    return "\n".join(re.sub(r"(?<=\S) {2,}(?=\S)", "  ", line.rstrip()) for line in text.split("\n"))
