"""JSON Schemas for editors and other tools, derived from the models.

They say of a file what ``rowform validate`` says of it, as far as JSON Schema can: it sees one file
at a time, so names that are taken twice, periods that end before they begin and references are not its
business. ``tests/property/test_schema_agreement.py`` holds the two against each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import core_schema

from rowform.config import ToolFile
from rowform.errors import UsageError
from rowform.header import DEFAULTS_PREFIX
from rowform.kinds import Kind
from rowform.kinds.base import JsonObject
from rowform.kinds.docs import described
from rowform.kinds.restaurant import RestaurantFile
from rowform.state import MAX_EXACT, normalise
from rowform.text import count

__all__ = ["DIALECT", "RESTAURANT", "SETTINGS", "TOOL", "Schema", "schemas", "text"]

Schema: TypeAlias = dict[str, Any]

#: The files' names.
SETTINGS = "settings.schema.json"
RESTAURANT = "restaurant.schema.json"
TOOL = "rowform.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_FREE_KEYS = "Other keys are kept exactly as written."
#: Keywords in the order in which people read them; all others come after these, in alphabetical order.
_ORDER = [
    "$schema",
    "$id",
    "title",
    "description",
    "type",
    "$ref",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "items",
    "minItems",
    "maxItems",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "anyOf",
    "oneOf",
    "allOf",
    "default",
    "examples",
]
#: Where schemas stand inside a schema: by name, in a list, alone.
_BY_NAME = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
_LISTED = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_ALONE = frozenset(
    ["items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else"]
)


def schemas(kinds: Mapping[str, Kind]) -> dict[str, Schema]:
    """All schemas, by the name of the file that they are written to.

    Raises:
        UsageError: a kind has a field that JSON Schema has no words for.
    """
    made = {SETTINGS: _settings(kinds), RESTAURANT: _restaurant(kinds), TOOL: _tool()}
    return {name: _ordered(schema) for name, schema in made.items()}


def text(schema: Schema) -> str:
    """The one text of a schema."""
    return json.dumps(schema, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _document(name: str, title: str, description: str, body: Schema) -> Schema:
    # No host serves these files; a URN is an identity that nobody tries to fetch.
    head = {"$schema": DIALECT, "$id": f"urn:rowform:schema:{name}"}
    return {**body, **head, "title": title, "description": description}


def _settings(kinds: Mapping[str, Kind]) -> Schema:
    definitions: dict[str, Schema] = {}
    for kind in kinds.values():
        entry, rest = _model(kind.entry_model, f"{kind.name}.")
        definitions |= {kind.name: {**entry, "title": _capital(kind.noun)}, **rest}
    return _document(
        "settings",
        "Settings",
        "A file of settings: names of kinds, each with a list of entries. Any number of files, in any"
        " folders below the restaurant's directory, may hold entries of any kinds.",
        {
            "type": "object",
            "properties": {kind.name: _entries(kind) for kind in kinds.values()},
            "additionalProperties": False,
            "$defs": definitions,
        },
    )


def _entries(kind: Kind) -> Schema:
    return {
        "description": f"A list of {_plural(kind)}; `[]` for none. {_about(kind)}".rstrip(),
        "type": "array",
        "items": {"$ref": f"#/$defs/{kind.name}"},
    }


def _plural(kind: Kind) -> str:
    return count(2, kind.noun).removeprefix("2 ")


def _about(kind: Kind) -> str:
    """What a kind's model says of itself, on one line."""
    return " ".join((kind.model.__doc__ or "").split())


def _restaurant(kinds: Mapping[str, Kind]) -> Schema:
    body, rest = _model(RestaurantFile)
    fields = body["properties"]
    fields["inherits"]["items"]["pattern"] = f"^{DEFAULTS_PREFIX}"
    fields["manages"]["items"] = {"type": "string", "enum": list(kinds)}
    dropped = fields["without"].pop("additionalProperties")
    fields["without"] |= {
        "properties": {
            kind.name: {"description": f"Names of inherited {_plural(kind)}.", **dropped}
            for kind in kinds.values()
        },
        "additionalProperties": False,
    }
    description = "restaurant.yaml: which restaurant a directory of settings is about, and what it inherits."
    return _document("restaurant", "Restaurant", description, _with_definitions(body, rest))


def _tool() -> Schema:
    body, rest = _model(ToolFile)
    description = "rowform.yaml: how much a plan may change unasked, and the databases of this repository."
    return _document("rowform", "rowform's configuration", description, _with_definitions(body, rest))


