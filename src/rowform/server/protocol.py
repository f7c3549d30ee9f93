"""The conversation with one client, from its first word to its last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from time import monotonic
from typing import Any, Self

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.protocol import State

from rowform import __version__, wire
from rowform.server.client import Client, Goodbye, hang_up
from rowform.server.edits import Edit, Edits
from rowform.server.gate import Gate
from rowform.server.http import Asked
from rowform.server.hub import Hub
from rowform.server.identity import Identity
from rowform.server.limits import Bucket
from rowform.server.logs import reason, tell
from rowform.server.surroundings import Surroundings
from rowform.wire import Code, Fault, Message

#: A longer delay than this may be one for the event loop to choke on.
_LONGEST = 30 * 24 * 3600.0


#: Answers a message by a payload, which is sent with the message's type.
Question = Callable[[Message, Identity, str], Awaitable[Mapping[str, Any]]]


class Protocol:
    """How every client is talked to. ``questions`` are further messages, by type, that are answered."""

    def __init__(self, hub: Hub, gate: Gate, edits: Edits, surroundings: Surroundings) -> None:
        self.questions: dict[str, Question] = {}
        self._hub = hub
        self._gate = gate
        self._edits = edits
        self._surroundings = surroundings
        self._edit_types = wire.edit_types(surroundings.kinds.values())

    async def converse(self, connection: ServerConnection, asked: Asked) -> None:
        """Talk until one side has had enough. Raises nothing."""
        try:
            await self._converse(connection, asked)
        except ConnectionClosed:
            return
        except Goodbye as goodbye:
            tell("client sent away", code=goodbye.fault.code, reason=goodbye.fault.message)
            await hang_up(connection, goodbye, self._surroundings)
        except Exception as error:  # noqa: BLE001  # one client's trouble is not the others'
            if connection.state is State.CLOSED:
                return  # the library stumbles over a transport that went away under its hands
            tell("a conversation failed", level=logging.ERROR, error=error, reason=reason(error))
            fault = Fault(Code.INTERNAL, "internal error")
            await hang_up(connection, Goodbye(fault, CloseCode.INTERNAL_ERROR), self._surroundings)

    async def _converse(self, connection: ServerConnection, asked: Asked) -> None:
        messages = self._messages(connection)
        identity = await self._identity(connection, messages, asked)
        restaurant = await self._restaurant(identity, asked)
        client = Client(connection, self._hub.channel(restaurant), identity, self._surroundings)
        client.channel.clients.add(client)
        try:
            with _Expiry(client, self._surroundings) as expiry:
                await self._session(client, messages, asked, expiry)
        finally:
            self._hub.leave(client)

    async def _session(
        self, client: Client, messages: AsyncIterator[str], asked: Asked, expiry: _Expiry
    ) -> None:
        """Read and write until either ends, or somebody ends it."""
        work = [
            asyncio.create_task(client.write()),
            asyncio.create_task(self._listen(client, messages, asked, expiry)),
        ]
        try:
            done, _ = await asyncio.wait([*work, client.ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        # A reason that we have ourselves comes before the connection's.
        errors = [error for one in {*done, client.ended} if one.done() and (error := one.exception())]
        for error in sorted(errors, key=lambda error: isinstance(error, ConnectionClosed)):
            raise error

    # --- who it is --------------------------------------------------------------------------------

    async def _identity(
        self, connection: ServerConnection, messages: AsyncIterator[str], asked: Asked
    ) -> Identity:
        try:
            identity = self._gate.authenticator.identify(asked)
            if identity is not None:
                return identity
            async with asyncio.timeout(self._surroundings.limits.authentication):
                async for text in messages:
                    identity = await self._introduction(connection, text)
                    if identity is not None:
                        return identity
        except Fault as fault:
            raise Goodbye(fault) from None
        except TimeoutError:
            raise Goodbye(Fault(Code.UNAUTHENTICATED, "no token came in time")) from None
        raise Goodbye(Fault(Code.UNAUTHENTICATED, "no token came"))

    async def _introduction(self, connection: ServerConnection, text: str) -> Identity | None:
        """What somebody says before they are let in: a token, or nothing that counts."""
        message = wire.decode(text)
        if message is None:
            return None
        if message.type == wire.AUTH:
            return self._gate.authenticator.identify_token(message.text("token") or "")
        fault = Fault(Code.UNAUTHENTICATED, "say first who you are: AUTH with payload.token")
        await connection.send(wire.error(fault, self._surroundings.clock(), message.client_id), text=True)
        return None

    async def _restaurant(self, identity: Identity, asked: Asked) -> str:
        try:
            return await self._gate.restaurant(identity, asked)
        except Fault as fault:
            later = fault.code == Code.UNAVAILABLE
            raise Goodbye(fault, CloseCode.TRY_AGAIN_LATER if later else CloseCode.POLICY_VIOLATION) from None

    # --- what it says -----------------------------------------------------------------------------

    async def _messages(self, connection: ServerConnection) -> AsyncIterator[str]:
        """What a client sends, as long as it is text and not too much."""
        limits = self._surroundings.limits
        bucket = Bucket(limits.burst, limits.rate, monotonic)
        async for data in connection:
            if not bucket.take():
                raise Goodbye(Fault(Code.TOO_MANY_MESSAGES, "too many messages"))
            if not isinstance(data, str):
                raise Goodbye(Fault(Code.INVALID_MESSAGE, "messages are texts"), CloseCode.UNSUPPORTED_DATA)
            yield data

    async def _listen(
        self, client: Client, messages: AsyncIterator[str], asked: Asked, expiry: _Expiry
    ) -> None:
        await self._hub.freshen(client.channel)
        await client.say(self._greeting(client))
        async for text in messages:
            client_id = ""
            try:
                message = wire.decode(text)
                if message is None:
                    continue
                client_id = message.client_id
                if message.type == wire.AUTH:
                    await self._renew(client, message, asked, expiry)
                else:
                    await self._answer(client, message)
            except Fault as fault:
                await client.complain(fault, client_id)

    def _greeting(self, client: Client) -> bytes:
        told = client.channel.told
        return wire.encode(
            wire.CONNECTION_ACK,
            {
                "restaurantId": client.channel.restaurant_id,
                "restaurant": client.channel.name,
                "versionId": told.head.version_id if told else None,
                "versionNumber": told.number if told else None,
                "edits": self._edits.name,
                "server": f"rowform/{__version__}",
            },
            self._surroundings.clock(),
            wire.SERVER_ID,
        )

    async def _answer(self, client: Client, message: Message) -> None:
        if message.type == wire.SYNC_REQUEST:
            await self._synchronise(client, message)
        elif message.type == wire.ACK:
            version = message.text("versionId")
            if version is None:
                raise Fault(Code.INVALID_PAYLOAD, "payload.versionId is missing")
            client.has(version if version in client.channel.versions else "")
        elif message.type in self.questions:
            question = self.questions[message.type]
            payload = await question(message, client.identity, client.channel.restaurant_id)
            await client.say(
                wire.encode(message.type, payload, self._surroundings.clock(), message.client_id)
            )
        elif message.type in self._edit_types:
            await self._edit(client, message)
        else:
            raise Fault(Code.UNKNOWN_TYPE, "there is no such type of message")

    async def _synchronise(self, client: Client, message: Message) -> None:
        has = message.text("versionId")
        await self._hub.freshen(client.channel)
        told = client.channel.told
        if told is None:
            if client.channel.snapshot is None:
                raise Fault(Code.UNAVAILABLE, "the settings cannot be read at the moment: try again")
            raise Fault(Code.NO_ACTIVE_VERSION, "no version of the settings is active")
        if has is None or has != told.head.version_id:
            client.answer_with_settings(message.client_id)
            return
        if not client.says_what_it_has:
            client.version = has
        now = self._surroundings.clock()
        payload = {"versionId": has, "versionNumber": told.number, "timestamp": wire.moment(now)}
        await client.say(wire.encode(wire.UP_TO_DATE, payload, now, message.client_id))

    async def _edit(self, client: Client, message: Message) -> None:
        """Have it written. What is active then all are told; who sent it gets an answer in any case."""
        channel = client.channel
        edit = Edit(message, client.identity, channel.restaurant_id, channel.told)
        done = await self._edits.carry_out(edit)
        await self._hub.freshen(channel, again=True)
        told = channel.told
        if done.for_all:
            channel.publish(done.marks)
        elif told and (done.marks or done.version_id is None):
            now = self._surroundings.clock()
            await client.say(wire.sync_response(told, now, message.client_id, done.marks))

    async def _renew(self, client: Client, message: Message, asked: Asked, expiry: _Expiry) -> None:
        """A newer token for the same restaurant: the session goes on for longer."""
        try:
            identity = self._gate.authenticator.identify_token(message.text("token") or "")
        except Fault as fault:
            raise Goodbye(fault) from None
        if await self._restaurant(identity, asked) != client.channel.restaurant_id:
            raise Goodbye(Fault(Code.FORBIDDEN, "this is not your restaurant"))
        client.identity = identity
        expiry.renew()


class _Expiry:
    """Ends a session when its token expires."""

    def __init__(self, client: Client, surroundings: Surroundings) -> None:
        self._client = client
        self._surroundings = surroundings
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self.renew()
        return self

    def __exit__(self, *_: object) -> None:
        self._cancel()

    def renew(self) -> None:
        """Look at the token that the client has now."""
        self._cancel()
        expires = self._client.identity.expires
        if expires is None:
            return
        left = (expires - self._surroundings.clock()).total_seconds()
        if left <= 0:
            self._client.end(Goodbye(Fault(Code.TOKEN_EXPIRED, "the token has expired")))
            return
        self._timer = asyncio.get_running_loop().call_later(min(left, _LONGEST), self.renew)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
