"""Canonical layout of the YAML files: text → text, with the same meaning and the same comments.

:mod:`~rowform.layout.read` makes a tree of a text, which keeps what a reader of values drops,
:mod:`~rowform.layout.rules` say what is canonical, :mod:`~rowform.layout.write` writes the tree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from rowform.document import parse
from rowform.kinds import Kind
from rowform.layout.read import read
from rowform.layout.rules import Form, canonical
from rowform.layout.write import write
from rowform.location import Location, Problem

__all__ = ["Form", "formatted"]


def formatted(
    file: str, data: bytes, form: Form, kinds: Mapping[str, Kind]
) -> tuple[str | None, list[Problem]]:
    """A file in canonical layout.

    Args:
        file: only used to say where.
        data: what it holds now.
        form: what sort of file it is.
        kinds: the kinds that exist.

    Returns:
        The text, or ``None`` and the reasons: the file cannot be read, or, if there is a fault in here, its
        meaning or its comments would change.
    """
    document, problems = parse(file, data)
    if document is None or problems:
        return None, problems
    text = document.text.replace("\r\n", "\n").replace("\r", "\n")
    tree = read(text)
    canonical(tree, form, kinds)
    result = write(tree)
    if result == text:
        return result, []
    again, faults = parse(file, result.encode())
    if again is None or faults or _meaning(again.value) != _meaning(document.value):
        return None, [_fault(file, "mean something else")]
    if sorted(read(result).comments) != sorted(tree.comments):
        return None, [_fault(file, "lose a comment")]
    return result, []


def _meaning(value: object) -> str:
    # Unlike `==` it tells 1 from true. The order of keys has no meaning.
    return json.dumps(value, sort_keys=True)


def _fault(file: str, what: str) -> Problem:
    message = f"internal error: in canonical layout the file would {what}; it was left as it is"
    return Problem(Location(file), message, "please report it")
