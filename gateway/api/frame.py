"""What a resource declares: routes with their models, and the call that a handler receives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypeVar

from gateway.http.body import API_BODY, BodyLimit
from gateway.store.admin.accounts import Account, ApiToken
from gateway.store.admin.bindings import Bar, may_touch, why_not
from gateway.store.admin.roles import Role, may_act_as
from gateway.texts.sentences import FOR_OTHERS, TEXTS
from routing.texts.catalogue import Language, Texts

if TYPE_CHECKING:
    from gateway.services import Services


class ApiError(Exception):
    """A refusal with its status. code: kebab-case and stable. field: the name of the offending input.

    problems: further (field, message) pairs, for inputs with several.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        *,
        detail: str = "",
        field: str | None = None,
        problems: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(title)
        self.status, self.code, self.title = status, code, title
        self.detail, self.field, self.problems = detail, field, problems


def not_found(what: str, id: str) -> ApiError:
    return ApiError(404, f"no-such-{what}", f"There is no {what} '{id}'.")


class Body(BaseModel):
    """Base of everything that is sent to us: unknown keys are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Base of everything that we answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class CsvAnswer(NamedTuple):
    """A table instead of JSON, for a spreadsheet. file: what a browser saves it as. after: of the next page, None at the end;
    it goes out in the header `Link`, since a table has no place for it."""

    text: str
    file: str
    after: str | None = None


class FileAnswer(NamedTuple):
    """A file. headers: what it is and how it may be shown."""

    content: bytes
    headers: Mapping[str, str]


T = TypeVar("T")


class Items(Answer, Generic[T]):
    """A list. next: pass it as `after` to read on; null at the end."""

    items: list[T]
    next: str | None = None


class NoQuery(Body):
    pass


Q = TypeVar("Q", bound=Body, default=NoQuery)
B = TypeVar("B", bound=BaseModel | None, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Generic[Q, B]):
    """One request, authenticated and validated. path: the path's parameters. account: of the path's `{account}`."""

    services: Services
    who: ApiToken
    path: Mapping[str, str]
    query: Q
    body: B
    account_or_none: Account | None = None

    @property
    def account(self) -> Account:
        assert self.account_or_none is not None, "the route's path has no {account}"
        return self.account_or_none

    def texts(self, language: Language | None = None) -> Texts:
        """Return the sentences for whoever asks: to who may set nothing up they say whom to ask. language: None: the account's."""
        known = TEXTS if may_act_as(self.who.role, "admin") else FOR_OTHERS
        return known[language or self.account.settings.language]


AnyCall = ApiCall[Any, Any]
"""For what several handlers share and neither query nor body matters to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """path: below /api, e.g. "/v1/accounts/{account}/employees". errors: statuses beyond 400, 401, 403 and (with path
    parameters) 404.

    is_ones_own: of an employee (`{employee}` in the path), and open to who is bound to that one whatever the role.
    is_counter: of an employee's counter of working time: who is bound to counters may ask of these, and of no others.
    handler: takes `ApiCall[query, body]` and returns the answer, None = 204: what is validated and described is read off
    its signature.
    """

    method: str
    path: str
    handler: Callable[[AnyCall], Awaitable[BaseModel | CsvAnswer | FileAnswer | None]]
    summary: str
    role: Role = "admin"
    is_ones_own: bool = False
    is_counter: bool = False
    status: int = 200
    errors: tuple[int, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    most_body: BodyLimit = API_BODY
    query: type[Body] = field(init=False)
    body: type[BaseModel] | None = field(init=False)
    returns: type[BaseModel | CsvAnswer | FileAnswer] | None = field(init=False)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.handler)
        query, body = get_args(hints["call"]) or (NoQuery, NoneType)
        for name, model in (("query", query), ("body", body), ("returns", hints["return"])):
            object.__setattr__(self, name, None if model is NoneType else model)


def why_not_ask(route: Route, who: ApiToken, path: Mapping[str, str]) -> Bar | None:
    """Return what keeps this token from doing it to the employee, template or schedule that the path names. The account is
    judged elsewhere: another's does not exist for it."""
    return why_not(
        who.role,
        who.bound,
        route.role,
        employee=path.get("employee") if route.is_ones_own else None,
        template=path.get("template"),
        schedule=path.get("schedule"),
        counter=path.get("employee") if route.is_counter else None,
    )


def may_see(call: AnyCall, template: str | None = None, *, schedule: str | None = None) -> bool:
    """Whether the token's bindings let it see what is of this template or schedule; None: it is of none."""
    who = call.who
    return may_touch(who.role, who.bound, who.role, template=template, schedule=schedule)
