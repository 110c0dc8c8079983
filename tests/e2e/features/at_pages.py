"""Somebody at the pages of the running stack: signs in with a password, reads pages, sends their forms."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from tests.integration.web.browser import Answer
from tests.integration.web.html import Element

PASSWORD = "long enough to keep"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser without script, with cookies of its own. url: of the gateway."""

    http: aiohttp.ClientSession
    url: str

    async def get(self, path: str) -> Answer:
        return await self._asked("GET", path, None)

    async def post(self, path: str, *fields: tuple[str, str]) -> Answer:
        return await self._asked("POST", path, aiohttp.FormData(list(fields)))

    async def send(self, page: Element, action: str, **filled: str | Sequence[str]) -> Answer:
        """Fill in the form of this page and send it, its hidden fields and what is ticked already among it."""
        form = page.all("form", action=action)[0]
        fields = [
            (one["name"], one.get("value") or "")
            for one in form.all("input")
            if one.get("name") not in (None, *filled)
            and (one.get("type") != "checkbox" or "checked" in one.attributes)
        ]
        for name, value in filled.items():
            assert form.all(name=name), f"the form {action} has no field {name}"
            fields += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return await self.post(action, *fields)

    async def sign_in(self, login: str) -> Answer:
        page = (await self.get("/sign-in")).page
        answer = await self.send(page, "/sign-in", login=login, password=PASSWORD)
        assert answer.status == 303, answer.words
        return answer

    async def _asked(self, method: str, path: str, data: aiohttp.FormData | None) -> Answer:
        headers: Mapping[str, str] = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "ru"}
        async with self.http.request(
            method, self.url + path, data=data, headers=headers, allow_redirects=False
        ) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.text())


@contextlib.asynccontextmanager
async def visiting(url: str, login: str) -> AsyncIterator[Visitor]:
    """Somebody who has signed in there."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        visitor = Visitor(http, url)
        await visitor.sign_in(login)
        yield visitor
