"""Pages of who is not signed in yet, pages within the CRM, and what is said where a page does not open: looked at as all others are."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import Browser, Page

from gateway.admin.distribution.templates import save_template
from gateway.admin.sign_in.frames import FrameOrder, make_frame
from gateway.admin.sign_in.links import make_link
from gateway.admin.sign_in.totp import STEP_SECONDS, code_of
from gateway.admin.users import UserOrder, add_user
from gateway.store.admin.sessions import set_liking
from gateway.store.admin.users import set_password
from gateway.store.calls.missed_calls import save_case
from gateway.store.sign_in.second_factors import second_factor_of
from routing.distribution.template import DistributionTemplate, TemplateMember
from tests.e2e.pages.browser import Look, Pages, axe, chromium, no_overflow, watched
from tests.e2e.pages.looking import DRESSES, TWO_DRESSES, Dress, faults_of, never_seen
from tests.e2e.pages.site import Site, running_site
from tests.e2e.pages.walking import IS_LONG
from tests.integration.api.client import ACCOUNT, ANNA
from tests.integration.web.calls_on_pages import a_call, name_client, store
from tests.integration.web.signing import CHEAP, PASSWORD
from tests.integration.web.test_missed import a_case
from tests.integration.web.test_shift_change_pages import _end as end_of_shift_change
from tests.integration.web.test_shift_change_pages import _moved as a_shift_change
from tests.paths import ROOT

pytestmark = [pytest.mark.pages, pytest.mark.timeout(600)]
_CLIENT, _HOUR = "+79990001122", timedelta(hours=1)
_SEND = "main form[method=post] button[type=submit]"


def _dresses(one: int) -> list[Dress]:
    """All of them in the long form, else this one."""
    return DRESSES if IS_LONG else DRESSES[one : one + 1]


@pytest.fixture
async def house(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Site]:
    """The site where people sign in, administrators with a second factor."""
    async with running_site(pool, database_url, signs_in=True, second_factor="admins") as site:
        yield site


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@dataclass
class Eyes:
    """What looked at a page notes."""

    house: Site
    dress: Dress
    page: Page
    urls: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    async def open(self, path: str, status: int = 200) -> None:
        answer = await self.page.goto(self.house.address + path)
        if answer is None or answer.status != status:
            self.found.append(f"{path} {self.dress}: answered {answer and answer.status}")
        await self.look(path)

    async def send(self, what: str, **filled: str) -> None:
        """Fill in the form that is there, send it, and look at what comes."""
        for name, value in filled.items():
            await self.page.locator(f"main [name={name}]:not([type=hidden])").first.fill(value)
        await self.page.locator(_SEND).first.click()
        await self.page.wait_for_load_state()
        await self.look(what)

    async def look(self, what: str) -> None:
        self.urls.append(self.page.url)
        faults = await faults_of(self.page, self.dress)
        self.found += [f"{what} {self.dress}: {fault}" for fault in faults]


@contextlib.asynccontextmanager
async def _eyes(browser: Browser, house: Site, dress: Dress, results: Path) -> AsyncIterator[Eyes]:
    look = Look(language=dress.language, width=dress.width)
    async with watched(browser, look, results, quiet=False) as page:
        await page.emulate_media(color_scheme="dark" if dress.theme == "dark" else "light")
        yield Eyes(house, dress, page)


async def _person(house: Site, login: str, dress: Dress, role: str = "admin") -> None:
    async with house.pool.acquire() as conn:
        await add_user(conn, UserOrder(login=login, name="Li Zhao", role=role))
        await set_password(conn, login, CHEAP.hash(PASSWORD))
        await set_liking(conn, login, language=dress.language, theme=dress.theme)


async def _code(house: Site, login: str) -> str:
    async with house.pool.acquire() as conn:
        factor = await second_factor_of(conn, login)
    assert factor is not None
    return code_of(factor.secret, int(datetime.now(UTC).timestamp()) // STEP_SECONDS)


async def _link(house: Site, login: str) -> str:
    async with house.pool.acquire() as conn:
        return await make_link(conn, login, datetime.now(UTC), is_local=True)


async def _sign_in(eyes: Eyes, login: str) -> None:
    """By password, refused and let in; the second factor set up and asked for, wrong and right."""
    await eyes.open("/sign-in")
    await eyes.open("/sign-in?lost=1")
    await eyes.send("a wrong password", login=login, password="wrong")
    await eyes.send("to be enrolled", login=login, password=PASSWORD)
    await eyes.send("a wrong first code", code="000000")
    await eyes.send("codes for a lost phone", code=await _code(eyes.house, login))
    await eyes.page.context.clear_cookies()
    await eyes.page.goto(f"{eyes.house.address}/sign-in")
    await eyes.send("a code is asked for", login=login, password=PASSWORD)
    await eyes.send("a wrong code", code="000000")


async def _first_password(eyes: Eyes, login: str) -> None:
    """By a link: one that is used up, one that is good; then the person's own account, the first password and a second factor."""
    await eyes.page.context.clear_cookies()
    await eyes.open("/sign-in/once/none", 410)
    await eyes.open(await _link(eyes.house, login))
    await eyes.page.locator(_SEND).first.click()
    await eyes.page.wait_for_url(lambda url: "/sign-in" not in url)
    await eyes.open("/me/account")
    await eyes.page.locator("[name=password]").fill("short")
    await eyes.page.locator("form[action*='/account/password'] button").click()
    await eyes.page.wait_for_load_state()
    await eyes.look("a first password that is too short")
    await eyes.open("/me/account/second-factor")
    await eyes.send("a wrong code of one's own", code="000000")
    await eyes.send("codes of one's own", code=await _code(eyes.house, login))
    await eyes.open("/me/account")


