"""What kinds say besides their columns: what people call things, and what settings are about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

#: The languages in which settings are told to people who read no code.
Language = Literal["en", "ja"]


@dataclass(frozen=True, slots=True)
class Words:
    """What people call a field. Goes into the field's ``Annotated`` metadata.

    ``values`` has words for values that the application is known to use, or for the items of a list of such.
    ``is_name``: its values are names in a program, in which an underscore stands for a space.
    """

    en: str
    ja: str
    values: Mapping[str | int, tuple[str, str]] = field(default_factory=dict[str | int, tuple[str, str]])
    is_name: bool = False

    def label(self, language: Language) -> str:
        return self.ja if language == "ja" else self.en

    def value(self, value: Any, language: Language) -> str | None:
        """The word for a value, if there is one."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            return None
        found = self.values.get(value)
        return found[language == "ja"] if found else None


def words_of(model: type[BaseModel]) -> Mapping[str, Words]:
    """The words of a model's fields, by the name that files use."""
    return {
        field.alias or name: mark
        for name, field in model.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Words)
    }


def spaced(name: str) -> str:
    """A name of a program in words: ``penalty weight`` for ``penalty_weight`` and ``penaltyWeight``."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).replace("_", " ")
    return (
        " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in apart.split()) or name
    )


@dataclass(frozen=True, slots=True)
class Purpose:
    """What settings of a kind are about, so that two about the same thing can be told from other two.

    ``column`` is the JSON column that says it. Of its keys ``bounds`` are the numbers that are set, each a
    purpose of its own (the least is no second opinion on the most), and ``details`` are no part of it.
    ``everything`` has lists that mean the same as none. ``besides`` are columns that must be equal as well.
    """

    column: str
    bounds: tuple[str, ...]
    details: tuple[str, ...] = ()
    everything: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, Sequence[Any]])
    besides: tuple[str, ...] = ()


# --- words that several kinds share --------------------------------------------------------------

WEEKDAYS: Mapping[str | int, tuple[str, str]] = {
    0: ("Sunday", "日曜日"),
    1: ("Monday", "月曜日"),
    2: ("Tuesday", "火曜日"),
    3: ("Wednesday", "水曜日"),
    4: ("Thursday", "木曜日"),
    5: ("Friday", "金曜日"),
    6: ("Saturday", "土曜日"),
}
NAME = Words("name", "名前")
DESCRIPTION = Words("description", "説明")
PENALTY = Words("penalty weight", "違反の重み")
HARD = Words("must be kept", "必ず守る")
FROM = Words("first day", "開始日")
UNTIL = Words("last day", "終了日")
IN_USE = Words("in use", "有効")
DAYS = Words("days", "曜日", WEEKDAYS)
SHIFT = Words(
    "shift",
    "シフト",
    {"off": ("off", "休み"), "early": ("early", "早番"), "late": ("late", "遅番")},
    is_name=True,
)
