"""From the nodes of a text and the value that it should have to edits of its text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rowform.document.scalars import JsonValue
from rowform.jsontypes import is_list, is_object
from rowform.splice.columns import keep_column
from rowform.splice.guide import Guide, Pointer
from rowform.splice.lines import CannotEditError, Edits, Lines, indented
from rowform.splice.nodes import BLOCK, Member, Node
from rowform.splice.parts import BlockParts, FlowParts, Part, emptied
from rowform.splice.values import aligned
from rowform.splice.words import below_header, in_json, inline
from rowform.state import token


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a value stands: behind ``after``, in something whose lines begin at ``column``."""

    after: int
    column: int
    flow: bool
    as_json: bool
    element: bool


class Editor:
    """Makes the edits by which ``root`` becomes what is wanted.

    Args:
        text: the text that ``root`` was read from.
        anchored: whether there are anchors in it.
        guide: what the caller knows of the meaning.
        lost: anchors of which no alias may be left.
    """

    def __init__(self, text: str, guide: Guide, *, anchored: bool, lost: frozenset[Node]) -> None:
        self._lines = Lines(text)
        self._text = text
        self._guide = guide
        self._anchored = anchored
        self._known_lost = lost
        self._wanted: dict[Node, JsonValue] = {}
        #: Anchors that the edits take away.
        self.lost: set[Node] = set()
        self.edits = Edits()

    def run(self, root: Node, wanted: JsonValue) -> None:
        """Make all edits."""
        self._change(root, wanted, (), _Slot(root.start, 0, flow=root.is_flow, as_json=False, element=False))

    def _change(self, node: Node, wanted: JsonValue, at: Pointer, slot: _Slot) -> None:
        if node.target is not None:
            self._alias(node, wanted, at, slot)
            return
        if node.anchor:
            self._wanted[node] = wanted
        if token(node.value) == token(wanted) and not self._anchored:
            return
        if at in self._guide.whole:
            self._replace(node, wanted, at, slot)
        elif node.is_mapping and is_object(wanted) and any(_name(one) in wanted for one in node.members):
            self._mapping(node, wanted, at)
        elif (
            node.is_list and is_list(wanted) and any(one is not None for one in self._kept(node, wanted, at))
        ):
            self._list(node, wanted, at)
        elif token(node.value) != token(wanted):
            if node.is_flow and node.style != "" and not node.members and self._fills(node, wanted, at):
                self._fill(node, wanted)
            else:
                self._replace(node, wanted, at, slot)

    def _change_in(self, parent: Node, node: Node, wanted: JsonValue, at: Pointer, slot: _Slot) -> None:
        before = self.edits.count
        self._change(node, wanted, at, slot)
        if parent.is_block and not node.is_block:
            keep_column(self._lines, self.edits, before, node.end)

    def _alias(self, node: Node, wanted: JsonValue, at: Pointer, slot: _Slot) -> None:
        target = node.target
        if target is None:
            raise CannotEditError
        kept = self._wanted.get(target, target.value)
        if target in self._known_lost or token(kept) != token(wanted):
            self._replace(node, wanted, at, slot)

    # --- whole values ------------------------------------------------------------------------------

    def _fills(self, node: Node, wanted: JsonValue, at: Pointer) -> bool:
        """Whether something goes into empty brackets, and not into their place."""
        return len(at) > 1 and (is_object(wanted) if node.is_mapping else is_list(wanted))

    def _fill(self, node: Node, wanted: JsonValue) -> None:
        self._edit(node.start + 1, node.start + 1, inline(wanted)[1:-1])

    def _edit(self, start: int, end: int, text: str) -> None:
        self.edits.replace(start, end, text)

    def _forget(self, node: Node) -> None:
        """What is inside goes, and its anchors with it; aliases outside need copies."""
        for member in node.members:
            self._forget_member(member)

    def _replace(self, node: Node, wanted: JsonValue, at: Pointer, slot: _Slot) -> None:
        self._forget(node)
        if wanted in ({}, []) and (inside := emptied(self._lines, node, is_list=is_list(wanted))):
            self.edits.delete(*inside)
            return
        inline_only = slot.flow or not (is_object(wanted) or is_list(wanted)) or not wanted
        lines: list[str] | None = [] if inline_only else None
        if lines is None and not slot.element:
            lines = self._guide.lines(at[:-1], str(at[-1]), wanted) if at else []
            lines = lines[1:]
            if lines:
                self._below(node, lines, slot)
                return
        if node.is_block and slot.element and lines is None:
            self._rewrite(node, self._guide.lines(at[:-1], None, wanted), slot)
            return
        text = self._inline(node, wanted, slot)
        after = self._anchor_end(node) if node.anchor else slot.after
        if node.is_block and not self._lines.same_line(after, node.start):
            self._edit(after, after, f" {text}")
            self.edits.delete(self._lines.end(after), self._lines.end(node.end))
        elif node.style in BLOCK:
            self._block_scalar(node, wanted, text, slot)
        else:
            space = node.start == node.end and not self._text[: node.start].endswith((" ", "\t", "\n", "\r"))
            self._edit(node.start, node.end, f" {text}" if space else text)

    def _inline(self, node: Node, wanted: JsonValue, slot: _Slot) -> str:
        style = "" if node.style in ("*", *BLOCK) or node.is_flow else node.style
        in_flow = slot.flow or is_list(wanted) or is_object(wanted)
        if slot.as_json:
            return in_json(wanted)
        was = None if node.is_mapping or node.is_list or node.style in BLOCK else node.value
        return inline(wanted, style, was=was, in_flow=in_flow)

    def _below(self, node: Node, lines: Sequence[str], slot: _Slot) -> None:
        """Put lines below the key in place of a value."""
        new = self._joined(indented(lines, " " * slot.column))
        if node.is_block:
            start = self._lines.end(self._anchor_end(node) if node.anchor else slot.after)
            self._edit(start, self._lines.end(node.end), new)
            return
        start = len(self._text[: node.start].rstrip(" \t")) if not node.anchor else node.start
        self.edits.delete(start, node.end)
        self._edit(self._lines.end(node.end), self._lines.end(node.end), new)

    def _anchor_end(self, node: Node) -> int:
        return node.head + len(node.anchor) + 1

    def _rewrite(self, node: Node, lines: Sequence[str], slot: _Slot) -> None:
        """Put an element's lines in place of it; the dash stays."""
        first, *rest = lines
        indent = " " * slot.column
        self._edit(node.start, node.end, self._lines.newline.join([first[2:], *indented(rest, indent)]))

    def _block_scalar(self, node: Node, wanted: JsonValue, text: str, slot: _Slot) -> None:
        source = self._text[node.start : node.end]
        header, _, body = source.partition(self._lines.newline)
        shown = next((line for line in body.split(self._lines.newline) if line.strip(" ")), "")
        indent = " " * (len(shown) - len(shown.lstrip(" ")))
        simple = not any(char.isdigit() for char in header.split("#")[0])
        lines = None
        if simple and isinstance(wanted, str) and len(indent) > slot.column:
            lines = below_header(node.style, header, wanted, indent)
        self._edit(node.start, node.end, self._lines.newline.join(lines) if lines else text)

    def _joined(self, lines: Sequence[str]) -> str:
        return "".join(self._lines.newline + line for line in lines)

    # --- mappings and lists --------------------------------------------------------------------------

    def _parts(self, node: Node) -> Iterator[tuple[Part, _Slot]]:
        """Each member with its punctuation, and the slot of its value."""
        done = node.start + 1 if node.is_flow else node.start
        for member in node.members:
            value, key = member.value, member.key
            head = (key or value).head
            start, after = head, head
            if node.is_block:
                mark = self._lines.find(done, head, "-" if key is None else "?")
                if key is None and mark is None:
                    raise CannotEditError
                start = head if mark is None else mark
                after = start + 1
            if key is not None:
                colon = self._lines.find(key.end, max(value.head, key.end) + 1, ":")
                after = value.head if colon is None else colon + 1
            end = max(value.end, after)
            column = self._lines.column(start)
            yield (
                Part(start, end),
                _Slot(
                    after,
                    column,
                    flow=node.is_flow,
                    as_json=node.is_flow and self._is_json(node),
                    element=key is None,
                ),
            )
            done = end

    def _is_json(self, node: Node) -> bool:
        """Whether a mapping in braces is written as JSON is; a list is what it stands in."""
        keys = [member.key for member in node.members if member.key is not None]
        return bool(keys) and all(key.style == '"' for key in keys)

    def _mapping(self, node: Node, wanted: dict[str, Any], at: Pointer) -> None:
        found = list(self._parts(node))
        parts = [part for part, _ in found]
        gone: set[int] = set()
        for index, (member, (_, slot)) in enumerate(zip(node.members, found, strict=True)):
            name = _name(member)
            if name in wanted:
                self._key(member)
                self._change_in(node, member.value, wanted[name], (*at, name), slot)
            else:
                gone.add(index)
                self._forget_member(member)
        names = [_name(member) for member in node.members]
        order = {name: index for index, name in enumerate(self._guide.order(at))}
        last = len(order)
        added = [name for name in wanted if name not in names]
        as_json = node.is_flow and self._is_json(node)
        new: list[tuple[int, list[str]]] = []
        for name in sorted(added, key=lambda one: order.get(one, last)):
            rank = order.get(name, last)
            after = max(
                (i for i, old in enumerate(names) if i not in gone and order.get(old, last) <= rank),
                default=-1,
            )
            if node.is_flow:
                shown = in_json(name) if as_json else inline(name)
                lines = [f"{shown}: {inline(wanted[name], in_flow=True, as_json=as_json)}"]
            else:
                lines = self._guide.lines(at, name, wanted[name])
            new.append((after, lines))
        self._finish(node, parts, gone, new, apart=not at and self._guide.apart)

    def _key(self, member: Member) -> None:
        key = member.key
        if key is None:
            return
        if key.anchor:
            self._wanted[key] = key.value
        if key.target is not None:
            kept = self._wanted.get(key.target, key.target.value)
            if key.target in self._known_lost or token(kept) != token(key.value):
                self._edit(key.start, key.end, inline(str(key.value), in_flow=True))

    def _forget_member(self, member: Member) -> None:
        for one in (member.key, member.value):
            if one is not None:
                self.lost.update([one] if one.anchor else ())
                self._forget(one)

    def _list(self, node: Node, wanted: list[Any], at: Pointer) -> None:
        found = list(self._parts(node))
        parts = [part for part, _ in found]
        kept = self._kept(node, wanted, at)
        # The elements are met in the order of the text, as aliases are.
        places = {old: index for index, old in enumerate(kept) if old is not None}
        for old, member in enumerate(node.members):
            if old in places:
                self._change_in(node, member.value, wanted[places[old]], (*at, old), found[old][1])
            else:
                self._forget_member(member)
        gone = set(range(len(parts))) - places.keys()
        new: list[tuple[int, list[str]]] = []
        behind = -1
        for index, known in enumerate(kept):
            if known is not None:
                behind = known
            else:
                new.append((behind, self._element(node, wanted[index], at)))
        self._finish(node, parts, gone, new, apart=False)

    def _kept(self, node: Node, wanted: list[Any], at: Pointer) -> Sequence[int | None]:
        """For each wanted element the index of the one that becomes it, if there is one."""
        kept = self._guide.aligned.get(at)
        return aligned([member.value.value for member in node.members], wanted) if kept is None else kept

    def _element(self, node: Node, value: JsonValue, at: Pointer) -> list[str]:
        """The lines of a new element, in the style of the others."""
        values = [member.value for member in node.members]
        as_json = node.is_flow and all(
            self._is_json(one) if one.is_mapping else one.style in ('"', "[") for one in values
        )
        if node.is_flow:
            quote = values[0].style if all(one.style == values[0].style for one in values) else ""
            style = quote if quote in ("'", '"') else ""
            was = values[0].value if not style else None
            return [inline(value, style, was=was, in_flow=True, as_json=as_json)]
        if any(one.is_flow and one.members for one in values) and all(one.is_flow for one in values):
            return [f"- {inline(value, in_flow=True, as_json=all(self._is_json(one) for one in values))}"]
        if not (is_object(value) or is_list(value)):
            return [f"- {inline(value, values[0].style, was=values[0].value)}"]
        return self._guide.lines(at, None, value)

    def _finish(
        self, node: Node, parts: list[Part], gone: set[int], new: list[tuple[int, list[str]]], *, apart: bool
    ) -> None:
        """Take members away and put new ones in, each behind the member of an index, -1 for the front."""
        if node.is_flow:
            FlowParts(self._lines, self.edits, node, parts).finish(gone, [(i, "".join(t)) for i, t in new])
        else:
            BlockParts(self._lines, self.edits, parts, apart=apart).finish(gone, new)


def _name(member: Member) -> str:
    return str(member.key.value) if member.key is not None else ""
