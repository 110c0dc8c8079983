"""The CRM's moods, played by the sandbox's fault plan: what a read and a write make of each, and what reached the CRM."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from crm.amocrm.adapter import AmoCrm
from crm.amocrm.transport import Transport
from crm.budget import Budget
from crm.errors import (
    CrmBlocked,
    CrmError,
    CrmOutcomeUnknown,
    CrmTooLarge,
    CrmUnauthorised,
    CrmUnavailable,
)
from crm.lane import Lane
from crm.port import Keyed, Refused, Written
from crm.sandbox.server import Sandbox
from routing.effects import CreateContact
from runtime.circuit_breaker import CircuitBreaker
from runtime.exchange import Exchange
from tests.fakes.tokens import FixedToken

NUMBER = "+79995550001"


@dataclass
class Stage:
    """An adapter on a sandbox, and a hand on the sandbox's controls."""

    crm: AmoCrm
    sandbox: Sandbox
    session: aiohttp.ClientSession
    exchanges: list[Exchange]
    circuit: CircuitBreaker

    async def spoil(self, fault: str, method: str = "GET", path: str = "/api/v4/", **when: Any) -> None:
        rule = {"match": {"method": method, "path": path}, "fault": fault, **(when or {"nth": 1})}
        await self._post("/_sandbox/faults", {"rules": [rule]})

    async def mend(self) -> None:
        await self._post("/_sandbox/faults", {"rules": []})

    async def asked(self, method: str, path: str) -> int:
        async with self.session.get(f"{self.sandbox.url}/_sandbox/ledger") as response:
            rows = (await response.json())["requests"]
        return sum(1 for row in rows if row["method"] == method and row["path"].startswith(path))

    async def contacts(self) -> int:
        return len(await self.crm.find_by_number("contact", NUMBER, Lane.SYNC))

    async def create(self, count: int = 1, owner: str | None = None) -> list[Any]:
        orders = [CreateContact(name="New", number=NUMBER, owner_id=owner) for _ in range(count)]
        items = [Keyed(key=f"k-{n}", order=order) for n, order in enumerate(orders)]
        return await self.crm.create_contacts(items, Lane.EVENTS)

    async def _post(self, path: str, body: Any) -> None:
        async with self.session.post(f"{self.sandbox.url}{path}", json=body) as response:
            assert response.status < 300, await response.text()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    exchanges: list[Exchange] = []
    circuit = CircuitBreaker(first=0.2, random=lambda: 0.0)
    async with Sandbox(contacts=3) as sandbox, aiohttp.ClientSession() as session:
        crm = AmoCrm(
            sandbox.url,
            FixedToken(sandbox.url, sandbox.token()),
            Budget(7),
            session,
            transport=Transport(session, read_seconds=0.4, write_seconds=0.4),
            circuit=circuit,
            on_exchange=exchanges.append,
        )
        yield Stage(crm, sandbox, session, exchanges, circuit)


@pytest.mark.parametrize("fault", ["429", "500", "502", "504", "reset", "truncate", "hang", "answer_lost"])
async def test_a_read_survives_one_bad_answer(stage: Stage, fault: str) -> None:
    await stage.spoil(fault, path="/api/v4/account")
    assert (await stage.crm.account(Lane.SYNC)).id
    assert await stage.asked("GET", "/api/v4/account") == 2


async def test_a_read_gives_up_in_the_end(stage: Stage) -> None:
    await stage.spoil("500", always=True)
    with pytest.raises(CrmUnavailable):
        await stage.crm.account(Lane.SYNC)
    assert await stage.asked("GET", "/api/v4/account") == 4


@pytest.mark.parametrize("fault", ["500", "502", "reset", "truncate", "hang", "answer_lost"])
async def test_a_write_without_a_trustworthy_answer_is_sent_once_and_its_outcome_is_unknown(
    stage: Stage, fault: str
) -> None:
    await stage.spoil(fault, method="POST", path="/api/v4/contacts")
    with pytest.raises(CrmOutcomeUnknown) as caught:
        await stage.create()
    assert caught.value.is_outcome_unknown
    assert await stage.asked("POST", "/api/v4/contacts") == 1
    was_carried_out = fault in ("truncate", "answer_lost")
    assert await stage.contacts() == (1 if was_carried_out else 0)


