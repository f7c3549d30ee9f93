"""The fast path of the YAML reader reads what the exact one reads, or does not read at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rowform import document as module
from rowform.document import Document, parse
from rowform.document import fast as yamlfast
from rowform.document.scalars import FORBIDDEN
from rowform.text import UNSAFE

#: Plain scalars that readers of YAML disagree about, and neighbours of them.
_PLAIN = r"""
~ null Null nULL true TRUE tRUE False no off yes y n on 0 -0 +0 00 010 -010 +010 09 0o17 0o8 -0o7 0O7
0x1F 0X1 -0x1F +0x1 0b11 -0b1 1 -1 +1 1. .5 -.5 +.5 1.0 -0.0 1.10 00.5 01.5 1e3 1E3 1e+3 1.5e-3 .e3 1e
1e400 -1e400 1e-400 .inf -.inf +.Inf .nan .NaN .nAn nan inf 1_000 1,5 12:30 09:30 1:2:3 2026-04-01
2026-04-01T10:00:00Z 9007199254740991 9007199254740992 18446744073709551615 18446744073709551616
123456789012345678901234567890 0xFFFFFFFFFFFFFFFFFF 0o777777777777777777777777777 = << <<x * *a **b &a
&a! & ! !x !!str !a!b ? ?x - -- --- ... -a : :a a: a:b a::b # #a a# x#y % %x @ ` | > |- >2 [ ] { } , ' "
it's "a"b C:\x \0 a\ 料理長 😀 é \u00a0 \u30001 \u0663 \u200b x\ty 0 1 2 a b c e 3e8e41 0e1 e5 1e5x 0x 0o 0b
0b2 .1.2 1.2.3 +-1 - . .. + -. +. ._1 0_1 0. 1__0 Infinity ~a =x http://x:80/ a,b a=b
""".split()  # noqa: SIM905
_PLAIN += ["a\u00a0b", "\u30001", "\u0663", "\u200b", "x\ty", "a b", "1 2", "10 010", " x", ""]
_TOKENS = st.sampled_from(
    [token for token in _PLAIN if token.strip("\n")] + ["", "a b", "1 2", "10 010", " x"]
)
_FORBIDDEN = [chr(code) for code in range(0x10000) if FORBIDDEN.match(chr(code))]
_TEXT: st.SearchStrategy[str] = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[*_FORBIDDEN, "\r"])
    | st.sampled_from(" '\"\\:#-,[]{}\n0"),
    max_size=12,
)
_NUMBERS = st.one_of(
    st.integers(-(2**66), 2**66).map(str),
    st.floats().map(str),
    st.from_regex(r"[-+]?[0-9]{0,3}\.?[0-9]{0,3}([eE][-+]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"[-+]?0[xobXOB][0-9a-fA-F]{1,4}", fullmatch=True),
)
_ESCAPES = st.from_regex(
    r"(\\[0abtnvfreNLP_/ \"\\]|\\x[0-9a-f]{2}|\\u[0-9a-d][0-9a-f]{3}|x){0,4}", fullmatch=True
)


@st.composite
def _scalars(draw: st.DrawFn, indent: int) -> str:
    """One scalar in any style, as it would stand in a block at ``indent``."""
    style = draw(st.sampled_from(["plain", "plain", "number", "json", "single", "literal", "escape"]))
    if style == "plain":
        return draw(_TOKENS).replace("\n", "")
    if style == "number":
        return draw(_NUMBERS)
    if style == "escape":
        return '"' + draw(_ESCAPES) + '"'
    text = draw(_TEXT)
    if style == "json":
        return json.dumps(text, ensure_ascii=draw(st.booleans()))
    if style == "single":
        return "'" + text.replace("'", "''") + "'"
    header = draw(st.sampled_from(["|", "|-", "|+", ">", ">-", ">+", "|2"]))
    margin = "\n" + " " * (indent + 2)
    return header + margin + text.replace("\n", margin)


@st.composite
def _flows(draw: st.DrawFn, depth: int = 0) -> str:
    kind = draw(st.sampled_from(["scalar", "scalar", "list", "map"])) if depth < 3 else "scalar"
    if kind == "scalar":
        style = draw(st.sampled_from(["plain", "number", "json"]))
        if style == "json":
            return json.dumps(draw(_TEXT))
        return draw(_NUMBERS) if style == "number" else draw(_TOKENS).replace("\n", "")
    items = draw(st.lists(_flows(depth + 1), max_size=4))
    comma = draw(st.sampled_from([", ", ",", " ,\n   ", ", # c\n   "]))
    if kind == "list":
        return "[" + comma.join(items) + draw(st.sampled_from(["]", ",]", " ]"]))
    colon = draw(st.sampled_from([": ", ":", " : "]))
    keys = [draw(_TOKENS | st.sampled_from(["a", '"b"', "'c'", "d e"])).replace("\n", "") for _ in items]
    return "{" + comma.join(f"{key}{colon}{item}" for key, item in zip(keys, items, strict=True)) + "}"


@st.composite
def _blocks(draw: st.DrawFn, indent: int = 0, depth: int = 0) -> str:
    """A block of lines at ``indent``: mapping or list, comments and blank lines between."""
    pad = " " * indent
    out: list[str] = []
    kind = draw(st.sampled_from(["map", "list"]))
    keys = draw(
        st.lists(
            st.sampled_from(["a", "b", "c", "key", '"q"', "'s t'", "料"]) | _TOKENS, min_size=1, max_size=4
        )
    )
    for key in keys:
        out.append(draw(st.sampled_from(["", "", "", f"{pad}# c: [\n", "\n", "  # d\n"])))
        head = "-" if kind == "list" else key.replace("\n", "") + ":"
        if depth < 3 and draw(st.booleans()):
            inner = draw(_blocks(indent + 2, depth + 1))
            joint = f" {inner.lstrip(' ')}" if kind == "list" and inner.startswith("  ") else f"\n{inner}"
            out.append(f"{pad}{head}{joint}")
        else:
            scalar = draw(_flows() if draw(st.booleans()) else _scalars(indent))
            out.append(f"{pad}{head} {scalar}{draw(st.sampled_from(['', '', ' # c']))}\n")
    return "".join(out)


@st.composite
def _documents(draw: st.DrawFn) -> str:
    start = draw(st.sampled_from(["", "", "", "---\n", "# c\n", "%YAML 1.2\n---\n", "\n"]))
    end = draw(st.sampled_from(["", "", "", "...\n", "# c", "---\n", "\n\n"]))
    text = start + draw(_blocks() | _flows() | _scalars(0)) + end
    newline = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    return text.replace("\n", newline)


def agreed(text: str) -> Document | None:
    """Both readings of ``text``, compared; whatever is wrong with it is a problem and no exception."""
    fast = yamlfast.read(text)
    exact, problems = module._exact("f.yaml", text)
    if fast is not yamlfast.REFUSED:
        assert problems == []
        assert exact is not None
        assert repr(fast) == repr(exact.value)  # repr tells 1, 1.0, True and the order of keys apart
    return exact


def check_report(text: str) -> None:
    """Problems are one safe line each, inside the file; every value has a place."""
    document, problems = parse("f.yaml", text.encode("utf-8", "surrogatepass"))
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for problem in problems:
        assert not UNSAFE.search(str(problem))
        assert 1 <= problem.location.line <= len(rows)
        assert 1 <= problem.location.column <= len(rows[problem.location.line - 1]) + 1
    assert document is not None or problems
    if document is not None:
        check_places(document, len(rows))


def check_places(document: Document, rows: int) -> None:
    todo: list[tuple[tuple[str | int, ...], Any]] = [((), document.value)]
    while todo:
        pointer, value = todo.pop()
        assert document._place(pointer)[1]
        first, last = document.lines(pointer)
        assert 1 <= first <= last <= max(rows, first)
        if isinstance(value, dict):
            todo += [((*pointer, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            todo += [((*pointer, index), item) for index, item in enumerate(value)]


@pytest.mark.parametrize(
    "frame",
    [
        "{}",
        "a: {}\n",
        "- {}\n",
        "a:\t{}",
        "[{}]",
        "[a,{}]",
        "{{a: {}}}",
        '{{"a":{}}}',
        "{}: 1",
        "{{{}: 1}}",
        "{{{}}}",
        "a:\n  {}\n",
        "--- {}\n",
        "a:\r\n- {} # c\r\n",
        "? {}\n: {}\n",
        "'{}'",
        '- "{}"\n',
        "- |\n  {}\n",
    ],
)
@pytest.mark.parametrize("sign", ["", "-", "+"])
def test_every_tricky_scalar_agrees_everywhere(frame: str, sign: str) -> None:
    fast = 0
    for token in _PLAIN:
        text = frame.format(sign + token, sign + token)
        agreed(text)
        check_report(text)
        fast += yamlfast.read(text) is not yamlfast.REFUSED
    assert fast > 20


@settings(max_examples=400, deadline=None)
@given(_documents())
@example("a: 1.0\nb: [-0.0, 5.]\n")
@example('name: "Kitchen\ncolor: "#3B82F6"\n')
@example('a: "x\nb:"#y"\n')
@example('a: "x:\n"#y"\n')
@example('{\'a\':010, "b":-010, c: [x,"d":00:30]}')
@example("{1, 2}")
@example("&a [*a]")
def test_generated_documents_agree(text: str) -> None:
    if not FORBIDDEN.search(text):
        agreed(text)
    check_report(text)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab01.9 -:,[]{}\n\n'\"#&*!|>%?~<xeEo\\\t\r料"), max_size=40))
def test_random_text_agrees(text: str) -> None:
    agreed(text)
    check_report(text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_bytes_raise_nothing(data: bytes) -> None:
    document, problems = parse("f.yaml", data)
    assert document is not None or problems


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | _TEXT
    | st.floats(-1e15, 1e15).filter(lambda number: not number.is_integer()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(_JSON, st.sampled_from([None, 2]))
def test_json_is_read_as_json(value: Any, indent: int | None) -> None:
    """Against an independent reader. Long keys and surrogate pairs are where YAML is not JSON."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    exact = agreed(text)
    assert exact is not None
    assert repr(exact.value) == repr(value)


def test_the_gate_is_not_always_closed() -> None:
    """The comparisons above would prove nothing if no document went the fast way."""
    assert not yamlfast.agrees("a: 010")
    assert yamlfast.read("a: [1, 1.5]\n") == {"a": [1, 1.5]}
