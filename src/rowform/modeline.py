"""The first line of our files, by which editors find the JSON Schema."""

from __future__ import annotations


def modeline(schema: str, *, depth: int) -> str:
    """The comment for a file that stands ``depth`` directories below the one with ``schemas/``."""
    return f"# yaml-language-server: $schema={'../' * depth}schemas/{schema}.schema.json\n"
