"""What whoever edits a text knows of its meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Pointer: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """How to write what is new. Pointers are those of the text before.

    ``order`` gives the canonical order of a mapping's members. ``lines`` writes a member (mapping's pointer,
    key, value) or an element (list's pointer, ``None``, value) in block style, without indentation; an
    element's first line begins with its dash. ``aligned`` has lists whose elements are known again: for each
    wanted element the index of the old one, in rising order, or ``None``. Values in ``whole`` are written
    anew, not edited. ``apart``: blank lines stand between the members of the outermost mapping.
    """

    order: Callable[[Pointer], Sequence[str]]
    lines: Callable[[Pointer, str | None, Any], list[str]]
    aligned: Mapping[Pointer, Sequence[int | None]] = field(
        default_factory=dict[Pointer, Sequence["int | None"]]
    )
    whole: frozenset[Pointer] = frozenset()
    apart: bool = False
