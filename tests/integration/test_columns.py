"""Tables of applications whose columns are not quite those of the kinds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from rowform.fit import Complaint, RealColumn, _rule
from rowform.kinds import kinds
from rowform.kinds.base import Column
from rowform.state import canonical, normalise
from rowform.store.ddl import create_view
from rowform.store.read import _numeric
from tests.support.database import Databases
from tests.support.project import MOMIJI, SAKURA, Project

SEED = Path(__file__).parents[1] / "fixtures" / "seed-database.sql"
NO_CHANGES = "No changes. Settings match the configuration."


def alter(project: Project, kind: str, *clauses: str, more: tuple[str, ...] = ()) -> None:
    """Alter a kind's table as its application might have it; ``more`` columns are shown too."""
    one = kinds()[kind]
    view = create_view(one, sql.Identifier("public"), "public", (*one.table_columns, *more), {})
    with psycopg.connect(project.url) as connection:
        connection.execute(f"DROP VIEW {kind}")  # type: ignore[arg-type]
        connection.execute(f"ALTER TABLE rowform.{kind} {', '.join(clauses)}")  # type: ignore[arg-type]
        connection.execute(view)


def problems(project: Project) -> list[str]:
    """What `plan` complains of, without ``config/`` and the last lines."""
    result = project.run("plan")
    assert result.code == 1, result
    assert result.out == ""
    lines = result.err.splitlines()
    assert lines[-1].startswith("Error: ")
    assert "problem" in lines[-1]
    return [line.removeprefix(str(project.directory / "config") + "/") for line in lines[:-1]]


LIMITS = """\
daily_limits:
  - name: Fine
    penalty_weight: 12.50
  - name: Nearly
    penalty_weight: 12.345
  - name: Huge
    penalty_weight: 1000
  - name: Left out
"""


def test_values_that_a_narrow_number_would_round(project: Project) -> None:
    alter(project, "daily_limits", "ALTER penalty_weight TYPE numeric(5,2)")
    project.restaurant()
    project.write({"sakura/all.yaml": LIMITS})
    assert problems(project) == [
        (
            "sakura/all.yaml:5:21: penalty_weight: 12.345 has more than 2 decimals"
            " (the database's column is numeric(5,2))"
        ),
        (
            "sakura/all.yaml:7:21: penalty_weight: 1000 is too large; it must be below 1000"
            " (the database's column is numeric(5,2))"
        ),
    ]
    result = project.run("apply", "--auto-approve", "--format", "json")
    assert result.code == 1
    assert [one["line"] for one in result.json["error"]["problems"]] == [5, 7]
    assert project.value("SELECT count(*) FROM config_versions") == 0

    project.write({"sakura/all.yaml": LIMITS.replace("12.345", "12.34").replace("1000", "999.99")})
    project.apply()
    assert project.ok("plan").out.endswith(f"{NO_CHANGES}\n")
    weights = project.rows("SELECT name, penalty_weight::text AS weight FROM daily_limits ORDER BY name")
    assert {row["name"]: row["weight"] for row in weights} == {
        "Fine": "12.50", "Huge": "999.99", "Left out": "1.00", "Nearly": "12.34",
    }  # fmt: skip


