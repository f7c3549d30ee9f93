"""The live server: which database and which restaurants it is for, and who may connect."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from rowform.errors import DatabaseError, RowformError, UsageError
from rowform.kinds import kinds
from rowform.sync.configuration import Settings, load_tool_config
from rowform.sync.database import database_url
from rowform.text import escape, quote

if TYPE_CHECKING:
    from rowform.config import ToolConfig
    from rowform.server.app import Address, LiveServer
    from rowform.server.edits import Edits
    from rowform.server.gate import Doors
    from rowform.server.identity import Authenticator
    from rowform.store.live import LiveDatabase
    from rowform.store.session import Session

#: What names the restaurant of whoever names none; the second one is the application's own.
DEFAULT_VARIABLES = ("ROWFORM_RESTAURANT", "RESTAURANT_ID")
METRICS_VARIABLE = "ROWFORM_METRICS_TOKEN"
#: HS256 with less is weaker than it looks (RFC 7518, 3.2).
_SECRET_BYTES = 32
_NO_PRIVILEGE = "42501"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the person who serves has decided.

    ``auth`` is ``none``, ``jwt`` or ``header:NAME``; ``edits`` is ``reject`` or ``apply``.
    """

    host: str
    port: int
    auth: str
    proxies: Sequence[str] = ()
    secret_variable: str = ""
    audience: str = ""
    origins: Sequence[str] = ()
    listen_url: str | None = None
    slugs: Sequence[str] = ()
    logs_json: bool = False
    debug: bool = False
    edits: str = "reject"
    edit_url: str | None = None


def serve(settings: Settings, options: ServeOptions) -> None:
    """Serve until a signal says that it is enough.

    Raises:
        UsageError: the options make no sense together, or are not safe.
        RowformError: the database or the port cannot be used.
    """
    from rowform.server.app import LiveServer
    from rowform.server.gate import Gate
    from rowform.server.logs import set_up
    from rowform.server.pages import PREVIEW, Pages
    from rowform.server.surroundings import Surroundings
    from rowform.store.live import LiveDatabase
    from rowform.store.session import open_session
    from rowform.sync.browsing import Browser

    authenticator = _authenticator(options, settings.environment)
    _check_origins(options.origins)
    tool = load_tool_config(settings)
    with database_url(settings, tool) as (url, _):
        session = open_session(url, kinds())
        with session.connection:
            doors = _doors(session, settings, options, is_open=authenticator.trusts_all)
            schema = session.application_schema
        edits = _edits(settings, tool, options, url)
        set_up(as_json=options.logs_json, debug=options.debug)
        database = LiveDatabase(url, schema, kinds())
        gate = Gate(authenticator, database, doors)
        server = LiveServer(
            gate,
            edits,
            Surroundings(database, kinds(), clock=settings.clock),
            settings.environment.get(METRICS_VARIABLE) or None,
        )
        browser = Browser(url, kinds(), settings.clock)
        pages = Pages(gate, server.hub, browser, server.edits)
        pages.add_to(server.routes)
        server.questions[PREVIEW] = pages.preview
        with closing(browser), closing(edits):
            asyncio.run(_serve(server, database, options, options.listen_url or url))


def _edits(settings: Settings, tool: ToolConfig, options: ServeOptions, url: str) -> Edits:
    if options.edits == "apply":
        from rowform.sync.editing import applied_edits

        return applied_edits(settings, tool, options.edit_url or url)
    from rowform.server.edits import RejectEdits

    if options.edit_url is not None:
        settings.report("--edit-url is for --edits apply, and not used.")
    return RejectEdits()


async def _serve(server: LiveServer, database: LiveDatabase, options: ServeOptions, listen_url: str) -> None:
    from rowform.server.app import Address
    from rowform.server.logs import tell
    from rowform.store.listening import listen

    enough = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not on Windows, and not outside of the main thread.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(number, enough.set)
    try:
        address = await server.start(Address(options.host, options.port))
    except OSError as error:
        raise _port_error(options, error) from error
    listener = asyncio.create_task(listen(listen_url, server.hub))
    try:
        tell(f"serving on {_shown(address)}", auth=options.auth, restaurants=",".join(options.slugs) or "all")
        await enough.wait()
        tell("shutting down")
    finally:
        listener.cancel()
        await server.stop()
        await asyncio.gather(listener, return_exceptions=True)
        await database.close()


