"""A plan as text for people, in Terraform's hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rowform.diff import Action, Change, Operation, leaves
from rowform.kinds import Kind
from rowform.plan import Plan, RestaurantPlan
from rowform.render.ink import Ink
from rowform.render.marks import NO_MARKS, Marks
from rowform.text import escape, quote, steps

if TYPE_CHECKING:
    from rowform.split import Point

SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
NO_CHANGES = "No changes. Settings match the configuration."
#: Longer values are cut in text; JSON output has them whole.
_VALUE_LIMIT = 400
_PENDING = "Pending already, and applied with it"


def plan_text(plan: Plan, kinds: Mapping[str, Kind], ink: Ink) -> str:
    """The whole plan; its last line is stable."""
    lines = [f"Note: {escape(note)}" for note in plan.notes]
    for one in plan.restaurants:
        lines.extend(_restaurant(one, plan, kinds, ink))
    if lines:
        lines.append("")
    if plan.since and plan.has_changes:
        lines.append(_parts_line(plan, plan.since))
    lines.append(ink.bold(summary_line(plan)))
    return "\n".join(lines)


def summary_line(plan: Plan) -> str:
    """The stable last line."""
    if not plan.has_changes:
        return NO_CHANGES
    return f"Plan: {_counts([change for one in plan.restaurants for change in one.changes])}."


def _counts(changes: Sequence[Change]) -> str:
    counts = Counter(change.action for change in changes)
    return (
        f"{counts[Action.CREATE]} to add, {counts[Action.UPDATE]} to change,"
        f" {counts[Action.DELETE]} to destroy"
    )


def _parts_line(plan: Plan, since: Point) -> str:
    """How much of a plan is the branch's."""
    mine: list[Change] = []
    others: list[Change] = []
    for one in plan.restaurants:
        for part, changes in zip((mine, others), one.parts(), strict=True):
            part.extend(changes)
    return f"{_since_words(since)}: {_counts(mine)}. {_PENDING}: {_counts(others)}."


def _since_words(since: Point) -> str:
    return f"Changed since {escape(since.rev)} ({since.short})"


def _restaurant(plan: RestaurantPlan, whole: Plan, kinds: Mapping[str, Kind], ink: Ink) -> Iterator[str]:
    if not (plan.has_changes or plan.notes or plan.blocked or plan.allowed):
        return
    base = plan.base
    if whole.against:
        state = f"compared with {escape(whole.against.rev)}, {whole.against.short}"
    elif base:
        state = f"version {base.version_number} is active"
    else:
        state = "no version is active" if plan.actual.newest else "no version yet"
    locked = ", locked" if base and base.is_locked else ""
    yield ""
    yield f"{ink.bold(escape(plan.slug))} ({state}{locked})"
    if plan.creates_restaurant:
        restaurant = plan.restaurant
        yield ""
        facts = f"({restaurant.id}, {restaurant.timezone})"
        yield f"  {ink.symbol('+')} restaurant {quote(restaurant.name)} {facts}"
    headings = (f"{_since_words(whole.since)}:", f"{_PENDING}:") if whole.since else ("", "")
    for heading, changes in zip(headings, plan.parts(), strict=True):
        if heading and changes:
            yield from ("", f"  {ink.bold(heading)}")
        for change in changes:
            yield ""
            marks = Marks(plan.overwritten_by(change), plan.settled_number)
            yield from change_lines(change, kinds[change.kind], ink, marks)
    extra = [
        *(f"  Warning: {escape(warning)}" for warning in plan.warnings),
        *(f"  Note: {escape(note)}" for note in plan.notes),
        *(ink.yellow(f"  ALLOWED: {escape(one.told())}") for one in plan.allowed),
        *(ink.red(f"  BLOCKED: {guard.name}: {escape(guard.reason)}") for guard in plan.blocked),
    ]
    if extra:
        yield ""
        yield from extra


def change_lines(change: Change, kind: Kind, ink: Ink, marks: Marks = NO_MARKS) -> Iterator[str]:
    """One change: a line that names it and its place in the files, then one per leaf."""
    symbol = SYMBOLS[change.action]
    mark = marks.heading(change, kind.key, ink)
    yield f"  {ink.symbol(symbol)} {name_of(change)}{ink.dim(place_of(change))}{mark}"
    for line_symbol, path, line in change_leaves(change, kind):
        yield f"      {ink.symbol(line_symbol)} {line}{marks.field(path, ink)}"


def name_of(change: Change) -> str:
    """Kind and key of a change, and the key before a rename."""
    former = f"{quote(change.previous_key)} -> " if change.previous_key is not None else ""
    return f"{change.kind} {former}{quote(change.key)}"


def place_of(change: Change) -> str:
    """Where the files have what a change makes, after two blanks; nothing if it is not there."""
    origin = change.after.origin if change.after else None
    if origin is None:
        return ""
    location = origin.location()
    return f"  {escape(location.file)}:{location.line}"


#: A symbol, the path of a field, and the line about it.
_Line = tuple[str, tuple[str | int, ...], str]


def change_leaves(change: Change, kind: Kind) -> Iterator[_Line]:
    """The leaves of a change: for an update those that differ, else those that are not defaults."""
    if change.action is Action.UPDATE:
        for operation in change.patch:
            if operation.path != (kind.key,):
                yield from _operation_lines(operation)
        return
    entry = change.after or (change.before.entry if change.before else None)
    for path, line in setting_lines(entry.values, kind) if entry else ():
        yield SYMBOLS[change.action], path, line


def setting_lines(values: Mapping[str, Any], kind: Kind) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """A line for each leaf of a whole setting that is no default, and its path."""
    for column in kind.columns:
        value = values[column.name]
        if column.name != kind.key and (column.required or value != column.default):
            for path, leaf in leaves(value, (column.name,)):
                yield path, f"{''.join(steps(path))}: {quote(leaf, _VALUE_LIMIT)}"


def operation_lines(operation: Operation) -> Iterator[tuple[str, str]]:
    """One line per leaf of a patch's operation, each with its symbol."""
    for symbol, _, line in _operation_lines(operation):
        yield symbol, line


def _operation_lines(operation: Operation) -> Iterator[_Line]:
    if operation.op == "replace":
        where = "".join(steps(operation.path))
        old, new = quote(operation.old, _VALUE_LIMIT), quote(operation.value, _VALUE_LIMIT)
        yield "~", operation.path, f"{where}: {old} -> {new}"
        return
    symbol, value = ("+", operation.value) if operation.op == "add" else ("-", operation.old)
    for path, leaf in leaves(value, operation.path):
        yield symbol, path, f"{''.join(steps(path))}: {quote(leaf, _VALUE_LIMIT)}"
