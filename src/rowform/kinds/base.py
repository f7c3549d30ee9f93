"""What a kind is: one pydantic model from which everything else about a settings table follows.

A kind is declared once, as a subclass of :class:`Setting`::

    class WeeklyLimit(Setting):
        table: ClassVar[str] = "weekly_limits"
        name: Key
        limit_config: Annotated[LimitConfig | None, Json] = Field(default_factory=LimitConfig)
        penalty_weight: Weight | None = 1

:class:`Kind` derives the rest from it: the YAML fields, the SQL columns and their defaults,
the camelCase names of the wire form, the JSON Schema, the reference paths.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    WithJsonSchema,
    create_model,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from rowform.errors import UsageError
from rowform.kinds.facts import Language, Purpose


@dataclass(frozen=True, slots=True)
class Sql:
    """The PostgreSQL type of a field's column. Goes into the field's ``Annotated`` metadata."""

    type: str


def _real_date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError(
            "no_such_date", "there is no such date: {value}", {"value": value}
        ) from None
    return value


COLOR_PATTERN = r"^#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$"
DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
NOT_BLANK = r"\S"
UUID_PATTERN = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
#: What to say of a text that does not match its pattern.
PATTERN_MESSAGES = {
    COLOR_PATTERN: 'is not a colour; write it as "#RRGGBB", in quotes',
    DAY_PATTERN: "is not a date; write it as YYYY-MM-DD",
    UUID_PATTERN: "is not a UUID",
    NOT_BLANK: "is blank; it needs at least one visible character",
}
#: What identifies a setting within its restaurant and kind.
Key = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NOT_BLANK), Sql("text")]
Text = Annotated[str, Sql("text")]
Flag = Annotated[bool, Sql("boolean")]
Integer = Annotated[int, Sql("integer"), Field(ge=-(2**31), le=2**31 - 1)]
Number = Annotated[float, Sql("numeric"), Field(allow_inf_nan=False)]
#: How much breaking a constraint costs; never a reward.
Weight = Annotated[float, Sql("numeric"), Field(ge=0, allow_inf_nan=False)]
#: 0 is no confidence at all, 1 is certainty.
Confidence = Annotated[float, Sql("numeric"), Field(ge=0, le=1, allow_inf_nan=False)]
#: ``#RGB``, ``#RRGGBB`` or ``#RRGGBBAA``, as CSS writes colours.
Color = Annotated[str, StringConstraints(pattern=COLOR_PATTERN), Sql("text")]
#: A calendar day. It stays text after validation: the canonical form is what was written.
Day = Annotated[
    str,
    StringConstraints(pattern=DAY_PATTERN),
    AfterValidator(_real_date),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DAY_PATTERN}),
    Sql("date"),
]
#: Marks a field whose column is ``jsonb`` and holds an object.
Json = Sql("jsonb")
Weekday = Annotated[int, Field(ge=0, le=6)]


#: How files are read: nothing unknown, nothing converted; models are built when they are needed.
STRICT = ConfigDict(
    extra="forbid",
    strict=True,
    frozen=True,
    defer_build=True,
    hide_input_in_errors=True,
    protected_namespaces=(),
    validate_by_name=False,
    validate_by_alias=True,
)


class JsonObject(BaseModel):
    """A JSON column's object. Fields are the keys the application is known to use; any other key is free."""

    model_config = ConfigDict({**STRICT, "extra": "allow", "alias_generator": to_camel})

    @classmethod
    @cache
    def known(cls) -> Mapping[str, type[JsonObject] | None]:
        """The known keys, each with the model of its object if it holds one."""
        return {field.alias or name: _json_model(field) for name, field in cls.model_fields.items()}

    @classmethod
    def known_keys(cls, at: tuple[str | int, ...]) -> tuple[str, ...]:
        """The known keys of the object at a pointer inside this one."""
        if not at:
            return tuple(cls.known())
        nested = cls.known().get(str(at[0]))
        return nested.known_keys(at[1:]) if nested else ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a setting that names something else.

    ``path`` leads to the name: a column, then keys of its JSON, ``[]`` for every item of a
    list (``limit_config.targetIds[]``). ``targets`` are the places where such names are
    defined, each a kind and a path in it (``staff_groups.group_config.members[]``).
    ``what`` is the word for it in messages.
    """

    path: str
    targets: tuple[str, ...]
    what: str


class Setting(BaseModel):
    """Base of all kinds. A subclass sets ``table`` and declares its columns as fields."""

    model_config = STRICT

    table: ClassVar[str]
    #: The field that identifies a setting.
    key: ClassVar[str] = "name"
    #: What one such setting is called in sentences, in the singular.
    noun: ClassVar[str] = "setting"
    #: What such settings are called in headings, by language; else the table's name with spaces.
    titles: ClassVar[Mapping[Language, str]] = {}
    references: ClassVar[tuple[Reference, ...]] = ()
    #: A field that at most one setting of a restaurant may have set to true.
    unique_flag: ClassVar[str | None] = None
    #: The column before which `created_at` and `updated_at` stand in the table; at the end if none.
    stamps_before: ClassVar[str | None] = None
    #: Pairs of date fields (from, until) of which the first may not be after the second.
    periods: ClassVar[tuple[tuple[str, str], ...]] = ()
    #: What makes two settings one of a purpose, if overlapping periods of such are to be pointed out.
    purpose: ClassVar[Purpose | None] = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a kind's table, derived from the model's field.

    ``default`` is the JSON value that an entry has when it leaves the field out; a
    required field has none (``required`` is true).
    """

    name: str
    sql_type: str
    nullable: bool
    required: bool
    default: Any

    @property
    def wire_name(self) -> str:
        """The column's name in live messages."""
        return to_camel(self.name)

    @property
    def is_json(self) -> bool:
        return self.sql_type == "jsonb"


