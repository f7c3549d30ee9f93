"""Random sequences of everything that writers do, on a real database and on a model of it.

A step is what a person or a program does at once: statements through the views, alone, in a transaction
or with savepoints; versions made, filled, activated and locked the application's own way; an apply; a version
staged, an activation and a rollback by rowform.
Whatever happens, every version stays as it was, and the audit leads to what is active.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from rowform.errors import LockedVersion, StalePlan
from rowform.guards import Thresholds
from rowform.kinds import kinds
from rowform.plan import RestaurantPlan
from rowform.planner import make_plan
from rowform.state import Restaurant, digest
from rowform.store.activation import Switch, standing, switch
from rowform.store.apply import AT_ONCE, Manner, Origin, apply_plan
from rowform.store.read import snapshot
from rowform.store.session import open_session
from rowform.store.writing import Why
from tests.support.builders import content, setting
from tests.support.database import Databases
from tests.support.versions_model import Content, Row, Tenant, Version, World
from tests.support.versions_run import Run, content_by_key

SEQUENCES, STEPS, PARTS = 150, 30, 2
NAMES = ("Kitchen", "Floor", "料理", "Weekend")
#: Columns that statements write, with the values that they take there.
_LIMIT = {
    "penalty_weight": [1, 1.5, 50],
    "limit_config": [{}, {"maxCount": 3}],
    "effective_from": [None, "2026-04-01"],
}
VALUES: dict[str, dict[str, list[Any]]] = {
    "staff_groups": {"color": [None, "#111111", "#222222"], "group_config": [{}, {"members": ["岸"]}]},
    "daily_limits": _LIMIT,
    "monthly_limits": _LIMIT,
    "priority_rules": {"priority_level": [1, 2], "penalty_weight": [1, 2.5], "is_active": [True, False]},
    "ml_model_configs": {"model_type": ["genetic", "other"], "confidence_threshold": [0.5, 0.75]},
}
#: The conditions that name a version.
NAMING = ("row", "version")
#: Columns that a statement can add to.
NUMBERS = {"penalty_weight", "priority_level", "confidence_threshold"}


class Writer:
    """Does random things: what a seed says, to what there is at that time."""

    def __init__(self, run: Run, seed: str) -> None:
        self.run = run
        self.random = Random(seed)

    @property
    def world(self) -> World:
        return self.run.world

    def step(self) -> None:
        steps = [
            self.transaction, self.alone, self.copy_version, self.note,
            self.apply, self.stale_apply, self.stage, self.go_to, self.go_back,
        ]  # fmt: skip
        self.random.choices(steps, [28, 36, 6, 2, 12, 5, 5, 4, 4])[0]()

    # --- transactions -----------------------------------------------------------------------------

    def alone(self) -> None:
        """One statement, as PostgREST sends each of them."""
        with self.run.transaction():
            self.statement()

    def transaction(self) -> None:
        """Several statements, some in a part that may be taken back, at times all for nothing."""
        with self.run.transaction(keep=self.chance(0.8)):
            for _ in range(self.random.randint(2, 5)):
                if self.chance(0.3):
                    with self.run.savepoint(keep=self.chance(0.6)):
                        self.statement()
                else:
                    self.statement()

    def statement(self) -> None:
        statements = [
            self.insert, self.update, self.delete,
            self.create, self.switch, self.activate, self.deactivate, self.lock,
        ]  # fmt: skip
        self.random.choices(statements, [22, 40, 14, 8, 6, 4, 2, 4])[0]()

    # --- settings ---------------------------------------------------------------------------------

    def insert(self) -> None:
        tenant = self.tenant()
        kind, version = self.kind(), self.version(tenant)
        row, given = self.row(kind)
        id_ = self.former(tenant, kind) if self.chance(0.3) else str(UUID(int=self.random.getrandbits(128)))
        chosen = self.chance(0.7)
        owner = None if self.chance(0.1) else self.tenant().id if self.chance(0.05) else tenant.id
        values = {
            **{name: row[name] for name in given},
            "restaurant_id": owner,
            "version_id": version.id if version and self.chance(0.97) else None,
            **({"id": id_} if chosen else {}),
        }
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id::text").format(
            sql.Identifier(kind),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join([sql.Placeholder()] * len(values)),
        )

        def predict(world: World, found: Any) -> str:
            new_id = id_ if chosen else found or "new"
            world.insert(kind, owner, values["version_id"], new_id, row)
            return new_id

        self.run.attempt(predict, lambda: self.one(query, [adapted(value) for value in values.values()]))

    def update(self) -> None:
        kind = self.kind()
        where, parameters, condition, sort = self.condition(kind)
        name, value = self.assignment(kind)
        key = self.world.keys[kind]
        column = sql.Identifier(name)
        if name in NUMBERS and self.chance(0.2):
            expression, given = sql.SQL("{0} = {0} + 1").format(column), []
            change: Callable[[Row], Row] = lambda row: {**row, name: row[name] + 1}  # noqa: E731
        elif self.chance(0.15):
            expression, given = sql.SQL("{0} = {0}").format(column), []
            change = dict
        elif sort in ("row", "id") and self.chance(0.25):
            new_name = self.random.choice(NAMES)
            expression, given = sql.SQL("{} = %s").format(sql.Identifier(key)), [new_name]
            change = lambda row: {**row, key: new_name}  # noqa: E731
        else:
            # With the time stamp, as the Go server sends it.
            expression = sql.SQL("{} = %s, updated_at = now()").format(column)
            given = [adapted(value)]
            change = lambda row: {**row, name: value}  # noqa: E731
        query = sql.SQL("UPDATE {} SET {} WHERE {}").format(sql.Identifier(kind), expression, where)
        self.run.attempt(
            lambda world, _: world.update(kind, condition, change, named=sort in NAMING),
            lambda: self.count(query, [*given, *parameters]),
        )

    def delete(self) -> None:
        kind = self.kind()
        where, parameters, condition, sort = self.condition(kind)
        query = sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(kind), where)
        self.run.attempt(
            lambda world, _: world.delete(kind, condition, named=sort in NAMING),
            lambda: self.count(query, parameters),
        )

    def condition(self, kind: str) -> tuple[sql.Composable, list[Any], Callable[..., bool], str]:
        """Which rows a statement means, in SQL with parameters and in Python; and the condition's sort."""
        tenant = self.tenant()
        version, id_, key = self.version(tenant), self.former(tenant, kind), self.world.keys[kind]
        number, version_id = (version.number, version.id) if version else (0, None)
        name = self.random.choice(NAMES)
        column, value = self.assignment(kind)
        (sort,) = self.random.choices(
            ["row", "id", "name", "version", "restaurant", "all", "value"], [50, 14, 10, 12, 6, 4, 8]
        )
        if sort == "row" and version and version.rows(kind) and self.chance(0.9):
            id_ = self.random.choice(sorted(version.rows(kind)))
        sorts: dict[str, tuple[str, list[Any], Callable[..., bool]]] = {
            "row": (
                "id = %s AND version_id = %s",
                [id_, version_id],
                lambda one, at, row_id, _: (one.id, at.number, row_id) == (tenant.id, number, id_),
            ),
            "id": ("id = %s", [id_], lambda _, __, row_id, ___: row_id == id_),
            "name": (f"{key} = %s", [name], lambda _, __, ___, row: row[key] == name),
            "version": (
                "version_id = %s",
                [version_id],
                lambda one, at, _, __: (one.id, at.number) == (tenant.id, number),
            ),
            "restaurant": ("restaurant_id = %s", [tenant.id], lambda one, *_: one.id == tenant.id),
            "all": ("true", [], lambda *_: True),
            "value": (
                f"{column} IS NOT DISTINCT FROM %s",
                [adapted(value)],
                lambda _, __, ___, row: row[column] == value,
            ),
        }
        where, parameters, condition = sorts[sort]
        return sql.SQL(where), parameters, condition, sort  # type: ignore[arg-type]

    # --- versions ---------------------------------------------------------------------------------

    def create(self) -> None:
        """A version as the application makes it: empty, and its own to fill."""
        tenant = self.tenant()
        number = tenant.newest + self.random.choices([1, 2, 0, -1], [85, 7, 5, 3])[0]
        name, active = self.random.choice(["New", None, " "]), self.chance(0.15)
        id_ = str(UUID(int=self.random.getrandbits(128)))

        def predict(world: World, _: Any) -> int:
            one = world.tenants[tenant.id]
            world.create(one, number, name, active=active)
            one.versions[number].id = id_
            return 1

        self.run.attempt(
            predict,
            lambda: self.count(
                "INSERT INTO config_versions (id, restaurant_id, version_number, name, is_active)"
                " VALUES (%s, %s, %s, %s, %s)",
                [id_, tenant.id, number, name, active],
            ),
        )

    def switch(self) -> None:
        """Activation by one statement, or by the application's two."""
        tenant = self.tenant()
        version = self.draft(tenant) if self.chance(0.5) else self.any_version(tenant)
        if version is None:
            return
        number = version.number
        if self.chance(0.5):
            self.run.attempt(
                lambda world, _: moved(world, tenant, number, World.flip),
                lambda: self.ran(
                    "UPDATE config_versions SET is_active = (id = %s) WHERE restaurant_id = %s",
                    [version.id, tenant.id],
                ),
            )
            return
        self.deactivate(tenant)
        self.activate(tenant, version)

    def activate(self, tenant: Tenant | None = None, version: Version | None = None) -> None:
        tenant = tenant or self.tenant()
        version = version or self.any_version(tenant)
        if version is not None:
            number = version.number
            self.run.attempt(
                lambda world, _: moved(world, tenant, number, World.activate),
                lambda: self.ran("UPDATE config_versions SET is_active = true WHERE id = %s", [version.id]),
            )

    def deactivate(self, tenant: Tenant | None = None) -> None:
        tenant = tenant or self.tenant()

        def predict(world: World, _: Any) -> bool:
            world.deactivate(world.tenants[tenant.id])
            return True

        self.run.attempt(
            predict,
            lambda: self.ran(
                "UPDATE config_versions SET is_active = false WHERE restaurant_id = %s", [tenant.id]
            ),
        )

    def lock(self) -> None:
        tenant = self.tenant()
        version = self.version(tenant)
        if version is None:
            return
        # Seldom for long, or all that follows is refused.
        locked, number = not version.locked and self.chance(0.4), version.number

        def predict(world: World, _: Any) -> bool:
            world.tenants[tenant.id].versions[number].locked = locked
            return True

        self.run.attempt(
            predict,
            lambda: self.ran("UPDATE config_versions SET is_locked = %s WHERE id = %s", [locked, version.id]),
        )

    def copy_version(self) -> None:
        """What a function such as create_config_version() does: make, copy, activate, in one transaction."""
        tenant = self.tenant()
        base = tenant.active
        if base is None:
            return
        with self.run.transaction(keep=self.chance(0.9)):
            number, id_ = tenant.newest + 1, str(UUID(int=self.random.getrandbits(128)))

            def make(world: World, _: Any) -> int:
                world.create(world.tenants[tenant.id], number, "Copy")
                world.tenants[tenant.id].versions[number].id = id_
                return 1

            self.run.attempt(
                make,
                lambda: self.count(
                    "INSERT INTO config_versions (id, restaurant_id, version_number, name, is_active)"
                    " VALUES (%s, %s, %s, 'Copy', false)",
                    [id_, tenant.id, number],
                ),
            )
            same = self.chance(0.5)
            for kind in self.run.names:
                self.copy_kind(kind, tenant, base.number, number, same=same)
            if self.chance(0.5):
                self.statement()
            self.run.attempt(
                lambda world, _: moved(world, tenant, number, World.flip),
                lambda: self.ran(
                    "UPDATE config_versions SET is_active = (id = %s) WHERE restaurant_id = %s",
                    [id_, tenant.id],
                ),
            )
            if self.chance(0.5):
                self.statement()

    def copy_kind(self, kind: str, tenant: Tenant, source: int, to: int, *, same: bool) -> None:
        """All settings of one kind into another version, with the same ids or with new ones."""
        key = self.world.keys[kind]
        columns = [*kinds()[kind].column_names, *(["id"] if same else [])]
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        query = sql.SQL(
            "INSERT INTO {kind} (restaurant_id, version_id, {listed}) SELECT restaurant_id, %s, {listed}"
            " FROM {kind} WHERE version_id = %s RETURNING id::text, {key}"
        ).format(kind=sql.Identifier(kind), listed=listed, key=sql.Identifier(key))
        versions = self.world.tenants[tenant.id].versions
        ids = [versions[to].id, versions[source].id]

        def predict(world: World, found: dict[str, str] | None) -> dict[str, str]:
            one = world.tenants[tenant.id]
            # An unfinished statement of this very transaction may have changed the source.
            copied = {row[key]: id_ for id_, row in one.versions[source].rows(kind).items()}
            new = copied if same or found is None else found
            assert set(new) == set(copied)
            for name, id_ in copied.items():
                world.insert(kind, one.id, ids[0], new[name], one.versions[source].rows(kind)[id_])
            return new

        def execute() -> dict[str, str]:
            rows = self.run.execute(query, ids).fetchall()
            return {name: id_ for id_, name in rows}

        self.run.attempt(predict, execute)

    def note(self) -> None:
        """The application's own log, which is not rowform's."""
        version = self.any_version(self.tenant())
        if version is not None:
            self.run.execute(
                "INSERT INTO config_changes (version_id, table_name, operation, new_data, reason)"
                " VALUES (%s, %s, 'INSERT', '{}', 'WebSocket operation')",
                [version.id, self.kind()],
            )

    # --- rowform ----------------------------------------------------------------------------------

    def apply(self) -> None:
        """A plan, and at once its apply."""
        tenant = self.tenant()
        plan, wanted = self.plan(tenant)
        self.finish(tenant, plan, wanted, stale=False)

    def stale_apply(self) -> None:
        """Somebody writes between the plan and its apply."""
        tenant = self.tenant()
        plan, wanted = self.plan(tenant)
        before = (tenant.active.number if tenant.active else None, tenant.newest)
        self.alone()
        tenant = self.world.tenants[tenant.id]
        after = (tenant.active.number if tenant.active else None, tenant.newest)
        # A draft that is not the newest may be filled without anybody's plan going stale.
        self.finish(tenant, plan, wanted, stale=before != after)

    def stage(self) -> None:
        """A plan, and a version of it that is not activated."""
        tenant = self.tenant()
        plan, wanted = self.plan(tenant)
        staged = tenant.staged
        assert (plan.actual.staged and plan.actual.staged.version_number) == (staged and staged.number)
        assert bool(plan.staged_already) == self.same(staged, wanted)
        self.finish(tenant, plan, wanted, stale=False, manner=Manner(stages=True))

    def go_to(self) -> None:
        """`activate`, of a staged version if there is one."""
        tenant = self.tenant()
        version = tenant.staged if self.chance(0.7) else None
        version = version or self.any_version(tenant)
        if version is not None and not version.active:
            self.flip(tenant, version.number, None, lambda: self.world.go_to(tenant, version))

    def go_back(self) -> None:
        """`rollback`."""
        tenant = self.tenant()
        stands = standing(self.run.session, tenant.id)
        back = tenant.back
        expected = None if back is None else tenant.steps[back].number
        assert (stands.back and stands.back.number) == expected
        if tenant.active is not None and expected is not None:
            self.flip(tenant, expected, stands.back_step, lambda: self.world.go_back(tenant))

    def flip(self, tenant: Tenant, number: int, back_to: int | None, predict: Callable[[], None]) -> None:
        """Another version becomes the active one, by rowform."""
        self.world.transaction += 1
        self.run.log.append(f"-- rowform switches {tenant.id} to {number}, back to step {back_to}")
        target = standing(self.run.session, tenant.id, number).wanted
        assert target is not None

        def do() -> None:
            switch(self.run.session, tenant.id, Switch(target, back_to), Why(), lambda: self.run.session)

        if tenant.active and tenant.active.locked:
            with pytest.raises(LockedVersion):
                do()
            return
        do()
        predict()

    def plan(self, tenant: Tenant) -> tuple[RestaurantPlan, dict[str, dict[str, tuple[str | None, Row]]]]:
        """A plan for settings drawn at random, and these: by kind and key, the id if it is known, the row."""
        wanted: dict[str, dict[str, tuple[str | None, Row]]] = {}
        entries = []
        for kind in self.run.names:
            there = content_by_key(tenant.active, kind, self.world.keys[kind])
            wanted[kind] = {}
            for name in NAMES:
                row, given = self.row(kind, name)
                if name in there and self.chance(0.6):
                    id_, row = there[name]
                    given = list(row)
                elif name in there and self.chance(0.7):
                    id_ = there[name][0]
                elif self.chance(0.4):
                    id_ = None
                else:
                    continue
                wanted[kind][name] = id_ or (there[name][0] if name in there else None), row
                values = {field: row[field] for field in given if field != self.world.keys[kind]}
                entries.append(setting(kind, name, **values))
            self.rename(kind, there, wanted[kind], entries)
        if tenant.active is None and not entries:
            kind = self.run.names[0]
            row, given = self.row(kind, NAMES[0])
            wanted[kind][NAMES[0]] = None, row
            entries.append(setting(kind, NAMES[0], **{field: row[field] for field in given[1:]}))
        restaurant = Restaurant(
            tenant.id, tenant.id, tenant.id, "Asia/Tokyo", content(*entries, managed=self.run.names), "here"
        )
        found = snapshot(self.run.session, {tenant.id: restaurant.content})
        (plan,) = make_plan(
            [restaurant],
            lambda one: found[one.id],
            kinds(),
            Thresholds(),
            database_id=self.run.session.database_id,
            target=None,
            source={},
        ).restaurants
        return plan, wanted

    def rename(self, kind: str, there: dict[str, tuple[str, Row]], wanted: Any, entries: list[Any]) -> None:
        """At times an entry that is new says that it was one that goes."""
        gone = [name for name in there if name not in wanted]
        new = [one for one in entries if one.kind == kind and one.key not in there]
        if gone and new and self.chance(0.5):
            entry, was = self.random.choice(new), self.random.choice(gone)
            row = wanted[entry.key][1]
            wanted[entry.key] = there[was][0], row
            entries[entries.index(entry)] = setting(
                kind,
                entry.key,
                previously=[was],
                **{name: value for name, value in row.items() if name != self.world.keys[kind]},
            )

    def finish(
        self, tenant: Tenant, plan: RestaurantPlan, wanted: Any, *, stale: bool, manner: Manner = AT_ONCE
    ) -> None:
        """Apply a plan, and compare."""
        if not plan.has_changes:
            assert stale or self.same(tenant.active, wanted)
            return
        self.world.transaction += 1
        origin = Origin("Generated", None, {"kind": "generated", "digest": digest(plan.target)}, {})

        def do() -> int:
            made = apply_plan(self.run.session, plan, origin, lambda: self.run.session, manner)
            assert made.is_staged is manner.stages
            return made.version_number

        if stale:
            with pytest.raises(StalePlan):
                do()
            return
        if tenant.active and tenant.active.locked:
            with pytest.raises(LockedVersion):
                do()
            return
        assert not self.same(tenant.active, wanted)
        number = do()
        assert number == tenant.newest + 1
        learnt = self.ids_learnt(tenant, number, wanted)
        self.world.applied(tenant, learnt, "Generated", staged=manner.stages)
        self.run.learn()

    def same(self, version: Version | None, wanted: Any) -> bool:
        return version is not None and all(
            {name: row for name, (_, row) in content_by_key(version, kind, self.world.keys[kind]).items()}
            == {name: row for name, (_, row) in entries.items()}
            for kind, entries in wanted.items()
        )

    def ids_learnt(self, tenant: Tenant, number: int, wanted: Any) -> Content:
        """What has been applied, with the ids that new settings were given."""
        found: dict[str, dict[str, Row]] = {}
        for kind, entries in wanted.items():
            key = self.world.keys[kind]
            rows = self.run.execute(
                sql.SQL(
                    "SELECT s.{}, s.id::text FROM {} AS s JOIN config_versions AS v ON v.id = s.version_id"
                    " WHERE v.restaurant_id = %s AND v.version_number = %s"
                ).format(sql.Identifier(key), sql.Identifier(kind)),
                (tenant.id, number),
            ).fetchall()
            ids = dict(rows)
            assert len(rows) == len(set(ids.values())) == len(entries)
            assert all(id_ in (None, ids[name]) for name, (id_, _) in entries.items())
            found[kind] = {ids[name]: row for name, (_, row) in entries.items()}
        return found

    # --- what to write to, and what -----------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def tenant(self) -> Tenant:
        """Mostly the first one; all have to stay apart."""
        first, second = self.world.tenants.values()
        return first if self.chance(0.8) else second

    def kind(self) -> str:
        return self.random.choice(self.run.names)

    def any_version(self, tenant: Tenant) -> Version | None:
        return self.random.choice(list(tenant.versions.values())) if tenant.versions else None

    def draft(self, tenant: Tenant) -> Version | None:
        drafts = [version for version in tenant.versions.values() if version.draft]
        return self.random.choice(drafts) if drafts else None

    def version(self, tenant: Tenant) -> Version | None:
        """A version to write to: the active one, an older one that still means it, a draft, or any."""
        stale = [one for one in tenant.versions.values() if tenant.superseded_directly(one)]
        found = [
            tenant.active,
            self.random.choice(stale) if stale else None,
            self.draft(tenant),
            self.any_version(tenant),
        ]
        return self.random.choices(found, [50, 20, 20, 10])[0] or self.any_version(tenant)

    def former(self, tenant: Tenant, kind: str) -> str:
        """The id of a setting that is or was there."""
        ids = sorted({id_ for version in tenant.versions.values() for id_ in version.rows(kind)})
        return self.random.choice(ids) if ids else str(UUID(int=self.random.getrandbits(128)))

    def row(self, kind: str, name: str | None = None) -> tuple[Row, list[str]]:
        """A whole setting, and the columns that its writer gives."""
        key = self.world.keys[kind]
        required = {"model_type": "genetic"} if kind == "ml_model_configs" else {}
        chosen = {column: self.random.choice(values) for column, values in VALUES[kind].items()}
        chosen = {column: value for column, value in chosen.items() if self.chance(0.5)}
        given = {key: name or self.random.choice(NAMES), **required, **chosen}
        return {**kinds()[kind].defaults, **given}, list(given)

    def assignment(self, kind: str) -> tuple[str, Any]:
        name = self.random.choice(list(VALUES[kind]))
        return name, self.random.choice(VALUES[kind][name])

    # --- execution --------------------------------------------------------------------------------

    def one(self, query: sql.Composed, parameters: list[Any]) -> str:
        ((value,),) = self.run.execute(query, parameters).fetchall()
        return value

    def count(self, query: sql.Composed | str, parameters: list[Any]) -> int:
        return self.run.execute(query, parameters).rowcount  # type: ignore[arg-type]

    def ran(self, query: str, parameters: list[Any]) -> bool:
        self.run.execute(query, parameters)  # type: ignore[arg-type]
        return True


