"""A message centre that speaks SMPP 3.4 and misbehaves as it is told; its own reading of the protocol."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

CentreFault = Literal[
    "throttle", "queue full", "bad number", "silent", "late", "cut", "receipt first", "no id"
]
_STATUSES = {"throttle": 0x58, "queue full": 0x14, "bad number": 0x0B}
BIND, BIND_RESP, SUBMIT, SUBMIT_RESP = 0x09, 0x80000009, 0x04, 0x80000004
DELIVER, DELIVER_RESP, UNBIND, ENQUIRE, ENQUIRE_RESP, NACK = (
    0x05,
    0x80000005,
    0x06,
    0x15,
    0x80000015,
    0x80000000,
)


@dataclass
class Submitted:
    """One submit_sm as it came."""

    id: str
    source: bytes
    destination: bytes
    esm_class: int
    coding: int
    validity: bytes
    data: bytes


@dataclass
class FakeCentre:
    """faults: one is used up by each submit_sm. bind_status: of every bind. lives: answers enquire_link. late_seconds: of the
    fault "late". units: command ids that came, in their order."""

    password: bytes = b"hush"
    bind_status: int = 0
    lives: bool = True
    late_seconds: float = 0.6
    faults: deque[CentreFault] = field(default_factory=deque)
    submitted: list[Submitted] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    statuses_of_deliveries: list[int] = field(default_factory=list)
    binds: int = 0
    port: int = 0
    _writer: asyncio.StreamWriter | None = None
    _sequence: int = 0

    def deliver(self, data: bytes, *, esm_class: int = 0, coding: int = 0, tlvs: bytes = b"") -> None:
        """Send deliver_sm from a mobile phone."""
        addresses = b"\x00" + b"\x01\x0179161234567\x00" + b"\x05\x00Office\x00"
        body = (
            addresses
            + bytes([esm_class, 0, 0])
            + b"\x00\x00"
            + bytes([0, 0, coding, 0, len(data)])
            + data
            + tlvs
        )
        self._sequence += 1
        self.send(DELIVER, self._sequence, body)

    def receipt(self, id: str, word: str = "DELIVRD") -> None:
        text = f"id:{id} sub:001 dlvrd:001 submit date:2603021000 done date:2603021001 stat:{word} err:000 text:x"
        self.deliver(text.encode(), esm_class=4)

    def send(self, command: int, sequence: int, body: bytes = b"", status: int = 0) -> None:
        assert self._writer is not None
        self._writer.write(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)

    def cut(self) -> None:
        """Drop the link without a word."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length, command, status, sequence = struct.unpack(">IIII", await reader.readexactly(16))
                await self._answer(command, status, sequence, await reader.readexactly(length - 16))
        writer.close()

    async def _answer(self, command: int, status: int, sequence: int, body: bytes) -> None:
        self.units.append(command)
        if command == BIND:
            self.binds += 1
            system_id, password, *_ = body.split(b"\x00")
            wrong = 0x0E if password != self.password else 0
            self.send(BIND_RESP, sequence, b"CENTRE\x00", self.bind_status or wrong)
            assert system_id == b"office"
        elif command == SUBMIT:
            await self._submit(sequence, body)
        elif command == ENQUIRE and self.lives:
            self.send(ENQUIRE_RESP, sequence)
        elif command == UNBIND:
            self.send(0x80000006, sequence)
        elif command == DELIVER_RESP:
            assert body == b"\x00"
            self.statuses_of_deliveries.append(status)

    async def _submit(self, sequence: int, body: bytes) -> None:
        fault = self.faults.popleft() if self.faults else None
        if fault in _STATUSES:
            self.send(SUBMIT_RESP, sequence, b"", _STATUSES[fault])
            return
        taken = self._read(body)
        self.submitted.append(taken)
        if fault == "receipt first":
            self.receipt(taken.id)
        if fault == "cut":
            self.cut()
        elif fault == "late":
            asyncio.get_running_loop().call_later(
                self.late_seconds, self.send, SUBMIT_RESP, sequence, taken.id.encode() + b"\x00"
            )
        elif fault != "silent":
            self.send(SUBMIT_RESP, sequence, taken.id.encode() + b"\x00")

    def _read(self, body: bytes) -> Submitted:
        service, _, rest = body.partition(b"\x00")
        assert service == b""
        source, _, rest_of_source = rest[2:].partition(b"\x00")
        destination, _, rest_of_destination = rest_of_source[2:].partition(b"\x00")
        esm_class, flags = rest_of_destination[0], rest_of_destination[3:]
        schedule, _, flags = flags.partition(b"\x00")
        validity, _, flags = flags.partition(b"\x00")
        assert schedule == b""
        assert flags[0] == 1, "a receipt is ordered"
        assert flags[4] == len(flags[5:])
        id = f"{0xA0 + len(self.submitted):X}"
        return Submitted(
            id, rest[:2] + source, rest_of_source[:2] + destination, esm_class, flags[2], validity, flags[5:]
        )


@asynccontextmanager
async def centre(fake: FakeCentre) -> AsyncIterator[FakeCentre]:
    server = await asyncio.start_server(fake._talk, "127.0.0.1", fake.port)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        fake.cut()
