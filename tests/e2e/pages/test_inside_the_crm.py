"""Our narrow pages in a real frame of another site: the account's CRM may show them, nobody else; a form is sent from there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import FrameLocator, Page, Route

from gateway.admin.distribution.templates import save_template
from gateway.admin.sign_in.frames import FrameOrder, make_frame
from gateway.admin.users import UserOrder, add_user
from gateway.store.distribution.templates import template_of
from routing.distribution.template import DistributionTemplate, TemplateMember
from tests.e2e.pages.browser import Pages, chromium
from tests.integration.api.client import ANNA
from tests.integration.web.calls_on_pages import a_call, name_client, store
from tests.waiting import until

pytestmark = pytest.mark.pages

CRM, STRANGER = "http://crm.example", "http://stranger.example"
CLIENT = "+79990001122"


async def _address(pages: Pages, page: str, **about: str) -> str:
    async with pages.site.pool.acquire() as conn:
        order = FrameOrder(page=page, login="boss", **about)  # type: ignore[arg-type]
        return (
            pages.site.address + (await make_frame(conn, pages.site.account, order, datetime.now(UTC))).path
        )


async def _shown_by(page: Page, site: str, address: str) -> FrameLocator:
    """Return the frame that a page of this site shows."""

    async def answer(route: Route) -> None:
        await route.fulfill(
            content_type="text/html", body=f'<iframe src="{address}" width="600" height="700"></iframe>'
        )

    await page.route(f"{site}/*", answer)
    await page.goto(f"{site}/leads")
    return page.frame_locator("iframe")


async def test_the_crm_shows_our_pages_and_no_other_site_does(pages: Pages) -> None:
    site = pages.site
    await name_client(site.pool, CLIENT, "Zhao")
    await store(site.pool, a_call("m22", timedelta(hours=3), client=CLIENT))
    template = DistributionTemplate(name="shop", employees=(TemplateMember(employee_id=ANNA.id),))
    async with site.pool.acquire() as conn:
        await add_user(conn, UserOrder(login="boss", name="Boss", role="admin"))
        await save_template(conn, site.account, template, by="test")
    await site.pages.configuration.reload()
    # The page around it is made up here; a browser takes it for one of the internet that looks into the local network.
    async with chromium("--disable-features=LocalNetworkAccessChecks") as browser:
        context = await browser.new_context()
        page = await context.new_page()

        card = await _shown_by(page, CRM, await _address(pages, "card", kind="contact", id="501"))
        await card.get_by_role("heading", name="Zhao").wait_for()
        assert await context.cookies() == [], "nothing is kept in a browser that refuses others' cookies"

        form = await _shown_by(page, CRM, await _address(pages, "template", id="shop"))
        await form.locator("[name=threshold]").first.evaluate("box => box.value = '7'")
        await form.locator("button[name=do][value=save]").click()

        async def is_saved() -> bool:
            async with site.pool.acquire() as conn:
                found = await template_of(conn, site.account, "shop")
            return found is not None and found.version == 2

        await until(is_saved, "the template is saved from within the CRM")

        other = await _shown_by(page, STRANGER, await _address(pages, "card", kind="contact", id="501"))

        def is_refused() -> bool:
            return any(frame.url.startswith("chrome-error:") for frame in page.frames)

        await until(is_refused, "the browser shows it to no other site")
        assert await other.get_by_role("heading", name="Zhao").count() == 0
