"""A proxy before PostgreSQL's socket that counts how often the client waits for an answer."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

#: Every answer is held back for so long; what the client sends meanwhile was not sent because of it.
DELAY = 0.02
_TERMINATE = b"X\x00\x00\x00\x04"
_CHUNK = 1 << 20


@dataclass(slots=True)
class Recorded:
    """What the client sent: one item per time that it sends something after an answer."""

    bursts: list[bytearray] = field(default_factory=list[bytearray])
    answered: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def sent(self, data: bytes) -> None:
        with self.lock:
            if self.answered:
                self.bursts.append(bytearray())
            self.bursts[-1] += data
            self.answered = False

    def round_trips(self) -> list[bytes]:
        """All bursts after the connection was made that asked for an answer."""
        return [bytes(burst) for burst in self.bursts[1:] if burst != _TERMINATE]


@contextmanager
def proxy(server: Path, directory: Path) -> Iterator[list[Recorded]]:
    """Listen in ``directory`` under the name of the socket ``server`` and forward to it.

    Yields what was recorded, one item per connection.
    """
    found: list[Recorded] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(directory / server.name))
        listener.listen()
        threading.Thread(target=_accept, args=(listener, server, found), daemon=True).start()
        yield found


def _accept(listener: socket.socket, server: Path, found: list[Recorded]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:  # closed: it is over
            return
        upstream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        upstream.connect(str(server))
        recorded = Recorded()
        found.append(recorded)
        threading.Thread(target=_requests, args=(client, upstream, recorded), daemon=True).start()
        threading.Thread(target=_answers, args=(client, upstream, recorded), daemon=True).start()


def _requests(client: socket.socket, upstream: socket.socket, recorded: Recorded) -> None:
    while data := _received(client):
        recorded.sent(data)
        upstream.sendall(data)
    with suppress(OSError):  # the server was quicker
        upstream.shutdown(socket.SHUT_WR)


def _answers(client: socket.socket, upstream: socket.socket, recorded: Recorded) -> None:
    with client, upstream:
        while data := _received(upstream):
            time.sleep(DELAY)
            while select.select([upstream], [], [], 0)[0] and (more := _received(upstream)):
                data += more
            with recorded.lock:
                recorded.answered = True
            try:
                client.sendall(data)
            except OSError:
                return


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(_CHUNK)
    except OSError:
        return b""
