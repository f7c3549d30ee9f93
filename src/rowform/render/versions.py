"""Versions as text: the history, and one version's content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rowform.dump import dump
from rowform.kinds import Kind
from rowform.plan import UNPLANNED
from rowform.render.ink import Ink
from rowform.render.tables import table
from rowform.state import Content
from rowform.text import escape

#: Of a table's cell; `show` has the whole.
_AUTHOR_WIDTH = 48


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
        escape(_cut(author_of(source))),
        escape(version.name or ""),
    )


def is_direct(source: Mapping[str, Any]) -> bool:
    """Whether a version's ``source`` says that no plan made it."""
    return source.get("kind") in UNPLANNED


def author_of(source: Mapping[str, Any]) -> str:
    """Who made a version. For a direct write all that is known of the writer, the person first."""
    if not is_direct(source):
        return str(source.get("author") or "")
    claims: Mapping[str, Any] = source.get("claims") or {}
    known = (
        claims.get("email") or claims.get("sub"),
        source.get("role"),
        source.get("database_user"),
        source.get("application_name"),
    )
    return ", ".join(dict.fromkeys(str(one) for one in known if one))


def _cut(text: str) -> str:
    return text if len(text) <= _AUTHOR_WIDTH else f"{text[: _AUTHOR_WIDTH - 1]}…"


def version_text(slug: str, version: Version, content: Content, kinds: Mapping[str, Kind]) -> str:
    """One version as a YAML document, with what is known of it as comments."""
    state = [word for word, true in (("active", version.is_active), ("locked", version.is_locked)) if true]
    source = version.source
    author, reason = author_of(source), source.get("reason")
    facts = [
        f"{slug}, version {version.number}{' (' + ', '.join(state) + ')' if state else ''}",
        f"name: {version.name}",
        f"created: {version.created()}",
        *([f"{'written by' if is_direct(source) else 'author'}: {author}"] if author else ()),
        *(f"{word}: {source[word]}" for word in ("commit", "ref") if source.get(word)),
        *([f"reason: {reason}"] if reason and reason != version.name else ()),
    ]
    return "".join(f"# {escape(fact)}\n" for fact in facts) + "\n" + dump(content, kinds).rstrip("\n")
