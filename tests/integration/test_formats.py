"""Markdown and annotations on the command line."""

from __future__ import annotations

from rowform.render.markdown import DIGEST, MARKER
from tests.support.project import MOMIJI, Project

SETTINGS = 'staff_groups:\n  - name: Kitchen\n    color: "#3B82F6"\ndaily_limits:\n  - name: "@team <b> #1"\n'


def test_plan_in_markdown(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/all.yaml": SETTINGS})
    page = project.ok("plan", "--format", "markdown").out
    assert page.startswith(f"{MARKER}\n## Changes to settings\n\n**2 to add, 0 to change, 0 to delete**\n")
    assert "- **added** `@team <b> #1`\n" in page
    digest = page.splitlines()[-1]
    assert digest.startswith(DIGEST)
    japanese = project.run("plan", "--lang", "ja", "--format", "markdown", "--detailed-exitcode")
    assert japanese.code == 2
    assert "**追加2件、変更0件、削除0件**" in japanese.out
    assert japanese.out.splitlines()[-1] == digest
    document = project.ok("plan", "--format", "json").json
    assert document["restaurants"][0]["changes_digest"] in digest

    project.apply()
    page = project.ok("plan", "--format", "markdown").out
    assert "No changes. Settings match the configuration.\n" in page
    assert digest not in page


def test_a_guard_is_at_the_top(project: Project) -> None:
    project.restaurant()
    project.write({"sakura/all.yaml": "staff_groups: [{name: A}, {name: B}, {name: C}]\n"})
    project.apply()
    project.write({"sakura/all.yaml": "staff_groups: []\n"})
    page = project.ok("plan", "--format", "markdown").out
    assert page.index("**BLOCKED:** `Sakura` (`threshold`)") < page.index("### `Sakura`")
    assert "all 3 entries of staff groups would be deleted" in page
    assert page.count("- **deleted** ") == 3
    lines = project.ok("plan", "--format", "github").out.splitlines()
    file = project.directory / "config" / "sakura" / "restaurant.yaml"
    blocked = f"::error file={file},line=1,col=1::sakura: BLOCKED: threshold:"
    assert [line for line in lines if line.startswith("::error ")] == [
        f"{blocked} 3 of 3 settings would be deleted (100 %25)",
        f"{blocked} all 3 entries of staff_groups would be deleted",
    ]
    assert lines[-1] == "Plan: 0 to add, 0 to change, 3 to destroy."


def test_diff_in_markdown(project: Project) -> None:
    project.restaurant()
    project.restaurant("momiji", MOMIJI)
    project.write({"sakura/all.yaml": SETTINGS})
    project.apply("--message", "First | `x`")
    project.write({"sakura/all.yaml": SETTINGS.replace("3B82F6", "EF4444")})
    page = project.ok("diff", "1", "config", "--format", "markdown", "-r", "sakura").out
    assert page.startswith(
        "## `sakura`: version 1 `` First | `x` `` → the configuration\n\n0 added, 1 changed, 0 deleted\n"
    )
    assert "- **changed** `Kitchen`: colour `#3B82F6` → `#EF4444`\n" in page
    assert MARKER not in page
    japanese = project.ok("diff", "1", "active", "--format", "markdown", "--lang", "ja", "-r", "sakura").out
    assert "違いはありません。" in japanese


def test_only_markdown_has_languages(project: Project) -> None:
    project.restaurant()
    for command in (["plan"], ["diff", "1", "active"]):
        for options in (
            ["--lang", "ja"],
            ["--format", "json", "--lang", "en"],
            ["--lang", "ja", "--format", "text"],
        ):
            result = project.run(*command, *options)
            assert result.code == 1
            assert "only --format markdown is written in several languages" in result.err
        assert project.run(*command, "--lang", "fr", "--format", "markdown").code == 1
