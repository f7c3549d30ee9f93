"""The YAML reader: values of the core schema, every fault at its place, nothing that costs a second."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest

from rowform.document import MAX_BYTES, MAX_DEPTH, MAX_LINE, Document, parse
from rowform.document.fast import agrees
from rowform.location import Location


def read(text: str | bytes) -> Document:
    document, problems = parse("f.yaml", text.encode() if isinstance(text, str) else text)
    assert document is not None
    assert problems == []
    return document


def value(text: str) -> Any:
    return read(text).value


def said(text: str | bytes) -> list[str]:
    """``line:column: message (hint)`` of every problem."""
    _, problems = parse("f.yaml", text.encode() if isinstance(text, str) else text)
    return [str(problem).removeprefix("f.yaml:") for problem in problems]


def soft(text: str) -> tuple[Any, list[str]]:
    document, problems = parse("f.yaml", text.encode())
    assert document is not None
    return document.value, [str(problem).removeprefix("f.yaml:") for problem in problems]


# --- the core schema -----------------------------------------------------------------------------

CORE = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "nULL": "nULL",
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False, "tRUE": "tRUE",
    "no": "no", "off": "off", "yes": "yes", "on": "on", "n": "n", "y": "y",
    "0": 0, "-0": 0, "+5": 5, "-5": -5, "010": 10, "-010": -10, "00": 0, "09": 9, "1_000": "1_000",
    "0o17": 15, "0o18": "0o18", "0x1F": 31, "0x1f": 31, "-0x1F": "-0x1F", "+0o7": "+0o7", "0X1F": "0X1F",
    "0b11": "0b11", "-0b1": "-0b1",
    "1.10": 1.1, ".5": 0.5, "+.5": 0.5, "-.5": -0.5, "5.": 5, "1.0": 1, "-0.0": 0, "1e3": 1000, "1E3": 1000,
    "1.5e+3": 1500, "12e03": 12000, "25e-1": 2.5, "1e-400": 0, "00.5": 0.5, "1e300": 1e300,
    ".": ".", "+": "+", "1e": "1e", ".e3": ".e3", "1.5.5": "1.5.5", "1,5": "1,5", "nan": "nan", "inf": "inf",
    ".nAn": ".nAn", "infinity": "infinity", "\u0663": "\u0663",
    "12:30": "12:30", "09:30": "09:30", "1:02:03": "1:02:03", "2026-04-01": "2026-04-01",
    "2026-04-01T09:30:00Z": "2026-04-01T09:30:00Z", "#x": None, "x#y": "x#y", "=": "=", "料理長": "料理長",
    '"no"': "no",
    "'1'": "1", '"1"': "1", "'~'": "~", '""': "", '"\\u0041\\n\\t"': "A\n\t", '"\\U0001F600"': "😀",
    "9007199254740991": 2**53 - 1, "-9007199254740991": 1 - 2**53,
}  # fmt: skip


BLOCKS = ("a: {}", "a: {}\n", "a: {} # c\r\n", "a: &x {}")


@pytest.mark.parametrize(
    ("frame", "written", "expected"),
    [(frame, *pair) for pair in CORE.items() for frame in BLOCKS]
    + [("{{a: {} }}", *pair) for pair in CORE.items() if pair[0] not in ("#x", "1,5")],
)
def test_core_schema(frame: str, written: str, expected: Any) -> None:
    got = value(frame.format(written))
    assert repr(got) == repr({"a": expected})  # repr: 1, 1.0 and True are equal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("# only\n", None),
        ("---\n", None),
        ("---\n...\n", None),
        ("~", None),
        ("--- a", "a"),
        ("- a\n- - b\n  - c\n-\n", ["a", ["b", "c"], None]),
        ("- 1\n- [2, {a: 3}]\n", [1, [2, {"a": 3}]]),
        ("a: |\n  x\n  y\n\nb: >-\n  x\n  y\n", {"a": "x\ny\n", "b": "x y"}),
        ("{a, b: , c}", dict.fromkeys("abc")),
        ("a: 'it''s\n\n  so'", {"a": "it's\nso"}),
        ('{"a":1,"b":[true,null]}', {"a": 1, "b": [True, None]}),
        ("? a\n: b\n? c\n", {"a": "b", "c": None}),
        ("a: x\rb: y\r\n", {"a": "x", "b": "y"}),
        ("%YAML 1.2\n---\na: 1\n", {"a": 1}),
        ('"<<": 1\n"1": 2\n"null": 3\n', {"<<": 1, "1": 2, "null": 3}),
        ("a: &x [1, *y]\n".replace("*y", "2") + "b: *x\nc: *x", {"a": [1, 2], "b": [1, 2], "c": [1, 2]}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ("&k a: 1\nb: *k", {"a": 1, "b": "a"}),
        ("&k a: 1\nx: {*k : 2}", {"a": 1, "x": {"a": 2}}),
    ],
)
def test_structures(text: str, expected: Any) -> None:
    assert repr(value(text)) == repr(expected)


@pytest.mark.parametrize(
    ("text", "empty"),
    [
        ("", True),
        ("# c\n\n", True),
        ("---\n# c\n...\n", True),
        ("~", False),
        ("null\n", False),
        ("{}", False),
        ("a:", False),
        ("''", False),
    ],
)
def test_emptiness(text: str, empty: bool) -> None:
    assert read(text).is_empty is empty


def test_no_marks_of_1_1_are_left_in_structures() -> None:
    document = read("on: {off: [no, 12:30, 010, 1_000]}\n")
    assert document.value == {"on": {"off": ["no", "12:30", 10, "1_000"]}}


# --- soft problems: all of them in one run -------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept", "problems"),
    [
        ("a: 1\nb: 2\na: 3\n", {"a": 1, "b": 2}, ['3:1: duplicate key "a", first on line 1']),
        (
            "x:\n  - {a: 1, a: [2, .nan], a: 3}\n",
            {"x": [{"a": 1}]},
            [
                '2:12: duplicate key "a", first on line 2',
                "2:19: NaN is not a number that JSON can carry (quote it if it is text)",
                '2:26: duplicate key "a", first on line 2',
            ],
        ),
        ('"1": a\n1: b\n', {"1": "a"}, ['2:1: key 1 is a number (quote it: "1")']),
        (
            '1: a\n"1": b\n',
            {"1": "a"},
            ['1:1: key 1 is a number (quote it: "1")', '2:1: duplicate key "1", first on line 1'],
        ),
        (
            "true: a\n1.5: b\n~: c\n9e999: d\n",
            {"true": "a", "1.5": "b", "~": "c", "9e999": "d"},
            [
                '1:1: key true is a boolean (quote it: "true")',
                '2:1: key 1.5 is a number (quote it: "1.5")',
                '3:1: key ~ is the null value (quote it: "~")',
                '4:1: key 9e999 is a number (quote it: "9e999")',
            ],
        ),
        ("{1}", {"1": None}, ['1:2: key 1 is a number (quote it: "1")']),
        ("?\n: x\n", {"": "x"}, ["1:2: a key is missing here (a mapping key must be text)"]),
        (
            "? [a, {b: c}, {? [d] : e}]\n: b\nc: d\n",
            {"c": "d"},
            ["1:3: a mapping key must be text, not a list or a mapping"],
        ),
        (
            "a: !!python/object:os.system {x: 1}\n",
            {"a": {"x": 1}},
            ['1:4: tag "!!python/object:os.system" is not allowed (remove it)'],
        ),
        (
            "a: !!str 1\nb: !local [x]\nc: ! y\n",
            {"a": "1", "b": ["x"], "c": "y"},
            [
                '1:4: tag "!!str" is not allowed (quote a value to make it text)',
                '2:4: tag "!local" is not allowed (remove it)',
                '3:4: tag "!" is not allowed (remove it)',
            ],
        ),
        ("a: !<x%1b%5b31m> y\n", {"a": "y"}, ['1:4: tag "x\\u001b[31m" is not allowed (remove it)']),
        (
            "base: &b {x: 1}\na:\n  <<: *b\n  y: 2\n",
            {"base": {"x": 1}, "a": {"<<": {"x": 1}, "y": 2}},
            ["3:3: merge keys are not part of YAML 1.2 (repeat the fields, or use inherits)"],
        ),
        (
            "a: 1\n---\nb: 2\n",
            {"a": 1},
            ["2:1: a second document begins here (keep one document in each file)"],
        ),
        (
            "%YAML 1.1\n---\na: no\n",
            {"a": "no"},
            ["1:1: YAML 1.1 is not what this file is read as (remove the directive, or write %YAML 1.2)"],
        ),
        (
            "%TAG !e! tag:x\n---\na: 1\n",
            {"a": 1},
            ["1:1: %TAG directives are not allowed (remove the directive)"],
        ),
        (
            "- .nan\n- -.inf\n- 1e400\n- [9007199254740992, -9007199254740992, 0x20000000000000]\n",
            [".nan", "-.inf", "1e400", ["9007199254740992", "-9007199254740992", "0x20000000000000"]],
            [
                "1:3: NaN is not a number that JSON can carry (quote it if it is text)",
                "2:3: infinity is not a number that JSON can carry (quote it if it is text)",
                "3:3: 1e400 is too large for a JSON number (quote it if it is text)",
                "4:4: 9007199254740992 is too large for a JSON number (quote it to keep every digit)",
                "4:22: -9007199254740992 is too large for a JSON number (quote it to keep every digit)",
                "4:41: 0x20000000000000 is too large for a JSON number (quote it to keep every digit)",
            ],
        ),
        (
            'a: "x\\0"\nb: "\\x1b[31m"\nc: "\\u202e"\nd: "\\x85"\n',
            {"a": "x\0", "b": "\x1b[31m", "c": "\u202e", "d": "\x85"},
            [
                "1:4: an escape in this text makes U+0000 (NULL), which is not allowed",
                "2:4: an escape in this text makes U+001B (ESCAPE), which is not allowed",
                "3:4: an escape in this text makes U+202E (RIGHT-TO-LEFT OVERRIDE), which is not allowed",
                "4:4: an escape in this text makes U+0085 (control character), which is not allowed",
            ],
        ),
        ('"\\0": 1\n', {"\0": 1}, ["1:1: an escape in this text makes U+0000 (NULL), which is not allowed"]),
        ("a: *x\n", {"a": "*x"}, ["1:4: alias *x has no anchor &x before it (quote it if it is text)"]),
        ("a: &a [1, *a]\n", {"a": [1, "*a"]}, ["1:11: alias *a stands inside the value that it repeats"]),
        (
            "a: &x [1]\nb: {*x : 2}\n",
            {"a": [1], "b": {"*x": 2}},
            ["2:5: alias *x is used as a key and is not text"],
        ),
        (
            'name: "Kitchen\ncolor: "#3B82F6"\nx: 1\n',
            {"name": "Kitchen color: ", "x": 1},
            ["1:7: quote is never closed (it ends at the next quote, on line 2)"],
        ),
        (
            "- 'A\n- '# x'",
            ["A - "],
            ["1:3: quote is never closed (it ends at the next quote, on line 2)"],
        ),
        (
            'a: "x\nb:"#y"\n',
            {"a": "x b:"},
            ["1:4: quote is never closed (it ends at the next quote, on line 2)"],
        ),
        (
            'a: "x:\n"#y"\n',
            {"a": "x: "},
            ["1:4: quote is never closed (it ends at the next quote, on line 2)"],
        ),
    ],
)
def test_soft_problems(text: str, kept: Any, problems: list[str]) -> None:
    got, messages = soft(text)
    assert repr(got) == repr(kept)
    assert messages == problems


@pytest.mark.parametrize("digits", [17, 25, 39, 45, 310, 500, 5000])
@pytest.mark.parametrize("form", ["{}", "-{}", "{}.5", "+{}."])
def test_long_numbers(digits: int, form: str) -> None:
    number = form.format("1" * digits)
    got, messages = soft(f"a: {number}\n")
    if "." in number and digits < 300:
        assert messages == []
        assert got == {"a": float(number)}
    else:
        assert got == {"a": number}
        assert len(messages) == 1
        assert "is too large for a JSON number" in messages[0]
        assert len(messages[0]) < 150


def test_all_problems_in_one_run_and_once() -> None:
    _, messages = soft("a: 1\na: !x 2\n1: .inf\n<<: 3\nb: *c\n")
    assert [message.split(": ")[0] for message in messages] == ["2:1", "2:4", "3:1", "3:4", "4:1", "5:4"]


def test_a_flood_of_problems_is_cut() -> None:
    messages = said("k: 1\n" * 5_000)
    assert len(messages) == 1_000
    assert messages[-1].startswith("1001:1: ")


# --- text that cannot be read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n\tb: 1\n", "2:1: tab used for indentation; use spaces"),
        ("x:\n  - a\n\t- b\n", "3:1: tab used for indentation; use spaces"),
        ("a: >\n\tx", "2:1: tab used for indentation; use spaces"),
        ("a: 1\nb: 'x\nc: 2\n", "2:4: quote is never closed"),
        ('料: "x\n', "1:4: quote is never closed"),
        ("a: ['x\n---\nb: 1\n", "1:5: quote is never closed"),
        (
            'name: "Kitchen\ncolor: "3B82F6"\n',
            "1:7: quote is never closed (it ends at the next quote, on line 2)",
        ),
        (
            "- n: 'A\n- n: 'B'\n- n: 'C'\n",
            "1:6: quote is never closed (it ends at the next quote, on line 2)",
        ),
        ("a: [1\nb: 2\n", '1:4: "[" is never closed, or a comma is missing before line 2'),
        ("a: [1, {b: 2\n\n", '1:8: "{" is never closed'),
        ("a: [", '1:4: "[" is never closed'),
        ("a: ['x' y]", '1:9: a comma or "]" was expected here'),
        ("a: {'x' y}", '1:9: a comma or "}" was expected here'),
        ("a: [1,,2]", "1:7: a value was expected here"),
        ("a: }", "1:4: a value was expected here"),
        (
            "a: b: c",
            '1:5: ":" is not allowed here (check the indentation, and quote text that contains ": ")',
        ),
        (
            "a: 1\n b: 2",
            '2:3: ":" is not allowed here (check the indentation, and quote text that contains ": ")',
        ),
        (
            "a: - b",
            (
                '1:4: "- " is not allowed here'
                ' (begin a list on its own line, and quote text that begins with "- ")'
            ),
        ),
        ("a: ? b", '1:4: "? " is not allowed here (quote it if it is text)'),
        (
            "a: 1\nb\nc: 2\n",
            (
                '2:1: this is neither "key: value" nor a list item'
                " (check the colon, the indentation and the quotes)"
            ),
        ),
        ("a:\n    b: 1\n  c: 2\n", "3:3: a key was expected here (check the indentation and the quotes)"),
        ("a: 'it's'", "1:8: a key was expected here (check the indentation and the quotes)"),
        ("- a\nb: c\n", '2:1: a list item, "- ", was expected here (check the indentation)'),
        (
            "a: 1\n...\nb: 2\n",
            (
                "3:1: this does not belong to what stands before it"
                " (check the indentation, brackets and quotes)"
            ),
        ),
        ("a: @x", '1:4: a value cannot begin with "@" (quote it)'),
        ("a: 50\nb: %x", '2:4: a value cannot begin with "%" (quote it)'),
        ('a: "\\q"', "1:5: unknown escape in double quotes (double the backslash, or use single quotes)"),
        ('a: "\\xZZ"', "1:5: this escape needs hexadecimal digits"),
        (
            'a: "xy\\ud800"',
            (
                "1:7: this escape is no character"
                " (surrogate pairs are JSON, not YAML: write the character itself)"
            ),
        ),
        ("a: **b**", '1:4: "&" and "*" must be followed by a name (quote it if it is text)'),
        ("!e!x a", "1:1: tags are not allowed (quote it if it is text)"),
        ("a: |x", '1:5: nothing may follow "|" or ">" on its line (quote it if it is text)'),
        ("a: |0\n", "1:5: not readable as YAML: found an indentation indicator equal to 0"),
        ("%YAML 2.0\n---\na", "1:1: this file is not YAML 1.2 (write %YAML 1.2, or nothing)"),
        ("a: x\n%b: y\n", '2:1: a line that begins with "%" is a directive (quote it if it is text)'),
        ("a\0b", "1:2: U+0000 (NULL) is not allowed (remove the character)"),
        ("a: x\r\nb: \x1b[31m", "2:4: U+001B (ESCAPE) is not allowed (remove the character)"),
        ("a: 料\x85", "1:5: U+0085 (control character) is not allowed (remove the character)"),
        ("a: x\ty\x7f", "1:7: U+007F (DELETE) is not allowed (remove the character)"),
        ("# \u202e\n", "1:3: U+202E (RIGHT-TO-LEFT OVERRIDE) is not allowed (remove the character)"),
        ("a: \u2067", "1:4: U+2067 (RIGHT-TO-LEFT ISOLATE) is not allowed (remove the character)"),
        ("a: \u200f", "1:4: U+200F (RIGHT-TO-LEFT MARK) is not allowed (remove the character)"),
        ("a: \u2028", "1:4: U+2028 (LINE SEPARATOR) is not allowed (remove the character)"),
        ("a: \ufeff", "1:4: U+FEFF (ZERO WIDTH NO-BREAK SPACE) is not allowed (remove the character)"),
        ("a: \uffff", "1:4: U+FFFF (control character) is not allowed (remove the character)"),
        ("\ufeffa: 1", "1:1: this file is UTF-8 with a byte order mark (save it as UTF-8 without BOM)"),
        ("a: 1".encode("utf-16"), "1:1: this file is UTF-16 (save it as UTF-8 without BOM)"),
        ("a: 1".encode("utf-16-le"), "1:1: this file looks like UTF-16 (save it as UTF-8 without BOM)"),
        ("a: 1".encode("utf-16-be"), "1:1: this file looks like UTF-16 (save it as UTF-8 without BOM)"),
        ("a: 1".encode("utf-32"), "1:1: this file is UTF-32 (save it as UTF-8 without BOM)"),
        ("料: 1\r\nb: é".encode()[:-1], "2:4: byte 0xC3 is not valid UTF-8 (save the file as UTF-8)"),
        (b"a: 1\rb: \xed\xa0\x80", "2:4: byte 0xED is not valid UTF-8 (save the file as UTF-8)"),
        (b"a: caf\xe9\n", "1:7: byte 0xE9 is not valid UTF-8 (save the file as UTF-8)"),
    ],
)
def test_unreadable(text: str | bytes, problem: str) -> None:
    document, _ = parse("f.yaml", text.encode() if isinstance(text, str) else text)
    assert document is None
    assert said(text) == [problem]


def test_soft_problems_before_bad_syntax_are_kept() -> None:
    assert said("a: 1\na: 2\nb: 'x") == [
        '2:1: duplicate key "a", first on line 1',
        "3:4: quote is never closed",
    ]


def test_forbidden_characters_are_all_named_up_to_a_limit() -> None:
    assert [message[:4] for message in said("a\x01\n\x02b\x03")] == ["1:2:", "2:1:", "2:3:"]
    assert len(said("\x01" * 1_000)) == 20


# --- limits: nothing costs a second or much memory -----------------------------------------------

_LEVELS = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)]
BOMB = "a0: &a0 [" + "lol, " * 9 + "]\n" + "".join(_LEVELS)
_MERGES = [f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)]
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(_MERGES)
CHAIN = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 100))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (BOMB, "5:10: aliases repeat too much: this file would grow beyond any use"),
        (MERGE_BOMB, "aliases repeat too much"),
        ("[" * 100_000, "1:65: nested more than 64 levels deep"),
        ("[" * 100_000 + "]" * 100_000, "1:65: nested more than 64 levels deep"),
        ("{a: " * 100_000, "1:257: nested more than 64 levels deep"),
        ('["]", ' * 100_000, "1:385: nested more than 64 levels deep"),
        ('["]",\n' * 100_000, "65:1: nested more than 64 levels deep"),
        ("- " * 100_000, "1:129: nested more than 64 levels deep"),
        ("? " * 100_000, "nested more than 64 levels deep"),
        ("".join(f"{' ' * n}a:\n" for n in range(1_000)), "65:65: nested more than 64 levels deep"),
        (CHAIN, "64:12: nested more than 64 levels deep"),
        (f"a: '{'x' * 5_000_000}'\n", f"1:1: this line has 5,000,005 characters; the limit is {MAX_LINE:,}"),
        ("a: 1\r\n" + "x" * 5_000_000, f"2:1: this line has 5,000,000 characters; the limit is {MAX_LINE:,}"),
        (b"x" * 200_000_000, "1:1: the file has 200,000,000 bytes; the limit is 10,485,760"),
        (b"\x00" * MAX_BYTES, "this line has"),
        (b"a\x00\x00\n" * (MAX_BYTES // 4), "1:2: U+0000 (NULL) is not allowed"),
    ],
    ids=[
        "aliases",
        "merges",
        "brackets",
        "pairs",
        "braces",
        "hidden",
        "lines",
        "dashes",
        "questions",
        "indents",
        "chain",
        "line",
        "line-2",
        "size",
        "nul-line",
        "nuls",
    ],
)
def test_pathological_files_fail_at_once(data: str | bytes, problem: str) -> None:
    data = data.encode() if isinstance(data, str) else data
    parse("f.yaml", b"a: &x 1\nb: *x")  # the imports are not what is measured
    start = time.perf_counter()
    document, problems = parse("f.yaml", data)
    elapsed = time.perf_counter() - start
    assert document is None
    assert problem in str(problems[-1] if "U+" not in problem else problems[0])
    assert elapsed < 1


def test_bombs_take_no_memory() -> None:
    tracemalloc.start()
    try:
        for bomb in (BOMB, MERGE_BOMB, "[" * 100_000):
            parse("f.yaml", bomb.encode())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_limits_admit_what_is_below_them() -> None:
    assert value("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    assert value("{a: " * MAX_DEPTH + "}" * MAX_DEPTH) is not None
    assert said("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == ["1:65: nested more than 64 levels deep"]
    assert len(value(f"a: {'x' * (MAX_LINE - 3)}\nb: 1\n")["a"]) == MAX_LINE - 3
    assert value("a: x\n" + "# pad\n" * ((MAX_BYTES - 5) // 6)) == {"a": "x"}
    assert value("b: &b [1, 2, 3]\n" + "".join(f"k{n}: *b\n" for n in range(2_000)))["k1999"] == [1, 2, 3]


def test_brackets_in_text_are_not_nesting() -> None:
    quoted = ["[" * 5, "{", "[{[{", "]", ":-["]
    lines = [f'- "{quoted[n % 5]}{n}"\n- it\'s [ here {n}\n' for n in range(2_000)]
    got = value("".join(lines))
    assert len(got) == 4_000
    assert got[2] == "{1"
    assert len(value("[" + ", ".join(f'"[{n}"' for n in range(5_000)) + "]")) == 5_000


def test_a_quoted_flood_of_dashes_is_no_nesting() -> None:
    assert value('a: "' + "- " * 10_000 + '"') == {"a": "- " * 10_000}
    assert value("a: |\n  " + "? " * 10_000 + "\n") == {"a": "? " * 10_000 + "\n"}


# --- which path ----------------------------------------------------------------------------------

TYPICAL = """\
# yaml-language-server: $schema=../../schemas/settings.schema.json
staff_groups:
  - name: Kitchen & Bar
    previously: [Back of house]
    color: "#3B82F6"
    shade: '#0b0e10'
    other: "#3e8e41"
    group_config: {members: [料理長, 井関, "O'Neil"], opens: 09:30, closes: 00:30, e: [0, 0.5, -0.5]}