def test_all_that_does_not_fit_at_once(project: Project) -> None:
    alter(
        project,
        "staff_groups",
        "ALTER color TYPE varchar(7)",
        "ALTER description SET NOT NULL",
        "ALTER name TYPE varchar(10)",
    )
    alter(
        project,
        "priority_rules",
        "ALTER priority_level TYPE smallint",
        "ALTER penalty_weight TYPE real",
        "ALTER rule_config SET NOT NULL",
    )
    project.restaurant()
    project.write(
        {
            "sakura/groups.yaml": (
                "staff_groups:\n"
                "  - name: Kitchen\n    color: '#11223344'\n"
                "  - name: Back of the house\n    description: null\n    color: '#112233'\n"
            ),
            "sakura/rules.yaml": (
                "priority_rules:\n"
                "  - name: One\n    priority_level: 40000\n    penalty_weight: 0.123456789\n"
                "    rule_config: null\n"
                "  - name: Two\n    priority_level: 32767\n    penalty_weight: 0.1\n"
            ),
        }
    )
    assert problems(project) == [
        "sakura/groups.yaml:2:5: description: must not be null (the database's column is text NOT NULL)",
        (
            'sakura/groups.yaml:3:12: color: "#11223344" is longer than 7 characters'
            " (the database's column is character varying(7))"
        ),
        (
            'sakura/groups.yaml:4:11: name: "Back of the house" is longer than 10 characters'
            " (the database's column is character varying(10))"
        ),
        "sakura/groups.yaml:5:18: description: must not be null (the database's column is text NOT NULL)",
        (
            "sakura/rules.yaml:3:21: priority_level: 40000 is too large; it must be at most 32767"
            " (the database's column is smallint)"
        ),
        (
            "sakura/rules.yaml:4:21: penalty_weight: 0.123456789 would be read back as 0.12345679"
            " (the database's column is real)"
        ),
        "sakura/rules.yaml:5:18: rule_config: must not be null (the database's column is jsonb NOT NULL)",
    ]


def test_what_several_inherit_is_reported_once(project: Project) -> None:
    alter(project, "daily_limits", "ALTER penalty_weight TYPE numeric(3,2)")
    project.restaurant(more="inherits: [_defaults]\n")
    project.restaurant("momiji", MOMIJI, "inherits: [_defaults]\n")
    project.write({"_defaults/limits.yaml": "daily_limits:\n  - name: Early\n    penalty_weight: 50\n"})
    assert problems(project) == [
        (
            "_defaults/limits.yaml:3:21: penalty_weight: 50 is too large; it must be below 10"
            " (the database's column is numeric(3,2))"
        )
    ]


def test_only_chosen_restaurants_and_kinds_that_are_managed_are_judged(project: Project) -> None:
    alter(project, "daily_limits", "ALTER penalty_weight TYPE numeric(3,2)")
    project.restaurant()
    project.restaurant("momiji", MOMIJI)
    project.write({"sakura/all.yaml": "daily_limits:\n  - name: Early\n    penalty_weight: 50\n"})
    assert project.run("plan").code == 1
    assert "0 to add" in project.ok("plan", "-r", "momiji").out


EVERYTHING = """\
staff_groups:
  - name: Kitchen
    description: ""
    color: "#3B82F6"
  - name: 料理長
    description: "  before"
priority_rules:
  - {name: One, priority_level: 3, penalty_weight: 2, description: 井関}
  - {name: Two, penalty_weight: 0.1}
  - {name: Three, penalty_weight: 1e20, effective_from: 2026-04-01}
daily_limits:
  - {name: A, penalty_weight: 0.30000000000000004}
  - {name: B, penalty_weight: 1e-7}
monthly_limits:
  - {name: A, penalty_weight: 7}
  - {name: B, penalty_weight: null}
ml_model_configs:
  - {model_name: a, model_type: genetic, confidence_threshold: 0.125}
"""


