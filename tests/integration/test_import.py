"""``rowform import`` as a person uses it."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.support.browsers import sample
from tests.support.project import Project, Result


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A directory without anything; the database is never asked."""
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, "postgresql://nowhere.invalid/none")


def put(project: Project, value: Any, name: str = "a.json") -> str:
    file = project.directory / name
    file.write_bytes(value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode())
    return str(file)


def text(project: Project, name: str) -> str:
    return (project.directory / "config" / name).read_text("utf-8")


def written(project: Project) -> list[str]:
    return sorted(
        str(path.relative_to(project.directory)) for path in project.directory.rglob("*") if path.is_file()
    )


def import_(project: Project, value: Any, *arguments: str, slug: str = "sakura") -> Result:
    return project.run("import", put(project, value), "--restaurant", slug, *arguments)


def test_a_browser_s_settings_become_files_that_plan_cleanly(project: Project) -> None:
    result = import_(project, sample("v4"), "--leave-out", "/backupAssignments")
    assert result.code == 0, result
    assert result.out.splitlines()[-1] == "Import complete: 16 added, 0 replaced, 0 unchanged."
    assert project.ok("validate").out == "1 restaurant, 16 settings, no problems.\n"
    assert project.ok("fmt", "--check").out.startswith("0 files would be formatted")
    assert "16 to add" in project.ok("plan").out
    project.apply()
    assert "No changes." in project.ok("plan").out
    again = import_(project, sample("v4"), "--leave-out", "/backupAssignments")
    assert again.out.splitlines()[-1] == "Import complete: 0 added, 0 replaced, 16 unchanged."
    assert "Written" not in again.out


def test_the_files_name_their_source(offline: Project) -> None:
    import_(offline, sample("v4"), "--leave-out", "/backupAssignments")
    assert text(offline, "sakura/daily_limits.yaml").startswith(
        "# yaml-language-server: $schema=../../schemas/settings.schema.json\n"
        "# Imported from a.json (the application's generation v4, by its migrationVersion,"
        " last synced 2025-10-02T03:04:05.678Z).\n\ndaily_limits:\n  - name: Max early per day\n"
    )
    assert (offline.directory / "schemas" / "settings.schema.json").is_file()
    side = json.loads(text(offline, "sakura/localstorage.json"))
    backup = side["imports"][0]["document"]["object"]["backupAssignments"]
    assert backup == {"value": json.loads(sample("v4"))["backupAssignments"], "why": "left out"}


def test_values_without_a_home_stop_it_and_the_command_to_paste_goes_on(offline: Project) -> None:
    name = put(offline, sample("v4"), "it's mine.json")
    result = offline.run("import", name, "-r", "sakura")
    assert result.code == 3
    assert "/backupAssignments  [" in result.out
    assert result.out.splitlines()[-1] == "Nothing was written."
    assert "Error: nothing was written: 1 value without a home" in result.err
    assert written(offline) == ["it's mine.json"]
    command = result.err.split("in the way: ")[1].strip()
    import shlex

    program, option, directory, *rest = shlex.split(command)
    assert (program, option, directory) == ("rowform", "--config-dir", str(offline.directory / "config"))
    offline.ok(*rest)


def test_a_dry_run_and_a_report_write_no_settings(offline: Project) -> None:
    page = offline.directory / "report.html"
    result = import_(offline, sample("legacy"), "--dry-run", "--report", str(page))
    assert result.code == 0
    assert "Would be written:\n" in result.out
    assert "config/sakura/staff_groups.yaml" in result.out
    assert result.out.splitlines()[-1] == "Import checked: 12 added, 0 replaced, 0 unchanged."
    assert written(offline) == ["a.json", "report.html"]
    assert "料理長" in page.read_text("utf-8")


class _Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "onload", "onerror")
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_complete_and_inert(offline: Project) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;"
    value = {
        "staffGroups": [{"name": evil, evil: evil, "color": "red"}],
        evil: [{"x": evil}],
        "lastSyncedAt": evil,
        "weeklyLimits": [None],
    }
    page = offline.directory / "report.html"
    assert import_(offline, value, "--report", str(page)).code == 1
    found = _Page()
    found.feed(page.read_text("utf-8"))
    assert not found.tags & {"script", "img", "link", "iframe"}
    assert found.addresses == []
    assert found.text.count(evil) >= 5


