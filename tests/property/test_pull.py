"""Live settings into YAML: whatever is live, and however the files are written, they say it afterwards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rowform.document import parse
from rowform.kinds import kinds
from rowform.load import Loaded
from rowform.pull import Live, Pulled, adopted, faults, findings, pulled
from rowform.splice.nodes import read
from rowform.state import Content, Entry, Restaurant, entry, normalise
from tests.property.strategies import KEYS, Model, entries, models, mutations, texts
from tests.property.test_layout import annotated, fmt
from tests.support.builders import Texts, loaded, sources

MARK = re.compile(r"#~[0-9]+")
SEEDS = st.integers(0, 2**32 - 1)


def live_of(one: Restaurant, content: Content | None = None) -> Live:
    return Live(one.slug, one.id, one.name, one.timezone, one.content if content is None else content)


def after(files: Mapping[str, str], done: Pulled) -> dict[str, Any]:
    return {**files, **{"/".join(file.parts): file.after.decode() for file in done.files}}


@given(models().flatmap(lambda model: texts(model).map(loaded)))
def test_an_adopted_database_is_a_canonical_configuration(there: Loaded) -> None:
    files: dict[str, Any] = {}
    lives = {slug: live_of(one) for slug, one in there.state.restaurants.items()}
    for live in lives.values():
        assert findings(live, kinds()) == []
        files = after(files, adopted(live, kinds()))
    assert faults(there.state, sources(files), lives, kinds()) == []
    for name, text in files.items():
        assert fmt(name, text.encode()) == text


@st.composite
def changed(draw: st.DrawFn, one: Entry) -> Entry:
    """An entry much like another: some fields back to their default, something different in its JSON."""
    kind = kinds()[one.kind]
    values = dict(one.values)
    for column in kind.columns:
        value = values[column.name]
        if not column.required and draw(st.integers(0, 5)) == 0:
            values[column.name] = column.default
        elif column.is_json and isinstance(value, dict):
            known = {key: item for key, item in value.items() if key in kind.json_models[column.name].known()}
            free = draw(mutations({key: item for key, item in value.items() if key not in known}))
            kept = {key: item for key, item in known.items() if draw(st.integers(0, 4))}
            values[column.name] = kept | (free if isinstance(free, dict) else {"note": free})
    return entry(kind, normalise(values))


@st.composite
def edited(draw: st.DrawFn, content: Content) -> tuple[Content, dict[str, dict[str, str]]]:
    """What direct writes may have made of a content, and the former keys of what they renamed."""
    found: dict[str, dict[str, Entry]] = {}
    renames: dict[str, dict[str, str]] = {}
    for name, there in content.items():
        kind = kinds()[name]
        found[name] = dict(there)
        for key, one in there.items():
            match draw(st.integers(0, 9)):
                case 0:
                    del found[name][key]
                case 1:
                    found[name][key] = entry(kind, normalise(draw(entries(name, key))))
                case 2 | 3 | 4:
                    found[name][key] = draw(changed(one))
                case 5:
                    del found[name][key]
                    new = entry(kind, {**one.values, kind.key: f"{key} renamed"})
                    found[name][new.key] = new
                    renames.setdefault(name, {})[new.key] = key
                case _:
                    pass
        for key in draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=2)):
            if key not in there:
                found[name][key] = entry(kind, normalise(draw(entries(name, key))))
    return found, renames


def spans(files: Mapping[str, str | bytes], slug: str) -> dict[tuple[str, str], str]:
    """The text of each entry in a restaurant's own files, by kind and key."""
    found: dict[tuple[str, str], str] = {}
    for name, data in files.items():
        text = data if isinstance(data, str) else data.decode()
        root = read(text).root if name.startswith(f"{slug}/") and "restaurant.yaml" not in name else None
        for member in root.members if root else ():
            kind = kinds()[str(member.key.value)] if member.key else None
            for element in member.value.members:
                if kind and isinstance(element.value.value, dict):
                    key = str(element.value.value[kind.key])
                    found[kind.name, key] = text[element.value.start : element.value.end]
    return found