def test_what_fits_reads_back_as_it_was_written(project: Project) -> None:
    alter(
        project,
        "staff_groups",
        "ALTER name TYPE char(12)",
        "ALTER description TYPE char(9)",
        "ALTER color TYPE varchar(7)",
    )
    alter(
        project,
        "priority_rules",
        "ALTER priority_level TYPE numeric(4,1)",
        "ALTER penalty_weight TYPE real",
        "ALTER description TYPE bpchar",
    )
    alter(project, "daily_limits", "ALTER penalty_weight TYPE double precision")
    alter(project, "monthly_limits", "ALTER penalty_weight TYPE bigint")
    alter(
        project,
        "ml_model_configs",
        "ALTER confidence_threshold TYPE numeric(4,3)",
        "ALTER model_type TYPE varchar",
    )
    project.restaurant()
    project.write({"sakura/all.yaml": EVERYTHING})
    project.apply()
    assert project.ok("plan").out.endswith(f"{NO_CHANGES}\n")
    shown = project.ok("show", "--format", "json").json
    (kitchen, chef) = sorted(shown["settings"]["staff_groups"], key=lambda one: one["name"])
    assert (kitchen["name"], kitchen["description"]) == ("Kitchen", "")
    assert (chef["name"], chef["description"]) == ("料理長", "  before")
    assert project.value("SELECT octet_length(name) FROM staff_groups WHERE color IS NOT NULL") == 12

    # A key that comes back is found by its name, padded as it is, and gets its identity back.
    before = project.value("SELECT id FROM staff_groups WHERE name = 'Kitchen' AND color IS NOT NULL")
    project.write({"sakura/all.yaml": EVERYTHING.replace("name: Kitchen", "name: Kitchens")})
    project.apply()
    project.write({"sakura/all.yaml": EVERYTHING})
    project.apply()
    assert project.value(
        "SELECT s.id FROM staff_groups s JOIN config_versions v ON v.id = version_id AND v.is_active"
        " WHERE s.name = 'Kitchen'"
    ) == before  # fmt: skip


def test_a_text_whose_last_blanks_would_be_lost(project: Project) -> None:
    alter(project, "staff_groups", "ALTER description TYPE char(9)")
    project.restaurant()
    project.write({"sakura/all.yaml": 'staff_groups:\n  - name: A\n    description: "after "\n'})
    assert problems(project) == [
        (
            'sakura/all.yaml:3:18: description: "after " ends with a space, which would be lost'
            " (the database's column is character(9))"
        )
    ]


def test_columns_of_another_sort_are_refused(project: Project) -> None:
    alter(project, "daily_limits", "ALTER effective_from TYPE timestamptz")
    project.restaurant()
    result = project.run("plan")
    assert result.code == 1
    assert result.err == (
        "Error: the column daily_limits.effective_from is timestamp with time zone; rowform needs date\n"
        "Hint: it was altered after `rowform db upgrade`; change it back\n"
    )
    alter(
        project,
        "daily_limits",
        "DROP effective_from",
        "ADD effective_from date GENERATED ALWAYS AS (NULL) STORED",
    )
    result = project.run("plan")
    assert "daily_limits.effective_from is computed by the database; rowform needs date" in result.err


# --- columns of the application's own ------------------------------------------------------------

GROUPS = """\
staff_groups:
  - name: Kitchen
    color: "#111111"
  - name: Bar
    color: "#111111"
"""
OWN = ("sort_no", "note", "label", "number", "made_on")


@pytest.fixture
def extended(project: Project) -> Project:
    """A project with two groups in version 1, and columns of the application's own."""
    alter(
        project,
        "staff_groups",
        "ADD sort_no integer NOT NULL DEFAULT 7",
        "ADD note text DEFAULT '100%'",
        "ADD label text GENERATED ALWAYS AS (upper(name)) STORED",
        "ADD number integer GENERATED ALWAYS AS IDENTITY",
        "ADD made_on timestamp DEFAULT now()",
        'ADD "at 100% {}" text',
        more=("sort_no", "note"),
    )
    project.restaurant()
    project.write({"sakura/all.yaml": GROUPS})
    project.apply()
    return project


def own(project: Project, version: int) -> dict[str, tuple[object, ...]]:
    rows = project.rows(
        "SELECT s.* FROM rowform.staff_groups s JOIN config_versions v ON v.restaurant_id = s.restaurant_id"
        " WHERE v.version_number = %s AND since_version <= v.version_number"
        " AND (until_version IS NULL OR until_version > v.version_number)",
        version,
    )
    return {row["name"]: tuple(row[name] for name in OWN) for row in rows}


def test_a_new_setting_gets_the_defaults(extended: Project) -> None:
    found = own(extended, 1)
    assert {name: values[:3] for name, values in found.items()} == {
        "Kitchen": (7, "100%", "KITCHEN"), "Bar": (7, "100%", "BAR"),
    }  # fmt: skip
    assert {values[3] for values in found.values()} == {1, 2}


