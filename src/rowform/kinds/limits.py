"""What daily and monthly limits share."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from rowform.kinds.base import (
    Day,
    Flag,
    Json,
    JsonObject,
    Key,
    Reference,
    Setting,
    Weekday,
    Weight,
)

#: Where the names of people and groups are defined.
STAFF = ("staff_groups.group_config.members[]",)
GROUPS = ("staff_groups.name", "staff_groups.group_config.id")


class DistributionRules(JsonObject):
    """How days off may be spread over a month."""

    max_consecutive: int | None = None
    """The longest allowed run of such days."""
    prefer_weekends: bool | None = None
    """Whether weekends come first."""


class LimitConfig(JsonObject):
    """What is limited, to how many, for whom. Keys that are not listed here are kept as they are."""

    shift_type: str | None = None
    """The shift that is counted: `off`, `early`, `late`, …"""
    limit_type: str | None = None
    """What a monthly limit counts, such as `max_off_days`."""
    max_count: float | None = None
    """The most there may be."""
    min_count: float | None = None
    """The least there must be."""
    days_of_week: list[Weekday] | None = None
    """The days it applies to; 0 is Sunday."""
    scope: str | None = None
    """`all`, `individual`, …"""
    target_ids: list[str] | None = None
    """The staff groups or people it applies to; empty means everybody."""
    distribution_rules: DistributionRules | None = None
    """How the days may be spread."""


class Limit(Setting):
    """A limit on how many people may have a certain shift."""

    references: ClassVar[tuple[Reference, ...]] = (
        Reference("limit_config.targetIds[]", (*GROUPS, *STAFF), "staff group or member"),
    )
    periods: ClassVar[tuple[tuple[str, str], ...]] = (("effective_from", "effective_until"),)

    name: Key = Field(examples=["Max off per day"])
    """What the limit is called; unique per restaurant."""
    limit_config: Annotated[LimitConfig | None, Json] = Field(
        default_factory=LimitConfig, examples=[{"shiftType": "off", "maxCount": 3}]
    )
    """What is limited, to how many, for whom."""
    penalty_weight: Weight | None = 1
    """What a violation costs the schedule; 0 or more."""
    is_hard_constraint: Flag | None = False
    """Whether a schedule that violates it is thrown away."""
    effective_from: Day | None = Field(None, examples=["2026-04-01"])
    """First day it applies, in the restaurant's time zone; always if left out."""
    effective_until: Day | None = Field(None, examples=["2026-05-06"])
    """Last day it applies, inclusive, in the restaurant's time zone; for ever if left out."""
    is_active: Flag | None = True
    """`false` pauses it without deleting it."""
