"""What a pull does: changes of settings, and the files that they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rowform.diff import Action
from rowform.state import Content

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Live:
    """A restaurant of the database: its row, and the content of its active version."""

    slug: str
    id: str
    name: str
    timezone: str | None
    content: Content


@dataclass(frozen=True, slots=True)
class SettingChange:
    """What happens to one setting in the YAML, and in which file."""

    action: Action
    kind: str
    key: str
    previous_key: str | None
    file: Parts

    def to_json(self, shown: str) -> dict[str, Any]:
        return {
            "action": self.action.value,
            "kind": self.kind,
            "key": self.key,
            "previous_key": self.previous_key,
            "file": shown,
        }


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file before (``None`` if it is new) and after."""

    parts: Parts
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one restaurant's pull would change. ``changes`` are in order of kind and key."""

    changes: tuple[SettingChange, ...]
    files: tuple[FileChange, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A stored value that cannot stand in the configuration; without ``kind``, one of its row."""

    restaurant: str
    kind: str | None
    key: str | None
    field: str | None
    message: str

    def to_json(self) -> Mapping[str, Any]:
        return {
            "restaurant": self.restaurant,
            "kind": self.kind,
            "key": self.key,
            "field": self.field,
            "message": self.message,
        }
