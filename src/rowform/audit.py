"""The audit trail: what each of its rows says, and which row gave a setting each of its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from rowform.diff import Operation, leaves, operations
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.kinds.base import STAMPS
from rowform.state import token

#: What `table_name` is in rows about a version itself.
VERSIONS = "config_versions"
#: The members of a row's image that tell where it is, and not what the setting says.
_PLACE = frozenset({"id", "restaurant_id", "version_id", *STAMPS})

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Audited:
    """One row of the audit trail.

    ``old`` and ``new`` are what there was before and after. ``made`` says that the row was written as its
    version was made, or activated for the first time: what it changed is the work of the version's author.
    ``back``: that an activation was a rollback. ``note``: that somebody else wrote the row, so that it proves
    nothing. ``kind`` is that of ``table``.
    """

    seq: int
    changed_at: datetime
    version_id: str | None
    version_number: int | None
    version_name: str | None
    source: Mapping[str, Any]
    made: bool
    changed_by: str | None
    table: str
    operation: str
    old: Any
    new: Any
    reason: str | None
    back: bool
    note: bool
    kind: Kind | None

    @property
    def is_event(self) -> bool:
        """Whether this is about a version itself."""
        return self.table == VERSIONS and not self.note

    @property
    def event(self) -> str:
        """What happened to the version: a verb. ``forced``: it was made although a guard had fired."""
        old, new = _object(self.old), _object(self.new)
        if self.operation == "INSERT" and not new.get("is_active"):
            return "forced"
        if old.get("id") == new.get("id"):
            if bool(old.get("is_locked")) != bool(new.get("is_locked")):
                return "locked" if new.get("is_locked") else "unlocked"
            if not new.get("is_active"):
                return "deactivated"
        return "rolled back" if self.back else "activated"

    @property
    def replaced(self) -> int | None:
        """The number of the version that was active before an activation."""
        found = _object(self.old).get("version_number")
        return found if self.event in ("activated", "rolled back") else None

    @property
    def setting_id(self) -> str | None:
        """The identity of the setting."""
        return _object(self.new).get("id") or _object(self.old).get("id")

    @property
    def former_id(self) -> str | None:
        """The identity that the setting had before, which is another one if it was deleted and made anew."""
        return _object(self.old).get("id")

    @property
    def key(self) -> str | None:
        """The setting's key, the new one if it was renamed."""
        found = (self.before if self.new is None else self.after).get(self._key_field)
        return None if found is None else str(found)

    @property
    def previous_key(self) -> str | None:
        """The key before a rename, if this is one."""
        old, new = self.before.get(self._key_field), self.after.get(self._key_field)
        return str(old) if old is not None and new is not None and old != new else None

    @property
    def _key_field(self) -> str:
        return self.kind.key if self.kind else "name"

    @cached_property
    def before(self) -> Mapping[str, Any]:
        """The values before, without those that only tell where the row is."""
        return setting_values(self.old, self.kind)

    @cached_property
    def after(self) -> Mapping[str, Any]:
        """The values after, without those that only tell where the row is."""
        return setting_values(self.new, self.kind)

    def sets(self, path: Path) -> bool:
        """Whether the row gave or took the value at a path; without steps: made or removed the setting."""
        old = () if self.old is None else _at(self.before, path)
        new = () if self.new is None else _at(self.after, path)
        if not (path and old and new):
            return bool(old) != bool(new)
        return not _same(old[0], new[0])

    def patch(self) -> tuple[Operation, ...]:
        """What leads from the one to the other; nothing for a setting that came or went."""
        if self.old is None or self.new is None:
            return ()
        return tuple(operations(self.before, self.after))

    def shown(self) -> Iterator[Operation]:
        """What people want to see of the change; of a setting that came or went, what is no default."""
        if self.old is not None and self.new is not None:
            yield from (one for one in self.patch() if one.path != (self._key_field,))
            return
        defaults: Mapping[str, Any] = self.kind.defaults if self.kind else {}
        for name, value in (self.before or self.after).items():
            if name == self._key_field or (name in defaults and _same(value, defaults[name])):
                continue
            if self.old is None:
                yield Operation("add", (name,), value, None)
            else:
                yield Operation("remove", (name,), None, value)


def _object(value: Any) -> Mapping[str, Any]:
    return value if is_object(value) else {}


def setting_values(image: Any, kind: Kind | None) -> Mapping[str, Any]:
    """What a row's image says of the setting itself, in the order of the kind's columns."""
    if is_object(image):
        names = dict.fromkeys((*(kind.column_names if kind else ()), *image))
        return {name: image[name] for name in names if name in image and name not in _PLACE}
    # Only somebody else's rows are like this.
    return {} if image is None else {"": image}


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1, true and "1" are three things."""
    return token(one) == token(other)


# --- blame ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value inside a setting, and the row that gave it; none if it is older than the audit trail."""

    path: Path
    value: Any
    row: Audited | None


class Blame:
    """Finds the row that gave each leaf of a setting its value; is told the rows newest first."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._found: dict[Path, Leaf] = {path: Leaf(path, leaf, None) for path, leaf in leaves(values)}
        self._open = dict(self._found)

    @property
    def is_done(self) -> bool:
        """Whether earlier rows can tell no more."""
        return not self._open

    def see(self, row: Audited) -> None:
        """Take the setting's next earlier row."""
        for path, leaf in list(self._open.items()):
            old = _at(row.before, path) if row.old is not None else ()
            if not (old and _same(old[0], leaf.value)):
                self._found[path] = Leaf(path, leaf.value, row)
                del self._open[path]

    def leaves(self) -> list[Leaf]:
        """All leaves, in the setting's order."""
        return list(self._found.values())


def _at(value: Any, path: Path) -> tuple[Any, ...]:
    """The value at a path, if there is one."""
    for step in path:
        if isinstance(step, int):
            if not is_list(value) or step >= len(value):
                return ()
            value = value[step]
        elif is_object(value) and step in value:
            value = value[step]
        else:
            return ()
    return (value,)
