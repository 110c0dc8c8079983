"""The person comes back from the CRM's page of consent. Whoever knows the address that they opened can come back as well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from crm.sandbox.seed import CHECK_ID
from crm.sandbox.server import Sandbox
from gateway.admin.connect_crm import NewAccount, connect_account
from gateway.admin.sign_in.sessions import Sessions, Whence
from gateway.admin.users import UserOrder, add_user
from gateway.crm_accounts.endpoints import CrmHooks
from gateway.http.peers import Peers
from gateway.store.admin.audit import Actor, acting
from gateway.store.admin.sessions import SignInStage
from gateway.store.crm_accounts.webhooks import take_grant
from runtime.database.listen import Listener
from tests.integration.api.client import Api

PUBLIC = "https://example.com"
SIGN_IN_STAGES: tuple[SignInStage, ...] = ("full", "full", "code")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(contacts=2) as running:
        yield running


async def begun(api: Api, base_url: str, account: str = "sales") -> str:
    """The state of a grant that an operator began."""
    new = NewAccount(
        id=account, name="S", base_url=base_url, client_id=CHECK_ID, client_secret="check-secret"
    )
    told = await connect_account(api.pool, new, PUBLIC)
    state: str = parse_qs(urlsplit(told["open"]).query)["state"][0]
    return state


async def allowed(api: Api, sandbox: Sandbox) -> str:
    """The code that the CRM gives after "Allow"."""
    asked = {"client_id": CHECK_ID, "redirect_uri": f"{PUBLIC}/crm/oauth", "approve": "1"}
    async with api.http.get(f"{sandbox.url}/oauth", params=asked, allow_redirects=False) as response:
        return parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]


async def come_back(api: Api, cookie: str = "", **query: str) -> tuple[int, str]:
    headers = {"Accept-Language": "en", **({"Cookie": f"callmatrix={cookie}"} if cookie else {})}
    async with api.http.get(f"{api.url}/crm/oauth", params=query, headers=headers) as response:
        return response.status, await response.text()


async def account_of(api: Api, account: str = "sales") -> dict[str, Any]:
    row = await api.pool.fetchrow(
        "SELECT base_url, state, (SELECT count(*) FROM crm_token t WHERE t.account_id = a.account_id) AS keys"
        " FROM account a WHERE account_id = $1",
        account,
    )
    assert row is not None
    return dict(row)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, list[str]]]:
    """A server of somebody else's on this machine: (port, what it was asked)."""
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.path)
        return web.json_response({"access_token": "e", "refresh_token": "e", "expires_in": 86400})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1], heard
    finally:
        await runner.cleanup()


async def test_what_the_table_holds_of_a_grant_opens_nothing(api: Api, sandbox: Sandbox) -> None:
    state = await begun(api, sandbox.url)
    (kept,) = (row["state"] for row in await api.pool.fetch("SELECT state FROM oauth_state"))
    assert state not in kept
    async with api.pool.acquire() as conn:
        for shown in (kept, kept.rpartition(":")[2]):
            assert (await come_back(api, state=shown, code="c", referer="x.amocrm.ru"))[0] == 400
            assert await take_grant(conn, shown, datetime.now(UTC)) is None
        taken = await take_grant(conn, state, datetime.now(UTC))
    assert taken is not None
    assert taken.client_secret == "check-secret"


async def test_a_grant_that_a_process_of_before_the_upgrade_began_is_taken(api: Api) -> None:
    await begun(api, "https://vict.amocrm.ru")
    await api.pool.execute("UPDATE oauth_state SET state = 'begun-before', client_secret = 's'")
    async with api.pool.acquire() as conn:
        taken = await take_grant(conn, "begun-before", datetime.now(UTC))
    assert taken is not None
    assert taken.account_id == "sales"


async def test_what_was_begun_on_a_page_is_finished_by_the_same_session(api: Api, sandbox: Sandbox) -> None:
    code, host = await allowed(api, sandbox), urlsplit(sandbox.url).netloc
    sessions, now = Sessions(api.pool, Listener("unused")), datetime.now(UTC)
    async with api.pool.acquire() as conn:
        await add_user(conn, UserOrder(login="olga", role="admin"))
    mine, others, half = [
        await sessions.begin("olga", Whence("127.0.0.1", ""), now, stage=stage) for stage in SIGN_IN_STAGES
    ]
    for secret in ("", others.secret, half.secret, "nobody's"):
        with acting(Actor(kind="user", name="olga", door="pages", session=mine.id)):
            state = await begun(api, sandbox.url, "sales")
        status, page = await come_back(api, secret, state=state, code=code, referer=host)
        assert (status, "Begun in another browser" in page) == (403, True)
        assert (await account_of(api))["keys"] == 0
        assert (await come_back(api, mine.secret, state=state, code=code, referer=host))[0] == 400  # spent
        await api.pool.execute("DELETE FROM account WHERE account_id = 'sales'")
    with acting(Actor(kind="user", name="olga", door="pages", session=mine.id)):
        state = await begun(api, sandbox.url)
    assert (await come_back(api, mine.secret, state=state, code=code, referer=host))[0] == 200
    assert (await account_of(api))["keys"] == 1


async def test_who_comes_back_while_the_database_is_away_is_told_to_come_again(api: Api) -> None:
    async with asyncpg.create_pool("postgresql://x@127.0.0.1:1/x", min_size=0) as away:
        hooks = CrmHooks(api.gateway.configuration, away, _never_exchanged, Peers())
        request = make_mocked_request("GET", "/crm/oauth?state=abc&code=1", headers={"Accept-Language": "en"})
        answer = await hooks.oauth(request)
    assert answer.status == 503
    assert "Load this page again" in str(answer.text)


async def _never_exchanged(*_: object) -> None:
    raise AssertionError("there is no grant")


