"""Dialogues on the pages: who sees which, what is said of each message, and an answer that goes out once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from crm.port import CrmUser
from crm.store.metadata import store_users
from gateway.admin.accounts import save_settings
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import Role
from gateway.store.admin.staff import replace_staff
from gateway.store.channels.access import set_rights
from routing.settings import DialoguePolicy
from routing.staff import Employee
from tests.fakes.channels.sandbox import client_message, status
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Browser, Site
from tests.integration.web.calls_on_pages import store
from tests.integration.web.chatting import ME, connect, dialogue_of, every_message, told
from tests.integration.web.test_now import under_way
from tests.waiting import until

BORIS = Employee(id="boris", name="Борис", crm_user_id="12", extensions=("102",))
OBSERVER = Employee(id="olya", name="Оля", crm_user_id="13", extensions=("103",))


@pytest.fixture
async def shop(site: Site) -> Site:
    """Two channels: Anna writes in the first, Boris in both, Olya reads the first."""
    async with site.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS, OBSERVER])
    await connect(site.pool, "c1", "Retail", {"anna": "send", "boris": "send", "olya": "read"})
    await connect(site.pool, "c2", "Wholesale", {"boris": "send"})
    await every_message(site.pool)
    await told(
        site.pool, client_message("w1", chat="9", name="Ivanov", text="Сколько стоит Ёлка?"), channel="c2"
    )
    staff = site.process.configuration
    await until(lambda: "boris" in staff.now.staff[ACCOUNT].by_id, "the pages know who works here")
    return site


def who(site: Site, employee: str) -> Browser:
    return site.as_("manager", bound=Bindings(account_id=ACCOUNT, employee=employee))


async def one(site: Site, chat: str, channel: str = "c1") -> str:
    return f"/dialogs/{await dialogue_of(site.pool, chat, channel)}"


async def ours(site: Site) -> list[Any]:
    return await site.pool.fetch("SELECT * FROM chat_message WHERE own_key IS NOT NULL ORDER BY message_id")


def link(page: Any, text: str) -> str:
    return next(str(one["href"]) for one in page.all("a") if one.text == text)


def form_of(page: Any) -> dict[str, str]:
    form = page.one("form", cls="cm-dialog-form")
    return {
        field["name"]: field["value"] for field in form.all("input", type="hidden") if field["name"] != "csrf"
    }


async def test_whoever_is_switched_off_in_the_crm_sees_no_dialogue_and_is_told_why(shop: Site) -> None:
    anna, retail = who(shop, "anna"), await one(shop, "7")
    form = form_of((await anna.get(retail)).page)
    assert (await anna.get("/dialogs/new")).status == 200
    async with shop.pool.acquire() as conn:
        gone = CrmUser(id=ANNA.crm_user_id or "", name="Анна", email="", is_active=False)
        await store_users(
            conn, ACCOUNT, [gone, *(CrmUser(id=id, name=id, email="", is_active=True) for id in ("1", "12"))]
        )
    staff = shop.process.configuration
    await until(lambda: "11" in staff.now.staff[ACCOUNT].gone_users, "the pages know who has left")
    listed = (await anna.get("/dialogs")).words
    assert "отключены в CRM" in listed
    assert "Zhao" not in listed
    assert (await anna.get(retail)).status == 404
    sent = await anna.post(retail, {**form, "text": "Still here"})
    assert sent.status == 404
    assert "отключены в CRM" in sent.words
    assert "Still here" in sent.text, "what was typed is given back"
    assert "отключены в CRM" in (await anna.get("/dialogs/new")).words
    begun = {"key": "k9", "text": "Hi", "channel": "c1", "number": "+79160000000"}
    assert (await anna.post("/dialogs/new", begun)).status == 422
    assert await ours(shop) == []
    assert (await who(shop, "boris").get(retail)).status == 200


async def test_everybody_sees_the_dialogues_of_their_channels_and_no_address_leads_further(
    shop: Site,
) -> None:
    anna, boris, admin = who(shop, "anna"), who(shop, "boris"), shop.as_("admin")
    retail, wholesale = await one(shop, "7"), await one(shop, "9", "c2")
    listed = (await anna.get("/dialogs")).words
    assert "Zhao" in listed
    assert "Ivanov" not in listed
    assert (await anna.get(wholesale)).status == 404
    assert (await anna.post(wholesale, {"key": "k1", "text": "Hi"})).status == 404
    assert (await anna.post(wholesale + "/here")).status == 404
    assert (await anna.fragment(wholesale + "?part=thread")).status == 404
    assert "Ivanov" not in (await anna.get("/dialogs?q=Ivanov")).words.replace("«Ivanov»", "")
    assert (await anna.get("/dialogs?channel=c2")).page.all("a", cls="cm-dialogs-row") == []
    for everything in (boris, admin):
        assert "Ivanov" in (await everything.get("/dialogs")).words
        assert {(await everything.get(path)).status for path in (retail, wholesale)} == {200}
    assert (await who(shop, "nobody").get("/dialogs")).words.count("не открыт ни один канал") == 1


async def each_sees_their_own(shop: Site) -> None:
    async with shop.pool.acquire() as conn, conn.transaction():
        settings = (await account_of(conn, ACCOUNT)).settings
        own = DialoguePolicy(visibility="own", observers=("olya",))
        await save_settings(conn, ACCOUNT, settings.model_copy(update={"dialogues": own}))
    known = shop.process.configuration
    await until(
        lambda: known.now.accounts[ACCOUNT].settings.dialogues.visibility == "own",
        "the pages know the setting",
    )


async def test_case_33_who_loses_a_dialogue_while_writing_is_told_to_whom_and_keeps_the_text(
    shop: Site,
) -> None:
    await each_sees_their_own(shop)
    path, boris = await one(shop, "7"), who(shop, "boris")
    await shop.pool.execute("UPDATE dialogue SET owner = NULL")
    form = form_of((await boris.get(path)).page)
    await shop.pool.execute("UPDATE dialogue SET owner = 'anna'")  # she was quicker
    lost = await boris.post(path, {**form, "text": "A long answer"})
    assert lost.status == 404
    assert "Раньше ответили: Анна" in lost.words
    assert lost.page.one("textarea").text == "A long answer"
    assert "Zhao" not in lost.text
    assert "Раньше ответили: Анна" in (await boris.post(path + "/here")).words
    assert await ours(shop) == []
    await shop.pool.execute("DELETE FROM channel_access WHERE employee_id = 'boris'")
    assert "Анна" not in (await boris.post(path, {**form, "text": "A long answer"})).words
    assert (await who(shop, "stranger").post(path + "/here")).status == 404


async def test_case_44_a_dialogue_whose_owner_cannot_look_after_it_is_open_to_all_of_its_channel(
    shop: Site,
) -> None:
    await each_sees_their_own(shop)
    path, boris = await one(shop, "7"), who(shop, "boris")
    for owner in ("olya", "gone-from-here"):  # an observer, and one who is no more
        await shop.pool.execute("UPDATE dialogue SET owner = $1", owner)
        assert (await boris.get(path)).status == 200
        assert "Zhao" in (await boris.get("/dialogs?only=nobody")).words
    answered = await boris.post(path, {"key": "k1", "text": "Здравствуйте"})
    assert answered.status == 303, answered.words
    assert await shop.pool.fetchval("SELECT owner FROM dialogue WHERE chat_id = '7'") == "boris"


async def test_a_form_without_a_key_sends_nothing(shop: Site) -> None:
    path, anna = await one(shop, "7"), who(shop, "anna")
    for key in ("", "no key!", "k" * 65):
        assert (await anna.post(path, {"key": key, "text": "Здравствуйте"})).status in (400, 422)
    assert await ours(shop) == []


async def test_where_each_sees_their_own_the_dialogue_of_another_is_no_more_there(shop: Site) -> None:
    await each_sees_their_own(shop)
    path = await one(shop, "7")  # Anna's: she answered first
    assert (await who(shop, "anna").get(path)).status == 200
    assert (await who(shop, "boris").get(path)).status == 404
    observed = await who(shop, "olya").get(path)
    assert observed.status == 200
    assert "Вы наблюдатель" in observed.words
    assert observed.page.all("form", cls="cm-dialog-form") == []
    assert "Zhao" not in (await who(shop, "boris").get("/dialogs?q=zha")).words


async def test_a_thread_says_what_was_edited_deleted_quoted_sent_and_why_something_was_not(
    shop: Site,
) -> None:
    page = (await who(shop, "anna").get(await one(shop, "7"))).page
    said = [message.text for message in page.all("article")]
    assert "What is the price?" in said[1]
    assert "Было: Price?" in said[1]
    assert "Удалено автором" in said[2]
    assert "Gone" in said[2]  # it is kept, and greyed
    for part in (
        "Hello",
        "Фото: kitchen.jpg",
        "Голосовое",
        "55.75000, 37.60000",
        "+7 916 111-22-33",
        "Вложение: poll",
    ):
        assert part in said[3]
    assert "прочитано" in said[4]
    assert "не отправлено: клиент нас заблокировал" in said[5]
    assert "bot was blocked" in said[5]
    assert "+7 916 123-45-67" in page.by_id("dialog-head").text


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("manager", "верный укажет в канале тот, кто отвечает за систему"),
        ("admin", "укажите верный в канале"),
    ],
)
async def test_who_may_not_set_up_a_channel_is_told_whom_to_ask(shop: Site, role: Role, said: str) -> None:
    await told(shop.pool, {"told": "message", "id": "o3", **ME, "parts": [{"kind": "text", "text": "Hm"}]})
    await told(shop.pool, status("o3", "refused", reason="bad-key", words="Unauthorized"))
    browser = shop.as_(role, bound=Bindings(account_id=ACCOUNT, employee="anna"))
    refused = (await browser.get(await one(shop, "7"))).page.text
    assert f"мессенджер не принимает наш ключ: {said}" in refused


async def test_a_dialogue_is_found_by_name_number_and_words_however_they_are_spelt(shop: Site) -> None:
    boris = who(shop, "boris")
    sought = {
        "zha": 1, "8 (916) 123-45-67": 1, "PRICE": 1, "hel pri": 0, "wha pri": 1, "'": 0, "& |": 2, "ёлка": 1, "ЕЛК": 1,
        "стоит": 1, "\\": 2,
    }  # fmt: skip
    found = {}
    for q in sought:
        page = (await boris.get("/dialogs?" + urlencode({"q": q}))).page
        found[q] = len(page.all("a", cls="cm-dialogs-row"))
    assert found == sought


async def test_filters_find_what_is_unread_ones_own_and_nobodys(shop: Site) -> None:
    boris, anna = who(shop, "boris"), who(shop, "anna")

    async def found(browser: Browser, asked: str) -> list[str]:
        page = (await browser.get(f"/dialogs?{asked}")).page
        return [row.one("span", cls="cm-dialogs-client").text for row in page.all("a", cls="cm-dialogs-row")]

    assert await found(boris, "only=unread") == ["Ivanov", "Zhao"]
    await boris.get(await one(shop, "7"))
    assert await found(boris, "only=unread") == ["Ivanov"]
    assert await found(anna, "only=unread") == ["Zhao"]  # each has read for themselves
    assert await found(anna, "only=mine") == ["Zhao"]
    assert await found(boris, "only=mine") == []
    assert await found(boris, "only=nobody") == ["Ivanov"]
    assert (await boris.fragment("/dialogs/count")).words == "1"
    await boris.fragment(await one(shop, "9", "c2") + "?part=thread&hidden=1")
    assert (await boris.fragment("/dialogs/count")).words == "1"  # nobody has looked at it
    await boris.get(await one(shop, "9", "c2"))
    assert (await boris.fragment("/dialogs/count")).words == ""


async def test_an_answer_is_taken_once_however_often_its_form_is_sent(shop: Site) -> None:
    path, anna = await one(shop, "7"), who(shop, "anna")
    form = {**form_of((await anna.get(path)).page), "text": "Добрый день\r\nАнна"}
    answers = await asyncio.gather(*(anna.post(path, form) for _ in range(3)))
    assert {(a.status, a.location) for a in answers} == {(303, f"{path}#end")}
    (sent,) = await ours(shop)
    assert sent["parts"] == [{"kind": "text", "text": "Добрый день\nАнна"}]
    assert sent["employee_id"] == "anna"
    again = await anna.post(path, {**form, "text": "Другое"})
    assert again.status == 409
    assert "уже отправлено" in again.words
    renewed = form_of(again.page)
    assert renewed["key"] != form["key"]
    assert (await anna.post(path, {**renewed, "text": "Другое"})).status == 303
    assert len(await ours(shop)) == 2


async def test_who_answers_second_is_asked_first_and_what_is_refused_stays_typed(shop: Site) -> None:
    path, boris = await one(shop, "7"), who(shop, "boris")
    form = {**form_of((await boris.get(path)).page), "text": "It is mine"}
    asked = await boris.post(path, form)
    assert asked.status == 409
    assert "Диалог уже ведёт Анна. Всё равно отправить?" in asked.words
    assert await ours(shop) == []
    again = form_of(asked.page)
    assert (again["key"], again["anyway"]) == (form["key"], "1")
    assert (await boris.post(path, {**again, "text": "It is mine"})).status == 303
    long = await boris.post(path, {"key": "k2", "anyway": "1", "text": "x" * 5000})
    assert (long.status, "длиннее" in long.words) == (422, True)
    assert long.page.by_id("answer-text").text.strip() == "x" * 5000
    assert (await boris.post(path, {"key": "k3", "anyway": "1", "text": " "})).status == 422
    assert len(await ours(shop)) == 1


async def test_who_only_reads_sees_no_form_and_what_they_send_is_refused(shop: Site) -> None:
    path = await one(shop, "7")
    for browser in (who(shop, "olya"), shop.as_("admin")):
        answer = await browser.get(path)
        assert answer.page.all("form", cls="cm-dialog-form") == []
        assert (await browser.post(path, {"key": "k", "text": "Hi"})).status == 422
    assert await ours(shop) == []


async def test_a_message_is_quoted_where_it_stands_in_the_dialogue(shop: Site) -> None:
    path, boris = await one(shop, "9", "c2"), who(shop, "boris")
    id = await shop.pool.fetchval("SELECT message_id FROM chat_message WHERE outside_id = 'w1'")
    of_another = await shop.pool.fetchval("SELECT message_id FROM chat_message WHERE outside_id = 'm1'")
    page = (await boris.get(f"{path}?quote={id}")).page
    assert "Ёлка" in page.by_id("answer").text
    assert "quote" not in form_of((await boris.get(f"{path}?quote={of_another}")).page)
    assert (await boris.post(path, {**form_of(page), "text": "100"})).status == 303
    (sent,) = await ours(shop)
    assert sent["quoted_id"] == "w1"


async def test_case_28_what_is_answered_is_shown_known_unknown_deleted_or_of_another_channel(
    shop: Site,
) -> None:
    """The messenger names the message, with or without its words; those of a channel that one may not see are not looked up."""
    await told(
        shop.pool,
        client_message("q1", text="known", quoted_id="m1"),
        client_message("q2", text="unknown", quoted_id="never told"),
        client_message("q3", text="unknown, with words", quoted_id="never told", quoted_text="Oak?"),
        client_message("q4", text="deleted", quoted_id="m3", quoted_text="Gone"),
        client_message("q5", text="of another channel", quoted_id="w1"),
    )
    path, anna = await one(shop, "7"), who(shop, "anna")
    page = (await anna.get(path)).page
    ours = form_of((await anna.get(f"{path}?quote={await _id_of(shop, 'm2')}")).page)
    assert (await anna.post(path, {**ours, "text": "ours"})).status == 303
    page = (await anna.get(path)).page
    shown = {
        article.all("p", cls="cm-said-text")[-1].text: article.one("blockquote").text
        for article in page.all("article")
        if article.all("blockquote")
    }
    gone = "Сообщение, на которое отвечают, не сохранилось"
    said = [
        shown[text]
        for text in ("known", "unknown", "unknown, with words", "deleted", "of another channel", "ours")
    ]
    assert said == [
        "Hello",
        gone,
        "Oak?",
        "Автор удалил сообщение, на которое отвечают",
        gone,
        "What is the price?",
    ]


async def _id_of(site: Site, outside_id: str) -> int:
    found: int = await site.pool.fetchval(
        "SELECT message_id FROM chat_message WHERE outside_id = $1", outside_id
    )
    return found


async def test_it_is_said_who_else_has_the_dialogue_open_or_answers(shop: Site) -> None:
    path, anna, boris = await one(shop, "7"), who(shop, "anna"), who(shop, "boris")
    assert (await anna.post(f"{path}/here")).words == ""
    assert (await boris.post(f"{path}/here")).words == "Диалог открыт и у другого: Анна"
    await anna.post(f"{path}/here", {"typing": "1"})
    assert (await boris.post(f"{path}/here")).words == "Сейчас отвечает: Анна"
    await anna.post(path, {"key": "k1", "text": "Done"})
    assert (await boris.post(f"{path}/here")).words == "Диалог открыт и у другого: Анна"


async def test_long_lists_and_threads_go_page_by_page(shop: Site) -> None:
    await told(shop.pool, *(client_message(f"p{n}", chat=f"p{n}", name=f"Client {n}") for n in range(40)))
    await told(shop.pool, *(client_message(f"t{n}", text=f"said {n}.") for n in range(60)))
    anna = who(shop, "anna")
    first = (await anna.get("/dialogs")).page
    older = link(first, "Раньше")
    second = (await anna.get(older)).page
    hrefs = [
        row["href"].partition("?")[0]
        for page in (first, second)
        for row in page.all("a", cls="cm-dialogs-row")
    ]
    assert (len(hrefs), len({href.partition("#")[0] for href in hrefs})) == (41, 41)
    path = await one(shop, "7")
    latest = (await anna.get(path)).page
    assert len(latest.all("article")) == 50
    earlier = (await anna.get(link(latest, "Показать раньше"))).page
    assert len(earlier.all("article")) == 16


async def test_what_changes_is_told_to_those_who_may_see_it(shop: Site) -> None:
    """By the stream of each; a right that is given or taken counts after it."""
    heard: dict[str, list[str]] = {"anna": [], "boris": []}

    async def listen(name: str) -> None:
        headers = {"X-Test-Person": who(shop, name).person.login}  # type: ignore[union-attr]
        async with shop.http.get("http://localhost/events", headers=headers) as answer:
            async for line in answer.content:
                if line.startswith(b"data: "):
                    heard[name].append(line.decode().removeprefix("data: ").strip())

    listening = [asyncio.create_task(listen(name)) for name in heard]
    try:
        await until(lambda: all("*" in topics for topics in heard.values()), "both streams are open")
        retail, wholesale = await dialogue_of(shop.pool, "7"), await dialogue_of(shop.pool, "9", "c2")
        await told(shop.pool, client_message("w2", chat="9"), channel="c2")
        await told(shop.pool, client_message("m9"))
        said = f"dialogues dialogue-{retail}"
        await until(lambda: said in heard["anna"] and said in heard["boris"], "both hear of the first")
        assert f"dialogues dialogue-{wholesale}" in heard["boris"]
        assert f"dialogues dialogue-{wholesale}" not in heard["anna"]
        async with shop.pool.acquire() as conn, conn.transaction():
            await set_rights(conn, ACCOUNT, "c2", {"anna": "read"})
        await until(lambda: "dialogues" in heard["anna"], "Anna hears that rights have changed")
        await told(shop.pool, client_message("w3", chat="9"), channel="c2")
        await until(lambda: f"dialogues dialogue-{wholesale}" in heard["anna"], "Anna hears of the second")
    finally:
        for task in listening:
            task.cancel()


async def test_beside_a_call_stands_what_its_client_wrote_last_for_those_who_may_see_it(shop: Site) -> None:
    number = "+79161234567"
    await store(shop.pool, under_way("c9", timedelta(seconds=6), client=number))
    for browser in (who(shop, "anna"), shop.as_("admin")):
        page = (await browser.get("/calls/c9")).page
        assert "Refused" in page.by_id("written").text
        assert page.by_id("written").all("a")[0]["href"].startswith(await one(shop, "7"))
    for browser in (who(shop, "nobody"), shop.as_("read_only")):
        assert "Refused" not in (await browser.get("/calls/c9")).text
    assert "Refused" in (await shop.as_("senior_manager").get("/")).page.by_id("now-calls").text
    for path in ("/", "/wall"):
        assert "Refused" not in (await shop.as_("read_only").get(path)).text
    await told(shop.pool, client_message("w1", text="Ring me at 8 916 123-45-67"))
    shown = (await shop.as_("admin").get("/")).page.by_id("now-calls")
    assert "Ring me at 8 916 123-45-67" in shown.text
    wall = (await shop.as_("admin").get("/wall")).page.by_id("now-calls")
    assert "Ring me at" in wall.text
    assert "123-45" not in wall.text  # it hangs in a room
    assert [a for a in wall.all("a") if "dialogs" in (a.get("href") or "")] == []
