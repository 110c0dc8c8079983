"""An Asterisk's manager interface on a real socket: logs in, lists its channels, says what the test tells it to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.pbx.asterisk.wire import AmiMessage, message, parse_block

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


@dataclass
class FakeAmi:
    """channels: what CoreShowChannels lists. may_list: False denies it. is_mute: answers nothing any more.
    blocks: each action whole. originates: what is told of an Originate or Hangup, None = the link breaks there. plays: what all
    links are told after an Originate was taken, in bytes as Asterisk sent them."""

    secret: str = "s3cret"
    channels: list[AmiMessage] = field(default_factory=list)
    may_list: bool = True
    is_mute: bool = False
    port: int = 0
    logins: int = 0
    actions: list[str] = field(default_factory=list)
    blocks: list[AmiMessage] = field(default_factory=list)
    originates: Sequence[AmiMessage] | None = None
    plays: Callable[[AmiMessage], bytes] | None = None
    _links: set[asyncio.StreamWriter] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def links(self) -> int:
        return len(self._links)

    def say(self, *messages: AmiMessage | Iterable[AmiMessage]) -> None:
        for item in messages:
            for one in [item] if isinstance(item, AmiMessage) else item:
                for link in self._links:
                    link.write(written(one))

    def pour(self, raw: bytes) -> None:
        """Bytes as Asterisk sent them."""
        for link in self._links:
            link.write(raw)

    def drop(self) -> None:
        for link in self._links:
            link.transport.abort()

    async def until_links(self, count: int, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while self.links != count:
                self._changed.clear()
                await self._changed.wait()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(BANNER)
        try:
            while True:
                block = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in block.decode().strip().split("\r\n"))
                self.actions.append(fields["Action"])
                self.blocks.append(parse_block(block.strip()))
                if not self.is_mute and not self._answer(fields, writer):
                    return
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._links.discard(writer)
            self._changed.set()
            writer.close()

    def _answer(self, fields: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        """False: the link ends."""
        told = {"ActionID": fields.get("ActionID", "")}
        if fields["Action"] == "Login":
            if (fields["Username"], fields["Secret"]) != ("callmatrix", self.secret):
                writer.write(
                    written(message({"Response": "Error", **told, "Message": "Authentication failed"}))
                )
                return False
            writer.write(
                written(message({"Response": "Success", **told, "Message": "Authentication accepted"}))
            )
            self.logins += 1
            self._links.add(writer)
            self._changed.set()
        elif fields["Action"] == "CoreShowChannels":
            if not self.may_list:
                writer.write(written(message({"Response": "Error", **told, "Message": "Permission denied"})))
                return True
            writer.write(written(message({"Response": "Success", **told, "EventList": "start"})))
            for channel in self.channels:
                writer.write(written(message([("Event", "CoreShowChannel"), *told.items(), *channel.fields])))
            done = {"Event": "CoreShowChannelsComplete", **told, "ListItems": str(len(self.channels))}
            writer.write(written(message(done)))
        elif fields["Action"] == "Originate" and self.plays is not None:
            queued = {"Response": "Success", **told, "Message": "Originate successfully queued"}
            writer.write(written(message(queued)))
            self.pour(self.plays(self.blocks[-1]))
        elif fields["Action"] in ("Originate", "Hangup"):
            for one in self.originates or ():
                writer.write(written(one))
            return self.originates is not None
        else:
            writer.write(written(message({"Response": "Success", **told, "Ping": "Pong"})))
        return True


def written(one: AmiMessage) -> bytes:
    return ("".join(f"{key}: {value}\r\n" for key, value in one) + "\r\n").encode()


@asynccontextmanager
async def fake_ami(**fields: object) -> AsyncIterator[FakeAmi]:
    ami = FakeAmi(**fields)  # type: ignore[arg-type]
    server = await asyncio.start_server(ami.handle, "127.0.0.1", 0)
    ami.port = server.sockets[0].getsockname()[1]
    try:
        yield ami
    finally:
        server.close()
        ami.drop()
