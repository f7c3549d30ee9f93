"""Editing YAML texts in place: a text is made to mean something else, and keeps all that can stay.

Comments, order, quotes, indentation, blank lines and line ends stay as they are; what is new is written as
its neighbours are. Every result is read again: where edits of single places do not give what is wanted, the
entries that they belong to are written anew, and where not even that helps nothing is edited.
"""

from __future__ import annotations

from dataclasses import replace

from rowform.document import parse
from rowform.document.scalars import JsonValue
from rowform.jsontypes import is_list, is_object
from rowform.splice.edit import Editor
from rowform.splice.guide import Guide, Pointer
from rowform.splice.lines import CannotEditError, Lines
from rowform.splice.nodes import Node, read
from rowform.splice.values import token

__all__ = ["Guide", "Pointer", "splice"]


def splice(text: str, wanted: JsonValue, guide: Guide) -> str | None:
    """A text that means ``wanted``, made from one that :func:`rowform.document.parse` reads.

    Args:
        text: what is there now.
        wanted: the value that the whole text should have; a mapping at its outermost level.
        guide: what the caller knows of the meaning.

    Returns:
        The new text, ``text`` itself if it means that already; ``None`` if it cannot be edited.
    """
    tree = read(text)
    root = tree.root
    if root is None or root.value is None:
        return _appended(text, wanted, guide)
    if token(root.value) == token(wanted):
        return text
    changed = _changed(root, wanted, guide)
    first = _attempt(text, root, wanted, guide, anchored=tree.anchored)
    if first is not None:
        return first
    bad = frozenset(
        one
        for one in changed
        if _attempt(
            text,
            root,
            _alone(root, wanted, guide, one),
            _unaligned(root, guide),
            anchored=tree.anchored,
        )
        is None
    )
    for whole in (bad, frozenset(changed)):
        result = _attempt(text, root, wanted, replace(guide, whole=whole), anchored=tree.anchored)
        if result is not None:
            return result
    return None


def _attempt(text: str, root: Node, wanted: JsonValue, guide: Guide, *, anchored: bool) -> str | None:
    """The edited text, if it means what is wanted."""
    lost: frozenset[Node] = frozenset()
    try:
        while True:
            editor = Editor(text, guide, anchored=anchored, lost=lost)
            editor.run(root, wanted)
            if lost >= editor.lost:
                break
            # Aliases of these have to go as well, and may take further anchors with them.
            lost |= editor.lost
        result = editor.edits.applied(text)
    except CannotEditError:
        return None
    document, problems = parse("", result.encode("utf-8", "surrogatepass"))
    if document is None or problems or token(document.value) != token(wanted):
        return None
    return result


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
    document, problems = parse("", result.encode("utf-8", "surrogatepass"))
    return (
        result if document is not None and not problems and token(document.value) == token(wanted) else None
    )


def _changed(root: Node, wanted: JsonValue, guide: Guide) -> list[Pointer]:
    """The elements of aligned lists that change, by their pointers in the text."""
    if not is_object(wanted) or not is_object(root.value):
        return []
    return [
        (*at, old)
        for at, kept in guide.aligned.items()
        for new, old in enumerate(kept)
        if old is not None and token(root.value[str(at[0])][old]) != token(wanted[str(at[0])][new])
    ]


def _alone(root: Node, wanted: JsonValue, guide: Guide, changed: Pointer) -> JsonValue:
    """What the text says, but for one element."""
    name, index = str(changed[0]), changed[1]
    if not is_object(wanted) or not is_object(root.value) or not isinstance(index, int):
        return wanted
    old = root.value[name]
    if not is_list(old):
        return wanted
    new = wanted[name][guide.aligned[changed[:-1]].index(index)]
    return {**root.value, name: [new if at == index else one for at, one in enumerate(old)]}


def _unaligned(root: Node, guide: Guide) -> Guide:
    """The guide for a text whose lists keep all their elements."""
    values = root.value if is_object(root.value) else {}
    kept = {at: range(len(values[str(at[0])])) for at in guide.aligned if is_list(values.get(str(at[0])))}
    return replace(guide, aligned=dict(kept))
