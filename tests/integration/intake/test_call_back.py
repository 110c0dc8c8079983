"""A missed call whose cell of the matrix has `call_back` puts its client into the queue of calls that go out, once."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from routing.matrix.actions import CallClientBack
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from routing.outbound.settings import OutboundSettings
from tests.integration.intake.office import CLIENT, START, a_call, an_office


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
