"""Who may do what: every operation that the API describes, asked by every kind of token, does what its description says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from gateway.api.frame import Answer, AnyCall, Route, why_not_ask
from gateway.store.admin import accounts
from gateway.store.admin.accounts import ApiToken
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import ROLES, Role
from runtime.tokens import hash_of
from tests.integration.api.client import ACCOUNT, Api
from tests.waiting import until

NOWHERE = "nothing-of-this-name"
REFUSED = {401, 429}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    role: str
    statuses: frozenset[int]
    has_body: bool
    named: Mapping[str, str]

    @property
    def is_of_account(self) -> bool:
        return "{account}" in self.path


_OPENS_MORE = {
    "/api/v1/accounts/{account}/templates/{template}/hook",
    "/api/v1/accounts/{account}/triggers/{trigger}/hook",
}
"""Addresses that hold the account's secret: nobody who is bound is shown them."""
_BOUND = {"template": "t", "schedule": "s"}
"""What the bound token below may touch; there is none of it."""


def _nobodys(schema: dict[str, Any]) -> str:
    """A value of a path that there is nothing of; of a closed set its first."""
    if "enum" in schema:
        return str(schema["enum"][0])
    return NOWHERE if re.fullmatch(schema.get("pattern", ".*"), NOWHERE) else "999999"


def operations(description: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in description["paths"].items():
        for method, said in methods.items():
            yield Operation(
                method.upper(),
                path,
                said.get("x-role", ""),
                frozenset(int(status) for status in said["responses"]),
                "requestBody" in said,
                {
                    p["name"]: _BOUND.get(p["name"]) or _nobodys(p["schema"])
                    for p in said["parameters"]
                    if p["in"] == "path"
                },
            )


@pytest.fixture
async def described(api: Api) -> AsyncIterator[list[Operation]]:
    async with api.http.get(f"{api.url}/api/openapi.json") as response:
        yield list(operations(await response.json()))


async def _ask(api: Api, operation: Operation, token: str | None) -> tuple[int, str]:
    """(status, body). What the path names beside the account is not there, and no body is valid: nothing is changed."""
    path = operation.path.format_map({**operation.named, "account": ACCOUNT})
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {NOWHERE: 1} if operation.has_body else None
    async with api.http.request(
        operation.method,
        api.url + path,
        json=body,
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=30),
    ) as response:
        return response.status, await response.text()


async def test_every_operation_says_which_role_it_takes(described: list[Operation]) -> None:
    assert len(described) > 60
    assert [f"{o.method} {o.path}" for o in described if o.role not in ROLES] == []
    assert [f"{o.method} {o.path}" for o in described if not {401, 403, 429} <= o.statuses] == []


async def test_nobody_without_a_valid_token_is_let_in_anywhere(api: Api, described: list[Operation]) -> None:
    nobody = {f"{o.method} {o.path}": (await _ask(api, o, None))[0] for o in described}
    assert set(nobody.values()) == {401}
    stranger = {f"{o.method} {o.path}": (await _ask(api, o, "wrong"))[0] for o in described}
    assert set(stranger.values()) == REFUSED


async def _are_known(api: Api, *tokens: str) -> bool:
    return {hash_of(token) for token in tokens} <= api.gateway.configuration.now.tokens.keys()


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_do_what_is_described_and_nothing_else(
    api: Api, described: list[Operation], role: Role
) -> None:
    bound = Bindings(account_id=ACCOUNT, employee="anna", templates=("t",), schedules=("s",))
    async with api.pool.acquire() as conn:
        free = await accounts.add_api_token(conn, name=f"free {role}", role=role)
        anna = await accounts.add_api_token(conn, name=f"anna {role}", role=role, bound=bound)
    await until(lambda: _are_known(api, free, anna), "the tokens are known")
    wrong = []
    for operation in described:
        for token in (free, anna):
            is_named_to_them = token == anna and "{schedule}" in operation.path and role == "manager"
            needed = "manager" if is_named_to_them else operation.role
            is_allowed = ROLES.index(role) >= ROLES.index(min(needed, operation.role, key=ROLES.index))
            status, said = await _ask(api, operation, token)
            expected = status in operation.statuses - {401, 403, 429} if is_allowed else status == 403
            is_of_account = (
                token == anna and status == 403 and ("own account" in said or operation.path in _OPENS_MORE)
            )
            if not expected and not is_of_account:
                wrong.append((operation.method, operation.path, status, said[:200]))
    assert wrong == []


async def test_a_token_of_another_account_learns_nothing_of_this_one(
    api: Api, described: list[Operation]
) -> None:
    wrong = []
    for operation in described:
        status, said = await _ask(api, operation, api.tokens["other"])
        if operation.is_of_account:
            is_right = status == 404 and '"no-such-account"' in said
        else:
            is_right = status in operation.statuses - {401, 429} and f'"{ACCOUNT}"' not in said
        if not is_right:
            wrong.append((operation.method, operation.path, status, said[:200]))
    assert wrong == []


async def _nothing(call: AnyCall) -> Answer | None:
    return None


def test_bindings_are_judged_where_a_path_names_what_is_bound() -> None:
    bound = Bindings(account_id=ACCOUNT, employee="anna", templates=("t",), schedules=("s",))
    who = ApiToken(token_hash="", name="x", role="manager", account_id=ACCOUNT, expires_at=None, bound=bound)
    route = Route(method="GET", path="/x", handler=_nothing, summary="", role="manager")
    assert why_not_ask(route, who, {"template": "t", "schedule": "s"}) is None
    assert why_not_ask(route, who, {"template": "u"}) == "template"
    assert why_not_ask(route, who, {"schedule": "u"}) == "schedule"
    own = Route(method="GET", path="/x", handler=_nothing, summary="", role="admin", is_ones_own=True)
    assert why_not_ask(own, who, {"employee": "anna"}) is None
    assert why_not_ask(own, who, {"employee": "boris"}) == "role"
    other = Route(method="DELETE", path="/x", handler=_nothing, summary="", role="admin")
    assert why_not_ask(other, who, {"employee": "anna"}) == "role"
