"""One TCP link to FreeSWITCH's event socket, for as long as an order takes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.pbx.connection import Connection
from gateway.pbx.freeswitch.originate.esl_wire import EslMessage, EslReader, command

_CONNECT_SECONDS = 5.0
_LOGIN_SECONDS = 10.0
_PORT = 8021


class EslLost(Exception):
    """The link broke, or FreeSWITCH does not answer any more."""

    code, retryable = "esl-lost", True


class EslRefused(EslLost):
    """FreeSWITCH does not take this password, or not from this address: see event_socket.conf.xml and its ACL."""

    code = "esl-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class EslAddress:
    host: str
    port: int
    password: str = field(repr=False)


def address_of(connection: Connection) -> EslAddress | None:
    """Return the address: settings esl_host, esl_port; key esl_password. None: the connection has no event socket."""
    host = str(connection.settings.get("esl_host") or "").strip()
    if not host:
        return None
    password = connection.keys.get("esl_password") or ""
    return EslAddress(host=host, port=connection.whole("esl_port", 0) or _PORT, password=password)


class EslLink:
    """A link that is logged in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._wire = EslReader()
        self._early: list[EslMessage] = []

    def send(self, line: str, **headers: str) -> None:
        """Send one command. Raises WireInvalid before anything is written."""
        self._writer.write(command(line, **headers))

    async def next(self) -> EslMessage:
        """Return what comes next. Raises EslLost, WireInvalid."""
        while not self._early:
            data = await self._reader.read(65536)
            if not data:
                raise EslLost("FreeSWITCH closed the link")
            self._early = self._wire.feed(data)
        return self._early.pop(0)

    async def answer(self, content_type: str) -> EslMessage:
        """Return the next message of this type; events and notices between are passed over. Raises EslLost, WireInvalid."""
        while True:
            message = await self.next()
            if message.type == content_type:
                return message
            if message.type == "text/rude-rejection":
                raise EslRefused("not allowed from this address")

    async def login(self, password: str) -> None:
        """Log in. Raises EslRefused, EslLost, WireInvalid where something else listens."""
        await self.answer("auth/request")
        self.send(f"auth {password}")
        told = await self.answer("command/reply")
        if not told.reply.startswith("+OK"):
            raise EslRefused(told.reply or "login refused")


@asynccontextmanager
async def esl_link(address: EslAddress) -> AsyncIterator[EslLink]:
    """Connect and log in. Raises OSError, TimeoutError, EslRefused, EslLost, WireInvalid."""
    async with asyncio.timeout(_CONNECT_SECONDS):
        reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        link = EslLink(reader, writer)
        async with asyncio.timeout(_LOGIN_SECONDS):
            await link.login(address.password)
        yield link
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()
