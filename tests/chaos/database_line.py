"""The line between our programs and PostgreSQL, in a process of its own: it can be slow, or carry nothing for a while.

`python -m tests.chaos.database_line PORT`: listens on a port of its own, which it prints. Each line of stdin is how many
seconds every piece of data is held back from then on: 0 = none. It ends with its stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from urllib.parse import urlsplit, urlunsplit

import uvloop

_PIECE = 65536


class DatabaseLine:
    """The process, as the harness sees it. dsn: by way of it."""

    def __init__(self, dsn: str, process: asyncio.subprocess.Process) -> None:
        self.dsn = dsn
        self.process = process

    @classmethod
    async def started(cls, dsn: str) -> DatabaseLine:
        parts = urlsplit(dsn)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.chaos.database_line", str(parts.port),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        async with asyncio.timeout(30):
            port = int(await process.stdout.readline())
        user, _, _ = parts.netloc.rpartition("@")
        return cls(urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}")), process)

    async def hold_back(self, seconds: float) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n".encode())
        await self.process.stdin.drain()

    async def stop(self) -> None:
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


class _Line:
    """delay: seconds that each piece waits."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.delay = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # uvloop's, where the other end is closed
            while data := await reader.read(_PIECE):
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        writer.close()


async def main(target: int) -> None:
    line = _Line(target)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin.buffer
    )
    while order := await orders.readline():
        line.delay = float(order)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main(int(sys.argv[1])))
