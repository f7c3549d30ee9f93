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
#: Characters in a line, up to which a collection in flow style stays on it.
WIDTH = 100
#: A longer key needs a question mark (YAML 1.2.2, section 8.2.2: 1,024 characters).
MAX_SIMPLE_KEY = 1000


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
    for line in item_lines(kind, written(kind, entry), deeper=len(_INDENT)):
        yield _INDENT + line


def written(kind: Kind, entry: Entry) -> dict[str, Any]:
    """The values of an entry that have to be written: those that are not their field's default."""
    values = entry.values
    return {name: values[name] for name in kind.column_names if not is_default(kind, name, values[name])}


def is_default(kind: Kind, name: str, value: Any) -> bool:
    """Whether a field that is left out has this value."""
    defaults = kind.defaults
    return name in defaults and value == defaults[name] and type(value) is type(defaults[name])


def item_lines(kind: Kind, item: Mapping[str, Any], *, deeper: int = 0) -> Iterator[str]:
    """The fields of an entry as an item of a list, which is not indented; the key first.

    Args:
        kind: its kind.
        item: the fields.
        deeper: how many columns further to the right the lines will stand.
    """
    days = {column.name for column in kind.columns if column.sql_type == "date"}
    first = True
    for name in dict.fromkeys((kind.key, PREVIOUSLY, *kind.column_names)):
        if name in item:
            for line in member_lines(name, item[name], 1, plain=name in days, deeper=deeper):
                yield f"- {line.lstrip()}" if first else line
                first = False


def member_lines(
    name: str, value: Any, depth: int = 0, *, plain: bool = False, deeper: int = 0
) -> Iterator[str]:
    """A member of a mapping in block style.

    Args:
        name: its key.
        value: its value.
        depth: how deep it stands.
        plain: whether it is a date field, whose dates need no quotes.
        deeper: how many columns further to the right the lines will stand.
    """
    indent = _INDENT * depth
    if plain and isinstance(value, str) and _DAY.fullmatch(value):
        yield f"{indent}{scalar(name)}: {value}"
        return
    *above, head = _heads(indent, name)
    yield from above
    if is_object(value) and value:
        yield head
        for inner, item in value.items():
            yield from member_lines(inner, item, depth + 1, deeper=deeper)
    elif is_list(value) and any((is_object(item) or is_list(item)) and item for item in value):
        yield head
        for item in value:
            yield from _fitted(f"{indent}{_INDENT}-", item, indent + _INDENT, deeper)
    else:
        yield from _fitted(head, value, indent, deeper)


def _heads(indent: str, name: str) -> Iterator[str]:
    """What stands before the value of a member: one line, or two if the key is long."""
    key = scalar(name)
    if len(key) > MAX_SIMPLE_KEY:
        yield f"{indent}? {key}"
        yield f"{indent}:"
    else:
        yield f"{indent}{key}:"


def _fitted(head: str, value: Any, indent: str, deeper: int) -> Iterator[str]:
    """A value behind its key or dash on one line, or in block style if it is too much for one."""
    line = f"{head} {flow(value)}"
    if len(line) + deeper <= WIDTH or not value or not (is_object(value) or is_list(value)):
        yield line
        return
    below = _below(value, indent + _INDENT, deeper)
    if head.endswith("-"):
        # What is in an element begins beside its dash.
        yield f"{head} {next(below)[len(head) + 1 :]}"
    else:
        yield head
    yield from below


def _below(value: Any, indent: str, deeper: int) -> Iterator[str]:
    """What is in a collection, each on a line of its own."""
    if is_object(value):
        for name, item in value.items():
            *above, head = _heads(indent, name)
            yield from above
            yield from _fitted(head, item, indent, deeper)
    else:
        for item in value:
            yield from _fitted(f"{indent}-", item, indent, deeper)


def flow(value: Any) -> str:
    """A value on one line of YAML."""
    if is_object(value):
        return "{" + ", ".join(f"{_flow_key(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if is_list(value):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def _flow_key(key: str) -> str:
    shown = scalar(key)
    return shown if len(shown) <= MAX_SIMPLE_KEY else f"? {shown} "


def scalar(value: Any) -> str:
    """A scalar as YAML, quoted where it could be read as something else."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.casefold() not in _RESERVED and not UNSAFE.search(value):
            return value
        text = json.dumps(value, ensure_ascii=False)
        return escape(text)
    return json.dumps(value)
