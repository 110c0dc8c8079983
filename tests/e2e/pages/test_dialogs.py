"""A dialogue in a browser: it opens at its end, and somebody who writes first is heard once."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, expect

from gateway.store.admin.bindings import Bindings
from tests.e2e.pages.browser import DESKTOP, PHONE, Pages, axe, no_overflow
from tests.fakes.channels.sandbox import client_message
from tests.integration.api.client import ACCOUNT
from tests.integration.channels.test_files_in import PNG
from tests.integration.web.chatting import connect, dialogue_of, told

pytestmark = pytest.mark.pages

_ANNA = Bindings(account_id=ACCOUNT, employee="anna")
_LINES = 40


async def _long_dialogue(pages: Pages) -> str:
    pool = pages.site.pool
    if not await pool.fetchval("SELECT EXISTS (SELECT 1 FROM channel WHERE channel_id = 'long')"):
        await connect(pool, "long", "Long", {"anna": "send"})
        await told(
            pool,
            *[client_message(f"n{n:02}", chat="55", name="Zhao", text=f"Line {n}") for n in range(_LINES)],
            channel="long",
        )
    return f"/dialogs/{await dialogue_of(pool, '55', 'long')}"


@pytest.mark.parametrize("script", [True, False])
async def test_a_dialogue_opens_at_its_end_by_its_plain_address(pages: Pages, script: bool) -> None:
    path = await _long_dialogue(pages)
    async with pages.signed_in_page(path, role="manager", bound=_ANNA, script=script, width=DESKTOP) as page:
        last = page.locator(".cm-said").last
        await expect(last).to_contain_text(f"Line {_LINES - 1}")
        await expect(last).to_be_in_viewport()
        await expect(page.locator(".cm-said").first).not_to_be_in_viewport()


async def test_on_a_phone_it_opens_at_its_end_too_and_without_script_one_link_leads_there(
    pages: Pages,
) -> None:
    path = await _long_dialogue(pages)
    async with pages.signed_in_page(path, role="manager", bound=_ANNA, width=PHONE) as page:
        await expect(page.locator(".cm-said").last).to_be_in_viewport()
        assert await no_overflow(page) == []
    async with pages.signed_in_page(path, role="manager", bound=_ANNA, width=PHONE, script=False) as page:
        await page.locator(".cm-dialog-read a[href='#end']").click()
        await expect(page.locator(".cm-said").last).to_be_in_viewport()


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
async def test_writing_first_twice_and_after_going_back_is_one_message(pages: Pages, width: int) -> None:
    await _long_dialogue(pages)
    number = f"+7916555{width:04d}"
    async with pages.signed_in_page(
        f"/dialogs/new?number=%2B{number[1:]}", role="manager", bound=_ANNA, width=width
    ) as page:
        assert await axe(page) == []
        assert await no_overflow(page) == []
        await page.locator("#text").fill("Good morning")
        await page.locator("form button[type=submit]", has_text="Отправить").dblclick()
        await expect(page.locator(".cm-said-ours")).to_have_count(1)
        await page.go_back()
        if await page.locator("#text").input_value():
            await page.locator("form button[type=submit]", has_text="Отправить").click()
    sent = await pages.site.pool.fetchval(
        "SELECT count(*) FROM chat_message JOIN dialogue d USING (dialogue_id) WHERE d.number = $1", number
    )
    assert sent == 1


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
async def test_a_file_goes_out_with_the_first_message(pages: Pages, width: int, script: bool) -> None:
    await _long_dialogue(pages)
    number = f"+7916556{width:04d}" if script else f"+7916557{width:04d}"
    path = f"/dialogs/new?number=%2B{number[1:]}"
    async with pages.signed_in_page(path, role="manager", bound=_ANNA, width=width, script=script) as page:
        file: FilePayload = {"name": "plan.png", "mimeType": "image/png", "buffer": PNG}
        await page.get_by_label("Файл").set_input_files(file)
        assert await no_overflow(page) == []
        await page.locator("#text").fill("Plan")
        if script:
            await page.locator("#text").press("Control+Enter")
        else:
            await page.locator("form button[type=submit]", has_text="Отправить").click()
        await expect(page.locator(".cm-said-ours")).to_have_count(1)
    kept = await pages.site.pool.fetchval(
        "SELECT f.content FROM chat_file f JOIN chat_message m USING (message_id)"
        " JOIN dialogue d USING (dialogue_id) WHERE d.number = $1",
        number,
    )
    assert kept == PNG
