"""A client's edits, put into the active settings of one kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rowform.diff import Stored
from rowform.drift import same
from rowform.edits.faults import Path, Problem, invalid, stale
from rowform.edits.sent import Sent, as_uuid, equal, seen
from rowform.edits.threeway import Later, at, is_own, leaf, members, replaced
from rowform.edits.validity import value_faults
from rowform.entries import fold
from rowform.jsontypes import is_object
from rowform.kinds import Kind
from rowform.kinds.base import ACTIVE
from rowform.state import Entry, entry
from rowform.text import quote, steps
from rowform.wire import Field, setting_fields


@dataclass(frozen=True, slots=True)
class Known:
    """What the database has of the settings of one kind.

    ``active`` are those of the active version, by key; ``versions`` those of the versions that clients named,
    by the version's id and the setting's; ``former`` are the ids, of those asked about, that some setting of
    the restaurant has or had. ``since`` tells the later forms of a setting after a version.
    """

    active: Mapping[str, Stored]
    versions: Mapping[str, Mapping[str, Stored]]
    former: Collection[str]
    since: Callable[[str, str], Sequence[Later]]


@dataclass(slots=True)
class Merged:
    """The settings of a kind with the edits in them, by key. ``edited`` are those that differ."""

    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    edited: list[Entry] = field(default_factory=list[Entry])


def merge(kind: Kind, sent: Sequence[Sent], known: Known) -> Merged:
    """Put a client's edits into the active settings.

    Raises:
        Fault: an edit is not valid, or others have changed the same since; nothing of it is to be done then.
    """
    return _Merge(kind, known).run(sent)


class _Merge:
    def __init__(self, kind: Kind, known: Known) -> None:
        self._kind = kind
        self._known = known
        self._fields = [one for one in setting_fields(kind) if one.column in kind.column_names]
        self._by_id = {one.entity_id: one for one in known.active.values()}
        self._problems: list[Problem] = []
        self._stale: list[Problem] = []

    def run(self, sent: Sequence[Sent]) -> Merged:
        changed: list[tuple[Sent, Stored | None, Entry]] = []
        for one in sent:
            before = self._by_id.get(one.id or "")
            if before is not None:
                values = self._updated(one, before)
            elif one.id is None or not self._is_old(one):
                before, values = self._created(one)
            else:
                values = None
            if values is not None and (made := self._checked(one, before, values)) is not None:
                changed.append((one, before, made))
        result = self._put_together(changed)
        if self._problems:
            raise invalid(self._problems)
        if self._stale:
            raise stale(self._stale)
        return result

    # --- a setting that is there -----------------------------------------------------------------

    def _updated(self, one: Sent, before: Stored) -> dict[str, Any] | None:
        """The setting's values with what the client changed; ``None`` if that is nothing."""
        if one.version_id is None:
            self._wrong(one, ("versionId",), "it is missing: it says which version you have edited")
            return None
        base = self._known.versions.get(as_uuid(one.version_id) or "", {}).get(before.entity_id)
        if base is None:
            self._out_of_date(one, (), before.entry.key, "is not in the version that you have edited")
            return None
        values = dict(before.entry.values)
        conflicts: list[Path] = []
        for each in self._fields:
            if each.column in one.values:
                values[each.column] = self._column(each, one, base, before, conflicts)
        if conflicts:
            later = self._known.since(before.entity_id, str(as_uuid(one.version_id)))
            for path in conflicts:
                if is_own(path, base.entry.values, later):
                    values = replaced(values, path, one.values)
                else:
                    self._out_of_date(one, path, before.entry.key, "was changed by somebody else meanwhile")
        return values

    def _column(self, each: Field, one: Sent, base: Stored, before: Stored, conflicts: list[Path]) -> Any:
        was, now = base.entry.values, before.entry.values
        wanted = one.values[each.column]
        told, tells = seen(self._kind, each, was), seen(self._kind, each, now)
        if any(equal(wanted, other) for other in (told, was[each.column], tells)):
            return now[each.column]
        if is_object(told) and is_object(wanted) and is_object(tells):
            return members(told, wanted, tells, (each.column,), conflicts)
        return leaf(told, wanted, tells, (each.column,), conflicts)

    def _is_old(self, one: Sent) -> bool:
        """Whether a setting that is not there was there once. If its client has edited it, it is too late."""
        base = self._known.versions.get(as_uuid(one.version_id) or "", {}).get(one.id or "")
        if base is None and one.id not in self._known.former:
            return False
        key = base.entry.key if base else one.values.get(self._kind.key)
        if base is None or not self._repeats(one, base):
            self._out_of_date(one, (), key, "was deleted by somebody else meanwhile")
        return True

    def _repeats(self, one: Sent, stored: Stored) -> bool:
        """Whether a client says of a setting just what it was told."""
        values = stored.entry.values
        return all(
            equal(one.values[each.column], seen(self._kind, each, values))
            or equal(one.values[each.column], values[each.column])
            for each in self._fields
            if each.column in one.values
        )

    # --- a setting that is new -------------------------------------------------------------------

    def _created(self, one: Sent) -> tuple[Stored | None, dict[str, Any] | None]:
        key = one.values.get(self._kind.key)
        there = self._known.active.get(key) if isinstance(key, str) else None
        values = {**self._kind.defaults, **one.values}
        if there is None:
            return None, values
        is_paused = there.entry.values.get(ACTIVE, True) is not True
        if self._repeats(one, there) and (ACTIVE in one.values or not is_paused):
            return there, None
        if is_paused:
            base = self._known.versions.get(as_uuid(one.version_id) or "", {}).get(there.entity_id)
            if base is not None and base.entry.canonical == there.entry.canonical:
                # Clients are not told of what is paused. Whoever says since when may take it up again.
                return there, values
            self._out_of_date(one, (), key, "is there, and paused: name versionId to take it up again")
        else:
            self._out_of_date(one, (), key, "is there already")
        return there, None

    # --- checks ----------------------------------------------------------------------------------

    def _checked(self, one: Sent, before: Stored | None, values: Mapping[str, Any]) -> Entry | None:
        """The setting, if its edited values are valid; ``None`` as well if nothing is edited."""
        kind = self._kind
        missing = [column.name for column in kind.columns if column.required and column.name not in values]
        for column in missing:
            self._wrong(one, (column,), "it is missing")
        if missing:
            return None
        now: Mapping[str, Any] = before.entry.values if before else {}
        edited = {name for name in kind.column_names if name not in now or not same(values[name], now[name])}
        if not edited:
            return None
        problems = [
            (path, message)
            for path, message in value_faults(kind, values, edited)
            # What is wrong already and was not touched is not this client's fault.
            if not same(at(now, _named(path)), at(values, _named(path)))
        ]
        for path, message in problems:
            self._wrong(one, path, message)
        former = (before.entry.key,) if before and before.entry.key != values[kind.key] else ()
        return None if problems else entry(kind, values, former)

    def _put_together(self, changed: Iterable[tuple[Sent, Stored | None, Entry]]) -> Merged:
        result = Merged({key: stored.entry for key, stored in self._known.active.items()})
        work = list(changed)
        for _, before, _ in work:
            if before is not None:
                del result.entries[before.entry.key]
        folded = {fold(key): key for key in result.entries}
        for one, _, made in work:
            other = folded.setdefault(fold(made.key), made.key)
            if made.key in result.entries:
                self._wrong(one, (self._kind.key,), f"there is a {self._kind.noun} {quote(made.key)} already")
            elif other != made.key:
                message = f"{quote(made.key)} differs from {quote(other)} only in case or Unicode form"
                self._wrong(one, (self._kind.key,), message)
            result.entries[made.key] = made
            result.edited.append(made)
        self._check_flag([(one, made) for one, _, made in work], result.entries.values())
        return result

    def _check_flag(self, work: Sequence[tuple[Sent, Entry]], entries: Iterable[Entry]) -> None:
        flag = self._kind.unique_flag
        if flag is None:
            return
        marked = [one for one in entries if one.values.get(flag) is True]
        for one, made in work:
            others = [other for other in marked if other is not made]
            if made in marked and others and one.values.get(flag) is True:
                self._wrong(one, (flag,), f"{self._kind.noun} {quote(others[0].key)} has it: only one may")

    # --- what is said ----------------------------------------------------------------------------

    def _wrong(self, one: Sent, path: Path, message: str) -> None:
        self._problems.append(Problem((*one.path, *_wire_path(self._kind, path)), message))

    def _out_of_date(self, one: Sent, path: Path, key: Any, what: str) -> None:
        names = "".join(steps(_wire_path(self._kind, path)))
        message = f"{self._kind.noun} {quote(key)}{f' {names}' if names else ''} {what}"
        self._stale.append(Problem((*one.path, *_wire_path(self._kind, path)), message))


def _wire_path(kind: Kind, path: Path) -> Path:
    """A path in a setting with the column's name as clients know it."""
    names = {one.name: one.wire_name for one in kind.columns}
    return (names.get(str(path[0]), path[0]), *path[1:]) if path else ()


def _named(path: Path) -> Path:
    """The path as far as it leads through objects."""
    ends = (at for at, step in enumerate(path) if isinstance(step, int))
    return path[: next(ends, len(path))]
