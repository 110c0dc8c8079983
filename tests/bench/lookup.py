"""Lookups: throughput against a bare handler, latency at an even pace, memory, start."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from tests.bench.report import Figure, at_most, plain, ratio
from tests.bench.servers import bare_server, cpu_seconds, fill, gateway, throwaway_database
from tests.e2e.stack import AUTH, free_port

_LUA = """
math.randomseed(7)
request = function()
  return wrk.format("GET", "%s?phone=%%2B7900" .. string.format("%%07d", math.random(0, %d)), {["Authorization"]="Bearer demo"})
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """cpu: seconds of the server's processor per request. busy: share of one core that the server used meanwhile."""

    per_second: float
    cpu: float
    busy: float


def wrk(url: str, numbers: int, seconds: int, pid: int, connections: int = 32) -> Load:
    """Random numbers are asked. Raises RuntimeError when any answer was not 200."""
    path = "/" + url.split("/", 3)[3]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_LUA % (path, numbers - 1))
        script.flush()
        before, began = cpu_seconds(pid), time.perf_counter()
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "-s", script.name, url],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        used, took = cpu_seconds(pid) - before, time.perf_counter() - began
    if "Non-2xx" in out:
        raise RuntimeError(out)
    match = re.search(r"(\d+) requests in", out)
    assert match is not None, out
    return Load(int(match[1]) / took, used / int(match[1]), used / took)


def bench_lookup(small: int, large: int, seconds: int) -> list[Figure]:
    """Small and large directories and the bare handler are measured in turn, several times; medians count."""
    if shutil.which("wrk") is None:
        raise RuntimeError("wrk is needed: install the package wrk")
    figures: list[Figure] = []
    with throwaway_database() as few, throwaway_database() as many:
        fill(few, small)
        fill(many, large)
        ports = free_port(), free_port(), free_port()
        with gateway(ports[1], few) as (small_pid, _), gateway(ports[2], many) as (large_pid, ready_seconds):
            body = asyncio.run(_one_answer(ports[2]))
            with bare_server(ports[0], body) as bare_pid:
                servers = {
                    "bare": (f"http://127.0.0.1:{ports[0]}/bare", large, bare_pid),
                    "small": (f"http://127.0.0.1:{ports[1]}/pbx/generic/lookup", small, small_pid),
                    "large": (f"http://127.0.0.1:{ports[2]}/pbx/generic/lookup", large, large_pid),
                }
                figures += _rates(_interleaved(servers, seconds), small, large)
            figures += asyncio.run(_latency(f"http://127.0.0.1:{ports[2]}", large, seconds * 2))
            size = asyncio.run(_metric(ports[2], "callmatrix_directory_bytes")) / large
    figures.append(at_most("directory memory", size, 150, "bytes/number"))
    figures.append(at_most(f"start to ready, {large:,} numbers", ready_seconds, 10, "s"))
    return figures


def _interleaved(servers: dict[str, tuple[str, int, int]], seconds: int, rounds: int = 3) -> dict[str, Load]:
    """The median round of each, by processor time per request."""
    taken: dict[str, list[Load]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, (url, numbers, pid) in servers.items():
            taken[name].append(wrk(url, numbers, seconds, pid))
    return {name: sorted(loads, key=lambda load: load.cpu)[len(loads) // 2] for name, loads in taken.items()}


def _rates(loads: dict[str, Load], small: int, large: int) -> list[Figure]:
    bare, few, many = loads["bare"], loads["small"], loads["large"]
    return [
        plain("bare handler", bare.per_second, "requests/s", f"same bytes; {bare.busy:.0%} of a core"),
        plain(f"lookup, {large:,} numbers", many.per_second, "requests/s", f"{many.busy:.0%} of a core"),
        ratio("lookup throughput / bare handler", bare.cpu / many.cpu, 0.75, "server's CPU time per request"),
        plain(
            "the same by requests per second",
            many.per_second / bare.per_second,
            "×",
            "wrk beside it on 2 cores",
        ),
        at_most(f"lookup time, {large:,} / {small:,} numbers", many.cpu / few.cpu, 1.15, "×"),
    ]


async def _one_answer(port: int) -> bytes:
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"http://127.0.0.1:{port}/pbx/generic/lookup?phone=79000000007", headers=AUTH
        ) as response,
    ):
        return await response.read()


async def _metric(port: int, name: str) -> float:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as response,
    ):
        text = await response.text()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + "{"))


async def _latency(url: str, numbers: int, seconds: int) -> list[Figure]:
    alone = await paced(url, numbers, seconds, lambda: 0)
    stop = asyncio.Event()
    sent = {"events": 0}
    flood = asyncio.create_task(_events(url, 500, stop, sent))
    began = time.perf_counter()
    busy = await paced(url, numbers, seconds, lambda: 0)
    stop.set()
    await flood
    rate = sent["events"] / (time.perf_counter() - began)
    return [
        plain("lookup p50 at 100/s, alone", alone[0], "ms"),
        at_most("lookup p99 at 100/s, alone", alone[1], 5, "ms"),
        plain("lookup p99.9 at 100/s, alone", alone[2], "ms"),
        plain("lookup p50 at 100/s, events arriving", busy[0], "ms", f"{rate:.0f} events/s committed"),
        at_most("lookup p99 at 100/s, events arriving", busy[1], 5, "ms", f"{rate:.0f} events/s committed"),
        plain("lookup p99.9 at 100/s, events arriving", busy[2], "ms"),
    ]


async def paced(
    url: str, numbers: int, seconds: int, seed: Callable[[], int], per_second: int = 100
) -> tuple[float, float, float]:
    """p50, p99, p99.9 in ms, each request sent at its time whether or not the one before was answered."""
    dice = random.Random(seed())
    taken: list[float] = []

    async def one(session: aiohttp.ClientSession) -> None:
        began = time.perf_counter()
        number = 79000000000 + dice.randrange(numbers)
        async with session.get(f"{url}/pbx/generic/lookup?phone={number}", headers=AUTH) as response:
            await response.read()
            assert response.status == 200
        taken.append((time.perf_counter() - began) * 1000)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(one(session) for _ in range(20)))  # connections are warm
        taken.clear()
        loop = asyncio.get_running_loop()
        began = loop.time()
        tasks = []
        for index in range(per_second * seconds):
            await asyncio.sleep(max(0.0, began + index / per_second - loop.time()))
            tasks.append(asyncio.create_task(one(session)))
        await asyncio.gather(*tasks)
    taken.sort()
    return tuple(taken[min(len(taken) - 1, int(len(taken) * q))] for q in (0.5, 0.99, 0.999))  # type: ignore[return-value]


async def _events(url: str, per_second: int, stop: asyncio.Event, sent: dict[str, int]) -> None:
    """New calls of ever new numbers, from a process's own connections."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=32)) as session:
        loop = asyncio.get_running_loop()
        began = loop.time()
        running: set[asyncio.Task[None]] = set()

        async def one(index: int) -> None:
            event = {"event": "newCall", "callId": f"bench-{index}", "from": str(79300000000 + index),
                     "to": "74950000001", "direction": "in"}  # fmt: skip
            async with session.post(f"{url}/pbx/generic/events", data=json.dumps(event), headers={
                **AUTH, "Content-Type": "application/json"
            }) as response:  # fmt: skip
                assert response.status == 200, await response.text()
            sent["events"] += 1

        index = 0
        while not stop.is_set():
            index += 1
            await asyncio.sleep(max(0.0, began + index / per_second - loop.time()))
            task = asyncio.create_task(one(index))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)