def _with_definitions(body: Schema, definitions: Mapping[str, Schema]) -> Schema:
    return {**body, "$defs": dict(definitions)} if definitions else body


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, for people who write YAML by hand."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        """A title that only repeats the field's name teaches nothing."""
        return False

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:  # noqa: ARG002
        """Keep the order of the models and of their examples; keywords are sorted at the end."""
        return value

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:
        """The default, also one that a factory makes: editors offer it."""
        factory: Callable[[], Any] | None = schema.get("default_factory")  # type: ignore[assignment]
        if factory is not None and not schema.get("default_factory_takes_data"):
            return factory()
        return super().get_default_value(schema)

    def render_warning_message(self, kind: JsonSchemaWarningKind, detail: str) -> str | None:  # noqa: ARG002
        """None: a default that is no JSON is left out, which is nothing to warn users of."""
        return None

    def encode_default(self, dft: Any) -> Any:
        """A JSON column's default has no keys; the nulls of its model are not written anywhere."""
        if isinstance(dft, JsonObject):
            return dft.model_dump(by_alias=True, exclude_unset=True)
        return normalise(super().encode_default(dft))

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """To leave a field out is how one writes null where that is the default."""
        made = super().default_schema(schema)
        if made.get("default", ...) is None:
            del made["default"]
        return made

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """Without bounds of its own, a whole number is one that JSON clients read exactly."""
        made = super().int_schema(schema)
        if not made.keys() & {"minimum", "exclusiveMinimum"}:
            made["minimum"] = -MAX_EXACT
        if not made.keys() & {"maximum", "exclusiveMaximum"}:
            made["maximum"] = MAX_EXACT
        return made


def _model(model: type[BaseModel], prefix: str = "") -> tuple[Schema, dict[str, Schema]]:
    """The schema of a model, and the definitions it still needs, their names beginning with ``prefix``."""
    try:
        made = TypeAdapter(described(model)).json_schema(
            mode="validation",
            by_alias=True,
            schema_generator=_Generator,
            ref_template=f"{_REF}{prefix}{{model}}",
        )
    except PydanticInvalidForJsonSchema as error:
        raise UsageError(f"{model.__name__} cannot be described in JSON Schema: {error.message}") from error
    inliner = _Inliner({f"{prefix}{name}": body for name, body in made.pop("$defs", {}).items()})
    body = inliner.inlined(made, ())
    body.pop("title", None)
    return body, inliner.kept


_REF = "#/$defs/"


class _Inliner:
    """Puts definitions where they are referred to, so that a field's own words stand beside its type.

    Only a definition that refers to itself stays one; such are in ``kept``.
    """

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self.kept: dict[str, Schema] = {}

    def inlined(self, schema: Schema, inside: tuple[str, ...]) -> Schema:
        """``schema`` without references, nullable types as one; ``inside`` are the open definitions."""
        name = str(schema.get("$ref", "")).removeprefix(_REF)
        if name not in self._definitions:
            made = _mapped(schema, lambda part: self.inlined(part, inside))
        elif name in inside:
            self._keep(name)
            made = schema
        else:
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            made = self.inlined(self._definitions[name], (*inside, name))
            made.pop("title", None)
            made |= beside
        return _frank(_nullable(made))

    def _keep(self, name: str) -> None:
        if name not in self.kept:
            self.kept[name] = {}
            self.kept[name] = self.inlined(self._definitions[name], (name,))


def _nullable(schema: Schema) -> Schema:
    """``anyOf: [{type: T, …}, {type: null}]`` as ``type: [T, null]``, of which editors speak more clearly."""
    options = schema.get("anyOf", ())
    if len(options) != 2 or options[1] != {"type": "null"} or not isinstance(options[0].get("type"), str):
        return schema
    inner = options[0]
    if "const" in inner:
        return schema
    made = {**inner, **{key: value for key, value in schema.items() if key != "anyOf"}}
    made["type"] = [inner["type"], "null"]
    if "enum" in inner:
        made["enum"] = [*inner["enum"], None]
    return made


def _frank(schema: Schema) -> Schema:
    """Say of an object whose keys are free that they are."""
    if schema.get("additionalProperties") is not True or not schema.get("properties"):
        return schema
    said: str = schema.get("description", "")
    return schema if said.endswith(_FREE_KEYS) else {**schema, "description": f"{said} {_FREE_KEYS}".lstrip()}


def _mapped(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """``schema`` with ``change`` applied to every schema directly inside it."""
    made: Schema = {}
    for keyword, value in schema.items():
        if keyword in _BY_NAME:
            made[keyword] = {name: _changed(part, change) for name, part in value.items()}
        elif keyword in _LISTED:
            made[keyword] = [_changed(part, change) for part in value]
        else:
            made[keyword] = _changed(value, change) if keyword in _ALONE else value
    return made


def _changed(part: Schema | bool, change: Callable[[Schema], Schema]) -> Schema | bool:
    return part if isinstance(part, bool) else change(part)


def _ordered(schema: Schema) -> Schema:
    """``schema`` with its keywords in order of reading; the names of properties keep theirs."""
    made = _mapped(schema, _ordered)
    return {keyword: made[keyword] for keyword in _in_order(made)}


def _in_order(keywords: Iterable[str]) -> list[str]:
    rank = {keyword: index for index, keyword in enumerate(_ORDER)}
    return sorted(keywords, key=lambda keyword: (rank.get(keyword, len(rank)), keyword))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