daily_limits:
  - name: Max off per day!
    limit_config: {shiftType: off, maxCount: 3, daysOfWeek: [0, 1, 2, 3, 4, 5, 6], at: "05:00"}
    penalty_weight: 50.10
    is_hard_constraint: true
    effective_from: 2026-04-01
    between: [22:00, 07:00:00]
    effective_until: ~
    phone: +81 3-0123-4567
    path: C:\\data
    text: 100% sure, 2 * 3 (really?) "quoted" <b>
    note: |
      * one
      - two: 0
    ids: [0d9f2c3e-7a11-4b0e-9d53-0e5a2b7c1e10, 0d9f2c3e-7a11-4b0e-9d53-000000001e10, a.5e-5]
"""


def test_typical_files_go_the_fast_way() -> None:
    assert agrees(TYPICAL)


@pytest.mark.parametrize(
    "text",
    [
        "a: 010",
        "{'a':010}",
        "{? [a]:010}",
        "1" * 300,
        "a: 7\n" * 99 + "- x" + "1" * 300,
        "a: -010",
        "[00]",
        '{"a":010}',
        "a: 0b11",
        "-0x1F",
        "- +0o7",
        "a: 1e400",
        "1E5",
        "[-1.5e-3]",
        "{a: .5e400}",
        "1" * 500 + "e1",
        "a: !x y",
        "!x y",
        "&a b",
        "[&a b]",
        "*a",
        "<<: 1",
        "%YAML 1.1",
        "a: 1\n%x",
        '"\\0"',
        '"\\u202e"',
        '"\\ud800"',
        "'a':!x",
    ],
)
def test_deviations_go_the_exact_way(text: str) -> None:
    assert not agrees(text)


# --- positions -----------------------------------------------------------------------------------

PLACES = """\
# c
staff:
  - name: 料理 # c
    color: "#3B82F6"
    empty:

  # about the next
  - name: B
    text: |
      one

      two

    # c

    days: [1,
      1.10]
  -
  - {a: {b: 'x'}, c: }
