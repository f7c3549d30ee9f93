"""A file with settings while it changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rowform.document import Document
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.load import SourceFile

#: Fewer entries that are in order of their keys may be so by chance.
_ORDERED = 3


@dataclass(slots=True)
class Items:
    """The entries of one kind in a file. ``there`` has those of the text, ``None`` for one that goes."""

    there: list[dict[str, Any] | None]
    new: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def placed(self, kind: Kind) -> list[tuple[int | None, dict[str, Any]]]:
        """What is to be there, each with its index in the text: a list in order of keys stays in order."""
        kept: list[tuple[int | None, dict[str, Any]]] = [
            (index, one) for index, one in enumerate(self.there) if one is not None
        ]
        keys = [_key(kind, one) for _, one in kept]
        both = [*kept, *((None, one) for one in sorted(self.new, key=lambda one: _key(kind, one)))]
        if len(keys) >= _ORDERED and keys == sorted(keys):
            both.sort(key=lambda pair: _key(kind, pair[1]))
        return both


def _key(kind: Kind, item: dict[str, Any]) -> str:
    return str(item.get(kind.key))


@dataclass(slots=True)
class Work:
    """A file, what it says, and the kinds of which entries in it change."""

    source: SourceFile
    document: Document
    items: dict[str, Items] = field(default_factory=dict[str, Items])

    def of(self, kind: Kind) -> Items:
        """The entries of a kind, to be changed."""
        if kind.name not in self.items:
            self.items[kind.name] = Items(list(self.entries(kind)))
        return self.items[kind.name]

    def entries(self, kind: Kind) -> list[dict[str, Any]]:
        """The entries of a kind as the text has them."""
        value = self.document.value
        found = value.get(kind.name) if is_object(value) else None
        return found if is_list(found) else []

    def names(self, kind: Kind) -> bool:
        """Whether the text has a list for a kind."""
        value = self.document.value
        return is_object(value) and is_list(value.get(kind.name))