async def test_pages_before_signing_in_have_no_fault(house: Site, browser: Browser) -> None:
    found: list[str] = []
    urls: list[str] = []
    for number, dress in enumerate(_dresses(0)):
        boss, seller = f"boss{number}", f"seller{number}"
        await _person(house, boss, dress)
        await _person(house, seller, dress, "read_only")
        async with _eyes(browser, house, dress, ROOT / ".pages" / boss) as eyes:
            await _sign_in(eyes, boss)
            await _first_password(eyes, seller)
        found, urls = found + eyes.found, urls + eyes.urls
    assert not found, "\n".join(found)
    assert never_seen(urls, "alone") == [], "name its state here"


async def _frame(house: Site, page: str, login: str, **about: str) -> str:
    async with house.pool.acquire() as conn:
        order = FrameOrder(page=page, login=login, **about)  # type: ignore[arg-type]
        return (await make_frame(conn, ACCOUNT, order, datetime.now(UTC))).path


async def _client_who_waits(house: Site) -> None:
    await name_client(house.pool, _CLIENT, "Zhao")
    await store(house.pool, a_call("m22", 3 * _HOUR, client=_CLIENT), a_call("m23", _HOUR, client=_CLIENT))
    template = DistributionTemplate(name="shop", employees=(TemplateMember(employee_id=ANNA.id),))
    async with house.pool.acquire() as conn:
        await save_case(conn, ACCOUNT, a_case(_CLIENT, 3 * _HOUR, _HOUR))
        await save_template(conn, ACCOUNT, template, by="test")


async def _within_the_crm(eyes: Eyes, login: str) -> None:
    house = eyes.house
    await eyes.open(await _frame(house, "card", login, kind="contact", id="501"))
    await eyes.open(await _frame(house, "card", login, kind="contact", id="9999"))
    await eyes.open(await _frame(house, "settings", login))
    await eyes.send("the CRM is asked")
    await eyes.open(await _frame(house, "template", login))
    path = await _frame(house, "template", login, id="shop")
    await eyes.open(path)
    save = eyes.page.locator("button[name=do][value=save]")
    await eyes.page.locator("#template-form [name=threshold]").first.evaluate("box => box.value = '-1'")
    await save.click()
    await eyes.page.wait_for_load_state()
    await eyes.look("a template that is not right")
    await eyes.page.goto(house.address + path)
    await save.click()
    await eyes.page.wait_for_url(lambda url: "/frame/done" in url)
    await eyes.look("a template is saved")
    await eyes.open(path, 409)
    await eyes.open("/frame/card?token=none", 404)


async def test_pages_within_the_crm_have_no_fault(house: Site, browser: Browser) -> None:
    await _client_who_waits(house)
    await house.pages.configuration.reload()
    found: list[str] = []
    urls: list[str] = []
    for number, dress in enumerate(_dresses(7)):
        await _person(house, f"boss{number}", dress)
        async with _eyes(browser, house, dress, ROOT / ".pages" / f"framed{number}") as eyes:
            await _within_the_crm(eyes, f"boss{number}")
        found, urls = found + eyes.found, urls + eyes.urls
    assert not found, "\n".join(found)
    assert never_seen(urls, "framed") == [], "name its state here"


_REFUSED = (
    ("manager", "/setup/users", 403),
    ("admin", "/nowhere", 404),
    ("admin", "/calls/none", 404),
    ("admin", "/distribution?state=ages", 422),
)


async def _refused(pages: Pages, dress: Dress, role: str, path: str, status: int) -> list[str]:
    async with pages.signed_in_page(
        "/help", role=role, theme=dress.theme, language=dress.language, width=dress.width, quiet=False  # type: ignore[arg-type]
    ) as page:  # fmt: skip
        eyes = Eyes(pages.site, dress, page)
        await eyes.open(path, status)
    return eyes.found


async def _sent_to_what_is_over(pages: Pages, dress: Dress, run: int) -> list[str]:
    """A form of ours that what is stored stands against, on a page of its own: 409."""
    async with pages.signed_in_page(
        "/messages/new-campaign", theme=dress.theme, language=dress.language, width=dress.width, quiet=False
    ) as page:
        eyes = Eyes(pages.site, dress, page)
        await page.evaluate(
            "() => { const form = document.querySelector('main form[method=post]'); form.removeAttribute('hx-post');"
            "form.action = RUN; form.noValidate = true; form.submit(); }".replace(
                "RUN", repr(f"/distribution/shift-change/runs/{run}/stop")
            )
        )
        await page.wait_for_url(lambda url: "/runs/" in url)
        await eyes.look("sent to what is over")
    return eyes.found


async def test_what_is_said_where_a_page_does_not_open_has_no_fault(pages: Pages) -> None:
    found: list[str] = []
    run = await a_shift_change(pages.site.pool, "away", ("701", "702"), "1")
    await end_of_shift_change(pages.site.pool, run)
    for dress in _dresses(3):
        for role, path, status in _REFUSED:
            found += await _refused(pages, dress, role, path, status)
        found += await _sent_to_what_is_over(pages, dress, run)
    await pages.site.pool.execute("ALTER TABLE do_not_call RENAME TO elsewhere")
    for dress in _dresses(3):
        found += await _refused(pages, dress, "admin", "/setup/do-not-call", 500)
    assert not found, "\n".join(found)


async def test_while_the_pages_are_away_that_is_said_to_everybody(house: Site, browser: Browser) -> None:
    house.stop_pages()
    for dress in TWO_DRESSES:
        async with _eyes(browser, house, dress, ROOT / ".pages" / "away") as eyes:
            answer = await eyes.page.goto(house.address)
            assert answer is not None
            assert answer.status == 503
            assert [*await axe(eyes.page), *await no_overflow(eyes.page)] == []
