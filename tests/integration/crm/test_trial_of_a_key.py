"""A key is tried by the process that a person speaks to, while the worker of the account asks the CRM as fast as it may: the CRM
counts both as one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from crm.borrowed_budget import UNHEARD_SECONDS, BorrowedBudget
from crm.budget import WINDOW_SECONDS, Budget
from crm.effects.order import order
from crm.errors import CrmBudgetTaken
from crm.lane import Lane
from crm.lending import LONGEST_WAIT_SECONDS, Lending
from crm.sandbox.seed import CHECK_ID
from crm.store import loans
from gateway.admin.connect_crm import KeyNotTried, NewAccount, connect_account
from gateway.crm_accounts.access import CrmAccess, crm_of
from gateway.store.crm_accounts.webhooks import Grant
from routing.effects import CreateContact, Effect
from runtime.database.lease import Leases
from runtime.lifecycle import background
from tests.integration.crm.running_worker import ACCOUNT, CrmSite, crm_site
from tests.waiting import until

_RATE = 7
_RETURN = "https://example.com/crm/oauth"


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[CrmSite]:
    async with crm_site(pool, database_url, contacts=200) as made:
        await made.connect()
        yield made


async def _requests(site: CrmSite, since: float = 0.0) -> list[dict[str, Any]]:
    async with site.http.get(f"{site.sandbox.url}/_sandbox/ledger", params={"since": since}) as response:
        found: list[dict[str, Any]] = (await response.json())["requests"]
    return found


def _most_in_a_second(requests: list[dict[str, Any]]) -> int:
    at = sorted(r["at"] for r in requests)
    return max(sum(1 for other in at if one - 1.0 < other <= one) for one in at)


async def _trial(site: CrmSite) -> float:
    """How long the person waited."""
    began = time.monotonic()
    await connect_account(site.pool, NewAccount(id=ACCOUNT, long_lived_token=site.sandbox.token()), None)
    return time.monotonic() - began


@asynccontextmanager
async def _busy(site: CrmSite) -> AsyncIterator[None]:
    """Inside, the account's worker has more to write than the CRM allows."""

    async def calls() -> None:
        number = 79165550000
        while True:
            await _order_contact(site, f"+{number}")
            number += 1
            await asyncio.sleep(0.03)

    async with site.worker():
        await site.until("SELECT count(*) > 3 FROM sync_cursor WHERE last_success IS NOT NULL", seconds=60)
        calling = asyncio.create_task(calls())
        try:
            await until(lambda: _is_saturated(site), "the worker sends as much as it may", seconds=60)
            yield
        finally:
            calling.cancel()


async def _order_contact(site: CrmSite, number: str) -> None:
    effect = Effect(key="k", order=CreateContact(name="Клиент", number=number, owner_id=None))
    async with site.pool.acquire() as conn, conn.transaction():
        await order(
            conn,
            account_id=ACCOUNT,
            decision_id=number,
            call_id=None,
            client=number,
            lane=Lane.EVENTS,
            effects=[effect],
        )


async def _is_saturated(site: CrmSite) -> bool:
    return len(await _requests(site, time.time() - 3)) >= 15


async def _all_is_given_back(site: CrmSite) -> bool:
    return await site.pool.fetchval("SELECT count(*) = 0 FROM crm_loan") is True


@asynccontextmanager
async def _holder(site: CrmSite) -> AsyncIterator[None]:
    """Some process holds the account's lease, and answers nobody."""
    leases = Leases(site.dsn)
    async with leases.of(ACCOUNT):
        yield


@asynccontextmanager
async def _lender(site: CrmSite, budget: Budget, **more: Any) -> AsyncIterator[list[int]]:
    """Lends of this budget. Yields how often it asked whether the CRM answers."""
    asked: list[int] = []

    async def is_answering() -> bool:
        asked.append(1)
        return True

    lending = Lending(site.pool, ACCOUNT, budget, is_answering, look_seconds=0.05, **more)
    async with _holder(site), background(lending.run()):
        yield asked


async def test_trials_beside_a_busy_worker_stay_inside_what_the_crm_allows(site: CrmSite) -> None:
    async with _busy(site):
        waited: list[float] = []
        for _ in range(3):
            waited += await asyncio.gather(_trial(site), _trial(site))
        requests = await _requests(site)
    assert [r for r in requests if r["status"] == 429] == []
    assert _most_in_a_second(requests) == _RATE, "the worker was to be busy"
    assert max(waited) < 12, "two at once are two more lanes of four requests each"
    assert await _all_is_given_back(site)


async def test_a_return_from_the_page_of_consent_takes_its_requests_from_the_worker_too(
    site: CrmSite,
) -> None:
    asked = {"client_id": CHECK_ID, "redirect_uri": _RETURN, "approve": "1"}
    grant = Grant(account_id=ACCOUNT, client_id=CHECK_ID, client_secret="check-secret", redirect_uri=_RETURN)
    async with _busy(site):
        for _ in range(3):
            address = f"{site.sandbox.url}/oauth"
            async with site.http.get(address, params=asked, allow_redirects=False) as response:
                code = parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]
            await CrmAccess(site.pool, site.http).exchange_code(grant, code, "")
        requests = [r for r in await _requests(site) if r["integration"]]
    assert [r for r in requests if r["status"] == 429] == []
    assert _most_in_a_second(requests) == _RATE
    assert await _all_is_given_back(site)


