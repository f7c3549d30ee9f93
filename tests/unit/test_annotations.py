"""Annotations that GitHub reads from a log, and values that must not be taken for such."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given

from rowform.cli.main import main
from rowform.diff import Change
from rowform.guards import Guard, GuardName
from rowform.kinds import kinds
from rowform.location import Location, Problem, Severity
from rowform.plan import Plan
from rowform.render.github import plan_annotations, problem_annotations
from rowform.render.inert import command, fence, span
from rowform.render.ink import Ink
from rowform.render.plan_text import plan_text
from rowform.text import Verbatim, escape
from tests.support.builders import actual, group, plan_of, planned, restaurant, sakura, setting, write
from tests.support.golden import check_golden
from tests.unit.test_markdown import KEYS, TEXT
from tests.unit.test_plan_text import CASES

GOLDEN = Path(__file__).parents[1] / "golden" / "github"
_COMMAND = re.compile(r"::(error|warning|notice)(?: ([^:]*))?::(.*)")


@pytest.mark.parametrize("name", ["changes", "blocked", "unsafe"])
def test_golden(name: str) -> None:
    check_golden(GOLDEN / f"{name}.txt", f"{plan_annotations(CASES[name](), kinds())}\n")


def runner_reads(line: str) -> bool:
    """Whether GitHub's runner takes a line for a command, in its new form or its old one."""
    return line.lstrip().startswith("::") or "##[" in line


def decoded(text: str, *more: tuple[str, str]) -> str:
    for code, char in (*more, ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


@given(TEXT, TEXT)
def test_a_command_is_one_line_that_reads_back(message: str, file: str) -> None:
    line = command("error", message, file=file, line=3)
    assert "\n" not in line
    assert "\r" not in line
    found = _COMMAND.fullmatch(line)
    assert found
    assert decoded(found[3]) == escape(message)
    properties = dict(part.split("=", 1) for part in found[2].split(","))
    assert set(properties) == {"file", "line"}
    assert decoded(properties["file"], ("%3A", ":"), ("%2C", ",")) == escape(file)


@given(KEYS, TEXT)
def test_a_plan_has_an_annotation_for_each_change_and_none_of_its_values(key: str, text: str) -> None:
    wanted = restaurant(
        group(key, line=7, description=text), setting("priority_rules", key, description=text)
    )
    found = planned(wanted, dataclasses.replace(actual(group("Gone")), name=text))
    one = dataclasses.replace(
        found, blocked=(Guard(GuardName.OLDER, Verbatim(text)),), warnings=(Verbatim(text),)
    )
    plan = Plan("db", None, {}, (one,), (Verbatim(text),))
    *lines, total, last = plan_annotations(plan, kinds()).splitlines()
    assert all(_COMMAND.fullmatch(line) for line in lines)
    sorts = [_COMMAND.fullmatch(line)[1] for line in lines]  # type: ignore[index]
    assert sorts.count("notice") == len(one.changes) + len(one.notes) + 1
    assert (sorts.count("error"), sorts.count("warning")) == (1, 1)
    assert last == "Plan: 2 to add, 0 to change, 1 to destroy."
    assert not runner_reads(total)
    # In text nothing is a command at all.
    assert not any(runner_reads(line) for line in plan_text(plan, kinds(), Ink()).splitlines())


@given(TEXT)
def test_what_is_escaped_is_no_command(text: str) -> None:
    assert not runner_reads(escape(text))
    assert "##vso[" not in escape(text)
    assert escape(escape(text)) == escape(text)


def test_places() -> None:
    there = actual(group("A", color="#fff"), group("Gone"))
    text = plan_annotations(plan_of(restaurant(group("A", line=7)), there), kinds())
    here = "::notice file=config/sakura/"
    assert text.splitlines() == [
        f'{here}settings.yaml,line=7,col=5::sakura: ~ staff_groups "A": color: "#fff" -> null',
        f'{here}restaurant.yaml,line=1,col=1::sakura: - staff_groups "Gone"',
        "Annotations: 2 notices.",
        "Plan: 0 to add, 1 to change, 1 to destroy.",
    ]


def test_the_total_says_what_github_does_not_show() -> None:
    many = [Problem(Location("a", n), "m", None, Severity.WARNING) for n in range(11)]
    assert problem_annotations(many).splitlines()[-1] == (
        "Annotations: 11 warnings; GitHub shows the first 10 of each sort beside the files."
    )
    assert problem_annotations(many[:10]).splitlines()[-1] == "Annotations: 10 warnings."
    assert problem_annotations([]) == ""


def test_a_change_with_many_fields_is_told_in_part() -> None:
    config = {f"k{n}": n for n in range(20)}
    plan = plan_of(restaurant(group("A", group_config=config)), actual())
    assert "group_config.k7: 7; and 12 more" in plan_annotations(plan, kinds())
    assert isinstance(plan.restaurants[0].changes[0], Change)


# --- validate ------------------------------------------------------------------------------------

FAULTY = 'daily_limits:\n  - name: "A, 100%: b"\n    penalty_wieght: 3\n  - name: B\n    penalty_weight: -1\n'
ODD = "priority_rules:\n  - name: R\n    rule_definition: {staffId: '##[error]x'}\n"


def test_validate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "config", sakura(FAULTY))
    assert main(["validate", "--format", "github"]) == 1
    out, err = capsys.readouterr()
    unknown, small, total = out.splitlines()
    assert unknown == (
        '::error file=config/sakura/settings.yaml,line=3,col=5::unknown field "penalty_wieght"'
        " (did you mean `penalty_weight`?)"
    )
    assert small == (
        "::error file=config/sakura/settings.yaml,line=5,col=21::penalty_weight: -1 is too small;"
        " it must be at least 0"
    )
    assert total == "Annotations: 2 errors."
    assert err == "Error: 2 problems in the configuration\n"
    write(tmp_path / "config", sakura(ODD))
    assert main(["validate", "--format", "github"]) == 0
    out, err = capsys.readouterr()
    odd, *rest = out.splitlines()
    assert odd == (
        "::warning file=config/sakura/settings.yaml,line=3,col=32::"
        '"\\x23#[error]x" is no member of a staff group of sakura'
    )
    assert rest == ["Annotations: 1 warning.", "1 restaurant, 1 setting, 1 warning."]
    assert (main(["validate", "--format", "github", "--strict"]), capsys.readouterr()[0][:8]) == (
        1,
        "::error ",
    )
    write(tmp_path / "config", sakura("staff_groups: []\n"))
    assert main(["validate", "--format", "github"]) == 0
    assert capsys.readouterr()[0] == "1 restaurant, 0 settings, no problems.\n"


# --- code in Markdown ----------------------------------------------------------------------------


def test_a_code_span_is_as_wide_as_its_value_needs() -> None:
    assert span("a") == "`a`"
    assert span("a`b") == "``a`b``"
    assert span("`") == "`` ` ``"
    assert span(" a ") == "`  a  `"
    assert span("") == '`""`'
    assert span("  ") == '`"  "`'
    assert span("x" * 9, 4) == "`xxxx…`"
    assert fence(["a", "b ```` c"]) == "`````"
    assert fence([]) == "```"
