"""Limits that count per day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rowform.kinds.facts import Language
from rowform.kinds.limits import Limit


class DailyLimit(Limit):
    """How many people may, or must, have a certain shift on one day."""

    table: ClassVar[str] = "daily_limits"
    noun: ClassVar[str] = "daily limit"
    titles: ClassVar[Mapping[Language, str]] = {"en": "daily limits", "ja": "1日の制限"}
