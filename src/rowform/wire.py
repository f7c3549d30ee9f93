"""Live messages: what clients may say, and what they are told, in the words and types of the application.

A message is a JSON object ``{"type", "payload", "timestamp", "clientId"}``. Settings are told with the
columns' names in camelCase. The application's own server keeps them in structs that have no null for a text,
a number or a flag; so these are empty, zero and false here as well, in the kinds that it has structs for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any, Literal

import orjson
from pydantic.alias_generators import to_camel

from rowform.effective import effect
from rowform.jsontypes import is_object
from rowform.kinds import Kind
from rowform.kinds.base import ACTIVE, STAMPS

CONNECTION_ACK = "CONNECTION_ACK"
AUTH = "AUTH"
ERROR = "ERROR"
SYNC_REQUEST = "SETTINGS_SYNC_REQUEST"
SYNC_RESPONSE = "SETTINGS_SYNC_RESPONSE"
UP_TO_DATE = "SETTINGS_UP_TO_DATE"
ACK = "SETTINGS_ACK"
RESET = "SETTINGS_RESET"
MIGRATE = "SETTINGS_MIGRATE"
CREATE_VERSION = "SETTINGS_CREATE_VERSION"
ACTIVATE_VERSION = "SETTINGS_ACTIVATE_VERSION"

#: Who a message is from that no client has caused.
SERVER_ID = "rowform"
#: Longer names of clients are nobody's.
MAX_CLIENT_ID = 200


class Code:
    """What ``payload.code`` of an ``ERROR`` may be."""

    INVALID_MESSAGE = "INVALID_MESSAGE"
    INVALID_PAYLOAD = "INVALID_PAYLOAD"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105  # the name of a code
    FORBIDDEN = "FORBIDDEN"
    NO_RESTAURANT = "NO_RESTAURANT"
    NO_ACTIVE_VERSION = "NO_ACTIVE_VERSION"
    UNAVAILABLE = "UNAVAILABLE"
    TOO_MANY_MESSAGES = "TOO_MANY_MESSAGES"
    MANAGED_IN_GIT = "MANAGED_IN_GIT"
    INTERNAL = "INTERNAL"


class Fault(Exception):
    """Why a client does not get what it wants. Names nothing that the client does not know already."""

    def __init__(self, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        #: Further members of the payload.
        self.details: Mapping[str, Any] = details or {}


# --- what clients say ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """What a client has said."""

    type: str
    payload: Mapping[str, Any]
    client_id: str

    def text(self, name: str) -> str | None:
        """A member of the payload that is a text, or left out.

        Raises:
            Fault: it is something else.
        """
        value = self.payload.get(name)
        if value is None or isinstance(value, str):
            return value
        raise Fault(Code.INVALID_PAYLOAD, f"payload.{name} is no text")


def decode(text: str) -> Message | None:
    """Read what a client sent; nothing if it is meant for another part of the application.

    Raises:
        Fault: it is no message.
    """
    try:
        found: Any = orjson.loads(text)
    except ValueError:
        raise Fault(Code.INVALID_MESSAGE, "this is no JSON") from None
    if not is_object(found):
        raise Fault(Code.INVALID_MESSAGE, "a message is a JSON object")
    type_ = found.get("type")
    if not isinstance(type_, str):
        raise Fault(Code.INVALID_MESSAGE, "a message has a type, which is a text")
    if _is_foreign(type_):
        return None
    client_id = found.get("clientId")
    if client_id is None:
        client_id = ""
    if not isinstance(client_id, str) or len(client_id) > MAX_CLIENT_ID:
        raise Fault(Code.INVALID_MESSAGE, f"clientId is a text of {MAX_CLIENT_ID} characters at most")
    payload: object = found.get("payload")
    if payload is None:
        payload = {}
    if not is_object(payload):
        raise Fault(Code.INVALID_PAYLOAD, "payload is a JSON object")
    return Message(type_, payload, client_id)


def _is_foreign(type_: str) -> bool:
    return type_ == "SYNC_REQUEST" or type_.startswith(("STAFF_", "SHIFT_"))


def update_type(kind: Kind) -> str:
    """The message by which a client edits a setting of ``kind``."""
    name = "ml_config" if kind.name == "ml_model_configs" else kind.name
    return f"SETTINGS_UPDATE_{name.upper()}"


def edit_types(kinds: Iterable[Kind]) -> frozenset[str]:
    """The messages that would write."""
    return frozenset({RESET, MIGRATE, CREATE_VERSION, ACTIVATE_VERSION, *map(update_type, kinds)})


# --- how settings are told -----------------------------------------------------------------------

#: How a value is told: as its column's type, as a text that is an id, or as a time.
Shape = Literal["text", "id", "boolean", "integer", "numeric", "date", "jsonb", "moment"]
#: What structs without null have instead.
_ZERO: Mapping[str, Any] = {"text": "", "id": "", "boolean": False, "integer": 0, "numeric": 0}
#: The kinds that the application's own server has structs for.
_STRUCTS = frozenset({"staff_groups", "daily_limits", "monthly_limits", "priority_rules", "ml_model_configs"})


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a setting: the column that it is read from, and what is told instead of null."""

    column: str
    shape: Shape
    zero: Any = None

    @property
    def name(self) -> str:
        return to_camel(self.column)


