"""Whether the columns that the database really has can hold what the configuration wants.

An adopted application's columns may be narrower than those of the kinds. A value that its column would
round, cut or refuse is a problem at its place in the file, and not a difference that never goes away.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from functools import partial
from typing import Any

from rowform.checks import Problems
from rowform.diff import Change
from rowform.entries import Written
from rowform.errors import InvalidConfig
from rowform.kinds import Kind
from rowform.kinds.base import Column
from rowform.location import Location, Problem, Severity
from rowform.state import Entry
from rowform.text import count, escape, quote

#: The types that a column of a kind may really have, by the type that the kind declares.
READABLE: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text", "character varying", "character", "bpchar"}),
    "boolean": frozenset({"boolean"}),
    "integer": frozenset({"integer", "smallint", "bigint", "numeric", "real", "double precision"}),
    "numeric": frozenset({"numeric", "integer", "smallint", "bigint", "real", "double precision"}),
    "date": frozenset({"date"}),
    "jsonb": frozenset({"jsonb"}),
}
_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
_MODIFIERS = re.compile(r"\((\d+(?:,-?\d+)?)\)$")
#: More digits than any NUMERIC can be declared with.
_WIDE = Context(prec=2100, traps=[])
#: Bounds of more digits are shown as a power of ten; longer texts are cut.
_SHOWN_DIGITS = 20
_SHOWN = 60

#: What is wrong with a value, or nothing.
Complaint = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class RealColumn:
    """A column of a kind's table as the database has it.

    ``type`` is as PostgreSQL writes it: ``numeric(5,2)``. ``optional``: a row may leave it out.
    """

    name: str
    type: str
    not_null: bool
    is_generated: bool
    optional: bool

    @property
    def base_type(self) -> str:
        """The type without its modifiers."""
        return _MODIFIERS.sub("", self.type)

    @property
    def modifiers(self) -> tuple[int, ...]:
        """``(5, 2)`` for ``numeric(5,2)``; nothing for a type without any."""
        match = _MODIFIERS.search(self.type)
        return tuple(int(part) for part in match[1].split(",")) if match else ()


@dataclass(frozen=True, slots=True)
class RealTable:
    """A kind's table as the database has it: the columns of its model, and the application's own.

    ``own`` lacks those that the database computes. ``retyped`` are the model's columns of another type,
    ``later`` those that the model gained when there was storage already, in that order.
    ``has_plain_stamps``: the time stamps are of the type that the seed gives them.
    """

    columns: Mapping[str, RealColumn]
    own: tuple[RealColumn, ...] = ()
    retyped: frozenset[str] = frozenset()
    later: tuple[str, ...] = ()
    has_plain_stamps: bool = True


def ensure_fitting(
    changes: Iterable[Change], kinds: Mapping[str, Kind], tables: Mapping[str, RealTable]
) -> None:
    """Check that the database can hold what ``changes`` would write.

    Whatever does not change is in the database already, and so needs no check.

    Args:
        changes: those of all restaurants; what several of them inherit is reported once.
        kinds: the kinds, by name.
        tables: their tables, by name.

    Raises:
        InvalidConfig: with everything that does not fit, each at its place.
    """
    rules = {name: _rules(kind, tables[name]) for name, kind in kinds.items()}
    needed = {name: [column for column in tables[name].own if not column.optional] for name in kinds}
    problems = Problems()
    for change in changes:
        if change.after is None or not (rules[change.kind] or needed[change.kind]):
            continue
        # All of an entry at once: what it leaves out stands where the entry does.
        found = [*_misfits(change.after, rules[change.kind])]
        if change.before is None:
            found += _unfilled(change.after, kinds[change.kind], needed[change.kind])
        problems.extend(found)
    errors = problems.sorted(Severity.ERROR)
    if errors:
        raise InvalidConfig(errors)


def _misfits(entry: Entry, rules: Iterable[tuple[RealColumn, Complaint]]) -> Iterator[Problem]:
    for column, complaint in rules:
        said = complaint(entry.values[column.name])
        if said:
            type_ = f"{column.type} NOT NULL" if entry.values[column.name] is None else column.type
            yield Problem(
                _place(entry, column.name), f"{column.name}: {said}", f"the database's column is {type_}"
            )


def _unfilled(entry: Entry, kind: Kind, needed: Iterable[RealColumn]) -> Iterator[Problem]:
    for column in needed:
        yield Problem(
            _place(entry),
            f"{kind.noun} {quote(entry.key)} cannot be created: the database's column"
            f" {escape(column.name)} needs a value that rowform does not know",
            f"it is {column.type} NOT NULL; give it a default",
        )


def _place(entry: Entry, *steps: str) -> Location:
    origin = entry.origin
    if isinstance(origin, Written):
        return origin.at(*steps)
    return origin.location() if origin else Location("config")


def _rules(kind: Kind, table: RealTable) -> list[tuple[RealColumn, Complaint]]:
    """What to ask about the values of a kind: nothing where its columns are as the model has them."""
    return [
        (real, complaint)
        for column in kind.columns
        if (complaint := _rule(column, real := table.columns[column.name])) is not None
    ]


def _rule(column: Column, real: RealColumn) -> Complaint | None:
    fits = _fitting(real) if real.type != column.sql_type else None
    needs = real.not_null and column.nullable
    if fits is None and not needs:
        return None

    def complaint(value: Any) -> str | None:
        if value is None:
            return "must not be null" if needs else None
        return fits(value) if fits else None

    return complaint


def _fitting(real: RealColumn) -> Complaint | None:
    """What a type other than the kind's own asks of a value that is not null."""
    sizes = real.modifiers
    fits: Complaint | None = None
    match real.base_type:
        case "character varying" if sizes:
            fits = partial(_long, sizes[0])
        case "character" | "bpchar":
            fits = partial(_padded, sizes[0] if sizes else None)
        case "numeric" if sizes:
            fits = partial(_inexact, sizes[0], sizes[1])
        case "smallint" | "integer" | "bigint":
            fits = partial(_unwhole, _BITS[real.base_type])
        case "real":
            fits = _unlike_single
        case _:
            pass
    return fits


