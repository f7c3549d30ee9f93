"""The tree of a YAML text: its values as they were written, with the comments and blank lines around them."""

from __future__ import annotations

from dataclasses import dataclass, field

#: The styles of scalars whose text stands below a header line.
BLOCK = ("|", ">")


@dataclass(slots=True)
class Comment:
    """A comment at the end of a line: ``gap`` spaces behind the line's content.

    The content had ``width`` characters; -1 if that is not known.
    """

    text: str
    gap: int
    width: int


@dataclass(slots=True)
class Scalar:
    """A scalar or an alias.

    ``style`` is the character it starts with: a quote, ``|``, ``>``, ``*``, or nothing if it is plain.
    ``lines`` is what was written, without the indentation; for ``|`` and ``>`` without the header line.
    """

    style: str
    value: str
    lines: list[str]
    anchor: str = ""
    #: What a block scalar does with the line breaks at its end: ``-``, ``+`` or nothing.
    chomp: str = ""
    #: The comment on a block scalar's header line.
    comment: Comment | None = None


@dataclass(slots=True)
class Item:
    """A member of a mapping, or an element of a list.

    ``above`` are the lines before it: comments, and ``""`` for blank lines. ``opening`` is the comment beside
    its key or its opening bracket, ``beside`` the one at its end.
    """

    above: list[str] = field(default_factory=list[str])
    key: Scalar | None = None
    value: Scalar | Collection = field(default_factory=lambda: Scalar("", "", [""]))
    opening: Comment | None = None
    beside: Comment | None = None


@dataclass(slots=True)
class Collection:
    """A mapping or a list. ``tail`` are the comments and blank lines behind its last item."""

    is_mapping: bool
    flow: bool
    column: int
    anchor: str = ""
    items: list[Item] = field(default_factory=list[Item])
    tail: list[str] = field(default_factory=list[str])

    def has_anchor(self) -> bool:
        """Whether something in it has an anchor, or it has one itself."""
        values = [item.value for item in self.items]
        return (
            bool(self.anchor)
            or any(item.key is not None and (item.key.anchor or item.key.style == "*") for item in self.items)
            or any(one.has_anchor() if isinstance(one, Collection) else bool(one.anchor) for one in values)
        )


@dataclass(slots=True)
class Tree:
    """One document.

    ``start`` are its directive and ``---``, if written; ``header`` is what stands above everything.
    ``comments`` are all comments that were read, wherever they are in the tree now.
    """

    start: list[str] = field(default_factory=list[str])
    header: list[str] = field(default_factory=list[str])
    root: Item = field(default_factory=Item)
    tail: list[str] = field(default_factory=list[str])
    comments: list[str] = field(default_factory=list[str])


def width_of(line: str) -> int:
    """How wide the content of a line is, wherever it begins."""
    return len(line.lstrip(" -"))
