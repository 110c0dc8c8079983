"""One account of the CRM stands under one name: a second one is refused at every door, in the same words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from crm.sandbox.server import Sandbox
from crm.store.metadata import connected_twice
from gateway.admin.connect_crm import NewAccount, connect_account
from gateway.admin.switch_account import CrmInUse
from gateway.health.checks import check_all
from gateway.settings import Settings
from gateway.store.admin.accounts import set_account_state
from tests.integration.api.client import Api
from tests.integration.api.command_line import callmatrix
from tests.integration.api.test_oauth_return import allowed, begun, come_back
from tests.waiting import until

REFUSED = "connected as 'one' already"


@pytest.fixture
async def sandbox(api: Api) -> AsyncIterator[Sandbox]:
    async with Sandbox(contacts=1) as running:
        await connect_account(api.pool, an_account(running, "one"), None)
        await _until_known(api, "one")
        yield running


def an_account(sandbox: Sandbox, id: str) -> NewAccount:
    """Under another address for each, so that only the CRM's own number tells that they are one."""
    url = sandbox.url.replace("127.0.0.1", "localhost") if id == "two" else sandbox.url
    return NewAccount(id=id, name=id, base_url=url, long_lived_token=sandbox.token(id))


async def _until_known(api: Api, account: str) -> None:
    await until(lambda: account in api.gateway.configuration.now.accounts, f"the gateway knows {account}")


async def _state(api: Api, account: str) -> Any:
    return await api.pool.fetchval("SELECT state FROM account WHERE account_id = $1", account)


async def _switch(api: Api, account: str, state: Any) -> None:
    async with api.pool.acquire() as conn:
        await set_account_state(conn, account, state)


async def test_a_second_name_is_refused_alike_by_api_command_line_and_consent(
    api: Api, sandbox: Sandbox, database_url: str
) -> None:
    new = an_account(sandbox, "two")
    body = {"id": "two", "url": new.base_url, "token": new.long_lived_token}
    told = await api.ask("POST", "/accounts", body=body, status=409)
    assert (told["code"], told["field"]) == ("crm-connected-already", "token")
    assert REFUSED in told["title"]
    words = ("account", "add", "two", "--url", sandbox.url, "--token", "-")
    said = await callmatrix(database_url, *words, stdin=f"{new.long_lived_token}\n")
    assert said.returncode == 1
    assert told["title"] in said.stderr
    assert told["detail"] in said.stderr
    assert await _state(api, "two") is None, "nothing is stored"
    state = await begun(api, sandbox.url, "three")
    status, page = await come_back(api, state=state, code=await allowed(api, sandbox))
    assert (status, REFUSED in page.replace("&#x27;", "'")) == (409, True)
    assert await _state(api, "three") == "off"


async def test_a_name_that_is_switched_off_makes_room_and_is_not_switched_on_beside_the_other(
    api: Api, sandbox: Sandbox, database_url: str
) -> None:
    await api.ask("PUT", "/accounts/one/state", body={"state": "off"})
    await connect_account(api.pool, an_account(sandbox, "two"), None)
    told = await api.ask("PUT", "/accounts/one/state", body={"state": "on"}, status=409)
    assert (told["code"], told["field"]) == ("crm-connected-already", "state")
    said = await callmatrix(database_url, "account", "on", "one")
    assert (said.returncode, told["title"] in said.stderr) == (1, True)
    with pytest.raises(CrmInUse):
        await connect_account(api.pool, an_account(sandbox, "one"), None)
    assert await _state(api, "one") == "off"
    await _until_known(api, "two")
    await api.ask("PUT", "/accounts/two/state", body={"state": "off"})
    await api.ask("PUT", "/accounts/one/state", body={"state": "on"})
    await api.ask("PUT", "/accounts/one/state", body={"state": "on"})


async def test_two_that_are_connected_at_once_are_one(api: Api, sandbox: Sandbox) -> None:
    await _switch(api, "one", "off")
    both = (connect_account(api.pool, an_account(sandbox, name), None) for name in ("two", "four"))
    ended = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["CrmInUse", "dict"]


async def test_two_that_stood_together_before_go_on_with_a_warning(
    api: Api, sandbox: Sandbox, database_url: str
) -> None:
    await _switch(api, "one", "off")
    await connect_account(api.pool, an_account(sandbox, "two"), None)
    await _switch(api, "one", "on")
    told = await connect_account(api.pool, an_account(sandbox, "two"), None)
    assert REFUSED in " ".join(told["say"])
    found = await check_all(Settings(database_url=database_url))
    assert "crm-connected-twice" in {finding.code for finding in found}
    await _switch(api, "two", "off")
    async with api.pool.acquire() as conn:
        assert await connected_twice(conn) == []
