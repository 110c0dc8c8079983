"""What a request has just created the next request finds, in the same process and in another."""

from __future__ import annotations

import asyncio

import pytest

from gateway.store.admin import accounts
from tests.integration.api.client import ACCOUNT, Api

TIMES = 8


async def _told(api: Api, name: str, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    async with api.http.post(f"{api.url}/pbx/{name}/events", json={"ping": 1}, headers=headers) as response:
        return response.status


async def test_a_connection_is_known_to_pbxs_and_a_token_to_the_api_at_once(api: Api) -> None:
    for n in range(TIMES):
        new = {"name": f"pbx{n}", "kind": "generic"}
        made = await api.ask("POST", "{a}/connections", status=201, body=new)
        assert await _told(api, f"pbx{n}", made["secret"]) != 401
        changed = await api.ask("PATCH", f"{{a}}/connections/pbx{n}", body={"new_secret": True})
        assert await _told(api, f"pbx{n}", made["secret"]) == 401
        assert await _told(api, f"pbx{n}", changed["secret"]) != 401
        token = await api.ask("POST", "/tokens", status=201, body={"name": f"t{n}", "role": "admin"})
        api.tokens["new"] = token["token"]
        await api.ask("DELETE", f"/tokens/t{n}", role="new", status=204)
        await api.ask("GET", "/tokens", role="new", status=401)


async def test_what_another_process_has_just_made_is_there(api: Api) -> None:
    """Written straight into the database, as another process does: this one only hears of it."""
    for n in range(TIMES):
        async with api.pool.acquire() as conn:
            await accounts.add_account(conn, account_id=f"a{n}", name="New", base_url=f"http://a{n}.example")
        assert (await api.ask("GET", f"/accounts/a{n}"))["id"] == f"a{n}"


async def test_what_is_nowhere_is_said_so_soon_however_many_ask(api: Api) -> None:
    async with asyncio.timeout(10):
        for told in await asyncio.gather(
            *(api.ask("GET", f"/accounts/none{n}", status=404) for n in range(200)),
            *(api.ask("GET", f"/accounts/{ACCOUNT}") for _ in range(50)),
        ):
            assert told.get("id") == ACCOUNT or told["status"] == 404


@pytest.mark.parametrize("gone", ["connections/office", "employees/anna"])
async def test_what_was_just_removed_is_gone(api: Api, gone: str) -> None:
    await api.ask("DELETE", f"{{a}}/{gone}", status=204)
    name = gone.partition("/")[2]
    now = api.gateway.configuration.now
    assert name not in now.connections
    assert name not in {p.id for p in now.staff[ACCOUNT].employees}
