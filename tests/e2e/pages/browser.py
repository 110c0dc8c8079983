"""Chromium, pages of people who are signed in, and what must hold of every page."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import Role
from gateway.web.person import Person, Theme
from routing.texts.catalogue import Language
from tests.e2e.pages.site import Site
from tests.integration.web.browser import CSRF, PERSON_HEADER
from tests.paths import ROOT

CHROMIUM = os.environ.get("CALLMATRIX_CHROMIUM", "/usr/bin/chromium")
AXE = ROOT / "node_modules/axe-core/axe.min.js"
DESKTOP, PHONE = 1440, 390
_HEIGHTS = {DESKTOP: 900, PHONE: 844}
_AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@contextlib.asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", *flags]
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True, slots=True)
class Pages:
    """results: where a failed test leaves its picture and what the browser's console said."""

    site: Site
    browser: Browser
    results: Path

    @contextlib.asynccontextmanager
    async def signed_in_page(
        self,
        path: str = "/",
        *,
        role: Role = "admin",
        bound: Bindings | None = None,
        language: Language = "ru",
        theme: Theme = "light",
        width: int = DESKTOP,
        script: bool = True,
        quiet: bool = True,
    ) -> AsyncIterator[Page]:
        """Open a page as somebody of this role. quiet: the console may say no error and no warning until the end."""
        person = self._somebody(role, bound, language, theme)
        look = Look(language=language, width=width, script=script)
        async with watched(self.browser, look, self.results, quiet=quiet, person=person.login) as page:
            await page.goto(self.site.address + path)
            yield page

    def _somebody(self, role: Role, bound: Bindings | None, language: Language, theme: Theme) -> Person:
        login = f"{role}-{len(self.site.people.people)}"
        person = Person(
            login=login,
            name="Ольга Зимина" if language == "ru" else "Olga Zimina",
            role=role,
            bound=bound or Bindings(),
            language=language,
            theme=theme,
            session=login,
            csrf=CSRF,
        )
        self.site.people.people[login] = person
        return person


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How somebody's browser is set up."""

    language: Language = "ru"
    width: int = DESKTOP
    script: bool = True


@contextlib.asynccontextmanager
async def watched(
    browser: Browser, look: Look, results: Path, *, quiet: bool = True, person: str = ""
) -> AsyncIterator[Page]:
    """Open an empty tab of a browser of its own. What is wrong at the end leaves its picture and what the console said in `results`.

    person: of those that the test names, "" = who signs in. No script may fail. quiet: the console may say no error and no warning either.
    """
    context = await browser.new_context(
        viewport={"width": look.width, "height": _HEIGHTS.get(look.width, 900)},
        extra_http_headers={PERSON_HEADER: person} if person else {},
        java_script_enabled=look.script,
        has_touch=look.width == PHONE,
        locale="ru-RU" if look.language == "ru" else "en-GB",
        timezone_id="Europe/Moscow",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error of a script: {error}"))
    try:
        yield page
        assert [line for line in said if line.startswith("error of a script")] == []
        if quiet:
            assert [line for line in said if line.startswith(("error", "warning"))] == []
    except BaseException:
        await _keep(page, said, results)
        raise
    finally:
        await context.close()


async def _keep(page: Page, said: list[str], results: Path) -> None:
    results.mkdir(parents=True, exist_ok=True)
    (results / "console.txt").write_text("\n".join([page.url, *said, ""]), encoding="utf-8")
    with contextlib.suppress(Exception):
        await page.screenshot(path=results / "page.png", full_page=True)
        (results / "page.html").write_text(await page.content(), encoding="utf-8")


_LAID_OUT = """async tags => {
  const flat = new CSSStyleSheet(), had = [...document.adoptedStyleSheets];
  flat.replaceSync(".cm-foot { position: static !important; }");
  document.adoptedStyleSheets = [...had, flat];
  try { return await axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']}); }
  finally { document.adoptedStyleSheets = had; }
}"""
# A bar that sticks to the window lies now on this control and now on that: how large a control is has nothing to do with it.


async def axe(page: Page) -> list[str]:
    """Return what axe finds of WCAG 2.2 A and AA, one line for each element."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate(
        _LAID_OUT,
        _AXE_TAGS,
    )
    return [
        f"{violation['id']}: {node['target'][0]} {node['failureSummary'].splitlines()[-1].strip()}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


async def no_overflow(page: Page) -> list[str]:
    """Return what stands out of the window to the right, where it is not inside something that scrolls by itself."""
    found: list[str] = await page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          const scrolls = element => element.closest('.cm-scroll, .cm-ladder, .cm-code, .cm-tabs');
          return [...document.querySelectorAll('body *')]
            .filter(element => !scrolls(element) && element.checkVisibility())
            .filter(element => element.getBoundingClientRect().right > width + 1)
            .map(element => `${element.tagName}.${element.getAttribute('class') || ''} ${Math.round(element.getBoundingClientRect().right)}`)
            .slice(0, 10);
        }"""
    )
    return found


async def small_targets(page: Page, least: int = 24) -> list[str]:
    """Return what is pressed and is smaller than a finger or a shaking hand needs; links within text may be."""
    found: list[str] = await page.evaluate(
        """least => [...document.querySelectorAll('button, summary, select, input:not([type=hidden]), a.cm-button, a.cm-nav-entry')]
          .filter(element => element.checkVisibility() && !element.closest('label') && !element.matches('.cm-unseen'))
          .map(element => [element, element.getBoundingClientRect()])
          .filter(([, box]) => box.width < least || box.height < least)
          .map(([element, box]) => `${element.outerHTML.slice(0, 80)} ${Math.round(box.width)}x${Math.round(box.height)}`)""",
        least,
    )
    return found
