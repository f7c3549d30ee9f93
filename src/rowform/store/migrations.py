"""The numbered migrations that come with this rowform."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Migration:
    """A file of ``sql/migrations``; ``checksum`` is of its text."""

    number: int
    name: str
    checksum: str
    text: str


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations that this rowform knows, in order."""
    found: list[Migration] = []
    for file in files("rowform.store").joinpath("sql", "migrations").iterdir():
        stem, _, suffix = file.name.partition(".")
        if suffix == "sql":
            number, _, name = stem.partition("_")
            text = file.read_text("utf-8")
            found.append(Migration(int(number), name, hashlib.sha256(text.encode()).hexdigest(), text))
    return tuple(sorted(found, key=lambda migration: migration.number))


def latest() -> int:
    """The schema version that this rowform works with."""
    return migrations()[-1].number
