"""Whole configurations, drawn at random: what they mean, and texts that say it in many ways.

:func:`models` draws what a configuration means, as plain data. :func:`texts` draws one way to write a model
down: any split into files, any order of files, entries and fields, any YAML style, any spelling of numbers.
:meth:`Model.expected` says what loading any of these must give.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from hypothesis import strategies as st

from rowform.kinds import kinds
from rowform.text import UNSAFE

T = TypeVar("T")
Entry = dict[str, Any]
#: Entries by kind.
Entries = dict[str, list[Entry]]

#: Keys of which no two differ only in case or Unicode form. Some look like other YAML values.
KEYS = ("Kitchen", "Max off per day", "料理", "no", "010", "1.5", "~", "a: b", "#x", "Straße", "é", "- x",
    "it's", '"q"', "[", "2026-04-01", " pad ", "&a", "null")  # fmt: skip
#: Names of people; with the keys, what references may name.
PEOPLE = ("井関", "Ann", "off", "7")
KINDS = tuple(kinds())


@dataclass
class Header:
    """What ``restaurant.yaml`` says."""

    id: str
    name: str
    timezone: str | None = None
    inherits: list[str] = field(default_factory=list)
    without: dict[str, list[str]] = field(default_factory=dict)
    manages: list[str] | None = None

    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = {"id": self.id, "name": self.name}
        for name in ("timezone", "inherits", "without", "manages"):
            if value := getattr(self, name):
                found[name] = value
        return {**found, "manages": self.manages} if self.manages is not None else found


@dataclass
class Model:
    """What a configuration means: restaurants by slug, and directories that they inherit."""

    defaults: dict[str, Entries]
    restaurants: dict[str, tuple[Header, Entries]]

    def expected(self) -> dict[str, dict[str, dict[str, Entry]]]:
        """The full values by restaurant, kind and key."""
        return {slug: self._content(header, own) for slug, (header, own) in self.restaurants.items()}

    def _content(self, header: Header, own: Entries) -> dict[str, dict[str, Entry]]:
        content: dict[str, dict[str, Entry]] = {}
        for name, kind in kinds().items():
            if header.manages is not None and name not in header.manages:
                continue
            found: dict[str, Entry] = {}
            for source in header.inherits:
                found |= {entry[kind.key]: entry for entry in self.defaults[source].get(name, [])}
            for key in header.without.get(name, []):
                found.pop(key, None)
            found |= {entry[kind.key]: entry for entry in own.get(name, [])}
            content[name] = {
                key: {**kind.defaults, **{k: v for k, v in entry.items() if k != "previously"}}
                for key, entry in found.items()
            }
        return content


# --- values --------------------------------------------------------------------------------------

_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"]).filter(
    lambda char: not UNSAFE.match(char) and char not in "\ufffe\uffff"
)
_WORDS = st.sampled_from(["", "no", "off", "~", "null", "true", "010", "0x1F", "1e5", "12:30", "1_000", "<<",
    "=", "a\nb", "\ttab", "x ", "#", "a #b", "- ", "? ", "{", "*a", "!t", "%", "@", "料理長", "\\", "'", '"',
    "a: b", "x:"])  # fmt: skip
TEXT = _WORDS | st.text(_CHARACTERS, max_size=8)
NUMBERS = st.one_of(
    st.integers(-10, 100),
    st.integers(-(2**53 - 1), 2**53 - 1),
    st.sampled_from([0, 0.5, 1.1, 1e16, 1e23, 1e300, 5e-324, 0.1, 1 / 3, 2.5e-9, 1e22, 123456.789]),
    st.floats(allow_nan=False, allow_infinity=False),
)
#: Keys that are free in every JSON column: nothing like a key that the application knows.
FREE_KEYS = st.sampled_from(
    ["note", "メモ", "1", "no", "", "a b", "x.y", "a/b", "m~n", "~", "zz", "zzz", "-", "[0]"]
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(FREE_KEYS, below, max_size=4),
    max_leaves=8,
)


def settle(value: Any) -> Any:
    """The number that a value is, in the one form that rowform gives it."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53 - 1:
        return int(value)
    if isinstance(value, list):
        return [settle(item) for item in value]
    return {key: settle(item) for key, item in value.items()} if isinstance(value, dict) else value