async def test_a_command_that_works_for_the_account_itself_lends_as_a_worker_does(site: CrmSite) -> None:
    leases = Leases(site.dsn)
    async with leases.of(ACCOUNT) as lease, crm_of(site.pool, ACCOUNT, lease) as (opened, _policy):

        async def ask() -> None:
            while True:
                await opened.crm.account(Lane.EVENTS)

        asking = [asyncio.create_task(ask()) for _ in range(8)]
        try:
            await until(lambda: _is_saturated(site), "it asks as much as it may", seconds=60)
            await asyncio.gather(_trial(site), _trial(site))
        finally:
            for task in asking:
                task.cancel()
        requests = await _requests(site)
    assert [r for r in requests if r["status"] == 429] == []
    assert _most_in_a_second(requests) == _RATE


async def test_where_nobody_works_for_the_account_a_key_is_tried_at_once_one_request_a_second(
    site: CrmSite,
) -> None:
    began = time.time()
    await _trial(site)
    requests = await _requests(site)
    assert requests[0]["at"] - began < 1
    assert _most_in_a_second(requests) == 1


async def test_a_holder_that_says_nothing_keeps_nobody_waiting_for_long(site: CrmSite) -> None:
    async with _holder(site):
        began = time.time()
        await _trial(site)
        requests = await _requests(site)
    assert UNHEARD_SECONDS < requests[0]["at"] - began < 3 * UNHEARD_SECONDS
    assert _most_in_a_second(requests) == 1
    assert await _all_is_given_back(site)


async def test_while_the_crm_asks_to_wait_no_key_is_tried_and_the_person_is_told(site: CrmSite) -> None:
    budget = Budget(_RATE)
    budget.pause(100)
    async with _lender(site, budget):
        began = time.monotonic()
        with pytest.raises(KeyNotTried, match=r"could not be tried: .* another \d+ s"):
            await _trial(site)
        assert time.monotonic() - began < LONGEST_WAIT_SECONDS
    assert await _requests(site) == []
    assert await _all_is_given_back(site)


async def test_a_budget_that_is_taken_up_by_slow_answers_is_not_waited_for_without_end(site: CrmSite) -> None:
    budget = Budget(1)
    async with _lender(site, budget), budget.slot(Lane.EVENTS):
        with pytest.raises(CrmBudgetTaken, match="are taken"):
            async with BorrowedBudget(site.pool, ACCOUNT).slot(Lane.REALTIME):
                pytest.fail("there was none to lend")
    assert await _all_is_given_back(site)


async def test_a_loan_is_a_slot_of_the_lenders_until_a_second_after_it_was_given_back(site: CrmSite) -> None:
    budget = Budget(1)
    async with _lender(site, budget):
        async with BorrowedBudget(site.pool, ACCOUNT).slot(Lane.REALTIME):
            assert budget.use().in_flight == 1
        given_back_at = time.monotonic()
        async with budget.slot(Lane.BACKFILL):
            assert time.monotonic() - given_back_at > WINDOW_SECONDS


async def test_whoever_is_killed_with_a_loan_costs_a_slot_until_the_crm_is_known_to_answer(
    site: CrmSite,
) -> None:
    budget = Budget(1)
    async with _lender(site, budget, overdue_seconds=1.0) as asked, site.pool.acquire() as conn:
        loan_id = await loans.ask(conn, ACCOUNT)
        await site.until("SELECT state = 'lent' FROM crm_loan WHERE loan_id = $1", loan_id)
        async with asyncio.timeout(20), budget.slot(Lane.BACKFILL):
            assert asked == [1]
    assert await _all_is_given_back(site)


async def test_a_loan_without_an_answer_is_kept_until_the_crm_is_known_to_answer(site: CrmSite) -> None:
    budget = Budget(1)
    async with _lender(site, budget) as asked:
        async with BorrowedBudget(site.pool, ACCOUNT).slot(Lane.REALTIME) as slot:
            slot.lost()
        async with asyncio.timeout(20), budget.slot(Lane.BACKFILL):
            assert asked == [1]
    assert await _all_is_given_back(site)


async def test_what_a_killed_worker_has_lent_and_not_sent_is_asked_of_its_successor_again(
    site: CrmSite,
) -> None:
    async with _holder(site):
        waiting = asyncio.create_task(_trial(site))
        loan_id = await site.until("SELECT min(loan_id) FROM crm_loan")
        await site.value("UPDATE crm_loan SET state = 'seen' WHERE loan_id = $1", loan_id)
        await site.value(
            "UPDATE crm_loan SET state = 'lent', lent_at = now() - interval '2 seconds' WHERE loan_id = $1",
            loan_id,
        )
        await site.until("SELECT min(loan_id) > $1 FROM crm_loan", loan_id)
        assert await _requests(site) == [], "it was lent too long ago"
    async with _lender(site, Budget(_RATE)):
        await waiting
    assert await _all_is_given_back(site)