def adapted(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value


def moved(world: World, tenant: Tenant, number: int, move: Callable[[World, Tenant, Version], None]) -> bool:
    one = world.tenants[tenant.id]
    move(world, one, one.versions[number])
    return True


def play(databases: Databases, template: str, seeds: list[int], part: int = 0) -> None:
    """One sequence, on a database of its own. The seed nought does nothing."""
    url = databases.create(template)
    session = open_session(url, kinds())
    run = Run(session, tuple(Random(seeds[0] + part).sample(sorted(VALUES), k=2)))
    try:
        for number, slug in enumerate(("sakura", "momiji"), start=1):
            run.restaurant(str(UUID(int=number)), slug)
        for step, seed in enumerate(seeds):
            if seed:
                # A seed that comes twice is not to choose the same ids twice.
                run.log.append(f"-- {part}/{step}/{seed}")
                Writer(run, f"{part}/{step}/{seed}").step()
                run.check()
    except BaseException:
        note("\n".join(run.log))
        raise
    finally:
        session.connection.close()
        databases.drop(url)


# In parts, so that they can run side by side.
@pytest.mark.parametrize("part", range(PARTS))
def test_every_version_stays_as_it_was_and_the_audit_leads_to_the_active_one(
    databases: Databases, template: str, part: int
) -> None:
    @settings(
        max_examples=SEQUENCES // PARTS,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(st.integers(0, 2**32 - 1), min_size=STEPS, max_size=STEPS))
    def sequences(seeds: list[int]) -> None:
        play(databases, template, seeds, part)

    sequences()
