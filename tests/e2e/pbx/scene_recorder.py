"""The test's own link to Asterisk's manager interface: it orders, and keeps what was said of each scene.

CALLMATRIX_RECORD_SCENES: a folder; what Asterisk said in each test is then kept there as `<test>.txt`, to become test data.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.waiting import until


@dataclass
class ManagerLink:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    said: bytearray = field(default_factory=bytearray)

    async def ask(self, action: str, **fields: str) -> None:
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        self.writer.write("\r\n".join(lines).encode())
        await self.writer.drain()

    async def listen(self) -> None:
        while data := await self.reader.read(65536):
            self.said += data

    async def until_said(self, text: str) -> None:
        await until(lambda: text.encode() in self.said, f"Asterisk speaks of {text}")

    @contextmanager
    def recording(self, name: str) -> Iterator[None]:
        self.said.clear()
        yield
        if folder := os.environ.get("CALLMATRIX_RECORD_SCENES"):
            file = Path(folder) / f"{re.sub(r'[^A-Za-z0-9]+', '_', name)}.txt"
            file.write_bytes(bytes(self.said))


@asynccontextmanager
async def manager_link(port: int, secret: str) -> AsyncIterator[ManagerLink]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    link = ManagerLink(reader, writer)
    task = asyncio.create_task(link.listen())
    try:
        await link.ask("Login", Username="callmatrix", Secret=secret)
        await link.until_said("Authentication accepted")
        yield link
    finally:
        task.cancel()
        writer.close()
