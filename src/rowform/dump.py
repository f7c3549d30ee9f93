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
from rowform.kinds.base import DAY_PATTERN, PREVIOUSLY
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
    for line in item_lines(kind, written(kind, entry)):
        yield _INDENT + line


def written(kind: Kind, entry: Entry) -> dict[str, Any]:
    """The values of an entry that have to be written: those that are not their field's default."""
    values = entry.values
    return {name: values[name] for name in kind.column_names if not is_default(kind, name, values[name])}


def is_default(kind: Kind, name: str, value: Any) -> bool:
    """Whether a field that is left out has this value."""
    defaults = kind.defaults
    return name in defaults and value == defaults[name] and type(value) is type(defaults[name])


def item_lines(kind: Kind, item: Mapping[str, Any]) -> Iterator[str]:
    """The fields of an entry as an item of a list, which is not indented; the key first."""
    days = {column.name for column in kind.columns if column.sql_type == "date"}
    first = True
    for name in dict.fromkeys((kind.key, PREVIOUSLY, *kind.column_names)):
        if name in item:
            for line in member_lines(name, item[name], 1, plain=name in days):
                yield f"- {line.lstrip()}" if first else line
                first = False


def member_lines(name: str, value: Any, depth: int = 0, *, plain: bool = False) -> Iterator[str]:
    """A member of a mapping in block style.

    Args:
        name: its key.
        value: its value.
        depth: how deep it stands.
        plain: whether it is a date field, whose dates need no quotes.
    """
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
            yield from member_lines(inner, item, depth + 1)
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
