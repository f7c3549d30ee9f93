"""`check-jsonschema` with our schemas and rowform itself judge every file alike.

Each case is one file of the example configuration with one thing changed. Left out by construction,
because JSON Schema sees values and not how they are written: control characters, integers beyond
2^53 outside of integer fields (`1e16` is fine there), duplicate keys, YAML's own syntax, and a file
that is empty but for comments, which rowform only warns of.
"""

from __future__ import annotations

import copy
import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

import pytest

from rowform.config import read_tool_config
from rowform.document import parse
from rowform.errors import InvalidConfig
from rowform.files import ConfigFiles, read_config
from rowform.kinds import Kind, kinds
from rowform.kinds.base import PREVIOUSLY, JsonObject
from rowform.kinds.restaurant import RestaurantFile
from rowform.load import RESTAURANT_FILE, SourceFile, load
from rowform.location import Problem, Severity
from rowform.schema import RESTAURANT, SETTINGS, TOOL, schemas, text

ROOT = Path(__file__).parents[2]
SEED = 2026
#: How many cases are judged. All 10,000 agree too, but take half a minute.
CASES = 4_000

#: What rowform says that JSON Schema cannot, and why.
BEYOND_SCHEMA = {
    r"is defined twice": "compares entries",
    r"only in case or Unicode form": "compares entries",
    r"is a second one with": "compares entries",
    r"is claimed as a former name|present name, not a former one": "compares entries and fields",
    r"is after \w+ \d": "compares fields",
    r"^no .* is inherited$": "looks into other files",
    r'^there is no directory "_': "looks at the file system",
    r"is no IANA time zone": "asks the time zone database",
}

Pointer = tuple[str | int, ...]

PROBES: tuple[Any, ...] = (
    *(None, True, False),
    *(0, 1, 1.0, -1, 7, 2.5, -0.5, 100, 100.5, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 - 1, 1e300, -1e300),
    *(
        "",
        " ",
        "\u3000\t",
        "x",
        "1",
        "true",
        "_x",
        "岸",
        "x" * 50,
        "x" * 51,
        "x" * 255,
        "x" * 256,
        "😀" * 255,
    ),
    *("#123", "#1234", "#3b82f6", "#3B82F6FF", "#3B82F", "3B82F6", "#3B82F6\n", "red"),
    *(
        "2026-02-28",
        "2026-02-30",
        "2026-2-3",
        "0000-01-01",
        "9999-12-31",
        "2026-02-28\n",
        "\uff12\uff10\uff12\uff16-02-28",
    ),
    *("2026-02-28T00:00:00Z", "20260228", "2026-W09-6"),
    *("e1661c71-b24f-4ee1-9e8b-7290a43c9570", "E1661C71-B24F-4EE1-9E8B-7290A43C9570"),
    *("e1661c71b24f4ee19e8b7290a43c9570", "{e1661c71-b24f-4ee1-9e8b-7290a43c9570}", "A_URL", "A-URL"),
    *([], [None], [0], [6.0], [7], [1.5], [True], ["x"], [""], ["x", "x"], [[]], [{}], ["staff_groups"]),
    *({}, {"x": 1}, {"x": None}, {"x": {"y": [True, 1.5, "z"]}}, {"daily_limits": []}, {"name": "x"}),
)


@dataclass(frozen=True)
class Case:
    """One file of the configuration, changed."""

    file: SourceFile
    schema: str
    what: str
    value: Any

    @property
    def changed(self) -> SourceFile:
        """The file with the value as JSON, which is YAML."""
        return replace(self.file, data=json.dumps(self.value, ensure_ascii=False).encode())


@cache
def example() -> ConfigFiles:
    return read_config(ROOT / "config")


def files() -> Iterator[tuple[SourceFile, str]]:
    for file in example().files:
        yield file, RESTAURANT if file.parts[1:] == (RESTAURANT_FILE,) else SETTINGS
    tool = example().tool
    assert tool is not None
    yield tool, TOOL


def value_of(file: SourceFile) -> dict[str, Any]:
    document, problems = parse(file.shown, file.data)
    assert document is not None
    assert isinstance(document.value, dict)
    assert not problems
    return document.value


