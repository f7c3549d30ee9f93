"""How much of everything: sizes, rates and times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are in seconds. Tests make some of them shorter."""

    #: A browser's whole localStorage fits in; nothing that a client sends is larger.
    frame_bytes: int = 1 << 20
    connections: int = 10_000
    #: So many messages at once, and so many in a second over time. An editor resends a whole table at once.
    burst: int = 300
    rate: float = 20.0
    #: Answers that wait for a client; then it is not read from any more.
    answers: int = 32
    #: Until a client has said who it is.
    authentication: float = 10.0
    ping: float = 20.0
    #: Until a client has taken what is sent to it; also for its answer to a ping.
    send: float = 20.0
    #: Until the other side has agreed to close. The application's clients try again after 1, 2 and 4 s.
    close: float = 1.5
    #: Between two looks for activations that nobody was told of.
    poll: float = 20.0
    #: Between two attempts to read what cannot be read.
    retry: float = 1.0
    #: How long a request waits for a reading before it gets what is known.
    patience: float = 5.0
    #: How long database or listener may fail before the server says that it is not ready.
    stale: float = 15.0
    #: Between two looks at the calendar.
    tick: float = 1.0


class Bucket:
    """Says when somebody does too much: a bucket of tokens that fills up again steadily."""

    def __init__(self, burst: int, rate: float, monotonic: Callable[[], float]) -> None:
        self._burst = float(burst)
        self._rate = rate
        self._monotonic = monotonic
        self._tokens = float(burst)
        self._last = monotonic()

    def take(self) -> bool:
        """Take one token; false if there is none."""
        now = self._monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