def test_a_changed_setting_keeps_what_is_in_them(extended: Project) -> None:
    with psycopg.connect(extended.url) as connection:
        connection.execute("UPDATE staff_groups SET sort_no = 3, note = NULL WHERE name = 'Kitchen'")
    before = own(extended, 2)
    assert before["Kitchen"][:3] == (3, None, "KITCHEN")
    text = GROUPS.replace("#111111", "#222222").replace("Bar", "Lounge\n    previously: [Bar]")
    extended.write({"sakura/all.yaml": text + "  - name: Door\n"})
    result = extended.apply()
    assert "1 added, 2 changed, 0 destroyed" in result.out
    after = own(extended, 3)
    assert after["Kitchen"] == before["Kitchen"]
    assert after["Lounge"] == (*before["Bar"][:2], "LOUNGE", *before["Bar"][3:])
    assert after["Door"][:3] == (7, "100%", "DOOR")
    assert extended.ok("plan").out.endswith(f"{NO_CHANGES}\n")
    audit = extended.rows(
        "SELECT old_data ->> 'sort_no' AS old, new_data ->> 'sort_no' AS new FROM config_changes"
        " WHERE operation = 'UPDATE' AND new_data ->> 'name' = 'Kitchen' ORDER BY seq DESC LIMIT 1"
    )
    assert audit == [{"old": "3", "new": "3"}]
    assert "\n2 versions verified" in extended.ok("db", "status", "--verify").out


def test_they_are_as_in_the_active_version_and_not_as_in_a_newer_one(extended: Project) -> None:
    with psycopg.connect(extended.url) as connection:
        connection.execute("UPDATE staff_groups SET sort_no = 9")
        connection.commit()
        connection.execute("UPDATE config_versions SET is_active = false WHERE version_number = 2")
        connection.execute("UPDATE config_versions SET is_active = true WHERE version_number = 1")
    before = own(extended, 1)
    extended.write({"sakura/all.yaml": GROUPS.replace("#111111", "#222222", 1)})
    assert "0 added, 1 changed, 0 destroyed" in extended.apply().out
    assert own(extended, 3) == before
    assert own(extended, 2)["Bar"][0] == 9


def test_a_column_without_a_value_for_what_is_new(extended: Project) -> None:
    alter(extended, "staff_groups", "ALTER sort_no DROP DEFAULT", more=("sort_no",))
    extended.write({"sakura/all.yaml": GROUPS.replace("#111111", "#222222") + "  - name: Door\n"})
    assert problems(extended) == [
        (
            'sakura/all.yaml:6:5: staff group "Door" cannot be created: the database\'s column sort_no needs'
            " a value that rowform does not know (it is integer NOT NULL; give it a default)"
        )
    ]
    extended.write({"sakura/all.yaml": GROUPS.replace("#111111", "#222222")})
    assert "0 added, 2 changed, 0 destroyed" in extended.apply().out

    # A trigger of the application may know one.
    with psycopg.connect(extended.url) as connection:
        connection.execute(
            "CREATE FUNCTION public.number_it() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN NEW.sort_no := coalesce(NEW.sort_no, 5); RETURN NEW; END'"
        )
        connection.execute(
            "CREATE TRIGGER number_it BEFORE INSERT ON rowform.staff_groups"
            " FOR EACH ROW EXECUTE FUNCTION public.number_it()"
        )
    extended.write({"sakura/all.yaml": GROUPS.replace("#111111", "#222222") + "  - name: Door\n"})
    assert "1 added, 0 changed, 0 destroyed" in extended.apply().out
    assert own(extended, 3)["Door"][0] == 5