def _object(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A JSON column's object: known keys of the right type, and free ones."""
    free = st.dictionaries(FREE_KEYS, JSON, max_size=3)
    some = st.fixed_dictionaries({}, optional={name: st.none() | value for name, value in known.items()})
    return st.builds(lambda a, b: {**a, **b}, free, some).map(settle)


_NAMES = st.sampled_from([*KEYS, *PEOPLE])
_DAYS = st.lists(st.integers(0, 6), max_size=3)
_WEIGHT = st.none() | (st.integers(0, 100) | st.floats(0, 1e30)).map(settle)
_FLAG = st.none() | st.booleans()
_PERIOD = st.lists(st.dates().map(str), min_size=2, max_size=2).map(sorted)
_LIMIT = {
    "limit_config": st.none()
    | _object(shiftType=TEXT, maxCount=NUMBERS, daysOfWeek=_DAYS, targetIds=st.lists(_NAMES, max_size=3)),
    "penalty_weight": _WEIGHT,
    "is_hard_constraint": _FLAG,
    "is_active": _FLAG,
}
_FIELDS: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "staff_groups": {
        "description": st.none() | TEXT,
        "color": st.none() | st.from_regex(r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", fullmatch=True),
        "group_config": st.none() | _object(members=st.lists(st.sampled_from(PEOPLE), max_size=3)),
        "is_active": _FLAG,
    },
    "daily_limits": _LIMIT,
    "monthly_limits": _LIMIT,
    "priority_rules": {
        "description": st.none() | TEXT,
        "priority_level": st.none() | st.integers(1, 2**31 - 1),
        "rule_definition": st.none() | _object(ruleType=TEXT, staffId=_NAMES, daysOfWeek=_DAYS),
        "rule_config": st.none() | _object(preferenceStrength=NUMBERS),
        "penalty_weight": _WEIGHT,
        "is_active": _FLAG,
    },
    "ml_model_configs": {
        "parameters": st.none() | _object(populationSize=st.integers(0, 500), mutationRate=NUMBERS),
        "model_config": st.none() | _object(),
        "confidence_threshold": st.none() | st.floats(0, 1).map(settle),
        "is_active": _FLAG,
    },
}


@st.composite
def entries(draw: st.DrawFn, kind: str, key: str) -> Entry:
    """One entry as YAML would say it: some fields, the others left out."""
    entry: Entry = {kinds()[kind].key: key}
    if kind == "ml_model_configs":
        entry["model_type"] = draw(TEXT)
    entry |= draw(st.fixed_dictionaries({}, optional=dict(_FIELDS[kind])))
    if kinds()[kind].periods:
        start, end = draw(_PERIOD)
        entry |= draw(st.sampled_from([{}, {"effective_from": start}, {"effective_until": end},
                                       {"effective_from": start, "effective_until": end}]))  # fmt: skip
    return entry


@st.composite
def _directories(draw: st.DrawFn, where: str, most: int) -> Entries:
    found: Entries = {}
    for kind in draw(st.lists(st.sampled_from(KINDS), unique=True, max_size=3)):
        keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=most))
        found[kind] = [draw(entries(kind, key)) for key in keys]
        for entry in found[kind]:
            if draw(st.integers(0, 5)) == 0:
                # Claimed nowhere else: the name says whose it is.
                entry["previously"] = [f"formerly {where} {entry[kinds()[kind].key]}"]
    return found