async def test_who_comes_back_with_a_good_code_connects_the_account(api: Api, sandbox: Sandbox) -> None:
    state = await begun(api, sandbox.url)
    code, host = await allowed(api, sandbox), urlsplit(sandbox.url).netloc
    status, page = await come_back(api, state=state, code=code, referer=host)
    assert (status, "Done" in page) == (200, True)
    assert await account_of(api) == {"base_url": sandbox.url, "state": "on", "keys": 1}
    assert await api.pool.fetchval("SELECT crm_id FROM crm_account WHERE account_id = 'sales'")
    assert (await come_back(api, state=state, code=code, referer=host))[0] == 400, "the link is good once"


@pytest.mark.parametrize(
    "referer",
    [
        "127.0.0.1:{port}/x.amocrm.ru",
        "127.0.0.1:{port}/?.amocrm.ru",
        "127.0.0.1:{port}#.amocrm.ru",
        "127.0.0.1:{port}\\.amocrm.ru",
        "x.amocrm.ru@127.0.0.1:{port}",
        "u:p@127.0.0.1:{port}/.kommo.com",
        "127.0.0.1:{port}",
        "localhost:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "a.b.amocrm.ru",
        "x.amocrm.ru.evil.example",
        "x.amocrm.ru:{port}",
        "xamocrm.ru",
        ".amocrm.ru",
        "x.amocrm.ru\n",
        "x.amocrm.ru\0",
        " ",
    ],
)
async def test_the_secret_goes_to_no_host_but_the_vendors(api: Api, referer: str) -> None:
    state = await begun(api, "https://vict.amocrm.ru")
    async with listening() as (port, heard):
        status, page = await come_back(
            api, state=state, code="stolen", referer=referer.replace("{port}", str(port))
        )
        assert (status, heard) == (400, [])
    assert "which is not a host of amoCRM or Kommo" in page
    assert await account_of(api) == {"base_url": "https://vict.amocrm.ru", "state": "off", "keys": 0}


async def test_a_new_account_is_granted_by_the_one_that_was_typed(api: Api) -> None:
    """Somebody who is signed in to another account would connect the wrong company."""
    state = await begun(api, "https://vict.amocrm.ru")
    status, page = await come_back(api, state=state, code="c", referer="attacker.amocrm.ru")
    assert (status, "Another account" in page) == (400, True)
    assert (await account_of(api))["keys"] == 0


async def test_a_new_account_of_another_server_of_the_same_name_does_not_grant(
    api: Api, sandbox: Sandbox
) -> None:
    """Of addresses without a name of a company, only the port and the rest of the host tell them apart."""
    async with Sandbox(contacts=0) as another:
        state = await begun(api, sandbox.url)
        host = urlsplit(another.url).netloc
        status, page = await come_back(api, state=state, code=await allowed(api, another), referer=host)
    assert (status, "Another account" in page) == (400, True)
    assert await account_of(api) == {"base_url": sandbox.url, "state": "off", "keys": 0}


async def test_an_account_that_is_known_is_not_granted_by_another_one(api: Api, sandbox: Sandbox) -> None:
    state = await begun(api, sandbox.url)
    await come_back(api, state=state, code=await allowed(api, sandbox))
    await api.pool.execute("UPDATE crm_account SET crm_id = '999', name = 'Ours' WHERE account_id = 'sales'")
    await api.pool.execute("UPDATE account SET state = 'broken' WHERE account_id = 'sales'")
    before = await api.pool.fetchrow("SELECT * FROM crm_token")
    state = await begun(api, sandbox.url)
    status, page = await come_back(api, state=state, code=await allowed(api, sandbox))
    assert (status, "Another account" in page) == (400, True)
    assert await api.pool.fetchrow("SELECT * FROM crm_token") == before
    assert (await account_of(api))["state"] == "broken"
    body = {"id": "sales", "url": sandbox.url, "token": sandbox.token()}
    refused = await api.ask("POST", "/accounts", body=body, status=422)
    assert "«Ours, 999»" in refused["title"]
    assert await api.pool.fetchrow("SELECT * FROM crm_token") == before


@pytest.mark.parametrize(
    "state", ["\0", "a\0b", "", "%00", "x" * 5000, "\ud800".encode("utf-8", "replace").decode()]
)
async def test_a_state_that_is_none_of_ours_is_told_so(api: Api, state: str) -> None:
    status, page = await come_back(api, state=state, code="a")
    assert (status, "link is not valid" in page) == (400, True)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://x.amocrm.ru", "keys would travel in the clear"),
        ("https://x.amocrm.ru.evil.example", "no host of amoCRM or Kommo"),
        ("https://evil.example/x.amocrm.ru", "something stands behind the host"),
        ("https://x.amocrm.ru/leads", "something stands behind the host"),
        ("https://x.amocrm.ru:444", "no host of amoCRM or Kommo"),
        ("https://10.0.0.7", "no host of amoCRM or Kommo"),
        ("https://169.254.169.254", "no host of amoCRM or Kommo"),
        ("https://user:geheim@x.amocrm.ru", "a name or password stands in it"),
        ("http://user:geheim@127.0.0.1", "a name or password stands in it"),
        ("https://[::1", "it is no address"),
        ("https://x.amocrm.ru:99999", "it is no address"),
        ("ftp://x.amocrm.ru", "it is no address"),
    ],
)
async def test_an_account_stands_at_the_vendors_or_where_the_operator_says(
    api: Api, url: str, why: str
) -> None:
    body = {"id": "new", "url": url, "token": "t"}
    refused = await api.ask("POST", "/accounts", body=body, status=400)
    assert refused["code"] == "invalid-input"
    assert why in str(refused) or not url.startswith("http")
    assert "geheim" not in str(refused)
