"""Rules about who gets which shift first."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from rowform.kinds.base import (
    Day,
    Flag,
    Integer,
    Json,
    JsonObject,
    Key,
    Reference,
    Setting,
    Text,
    Weekday,
    Weight,
)
from rowform.kinds.limits import GROUPS, STAFF


class RuleDefinition(JsonObject):
    """What the rule says. Keys that are not listed here are kept as they are."""

    rule_type: str | None = None
    """`required_off`, `preferred_shift`, `avoid_shift`, …"""
    staff_id: str | None = None
    """The person it is about, by name."""
    group_id: str | None = None
    """The staff group it is about, by name."""
    shift_type: str | None = None
    """The shift it is about: `off`, `early`, `late`, …"""
    days_of_week: list[Weekday] | None = None
    """The days it applies to; 0 is Sunday."""


class RuleConfig(JsonObject):
    """How strongly the rule is meant. Keys that are not listed here are kept as they are."""

    preference_strength: float | None = None
    """From 0, hardly, to 1, very much."""


class PriorityRule(Setting):
    """A wish or a duty of one person or group that the schedule should honour."""

    table: ClassVar[str] = "priority_rules"
    noun: ClassVar[str] = "priority rule"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference("rule_definition.staffId", STAFF, "member of a staff group"),
        Reference("rule_definition.groupId", GROUPS, "staff group"),
    )
    periods: ClassVar[tuple[tuple[str, str], ...]] = (("effective_from", "effective_until"),)

    name: Key = Field(examples=["Head chef Sundays off"])
    """What the rule is called; unique per restaurant."""
    description: Text | None = None
    """A sentence for people."""
    priority_level: Annotated[Integer, Field(ge=1)] | None = 1
    """1 is the lowest."""
    rule_definition: Annotated[RuleDefinition | None, Json] = Field(
        default_factory=RuleDefinition,
        examples=[{"ruleType": "required_off", "staffId": "料理長", "daysOfWeek": [0]}],
    )
    """What the rule says."""
    rule_config: Annotated[RuleConfig | None, Json] = Field(
        default_factory=RuleConfig, examples=[{"preferenceStrength": 0.8}]
    )
    """How strongly it is meant."""
    penalty_weight: Weight | None = 1
    """What a violation costs the schedule; 0 or more."""
    is_hard_constraint: Flag | None = False
    """Whether a schedule that violates it is thrown away."""
    effective_from: Day | None = Field(None, examples=["2026-04-01"])
    """First day it applies, in the restaurant's time zone; always if left out."""
    effective_until: Day | None = Field(None, examples=["2026-12-31"])
    """Last day it applies, inclusive, in the restaurant's time zone; for ever if left out."""
    is_active: Flag | None = True
    """`false` pauses it without deleting it."""
