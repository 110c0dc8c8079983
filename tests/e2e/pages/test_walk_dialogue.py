"""A messenger is connected on the pages, a client writes, somebody answers once, and the deal has a copy."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from gateway.store.admin.bindings import Bindings
from tests.e2e.features.sales import Sales, person, user
from tests.e2e.pages.browser import PHONE, axe, no_overflow
from tests.e2e.pages.walking import Walk, languages
from tests.e2e.stack import ACCOUNT
from tests.fakes.channels.sandbox import client_message, tell
from tests.waiting import until

pytestmark = [pytest.mark.pages, pytest.mark.asyncio(loop_scope="session")]

PATH = "/setup/channels"
ANSWERS, READS = 101, 102


@pytest.mark.parametrize("language", languages("ru"))
async def test_a_channel_is_connected_shared_out_and_answered_in_once(walk: Walk, department: Sales) -> None:
    name = f"walk {walk.language}"
    async with walk.person("/setup/new-channel?kind=sandbox") as page:
        await page.locator("#name").fill(name)
        await walk.press(page, "setup.sms.add")
        await walk.hears(page, "setup.channels.said.added")
        channel = page.url.partition("?")[0].rpartition("/")[2]
        await page.locator("#copies-1").check()
        await walk.press(page, "setup.save")
        await walk.hears(page, "setup.said.saved")
        await _share_out(walk, page, name)
    number = "79038883001" if walk.language == "ru" else "79038883002"
    await _tell(department, channel, walk.language, number)
    bound = Bindings(account_id=ACCOUNT, employee=person(ANSWERS))
    async with walk.person("/dialogs", role="manager", bound=bound) as page:
        row = page.locator(".cm-dialogs-row", has_text=f"Client {walk.language}")
        await expect(row).to_contain_text("How much is it?")
        await row.click()
        assert await axe(page) == []
        await _answer_twice(walk, page)
        assert await department.stack.pool.fetchval(
            "SELECT count(*) FROM chat_message WHERE channel_id = $1 AND own_key IS NOT NULL", channel
        ) == 1  # fmt: skip
        await _tell(department, channel, walk.language, number, "And when?")
        await expect(page.locator("#dialog-thread")).to_contain_text("And when?")  # by itself
        await _reader_sees_no_form(walk, page.url)
    await _copied(department, number)
    await department.api("DELETE", f"channels/{channel}?even_if_used=true", status=204)


async def _share_out(walk: Walk, page: Page, name: str) -> None:
    """One reads, the other writes; what is not saved is asked about, and pressed with keys."""
    await page.goto(f"{walk.stack.url}{PATH}/access")
    for number in (ANSWERS, READS):
        if await page.locator(f"#add-employee option[value={person(number)}]").count():
            await page.locator("#add-employee").select_option(person(number))
            await walk.press(page, "setup.channels.add")
        else:
            await page.goto(f"{walk.stack.url}{PATH}/access")
    who = await page.locator(f"input[value$=' {person(ANSWERS)}'][name=cell]").first.evaluate(
        "cell => cell.closest('tr').dataset.who"
    )
    cell = page.locator(f"tr[data-who='{who}'] td[data-channel='{name}']")
    await expect(cell).to_have_attribute("data-may", "read")
    await cell.locator("button").focus()
    await page.keyboard.press("Space")
    await expect(cell).to_have_attribute("data-may", "send")
    await expect(cell.locator("input[type=radio]")).to_be_checked()  # the first one stars itself
    await expect(page.locator("#access-foot")).to_be_visible()
    await walk.follow(page, "setup.tab.channels")
    await expect(page.locator("#leave-dialog")).to_be_visible()
    await page.locator("#leave-dialog button[value=save]").click()
    await page.wait_for_url("**/setup/channels")
    await page.goto(f"{walk.stack.url}{PATH}/access")
    await expect(cell).to_have_attribute("data-may", "send")
    await _another_form_of_the_page(page, cell)


async def _another_form_of_the_page(page: Page, cell: Locator) -> None:
    """What stands beside the table and is sent by itself does not drop what was changed in the table."""
    button, may = cell.locator("button"), "data-may"
    await button.click()
    await expect(cell).to_have_attribute(may, "none")
    await page.locator("#visibility-panel button[type=submit]").click()
    dialog = page.locator("#leave-dialog")
    await dialog.locator("button[value='']").click()
    await expect(cell).to_have_attribute(may, "none")  # stayed
    await page.locator("#visibility-panel button[type=submit]").click()
    async with page.expect_navigation():
        await dialog.locator("button[value=save]").click()
    await expect(cell).to_have_attribute(may, "none")
    await button.click()
    await page.locator("#visibility-panel button[type=submit]").click()
    async with page.expect_navigation():
        await dialog.locator("button[value=drop]").click()
    await expect(cell).to_have_attribute(may, "none")
    await button.click()
    await button.click()
    async with page.expect_navigation():
        await page.locator("#access-foot button[value=save]").click()
    await expect(cell).to_have_attribute(may, "send")


async def _tell(
    department: Sales, channel: str, language: str, number: str, text: str = "How much is it?"
) -> None:
    address = (await department.api("GET", f"channels/{channel}/address"))["url"]
    id = f"walk-{language}-{len(text)}"
    told = client_message(
        id, chat=f"walk-{language}", text=text, phone=f"+{number}", name=f"Client {language}"
    )

    async def is_there() -> bool:
        await tell(department.stack.http, address, [told])
        found: bool = await department.stack.pool.fetchval(
            "SELECT EXISTS (SELECT 1 FROM chat_message WHERE channel_id = $1 AND outside_id = $2)",
            channel,
            id,
        )
        return found

    await until(is_there, "the message stands in its dialogue", seconds=40)


async def _answer_twice(walk: Walk, page: Page) -> None:
    """What is typed is there on coming back; a double click, and the button back with another press, send one message."""
    await page.locator("#answer-text").fill("From 180")
    await page.goto(f"{walk.stack.url}/dialogs")
    await page.locator(".cm-dialogs-row", has_text=f"Client {walk.language}").click()
    await expect(page.locator("#answer-text")).to_have_value("From 180")
    await expect(page.locator("[data-count]")).to_contain_text("8 / 4096")
    await walk.button(page, "dialogs.send").dblclick()
    await expect(page.locator("#dialog-thread .cm-said-ours")).to_have_count(1)
    await expect(page.locator("#answer-text")).to_have_value("")
    await page.go_back()
    if await page.locator("#answer-text").input_value():
        await walk.press(page, "dialogs.send")
    await page.locator(".cm-dialogs-row[aria-current]").click()
    await expect(page.locator("#dialog-thread .cm-said-ours")).to_have_count(1)


async def _reader_sees_no_form(walk: Walk, url: str) -> None:
    path = "/dialogs" + url.partition("/dialogs")[2]
    bound = Bindings(account_id=ACCOUNT, employee=person(READS))
    async with walk.person(path, role="manager", bound=bound, width=PHONE) as page:
        await expect(page.locator("#answer")).to_contain_text(walk.t("dialogs.read_only.channel"))
        assert await page.locator("#answer form").count() == 0
        assert await axe(page) + await no_overflow(page) == []
        await page.locator(".cm-dialog-back").click()
        await expect(page.locator(".cm-dialogs-rows")).to_be_visible()


async def _copied(department: Sales, number: str) -> None:
    """The client's deal is theirs who answered first, and holds what was written."""

    async def notes() -> list[str]:
        (contact,) = await department.stack.rows("contact", phone=number)
        (deal,) = [d for d in await department.stack.rows("deal") if contact["id"] in d["contacts"]]
        found = await department.crm("GET", f"leads/{deal['id']}/notes")
        texts = [str(note["params"]) for note in found["_embedded"]["notes"]]
        is_theirs = deal["responsible_user_id"] == user(ANSWERS)
        return texts if is_theirs and "How much is it?" in str(texts) and "From 180" in str(texts) else []

    await until(notes, "the deal has a copy of what was written", seconds=60)
