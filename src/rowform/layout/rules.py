"""What canonical layout is, beyond indentation: block style for entries, order of fields, quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto

from rowform.config import ThresholdsFile, ToolFile
from rowform.dump import scalar
from rowform.kinds import Kind
from rowform.kinds.base import DAY_PATTERN, PREVIOUSLY
from rowform.kinds.restaurant import RestaurantFile
from rowform.layout.tree import Collection, Item, Scalar, Tree

_DAY = re.compile(DAY_PATTERN)
#: A comment by which an editor knows the file; it stays on top.
_MODELINE = re.compile(r"#\s*(?:yaml-language-server|vim?|-\*-)\b")


class Form(Enum):
    """The sorts of files in a config directory."""

    SETTINGS = auto()
    RESTAURANT = auto()
    TOOL = auto()


def canonical(tree: Tree, form: Form, kinds: Mapping[str, Kind]) -> None:
    """Bring a tree into canonical order and style. What it says stays the same."""
    _quotes(tree.root)
    root = tree.root.value
    if not isinstance(root, Collection) or not root.is_mapping:
        return
    root.flow = False
    _split_header(tree, root)
    match form:
        case Form.RESTAURANT:
            _sort(root, tuple(RestaurantFile.model_fields))
        case Form.TOOL:
            _sort(root, tuple(ToolFile.model_fields))
            for name, node in _members(root):
                node.flow = False
                _sort(node, tuple(ThresholdsFile.model_fields) if name == "thresholds" else ())
        case Form.SETTINGS:
            _sort(root, tuple(kinds))
            for item in root.items[1:]:
                # One blank line between kinds.
                item.above.insert(0, "")
            for name, node in _members(root):
                if name in kinds and not node.is_mapping:
                    _entries(node, kinds[name])


def _entries(node: Collection, kind: Kind) -> None:
    node.flow = False
    order = tuple(dict.fromkeys((kind.key, PREVIOUSLY, *kind.column_names)))
    days = {column.name for column in kind.columns if column.sql_type == "date"}
    for item in node.items:
        entry = item.value
        if isinstance(entry, Collection) and entry.is_mapping:
            entry.flow = False
            _sort(entry, order)
            for member in entry.items:
                value = member.value
                if _name(member) in days and isinstance(value, Scalar) and _DAY.fullmatch(value.value):
                    # A date field reads dates without quotes, as `rowform show` writes them.
                    value.style, value.lines = "", [value.value]


def _members(node: Collection) -> Iterator[tuple[str, Collection]]:
    for item in node.items:
        if isinstance(item.value, Collection):
            yield _name(item), item.value


def _name(item: Item) -> str:
    return item.key.value if item.key is not None else ""


def _sort(node: Collection, order: Sequence[str]) -> None:
    """Bring members into order, unknown ones last. Among anchors the order has a meaning, and stays."""
    if node.is_mapping and not node.has_anchor():
        places = {name: index for index, name in enumerate(order)}
        node.items.sort(key=lambda item: places.get(_name(item), len(places)))


def _split_header(tree: Tree, root: Collection) -> None:
    """What stands above the first member and a blank line, or is for editors, is about the whole file."""
    if not root.items:
        return
    above = root.items[0].above
    marks = [index for index, line in enumerate(above) if not line or _MODELINE.match(line)]
    count = marks[-1] + 1 if marks else 0
    tree.header += above[:count]
    root.items[0].above = above[count:]


def _quotes(item: Item) -> None:
    """Quotes as `rowform show` writes them, in all that the item holds."""
    if item.key is not None:
        _requote(item.key)
    if isinstance(item.value, Scalar):
        _requote(item.value)
    else:
        for one in item.value.items:
            _quotes(one)


def _requote(node: Scalar) -> None:
    """Quotes only where they are needed, and then double ones unless that takes escapes.

    Plain text stays as it is, and so do escapes and texts over several lines.
    """
    if node.style not in ("'", '"') or len(node.lines) > 1 or (node.style == '"' and "\\" in node.lines[0]):
        return
    wanted = scalar(node.value)
    if not wanted.startswith('"'):
        node.style, node.lines = "", [wanted]
    elif wanted == f'"{node.value}"':
        node.style, node.lines = '"', [wanted]
