"""The question by Telegram: who is linked is asked there, and a press of the button answers, once, whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import asyncpg
import pytest

from gateway.admin.presence import chats
from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.store.presence.attendance import save
from gateway.worker.presence_bot import PresenceBot
from gateway.worker.worker import Worker
from routing.attendance.machine import first_seen, judge
from runtime.alerts.telegram import TelegramBot
from runtime.database.lease import Leases
from tests.integration.presence.bot_double import TOKEN, BotDouble, bot_double
from tests.integration.presence.site import ACCOUNT, PresenceSite, people, policy
from tests.waiting import until

ANNA, BORIS = 4242, 5353
PAGE_ONLY = policy(sources=("page",))


@dataclass
class Office:
    """Two workers, so that what one does the other may not do again."""

    site: PresenceSite
    telegram: BotDouble
    http: aiohttp.ClientSession
    settings: Settings

    def __post_init__(self) -> None:
        self.bot = TelegramBot(self.http, TOKEN, self.telegram.url)
        self.workers = [self.worker() for _ in range(2)]

    def worker(self) -> PresenceBot:
        leases = Leases(self.site.database_url)
        return PresenceBot(self.site.pool, leases, self.bot, "b", poll_seconds=0, again_seconds=0.1)

    async def code(self, employee: str) -> str:
        async with self.site.pool.acquire() as conn:
            of = await accounts.account(conn, ACCOUNT)
            return (await chats.new_code(conn, self.settings, of, employee, self.site.now)).code

    async def link(self, employee: str, chat: int) -> None:
        self.telegram.write(chat, f"/start {await self.code(employee)}")
        await self.hear()

    async def asked(self, *, times: int = 1) -> None:
        """Anna gives no sign until she is asked."""
        await self.site.until(self.minutes + 16)
        assert await self.site.mark("anna") == "asked"
        for _ in range(times):
            await asyncio.gather(*(worker.ask(self.site.now) for worker in self.workers))

    @property
    def minutes(self) -> float:
        return (self.site.now - self.site.began).total_seconds() / 60

    async def hear(self) -> None:
        for worker in self.workers:
            await worker.hear(self.bot, self.site.now)

    async def press(self, chat: int, button: str, *, who: int | None = None) -> str:
        self.telegram.press(chat, button, who=who)
        await self.hear()
        return str(self.telegram.toasts[-1]["text"])


@pytest.fixture
async def office(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    site = PresenceSite(pool, database_url)
    await site.open(PAGE_ONLY, people({"anna": "11", "boris": "12"}))
    async with bot_double() as telegram, aiohttp.ClientSession() as http:
        settings = Settings(_env_file=None, database_url=database_url, telegram_token=TOKEN)
        yield Office(site, telegram, http, settings)


async def test_who_is_linked_is_asked_once_and_the_button_answers(office: Office) -> None:
    await office.link("anna", ANNA)
    assert "Anna" in office.telegram.texts[0]
    await office.asked(times=3)
    assert len(office.telegram.buttons()) == 1
    question = office.telegram.sent[1]
    assert question["chat_id"] == str(ANNA)
    assert question["text"].startswith("Anna, вы на месте?")
    assert await office.press(ANNA, office.telegram.buttons()[0]) == "Спасибо. Вы на месте."
    now = await office.site.of("anna")
    assert (now.mark, now.reason.value, now.by) == ("on", "answered", "telegram")
    assert await office.site.mark("boris") == "asked"
    assert office.telegram.updates == []


async def test_a_second_press_and_a_repeated_update_change_nothing(office: Office) -> None:
    await office.link("anna", ANNA)
    await office.asked()
    await office.press(ANNA, office.telegram.buttons()[0])
    before = await office.site.told("anna")
    office.telegram.repeats = True
    await office.hear()
    assert len(office.telegram.toasts) == 1
    assert (await office.press(ANNA, office.telegram.buttons()[0])).startswith("Слишком поздно: этот вопрос")
    assert await office.site.told("anna") == before


async def test_a_late_answer_is_told_so_and_brings_back(office: Office) -> None:
    await office.link("anna", ANNA)
    await office.asked()
    await office.site.until(office.minutes + 2)
    assert await office.site.mark("anna") == "off"
    assert (await office.press(ANNA, office.telegram.buttons()[0])).startswith("Слишком поздно: время")
    assert await office.site.mark("anna") == "on"


async def test_a_button_that_is_pressed_elsewhere_answers_nothing(office: Office) -> None:
    await office.link("anna", ANNA)
    await office.link("boris", BORIS)
    await office.asked()
    button = next(
        m["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        for m in office.telegram.sent
        if m["chat_id"] == str(ANNA) and "reply_markup" in m
    )
    assert "не привязан" in await office.press(BORIS, button)
    assert "уже решён" in await office.press(BORIS, "presence:made-up")
    assert await office.site.mark("anna") == "asked"


async def test_a_throttled_question_waits_as_long_as_it_is_told_and_goes_out_once(office: Office) -> None:
    await office.link("anna", ANNA)
    office.telegram.refusals["sendMessage"] = [(429, {"retry_after": 7})]
    await office.asked(times=2)
    assert office.telegram.buttons() == []
    worker, now = office.workers[1], office.site.now
    await worker.ask(now + timedelta(seconds=6))
    assert office.telegram.buttons() == []
    for seconds in (8, 9):
        await worker.ask(now + timedelta(seconds=seconds))
    assert len(office.telegram.buttons()) == 1


async def test_what_may_have_arrived_is_sent_again_with_the_same_button(office: Office) -> None:
    await office.link("anna", ANNA)
    office.telegram.loses = 1
    await office.asked()
    await office.workers[0].ask(office.site.now + timedelta(seconds=1))
    first, again = office.telegram.buttons()
    assert first == again


async def test_a_question_is_not_sent_once_it_is_settled_or_its_time_is_over(office: Office) -> None:
    await office.link("anna", ANNA)
    office.telegram.refusals["sendMessage"] = [(502, {})]
    await office.asked()
    await office.workers[0].ask(office.site.now + timedelta(seconds=61))
    assert office.telegram.buttons() == []


async def test_who_blocked_the_bot_is_asked_once_and_not_again_and_again(office: Office) -> None:
    await office.link("anna", ANNA)
    office.telegram.refusals["sendMessage"] = [(403, {})]
    await office.asked()
    await office.workers[0].ask(office.site.now + timedelta(seconds=30))
    assert office.telegram.buttons() == []


async def test_a_code_links_once_in_a_chat_of_ones_own_and_not_for_ever(office: Office) -> None:
    code = await office.code("anna")
    for chat, text, kind in (
        (-77, f"/start {code}", "group"),
        (ANNA, "/start wrong", "private"),
        (ANNA, "/start", "private"),
        (ANNA, f"/start {code}", "private"),
        (BORIS, f"/start {code}", "private"),
        (ANNA, "hello", "private"),
    ):
        office.telegram.write(chat, text, kind=kind, language="en")
    await office.hear()
    said = office.telegram.texts
    assert "in a chat of one person" in said[0]
    assert "unknown, used or too old" in said[1]
    assert str(ANNA) in said[2]
    assert "Anna" in said[3]
    assert "unknown, used or too old" in said[4]
    assert len(said) == 5
    await office.site.pool.execute("UPDATE presence_chat SET chat_id = NULL")
    late = await office.code("anna")
    await office.site.pool.execute("UPDATE presence_chat SET code_until = $1", office.site.now)
    office.telegram.write(ANNA, f"/start {late}")
    await office.hear()
    assert "Код неизвестен" in office.telegram.texts[-1]


async def test_what_telegram_counts_anew_after_a_quiet_week_is_read(office: Office) -> None:
    await office.link("anna", ANNA)
    await office.asked()
    await office.site.pool.execute("UPDATE bot_reading SET read_at = $1", office.site.now - timedelta(days=8))
    office.telegram.updates, office.telegram.next_update = [], 3
    assert await office.press(ANNA, office.telegram.buttons()[0]) == "Спасибо. Вы на месте."


async def test_who_is_gone_keeps_no_chat_and_who_comes_with_the_same_id_is_not_asked_there(
    office: Office,
) -> None:
    await office.link("anna", ANNA)
    for staff in (people({"boris": "12"}), people({"boris": "12", "anna": "13"})):
        async with office.site.pool.acquire() as conn, conn.transaction():
            await replace_staff(conn, ACCOUNT, staff)
    assert await office.site.pool.fetch("SELECT * FROM presence_chat") == []


async def test_one_worker_hears_and_another_takes_over(office: Office) -> None:
    await office.code("anna")
    running = [asyncio.create_task(worker.run()) for worker in office.workers]
    try:
        office.telegram.refusals["getUpdates"] = [(409, {}), (429, {"retry_after": 0.1})]
        await until(lambda: len(office.telegram.offsets) > 3, "the bot's messages are read", seconds=10)
        office.telegram.write(ANNA, "/start")
        await until(lambda: bool(office.telegram.texts), "it answers", seconds=10)
        for task in running[:1]:
            task.cancel()
        await asyncio.wait(running[:1], timeout=10)
        office.telegram.write(ANNA, "/start")
        await until(lambda: len(office.telegram.texts) == 2, "the other one answers", seconds=10)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def test_where_no_bot_is_set_up_or_nobody_is_linked_telegram_is_not_asked(office: Office) -> None:
    none = PresenceBot(office.site.pool, Leases(office.site.database_url), None, again_seconds=0.01)
    running = [asyncio.create_task(w.run()) for w in (none, office.workers[0])]
    await office.asked()
    await none.ask(office.site.now)
    await asyncio.sleep(0.3)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert (office.telegram.offsets, office.telegram.sent) == ([], [])


async def test_a_running_worker_links_asks_and_takes_the_answer(office: Office) -> None:
    settings = office.settings.model_copy(update={"telegram_api": office.telegram.url})
    stop = asyncio.Event()
    work = asyncio.create_task(Worker(settings, office.site.pool, office.http).run(stop))
    try:
        office.telegram.write(ANNA, f"/start {await office.code('anna')}")
        await until(lambda: bool(office.telegram.texts), "the chat is linked", seconds=15)
        now = datetime.now(UTC)
        async with office.site.pool.acquire() as conn, conn.transaction():
            silent = judge(first_seen(now - timedelta(minutes=20)), now, PAGE_ONLY)
            await save(conn, ACCOUNT, "anna", None, silent, now)
        await until(lambda: bool(office.telegram.buttons()), "Anna is asked", seconds=10)
        office.telegram.press(ANNA, office.telegram.buttons()[0])
        await until(lambda: bool(office.telegram.toasts), "her answer is taken", seconds=10)
        assert office.telegram.toasts[0]["text"] == "Спасибо. Вы на месте."
        assert (await office.site.of("anna")).by == "telegram"
    finally:
        stop.set()
        await work
