"""The JSON Schemas: current, valid, complete, and open to kinds of other packages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from rowform.errors import UsageError
from rowform.kinds import Kind, Setting, kinds
from rowform.kinds.base import Json, JsonObject, Key, Sql, Weight
from rowform.kinds.daily_limits import DailyLimit
from rowform.schema import RESTAURANT, SETTINGS, TOOL, Schema, schemas, text

DIRECTORY = Path(__file__).parents[2] / "schemas"


class Step(JsonObject):
    """One step of several."""

    shift_type: Literal["early", "late"] | None = None
    """The shift."""
    then: Step | None = None
    """What comes after it."""


class Rotation(Setting):
    """Shifts that follow each other."""

    table: ClassVar[str] = "rotations"
    noun: ClassVar[str] = "rotation"

    name: Key = Field(title="What it is called")
    """The name."""
    first: Annotated[Step | None, Json] = Field(default_factory=Step)
    """How it begins."""
    style: Annotated[Literal["strict", "loose"], Sql("text")] | None = "loose"
    """How it is meant."""
    weight: Weight = 1
    """What it costs."""


class Strange(Setting):
    """A setting with a field that no JSON has."""

    table: ClassVar[str] = "strange"

    name: Key
    """The name."""
    call: Annotated[Callable[[], int], Sql("text")]
    """Something that is no data."""


@pytest.fixture(scope="module")
def settings() -> Schema:
    return schemas(kinds())[SETTINGS]


def parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every field anywhere in ``schema``, by name."""
    for name, field in schema.get("properties", {}).items():
        yield name, field
        yield from parts(field)
    for definition in schema.get("$defs", {}).values():
        yield from parts(definition)


def test_the_repository_has_the_current_ones() -> None:
    made = {name: text(schema) for name, schema in schemas(_built_in()).items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in DIRECTORY.glob("*.json")}
    assert found == made, "run `rowform schema`"


def _built_in() -> dict[str, Kind]:
    return {name: kind for name, kind in kinds().items() if kind.model.__module__.startswith("rowform.")}


def test_they_are_json_schemas() -> None:
    paths = [str(DIRECTORY / name) for name in (SETTINGS, RESTAURANT, TOOL)]
    tool = [sys.executable, "-m", "check_jsonschema", "--check-metaschema", *paths]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [SETTINGS, RESTAURANT, TOOL])
def test_every_field_is_described(name: str) -> None:
    schema = schemas(kinds())[name]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].startswith("urn:rowform:schema:")
    assert schema["title"]
    assert schema["description"]
    fields = list(parts(schema))
    assert fields
    assert [field for field, body in fields if not body.get("description")] == []


@pytest.mark.parametrize("name", list(kinds()))
def test_an_entry_has_the_kinds_fields_and_defaults(name: str, settings: Schema) -> None:
    kind = kinds()[name]
    entry = settings["$defs"][name]
    fields = entry["properties"]
    assert tuple(fields) == kind.field_names
    assert {field: fields[field].get("default") for field in kind.defaults} == kind.defaults
    assert all(fields[field].get("default", ...) is not None for field in fields), (
        "null is no default to offer"
    )
    assert entry["required"] == [column.name for column in kind.columns if column.required]
    assert entry["additionalProperties"] is False


@pytest.mark.parametrize("name", list(kinds()))
def test_types_say_what_may_be_null(name: str, settings: Schema) -> None:
    fields = settings["$defs"][name]["properties"]
    for column in kinds()[name].columns:
        types = fields[column.name]["type"]
        assert isinstance(types, list) is column.nullable, column.name
        assert ("null" in types) is column.nullable, column.name
        assert column.is_json is ("object" in types), column.name
        assert fields[column.name].get("additionalProperties") is (True if column.is_json else None)


def test_examples_are_as_the_model_has_them(settings: Schema) -> None:
    example = settings["$defs"]["daily_limits"]["properties"]["limit_config"]["examples"][0]
    assert list(example.items()) == [("shiftType", "off"), ("maxCount", 3)]


def test_a_text_is_canonical(settings: Schema) -> None:
    made = text(settings)
    assert json.loads(made) == settings
    assert made.endswith("}\n")
    assert "料理長" in made
    assert made == text(schemas(kinds())[SETTINGS])


def test_a_kind_of_another_package_appears() -> None:
    made = schemas({"daily_limits": Kind(DailyLimit), "rotations": Kind(Rotation)})
    settings = made[SETTINGS]
    assert list(settings["properties"]) == ["daily_limits", "rotations"]
    entry = settings["$defs"]["rotations"]
    assert entry["title"] == "Rotation"
    assert entry["properties"]["name"]["title"] == "What it is called"
    assert entry["properties"]["style"] == {
        "description": "How it is meant.",
        "type": ["string", "null"],
        "enum": ["strict", "loose", None],
        "default": "loose",
    }
    assert entry["properties"]["weight"]["type"] == "number"
    without = made[RESTAURANT]["properties"]["without"]["properties"]
    assert without["rotations"]["description"] == "Names of inherited rotations."
    assert made[RESTAURANT]["properties"]["manages"]["items"]["enum"] == ["daily_limits", "rotations"]


def test_a_model_may_contain_itself() -> None:
    settings = schemas({"rotations": Kind(Rotation)})[SETTINGS]
    step = {"$ref": "#/$defs/rotations.Step"}
    outer = settings["$defs"]["rotations"]["properties"]["first"]
    inner = settings["$defs"]["rotations.Step"]
    for body in (outer, inner):
        then: dict[str, Any] = body["properties"]["then"]
        assert then == {"description": "What comes after it.", "anyOf": [step, {"type": "null"}]}
    assert outer["default"] == {}


def test_a_field_beyond_json_is_named() -> None:
    with pytest.raises(UsageError, match="StrangeEntry cannot be described in JSON Schema"):
        schemas({"strange": Kind(Strange)})
