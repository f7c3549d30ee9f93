"""Canonical layout: any file, with comments anywhere, says the same afterwards and is done in one run."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rowform.document import parse
from rowform.dump import dump
from rowform.kinds import kinds
from rowform.layout import Form, formatted
from rowform.state import digest, entry
from tests.property.strategies import models, texts
from tests.support.builders import loaded

MARK = re.compile(r"#~[0-9]+")
#: Scalars that some tool or other writes anew as something else.
WORDS = (
    *(
        "off",
        "no",
        "010",
        "0x1F",
        "1.10",
        "1e3",
        "12:30",
        "2026-04-01",
        "~",
        "9007199254740991",
        "a b",
        "null",
    ),
    *(
        "料理長",
        "🎉",
        "it's",
        '"no"',
        "'no'",
        "'it''s'",
        '"a\\tb"',
        '"\\u6599"',
        "'a\\b'",
        '"#3B82F6"',
        "'x'",
    ),
    *('"x: y"', "''", "x#y", "http://x/y#z", '"' + "very long " * 15 + '"', "plain " * 20 + "end"),
)


def form_of(name: str) -> Form:
    return Form.RESTAURANT if name.endswith("restaurant.yaml") else Form.SETTINGS


def fmt(name: str, data: bytes) -> str:
    text, problems = formatted(name, data, form_of(name), kinds())
    assert text is not None, (problems, data.decode())
    return text


def checked(name: str, text: str) -> str:
    """The file in canonical layout, which must have the same comments and be final."""
    result = fmt(name, text.encode())
    assert sorted(MARK.findall(result)) == sorted(MARK.findall(text))
    assert fmt(name, result.encode()) == result
    assert result == "" or result.endswith("\n")
    assert "\r" not in result
    # Several blank lines, or spaces at the end of a line, stay only where they are a part of a text.
    assert not re.search(r"\n\n\n|[ \t]\n", result) or re.search('[|>"]', text)
    return result


def annotated(text: str, random: Random) -> str:
    """The text, none of whose scalars has several lines, with comments and blank lines in many places."""
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        while random.random() < 0.2:
            lines.append(random.choice(["", "  ", " " * random.randrange(9) + f"#~{len(lines)}000{number}"]))
        lines.append(f"{line} #~{number}" if line and random.random() < 0.2 else line)
    return random.choice(["\n", "\n", "\r\n"]).join(lines)


@given(st.data())
def test_a_configuration_means_the_same_and_keeps_its_comments(data: st.DataObject) -> None:
    files = data.draw(models().flatmap(texts))
    random = Random(data.draw(st.integers(0, 2**32 - 1)))
    commented = {name: annotated(text, random) for name, text in files.items()}
    laid_out = {name: checked(name, text) for name, text in commented.items()}
    before, after = loaded(files).state, loaded(laid_out).state
    assert before.restaurants.keys() == after.restaurants.keys()
    for slug, one in before.restaurants.items():
        assert digest(after.restaurants[slug].content) == digest(one.content)


#: Texts that take one line, part of one, and a key that needs a question mark.
LONG = st.sampled_from(["x", "料理長 " * 5, "long " * 15, "a: b " * 30, "k" * 999, "k" * 1001, "é" * 1001])
WIDE = st.recursive(
    LONG | st.integers(0, 99) | st.none(),
    lambda below: st.lists(below, max_size=6) | st.dictionaries(LONG, below, max_size=4),
    max_leaves=25,
)


@given(st.lists(WIDE, min_size=1, max_size=3))
def test_what_is_dumped_is_canonical_however_wide(values: list[Any]) -> None:
    kind = kinds()["daily_limits"]
    made = [
        entry(kind, {"name": f"{number}", "limit_config": {"free": value, "x": [value]}})
        for number, value in enumerate(values)
    ]
    text = dump({kind.name: {one.key: one for one in made}}, kinds())
    assert fmt("f", text.encode()) == text
    document, _ = parse("f", text.encode())
    assert document is not None
    assert isinstance(document.value, dict)
    again = [item["limit_config"] for item in document.value[kind.name]]
    assert meaning(again) == meaning([one.values["limit_config"] for one in made])


class Sketch:
    """Writes YAML that nobody would call canonical: every style, odd indentation, comments everywhere."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._count = 0
        self._anchors: list[str] = []

    def text(self) -> str:
        start = self._random.choice(
            ["", "", "---\n", f"--- {self.mark()}\n", f"{self.mark()}\n\n", "%YAML 1.2\n---\n"]
        )
        body = self.collection(self._random.choice([0, 0, 2]), 3)
        return start + "\n".join([*body, *self.lines(4)]) + self._random.choice(["", "\n", "\n...\n", "\n\n"])

    def mark(self) -> str:
        self._count += 1
        return f"#~{self._count}"

    def lines(self, most: int) -> list[str]:
        found: list[str] = []
        while self._random.random() < 0.3:
            found.append(self._random.choice(["", " ", " " * self._random.randrange(most + 3) + self.mark()]))
        return found

    def beside(self) -> str:
        return " " * self._random.randrange(1, 7) + self.mark() if self._random.random() < 0.2 else ""

    def collection(self, indent: int, depth: int) -> list[str]:
        """A mapping or a list in block style."""
        mapping = self._random.random() < 0.6
        lines: list[str] = []
        for number in range(self._random.randrange(1, 4)):
            lines += self.lines(indent)
            head = " " * indent + (self.key(number) if mapping else "-")
            lines += self.value(head, indent, depth - 1, mapping=mapping)
        return lines

    def key(self, number: int) -> str:
        names = [
            "name",
            "daily_limits",
            "staff_groups",
            "color",
            "k",
            "メモ",
            "'1'",
            '"a b"',
            "'x: y'",
            "previously",
        ]
        return f"{names[(self._count + number * 3) % len(names)]}:"

    def value(self, head: str, indent: int, depth: int, *, mapping: bool) -> list[str]:
        if self._anchors and self._random.random() < 0.1:
            return [f"{head} *{self._random.choice(self._anchors)}{self.beside()}"]
        if self._random.random() < 0.1:
            self._anchors.append(f"a{len(self._anchors)}")
            return self.node(f"{head} &{self._anchors[-1]}", indent)
        if depth == 0 or self._random.random() < 0.5:
            return self.node(head, indent)
        if not mapping and self._random.random() < 0.5:
            return self.compact(head, indent, depth)
        less = 0 if mapping and self._random.random() < 0.2 else self._random.randrange(1, 5)
        inner = self.collection(indent + less, depth)
        anchor = ""
        if self._random.random() < 0.1:
            self._anchors.append(f"a{len(self._anchors)}")
            anchor = f" &{self._anchors[-1]}"
        return [f"{head}{anchor}{self.beside()}", *self.lines(indent), *inner]

    def compact(self, head: str, indent: int, depth: int) -> list[str]:
        """A collection that begins on the line of the dash."""
        lines = self.collection(indent + 2, depth)
        while not lines[0].strip() or lines[0].strip().startswith("#"):
            lines = lines[1:]
        return [f"{head} {lines[0].lstrip(' ')}", *lines[1:]]

    def node(self, head: str, indent: int) -> list[str]:
        """A value that is no collection in block style."""
        match self._random.randrange(6):
            case 0:
                return [f"{head} {self.flow(3)}{self.beside()}"]
            case 1:
                return self.block_scalar(head, indent)
            case 2:
                return [f"{head} one", *self.inner(indent, ["two", "", "three"])]
            case 3:
                ending = self._random.choice(["two", "two \\", "\\  two", "  two \\ "])
                return [f'{head} "one ', *self.inner(indent, [ending, "", 'x"'])]
            case 4:
                return [f"{head} {self.open_flow(indent + 1)}{self.beside()}"]
            case _:
                return [f"{head}{self.beside()}"]

    def inner(self, indent: int, lines: list[str]) -> list[str]:
        extra = " " * (indent + self._random.randrange(1, 4))
        found = [extra + line if line else self._random.choice(["", "  "]) for line in lines]
        return [*found[:-1], found[-1] + self.beside()]

    def block_scalar(self, head: str, indent: int) -> list[str]:
        deep = self._random.randrange(1, 5)
        margin = " " * (indent + deep)
        says = self._random.choice(["", "", str(deep)])
        style = self._random.choice("|>") + says + self._random.choice(["", "-", "+"])
        lines = [
            self._random.choice(["", "text", "# text", "more: text ", "   ", "  deep"]) for _ in range(4)
        ]
        first = f"{' ' if says and self._random.random() < 0.5 else ''}text"
        written = [margin + first, *(margin + line if line else "" for line in lines)]
        return [f"{head} {style}{self.beside()}", *written]

    def flow(self, depth: int) -> str:
        match self._random.randrange(4 if depth else 1):
            case 0 | 1:
                return self._random.choice(WORDS)
            case 2:
                space = self._random.choice(["", " "])
                elements = (self.flow(depth - 1) for _ in range(self._random.randrange(4)))
                return f"[{space}{f',{space}'.join(elements)}]"
            case _:
                items = (f"{name}: {self.flow(depth - 1)}" for name in "abc"[: self._random.randrange(4)])
                return "{" + ", ".join(items) + "}"

    def open_flow(self, indent: int) -> str:
        """Brackets over several lines, with comments inside."""
        margin = " " * indent
        items = [f"{margin}{self.flow(2)},{self.beside()}" for _ in range(self._random.randrange(3))]
        return "\n".join([f"[{self.beside()}", *items, *self.lines(indent), f"{margin}]"])


@given(st.integers(0, 2**32 - 1))
def test_whatever_people_write(seed: int) -> None:
    text = Sketch(seed).text()
    document, problems = parse("f", text.encode())
    if document is None or problems:
        assert formatted("f", text.encode(), Form.SETTINGS, kinds()) == (None, problems)
        return
    result = checked("f", text)
    again, _ = parse("f", result.encode())
    assert again is not None
    assert meaning(again.value) == meaning(document.value)


def meaning(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
