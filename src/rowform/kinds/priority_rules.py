"""Rules about who gets which shift first."""

from __future__ import annotations

from collections.abc import Mapping
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
from rowform.kinds.facts import (
    DAYS,
    DESCRIPTION,
    FROM,
    HARD,
    IN_USE,
    NAME,
    PENALTY,
    SHIFT,
    UNTIL,
    Language,
    Words,
)
from rowform.kinds.limits import GROUPS, STAFF

_RULE_TYPES: Mapping[str | int, tuple[str, str]] = {
    "required_off": ("must be off", "必ず休み"),
    "preferred_shift": ("preferred shift", "希望シフト"),
    "avoid_shift": ("shift to avoid", "避けるシフト"),
}


class RuleDefinition(JsonObject):
    """What the rule says. Keys that are not listed here are kept as they are."""

    rule_type: Annotated[str | None, Words("what it asks for", "ルールの種類", _RULE_TYPES, is_name=True)] = (
        None
    )
    """`required_off`, `preferred_shift`, `avoid_shift`, …"""
    staff_id: Annotated[str | None, Words("person", "スタッフ")] = None
    """The person it is about, by name."""
    group_id: Annotated[str | None, Words("group", "グループ")] = None
    """The staff group it is about, by name."""
    shift_type: Annotated[str | None, SHIFT] = None
    """The shift it is about: `off`, `early`, `late`, …"""
    days_of_week: Annotated[list[Weekday] | None, DAYS] = None
    """The days it applies to; 0 is Sunday."""


class RuleConfig(JsonObject):
    """How strongly the rule is meant. Keys that are not listed here are kept as they are."""

    preference_strength: Annotated[float | None, Words("strength", "希望の強さ")] = None
    """From 0, hardly, to 1, very much."""


class PriorityRule(Setting):
    """A wish or a duty of one person or group that the schedule should honour."""

    table: ClassVar[str] = "priority_rules"
    noun: ClassVar[str] = "priority rule"
    titles: ClassVar[Mapping[Language, str]] = {"en": "priority rules", "ja": "優先ルール"}
    references: ClassVar[tuple[Reference, ...]] = (
        Reference("rule_definition.staffId", STAFF, "member of a staff group"),
        Reference("rule_definition.groupId", GROUPS, "staff group"),
    )
    periods: ClassVar[tuple[tuple[str, str], ...]] = (("effective_from", "effective_until"),)

    name: Annotated[Key, NAME] = Field(examples=["Head chef Sundays off"])
    """What the rule is called; unique per restaurant."""
    description: Annotated[Text | None, DESCRIPTION] = None
    """A sentence for people."""
    priority_level: Annotated[Annotated[Integer, Field(ge=1)] | None, Words("priority", "優先度")] = 1
    """1 is the lowest."""
    rule_definition: Annotated[RuleDefinition | None, Json, Words("rule", "ルール")] = Field(
        default_factory=RuleDefinition,
        examples=[{"ruleType": "required_off", "staffId": "料理長", "daysOfWeek": [0]}],
    )
    """What the rule says."""
    rule_config: Annotated[RuleConfig | None, Json, Words("emphasis", "強さ")] = Field(
        default_factory=RuleConfig, examples=[{"preferenceStrength": 0.8}]
    )
    """How strongly it is meant."""
    penalty_weight: Annotated[Weight | None, PENALTY] = 1
    """What a violation costs the schedule; 0 or more."""
    is_hard_constraint: Annotated[Flag | None, HARD] = False
    """Whether a schedule that violates it is thrown away."""
    effective_from: Annotated[Day | None, FROM] = Field(None, examples=["2026-04-01"])
    """First day it applies, in the restaurant's time zone; always if left out."""
    effective_until: Annotated[Day | None, UNTIL] = Field(None, examples=["2026-12-31"])
    """Last day it applies, inclusive, in the restaurant's time zone; for ever if left out."""
    is_active: Annotated[Flag | None, IN_USE] = True
    """`false` pauses it without deleting it."""