async def test_a_throttled_write_is_sent_again_since_nothing_was_carried_out(stage: Stage) -> None:
    await stage.spoil("429", method="POST", path="/api/v4/contacts")
    [outcome] = await stage.create()
    assert isinstance(outcome, Written)
    assert await stage.contacts() == 1
    assert stage.crm.health().budget.throttled == 1


async def test_a_connection_that_cannot_be_made_carried_nothing_out(stage: Stage) -> None:
    nowhere = AmoCrm("http://127.0.0.1:1", FixedToken("http://127.0.0.1:1", "t"), Budget(7), stage.session)
    with pytest.raises(CrmUnavailable):
        await nowhere.create_contacts(
            [Keyed(key="k", order=CreateContact(name="N", number=NUMBER))], Lane.EVENTS
        )


async def test_a_batch_too_large_for_the_gateway_is_not_sent_again_unlooked(stage: Stage) -> None:
    await stage.spoil("504", method="POST", path="/api/v4/contacts")
    with pytest.raises(CrmTooLarge):
        await stage.create(8)
    assert await stage.asked("POST", "/api/v4/contacts") == 1


async def test_what_was_settled_before_an_unknown_outcome_comes_with_the_error(stage: Stage) -> None:
    await stage.spoil("reset", method="POST", path="/api/v4/contacts", nth=2)
    good = CreateContact(name="New", number=NUMBER)
    bad = CreateContact(name="New", number=NUMBER, owner_id="99999999")
    items = [Keyed(key="good", order=good), Keyed(key="bad", order=bad)]
    with pytest.raises(CrmOutcomeUnknown) as caught:
        await stage.crm.create_contacts(items, Lane.EVENTS)
    [settled] = caught.value.settled
    assert isinstance(settled, Refused)
    assert settled.key == "bad"


async def test_a_403_page_opens_the_circuit_and_one_probe_closes_it_again(stage: Stage) -> None:
    await stage.spoil("403", always=True)
    with pytest.raises(CrmBlocked):
        await stage.crm.account(Lane.SYNC)
    assert stage.crm.health().circuit.name == "open"
    for _ in range(5):
        with pytest.raises(CrmBlocked):
            await stage.crm.account(Lane.SYNC)
    assert await stage.asked("GET", "/api/v4/account") == 1
    await stage.mend()
    await _until_probe_may_go(stage)
    assert (await stage.crm.account(Lane.SYNC)).id
    assert stage.crm.health().circuit.name == "closed"


async def _until_probe_may_go(stage: Stage) -> None:
    at = stage.circuit.state.probe_at
    assert at is not None
    await asyncio.sleep(max(0.0, at - time.monotonic()))


async def test_a_refused_long_lived_token_says_what_to_do(stage: Stage) -> None:
    crm = AmoCrm(
        stage.sandbox.url, FixedToken(stage.sandbox.url, "not.a.token", "sales"), Budget(7), stage.session
    )
    with pytest.raises(CrmUnauthorised, match="callmatrix account add sales"):
        await crm.account(Lane.SYNC)


async def test_exchanges_are_told_without_secrets_and_whole_numbers(stage: Stage) -> None:
    await stage.create()
    await stage.contacts()
    told = repr(stage.exchanges)
    assert "POST" in told
    assert NUMBER not in told
    assert NUMBER[2:] not in told
    assert stage.sandbox.token().split(".")[2] not in told


async def test_a_redirect_is_not_followed(stage: Stage) -> None:
    seen: list[str] = []

    async def away(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", away)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/crm/of/ours"
    try:
        crm = AmoCrm(url, FixedToken(url, "secret"), Budget(7), stage.session)
        with pytest.raises(CrmError, match="redirected"):
            await crm.account(Lane.SYNC)
    finally:
        await runner.cleanup()
    assert set(seen) == {"/crm/of/ours/api/v4/account"}


async def test_no_second_holds_more_than_seven_requests(stage: Stage) -> None:
    await asyncio.gather(*(stage.crm.account(Lane(n % 4)) for n in range(30)))
    async with stage.session.get(f"{stage.sandbox.url}/_sandbox/rates") as response:
        most = (await response.json())["most"]
    assert max(most.values()) == 7
