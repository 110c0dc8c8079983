"""FastAGI over a real socket: an answer as variables, and never a call that is held."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from gateway.pbx.asterisk.fastagi import FastAgi
from gateway.pbx.connection import Connection
from gateway.pbx.port import LookupRequest
from tests.unit.gateway.pbx.builders import a_connection, an_answer

DEADLINE = 0.3


@dataclass
class Desk:
    """Stands for the lookup."""

    answer: Mapping[str, Any] = field(default_factory=lambda: an_answer("108"))
    asked: list[LookupRequest] = field(default_factory=list)

    def ask(self, _connection: Connection, asked: LookupRequest) -> Mapping[str, Any]:
        self.asked.append(asked)
        return self.answer


@dataclass
class Port:
    agi: FastAgi
    number: int
    desk: Desk

    async def call(
        self,
        script: str = "lookup?connection=asterisk&token=demo",
        *,
        number: str = "79000000007",
        dialled: str = "74951234567",
    ) -> dict[str, str]:
        """What an Asterisk would have in its variables afterwards."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.number)
        head = {
            "agi_network": "yes",
            "agi_network_script": script,
            "agi_request": f"agi://127.0.0.1:{self.number}/{script}",
            "agi_channel": "PJSIP/provider-00000001",
            "agi_uniqueid": "pbx-1795283006.8",
            "agi_callerid": number,
            "agi_dnid": "unknown",
            "agi_extension": "s",
            "agi_arg_1": dialled,
        }
        writer.write("".join(f"{k}: {v}\n" for k, v in head.items()).encode() + b"\n")
        variables = {}
        while line := await reader.readline():
            verb, what, name, value = line.decode().rstrip("\n").split(" ", 3)
            assert (verb, what) == ("SET", "VARIABLE")
            variables[name] = value.strip('"')
            writer.write(b"200 result=1\n")
        writer.close()
        return variables


@asynccontextmanager
async def a_port(desk: Desk | None = None, most: int = 1000, **connection: Any) -> AsyncIterator[Port]:
    held = desk or Desk()
    known = {"asterisk": a_connection("asterisk", **connection)}
    agi = FastAgi(lambda: known, held.ask, deadline_seconds=DEADLINE, most=most)
    server = await agi.serve("127.0.0.1", 0)
    async with server:
        yield Port(agi, server.sockets[0].getsockname()[1], held)


async def test_the_answer_stands_in_three_variables() -> None:
    async with a_port() as port:
        assert await port.call() == {
            "CALLMATRIX_TARGET": "108",
            "CALLMATRIX_OUTCOME": "manager",
            "CALLMATRIX_REASON": "contact_owner",
        }
        assert port.desk.asked == [
            LookupRequest(phone="79000000007", did="74951234567", call_id="pbx-1795283006.8")
        ]


async def test_nobody_responsible_is_an_empty_target_with_its_reason() -> None:
    async with a_port(Desk(an_answer())) as port:
        variables = await port.call()
        assert variables["CALLMATRIX_TARGET"] == ""
        assert variables["CALLMATRIX_REASON"] == "unknown_caller"


async def test_a_number_to_ring_is_spelled_as_the_connection_wants_it() -> None:
    async with a_port(
        Desk(an_answer("+79161112233", kind="phone")), settings={"number_spelling": "8"}
    ) as port:
        assert (await port.call())["CALLMATRIX_TARGET"] == "89161112233"


async def test_an_unknown_caller_id_is_a_question_without_a_number() -> None:
    async with a_port() as port:
        await port.call(number="unknown")
        assert port.desk.asked[0].phone is None


async def test_without_the_secret_nothing_is_set_and_nothing_is_asked() -> None:
    async with a_port() as port:
        for script in (
            "lookup?connection=asterisk&token=wrong",
            "lookup?connection=asterisk",
            "lookup?connection=other&token=demo",
            "other?connection=asterisk&token=demo",
        ):
            assert await port.call(script) == {}, script
        assert port.desk.asked == []
        assert port.agi.refused == 4


async def test_a_connection_that_is_off_is_not_answered() -> None:
    async with a_port(is_on=False) as port:
        assert await port.call() == {}


async def test_a_caller_who_says_nothing_is_let_go_at_the_deadline() -> None:
    async with a_port() as port:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
        writer.write(b"agi_network: yes\n")
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        assert DEADLINE * 0.9 <= time.monotonic() - began < DEADLINE + 1
        assert port.agi.late == 1
        writer.close()


async def test_what_is_no_agi_is_let_go_at_once_and_others_are_still_answered() -> None:
    async with a_port() as port:
        for nonsense in (b"GET / HTTP/1.1\nHost: x\n\n", b"\x00\xff\n\n", b"agi_x: " + b"y" * 200_000):
            reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
            writer.write(nonsense)
            with suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        assert (await port.call())["CALLMATRIX_TARGET"] == "108"


async def test_a_hundred_calls_at_once_are_all_answered() -> None:
    async with a_port() as port:
        answers = await asyncio.gather(*(port.call() for _ in range(100)))
    assert {answer["CALLMATRIX_TARGET"] for answer in answers} == {"108"}


async def test_callers_who_say_nothing_make_room_for_one_who_asks() -> None:
    async with a_port(most=20) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port.number) for _ in range(60)]
        assert (await port.call())["CALLMATRIX_TARGET"] == "108"
        for _, writer in silent:
            writer.close()
        assert port.agi.answered == 1
