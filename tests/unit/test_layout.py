"""Canonical layout, rule by rule: before and after."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rowform import layout
from rowform.dump import WIDTH, dump
from rowform.kinds import kinds
from rowform.layout import Form, formatted
from rowform.layout.tree import Tree
from tests.support.builders import content, group, setting

CONFIG = Path(__file__).parents[2] / "config"


def fmt(text: str, form: Form = Form.SETTINGS) -> str:
    """The text in canonical layout, which is final."""
    result, problems = formatted("f", text.encode(), form, kinds())
    assert problems == []
    assert result is not None
    assert formatted("f", result.encode(), form, kinds()) == (result, [])
    return result


SPELLINGS = "off, no, 010, 12:30, 2026-04-01, 1.10, 1e3, 0x1F, 9007199254740991, ~, Null, +1, .5, 5., TRUE"
PAIRS = {
    "indentation": (
        """\
daily_limits:
- name: A
  limit_config:
     daysOfWeek:
     - 1
     - 2
""",
        """\
daily_limits:
  - name: A
    limit_config:
      daysOfWeek:
        - 1
        - 2
""",
    ),
    "kinds in their order, one blank line between them": (
        """\
monthly_limits: []
foo: 1
staff_groups: []


daily_limits: []
""",
        """\
staff_groups: []

daily_limits: []

monthly_limits: []

foo: 1
""",
    ),
    "entries stay in their order": (
        """\
staff_groups:
  - {name: B}
  - {name: A}
""",
        """\
staff_groups:
  - name: B
  - name: A
""",
    ),
    "key first, then previously, then the model's order, then what is unknown": (
        """\
ml_model_configs:
  - zzz: 1
    is_default: true
    model_type: t
    previously: [o]
    model_name: n
""",
        """\
ml_model_configs:
  - model_name: n
    previously: [o]
    model_type: t
    is_default: true
    zzz: 1
""",
    ),
    "keys of JSON columns stay in their order": (
        """\
daily_limits:
  - name: A
    limit_config: {z: 1, maxCount: 2, a: {y: 1, b: 2}}
""",
        """\
daily_limits:
  - name: A
    limit_config: {z: 1, maxCount: 2, a: {y: 1, b: 2}}
""",
    ),
    "entries in block style, short lists as they were written": (
        "staff_groups: [{name: A, group_config: {members: [ x,y ]}}, {name: B}]\n",
        """\
staff_groups:
  - name: A
    group_config: {members: [x, y]}
  - name: B
""",
    ),
    "JSON": (
        '{"staff_groups": [{"name": "A", "group_config": {"members": ["x", "1"]}}]}',
        """\
staff_groups:
  - name: A
    group_config: {members: [x, "1"]}
""",
    ),
    "block style stays block style": (
        """\
staff_groups:
  - name: A
    group_config:
      members:
        - x
""",
        """\
staff_groups:
  - name: A
    group_config:
      members:
        - x
""",
    ),
    "brackets with comments inside": (
        """\
x: [ # all
  a, # first
  # between
  b ] # end
""",
        """\
x: # all
  - a # first
  # between
  - b
  # end
""",
    ),
    "quotes where they are needed": (
        "x: ['a b', \"c\", 'off', '1.5', '', '#fff', '料理', 'a: b', '12:30', '2026-04-01']\n",
        'x: [a b, c, "off", "1.5", "", "#fff", 料理, "a: b", "12:30", "2026-04-01"]\n',
    ),
    "quotes that save escapes": (
        "x: ['C:\\dir', 'say \"no\"', 'it''s']\n",
        "x: ['C:\\dir', 'say \"no\"', \"it's\"]\n",
    ),
    "keys, too": (
        "x: {'a': 1, '1': 2, \"no\": 3, ? b : 4}\n",
        'x: {a: 1, "1": 2, "no": 3, b: 4}\n',
    ),
    "dates in date fields": (
        """\
daily_limits:
  - name: '2026-04-01'
    effective_from: '2026-04-01'
""",
        """\
daily_limits:
  - name: "2026-04-01"
    effective_from: 2026-04-01
