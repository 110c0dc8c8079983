"""Walks: people in browsers, on the processes as a user runs them and a CRM sandbox, each signed in through a link of their own."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from gateway.admin.sign_in.links import make_link
from gateway.admin.users import UserOrder, add_user
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import Role
from gateway.web.texts.sentences import TEXTS
from routing.texts.catalogue import LANGUAGES, Language
from tests.e2e.pages.browser import DESKTOP, Look, watched
from tests.e2e.stack import Stack

IS_LONG = bool(os.environ.get("CALLMATRIX_PAGES_ALL"))
"""make test-pages-all: everything in every language; otherwise each walk in one."""
_COUNT = itertools.count(1)


def languages(first: Language) -> tuple[Language, ...]:
    """Return those that a walk is gone in: `first`, in the long form each."""
    return LANGUAGES if IS_LONG else (first,)


@dataclass(frozen=True, slots=True)
class Walk:
    """results: where a failed walk leaves its pictures."""

    stack: Stack
    browser: Browser
    results: Path
    language: Language = "ru"
    path: list[str] = field(default_factory=list)

    def t(self, key: str, **values: Any) -> str:
        """What the page says, with its no-break spaces as a browser's text has them for tests."""
        return TEXTS[self.language].say(key, **values).replace("\u00a0", " ").replace("\u202f", " ")

    @contextlib.asynccontextmanager
    async def person(
        self,
        path: str = "/",
        *,
        role: Role = "admin",
        bound: Bindings | None = None,
        script: bool = True,
        width: int = DESKTOP,
        quiet: bool = False,
    ) -> AsyncIterator[Page]:
        """A new person of this role signs in and opens the page."""
        login = f"{role.replace('_', '-')}{next(_COUNT)}"
        async with self.stack.pool.acquire() as conn:
            await add_user(conn, UserOrder(login=login, name=login, role=role, bound=bound or Bindings()))
            link = await make_link(conn, login, datetime.now(UTC), is_local=True)
        look = Look(language=self.language, width=width, script=script)
        results = self.results / login
        async with watched(self.browser, look, results, quiet=quiet) as page:
            await page.goto(self.stack.url + link)
            await self.press(page, "sign_in.enter")
            await page.wait_for_url(lambda url: "/sign-in/" not in url)
            await page.goto(self.stack.url + path)
            yield page

    def button(self, page: Page | Locator, key: str, **values: Any) -> Locator:
        return page.get_by_role("button", name=self.t(key, **values), exact=True)

    def link(self, page: Page | Locator, key: str, **values: Any) -> Locator:
        return page.get_by_role("link", name=self.t(key, **values), exact=True)

    async def press(self, page: Page | Locator, key: str, **values: Any) -> None:
        await self.button(page, key, **values).first.click()

    async def follow(self, page: Page | Locator, key: str, **values: Any) -> None:
        await self.link(page, key, **values).first.click()

    async def sees(self, page: Page, key: str, **values: Any) -> None:
        """The sentence stands in the content."""
        await expect(page.locator("#content")).to_contain_text(self.t(key, **values))

    async def hears(self, page: Page, key: str, **values: Any) -> None:
        """What was done is said."""
        await expect(page.locator("#toasts")).to_contain_text(self.t(key, **values))
