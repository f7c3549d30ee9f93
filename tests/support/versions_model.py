"""What versions and direct writes must come to, in plain Python: the oracle of the randomized tests.

Nothing here knows how the database does it. A version is its content; a direct write goes to the active
version, as a version of its own, or to a draft that the application made itself, or is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

#: A setting's columns but for ids and time stamps. Rows and contents are replaced and never edited.
Row = Mapping[str, Any]
#: Settings by kind and id.
Content = Mapping[str, Mapping[str, Row]]

FINISHED, LOCKED, ORIGIN = "RF001", "RF004", "RF003"
NO_VALUE, NO_SUCH, TWICE, TWO_ACTIVE = "23502", "23503", "23505", "23P01"


@dataclass
class Version:
    """One version. ``born`` is the transaction that made it; the database chooses a direct one's ``id``."""

    number: int
    name: str
    origin: str
    base: int | None
    born: int
    id: str | None = None
    active: bool = False
    locked: bool = False
    draft: bool = False
    content: Content = field(default_factory=dict)

    def rows(self, kind: str) -> Mapping[str, Row]:
        return self.content.get(kind, {})

    def put(self, kind: str, id_: str, row: Row | None) -> None:
        """Replace one setting; without a row it goes."""
        rows = {key: value for key, value in self.rows(kind).items() if key != id_}
        self.content = {**self.content, kind: rows if row is None else {**rows, id_: row}}


@dataclass(frozen=True)
class Step:
    """One activation of a version, and the number of the step that it replaced."""

    number: int
    replaced: int | None


@dataclass
class Tenant:
    """A restaurant: its versions by number, and the one that people saw last."""

    id: str
    versions: dict[int, Version] = field(default_factory=dict)
    shown: int | None = None
    steps: list[Step] = field(default_factory=list)

    @property
    def active(self) -> Version | None:
        return next((version for version in self.versions.values() if version.active), None)

    @property
    def newest(self) -> int:
        return max(self.versions, default=0)

    @property
    def back(self) -> int | None:
        """The step that a rollback leads to: the latest one before with another version."""
        at = len(self.steps) - 1 if self.steps else None
        while at is not None and self.steps[at].number == self.steps[-1].number:
            at = self.steps[at].replaced
        return at

    @property
    def staged(self) -> Version | None:
        """The latest of the versions behind the active one that an apply made and nobody has activated."""
        seen = {step.number for step in self.steps}
        after = self.active.number if self.active else 0
        found = [
            version
            for version in self.versions.values()
            if version.origin == "generated" and version.number not in seen and version.number > after
        ]
        return max(found, key=lambda version: version.number, default=None)

    def superseded_directly(self, version: Version) -> bool:
        """Whether nothing but direct writes lies between the version and the active one."""
        at = self.active
        while at is not None and at is not version:
            at = self.versions[at.base] if at.origin == "direct" and at.base is not None else None
        return at is version


class Refused(Exception):
    """A statement that fails, with one of these SQLSTATEs: which one, depends on the order of its rows."""

    def __init__(self, states: Iterable[str]) -> None:
        self.states = frozenset(states)
        super().__init__(", ".join(sorted(self.states)))


def refuse_any(states: Iterable[str]) -> None:
    found = set(states)
    if found:
        raise Refused(found)


#: Which rows a statement means: tenant, version, id and row.
Condition = Callable[[Tenant, Version, str, Row], bool]
#: A row that a statement sees.
Sight = tuple[Tenant, Version, str, Row]


