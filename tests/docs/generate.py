"""Brings the generated parts of the README, the picture and the workflows up to date.

``generate.py`` writes; ``generate.py --check`` only tells what is not current, and leaves the
sessions of the README to the tests, which run them anyway.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a script, Python finds only this directory

from rowform.sync.pipelines import pipeline_files  # noqa: E402  # needs the line above
from tests.docs.checkout import checkout  # noqa: E402
from tests.docs.reference import filled  # noqa: E402
from tests.docs.svg import svg  # noqa: E402
from tests.docs.terminal import edit_command, play  # noqa: E402
from tests.docs.transcript import Step, same, shortened, steps  # noqa: E402

README = ROOT / "README.md"
PICTURE = ROOT / ".github" / "terminal.svg"
TITLE = (
    "A terminal: rowform validate points at a misspelt field; after that is put right, rowform apply shows"
    " one new rule, one renamed group and one changed number, asks for yes, and activates version 2."
)
#: What the picture shows happens after this.
_BEFORE = """\
. .venv/bin/activate
export ROWFORM_DATABASE_URL=embedded
rowform apply --auto-approve -r sakura"""
_TYPO = """\
--- config/sakura/daily_limits.yaml
+++ config/sakura/daily_limits.yaml
       targetIds: [Floor, Counter]       # staff groups or people; all of them if left out
-    penalty_weight: 30.5
+    penalty_wieght: 35
"""
_FIX = """\
--- config/sakura/daily_limits.yaml
+++ config/sakura/daily_limits.yaml
-    penalty_wieght: 35
+    penalty_weight: 35
"""
_RENAME = """\
--- config/sakura/staff_groups.yaml
+++ config/sakura/staff_groups.yaml
-  - name: Simmering
+  - name: Simmered dishes
+    previously: [Simmering]
     color: "#F59E0B"
"""
_RULE = """\
cat >> config/sakura/priority_rules.yaml <<'END'

  - name: Takano late
    rule_definition: {ruleType: preferred_shift, staffId: 高野, shiftType: late}
    penalty_weight: 40
END"""
_PROMPT = "\x1b[32m$\x1b[0m \x1b[1m{}\x1b[0m\n"


def picture() -> str:
    """The picture, from commands that really run."""
    shown = ("rowform validate -r sakura", "rowform apply -r sakura")
    script = [
        _BEFORE,
        edit_command(_TYPO),
        edit_command(_RENAME),
        _RULE,
        shown[0],
        edit_command(_FIX),
        shown[1],
    ]
    with checkout() as directory:
        outputs = play(script, directory, colour=True)
    edits = [outputs[index] for index in (1, 2, 3, 5)]
    if any(edits):
        raise RuntimeError(f"an edit failed: {''.join(edits)}")
    pieces = zip(shown, (outputs[4], outputs[6]), strict=True)
    return svg("\n".join(_PROMPT.format(command) + output for command, output in pieces), TITLE)


def sessions(page: str) -> list[tuple[Step, str]]:
    """Run all sessions of the page; every step with what it really prints."""
    found = steps(page)
    with checkout() as directory:
        outputs = play([step.command for step in found], directory)
        return [
            (step, output.replace(str(directory.parent), ""))
            for step, output in zip(found, outputs, strict=True)
        ]


def with_outputs(page: str) -> str:
    """``page`` with the outputs of its sessions; those that are the same but for ids and times stay."""
    for step, real in reversed(sessions(page)):
        if "Traceback" in real:
            raise RuntimeError(f"this is nothing to show: $ {step.command}{real}")
        if step.output is None:
            if real:
                raise RuntimeError(f"an edit of the README failed: {real}")
        elif not same(step.output, real):
            page = page[: step.start] + shortened(step.output, real) + page[step.end :]
    return page


def workflows() -> dict[Path, str]:
    """The workflows and the action in ``.github``, which are those that `rowform init` writes."""
    return {
        ROOT / name: text
        for name, text in pipeline_files().items()
        if name.startswith((".github/workflows/", ".github/actions/"))
    }


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if something is not current.")
def main(*, check: bool) -> None:
    """Bring the README, the picture and the workflows up to date."""
    page = README.read_text("utf-8")
    wanted = {README: filled(page if check else with_outputs(page)), PICTURE: picture(), **workflows()}
    outdated = [
        file for file, text in wanted.items() if not file.is_file() or file.read_text("utf-8") != text
    ]
    for file in outdated:
        click.echo(f"{'not current' if check else 'wrote'}: {file.relative_to(ROOT)}", err=check)
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted[file], "utf-8")
    if check and outdated:
        raise click.ClickException("run `make docs` and commit the result")


if __name__ == "__main__":
    main()
