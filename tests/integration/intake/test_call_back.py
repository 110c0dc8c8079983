"""A missed call whose cell of the matrix has `call_back` puts its client into the queue of calls that go out, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg

from gateway.store.outbound.adding import add_missed_call
from routing.effects import CallClient
from routing.matrix.actions import CallClientBack
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from routing.outbound.settings import OutboundSettings
from tests.integration.intake.office import ACCOUNT, CLIENT, START, a_call, an_office


def _calling() -> Matrix:
    matrix = recommended()
    table = matrix.tables["default"]
    cells = {
        cell: (*actions, CallClientBack(connection="pbx", responsible="employee:anna"))
        if cell.startswith("inbound.missed.") and cell.endswith("/end")
        else actions
        for cell, actions in table.cells.items()
    }
    return matrix.model_copy(update={"tables": {"default": table.model_copy(update={"cells": cells})}})


async def test_a_missed_call_is_queued_once_and_of_others_it_is_said_why_not(
    pool: asyncpg.Pool, database_url: str
) -> None:
    office = await an_office(pool, database_url, matrix=_calling())
    await office.change_settings(outbound=OutboundSettings(queue_most=1))
    await office.know_client()
    office.inbox.start()
    await office.start()
    try:
        for call in (a_call("c1"), a_call("c1"), a_call("c2", at=START + timedelta(seconds=1))):
            await office.tell_all(call)
        await office.settle()
        await office.tell_all(a_call("c3", at=office.clock(), client="+79031112233"))
        await office.tell_all(a_call("c4", client="+79035550000", answered_by="101"))
        await office.settle()
        await office.settle()
    finally:
        await office.stop()
        await office.inbox.stop()
    items = await office.rows("SELECT * FROM outbound_item")
    assert len(items) == 3
    (first,) = [item for item in items if item["state"] == "waiting"]
    assert (first["source"], first["target"]["employee_id"], first["connection"]) == ("matrix", "anna", "pbx")
    assert first["client"] == CLIENT
    others = {f"{i['state']} {i['reason']}" for i in items if i is not first}
    assert others == {"dropped queue_full", "dropped waits_already"}
    assert "call_client" not in await office.whats(), "it is no order for the CRM"


async def test_many_that_come_at_once_are_no_more_than_may_wait(
    pool: asyncpg.Pool, database_url: str
) -> None:
    office = await an_office(pool, database_url)
    await office.change_settings(outbound=OutboundSettings(queue_most=3))
    orders = [CallClient(number=f"+7903111000{n}", employee_id="anna", connection="pbx") for n in range(10)]

    async def add(order: CallClient) -> None:
        async with pool.acquire() as conn, conn.transaction():
            await add_missed_call(conn, ACCOUNT, order.number, order, "d")
            await asyncio.sleep(0.05)  # the others look meanwhile

    await asyncio.gather(*map(add, orders))
    states = [row["state"] for row in await office.rows("SELECT state FROM outbound_item")]
    assert (states.count("waiting"), states.count("dropped")) == (3, 7)
