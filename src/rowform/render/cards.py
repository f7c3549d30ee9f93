"""Settings and changes in words, as JSON for a page: what is shown is text, and never markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rowform.audit import Audited
from rowform.diff import Action, Change, Operation, leaves
from rowform.dump import is_default
from rowform.effective import Standing, effect
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.kinds.base import ACTIVE
from rowform.kinds.facts import spaced
from rowform.render.inert import SPAN_LIMIT
from rowform.render.phrases import Path, Phrases
from rowform.state import Content, Entry
from rowform.text import escape, quote

#: A code span: its ticks, and what is between them.
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
#: Longer values are cut; the documents around the words have the whole.
_VALUE = 2000
#: The field whose colour a card has.
_COLOR = "color"
_COLORS = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})")


def unmarked(fragment: str) -> str:
    """The text that a fragment of Markdown shows which consists of words and code spans."""
    return _SPAN.sub(_inside, fragment)


def _inside(match: re.Match[str]) -> str:
    text = match[2]
    return text[1:-1] if text[0] == text[-1] == " " and text.strip() else text


class Cards:
    """Settings and changes in one language."""

    def __init__(self, phrases: Phrases, kinds: Mapping[str, Kind]) -> None:
        self._phrases = phrases
        self._kinds = kinds

    def kind(self, name: str) -> dict[str, str]:
        """What a kind is called: one that there is not any more goes by its name."""
        kind = self._kinds.get(name)
        title = unmarked(self._phrases.title(kind)) if kind else spaced(name)
        return {"kind": name, "title": f"{title[:1].upper()}{title[1:]}"}

    # --- settings --------------------------------------------------------------------------------

    def settings(self, content: Content, on: date) -> list[dict[str, Any]]:
        """The settings by kind, each with whether it is in effect on a day."""
        return [
            {
                **self.kind(name),
                "settings": [self._card(kind, one, on) for _, one in sorted(content[name].items())],
            }
            for name, kind in self._kinds.items()
            if name in content
        ]

    def _card(self, kind: Kind, entry: Entry, on: date) -> dict[str, Any]:
        found = effect(kind, entry.values, on)
        # A card shows otherwise whether it is in use, and a colour by itself.
        values = {name: value for name, value in entry.values.items() if name != ACTIVE}
        color = values.get(_COLOR)
        is_shown = isinstance(color, str) and bool(_COLORS.fullmatch(color))
        if is_shown:
            del values[_COLOR]
        return {
            "key": escape(entry.key),
            "standing": found.standing.value,
            "day": self.day(found.day) if found.standing is not Standing.PAUSED else None,
            "color": color if is_shown else None,
            "fields": list(self._fields(kind, values)),
        }

    def day(self, written: str | None) -> str | None:
        """A date in words."""
        return unmarked(self._phrases.day(written)) if written else None

    def _fields(self, kind: Kind, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The values that are no defaults; those of a row of the audit trail may be of former columns."""
        for name, value in values.items():
            if name == kind.key or is_default(kind, name, value):
                continue
            for path, leaf in leaves(value, (name,)):
                yield {"label": self._label(kind, path), "value": self._value(kind, path, leaf)}

    # --- changes ---------------------------------------------------------------------------------

    def changes(self, changes: Sequence[Change]) -> list[dict[str, Any]]:
        """Changes by kind, leaf by leaf."""
        by_kind: dict[str, list[Change]] = {}
        for change in changes:
            by_kind.setdefault(change.kind, []).append(change)
        return [
            {**self.kind(name), "changes": [self._change(self._kinds[name], change) for change in found]}
            for name, found in by_kind.items()
        ]

    def _change(self, kind: Kind, change: Change) -> dict[str, Any]:
        if change.action is Action.UPDATE:
            fields = self._differences(kind, change.patch)
        else:
            entry = change.after or (change.before.entry if change.before else None)
            fields = self._whole(kind, entry.values if entry else {}, gone=change.action is Action.DELETE)
        return _told(change.action.value, change.key, change.previous_key, fields)

    def row(self, row: Audited) -> dict[str, Any] | None:
        """What a row of the audit trail says of a setting; nothing of one about a version."""
        kind = row.kind
        if row.is_event or kind is None:
            return None
        if row.old is not None and row.new is not None:
            action, fields = Action.UPDATE, self._differences(kind, row.patch())
        elif row.old is None:
            action, fields = Action.CREATE, self._whole(kind, row.after, gone=False)
        else:
            action, fields = Action.DELETE, self._whole(kind, row.before, gone=True)
        return {**self.kind(row.table), **_told(action.value, row.key or "", row.previous_key, fields)}

    def _whole(self, kind: Kind, values: Mapping[str, Any], *, gone: bool) -> Iterator[dict[str, Any]]:
        for field in self._fields(kind, values):
            value = field["value"]
            yield {"label": field["label"], "old": value if gone else None, "new": None if gone else value}

    def _differences(self, kind: Kind, patch: Iterable[Operation]) -> Iterator[dict[str, Any]]:
        for operation in patch:
            if operation.path != (kind.key,):
                yield from self._difference(kind, operation)

    def _difference(self, kind: Kind, operation: Operation) -> Iterator[dict[str, Any]]:
        path, is_new = operation.path, operation.op == "add"
        value = operation.value if is_new else operation.old
        if isinstance(path[-1], int) and not (is_list(value) or is_object(value)):
            # The items of a list of plain values are told by the list's name.
            path = path[:-1]
        if operation.op == "replace":
            old, new = (self._value(kind, path, one) for one in (operation.old, operation.value))
            if old == new:
                # In words 1 and "1" are the same.
                old, new = ([quote(one, _VALUE)] for one in (operation.old, operation.value))
            yield {"label": self._label(kind, path), "old": old, "new": new}
            return
        for at, leaf in leaves(value, path):
            shown = self._value(kind, at, leaf)
            yield {
                "label": self._label(kind, at),
                "old": None if is_new else shown,
                "new": shown if is_new else None,
            }

    # --- words -----------------------------------------------------------------------------------

    def _label(self, kind: Kind, path: Path) -> str:
        return unmarked(self._phrases.field(kind, path))

    def _value(self, kind: Kind, path: Path, value: Any) -> list[str]:
        """A value in words: one text, or one for each item of a list."""
        items = value if is_list(value) and value else [value]
        return [self._text(kind, path, item) for item in items]

    def _text(self, kind: Kind, path: Path, value: Any) -> str:
        if isinstance(value, str) and len(value) > SPAN_LIMIT:
            shown = escape(value)
            return shown if len(shown) <= _VALUE else f"{shown[:_VALUE]}…"
        return unmarked(self._phrases.value(kind, path, value))


def _told(action: str, key: str, previous: str | None, fields: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "action": action,
        "key": escape(key),
        "previous_key": None if previous is None else escape(previous),
        "fields": list(fields),
    }
