"""Groups of staff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rowform.kinds.base import Color, Flag, Json, JsonObject, Key, Setting, Text
from rowform.kinds.facts import DESCRIPTION, IN_USE, NAME, Language, Words


class GroupConfig(JsonObject):
    """Who belongs to the group. Keys that are not listed here are kept as they are."""

    members: Annotated[list[str] | None, Words("members", "メンバー")] = None
    """The names of the people in the group."""


class StaffGroup(Setting):
    """People who work together, or who may not all be off together."""

    table: ClassVar[str] = "staff_groups"
    noun: ClassVar[str] = "staff group"
    titles: ClassVar[Mapping[Language, str]] = {"en": "staff groups", "ja": "スタッフグループ"}
    stamps_before: ClassVar[str | None] = "is_active"

    name: Annotated[Key, NAME] = Field(examples=["Kitchen"])
    """What the group is called; unique per restaurant."""
    description: Annotated[Text | None, DESCRIPTION] = Field(None, examples=["Everybody behind the pass"])
    """A sentence for people."""
    color: Annotated[Color | None, Words("colour", "色")] = Field(None, examples=["#3B82F6"])
    """The colour of the group in the schedule."""
    group_config: Annotated[GroupConfig | None, Json, Words("group", "グループ")] = Field(
        default_factory=GroupConfig, examples=[{"members": ["料理長", "井関"]}]
    )
    """Who belongs to it."""
    is_active: Annotated[Flag | None, IN_USE] = True
    """`false` pauses it without deleting it."""
