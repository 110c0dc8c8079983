"""What clients write back: shown once in their card, and where it says "no more", obeyed."""

from __future__ import annotations

import asyncpg
import pytest

from sms.model import IncomingPart, IncomingSms
from sms.octets import PartHeader
from sms.port import SmsNews
from sms.segments import SmsEncoding
from tests.integration.sms_sending.desk import CLIENT, Desk


@pytest.fixture
async def desk(pool: asyncpg.Pool) -> Desk:
    made = Desk(pool)
    await made.open()
    await made.deal()
    return made


async def test_what_a_client_writes_stands_in_their_card_once_and_a_strangers_is_kept(desk: Desk) -> None:
    saved = await desk.connect()
    told = IncomingSms(id="1", number="79161234567", to="74951230000", text="Буду в пять")
    other = IncomingSms(id="2", number="OFFICE", to="74951230000", text="Акция")
    for _ in range(2):
        await desk.told(saved, SmsNews(incoming=(told, other)))
    assert await desk.notes() == [("sms_in", "Буду в пять")]
    assert await desk.pool.fetchval("SELECT count(*) FROM sms_incoming") == 2
    assert await desk.pool.fetchval("SELECT count(*) FROM do_not_call") == 0


async def test_stop_in_two_parts_in_any_order_drops_what_waits_for_the_number(desk: Desk) -> None:
    saved = await desk.connect()
    await desk.order(any_hour=True)
    halves = ["СТ".encode("utf-16-be"), "ОП!".encode("utf-16-be")]
    parts = [
        IncomingSms(
            number=CLIENT,
            to="1",
            text=half.decode("utf-16-be"),
            part=IncomingPart(header=PartHeader(7, 2, n), encoding=SmsEncoding.UCS2, data=half),
        )
        for n, half in enumerate(halves, 1)
    ]
    for part in reversed(parts):
        await desk.told(saved, SmsNews(incoming=(part,)))
        desk.later(seconds=2)
    row = await desk.pool.fetchrow("SELECT number, source, note FROM do_not_call")
    assert row is not None
    assert tuple(row) == (CLIENT, "client", "СТОП!")
    assert await desk.item() == ("dropped", "do_not_call")
    assert [form for form, _ in await desk.notes()] == ["sms_in", "service"]
