"""Wrong secrets are counted, slowed and told at every door; a valid one is answered at once whatever came before it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from gateway.health.checks import check_all
from gateway.health.findings import in_words
from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.texts.sentences import TEXTS
from runtime.tokens import hash_of
from runtime.vendors.mango_signing import signed_form
from tests.integration.pbx.running_gateway import (
    ACCOUNT,
    FORM,
    Running,
    add_connection,
    prepare,
    running_gateway,
)
from tests.waiting import until

WRONG = 1000
AT_ONCE = 5.0  # seconds on a machine that others use too; one that is slowed would be counted
CALL = {"event": "newCall", "callId": "1", "from": "+79001234567", "to": "+74951234567", "direction": "in"}


@pytest.fixture
async def gateway(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Running]:
    await prepare(pool)
    await add_connection(pool, "generic", "generic")
    await add_connection(pool, "mango", "mango", keys={"api_key": "demo", "api_salt": "demo"})
    async with pool.acquire() as conn:
        await accounts.add_api_token(conn, name="right", role="admin", token="right-token")
        await conn.execute("UPDATE account SET webhook_secret = 'right-secret'")
    async with running_gateway(pool, database_url) as running:
        yield running


Ask = Callable[[Running, bool], Awaitable[tuple[int, str | None]]]


async def _asked(running: Running, method: str, path: str, **request: Any) -> tuple[int, str | None]:
    """(status, Retry-After)."""
    async with running.http.request(method, running.url + path, **request) as response:
        await response.read()
        return response.status, response.headers.get("Retry-After")


def _bearer(token: str) -> dict[str, Mapping[str, str]]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


async def _lookup(running: Running, is_right: bool) -> tuple[int, str | None]:
    return await _asked(
        running, "GET", "/pbx/generic/lookup?phone=1", **_bearer("demo" if is_right else "no")
    )


async def _event(running: Running, is_right: bool) -> tuple[int, str | None]:
    token = "demo" if is_right else "no"
    return await _asked(running, "POST", "/pbx/generic/events", params={"token": token}, json=CALL)


async def _signed(running: Running, is_right: bool) -> tuple[int, str | None]:
    told = {"entry_id": "e", "call_id": "c", "timestamp": int(time.time()), "seq": 1, "call_state": "Appeared",
            "location": "abonent", "from": {"number": "79001234567"}, "to": {"number": "74951234567"}}  # fmt: skip
    form = signed_form("demo", "demo" if is_right else "no", told)
    return await _asked(running, "POST", "/pbx/mango/events/call", data=form, headers=FORM)


async def _api(running: Running, is_right: bool) -> tuple[int, str | None]:
    return await _asked(running, "GET", "/api/v1/accounts", **_bearer("right-token" if is_right else "no"))


async def _webhook(running: Running, is_right: bool) -> tuple[int, str | None]:
    secret = "right-secret" if is_right else "no"
    return await _asked(running, "POST", f"/crm/{ACCOUNT}/webhooks/{secret}", data={"a": "1"})


async def _many(running: Running, ask: Ask, count: int = WRONG) -> tuple[Counter[int], set[str | None]]:
    """Statuses, and what was said of when to come back, of so many wrong ones."""
    room = asyncio.Semaphore(60)

    async def one() -> tuple[int, str | None]:
        async with room:
            return await ask(running, False)

    answers = await asyncio.gather(*(one() for _ in range(count)))
    return Counter(status for status, _ in answers), {after for status, after in answers if status == 429}


@pytest.mark.parametrize(
    ("ask", "refused", "slowed"),
    [
        pytest.param(_lookup, 401, 401, id="lookup"),
        pytest.param(_event, 401, 401, id="event"),
        pytest.param(_signed, 401, 401, id="signed"),
        pytest.param(_api, 401, 429, id="api"),
        pytest.param(_webhook, 404, 429, id="webhook"),
    ],
)
async def test_a_valid_secret_is_answered_at_once_after_a_thousand_wrong_ones(
    gateway: Running, ask: Ask, refused: int, slowed: int
) -> None:
    with capture_logs() as lines:
        statuses, retry_after = await _many(gateway, ask)
    assert set(statuses) == {refused, slowed}
    assert statuses[slowed] >= WRONG - 40
    if slowed == 429:
        assert all(after and 1 <= int(after) <= 60 for after in retry_after)
    slowed_before, began = gateway.gateway.strangers.slowed, time.perf_counter()
    status, _ = await ask(gateway, True)
    assert (status, time.perf_counter() - began < AT_ONCE) == (200, True)
    assert gateway.gateway.strangers.slowed == slowed_before
    told = [line for line in lines if line["event"].endswith("unauthorised")]
    assert [(line["address"], line["log_level"]) for line in told] == [("127.0.0.1", "warning")]


async def test_a_pbx_that_goes_on_with_a_wrong_secret_is_answered_a_little_later(gateway: Running) -> None:
    await _lookup(gateway, False)
    assert gateway.gateway.strangers.slowed == 0
    await _many(gateway, _lookup, 30)
    assert gateway.gateway.strangers.slowed >= 10
    began = time.perf_counter()
    assert (await _lookup(gateway, False))[0] == 401
    assert time.perf_counter() - began > 0.2


async def test_no_secret_at_all_is_no_guess(gateway: Running) -> None:
    for _ in range(60):
        assert (await _asked(gateway, "GET", "/api/v1/accounts"))[0] == 401
    assert (await _api(gateway, False))[0] == 401


async def test_a_state_that_nobody_made_is_a_guess_and_a_real_one_goes_through(gateway: Running) -> None:
    async def consent(running: Running, is_right: bool) -> tuple[int, str | None]:
        path = f"/crm/oauth?code=c&referer=evil.example&state={'real' if is_right else 'made-up'}"
        return await _asked(running, "GET", path)

    statuses, _ = await _many(gateway, consent, 100)
    assert set(statuses) == {400, 429}
    await gateway.pool.execute(
        "INSERT INTO oauth_state (state, account_id, client_id, client_secret, redirect_uri, expires_at)"
        " VALUES ('real', $1, 'i', 's', 'http://x', now() + interval '1 minute')",
        ACCOUNT,
    )
    assert (await consent(gateway, True))[0] == 400  # judged: refused for its host, not for what others did


async def test_what_strangers_did_is_told_by_check_and_counted(gateway: Running, database_url: str) -> None:
    await _many(gateway, _lookup, 30)
    await _many(gateway, _api, 25)
    await gateway.tell("nowhere", data="x")
    for _ in range(12):
        _, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))
        writer.write(b"GET /pbx/generic/lookup?phone=\x01 HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.close()
    await gateway.gateway.door_report.write()
    findings = [in_words(f, TEXTS["en"]) for f in await check_all(Settings(database_url=database_url))]
    told = {(f.code, f.subject): f for f in findings if f.code.endswith("-seen")}
    assert set(told) == {
        ("wrong-secrets-seen", "doors of connection generic"),
        ("wrong-secrets-seen", "doors"),
        ("http-malformed-seen", "doors of connection generic"),
    }
    assert all(f.is_ok and f.is_warning and "127.0.0.1" in f.message for f in told.values())
    async with gateway.http.get(f"{gateway.url}/metrics") as response:
        text = await response.text()
    assert 'callmatrix_unauthorised_total{door="pbx"} 31.0' in text
    assert 'callmatrix_unauthorised_total{door="api"} 25.0' in text


async def test_a_quiet_day_is_told_as_such(gateway: Running, database_url: str) -> None:
    await _lookup(gateway, False)
    await gateway.gateway.door_report.write()
    codes = {f.code for f in await check_all(Settings(database_url=database_url))}
    assert "strangers-few" in codes


async def _knows(running: Running, *tokens: str) -> bool:
    return {hash_of(token) for token in tokens} <= running.gateway.configuration.now.tokens.keys()


async def test_what_a_token_may_not_do_is_told_with_its_name(gateway: Running) -> None:
    async with gateway.pool.acquire() as conn:
        await accounts.add_api_token(conn, name="reader", role="read_only", token="reading")
        await accounts.add_account(conn, account_id="other", name="Other", base_url="http://127.0.0.1:1")
        await accounts.add_api_token(conn, name="bound", role="admin", account_id="other", token="bound")
    await until(lambda: _knows(gateway, "reading", "bound"), "the tokens are known")
    with capture_logs() as lines:
        assert (await _asked(gateway, "GET", "/api/v1/tokens", **_bearer("reading")))[0] == 403
    assert [line["token"] for line in lines if line["event"] == "api-request-forbidden"] == ["reader"]
    path = f"/api/v1/accounts/{ACCOUNT}/employees"
    assert (await _asked(gateway, "GET", path, **_bearer("bound")))[0] == 404
    assert gateway.gateway.strangers.tally.fetch()


@pytest.mark.parametrize(
    ("address", "head", "refused"),
    [
        ("/api/v1/tokens", "Authorization: Bearer right-token\r\n", 401),
        (f"/crm/{ACCOUNT}/webhooks/right-secret", "", 404),
    ],
)
async def test_a_secret_that_is_withdrawn_while_the_body_arrives_does_nothing(
    gateway: Running, address: str, head: str, refused: int
) -> None:
    body = b'{"name": "made-late", "role": "admin"}'
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"POST {address} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + body[:5])
    await asyncio.sleep(0.05)
    await gateway.pool.execute("DELETE FROM api_token WHERE name = 'right'")
    await gateway.pool.execute("UPDATE account SET webhook_secret = 'another'")
    await gateway.gateway.configuration.reload()
    writer.write(body[5:])
    async with asyncio.timeout(5):
        assert (await reader.readline()).split()[1] == b"%d" % refused
    assert await gateway.rows("SELECT name FROM api_token WHERE name = 'made-late'") == []
    assert await gateway.rows("SELECT 1 FROM crm_webhook") == []
    writer.close()


async def _has_read_again(running: Running) -> bool:
    return running.gateway.configuration.now.version > 1


async def test_the_use_of_a_token_is_noted_without_asking_for_everything_again(gateway: Running) -> None:
    await until(lambda: _has_read_again(gateway), "the configuration is read when it is listened to")
    version = gateway.gateway.configuration.now.version
    began = datetime.now(UTC)
    await _api(gateway, True)
    await gateway.gateway.door_report.write()
    used = await gateway.pool.fetchval("SELECT last_used_at FROM api_token WHERE name = 'right'")
    assert used is not None
    assert abs((used - began).total_seconds()) < 30
    await asyncio.sleep(0.2)
    assert gateway.gateway.configuration.now.version == version
