"""Versions as text: the history, and one version's content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rowform.dump import dump
from rowform.kinds import Kind
from rowform.render.ink import Ink
from rowform.render.tables import table
from rowform.state import Content
from rowform.text import escape


class Version(Protocol):
    """What this module shows of a version."""

    @property
    def number(self) -> int: ...
    @property
    def name(self) -> str | None: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def is_locked(self) -> bool: ...
    @property
    def source(self) -> Mapping[str, Any]: ...
    @property
    def added(self) -> int: ...
    @property
    def changed(self) -> int: ...
    @property
    def destroyed(self) -> int: ...
    def created(self) -> str: ...


def history_text(slug: str, versions: Sequence[Version], ink: Ink) -> str:
    """The versions of one restaurant as a table, newest first."""
    if not versions:
        return f"{ink.bold(escape(slug))}: no versions yet."
    heading = ("VERSION", "STATE", "CREATED", "CHANGES", "COMMIT", "AUTHOR", "NAME")
    rows = [heading, *(_row(version) for version in versions)]
    lines = [f"{ink.bold(escape(slug))}", *(f"  {line}" for line in table(rows))]
    return "\n".join(lines)


def _row(version: Version) -> tuple[str, ...]:
    source = version.source
    state = [word for word, true in (("active", version.is_active), ("locked", version.is_locked)) if true]
    commit = str(source.get("commit") or "")[:7] or str(source.get("kind") or "")
    dirty = "+" if source.get("dirty") else ""
    return (
        str(version.number),
        ", ".join(state),
        version.created(),
        f"+{version.added} ~{version.changed} -{version.destroyed}",
        escape(commit + dirty),
        escape(str(source.get("author") or "")),
        escape(version.name or ""),
    )


def version_text(slug: str, version: Version, content: Content, kinds: Mapping[str, Kind]) -> str:
    """One version as a YAML document, with what is known of it as comments."""
    state = [word for word, true in (("active", version.is_active), ("locked", version.is_locked)) if true]
    source = version.source
    facts = [
        f"{slug}, version {version.number}{' (' + ', '.join(state) + ')' if state else ''}",
        f"name: {version.name}",
        f"created: {version.created()}",
        *(f"{word}: {source[word]}" for word in ("author", "commit", "ref") if source.get(word)),
    ]
    return "".join(f"# {escape(fact)}\n" for fact in facts) + "\n" + dump(content, kinds).rstrip("\n")
