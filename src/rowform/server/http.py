"""What is asked by HTTP: a small table of paths, and the headers that all answers have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from rowform.text import json_text

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
#: Whatever an answer is, it is no page of somebody else's, nothing runs in it, and nobody keeps it.
_SAFE: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Asked:
    """A request: also one for a WebSocket. ``peer`` is the address of whoever is connected."""

    request: Request
    peer: str

    @property
    def headers(self) -> Headers:
        return self.request.headers

    @cached_property
    def path(self) -> str:
        return unquote(urlsplit(self.request.path).path, errors="replace")

    @cached_property
    def query(self) -> Mapping[str, list[str]]:
        try:
            return parse_qs(urlsplit(self.request.path).query, keep_blank_values=True, max_num_fields=20)
        except ValueError:
            return {}

    @property
    def wants_socket(self) -> bool:
        return any("websocket" in value.lower() for value in self.headers.get_all("Upgrade"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; ``headers`` come in place of those that all answers have."""

    status: HTTPStatus
    body: bytes
    content_type: str = TEXT
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def response(self, *, with_body: bool = True) -> Response:
        """The answer as the library wants it."""
        headers = Headers(
            {
                **_SAFE,
                "Content-Type": self.content_type,
                "Content-Length": str(len(self.body)),
                "Connection": "close",
                **self.headers,
            }
        )
        return Response(self.status.value, self.status.phrase, headers, self.body if with_body else b"")


def said(status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A sentence as an answer."""
    return Answer(status, f"{text}\n".encode(), headers=headers or {})


def json_answer(document: Mapping[str, object], status: HTTPStatus = HTTPStatus.OK) -> Answer:
    """A JSON document as an answer."""
    return Answer(status, f"{json_text(document)}\n".encode(), JSON)


Handler = Callable[[Asked], Awaitable[Answer]]


class Routes:
    """Which path is answered by what."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._below: dict[str, Handler] = {}

    def add(self, path: str, handler: Handler) -> None:
        """Let ``handler`` answer ``path``."""
        self._handlers[path] = handler

    def add_below(self, prefix: str, handler: Handler) -> None:
        """Let ``handler`` answer all other paths that begin with ``prefix``."""
        self._below[prefix] = handler

    async def answer(self, asked: Asked) -> Answer:
        """Whatever there is to answer."""
        below = (handler for prefix, handler in self._below.items() if asked.path.startswith(prefix))
        handler = self._handlers.get(asked.path) or next(below, None)
        if handler is None:
            return said(HTTPStatus.NOT_FOUND, "there is nothing here")
        if asked.request.method not in ("GET", "HEAD"):
            return said(HTTPStatus.METHOD_NOT_ALLOWED, "only GET", {"Allow": "GET, HEAD"})
        return await handler(asked)
