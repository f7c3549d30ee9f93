"""Editing texts that nobody would call canonical: the rest of them stays as it is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowform.document import Document, parse
from rowform.pull.texts import canonical_element, canonical_member
from rowform.splice import Guide, Pointer, splice
from rowform.splice.excerpts import excerpt
from rowform.state import token
from tests.property.strategies import mutations
from tests.property.test_layout import MARK, Sketch

SEEDS = st.integers(0, 2**32 - 1)
VALUES: tuple[Any, ...] = (
    *("x", "no", "a: b", "two\nlines", "end\n", " lead", "# no", "- x", "", "12:30", "2026-01-01"),
    *(1, 2.5, True, None, [], {}, [1, 2], ["a", "b c"], {"a": 1}, {"a": {"b": [1, {"c": 2}]}}),
)


def lines(_: Any, name: str | None, value: Any) -> list[str]:
    if name is None:
        return canonical_element(value)
    return canonical_member(name, value, day=False)


GUIDE = Guide(lambda _: (), lines)


def sketch(seed: int) -> tuple[str, dict[str, Any]] | None:
    """A text and what it means, if it means something that a file may."""
    text = Sketch(seed).text()
    document, problems = parse("f", text.encode())
    if document is None or problems or not isinstance(document.value, dict):
        return None
    return text, document.value


def means(text: str) -> str:
    return json.dumps(understood(text).value, sort_keys=True)


def understood(text: str) -> Document:
    document, problems = parse("f", text.encode())
    assert document is not None, text
    assert problems == [], text
    return document


@given(SEEDS, st.data())
def test_what_comes_out_means_what_was_wanted(seed: int, data: st.DataObject) -> None:
    text, value = next(found for found in map(sketch, count(seed)) if found is not None)
    assert splice(text, value, GUIDE) is text
    wanted = {key: data.draw(mutations(item)) for key, item in value.items() if data.draw(st.integers(0, 5))}
    result = splice(text, wanted, GUIDE)
    if result is not None:
        assert means(result) == json.dumps(wanted, sort_keys=True)
        assert splice(result, wanted, GUIDE) is result
    kept = {key for key, item in wanted.items() if json.dumps(item) == json.dumps(value[key])}
    if result is not None and "&" not in text:
        for key in kept:
            assert span(result, key) == span(text, key)


def span(text: str, key: str) -> list[str]:
    """The lines of a member of the outermost mapping."""
    first, last = understood(text).lines((key,))
    return text.split("\n")[first - 1 : last]


def replaced(random: Random, value: Any) -> Any:
    """The value with some of its scalars replaced by others."""
    if isinstance(value, dict):
        return {key: replaced(random, item) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(random, item) for item in value]
    return random.choice(["x", 7, "two words", "it's", None, False]) if random.random() < 0.4 else value


@given(SEEDS)
def test_other_scalars_keep_every_comment(seed: int) -> None:
    drawn = (sketch(one) for one in count(seed))
    text, value = next(found for found in drawn if found is not None and "&" not in found[0])
    result = splice(text, replaced(Random(seed), value), GUIDE)
    # What looks like a comment inside a text is a part of it.
    if result is not None and not re.search(r"[|>]|'[^'\n]*#|\"[^\"\n]*#", text):
        assert MARK.findall(result) == MARK.findall(text)


def test_what_goes_takes_only_its_own_comments_with_it() -> None:
    total = 0
    for seed in range(2500):
        found = sketch(seed)
        # What looks like a comment inside a text is a part of it.
        if found is None or len(found[1]) < 2 or re.search("[&|>]", found[0]):
            continue
        total += 1
        text, value = found
        names = list(value)
        index = Random(seed).randrange(len(names))
        result = splice(text, {key: item for key, item in value.items() if key != names[index]}, GUIDE)
        assert result is not None, text
        document = understood(text)
        start = document.lines((names[index - 1],))[1] if index else 0
        end = document.lines((names[index],))[1]
        rest = text.split("\n")
        left = MARK.findall(result)
        assert [mark for mark in MARK.findall("\n".join(rest[:start] + rest[end:])) if mark not in left] == []
    assert total > 50


def changed(random: Random, value: Any) -> Any:
    if random.random() < 0.1:
        return random.choice(VALUES)
    if isinstance(value, dict):
        kept = {key: changed(random, item) for key, item in value.items() if random.random() > 0.15}
        return (
            {**kept, random.choice(["new", "a b", "1"]): random.choice(VALUES)}
            if random.random() < 0.2
            else kept
        )
    if isinstance(value, list):
        items = [changed(random, item) for item in value if random.random() > 0.15]
        if random.random() < 0.2:
            items.insert(random.randrange(len(items) + 1), random.choice(VALUES))
        return items
    return value


def test_hardly_any_text_cannot_be_edited() -> None:
    failed = total = 0
    for seed in range(1500):
        found = sketch(seed)
        if found is not None:
            random = Random(seed)
            wanted = {key: changed(random, item) for key, item in found[1].items()}
            total += 1
            failed += splice(found[0], wanted, GUIDE) is None
    assert total > 500
    assert failed < total / 50


def listed(random: Random, number: int) -> tuple[str, dict[str, Any]] | None:
    """A text with two lists of entries, each in the manner of somebody else."""
    sketcher = Sketch(random.randrange(2**32))
    usual = random.randrange(5)
    lines: list[str] = []
    for kind in ("kind", "more"):
        lines += [f"{kind}:{sketcher.beside()}", *sketcher.lines(2)]
        for index in range(number):
            head = f"  - name: {kind} {index}{sketcher.beside()}"
            match usual if random.random() < 0.7 else random.randrange(5):
                case 0:
                    lines += [f"  - {{name: {kind} {index}, a: [1, {sketcher.flow(1)}]}}"]
                case 1:
                    lines += [head, *sketcher.block_scalar("    text:", 4)]
                case 2:
                    lines += [f"  -{sketcher.beside()}", *sketcher.lines(4), f"    name: {kind} {index}"]
                case 3:
                    lines += [head, *sketcher.value("    deep:", 4, 2, mapping=True)]
                case _:
                    lines += [head, f"    weight: {index}{sketcher.beside()}"]
            lines += sketcher.lines(4)
    text = random.choice(["\n", "\n", "\r\n"]).join([*lines, ""])
    document, problems = parse("f", text.encode())
    if document is None or problems or not isinstance(document.value, dict):
        return None
    return text, document.value


def edited_lists(random: Random, value: dict[str, Any]) -> tuple[dict[str, Any], Guide]:
    """Some entries changed, gone and new, and which is which."""
    wanted: dict[str, Any] = {}
    aligned: dict[Pointer, list[int | None]] = {}
    for name, entries in value.items():
        items: list[tuple[int | None, Any]] = []
        for index, one in enumerate(entries):
            match random.randrange(30):
                case 0:
                    pass
                case 1:
                    items.append((index, {**one, "weight": random.choice(VALUES)}))
                case 2:
                    items.append((index, {key: item for key, item in one.items() if key == "name"}))
                case 3:
                    items += [(index, one), (None, {"name": "new", "weight": random.choice(VALUES)})]
                case 4:
                    items.append((index, {**one, "name": f"{one['name']} anew", "a": [1]}))
                case _:
                    items.append((index, one))
        wanted[name] = [one for _, one in items]
        aligned[(name,)] = [index for index, _ in items]
    return wanted, replace(GUIDE, aligned=aligned, apart=random.random() < 0.5)


def test_an_excerpt_is_edited_as_the_whole_would_be() -> None:
    total = shorter = 0
    for seed in range(900):
        random = Random(seed)
        found = listed(random, random.choice([5, 8, 20]))
        if found is None:
            continue
        text, value = found
        wanted, guide = edited_lists(random, value)
        short = excerpt(text, value, wanted, guide)
        total += 1
        if short is None or token(value) == token(wanted):
            continue
        assert len(short.text) < len(text)
        shorter += 1
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("rowform.splice.excerpt", lambda *_: None)
            whole = splice(text, wanted, guide)
        assert splice(text, wanted, guide) == whole, text
    assert total > 200
    assert shorter > total / 3
