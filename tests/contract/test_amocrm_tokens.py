"""The authorisation of an account against the sandbox's OAuth, with the tokens in PostgreSQL."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from crm.amocrm.adapter import AmoCrm
from crm.amocrm.store import PgTokenStore
from crm.amocrm.tokens import (
    StoredToken,
    Tokens,
    exchange_code,
    long_lived,
    status_of,
)
from crm.amocrm.transport import Transport
from crm.budget import Budget
from crm.errors import CrmRefused, CrmUnauthorised, CrmUnavailable, ReconnectNeeded
from crm.lane import Lane
from crm.sandbox.seed import CHECK_ID
from crm.sandbox.server import Sandbox

RETURN = "https://example.com/crm/oauth"
CLIENT = {"client_id": CHECK_ID, "client_secret": "check-secret", "redirect_uri": RETURN}
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass
class Stage:
    sandbox: Sandbox
    session: aiohttp.ClientSession
    store: PgTokenStore
    pool: asyncpg.Pool
    now: datetime

    def tokens(self, base_url: str | None = None, budget: Budget | None = None) -> Tokens:
        """As one process has them."""
        return Tokens(
            "sales",
            base_url or self.sandbox.url,
            self.store,
            Transport(self.session, write_seconds=1.0),
            budget or Budget(7),
            now=lambda: self.now,
        )

    async def code(self) -> str:
        asked = {"client_id": CLIENT["client_id"], "redirect_uri": RETURN, "approve": "1"}
        async with self.session.get(
            f"{self.sandbox.url}/oauth", params=asked, allow_redirects=False
        ) as response:
            assert response.status == 302, await response.text()
            return parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]

    async def connect(self) -> StoredToken:
        token = await exchange_code(
            Transport(self.session), self.sandbox.url, code=await self.code(), now=lambda: self.now, **CLIENT
        )
        return await self.store.save(token)

    async def spoil(self, fault: str) -> None:
        rule = {"match": {"path": "/oauth2/access_token"}, "nth": 1, "fault": fault}
        async with self.session.post(
            f"{self.sandbox.url}/_sandbox/faults", json={"rules": [rule] if fault else []}
        ) as response:
            assert response.status < 300

    async def refreshes(self) -> int:
        """Requests to the token endpoint, the code's included."""
        async with self.session.get(f"{self.sandbox.url}/_sandbox/ledger") as response:
            rows = (await response.json())["requests"]
        return sum(1 for row in rows if row["path"] == "/oauth2/access_token")

    async def stored(self) -> StoredToken:
        token = await self.store.read()
        assert token is not None
        return token


@pytest.fixture
async def stage(pool: asyncpg.Pool) -> AsyncIterator[Stage]:
    await pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret) VALUES ('sales', 'S', 'http://x', 's')"
    )
    async with Sandbox(contacts=2) as sandbox, aiohttp.ClientSession() as session:
        yield Stage(sandbox, session, PgTokenStore(pool, "sales"), pool, NOW)


async def test_a_code_brings_a_pair_that_the_api_takes(stage: Stage) -> None:
    await stage.connect()
    crm = AmoCrm(stage.sandbox.url, stage.tokens(), Budget(7), stage.session)
    assert (await crm.account(Lane.SYNC)).id
    assert await stage.refreshes() == 1


async def test_a_code_is_good_once(stage: Stage) -> None:
    code = await stage.code()
    transport = Transport(stage.session)
    await exchange_code(transport, stage.sandbox.url, code=code, **CLIENT)  # type: ignore[arg-type]
    with pytest.raises((CrmUnauthorised, CrmRefused)):
        await exchange_code(transport, stage.sandbox.url, code=code, **CLIENT)  # type: ignore[arg-type]


async def test_twenty_callers_in_two_processes_refresh_once_ahead_of_expiry(stage: Stage) -> None:
    old = await stage.connect()
    one, other = stage.tokens(), stage.tokens()
    assert await one.access_token() == old.access_token
    stage.now += timedelta(hours=23)
    got = await asyncio.gather(*(tokens.access_token() for tokens in (one, other) for _ in range(10)))
    assert len(set(got)) == 1
    assert got[0] != old.access_token
    assert await stage.refreshes() == 2
    stored = await stage.stored()
    assert (stored.access_token, stored.generation, stored.refresh_sent_at) == (got[0], 2, None)


async def test_fifty_requests_with_a_dead_token_cost_one_refresh(stage: Stage) -> None:
    await stage.store.save(replace(await stage.connect(), access_token="dead"))
    budget = Budget(7)
    crm = AmoCrm(stage.sandbox.url, stage.tokens(budget=budget), budget, stage.session)
    accounts = await asyncio.gather(*(crm.account(Lane.SYNC) for _ in range(50)))
    assert len(accounts) == 50
    assert await stage.refreshes() == 2
    assert budget.use().lanes[Lane.SYNC].requests <= 50 + 14  # only those under way met the dead token


