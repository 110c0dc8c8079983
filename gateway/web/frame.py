"""What a page declares: its address, who may open it, and the call that its handler receives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import NoneType
from typing import Any, Generic, Literal, get_args, get_type_hints
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypeVar

from gateway.services import Services
from gateway.store.admin.accounts import Account
from gateway.store.admin.bindings import may_touch
from gateway.store.admin.roles import Role
from gateway.store.frames.frame_tokens import FrameToken
from gateway.web.links import address
from gateway.web.person import Person, SignedIn
from gateway.web.words.words import Words
from routing.texts.catalogue import Phrase, Texts
from runtime.database.pool import Conn

NavName = Literal[
    "now", "calls", "missed", "matrix", "distribution", "shifts", "messages", "setup", "desk", ""
]
"""Of the navigation; "": the page belongs to none."""
Frame = Literal["inside", "alone", "framed"]
"""inside: for who is signed in. alone: for anybody, before signing in. framed: shown within the CRM, narrow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed:
    """What opened a page within the CRM. secret: as it stands in the address. host: of the site that shows it."""

    secret: str
    host: str
    token: FrameToken


class PageQuery(BaseModel):
    """Of an address. What a page does not know is passed over: addresses get marks of mail programs and messengers."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Form(BaseModel):
    """What a form sends. A field of a tuple takes all values of its name, others the last; "" = not filled in."""

    model_config = ConfigDict(extra="ignore", frozen=True, arbitrary_types_allowed=True)


class NoPageQuery(PageQuery):
    pass


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer made of a template. values: beside those that every template has (gateway/web/render.py). is_typed: it shows what a
    form sent and nobody saved, and no secret: back leads to it again."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_typed: bool = False


@dataclass(frozen=True, slots=True)
class SeeOther:
    """The browser goes on to another address of ours. said: a toast that is shown there."""

    path: str
    said: Phrase | None = None


PageAnswer = Shown | SeeOther | web.StreamResponse


PAGE_ROLES = web.AppKey("page-roles", Mapping[str, Role])
"""By the declared path of a page, the least that may open it."""
FRAMES = "/frame/"
"""Below this stand the pages that are shown within the CRM."""


class PageRefused(Exception):
    """A page in words instead of the one that was asked for. code: of the sentences "refused.<code>.title" and ".detail"."""

    def __init__(self, status: int, code: str, **values: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.values = status, code, values


def page_not_found(what: str = "page") -> PageRefused:
    """Make the refusal. what: "page", "call", … as the sentences "refused.no-such-<what>" have it."""
    return PageRefused(404, f"no-such-{what}")


Q = TypeVar("Q", bound=PageQuery, default=NoPageQuery)
F = TypeVar("F", bound=Form | None, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCall(Generic[Q, F]):
    """One request of a person who may make it, validated. form: of a POST. is_fragment: htmx asked for a part of the page.

    several_accounts: the person may see more than one, so that addresses name it. counts: of what waits behind entries of the
    navigation, once the handler has answered; so is crm_away: why the CRM takes nothing, None = it does. framed: None = it is no page within the CRM.
    """

    services: Services
    signed_in: SignedIn
    request: web.Request
    who: Person
    account_or_none: Account | None
    several_accounts: bool
    path: Mapping[str, str]
    query: Q
    form: F
    texts: Texts
    words: Words
    now: datetime
    is_fragment: bool = False
    framed: Framed | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    crm_away: Phrase | None = None

    @property
    def account(self) -> Account:
        assert self.account_or_none is not None, "the page is declared to need no account"
        return self.account_or_none

    @property
    def is_framed(self) -> bool:
        return self.request.path.startswith(FRAMES)

    @property
    def zone(self) -> ZoneInfo:
        return self.words.zone

    def here(self, path: str, **query: Any) -> str:
        """Return an address of ours, in the account that is looked at. None and "" among the values are left out. Frames are
        opened by what opened this one, and nothing else is."""
        if self.framed is not None and path.startswith(FRAMES):
            return address(path, token=self.framed.secret, **query)
        if self.several_accounts and self.account_or_none is not None:
            query.setdefault("account", self.account_or_none.id)
        return address(path, **query)

    def may(
        self,
        needed: Role,
        *,
        template: str | None = None,
        schedule: str | None = None,
        employee: str | None = None,
    ) -> bool:
        """Whether the person may do what asks for `needed`, to the named things."""
        return may_touch(
            self.who.role, self.who.bound, needed, template=template, schedule=schedule, employee=employee
        )

    def may_open(self, path: str) -> bool:
        """Whether the page that is declared with this path is one for the person: a link is drawn to no other."""
        role = self.request.app[PAGE_ROLES].get(path)
        return role is not None and self.may(role)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Conn]:
        async with self.services.pool.acquire() as conn:
            yield conn


AnyPageCall = PageCall[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRoute:
    """path: with `{names}`. role: the least that may open it. is_ones_own: a page of an employee (`{employee}` in the
    path, or none at all), open to who is bound to that one whatever the role.

    needs_account: without one the person is led to the first run. configures: after a POST the account is read anew, before
    the answer goes out.
    """

    method: Literal["GET", "POST"]
    path: str
    handler: Callable[[Any], Awaitable[PageAnswer]]
    role: Role = "admin"
    entry: NavName = ""
    frame: Frame = "inside"
    is_ones_own: bool = False
    needs_account: bool = True
    configures: bool = False
    query: type[PageQuery] = field(init=False)
    form: type[Form] | None = field(init=False)

    def __post_init__(self) -> None:
        query, form = get_args(get_type_hints(self.handler)["call"]) or (NoPageQuery, NoneType)
        object.__setattr__(self, "query", query)
        object.__setattr__(self, "form", None if form is NoneType else form)
