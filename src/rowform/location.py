"""Where something stands in a file, and what is wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file. Lines and columns count from 1; columns count characters, as editors do."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "column": self.column}


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of the configuration: a single line of output.

    ``message`` must not contain control characters or line breaks: whoever quotes a
    user's value in it passes that value through :func:`rowform.text.quote` first.
    """

    location: Location
    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR
    #: Whether it is about a name that leads nowhere, which a plan lists by itself.
    dangling: bool = False

    def __str__(self) -> str:
        warning = "warning: " if self.severity is Severity.WARNING else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.location}: {warning}{self.message}{hint}"

    def to_json(self) -> dict[str, Any]:
        return {
            "severity": self.severity.value,
            **self.location.to_json(),
            "message": self.message,
            "hint": self.hint,
        }
