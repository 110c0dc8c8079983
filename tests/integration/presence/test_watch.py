"""Calls, pages, schedules and the question, as the worker's look sees them and every process knows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from gateway.pbx.capabilities import PhoneState
from gateway.store.admin.staff import replace_staff
from gateway.store.presence.attendance import history
from gateway.store.presence.watches import keep_phones
from routing.attendance.pages import PageBeat
from routing.presence import NOBODY_SAID, PresenceState
from routing.settings import PresencePolicy
from tests.integration.presence.site import ACCOUNT, PresenceSite, people, policy

NO_CRM = policy(sources=("calls", "page", "pbx", "schedule"))


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str) -> PresenceSite:
    opened = PresenceSite(pool, database_url)
    await opened.open(NO_CRM, people({"anna": "11", "boris": "12"}))
    return opened


async def beat(
    site: PresenceSite, who: str, *, page: str = "p", idle: float = 0, closes: bool = False
) -> None:
    assert site.heartbeats is not None
    input_at = site.now - timedelta(seconds=idle)
    await site.heartbeats.beat(ACCOUNT, who, PageBeat(page, site.now, input_at, closes))
    await site.heartbeats.write()


async def beating(site: PresenceSite, who: str, minutes: float, *, page: str = "p") -> None:
    """The page is open until then, and not touched any more."""
    touched = site.now
    while site.now < site.at(minutes):
        await site.until(min(minutes, (site.now - site.began).total_seconds() / 60 + 0.9))
        await beat(site, who, page=page, idle=(site.now - touched).total_seconds())


async def add_call(
    site: PresenceSite, key: str, *, party: str | None, started: float, ended: float | None, over: bool
) -> None:
    talks = []
    if party is not None:
        talks = [
            {
                "party": party,
                "started_at": site.at(started).isoformat(),
                "ended_at": site.at(ended).isoformat() if ended is not None else None,
            }
        ]
    await site.pool.execute(
        "INSERT INTO call (account_id, call_id, connection_id, call_key, client, direction, disposition, is_over,"
        " started_at, answered_at, ended_at, facts, updated_at)"
        " VALUES ($1, $2, 'c', $2, '+79161234567', 'inbound', $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT (account_id, call_id) DO UPDATE SET is_over = excluded.is_over, ended_at = excluded.ended_at,"
        " facts = excluded.facts",
        ACCOUNT,
        key,
        "answered" if party else "no_answer",
        over,
        site.at(started),
        site.at(started) if party else None,
        site.at(ended) if ended is not None else None,
        {"talks": talks, "rung": ["201"]},
        site.at(ended if ended is not None else started),
    )


async def test_who_never_gives_a_sign_is_asked_after_the_idle_time_and_off_a_minute_later(
    site: PresenceSite,
) -> None:
    assert await site.on_board("anna") is PresenceState.UNKNOWN
    await site.until(15)
    assert await site.mark("anna") == "asked"
    assert await site.on_board("anna") is PresenceState.AVAILABLE
    await site.until(16)
    assert await site.on_board("anna") is PresenceState.OFFLINE
    assert await site.told("anna") == [("unknown", "not_seen_yet"), ("asked", "silent"), ("off", "no_answer")]


async def test_the_question_is_asked_once_however_many_look(site: PresenceSite) -> None:
    others = [site.new_watch(), site.new_watch()]
    await site.until(14.5)
    site.now = site.at(15)
    for watch in (site.watch, *others, site.watch):
        await watch.turn(site.now, timedelta(seconds=4))
    assert (await site.told("anna")).count(("asked", "silent")) == 1
    rows = await site.pool.fetchval(
        "SELECT count(*) FROM presence_interval WHERE account_id = $1 AND until IS NULL", ACCOUNT
    )
    assert rows == 2


async def test_a_talk_makes_busy_and_its_end_is_a_sign(site: PresenceSite) -> None:
    await site.until(2)
    await add_call(site, "k1", party="201", started=2, ended=None, over=False)
    await site.until(20)
    assert await site.on_board("anna") is PresenceState.BUSY
    assert await site.on_board("boris") is PresenceState.OFFLINE
    await add_call(site, "k1", party="201", started=2, ended=20, over=True)
    await site.until(34.5)
    assert await site.on_board("anna") is PresenceState.AVAILABLE
    await site.until(38)
    assert await site.on_board("anna") is PresenceState.OFFLINE


async def test_a_short_talk_between_two_looks_is_a_sign(site: PresenceSite) -> None:
    await site.until(10)
    await add_call(site, "k1", party="201", started=10.05, ended=10.1, over=True)
    await site.until(24)
    assert await site.mark("anna") == "on"


async def test_a_missed_call_in_their_name_keeps_nobody_at_work(site: PresenceSite) -> None:
    """35."""
    await site.until(10)
    await add_call(site, "k1", party=None, started=10, ended=10.5, over=True)
    await site.until(18)
    assert await site.mark("anna") == "off"


async def test_two_tabs_and_one_is_closed(site: PresenceSite) -> None:
    """41."""
    await site.until(1)
    await beat(site, "anna", page="first")
    await beat(site, "anna", page="second")
    await site.until(1.5)
    await beat(site, "anna", page="first", closes=True)
    await beating(site, "anna", 10, page="second")
    assert await site.mark("anna") == "on"


async def test_a_browser_that_was_killed_is_asked_about_after_ninety_seconds(site: PresenceSite) -> None:
    """41. What nobody answers is off a minute later; a network that flaps for twenty seconds is nothing."""
    await site.until(2)
    await beat(site, "anna")
    await site.until(3)
    assert await site.mark("anna") == "on"
    await site.until(3.5)
    assert ((await site.of("anna")).mark, (await site.of("anna")).reason) == ("asked", "page_gone")
    await site.until(4.5)
    assert await site.mark("anna") == "off"
    await site.until(60)
    await beat(site, "anna")
    await site.look()
    assert await site.mark("anna") == "on"


async def test_an_open_page_that_nobody_touches_is_not_work(site: PresenceSite) -> None:
    await site.until(2)
    await beat(site, "anna")
    await beating(site, "anna", 16.5)
    assert await site.mark("anna") == "on"
    await beating(site, "anna", 17)
    assert await site.mark("anna") == "asked"


async def test_after_a_restart_nobody_is_taken_off_for_a_heartbeat_period(site: PresenceSite) -> None:
    """40. The worker was away for ten minutes: those whose time was up meanwhile get the period."""
    await site.until(10)
    site.watch, site.now = site.new_watch(), site.at(20)
    await site.look()
    assert await site.mark("anna") == "unknown"
    assert await site.on_board("anna") is PresenceState.UNKNOWN
    await site.until(21)
    assert await site.mark("anna") == "unknown"
    await site.until(21.5)
    assert await site.mark("anna") == "asked"


async def test_who_pressed_the_button_stays_off_over_a_restart_the_others_are_unknown(
    site: PresenceSite,
) -> None:
    await site.until(18)
    assert await site.mark("boris") == "off"
    await site.pool.execute("UPDATE presence SET hold = 'button' WHERE employee_id = 'anna'")
    site.now = site.at(600)
    assert await site.on_board("anna") is PresenceState.OFFLINE
    assert await site.on_board("boris") is PresenceState.UNKNOWN


async def test_the_end_of_a_shift_closes_and_its_beginning_waits_for_a_sign(site: PresenceSite) -> None:
    site.shifts["anna"] = True
    await site.until(1)
    await beat(site, "anna")
    await site.look()
    site.shifts["anna"] = False
    await site.until(2)
    assert await site.on_board("anna") is PresenceState.OFF_SHIFT
    site.shifts["anna"] = True
    await site.until(3)
    assert await site.on_board("anna") is PresenceState.OFFLINE
    await beat(site, "anna")
    await site.until(3.5)
    assert await site.on_board("anna") is PresenceState.AVAILABLE


async def test_a_phone_that_is_shut_and_one_that_talks(site: PresenceSite) -> None:
    await site.until(2)
    words = [PhoneState("201", False, True), PhoneState("202", True, False)]
    async with site.pool.acquire() as conn:
        await keep_phones(conn, ACCOUNT, "c", words, site.now)
    await site.look()
    assert await site.on_board("anna") is PresenceState.DND
    assert await site.on_board("boris") is PresenceState.BUSY
    await site.until(4)  # what a telephone system says no more counts no more
    assert await site.on_board("anna") is PresenceState.UNKNOWN
    assert [state for state, _ in await site.told("anna")] == ["unknown", "dnd", "unknown"]


async def test_switched_off_everybody_is_unknown_again_and_nothing_goes_on(site: PresenceSite) -> None:
    await site.until(16.5)
    await site.set(NO_CRM.model_copy(update={"is_on": False}))
    await site.look()
    await site.board.refresh()
    assert site.board.presence_of(ACCOUNT) is NOBODY_SAID
    async with site.pool.acquire() as conn:
        rows = await history(conn, ACCOUNT, "anna", site.at(-1), site.at(600))
        assert all(row.until is not None for row in rows)
        assert await conn.fetchval("SELECT count(*) FROM presence") == 0


async def test_an_employee_who_is_removed_is_watched_no_more(site: PresenceSite) -> None:
    await site.until(1)
    await site.pool.execute("DELETE FROM employee WHERE employee_id = 'boris'")
    await site.configuration.reload()
    await site.until(2)
    left = await site.pool.fetch("SELECT employee_id FROM presence ORDER BY 1")
    assert [row["employee_id"] for row in left] == ["anna"]


async def test_a_worker_that_has_not_heard_yet_takes_nothing_away(site: PresenceSite) -> None:
    """Its memory still says that presence is off, and knows nothing of somebody who has just come."""
    old = site.configuration.now
    async with site.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, people({"anna": "11", "boris": "12", "vera": "13"}))
    await site.configuration.reload()
    await site.look()
    assert await site.mark("vera") == "unknown"
    site.configuration.now = old
    await site.until(1)
    assert await site.mark("vera") == "unknown"
    account = old.accounts[ACCOUNT]
    off = account.settings.model_copy(update={"presence": PresencePolicy()})
    site.configuration.now = replace(old, accounts={ACCOUNT: replace(account, settings=off)})
    await site.look()
    assert await site.mark("vera") == "unknown"
