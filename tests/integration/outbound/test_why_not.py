"""Whoever asks why a call does not go out is told what the dialler itself would say, with all that a person needs."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from gateway.admin.outbound import why_not as service
from gateway.admin.outbound.queue import queue_seen
from gateway.at_work import AtWork
from gateway.outbound.facts import look_at_item
from gateway.store.admin import accounts
from gateway.store.outbound.connections import stop_connection
from gateway.texts.sentences import TEXTS
from routing.calls.model import Disposition
from routing.presence import Presence, PresenceState
from tests.integration.outbound.calling_office import ACCOUNT, CallingOffice

EVENING = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)  # 21:00 in Moscow, 01:00 in Novosibirsk


async def said(office: CallingOffice, language: str = "en") -> str:
    """As of the clock of the office."""
    item = await office.row()
    async with office.pool.acquire() as conn:
        why = service.WhyNotCalled(item, await look_at_item(conn, office.around, item, office.now))
    texts = TEXTS["ru" if language == "ru" else "en"]
    return service.why_in_words(why, office.around.staff, ZoneInfo("Europe/Moscow"), texts)


async def test_the_hour_is_told_by_the_clients_clock_and_how_that_is_known(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool, now=EVENING).open()
    await office.deal(number="+73832223344")
    await office.item()
    assert "opens 2026-03-05 09:00 Asia/Novosibirsk (landline)" in await said(office)
    assert "можно с 2026-03-05 09:00 Asia/Novosibirsk (городской номер)" in await said(office, "ru")


async def test_of_each_who_is_not_free_it_is_told_what_keeps_them(pool: asyncpg.Pool) -> None:
    presence = Presence({"boris": PresenceState.OFFLINE})
    office = await CallingOffice(pool, at_work=AtWork(presence_of=lambda _account: presence)).open()
    await office.deal()
    await office.item(target={"kind": "group", "group": "sales"})
    await office.told(
        None, Disposition.TALKING, client="+79990000000", direction="inbound", is_over=False, talk_seconds=0
    )
    assert await said(office) == (
        "nobody who could take it is free: Anna (talks, or the phone rings), Boris (not there)"
    )


async def test_a_stopped_pbx_and_a_pause_are_told_with_names_and_times(
    pool: asyncpg.Pool,
) -> None:
    office = await CallingOffice(pool).open()
    await office.deal()
    await office.item()
    assert await said(office) == "it is dialled now"
    async with pool.acquire() as conn:
        await stop_connection(conn, ACCOUNT, "main", office.now, "2240", "no money")
        assert "main: no money, stopped since 2026-03-04 12:00" in await said(office)
        seen = await queue_seen(conn, ACCOUNT, "en")
        assert [gate.partition(",")[0] for gate in seen.gates] == ["main: no money"]
        await service.resume_connection(conn, ACCOUNT, "main")
        with pytest.raises(service.NotStopped):
            await service.resume_connection(conn, ACCOUNT, "main")
        settings = (await accounts.account(conn, ACCOUNT)).settings
        paused = settings.outbound.model_copy(update={"rate": 0})
        await accounts.save_settings(conn, ACCOUNT, settings.model_copy(update={"outbound": paused}))
        assert "paused" in await said(office)
        assert (await queue_seen(conn, ACCOUNT, None)).gates == ["пауза звонков: темп 0"]


async def test_a_person_settles_what_nobody_knows_once_with_all_that_comes_of_it(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    await office.deal()
    id = await office.item()
    async with pool.acquire() as conn:
        with pytest.raises(service.NotUnknown):
            await service.settle_item(conn, office.around, id, is_reached=True)
        await pool.execute("UPDATE outbound_item SET state = 'unknown', reason = 'never_heard_of'")
        assert await pool.fetchval("SELECT count(*) FROM effect") == 0
        assert (await service.settle_item(conn, office.around, id, is_reached=False)).state == "failed"
        ordered = await pool.fetchval("SELECT count(*) FROM effect")
        assert ordered > 0
        with pytest.raises(service.NotUnknown):
            await service.settle_item(conn, office.around, id, is_reached=True)
        assert await pool.fetchval("SELECT count(*) FROM effect") == ordered
        assert await pool.fetchval("SELECT count(*) FROM audit WHERE action = 'settled'") == 1
