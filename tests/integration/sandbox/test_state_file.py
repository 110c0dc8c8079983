"""With a state file nothing that was answered is lost, not even by kill -9."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp

from crm.sandbox.server import Sandbox
from tests.integration.sandbox.conftest import FAST, Api
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
    assert len(kept) == 100 + 5 + 8
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
        assert (await api.control("seed", {"contacts": 10}))["contacts"] == 18
