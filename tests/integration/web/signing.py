"""A browser that signs in: it keeps cookies and sends the forms of the page that it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

import aiohttp
import asyncpg
from argon2 import PasswordHasher

from gateway.admin.users import UserOrder, add_user
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.users import set_password
from gateway.web.process import PagesProcess
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Answer
from tests.integration.web.html import Element

PUBLIC = "https://calls.example.com"
PASSWORD = "long enough to keep"
PEOPLE = (
    UserOrder(login="olga", name="Ольга Зимина", role="admin"),
    UserOrder(login="anna", name="Анна", role="manager", bound=Bindings(account_id=ACCOUNT, employee="anna")),
)
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


async def let_people_in(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        for order in PEOPLE:
            await add_user(conn, order)
            await set_password(conn, order.login, CHEAP.hash(PASSWORD))


@dataclass(slots=True)
class Visitor:
    """host: the address that is typed. address: where from, as the gateway says."""

    http: aiohttp.ClientSession
    host: str = "localhost"
    address: str = "127.0.0.1"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    cookies_said: list[str] = field(default_factory=list)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self._asked("GET", path, None, headers)

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> Answer:
        return await self._asked("POST", path, aiohttp.FormData(list(form.items())), headers)

    async def send(self, page: Element, action: str, **filled: str) -> Answer:
        """Send the form of this page as it is filled in, its hidden fields among it."""
        form = page.all("form", action=action)[0]
        fields = {one["name"]: one.get("value") or "" for one in form.all("input") if one.get("name")}
        assert set(filled) <= set(fields) | {one["name"] for one in form.all("select")}, fields
        return await self.post(action, {**fields, **filled})

    async def sign_in(self, login: str, password: str, next: str = "") -> Answer:
        page = (await self.get(f"/sign-in?next={next}" if next else "/sign-in")).page
        return await self.send(page, "/sign-in", login=login, password=password)

    async def _asked(
        self, method: str, path: str, data: aiohttp.FormData | None, headers: Mapping[str, str]
    ) -> Answer:
        sent = {
            "Host": self.host,
            "Sec-Fetch-Site": "same-origin",
            "X-Callmatrix-Address": self.address,
            "User-Agent": PHONE,
            **self.headers,
            **headers,
        }
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.http.request(
            method, f"http://pages{path}", data=data, headers=sent, allow_redirects=False
        ) as answer:
            self._keep(answer.headers.getall("Set-Cookie", []))
            return Answer(answer.status, answer.headers.copy(), await answer.text())

    def _keep(self, said: list[str]) -> None:
        self.cookies_said += said
        for one in said:
            for name, morsel in SimpleCookie(one).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


@dataclass(frozen=True, slots=True)
class House:
    process: PagesProcess
    pool: asyncpg.Pool
    http: aiohttp.ClientSession

    def visitor(self, host: str = "localhost", address: str = "127.0.0.1") -> Visitor:
        return Visitor(self.http, host, address)

    async def signed_in(self, login: str = "anna") -> Visitor:
        visitor = self.visitor()
        answer = await visitor.sign_in(login, PASSWORD)
        assert answer.status == 303, answer.words
        return visitor