""",
    ),
    "plain scalars as they were spelled": (f"x: [{SPELLINGS}]\n", f"x: [{SPELLINGS}]\n"),
    "escapes as they were spelled": (
        'x: ["\\u6599", "\\x41", "\\t", 🎉]\n',
        'x: ["\\u6599", "\\x41", "\\t", 🎉]\n',
    ),
    "texts over several lines": (
        (
            "x:\n"
            "    a: |\n"
            "        one\n"
            "          two\n"
            "    b: >-\n"
            "      three\n"
            "      four\n"
            "    c: five\n"
            "          six\n"
            "          7\n"
            '    d: "eight\n'
            '      \\  nine"\n'
        ),
        (
            "x:\n"
            "  a: |\n"
            "    one\n"
            "      two\n"
            "  b: >-\n"
            "    three\n"
            "    four\n"
            "  c: five\n"
            "    six\n"
            "    7\n"
            '  d: "eight\n'
            '    \\  nine"\n'
        ),
    ),
    "a text whose first line is indented": (
        """\
x: |4
      one
    two
""",
        """\
x: |2
    one
  two
""",
    ),
    "blank lines at the end of a text": (
        """\
x: |+
 one


# c
y: 1
""",
        """\
x: |+
  one


# c
y: 1
""",
    ),
    "a text of which spaces are a part": (
        "x: >\n  one\n     \n\n",
        'x: "one\\n   \\n"\n',
    ),
    "empty values": (
        """\
x:
  a:
  b: {c, d: }
  e:
    -
""",
        """\
x:
  a:
  b: {c: null, d: null}
  e:
    -
""",
    ),
    "lists of lists": (
        """\
x:
- - 1
  - - 2
- [ 3 ]
""",
        """\
x:
  - - 1
    - - 2
  - [3]
""",
    ),
    "blank lines: one at most, and none at the start of a block": (
        """\


staff_groups:

  - name: A



    color: '#fff'
  - name: B


""",
        """\
staff_groups:
  - name: A

    color: "#fff"
  - name: B
""",
    ),
    "line ends and spaces": (
        "staff_groups:  \r\n  - name: A \r    color: '#fff'  # c  ",
        """\
staff_groups:
  - name: A
    color: "#fff"  # c
""",
    ),
    "comments move with what they are about": (
        """\
# file

# limits
daily_limits: # d
  # A
  - penalty_weight: 1 # w
    # the name
    name: A
    # end of A
  # end of limits
# groups
staff_groups: []
# end
""",
        """\
# file

# groups
staff_groups: []

# limits
daily_limits: # d
  # A
  # the name
  - name: A
    penalty_weight: 1 # w
    # end of A
  # end of limits
# end
""",
    ),
    "the editor's line stays on top": (
        """\
# yaml-language-server: $schema=x
# limits
daily_limits: []
staff_groups: []
""",
        """\
# yaml-language-server: $schema=x
staff_groups: []

# limits
daily_limits: []
""",
    ),
    "comments that stand in line": (
        """\
staff_groups:
- name: 'A'     # one
  color: '#fff'  # two
  is_active: true   # three
""",
        """\
staff_groups:
  - name: A       # one
    color: "#fff"  # two
    is_active: true   # three
""",
    ),
    "comments behind a dash, a key and brackets": (
        """\
staff_groups:
  - # why
    name: A
  -
    # how
    name: # who
      B
x: [] # none
""",
        """\
staff_groups:
  # why
  - name: A
  # how
  - name: B # who

x: [] # none
""",
    ),
    "anchors keep their order": (
        """\
daily_limits:
  - penalty_weight: &w 1
    limit_config: {x: *w}
    name: A
  - &b
    name: B
x: *b
""",
        """\
daily_limits:
  - penalty_weight: &w 1
    limit_config: {x: *w}
    name: A
  - &b
    name: B

x: *b
""",
    ),
    "document markers": (
        """\
# a
%YAML 1.2 # b
--- # c
x: 1
...
# d
""",
        """\
%YAML 1.2
---
# a
# b
# c
x: 1
# d
""",
    ),
    "only comments": (
        "\n# a\n\n\n  # b",
        """\
# a

