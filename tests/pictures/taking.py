"""Taking the pictures: a browser for each person of the demo, and WebP, which the browser itself compresses."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from tests.pictures.shots import FRAMED, PHONE, SMALL, Shot

_CONTACT = re.compile(r"/contacts/detail/(\d+)")

_HEIGHTS = {PHONE: 844, SMALL: 480, FRAMED: 300}
_FINENESS = ((82, 1.0), (70, 1.0), (58, 1.0), (62, 0.85), (50, 0.85), (42, 0.8), (32, 0.8))
"""What is tried until it is small enough: the quality of the compression, and the size in parts of the page's."""
MOST_BYTES = 60_000


class NotTaken(Exception):
    """The page did not answer with what was to be seen."""


@dataclass
class Camera:
    """doors: by role the address that lets its person in, once. token: of an administrator of the API, for frames. out: the folder of the pictures, one folder for each language.
    png: a folder for whoever looks at them one by one, None = none."""

    browser: Browser
    url: str
    doors: Mapping[str, str]
    token: str
    out: Path
    png: Path | None = None
    _signed_in: dict[str, BrowserContext] = field(default_factory=dict)
    _likings: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def take(self, shot: Shot, language: str) -> int:
        """Return how many bytes the picture has. Raises NotTaken."""
        context = await self._context(shot.role, language)
        if shot.role:
            await self._like(shot.role, language, shot.theme)
        page = await context.new_page()
        try:
            await page.set_viewport_size({"width": shot.width, "height": _HEIGHTS.get(shot.width, 900)})
            await self._open(page, shot)
            return await self._keep(page, shot, language)
        finally:
            await page.close()

    async def _context(self, role: str, language: str) -> BrowserContext:
        """Return the browser of somebody of this role, "" = one of nobody, who reads this language."""
        if not role or role not in self._signed_in:
            context = await self.browser.new_context(
                timezone_id="Europe/Moscow", reduced_motion="reduce", device_scale_factor=1, locale=language
            )
            if not role:
                return context
            page = await context.new_page()
            await page.goto(self.doors[role])
            await page.click("form button[type=submit]")
            await page.close()
            self._signed_in[role] = context
        return self._signed_in[role]

    async def _like(self, role: str, language: str, theme: str) -> None:
        if self._likings.get(role) == (language, theme):
            return
        page = await self._signed_in[role].new_page()
        await page.goto(f"{self.url}/me/account")
        await page.select_option("[name=language]", language)
        await page.select_option("[name=theme]", theme)
        await page.click("form[action*='/liking'] button[type=submit]")
        await page.close()
        self._likings[role] = (language, theme)

    async def _open(self, page: Page, shot: Shot) -> None:
        await self._goto(page, f"{self.url}{shot.path}", shot)
        if shot.follow:
            link = await page.locator(shot.follow).first.get_attribute("href", timeout=5_000)
            await self._goto(page, f"{self.url}{link}{shot.then}", shot)
        if shot.frame:
            await self._goto(page, await self._frame(page, shot.frame), shot)
        for selector, value in shot.fill.items():
            await page.fill(selector, value)
        if shot.press:
            await page.locator(shot.press).first.click()
            await page.wait_for_timeout(1_500)

    async def _frame(self, page: Page, name: str) -> str:
        """Return the address of a page within the CRM, opened for the administrator."""
        about = {}
        if name == "card":
            found = _CONTACT.search(await page.content())
            if found is None:
                raise NotTaken("no contact is named on the page")
            about = {"kind": "contact", "id": found[1]}
        answer = await page.context.request.post(
            f"{self.url}/api/v1/accounts/demo/frames",
            headers={"Authorization": f"Bearer {self.token}"},
            data={"page": name, "login": "olga", **about},
        )
        if not answer.ok:
            raise NotTaken(f"the frame was refused: {await answer.text()}")
        address: str = (await answer.json())["address"]
        return address

    async def _goto(self, page: Page, address: str, shot: Shot) -> None:
        answer = await page.goto(address, wait_until="load")
        if answer is None or answer.status != 200:
            raise NotTaken(f"{shot.name}: {address} answered {answer and answer.status}")
        await page.evaluate("document.fonts.ready")
        await page.wait_for_timeout(400)

    async def _keep(self, page: Page, shot: Shot, language: str) -> int:
        await page.bring_to_front()
        high = min(await page.evaluate("document.documentElement.scrollHeight"), shot.most)
        await page.set_viewport_size({"width": shot.width, "height": max(high, 300)})
        await page.mouse.move(0, 0)
        if self.png is not None:
            folder = self.png / language
            folder.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=folder / f"{shot.name}.png")
        picture = await _compressed(page)
        file = self.out / language / f"{shot.name}.webp"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture)
        return len(picture)


async def _compressed(page: Page) -> bytes:
    """Return it as WebP, coarser where it would be too large."""
    devtools = await page.context.new_cdp_session(page)
    size = page.viewport_size
    assert size is not None
    picture = b""
    for quality, scale in _FINENESS:
        clip = {"x": 0, "y": 0, **size, "scale": scale}
        told: dict[str, Any] = await devtools.send(
            "Page.captureScreenshot", {"format": "webp", "quality": quality, "clip": clip}
        )
        picture = base64.b64decode(told["data"])
        if len(picture) <= MOST_BYTES:
            break
    return picture
