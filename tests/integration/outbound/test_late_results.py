"""A PBX that takes an order at first and refuses it a moment later, by a message of its own."""

from __future__ import annotations

import asyncpg
import pytest

from gateway.store.pbx_links.commands import save_result
from routing.calls.model import Disposition
from tests.integration.outbound.calling_office import ACCOUNT, MINUTE, SECOND, CallingOffice


async def _placed(pool: asyncpg.Pool) -> CallingOffice:
    office = await CallingOffice(pool).open()
    await office.deal()
    await office.item()
    await office.run()
    return office


async def _result(office: CallingOffice, code: int) -> None:
    async with office.pool.acquire() as conn:
        await save_result(conn, ACCOUNT, "main", office.latest, code, code // 1000 == 1, office.now)


@pytest.mark.parametrize(
    ("code", "attempt", "state"),
    [
        (2240, "refused pbx_refused", "waiting pbx_refused"),
        (3136, "client bad_number", "failed bad_number"),
        (3124, "refused call_refused", "failed call_refused"),
    ],
)
async def test_case_31_a_result_that_comes_later_ends_the_attempt(
    pool: asyncpg.Pool, code: int, attempt: str, state: str
) -> None:
    office = await _placed(pool)
    await _result(office, code)
    await office.run(after=SECOND)
    assert await office.attempts() == [f"+79161234567 over {attempt}"]
    assert await office.state() == state
    await office.run(after=MINUTE)
    assert len(office.pbx.orders) == 1
    if code == 2240:
        assert await office.why() == "connection_stopped"


async def test_case_32_a_result_that_says_taken_or_a_call_that_came_changes_nothing(
    pool: asyncpg.Pool,
) -> None:
    office = await _placed(pool)
    await _result(office, 1000)
    await office.run(after=SECOND)
    assert await office.state() == "dialling dial"
    await office.told(office.latest, Disposition.ANSWERED)
    await _result(office, 2240)
    await office.run(after=SECOND)
    assert await office.state() == "succeeded talked"
    assert await office.attempts() == ["+79161234567 over talked talked"]
