"""S4 rows 10, 11, 17, 18 and 42: who connects the CRM and how, and what happens when its key is no longer taken."""

from __future__ import annotations

import pytest

from tests.e2e.features.at_pages import visiting
from tests.e2e.features.newcomer import SENIOR, Newcomer
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_s4_11_address_and_key_are_enough_and_nothing_is_set_inside_the_crm(newcomer: Newcomer) -> None:
    if newcomer.account is None:
        first = await newcomer.admin.get("/")
        assert (first.status, first.location) == (303, "/start"), "nothing is connected: the first run opens"
        assert "Осталось до первого звонка: 5 шагов" in (await newcomer.admin.get("/start")).words
    await newcomer.ready()
    page = await newcomer.admin.get("/start")
    assert "Осталось до первого звонка: 1 шаг" in page.words
    await newcomer.missed("79037770001")

    async def is_seen() -> bool:
        return "Всё готово" in (await newcomer.admin.get("/start")).words

    await until(is_seen, "the first call stands on the page", seconds=30)
    await newcomer.stack.until_idle()
    assert len(await newcomer.stack.rows("contact", phone="79037770001")) == 1
    made = {
        r["path"]
        for r in (await newcomer.stack.sandbox("ledger?since=0"))["requests"]
        if r["integration"] == "callmatrix"
    }
    assert made, "all that was set in the CRM, we set ourselves"


async def test_s4_10_only_an_admin_connects_and_a_key_that_is_no_admins_is_told(newcomer: Newcomer) -> None:
    await newcomer.ready()
    async with visiting(newcomer.stack.url, SENIOR) as senior:
        held = await senior.get("/setup/held")
        assert (held.status, "Эту страницу открывает администратор: Ольга Зимина" in held.words) == (
            403,
            True,
        )
        csrf = (await senior.get("/setup/employees")).page.all("input", name="csrf")[0]["value"]
        for path in ("/setup/crm/off", "/setup/crm/key", "/start/crm"):
            assert (await senior.post(path, ("csrf", csrf), ("token", "x"), ("url", "x"))).status == 403, path
    limited = await newcomer.new_key("limited", user="1000103")
    page = (await newcomer.admin.get("/setup")).page
    assert (await newcomer.admin.send(page, "/setup/crm/key", token=limited)).status == 303

    async def is_told() -> bool:
        return "Подключите заново ключом администратора" in (await newcomer.admin.get("/setup")).words

    await until(is_told, "the page says that the key is no administrator's", seconds=30)
    page = (await newcomer.admin.get("/setup")).page
    assert (await newcomer.admin.send(page, "/setup/crm/key", token=newcomer.token)).status == 303

    async def is_well() -> bool:
        return not await is_told()

    await until(is_well, "the page says so no more", seconds=30)


async def test_s4_17_a_key_that_is_no_longer_taken_stops_the_data_until_another_is_given(
    newcomer: Newcomer,
) -> None:
    before, after = "79037770171", "79037770172"
    await newcomer.ready()
    async with newcomer.broken_key():
        await newcomer.missed(before)
        await newcomer.account_is("broken")
        await newcomer.held_are(1)
        assert await newcomer.stack.rows("contact", phone=before) == [], "nothing reaches the CRM"
        await newcomer.switch_off()
        await newcomer.give_new_key()
    await newcomer.missed(after)
    await newcomer.stack.until_idle()
    assert len(await newcomer.stack.rows("contact", phone=after)) == 1, "data flow again"
    assert await newcomer.stack.rows("contact", phone=before) == [], "what is held is asked about"


async def test_s4_42_a_bad_key_is_warned_of_with_held_calls_and_three_steps(newcomer: Newcomer) -> None:
    await newcomer.ready()
    admin = newcomer.admin
    async with newcomer.broken_key():
        await newcomer.missed("79037770421")
        await newcomer.missed("79037770422")
        await newcomer.account_is("broken")
        await newcomer.held_are(2)
        page = await admin.get("/setup")
        assert "amoCRM не принимает ключ с" in page.page.one(cls="cm-note-bad").text
        assert "придержано: 2 звонка" in page.words
        assert newcomer.steps(page) == {"step-1": "current", "step-2": "", "step-3": ""}
        assert "amoCRM" in (await admin.get("/")).page.one("section", id="now-strips").text
        await newcomer.switch_off()
        page = await admin.get("/setup")
        assert newcomer.steps(page) == {"step-1": "done", "step-2": "current", "step-3": "current"}
        assert "Ключи и доступы" in page.page.by_id("step-2").text
        refused = await admin.send(page.page, "/setup/crm/key", token=newcomer.token)
        assert (refused.status, "не приняла" in refused.words) == (422, True), "the old key"
        assert (await newcomer.give_new_key()).location == "/setup/held"
    said = (await admin.get("/setup")).page.one("main").text
    assert "amoCRM подключена" in said, said


async def test_s4_18_after_a_disconnect_held_calls_of_today_and_two_days_before_are_sent_where_chosen(
    newcomer: Newcomer,
) -> None:
    await newcomer.ready()
    admin, today, old = newcomer.admin, "79037770181", "79037770182"
    assert "Ничего не придержано" in (await admin.get("/setup/held")).words, "no choice without a disconnect"
    async with newcomer.broken_key():
        await newcomer.missed(today)
        await newcomer.missed(old)
        await newcomer.account_is("broken")
        await newcomer.held_are(2)
        await newcomer.was_days_ago(f"+{old}", 5)
        await newcomer.switch_off()
        await newcomer.give_new_key()
        page = (await admin.get("/setup/held")).page
        ticked = ["checked" in day.attributes for day in page.all("input", name="day", type="checkbox")]
        assert ticked == [False, True], "of today and two days before, not of five days before"
        assert (await admin.send(page, "/setup/held/start")).location == "/setup/held/run"

        async def is_done() -> bool:
            return "закончена" in (await admin.get("/setup/held/run")).words

        await until(is_done, "the held calls are sent", seconds=60)
        assert len(await newcomer.stack.rows("contact", phone=today)) == 1
        assert await newcomer.stack.rows("contact", phone=old) == []
        report = (await admin.get("/setup/held/report")).page.one("tbody")
        assert sorted(row.one(cls="cm-badge").text for row in report.all("tr")) == ["не дослан", "отправлен"]