def test_json_is_one_document_with_every_value(offline: Project) -> None:
    result = import_(offline, sample("dump"), "--format", "json")
    assert result.code == 3
    report = result.json
    assert (report["format"], report["ok"], report["error"]["code"]) == (
        "rowform.import/1",
        False,
        "unanswered",
    )
    (source,) = report["sources"]
    assert source["wrapping"] == ["a dump", "a string"]
    assert source["other_keys"] == ["theme", "settings-migrated-to-backend"]
    assert source["generation"]["name"] == "v4"
    assert {
        "pointer": "/mlParameters/parameters/populationSize",
        "kind": "ml_model_configs",
        "key": "genetic_algorithm",
        "column": "parameters",
        "path": "/populationSize",
        "value": 100,
    } in source["mapping"]
    assert source["homeless"][0]["answer"] == "--leave-out /backupAssignments"
    words = import_(offline, sample("legacy"), "--format", "json").json["sources"][0]
    assert [one["source_value"] for one in words["mapping"] if one["column"] == "priority_level"] == [
        "high",
        "medium",
        "low",
    ]


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        (b'{"staffGroups": [{"name": "a"', "invalid-source", "the text ends too early"),
        (b'{"staffGroups": [], "staffGroups": []}', "invalid-source", "cannot be read for certain"),
        (b"[" * 11_000_000, "invalid-source", "larger than 10,485,760 bytes"),
        (
            b'{"staffGroups": [null, {"__proto__": 1}, {"name": "\\ud800"}]}',
            "invalid-source",
            "3 values cannot be",
        ),
    ],
)
def test_bad_exports_write_nothing(offline: Project, value: bytes, code: str, said: str) -> None:
    result = import_(offline, value, "--format", "json")
    assert result.code == 1
    assert result.json["error"]["code"] == code
    assert said in result.err
    assert written(offline) == ["a.json"]
    assert import_(offline, value).code == 1
    assert written(offline) == ["a.json"]


def test_standard_input(offline: Project) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "rowform", "import", "-", "-r", "sakura"],
        input=sample("seed"),
        capture_output=True,
        check=True,
        cwd=offline.directory,
    )
    assert b"Import complete: 6 added" in result.stdout
    assert "# Imported from stdin (the seed's arrays)." in text(offline, "sakura/staff_groups.yaml")


def test_what_init_made_is_filled(offline: Project) -> None:
    offline.ok("init", str(offline.directory), "--restaurant", "ume")
    before = text(offline, "ume/restaurant.yaml")
    assert import_(offline, sample("seed"), slug="ume").code == 0
    assert text(offline, "ume/restaurant.yaml") == before
    assert "staff_groups:\n  # Imported from a.json (the seed's arrays).\n  - name: Kitchen\n" in text(
        offline, "ume/staff_groups.yaml"
    )
    assert offline.ok("validate").out == "1 restaurant, 6 settings, no problems.\n"


def test_conflicts_are_shown_and_answered(offline: Project) -> None:
    offline.restaurant()
    mine = (
        "# mine\nstaff_groups:\n  - name: Kitchen # best\n    color: '#000'\n\n  # the bar\n  - name: Bar\n"
    )
    offline.write({"sakura/all.yaml": mine})
    result = import_(offline, sample("seed"))
    assert result.code == 3
    assert 'staff_groups "Kitchen": CONFLICT' in result.out
    assert "Error: nothing was written: 1 conflict without an answer" in result.err
    ours = f"{offline.directory}/config/sakura/all.yaml:/staff_groups/0"
    assert f"--take {ours}" in result.out
    assert text(offline, "sakura/all.yaml") == mine

    kept = import_(offline, sample("seed"), "--take", ours, "--dry-run")
    assert kept.out.splitlines()[-1] == "Import checked: 5 added, 0 replaced, 1 unchanged."
    assert import_(offline, sample("seed"), "--take", "a.json:/staffGroups/0").code == 0
    assert text(offline, "sakura/all.yaml") == (
        "# mine\nstaff_groups:\n  - name: Kitchen # best\n    description: back of house\n"
        "    color: '#3B82F6'\n    group_config:\n      id: \"1\"\n      members: [a, b]\n"
        "\n  # the bar\n  - name: Bar\n"
    )


def test_inherited_settings_stay_where_they_are(offline: Project) -> None:
    defaults = "staff_groups:\n  - name: Kitchen\n  - name: Bar\n"
    offline.restaurant(more="inherits: [_defaults]\n")
    offline.write({"_defaults/g.yaml": defaults})
    value = {"staffGroups": [{"name": "Kitchen", "color": "#fff"}, {"name": "Bar"}]}
    assert import_(offline, value).code == 3
    assert import_(offline, value, "--take", "a.json:/staffGroups/0").code == 0
    assert text(offline, "_defaults/g.yaml") == defaults
    assert text(offline, "sakura/staff_groups.yaml").endswith(
        'staff_groups:\n  - name: Kitchen\n    color: "#fff"\n'
    )


