"""Who somebody is, and how that is found out: by nothing, by a token, or by a proxy's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Protocol, cast
from uuid import UUID

import jwt

from rowform.jsontypes import is_object
from rowform.server.http import Asked
from rowform.wire import Code, Fault

#: The subprotocol under which browsers can send a token: `new WebSocket(url, ["bearer", token])`.
BEARER = "bearer"
#: What is no name of a restaurant.
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who has been let in.

    ``restaurant`` is the one that they are of, by id or slug. Without it they get the one that this server is
    for; only who ``may_choose`` may name another. ``user`` is for people, ``subject`` what the token's issuer
    calls them.
    """

    restaurant: str | None = None
    may_choose: bool = False
    user: str | None = None
    subject: str | None = None
    role: str | None = None
    expires: datetime | None = None


class Authenticator(Protocol):
    """How people say who they are."""

    #: Whether it trusts everybody who can reach the port.
    trusts_all: bool

    def identify(self, asked: Asked) -> Identity | None:
        """Who is asking. Nothing if they have not said so yet and may do so in their first message.

        Raises:
            Fault: they are not let in.
        """
        ...

    def identify_token(self, token: str) -> Identity:
        """Whose token it is.

        Raises:
            Fault: nobody's.
        """
        ...


class Anybody:
    """``--auth none``: whoever reaches the port is let in."""

    trusts_all = True

    def identify(self, asked: Asked) -> Identity:  # noqa: ARG002  # the protocol's
        return Identity(may_choose=True)

    def identify_token(self, token: str) -> Identity:  # noqa: ARG002  # the protocol's
        return Identity(may_choose=True)


class Tokens:
    """``--auth jwt``: JSON Web Tokens that are signed with a shared secret (HS256)."""

    trusts_all = False

    def __init__(self, secret: str, audience: str) -> None:
        self._secret = secret
        self._audience = audience

    def identify(self, asked: Asked) -> Identity | None:
        token = _token(asked)
        return None if token is None else self.identify_token(token)

    def identify_token(self, token: str) -> Identity:
        try:
            # Its types name those of a library that HS256 does without.
            claims: Mapping[str, Any] = jwt.decode(  # pyright: ignore[reportUnknownMemberType]
                token,
                self._secret,
                algorithms=["HS256"],
                audience=self._audience,
                # When it was made does not matter, and clocks differ.
                options={"require": ["exp", "aud"], "verify_iat": False},
            )
            expires = datetime.fromtimestamp(int(claims["exp"]), UTC)
        except jwt.ExpiredSignatureError:
            raise Fault(Code.TOKEN_EXPIRED, "the token has expired") from None
        except (jwt.PyJWTError, ValueError, OverflowError, OSError):
            raise Fault(Code.UNAUTHENTICATED, "the token is not valid here") from None
        metadata = claims.get("app_metadata")
        named = claims.get("restaurant_id")
        if named is None and is_object(metadata):
            named = metadata.get("restaurant_id")
        if named is not None and not _is_uuid(named):
            raise Fault(Code.UNAUTHENTICATED, "the token's restaurant_id is no UUID")
        user = claims.get("email") or claims.get("sub")
        return Identity(
            cast("str | None", named),
            user=user if isinstance(user, str) else None,
            subject=subject if isinstance(subject := claims.get("sub"), str) else None,
            role=role if isinstance(role := claims.get("role"), str) else None,
            expires=expires,
        )


class ProxyHeader:
    """``--auth header:NAME``: a proxy has let them in, and says by a header which restaurant they are of."""

    trusts_all = False

    def __init__(self, name: str, proxies: Sequence[IPv4Network | IPv6Network]) -> None:
        self._name = name
        self._proxies = proxies

    def identify(self, asked: Asked) -> Identity:
        if not self._is_trusted(asked.peer):
            raise Fault(Code.FORBIDDEN, "only the proxy may connect here")
        given = asked.headers.get_all(self._name)
        if len(given) != 1 or not given[0].strip():
            raise Fault(Code.UNAUTHENTICATED, "the proxy did not say which restaurant this is for")
        try:
            # The library reads headers as Latin-1, as HTTP once had it.
            return Identity(given[0].strip().encode("latin-1").decode())
        except UnicodeError:
            raise Fault(Code.UNAUTHENTICATED, "the proxy did not say which restaurant this is for") from None

    def identify_token(self, token: str) -> Identity:  # noqa: ARG002  # the protocol's
        raise Fault(Code.UNAUTHENTICATED, "tokens mean nothing here")

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._proxies)


def _token(asked: Asked) -> str | None:
    """The token that came with a request: as a header, or as a second subprotocol."""
    given = [value.split(None, 1) for value in asked.headers.get_all("Authorization")]
    tokens = [parts[1].strip() for parts in given if len(parts) == 2 and parts[0].lower() == BEARER]
    offered = [
        one.strip() for value in asked.headers.get_all("Sec-WebSocket-Protocol") for one in value.split(",")
    ]
    if BEARER in offered:
        tokens += offered[offered.index(BEARER) + 1 :][:1]
    if len(set(tokens)) > 1:
        raise Fault(Code.UNAUTHENTICATED, "more than one token")
    return tokens[0] if tokens else None


def is_name(value: str) -> bool:
    """Whether a restaurant may be called that: anything else need not be looked up."""
    return 0 < len(value) <= _MAX_NAME and value.isprintable()


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False
