"""Ten thousand stored calls sent after a reactivation, against the sandbox: requests, minutes, what live calls notice."""

from __future__ import annotations

import asyncio
import contextlib
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routing.settings import AccountSettings, CallPolicy
from tests.bench.lookup import paced
from tests.bench.report import Figure, at_most, plain
from tests.bench.servers import bare_server, throwaway_database
from tests.e2e.stack import ACCOUNT, Stack, free_port, running_stack

_COMPLEX, _NOTES = 50, 250
_LIVE = 79390000000
_KILLS = 5
_AFTERWARDS = 60


def bench_backfill(calls: int) -> list[Figure]:
    """Undisturbed, for the counts, with the CRM's webhooks and without; with kills and live calls on top, for what must
    hold then. A bare handler is asked at the same times as the gateway: what it takes is the machine's part."""
    figures: list[Figure] = []
    for is_told, is_disturbed in ((True, False), (False, False), (True, True)):
        port = free_port()
        with (
            throwaway_database() as dsn,
            tempfile.TemporaryDirectory() as folder,
            bare_server(port, b"{}"),
        ):
            bare = f"http://127.0.0.1:{port}"
            figures += asyncio.run(_run(dsn, Path(folder), calls, bare, is_told, is_disturbed))
    return figures


async def _run(
    dsn: str, folder: Path, calls: int, bare: str, is_told: bool, is_disturbed: bool
) -> list[Figure]:
    settings = AccountSettings(calls=CallPolicy(settle_seconds=0))
    async with running_stack(folder, dsn, settings=settings, contacts=10) as stack:
        if is_told:
            await stack.register_webhook()
        await stack.api("PUT", f"/v1/accounts/{ACCOUNT}/state", body={"state": "off", "reason": "bench"})
        await asyncio.sleep(2)
        await _store_calls(stack, calls)
        preview = await stack.api("GET", f"/v1/accounts/{ACCOUNT}/backfill/preview")
        assert preview["calls"] == calls, preview
        await stack.api("PUT", f"/v1/accounts/{ACCOUNT}/state", body={"state": "on"})
        began = time.time()
        await stack.api("POST", f"/v1/accounts/{ACCOUNT}/backfill", body={}, status=201)
        looked, live = await _while_it_runs(stack, bare, is_disturbed)
        took = time.time() - began
        counts = await _requests(stack, began)
        doubled = await _doubled(stack, calls + len(live))
        again = await _second_run(stack)
        if is_disturbed:
            return _disturbed(looked, live, counts, doubled, again, took)
        if not is_told:
            return _untold(calls, counts, doubled, took)
        await asyncio.sleep(_AFTERWARDS)
        later = (await _requests(stack, began))["reads"] - counts["reads"]
        return [
            *_undisturbed(calls, preview, counts, doubled, looked, took),
            plain(
                "backfill: reads in the minute after",
                later,
                "requests",
                "what was created, once, page by page",
            ),
        ]


async def _store_calls(stack: Stack, calls: int) -> None:
    """One final report each: answered, of ever new numbers."""
    left = iter(range(calls))

    async def send() -> None:
        for index in left:
            await stack.event(
                event="hangup", callId=f"b{index}", from_=str(79310000000 + index), to="74950000001", direction="in",
                extension=str(101 + index % 10), billsec=30, cause="normalClearing",
            )  # fmt: skip

    await asyncio.gather(*(send() for _ in range(32)))
    while await stack.pool.fetchval("SELECT count(*) FROM inbox WHERE state = 'pending'"):
        await asyncio.sleep(0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """p99 of lookups and of a bare handler's answers in the same seconds, ms."""

    gateway: float
    bare: float


async def _while_it_runs(stack: Stack, bare: str, is_disturbed: bool) -> tuple[_Looked, list[float]]:
    done = asyncio.Event()
    live: list[float] = []
    kills = asyncio.create_task(_kill_often(stack, done)) if is_disturbed else None
    calls = asyncio.create_task(_live_calls(stack, done, live)) if is_disturbed else None
    lookups = asyncio.gather(*(paced(url, 10, 20, lambda: 1) for url in (stack.url, bare)))
    deadline = time.monotonic() + 1800
    while True:
        progress = await stack.api("GET", f"/v1/accounts/{ACCOUNT}/backfill")
        if progress["state"] == "done" or time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
    done.set()
    for task in (kills, calls):
        if task is not None:
            await task
    await stack.until_idle(180)
    asked, floor = await lookups
    return _Looked(gateway=asked[1], bare=floor[1]), live


async def _kill_often(stack: Stack, done: asyncio.Event) -> None:
    for _ in range(_KILLS):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), 7)
        stack.process("worker0").kill()
        stack.process("worker0").start()


