"""``rowform.yaml``."""

from __future__ import annotations

import pytest

from rowform.config import ToolConfig, read_tool_config
from rowform.guards import Thresholds
from rowform.load import SourceFile
from rowform.location import Severity


def read(text: str) -> tuple[ToolConfig, list[str]]:
    config, problems = read_tool_config(SourceFile(("rowform.yaml",), "config/rowform.yaml", text.encode()))
    return config, [str(problem) for problem in problems.sorted(Severity.ERROR)]


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "thresholds: {}\ntargets: {}\n"])
def test_defaults(text: str) -> None:
    assert read(text) == (ToolConfig(Thresholds(30, 3, 3, 50, 10), {}), [])


def test_no_file() -> None:
    config, problems = read_tool_config(None)
    assert config == ToolConfig()
    assert problems.sorted(Severity.ERROR) == ()


def test_everything() -> None:
    text = """
thresholds:
  delete_percent: 12.5
  delete_count: 1
  emptied_count: 2
  update_percent: 100
  update_total: 4
targets:
  production: {database_url_env: PROD_URL}
  staging: {database_url_env: _x9}
"""
    expected = ToolConfig(Thresholds(12.5, 1, 2, 100, 4), {"production": "PROD_URL", "staging": "_x9"})
    assert read(text) == (expected, [])


def test_some_thresholds_leave_the_others() -> None:
    assert read("thresholds: {delete_percent: 0}")[0].thresholds == Thresholds(delete_percent=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "1:1: expected thresholds or targets, got a list"),
        ("~", "1:1: expected thresholds or targets, got null"),
        ("thresholds: 5", "1:13: thresholds: expected a mapping, got the number 5"),
        ("threshold: {}", '1:1: unknown field "threshold" (did you mean `thresholds`?)'),
        ("thresholds: {delete_percent: -1}", "1:30: delete_percent: -1 is too small; it must be at least 0"),
        (
            "thresholds: {delete_percent: 101}",
            "1:30: delete_percent: 101 is too large; it must be at most 100",
        ),
        ("thresholds: {delete_count: 0}", "1:28: delete_count: 0 is too small; it must be at least 1"),
        (
            "thresholds: {delete_count: 1.5}",
            "1:28: delete_count: expected a whole number, got the number 1.5",
        ),
        ("thresholds: {delete_percent: true}", "1:30: delete_percent: expected a number, got true"),
        ("targets: {p: {}}", '1:14: missing field "database_url_env"'),
        ("thresholds: {a: 1", '1:13: "{" is never closed'),
    ],
)
def test_faults(text: str, expected: str) -> None:
    config, problems = read(text)
    assert problems == [f"config/rowform.yaml:{expected}"]
    assert config == ToolConfig()


@pytest.mark.parametrize(
    "text",
    [
        "targets: {p: 'postgresql://me:hunter2@h/db'}",
        "targets: {p: {database_url_env: 'postgresql://me:hunter2@h/db?password=hunter2'}}",
        "targets: {p: {database_url_env: 'postgresql://me:hunter2 @h/db'}}",
        "targets: {p: {database_url: 'postgresql://me:hunter2@h/db'}}",
        "targets: ['postgresql://me:hunter2@h/db']",
        "targets: 'postgresql://me:hunter2@h/db'",
        "thresholds: {delete_count: 'postgresql://me:hunter2@h/db'}",
    ],
)
def test_a_password_in_the_wrong_place_is_not_repeated(text: str) -> None:
    _, problems = read(text)
    assert len(problems) == 1
    assert "hunter2" not in problems[0]


def test_a_variables_name_is_checked() -> None:
    for name, fine in (
        ("PROD_URL", True),
        ("a", True),
        ("9A", False),
        ("A-B", False),
        ("A B", False),
        ("", False),
    ):
        _, problems = read(f"targets: {{p: {{database_url_env: '{name}'}}}}")
        assert (problems == []) is fine
