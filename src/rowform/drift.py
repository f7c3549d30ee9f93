"""What direct writes changed since the last version that came from a plan, and what a plan would overwrite.

Three values of each field count: ``git``, in the last version that no direct write made; ``active``, now; and
``desired``, in the configuration. Direct writes changed it if the first two differ. It is kept if what they
wrote is also desired; else a plan would overwrite it. Objects are looked at member by member. Lists are
looked at whole, and never by index: what counts is which items came, went and changed places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from rowform.diff import Action, Change, Stored, compare_stored
from rowform.jsontypes import is_list, is_object
from rowform.lists import Edit, tally
from rowform.state import Content, Entry, token
from rowform.text import Plain, Sentence, Word, pointer, quote, steps

Path = tuple[str, ...]
Rows = Mapping[str, Mapping[str, Stored]]
#: More of a value than this is not said in a sentence.
_VALUE_WIDTH = 60


class Nothing(Enum):
    """What stands where there is no value: ``null`` is one."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT = Nothing.ABSENT
#: What is desired where there is no configuration.
UNKNOWN = Nothing.UNKNOWN


@dataclass(frozen=True, slots=True)
class Member:
    """A version in a lineage; ``kind`` and ``commit`` are those of its source."""

    version_id: str
    number: int
    name: str
    kind: str | None
    commit: str | None

    def to_json(self) -> dict[str, Any]:
        return {
            "version_id": self.version_id,
            "version_number": self.number,
            "name": self.name,
            "origin": self.kind,
            "commit": self.commit,
        }


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where an active version of direct writes comes from.

    ``direct`` are the versions that direct writes made, the active one first; ``settled`` is the one below
    them, if there is any, and ``settings`` its content.
    """

    direct: tuple[Member, ...]
    settled: Member | None
    settings: Rows


@dataclass(frozen=True, slots=True)
class Drift:
    """A field that direct writes changed.

    ``key`` is the setting's in the active version, or had been before it was deleted. An empty ``path`` means
    the whole setting: made or deleted by direct writes. ``kept`` says that the configuration has it already.
    ``identities`` are those that the setting had.
    """

    kind: str
    key: str
    path: Path
    git: Any
    active: Any
    desired: Any
    kept: bool = False
    identities: tuple[str, ...] = field(default=(), compare=False)

    @property
    def where(self) -> str:
        """The field as people write it."""
        return "".join(steps(self.path))

    @property
    def goes_back(self) -> bool:
        """Whether what is desired is what there was before the direct writes."""
        return same(self.git, self.desired)

    def to_json(self) -> dict[str, Any]:
        """A value that is not there is left out."""
        values = {"git": self.git, "active": self.active, "desired": self.desired}
        there = {name: value for name, value in values.items() if not isinstance(value, Nothing)}
        return {"kind": self.kind, "key": self.key, "path": pointer(self.path), **there}

    def said(self) -> Sentence:
        """What was written directly, and what a plan would make of it."""
        kind, key = Word(self.kind), self.key
        if not self.path:
            return Sentence(
                "{kind} {key} (deleted, would be made again)"
                if self.active is ABSENT
                else "{kind} {key} (made, would be deleted)",
                kind=kind,
                key=key,
            )
        git, active, desired = (_shown(one) for one in (self.git, self.active, self.desired))
        parts = {"kind": kind, "key": key, "field": Plain(self.where), "git": git, "active": active}
        if self.goes_back:
            return Sentence("{kind} {key} {field} ({git} -> {active}, back to {git})", **parts)
        if self.desired is ABSENT:
            return Sentence(
                "{kind} {key} {field} ({git} -> {active}, setting would be deleted)"
                if self.active is ABSENT
                else "{kind} {key} {field} ({git} -> {active}, would be gone)",
                **parts,
            )
        return Sentence(
            "{kind} {key} {field} ({git} -> {active}, would be {desired})", **parts, desired=desired
        )


def _shown(value: Any) -> Word | Plain:
    return Word("nothing") if isinstance(value, Nothing) else Plain(quote(value, _VALUE_WIDTH))


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal: 1, true and "1" are three things."""
    if isinstance(one, Nothing) or isinstance(other, Nothing):
        return one is other
    return token(one) == token(other)


class Overwritten:
    """Which of the fields that a plan would overwrite each of its changes does overwrite."""

    def __init__(self, lost: Iterable[Drift]) -> None:
        self._by_setting: dict[tuple[str, str], list[Drift]] = {}
        for one in lost:
            self._by_setting.setdefault((one.kind, one.key), []).append(one)

    def by(self, change: Change) -> list[Drift]:
        """The fields that one change would overwrite."""
        # A setting that was deleted comes back under its name, or under one that it is to have instead.
        former = change.after.previously if change.after and change.before is None else ()
        names = dict.fromkeys((change.key, change.previous_key or change.key, *former))
        return [one for name in names for one in self._by_setting.get((change.kind, name), ())]


def drift(git: Rows, active: Rows, changes: Sequence[Change] | None) -> list[Drift]:
    """The fields that direct writes changed, in the order of the settings.

    Args:
        git: the settings of the last version that no direct write made, by kind and key.
        active: those of the active version.
        changes: what the plan would do to these, or ``None`` if nothing is known of what is desired.
    """
    plan = _Plan(changes)
    found: list[Drift] = []
    moved, _ = compare_stored(git, active)
    for change in moved:
        if change.action is Action.DELETE:
            found.append(_deleted(change, plan))
        else:
            found.extend(_written(change, active[change.kind][change.key], plan))
    return found