@st.composite
def models(draw: st.DrawFn, most: int = 4) -> Model:
    """A configuration of up to three restaurants and two directories to inherit."""
    defaults = {
        name: draw(_directories(name, most))
        for name in draw(st.lists(st.sampled_from(["_defaults", "_more"]), unique=True))
    }
    restaurants: dict[str, tuple[Header, Entries]] = {}
    for slug in draw(st.lists(st.sampled_from(["sakura", "momiji", "2nd"]), min_size=1, unique=True)):
        own = draw(_directories(slug, most))
        header = Header(str(uuid5(NAMESPACE_URL, slug)), draw(TEXT.filter(str.strip)))
        header.timezone = draw(st.sampled_from([None, "Asia/Tokyo", "Europe/London"]))
        header.inherits = draw(st.lists(st.sampled_from(sorted(defaults)), unique=True)) if defaults else []
        if draw(st.integers(0, 3)) == 0:
            header.manages = sorted({*own, *draw(st.lists(st.sampled_from(KINDS)))})
        for kind in KINDS:
            key = kinds()[kind].key
            inherited = sorted({one[key] for name in header.inherits for one in defaults[name].get(kind, [])})
            if inherited and draw(st.booleans()):
                header.without[kind] = draw(st.lists(st.sampled_from(inherited), unique=True))
        if own.get("ml_model_configs") and draw(st.booleans()):
            draw(st.sampled_from(own["ml_model_configs"]))["is_default"] = True
        restaurants[slug] = (header, own)
    return Model(defaults, restaurants)


# --- YAML ----------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[a-zA-Z料理長井関][a-zA-Z料理長井関 ]*[a-zA-Z料理長井関]")
#: Plain words that are text in YAML 1.2, whatever YAML 1.1 says.
_TEXTS = frozenset(["no", "off", "12:30", "1_000", "2026-04-01", "it's"])
_NO_TEXTS = frozenset(["null", "true", "false"])
_FLOATS = re.compile(r"-?[0-9]+\.[0-9]+")


def spellings(value: float) -> list[str]:
    """Ways to write a number in YAML 1.2: 1.1 is 1.10, 11e-1 and so on."""
    shown = json.dumps(value)
    found = [shown]
    if isinstance(value, int):
        found += [f"{value}.0", f"{value}.", f"{value}e0", f"{value}0e-1"]
        found += [hex(value), oct(value), f"+{value}", f"0{value}"] if value >= 0 else []
    elif _FLOATS.fullmatch(shown):
        found += [f"{shown}0", f"{shown}e+00"] + ([f"+{shown}"] if value > 0 else [])
    return found


