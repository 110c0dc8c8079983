"""Messages of the generic format that say no time: a repetition is one, the same told anew is not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.integration.pbx.running_gateway import Running, add_connection, form, prepare, running_gateway

_TALK = {"event": "answer", "callId": "17", "from": "+79161234567", "to": "+74951234567"}


@pytest.fixture
async def pbx(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Running]:
    await prepare(pool)
    await add_connection(pool, "generic", "generic")
    async with running_gateway(pool, database_url) as made:
        yield made


async def _tell(pbx: Running, **fields: str) -> bool:
    """Whether it was taken for a repetition."""
    status, _, body = await pbx.tell("generic", "events?token=demo", **form(**fields))
    assert status == 200, body
    return b'"duplicate": true' in body or b'"duplicate":true' in body


async def test_who_answers_again_after_somebody_else_is_told(pbx: Running) -> None:
    told = [await _tell(pbx, **_TALK, extension=e) for e in ("101", "101", "102", "102", "101", "101", "102")]
    assert told == [False, True, False, True, False, True, False]
    parties = [events[0]["party"] for events in await pbx.stored()]
    assert parties == ["101", "102", "101", "102"]


async def test_a_leg_that_is_named_answers_once_whoever_answered_since(pbx: Running) -> None:
    """As a PBX tells it that heard no answer to the first: the colleague's message overtook the repetition."""
    legs = (("101", "a"), ("102", "b"), ("101", "a"), ("102", "b"), ("101", "c"))
    told = [await _tell(pbx, **_TALK, extension=extension, leg=leg) for extension, leg in legs]
    assert told == [False, False, True, True, False]
    assert [events[0]["party"] for events in await pbx.stored()] == ["101", "102", "101"]


async def test_the_same_id_and_number_a_day_later_is_no_repetition(pbx: Running) -> None:
    new_call = {**_TALK, "event": "newCall"}
    assert not await _tell(pbx, **new_call)
    assert await _tell(pbx, **new_call)
    await pbx.pool.execute("UPDATE inbox SET received_at = received_at - interval '1 day'")
    assert not await _tell(pbx, **new_call)
    assert await _tell(pbx, **new_call)
    assert len(await pbx.stored()) == 2


async def test_a_message_that_says_its_time_is_the_same_for_ever(pbx: Running) -> None:
    [(day,)] = await pbx.pool.fetch("SELECT to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SSOF:00')")
    assert not await _tell(pbx, **_TALK, extension="101", at=day)
    await pbx.pool.execute("UPDATE inbox SET received_at = received_at - interval '1 day'")
    assert await _tell(pbx, **_TALK, extension="101", at=day)


async def test_a_time_that_no_call_can_have_is_told_and_costs_itself_only(pbx: Running) -> None:
    assert not await _tell(pbx, **_TALK, extension="101", at="2005-01-01T00:00:00Z", billsec="99999999999999")
    [row] = await pbx.rows(
        "SELECT spoilt, abs(extract(epoch FROM now() - received_at)) < 60 AS is_now FROM inbox"
    )
    assert row == {"spoilt": ["billsec", "at"], "is_now": True}
    [[event]] = await pbx.stored()
    assert not event["at"].startswith("2005")
