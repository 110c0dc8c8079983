"""Who looks at the pages: a person who signed in, with what they may and how they like to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from aiohttp import web

from gateway.store.admin.audit import Actor
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import Role, may_act_as
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language

Theme = Literal["system", "light", "dark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """session: its id, for the list of sessions, not the secret. csrf: the token that forms of this session bring back."""

    login: str
    name: str
    role: Role
    bound: Bindings
    language: Language = DEFAULT_LANGUAGE
    theme: Theme = "system"
    session: str = ""
    csrf: str = ""

    @property
    def sees_numbers(self) -> bool:
        """Whole phone numbers; who may only look sees them masked."""
        return may_act_as(self.role, "manager")

    def may(self, needed: Role) -> bool:
        return may_act_as(self.role, needed)

    def actor(self, address: str) -> Actor:
        return Actor(
            kind="user",
            name=self.login,
            door="pages",
            address=address,
            role=self.role,
            bound=self.bound,
            session=self.session or None,
        )


class SignedIn(Protocol):
    """Tells who a request is from."""

    async def person_of(self, request: web.Request) -> Person | None:
        """None: nobody is signed in, or the session is over."""
        ...

    def is_ours(self, request: web.Request, person: Person, token: str) -> bool:
        """Whether a form comes from a page of ours, of this session. token: what the form brought."""
        ...

    async def over(self, person: Person) -> None:
        """Return when this session has ended."""
        ...
