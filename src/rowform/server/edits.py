"""What becomes of messages that would write settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rowform.server.identity import Identity
from rowform.wire import Code, Fault, Message, Snapshot


@dataclass(frozen=True, slots=True)
class Edit:
    """What a client wants to have written, and who it is. ``told`` is what its restaurant's clients have."""

    message: Message
    identity: Identity
    restaurant_id: str
    told: Snapshot | None


@dataclass(frozen=True, slots=True)
class Done:
    """An edit that was carried out. ``version_id`` is the version that was made or activated, if one was.

    ``marks`` are for the settings that answer it; ``for_all`` says that every client of the restaurant is to
    see them.
    """

    version_id: str | None = None
    marks: Mapping[str, Any] = field(default_factory=dict[str, Any])
    for_all: bool = False


class Edits(Protocol):
    """How edits are dealt with. What an edit writes reaches clients like any other activation."""

    #: What `--edits` calls it; clients are told as well.
    name: str

    async def carry_out(self, edit: Edit) -> Done:
        """Do it.

        Raises:
            Fault: it is not done; the client is told why.
        """
        ...

    def close(self) -> None:
        """Wait for what is being done, and let go of everything."""
        ...


class RejectEdits:
    """Settings are managed in Git: clients read them."""

    name = "reject"

    async def carry_out(self, edit: Edit) -> Done:
        """Say where edits belong.

        Raises:
            Fault: always.
        """
        place = edit.told.managed_in if edit.told else None
        where = f": change them in {place}" if place else ", and are changed there"
        raise Fault(Code.MANAGED_IN_GIT, f"settings are managed in Git{where}")

    def close(self) -> None:
        """Nothing is open."""