def _long(size: int, value: str) -> str | None:
    return f"{quote(value, _SHOWN)} is longer than {count(size, 'character')}" if len(value) > size else None


def _padded(size: int | None, value: str) -> str | None:
    if value.endswith(" "):
        return f"{quote(value, _SHOWN)} ends with a space, which would be lost"
    return None if size is None else _long(size, value)


def _inexact(precision: int, scale: int, value: float) -> str | None:
    """For ``numeric(precision, scale)``; the scale may be negative, or greater than the precision."""
    exact = Decimal(repr(value))
    bound = Decimal(1).scaleb(precision - scale)
    if abs(exact) >= bound:
        shown = format(bound, "f") if abs(precision - scale) < _SHOWN_DIGITS else f"1e{precision - scale}"
        if value < 0:
            return f"{value} is too small; it must be above -{shown}"
        return f"{value} is too large; it must be below {shown}"
    if exact == exact.quantize(Decimal(1).scaleb(-scale), context=_WIDE):
        return None
    if scale > 0:
        return f"{value} has more than {count(scale, 'decimal')}"
    return f"{value} is no multiple of {10**-scale}" if scale else f"{value} is no whole number"


def _unwhole(bits: int, value: float) -> str | None:
    if value != int(value):
        return f"{value} is no whole number"
    if not -(2**bits) <= value < 2**bits:
        end, bound = ("small", f"at least {-(2**bits)}") if value < 0 else ("large", f"at most {2**bits - 1}")
        return f"{value} is too {end}; it must be {bound}"
    return None


def _unlike_single(value: float) -> str | None:
    """For ``real``: what is read back is the shortest decimal that leads to the same number."""
    try:
        (single,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return f"{value} is too {'small' if value < 0 else 'large'}"
    shortest = math.copysign(float(_shortest(abs(single))), value)
    return None if shortest == value else f"{value} would be read back as {shortest:.9g}"


def _shortest(single: float) -> Decimal:
    """The shortest decimal that is nearer to a number of single precision than to its neighbours."""
    if not single:
        return Decimal(0)
    bits: int = struct.unpack("<I", struct.pack("<f", single))[0]
    below: float = struct.unpack("<f", struct.pack("<I", bits - 1))[0]
    # Above a power of two the numbers lie half as dense as below it.
    step = (single - below) * (2 if bits % 2**23 == 0 and bits > 2**23 else 1)
    exact, low, high = Decimal(single), Decimal(single - (single - below) / 2), Decimal(single + step / 2)
    for digits in range(1, 9):
        for rounding in (ROUND_HALF_EVEN, ROUND_CEILING):
            found = Context(prec=digits, rounding=rounding).plus(exact)
            if low < found < high:
                return found
    return Context(prec=9).plus(exact)
