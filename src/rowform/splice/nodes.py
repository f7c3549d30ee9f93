"""A YAML text as nodes that know where they stand: what a reader of values drops, and an editor needs.

The nodes are made from libyaml's events. Offsets count characters of the text; line breaks are as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from rowform.document.scalars import JsonValue, resolve
from rowform.splice.lines import CannotEditError

#: The styles of scalars whose text stands below a header line.
BLOCK = ("|", ">")
#: An anchor, with the white space and the comments after it.
_ANCHOR = re.compile(r"&[^\s,\[\]{}]+(?:\s+|#[^\r\n]*)*")
#: The line breaks, and lines of spaces, at the end of a block scalar.
_END = re.compile(r"[\r\n][ \r\n]*\Z")


@dataclass(slots=True, eq=False)
class Node:
    """One value.

    ``style`` is the character it starts with: a quote, ``|``, ``>``, ``*`` of an alias, ``[``, ``{``, or
    nothing if it is plain or a collection in block style. ``head`` is where it begins, ``start`` where it
    does without its anchor. Of a collection in block style, ``end`` is where its last member ends.
    """

    style: str
    value: JsonValue
    head: int
    start: int
    end: int
    anchor: str = ""
    #: What an alias repeats.
    target: Node | None = None
    members: list[Member] = field(default_factory=list["Member"])

    @property
    def is_mapping(self) -> bool:
        return self.target is None and isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return self.target is None and isinstance(self.value, list)

    @property
    def is_flow(self) -> bool:
        return self.style in ("[", "{")

    @property
    def is_block(self) -> bool:
        """Whether it is a collection in block style."""
        return not self.style and (self.is_mapping or self.is_list)


@dataclass(slots=True, eq=False)
class Member:
    """A member of a mapping, or an element of a list, which has no key."""

    key: Node | None
    value: Node


@dataclass(slots=True)
class Tree:
    """``root`` is ``None`` for a text without any value. ``anchored``: there are anchors in it."""

    root: Node | None
    anchored: bool


def read(text: str) -> Tree:
    """The nodes of a text that :func:`rowform.document.parse` reads without a problem."""
    import yaml

    loader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    builder = _Builder(text)
    for event in yaml.parse(text, Loader=loader):
        match event:
            case yaml.ScalarEvent():
                builder.scalar(event)
            case yaml.AliasEvent():
                builder.alias(event)
            case yaml.MappingStartEvent():
                builder.begin(event, {}, "{")
            case yaml.SequenceStartEvent():
                builder.begin(event, [], "[")
            case yaml.CollectionEndEvent():
                builder.close(event)
            case _:
                pass
    return Tree(builder.root, bool(builder.anchors))


class _Builder:
    def __init__(self, text: str) -> None:
        self.text = text
        self.root: Node | None = None
        self.anchors: dict[str, Node] = {}
        self._open: list[Node] = []
        #: The keys whose values are still to come, by depth.
        self._keys: list[Node | None] = []

    def scalar(self, event: Any) -> None:
        head, start = self._begins(event)
        end = event.end_mark.index
        at_key = self._at_key()
        style = event.style or ""
        if style in BLOCK:
            end = self._block_end(start, end, event.value)
        value: JsonValue = event.value
        if event.implicit[0] and not at_key:
            value = resolve(event.value)
        self._put(self._named(event, Node(style, value, head, start, max(start, end))))

    def alias(self, event: Any) -> None:
        target = self.anchors.get(event.anchor)
        if target is None:
            # Its anchor is not in this part of the text.
            raise CannotEditError
        start, end = event.start_mark.index, event.end_mark.index
        self._put(Node("*", target.value, start, start, end, target=target))

    def begin(self, event: Any, value: JsonValue, bracket: str) -> None:
        head, start = self._begins(event)
        # The mapping of `[a: b]` has no brackets, and is flow style all the same.
        style = bracket if event.flow_style else ""
        self._open.append(self._named(event, Node(style, value, head, start, start)))
        self._keys.append(None)

    def close(self, event: Any) -> None:
        node = self._open.pop()
        self._keys.pop()
        node.end = event.end_mark.index if node.is_flow else node.end
        self._put(node)

    def _begins(self, event: Any) -> tuple[int, int]:
        start: int = event.start_mark.index
        if event.anchor is not None and (found := _ANCHOR.match(self.text, start)):
            # Nothing after an anchor: the value is empty.
            return start, min(found.end(), max(event.end_mark.index, start + len(event.anchor) + 1))
        return start, start

    def _block_end(self, start: int, end: int, value: str) -> int:
        """Where the text of a block scalar ends. Lines of spaces, and with ``+`` empty ones, may be in it."""
        source = self.text[start:end]
        header = re.split(r"[\r\n#]", source, maxsplit=1)[0]
        last = value.rstrip("\n").rpartition("\n")[2]
        if "+" in header or (last and not last.strip(" ")):
            return start + len(re.sub(r"(?:\r\n|\r|\n)\Z", "", source))
        return start + len(_END.sub("", source))

    def _named(self, event: Any, node: Node) -> Node:
        if event.anchor is not None:
            node.anchor = event.anchor
            self.anchors[event.anchor] = node
        return node

    def _at_key(self) -> bool:
        return bool(self._open) and self._open[-1].is_mapping and self._keys[-1] is None

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if self._at_key():
            self._keys[-1] = node
            parent.end = max(parent.end, node.end)
            return
        key, self._keys[-1] = self._keys[-1], None
        parent.members.append(Member(key, node))
        parent.end = max(parent.end, node.end)
        if isinstance(parent.value, dict) and key is not None:
            parent.value[str(key.value)] = node.value
        elif isinstance(parent.value, list):
            parent.value.append(node.value)