class Writer:
    """Writes a model down, in a manner that ``random`` decides."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def scalar(self, value: Any) -> str:
        if value is None:
            return self._random.choice(["~", "null", "Null", "NULL"])
        if isinstance(value, bool):
            return self._random.choice([str(value), str(value).lower(), str(value).upper()])
        if isinstance(value, int | float):
            return self._random.choice(spellings(value))
        styles = ['"']
        if (_PLAIN.fullmatch(value) or value in _TEXTS) and value not in _NO_TEXTS:
            styles.append("plain")
        if value.isprintable():
            styles.append("'")
        style = self._random.choice(styles)
        if style == '"':
            return json.dumps(value, ensure_ascii=value.isascii() and self._chance())
        return value if style == "plain" else "'" + value.replace("'", "''") + "'"

    def flow(self, value: Any) -> str:
        """A value in flow style, on one line."""
        space = self._random.choice(["", " "])
        if isinstance(value, dict):
            members = (f"{space}{self.scalar(k)}: {self.flow(v)}" for k, v in self._shuffled(value.items()))
            return "{" + ", ".join(members) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(space + self.flow(item) for item in value) + space + "]"
        return self.scalar(value)

    def block(self, value: Any, indent: int) -> list[str]:
        """A value as lines in block style, some of its parts in flow style."""
        margin = " " * indent
        lines: list[str] = []
        if isinstance(value, dict) and value:
            for key, item in self._shuffled(value.items()):
                lines += self._attached(f"{margin}{self.scalar(key)}:", item, indent)
            return lines
        if isinstance(value, list) and value:
            for item in value:
                if isinstance(item, dict) and item:
                    first, *rest = self.block(item, indent + 2)
                    lines += [f"{margin}- {first.lstrip(' ')}", *rest]
                else:
                    lines += self._attached(f"{margin}-", item, indent)
            return lines
        return [margin + self.flow(value)]

    def _attached(self, head: str, value: Any, indent: int) -> list[str]:
        if isinstance(value, dict | list) and value and self._chance():
            return [head, *self.block(value, indent + self._random.choice([2, 4]))]
        return [f"{head} {self.flow(value)}{self._random.choice(['', '  # comment'])}"]

    def document(self, value: Mapping[str, Any]) -> str:
        """A mapping as a whole file."""
        style = self._random.choice(["block", "block", "json", "flow"])
        if style == "json":
            text = json.dumps(value, ensure_ascii=False, indent=self._random.choice([None, 1]))
        else:
            text = self.flow(value) if style == "flow" else "\n".join(self.block(value, 0))
        start = self._random.choice(["", "---\n", "# comment\n\n"])
        return start + text + self._random.choice(["", "\n", "\n\n# end\n"])

    def files(self, folder: str, entries_: Entries) -> dict[str, str]:
        """The files of one directory: entries shuffled and dealt out."""
        names = [f"{folder}/{name}" for name in ("a.yaml", "z/b.yaml")]
        dealt: dict[str, Entries] = {}
        for kind, items in entries_.items():
            for item in self._shuffled(items):
                dealt.setdefault(self._random.choice(names), {}).setdefault(kind, []).append(item)
        return {name: self.document(content) for name, content in dealt.items()}

    def texts(self, model: Model) -> dict[str, str]:
        """All files of a model: texts by path inside the config directory."""
        found: dict[str, str] = {}
        for name, content in model.defaults.items():
            # A directory without entries still has to be there.
            found |= self.files(name, content) or {f"{name}/a.yaml": "{}\n"}
        for slug, (header, own) in model.restaurants.items():
            found[f"{slug}/restaurant.yaml"] = self.document(header.fields())
            found |= self.files(slug, own)
        return dict(self._shuffled(found.items()))

    def _chance(self) -> bool:
        return self._random.random() < 0.5

    def _shuffled(self, items: Iterable[T]) -> list[T]:
        found = list(items)
        self._random.shuffle(found)
        return found


def texts(model: Model) -> st.SearchStrategy[dict[str, str]]:
    """Ways to write ``model`` down: texts by path inside the config directory.

    Only a seed is drawn: drawing each choice would take a hundred times as long.
    """
    return st.integers(0, 2**32 - 1).map(lambda seed: Writer(Random(seed)).texts(model))


def variants(model: Model) -> st.SearchStrategy[Model]:
    """Models much like ``model``: what the database may have when ``model`` is what is wanted."""
    return st.integers(0, 2**32 - 1).map(lambda seed: _variant(model, Random(seed)))


def _variant(model: Model, random: Random) -> Model:
    found: dict[str, tuple[Header, Entries]] = {}
    for slug, (header, own) in model.restaurants.items():
        varied: Entries = {}
        for kind, items in own.items():
            key = kinds()[kind].key
            for item in items:
                one = dict(item)
                former = one.pop("previously", [])
                match random.randrange(6):
                    case 0:
                        continue
                    case 1:
                        for name in random.sample(sorted(one), k=1):
                            if name in kinds()[kind].defaults:
                                del one[name]
                    case 2:
                        other = dict(random.choice(items))
                        one = {**other, key: item[key]}
                        one.pop("is_default", None)
                        one.pop("previously", None)
                    case _:
                        pass
                if former and random.randrange(2):
                    one[key] = former[0]
                varied.setdefault(kind, []).append(one)
        found[slug] = (header, varied)
    return Model(model.defaults, found)


@st.composite
def mutations(draw: st.DrawFn, value: Any) -> Any:
    """A value much like ``value``: most of it kept, something added, removed, moved or replaced."""
    if draw(st.integers(0, 4)) == 0:
        return settle(draw(JSON))
    if isinstance(value, list):
        kept = [draw(mutations(item)) for item in value if draw(st.integers(0, 4))]
        if draw(st.booleans()):
            kept.insert(draw(st.integers(0, len(kept))), settle(draw(JSON)))
        return draw(st.permutations(kept)) if draw(st.integers(0, 4)) == 0 else kept
    if isinstance(value, dict):
        changed = {key: draw(mutations(item)) for key, item in value.items() if draw(st.integers(0, 4))}
        return changed | settle(draw(st.dictionaries(FREE_KEYS, JSON, max_size=1)))
    if isinstance(value, bool | int | float) and draw(st.booleans()):
        return draw(st.sampled_from([1, 1.5, True, "1", None, False, 0, "true", "1.5", ""]))
    return value
