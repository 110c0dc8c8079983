"""A browser without script: asks for pages as somebody, and gives what stands on them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import asyncpg
from aiohttp import web

from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import Role
from gateway.web.person import Person
from gateway.web.process import PagesProcess
from routing.texts.catalogue import Language
from tests.integration.web.html import Element, parse

PERSON_HEADER, CSRF = "X-Test-Person", "the-token-of-this-session"


class KnownPeople:
    """Takes the tests' word for who asks."""

    people: dict[str, Person]

    def __init__(self) -> None:
        self.people = {}

    async def person_of(self, request: web.Request) -> Person | None:
        return self.people.get(request.headers.get(PERSON_HEADER, ""))

    def is_ours(self, request: web.Request, person: Person, token: str) -> bool:
        return token == person.csrf

    async def over(self, person: Person) -> None:
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Answer:
    """page: parsed, of an HTML answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def page(self) -> Element:
        return parse(self.text)

    @property
    def words(self) -> str:
        """All that a person reads, in one line."""
        return self.page.text

    @property
    def location(self) -> str:
        return self.headers["Location"]


@dataclass(frozen=True, slots=True)
class Browser:
    """One person's. headers: sent with every request."""

    http: aiohttp.ClientSession
    person: Person | None
    headers: Mapping[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self._asked("GET", path, None, headers)

    async def post(self, path: str, form: Mapping[str, Any] | None = None, **headers: str) -> Answer:
        """The form is sent with the token of the session; a sequence is sent as so many fields of its name."""
        fields: list[tuple[str, str]] = [("csrf", self.person.csrf if self.person else "")]
        for name, value in (form or {}).items():
            several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            fields += [(name, str(one)) for one in several]
        return await self._asked("POST", path, aiohttp.FormData(fields), headers)

    async def fragment(self, path: str) -> Answer:
        """As htmx asks."""
        return await self._asked("GET", path, None, {"HX-Request": "true"})

    async def _asked(self, method: str, path: str, data: Any, headers: Mapping[str, str]) -> Answer:
        sent = {"Sec-Fetch-Site": "same-origin", **self.headers, **headers}
        if self.person is not None:
            sent[PERSON_HEADER] = self.person.login
        async with self.http.request(
            method, f"http://localhost{path}", data=data, headers=sent, allow_redirects=False
        ) as answer:
            return Answer(
                answer.status, answer.headers.copy(), (await answer.read()).decode(errors="replace")
            )


@dataclass(frozen=True, slots=True)
class Site:
    process: PagesProcess
    pool: asyncpg.Pool
    http: aiohttp.ClientSession

    def as_(self, role: Role, *, language: Language = "ru", bound: Bindings | None = None) -> Browser:
        """A browser of somebody of this role."""
        known = self.process.signed_in
        assert isinstance(known, KnownPeople)
        login = f"{role}-{len(known.people)}"
        person = Person(
            login=login,
            name=f"{role} {login}",
            role=role,
            bound=bound or Bindings(),
            language=language,
            session=login,
            csrf=CSRF,
        )
        known.people[login] = person
        return Browser(self.http, person)

    @property
    def stranger(self) -> Browser:
        return Browser(self.http, None)

    def change(self, browser: Browser, **changes: Any) -> Browser:
        """The same person, changed meanwhile."""
        known = self.process.signed_in
        assert isinstance(known, KnownPeople)
        assert browser.person is not None
        known.people[browser.person.login] = replace(browser.person, **changes)
        return Browser(self.http, known.people[browser.person.login])
