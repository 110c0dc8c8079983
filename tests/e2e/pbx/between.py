"""A TCP relay in front of a server, to make it slow or to cut its links."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Relay:
    """answer_after: seconds that every answer is held back. is_open: False refuses new links. cut_after: once the server was
    told something with this in it, all links end."""

    target_port: int
    answer_after: float = 0.0
    is_open: bool = True
    cut_after: bytes = b""
    port: int = 0
    _links: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def links(self) -> int:
        return len(self._links) // 2

    def cut(self) -> None:
        """Ends all links and lets none in until `is_open` again."""
        self.is_open = False
        for writer in self._links:
            writer.transport.abort()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self._links |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, far_writer, 0))
                group.create_task(self._pass(far_reader, writer, self.answer_after))
        except* OSError:
            pass
        finally:
            for end in (writer, far_writer):
                self._links.discard(end)
                end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, after: float) -> None:
        while data := await reader.read(65536):
            await asyncio.sleep(after)
            writer.write(data)
            await writer.drain()
            if self.cut_after and self.cut_after in data:
                # What is written last is read there before the link is gone.
                asyncio.get_running_loop().call_later(0.1, self.cut)
        if writer.can_write_eof():
            with contextlib.suppress(OSError):
                writer.write_eof()


@asynccontextmanager
async def relay(target_port: int, answer_after: float = 0.0) -> AsyncIterator[Relay]:
    one = Relay(target_port, answer_after)
    server = await asyncio.start_server(one.handle, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        one.cut()
        server.close()
