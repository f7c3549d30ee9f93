"""A plan as text for people, in Terraform's hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rowform.diff import Action, Change, Operation, leaves
from rowform.kinds import Kind
from rowform.plan import Plan, RestaurantPlan
from rowform.render.ink import Ink
from rowform.text import escape, quote, steps

SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
NO_CHANGES = "No changes. Settings match the configuration."
#: Longer values are cut in text; JSON output has them whole.
_VALUE_LIMIT = 400


def plan_text(plan: Plan, kinds: Mapping[str, Kind], ink: Ink) -> str:
    """The whole plan; its last line is stable."""
    lines = [f"Note: {escape(note)}" for note in plan.notes]
    for one in plan.restaurants:
        lines.extend(_restaurant(one, kinds, ink))
    if lines:
        lines.append("")
    lines.append(ink.bold(summary_line(plan)))
    return "\n".join(lines)


def summary_line(plan: Plan) -> str:
    """The stable last line."""
    if not plan.has_changes:
        return NO_CHANGES
    return (
        f"Plan: {plan.count(Action.CREATE)} to add, {plan.count(Action.UPDATE)} to change,"
        f" {plan.count(Action.DELETE)} to destroy."
    )


def _restaurant(plan: RestaurantPlan, kinds: Mapping[str, Kind], ink: Ink) -> Iterator[str]:
    if not (plan.has_changes or plan.notes or plan.blocked):
        return
    base = plan.base
    state = f"version {base.version_number} is active" if base else "no version yet"
    locked = ", locked" if base and base.is_locked else ""
    yield ""
    yield f"{ink.bold(escape(plan.slug))} ({state}{locked})"
    if plan.creates_restaurant:
        restaurant = plan.restaurant
        yield ""
        facts = f"({restaurant.id}, {restaurant.timezone})"
        yield f"  {ink.symbol('+')} restaurant {quote(restaurant.name)} {facts}"
    for change in plan.changes:
        yield ""
        yield from change_lines(change, kinds[change.kind], ink)
    extra = [
        *(f"  Warning: {escape(warning)}" for warning in plan.warnings),
        *(f"  Note: {escape(note)}" for note in plan.notes),
        *(ink.red(f"  BLOCKED: {guard.name}: {escape(guard.reason)}") for guard in plan.blocked),
    ]
    if extra:
        yield ""
        yield from extra


def change_lines(change: Change, kind: Kind, ink: Ink) -> Iterator[str]:
    """One change: a line that names it and its place in the files, then one per leaf."""
    symbol = SYMBOLS[change.action]
    former = f"{quote(change.previous_key)} -> " if change.previous_key is not None else ""
    origin = change.after.origin if change.after else None
    place = ""
    if origin:
        location = origin.location()
        place = f"  {location.file}:{location.line}"
    yield f"  {ink.symbol(symbol)} {kind.name} {former}{quote(change.key)}{ink.dim(place)}"
    for line_symbol, line in _leaves(change, kind):
        yield f"      {ink.symbol(line_symbol)} {line}"


def _leaves(change: Change, kind: Kind) -> Iterator[tuple[str, str]]:
    """The leaves of a change: for an update those that differ, else those that are not defaults."""
    if change.action is Action.UPDATE:
        for operation in change.patch:
            if operation.path != (kind.key,):
                yield from operation_lines(operation)
        return
    symbol = SYMBOLS[change.action]
    entry = change.after or (change.before.entry if change.before else None)
    for column in kind.columns if entry else ():
        value = entry.values[column.name] if entry else None
        if column.name != kind.key and (column.required or value != column.default):
            for path, leaf in leaves(value, (column.name,)):
                yield symbol, f"{''.join(steps(path))}: {quote(leaf, _VALUE_LIMIT)}"


def operation_lines(operation: Operation) -> Iterator[tuple[str, str]]:
    """One line per leaf of a patch's operation, each with its symbol."""
    if operation.op == "replace":
        where = "".join(steps(operation.path))
        old, new = quote(operation.old, _VALUE_LIMIT), quote(operation.value, _VALUE_LIMIT)
        yield "~", f"{where}: {old} -> {new}"
        return
    symbol, value = ("+", operation.value) if operation.op == "add" else ("-", operation.old)
    for path, leaf in leaves(value, operation.path):
        yield symbol, f"{''.join(steps(path))}: {quote(leaf, _VALUE_LIMIT)}"
