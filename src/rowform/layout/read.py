"""A YAML text as a tree that keeps comments, blank lines and the spelling of every scalar.

The tree is made from libyaml's events: what stands between two of them is white space, punctuation and
comments. A comment on a line of its own belongs to what follows it, unless it is indented like what went
before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rowform.layout.tree import BLOCK, Collection, Comment, Item, Scalar, Tree, width_of

#: An anchor, with the white space and the comments after it.
_ANCHOR = re.compile(r"&[\w-]+(?:\s+|#[^\n]*)*")
#: Nothing else between two tokens has this character.
_COMMENT = re.compile("#.*")
#: The line breaks, and lines of spaces, at the end of a block scalar.
_END = re.compile(r"\n[ \n]*\Z")
#: The column of a comment behind punctuation: ``- # why``. It belongs to what follows.
_NOWHERE = -1


@dataclass(slots=True)
class _Open:
    """A collection that is being read: the item that holds it, and the member that is being read in it."""

    node: Collection
    holder: Item
    member: Item | None = None


def read(text: str) -> Tree:
    """The tree of a text with LF line ends that :func:`rowform.document.parse` accepts."""
    reader = _Reader(text)
    reader.run()
    return reader.tree


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = Tree()
        self._open: list[_Open] = []
        #: Comments and blank lines since the last token, each with its column.
        self._pending: list[tuple[int, str]] = []
        #: Where the tokens begin that are still to come, and where the text ends.
        self._starts: Iterator[int] = iter(())

    def run(self) -> None:
        import yaml

        loader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        events = list(yaml.parse(self.text, Loader=loader))
        spans = [self._span(event) for event in events]
        self._starts = iter([*(span[0] for span in spans if span), len(self.text)])
        self._gap(0)
        for event, span in zip(events, spans, strict=True):
            match event:
                case yaml.DocumentStartEvent() if span:
                    self._start(event, span)
                case yaml.ScalarEvent() if span:
                    self._leaf(_scalar(event, self.text[span[0] : span[1]]), span[1])
                case yaml.AliasEvent() if span:
                    self._leaf(Scalar("*", "", [f"*{event.anchor}"]), span[1])
                case yaml.CollectionStartEvent():
                    self._begin(event, span)
                case yaml.CollectionEndEvent():
                    self._end(span)
                case _:
                    pass
        self.tree.tail = self._take_all()

    def _span(self, event: Any) -> tuple[int, int] | None:
        """Where the token of an event stands, without its anchor; ``None`` if it has none."""
        import yaml

        start, end = event.start_mark.index, event.end_mark.index
        match event:
            case yaml.ScalarEvent():
                if event.anchor is not None and (found := _ANCHOR.match(self.text, start, end)):
                    start = found.end()
                if event.style in BLOCK:
                    end = start + len(_END.sub("", self.text[start:end]))
                return start, end
            case yaml.AliasEvent():
                return start, end
            case yaml.DocumentStartEvent():
                return (start, end) if event.explicit else None
            # The mapping of `[a: b]` has no brackets.
            case yaml.CollectionStartEvent():
                return (end - 1, end) if start < end and self.text[end - 1] in "[{" else None
            case yaml.CollectionEndEvent():
                return (start, end) if start < end and self.text[start] in "]}" else None
            case _:
                return None

    def _gap(self, start: int) -> Comment | None:
        """Read on to the next token. Returns the comment on the line that goes on at ``start``."""
        between = self.text[start : next(self._starts)]
        if "#" not in between and between.count("\n") <= (1 if start else 0):
            # Nearly always: punctuation, and at most the end of the line.
            return None
        self.tree.comments += _comments(between)
        first, *rest = between.split("\n")
        beside = None
        if start == 0:
            first, rest = "", [first, *rest]
        if found := _COMMENT.search(first):
            line = self.text[self.text.rfind("\n", 0, start) + 1 : start + found.start()]
            content = line.rstrip()
            beside = Comment(found.group().rstrip(), len(line) - len(content), width_of(content))
        behind = False
        for number, line in enumerate(rest, 1):
            found = _COMMENT.search(line)
            before = line[: found.start()] if found else line
            # What stands behind a dash is about what follows, however deep.
            behind = behind or bool(before.strip())
            if found:
                self._pending.append((_NOWHERE if behind else found.start(), found.group().rstrip()))
            elif number < len(rest) and not before.strip():
                self._pending.append((0, ""))
        return beside

    def _take(self, column: int) -> list[str]:
        """The pending lines up to the last comment before one that stands further left than ``column``."""
        count = 0
        for index, (at, text) in enumerate(self._pending):
            if text and at < column:
                break
            count = index + 1 if text else count
        taken = [text for _, text in self._pending[:count]]
        del self._pending[:count]
        return taken

    def _take_all(self) -> list[str]:
        taken = [text for _, text in self._pending]
        self._pending.clear()
        return taken

    def _start(self, event: Any, span: tuple[int, int]) -> None:
        """A written ``---``, with its directive. What stands above it stays above everything."""
        self.tree.start = [*(["%YAML 1.2"] if event.version else []), "---"]
        inside = _comments(self.text[span[0] : span[1]])
        self.tree.comments += inside
        self.tree.header = [*self._take_all(), *inside]
        if beside := self._gap(span[1]):
            self._pending.insert(0, (_NOWHERE, beside.text))

    def _put(self, node: Scalar | Collection, *, take: bool) -> Item:
        """Put a node where it belongs. With ``take``, the pending lines are about it, not what is in it."""
        top = self._open[-1] if self._open else None
        if top is None:
            item = self.tree.root
            item.value = node
        elif top.member is not None:
            item, top.member = top.member, None
            item.value = node
            if take:
                item.above += [line for line in self._take_all() if line]
            return item
        else:
            item = Item(value=node)
            if top.node.is_mapping and isinstance(node, Scalar):
                if node.style in BLOCK or len(node.lines) > 1:
                    # A key stands on one line.
                    node.style, node.lines = '"', [_quoted(node.value)]
                item = top.member = Item(key=node)
            top.node.items.append(item)
            take = True
        if take:
            item.above += self._take_all()
        return item

    def _leaf(self, node: Scalar, end: int) -> None:
        item = self._put(node, take=True)
        if node.comment is not None:
            self.tree.comments.append(node.comment.text)
        beside = self._gap(end) or node.comment
        if item.key is node:
            item.opening = beside
            return
        if item.opening is not None and beside is not None:
            item.above.append(item.opening.text)
        item.beside, item.opening = beside or item.opening, None

    def _begin(self, event: Any, span: tuple[int, int] | None) -> None:
        import yaml

        is_mapping = isinstance(event, yaml.MappingStartEvent)
        node = Collection(is_mapping, bool(event.flow_style), event.end_mark.column, event.anchor or "")
        item = self._put(node, take=node.flow)
        self._open.append(_Open(node, item))
        if span is not None and (beside := self._gap(span[1])):
            item.above += [item.opening.text] if item.opening else []
            item.opening = beside

    def _end(self, span: tuple[int, int] | None) -> None:
        closed = self._open.pop()
        node, item = closed.node, closed.holder
        if span is None:
            node.tail = [] if node.flow else self._take(node.column)
            return
        node.tail = [line for line in self._take_all() if line]
        item.beside = self._gap(span[1])
        if not node.items:
            # Brackets with nothing inside stay on one line.
            item.above += [*([item.opening.text] if item.opening else []), *node.tail]
            node.tail, item.opening = [], None


def _comments(between: str) -> list[str]:
    return [found.rstrip() for found in _COMMENT.findall(between)]


def _scalar(event: Any, source: str) -> Scalar:
    value, anchor = event.value, event.anchor or ""
    if event.style in BLOCK:
        return _block_scalar(event.style, value, anchor, source)
    style = source[:1] if event.style in ("'", '"') else ""
    if "\n" not in source:
        return Scalar(style, value, [source], anchor)
    first, *rest = source.split("\n")
    lines = [_stripped(first, style), *(_stripped(line.lstrip(" \t"), style) for line in rest)]
    return Scalar(style, value, lines, anchor)


def _stripped(line: str, style: str) -> str:
    """One line of a scalar over several lines, without the white space at its end, which means nothing."""
    bare = line.rstrip(" \t")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    escaped = style == '"' and backslashes % 2 == 1
    return line[: len(bare) + 1] if escaped else bare


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _block_scalar(style: str, value: str, anchor: str, source: str) -> Scalar:
    header, *written = source.split("\n")
    comment = None
    if found := _COMMENT.search(header):
        content = header[: found.start()].rstrip()
        comment = Comment(found.group().rstrip(), found.start() - len(content), -1)
        header = content
    body = value.rstrip("\n")
    breaks = len(value) - len(body)
    if style == "|":
        lines = body.split("\n")
    else:
        indent = min((len(line) - len(line.lstrip(" ")) for line in written if line.strip(" ")), default=0)
        lines = [line[indent:] for line in written]
    spaces = any(line and not line.strip(" ") for line in (lines if style == ">" else lines[-1:]))
    folded = style == ">" and (spaces or body.endswith(" ") or any(char.isdigit() for char in header))
    if not body or spaces or folded:
        # What such a text means depends on its indentation: quoted it does not.
        return Scalar('"', value, [_quoted(value)], anchor, comment=comment)
    chomp = "-" if breaks == 0 else "" if breaks == 1 else "+"
    return Scalar(style, value, [*lines, *([""] * (breaks - 1))], anchor, chomp, comment)
