"""How pages are looked at: in which dress, and what is a fault of any of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from playwright.async_api import Page

from gateway.web.all_pages import PAGES
from gateway.web.frame import Frame
from gateway.web.person import Theme
from routing.texts.catalogue import LANGUAGES, Language
from tests.e2e.pages.browser import DESKTOP, PHONE, axe, no_overflow, small_targets
from tests.e2e.pages.checks import frame_faults, word_faults
from tests.e2e.pages.walking import IS_LONG

KIT = "/_kit"
_THEMES: tuple[Theme, ...] = ("light", "dark")


class Dress(NamedTuple):
    theme: Theme
    language: Language
    width: int

    def __str__(self) -> str:
        return " ".join(map(str, self))


DRESSES = [Dress(*one) for one in itertools.product(_THEMES, LANGUAGES, (DESKTOP, PHONE))]
TWO_DRESSES = [Dress("light", "ru", DESKTOP), Dress("dark", "en", PHONE)]


def looks(addresses: list[str], dresses: list[Dress]) -> Iterator[tuple[Dress, list[str]]]:
    """Yield what is looked at in which dress: everything in each in the long form, else each page in one."""
    for number, dress in enumerate(dresses):
        yield dress, addresses if IS_LONG else addresses[number :: len(dresses)]


async def faults_of(page: Page, dress: Dress) -> list[str]:
    """Return what is wrong with the page as it stands there."""
    least = 24 if dress.width == DESKTOP else 44
    words = await word_faults(page) if urlsplit(page.url).path != KIT else []  # its buttons lead nowhere
    return [
        *await frame_faults(page, dress.language),
        *words,
        *await axe(page),
        *await no_overflow(page),
        *await small_targets(page, least),
    ]


def never_seen(urls: Iterable[str], *frames: Frame) -> list[str]:
    """Return which pages none of these addresses is of."""
    paths = {urlsplit(url).path for url in urls}
    wanted = [page.path for page in PAGES if page.method == "GET" and page.frame in frames]
    return [path for path in wanted if not any(_pattern(path).fullmatch(one) for one in paths)]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, re.split(r"\{[^}]*\}", path))))
