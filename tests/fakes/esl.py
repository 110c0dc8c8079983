"""FreeSWITCH's event socket on a real socket: logs in, takes orders, says how their jobs end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class FakeEsl:
    """reply: what bgapi is answered, None = nothing, "cut" = the link breaks. job: the body of BACKGROUND_JOB, None = none comes.
    dump: what uuid_dump gives. is_open: False = rude rejection. commands: lines as they came, logins apart."""

    password: str = "ClueCon"
    reply: str | None = "+OK Job-UUID: {job}"
    job: str | None = None
    dump: str = "-ERR No such channel!\n"
    killed: str = "+OK\n"
    is_open: bool = True
    port: int = 0
    commands: list[list[str]] = field(default_factory=list)
    _links: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def lines(self) -> list[str]:
        return [block[0] for block in self.commands]

    @property
    def orders(self) -> list[str]:
        return [line.removeprefix("bgapi ") for line in self.lines if line.startswith("bgapi ")]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        try:
            if not self.is_open:
                writer.write(
                    b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
                )
                return
            writer.write(b"Content-Type: auth/request\n\n")
            while True:
                block = (await reader.readuntil(b"\n\n")).decode().strip().split("\n")
                if not self._answer(block, writer):
                    return
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._links.discard(writer)
            writer.close()

    def _answer(self, block: list[str], writer: asyncio.StreamWriter) -> bool:
        """False: the link ends."""
        if block[0].startswith("auth "):
            is_right = block[0] == f"auth {self.password}"
            _reply(writer, "+OK accepted" if is_right else "-ERR invalid")
            return is_right
        self.commands.append(block)
        verb, _, rest = block[0].partition(" ")
        if verb == "bgapi":
            return self._ordered(block, writer)
        if verb == "api":
            body = (self.dump if rest.startswith("uuid_dump") else self.killed).encode()
            writer.write(b"Content-Type: api/response\nContent-Length: %d\n\n" % len(body) + body)
        else:
            _reply(writer, "+OK event listener enabled plain")
        return True

    def _ordered(self, block: list[str], writer: asyncio.StreamWriter) -> bool:
        if self.reply is None or self.reply == "cut":
            return self.reply is None
        job = dict(line.split(": ", 1) for line in block[1:])["Job-UUID"]
        _reply(writer, self.reply.format(job=job))
        if self.job is not None:
            _event(writer, "0b0f6c2e-0000-4c43-9d2b-0d6f7e1a2b3c", "+OK of another job\n")
            _event(writer, job, self.job)
        return True

    def drop(self) -> None:
        for link in self._links:
            link.transport.abort()


def _reply(writer: asyncio.StreamWriter, words: str) -> None:
    writer.write(f"Content-Type: command/reply\nReply-Text: {words}\n\n".encode())


def _event(writer: asyncio.StreamWriter, job: str, told: str) -> None:
    body = told.encode()
    event = f"Event-Name: BACKGROUND_JOB\nJob-UUID: {job}\nJob-Command: originate\nContent-Length: {len(body)}\n\n".encode()
    writer.write(
        b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % (len(event) + len(body)) + event + body
    )


@asynccontextmanager
async def fake_esl(**fields: object) -> AsyncIterator[FakeEsl]:
    esl = FakeEsl(**fields)  # type: ignore[arg-type]
    server = await asyncio.start_server(esl.handle, "127.0.0.1", 0)
    esl.port = server.sockets[0].getsockname()[1]
    try:
        yield esl
    finally:
        server.close()
        esl.drop()
