"""Each threshold of `rowform.yaml` at its boundary, through the command line."""

from __future__ import annotations

import pytest

from tests.support.project import Project

GROUPS = [f"  - name: Group {index}\n" for index in range(10)]
LIMITS = [f"  - name: Limit {index}\n" for index in range(3)]


def write(project: Project, groups: list[str], limits: list[str]) -> None:
    project.write(
        {
            "sakura/all.yaml": f"staff_groups:\n{''.join(groups) or '  []'}\n"
            f"daily_limits:\n{''.join(limits) or '  []'}\n"
        }
    )


def updated(number: int) -> list[str]:
    return [line + "    description: new\n" if index < number else line for index, line in enumerate(GROUPS)]


@pytest.mark.parametrize(
    ("name", "fine", "too_far", "after", "reason"),
    [
        # 3 of 13 are 23.07 %, rounded down to 23.
        ("delete_percent", 23.1, 23, (GROUPS[3:], LIMITS), "3 of 13 settings would be deleted (23 %)"),
        ("delete_count", 6, 5, (GROUPS[5:], LIMITS), "5 of 13 settings would be deleted (38.4 %)"),
        ("emptied_count", 4, 3, (GROUPS, []), "all 3 entries of daily_limits would be deleted"),
        ("update_percent", 61.6, 61.5, (updated(8), LIMITS), "8 of 13 settings would be updated (61.5 %)"),
        ("update_total", 14, 13, (updated(8), LIMITS), "8 of 13 settings would be updated (61.5 %)"),
    ],
)
def test_a_threshold_at_its_boundary(
    project: Project,
    name: str,
    fine: float,
    too_far: float,
    after: tuple[list[str], list[str]],
    reason: str,
) -> None:
    project.restaurant()
    write(project, GROUPS, LIMITS)
    project.apply()
    write(project, *after)
    project.write({"rowform.yaml": f"thresholds: {{{name}: {too_far}}}\n"})
    assert f"  BLOCKED: threshold: {reason}\n" in project.ok("plan").out
    assert project.run("apply", "--auto-approve").code == 3
    project.write({"rowform.yaml": f"thresholds: {{{name}: {fine}}}\n"})
    assert "BLOCKED" not in project.ok("plan").out
    project.apply()
