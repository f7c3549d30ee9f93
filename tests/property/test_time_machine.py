"""Random sequences of what people do with versions, by the commands themselves, against a model.

The model is a list of contents and a stack of activations. After each step the content of every version ever
made reads back unchanged, exactly one version is active, and the audit, replayed from version 1, leads to
the active content.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from rowform.files import read_config
from rowform.kinds import kinds
from rowform.load import load
from tests.support.database import Databases
from tests.support.project import Project

SEQUENCES, STEPS, PARTS = 200, 12, 2
NAMES = ("Kitchen", "Floor", "料理", "Weekend", "off")
KINDS = ("staff_groups", "daily_limits")
#: What steps set: kind, column, values. Some are what YAML 1.1 would read as something else.
VALUES: dict[str, dict[str, list[Any]]] = {
    "staff_groups": {
        "color": [None, "#111111", "#222222"],
        "description": ["", "no", "12:30", "Early & late", "a # b", "'quoted'"],
        "group_config": [
            {},
            {"members": ["岸"]},
            {"members": ["岸", "井関"], "note": {"deep": [1, {"x": None}]}},
        ],
    },
    "daily_limits": {
        "penalty_weight": [1, 1.5, 50],
        "limit_config": [{}, {"maxCount": 3}, {"shiftType": "off", "maxCount": 2, "daysOfWeek": [0, 6]}],
        "effective_from": [None, "2026-04-01"],
        "is_hard_constraint": [True, False],
    },
}
_CONTENTS = " UNION ALL ".join(
    f"SELECT v.version_number, '{kind}', s.name, to_jsonb(s) FROM {kind} AS s"
    " JOIN config_versions AS v ON v.id = s.version_id"
    for kind in KINDS
)
_AUDIT = (
    "SELECT table_name, operation, old_data, new_data FROM config_changes"
    " WHERE table_name <> 'config_versions' ORDER BY seq"
)
FORCED = [word for guard in ("threshold", "drift", "rolled-back") for word in ("--force", guard)]

#: Settings by kind and key.
Content = dict[str, dict[str, dict[str, Any]]]


def whole(kind: str, key: str, **values: Any) -> dict[str, Any]:
    return {**kinds()[kind].defaults, "name": key, **values}


class Machine:
    """The commands' database and directory, and what should be there."""

    def __init__(self, project: Project, seed: str) -> None:
        self.project = project
        self.connection = psycopg.connect(project.url, autocommit=True)
        self.random = Random(seed)
        self.desired: Content = {kind: {} for kind in KINDS}
        self.formerly: dict[tuple[str, str], str] = {}
        self.versions: dict[int, Content] = {}
        self.stamps: dict[tuple[int, str, str], Any] = {}
        #: The active version and those that it leads back to, the first one first.
        self.stack: list[int] = []
        self.locked: set[int] = set()
        self.log: list[str] = []
        project.restaurant(more="manages: [staff_groups, daily_limits]\n")
        self.edit()
        self.write()
        self.expect("apply", "--auto-approve")
        self.made(self.desired, active=True)

    @property
    def live(self) -> Content:
        return self.versions[self.stack[-1]]

    @property
    def is_locked(self) -> bool:
        return self.stack[-1] in self.locked

    def made(self, content: Content, *, active: bool) -> None:
        self.versions[max(self.versions, default=0) + 1] = copy.deepcopy(content)
        if active:
            self.stack.append(max(self.versions))

    def expect(self, *arguments: str, code: int = 0, says: str = "") -> str:
        result = self.project.run(*arguments)
        self.log.append(f"{' '.join(arguments)} -> {result.code}\n{result.out}{result.err}")
        assert result.code == code, result
        assert says in result.out + result.err
        return result.out

    def step(self) -> None:
        steps = [
            self.edit, self.rename, self.apply, self.stage, self.activate,
            self.roll_back, self.lock, self.write_directly, self.pull,
        ]  # fmt: skip
        self.random.choices(steps, [16, 8, 18, 8, 8, 12, 6, 16, 8])[0]()

    # --- files --------------------------------------------------------------------------------------

    def edit(self) -> None:
        """Somebody edits the YAML."""
        for _ in range(self.random.randint(1, 3)):
            kind, key, values = self.any_setting()
            there = self.desired[kind].get(key)
            if there is not None and self.random.random() < 0.3:
                del self.desired[kind][key]
                self.formerly.pop((kind, key), None)
            else:
                self.desired[kind][key] = {**(there or whole(kind, key)), **values}
        self.write()

    def rename(self) -> None:
        """Somebody renames an entry, and says so."""
        kind = self.random.choice(KINDS)
        new = [name for name in NAMES if name not in self.desired[kind]]
        if self.desired[kind] and new:
            was, key = self.random.choice(sorted(self.desired[kind])), self.random.choice(new)
            self.desired[kind][key] = {**self.desired[kind].pop(was), "name": key}
            self.formerly.pop((kind, was), None)
            # One former name leads to one entry.
            self.formerly = {
                place: former for place, former in self.formerly.items() if (place[0], former) != (kind, was)
            }
            self.formerly[kind, key] = was
            self.write()

    def any_setting(self) -> tuple[str, str, dict[str, Any]]:
        kind = self.random.choice(KINDS)
        columns = self.random.sample(sorted(VALUES[kind]), k=self.random.randint(1, 2))
        return (
            kind,
            self.random.choice(NAMES),
            {column: self.random.choice(VALUES[kind][column]) for column in columns},
        )

    def write(self) -> None:
        """The wanted content as files with comments, which a pull has to keep."""
        for kind, entries in self.desired.items():
            lines = [f"# What {kind} are for.", f"{kind}:" if entries else f"{kind}: []"]
            for key, values in entries.items():
                lines.append(f"  - name: {json.dumps(key)}  # the key")
                if (kind, key) in self.formerly:
                    lines.append(f"    previously: [{json.dumps(self.formerly[kind, key])}]")
                for name, value in values.items():
                    if name != "name" and value != kinds()[kind].defaults.get(name):
                        lines.append(f"    {name}: {json.dumps(value, ensure_ascii=False)}")
            self.project.write({f"sakura/{kind}.yaml": "\n".join(lines) + "\n"})

    def read(self) -> Content:
        """What the files say now."""
        files = read_config(self.project.directory / "config")
        loaded = load(files.files, kinds(), folders=files.folders)
        (restaurant,) = loaded.state.restaurants.values()
        assert set(restaurant.content) == set(KINDS)
        return {
            kind: {key: dict(entry.values) for key, entry in entries.items()}
            for kind, entries in restaurant.content.items()
        }

    # --- commands -----------------------------------------------------------------------------------

    def apply(self) -> None:
        changes = self.desired != self.live
        if changes and self.is_locked:
            self.expect("apply", "--auto-approve", *FORCED, code=3, says="locked")
        elif changes:
            self.expect("apply", "--auto-approve", *FORCED, says="Apply complete!")
            self.made(self.desired, active=True)
        else:
            self.expect("apply", "--auto-approve", *FORCED, says="No changes.")

    def stage(self) -> None:
        """Make a version for later."""
        if self.desired == self.live:
            self.expect("apply", "--auto-approve", "--no-activate", *FORCED)
        elif self.is_locked:
            self.expect("apply", "--auto-approve", "--no-activate", *FORCED, code=3, says="locked")
        else:
            newest = max(self.versions)
            again = newest not in self.activated and self.versions[newest] == self.desired
            self.expect("apply", "--auto-approve", "--no-activate", *FORCED)
            if not again:
                self.made(self.desired, active=False)

    @property
    def activated(self) -> set[int]:
        return set(
            self.values(
                "SELECT version_number FROM rowform.activations JOIN config_versions ON id = version_id"
            )
        )

    def activate(self) -> None:
        number = self.random.choice(sorted(self.versions))
        if self.is_locked and number != self.stack[-1]:
            self.expect("activate", str(number), "--auto-approve", code=3, says="locked")
            return
        self.expect("activate", str(number), "--auto-approve")
        if number != self.stack[-1]:
            self.stack.append(number)

    def roll_back(self) -> None:
        if len(self.stack) == 1:
            self.expect("rollback", "--auto-approve", code=1, says="as far back as it goes")
        elif self.is_locked:
            self.expect("rollback", "--auto-approve", code=3, says="locked")
        else:
            self.expect("rollback", "--auto-approve")
            self.stack.pop()

    def lock(self) -> None:
        number = self.stack[-1] if self.random.random() < 0.7 else self.random.choice(sorted(self.versions))
        if number in self.locked:
            self.expect("unlock", str(number))
            self.locked.discard(number)
        else:
            self.expect("lock", str(number), "--reason", "Inventory")
            self.locked.add(number)

    def write_directly(self) -> None:
        """Somebody with psql edits what is active."""
        kind, key, values = self.any_setting()
        content = copy.deepcopy(self.live)
        there = content[kind].get(key)
        if there is not None and self.random.random() < 0.3:
            statement, parameters = f"DELETE FROM {kind} WHERE name = %s", [key]
            del content[kind][key]
        elif there is not None:
            content[kind][key] = {**there, **values}
            sets = ", ".join(f"{name} = %s" for name in values)
            statement, parameters = (
                f"UPDATE {kind} SET {sets} WHERE name = %s",
                [*map(adapted, values.values()), key],
            )
        else:
            content[kind][key] = whole(kind, key, **values)
            names = ", ".join(("name", *values))
            statement = (
                f"INSERT INTO {kind} (restaurant_id, version_id, {names})"
                f" SELECT restaurant_id, id, {', '.join(['%s'] * (len(values) + 1))}"
                " FROM config_versions WHERE is_active"
            )
            parameters = [key, *map(adapted, values.values())]
        self.log.append(f"{statement} {parameters}")
        if self.is_locked:
            # Refused before anybody looks at whether it would change anything.
            with pytest.raises(psycopg.Error, match="locked"):
                self.connection.execute(statement, parameters)  # type: ignore[arg-type]
            return
        self.connection.execute(statement, parameters)  # type: ignore[arg-type]
        if content != self.live:
            self.made(content, active=True)

    def pull(self) -> None:
        """Bring what is live into the YAML."""
        self.expect("pull", *FORCED[:2])
        self.desired = self.read()
        self.formerly = {}
        assert self.desired == self.live
        for kind in KINDS:
            text = (self.project.directory / "config/sakura" / f"{kind}.yaml").read_text("utf-8")
            assert text.startswith(f"# What {kind} are for.\n")
        self.expect("plan", says="No changes.")

    # --- what must hold -----------------------------------------------------------------------------

    def check(self) -> None:
        assert self.values("SELECT version_number FROM config_versions WHERE is_active") == [self.stack[-1]]
        assert set(self.values("SELECT version_number FROM config_versions")) == set(self.versions)
        assert set(self.values("SELECT version_number FROM config_versions WHERE is_locked")) == self.locked
        found: dict[int, Content] = {number: {kind: {} for kind in KINDS} for number in self.versions}
        for number, kind, key, shown in self.rows(_CONTENTS):
            found[number][kind][key] = values_of(kind, shown)
            # Not even an id or a time stamp may have changed.
            assert self.stamps.setdefault((number, kind, key), shown) == shown
        assert found == self.versions
        replayed: dict[tuple[str, str], Any] = {}
        for kind, operation, old, new in self.rows(_AUDIT):
            assert operation == ("INSERT" if old is None else "DELETE" if new is None else "UPDATE")
            if old is not None:
                assert replayed.pop((kind, old["id"])) == values_of(kind, old)
            if new is not None:
                replayed[kind, new["id"]] = values_of(kind, new)
        assert len({(kind, values["name"]) for (kind, _), values in replayed.items()}) == len(replayed)
        assert {(kind, values["name"]): values for (kind, _), values in replayed.items()} == {
            (kind, key): values for kind, entries in self.live.items() for key, values in entries.items()
        }

    def values(self, query: str) -> list[Any]:
        return [value for (value,) in self.rows(query)]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()  # type: ignore[arg-type]


def values_of(kind: str, shown: dict[str, Any]) -> dict[str, Any]:
    return {name: shown[name] for name in kinds()[kind].column_names}


def adapted(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value


# In parts, so that they can run side by side.
@pytest.mark.parametrize("part", range(PARTS))
def test_no_version_ever_changes_and_the_audit_leads_to_the_active_one(
    databases: Databases, template: str, part: int
) -> None:
    @settings(
        max_examples=SEQUENCES // PARTS,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(st.integers(0, 2**32 - 1), min_size=STEPS, max_size=STEPS))
    def sequences(seeds: list[int]) -> None:
        url = databases.create(template)
        with TemporaryDirectory() as directory:
            machine = Machine(Project(Path(directory), url), f"{part}/{seeds[0]}")
            try:
                machine.check()
                for step, seed in enumerate(seeds):
                    if seed:
                        machine.random = Random(f"{part}/{step}/{seed}")
                        machine.step()
                        machine.check()
            except BaseException:
                note("\n".join(machine.log))
                raise
            finally:
                machine.connection.close()
                databases.drop(url)

    sequences()
