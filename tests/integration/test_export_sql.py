"""``rowform export --format sql``: a version back in tables as the application made them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from rowform.kinds import kinds
from rowform.store.exporting import insert_statements
from rowform.store.session import open_session
from tests.support.project import MOMIJI, SAKURA, Project

SEED = (Path(__file__).parents[1] / "fixtures" / "seed-database.sql").read_text("utf-8")
#: The application's tables without rows.
DDL = SEED[: SEED.index("INSERT INTO restaurants")]
TABLES = ("restaurants", "config_versions", *kinds())
SETTINGS = r"""
staff_groups:
  - name: "O'Neil \\ \"quoted\" $$ %s %I :x; DROP TABLE staff_groups; -- 料理長"
    description: "two\nlines\tand a tab \\n"
    color: "#3B82F6"
    group_config: {members: ["it's", "\\", "<b>"], "key 'x'": null, big: 9007199254740991, small: 1.5e-300}
  - name: none
    description: null
    group_config: null
daily_limits:
  - name: weights
    penalty_weight: 0.1
    is_hard_constraint: null
    effective_from: 2026-04-01
    effective_until: 2026-12-31
  - {name: paused, is_active: false, penalty_weight: 12345678901234}
priority_rules:
  - {name: rule, priority_level: 3, rule_definition: {a: {b: [1, true, "1", null, []]}}}
ml_model_configs:
  - {model_name: m, model_type: t, confidence_threshold: 0.123456789, is_default: true}
"""


@pytest.fixture
def plain(databases: Any) -> Iterator[str]:
    """The URL of a database with the seed's tables and nothing in them."""
    url = databases.create()
    run(url, DDL)
    yield url
    databases.drop(url)


