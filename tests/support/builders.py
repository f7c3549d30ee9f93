"""Hand-made settings, restaurants and plans; configurations as texts; what a database would give back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from rowform.diff import Stored
from rowform.errors import InvalidConfig
from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.load import Loaded, SourceFile, load
from rowform.location import Location
from rowform.plan import Actual, Base, Plan, RestaurantPlan
from rowform.planner import make_plan, plan_restaurant
from rowform.state import Content, Entry, Restaurant, entry, normalise
from rowform.store.read import stored_settings

ID = "11111111-1111-4111-8111-111111111111"
OTHER_ID = "22222222-2222-4222-8222-222222222222"
VERSION_ID = "33333333-3333-4333-8333-333333333333"

Texts = Mapping[str, str | bytes]


# --- configurations as texts ---------------------------------------------------------------------


def header(name: str = "Sakura", id_: str = ID, **fields: Any) -> str:
    """A ``restaurant.yaml``; the fields in JSON, which is YAML."""
    return json.dumps({"id": id_, "name": name, **fields}, ensure_ascii=False) + "\n"


def sources(texts: Texts) -> list[SourceFile]:
    """Files as ``read_config`` would bring them, from paths inside the config directory."""
    return [
        SourceFile(tuple(path.split("/")), f"config/{path}", text.encode() if isinstance(text, str) else text)
        for path, text in texts.items()
    ]


def loaded(texts: Texts, *, strict: bool = False) -> Loaded:
    return load(sources(texts), kinds(), strict=strict)


def said(texts: Texts, *, strict: bool = False) -> list[str]:
    """Everything that loading says, errors or warnings, without ``config/``."""
    try:
        found: Iterable[Any] = loaded(texts, strict=strict).warnings
    except InvalidConfig as error:
        found = error.problems
    return [str(problem).removeprefix("config/") for problem in found]


def sakura(text: str, **fields: Any) -> Texts:
    """One restaurant whose settings are ``text``."""
    return {"sakura/restaurant.yaml": header(**fields), "sakura/settings.yaml": text}


def write(directory: Path, texts: Texts) -> Path:
    """Write the files; returns ``directory``."""
    for path, text in texts.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    return directory


def place(text: str, part: str, nth: int = 1) -> str:
    """``line:column`` of the ``nth`` occurrence of ``part``, found by searching."""
    at = -1
    for _ in range(nth):
        at = text.index(part, at + 1)
    before = text[:at]
    return f"{before.count(chr(10)) + 1}:{at - (before.rfind(chr(10)) + 1) + 1}"


# --- values without YAML -------------------------------------------------------------------------


class Here:
    """An origin at a fixed place."""

    def __init__(self, file: str = "config/sakura/settings.yaml", line: int = 1, column: int = 5) -> None:
        self._location = Location(file, line, column)

    def location(self) -> Location:
        return self._location

    def lines(self) -> tuple[int, int]:
        return self._location.line, self._location.line


def setting(kind: str, key: str, previously: Sequence[str] = (), line: int = 0, **values: Any) -> Entry:
    """One setting; ``line`` gives it an origin."""
    one = kinds()[kind]
    required = {"model_type": "genetic"} if kind == "ml_model_configs" else {}
    full = normalise({**required, one.key: key, **values})
    return entry(one, full, previously, Here(line=line) if line else None)


def group(key: str, previously: Sequence[str] = (), line: int = 0, **values: Any) -> Entry:
    return setting("staff_groups", key, previously, line, **values)


def content(*entries: Entry, managed: Sequence[str] | None = None) -> Content:
    """Entries by kind and key; of all kinds, or of those ``managed``."""
    found: dict[str, dict[str, Entry]] = {kind: {} for kind in (kinds() if managed is None else managed)}
    for one in entries:
        found[one.kind][one.key] = one
    return found


def restaurant(*entries: Entry, slug: str = "sakura", managed: Sequence[str] | None = None) -> Restaurant:
    file = f"config/{slug}/restaurant.yaml"
    return Restaurant(slug, ID, "Sakura", "Asia/Tokyo", content(*entries, managed=managed), file)


def stored(one: Entry) -> Stored:
    """The setting with ids that depend on nothing but its kind and key."""
    name = f"{one.kind}/{one.key}"
    return Stored(one, str(uuid5(NAMESPACE_URL, f"row {name}")), str(uuid5(NAMESPACE_URL, name)))


def actual(*entries: Entry, number: int = 4, locked: bool = False, slug: str = "sakura") -> Actual:
    """A restaurant of the database whose active version has ``entries``."""
    settings: dict[str, dict[str, Stored]] = {}
    for one in entries:
        settings.setdefault(one.kind, {})[one.key] = stored(one)
    base = Base(VERSION_ID, number, number, locked, "git")
    return Actual(ID, slug, "Sakura", "Asia/Tokyo", True, number, base, settings)


def nothing() -> Actual:
    """What a database knows of a restaurant that it does not have."""
    return Actual(ID)


def planned(wanted: Restaurant, there: Actual, thresholds: Thresholds | None = None) -> RestaurantPlan:
    return plan_restaurant(wanted, there, kinds(), thresholds or Thresholds())


def plan_of(wanted: Restaurant, there: Actual, notes: Sequence[str] = ()) -> Plan:
    return make_plan(
        [wanted],
        lambda _: there,
        kinds(),
        Thresholds(),
        database_id="db",
        target=None,
        source={"kind": "files"},
        notes=notes,
    )


# --- what a database gives back ------------------------------------------------------------------


def jsonb(value: Any) -> str:
    """The text of a ``jsonb`` value: keys by length, then bytes; numbers as exact decimals."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {jsonb(value[key])}" for key in keys)
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(jsonb(item) for item in value) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return numeric(value)
    return json.dumps(value, ensure_ascii=False)


def numeric(value: float) -> str:
    """The text of a ``numeric`` value: no exponent; a fraction ends with a zero, as it may."""
    text = format(Decimal(repr(value)), "f")
    return f"{text}0" if "." in text else text


def from_database(found: Content, number: int = 1, restaurant_id: str = ID, slug: str = "sakura") -> Actual:
    """A restaurant whose active version has the settings ``found``, read by the code that reads rows."""
    settings = {
        name: {one.entry.key: one for _, one in stored_settings(kinds()[name], _rows(name, entries))}
        for name, entries in found.items()
        if entries
    }
    base = Base(VERSION_ID, number, number, False, "git")
    return Actual(restaurant_id, slug, "Sakura", "Asia/Tokyo", True, number, base, settings)


def _rows(kind_name: str, entries: Mapping[str, Entry]) -> Iterator[tuple[Any, ...]]:
    kind = kinds()[kind_name]
    for one in entries.values():
        same = stored(one)
        values = [_column(column.sql_type, one.values[column.name]) for column in kind.columns]
        yield (ID, same.row_id, same.entity_id, *values)


def _column(sql_type: str, value: Any) -> Any:
    if value is None:
        return None
    return jsonb(value) if sql_type == "jsonb" else numeric(value) if sql_type == "numeric" else value


# --- oracles -------------------------------------------------------------------------------------


def exact(value: Any) -> Any:
    """A form that is equal exactly when two JSON values are, by other means than the canonical bytes."""
    if isinstance(value, dict):
        return "object", {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return "list", [exact(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number", Decimal(repr(value))
    return type(value).__name__, value
