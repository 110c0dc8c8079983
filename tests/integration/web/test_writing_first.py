"""Somebody writes first from the pages: from the starred channel, once, and is told beforehand where that is not possible."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.store.admin.staff import replace_staff
from gateway.store.channels.access import choose_default, set_rights
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.channels.test_files_in import PNG
from tests.integration.web.browser import Site
from tests.integration.web.chatting import connect
from tests.integration.web.test_dialog_files import sent_with
from tests.integration.web.test_dialogs import BORIS, OBSERVER, ours, who
from tests.waiting import until

NUMBER, SPELLED = "+79165550131", "8 (916) 555-01-31"
PATH = "/dialogs/new"


@pytest.fixture
async def shop(site: Site) -> Site:
    """Three channels; in the third, clients are answered for a day only. Anna writes in all, Olya reads."""
    async with site.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS, OBSERVER])
    await connect(site.pool, "c1", "Alpha", {"anna": "send", "olya": "read"})
    await connect(site.pool, "c2", "Beta", {"anna": "send", "boris": "send"})
    await connect(site.pool, "c3", "Window", {"anna": "send"}, window_hours="24")
    staff = site.process.configuration
    await until(lambda: "boris" in staff.now.staff[ACCOUNT].by_id, "the pages know who works here")
    return site


def form_of(page: Any) -> dict[str, str]:
    form = page.one("form", method="post", cls="cm-form")
    hidden = {i["name"]: i["value"] for i in form.all("input", type="hidden") if i["name"] != "csrf"}
    chosen = [o["value"] for o in form.all("option") if "selected" in o.attributes]
    return {**hidden, "channel": chosen[0], "number": SPELLED}


async def star(shop: Site, channel: str) -> None:
    async with shop.pool.acquire() as conn:
        assert await choose_default(conn, ACCOUNT, "anna", channel)


async def test_the_starred_channel_is_chosen_and_the_message_goes_into_the_dialogue_that_begins(
    shop: Site,
) -> None:
    anna = who(shop, "anna")
    for channel in ("c2", "c1"):
        await star(shop, channel)
        assert form_of((await anna.get(PATH)).page)["channel"] == channel
    form = form_of((await anna.get(f"{PATH}?number=%2B79165550131")).page)
    sent = await anna.post(PATH, {**form, "text": "Добрый день"})
    assert sent.status == 303, sent.words
    (message,) = await ours(shop)
    assert sent.headers["Location"] == f"/dialogs/{message['dialogue_id']}#end"
    (begun,) = await shop.pool.fetch("SELECT * FROM dialogue WHERE dialogue_id = $1", message["dialogue_id"])
    assert (begun["channel_id"], begun["number"]) == ("c1", NUMBER)
    known = await anna.get(f"{PATH}?number={SPELLED.replace(' ', '+')}")
    assert "уже есть диалог" in known.words


async def test_pressed_twice_or_sent_again_after_going_back_it_is_one_message(shop: Site) -> None:
    anna = who(shop, "anna")
    form = {**form_of((await anna.get(PATH)).page), "text": "Добрый день"}
    answers = await asyncio.gather(*(anna.post(PATH, form) for _ in range(3)))
    assert {one.status for one in answers} == {303}
    assert (await anna.post(PATH, form)).status == 303
    assert len(await ours(shop)) == 1
    changed = await anna.post(PATH, {**form, "text": "Другой текст"})
    assert changed.status == 409
    assert "уже отправлено" in changed.words
    assert changed.page.one("textarea").text.strip() == "Другой текст"
    assert form_of(changed.page)["key"] != form["key"]
    assert len(await ours(shop)) == 1


async def test_what_is_refused_says_why_and_keeps_the_text(shop: Site) -> None:
    anna = who(shop, "anna")
    form = {**form_of((await anna.get(PATH)).page), "text": "Добрый день"}
    for wrong, said in (
        ({"channel": "c3"}, "какое-то время после сообщения клиента"),
        ({"channel": "gone"}, "Этого канала нет"),
        ({"number": "nine"}, "На этот номер написать нельзя"),
        ({"number": ""}, "Напишите номер"),
        ({"text": "я" * 5000}, "текст длиннее"),
    ):
        refused = await anna.post(PATH, {**form, **wrong})
        assert refused.status == 422, wrong
        assert said in refused.words, wrong
        assert refused.page.one("textarea").text.strip() == wrong.get("text", "Добрый день")
        assert form_of(refused.page)["key"] == form["key"]
    assert "Напишите текст" in (await anna.post(PATH, {**form, "text": " "})).words
    assert await ours(shop) == []
    assert await shop.pool.fetchval("SELECT count(*) FROM dialogue") == 0


async def test_a_channel_that_does_not_let_us_begin_says_so_before_anything_is_sent(shop: Site) -> None:
    page = await who(shop, "anna").get(PATH)
    assert [o["value"] for o in page.page.all("option")] == ["c1", "c2"]
    assert "«Window»: мессенджер разрешает писать только какое-то время" in page.words
    await shop.pool.execute("UPDATE channel SET is_on = false WHERE channel_id IN ('c1', 'c2')")
    closed = await who(shop, "anna").get(PATH)
    assert "Сейчас ни из одного вашего канала" in closed.words
    assert closed.page.all("form", cls="cm-form") == []


async def test_who_may_not_write_is_told_who_gives_the_right(shop: Site) -> None:
    assert "даёт администратор" in (await who(shop, "olya").get(PATH)).words
    assert "Связать может администратор" in (await shop.as_("admin").get(PATH)).words
    form = {**form_of((await who(shop, "anna").get(PATH)).page), "text": "Добрый день"}
    for stranger in (who(shop, "olya"), who(shop, "boris"), shop.as_("admin")):
        assert (await stranger.post(PATH, {**form, "channel": "c1"})).status == 422
    async with shop.pool.acquire() as conn:
        await set_rights(conn, ACCOUNT, "c1", {"anna": "read"})  # while she typed
    assert (
        "нельзя писать в этот канал" in (await who(shop, "anna").post(PATH, {**form, "channel": "c1"})).words
    )
    assert await ours(shop) == []


async def test_the_list_leads_there(shop: Site) -> None:
    assert PATH in (await who(shop, "anna").get("/dialogs")).text
    assert PATH not in (await shop.as_("admin").get("/dialogs")).text


async def test_whose_dialogue_it_is_already_is_asked_before_it_goes_out_all_the_same(shop: Site) -> None:
    anna, boris = who(shop, "anna"), who(shop, "boris")
    form = {**form_of((await anna.get(PATH)).page), "channel": "c2", "text": "Добрый день"}
    await anna.post(PATH, form)
    await shop.pool.execute("UPDATE dialogue SET owner = 'anna'")
    own = {**form_of((await boris.get(PATH)).page), "text": "И от меня"}
    asked = await boris.post(PATH, own)
    assert asked.status == 409
    assert "Анна" in asked.words
    again = {**form_of(asked.page), "text": "И от меня"}
    assert again["anyway"] == "1"
    assert (await boris.post(PATH, again)).status == 303
    assert len(await ours(shop)) == 2


async def test_a_file_goes_out_first_too_with_a_text_or_by_itself(shop: Site) -> None:
    anna = who(shop, "anna")
    page = await anna.get(PATH)
    assert "файл до" in page.words
    for text in ("Вот план", ""):
        form = {**form_of((await anna.get(PATH)).page), "text": text}
        assert (await sent_with(anna, PATH, form, PNG, "план.png")).status == 303
    kept = await shop.pool.fetch("SELECT content FROM chat_file WHERE content IS NOT NULL")
    assert [row["content"] for row in kept] == [PNG, PNG]
    assert [message["parts"][0]["kind"] for message in await ours(shop)] == ["image", "image"]


async def test_a_file_that_was_not_sent_is_named_since_it_must_be_chosen_again(shop: Site) -> None:
    anna = who(shop, "anna")
    form = {**form_of((await anna.get(PATH)).page), "text": "Вот план"}
    large = await sent_with(anna, PATH, form, b"x" * (21 * 2**20), "film.mov")
    assert large.status == 422, large.words
    assert "файл больше" in large.page.by_id("file-error").text
    wrong = await sent_with(anna, PATH, {**form, "number": "nine"}, PNG, "plan.png")
    assert "«plan.png» не отправлен: выберите его ещё раз" in wrong.words
    nothing = await sent_with(anna, PATH, {**form, "text": ""}, b"", "")
    assert (nothing.status, "приложите файл" in nothing.words) == (422, True)
    assert await ours(shop) == []
