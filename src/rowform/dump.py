"""Settings as YAML: the inverse of loading.

Every text that a YAML 1.1 or 1.2 reader could take for something else is quoted, so that
what is written here reads the same everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.kinds.base import DAY_PATTERN
from rowform.state import Content, Entry
from rowform.text import UNSAFE, escape

#: Text that is plain in both YAML versions: words that start with a letter, and hold nothing
#: that means something to YAML.
_PLAIN = re.compile(r"[^\W\d_](?:[\w /().+%-]*[\w).%])?")
#: A date is text until a date field reads it, in quotes or not.
_DAY = re.compile(DAY_PATTERN)
#: Words that some YAML version reads as null or a boolean.
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_INDENT = "  "
#: A longer key needs a question mark (YAML 1.2.2, section 8.2.2: 1,024 characters).
_MAX_SIMPLE_KEY = 1000


def dump(content: Content, kinds: Mapping[str, Kind]) -> str:
    """The content as one YAML document: kinds and entries in order, defaults left out."""
    lines: list[str] = []
    for kind in kinds.values():
        if kind.name in content:
            entries = content[kind.name]
            lines.append(f"{kind.name}:" if entries else f"{kind.name}: []")
            for key in sorted(entries):
                lines.extend(entry_lines(kind, entries[key]))
    return "\n".join(lines) + "\n" if lines else "{}\n"


def entry_lines(kind: Kind, entry: Entry) -> Iterator[str]:
    """One entry as an item of its kind's list; the key first, fields at their default left out."""
    values = entry.values
    names = [kind.key, *(name for name in kind.column_names if name != kind.key)]
    defaults = kind.defaults
    days = {column.name for column in kind.columns if column.sql_type == "date"}
    first = True
    for name in names:
        if name in defaults and values[name] == defaults[name] and type(values[name]) is type(defaults[name]):
            continue
        for line in _member(name, values[name], 2, plain=name in days):
            yield f"{_INDENT}- {line.lstrip()}" if first else line
            first = False


def _member(name: str, value: Any, depth: int, *, plain: bool = False) -> Iterator[str]:
    indent = _INDENT * depth
    if plain and isinstance(value, str) and _DAY.fullmatch(value):
        yield f"{indent}{scalar(name)}: {value}"
        return
    key = scalar(name)
    head = f"{indent}{key}:"
    if len(key) > _MAX_SIMPLE_KEY:
        yield f"{indent}? {key}"
        head = f"{indent}:"
    if is_object(value) and value:
        yield head
        for inner, item in value.items():
            yield from _member(inner, item, depth + 1)
    elif is_list(value) and any((is_object(item) or is_list(item)) and item for item in value):
        yield head
        for item in value:
            yield f"{indent}{_INDENT}- {flow(item)}"
    else:
        yield f"{head} {flow(value)}"


def flow(value: Any) -> str:
    """A value on one line of YAML."""
    if is_object(value):
        return "{" + ", ".join(f"{_flow_key(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if is_list(value):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def _flow_key(key: str) -> str:
    shown = scalar(key)
    return shown if len(shown) <= _MAX_SIMPLE_KEY else f"? {shown} "


def scalar(value: Any) -> str:
    """A scalar as YAML, quoted where it could be read as something else."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.casefold() not in _RESERVED and not UNSAFE.search(value):
            return value
        text = json.dumps(value, ensure_ascii=False)
        return escape(text)
    return json.dumps(value)
