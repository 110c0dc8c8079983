"""Calls ordered over the event socket: what an end of the job, a lost answer and a cut link mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from gateway.pbx.capabilities import Cancelled, CannotTell, Live, NotSeen, Placed, PlaceOrder, RefusedByPbx
from gateway.pbx.connection import Connection
from gateway.pbx.freeswitch.originate.originator import EslOriginator
from tests.fakes.esl import FakeEsl, fake_esl
from tests.unit.gateway.pbx.builders import a_connection

ATTEMPT = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ORDER = PlaceOrder(attempt_id=ATTEMPT, extension="101", number="+79161234567")
ORIGINATOR = EslOriginator(answer_seconds=0.3, job_seconds=0.1)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def connection_to(esl: FakeEsl) -> Connection:
    settings = {"esl_host": "127.0.0.1", "esl_port": esl.port, "originate_gateway": "provider"}
    return a_connection("freeswitch", settings=settings, keys={"esl_password": esl.password})


async def test_the_order_is_a_job_of_the_attempts_id(session: aiohttp.ClientSession) -> None:
    async with fake_esl(job="+OK\n") as esl:
        assert await ORIGINATOR.place(session, connection_to(esl), ORDER) == Placed()
    listening, order = esl.commands
    assert listening == ["event plain BACKGROUND_JOB"]
    assert order[0].startswith(f"bgapi originate {{origination_uuid={ATTEMPT},")
    assert order[1] == f"Job-UUID: {ATTEMPT}"


@pytest.mark.parametrize(
    ("job", "becomes"),
    [
        (None, Placed),
        ("-ERR NO_ANSWER\n", Placed),
        ("-ERR USER_BUSY\n", Placed),
        ("-ERR USER_NOT_REGISTERED\n", RefusedByPbx),
        ("-ERR SUBSCRIBER_ABSENT\n", RefusedByPbx),
    ],
)
async def test_a_phone_that_was_never_rung_is_a_refusal(
    session: aiohttp.ClientSession, job: str | None, becomes: type
) -> None:
    async with fake_esl(job=job) as esl:
        assert isinstance(await ORIGINATOR.place(session, connection_to(esl), ORDER), becomes)
    assert len(esl.orders) == 1


async def test_an_address_that_is_not_allowed_has_rung_nobody(session: aiohttp.ClientSession) -> None:
    async with fake_esl(is_open=False) as esl:
        told = await ORIGINATOR.place(session, connection_to(esl), ORDER)
    assert isinstance(told, RefusedByPbx)
    assert (told.code, told.concerns, esl.orders) == ("esl-refused", "connection", [])


async def test_an_attempt_is_found_and_hung_up_by_its_id(session: aiohttp.ClientSession) -> None:
    async with fake_esl() as esl:
        connection = connection_to(esl)
        assert await ORIGINATOR.find(session, connection, ATTEMPT, NOW) == NotSeen()
        esl.dump = f"Unique-ID: {ATTEMPT}\nAnswer-State: answered\n"
        assert await ORIGINATOR.find(session, connection, ATTEMPT, NOW) == Live("operator_answered")
        assert await ORIGINATOR.cancel(session, connection, ATTEMPT) == Cancelled()
        esl.killed = "-ERR No such channel!\n"
        assert await ORIGINATOR.cancel(session, connection, ATTEMPT) == NotSeen()
        assert esl.lines == [*[f"api uuid_dump {ATTEMPT}"] * 2, *[f"api uuid_kill {ATTEMPT}"] * 2]
        assert isinstance(await ORIGINATOR.cancel(session, connection, "x\n\napi shutdown"), CannotTell)
        assert len(esl.lines) == 4
