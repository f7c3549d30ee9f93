"""Values of YAML, compared."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

from rowform.state import token

#: Elements of two lists, multiplied, up to which they are aligned.
_MAX_ALIGNED = 1_000_000


def aligned(old: list[Any], new: list[Any]) -> list[int | None]:
    """For each new element the old one that becomes it, in order; ``None`` for one that is added."""
    if len(old) * len(new) > _MAX_ALIGNED:
        return [index if index < len(old) else None for index in range(len(new))]
    found: list[int | None] = []
    matcher = SequenceMatcher(None, [token(one) for one in old], [token(one) for one in new], autojunk=False)
    for _, start, end, first, last in matcher.get_opcodes():
        found += [start + i if start + i < end else None for i in range(last - first)]
    return found
