"""A saved plan: the JSON plan with a time and a checksum, and back.

The file is the document that ``plan --format json`` prints, and two members more: ``created_at``, and
``checksum``: ``sha256:`` and the SHA-256 of the canonical JSON of everything else (keys sorted, no white
space, UTF-8; see :func:`rowform.state.canonical`). Layout does not count: a file that was laid out anew, or
got other line ends on its way, is still the same plan. Whatever else is changed in it makes it unusable.

The checksum finds accidents and edits; it is no signature, and need not be one. An apply takes nothing
but the expectations from the file: it plans afresh, and refuses what is not the same (:func:`same_changes`).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NoReturn

from pydantic import ValidationError

from rowform import __version__
from rowform.errors import UnusablePlan
from rowform.jsontypes import is_object
from rowform.kinds import Kind
from rowform.plan import FORMAT, Plan, RestaurantPlan
from rowform.plan_document import PlanDocument, StrangeError
from rowform.state import canonical
from rowform.text import escape, quote

#: What all formats of plans begin with, also those to come.
_FAMILY = "rowform.plan/"
_AGAIN = "save a new one with `rowform plan -o FILE`"
_OTHER = "use the version of rowform that made it, or plan again with this one"


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan from a file, and what the file says of itself.

    ``plan`` is what can be shown of it: all changes, guards and notes, but no settings that stay as they
    are. ``digests`` has each restaurant's ``desired_digest`` by slug; ``document`` is the file's content.
    """

    plan: Plan
    created_at: datetime
    tool_version: str
    checksum: str
    digests: Mapping[str, str]
    document: Mapping[str, Any]


def save(plan: Plan, created_at: datetime) -> bytes:
    """The content of the file that a plan is saved in."""
    document = {**plan.to_json(), "created_at": created_at.isoformat()}
    document["checksum"] = _checksum(document)
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def load(data: bytes, name: str, kinds: Mapping[str, Kind]) -> SavedPlan:
    """Read a file that :func:`save` has made.

    Args:
        data: the file's content.
        name: what messages call it.
        kinds: all kinds.

    Raises:
        UnusablePlan: it is something else, was changed since, or is for another version of rowform.
    """
    shown = escape(name)
    try:
        document = _document(data, shown)
        _check_format(document, shown)
        _check_checksum(document, shown)
    except RecursionError:
        raise UnusablePlan(f"{shown} is no saved plan: it is nested too deeply", _AGAIN) from None
    try:
        found = PlanDocument.model_validate(document)
        digests = found.digests()
        plan = found.plan(kinds)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        _foreign(document, shown, f"{where}: {first['msg']}")
    except StrangeError as error:
        _foreign(document, shown, str(error))
    return SavedPlan(plan, found.created_at, found.tool_version, found.checksum, digests, document)


def same_changes(one: RestaurantPlan, other: RestaurantPlan) -> bool:
    """Whether two plans do the same: kinds, keys, values before and after. Places in files do not count."""
    return [change.essence for change in one.changes] == [change.essence for change in other.changes]


def _checksum(document: Mapping[str, Any]) -> str:
    return f"sha256:{sha256(canonical(document)).hexdigest()}"


def _document(data: bytes, shown: str) -> Mapping[str, Any]:
    try:
        text = data.decode("utf-8")
        document: Any = json.loads(
            text, object_pairs_hook=_object, parse_float=_float, parse_constant=_constant
        )
    except UnicodeDecodeError as error:
        raise UnusablePlan(f"{shown} is no JSON: byte {error.start + 1} is no UTF-8", _AGAIN) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UnusablePlan(f"{shown} is no JSON, or not all of it: {place}: {error.msg}", _AGAIN) from None
    except ValueError as error:
        raise UnusablePlan(f"{shown} is no saved plan: {error}", _AGAIN) from None
    if not is_object(document):
        raise UnusablePlan(f"{shown} is no saved plan", _AGAIN)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise StrangeError(f"it has {quote(twice)} twice in one object")
    return found


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise StrangeError(f"the number {text[:40]} is too large")
    return value


def _constant(text: str) -> NoReturn:
    raise StrangeError(f"{text} is no JSON")


def _check_format(document: Mapping[str, Any], shown: str) -> None:
    form = document.get("format")
    if form == FORMAT:
        return
    if not isinstance(form, str) or not form.startswith(_FAMILY):
        said = f": its format is {quote(form)}" if isinstance(form, str) else ""
        raise UnusablePlan(f"{shown} is no saved plan{said}", _AGAIN)
    raise UnusablePlan(
        f"{shown} is a plan of the format {quote(form)}{_made_by(document)};"
        f" rowform {__version__} reads {FORMAT} alone",
        _OTHER,
    )


def _check_checksum(document: Mapping[str, Any], shown: str) -> None:
    found = document.get("checksum")
    if found is None:
        raise UnusablePlan(f"{shown} has no checksum: only `rowform plan -o FILE` saves plans", _AGAIN)
    if found != _checksum({member: value for member, value in document.items() if member != "checksum"}):
        raise UnusablePlan(f"{shown} is not as it was saved: its checksum is another one", _AGAIN)


def _foreign(document: Mapping[str, Any], shown: str, why: str) -> NoReturn:
    raise UnusablePlan(
        f"{shown} is a plan{_made_by(document)},"
        f" and rowform {__version__} does not understand it: {escape(why)}",
        _OTHER,
    )


def _made_by(document: Mapping[str, Any]) -> str:
    version = document.get("tool_version")
    return f" of rowform {escape(version)}" if isinstance(version, str) else ""