@dataclass
class World:
    """All restaurants. ``keys`` names each kind's key column, ``transaction`` the running one."""

    keys: Mapping[str, str]
    tenants: dict[str, Tenant] = field(default_factory=dict)
    transaction: int = 0

    def copy(self) -> World:
        tenants = {
            id_: replace(tenant, versions={n: replace(one) for n, one in tenant.versions.items()})
            for id_, tenant in self.tenants.items()
        }
        return World(self.keys, tenants, self.transaction)

    def become(self, other: World) -> None:
        self.tenants, self.transaction = other.tenants, other.transaction

    # --- settings through views -------------------------------------------------------------------

    def insert(self, kind: str, tenant_id: str | None, version_id: str | None, id_: str, row: Row) -> None:
        """``INSERT`` of one setting."""
        if version_id is None:
            raise Refused({NO_VALUE})
        found = self.find(version_id)
        if found is None or found[0].id != (tenant_id or found[0].id):
            raise Refused({NO_SUCH})
        tenant, version = found
        target = self._target(tenant, version)
        if target is None:
            raise Refused({LOCKED if version.locked else FINISHED})
        if target.locked:
            raise Refused({LOCKED})
        if row[self.keys[kind]] is None:
            raise Refused({NO_VALUE})
        if id_ in target.rows(kind) or self._taken(target, kind, id_, row):
            raise Refused({TWICE})
        self._open(tenant, target).put(kind, id_, row)

    def update(self, kind: str, condition: Condition, change: Callable[[Row], Row], *, named: bool) -> int:
        """``UPDATE`` of all settings that meet the condition; how many rows it counts."""
        live, drafts, passed = self._reach(kind, condition, named=named)
        states: set[str] = set()
        writes: list[Sight] = []
        count = 0
        for tenant, version, id_, row in (*live, *drafts):
            new = change(row)
            target = self._target(tenant, version)
            assert target is not None
            if target.locked:
                states.add(LOCKED)
            # What is not changed is not written, and who changes a field leaves the others alone.
            stored = target.rows(kind).get(id_)
            if stored is None:
                continue
            count += 1
            merged = {name: value for name, value in new.items() if value != row[name]}
            if {**stored, **merged} == stored:
                continue
            writes.append((tenant, target, id_, {**stored, **merged}))
            if self._taken(target, kind, id_, writes[-1][3]):
                states.add(TWICE)
            if writes[-1][3][self.keys[kind]] is None:
                states.add(NO_VALUE)
        # A row that fails does so before the statement ends.
        refuse_any(states or passed)
        for tenant, target, id_, row in writes:
            self._open(tenant, target).put(kind, id_, row)
        return count

    def delete(self, kind: str, condition: Condition, *, named: bool) -> int:
        """``DELETE`` of all settings that meet the condition; how many rows it counts."""
        live, drafts, passed = self._reach(kind, condition, named=named)
        states: set[str] = set()
        gone: list[tuple[Tenant, Version, str]] = []
        for tenant, version, id_, _ in (*live, *drafts):
            target = self._target(tenant, version)
            assert target is not None
            if target.locked:
                states.add(LOCKED)
            if id_ in target.rows(kind):
                gone.append((tenant, target, id_))
        refuse_any(states or passed)
        for tenant, target, id_ in gone:
            self._open(tenant, target).put(kind, id_, None)
        return len(gone)

    def _reach(
        self, kind: str, condition: Condition, *, named: bool
    ) -> tuple[list[Sight], list[Sight], set[str]]:
        """What a statement means: settings of the active version, each once, and those of drafts.

        One that names no version means nothing else. One that does may name a superseded version.
        Finished versions stay out of it, unless they are all that it sees of a restaurant: then it
        fails with one of the states that come third.
        """
        live: dict[tuple[str, str], Sight] = {}
        drafts: list[Sight] = []
        passed: dict[str, set[str]] = {}
        for tenant in self.tenants.values():
            for _, version in sorted(tenant.versions.items()):
                if not named and not version.draft and version is not tenant.active:
                    continue
                target = self._target(tenant, version)
                for id_, row in version.rows(kind).items():
                    if not condition(tenant, version, id_, row):
                        continue
                    if target is None:
                        passed.setdefault(tenant.id, set()).add(LOCKED if version.locked else FINISHED)
                    elif target.draft:
                        drafts.append((tenant, version, id_, row))
                    else:
                        # The newest one that it sees decides.
                        live[tenant.id, id_] = (tenant, version, id_, row)
        reached = {tenant_id for tenant_id, _ in live}
        states = {state for id_, found in passed.items() if id_ not in reached for state in found}
        return list(live.values()), drafts, states

    def _target(self, tenant: Tenant, version: Version) -> Version | None:
        if version.draft:
            return version
        if version is tenant.active:
            return version
        return tenant.active if tenant.superseded_directly(version) and not version.locked else None

    def _taken(self, target: Version, kind: str, id_: str, row: Row) -> bool:
        key = self.keys[kind]
        return any(other != id_ and found[key] == row[key] for other, found in target.rows(kind).items())

    def _open(self, tenant: Tenant, target: Version) -> Version:
        """The version to write to: a draft itself, for the active one this transaction's own."""
        # A version made earlier in the statement has taken the active one's place.
        target = target if target.draft else tenant.active or target
        if target.draft or (target.born == self.transaction and target.number == tenant.newest):
            return target
        made = self.make(tenant, tenant.newest + 1, "Direct write", "direct")
        made.content = target.content
        self._switch(tenant, made)
        return made

    # --- versions ---------------------------------------------------------------------------------

    def make(self, tenant: Tenant, number: int, name: str, origin: str) -> Version:
        """A new version, empty and not active, made from the active one."""
        base = tenant.active.number if tenant.active else None
        made = Version(number, name, origin, base, self.transaction)
        tenant.versions[number] = made
        return made

    def create(self, tenant: Tenant, number: int, name: str | None, *, active: bool = False) -> None:
        """``INSERT INTO config_versions``, as the application does it."""
        if number in tenant.versions:
            raise Refused({TWICE})
        if number < max(tenant.newest, 1):
            raise Refused({ORIGIN})
        if active and tenant.active:
            raise Refused({TWO_ACTIVE})
        made = self.make(tenant, number, (name or "").strip() or f"Version {number}", "application")
        made.draft = True
        if active:
            self._switch(tenant, made)

    def activate(self, tenant: Tenant, wanted: Version) -> None:
        """``UPDATE config_versions SET is_active = true WHERE id = …`` alone."""
        if tenant.active not in (None, wanted):
            raise Refused({TWO_ACTIVE})
        self._switch(tenant, wanted)

    def deactivate(self, tenant: Tenant) -> None:
        """``UPDATE config_versions SET is_active = false`` for the restaurant."""
        if tenant.active and tenant.active.locked:
            raise Refused({LOCKED})
        self._switch(tenant, None)

    def flip(self, tenant: Tenant, wanted: Version) -> None:
        """``UPDATE config_versions SET is_active = (id = …)`` for the restaurant."""
        if tenant.active not in (None, wanted):
            self.deactivate(tenant)
        self._switch(tenant, wanted)

    def _switch(self, tenant: Tenant, wanted: Version | None, *back: int | None) -> None:
        """Make a version the active one. A rollback says what that version had replaced: ``back``."""
        if wanted is not None and not wanted.active:
            last = len(tenant.steps) - 1 if tenant.steps else None
            tenant.steps = [*tenant.steps, Step(wanted.number, back[0] if back else last)]
        for version in tenant.versions.values():
            version.active = version is wanted
        if wanted is not None:
            wanted.draft = False
            tenant.shown = wanted.number

    def applied(self, tenant: Tenant, content: Content, name: str, *, staged: bool = False) -> Version:
        """What an apply by rowform makes; ids of new settings are the database's to choose."""
        made = self.make(tenant, tenant.newest + 1, name, "generated")
        made.content = content
        if not staged:
            self._switch(tenant, made)
        return made

    def go_to(self, tenant: Tenant, wanted: Version) -> None:
        """What `activate` does."""
        self._switch(tenant, wanted)

    def go_back(self, tenant: Tenant) -> None:
        """What `rollback` does."""
        back = tenant.back
        assert back is not None
        self._switch(tenant, tenant.versions[tenant.steps[back].number], tenant.steps[back].replaced)

    def find(self, version_id: str) -> tuple[Tenant, Version] | None:
        return next(
            (
                (tenant, version)
                for tenant in self.tenants.values()
                for version in tenant.versions.values()
                if version.id == version_id
            ),
            None,
        )
