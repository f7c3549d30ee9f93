"""The outline of a file says where things stand exactly as the composed tree does, or says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from rowform.document import Document, parse
from rowform.document.compose import Composer
from rowform.document.nodes import Place
from rowform.document.outline import Outline, Pointer

#: Values as they may stand in any entry; after a line break comes the entry's indentation and two spaces.
_VALUES = (
    "x", "1", "1.0", "true", '"1"', "~", "", "'it''s'", "[1, {a: b}]", "{a: [1,\n2], c: }", "x # c", "a:b",
    '"x\ny"', "x\ny", '"x\n- y"', "'x\n\n- name: y'", '"x\n# y"', "\u3000", "x\n\u3000", '"k: x"', "[\nx\n]",
)  # fmt: skip
#: And such as begin lines where a scan may take them for something else, or are faults.
_ODD_VALUES = (
    '"x\ny: z"', '"x\n- y"', '"x\n  - y"', "'x\n\n- name: y\n'", '"x\n# y"', "[x,\n- y]", "[\nk: v,\n]",
    "[x\n]", '["\n- a", "\n  - b"]', "x\n    \u3000", "?", "? x", "%x", "- x", "&a x", "*a", "!t x", "010",
)  # fmt: skip
_LITERALS = (
    "x", "- x", "name: x", "k: x", "# x", "  # x", "", "   ", "- - x", "\u3000", "key:", "...", "? x", ": x",
)  # fmt: skip
_BETWEEN = st.sampled_from(
    ["", "", "", "", "\n", "# c\n", "  # c\n", "      # - c\n", "  \n", "\n# k: c\n\n", "# - c\n"]
)
_NAMES = st.lists(
    st.sampled_from(["name", "k", "n-1", "true_", '"q"', "a b", "料", "_"]),
    min_size=1,
    max_size=4,
    unique=True,
)
_KINDS = st.lists(st.sampled_from(["k", "kind", "k2", "n-1", "name"]), min_size=1, max_size=3, unique=True)


def _value(draw: st.DrawFn, pad: str, *, odd: bool) -> str:
    if odd and draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(_ODD_VALUES))
    return draw(st.sampled_from(_VALUES)).replace("\n", f"\n{pad}  ")


def _field(draw: st.DrawFn, name: str, pad: str, *, odd: bool) -> str:
    """One field of an entry whose fields stand at ``pad``, without it on the first line."""
    style = draw(st.sampled_from(["scalar"] * 4 + ["literal", "literal", "list", "map", "explicit"]))
    if style == "scalar":
        return f"{name}: {_value(draw, pad, odd=odd)}\n"
    if style == "literal":
        header = draw(st.sampled_from(["|", ">", "|-", "|+", ">2", "| # c"]))
        rows = draw(st.lists(st.sampled_from(_LITERALS), max_size=4))
        rows = rows if odd or not rows or header == ">2" else ["x", *rows]
        return f"{name}: {header}\n" + "".join(f"{pad}  {row}\n" for row in rows)
    if style == "explicit":
        return draw(st.sampled_from(["? {}\n", "? {}\n{}: x\n", "? {}\n{}:\n"])).format(name, pad)
    deeper = pad + draw(st.sampled_from(["", "  ", "    "]))
    rows = draw(st.lists(st.sampled_from(["x", "- y", "a: b", "1.0", ""]), min_size=1, max_size=3))
    if style == "list":
        return f"{name}:\n" + "".join(f"{deeper}- {row}\n" for row in rows)
    return f"{name}:\n" + "".join(f"{deeper} k{at}: x\n" for at in range(len(rows)))


def _fields(draw: st.DrawFn, pad: str, *, odd: bool) -> str:
    """The fields of one entry; the first stands where the dash put it."""
    names = draw(_NAMES)
    if odd and draw(st.integers(0, 5)) == 0:
        names = [*names, draw(st.sampled_from([names[0], "true", "*a", "<<", "[c]", "? [c]"]))]
    return f"{draw(_BETWEEN)}{pad}".join(_field(draw, name, pad, odd=odd) for name in names)


def _entries(draw: st.DrawFn, *, odd: bool) -> str:
    indent = " " * draw(st.sampled_from([0, 2, 2, 2, 4, 3]))
    out: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        dash = draw(
            st.sampled_from(["- ", "- ", "- ", "-   ", "-\n", "- - ", "- # c\n", *(["-\t"] if odd else [])])
        )
        below = dash.endswith("\n")
        pad = indent + " " * (2 if below else len(dash))
        if draw(st.integers(0, 3)):
            body = _fields(draw, pad, odd=odd)
        else:
            body = f"{_value(draw, indent, odd=odd)}\n"
        out.append(indent + dash + (pad if below else "") + body + draw(_BETWEEN))
    return "".join(out)


@st.composite
def _layouts(draw: st.DrawFn) -> str:
    """Kinds with lists of entries in the layouts that people write, and in some that they do not."""
    odd = draw(st.booleans())
    out = [draw(st.sampled_from(["", "", "# c\n", "---\n", "# c\n--- # d\n\n# e\n", "\n"]))]
    if odd:
        out.append(
            draw(st.sampled_from(["", "", "", " {\n", "%YAML 1.2\n---\n", '"q":\n- x\n', "q :\n- x\n"]))
        )
    for kind in draw(_KINDS):
        style = draw(st.sampled_from(["list"] * 8 + ["scalar", "map"]))
        if style == "scalar":
            out.append(f"{kind}: {_value(draw, '', odd=odd)}\n")
            continue
        out.append(
            kind + draw(st.sampled_from([":\n", ":\n", ": # c\n", ":  \n", ":\n# c\n\n", ":\n    # - c\n"]))
        )
        out.append("  " + _fields(draw, "  ", odd=odd) if style == "map" else _entries(draw, odd=odd))
    out.append(
        draw(st.sampled_from(["", "", "# end", "  # end\n", "\n\n", *(["...\n", "}\n"] if odd else [])]))
    )
    text = "".join(out)
    text = text[:-1] if draw(st.booleans()) and text.endswith("\n") else text
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\n", "\r\n", *(["\r"] if odd else [])])))


def pointers(value: Any, at: Pointer = ()) -> Iterator[Pointer]:
    """Every pointer into ``value``, and at every level some that lead nowhere."""
    yield at
    inside: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    for step, below in inside:
        yield from pointers(below, (*at, step))
    yield from ((*at, step) for step in ("nothing", -1, len(inside), "0"))


def expected(root: Place, pointer: Pointer) -> tuple[Place, bool]:
    for step in pointer:
        below = root.child(step)
        if below is None:
            return root, False
        root = below
    return root, True


def facts(place: Place, found: bool, steps: Pointer) -> tuple[Any, ...]:
    return place.line, place.column, place.last, place.source, place.key if steps else None, found


def compare(text: str) -> int:
    """How many answers the outline gives; every one is the tree's."""
    document, problems = parse("f.yaml", text.encode())
    if document is None:
        return -1
    composer = Composer("f.yaml", text, positions=True)
    composer.run()
    root = composer.place or Place(0, 0, 0)
    answered = 0
    for pointer in pointers(document.value):
        place, found = expected(root, pointer)
        outline = Outline(text, document.value, faulty=bool(problems))
        outline._left = 10**9
        for key in (False, True):
            start = outline.start(pointer, key=key)
            if start is not None:
                answered += 1
                assert start == (place.key if key and found and place.key else (place.line, place.column))
        lines = outline.lines(pointer)
        if lines is not None:
            assert lines == (place.line, place.last)
        near = outline.place(pointer)
        if near is not None:
            answered += 1
            assert facts(*expected(*near), pointer) == facts(place, found, pointer)
    check_document(document, root)
    return answered


