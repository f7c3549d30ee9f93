"""Tabs of the application: what they were told last, and the messages that they send, without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.plan import Actual
from rowform.server.edits import Done
from rowform.state import Content
from rowform.store.live import LiveDatabase
from rowform.store.session import open_session
from rowform.sync.edit import Author
from rowform.sync.editing import Editor
from rowform.wire import Fault, Message, decode
from tests.support.project import SAKURA

#: The members of the settings, with the message that edits them and what that calls one setting.
TABLES = {
    "staffGroups": ("SETTINGS_UPDATE_STAFF_GROUPS", "group"),
    "dailyLimits": ("SETTINGS_UPDATE_DAILY_LIMITS", "limit"),
    "monthlyLimits": ("SETTINGS_UPDATE_MONTHLY_LIMITS", "limit"),
    "priorityRules": ("SETTINGS_UPDATE_PRIORITY_RULES", "rule"),
    "mlModelConfigs": ("SETTINGS_UPDATE_ML_CONFIG", "config"),
}


def load(url: str, restaurant_id: str = SAKURA) -> dict[str, Any]:
    """What clients of a restaurant are told now."""

    async def read() -> dict[str, Any]:
        database = LiveDatabase(url, "public", kinds())
        try:
            found = await database.load(restaurant_id)
        finally:
            await database.close()
        assert found
        return json.loads(found.settings or b"{}")

    return asyncio.run(read())


def no_defaults(_: Actual) -> Content:
    return {}


@contextmanager
def editing(
    url: str,
    defaults: Callable[[Actual], Content] = no_defaults,
    thresholds: Thresholds | None = None,
) -> Iterator[Editor]:
    """An editor that connects as the tests do."""
    editor = Editor(lambda: open_session(url, kinds()), defaults, thresholds or Thresholds())
    try:
        yield editor
    finally:
        editor.close()


class Tab:
    """One tab. ``settings`` are what it was told when it last synchronised, with its person's changes."""

    def __init__(
        self,
        url: str,
        editor: Editor,
        name: str = "tab-1",
        restaurant_id: str = SAKURA,
        user: str | None = None,
        user_id: str | None = None,
    ) -> None:
        self._url = url
        self._editor = editor
        self._restaurant = restaurant_id
        self.author = Author(name, user, user_id)
        self.settings: dict[str, Any] = {}
        self.synchronise()

    def synchronise(self) -> None:
        self.settings = load(self._url, self._restaurant)

    @property
    def version(self) -> int:
        return self.settings["version"]["versionNumber"]

    def find(self, table: str, key: str) -> dict[str, Any]:
        """A setting as the tab has it, to be changed in place."""
        name = "modelName" if table == "mlModelConfigs" else "name"
        (found,) = [one for one in self.settings[table] if one[name] == key]
        return found

    def send(self, type_: str, payload: Mapping[str, Any] | None = None) -> Done:
        """Send a message as JavaScript would: through JSON."""
        text = json.dumps({"type": type_, "payload": payload or {}, "clientId": self.author.client})
        message = decode(text)
        assert isinstance(message, Message)
        return self._editor.carry_out(message, self.author, self._restaurant)

    def attempt(self, type_: str, payload: Mapping[str, Any] | None = None) -> Done | Fault:
        """Send a message that may be refused."""
        try:
            return self.send(type_, payload)
        except Fault as fault:
            return fault

    def save(self, table: str) -> list[Done]:
        """Send all settings of a table, each in a message of its own."""
        type_, one = TABLES[table]
        return [self.send(type_, {one: deepcopy(setting)}) for setting in self.settings[table]]

    def save_one(self, table: str, setting: Mapping[str, Any]) -> Done:
        type_, one = TABLES[table]
        return self.send(type_, {one: setting})
