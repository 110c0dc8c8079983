"""From what happens to an account to what its people read: told once, whoever looks, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import pytest

from gateway.admin.accounts import save_settings
from gateway.alerts.loop import Alerts
from gateway.health.checks import installation_findings
from gateway.health.findings import in_words
from gateway.health.status import installation_status
from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.store.alerts import messages
from gateway.store.crm_accounts.exchanges import report
from gateway.texts.sentences import TEXTS
from routing.settings import AccountSettings, AlertPolicy
from tests.integration.alerts.mailbox import CHAT, TOKEN, Mailbox, TelegramDouble, mailbox, telegram_double
from tests.waiting import until

ACCOUNT = "sales"
OPERATOR, HEAD = "ops@example.com", "head@example.com"
WORKER_REPORT = {
    "started_at": "2026-03-02T10:00:00+00:00",
    "jobs": {"done": 0, "failed": 0, "revived": 0, "last_success": None, "last_error": None},
}


@dataclass
class Watch:
    """An installation with one account whose worker reports, a mail server, a Telegram double, and two processes that look."""

    pool: asyncpg.Pool
    url: str
    box: Mailbox
    telegram: TelegramDouble
    http: aiohttp.ClientSession
    processes: list[Alerts] = field(default_factory=list)

    def settings(self, **changes: Any) -> Settings:
        found: dict[str, Any] = {
            "database_url": self.url,
            "alert_emails": OPERATOR,
            "smtp_host": "127.0.0.1",
            "smtp_port": self.box.port,
            "smtp_security": "none",
            "telegram_token": TOKEN,
            "telegram_api": self.telegram.url,
            "public_url": "https://calls.example.com",
        }
        return Settings(**{**found, **changes})

    def restart(self, **changes: Any) -> None:
        """Two new processes, which remember nothing."""
        self.processes = [Alerts(self.settings(**changes), self.pool, self.http) for _ in range(2)]

    async def look(self) -> None:
        """Both at once, as often as it takes until every message is out that can be."""
        await asyncio.gather(*(process.turn(0.0) for process in self.processes))

    async def sql(self, statement: str, *args: object) -> None:
        await self.pool.execute(statement, *args)

    async def state(self, state: str, reason: str = "") -> None:
        async with self.pool.acquire() as conn:
            await accounts.set_account_state(conn, ACCOUNT, state, reason)  # type: ignore[arg-type]

    async def worker_reports(self) -> None:
        async with self.pool.acquire() as conn:
            await report(conn, "", "worker:one", WORKER_REPORT)
            await report(conn, ACCOUNT, "crm", {})

    async def an_hour_passes(self) -> None:
        """What was remembered and stored is as of an hour before."""
        for column in ("bad_since", "good_since", "told_at", "over_at"):
            await self.sql(f"UPDATE alert_state SET {column} = {column} - interval '1 hour'")
        await self.sql("UPDATE alert_turn SET looked_at = looked_at - interval '1 hour'")
        await self.sql(
            "UPDATE alert_message SET next_try_at = next_try_at - interval '1 hour',"
            " claimed_at = claimed_at - interval '1 hour', created_at = created_at - interval '1 hour'"
        )
        await self.worker_reports()

    async def findings(self) -> dict[str, str]:
        now = datetime.now(UTC)
        found = installation_findings(await installation_status(self.pool, now), now)
        return {f.code: in_words(f, TEXTS["en"]).message for f in found}


@pytest.fixture
async def watch(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Watch]:
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(mailbox())
        telegram = await stack.enter_async_context(telegram_double())
        http = await stack.enter_async_context(aiohttp.ClientSession())
        made = Watch(pool, database_url, box, telegram, http)
        async with pool.acquire() as conn:
            await accounts.add_account(conn, account_id=ACCOUNT, name="Sales", base_url="https://x.amocrm.ru")
            policy = AlertPolicy(emails=(HEAD,), telegram_chats=(CHAT,))
            await save_settings(conn, ACCOUNT, AccountSettings(language="en", alerts=policy))
        await made.worker_reports()
        made.restart()
        await made.look()
        assert box.got == []
        yield made


def received(watch: Watch, to: str) -> list[str]:
    return [str(message["Subject"]) for message in watch.box.got if message["To"] == to]


BROKEN = "Callmatrix, Sales: the CRM does not let us in"
WELL_AGAIN = "Callmatrix, Sales: well again (the CRM does not let us in)"


async def test_a_broken_key_is_told_once_to_each_and_once_that_it_is_over(watch: Watch) -> None:
    await watch.state("broken", "401 on all requests, key of +79161234567")
    for _ in range(3):
        await watch.look()
        watch.restart()
    for to in (OPERATOR, HEAD):
        assert received(watch, to) == [BROKEN]
    assert [text.splitlines()[0] for text in watch.telegram.texts] == [BROKEN]
    body = watch.box.got[0].get_content()
    assert "callmatrix account add sales --url https://x.amocrm.ru --token -" in body
    assert "deploy/runbook.md#the-authorisation-is-broken" in body
    assert "1234567" not in body
    await watch.state("on")
    await watch.look()
    assert received(watch, HEAD) == [BROKEN]
    await watch.an_hour_passes()
    for _ in range(3):
        await watch.look()
    assert received(watch, HEAD) == [BROKEN, WELL_AGAIN]


async def test_who_is_added_while_an_alarm_is_open_hears_of_it_once_and_of_its_end(watch: Watch) -> None:
    await watch.state("broken")
    await watch.look()
    deputy, policy = "deputy@example.com", AlertPolicy(emails=(HEAD, "deputy@example.com"))
    async with watch.pool.acquire() as conn:
        await save_settings(conn, ACCOUNT, AccountSettings(language="en", alerts=policy))
    for _ in range(3):
        await watch.look()
        watch.restart()
    assert (received(watch, deputy), received(watch, HEAD)) == ([BROKEN], [BROKEN])
    await watch.state("on")
    await watch.look()
    await watch.an_hour_passes()
    await watch.look()
    assert received(watch, deputy) == received(watch, HEAD) == [BROKEN, WELL_AGAIN]


async def test_a_key_that_breaks_and_comes_back_again_and_again_floods_nobody(watch: Watch) -> None:
    for _ in range(12):
        await watch.state("broken")
        await watch.look()
        await watch.state("on")
        await watch.look()
    assert received(watch, HEAD) == [BROKEN]


async def test_an_account_that_is_switched_off_meanwhile_takes_the_alarm_back(watch: Watch) -> None:
    await watch.state("broken")
    await watch.look()
    await watch.state("off")
    await watch.look()
    assert received(watch, HEAD)[1:] == ["Callmatrix, Sales: no longer watched (the CRM does not let us in)"]


async def test_no_worker_is_told_by_the_gateway_that_is_left(watch: Watch) -> None:
    await watch.sql("UPDATE worker_report SET at = at - interval '5 minutes'")
    await watch.look()
    await watch.sql("UPDATE alert_state SET bad_since = bad_since - interval '5 minutes'")
    await watch.look()
    assert received(watch, OPERATOR) == ["Callmatrix, установка: обработчик не работает"]
    assert received(watch, HEAD) == []


async def test_a_backfill_that_has_ended_is_told_once(watch: Watch) -> None:
    await watch.sql(
        "INSERT INTO backfill_run (account_id, run_id, state, since, until, preview, started_at, ended_at, calls_total)"
        " VALUES ($1, 'r1', 'done', now(), now(), '{}', now(), now(), 3), ($1, 'r0', 'done', now(), now(), '{}',"
        " now() - interval '2 d', now() - interval '1 d', 9)",
        ACCOUNT,
    )
    for _ in range(3):
        await watch.look()
    assert received(watch, HEAD) == ["Callmatrix, Sales: the backfill has ended"]
    assert "Calls: 3" in watch.box.got[0].get_content()


async def test_a_full_desk_is_told_and_then_that_it_is_dealt_with(watch: Watch) -> None:
    await watch.sql(
        'INSERT INTO effect (account_id, effect_key, decision_id, client, lane, what, "order", state)'
        " SELECT $1, 'e' || n, 'd', '+79161234567', 1, 'add_note', '{}', 'dead' FROM generate_series(1, 12) n",
        ACCOUNT,
    )
    await watch.look()
    assert received(watch, HEAD) == ["Callmatrix, Sales: much is set aside"]
    assert "Set aside: 12" in watch.box.got[0].get_content()
    await watch.sql("DELETE FROM effect")
    await watch.look()
    await watch.an_hour_passes()
    await watch.look()
    assert len(received(watch, HEAD)) == 2


async def test_a_connection_that_falls_silent_is_told_though_others_speak(watch: Watch) -> None:
    async with watch.pool.acquire() as conn:
        for name in ("office", "shop"):
            await accounts.add_connection(conn, account_id=ACCOUNT, name=name, kind="generic", secret=name)
        policy = AlertPolicy(emails=(HEAD,), pbx_silent_minutes=10)
        every_day = dict.fromkeys(range(1, 8), (("00:00", "24:00"),))
        settings = AccountSettings(language="en", alerts=policy)
        time = settings.working_time.model_copy(update={"hours": every_day})
        await save_settings(conn, ACCOUNT, settings.model_copy(update={"working_time": time}))

    async def speaks(name: str, ago: timedelta) -> None:
        await watch.sql(
            "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, received_at, raw, events, state)"
            " SELECT account_id, connection_id, decode(md5(random()::text), 'hex'), 'k', now() - $2::interval, '', '[]',"
            " 'applied' FROM connection WHERE name = $1",
            name,
            ago,
        )

    await speaks("office", timedelta(hours=1))
    await speaks("shop", timedelta(minutes=1))
    await watch.look()
    assert received(watch, HEAD) == ["Callmatrix, Sales: the PBX office is silent"]
    await speaks("office", timedelta(0))
    await watch.look()
    await watch.an_hour_passes()
    await speaks("shop", timedelta(0))
    await watch.sql("UPDATE alert_heard SET heard_at = now()")
    await watch.look()
    assert received(watch, HEAD)[1:] == ["Callmatrix, Sales: well again (the PBX office is silent)"]


async def test_what_does_not_go_out_is_tried_again_and_check_says_so(watch: Watch) -> None:
    watch.box.refuses[HEAD] = "451 mailbox busy, try later"
    await watch.state("broken")
    for _ in range(3):
        await watch.look()
    assert received(watch, OPERATOR) == [BROKEN]
    assert received(watch, HEAD) == []
    told = (await watch.findings())["alerts-unsent"]
    assert "that did not go out: 1" in told
    assert "mailbox busy" in told
    watch.box.refuses.clear()
    await watch.an_hour_passes()
    await watch.look()
    assert received(watch, HEAD) == [BROKEN]
    assert received(watch, OPERATOR) == [BROKEN]
    assert "alerts-unsent" not in await watch.findings()


async def test_what_fails_for_a_day_is_given_up_and_stays_visible(watch: Watch) -> None:
    watch.box.refuses[HEAD] = "550 no such user"
    await watch.state("broken")
    for _ in range(26):
        await watch.look()
        await watch.an_hour_passes()
    states = {
        r["state"]
        for r in await watch.pool.fetch("SELECT state FROM alert_message WHERE recipient = $1", HEAD)
    }
    assert states == {"given_up"}
    assert "alerts-unsent" in await watch.findings()


async def test_a_sender_that_dies_between_sending_and_saying_so_loses_nothing_and_says_that_it_may_repeat(
    watch: Watch,
) -> None:
    """At least once: the mail has the same Message-ID, by which mail programs show it once; the text says the rest."""
    await watch.state("broken")
    watch.box.hangs = True
    dying = asyncio.create_task(watch.processes[0].turn(0.0))
    await until(lambda: watch.box.handed_over, "the message is at the server")
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    watch.box.hangs = False
    watch.restart()
    await watch.look()
    assert received(watch, OPERATOR) == []  # it may still be on its way: nobody takes it over at once
    await watch.an_hour_passes()
    await watch.look()
    assert received(watch, OPERATOR) == [BROKEN]
    said = {
        message["To"]: "You may have had this message already" in message.get_content()
        for message in watch.box.got
    }
    assert said == {HEAD: False, OPERATOR: True}


async def test_two_senders_take_no_message_twice(watch: Watch) -> None:
    await watch.state("broken")
    await watch.look()
    async with watch.pool.acquire() as one, watch.pool.acquire() as two:
        stored = await messages.claim(one), await messages.claim(two)
    assert stored == (None, None)
    assert len(watch.box.got) == 2
    assert len(watch.telegram.got) == 1


async def test_where_nobody_is_to_be_told_alarms_are_known_all_the_same(watch: Watch) -> None:
    async with watch.pool.acquire() as conn:
        await save_settings(conn, ACCOUNT, AccountSettings())
    watch.restart(alert_emails="")
    await watch.state("broken")
    await watch.look()
    status = await installation_status(watch.pool, datetime.now(UTC))
    assert [(alert.account, alert.kind) for alert in status.alerts.open] == [(ACCOUNT, "crm-broken")]
    assert watch.box.got == []