def check_document(document: Document, root: Place) -> None:
    """The same through the front door, one document for all questions: slices first, then the tree."""
    for pointer in pointers(document.value):
        place, found = expected(root, pointer)
        line, column = (place.key or (0, 0)) if found and place.key else (place.line, place.column)
        at, key = document.locate(pointer), document.locate(pointer, key=True)
        assert (at.line, at.column) == (place.line + 1, place.column + 1)
        assert (key.line, key.column) == (line + 1, column + 1)
        assert document.lines(pointer) == (place.line + 1, place.last + 1)
        assert document.source(pointer) == (place.source if found else None)


@settings(max_examples=500, deadline=None)
@given(_layouts())
@example('k:\n- name: |\n    - x\n\n  # c\n  k: "a\nname: b"\n- name: c\n')
@example(' {\nk: 1, k2: "\nk2: 1"\n }')
@example("k:\n  - name: a\n    ? n\n    :\n  - ? b\n  -\n")
@example("k:\n  - name: \u3000\n    k: |\n      x\n      \u3000\n")
@example('k:\n- name: "x\n# y"\n')
@example('k: "\nk2:\n- a"\nk2:\n- b\n')
def test_outline_and_tree_agree(text: str) -> None:
    answered = compare(text)
    event("answered" if answered > 0 else "not answered" if not answered else "not readable")


