"""The pages of the setup and of the first run in a browser."""

from __future__ import annotations

import pytest

from gateway.store.outbound.do_not_call import add
from tests.e2e.pages.browser import Pages

pytestmark = pytest.mark.pages


async def test_an_endless_note_leaves_the_number_to_be_taken_off(pages: Pages) -> None:
    async with pages.site.pool.acquire() as conn:
        await add(conn, pages.site.account, "+79161234567", source="admin", said_by="ann", note="x" * 300)
    async with pages.signed_in_page("/setup/do-not-call") as page:
        box = await page.locator("tbody form[action*=remove] button").bounding_box()
        frame = await page.locator("div.cm-panel:has(tbody)").bounding_box()
    assert box is not None
    assert frame is not None
    assert box["x"] + box["width"] <= frame["x"] + frame["width"]
