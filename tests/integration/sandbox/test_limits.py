"""The vendor's limits: windows of one second, what is answered past them, and the block after repeated offence."""

from __future__ import annotations

import asyncio

from tests.integration.sandbox.client import Api


async def test_eighth_request_in_a_second_is_refused_with_html_and_counted(api: Api) -> None:
    await api.control("profile", {"name": "amocrm"})
    answers = [await api.get("account") for _ in range(8)]
    assert [one.status for one in answers] == [200] * 7 + [429]
    assert answers[-1].content_type == "text/html"
    assert "Retry-After" not in answers[-1].headers
    requests = (await api.control("ledger"))["requests"]
    assert [one["status"] for one in requests] == [200] * 7 + [429]
    assert (await api.control("rates"))["most"] == {"check": 8}


async def test_refused_requests_count_into_the_window_too(api: Api) -> None:
    await api.control("profile", {"name": "amocrm", "requests_per_second": 2})
    assert [(await api.get("account")).status for _ in range(5)] == [200, 200, 429, 429, 429]


async def test_window_slides_so_that_a_slot_is_free_after_one_second(api: Api) -> None:
    await api.control("profile", {"name": "amocrm", "requests_per_second": 1})
    assert (await api.get("account")).status == 200
    await asyncio.sleep(1.01)
    assert (await api.get("account")).status == 200


async def test_kommo_tells_in_json_how_long_to_wait(api: Api) -> None:
    await api.control("profile", {"name": "kommo", "requests_per_second": 0})
    answer = await api.get("account")
    assert (answer.status, answer.body["retry_after"]) == (429, 300)


async def test_integrations_have_windows_of_their_own_but_share_the_accounts(api: Api) -> None:
    await api.control("profile", {"name": "amocrm", "account_requests_per_second": 10})
    first = [(await api.get("account")).status for _ in range(7)]
    api.token = api.sandbox.token("other")
    second = [(await api.get("account")).status for _ in range(5)]
    assert (first, second) == ([200] * 7, [200, 200, 200, 429, 429])


async def test_repeated_offence_blocks_everything_until_support_lifts_it(api: Api) -> None:
    await api.control("profile", {"name": "amocrm", "requests_per_second": 1, "block_after_429s": 2})
    statuses = [(await api.get("account")).status for _ in range(4)]
    assert statuses == [200, 429, 429, 403]
    token = await api.post("/oauth2/access_token", {"client_id": "x"})
    assert (token.status, token.content_type) == (403, "text/html")
    await api.control("act", {"do": "unblock"})
    assert (await api.get("account")).status == 200


async def test_batches_have_their_limits(api: Api) -> None:
    assert (await api.post("contacts", [{"name": "x"}] * 250)).status == 200
    assert (await api.post("contacts", [{"name": "x"}] * 251)).status == 422
    assert (await api.post("leads/complex", [{"name": "x"}] * 51)).status == 400
    assert (await api.post("leads/complex", [{"name": "x"}] * 50)).status == 200


async def test_ledger_holds_20000_requests_and_reads_from_a_time(api: Api) -> None:
    ledger = api.sandbox.world.ledger
    for n in range(20_000):
        ledger.add(1000.0 + n, "bulk", "GET", "/api/v4/leads", 200, 1)
    assert len((await api.control("ledger"))["requests"]) == 20_000
    late = (await api.control("ledger?since=20990"))["requests"]
    assert late[0] == {
        "at": 20991.0,
        "integration": "bulk",
        "method": "GET",
        "path": "/api/v4/leads",
        "status": 200,
        "entities": 1,
    }