TYPICAL = """\
# yaml-language-server: $schema=../../schemas/settings.schema.json
staff_groups:
  - name: Kitchen
    color: "#3B82F6"
    notes: |
      - name: not an entry
      daily_limits:

  # about the next
  - name: Bar
    text: "over
      two lines"
    rules:
    - a
    - {b: c}

daily_limits:   # c

  -
    name: On a line of its own
  - name: x
    text: >-
      folded

      # no comment
  - [1, 1.10]
empty: []
monthly_limits:
- name: Not indented
  penalty: 1.0
# c
- name: Last
"""


@pytest.mark.parametrize("start", ["", "---\n", "# c\n---\n\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_typical_layouts_are_outlined(start: str, newline: str) -> None:
    text = (start + TYPICAL).replace("\n", newline)
    document, _ = parse("f.yaml", text.encode())
    assert document is not None
    outline = Outline(text, document.value)
    outline._left = 10**9
    for pointer in pointers(document.value):
        known = len(pointer) > 0 and pointer[0] in outline._value
        assert (outline.place(pointer) is not None) is known
    assert compare(text) > 100
    assert [outline.start((kind,), key=True) is not None for kind in outline._value] == [True] * 4
    assert outline.start(("staff_groups", 1)) is not None
    assert outline.lines(("staff_groups", 0)) is not None
    assert outline.lines(("staff_groups", 1)) is not None


@pytest.mark.parametrize(
    "text",
    [
        "{k: [1]}",
        "[1]",
        "k",
        "",
        '"k":\n- a\n',
        "? k\n: - a\n",
        "k : [a]\n",
        "&x k: [a]\n",
        'k: "\nj: 1"\n',
        "k: [\n1]\n",
        " k: 1\n",
        "k: 1\r",
        "k: 1\n...\n",
        "%YAML 1.2\n---\nk: 1\n",
        "\u3000k: 1\nk: 2\n",
    ],
)
def test_unusual_layouts_are_not(text: str) -> None:
    document, _ = parse("f.yaml", text.encode())
    assert document is not None
    assert Outline(text, document.value)._sections == {}


@pytest.mark.parametrize(
    "text",
    [
        "k:\n  - &x a\n  - *x\n",
        "k:\n  - a: |\n      x\n    b: *x\n",
        "k:\n  - a: 1\n    a: 2\n",
        'k:\n  - "x\n  - y"\n  - z\n',
        "k: &x\n  - 1\n",
        "k: !x\n  - 1\n",
        "k: [1,\n  2]\n",
        "k:\n  [1]\n",
    ],
)
def test_what_cannot_be_composed_alone(text: str) -> None:
    compare(text)
    document, _ = parse("f.yaml", text.encode())
    assert document is not None
    outline = Outline(text, document.value)
    assert outline.start(("k",), key=True) == (0, 0)


def test_a_changed_value_is_not_taken_for_the_written_one() -> None:
    text = "k:\n  - name: a\n    n: 1\n  - name: b\n"
    for other in (True, "1", 1.0, 2):
        outline = Outline(text, {"k": [{"name": "a", "n": other}, {"name": "b"}]})
        outline._left = 10**9
        assert outline.place(("k", 0, "n")) is None
        assert outline.place(("k", 1, "name")) is not None
    assert Outline(text, {"k": [{"name": "a", "n": 1}]}).start(("k", 0)) is None


def test_many_questions_build_the_tree_once() -> None:
    text = "k:\n" + "".join(f"  - name: n{index}\n    n: {index}\n" for index in range(100))
    document, _ = parse("f.yaml", text.encode())
    assert document is not None
    for index in range(100):
        assert document.locate(("k", index)).line == 2 + 2 * index
        assert document.lines(("k", index)) == (2 + 2 * index, 3 + 2 * index)
    assert document._root is None
    for index in range(10):
        assert document.locate(("k", index, "n")).line == 3 + 2 * index
    assert document._root is None
    for index in range(100):
        assert document.locate(("k", index, "n")).line == 3 + 2 * index
    assert document._root is not None
