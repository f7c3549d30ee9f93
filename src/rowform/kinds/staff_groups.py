"""Groups of staff."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from rowform.kinds.base import Color, Flag, Json, JsonObject, Key, Setting, Text


class GroupConfig(JsonObject):
    """Who belongs to the group. Keys that are not listed here are kept as they are."""

    members: list[str] | None = None
    """The names of the people in the group."""


class StaffGroup(Setting):
    """People who work together, or who may not all be off together."""

    table: ClassVar[str] = "staff_groups"
    noun: ClassVar[str] = "staff group"
    stamps_before: ClassVar[str | None] = "is_active"

    name: Key = Field(examples=["Kitchen"])
    """What the group is called; unique per restaurant."""
    description: Text | None = Field(None, examples=["Everybody behind the pass"])
    """A sentence for people."""
    color: Color | None = Field(None, examples=["#3B82F6"])
    """The colour of the group in the schedule."""
    group_config: Annotated[GroupConfig | None, Json] = Field(
        default_factory=GroupConfig, examples=[{"members": ["料理長", "井関"]}]
    )
    """Who belongs to it."""
    is_active: Flag | None = True
    """`false` pauses it without deleting it."""
