"""Every page there is, with something on it: by axe and by what axe does not find. Here each page once, in turn in another theme,
language and width; make test-pages-all looks at each in all of them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pytest
from playwright.async_api import Page

from gateway.store.admin.bindings import Bindings
from gateway.web.person import Theme
from routing.texts.catalogue import LANGUAGES, Language
from tests.e2e.pages.browser import DESKTOP, PHONE, Pages, axe, no_overflow, small_targets
from tests.e2e.pages.checks import (
    cut_off_when_spaced,
    focus_faults,
    frame_faults,
    lost_without_colours,
    word_faults,
)
from tests.e2e.pages.walking import IS_LONG
from tests.integration.api.client import ACCOUNT, ANNA
from tests.integration.web.scene import (
    WHILE_SENDING,
    addresses_of,
    begin_sending,
    pages_that_are_seen,
    play_scene,
)

pytestmark = [pytest.mark.pages, pytest.mark.timeout(1500)]
_ME = Bindings(account_id=ACCOUNT, employee=ANNA.id)


class Dress(NamedTuple):
    theme: Theme
    language: Language
    width: int

    def __str__(self) -> str:
        return " ".join(map(str, self))


THEMES: tuple[Theme, ...] = ("light", "dark")
DRESSES = [Dress(*one) for one in itertools.product(THEMES, LANGUAGES, (DESKTOP, PHONE))]
_NARROW, _KIT = 320, "/_kit"


def _addresses() -> list[str]:
    return [address for page in pages_that_are_seen() for address in addresses_of(page)]


def _looks(addresses: list[str], dresses: list[Dress]) -> Iterator[tuple[Dress, list[str]]]:
    for number, dress in enumerate(dresses):
        yield dress, addresses if IS_LONG else addresses[number :: len(dresses)]


@contextlib.asynccontextmanager
async def _somebody(pages: Pages, dress: Dress) -> AsyncIterator[Page]:
    """An admin who is an employee too: sees every page."""
    async with pages.signed_in_page(
        "/me", bound=_ME, theme=dress.theme, language=dress.language, width=dress.width, quiet=False
    ) as page:
        yield page


async def _faults(page: Page, address: str, dress: Dress) -> list[str]:
    least = 24 if dress.width == DESKTOP else 44
    words = await word_faults(page) if address != _KIT else []  # its buttons lead nowhere
    return [
        *await frame_faults(page, dress.language),
        *words,
        *await axe(page),
        *await no_overflow(page),
        *await small_targets(page, least),
    ]


async def test_no_page_has_a_fault(pages: Pages) -> None:
    await play_scene(pages.site.pool)
    await pages.site.pages.configuration.reload()
    found: list[str] = []
    for dress, addresses in _looks(_addresses(), DRESSES):
        async with _somebody(pages, dress) as page:
            for address in addresses:
                await page.goto(pages.site.address + address)
                found += [f"{address} {dress}: {fault}" for fault in await _faults(page, address, dress)]
    await begin_sending(pages.site.pool)
    for dress, addresses in _looks(list(WHILE_SENDING), DRESSES[1:3]):
        async with _somebody(pages, dress) as page:
            for address in addresses:
                await page.goto(pages.site.address + address)
                found += [f"{address} {dress}: {fault}" for fault in await _faults(page, address, dress)]
    assert not found, "\n".join(found)


async def test_each_page_is_read_narrow_spaced_without_colours_and_by_keys(pages: Pages) -> None:
    await play_scene(pages.site.pool)
    await pages.site.pages.configuration.reload()
    found: list[str] = []
    for dress, addresses in _looks(_addresses(), [Dress("light", "ru", DESKTOP), Dress("dark", "en", PHONE)]):
        async with _somebody(pages, dress) as page:
            for address in addresses:
                await page.goto(pages.site.address + address)
                faults = [*await focus_faults(page), *await lost_without_colours(page)]
                faults += await cut_off_when_spaced(page)
                await page.set_viewport_size({"width": _NARROW, "height": 800})
                faults += await no_overflow(page)
                await page.set_viewport_size({"width": dress.width, "height": 900})
                found += [f"{address} {dress}: {fault}" for fault in faults]
    assert not found, "\n".join(found)
