"""What daily and monthly limits share."""

from __future__ import annotations

from collections.abc import Mapping
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
from rowform.kinds.facts import DAYS, FROM, HARD, IN_USE, NAME, PENALTY, SHIFT, UNTIL, Purpose, Words

#: Where the names of people and groups are defined.
STAFF = ("staff_groups.group_config.members[]",)
GROUPS = ("staff_groups.name", "staff_groups.group_config.id")


_LIMIT_TYPES: Mapping[str | int, tuple[str, str]] = {
    "max_off_days": ("days off at most", "休みの日数の上限"),
    "min_weekend_days": ("days off on weekends at least", "週末の休みの下限"),
}
_SCOPES: Mapping[str | int, tuple[str, str]] = {
    "all": ("everybody together", "全員の合計"),
    "individual": ("each person", "一人ずつ"),
}


class DistributionRules(JsonObject):
    """How days off may be spread over a month."""

    max_consecutive: Annotated[int | None, Words("most in a row", "連続の上限")] = None
    """The longest allowed run of such days."""
    prefer_weekends: Annotated[bool | None, Words("weekends first", "週末を優先")] = None
    """Whether weekends come first."""


class LimitConfig(JsonObject):
    """What is limited, to how many, for whom. Keys that are not listed here are kept as they are."""

    shift_type: Annotated[str | None, SHIFT] = None
    """The shift that is counted: `off`, `early`, `late`, …"""
    limit_type: Annotated[str | None, Words("what is limited", "制限の内容", _LIMIT_TYPES, is_name=True)] = (
        None
    )
    """What a monthly limit counts, such as `max_off_days`."""
    max_count: Annotated[float | None, Words("at most", "上限")] = None
    """The most there may be."""
    min_count: Annotated[float | None, Words("at least", "下限")] = None
    """The least there must be."""
    days_of_week: Annotated[list[Weekday] | None, DAYS] = None
    """The days it applies to; 0 is Sunday."""
    scope: Annotated[str | None, Words("counted for", "対象の数え方", _SCOPES, is_name=True)] = None
    """`all`, `individual`, …"""
    target_ids: Annotated[list[str] | None, Words("applies to", "対象")] = None
    """The staff groups or people it applies to; empty means everybody."""
    distribution_rules: Annotated[DistributionRules | None, Words("distribution", "配分")] = None
    """How the days may be spread."""


class Limit(Setting):
    """A limit on how many people may have a certain shift."""

    references: ClassVar[tuple[Reference, ...]] = (
        Reference("limit_config.targetIds[]", (*GROUPS, *STAFF), "staff group or member"),
    )
    periods: ClassVar[tuple[tuple[str, str], ...]] = (("effective_from", "effective_until"),)
    purpose: ClassVar[Purpose | None] = Purpose(
        "limit_config",
        bounds=("maxCount", "minCount"),
        details=("distributionRules",),
        everything={"daysOfWeek": range(7)},
        # One that costs and, further out, one that forbids make a pair.
        besides=("is_hard_constraint",),
    )

    name: Annotated[Key, NAME] = Field(examples=["Max off per day"])
    """What the limit is called; unique per restaurant."""
    limit_config: Annotated[LimitConfig | None, Json, Words("limit", "制限")] = Field(
        default_factory=LimitConfig, examples=[{"shiftType": "off", "maxCount": 3}]
    )
    """What is limited, to how many, for whom."""
    penalty_weight: Annotated[Weight | None, PENALTY] = 1
    """What a violation costs the schedule; 0 or more."""
    is_hard_constraint: Annotated[Flag | None, HARD] = False
    """Whether a schedule that violates it is thrown away."""
    effective_from: Annotated[Day | None, FROM] = Field(None, examples=["2026-04-01"])
    """First day it applies, in the restaurant's time zone; always if left out."""
    effective_until: Annotated[Day | None, UNTIL] = Field(None, examples=["2026-05-06"])
    """Last day it applies, inclusive, in the restaurant's time zone; for ever if left out."""
    is_active: Annotated[Flag | None, IN_USE] = True
    """`false` pauses it without deleting it."""
