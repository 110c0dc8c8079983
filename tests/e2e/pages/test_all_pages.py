"""Every page there is, with something on it and with nothing: by axe and by what axe does not find. Here each page once, in turn in
another theme, language and width; make test-pages-all looks at each in all of them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Page

from gateway.store.admin.bindings import Bindings
from gateway.web.shell import ENTRIES
from tests.e2e.pages.browser import Pages, no_overflow
from tests.e2e.pages.checks import (
    cut_off_when_spaced,
    focus_faults,
    help_place,
    lost_without_colours,
)
from tests.e2e.pages.grey import told_by_colour
from tests.e2e.pages.looking import (
    DRESSES,
    TWO_DRESSES,
    Dress,
    faults_of,
    looks,
    never_seen,
)
from tests.e2e.pages.walking import IS_LONG
from tests.integration.api.client import ACCOUNT, ANNA
from tests.integration.web.scene import (
    NO_PAGES,
    REFUSED,
    WHILE_SENDING,
    addresses_of,
    begin_sending,
    pages_that_are_seen,
    play_scene,
)

pytestmark = [pytest.mark.pages, pytest.mark.timeout(2400)]
_ME = Bindings(account_id=ACCOUNT, employee=ANNA.id)
_NARROW = 320
_NO_NAVIGATION = ("/wall", "/start")
"""Pages without the navigation, and so without the way to help in it: a screen on a wall, and the first run."""
_EMPTY = (
    *(entry.path for entry in ENTRIES),
    *("/messages", "/calls/try", "/missed/closed", "/missed/waits", "/matrix/versions", "/distribution/templates", "/distribution/new"),
    *("/distribution/analytics", "/distribution/shift-change", "/shifts/schedules", "/messages/sms", "/messages/triggers"),
    *("/messages/firings", "/messages/campaigns", "/setup/held", "/setup/exchanges", "/setup/pbx", "/setup/employees"),
    *("/setup/not-sent", "/setup/do-not-call", "/setup/users", "/setup/audit", "/start"),
)  # fmt: skip
"""What is looked at where there is nothing yet."""


@dataclass
class Looked:
    """What came of it. helps: dress -> where the way to help stands -> the first page where it does."""

    pages: Pages
    urls: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    helps: dict[Dress, dict[str, str]] = field(default_factory=dict)

    async def at(self, dress: Dress, addresses: Iterable[str]) -> None:
        async with _somebody(self.pages, dress) as page:
            page.on("console", lambda message: self._heard(page, dress, message.type, message.text))
            for address in addresses:
                await self._one(page, dress, address)

    def _heard(self, page: Page, dress: Dress, kind: str, said: str) -> None:
        """What a browser says of a page; not that one which is to be refused was."""
        if kind in ("error", "warning") and not said.startswith("Failed to load resource"):
            self.found.append(f"{page.url} {dress}: {said}")

    async def _one(self, page: Page, dress: Dress, address: str) -> None:
        answer = await page.goto(self.pages.site.address + address)
        faults = await faults_of(page, dress)
        if answer is None or answer.status != REFUSED.get(address, 200) or answer.request.redirected_from:
            faults.append(f"answered {answer and answer.status} at {page.url}")
        if not address.startswith(_NO_NAVIGATION):
            self.helps.setdefault(dress, {}).setdefault(await help_place(page), address)
        self.urls.append(page.url)
        self.found += [f"{address} {dress}: {fault}" for fault in faults]

    def all_of_it(self) -> list[str]:
        """Return what is wrong on pages, and where help is not in its place."""
        return self.found + [
            f"help stands elsewhere, {dress}: {places}"
            for dress, places in self.helps.items()
            if len(places) != 1 or "" in places
        ]


def _addresses() -> list[str]:
    return [address for page in pages_that_are_seen() for address in addresses_of(page)]


@contextlib.asynccontextmanager
async def _somebody(pages: Pages, dress: Dress) -> AsyncIterator[Page]:
    """An admin who is an employee too: sees every page."""
    async with pages.signed_in_page(
        "/me", bound=_ME, theme=dress.theme, language=dress.language, width=dress.width, quiet=False
    ) as page:
        yield page


async def _scene(pages: Pages) -> None:
    await play_scene(pages.site.pool)
    await pages.site.pages.configuration.reload()


async def test_no_page_has_a_fault(pages: Pages) -> None:
    await _scene(pages)
    looked = Looked(pages)
    for dress, addresses in looks(_addresses(), DRESSES):
        await looked.at(dress, addresses)
    await begin_sending(pages.site.pool)
    for dress, addresses in looks(list(WHILE_SENDING), DRESSES[1:3]):
        await looked.at(dress, addresses)
    assert not looked.all_of_it(), "\n".join(looked.all_of_it())
    assert [path for path in never_seen(looked.urls, "inside") if path not in NO_PAGES] == []


async def test_no_page_has_a_fault_where_there_is_nothing_yet(pages: Pages) -> None:
    looked = Looked(pages)
    for dress, addresses in looks(list(_EMPTY), DRESSES if IS_LONG else TWO_DRESSES):
        await looked.at(dress, addresses)
    assert not looked.all_of_it(), "\n".join(looked.all_of_it())


async def _read_otherwise(page: Page, dress: Dress) -> Sequence[str]:
    """Return what is lost by keys, where the system chooses the colours, in grey, with wider text, on a narrow screen."""
    faults = [*await focus_faults(page), *await lost_without_colours(page), *await told_by_colour(page)]
    faults += await cut_off_when_spaced(page)
    await page.set_viewport_size({"width": _NARROW, "height": 800})
    faults += await no_overflow(page)
    await page.set_viewport_size({"width": dress.width, "height": 900})
    return faults


async def test_each_page_is_read_narrow_spaced_without_colours_and_by_keys(pages: Pages) -> None:
    await _scene(pages)
    found: list[str] = []
    for dress, addresses in looks(_addresses(), TWO_DRESSES):
        async with _somebody(pages, dress) as page:
            for address in addresses:
                await page.goto(pages.site.address + address)
                found += [f"{address} {dress}: {fault}" for fault in await _read_otherwise(page, dress)]
    assert not found, "\n".join(found)