def _shown(address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"http://{host}:{address.port}"


def _port_error(options: ServeOptions, error: OSError) -> RowformError:
    reason = (error.strerror or str(error)).lower()
    return RowformError(
        f"cannot listen on {escape(options.host)}, port {options.port}: {escape(reason)}",
        "--host and --port choose another place; port 0 is any free one",
    )


# --- who may connect -----------------------------------------------------------------------------


def _authenticator(options: ServeOptions, environment: Mapping[str, str]) -> Authenticator:
    from rowform.server.identity import Anybody, ProxyHeader, Tokens

    if options.proxies and not options.auth.startswith("header:"):
        raise UsageError("--trusted-proxy is for --auth header:NAME", "leave it out")
    if options.auth == "none":
        if not _is_loopback(options.host):
            raise UsageError(
                f"--auth none on {escape(options.host)} would let everybody in who reaches this machine",
                "keep --host 127.0.0.1, or choose --auth jwt or --auth header:NAME",
            )
        return Anybody()
    if options.auth == "jwt":
        secret = environment.get(options.secret_variable, "")
        if not secret.strip():
            raise UsageError(
                f"{escape(options.secret_variable)}, the secret of --auth jwt, is not set",
                "--jwt-secret-env names the environment variable that has it",
            )
        if len(secret.encode("utf-8", "surrogateescape")) < _SECRET_BYTES:
            raise UsageError(
                f"the secret in {escape(options.secret_variable)} is shorter than {_SECRET_BYTES} bytes",
                "it could be guessed; `openssl rand -base64 48` makes a good one",
            )
        return Tokens(secret, options.audience)
    name = options.auth.removeprefix("header:")
    if (
        name == options.auth
        or not name
        or not all(one.isascii() and (one.isalnum() or one in "-_") for one in name)
    ):
        raise UsageError(
            f"--auth {quote(options.auth)} is no way to let people in", "none, jwt or header:NAME"
        )
    if not options.proxies:
        raise UsageError(
            "--auth header:NAME needs --trusted-proxy: anybody can send a header",
            "name the proxy's address or network, such as --trusted-proxy 10.0.0.5/32",
        )
    return ProxyHeader(name, [_network(proxy) for proxy in options.proxies])


def _network(proxy: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(proxy, strict=False)
    except ValueError:
        raise UsageError(
            f"--trusted-proxy {quote(proxy)} is no address or network", "write 10.0.0.5 or 10.0.0.0/24"
        ) from None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _check_origins(origins: Sequence[str]) -> None:
    from rowform.server.gate import is_origin

    for origin in origins:
        if not is_origin(origin):
            raise UsageError(
                f"--allowed-origin {quote(origin)} is no origin",
                "write https://app.example.com, without a path",
            )


# --- which restaurants ---------------------------------------------------------------------------


def _doors(session: Session, settings: Settings, options: ServeOptions, *, is_open: bool) -> Doors:
    from rowform.server.gate import Doors
    from rowform.store.live import find, standing

    try:
        role = standing(session)
        if not role.is_held:
            _ensure_apart(settings, role.role, role.visible, is_open=is_open)
        only: list[str] = []
        for slug in options.slugs:
            found = find(session, slug)
            if found is None:
                raise UsageError(
                    f"there is no restaurant {quote(slug)} in the database", "see `rowform db status`"
                )
            only.append(found)
        default = _default(settings.environment)
        if default is not None and find(session, default) is None:
            settings.report(f"There is no restaurant {quote(default)} yet, which clients get who name none.")
    except DatabaseError as error:
        if error.sqlstate != _NO_PRIVILEGE:
            raise
        raise DatabaseError(
            error.message,
            "as the owner, say `select rowform.allow_serving('ROLE')` for this role",
            error.sqlstate,
        ) from error
    return Doors(tuple(options.origins), default, tuple(only))


def _default(environment: Mapping[str, str]) -> str | None:
    ours, theirs = DEFAULT_VARIABLES
    if ours in environment:
        if not environment[ours].strip():
            raise UsageError(f"{ours} is set but empty", "a missing value looks like this")
        return environment[ours]
    return environment.get(theirs) or None


def _ensure_apart(settings: Settings, role: str, visible: int, *, is_open: bool) -> None:
    """Where people are told apart, the database is to keep restaurants apart as well."""
    hint = (
        "make a role for it: `create role rowform_live login`, then"
        " `select rowform.allow_serving('rowform_live')`; `rowform db status` tells what policies hold"
    )
    if visible > 1 and not is_open:
        raise UsageError(
            f"row level security does not hold the role {quote(role)}, which sees {visible} restaurants",
            hint,
        )
    if visible > 1:
        settings.report(
            f"Row level security does not hold the role {quote(role)}: fine for trying things out."
        )
