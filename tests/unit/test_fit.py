"""What is said of values that the database's columns cannot hold, without a database."""

from __future__ import annotations

from typing import Any

import pytest

from rowform.diff import compare
from rowform.errors import InvalidConfig
from rowform.fit import RealColumn, RealTable, ensure_fitting
from rowform.kinds import kinds
from rowform.state import Content
from tests.support.builders import actual, content, group, place, sakura, setting
from tests.support.builders import loaded as load


def tables(**types: str) -> dict[str, RealTable]:
    """The tables of all kinds as the models have them, but for the types of some columns."""
    return {
        name: RealTable(
            {
                column.name: RealColumn(
                    column.name,
                    types.get(column.name, column.sql_type).removesuffix(" NOT NULL"),
                    not column.nullable or types.get(column.name, "").endswith(" NOT NULL"),
                    False,
                    True,
                )
                for column in kind.columns
            }
        )
        for name, kind in kinds().items()
    }


def complaints(wanted: Content, found: dict[str, RealTable]) -> list[str]:
    """What is said when all of ``wanted`` is new."""
    try:
        ensure_fitting(compare(wanted, {})[0], kinds(), found)
    except InvalidConfig as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("type_", "value", "said"),
    [
        ("numeric(5,2)", 1.234, "1.234 has more than 2 decimals"),
        ("numeric(3,1)", 1.25, "1.25 has more than 1 decimal"),
        ("numeric(5,2)", 1000, "1000 is too large; it must be below 1000"),
        ("numeric(5,2)", 1e30, "1e+30 is too large; it must be below 1000"),
        ("numeric(3,0)", 1.5, "1.5 is no whole number"),
        ("numeric(3,-2)", 150, "150 is no multiple of 100"),
        ("numeric(2,4)", 0.01, "0.01 is too large; it must be below 0.01"),
        ("numeric(40,2)", 1e39, "1e+39 is too large; it must be below 1e38"),
        ("integer", 0.5, "0.5 is no whole number"),
        ("smallint", 32768, "32768 is too large; it must be at most 32767"),
        ("real", 16777217, "16777217 would be read back as 16777216"),
        ("real", 0.123456789, "0.123456789 would be read back as 0.12345679"),
        ("real", 1e39, "1e+39 is too large"),
        ("real", 1e-50, "1e-50 would be read back as 0"),
        ("numeric NOT NULL", None, "must not be null"),
        ("real NOT NULL", None, "must not be null"),
        ("numeric(5,2)", 999.99, None),
        ("numeric(5,2)", 1e-2, None),
        ("numeric(5,2)", None, None),
        ("smallint", 7.0, None),
        ("real", 0.1, None),
        ("double precision", 0.1, None),
        ("numeric", 0.123456789, None),
    ],
)
def test_numbers(type_: str, value: Any, said: str | None) -> None:
    wanted = content(setting("daily_limits", "Early", line=3, penalty_weight=value))
    expected = f"penalty_weight: {said} (the database's column is {type_})"
    found = complaints(wanted, tables(penalty_weight=type_))
    assert found == ([f"config/sakura/settings.yaml:3:5: {expected}"] if said else [])


@pytest.mark.parametrize(
    ("type_", "value", "said"),
    [
        ("character varying(7)", "\u6599\u7406\u9577" * 3, "is longer than 7 characters"),
        ("character varying(1)", "\x1b[31m", "is longer than 1 character"),
        ("character(7)", "abc ", "ends with a space, which would be lost"),
        ("character varying(7)", "abc    ", None),
        ("character varying(3)", "\u6599\u7406\u9577", None),
        ("character varying", "a" * 300, None),
    ],
)
def test_texts(type_: str, value: str, said: str | None) -> None:
    (*found,) = complaints(content(group("A", line=2, description=value)), tables(description=type_))
    assert len(found) == (said is not None)
    assert all(f"{said} (the database's column is {type_})" in one for one in found)
    assert all("\x1b" not in one for one in found)


def test_what_does_not_change_is_not_asked_about() -> None:
    """It came from the database."""
    there = group("A", description="1234567")
    changes, unchanged = compare(content(there), actual(there).settings)
    assert (changes, unchanged) == ([], 1)
    assert complaints(content(there), tables(description="character varying(3)"))
    ensure_fitting(changes, kinds(), tables(description="character varying(3)"))


def test_a_delete_asks_nothing() -> None:
    there = group("A", description="1234567")
    changes, _ = compare(content(), actual(there).settings)
    assert len(changes) == 1
    ensure_fitting(changes, kinds(), tables(description="character varying(3)"))


def test_a_field_that_is_left_out_stands_where_its_entry_does() -> None:
    text = "daily_limits:\n  - name: Early\n    penalty_weight: 2\n    limit_config: null\n"
    wanted = load(sakura(text)).state.restaurants["sakura"].content
    found = complaints(
        wanted,
        tables(penalty_weight="numeric(2,2)", effective_from="date NOT NULL", limit_config="jsonb NOT NULL"),
    )
    file, column = "config/sakura/settings.yaml", "the database's column is"
    weight = f"{column} numeric(2,2)"
    assert found == [
        f"{file}:{place(text, 'name')}: effective_from: must not be null ({column} date NOT NULL)",
        f"{file}:{place(text, '2')}: penalty_weight: 2 is too large; it must be below 1 ({weight})",
        f"{file}:{place(text, 'null')}: limit_config: must not be null ({column} jsonb NOT NULL)",
    ]


def test_nothing_is_asked_where_nothing_differs() -> None:
    class Untouchable(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise AssertionError(key)

    one = group("A", line=2)
    changes, _ = compare(content(one), {})
    object.__setattr__(one, "values", Untouchable())
    ensure_fitting(changes, kinds(), tables())
    with pytest.raises(AssertionError):
        ensure_fitting(changes, kinds(), tables(color="character varying(7)"))
