"""A server: the port, the table of paths, and the sockets."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from rowform.server import metrics
from rowform.server.client import cut
from rowform.server.edits import Edits
from rowform.server.gate import Gate
from rowform.server.http import Answer, Asked, Routes, json_answer, said
from rowform.server.hub import Hub
from rowform.server.identity import BEARER
from rowform.server.logs import tell
from rowform.server.protocol import Protocol
from rowform.server.surroundings import Surroundings

#: Where clients find their WebSocket.
SOCKETS = frozenset({"/", "/ws", "/staff-sync"})
# The library reports every client that goes away without a word, and every stranger who knocks.
_SILENT = logging.getLogger("rowform.serve.websockets")
_SILENT.setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 is any free one."""

    host: str
    port: int


class LiveServer:
    """``hub`` hears of activations; more paths can be added to ``routes``, and messages to ``questions``."""

    def __init__(
        self, gate: Gate, edits: Edits, surroundings: Surroundings, metrics_token: str | None = None
    ) -> None:
        self.hub = Hub(surroundings)
        self.routes = Routes()
        self._gate = gate
        self._surroundings = surroundings
        self._metrics_token = metrics_token
        self._protocol = Protocol(self.hub, gate, edits, surroundings)
        self.questions = self._protocol.questions
        self.edits = edits.name
        self._server: Server | None = None
        self._open: set[ServerConnection] = set()
        surroundings.metrics.watch(
            self.hub.census,
            lambda: {"database": surroundings.database.is_up, "listener": surroundings.listener.is_up},
        )
        self.routes.add("/healthz", self._health)
        self.routes.add("/readyz", self._readiness)
        self.routes.add("/metrics", self._metrics)
        for path in SOCKETS:
            self.routes.add(path, self._sockets_only)

    async def start(self, address: Address) -> Address:
        """Open the port; where it really is.

        Raises:
            OSError: it cannot be opened.
        """
        limits = self._surroundings.limits
        self._server = await serve(
            self._talk,
            address.host,
            address.port,
            process_request=self._request,
            select_subprotocol=_subprotocol,
            compression=None,
            server_header=None,
            max_size=limits.frame_bytes,
            open_timeout=limits.authentication,
            close_timeout=limits.close,
            ping_interval=limits.ping,
            ping_timeout=limits.send,
            logger=_SILENT,
        )
        self.hub.start()
        host, port, *_ = next(iter(self._server.sockets)).getsockname()
        return Address(host, port)

    async def stop(self) -> None:
        """Close everything in an order that lets clients come back soon: they are told of a restart."""
        if self._server is None:
            return
        limits = self._surroundings.limits
        self._server.close(code=CloseCode.SERVICE_RESTART, reason="the server restarts")
        closed = asyncio.ensure_future(self._server.wait_closed())
        await asyncio.wait([closed], timeout=2 * limits.close)
        for connection in self._open:
            cut(connection)  # what does not read does not hear of the restart either
        await closed
        await self.hub.stop()

    # --- what is asked ----------------------------------------------------------------------------

    async def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        asked = _asked(connection, request)
        try:
            answer = self._gate.refusal(asked)
            if answer is not None:
                self._surroundings.metrics.refused.labels("ORIGIN").inc()
            elif asked.path in SOCKETS and asked.wants_socket:
                if len(self._open) < self._surroundings.limits.connections:
                    return None
                self._surroundings.metrics.refused.labels("CONNECTIONS").inc()
                answer = said(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections", {"Retry-After": "5"})
            else:
                answer = await self.routes.answer(asked)
        except Exception as error:  # noqa: BLE001  # the library would tell a stranger to read our log
            tell("a request failed", level=logging.ERROR, error=error, path=asked.path)
            answer = said(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error")
        return answer.response(with_body=request.method != "HEAD")

    async def _talk(self, connection: ServerConnection) -> None:
        request = connection.request
        if request is None:
            return
        self._open.add(connection)
        try:
            await self._protocol.converse(connection, _asked(connection, request))
        finally:
            self._open.discard(connection)

    async def _sockets_only(self, asked: Asked) -> Answer:  # noqa: ARG002  # a handler's signature
        return said(HTTPStatus.UPGRADE_REQUIRED, "this is for WebSockets", {"Upgrade": "websocket"})

    async def _health(self, asked: Asked) -> Answer:  # noqa: ARG002  # a handler's signature
        return json_answer({"status": "ok"})

    async def _readiness(self, asked: Asked) -> Answer:  # noqa: ARG002  # a handler's signature
        parts = {"database": self._surroundings.database, "listener": self._surroundings.listener}
        stale = self._surroundings.limits.stale
        wrong = [f"the {name} {what}" for name, part in parts.items() if (what := part.complaint(stale))]
        if wrong:
            return json_answer({"status": "unavailable", "reasons": wrong}, HTTPStatus.SERVICE_UNAVAILABLE)
        return json_answer({"status": "ok"})

    async def _metrics(self, asked: Asked) -> Answer:
        """They name restaurants: for everybody only where everybody may choose any, else for a token."""
        if not self._gate.authenticator.trusts_all and not _is_bearer(asked, self._metrics_token):
            return said(
                HTTPStatus.UNAUTHORIZED, "metrics need their own token", {"WWW-Authenticate": "Bearer"}
            )
        return Answer(HTTPStatus.OK, self._surroundings.metrics.text(), metrics.CONTENT_TYPE)


def _asked(connection: ServerConnection, request: Request) -> Asked:
    address = connection.remote_address
    return Asked(request, address[0] if address else "")


def _subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """A browser that offers some wants one of them back; never the token."""
    return Subprotocol(BEARER) if BEARER in offered else None


def _is_bearer(asked: Asked, token: str | None) -> bool:
    given = asked.headers.get_all("Authorization")
    return (
        bool(token) and len(given) == 1 and hmac.compare_digest(given[0].encode(), f"Bearer {token}".encode())
    )
