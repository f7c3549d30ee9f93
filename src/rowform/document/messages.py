"""What libyaml says about bad syntax → sentences for people, at the place of the mistake."""

from __future__ import annotations

import re
from typing import Any

from rowform.document.compose import Composer
from rowform.location import Location, Problem
from rowform.text import escape, quote

_TAB = "tab used for indentation; use spaces"
_TEXT = "quote it if it is text"
#: What libyaml 0.2.5 says (its misspelling included) → what to say instead, and a hint …
#: … about the place where it noticed,
_NOTICED = {
    "found a tab character that violates indentation": (_TAB, None),
    "found a tab character where an indentation space is expected": (_TAB, None),
    "mapping values are not allowed in this context": (
        '":" is not allowed here',
        'check the indentation, and quote text that contains ": "',
    ),
    "block sequence entries are not allowed in this context": (
        '"- " is not allowed here',
        'begin a list on its own line, and quote text that begins with "- "',
    ),
    "mapping keys are not allowed in this context": ('"? " is not allowed here', _TEXT),
    "did not find expected key": ("a key was expected here", "check the indentation and the quotes"),
    "did not find expected '-' indicator": ('a list item, "- ", was expected here', "check the indentation"),
    "did not find expected <document start>": (
        "this does not belong to what stands before it",
        "check the indentation, brackets and quotes",
    ),
    "did not find expected ',' or ']'": ('a comma or "]" was expected here', None),
    "did not find expected ',' or '}'": ('a comma or "}" was expected here', None),
    "did not find expected node content": ("a value was expected here", None),
    "found unknown escape character": (
        "unknown escape in double quotes",
        "double the backslash, or use single quotes",
    ),
    "found undefined tag handle": ("tags are not allowed", _TEXT),
    "found incompatible YAML document": ("this file is not YAML 1.2", "write %YAML 1.2, or nothing"),
    "did not find expected comment or line break": ('nothing may follow "|" or ">" on its line', _TEXT),
}
#: … about the place where the construct began,
_BEGUN = {
    "found unexpected end of stream": ("quote is never closed", None),
    "found unexpected document indicator": ("quote is never closed", None),
    "could not find expected ':'": (
        'this is neither "key: value" nor a list item',
        "check the colon, the indentation and the quotes",
    ),
    "did not find expected alphabetic or numeric character": (
        '"&" and "*" must be followed by a name',
        _TEXT,
    ),
}
#: … and about an escape, which it notices two characters late.
_ESCAPE = {
    "did not find expected hexdecimal number": ("this escape needs hexadecimal digits", None),
    "found invalid Unicode character escape code": (
        "this escape is no character",
        "surrogate pairs are JSON, not YAML: write the character itself",
    ),
}


def explained(composer: Composer, error: Exception) -> Problem:
    """What libyaml said, in words for people, where the mistake is rather than where it was noticed."""
    said = str(getattr(error, "problem", None) or error)
    here: Any = getattr(error, "problem_mark", None)
    if here is None:
        return Problem(Location(composer.file), f"not readable as YAML: {escape(said)}")
    begun: Any = getattr(error, "context_mark", None) or here
    lines = re.split("\r\n|\r|\n", composer.text)
    unclosed = _unclosed(composer, said, here, begun, lines)
    if unclosed is not None:
        return unclosed
    mark, shift = here, 0
    message, hint = _NOTICED.get(said, (f"not readable as YAML: {escape(said)}", None))
    if getattr(error, "context", None) == "while scanning a directive":
        mark, message, hint = begun, 'a line that begins with "%" is a directive', _TEXT
    elif said == "found character that cannot start any token":
        char = lines[here.line][here.column]
        message, hint = (
            (_TAB, None) if char == "\t" else (f"a value cannot begin with {quote(char)}", "quote it")
        )
    elif said in _BEGUN:
        mark, (message, hint) = begun, _BEGUN[said]
    elif said in _ESCAPE:
        shift, (message, hint) = -2, _ESCAPE[said]
    return _at(composer.file, lines, mark, message, hint, shift=shift)


def _unclosed(composer: Composer, said: str, here: Any, begun: Any, lines: list[str]) -> Problem | None:
    """The quote or bracket whose missing end explains the error, if one does."""
    file, suspect, bracket = composer.file, composer.suspect, composer.bracket
    if suspect is not None:
        closing = f"it ends at the next quote, on line {suspect.end_mark.line + 1}"
        return _at(file, lines, suspect.start_mark, "quote is never closed", closing)
    if bracket is None or said not in _NOTICED or begun is here:
        return None
    opened = bracket.start_mark
    at_end = here.line >= len(lines) or not "".join(lines[here.line :])[here.column :]
    if not at_end and here.line == opened.line:
        return None
    sign = quote(lines[opened.line][opened.column])
    also = "" if at_end else f", or a comma is missing before line {here.line + 1}"
    return _at(file, lines, opened, f"{sign} is never closed{also}")


def _at(
    file: str, lines: list[str], mark: Any, message: str, hint: str | None = None, *, shift: int = 0
) -> Problem:
    """A problem at ``mark``, which libyaml may put on a line after the last one."""
    if mark.line >= len(lines):
        return Problem(Location(file, len(lines), len(lines[-1]) + 1), message, hint)
    return Problem(Location(file, mark.line + 1, mark.column + 1 + shift), message, hint)
