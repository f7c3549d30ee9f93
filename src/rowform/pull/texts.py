"""Whole files, as `rowform fmt` would have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rowform.document import MAX_BYTES
from rowform.dump import entry_lines, flow, item_lines, member_lines
from rowform.header import RESTAURANT_FILE
from rowform.jsontypes import is_object
from rowform.kinds import Kind
from rowform.modeline import modeline
from rowform.pull.model import Live, Parts
from rowform.state import Entry

#: A file is closed at this size, so that there is room for what people add.
_FULL = MAX_BYTES // 4
_INDENT = "  "


def restaurant_text(live: Live) -> str:
    """``restaurant.yaml``."""
    fields = {"name": live.name, "timezone": live.timezone}
    lines = [line for name, one in fields.items() if one is not None for line in member_lines(name, one)]
    return "\n".join([modeline("restaurant", depth=2) + f"id: {live.id}", *lines, ""])


def new_files(
    live: Live, kinds: Mapping[str, Kind]
) -> Iterator[tuple[Parts, str, Sequence[tuple[str, str]]]]:
    """All files of a restaurant, in canonical layout, and the kinds and keys in each."""
    yield (live.slug, RESTAURANT_FILE), restaurant_text(live), ()
    for name, kind in kinds.items():
        entries = live.content.get(name)
        if entries:
            for number, text in enumerate(kind_texts(kind, entries), 1):
                yield (
                    (live.slug, file_name(kind, number)),
                    text.text,
                    [(name, key) for _, key in text.starts],
                )


def file_name(kind: Kind, number: int) -> str:
    """The name of a kind's file; a kind with very much content has several."""
    return f"{kind.name}.yaml" if number == 1 else f"{kind.name}-{number}.yaml"


@dataclass(frozen=True, slots=True)
class KindText:
    """A file of one kind. ``starts`` has the line of each entry, counted from 1, and its key."""

    text: str
    starts: tuple[tuple[int, str], ...]


def kind_texts(kind: Kind, entries: Mapping[str, Entry]) -> Iterator[KindText]:
    """The text of a kind's entries in order of key, as several files if it is too much for one."""
    head = [modeline("settings", depth=2).rstrip("\n"), f"{kind.name}:"]
    lines, size, starts = list(head), 0, list[tuple[int, str]]()
    for key in sorted(entries):
        new = list(entry_lines(kind, entries[key]))
        grown = sum(len(line.encode("utf-8", "surrogatepass")) + 1 for line in new)
        if size and size + grown > _FULL:
            yield KindText("\n".join([*lines, ""]), tuple(starts))
            lines, size, starts = list(head), 0, []
        starts.append((len(lines) + 1, key))
        lines += new
        size += grown
    yield KindText("\n".join([*lines, ""]), tuple(starts))


def canonical_item(kind: Kind, item: Mapping[str, Any]) -> list[str]:
    """The lines of an entry as an element of a list, which is not indented."""
    return list(item_lines(kind, item, deeper=len(_INDENT)))


def canonical_member(name: str, value: Any, *, day: bool) -> list[str]:
    """The lines of a member of a mapping, which is not indented; ``day``: it is a date field."""
    # As deep as a field of an entry stands.
    return list(member_lines(name, value, plain=day, deeper=2 * len(_INDENT)))


def canonical_element(value: Any) -> list[str]:
    """The lines of an element of a list inside a setting."""
    if not is_object(value) or not value:
        return [f"- {flow(value)}"]
    lines = [line for name, one in value.items() for line in canonical_member(name, one, day=False)]
    return [f"- {lines[0]}", *(f"  {line}" if line else line for line in lines[1:])]
