"""The pages of the setup and of the first run in a browser."""

from __future__ import annotations

import pytest

from gateway.store.outbound.do_not_call import add
from gateway.web.person import Theme
from routing.texts.catalogue import Language
from tests.e2e.pages.browser import DESKTOP, PHONE, Pages, axe, no_overflow

pytestmark = pytest.mark.pages

PATHS = (
    *("/setup", "/setup/held", "/setup/exchanges", "/setup/pbx", "/setup/pbx/new?kind=asterisk"),
    *("/setup/employees", "/setup/employees/new", "/setup/not-sent", "/setup/numbers?number=nine", "/start"),
    *("/setup/do-not-call", "/setup/other", "/setup/other?part=hours", "/setup/other?part=kept"),
)


@pytest.mark.parametrize(("theme", "language", "width"), [("light", "ru", DESKTOP), ("dark", "en", PHONE)])
async def test_the_setup_is_accessible_and_within_the_window(
    pages: Pages, theme: Theme, language: Language, width: int
) -> None:
    found = {}
    for path in PATHS:
        async with pages.signed_in_page(
            path, theme=theme, language=language, width=width, quiet=False
        ) as page:
            found[path] = [*await axe(page), *await no_overflow(page)]
    assert {path: faults for path, faults in found.items() if faults} == {}


async def test_an_endless_note_leaves_the_number_to_be_taken_off(pages: Pages) -> None:
    async with pages.site.pool.acquire() as conn:
        await add(conn, pages.site.account, "+79161234567", source="admin", said_by="ann", note="x" * 300)
    async with pages.signed_in_page("/setup/do-not-call") as page:
        box = await page.locator("tbody form[action*=remove] button").bounding_box()
        frame = await page.locator("div.cm-panel:has(tbody)").bounding_box()
    assert box is not None
    assert frame is not None
    assert box["x"] + box["width"] <= frame["x"] + frame["width"]
