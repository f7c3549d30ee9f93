"""What of an application's tables does not fit, and what could be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person who upgrades has decided.

    ``fix``: do with what does not fit what its finding says. ``keep_inactive``: rows whose
    ``is_active`` is not true are settings that are paused, not deleted ones.
    """

    fix: bool = False
    keep_inactive: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit. ``fix`` is what ``--fix`` does; without it there is ``hint`` alone.

    ``problem`` is half a sentence whose subject are the rows of ``ids``, or the table itself.
    """

    table: str
    problem: str
    ids: tuple[str, ...] = ()
    fix: str | None = None
    hint: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "problem": self.problem,
            "count": len(self.ids),
            "ids": list(self.ids),
            "fix": self.fix,
            "hint": self.hint,
        }
