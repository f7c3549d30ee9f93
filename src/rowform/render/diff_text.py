"""The differences between two versions as text, as a plan shows its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rowform.diff import Action, Change
from rowform.kinds import Kind
from rowform.render.ink import Ink
from rowform.render.plan_text import change_lines
from rowform.text import escape

NO_DIFFERENCES = "No differences."


def diff_text(
    slug: str, sides: tuple[str, str], changes: Sequence[Change], kinds: Mapping[str, Kind], ink: Ink
) -> str:
    """What leads from one of the ``sides``, in words, to the other; the last line is stable."""
    lines = [f"{ink.bold(escape(slug))} ({escape(sides[0])} -> {escape(sides[1])})"]
    for change in changes:
        lines.extend(("", *change_lines(change, kinds[change.kind], ink)))
    return "\n".join((*lines, "", ink.bold(difference_line(changes))))


def difference_line(changes: Sequence[Change]) -> str:
    """The stable last line."""
    if not changes:
        return NO_DIFFERENCES
    added, changed, destroyed = (sum(change.action is action for change in changes) for action in Action)
    return f"Difference: {added} added, {changed} changed, {destroyed} destroyed."
