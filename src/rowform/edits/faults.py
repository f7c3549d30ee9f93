"""What a client is told of an edit that is not done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rowform.text import pointer, steps
from rowform.wire import Code, Fault

Path = tuple[str | int, ...]

#: Of more faults than this only the number is told.
_MOST = 50


class EditCode(Code):
    """What ``payload.code`` of an ``ERROR`` about an edit may be besides."""

    INVALID = "INVALID"
    STALE = "STALE"
    LOCKED = "LOCKED"
    BLOCKED = "BLOCKED"
    CONFLICT = "CONFLICT"
    NO_DEFAULTS = "NO_DEFAULTS"
    UNKNOWN_VERSION = "UNKNOWN_VERSION"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a value, and where the message has it."""

    path: Path
    message: str

    def __str__(self) -> str:
        where = "".join(steps(self.path))
        return f"{where}: {self.message}" if where else self.message

    def to_json(self) -> dict[str, str]:
        return {"path": pointer(self.path), "message": self.message}


def invalid(problems: Sequence[Problem]) -> Fault:
    """The answer to an edit with faults."""
    return _fault(EditCode.INVALID, str(problems[0]), problems)


def stale(problems: Sequence[Problem]) -> Fault:
    """The answer to an edit of what others have changed."""
    return _fault(EditCode.STALE, problems[0].message, problems)


def _fault(code: str, first: str, problems: Sequence[Problem]) -> Fault:
    more = len(problems) - 1
    message = f"{first}{f' (and {more} more)' if more else ''}"
    return Fault(code, message, {"problems": [one.to_json() for one in problems[:_MOST]]})
