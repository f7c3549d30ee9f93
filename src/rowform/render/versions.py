"""Versions as text: the history, and one version's content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from rowform.dump import dump
from rowform.effective import LeftOut, Standing
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.plan import UNPLANNED
from rowform.render.ink import Ink
from rowform.render.tables import table
from rowform.state import Content
from rowform.text import count, escape, quote, utc

#: Of a table's cell; `show` has the whole.
_AUTHOR_WIDTH = 48
#: How many reverted commits a table's cell names.
_SHOWN_REVERTS = 3
#: States of versions that were never active.
_WAITING = ("staged", "draft")


class Version(Protocol):
    """What this module shows of a version."""

    @property
    def number(self) -> int: ...
    @property
    def name(self) -> str | None: ...
    @property
    def state(self) -> str: ...
    @property
    def is_locked(self) -> bool: ...
    @property
    def lock_reason(self) -> str | None: ...
    @property
    def locked_at(self) -> datetime | None: ...
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
    lines.extend(f"  Version {one.number} is {escape(_lock(one))}." for one in versions if one.is_locked)
    return "\n".join(lines)


def _row(version: Version) -> tuple[str, ...]:
    source = version.source
    commit = str(source.get("commit") or "")[:7] or str(source.get("kind") or "")
    dirty = "+" if source.get("dirty") else ""
    return (
        str(version.number),
        ", ".join(_states(version)),
        version.created(),
        # What was never activated has changed nothing.
        "" if version.state in _WAITING else f"+{version.added} ~{version.changed} -{version.destroyed}",
        escape(commit + dirty),
        escape(_cut(author_of(source))),
        escape(f"{version.name or ''}{_reverts(source)}"),
    )


def _reverts(source: Mapping[str, Any]) -> str:
    """The commits that a version took back."""
    found = source.get("reverts")
    commits = [str(one)[:7] for one in found] if is_list(found) else []
    more = len(commits) - _SHOWN_REVERTS
    named = f"{', '.join(commits[:_SHOWN_REVERTS])}{f' and {more} more' if more > 0 else ''}"
    return f" (reverts {named})" if commits else ""


def _states(version: Version) -> list[str]:
    """What is to be said of a version's state; nothing of one that is neither active nor waiting for it."""
    return [
        *([version.state] if version.state == "active" or version.state in _WAITING else ()),
        *(["locked"] if version.is_locked else ()),
    ]


def _lock(version: Version) -> str:
    since = f" since {utc(version.locked_at)}" if version.locked_at else ""
    return f"locked{since}{f': {quote(version.lock_reason)}' if version.lock_reason else ''}"


def is_direct(source: Mapping[str, Any]) -> bool:
    """Whether a version's ``source`` says that no plan made it."""
    return source.get("kind") in UNPLANNED


def author_of(source: Mapping[str, Any]) -> str:
    """Who made a version. For a direct write all that is known of the writer, the person first."""
    if not is_direct(source):
        return str(source.get("author") or "")
    claims: Mapping[str, Any] = source.get("claims") or {}
    known = (
        claims.get("email") or claims.get("sub") or source.get("user"),
        f"client {source['client']}" if source.get("client") else None,
        source.get("role"),
        source.get("database_user"),
        source.get("application_name"),
    )
    return ", ".join(dict.fromkeys(str(one) for one in known if one))


def _cut(text: str) -> str:
    return text if len(text) <= _AUTHOR_WIDTH else f"{text[: _AUTHOR_WIDTH - 1]}…"


def version_text(
    slug: str,
    version: Version,
    content: Content,
    kinds: Mapping[str, Kind],
    remarks: Iterable[str] = (),
) -> str:
    """One version as a YAML document, with what is known of it and the ``remarks`` as comments."""
    source, states = version.source, ", ".join(_states(version))
    author, reason, taken_back = author_of(source), source.get("reason"), source.get("reverts")
    facts = [
        f"{slug}, version {version.number}{f' ({states})' if states else ''}",
        f"name: {version.name}",
        f"created: {version.created()}",
        *([f"{'written by' if is_direct(source) else 'author'}: {author}"] if author else ()),
        *(f"{word}: {source[word]}" for word in ("commit", "ref") if source.get(word)),
        *([f"reverts: {', '.join(map(str, taken_back))}"] if is_list(taken_back) and taken_back else ()),
        *([f"reason: {reason}"] if reason and reason != version.name else ()),
        *_overruled(source),
        *([_lock(version)] if version.is_locked else ()),
        *remarks,
    ]
    return "".join(f"# {escape(fact)}\n" for fact in facts) + "\n" + dump(content, kinds).rstrip("\n")


def _overruled(source: Mapping[str, Any]) -> Iterator[str]:
    """The guards that fired, and did not stop the version from being made."""
    forced, allowed = source.get("forced"), source.get("allowed")
    if is_list(forced):
        yield f"forced: {', '.join(map(str, forced))}"
    if is_object(allowed):
        yield f"allowed: {', '.join(f'{guard} ({str(commit)[:7]})' for guard, commit in allowed.items())}"


#: Why a setting is not in effect on a day.
_WHY = {Standing.PENDING: "takes effect on", Standing.ENDED: "ended on", Standing.PAUSED: "is paused"}


def on_day_remarks(day: str, zone: str | None, kept: Content, left_out: Sequence[LeftOut]) -> Iterator[str]:
    """What to say above a version of which only that is shown what is in effect on a day.

    Args:
        day: the day.
        zone: the time zone in which it is today, if nobody named it.
        kept: what is in effect.
        left_out: what is not.
    """
    today = f", which is today in {zone}" if zone else ""
    shown = count(sum(map(len, kept.values())), "setting")
    yield f"in effect on {day}{today}: {shown}; {count(len(left_out), 'other')} left out"
    for one in left_out:
        why = f"{_WHY[one.effect.standing]} {one.effect.day or ''}".rstrip()
        yield f"  {one.entry.kind} {quote(one.entry.key)} {why}"