def test_stamps_without_a_time_zone_are_kept(project: Project) -> None:
    """02:30 is no time of that night in New York, and would become 03:30 on its way through timestamptz."""
    project.restaurant()
    project.write({"sakura/all.yaml": GROUPS})
    alter(
        project,
        "staff_groups",
        "ALTER created_at TYPE timestamp",
        "ALTER created_at SET DEFAULT '2026-03-08 02:30'",
        "ALTER updated_at TYPE timestamp",
    )
    with psycopg.connect(project.url) as connection:
        name = connection.info.dbname
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET timezone = 'America/New_York'").format(sql.Identifier(name))
        )
        connection.execute(
            "INSERT INTO restaurants (id, slug, name) VALUES (%s, 'sakura', 'Sakura')", (SAKURA,)
        )
        connection.execute(
            "INSERT INTO config_versions (restaurant_id, version_number) VALUES (%s, 1)", (SAKURA,)
        )
        connection.execute(
            "INSERT INTO staff_groups (restaurant_id, version_id, name, created_at)"
            " SELECT restaurant_id, id, 'Bar', '2026-03-08 02:30' FROM config_versions"
        )
    assert "1 added, 1 changed, 0 destroyed" in project.apply("--force", "drift").out
    made = project.rows(
        "SELECT name, created_at::text AS made FROM rowform.staff_groups WHERE until_version IS NULL"
    )
    stamps = {row["name"]: row["made"] for row in made}
    assert stamps["Bar"] == "2026-03-08 02:30:00"
    assert stamps["Kitchen"] > "2026-03-09"


# --- an application's database ---------------------------------------------------------------------


def test_an_adopted_database(tmp_path: Path, empty_database: str) -> None:
    project = Project(tmp_path, empty_database)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(SEED.read_bytes())
        connection.execute(
            "ALTER TABLE daily_limits ALTER penalty_weight TYPE numeric(5,2);"
            " ALTER TABLE staff_groups ALTER color TYPE varchar(7), ALTER description SET DEFAULT '',"
            " ADD sort_no integer DEFAULT 4, ADD label text GENERATED ALWAYS AS (upper(name)) STORED;"
            " UPDATE staff_groups SET sort_no = 2, description = ''"
        )
    project.ok("db", "upgrade", "--auto-approve")
    (group, *_) = project.rows("SELECT name, color FROM staff_groups ORDER BY name")
    project.restaurant(more="manages: [staff_groups, daily_limits]\n")
    wrong = (
        f"staff_groups:\n  - name: {group['name']}\n    color: '#11223344'\n    description: 料理\n"
        "daily_limits:\n  - {name: A, penalty_weight: 1.234}\n"
    )
    project.write({"sakura/all.yaml": wrong})
    assert [one.split(" (")[0] for one in problems(project)] == [
        'sakura/all.yaml:3:12: color: "#11223344" is longer than 7 characters',
        "sakura/all.yaml:6:31: penalty_weight: 1.234 has more than 2 decimals",
    ]
    project.write({"sakura/all.yaml": wrong.replace("44'", "'").replace("1.234", "1.23")})
    project.apply("--force", "threshold")
    assert project.ok("plan").out.endswith(f"{NO_CHANGES}\n")
    assert project.rows(
        "SELECT g.color, g.sort_no, g.label FROM staff_groups g"
        " JOIN config_versions v ON v.id = g.version_id AND v.is_active"
    ) == [{"color": "#112233", "sort_no": 2, "label": group["name"].upper()}]
    found = project.ok("db", "status", "--verify", "--format", "json").json["verification"]
    assert found == {"checked": 1, "unrecorded": 1, "differing": []}


# --- the verdicts are PostgreSQL's ---------------------------------------------------------------