def near(text: str, touched: set[tuple[str, str]]) -> set[int]:
    """The lines of some entries, and those between each and what stands before it, counted from 0."""
    document, _ = parse("f", text.encode())
    value = document.value if document else None
    found: set[int] = set()
    for name, items in value.items() if document and isinstance(value, dict) else ():
        if name not in kinds():
            # restaurant.yaml: what is inherited no more, or again.
            first, last = document.lines((name,))
            found.update(range(first - 2, last) if name == "without" else ())
            continue
        before = document.locate((name,), key=True).line
        for index, item in enumerate(items):
            first, last = document.lines((name, index))
            if (name, item[kinds()[name].key]) in touched:
                found.update(range(before - 1 if index == 0 else before, last))
            before = last
    return found


@given(st.data())
def test_files_say_what_is_live_and_keep_the_rest(data: st.DataObject) -> None:
    model: Model = data.draw(models())
    random = Random(data.draw(SEEDS))
    files = {name: annotated(text, random) for name, text in data.draw(texts(model)).items()}
    there = loaded(files)
    slug, one = data.draw(st.sampled_from(sorted(there.state.restaurants.items())))
    content, renames = data.draw(edited(one.content))
    live = live_of(one, content)
    assert findings(live, kinds()) == []
    done = pulled(one, live, renames, sources(files), kinds())
    result = after(files, done)
    assert faults(there.state, sources(result), {slug: live}, kinds()) == []
    before, now = spans(files, slug), spans(result, slug)
    touched = {(change.kind, change.previous_key or change.key) for change in done.changes}
    for (kind, key), text in before.items():
        if (kind, key) not in touched and content.get(kind, {}).get(key) == one.content[kind][key]:
            assert now[kind, key] == text
    for name, text in files.items():
        left = MARK.findall(result[name])
        mine = near(text, touched) if name.startswith(f"{slug}/") else set[int]()
        for number, line in enumerate(text.split("\n")):
            if number not in mine:
                assert [mark for mark in MARK.findall(line) if mark not in left] == []
    if not done.changes:
        assert result == files


def scalars_only(random: Random, content: Content) -> Content:
    """The content with other numbers, texts and flags in fields that are written."""
    found: dict[str, dict[str, Entry]] = {}
    for name, there in content.items():
        kind = kinds()[name]
        found[name] = {}
        for key, one in there.items():
            values = dict(one.values)
            for column in kind.columns:
                value = values[column.name]
                if value is None or column.name == kind.key or random.random() < 0.5:
                    continue
                if column.name in ("penalty_weight", "priority_level"):
                    values[column.name] = random.choice([3, 12, 70])
                elif column.name in ("description", "model_type"):
                    values[column.name] = random.choice(
                        ["other", "a: b", "no", "12:30", "two\nlines", "", "#x", " y "]
                    )
                elif column.name in ("is_active", "is_hard_constraint"):
                    values[column.name] = not value
            found[name][key] = entry(kind, values)
    return found


@given(st.data())
def test_other_scalars_keep_all_comments_and_the_lines(data: st.DataObject) -> None:
    model: Model = data.draw(models())
    model = Model({}, {slug: (plain(header), own) for slug, (header, own) in model.restaurants.items()})
    random = Random(data.draw(SEEDS))
    files = {name: annotated(text, random) for name, text in data.draw(texts(model)).items()}
    there = loaded(files)
    for slug, one in there.state.restaurants.items():
        live = live_of(one, scalars_only(random, one.content))
        done = pulled(one, live, {}, sources(files), kinds())
        result = after(files, done)
        assert faults(there.state, sources(result), {slug: live}, kinds()) == []
        for name, text in files.items():
            assert sorted(MARK.findall(result[name])) == sorted(MARK.findall(text))
            assert ("\r\n" in result[name]) == ("\r\n" in text)


def plain(header: Any) -> Any:
    header.inherits, header.without = [], {}
    return header


@given(models().flatmap(texts), SEEDS)
def test_no_difference_changes_no_byte(files: Texts, seed: int) -> None:
    written = {name: annotated(str(text), Random(seed)) for name, text in files.items()}
    for one in loaded(written).state.restaurants.values():
        assert pulled(one, live_of(one), {}, sources(written), kinds()) == Pulled((), ())
