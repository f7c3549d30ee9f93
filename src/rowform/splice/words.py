"""Scalars in the style of those that they replace."""

from __future__ import annotations

import json
import re
from typing import Any

from rowform.document.scalars import BadScalarError, resolve
from rowform.dump import flow, scalar
from rowform.kinds.base import DAY_PATTERN
from rowform.text import UNSAFE, escape

_DAY = re.compile(DAY_PATTERN)
#: What may not stand in plain text: at its start, anywhere, anywhere in brackets.
_NOT_FIRST = re.compile(r"[-?:](?:\s|\Z)|[,\[\]{}#&*!|>'\"%@`=]|---|\.\.\.|\s|\Z")
_NOT_INSIDE = re.compile(r":(?:\s|\Z)|\s#|\s\Z")
_NOT_IN_FLOW = re.compile(r"[,\[\]{}]|[-?:](?=[,\[\]{}])")
#: A folded text's line breaks are those between lines that begin with something visible.
_FOLDABLE = re.compile(r"\S[^\n]*(?:\n\S[^\n]*)*")


def inline(
    value: Any, style: str = "", *, was: Any = None, in_flow: bool = False, as_json: bool = False
) -> str:
    """A value on one line.

    Args:
        value: what to write.
        style: the quote of the scalar that it replaces, nothing for a plain one.
        was: the value of that scalar.
        in_flow: whether it stands in brackets.
        as_json: whether what is around it is JSON.
    """
    if as_json:
        return in_json(value)
    if not isinstance(value, str):
        return flow(value)
    if style == '"':
        return in_json(value)
    if style == "'" and not UNSAFE.search(value):
        return "'" + value.replace("'", "''") + "'"
    plain = not style and isinstance(was, str) and is_plain(value, in_flow=in_flow)
    return value if plain or (not style and _DAY.fullmatch(value)) else scalar(value)


def in_json(value: Any) -> str:
    """A value as JSON, without characters that no file may have."""
    return escape(json.dumps(value, ensure_ascii=False))


def is_plain(text: str, *, in_flow: bool) -> bool:
    """Whether a text needs no quotes in YAML 1.2."""
    if UNSAFE.search(text) or _NOT_FIRST.match(text) or _NOT_INSIDE.search(text):
        return False
    if in_flow and _NOT_IN_FLOW.search(text):
        return False
    try:
        return resolve(text) == text
    except BadScalarError:
        return False


def below_header(style: str, header: str, value: str, indent: str) -> list[str] | None:
    """A text as a block scalar, header line first; ``None`` if it cannot be one.

    Args:
        style: ``|`` or ``>``.
        header: the header line it had; its comment stays.
        value: what to write.
        indent: what its lines begin with.
    """
    body = value.rstrip("\n")
    if (
        not body
        or UNSAFE.search(body.replace("\n", ""))
        or re.search(r"\A[ \t\n]|^[ \t]+$", body, re.MULTILINE)
    ):
        return None
    breaks = len(value) - len(body)
    chomp = "-" if breaks == 0 else "" if breaks == 1 else "+"
    if style == ">" and (breaks > 1 or not _FOLDABLE.fullmatch(body)):
        style = "|"
    lines = body.split("\n")
    if style == ">":
        lines = [part for line in lines for part in (line, "")][:-1]
    comment = re.search(r"\s+#.*", header)
    first = f"{style}{chomp}{comment.group() if comment else ''}"
    return [first, *(indent + line if line else "" for line in [*lines, *[""] * (breaks - 1)])]
