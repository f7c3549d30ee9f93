"""What a YAML composer fills: the places of values, and the mappings and lists that are still open."""

from __future__ import annotations

from typing import Any

from rowform.document.scalars import JsonValue


class Place:
    """Where one value stands. Lines and columns count from 0, ``last`` included, as libyaml does."""

    __slots__ = ("children", "column", "key", "last", "line", "source")

    def __init__(self, line: int, column: int, last: int, source: str | None = None) -> None:
        self.line = line
        self.column = column
        self.last = last
        self.source = source
        self.key: tuple[int, int] | None = None
        self.children: list[Place] | dict[str, Place] | None = None

    def child(self, step: str | int) -> Place | None:
        inside = self.children
        if isinstance(inside, dict):
            return inside.get(step) if isinstance(step, str) else None
        if inside is None or not isinstance(step, int) or not 0 <= step < len(inside):
            return None
        return inside[step]


class Frame:
    """One mapping or list that is being filled. ``size`` counts its nodes, aliases expanded."""

    __slots__ = (
        "anchor",
        "at_key",
        "event",
        "first",
        "height",
        "in_key",
        "is_key",
        "key",
        "key_at",
        "place",
        "size",
        "value",
    )

    def __init__(
        self, event: Any, value: list[JsonValue] | dict[str, JsonValue], place: Place | None
    ) -> None:
        self.event = event
        self.value = value
        self.place = place
        self.anchor: str | None = event.anchor if event is not None else None
        self.at_key = isinstance(value, dict)
        self.is_key = self.in_key = False
        self.key: str | None = None  # None while a value is read: it has no usable key, drop it
        self.key_at = (0, 0)
        self.first: dict[str, int] = {}
        self.size = 1
        self.height = 1

    def put(self, value: JsonValue, place: Place | None, size: int, height: int) -> None:
        self.size += size
        if height >= self.height:
            self.height = height + 1
        if isinstance(self.value, list):
            self.value.append(value)
            if place is not None and self.place is not None and isinstance(self.place.children, list):
                self.place.children.append(place)
            return
        self.at_key = True
        if self.key is not None:
            self.value[self.key] = value
            if place is not None and self.place is not None:
                place.key = self.key_at
                if value is None and place.source == "":
                    place.line, place.column = self.key_at
                    place.last = place.line
                if isinstance(self.place.children, dict):
                    self.place.children[self.key] = place
