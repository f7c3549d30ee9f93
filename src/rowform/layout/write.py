"""The tree of a YAML text as text: two spaces a level, block style where flow style does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile

from rowform.dump import MAX_SIMPLE_KEY, WIDTH
from rowform.layout.tree import BLOCK, Collection, Comment, Item, Scalar, Tree, width_of

_INDENT = "  "
#: Spaces before a comment whose line has become quite another one.
_GAP = 2
#: A comment stays in the column of those around it while its line changes by no more than this.
_SMALL = 4


def write(tree: Tree) -> str:
    """The text, with LF line ends and one at its end; nothing for nothing."""
    writer = _Writer()
    for line in tree.start:
        writer.line(line)
    writer.above([*tree.header, *tree.root.above], "")
    writer.root(tree.root)
    writer.above(tree.tail, "")
    return "\n".join([*writer.lines, ""]) if writer.lines else ""


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        #: Whether a blank line is to stand before the next line.
        self._blank = False
        #: Whether it may: not where a file or a block begins, nor after `|+`, where it is a part of the text.
        self._may = False

    def line(self, text: str, comment: Comment | None = None) -> None:
        if self._blank and self._may:
            self.lines.append("")
        self._blank, self._may = False, True
        self.lines.append(text if comment is None else _beside(text, comment))

    def above(self, lines: Sequence[str], indent: str) -> None:
        """Comments and blank lines; of several blank lines one stays."""
        for line in lines:
            if line:
                self.line(indent + line)
            else:
                self._blank = True

    def root(self, root: Item) -> None:
        node = root.value
        if isinstance(node, Scalar):
            if node.anchor or node.lines != [""]:
                self._scalar("", node, root.beside, "")
        elif (text := _inline("", node)) is not None:
            self._one_line(text, root, "")
        else:
            self.above([one.text for one in (root.opening, root.beside) if one], "")
            if node.anchor:
                self.line(_anchor(node))
            self._block(node, "")

    def _block(self, node: Collection, indent: str, head: str | None = None) -> None:
        """A collection in block style. ``head`` stands in place of the first line's indent: ``- ``."""
        for item in node.items:
            margin = indent if head is None else head
            above = item.above if head is None else list(dropwhile(lambda line: not line, item.above))
            self.above(above, _leading(margin))
            head = None
            if item.key is None:
                self._element(margin, item, indent)
            else:
                self._member(margin, item.key, item, indent)
        self.above(node.tail, indent)

    def _member(self, margin: str, key: Scalar, item: Item, indent: str) -> None:
        text = _key(key)
        if len(text) > MAX_SIMPLE_KEY:
            self.line(f"{margin}? {text}")
            head = f"{indent}:"
        else:
            head = f"{margin}{text} :" if key.style == "*" else f"{margin}{text}:"
        node = item.value
        if isinstance(node, Scalar):
            self._scalar(head, node, item.beside or item.opening, indent)
        elif (line := _inline(head, node)) is not None:
            self._one_line(line, item, _leading(margin))
        else:
            rest = [item.beside.text] if item.opening and item.beside else []
            self.line(_joined(head, _anchor(node)), item.opening or item.beside)
            self._may = False
            self._block(node, indent + _INDENT)
            self.above(rest, indent + _INDENT)

    def _element(self, margin: str, item: Item, indent: str) -> None:
        head = f"{margin}-"
        node = item.value
        if isinstance(node, Scalar):
            self._scalar(head, node, item.beside, indent)
        elif (line := _inline(head, node)) is not None:
            self._one_line(line, item, _leading(margin))
        else:
            beside = [one.text for one in (item.opening, item.beside) if one]
            self.above(beside, _leading(margin))
            if node.anchor:
                self._anchored(_joined(head, _anchor(node)), node, indent + _INDENT)
            else:
                self._block(node, indent + _INDENT, f"{head} ")

    def _anchored(self, head: str, node: Collection, indent: str) -> None:
        """An element with an anchor has a line for it; comments stand above that, as with others."""
        self.line(head)
        start = len(self.lines)
        self._may = False
        self._block(node, indent)
        end = next(n for n in range(start, len(self.lines)) if self.lines[n].strip()[:1] not in ("", "#"))
        above = [_leading(head) + line.strip() if line else line for line in self.lines[start:end]]
        self.lines[start - 1 : end] = [*above, head]

    def _one_line(self, line: str, item: Item, indent: str) -> None:
        if item.opening and item.beside:
            self.above([item.opening.text], indent)
        self.line(line, item.beside or item.opening)

    def _scalar(self, head: str, node: Scalar, comment: Comment | None, indent: str) -> None:
        head = _joined(head, _anchor(node))
        inner = indent + _INDENT
        if node.style in BLOCK:
            # Where the text itself begins with white space, its indentation has to be said.
            written = next((line for line in node.lines if line), "")
            says = str(len(_INDENT)) if written.startswith((" ", "\t")) else ""
            self.line(_joined(head, f"{node.style}{says}{node.chomp}"), comment)
            self.lines += [inner + line if line else "" for line in node.lines]
            self._may = node.chomp != "+"
            return
        first, *rest = node.lines
        self.line(_joined(head, first), None if rest else comment)
        if rest:
            self.lines += [inner + line if line else "" for line in rest[:-1]]
            self.line(inner + rest[-1], comment)


def _leading(line: str) -> str:
    """The spaces that a line begins with."""
    return line[: len(line) - len(line.lstrip(" "))]


def _anchor(node: Scalar | Collection) -> str:
    return f"&{node.anchor}" if node.anchor else ""


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _key(key: Scalar) -> str:
    return _joined(_anchor(key), key.lines[0])


def _beside(line: str, comment: Comment) -> str:
    gap = max(comment.gap, 1)
    if gap > _GAP:
        change = comment.width - width_of(line)
        far = comment.width < 0 or abs(change) > _SMALL
        gap = _GAP if far else max(gap + change, _GAP)
    return f"{line}{' ' * gap}{comment.text}"


def _inline(head: str, node: Collection) -> str | None:
    """``head`` and the collection in flow style; ``None`` if it is to be in block style."""
    text = _flow(node)
    if text is None:
        return None
    line = _joined(head, _anchor(node), text)
    return line if len(line) <= WIDTH or not node.items else None


def _flow(node: Scalar | Collection) -> str | None:
    """A value on one line, without its anchor; ``None`` if it has comments inside or cannot be on one."""
    if isinstance(node, Scalar):
        return None if len(node.lines) > 1 or node.style in BLOCK else node.lines[0] or "null"
    if (node.items and not node.flow) or any(node.tail):
        return None
    parts: list[str] = []
    for item in node.items:
        value = _flow(item.value)
        if value is None or any(item.above) or item.opening or item.beside:
            return None
        value = _joined(_anchor(item.value), value)
        if item.key is not None:
            key = _key(item.key)
            if len(key) > MAX_SIMPLE_KEY:
                return None
            value = f"{key} : {value}" if item.key.style == "*" else f"{key}: {value}"
        parts.append(value)
    text = ", ".join(parts)
    return f"{{{text}}}" if node.is_mapping else f"[{text}]"
