"""The fault plan: each mood of the CRM, when it fires, and whether the request was carried out."""

from __future__ import annotations

import time
from typing import Any

import aiohttp
import pytest

from tests.integration.sandbox.client import Api


async def plan(api: Api, fault: str, **rule: Any) -> None:
    match = rule.pop("match", {"method": "POST", "path": "/api/v4/contacts"})
    when = rule or {"always": True}
    await api.control("faults", {"rules": [{"match": match, "fault": fault, **when}]})


async def made(api: Api) -> int:
    return len([row for row in await api.rows("contact") if row["name"] == "Новый"])


async def create(api: Api) -> Any:
    return await api.post("contacts", [{"name": "Новый"}])


@pytest.mark.parametrize(
    ("fault", "status", "type"),
    [
        ("401", 401, "application/problem+json"),
        ("402", 402, "application/problem+json"),
        ("403", 403, "text/html"),
        ("429", 429, "text/html"),
        ("500", 500, "application/problem+json"),
        ("502", 502, "text/html"),
        ("504", 504, "text/html"),
        ("html", 200, "text/html"),
    ],
)
async def test_refusals_carry_nothing_out(api: Api, fault: str, status: int, type: str) -> None:
    await plan(api, fault)
    answer = await create(api)
    assert (answer.status, answer.content_type, await made(api)) == (status, type, 0)


async def test_lost_answer_was_carried_out(api: Api) -> None:
    await plan(api, "answer_lost")
    with pytest.raises(aiohttp.ClientError):
        await create(api)
    assert await made(api) == 1
    assert (await api.control("ledger"))["requests"][-1]["status"] == 200


async def test_reset_was_not_carried_out(api: Api) -> None:
    await plan(api, "reset")
    with pytest.raises(aiohttp.ClientError):
        await create(api)
    assert await made(api) == 0
    assert (await api.control("ledger"))["requests"][-1]["status"] == 0


async def test_truncated_answer_was_carried_out(api: Api) -> None:
    await plan(api, "truncate")
    with pytest.raises(aiohttp.ClientPayloadError):
        await create(api)
    assert await made(api) == 1


async def test_hang_is_silent_and_carries_nothing_out(api: Api) -> None:
    await plan(api, "hang", ms=60_000, always=True)
    with pytest.raises(TimeoutError):
        await api.post("contacts", [{"name": "Новый"}], timeout=aiohttp.ClientTimeout(total=0.2))
    assert await made(api) == 0


async def test_latency_answers_late_what_was_carried_out_at_once(api: Api) -> None:
    await plan(api, "latency", ms=150, always=True)
    started = time.monotonic()
    assert (await create(api)).status == 200
    assert time.monotonic() - started >= 0.15


async def test_nth_fires_once_and_every_fires_again_and_get_tells_how_often(api: Api) -> None:
    await plan(api, "500", nth=2)
    assert [(await create(api)).status for _ in range(4)] == [200, 500, 200, 200]
    await plan(api, "500", every=2)
    assert [(await create(api)).status for _ in range(4)] == [200, 500, 200, 500]
    [rule] = (await api.control("faults"))["rules"]
    assert (rule["matched"], rule["fired"]) == (4, 2)
    await api.control("faults", {"rules": []})
    assert (await create(api)).status == 200


@pytest.mark.parametrize("path", ["/api/v4/lea", "/api/*/leads", "re:leads$"])
async def test_paths_match_by_prefix_glob_or_regular_expression(api: Api, path: str) -> None:
    await plan(api, "500", match={"path": path})
    assert (await api.get("leads")).status == 500
    assert (await api.get("contacts")).status == 200


async def test_wrong_plan_is_refused_and_the_old_one_stays(api: Api) -> None:
    await plan(api, "500")
    answer = await api.call("POST", "/_sandbox/faults", {"rules": [{"match": {}, "fault": "flood"}]})
    assert (answer.status, "flood" in answer.body["error"]) == (400, True)
    assert (await create(api)).status == 500
