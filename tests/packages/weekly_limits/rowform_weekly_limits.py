"""Weekly limits: a kind of its own, in one class."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from rowform.kinds.base import Day, Flag, Json, JsonObject, Key, Reference, Setting, Weight


class WeekConfig(JsonObject):
    """What is counted per week. Keys that are not listed here are kept as they are."""

    max_hours: float | None = None
    """The most hours."""
    staff_ids: list[str] | None = None
    """The people it applies to, by name."""


class WeeklyLimit(Setting):
    """How many hours somebody may work in a week."""

    table: ClassVar[str] = "weekly_limits"
    noun: ClassVar[str] = "weekly limit"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            "week_config.staffIds[]", ("staff_groups.group_config.members[]",), "member of a staff group"
        ),
    )
    periods: ClassVar[tuple[tuple[str, str], ...]] = (("effective_from", "effective_until"),)

    name: Key = Field(examples=["Forty hours"])
    """What the limit is called; unique per restaurant."""
    week_config: Annotated[WeekConfig | None, Json] = Field(default_factory=WeekConfig)
    """What is counted."""
    penalty_weight: Weight | None = 2.5
    """What a violation costs."""
    effective_from: Day | None = None
    """First day."""
    effective_until: Day | None = None
    """Last day."""
    is_active: Flag | None = True
    """`false` pauses it."""
