"""What a resource declares: routes with their models, and the call that a handler receives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from gateway.store.admin.accounts import Account, ApiToken, Role

if TYPE_CHECKING:
    from gateway.api.services import Services

ROLES: Mapping[str, int] = {"read_only": 0, "manager": 1, "senior_manager": 2, "admin": 3}


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


T = TypeVar("T")


class Items(Answer, Generic[T]):
    """A list. next: pass it as `after` to read on; null at the end."""

    items: list[T]
    next: str | None = None


class NoQuery(Body):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One request, authenticated and validated. path: the path's parameters. account: of the path's `{account}`."""

    services: Services
    who: ApiToken
    path: Mapping[str, str]
    query: Any
    body: Any
    account_or_none: Account | None = None

    @property
    def account(self) -> Account:
        assert self.account_or_none is not None, "the route's path has no {account}"
        return self.account_or_none


Handler = Callable[[ApiCall], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """path: below /api, e.g. "/v1/accounts/{account}/employees". returns: None = 204. errors: statuses beyond
    400, 401, 403 and (with path parameters) 404."""

    method: str
    path: str
    handler: Handler
    summary: str
    role: Role = "admin"
    query: type[Body] = NoQuery
    body: type[BaseModel] | None = None
    returns: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = field(default_factory=tuple)
