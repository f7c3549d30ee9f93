"""Three forms of a value: what a client was told, what it made of that, and what there is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rowform.drift import ABSENT
from rowform.edits.faults import Path
from rowform.edits.sent import equal
from rowform.jsontypes import is_object


@dataclass(frozen=True, slots=True)
class Later:
    """A later form of a setting, and whether the very client that edits it now has made it."""

    is_own: bool
    values: Mapping[str, Any]


def members(
    base: Mapping[str, Any],
    sent: Mapping[str, Any],
    now: Mapping[str, Any],
    path: Path,
    conflicts: list[Path],
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in dict.fromkeys((*now, *sent)):
        was, wanted, there = (one.get(name, ABSENT) for one in (base, sent, now))
        if is_object(was) and is_object(wanted) and is_object(there):
            value: Any = members(was, wanted, there, (*path, name), conflicts)
        else:
            value = leaf(was, wanted, there, (*path, name), conflicts)
        if value is not ABSENT:
            result[name] = value
    return result


def leaf(base: Any, sent: Any, now: Any, path: Path, conflicts: list[Path]) -> Any:
    """The value of a field: what the client made of it, or what it is now."""
    if equal(sent, base) or equal(sent, now):
        return now
    if equal(base, now):
        return sent
    conflicts.append(path)
    return now


def is_own(path: Path, base: Mapping[str, Any], later: Iterable[Later]) -> bool:
    """Whether a field that has changed was changed by the client's own earlier edits alone."""
    was, is_seen = at(base, path), False
    for one in later:
        now = at(one.values, path)
        if not equal(was, now):
            if not one.is_own:
                return False
            is_seen = True
        was = now
    return is_seen


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(str(step), ABSENT) if is_object(value) else ABSENT
    return value


def replaced(values: Mapping[str, Any], path: Path, sent: Any) -> dict[str, Any]:
    """The values with that at ``path`` as it was sent."""
    name, *rest = path
    wanted = sent.get(name, ABSENT)
    if rest:
        return {**values, str(name): replaced(values[str(name)], tuple(rest), wanted)}
    if wanted is ABSENT:
        return {key: item for key, item in values.items() if key != name}
    return {**values, str(name): wanted}
