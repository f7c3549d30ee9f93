"""What a browser's export would become, for people who decide whether that is right. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from rowform.dump import dump
from rowform.edits.browser import BrowserSettings
from rowform.entries import fold
from rowform.kinds import kinds
from rowform.localstorage.mapping import Kept, Mapped, map_source
from rowform.localstorage.report import name_of
from rowform.localstorage.settings import Setting
from rowform.localstorage.source import read_source
from rowform.render.cards import Cards
from rowform.render.mapping import column_of, relative, result_of, source_lines
from rowform.state import Content, Entry
from rowform.text import escape, pointer, quote

#: What an export without a name is called.
_NAME = "settings.json"
#: Of a value in a table.
_VALUE = 200


def preview(payload: Mapping[str, Any], active: Content, cards: Cards) -> dict[str, Any]:
    """The mapping of an export, and the settings as YAML if nothing is wrong with it.

    Args:
        payload: that of the message which would migrate them; and ``name``, the export's file.
        active: what it is compared with.
        cards: the language.

    Raises:
        Fault: the payload makes no sense.
        UsageError: there is nothing at a pointer that is to be left out.
        InvalidSource: the export cannot be read.
    """
    wanted = BrowserSettings.read(payload)
    name, settings = payload.get("name"), wanted.settings
    # A text is the file as it is: what JSON would lose of it, such as a key that comes twice, is a fault.
    data = settings.encode("utf-8", "surrogatepass") if isinstance(settings, str) else orjson.dumps(settings)
    source = read_source(escape(name) if isinstance(name, str) and name else _NAME, data)
    mapped = map_source(source, wanted.leave_out or (), wanted.only)
    content = _content(mapped)
    return {
        "name": source.name,
        "notes": source_lines(mapped),
        "settings": [_setting(one, active, cards) for one in mapped.settings],
        "tables": [
            {**cards.kind(one), "settings": sum(setting.kind.name == one for setting in mapped.settings)}
            for one in kinds()
        ],
        "kept": _values(mapped.kept),
        "homeless": _values(mapped.homeless),
        "faults": [one.to_json() for one in mapped.faults],
        "yaml": None if mapped.faults else dump(content, kinds()),
    }


def _content(mapped: Mapped) -> Content:
    found: dict[str, dict[str, Entry]] = {}
    for setting in mapped.settings:
        if setting.entry is not None:
            found.setdefault(setting.kind.name, {})[setting.entry.key] = setting.entry
    return found


def _values(values: Iterable[Kept]) -> list[dict[str, Any]]:
    return [
        {"pointer": escape(pointer(one.path)), "value": quote(one.value, _VALUE), "why": one.why}
        for one in values
    ]


def _setting(setting: Setting, active: Content, cards: Cards) -> dict[str, Any]:
    rows = [
        *((relative(setting, row), column_of(row.place), result_of(row)) for row in setting.rows),
        *(("", column_of(place), quote(value, _VALUE)) for place, value in setting.implied.items()),
    ]
    return {
        **cards.kind(setting.kind.name),
        "key": escape(str(name_of(setting))),
        "former": setting.former and escape(setting.former),
        "pointer": escape(pointer(setting.path)),
        "compared": _compared(setting.entry, active),
        "rows": [
            {"from": escape(source), "column": escape(to), "value": value} for source, to, value in rows
        ],
    }


def _compared(entry: Entry | None, active: Content) -> str | None:
    """What the restaurant has of a setting already."""
    if entry is None:
        return None
    there = {fold(key): one for key, one in active.get(entry.kind, {}).items()}.get(fold(entry.key))
    if there is None:
        return "new"
    return "same" if there.canonical == entry.canonical else "different"