def with_every_key(model: type[JsonObject], value: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON column's object with all keys the application knows: null where it has none yet."""
    full: dict[str, Any] = {**dict.fromkeys(model.known()), **value}
    for name, nested in model.known().items():
        if nested is not None:
            full[name] = with_every_key(nested, full[name] or {})
    return full


def with_every_field(kind: Kind, entry: Mapping[str, Any]) -> dict[str, Any]:
    full: dict[str, Any] = {**kind.defaults, PREVIOUSLY: [], **entry}
    return full | {name: with_every_key(model, full[name]) for name, model in kind.json_models.items()}


def completed(
    schema: str, value: dict[str, Any], rng: random.Random
) -> Iterator[tuple[dict[str, Any], Pointer]]:
    """``value`` with every field that it may have, and where to change it: of each kind, one entry."""
    if schema == RESTAURANT:
        yield {**dict.fromkeys(RestaurantFile.model_fields), "inherits": [], "without": {}, **value}, ()
    elif schema == TOOL:
        yield {**value, "targets": {"production": {"database_url_env": "A_URL"}}}, ()
    else:
        for name, entries in value.items():
            yield {name: [with_every_field(kinds()[name], rng.choice(entries))]}, (name,)


def is_mapping(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def pointers(value: Any, at: Pointer = ()) -> Iterator[Pointer]:
    yield at
    if is_mapping(value):
        for name, item in value.items():
            yield from pointers(item, (*at, name))
    elif is_list(value):
        for index, item in enumerate(value):
            yield from pointers(item, (*at, index))


def at(value: Any, pointer: Pointer) -> Any:
    for step in pointer:
        value = value[step]
    return value


def put(value: Any, pointer: Pointer, new: Any) -> Any:
    """A copy of ``value`` with ``new`` in one place."""
    if not pointer:
        return new
    made = copy.copy(value)
    made[pointer[0]] = put(value[pointer[0]], pointer[1:], new)
    return made


def changes(value: Any, pointer: Pointer) -> Iterator[tuple[str, Any]]:
    """Everything that may be done to the value at ``pointer``: in words, and the whole value then."""
    here = at(value, pointer)
    for probe in PROBES:
        yield f"= {shown(probe)}", put(value, pointer, probe)
    for what, made in (*inside(here), ("in a list", [here]), ("as text", str(here))):
        yield what, put(value, pointer, made)


def inside(here: Any) -> Iterable[tuple[str, Any]]:
    if is_mapping(here):
        return in_mapping(here)
    return in_list(here) if is_list(here) else ()


def in_mapping(here: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, item in here.items():
        rest = {key: other for key, other in here.items() if key != name}
        yield f"drop {name}", rest
        yield f"misspell {name}", {**rest, f"{name[:-1]}_{name[-1]}": item}
    yield "extra key", {**here, "unheard_of": 1}


def in_list(here: list[Any]) -> Iterator[tuple[str, Any]]:
    yield "as a mapping", {str(index): item for index, item in enumerate(here)}
    for probe in PROBES:
        yield f"+ {shown(probe)}", [*here, probe]
    if here:
        yield "repeat", [*here, here[0]]


def shown(probe: Any) -> str:
    return json.dumps(probe, ensure_ascii=False)


def all_cases() -> Iterator[Case]:
    rng = random.Random(SEED)
    for file, schema in files():
        value = value_of(file)
        yield Case(file, schema, "unchanged", value)
        yield from (Case(file, schema, f"/ {what}", made) for what, made in changes(value, ()))
        for full, below in completed(schema, value, rng):
            for pointer in pointers(at(full, below), below):
                where = "/".join(map(str, pointer))
                made = changes(full, pointer)
                yield from (Case(file, schema, f"{where} {what}", changed) for what, changed in made)


def cases() -> list[Case]:
    """All cases of the two small schemas, and a fixed choice of the others; no two of them alike."""
    rng = random.Random(SEED)
    found = list(all_cases())
    rng.shuffle(found)
    different = {(case.schema, re.sub(r"/\d+", "/*", case.what)): case for case in found}
    return sorted(different.values(), key=lambda case: case.schema == SETTINGS)[:CASES]


def rowform_errors(case: Case) -> list[Problem]:
    """What rowform has against the file, as far as JSON Schema could say it too."""
    return [
        problem
        for problem in problems_of(case)
        if problem.severity is Severity.ERROR
        and problem.location.file == case.file.shown
        and not any(re.search(pattern, problem.message) for pattern in BEYOND_SCHEMA)
    ]


def problems_of(case: Case) -> tuple[Problem, ...]:
    if case.schema == TOOL:
        return read_tool_config(case.changed)[1].sorted(Severity.ERROR)
    # Of the other files, only what a restaurant may inherit matters to what is said of this one.
    others = (file for file in example().files if file.parts[0] == "_defaults" and case.schema == RESTAURANT)
    try:
        load([case.changed, *others], kinds())
    except InvalidConfig as error:
        return error.problems
    return ()


def schema_errors(schema: Path, instances: list[Path]) -> dict[str, list[str]]:
    """What `check-jsonschema` has against each of the files."""
    tool = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), "-o", "json"]
    done = subprocess.run([*tool, *map(str, instances)], capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert not report.get("parse_errors"), done.stdout
    errors: dict[str, list[str]] = {str(path): [] for path in instances}
    for error in report["errors"]:
        errors[error["filename"]].append(f"{error['path']}: {error['message']}")
    return errors


@pytest.fixture
def schema_files(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / name for name in (SETTINGS, RESTAURANT, TOOL)}
    for name, schema in schemas(kinds()).items():
        paths[name].write_text(text(schema), encoding="utf-8")
    return paths


def judged_by_schema(
    chosen: list[Case], schema_files: Mapping[str, Path], directory: Path
) -> list[list[str]]:
    paths = [directory / f"{index:05}.yaml" for index in range(len(chosen))]
    for path, case in zip(paths, chosen, strict=True):
        path.write_bytes(case.changed.data)
    errors: dict[str, list[str]] = {}
    for name, schema in schema_files.items():
        mine = [path for path, case in zip(paths, chosen, strict=True) if case.schema == name]
        errors |= schema_errors(schema, mine) if mine else {}
    return [errors[str(path)] for path in paths]


def test_schemas_and_rowform_agree(schema_files: dict[str, Path], tmp_path: Path) -> None:
    chosen = cases()
    by_schema = judged_by_schema(chosen, schema_files, tmp_path)
    verdicts = Counter[bool]()
    disagreements: list[str] = []
    for case, theirs in zip(chosen, by_schema, strict=True):
        ours = rowform_errors(case)
        verdicts[not ours] += 1
        if bool(ours) != bool(theirs):
            said = "; ".join(map(str, ours or theirs))
            who = "rowform" if ours else "the schema"
            disagreements.append(f"{case.file.shown}: {case.what}: only {who} objects: {said}")
    assert not disagreements, "\n".join(disagreements)
    assert len(chosen) == CASES
    assert verdicts[True] >= 300
    assert verdicts[False] >= 300


def test_files_as_they_are_written(schema_files: dict[str, Path]) -> None:
    """Plain dates, `off` and comments: other tools read the example's YAML as rowform does."""
    for name, schema in schema_files.items():
        paths = [Path(file.shown) for file, of in files() if of == name]
        assert schema_errors(schema, paths) == {str(path): [] for path in paths}


@pytest.mark.parametrize("number", [2**53, -(2**53), 10**30])
@pytest.mark.parametrize("field", ["max_consecutive", "priority_level", "update_total"])
def test_integers_that_json_clients_would_change(
    field: str, number: int, schema_files: dict[str, Path], tmp_path: Path
) -> None:
    (tool,) = (file for file, schema in files() if schema == TOOL)
    settings = next(file for file, schema in files() if schema == SETTINGS)
    limit = {"name": "x", "limit_config": {"distributionRules": {"maxConsecutive": number}}}
    case = {
        "max_consecutive": Case(settings, SETTINGS, field, {"daily_limits": [limit]}),
        "priority_level": Case(settings, SETTINGS, field, {"priority_rules": [{"name": "x", field: number}]}),
        "update_total": Case(tool, TOOL, field, {"thresholds": {field: number}}),
    }[field]
    assert rowform_errors(case)
    assert judged_by_schema([case], schema_files, tmp_path) != [[]]
