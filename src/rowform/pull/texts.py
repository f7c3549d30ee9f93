"""Whole files, as `rowform fmt` would have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rowform.document import MAX_BYTES
from rowform.dump import item_lines, member_lines, written
from rowform.header import RESTAURANT_FILE
from rowform.kinds import Kind
from rowform.layout import WIDTH, Form, formatted
from rowform.modeline import modeline
from rowform.pull.model import Live, Parts
from rowform.state import Entry

#: A file is closed at this size; canonical layout may take more bytes than the lines here.
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
    yield (live.slug, RESTAURANT_FILE), laid_out(restaurant_text(live), Form.RESTAURANT, kinds), ()
    for name, kind in kinds.items():
        entries = live.content.get(name)
        if entries:
            for number, text in enumerate(kind_texts(kind, entries), 1):
                yield (
                    (live.slug, file_name(kind, number)),
                    laid_out(text.text, Form.SETTINGS, kinds),
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
        new = [_INDENT + line for line in item_lines(kind, written(kind, entries[key]))]
        grown = sum(len(line.encode("utf-8", "surrogatepass")) + 1 for line in new)
        if size and size + grown > _FULL:
            yield KindText("\n".join([*lines, ""]), tuple(starts))
            lines, size, starts = list(head), 0, []
        starts.append((len(lines) + 1, key))
        lines += new
        size += grown
    yield KindText("\n".join([*lines, ""]), tuple(starts))


def laid_out(text: str, form: Form, kinds: Mapping[str, Kind]) -> str:
    """A text of :mod:`rowform.dump` in canonical layout: only too long a line makes a difference."""
    if not is_wide(text.split("\n")):
        return text
    result, _ = formatted("", text.encode("utf-8", "surrogatepass"), form, kinds)
    return text if result is None else result


def is_wide(lines: Iterable[str], deeper: int = 0) -> bool:
    """Whether a line is too long for canonical layout, where they stand some spaces ``deeper``."""
    return any(len(line) + deeper > WIDTH for line in lines)


def canonical_item(kind: Kind, item: Mapping[str, Any], kinds: Mapping[str, Kind]) -> list[str]:
    """The lines of an entry as an element of a list, which is not indented."""
    lines = list(item_lines(kind, item))
    if not is_wide(lines, len(_INDENT)):
        return lines
    return _inside([f"{kind.name}:"], lines, kinds)


def canonical_member(name: str, value: Any, *, day: bool, kinds: Mapping[str, Kind]) -> list[str]:
    """The lines of a member of a mapping, which is not indented; ``day``: it is a date field."""
    lines = list(member_lines(name, value, plain=day))
    if not is_wide(lines, 2 * len(_INDENT)):
        return lines
    # As deep as a field of an entry stands.
    return _inside(["_:", f"{_INDENT}_:"], lines, kinds)


def _inside(heads: Sequence[str], lines: Sequence[str], kinds: Mapping[str, Kind]) -> list[str]:
    """The canonical lines of what stands below some keys."""
    indent = _INDENT * len(heads)
    text = "\n".join([*heads, *(indent + line for line in lines), ""])
    written_anew = laid_out(text, Form.SETTINGS, kinds).rstrip("\n").split("\n")
    return [line[len(indent) :] for line in written_anew[len(heads) :]]
