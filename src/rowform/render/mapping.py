"""What an import found, as text: where every value went, and what is in the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rowform.localstorage.mapping import Mapped
from rowform.localstorage.merge import ABSENT, Conflict
from rowform.localstorage.report import Outcome, leave_out, name_of
from rowform.localstorage.settings import Row, Setting
from rowform.render.ink import Ink
from rowform.render.tables import table
from rowform.text import count, escape, joined, pointer, quote, steps

#: Of a value in a line; JSON output has the whole.
_VALUE = 80
_CELL = 40


def mapping_text(outcome: Outcome, ink: Ink) -> str:
    """The whole report; its last line is stable."""
    lines: list[str] = []
    for copy in outcome.copies:
        lines += [*_copy(copy, outcome, ink), ""]
    merged = outcome.merged
    for one in merged.conflicts if merged else ():
        lines += [*_conflict(one, ink), ""]
    if outcome.dangling:
        lines += ["References that lead nowhere:"]
        lines += [
            f"  {escape(one.file)} {escape(pointer(one.path))}: {quote(one.name)} is no {one.what}"
            for one in outcome.dangling
        ]
        lines.append("")
    if outcome.warnings:
        lines += ["Warnings of the configuration:", *(f"  {one}" for one in outcome.warnings), ""]
    if outcome.error() is None and outcome.files:
        lines += [
            "Would be written:" if outcome.dry_run else "Written:",
            *(f"  {one}" for one in outcome.files),
            "",
        ]
    return "\n".join([*lines, ink.bold(summary_line(outcome))])


def summary_line(outcome: Outcome) -> str:
    """The stable last line."""
    error, merged = outcome.error(), outcome.merged
    if error is not None or merged is None:
        return "Nothing was written."
    what = "Import checked" if outcome.dry_run else "Import complete"
    return (
        f"{what}: {len(merged.added)} added, {len(merged.replaced)} replaced, {len(merged.equal)} unchanged."
    )


def source_lines(copy: Mapped) -> list[str]:
    """What a source was taken for."""
    source, generation = copy.source, copy.generation
    found = [f"taken for {generation.words}"]
    if generation.shapes:
        found.append(", ".join(f"{name} {shape}" for name, shape in generation.shapes.items()))
    if source.wrapping:
        found.append(f"read out of {joined(source.wrapping)}")
    if source.others:
        keys = joined([quote(one, _CELL) for one in source.others])
        found.append(f"other keys of that browser are no settings and are kept nowhere: {keys}")
    return [escape(line) for line in found]


def _copy(copy: Mapped, outcome: Outcome, ink: Ink) -> Iterator[str]:
    yield ink.bold(escape(copy.source.name))
    yield from (f"  {line}" for line in source_lines(copy))
    for setting in copy.settings:
        yield ""
        yield from _setting(setting, ink)
    kept = [f"{_value(one.path, one.value)}  {ink.dim(f'({one.why})')}" for one in copy.kept]
    yield from _section(f"Kept beside the settings, in {outcome.side_file}:", kept)
    homeless = [
        line
        for one in copy.homeless
        for line in (
            f"{_value(one.path, one.value)}: {escape(one.why)}",
            f"    {escape(leave_out(one.path))}",
        )
    ]
    yield from _section("Without a home; the option below each one keeps it beside the settings:", homeless)
    yield from _section("Cannot be taken:", map(str, copy.faults))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield from ("", f"  {title}", *(f"      {line}" for line in found))


def _value(path: Sequence[str | int], value: Any) -> str:
    return f"{escape(pointer(path))}  {quote(value, _VALUE)}"


def _setting(setting: Setting, ink: Ink) -> Iterator[str]:
    name, place = quote(name_of(setting)), ink.dim(escape(pointer(setting.path)))
    yield f"  {setting.kind.name} {name}  {place}"
    if setting.former is not None:
        yield ink.yellow(f"      renamed: another entry is called {quote(setting.former)}")
    rows = [(escape(relative(setting, row)), column_of(row.place), result_of(row)) for row in setting.rows]
    yield from (f"      {line}" for line in table(rows) if rows)
    for place_, value in setting.implied.items():
        yield f"      {ink.dim('from its place:')} {column_of(place_)} = {quote(value, _VALUE)}"
    defaulted = [f"{name} = {quote(value, _VALUE)}" for name, value in setting.defaulted().items()]
    if defaulted:
        yield f"      {ink.dim('defaulted:')} {', '.join(defaulted)}"


def relative(setting: Setting, row: Row) -> str:
    """The pointer to a value, from its entry on."""
    return pointer(row.path[len(setting.path) :]) or "(the value)"


def column_of(place: Sequence[str]) -> str:
    """A place in a setting as people write it."""
    return "".join(steps(place))


def result_of(row: Row) -> str:
    """A value, and what it became if it is another one now."""
    shown = quote(row.value, _VALUE)
    return shown if row.said == row.value else f"{quote(row.said, _VALUE)} -> {shown}"


def _conflict(conflict: Conflict, ink: Ink) -> Iterator[str]:
    word = f"answered by {escape(conflict.answer)}" if conflict.answer else ink.red("CONFLICT")
    yield f"{conflict.kind} {quote(conflict.key)}: {word}"
    heading = ("FIELD", *(escape(side.file) for side in conflict.sides))
    rows = [heading, *(("".join(steps(path)), *map(cell, values)) for path, values in conflict.fields)]
    yield from (f"  {line}" for line in table(rows))
    if conflict.answer is None:
        yield "  answer with one of:"
        yield from (f"    {escape(option)}" for option in answers(conflict))


def cell(value: Any) -> str:
    """A side's value in a table."""
    return "-" if value is ABSENT else quote(value, _CELL)


def answers(conflict: Conflict) -> Iterator[str]:
    """The options that answer a conflict."""
    import shlex

    for side in conflict.sides:
        yield f"--take {shlex.quote(f'{side.file}:{side.pointer}')}"


def counts(outcome: Outcome) -> str:
    """How much there is in all sources."""
    return joined(
        [
            count(sum(len(copy.settings) for copy in outcome.copies), "setting"),
            f"{sum(len(copy.kept) for copy in outcome.copies)} kept aside",
            f"{sum(len(copy.homeless) for copy in outcome.copies)} without a home",
        ]
    )
