"""What the README shows is what happens: its sessions, examples, generated parts and links."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rowform.config import read_tool_config
from rowform.load import SourceFile
from rowform.location import Severity
from tests.docs.generate import PICTURE, README, ROOT, picture, sessions
from tests.docs.reference import filled
from tests.docs.svg import svg
from tests.docs.transcript import same, shortened, steps
from tests.support.project import SAKURA

PAGES = [README, ROOT / "CHANGELOG.md", ROOT / ".github" / "CONTRIBUTING.md"]
needs_shell = pytest.mark.skipif(
    sys.platform == "win32" or not all(map(shutil.which, ("bash", "git", "make"))),
    reason="the sessions need bash, git and make",
)


@pytest.fixture
def page() -> str:
    return README.read_text("utf-8")


def block(page: str, language: str, containing: str) -> str:
    """The text of the one fenced block that contains something."""
    fence = re.compile(rf"^( *)```{language}\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
    (found,) = (text for _, text in fence.findall(page) if containing in text)
    return found


@needs_shell
def test_the_sessions_show_what_really_happens(page: str) -> None:
    for step, real in sessions(page):
        if step.output is None:
            assert real == "", step.command
        elif not same(step.output, real):
            pytest.fail(f"$ {step.command}\nshows\n{step.output}\nbut `make docs` would write\n{real}")


@needs_shell
def test_the_picture_is_current() -> None:
    assert PICTURE.read_text("utf-8") == picture(), "run `make docs`"


def test_the_generated_parts_are_current(page: str) -> None:
    assert page == filled(page), "run `make docs`"
    assert page.count("<!-- generated: ") == 4


def test_the_kind_of_your_own_works(page: str, tmp_path: Path, empty_database: str) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "config" / "sakura" / "weekly.yaml").write_text(block(page, "yaml", "weekly_limits"), "utf-8")
    package = tmp_path / "installed"
    information = package / "weekly-1.0.dist-info"
    information.mkdir(parents=True)
    (package / "weekly.py").write_text(block(page, "python", "WeeklyLimit"), "utf-8")
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: weekly\nVersion: 1.0\n", "utf-8")
    table, _, entry = block(page, "toml", "weekly_limits").partition("\n")
    group = re.fullmatch(r'\[project\.entry-points\."(.+)"\]', table)
    assert group
    entry = entry.replace('"', "")
    (information / "entry_points.txt").write_text(f"[{group[1]}]\n{entry}", "utf-8")
    path = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])

    def rowform(*arguments: str) -> str:
        result = subprocess.run(
            [sys.executable, "-m", "rowform", "--database-url", empty_database, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert rowform("validate").endswith(" no problems.\n")
    rowform("db", "upgrade", "--auto-approve")
    rowform("apply", "--auto-approve")
    rowform("schema")
    with psycopg.connect(empty_database) as connection:
        rows = connection.execute("SELECT restaurant_id::text, name, limit_config FROM weekly_limits")
        assert rows.fetchall() == [(SAKURA, "Forty hours", {"maxHours": 40})]
    assert "weekly_limits" in (tmp_path / "schemas" / "settings.schema.json").read_text("utf-8")


def test_the_grants_let_an_application_read_its_own_and_nothing_else(page: str, database: str) -> None:
    role = f"app_{conninfo_to_dict(database)['dbname']}"
    grants = block(page, "sql", "grant select on restaurants").replace(" to app;", f" to {role};")
    grants = grants.replace("'app'", f"'{role}'")
    assert grants.count(role) == 3
    with psycopg.connect(database, autocommit=True, options="-c search_path=public") as owner:
        owner.execute(f"CREATE ROLE {role}")  # type: ignore[arg-type]  # a name of our own
        try:
            for slug in ("sakura", "momiji"):
                owner.execute("INSERT INTO restaurants (name, slug) VALUES (%s, %s)", (slug, slug))
            owner.execute(
                "INSERT INTO config_versions (restaurant_id, version_number, is_active)"
                " SELECT id, 1, false FROM restaurants"
            )
            owner.execute(
                "INSERT INTO staff_groups (restaurant_id, version_id, name)"
                " SELECT restaurant_id, id, 'Kitchen' FROM config_versions"
            )
            owner.execute(grants)  # type: ignore[arg-type]  # the README's
            with psycopg.connect(make_conninfo(database), autocommit=True) as application:
                application.execute(f"SET SESSION AUTHORIZATION {role}; SET search_path = public")  # type: ignore[arg-type]
                for table in re.findall(r"(?<!\.)\b(?:staff|daily|monthly|priority|ml)_\w+", grants):
                    assert len(application.execute(f"SELECT * FROM {table}").fetchall()) == (  # type: ignore[arg-type]
                        table == "staff_groups"
                    )
                assert application.execute("SELECT slug FROM restaurants").fetchall() == [("sakura",)]
                for refused in ("DELETE FROM staff_groups", "SELECT * FROM config_changes"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        application.execute(refused)
        finally:
            owner.execute(f"DROP OWNED BY {role}")  # type: ignore[arg-type]
            owner.execute(f"DROP ROLE {role}")  # type: ignore[arg-type]


def test_the_target_can_be_read(page: str) -> None:
    text = block(page, "yaml", "targets:")
    tool, problems = read_tool_config(SourceFile("rowform.yaml", "config/rowform.yaml", text.encode()))
    assert not problems.sorted(Severity.ERROR)
    assert tool.targets == {"production": "PRODUCTION_DATABASE_URL"}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_links_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", file.read_text("utf-8")):
        if not re.match(r"https?://|#", target):
            assert (file.parent / target.partition("#")[0]).exists(), target


class TestTranscript:
    PAGE = "Look:\n\n```console\n$ one\n1\n$ echo '\n> two'\n```\n\n```diff\n+++ a.yaml\n-x\n+y\n```\n"

    def test_steps(self) -> None:
        one, two, edit = steps(self.PAGE)
        assert (one.command, one.output) == ("one\n", "1\n")
        assert (two.command, two.output) == ("echo '\ntwo'\n", "")
        assert edit.output is None
        assert self.PAGE[one.start : one.end] == "1\n"

    @pytest.mark.parametrize(
        ("shown", "real"),
        [
            ("a\n", "a\n"),
            ("a\n…\nd\n", "a\nb\nc\nd\n"),
            ("…\nd\n", "b\nd\n"),
            ("at 2026-01-01 00:00:00\n", "at 2026-12-31 23:59:59\n"),
            ("commit 0123abc\n", "commit fedcba9\n"),
        ],
    )
    def test_same(self, shown: str, real: str) -> None:
        assert same(shown, real)

    @pytest.mark.parametrize(
        ("shown", "real"),
        [("a\n", "b\n"), ("a\n", "a\nb\n"), ("a\n…\nd\n", "a\nb\n"), ("…\nd\n", "b\ndd\n"), ("", "error\n")],
    )
    def test_not_same(self, shown: str, real: str) -> None:
        assert not same(shown, real)

    def test_shortened(self) -> None:
        assert shortened("a\n…\nx\ny\n", "1\n2\n3\n4\n5\n") == "1\n…\n4\n5\n"
        assert shortened("a\n", "1\n2\n") == "1\n2\n"


class TestSvg:
    def test_colours_and_wide_characters(self) -> None:
        root = ET.fromstring(svg("\x1b[32m+\x1b[0m <高野>\n\nend\n", "Title & more"))
        space = {"s": "http://www.w3.org/2000/svg"}
        assert root.findtext("s:title", namespaces=space) == "Title & more"
        spans = [(span.get("x"), span.get("class"), span.text) for span in root.iterfind(".//s:tspan", space)]
        assert spans == [
            ("20", "g", "+"),
            ("36.8", None, "<"),
            ("45.2", None, "高野"),
            ("78.8", None, ">"),
            ("20", None, "end"),
        ]
