"""SQL scripts cut into statements."""

from __future__ import annotations

import re

_PARTS = re.compile(
    r"(?P<quoted>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")"
    r"|(?P<comment>--[^\n]*)|(?P<body>\bBEGIN ATOMIC\b.*?\bEND\b(?=\s*;|\s*\Z))|(?P<end>;)",
    re.DOTALL,
)


def statements(text: str) -> list[str]:
    """A script cut up as psql does it: at the semicolons outside of quotes and bodies."""
    found: list[str] = []
    current, position = "", 0
    for part in _PARTS.finditer(text):
        current += text[position : part.start()]
        position = part.end()
        if part["end"]:
            found.append(current)
            current = ""
        elif not part["comment"]:
            current += part.group()
    assert not (current + text[position:]).strip()
    return found
