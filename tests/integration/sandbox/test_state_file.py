"""With a state file nothing that was answered is lost, not even by kill -9."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from crm.sandbox.server import Sandbox, serve
from tests.integration.sandbox.client import FAST, Api
from tests.integration.sandbox.test_golden import a_pair, refresh

SCRIPT = """
import asyncio, sys
from crm.sandbox.server import Sandbox
async def main():
    async with Sandbox(contacts=5, profile={profile!r}, state=sys.argv[1]) as sandbox:
        print(sandbox.url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_kill_9_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    state = tmp_path / "crm.sqlite"
    script = SCRIPT.format(profile=FAST)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(state), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    ids = []
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/_sandbox/token") as answer:
            token = (await answer.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        for n in range(100):
            async with session.post(
                f"{url}/api/v4/contacts", json=[{"name": f"n{n}"}], headers=headers
            ) as answer:
                ids.append((await answer.json())["_embedded"]["contacts"][0]["id"])
        process.send_signal(signal.SIGKILL)
    await process.wait()
    async with Sandbox(contacts=5, state=state) as again, aiohttp.ClientSession() as session:
        api = Api(again, session)
        api.token = token
        kept = {row["id"] for row in await api.rows("contact")}
        requests = (await api.control("ledger"))["requests"]
        assert (await api.get("account")).status == 200
    assert set(ids) <= kept
    assert len(kept) == 100 + 5 + 10
    assert [one["path"] for one in requests].count("/api/v4/contacts") == 100


async def test_grants_profile_and_clock_survive_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "crm.sqlite"
    async with Sandbox(contacts=5, state=state) as first, aiohttp.ClientSession() as session:
        api = Api(first, session)
        pair = await a_pair(api)
        await api.control("profile", {"filters_on": True})
        await api.control("clock", {"offset": 100})
    async with Sandbox(contacts=5, state=state) as second, aiohttp.ClientSession() as session:
        api = Api(second, session)
        assert (await refresh(api, pair["refresh_token"])).status == 200
        assert (await api.control("profile"))["filters_on"] is True
        assert (await api.control("clock"))["offset"] == 100
        assert (await api.control("seed", {"contacts": 10}))["contacts"] == 20


async def test_served_sandbox_starts_with_the_fault_plan_of_its_file(tmp_path: Path) -> None:
    plan = tmp_path / "faults.json"
    plan.write_text('{"rules": [{"match": {"path": "/api/v4/leads"}, "always": true, "fault": "502"}]}')
    port = free_port()
    serving = asyncio.create_task(serve(port, contacts=5, users=12, profile="kommo", faults_file=plan))
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            token = (await answered(session, "/_sandbox/token"))["access_token"]
            session.headers["Authorization"] = f"Bearer {token}"
            assert (await session.get("/api/v4/leads")).status == 502
            users = (await answered(session, "/_sandbox/state?kind=user"))["rows"]
            assert "manager112@demo.example" in {row["email"] for row in users}
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_wrong_fault_plan_keeps_the_server_from_starting(tmp_path: Path) -> None:
    plan = tmp_path / "faults.json"
    plan.write_text('{"rules": [{"fault": "flood"}]}')
    with pytest.raises(ValueError, match="flood"):
        await serve(0, faults_file=plan)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def answered(session: aiohttp.ClientSession, path: str) -> Any:
    async with asyncio.timeout(5):
        while True:
            try:
                async with session.get(path) as answer:
                    return await answer.json()
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.02)