def test_copies_of_several_managers(offline: Project) -> None:
    files = [
        put(offline, {"staffGroups": [{"name": "A", "color": color}]}, f"{name}.json")
        for name, color in (("aiko", "#111"), ("ben", "#222"), ("chie", "#111"))
    ]
    result = offline.run("import", *files, "-r", "sakura")
    assert result.code == 3
    assert 'FIELD  aiko.json  ben.json  chie.json\n  color  "#111"     "#222"    "#111"' in result.out
    assert not (offline.directory / "config").exists()
    offline.ok("import", *files, "-r", "sakura", "--take", "ben.json:/staffGroups/0")
    assert 'color: "#222"' in text(offline, "sakura/staff_groups.yaml")
    side = json.loads(text(offline, "sakura/localstorage.json"))
    assert [one["file"] for one in side["imports"]] == ["aiko.json", "ben.json", "chie.json"]


def test_files_of_one_name_are_told_apart(offline: Project) -> None:
    for name in ("x", "y"):
        (offline.directory / name).mkdir()
    files = [put(offline, {"staffGroups": [{"name": name}]}, f"{name}/s.json") for name in ("x", "y")]
    result = offline.run("import", *files, "-r", "sakura")
    assert all(f"--take {file}:/staffGroups/0" in result.out for file in files)


def test_references_that_lead_nowhere_are_told(offline: Project) -> None:
    value = {
        "staffGroups": [{"id": "g1", "name": "A"}],
        "priorityRules": [{"name": "r", "groupId": "g1"}, {"name": "s", "groupId": "g2"}],
    }
    result = import_(offline, value)
    assert result.code == 0
    assert 'a.json /priorityRules/1/groupId: "g2" is no staff group' in result.out
    assert "/priorityRules/0/groupId: " not in result.out


def test_only_one_kind(offline: Project) -> None:
    assert import_(offline, sample("v4"), "--only", "staff_groups").code == 0
    assert text(offline, "sakura/restaurant.yaml").endswith("manages: [staff_groups]\n")
    assert offline.ok("validate").out == "1 restaurant, 8 settings, no problems.\n"


def test_another_config_directory(offline: Project) -> None:
    assert import_(offline, sample("seed"), "--into", str(offline.directory / "other")).code == 0
    assert (offline.directory / "other" / "sakura" / "staff_groups.yaml").is_file()
    assert not (offline.directory / "config").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "staff_group"], 'unknown kind "staff_group"'),
        (["--leave-out", "backupAssignments"], "is no JSON pointer"),
        (["--leave-out", "/nope"], 'has nothing at "/nope"'),
        (["--take", "b.json:/x"], "write FILE:POINTER; the files are a.json"),
        (["--take", "a.json:/staffGroups/0"], "answers no conflict"),
        (["--restaurant", "../x"], "is no slug"),
    ],
)
def test_wrong_usage(offline: Project, arguments: list[str], message: str) -> None:
    result = import_(offline, sample("legacy"), *arguments)
    assert (result.code, result.out) == (1, "")
    assert message in result.err
    assert written(offline) == ["a.json"]


def test_what_would_not_be_valid_is_not_written(offline: Project) -> None:
    offline.restaurant(more="manages: [daily_limits]\n")
    before = written(offline)
    result = import_(offline, {"staffGroups": [{"name": "A"}]})
    assert result.code == 1
    assert "staff_groups is not managed here" in result.err
    assert written(offline) == sorted([*before, "a.json"])
    assert import_(offline, {"staffGroups": [{"name": "A"}]}, "--only", "staff_groups").code == 0
    assert "manages: [daily_limits, staff_groups]\n" in text(offline, "sakura/restaurant.yaml")


def test_a_side_file_that_is_none_is_left_alone(offline: Project) -> None:
    offline.restaurant()
    offline.write({"sakura/localstorage.json": "{}"})
    result = import_(offline, sample("seed"))
    assert result.code == 1
    assert "is no rowform.localstorage/1" in result.err
    assert not (offline.directory / "config/sakura/staff_groups.yaml").exists()


def test_an_unprintable_name_is_shown_escaped(offline: Project) -> None:
    value = {"staffGroups": [{"name": "a", "x\x1b[31m": 1}], "evil\x1b]0;x\x07": 1}
    result = import_(offline, value)
    assert result.code == 1
    assert "\x1b" not in result.out + result.err
    assert (
        import_(
            offline, value, "--leave-out", "/staffGroups/0/x\\x1b[31m", "--leave-out", "/evil\\x1b]0;x\\x07"
        ).code
        == 0
    )


def test_it_takes_less_than_a_second(offline: Project) -> None:
    name = put(offline, sample("v4"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [
        sys.executable,
        "-m",
        "rowform",
        "import",
        name,
        "-r",
        "sakura",
        "--leave-out",
        "/backupAssignments",
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=offline.directory)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
