"""Marks at the lines of a plan that would overwrite direct writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rowform.diff import Action, Change
from rowform.render.ink import Ink
from rowform.text import quote

if TYPE_CHECKING:
    from rowform.drift import Drift

#: More of a value is not said in a mark.
_VALUE_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Marks:
    """What one change would overwrite; ``settled`` is the number of the version before the direct writes."""

    lost: Sequence[Drift]
    settled: int | None

    def heading(self, change: Change, key_field: str, ink: Ink) -> str:
        """The mark at a change's first line, if it needs one."""
        if not self.lost:
            return ""
        # Few plans are about direct writes.
        from rowform.drift import ABSENT

        whole = next((one for one in self.lost if not one.path), None)
        renamed = next((one for one in self.lost if one.path == (key_field,)), None)
        if whole is not None:
            return self._mark("made since" if whole.active is not ABSENT else "deleted since", ink)
        if change.action is Action.DELETE:
            return self._mark("changed since", ink)
        return self._mark(f"was {quote(renamed.git, _VALUE_WIDTH)} in", ink) if renamed else ""

    def field(self, path: tuple[str | int, ...], ink: Ink) -> str:
        """The mark at the line of one field, if it needs one."""
        if not self.lost:
            return ""
        from rowform.drift import ABSENT

        for one in self.lost:
            # A list is one field, with a line for each item; an object that goes has a line for each member.
            shared = min(len(one.path), len(path))
            if one.path and path[:shared] == one.path[:shared]:
                inside = f"{one.where} " if len(one.path) > len(path) else ""
                was = "not there" if one.git is ABSENT else f"was {quote(one.git, _VALUE_WIDTH)}"
                return self._mark(f"{inside}{was} in", ink)
        return ""

    def _mark(self, what: str, ink: Ink) -> str:
        # Without a version below, there is nothing that it was.
        said = f": {what} version {self.settled}" if self.settled is not None else ""
        return f"  {ink.red(f'# overwrites a direct write{said}')}"


NO_MARKS = Marks((), None)
