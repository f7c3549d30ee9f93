"""YAML text → JSON values by ``ryaml``, where it can be shown to read what the core schema says.

It is several times as fast as :mod:`rowform.document.compose`, and deviates from YAML 1.2 in known ways.
:func:`agrees` shows from the text that most of them cannot occur, :func:`_settle` looks for the others in
what came out.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from rowform.document.scalars import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_INTEGER,
    OPENING,
    JsonValue,
    long_lines,
    settled,
)

__all__ = ["REFUSED", "agrees", "read"]

#: What :func:`read` returns when only the exact path may decide. No value of YAML.
REFUSED = object()

_Node: TypeAlias = list[JsonValue] | dict[str, JsonValue]

#: A plain scalar begins after one of these, or at the start of the text …
_FRONT = r"\s,\[{:"
#: … and ends before one of these. Both admit too much, which costs time and nothing else.
_END = r"(?=[\s,\[\]{}]|:(?![0-9])|\Z)"
#: After a colon without a space it begins only behind what is quoted or in brackets: 22:00 is text.
_NOT_TIME = r"""(?<![^"'\]}]:0)"""
#: Where ryaml 0.5 leaves the core schema, or may not be trusted to follow it. Each pattern begins with a
#: literal character, which `re` finds at memchr speed, and looks behind from there.
_DEVIATIONS = tuple(
    re.compile(pattern)
    for pattern in (
        r"<<",  # a plain key
        r"%(?<![^\r\n]%)",  # directives
        r"\\[0abefvxuUNLP]",  # escapes that may make forbidden characters
    )
)
#: The same, but harmless within plain text: :func:`_begins` looks at what stands before.
_AT_START = tuple(
    re.compile(pattern)
    for pattern in (
        rf"[!](?<![^{_FRONT}]!)",  # tags: `!foo 1` is {{"!foo": 1}}
        rf"&(?<![^{_FRONT}]&)\S",  # anchors and
        rf"[*](?<![^{_FRONT}][*])\S",  # aliases: other limits, other errors
        # 010 is text, 0b11 three; a UUID may begin with 0b
        rf"0(?<![^{_FRONT}]0){_NOT_TIME}(?:[xX][0-9a-fA-F]*|[oO][0-7]*|[bB][01]*|[0-9]+){_END}",
        rf"0(?<=[+-]0)(?<![^{_FRONT}][+-]0)(?:[xXoObB]|[0-9]+{_END})",  # -0x1F a number
    )
)
#: 1e400 is text. Colours and UUIDs look the same at their end: :func:`_is_number` looks at their beginning.
_EXPONENTS = tuple(re.compile(rf"{sign}(?<=[0-9.]{sign})[-+]?[0-9]+{_END}") for sign in "eE")
_HUGE = re.compile("[0-9]{300}")
#: What is left of that in every thirtieth character.
_SAMPLED = re.compile("[0-9]{10}")
#: ryaml takes quadratic time for the brackets that one line leaves open: 20,000 take a second.
_MAX_BRACKETS = 2_000
_QUOTE_AND_HASH = re.compile("""#(?<=["']#)""")


def read(text: str) -> object:
    """The value, or :data:`REFUSED` when only the exact path may decide."""
    if not agrees(text):
        return REFUSED
    import ryaml

    try:
        root: list[JsonValue] = [ryaml.loads(text)]  # type: ignore[attr-defined]  # its types do not export it
        return root[0] if _settle(root, MAX_DEPTH + 1, _suspect_ends(text)) else REFUSED
    except (ValueError, TypeError):
        return REFUSED


def agrees(text: str) -> bool:
    """Whether ``text`` has nothing in it that ryaml could read otherwise than the core schema does.

    Integers, floats, keys and depth are judged by :func:`_settle`, from what ryaml made of them.
    """
    if any(pattern.search(text) for pattern in _DEVIATIONS):
        return False
    if any(_begins(text, found.start()) for pattern in _AT_START for found in pattern.finditer(text)):
        return False
    if any(_is_number(text, found.start()) for pattern in _EXPONENTS for found in pattern.finditer(text)):
        return False
    if _SAMPLED.search(text[::30]) and _HUGE.search(text):  # too many digits are text to ryaml
        return False
    return not any(
        text.count("[", start, end) + text.count("{", start, end) > _MAX_BRACKETS
        for start, end in long_lines(text, _MAX_BRACKETS)
    )


def _begins(text: str, start: int) -> bool:
    """Whether a node may begin at ``start``: not behind a word on the same line, as in ``Room 01``."""
    before = text[max(0, start - 64) : start].rstrip(" \t")
    return not before or before[-1] in "\r\n-+?:,[{"


def _is_number(text: str, end: int) -> bool:
    """Whether a plain scalar that begins with a sign, digits and a point leads up to ``end``."""
    before = text[max(0, end - MAX_DIGITS) : end].rstrip("0123456789.")
    before = before[:-1] if before[-1:] in ("+", "-") else before
    return not before or before[-1].isspace() or before[-1] in ",[{:"


def _suspect_ends(text: str) -> frozenset[str]:
    """How a quoted scalar may end whose closing quote was meant to open the next one.

    A ``#`` follows directly on such a quote (see ``Composer._suspect``). Before it, a line break is folded
    into a space.
    """
    before = {text[match.start() - 2 : match.start() - 1] for match in _QUOTE_AND_HASH.finditer(text)}
    ends = before & OPENING
    return frozenset(ends if before <= OPENING else ends | {" "})


def _settle(node: _Node, left: int, ends: frozenset[str]) -> bool:
    """Settle the floats below ``node`` in place; whether JSON can carry everything there.

    At most ``left`` levels deep. In the order of the text, because that is the order in memory: level by
    level it takes twice as long. Raises ``TypeError`` for a key that is no text.
    """
    if not left:
        return False
    if isinstance(node, dict):
        "".join(node)  # the cheapest way to ask whether all keys are text
    values: Any = node.values() if isinstance(node, dict) else node
    integral = False
    for value in values:
        kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
        if kind is str:
            fine = value[-1:] not in ends or value.rstrip(" ")[-1:] not in OPENING
        elif kind is dict or kind is list:
            fine = _settle(value, left - 1, ends)
        elif kind is int or kind is float:
            fine = -MAX_INTEGER <= value <= MAX_INTEGER  # false for NaN too
            integral = integral or (kind is float and value.is_integer())
        else:
            continue
        if not fine:
            return False
    if integral:
        _settle_floats(node)
    return True


def _settle_floats(node: _Node) -> None:
    pairs: Any = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        if type(value) is float:
            node[key] = settled(value)