async def _live_calls(stack: Stack, done: asyncio.Event, live: list[float]) -> None:
    """Seconds from the event to the contact in the CRM, one call after the other."""
    for index in range(200):
        if done.is_set():
            return
        number = str(_LIVE + index)
        began = time.monotonic()
        base = {"callId": f"live{index}", "from_": number, "to": "74950000001", "direction": "in"}
        await stack.event(event="newCall", **base)
        await stack.event(event="answer", extension="101", **base)
        while not await stack.rows("contact", phone=number):
            await asyncio.sleep(0.1)
        live.append(time.monotonic() - began)
        await stack.event(event="hangup", cause="normalClearing", **base)
        await asyncio.sleep(2)


async def _requests(stack: Stack, since: float) -> dict[str, int]:
    requests = (await stack.sandbox(f"ledger?since={since}"))["requests"]
    ours = [r for r in requests if r["integration"] == "callmatrix"]
    return {
        "writes": sum(r["method"] != "GET" for r in ours),
        "reads": sum(r["method"] == "GET" for r in ours),
        "busiest": await stack.busiest_second(),
    }


async def _doubled(stack: Stack, calls: int) -> dict[str, int]:
    contacts = [
        c
        for c in await stack.rows("contact")
        if any(p.startswith(("7931", "7939", "+7931", "+7939")) for p in c["phones"])
    ]
    notes = await stack.rows("call")
    numbers = [p for c in contacts for p in c["phones"]]
    return {
        "contacts": len(numbers) - len(set(numbers)),
        "notes": len(notes) - len({n["uniq"] for n in notes}),
        "missing": max(0, calls - len(notes)),
    }


async def _second_run(stack: Stack) -> int:
    """Writes of a second backfill of the same window."""
    began = time.time()
    before: Any = await stack.api("GET", f"/v1/accounts/{ACCOUNT}/backfill/preview")
    if before["calls"]:
        await stack.api("POST", f"/v1/accounts/{ACCOUNT}/backfill", body={}, status=201)
        await asyncio.sleep(3)
        await stack.until_idle(120)
    return (await _requests(stack, began))["writes"]


def _bound(calls: int) -> int:
    """The fewest writes that the API's batch sizes allow."""
    return math.ceil(calls / _COMPLEX) + math.ceil(calls / _NOTES)


def _untold(calls: int, counts: dict[str, int], doubled: dict[str, int], took: float) -> list[Figure]:
    return [
        at_most(
            "backfill without webhooks: writes / lower bound", counts["writes"] / _bound(calls), 1.5, "×"
        ),
        plain("backfill without webhooks: reads / lower bound", counts["reads"] / _bound(calls), "×"),
        plain("backfill without webhooks: minutes", took / 60, "min"),
        at_most("backfill without webhooks: doubled or missing", sum(doubled.values()), 0, "entities"),
    ]


def _undisturbed(
    calls: int,
    preview: Any,
    counts: dict[str, int],
    doubled: dict[str, int],
    looked: _Looked,
    took: float,
) -> list[Figure]:
    bound = _bound(calls)
    note = f"bound {bound}: {calls:,} calls, {_COMPLEX} a complex, {_NOTES} a notes request"
    return [
        at_most("backfill: writes / lower bound", counts["writes"] / bound, 1.5, "×", note),
        at_most(
            "backfill: reads / lower bound", counts["reads"] / bound, 0.5, "×", f"{counts['reads']} reads"
        ),
        plain("backfill: minutes", took / 60, "min", f"preview said {preview['minutes']:.1f}"),
        at_most("backfill: requests in any second", counts["busiest"], 7, "requests"),
        at_most("backfill: doubled or missing", sum(doubled.values()), 0, "entities"),
        at_most(
            "lookup p99 at 100/s, backfill running",
            looked.gateway,
            5,
            "ms",
            f"bare handler in the same seconds {looked.bare:.1f} ms",
        ),
        at_most("the same / a bare handler's in the same seconds", looked.gateway / looked.bare, 1.5, "×"),
    ]


def _disturbed(
    looked: _Looked,
    live: list[float],
    counts: dict[str, int],
    doubled: dict[str, int],
    again: int,
    took: float,
) -> list[Figure]:
    live.sort()
    p99 = live[min(len(live) - 1, int(len(live) * 0.99))] if live else float("nan")
    return [
        plain("backfill killed 5 times: minutes", took / 60, "min", f"{len(live)} live calls on top"),
        at_most(
            "backfill killed 5 times: doubled or missing", sum(doubled.values()), 0, "entities", str(doubled)
        ),
        at_most("backfill killed 5 times: requests in any second", counts["busiest"], 7, "requests"),
        at_most("backfill, second run: writes", again, 0, "requests"),
        plain(
            "live call to CRM, p99, backfill and kills",
            p99,
            "s",
            f"median {live[len(live) // 2]:.1f}" if live else "",
        ),
        plain("lookup p99, backfill and kills", looked.gateway, "ms", f"bare handler {looked.bare:.1f} ms"),
    ]
