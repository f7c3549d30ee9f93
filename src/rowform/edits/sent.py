"""What a client sent: settings in the words of the wire, read back into columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rowform.document import MAX_DEPTH
from rowform.drift import same
from rowform.edits.faults import Path, Problem, invalid
from rowform.guards import GuardName
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.localstorage.source import faults_in
from rowform.state import MAX_EXACT, normalise
from rowform.text import closest
from rowform.wire import Code, Fault, Field, Message, setting_fields, table_name

#: What the application calls one setting of a kind in a payload; of a team's own kinds it is a ``setting``.
_ONE: Mapping[str, str] = {
    "staff_groups": "group",
    "daily_limits": "limit",
    "monthly_limits": "limit",
    "priority_rules": "rule",
    "ml_model_configs": "config",
}
#: Members that say which setting it is, and no columns that anybody edits.
_PLACE = frozenset({"id", "restaurantId", "versionId", "createdAt", "updatedAt"})
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T00:00:00(?:\.0+)?(?:Z|\+00:00))?")
#: Longer names and descriptions of versions help nobody.
_LONGEST_NAME = 1000
#: Where days end that the wire can tell.
_FIRST_DAY, _LAST_DAY = "0001-01-01", "9999-12-31"
_LARGEST = 1.7976931348623157e308


@dataclass(frozen=True, slots=True)
class Sent:
    """A setting as a client sent it. ``path`` leads to it in the payload; ``values`` are by column."""

    path: Path
    id: str | None
    version_id: str | None
    values: Mapping[str, Any]


def as_uuid(value: object) -> str | None:
    """A UUID in the database's spelling, if it is one."""
    found = value.lower() if isinstance(value, str) else ""
    return found if _UUID.fullmatch(found) else None


def sent_settings(kind: Kind, payload: Mapping[str, Any], restaurant_id: str) -> list[Sent]:
    """The settings in the payload of an update: one object, or a list of them.

    Raises:
        Fault: there are none, or something is no setting of this restaurant and kind.
    """
    one = _ONE.get(kind.name, "setting")
    names = dict.fromkeys((one, f"{one}s", table_name(kind)))
    given = [name for name in names if name in payload]
    if len(given) != 1:
        raise Fault(Code.INVALID_PAYLOAD, f"payload has one of {', '.join(names)}: an object, or a list")
    name, value = given[0], payload[given[0]]
    ensure_shallow(value)
    items = [((name, at), item) for at, item in enumerate(value)] if is_list(value) else [((name,), value)]
    problems: list[Problem] = []
    found = [_sent(kind, path, item, restaurant_id, problems) for path, item in items]
    seen = set[str]()
    for each in found:
        if each and each.id in seen:
            problems.append(Problem((*each.path, "id"), "this setting is there twice"))
        elif each and each.id:
            seen.add(each.id)
    if problems:
        raise invalid(problems)
    return [one for one in found if one]


def ensure_shallow(value: Any) -> None:
    """Make sure that lists and objects are not nested deeper than settings may be.

    Raises:
        Fault: they are.
    """
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for one in level
            if is_object(one) or is_list(one)
            for item in (one.values() if is_object(one) else one)
        ]
        if not level:
            return
    raise Fault(Code.INVALID_PAYLOAD, f"lists and objects are nested more than {MAX_DEPTH} deep")


def _sent(kind: Kind, path: Path, item: Any, restaurant_id: str, problems: list[Problem]) -> Sent | None:
    if not is_object(item):
        problems.append(Problem(path, "this is no object"))
        return None
    fields = {one.name: one for one in setting_fields(kind) if one.name not in _PLACE}
    for name in item:
        if name not in fields and name not in _PLACE:
            meant = closest(name, fields)
            hint = f" (did you mean {meant}?)" if meant else ""
            problems.append(Problem((*path, name), f"{kind.noun}s have no such field{hint}"))
    problems.extend(
        Problem((*path, name), "this is no text")
        for name in ("id", "versionId", "restaurantId")
        if not isinstance(item.get(name), str | None)
    )
    whose = item.get("restaurantId")
    if whose and as_uuid(whose) != restaurant_id:
        problems.append(Problem((*path, "restaurantId"), "this is another restaurant's"))
    values = {
        one.column: _decoded(one, normalise(item[name]), nullable=_is_nullable(kind, one.column))
        for name, one in fields.items()
        if name in item
    }
    known = as_uuid(item.get("id")) if item.get("id") else None
    # An id that no database can have made is the client's own word for something new.
    return Sent(path, known, item.get("versionId") or None, values)


def confirmed(message: Message) -> frozenset[str]:
    """The guards that a client has been told of, and that are not to stop it."""
    given = message.payload.get("confirm", [])
    known = [guard.value for guard in GuardName if guard.forceable]
    if not is_list(given) or not all(name in known for name in given):
        raise Fault(Code.INVALID_PAYLOAD, f"payload.confirm is a list of guards: {', '.join(known)}")
    return frozenset(given)


def words(message: Message, member: str) -> str | None:
    text = message.text(member)
    faults = [Problem((member,), fault.message) for fault in faults_in(text, ())]
    if text and len(text) > _LONGEST_NAME:
        faults.append(Problem((member,), f"this is longer than {_LONGEST_NAME} characters"))
    if faults:
        raise invalid(faults)
    return text


def _is_nullable(kind: Kind, column: str) -> bool:
    return any(one.nullable for one in kind.columns if one.name == column)


def _decoded(one: Field, value: Any, *, nullable: bool) -> Any:
    """The column's value for what a client has: an empty text is what it was told for null."""
    if value == "" and nullable and (one.shape == "date" or (one.shape == "text" and one.zero == "")):
        return None
    if one.shape == "date" and isinstance(value, str):
        day = _DAY.fullmatch(value)
        return day[1] if day else value
    return value


def _told(one: Field, value: Any) -> Any:
    """What clients were told for a column's value, before it became JSON."""
    if one.shape == "date" and isinstance(value, str) and not _DAY.fullmatch(value):
        # Years that the wire cannot tell.
        value = _FIRST_DAY if value.endswith("BC") or value.startswith("-") else _LAST_DAY
    if one.shape in ("numeric", "integer") and isinstance(value, str):
        value = None if value == "NaN" else -_LARGEST if value.startswith("-") else _LARGEST
    return one.zero if value is None else value


def seen(kind: Kind, one: Field, values: Mapping[str, Any]) -> Any:
    """What comes back from a client that has edited nothing."""
    return _decoded(one, _told(one, values[one.column]), nullable=_is_nullable(kind, one.column))


def _doubles(value: Any) -> Any:
    """The value with numbers as JavaScript has them, which knows doubles alone."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_EXACT:
        return float(value) if abs(value) <= _LARGEST else value
    if is_object(value):
        return {name: _doubles(item) for name, item in value.items()}
    return [_doubles(item) for item in value] if is_list(value) else value


def equal(one: Any, other: Any) -> bool:
    return same(_doubles(one), _doubles(other))
