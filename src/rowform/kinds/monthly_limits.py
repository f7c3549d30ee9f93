"""Limits that count per month."""

from __future__ import annotations

from typing import ClassVar

from rowform.kinds.limits import Limit


class MonthlyLimit(Limit):
    """How many days of a certain shift one person, or everybody together, may have in a month."""

    table: ClassVar[str] = "monthly_limits"
    noun: ClassVar[str] = "monthly limit"
