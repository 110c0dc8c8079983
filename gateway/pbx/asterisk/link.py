"""One TCP link to an Asterisk Manager Interface: logged in, kept alive, its messages in order."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.pbx.asterisk.wire import AmiMessage, AmiReader, serialise
from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid

_CONNECT_SECONDS = 5.0
_LOGIN_SECONDS = 10.0
_PORT, _TLS_PORT = 5038, 5039


class AmiLost(Exception):
    """The link broke, or Asterisk does not answer any more. Connect again."""

    code, retryable = "ami-lost", True


class AmiRefused(AmiLost):
    """Asterisk does not take this user and secret, or not from this address: see manager.conf."""

    code = "ami-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiAddress:
    """Where an Asterisk listens and as whom we log in."""

    host: str
    port: int
    user: str
    secret: str = field(repr=False)
    is_tls: bool = False


def address_of(connection: Connection) -> AmiAddress | None:
    """Return the address: settings ami_host, ami_port, ami_tls; keys ami_user, ami_secret. None: the connection has no AMI."""
    host = str(connection.settings.get("ami_host") or "").strip()
    if not host:
        return None
    is_tls = connection.switch("ami_tls")
    return AmiAddress(
        host=host,
        port=connection.whole("ami_port", 0) or (_TLS_PORT if is_tls else _PORT),
        user=connection.keys.get("ami_user") or "callmatrix",
        secret=connection.keys.get("ami_secret") or "",
        is_tls=is_tls,
    )


class AmiLink:
    """A link that is logged in. ping_seconds: after so long a silence Asterisk is asked whether it lives, and after as
    long again without a word the link counts as lost."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ping_seconds: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._ping_seconds = ping_seconds
        self._wire = AmiReader()
        self._early: list[AmiMessage] = []

    def on_unreadable(self, call: Callable[[WireInvalid], None]) -> None:
        """Told of every message that is left out."""
        self._wire.on_unreadable = call

    @property
    def banner(self) -> str:
        return self._wire.banner or ""

    def send(self, action: str, **fields: str) -> None:
        self.send_all(action, fields.items())

    def send_all(self, action: str, fields: Iterable[tuple[str, str]]) -> None:
        """Send what has a header more than once. Raises WireInvalid before anything is written."""
        self._writer.write(serialise(action, fields))

    async def login(self, address: AmiAddress) -> None:
        """Log in. Raises AmiRefused, AmiLost, WireInvalid where something else than an AMI listens."""
        self.send("Login", ActionID="login", Username=address.user, Secret=address.secret, Events="on")
        while True:
            messages = await self._read()
            for place, message in enumerate(messages):
                if message.response and message.action_id in (None, "login"):
                    if message.response != "Success":
                        raise AmiRefused(message.get("Message") or "login refused")
                    self._early = messages[place + 1 :]
                    return

    async def messages(self) -> AsyncIterator[AmiMessage]:
        """Until the link is lost: raises AmiLost or WireInvalid."""
        for message in self._early:
            yield message
        is_asked = False
        while True:
            try:
                async with asyncio.timeout(self._ping_seconds):
                    messages = await self._read()
            except TimeoutError:
                if is_asked:
                    raise AmiLost(f"silent for {2 * self._ping_seconds:g} s") from None
                is_asked = True
                self.send("Ping", ActionID="ping")
                continue
            is_asked = False
            for message in messages:
                yield message

    async def _read(self) -> list[AmiMessage]:
        data = await self._reader.read(65536)
        if not data:
            raise AmiLost("Asterisk closed the link")
        return self._wire.feed(data)


@asynccontextmanager
async def ami_link(address: AmiAddress, *, ping_seconds: float = 10.0) -> AsyncIterator[AmiLink]:
    """Connect and log in. Raises OSError, TimeoutError, AmiRefused, AmiLost, WireInvalid."""
    tls = ssl.create_default_context() if address.is_tls else None
    async with asyncio.timeout(_CONNECT_SECONDS):
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
    try:
        link = AmiLink(reader, writer, ping_seconds)
        async with asyncio.timeout(_LOGIN_SECONDS):
            await link.login(address)
        yield link
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()
