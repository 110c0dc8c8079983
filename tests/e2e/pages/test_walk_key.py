"""The CRM no longer takes the key: every page says so, a new key is put in, and what was held is sent and reported."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.features.office import LINE
from tests.e2e.pages.walking import Walk, languages
from tests.e2e.stack import ACCOUNT
from tests.waiting import until

pytestmark = [pytest.mark.pages, pytest.mark.asyncio(loop_scope="session")]

_NUMBERS = itertools.count(9057770001)


async def a_missed_call(walk: Walk) -> str:
    client = f"7{next(_NUMBERS)}"
    common = {"callId": f"held-{client}", "direction": "in", "from_": client, "to": LINE}
    await walk.stack.event(event="newCall", **common)
    await walk.stack.event(event="hangup", cause="noAnswer", **common)
    return client


@pytest_asyncio.fixture(loop_scope="session")
async def held(walk: Walk) -> AsyncIterator[list[str]]:
    """The CRM refuses the key, and two clients ring meanwhile."""
    await walk.stack.act("faults", {"rules": [{"match": {"path": "*"}, "fault": "401", "always": True}]})
    clients = [await a_missed_call(walk)]

    async def is_broken() -> bool:
        found = await walk.stack.pool.fetchval("SELECT state FROM account WHERE account_id = $1", ACCOUNT)
        return bool(found == "broken")

    await until(is_broken, "the account is found broken", seconds=40)
    yield [*clients, await a_missed_call(walk)]
    await walk.stack.act("faults", {"rules": []})


@pytest.mark.parametrize("language", languages("en"))
async def test_a_broken_key_is_said_mended_and_what_was_held_is_sent(walk: Walk, held: list[str]) -> None:
    async with walk.person("/calls") as page:
        for path in ("/calls", "/missed", "/matrix", "/distribution", "/shifts", "/messages", "/setup/pbx"):
            await page.goto(f"{walk.stack.url}{path}")
            await expect(page.locator("#crm-away")).to_contain_text("amoCRM")
        await walk.follow(page, "shell.crm.broken.do")
        await _is_connected_again(walk, page)
        await _held_calls_are_sent(walk, page)
        for client in held:
            assert len(await walk.stack.rows("contact", phone=client)) == 1
        await page.goto(f"{walk.stack.url}/calls")
        await expect(page.locator("#crm-away")).to_have_count(0)


async def _is_connected_again(walk: Walk, page: Page) -> None:
    await walk.press(page, "setup.crm.disconnect")
    await walk.hears(page, "setup.crm.said.off")
    await walk.stack.act("faults", {"rules": []})
    token = (await walk.stack.sandbox("token?integration=callmatrix"))["access_token"]
    await page.locator("#token").fill(token)
    await page.locator("#step-3").get_by_role("button").click()
    await walk.hears(page, "setup.crm.said.connected")


async def _held_calls_are_sent(walk: Walk, page: Page) -> None:
    await page.goto(f"{walk.stack.url}/setup/held")
    await expect(page.locator("#preview .cm-figure")).to_have_text("2")
    await walk.press(page, "setup.held.start", n=2)
    await walk.hears(page, "setup.held.said.started")
    await expect(page.locator("#held-run .cm-badge")).to_have_text(
        walk.t("setup.held.state.done"), timeout=60_000
    )
    await page.goto(f"{walk.stack.url}/setup/held/report")
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(2)
    for row in await rows.all():
        await expect(row).to_contain_text(walk.t("setup.held.outcome.sent"))


@pytest.mark.parametrize("language", languages("ru"))
async def test_without_script_held_calls_are_sent(walk: Walk, held: list[str]) -> None:
    async with walk.person("/setup", script=False) as page:
        await _is_connected_again(walk, page)
        await page.goto(f"{walk.stack.url}/setup/held")
        await walk.press(page, "setup.held.start", n=2)
        # The page of the run reads itself anew every ten seconds.
        await expect(page.locator("#held-run .cm-badge")).to_have_text(
            walk.t("setup.held.state.done"), timeout=60_000
        )
        await page.goto(f"{walk.stack.url}/setup/held/report")
        await expect(page.locator("tbody tr")).to_have_count(2)
