"""When settings are in effect: not yet, not any more, paused; and limits that take effect together.

Both days of a period are inclusive, and an open end is for ever. A day is one of the restaurant's calendar:
:func:`today` is the only place that knows of time zones, and it is told what time it is.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Any

from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.kinds.base import ACTIVE
from rowform.kinds.facts import Purpose
from rowform.state import Content, Entry, token

#: A day that can be compared with others, those included that only PostgreSQL knows: year, month, day.
_Day = tuple[float, int, int]
_BEGINNING: _Day = (float("-inf"), 0, 0)
_END: _Day = (float("inf"), 0, 0)
#: How PostgreSQL writes a date: it has years of more than four digits, and years before Christ.
_WRITTEN = re.compile(r"(\d{4,})-(\d\d)-(\d\d)( BC)?")


class Standing(StrEnum):
    """What a setting is on a day."""

    IN_EFFECT = "in-effect"
    PENDING = "pending"
    ENDED = "ended"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a setting is on a day; ``day`` is the one that it waits for, or that was its last one."""

    standing: Standing
    day: str | None = None


_IN_EFFECT = Effect(Standing.IN_EFFECT)


def effect(kind: Kind, values: Mapping[str, Any], on: date) -> Effect:
    """Whether a setting of ``kind`` is in effect on a day, and if not, why."""
    if values.get(ACTIVE, True) is not True:
        return Effect(Standing.PAUSED)
    day = (on.year, on.month, on.day)
    for start, end in kind.periods:
        if _day(values.get(start), _BEGINNING) > day:
            return Effect(Standing.PENDING, values[start])
        if _day(values.get(end), _END) < day:
            return Effect(Standing.ENDED, values[end])
    return _IN_EFFECT


def _day(written: Any, open_end: _Day) -> _Day:
    if written in ("infinity", "-infinity"):
        return _END if written == "infinity" else _BEGINNING
    match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        return open_end
    year, month, day = (int(part) for part in match.groups()[:3])
    return (1 - year if match[4] else year), month, day


def today(zones: tuple[str | None, ...], now: datetime) -> tuple[date, str | None]:
    """The date at ``now`` in the first of some time zones that is known, and that one; else in UTC.

    Args:
        zones: names of IANA time zones, in order of preference.
        now: the time; it must know its own zone.
    """
    for name in zones:
        zone = _zone(name)
        if zone is not None:
            return now.astimezone(zone).date(), name
    return now.astimezone(_zone("UTC")).date(), None


def _zone(name: str | None) -> tzinfo | None:
    # zoneinfo takes 8 ms to import: only what has dates pays for it.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


# --- a version on a day --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A setting that is not in effect on a day."""

    entry: Entry
    effect: Effect

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.entry.kind,
            "key": self.entry.key,
            "state": self.effect.standing.value,
            "day": self.effect.day,
        }


def on_day(content: Content, kinds: Mapping[str, Kind], on: date) -> tuple[Content, tuple[LeftOut, ...]]:
    """The part of ``content`` that is in effect on a day, and what is not, in order of kind and key."""
    kept: dict[str, dict[str, Entry]] = {}
    left_out: list[LeftOut] = []
    for name, kind in kinds.items():
        if name not in content:
            continue
        kept[name] = {}
        for key, entry in sorted(content[name].items()):
            found = effect(kind, entry.values, on)
            if found.standing is Standing.IN_EFFECT:
                kept[name][key] = entry
            else:
                left_out.append(LeftOut(entry, found))
    return kept, tuple(left_out)


# --- overlaps ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two settings of one purpose whose periods, both with two ends, share a day."""

    entry: Entry
    other: Entry
    period: tuple[str, str]

    def days(self, entry: Entry) -> str:
        """The period of one of the two, for people."""
        return f"{entry.values[self.period[0]]} to {entry.values[self.period[1]]}"


def overlaps(content: Content, kinds: Mapping[str, Kind]) -> Iterator[Overlap]:
    """Settings whose period overlaps that of another one of the same purpose, each once.

    A period with an open end is the rule, one with two ends inside it the exception that it is meant to
    have: only where two of the latter meet nobody can tell which one counts.
    """
    for name, kind in kinds.items():
        if kind.purpose is None:
            continue
        everything = {key: _unordered(list(items)) for key, items in kind.purpose.everything.items()}
        for start, end in kind.periods:
            groups: dict[_Said, list[Entry]] = {}
            for entry in content.get(name, {}).values():
                if _bounded(entry, start, end):
                    for said in _purposes(kind.purpose, everything, entry):
                        groups.setdefault(said, []).append(entry)
            found: dict[str, Overlap] = {}
            for entries in groups.values():
                for one in _meeting(entries, (start, end)):
                    found.setdefault(one.entry.key, one)
            yield from (found[key] for key in sorted(found))


def _bounded(entry: Entry, start: str, end: str) -> bool:
    values = entry.values
    return bool(values[start]) and bool(values[end]) and values.get(ACTIVE, True) is True


#: What a setting says apart from how much, and which bound it sets.
_Said = tuple[str, tuple[Any, ...]]


def _purposes(purpose: Purpose, everything: Mapping[str, Hashable], entry: Entry) -> Iterator[_Said]:
    """What a setting says, apart from how much: once for the least and once for the most that it allows."""
    said = entry.values[purpose.column]
    if not is_object(said):
        return
    # What is null or empty is as good as left out.
    what = (
        (name, _unordered(value))
        for name, value in said.items()
        if value not in (None, []) and name not in purpose.bounds and name not in purpose.details
    )
    stated = frozenset((name, value) for name, value in what if value != everything.get(name))
    told = (stated, *(bool(entry.values[name]) for name in purpose.besides))
    for bound in purpose.bounds:
        if said.get(bound) is not None:
            yield bound, told


def _unordered(value: Any) -> Hashable:
    """What is equal for equal values, and for lists of the same items."""
    return frozenset(map(_same_for_equal, value)) if is_list(value) else _same_for_equal(value)


def _same_for_equal(value: Any) -> Hashable:
    # With its type a plain value tells as much as its token, in a tenth of the time.
    return token(value) if is_list(value) or is_object(value) else (type(value).__name__, value)


def _meeting(entries: list[Entry], period: tuple[str, str]) -> Iterator[Overlap]:
    """Each entry that begins before an earlier one has ended, with the one that goes on for longest."""
    start, end = period
    longest: Entry | None = None
    for entry in sorted(entries, key=lambda one: (one.values[start], one.values[end], one.key)):
        if longest is not None and entry.values[start] <= longest.values[end]:
            yield Overlap(entry, longest, period)
        if longest is None or entry.values[end] > longest.values[end]:
            longest = entry
