"""Editing YAML texts in place: a text is made to mean something else, and keeps all that can stay.

Comments, order, quotes, indentation, blank lines and line ends stay as they are; what is new is written as
its neighbours are. Every result is read again: where edits of single places do not give what is wanted, the
entries that they belong to are written anew, and where not even that helps nothing is edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from rowform.document import parse
from rowform.document.scalars import JsonValue
from rowform.jsontypes import is_list, is_object
from rowform.splice.edit import Editor
from rowform.splice.excerpts import Excerpt, excerpt
from rowform.splice.guide import Guide, Pointer
from rowform.splice.lines import CannotEditError, Edits, Lines
from rowform.splice.nodes import Node, Tree, read
from rowform.state import token

__all__ = ["Guide", "Pointer", "splice"]


def splice(text: str, wanted: JsonValue, guide: Guide, known: JsonValue = None) -> str | None:
    """A text that means ``wanted``, made from one that :func:`rowform.document.parse` reads.

    Args:
        text: what is there now.
        wanted: the value that the whole text should have; a mapping at its outermost level.
        guide: what the caller knows of the meaning.
        known: what the text means, if that is known already.

    Returns:
        The new text, ``text`` itself if it means that already; ``None`` if it cannot be edited.
    """
    source = _Source(text, _understood(text) if known is None else known)
    if source.value is None:
        return _appended(text, wanted, guide)
    if token(source.value) == token(wanted):
        return text
    first = source.edited(wanted, guide)
    if first is not None:
        return first
    changed = _changed(source.value, wanted, guide)
    bad = frozenset(_bad(source, wanted, guide, changed))
    for whole in (bad, frozenset(changed)):
        result = source.edited(wanted, replace(guide, whole=whole))
        if result is not None:
            return result
    return None


class _Source:
    """A text to be edited, and what it means."""

    def __init__(self, text: str, value: JsonValue) -> None:
        self.text = text
        self.value = value

    @cached_property
    def _tree(self) -> Tree:
        return read(self.text)

    def edited(self, wanted: JsonValue, guide: Guide) -> str | None:
        """The edited text, if it means what is wanted."""
        short = self._excerpt(wanted, guide)
        if short is not None:
            edits = _edits(short.text, short.tree, short.wanted, short.guide)
            result = _applied(short.in_whole(edits) if edits else None, self.text, wanted)
            if result is not None:
                return result
        return _applied(_edits(self.text, self._tree, wanted, guide), self.text, wanted)

    def _excerpt(self, wanted: JsonValue, guide: Guide) -> Excerpt | None:
        if not is_object(self.value) or not is_object(wanted):
            return None
        return excerpt(self.text, self.value, wanted, guide)


def _edits(text: str, tree: Tree, wanted: JsonValue, guide: Guide) -> Edits | None:
    """The edits that make a text mean what is wanted, if there are such."""
    if tree.root is None:
        return None
    lost: frozenset[Node] = frozenset()
    try:
        while True:
            editor = Editor(text, guide, anchored=tree.anchored, lost=lost)
            editor.run(tree.root, wanted)
            if lost >= editor.lost:
                return editor.edits
            # Aliases of these have to go as well, and may take further anchors with them.
            lost |= editor.lost
    except CannotEditError:
        return None


def _applied(edits: Edits | None, text: str, wanted: JsonValue) -> str | None:
    """The text with all edits made, if there are any and it means what is wanted."""
    if edits is None:
        return None
    try:
        result = edits.applied(text)
    except CannotEditError:
        return None
    return result if _means(result, wanted) else None


def _means(text: str, wanted: JsonValue) -> bool:
    document, problems = parse("", text.encode("utf-8", "surrogatepass"))
    return document is not None and not problems and token(document.value) == token(wanted)


def _understood(text: str) -> JsonValue:
    document, _ = parse("", text.encode())
    return document.value if document is not None else None


def _appended(text: str, wanted: JsonValue, guide: Guide) -> str | None:
    """The text of a file that holds nothing but comments, with all members below them."""
    if not is_object(wanted):
        return None
    if not wanted:
        return text
    order = {name: index for index, name in enumerate(guide.order(()))}
    newline = Lines(text).newline
    result = text if not text or text.endswith(("\n", "\r")) else text + newline
    for number, name in enumerate(sorted(wanted, key=lambda one: order.get(one, len(order)))):
        lines = guide.lines((), name, wanted[name])
        blank = [""] if number and guide.apart else []
        result += "".join(line + newline for line in [*blank, *lines])
    return result if _means(result, wanted) else None


def _changed(value: JsonValue, wanted: JsonValue, guide: Guide) -> list[Pointer]:
    """The elements of aligned lists that change, by their pointers in the text."""
    if not is_object(wanted) or not is_object(value):
        return []
    return [
        (*at, old)
        for at, kept in guide.aligned.items()
        for new, old in enumerate(kept)
        if old is not None and token(value[str(at[0])][old]) != token(wanted[str(at[0])][new])
    ]


def _bad(source: _Source, wanted: JsonValue, guide: Guide, changed: Sequence[Pointer]) -> list[Pointer]:
    """Those of the changed elements that cannot be edited place by place: found by halves."""
    if not changed:
        return []
    alone = _alone(source.value, wanted, guide, changed)
    if source.edited(alone, _unaligned(source.value, guide)) is not None:
        return []
    if len(changed) == 1:
        return list(changed)
    half = len(changed) // 2
    return [
        *_bad(source, wanted, guide, changed[:half]),
        *_bad(source, wanted, guide, changed[half:]),
    ]


def _alone(value: JsonValue, wanted: JsonValue, guide: Guide, changed: Sequence[Pointer]) -> JsonValue:
    """What the text says, but for some elements."""
    if not is_object(wanted) or not is_object(value):
        return wanted
    result = dict(value)
    for at, kept in guide.aligned.items():
        name = str(at[0])
        if any(one[:-1] == at for one in changed):
            places = {old: new for new, old in enumerate(kept)}
            mine = {one[-1] for one in changed if one[:-1] == at}
            result[name] = [
                wanted[name][places[index]] if index in mine else one for index, one in enumerate(value[name])
            ]
    return result


def _unaligned(value: JsonValue, guide: Guide) -> Guide:
    """The guide for a text whose lists keep all their elements."""
    values = value if is_object(value) else {}
    kept = {at: range(len(values[str(at[0])])) for at in guide.aligned if is_list(values.get(str(at[0])))}
    return replace(guide, aligned=dict(kept))
