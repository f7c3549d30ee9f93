"""Plans and problems as annotations on the lines of the files, which GitHub Actions reads from a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rowform.diff import Change
from rowform.kinds import Kind
from rowform.location import Location, Problem, Severity
from rowform.plan import Plan, RestaurantPlan
from rowform.render.inert import command
from rowform.render.plan_text import SYMBOLS, change_leaves, name_of, summary_line
from rowform.text import count, quote

#: How many annotations of each sort GitHub shows for one step.
SHOWN = 10
#: How many fields of a change an annotation names.
_FIELDS = 8


@dataclass(frozen=True, slots=True)
class _Annotation:
    sort: str
    message: str
    place: Location | None = None

    def line(self) -> str:
        place = self.place
        if place is None:
            return command(self.sort, self.message)
        return command(self.sort, self.message, file=place.file, line=place.line, col=place.column)


def plan_annotations(plan: Plan, kinds: Mapping[str, Kind]) -> str:
    """A plan: guards as errors, warnings as such, each change as a notice; the last line is the plan's."""
    found = [_Annotation("notice", note) for note in plan.notes]
    for one in plan.restaurants:
        found.extend(_restaurant(one, kinds))
    return _page(found, summary_line(plan))


def problem_annotations(problems: Iterable[Problem]) -> str:
    """Problems at their places. Nothing if there are none."""
    found: list[_Annotation] = []
    for problem in problems:
        sort = "warning" if problem.severity is Severity.WARNING else "error"
        hint = f" ({problem.hint})" if problem.hint else ""
        found.append(_Annotation(sort, f"{problem.message}{hint}", problem.location))
    return _page(found)


def _page(found: list[_Annotation], *last: str) -> str:
    counts = Counter(one.sort for one in found)
    hidden = ""
    if any(number > SHOWN for number in counts.values()):
        hidden = f"; GitHub shows the first {SHOWN} of each sort beside the files"
    total = ", ".join(count(counts[sort], sort) for sort in ("error", "warning", "notice") if counts[sort])
    lines = [one.line() for one in found]
    return "\n".join([*lines, *([f"Annotations: {total}{hidden}."] if found else []), *last])


def _restaurant(one: RestaurantPlan, kinds: Mapping[str, Kind]) -> Iterator[_Annotation]:
    # What stands in no file, such as a deletion, is shown at the restaurant.
    home = Location(one.restaurant.file) if one.restaurant.file else None
    for guard in one.blocked:
        yield _Annotation("error", f"{one.slug}: BLOCKED: {guard.name}: {guard.reason}", home)
    for allowed in one.allowed:
        yield _Annotation("warning", f"{one.slug}: ALLOWED: {allowed.told()}", home)
    for warning in one.warnings:
        yield _Annotation("warning", f"{one.slug}: {warning}", home)
    for note in one.notes:
        yield _Annotation("notice", f"{one.slug}: {note}", home)
    if one.creates_restaurant:
        yield _Annotation("notice", f"+ restaurant {quote(one.restaurant.name)}", home)
    for change in one.changes:
        origin = change.after.origin if change.after else None
        overwrites = "; overwrites a direct write" if one.overwritten_by(change) else ""
        message = f"{one.slug}: {_words(change, kinds[change.kind])}{overwrites}"
        yield _Annotation("notice", message, origin.location() if origin else home)


def _words(change: Change, kind: Kind) -> str:
    name = f"{SYMBOLS[change.action]} {name_of(change)}"
    if change.after is None:
        return name
    lines = [line for _, _, line in change_leaves(change, kind)]
    if len(lines) > _FIELDS:
        lines[_FIELDS:] = [f"and {len(lines) - _FIELDS} more"]
    return f"{name}: {'; '.join(lines)}" if lines else name