def managed_drift(lineage: Lineage, active: Rows, content: Content, changes: Sequence[Change]) -> list[Drift]:
    """The fields that direct writes changed in the kinds that the configuration manages.

    Args:
        lineage: what the active version builds upon.
        active: the settings of that version.
        content: what is desired.
        changes: what a plan would do.
    """
    git, now = ({kind: rows.get(kind, {}) for kind in content} for rows in (lineage.settings, active))
    return drift(git, now, changes)


class _Plan:
    """What a plan would do, by the setting that it does it to."""

    def __init__(self, changes: Sequence[Change] | None) -> None:
        self.is_known = changes is not None
        self._by_identity: dict[tuple[str, str], Change] = {}
        self._brought: dict[tuple[str, str], Entry] = {}
        for change in changes or ():
            if change.before is not None:
                self._by_identity[change.kind, change.before.entity_id] = change
            if change.after is not None and (change.before is None or change.previous_key is not None):
                self._brought[change.kind, change.key] = change.after
        for change in changes or ():
            if change.after is not None and change.before is None:
                for name in change.after.previously:
                    self._brought.setdefault((change.kind, name), change.after)

    def of(self, kind: str, identity: str) -> Change | None:
        """What would be done to a setting of the active version."""
        return self._by_identity.get((kind, identity))

    def brought(self, kind: str, key: str) -> Entry | None:
        """What would come under a key that the active version does not have."""
        return self._brought.get((kind, key))


def _deleted(change: Change, plan: _Plan) -> Drift:
    before = change.before
    assert before is not None
    gone = Drift(
        change.kind,
        change.key,
        (),
        dict(before.entry.values),
        ABSENT,
        UNKNOWN,
        identities=(before.entity_id,),
    )
    if not plan.is_known:
        return gone
    again = plan.brought(change.kind, change.key)
    return replace(gone, desired=dict(again.values) if again else ABSENT, kept=again is None)


def _written(change: Change, now: Stored, plan: _Plan) -> Iterator[Drift]:
    kind, before = change.kind, change.before
    identities = tuple(dict.fromkeys((now.entity_id, *([before.entity_id] if before else ()))))
    git = dict(before.entry.values) if before else ABSENT
    active = dict(now.entry.values)
    planned = plan.of(kind, now.entity_id)
    is_deleted = planned is not None and planned.after is None
    desired: Any = UNKNOWN
    if plan.is_known and not is_deleted:
        desired = dict(planned.after.values) if planned and planned.after else active
    for path, was, is_now, wanted, kept in _leaves(git, active, desired):
        found = Drift(kind, change.key, path, was, is_now, wanted, kept, identities)
        yield replace(found, desired=ABSENT) if is_deleted else found
    if before is not None and change.previous_key is not None:
        again = plan.brought(kind, change.previous_key)
        # To take the new name back is told as a change of the key.
        if again is not None and (planned is None or planned.after is not again):
            yield Drift(kind, change.previous_key, (), git, ABSENT, dict(again.values), identities=identities)


def _leaves(git: Any, active: Any, desired: Any) -> Iterator[tuple[Path, Any, Any, Any, bool]]:
    """The fields in which ``git`` and ``active`` differ: path, the three values, whether it is kept."""
    # No recursion: how deep an object of somebody else's is, nobody knows.
    pending: list[tuple[Path, Any, Any, Any]] = [((), git, active, desired)]
    while pending:
        path, was, now, wanted = pending.pop()
        if same(was, now):
            continue
        if is_object(now) and (is_object(was) or (is_object(wanted) and not same(now, wanted))):
            members = dict.fromkeys((*now, *(was if is_object(was) else ())))
            pending.extend(
                ((*path, name), _member(was, name), _member(now, name), _member(wanted, name))
                for name in reversed(members)
            )
        else:
            yield path, was, now, wanted, _is_kept(was, now, wanted)


def _member(value: Any, name: str) -> Any:
    if is_object(value):
        return value.get(name, ABSENT)
    return UNKNOWN if value is UNKNOWN else ABSENT


def _is_kept(git: Any, active: Any, desired: Any) -> bool:
    """Whether what was written is still there in what is desired."""
    if same(active, desired):
        return True
    return is_list(git) and is_list(active) and is_list(desired) and _is_list_kept(git, active, desired)


def _is_list_kept(git: Sequence[Any], active: Sequence[Any], desired: Sequence[Any]) -> bool:
    written = Edit(git, active)
    if written.done_in(desired) != written.items:
        return False
    # Where an item was put is written, too. If items only went, the order is not the writer's.
    is_placed = bool(written.came) or _common(git, active) != _common(active, git)
    return not is_placed or _common(active, desired) == _common(desired, active)


def _common(items: Sequence[Any], others: Sequence[Any]) -> list[bytes]:
    """The items that ``others`` has as well, in order, each as often as there."""
    left = tally(others)
    found: list[bytes] = []
    for item in map(token, items):
        if left[item] > 0:
            left[item] -= 1
            found.append(item)
    return found
