"""Limits that count per month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rowform.kinds.facts import Language
from rowform.kinds.limits import Limit


class MonthlyLimit(Limit):
    """How many days of a certain shift one person, or everybody together, may have in a month."""

    table: ClassVar[str] = "monthly_limits"
    noun: ClassVar[str] = "monthly limit"
    titles: ClassVar[Mapping[Language, str]] = {"en": "monthly limits", "ja": "月間の制限"}
