"""A secret in an address is kept in the logs of every proxy: a connection may refuse it there."""

from __future__ import annotations

import asyncpg
import pytest

from gateway.pbx.kinds import KINDS
from tests.integration.pbx.running_gateway import add_connection, prepare, running_gateway

BEARER = {"Authorization": "Bearer demo"}


@pytest.mark.parametrize("is_refused", [True, False])
async def test_a_secret_in_the_address_counts_unless_it_is_refused(
    pool: asyncpg.Pool, database_url: str, is_refused: bool
) -> None:
    await prepare(pool)
    for kind in KINDS:
        await add_connection(pool, kind, kind, settings={"refuses_query_token": is_refused})
    wanted = 401 if is_refused else 200
    event = {"event": "newCall", "callId": "1", "from": "79001234567", "direction": "in"}
    async with running_gateway(pool, database_url) as pbx:
        for kind in KINDS:
            in_address = {"phone": "79001234567", "token": "demo"}
            for _ in range(2):  # the second time the gateway may remember the first
                assert (await pbx.ask(kind, params=in_address))[0] == wanted, kind
            assert (await pbx.ask(kind, params={"phone": "79001234567"}, headers=BEARER))[0] == 200, kind
        assert (await pbx.tell("generic", json=event, params={"token": "demo"}))[0] == wanted
        assert (await pbx.tell("generic", json=event, headers=BEARER))[0] == 200
