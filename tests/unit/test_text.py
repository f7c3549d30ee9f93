"""Words and values as people may safely see them."""

from __future__ import annotations

import json
import unicodedata

import pytest

from rowform.text import closest, count, did_you_mean, escape, joined, pointer, quote, steps

ESCAPED = {
    "ESC": ("\x1b[31mred", "\\x1b[31mred"),
    "OSC": ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
    "OSC 8 hyperlink": ("\x1b]8;;https://x\x1b\\y", "\\x1b]8;;https://x\\x1b\\y"),
    "C1 CSI": ("\x9b31m", "\\x9b31m"),
    "C1 OSC": ("\x9d0;x\x9c", "\\x9d0;x\\x9c"),
    "carriage return": ("all is well\rno", "all is well\\rno"),
    "line breaks": ("a\nb\x0bc\x0cd\x85e\u2028f\u2029g", "a\\nb\\x0bc\\x0cd\\x85e\\u2028f\\u2029g"),
    "tab, backspace, bell, NUL, DEL": ("\t\x08\x07\x00\x7f", "\\t\\x08\\x07\\x00\\x7f"),
    "bidirectional": ("\u202eevil\u202c \u2066x\u2069 \u200f\u061c",
    "\\u202eevil\\u202c \\u2066x\\u2069 \\u200f\\u061c"),
    "invisible": ("a\u200bb\u2060c\ufeffd", "a\\u200bb\\u2060c\\ufeffd"),
    "lone surrogate": ("\ud83d", "\\ud83d"),
    "harmless": ("料理長 é Å ☕ 😀 \u200dआ \\ \"'", "料理長 é Å ☕ 😀 \u200dआ \\ \"'"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ESCAPED.values(), ids=ESCAPED)
def test_escape(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_no_control_and_no_bidirectional_character_survives() -> None:
    dangerous = [
        char
        for char in map(chr, range(0x110000))
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or char in "\u061c\u200e\u200f"
    ]
    assert len(dangerous) == 65 + 2048 + 2 + 9 + 3
    for char in dangerous:
        shown = escape(f"a{char}b")
        assert shown.isprintable()
        assert shown.isascii()
        assert quote(char).isascii()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"), (True, "true"), (1, "1"), (1.5, "1.5"), ("1", '"1"'), ("", '""'), ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\\\b"'), ("料理", '"料理"'), ("\x1b[31m", '"\\u001b[31m"'), ("a\r\nb", '"a\\r\\nb"'),
        ("\x9b", '"\\x9b"'), ("\u202e", '"\\u202e"'), ("\ud800", '"\\ud800"'), ("\x7f", '"\\x7f"'),
        ([1, "\x1b"], '[1, "\\u001b"]'), ({"\u202e": "\x9b"}, '{"\\u202e": "\\x9b"}'), ({}, "{}"), ([], "[]"),
    ],
)  # fmt: skip
def test_quote(value: object, expected: str) -> None:
    assert quote(value) == expected


def test_what_is_quoted_can_be_told_from_its_escape() -> None:
    assert quote("\x1b") != quote("\\x1b") != quote("\\u001b")
    assert quote("\x9b") != quote("\\x9b")
    for text in ("\x1b", "\\u001b", "\u202e", "\n"):
        assert json.loads(quote(text)) == text


def test_quote_cuts_long_values() -> None:
    assert quote("x" * 198) == f'"{"x" * 198}"'
    assert quote("x" * 199) == f'"{"x" * 199}…'
    assert quote("x" * 10_000, 60) == f'"{"x" * 59}…'


def test_hints() -> None:
    fields = ["penalty_weight", "is_active", "name"]
    assert closest("penalty_wieght", fields) == "penalty_weight"
    assert closest("Name", fields) == "name"
    assert closest("colour", fields) is None
    assert closest("maxcount", ["maxCount", "minCount"]) == "maxCount"
    assert closest("x", []) is None
    assert did_you_mean("nmae", fields) == "did you mean `name`?"
    assert did_you_mean("zzz", fields) is None
    assert did_you_mean("abc\x1bd", ["abc\x1be"]) == "did you mean `abc\\x1be`?"


def test_small_words() -> None:
    assert [count(n, "setting") for n in (0, 1, 2, 1234)] == [
        "0 settings",
        "1 setting",
        "2 settings",
        "1,234 settings",
    ]
    assert [joined(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_paths() -> None:
    assert pointer(["a/b", "m~n", 0, ""]) == "/a~1b/m~0n/0/"
    assert pointer([]) == ""
    assert "".join(steps(["limit_config", "maxCount"])) == "limit_config.maxCount"
    assert "".join(steps(["a", 0, 1, "b c", "料理", "x\x1b"])) == 'a[0][1]."b c".料理."x\\u001b"'
    assert "".join(steps(["", "a.b"])) == '""."a.b"'