def run(url: str, script: str, *options: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for option in options:
            connection.execute(option)  # type: ignore[call-overload]  # the tests' own text
        connection.execute(script)  # type: ignore[call-overload]  # as above


def rows(url: str, table: str, restaurant: str = SAKURA) -> list[dict[str, Any]]:
    """A table's rows of a restaurant, of the newest version alone, as text."""
    kind = kinds().get(table)
    names = kind.table_columns if kind else _OWN[table]
    texts = sql.SQL(", ").join(sql.SQL("{0}::text").format(sql.Identifier(name)) for name in names)
    owner = sql.Identifier("id" if table == "restaurants" else "restaurant_id")
    newest = sql.SQL("")
    if table != "restaurants":
        column = sql.Identifier("id" if table == "config_versions" else "version_id")
        newest = sql.SQL(
            " AND {} = (SELECT id FROM config_versions WHERE restaurant_id = {}"
            " ORDER BY version_number DESC LIMIT 1)"
        ).format(column, restaurant)
    query = sql.SQL("SELECT {} FROM {} WHERE {} = {}{} ORDER BY 1").format(
        texts, sql.Identifier(table), owner, restaurant, newest
    )
    with psycopg.connect(url) as connection, connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        return cursor.execute(query).fetchall()


_OWN = {
    "restaurants": ("id", "name", "slug", "timezone", "is_active", "created_at"),
    "config_versions": (
        "id", "restaurant_id", "version_number", "name", "description",
        "created_by", "created_at", "is_active", "is_locked",
    ),
}  # fmt: skip


def filled(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/a.yaml": SETTINGS})
    project.apply("--message", "It's \\ 1\n-- 料")
    project.write({"sakura/b.yaml": "monthly_limits:\n  - {name: late, penalty_weight: 1.10}\n"})
    project.apply()


def test_the_applications_tables_get_every_row_as_it_was(
    project: Project, plain: str, tmp_path: Path
) -> None:
    filled(project)
    script = project.ok("export", "--format", "sql").out
    assert script == project.ok("export", "2", "--format", "sql").out
    # Neither does it matter how the session that runs it is set up.
    run(plain, script, "SET standard_conforming_strings = off", "SET DateStyle = 'SQL, DMY'")
    for table in TABLES:
        assert rows(plain, table) == rows(project.url, table), table
    there = Project(tmp_path, plain)
    there.ok("db", "upgrade", "--keep-inactive", "--auto-approve")
    assert "No changes." in there.ok("plan").out
    assert there.ok("export", "--format", "sql").out == script


def test_no_text_gets_out_of_its_quotes(project: Project, plain: str) -> None:
    chance = random.Random(1)
    texts = [
        "".join(chance.choices("'\"\\$%;:-/*?&{}[]()E\n\t é料😀", k=chance.randint(1, 12)))
        for _ in range(300)
    ]
    groups = [
        {"name": f"{number} {text}", "description": text, "group_config": {text: [text, {text: text}]}}
        for number, text in enumerate(texts)
    ]
    project.restaurant()
    project.write({"sakura/a.yaml": f"staff_groups: {json.dumps(groups, ensure_ascii=False)}\n"})
    project.apply("--message", texts[0] + "x")
    run(plain, project.ok("export", "--format", "sql").out)
    for table in TABLES:
        assert rows(plain, table) == rows(project.url, table), table
    assert len(rows(plain, "staff_groups")) == len(texts)


@pytest.mark.parametrize("style", ["SQL, DMY", "German, DMY", "Postgres, MDY"])
def test_it_does_not_depend_on_the_exporting_session(project: Project, style: str) -> None:
    filled(project)
    restaurant, version = SAKURA, project.value("SELECT id::text FROM config_versions WHERE is_active")
    session = open_session(project.url, kinds())
    with session.connection as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        found = insert_statements(session, restaurant, version)
        connection.execute(sql.SQL("SET DateStyle = {}").format(style))
        connection.execute("SET standard_conforming_strings = off")
        assert insert_statements(session, restaurant, version) == found


def test_a_locked_version_stays_locked(project: Project, plain: str) -> None:
    filled(project)
    project.ok("lock", "2", "--reason", "done")
    run(plain, project.ok("export", "2", "--format", "sql").out)
    (version,) = rows(plain, "config_versions")
    assert (version["is_active"], version["is_locked"]) == ("true", "true")


def test_a_version_that_is_not_active_is_not_made_so(project: Project, plain: str) -> None:
    filled(project)
    run(plain, project.ok("export", "1", "--format", "sql").out)
    assert rows(plain, "config_versions")[0]["is_active"] == "false"
    assert rows(plain, "monthly_limits") == []
    assert len(rows(plain, "daily_limits")) == 2
    # A setting has one id in all versions, and in tables without versions an id can be there once.
    with pytest.raises(psycopg.errors.UniqueViolation):
        run(plain, project.ok("export", "2", "--format", "sql").out)
    assert len(rows(plain, "config_versions")) == 1


def test_an_adopted_database_takes_it_as_one_version_and_only_once(project: Project, databases: Any) -> None:
    filled(project)
    script = project.ok("export", "--format", "sql").out
    url = databases.create()
    try:
        run(url, DDL)
        there = Project(project.directory, url)
        there.ok("db", "upgrade", "--auto-approve")
        run(url, script)
        for table in TABLES:
            assert rows(url, table) == rows(project.url, table), table
        assert "No changes." in there.ok("plan").out
        with pytest.raises(psycopg.errors.UniqueViolation):
            run(url, script)
        assert "No changes." in there.ok("plan").out
        assert there.value("SELECT count(*) FROM config_versions") == 1
    finally:
        databases.drop(url)


def test_the_version_that_it_brings_takes_the_place_of_the_active_one(project: Project, plain: str) -> None:
    run(plain, SEED[SEED.index("INSERT INTO restaurants") :])
    filled(project)
    run(plain, project.ok("export", "--format", "sql").out)
    with psycopg.connect(plain) as connection:
        active = connection.execute("SELECT version_number FROM config_versions WHERE is_active").fetchall()
    assert active == [(2,)]
    assert rows(plain, "restaurants", MOMIJI)[0]["name"] == "Momiji"


def test_columns_of_the_applications_own_are_named(project: Project) -> None:
    filled(project)
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("ALTER TABLE rowform.staff_groups ADD COLUMN notes text")
    result = project.ok("export", "--format", "sql")
    assert result.err == "staff_groups: columns of the application's own are left out: notes\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["config"], "the files have neither ids nor versions"),
        (["--rows"], "only localstorage comes in several shapes"),
        (["--like", "a.json"], "only localstorage comes in several shapes"),
        (["7"], "there is no version 7"),
        (["-r", "nope"], 'there is no restaurant "nope"'),
    ],
)
def test_wrong_usage(project: Project, arguments: list[str], message: str) -> None:
    filled(project)
    result = project.run("export", "--format", "sql", *arguments)
    assert (result.code, result.out) == (1, "")
    assert message in result.err