def table_name(kind: Kind) -> str:
    """What the settings of a kind are called: ``staffGroups``."""
    return to_camel(kind.name)


def setting_fields(kind: Kind) -> tuple[Field, ...]:
    """The members of a setting of ``kind``, in the order of the table's columns."""
    types = {column.name: column.sql_type for column in kind.columns}
    shapes: dict[str, Any] = {**types, **dict.fromkeys(STAMPS, "moment")}
    return tuple(
        Field(name, shape, _ZERO.get(shape) if kind.name in _STRUCTS else None)
        for name in kind.table_columns
        for shape in (shapes.get(name, "id"),)
    )


#: The members of a version.
VERSION_FIELDS = (
    Field("id", "id", ""),
    Field("restaurant_id", "id", ""),
    Field("version_number", "integer", 0),
    Field("name", "text", ""),
    Field("description", "text", ""),
    Field("created_by", "id"),
    Field("created_at", "moment"),
    Field("is_active", "boolean", False),
    Field("is_locked", "boolean", False),
)


@dataclass(frozen=True, slots=True)
class Head:
    """Which version a restaurant has active, and whatever else changes what its clients are told.

    ``age`` is for how many seconds it has been active, where that is known.
    """

    restaurant_id: str
    slug: str | None
    timezone: str | None
    version_id: str | None
    is_locked: bool
    name: str | None
    description: str | None
    age: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the clients of a restaurant are told, read in one moment and encoded once.

    ``settings`` is the JSON of ``payload.settings``; ``digests`` tell by kind whether two snapshots have
    the same settings. Without an active version there are none.
    """

    head: Head
    number: int
    managed_in: str | None
    settings: bytes
    digests: Mapping[str, bytes]


def snapshot(
    head: Head, number: int | None, managed_in: str | None, version: str | None, tables: Mapping[str, str]
) -> Snapshot:
    """Put together what was read.

    Args:
        head: which version it is.
        number: that version's number.
        managed_in: where the settings are managed, if somebody has said so.
        version: the version as JSON.
        tables: its settings as JSON arrays, by the kind's name.
    """
    if head.version_id is None or version is None:
        return Snapshot(head, 0, managed_in, b"", {})
    encoded = {name: text.encode() for name, text in tables.items()}
    members = [b'"%s":%s' % (to_camel(name).encode(), table) for name, table in encoded.items()]
    members.append(b'"version":%s' % version.encode())
    # Every setting names the version, which is another one each time.
    own = head.version_id.encode()
    digests = {
        name: blake2b(table.replace(own, b""), digest_size=16).digest() for name, table in encoded.items()
    }
    return Snapshot(head, number or 0, managed_in, b"{" + b",".join(members) + b"}", digests)


def changed_tables(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """The kinds whose settings differ, in their order."""
    return tuple(name for name, digest in after.digests.items() if before.digests.get(name) != digest)


def effects_differ(told: Snapshot, kinds: Iterable[Kind], one: date, other: date) -> bool:
    """Whether any setting begins or ceases to be in effect from one day to another."""
    settings: Mapping[str, Sequence[Mapping[str, Any]]] = orjson.loads(told.settings or b"{}")
    return any(
        effect(kind, values, one).standing is not effect(kind, values, other).standing
        for kind in kinds
        if kind.periods
        for setting in settings.get(table_name(kind), ())
        for values in (_periods(kind, setting),)
    )


def _periods(kind: Kind, setting: Mapping[str, Any]) -> dict[str, Any]:
    """The days of a setting, in the words of its kind; that it is in use is why it was told."""
    days = {name: setting[to_camel(name)] for pair in kind.periods for name in pair}
    return {ACTIVE: True, **{name: day and day[:10] for name, day in days.items()}}


# --- what clients are told -----------------------------------------------------------------------


def moment(now: datetime) -> str:
    """A time as JavaScript and Go write and read it."""
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode(type_: str, payload: Mapping[str, Any], now: datetime, client_id: str = "") -> bytes:
    """A message to a client."""
    return orjson.dumps({"type": type_, "payload": payload, "timestamp": moment(now), "clientId": client_id})


def error(fault: Fault, now: datetime, client_id: str = "") -> bytes:
    """The answer to what cannot be done."""
    return encode(ERROR, {**fault.details, "message": fault.message, "code": fault.code}, now, client_id)


def sync_response(
    told: Snapshot, now: datetime, client_id: str = "", marks: Mapping[str, Any] | None = None
) -> bytes:
    """The settings of a restaurant.

    Args:
        told: what they are.
        now: the time.
        client_id: who asked.
        marks: further members of the payload, that say why they are told.
    """
    time = moment(now)
    more = orjson.dumps({"timestamp": time, **(marks or {})})
    return b'{"type":"%s","payload":{"settings":%s,%s,"timestamp":"%s","clientId":%s}' % (
        SYNC_RESPONSE.encode(),
        told.settings,
        more[1:],
        time.encode(),
        orjson.dumps(client_id),
    )


def update_marks(tables: Sequence[str]) -> Mapping[str, Any]:
    """What changed: ``updated`` if it was one table alone, and all of them in any case."""
    only = {"updated": tables[0]} if len(tables) == 1 else {}
    return {**only, "updatedTables": list(tables)}
