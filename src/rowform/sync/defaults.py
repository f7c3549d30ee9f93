"""The settings that a reset goes back to: what a restaurant inherits, without its own entries."""

from __future__ import annotations

import json

from rowform.files import read_config
from rowform.header import DEFAULTS_PREFIX, RESTAURANT_FILE
from rowform.kinds import kinds
from rowform.load import SourceFile, load
from rowform.plan import Actual
from rowform.state import Content, Restaurant
from rowform.sync.configuration import Settings, folder_of

#: What restaurants inherit, and what those go back to that inherit nothing.
_DEFAULTS = f"{DEFAULTS_PREFIX}defaults"


def default_content(settings: Settings, restaurant: Actual) -> Content:
    """What the configuration says now; nothing if there is none, or if it has no defaults.

    Raises:
        InvalidConfig: what is inherited, or a restaurant's header, has problems.
    """
    if not settings.config_dir.is_dir():
        return {}
    found = read_config(settings.config_dir)
    shared = {name: shown for name, shown in found.folders.items() if name.startswith(DEFAULTS_PREFIX)}
    faults = [problem for problem in found.problems if folder_of(problem, shared)]
    headers = [file for file in found.files if file.parts[1:] == (RESTAURANT_FILE,)]
    inherited = [file for file in found.files if file.parts[0] in shared]

    def loaded(header: SourceFile) -> Restaurant:
        state = load([header, *inherited], kinds(), folders=shared, found=faults).state
        return state.restaurants[header.parts[0]]

    for header in headers:
        if header.parts[0] not in shared and restaurant.restaurant_id.encode() in header.data.lower():
            mine = loaded(header)
            if mine.id == restaurant.restaurant_id and any(mine.content.values()):
                return mine.content
    if _DEFAULTS not in shared:
        return {}
    words = {"id": restaurant.restaurant_id, "name": "-", "inherits": [_DEFAULTS]}
    name = "restaurant"
    return loaded(SourceFile((name, RESTAURANT_FILE), name, json.dumps(words).encode())).content
