"""Calls that a real Asterisk makes at our order: each reached or missed by the right side, and none made twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio

from gateway.pbx.asterisk.link import address_of, ami_link
from gateway.pbx.asterisk.originate.orders import originate_fields
from gateway.pbx.asterisk.originate.originator import AmiOriginator
from gateway.pbx.capabilities import Cancelled, Live, NotSeen, Placed, PlaceOrder, PlaceResult, RefusedByPbx
from gateway.pbx.connection import Connection
from routing.calls.model import Call
from routing.outbound.outcome import outcome_of
from tests.e2e.pbx.sip_phone import BUSY, RINGS, Manner
from tests.e2e.pbx.stage import Stage, running_stage
from tests.unit.gateway.pbx.builders import a_connection
from tests.waiting import until

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="module")]

ORIGINATOR = AmiOriginator()
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("callbacks")
    async with running_stage(postgres_url, template_database, folder, {}) as stage:
        yield stage


def connection_of(stage: Stage) -> Connection:
    asterisk = stage.office.asterisk
    about = {"ami_host": "127.0.0.1", "ami_port": asterisk.ami_port, "originate_context": "callmatrix-client"}
    keys = {"ami_user": "callmatrix", "ami_secret": asterisk.ami_secret}
    return a_connection("asterisk", settings=about, keys=keys)


def an_order(client: str, extension: str = "101", attempt: str = "") -> PlaceOrder:
    return PlaceOrder(
        attempt_id=attempt or str(uuid4()),
        extension=extension,
        number=f"+{client}",
        line="+74950000001",
        ring_seconds=4,
        client_ring_seconds=3,
        display_name="Клиент",
    )


async def placed(stage: Stage, client: str, *, extension: str = "101", attempt: str = "") -> PlaceResult:
    order = an_order(client, extension, attempt)
    async with aiohttp.ClientSession() as session:
        return await ORIGINATOR.place(session, connection_of(stage), order)


async def found(stage: Stage, attempt: str) -> Any:
    async with aiohttp.ClientSession() as session:
        return await ORIGINATOR.find(session, connection_of(stage), attempt, LONG_AGO)


@pytest.mark.parametrize(
    ("employee", "client_does", "is_known_as", "outcome"),
    [
        (BUSY, Manner(), ("busy", "employee_not_reached"), "operator busy"),
        (Manner(refuses=603), Manner(), ("rejected", "employee_not_reached"), "operator declined"),
        (Manner(refuses=404), Manner(), ("failed", "employee_not_reached"), "operator unreachable"),
        (RINGS, Manner(), ("no_answer", "employee_not_reached"), "operator no_answer"),
        (Manner(), BUSY, ("busy", "client_not_reached"), "client busy"),
        (Manner(), RINGS, ("no_answer", "client_not_reached"), "client no_answer"),
        (Manner(), Manner(refuses=603), ("rejected", "client_not_reached"), "client declined"),
        (Manner(), Manner(refuses=404), ("failed", "client_not_reached"), "client bad_number"),
        (Manner(), Manner(refuses=503), ("failed", "client_not_reached"), "client unreachable"),
    ],
)
async def test_whose_side_it_was(
    stage: Stage, employee: Manner, client_does: Manner, is_known_as: tuple[str, str], outcome: str
) -> None:
    client = stage.client()
    stage.phones.behave({"101": employee, client: client_does})
    attempt = str(uuid4())
    assert await placed(stage, client, attempt=attempt) == Placed()
    call = await stage.call(client)
    assert (call["pbx_call_id"], call["attempt"]) == (attempt, attempt)
    assert (call["direction"], (call["disposition"], call["failed_side"])) == ("outbound", is_known_as), call
    facts = await stage.office.stack.pool.fetchval("SELECT facts FROM call WHERE attempt_id = $1", attempt)
    known = outcome_of(Call.model_validate_json(json.dumps(facts)))
    assert known is not None
    assert f"{known.side} {known.reason}" == outcome


async def test_an_attempt_is_found_while_they_talk_and_cancelled(stage: Stage) -> None:
    stage.phones.behave({})
    client, attempt = stage.client(), str(uuid4())
    assert await placed(stage, client, attempt=attempt) == Placed()

    async def talks() -> bool:
        return bool(await found(stage, attempt) == Live("talking"))

    await until(talks, "both talk", seconds=10)
    assert await placed(stage, client, attempt=attempt) == Placed(), "the same attempt, which lives"
    await asyncio.sleep(1)
    assert len([talk for talk in stage.phones.talks if talk.user == "101"]) == 1
    async with aiohttp.ClientSession() as session:
        assert await ORIGINATOR.cancel(session, connection_of(stage), attempt) == Cancelled()
    call = await stage.call(client)
    assert (call["direction"], call["disposition"]) == ("outbound", "answered")
    assert await found(stage, attempt) == NotSeen()


async def test_a_link_that_is_cut_behind_the_order_leaves_the_call_alive(stage: Stage) -> None:
    stage.phones.behave({"101": RINGS})
    client, connection = stage.client(), connection_of(stage)
    order, address = an_order(client), address_of(connection)
    assert address is not None
    async with ami_link(address) as link:
        link.send_all("Originate", originate_fields(order, connection))

    async def rings() -> bool:
        return bool(await found(stage, order.attempt_id) == Live("operator_ringing"))

    await until(rings, "the employee's phone rings", seconds=5)
    assert (await stage.call(client))["failed_side"] == "employee_not_reached"


async def test_the_client_sees_the_line_and_no_name(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.client()
    assert await placed(stage, client) == Placed()
    talk = await stage.phones.answered(client)
    assert talk.invite is not None
    assert "74950000001" in talk.invite.get("from")
    assert "Клиент" not in talk.invite.get("from")
    await (await stage.phones.answered("101")).hang_up()
    assert (await stage.call(client))["disposition"] == "answered"


async def test_a_phone_that_asterisk_does_not_know(stage: Stage) -> None:
    stage.phones.behave({})
    told = await placed(stage, stage.client(), extension="199")
    assert isinstance(told, RefusedByPbx)
    assert told.code == "originate-failed"
