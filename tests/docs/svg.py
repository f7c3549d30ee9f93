"""What a terminal shows, as a picture: ANSI colours to SVG text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from html import escape
from itertools import groupby

_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_CELL, _LINE, _PAD, _BAR = 8.4, 20, 20, 36
_STYLES = {
    "1": ' class="b"',
    "2": ' class="d"',
    "31": ' class="r"',
    "32": ' class="g"',
    "33": ' class="y"',
}
_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" \
aria-labelledby="title">
<title id="title">{title}</title>
<style>
text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono CJK JP", monospace; \
fill: #d6deeb; white-space: pre }}
.b {{ font-weight: bold; fill: #ffffff }}
.d {{ fill: #8b98ab }}
.r {{ fill: #ff7b72 }}
.g {{ fill: #56d364 }}
.y {{ fill: #e3b341 }}
</style>
<rect width="{width:g}" height="{height:g}" rx="8" fill="#0d1420"/>
<g fill="#3a4557"><circle cx="22" cy="20" r="6"/><circle cx="42" cy="20" r="6"/>\
<circle cx="62" cy="20" r="6"/></g>
"""


def svg(text: str, title: str) -> str:
    """``text`` with its ANSI colours as an SVG document."""
    lines = text.rstrip("\n").split("\n")
    width = 2 * _PAD + _CELL * max(sum(map(_cells, _SGR.sub("", line))) for line in lines)
    height = _BAR + _LINE * len(lines) + _PAD
    parts = [_HEAD.format(width=width, height=height, title=escape(title))]
    for number, line in enumerate(lines, 1):
        runs = "".join(_runs(line))
        if runs:
            parts.append(f'<text y="{_BAR + _LINE * number:g}">{runs}</text>\n')
    return "".join(parts) + "</svg>\n"


def _runs(line: str) -> Iterator[str]:
    """The line's pieces of one style and one width each, every one at its own place."""
    at = 0
    for style, text in _pieces(line):
        for cells, characters in groupby(text, _cells):
            run = "".join(characters)
            shown = run.strip(" ")
            if shown:
                start = _PAD + _CELL * (at + cells * (len(run) - len(run.lstrip(" "))))
                # Whatever font there is, the columns stay where they are.
                fit = f'textLength="{_CELL * cells * len(shown):g}"'
                yield f'<tspan x="{start:g}" {fit}{style}>{escape(shown, quote=False)}</tspan>'
            at += cells * len(run)


def _pieces(line: str) -> Iterator[tuple[str, str]]:
    style = ""
    for index, piece in enumerate(_SGR.split(line)):
        if index % 2:
            style = _STYLES.get(piece, "")
        elif piece:
            yield style, piece


def _cells(character: str) -> int:
    """How many cells of the terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
