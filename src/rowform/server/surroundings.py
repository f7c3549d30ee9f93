"""What all parts of a server share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rowform.kinds import Kind
from rowform.server.limits import Limits
from rowform.server.metrics import Metrics
from rowform.server.source import Source


class Part:
    """Something that the server needs, and since when it does not answer."""

    def __init__(self) -> None:
        self._was_up = False
        self._down_since: float | None = time.monotonic()

    @property
    def is_up(self) -> bool:
        return self._down_since is None

    @property
    def has_been_up(self) -> bool:
        return self._was_up

    def worked(self) -> None:
        self._was_up = True
        self._down_since = None

    def failed(self) -> None:
        if self._down_since is None:
            self._down_since = time.monotonic()

    def complaint(self, stale: float) -> str | None:
        """What is wrong with it, if that has lasted for more than ``stale`` seconds."""
        if self._down_since is None:
            return None
        if not self._was_up:
            return "has not answered yet"
        seconds = time.monotonic() - self._down_since
        return f"has not answered for {seconds:.0f} s" if seconds > stale else None


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Surroundings:
    """``clock`` tells the time of day, which tests set; how long things take is measured elsewhere."""

    source: Source
    kinds: Mapping[str, Kind]
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], datetime] = _utc_now
    metrics: Metrics = field(default_factory=Metrics)
    database: Part = field(default_factory=Part)
    listener: Part = field(default_factory=Part)
