"""The page for people: its files, and the JSON documents that it reads. All of it is read-only."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from rowform.errors import DatabaseError, RowformError
from rowform.kinds.facts import Language
from rowform.server.http import Answer, Asked, Routes, json_answer
from rowform.server.identity import Identity
from rowform.server.logs import reason, tell
from rowform.wire import Code, Fault, Message

if TYPE_CHECKING:
    from rowform.server.gate import Gate
    from rowform.server.hub import Hub

#: By this message the page asks what a browser's export would become; the answer has the same type.
PREVIEW = "SETTINGS_MIGRATE_PREVIEW"
#: Nothing but our own files, and no HTML made of texts by scripts.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
#: Files that pages of other origins may load: they hold no settings.
_CLIENT = ("rowform-client.js", "rowform-client.d.ts", "useRowformSettings.js")
_FOR_ALL = {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}
_TYPES = {".js": "text/javascript; charset=utf-8", ".ts": "text/plain; charset=utf-8"}
_STATUS = {
    Code.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Code.TOKEN_EXPIRED: HTTPStatus.UNAUTHORIZED,
    Code.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Code.NO_RESTAURANT: HTTPStatus.NOT_FOUND,
    Code.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
_LANGUAGE = re.compile(r"\s*([A-Za-z]+)(?:-[\w-]+)?\s*(?:;\s*q\s*=\s*([\d.]+)\s*)?")
_LANGUAGES: Mapping[str, Language] = {"en": "en", "ja": "ja"}


@dataclass(frozen=True, slots=True)
class Look:
    """Who wants to see something, and in which language."""

    restaurant_id: str
    language: Language


class Archive(Protocol):
    """What there is to see of a restaurant. All methods raise :class:`rowform.errors.RowformError`."""

    async def state(self, look: Look) -> dict[str, Any]:
        """The restaurant, its active version, and the settings of that one today."""
        ...

    async def version(self, look: Look, version: str) -> dict[str, Any]:
        """One version and its settings."""
        ...

    async def history(self, look: Look, limit: int) -> dict[str, Any]:
        """The versions, newest first."""
        ...

    async def difference(self, look: Look, before: str, after: str) -> dict[str, Any]:
        """What leads from one version to another."""
        ...

    async def log(self, look: Look, wanted: Mapping[str, str]) -> dict[str, Any]:
        """Rows of the audit trail, newest first."""
        ...

    async def preview(self, look: Look, payload: Mapping[str, Any]) -> dict[str, Any]:
        """What a browser's export would become."""
        ...


