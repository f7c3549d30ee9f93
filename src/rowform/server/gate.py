"""Who gets in: from which pages, as whom, and into which restaurant."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from rowform.errors import RowformError
from rowform.server.http import Answer, Asked, said
from rowform.server.identity import Authenticator, Identity, is_name
from rowform.server.source import Source
from rowform.wire import Code, Fault

#: Names of this machine that no page in the web can have.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}
#: For so many seconds a restaurant's name is not looked up again, and so many names are remembered.
_REMEMBER, _MANY = 60.0, 10_000


@dataclass(frozen=True, slots=True)
class Doors:
    """What the gate is told.

    ``origins`` are pages' that may connect besides our own. ``default`` is the restaurant, by slug or id, of
    whoever names none; ``only`` are the ids of those that are served, all of them if it is empty.
    """

    origins: Sequence[str] = ()
    default: str | None = None
    only: Sequence[str] = ()


class Gate:
    """Every request passes here, for a WebSocket or not."""

    def __init__(self, authenticator: Authenticator, source: Source, doors: Doors) -> None:
        self.authenticator = authenticator
        self._source = source
        self._doors = doors
        self._known: dict[str | None, tuple[float, str]] = {}

    def refusal(self, asked: Asked) -> Answer | None:
        """The answer to a request from a page that has no business here; nothing if it may go on."""
        hosts = asked.headers.get_all("Host")
        here = _authority(f"//{hosts[0]}") if len(hosts) == 1 else None
        if here is None:
            return said(HTTPStatus.BAD_REQUEST, "which host is meant?")
        if self.authenticator.trusts_all and here[0] not in LOOPBACK:
            # A page may give its own host this machine's address, and be "the same origin" then.
            return said(HTTPStatus.FORBIDDEN, "this server is for this machine alone: use localhost")
        origins = asked.headers.get_all("Origin")
        if not origins:
            return None  # no browser
        if len(origins) == 1 and (origins[0] in self._doors.origins or _is_same(origins[0], here)):
            return None
        return said(HTTPStatus.FORBIDDEN, "pages of this origin may not connect: see --allowed-origin")

    async def restaurant(self, identity: Identity, asked: Asked) -> str:
        """The id of the restaurant that somebody gets.

        Raises:
            Fault: none.
        """
        named = asked.query.get("restaurant", [])
        if len(named) > 1:
            raise Fault(Code.NO_RESTAURANT, "name one restaurant")
        wanted = identity.restaurant
        if wanted is None:
            wanted = named[0] if named and identity.may_choose else self._doors.default
        found = await self._find(wanted)
        if found is None or (self._doors.only and found not in self._doors.only):
            raise self._nothing(identity, wanted)
        if named and not identity.may_choose and await self._find(named[0]) != found:
            # The same words whether there is such a restaurant or not.
            raise Fault(Code.FORBIDDEN, "this is not your restaurant")
        return found

    def _nothing(self, identity: Identity, wanted: str | None) -> Fault:
        if not identity.may_choose:
            return Fault(Code.FORBIDDEN, "there is no restaurant here for you")
        if wanted is None:
            return Fault(Code.NO_RESTAURANT, "which restaurant? add ?restaurant=SLUG to the address")
        return Fault(Code.NO_RESTAURANT, "there is no such restaurant")

    async def _find(self, wanted: str | None) -> str | None:
        """A restaurant's id. Once known it also serves while the database does not answer."""
        if wanted is None and len(self._doors.only) == 1:
            return self._doors.only[0]
        if wanted is not None and not is_name(wanted):
            return None
        until, known = self._known.get(wanted, (0.0, None))
        if known is not None and time.monotonic() < until:
            return known
        try:
            found = await self._source.find(wanted)
        except RowformError:
            if known is None:
                raise Fault(Code.UNAVAILABLE, "the database does not answer: try again") from None
            return known
        self._known.pop(wanted, None)
        if found is not None:
            if len(self._known) >= _MANY:
                self._known.clear()
            self._known[wanted] = (time.monotonic() + _REMEMBER, found)
        return found


def _authority(url: str) -> tuple[str, int | None] | None:
    """Host and port of a URL."""
    try:
        parts = urlsplit(url)
        return (parts.hostname.lower(), parts.port) if parts.hostname else None
    except ValueError:
        return None


def _is_same(origin: str, here: tuple[str, int | None]) -> bool:
    """Whether a page comes from the host and port that it asks: TLS may end before us, so not the scheme."""
    scheme, _, _ = origin.partition("://")
    there = _authority(origin)
    if there is None or scheme not in _PORTS:
        return False
    standard = _PORTS[scheme]
    return (there[0], there[1] or standard) == (here[0], here[1] or standard)


def is_origin(value: str) -> bool:
    """Whether that is an origin as browsers send it: ``https://app.example.com``."""
    scheme, _, rest = value.partition("://")
    return scheme in _PORTS and _authority(value) is not None and not set(rest) & set("/?#@")