NUMBERS = (
    0, 1, -1, 9, 10, 99, 100, 999, 1000, -1000, 32767, 32768, -32768, -32769, 2**31 - 1, 2**31, -(2**31),
    2**53 - 1, 16777216, 16777217, 0.5, 0.1, 0.25, 0.001, 0.005, 0.0049, 99.99, 99.995, 99.994, 999.999, 1e-7,
    1e20, 1e22, 3.4028235e38, 3.5e38, 1e39, 1e300, 1e-45, 1e-46, 1e-300, 0.30000000000000004, 2.0**-20, 1 / 3,
)  # fmt: skip
NUMBER_TYPES = (
    "numeric(5,2)", "numeric(3,0)", "numeric(3)", "numeric(2,4)", "numeric(3,-2)", "numeric(1000,1000)",
    "smallint", "integer", "bigint", "real", "double precision", "numeric",
)  # fmt: skip
TEXTS = (
    "",
    " ",
    "a",
    "a ",
    " a",
    "abcdefg",
    "abcdefgh",
    "abcdefg ",
    "料理長料理長料",
    "料理長料理長料理",
    "\t",
)
TEXT_TYPES = ("varchar(7)", "varchar", "char(7)", "char", "bpchar", "text")


@pytest.fixture(scope="module")
def probe(databases: Databases, template: str) -> Iterator[psycopg.Connection]:
    """A connection to a database that is used up by probes."""
    url = databases.create(template)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
    databases.drop(url)


@contextmanager
def column(probe: psycopg.Connection, declared: str, type_: str) -> Iterator[Complaint | None]:
    """A table ``probe`` with a column of a type; yields the rule that a kind's column has for it."""
    probe.execute(f"CREATE TEMPORARY TABLE probe (value {type_})")  # type: ignore[arg-type]
    row = probe.execute(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'probe'::regclass AND attname = 'value'"
    ).fetchone()
    assert row is not None
    wanted = Column("value", declared, nullable=True, required=False, default=None)
    try:
        yield _rule(wanted, RealColumn("value", row[0], False, False, True))
    finally:
        probe.execute("DROP TABLE probe")


def is_kept(probe: psycopg.Connection, declared: str, value: object) -> bool:
    """Whether PostgreSQL gives the value back as it was."""
    insert = f"INSERT INTO probe SELECT value FROM jsonb_to_recordset(%s) AS x (value {declared})"
    probe.execute("TRUNCATE probe")
    try:
        probe.execute(insert, (json.dumps([{"value": value}]),))  # type: ignore[arg-type]
    except psycopg.DataError:
        return False
    row = probe.execute("SELECT value::text FROM probe").fetchone()
    assert row is not None
    return canonical({"": _numeric(row[0]) if declared != "text" else row[0]}) == canonical(
        {"": normalise(value)}
    )


@pytest.mark.parametrize(
    ("declared", "type_", "values"),
    [
        *(("numeric", type_, NUMBERS) for type_ in NUMBER_TYPES),
        *(("integer", type_, [one for one in NUMBERS if isinstance(one, int) and -(2**31) <= one < 2**31])
          for type_ in NUMBER_TYPES),
        *(("text", type_, TEXTS) for type_ in TEXT_TYPES),
    ],
)  # fmt: skip
def test_the_check_knows_what_the_database_keeps(
    probe: psycopg.Connection, declared: str, type_: str, values: Sequence[object]
) -> None:
    with column(probe, declared, type_) as rule:
        for value in values:
            assert (rule is None or rule(value) is None) == is_kept(probe, declared, value), value


@pytest.mark.parametrize("type_", ["real", "double precision", "numeric(5,2)", "numeric(30,15)", "smallint"])
def test_it_knows_so_of_any_number(probe: psycopg.Connection, type_: str) -> None:
    def of_width(width: Any) -> st.SearchStrategy[float]:
        return st.floats(allow_nan=False, allow_infinity=False, width=width)

    powers = st.integers(-149, 127).map(lambda exponent: 2.0**exponent)
    shortened = st.tuples(st.one_of(powers, of_width(32)), st.integers(1, 9)).map(
        lambda one: float(f"{one[0]:.{one[1]}g}")
    )
    with column(probe, "numeric", type_) as rule:

        @settings(max_examples=300)
        @given(st.one_of(of_width(64), of_width(32), shortened, st.integers(-(2**53) + 1, 2**53 - 1)))
        def check(value: float) -> None:
            written = normalise(value)
            assert (rule is None or rule(written) is None) == is_kept(probe, "numeric", written)

        check()
