"""Comments beside and below values that change: in the column and in the brackets where they were."""

from __future__ import annotations

from typing import Any

import pytest

from rowform.document import parse
from rowform.splice import Guide, splice

ALIGNED = """\
name: Floor      # what it is called
weight: 10       # points
list: [1, {a: 2}]  # odd, and not in the column
empty:           # nothing yet
deep:
  a: 1           # in the same column
"""
GUIDE = Guide(lambda _: (), lambda _, name, value: [f"{name}: {value}"])
CLOSE = """\
- short: 1 # one
  longer: "text" # two
- next: 10   # three
  last: 1000 # four
"""


def line(text: str, wanted: Any, number: int) -> str:
    results = set[str]()
    for end in ("\n", "\r\n"):
        written = splice(text.replace("\n", end), wanted, GUIDE)
        assert written is not None
        lines = written.split(end)
        others = [one for index, one in enumerate(text.split("\n")) if index != number]
        assert [one for index, one in enumerate(lines) if index != number] == others
        results.add(lines[number])
    (result,) = results
    return result


def read(text: str) -> Any:
    document, _ = parse("f", text.encode())
    assert document is not None
    return document.value


@pytest.mark.parametrize(
    ("field", "value", "number", "expected"),
    [
        ("weight", 7, 1, "weight: 7        # points"),
        ("weight", 12345678, 1, "weight: 12345678 # points"),
        ("weight", 123456789, 1, "weight: 123456789  # points"),
        ("weight", "no room for that any more", 1, "weight: no room for that any more  # points"),
        ("name", "料理長", 0, "name: 料理長        # what it is called"),
        ("list", [1, {"a": 22}], 2, "list: [1, {a: 22}]  # odd, and not in the column"),
        ("empty", 0, 3, "empty: 0         # nothing yet"),
        ("deep", {"a": 100}, 5, "  a: 100         # in the same column"),
    ],
)
def test_a_comment_keeps_its_column(field: str, value: Any, number: int, expected: str) -> None:
    assert line(ALIGNED, {**read(ALIGNED), field: value}, number) == expected


@pytest.mark.parametrize(
    ("index", "field", "value", "number", "expected"),
    [
        # Nothing says that these are in a column.
        (0, "short", 12345, 0, "- short: 12345 # one"),
        (0, "longer", "x", 1, '  longer: "x" # two'),
        # One space is few, and the column that of the line below or above.
        (1, "last", 1, 3, "  last: 1    # four"),
        (1, "last", 12345, 3, "  last: 12345 # four"),
        (1, "next", 1000, 2, "- next: 1000 # three"),
    ],
)
def test_a_comment_close_to_its_value(index: int, field: str, value: Any, number: int, expected: str) -> None:
    text = "list:\n" + CLOSE
    wanted = read(text)
    wanted["list"][index][field] = value
    assert line(text, wanted, number + 1) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [\n  1,\n  2, # two\n  # left\n]\n", "a: [\n  # left\n]\n"),
        ("a: [1, 2,\n  # left\n]\n", "a: [\n  # left\n]\n"),
        # A comma of its own would be left alone.
        ("a: [\n  1\n  , # gone\n]\n", "a: []\n"),
        ("a: [1, 2] # beside\n", "a: [] # beside\n"),
    ],
)
def test_a_comment_below_what_goes_stays_in_its_brackets(text: str, expected: str) -> None:
    assert splice(text, {"a": []}, GUIDE) == expected