last: end
  of it

# the end
"""


def places(crlf: bool) -> Document:
    return read(PLACES.replace("\n", "\r\n") if crlf else PLACES)


@pytest.mark.parametrize("crlf", [False, True])
@pytest.mark.parametrize(
    ("pointer", "at", "lines", "source"),
    [
        ((), ((2, 1), (2, 1)), (2, 21), None),
        (("staff",), ((3, 3), (2, 1)), (3, 19), None),
        (("staff", 0), ((3, 5), (3, 5)), (3, 5), None),
        (("staff", 0, "name"), ((3, 11), (3, 5)), (3, 3), "料理"),
        (("staff", 0, "color"), ((4, 12), (4, 5)), (4, 4), None),
        (("staff", 0, "empty"), ((5, 5), (5, 5)), (5, 5), ""),
        (("staff", 1), ((8, 5), (8, 5)), (8, 17), None),
        (("staff", 1, "text"), ((9, 11), (9, 5)), (9, 12), None),
        (("staff", 1, "days"), ((16, 11), (16, 5)), (16, 17), None),
        (("staff", 1, "days", 1), ((17, 7), (17, 7)), (17, 17), "1.10"),
        (("staff", 2), ((18, 4), (18, 4)), (18, 18), ""),
        (("staff", 3, "a", "b"), ((19, 13), (19, 10)), (19, 19), None),
        (("staff", 3, "c"), ((19, 19), (19, 19)), (19, 19), ""),
        (("last",), ((20, 7), (20, 1)), (20, 21), "end of it"),
    ],
)
def test_places(
    crlf: bool,
    pointer: tuple[str | int, ...],
    at: tuple[tuple[int, int], tuple[int, int]],
    lines: tuple[int, int],
    source: str | None,
) -> None:
    document = places(crlf)
    assert document.locate(pointer) == Location("f.yaml", *at[0])
    assert document.locate(pointer, key=True) == Location("f.yaml", *at[1])
    assert document.lines(pointer) == lines
    assert document.source(pointer) == source


@pytest.mark.parametrize(
    "pointer",
    [("staff", 0, "nmae"), ("staff", 0, 0), ("staff", 0, "nmae", "x", 3)],
)
def test_what_does_not_exist_stands_at_its_ancestor(pointer: tuple[str | int, ...]) -> None:
    document = places(crlf=False)
    assert document.locate(pointer) == document.locate(pointer, key=True) == Location("f.yaml", 3, 5)
    assert document.source(pointer) is None
    assert document.locate(("staff", 4)) == document.locate(("staff", -1)) == document.locate(("staff", "0"))
    assert document.locate(("staff", 4)) == Location("f.yaml", 3, 3)


def test_places_through_aliases() -> None:
    document = read("a: &x\n  b: 1.0\nc: *x\nd: [*x]\n")
    assert document.locate(("c",)) == Location("f.yaml", 3, 4)
    assert document.locate(("c",), key=True) == Location("f.yaml", 3, 1)
    assert document.locate(("d", 0)) == Location("f.yaml", 4, 5)
    assert document.locate(("c", "b")) == Location("f.yaml", 2, 6)
    assert document.lines(("c",)) == (3, 3)
    assert document.source(("d", 0, "b")) == "1.0"


def test_places_of_an_empty_file() -> None:
    document = read("# c\n")
    assert document.locate(("a",)) == Location("f.yaml", 1, 1)
    assert document.lines(()) == (1, 1)


def test_places_where_keys_are_doubled() -> None:
    document, _ = parse("f.yaml", b"a: 1\nb: 2\na: 3\n")
    assert document is not None
    assert document.locate(("a",)) == Location("f.yaml", 1, 4)


def test_problems_stand_where_locate_finds_the_value() -> None:
    document, problems = parse("f.yaml", b'a:\n  - &x !!int 5\n  - .inf\n  - "\\0"\n')
    assert document is not None
    assert [problem.location for problem in problems] == [document.locate(("a", index)) for index in range(3)]