async def test_a_refresh_that_was_answered_but_lost_is_recognised_and_says_what_to_do(stage: Stage) -> None:
    await stage.connect()
    stage.now += timedelta(hours=25)
    await stage.spoil("answer_lost")
    with pytest.raises(CrmUnavailable):
        await stage.tokens().access_token()
    assert (await stage.stored()).refresh_sent_at is not None
    later = stage.tokens()  # after a restart
    with pytest.raises(ReconnectNeeded, match="callmatrix account add sales") as caught:
        await later.access_token()
    assert caught.value.reason == "refresh-lost"
    status = await later.status()
    assert status.warning == "broken"
    assert "never arrived" in status.message
    asked = await stage.refreshes()
    with pytest.raises(ReconnectNeeded):
        await later.access_token()
    assert await stage.refreshes() == asked  # the same question would bring the same answer
    await stage.connect()
    assert await later.access_token() == (await stage.stored()).access_token
    assert (await later.status()).warning is None


async def test_a_refresh_that_never_reached_the_crm_is_simply_sent_again(stage: Stage) -> None:
    await stage.connect()
    stage.now += timedelta(hours=25)
    await stage.spoil("reset")
    tokens = stage.tokens()
    with pytest.raises(CrmUnavailable):
        await tokens.access_token()
    assert await tokens.access_token() == (await stage.stored()).access_token
    assert (await stage.stored()).generation == 2


async def test_a_token_that_is_still_good_is_used_while_its_refresh_fails(stage: Stage) -> None:
    old = await stage.connect()
    stage.now += timedelta(hours=23)
    await stage.spoil("500")
    tokens = stage.tokens()
    assert await tokens.access_token() == old.access_token
    assert await tokens.access_token() == old.access_token
    assert await stage.refreshes() == 2  # not once for every request
    stage.now += timedelta(minutes=2)
    assert await tokens.access_token() != old.access_token


async def test_a_refused_secret_is_told_from_a_used_key(stage: Stage) -> None:
    token = await stage.connect()
    stage.now += timedelta(hours=25)
    await stage.store.save(replace(token, client_secret="wrong"))
    with pytest.raises(ReconnectNeeded) as wrong:
        await stage.tokens().access_token()
    assert wrong.value.reason == "client-refused"
    assert (await stage.stored()).refresh_sent_at is None
    await stage.store.save(replace(token, refresh_token="used-long-ago"))
    with pytest.raises(ReconnectNeeded) as used:
        await stage.tokens().access_token()
    assert used.value.reason == "refresh-used"


async def test_an_account_without_a_key_says_so(stage: Stage) -> None:
    with pytest.raises(ReconnectNeeded, match="No key"):
        await stage.tokens().access_token()
    assert (await stage.tokens().status()).warning == "broken"


async def test_an_account_that_moved_is_found_at_its_new_address(stage: Stage) -> None:
    token = await stage.connect()
    new_home = urlsplit(stage.sandbox.url).netloc

    async def moved(request: web.Request) -> web.Response:
        if request.path == "/oauth2/account/current/subdomain":
            assert request.headers["X-Refresh-Token"] == token.refresh_token
            return web.json_response({"id": 1, "domain": new_home})
        return web.json_response({"title": "Not Found", "status": 404}, status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", moved)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    old_home = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        await stage.store.save(replace(token, access_token=a_jwt({"api_domain": old_home})))
        stage.now += timedelta(hours=25)
        tokens = stage.tokens(f"http://{old_home}")
        await tokens.access_token()
    finally:
        await runner.cleanup()
    assert tokens.base_url == stage.sandbox.url
    assert await stage.pool.fetchval("SELECT base_url FROM account") == stage.sandbox.url


def a_jwt(claims: dict[str, Any]) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{payload}.c2lnbmF0dXJl"


def test_a_long_lived_token_tells_its_own_end_and_warns_days_ahead() -> None:
    token = long_lived(f" {a_jwt({'exp': (NOW + timedelta(days=30)).timestamp()})}\n")
    assert token.expires_at == NOW + timedelta(days=30)
    assert status_of(token, NOW, "").warning is None
    soon = status_of(token, NOW + timedelta(days=24), "")
    assert (soon.warning, soon.days_left) == ("expires-soon", 6.0)
    assert status_of(token, NOW + timedelta(days=31), "").warning == "expired"


def test_a_token_that_is_no_jwt_is_kept_without_an_end() -> None:
    assert long_lived("opaque").expires_at is None
    assert status_of(long_lived("opaque"), NOW, "").warning is None


def test_a_token_never_shows_itself() -> None:
    assert "secret" not in repr(StoredToken(kind="oauth", access_token="secret-a", refresh_token="secret-r"))


async def test_another_integration_is_waited_for_until_what_it_asked_while_it_let_us_in_counts_no_more(
    stage: Stage,
) -> None:
    budget = Budget(7)
    tokens = stage.tokens(budget=budget)
    await stage.store.save(long_lived("key"))
    await tokens.access_token()
    tokens.forget()
    await tokens.access_token()
    assert budget.use().paused_seconds == 0, "the same key, read again"
    await stage.connect()
    tokens.forget()
    await tokens.access_token()
    assert budget.use().paused_seconds > 1