class Pages:
    """Answers the page's requests, and the questions that it asks through its WebSocket."""

    def __init__(self, gate: Gate, hub: Hub, archive: Archive, edits: str) -> None:
        self._gate = gate
        self._hub = hub
        self._archive = archive
        self._edits = edits
        self._files = dict(_read_files())
        self._shell = _shells(self._files)

    def add_to(self, routes: Routes) -> None:
        """Take over the paths that are the page's."""
        routes.add("/", self._page)
        for name in _CLIENT:
            routes.add(f"/{name}", self._file)
        routes.add_below("/page/", self._file)
        routes.add("/api/state", self._json(self._state))
        routes.add("/api/history", self._json(self._history))
        routes.add("/api/diff", self._json(self._difference))
        routes.add("/api/log", self._json(self._log))
        routes.add_below("/api/version/", self._json(self._version))

    async def preview(self, message: Message, identity: Identity, restaurant_id: str) -> dict[str, Any]:  # noqa: ARG002  # a question's signature
        """What an export would become, for :data:`PREVIEW`.

        Raises:
            Fault: it cannot be told.
        """
        language = _LANGUAGES.get(str(message.payload.get("lang")), "en")
        try:
            return await self._archive.preview(Look(restaurant_id, language), message.payload)
        except RowformError as error:
            raise _fault(error) from error

    # --- files -----------------------------------------------------------------------------------

    async def _page(self, asked: Asked) -> Answer:
        headers = {"Content-Security-Policy": _POLICY, "Vary": "Accept-Language"}
        language = _language(asked)
        return Answer(HTTPStatus.OK, self._shell[language], "text/html; charset=utf-8", headers)

    async def _file(self, asked: Asked) -> Answer:
        name = asked.path.removeprefix("/page/").removeprefix("/")
        body = self._files.get(name)
        if body is None:
            return json_answer(_error("NOT_FOUND", "there is nothing here"), HTTPStatus.NOT_FOUND)
        suffix = f".{name.rpartition('.')[2]}"
        kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        # Asked for each time, and so always those of the server that answers the rest.
        return Answer(HTTPStatus.OK, body, kind, _FOR_ALL if name in _CLIENT else {})

    # --- documents -------------------------------------------------------------------------------

    def _json(
        self, document: Callable[[Look, Asked], Awaitable[dict[str, Any]]]
    ) -> Callable[[Asked], Awaitable[Answer]]:
        async def handler(asked: Asked) -> Answer:
            try:
                return json_answer(await document(await self._look(asked), asked))
            except Fault as fault:
                return _refusal(fault)
            except RowformError as error:
                return _refusal(_fault(error))

        return handler

    async def _look(self, asked: Asked) -> Look:
        identity = self._gate.authenticator.identify(asked)
        if identity is None:
            raise Fault(Code.UNAUTHENTICATED, "say who you are: Authorization: Bearer TOKEN")
        return Look(await self._gate.restaurant(identity, asked), _language(asked))

    async def _state(self, look: Look, asked: Asked) -> dict[str, Any]:  # noqa: ARG002  # a document's signature
        found = await self._archive.state(look)
        clients = self._hub.clients_of(look.restaurant_id)
        return {**found, "edits": self._edits, "clients": clients}

    async def _version(self, look: Look, asked: Asked) -> dict[str, Any]:
        return await self._archive.version(look, asked.path.removeprefix("/api/version/"))

    async def _history(self, look: Look, asked: Asked) -> dict[str, Any]:
        return await self._archive.history(look, _number(_one(asked, "limit"), "limit") or 50)

    async def _difference(self, look: Look, asked: Asked) -> dict[str, Any]:
        return await self._archive.difference(
            look, _one(asked, "a") or "previous", _one(asked, "b") or "active"
        )

    async def _log(self, look: Look, asked: Asked) -> dict[str, Any]:
        names = ("search", "kind", "key", "version", "before", "limit")
        wanted = {name: value for name in names if (value := _one(asked, name))}
        for name in ("before", "limit"):
            _number(wanted.get(name), name)
        return await self._archive.log(look, wanted)


def _one(asked: Asked, name: str) -> str | None:
    found = asked.query.get(name, [])
    return found[-1].strip() or None if found else None


def _number(value: str | None, name: str) -> int | None:
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Fault(Code.INVALID_PAYLOAD, f"{name} is a number")
    return int(value)


def _language(asked: Asked) -> Language:
    """The language that somebody chose, else the one that their browser likes best."""
    chosen = _LANGUAGES.get((_one(asked, "lang") or "").lower())
    if chosen:
        return chosen
    liked: list[tuple[float, Language]] = []
    for part in ",".join(asked.headers.get_all("Accept-Language")).split(","):
        match = _LANGUAGE.fullmatch(part)
        language = _LANGUAGES.get(match[1].lower()) if match else None
        if match and language:
            liked.append((_quality(match[2]), language))
    best = max(liked, key=lambda one: one[0], default=(0.0, "en"))
    return best[1] if best[0] > 0 else "en"


def _quality(written: str | None) -> float:
    try:
        return float(written) if written else 1.0
    except ValueError:
        return 0.0


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _refusal(fault: Fault) -> Answer:
    status = _STATUS.get(fault.code, HTTPStatus.BAD_REQUEST)
    return json_answer(_error(fault.code, fault.message), status)


def _fault(error: RowformError) -> Fault:
    """What people are told of an error: of the database's nothing but that it does not answer."""
    if isinstance(error, DatabaseError):
        tell("a look at the database failed", reason=reason(error))
        return Fault(Code.UNAVAILABLE, "the database does not answer: try again")
    return Fault(Code.INVALID_PAYLOAD, error.message)


# --- what the package brings ---------------------------------------------------------------------


def _read_files() -> list[tuple[str, bytes]]:
    home = files("rowform.server").joinpath("page")
    return [(one.name, one.read_bytes()) for one in home.iterdir() if one.is_file()]


def _shells(found: dict[str, bytes]) -> Mapping[Language, bytes]:
    """The page in each language; what it is made of is not served."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(found.pop("page.html").decode())
    words: dict[str, dict[Language, str]] = orjson.loads(found.pop("words.json"))
    return {
        language: template.render(
            language=language,
            other="en" if language == "ja" else "ja",
            say={name: said[language] for name, said in words.items()},
        ).encode()
        for language in _LANGUAGES.values()
    }