# b
""",
    ),
    "nothing": (
        "",
        "",
    ),
    "no kinds": (
        "{ }",
        "{}\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), PAIRS.values(), ids=PAIRS)
def test_rules(before: str, after: str) -> None:
    assert fmt(before) == after


def test_flow_style_up_to_the_width_of_a_line() -> None:
    fits = "x: [" + "a" * (WIDTH - 8) + ", b]\n"
    assert len(fits) == WIDTH + 1
    assert fmt(fits) == fits
    longer = fits.replace("b]", "b, c]")
    assert fmt(longer) == f"x:\n  - {'a' * (WIDTH - 8)}\n  - b\n  - c\n"


def test_long_words_are_not_cut_and_long_keys_are_keys() -> None:
    long, key = "word " * 500 + "end", "k" * 1500
    assert fmt(f"x: {long}\n") == f"x: {long}\n"
    assert fmt(f"? {key}\n: [1]\n") == f"? {key}\n: [1]\n"
    assert fmt("? |-\n  a\n  b\n: 1\n") == '"a\\nb": 1\n'
    assert fmt(f"x: {{? {key} : 1}}\n") == f"x:\n  ? {key}\n  : 1\n"


def test_the_fields_of_a_restaurant() -> None:
    text = (
        "# about\n\ntimezone: Asia/Tokyo\n# never changes\nid: x\ninherits: ['_defaults']\nname: \"Sakura\"\n"
    )
    assert fmt(text, Form.RESTAURANT) == (
        '# about\n\n# never changes\nid: x\nname: Sakura\ntimezone: Asia/Tokyo\ninherits: ["_defaults"]\n'
    )


def test_the_fields_of_the_tool() -> None:
    targets = "targets: {b: {database_url_env: B}, a: {database_url_env: A}}\n"
    text = f"{targets}thresholds: {{delete_count: 1, delete_percent: 2}}\n"
    assert fmt(text, Form.TOOL) == (
        "thresholds:\n  delete_percent: 2\n  delete_count: 1\n"
        "targets:\n  b: {database_url_env: B}\n  a: {database_url_env: A}\n"
    )


def test_the_example_is_canonical() -> None:
    files = sorted(CONFIG.rglob("*.yaml"))
    assert len(files) > 10
    for file in files:
        form = Form.RESTAURANT if file.name == "restaurant.yaml" else Form.SETTINGS
        text = file.read_text("utf-8")
        assert fmt(text, Form.TOOL if file.parent == CONFIG else form) == text


def test_a_dump_is_canonical() -> None:
    one = content(
        group(
            "A: b", color="#3B82F6", description="it's", group_config={"members": ["料理長", "no"], "x": {}}
        ),
        group("off", group_config={"deep": {"list": [{"a": 1}, [2]]}}),
        setting("daily_limits", "C", effective_from="2026-04-01", limit_config={"1": "\u200b"}),
    )
    text = dump(one, kinds())
    assert fmt(text) == re.sub(r"\n(?=[a-z])", r"\n\n", text)


@pytest.mark.parametrize(
    "text", ["a: [", "a: 1\na: 2\n", "a: !!str x\n", "a: \x1b\n", "<<: {a: 1}\n", "--- 1\n--- 2\n"]
)
def test_what_cannot_be_read_is_left_alone(text: str) -> None:
    result, problems = formatted("config/x.yaml", text.encode(), Form.SETTINGS, kinds())
    assert result is None
    assert all(str(one).startswith("config/x.yaml:") for one in problems)
    assert problems


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ("a: true # c\n", "mean something else"),
        ("a: '1' # c\n", "mean something else"),
        ("a: [\n", "mean something else"),
        ("a: 1\n", "lose a comment"),
        ("a: 1 # d\n", "lose a comment"),
    ],
)
def test_a_fault_in_the_layout_itself_changes_no_file(
    broken: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_: Tree) -> str:
        return broken

    monkeypatch.setattr(layout, "write", write)
    result, problems = formatted("config/x.yaml", b"a: 1 # c\n", Form.SETTINGS, kinds())
    assert result is None
    message = f"internal error: in canonical layout the file would {what}; it was left as it is"
    assert [str(one) for one in problems] == [f"config/x.yaml:1:1: {message} (please report it)"]