#: The field of an entry in YAML that lists its former keys.
PREVIOUSLY = "previously"
#: The flag that kinds have whose settings can be paused: one that is not true is not in effect.
ACTIVE = "is_active"
#: Columns that say when a setting was made and last changed.
STAMPS = ("created_at", "updated_at")


def _sql_type(field: FieldInfo, where: str) -> str:
    """The ``Sql`` marker of a field, looked for in its own metadata and in a union's members."""
    pending: list[Any] = [*field.metadata, field.annotation]
    while pending:
        item = pending.pop(0)
        if isinstance(item, Sql):
            return item.type
        if get_origin(item) in (Annotated, Union, types.UnionType):
            pending.extend(get_args(item))
    raise UsageError(f"{where} has no SQL type", "annotate it with one of rowform.kinds.base's types")


def _json_model(field: FieldInfo) -> type[JsonObject] | None:
    pending: list[Any] = [field.annotation]
    while pending:
        item = pending.pop()
        if isinstance(item, type) and issubclass(item, JsonObject):
            return item
        pending.extend(get_args(item))
    return None


def _nullable(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)


class Kind:
    """A settings table, everything about it derived from its model."""

    def __init__(self, model: type[Setting]) -> None:
        self.model = model
        self.name: str = model.table
        self.key: str = model.key
        self.noun: str = model.noun
        self.references = model.references
        self.unique_flag = model.unique_flag
        self.periods = model.periods
        self.purpose = model.purpose
        self.titles = model.titles

    def __repr__(self) -> str:
        return f"Kind({self.name})"

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The model's columns in order of declaration."""
        return tuple(
            Column(
                name=field.alias or name,
                sql_type=_sql_type(field, f"{self.name}.{name}"),
                nullable=_nullable(field),
                required=field.is_required(),
                default=None if field.is_required() else _plain(field.get_default(call_default_factory=True)),
            )
            for name, field in self.model.model_fields.items()
        )

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def table_columns(self) -> tuple[str, ...]:
        """All columns of the seed's table, in its order: ids, the model's columns, time stamps."""
        names = ["id", "restaurant_id", "version_id", *self.column_names]
        before = self.model.stamps_before
        at = names.index(before) if before else len(names)
        return (*names[:at], *STAMPS, *names[at:])

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """The values of the fields that an entry may leave out."""
        return {column.name: column.default for column in self.columns if not column.required}

    @cached_property
    def json_models(self) -> Mapping[str, type[JsonObject]]:
        """The models of the JSON columns, by column."""
        found = {field.alias or name: _json_model(field) for name, field in self.model.model_fields.items()}
        return {name: model for name, model in found.items() if model is not None}

    @cached_property
    def entry_model(self) -> type[Setting]:
        """The model of an entry in YAML: the setting, and what only the file knows of it."""
        return create_model(
            f"{self.model.__name__}Entry",
            __base__=self.model,
            __doc__=self.model.__doc__,
            previously=(
                list[Key],
                Field(
                    default_factory=list[str],
                    description="Former names of this entry: a rename keeps its identity and history.",
                    examples=[["Back of house"]],
                ),
            ),
        )

    @cached_property
    def entries(self) -> TypeAdapter[list[Setting]]:
        """Validates a list of entries of this kind, all their faults at once."""
        return TypeAdapter(list[self.entry_model])  # type: ignore[name-defined]  # made at run time

    @cached_property
    def field_names(self) -> tuple[str, ...]:
        """What an entry in YAML may contain."""
        return (*self.column_names, PREVIOUSLY)


def _plain(value: Any) -> Any:
    return value.model_dump(by_alias=True, exclude_unset=True) if isinstance(value, BaseModel) else value
