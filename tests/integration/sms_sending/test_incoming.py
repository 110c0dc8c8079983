"""What clients write back: shown once in their card, and where it says "no more", obeyed."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from sms.kinds import SMS_KINDS
from sms.model import IncomingPart, IncomingSms
from sms.octets import PartHeader
from sms.port import SmsInbound, SmsNews
from sms.segments import SmsEncoding
from tests.integration.sms_sending.desk import CLIENT, DAY, Desk


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


async def test_without_an_id_the_same_text_is_told_again_for_a_while_and_another_one_later(
    desk: Desk,
) -> None:
    saved = await desk.connect()
    yes = SmsNews(incoming=(IncomingSms(number=CLIENT, to="1", text="Да"),))
    for minutes in (0, 1, 8, 30, 31):
        desk.now = DAY + timedelta(minutes=minutes)
        await desk.told(saved, yes)
    assert await desk.notes() == [("sms_in", "Да")] * 2


@pytest.mark.parametrize("told", ["id=23", "sms_id=23", "id=23&sms_id=7&time=27.11.2026+11:33:00"])
async def test_what_smsc_tells_again_is_kept_once_whenever_it_is_told(desk: Desk, told: str) -> None:
    saved = await desk.connect("smsc", keys={"password": "-"})
    for seconds in (0, 3600):
        body = f"phone=79161234567&mes=%D1%F2%EE%EF&to=1&{told}".encode()
        at = DAY + timedelta(seconds=seconds)
        request = SmsInbound(method="POST", path="", query={}, headers={}, body=body, received_at=at)
        desk.now = at
        await desk.told(saved, SMS_KINDS["smsc"].read(request, saved.connection))
    assert await desk.pool.fetchval("SELECT string_agg(text, '|') FROM sms_incoming") == "Стоп"
    assert await desk.pool.fetchval("SELECT number FROM do_not_call") == CLIENT


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
