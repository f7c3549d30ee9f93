"""Every error that rowform raises on purpose, and the exit codes they lead to.

::

    RowformError                     exit 1
    ├── UsageError                   options or names that make no sense together
    ├── InvalidConfig                problems in the YAML, each with its place
    ├── InvalidSource                a browser's export that cannot be taken
    ├── Unwritable                   what is live cannot be said in YAML
    ├── GitError                     the repository cannot answer
    ├── EmbeddedError                the embedded database cannot be started
    ├── DatabaseError                the server refused or failed
    │   ├── ConnectionFailed         unreachable, wrong password, TLS, …
    │   └── SchemaError              tables missing, older or newer than this tool
    ├── PartlyApplied                some restaurants were applied and some failed
    └── Refused                      exit 3: a guard said no and nothing was written
        ├── Blocked                  one or more guards of the plan
        ├── StalePlan                somebody else was faster
        │   └── AppliedAlready       a saved plan is applied once
        ├── UnusablePlan             a file that is no saved plan, or not as it was saved
        ├── OtherDatabase            a saved plan is for one database
        ├── ConfigChanged            a saved plan is for one configuration
        ├── LockedVersion            the active version is locked
        ├── Unanswered               an import that needs answers first
        ├── DirtyFiles                   files with changes that no commit has
        ├── DoesNotFit               tables of an application cannot be taken over as they are
        └── Declined                 nobody said yes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, ClassVar, Protocol

from rowform.location import Problem


class ExitCode(IntEnum):
    """What the process tells its caller."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    REFUSED = 3

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "done, or nothing to do",
    ExitCode.ERROR: "error, wrong usage included",
    ExitCode.CHANGES: "there are changes; only with `--detailed-exitcode`",
    ExitCode.REFUSED: "refused: a guard said no and nothing was written",
}


class RowformError(Exception):
    """Base of all expected errors. ``hint`` is one sentence on the way out, if one is known."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        #: Whether the command has printed it already.
        self.shown = False

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "hint": self.hint}


class UsageError(RowformError):
    code = "usage"


class InvalidConfig(RowformError):
    """The configuration has errors. ``problems`` is sorted and never empty."""

    code = "invalid-config"

    def __init__(self, problems: Sequence[Problem]) -> None:
        noun = "problem" if len(problems) == 1 else "problems"
        super().__init__(f"{len(problems)} {noun} in the configuration")
        self.problems = tuple(problems)

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "problems": [problem.to_json() for problem in self.problems]}


class Fault(Protocol):
    """A fault of something that is not YAML; as text it says where."""

    def to_json(self) -> dict[str, Any]: ...


class InvalidSource(RowformError):
    """A browser's export that cannot be taken as it is. ``faults`` may be empty."""

    code = "invalid-source"

    def __init__(
        self, name: str, message: str, hint: str | None = None, faults: Sequence[Fault] = ()
    ) -> None:
        super().__init__(f"{name}: {message}", hint)
        self.faults = tuple(faults)

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "faults": [fault.to_json() for fault in self.faults]}


class Unwritable(RowformError):
    """``findings`` are JSON objects: stored values that the configuration cannot have."""

    code = "unwritable"

    def __init__(self, message: str, hint: str, findings: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message, hint)
        self.findings = tuple(findings)

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "findings": [dict(finding) for finding in self.findings]}


class GitError(RowformError):
    code = "git"


class EmbeddedError(RowformError):
    code = "embedded-database"


class DatabaseError(RowformError):
    """``sqlstate`` is PostgreSQL's five-character code where the server gave one."""

    code = "database"

    def __init__(self, message: str, hint: str | None = None, sqlstate: str | None = None) -> None:
        super().__init__(message, hint)
        self.sqlstate = sqlstate

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "sqlstate": self.sqlstate}


class ConnectionFailed(DatabaseError):
    code = "connection"


class SchemaError(DatabaseError):
    code = "schema"


class PartlyApplied(RowformError):
    code = "partly-applied"


class Refused(RowformError):
    code = "refused"
    exit_code = ExitCode.REFUSED


class Blocked(Refused):
    code = "blocked"


class StalePlan(Refused):
    code = "stale"


class AppliedAlready(StalePlan):
    code = "applied-already"


class UnusablePlan(Refused):
    code = "plan-file"


class OtherDatabase(Refused):
    code = "other-database"


class ConfigChanged(Refused):
    code = "config-changed"


class LockedVersion(Refused):
    code = "locked"


class Unanswered(Refused):
    code = "unanswered"


class DirtyFiles(Refused):
    code = "dirty"


class DoesNotFit(Refused):
    """``findings`` are JSON objects: what does not fit, where, and what can be done about it."""

    code = "does-not-fit"

    def __init__(self, message: str, hint: str, findings: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(message, hint)
        self.findings = tuple(findings)

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "findings": [dict(finding) for finding in self.findings]}


class Declined(Refused):
    code = "declined"
