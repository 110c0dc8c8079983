"""Dialogues in amoCRM's own chats on the pages: set up, switched, how they fare, and what is wrong with them where troubles stand."""

from __future__ import annotations

from datetime import timedelta

from gateway.store.crm_chats.channels import crm_chats_connected, crm_chats_failed
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Site

PATH = "/setup/channels/crm-chats"
SECRET = "47c7bb32ffe2d84aae10"
GIVEN = {"channel_id": "344a5002-f8ca-454d-af3d-396180102ac7", "secret": SECRET, "bot_id": "f1910c7f-bot", "amojo_id": ""}  # fmt: skip
FAULT = "не принимает ID или секрет канала чатов"


async def test_the_chats_are_set_up_switched_and_taken_away_on_a_page(site: Site) -> None:
    admin = site.as_("admin")
    assert "Чаты amoCRM Открыть не настроены" in (await admin.get("/setup/channels")).words
    page = await admin.get(PATH)
    assert "/crm/chats/:scope_id" in page.text
    assert not page.page.all("form", id="crm-chats-switch")
    assert (await admin.post(PATH, GIVEN)).location == PATH
    page = await admin.get(PATH)
    assert (SECRET in page.text, "Задан" in page.words, "выключены" in page.words) == (False, True, True)
    assert (await admin.post(f"{PATH}/switch", {"is_on": "1"})).status == 303
    assert "подключаются" in (await admin.get(PATH)).words
    assert "Чаты amoCRM Открыть подключаются" in (await admin.get("/setup/channels")).words
    refused = await admin.post(f"{PATH}/remove")
    assert (refused.status, "чаты ещё отключаются" in refused.words.lower()) == (422, True)
    assert (await admin.post(f"{PATH}/switch", {"is_on": ""})).status == 303
    assert (await admin.get(f"{PATH}/remove")).status == 200
    assert (await admin.post(f"{PATH}/remove")).status == 303
    assert "не настроены" in (await admin.get(PATH)).words


async def test_the_secret_stays_where_its_field_is_left_empty_and_what_is_wrong_stands_at_its_field(
    site: Site,
) -> None:
    admin = site.as_("admin")
    lacking = await admin.post(PATH, {**GIVEN, "secret": ""})
    assert (lacking.status, "Секрет не заполнен" in lacking.words) == (422, True)
    assert GIVEN["channel_id"] in lacking.text
    await admin.post(PATH, GIVEN)
    assert (await admin.post(PATH, {**GIVEN, "secret": "", "bot_id": "another-bot"})).status == 303
    page = await admin.get(PATH)
    assert ("another-bot" in page.text, "Задан" in page.words) == (True, True)
    wrong = await admin.post(PATH, {**GIVEN, "bot_id": "a/b"})
    assert (wrong.status, "ID бота" in wrong.words) == (422, True)


async def test_chats_that_fail_stand_among_the_troubles_until_they_work_again(site: Site) -> None:
    admin = site.as_("admin")
    await admin.post(PATH, GIVEN)
    await admin.post(f"{PATH}/switch", {"is_on": "1"})
    async with site.pool.acquire() as conn:
        now = await conn.fetchval("SELECT now()")
        await crm_chats_failed(conn, ACCOUNT, "crm-chat-forbidden: 403", now, now + timedelta(minutes=1))
    for page in ("/", "/setup", "/setup/channels", PATH):
        shown = await admin.get(page)
        assert (page, FAULT in shown.words) == (page, True)
        assert (page, "crm-chat-forbidden" in shown.words) == (page, False)
    assert (await admin.get("/")).page.all("a", href=PATH)
    async with site.pool.acquire() as conn:
        await crm_chats_connected(conn, ACCOUNT, "amojo", "scope", now)
    for page in ("/", "/setup", "/setup/channels", PATH):
        assert (page, FAULT in (await admin.get(page)).words) == (page, False)
    assert "подключены" in (await admin.get(PATH)).words


async def test_only_administrators_set_the_chats_up(site: Site) -> None:
    senior = site.as_("senior_manager")
    assert (await senior.get(PATH)).status == 403
    assert (await senior.post(PATH, GIVEN)).status == 403
