"""What comes together with a connection, before the library waits for anything, is the head of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from gateway.http.connection import MAX_HEAD, DoorConnection, mended_line
from runtime.doors.admissions import Admissions
from tests.waiting import until


class _Door:
    admissions = Admissions(10, 10)
    answered_at_once = 0

    def __init__(self) -> None:
        self.malformed: list[str] = []
        self.answer_at_once: Callable[[bytes], bytes | None] = lambda _data: None

    def note_malformed(self, _address: str, error: str, _connection: str) -> None:
        self.malformed.append(error)

    def mended(self, data: bytes, _address: str) -> bytes:
        return mended_line(data) or data


class _Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 5)})
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def _echo(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text=request.query["phone"])


def _connected() -> tuple[DoorConnection, _Transport, _Door]:
    door, transport = _Door(), _Transport()
    connection = DoorConnection(door, web.Server(_echo), loop=asyncio.get_running_loop(), access_log=None)
    connection.connection_made(transport)
    return connection, transport, door


async def _written(transport: _Transport, wanted: bytes) -> bool:
    return wanted in transport.written


async def test_a_raw_space_is_mended_in_bytes_that_come_with_the_connection() -> None:
    connection, transport, door = _connected()
    connection.data_received(b"GET /pbx/generic/lookup?phone=7903 1112233 HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: _written(transport, b"7903 1112233"), "it is answered")
    assert (transport.written[:12], door.malformed) == (b"HTTP/1.1 200", [])
    connection.connection_lost(None)


async def test_a_part_of_a_head_that_comes_with_the_connection_counts() -> None:
    connection, transport, door = _connected()
    lines = b"".join(b"X-%d: " % number + b"a" * 1000 + b"\r\n" for number in range(MAX_HEAD // 2000))
    for part in (b"GET /pbx/generic/lookup?phone=1 HTTP/1.1\r\n", lines, lines, lines):
        connection.data_received(part)
    assert (transport.written[:12], door.malformed) == (b"HTTP/1.1 431", ["HeadTooLarge"])
    connection.connection_lost(None)
