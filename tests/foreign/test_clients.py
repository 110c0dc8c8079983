"""Each foreign client does what the table says it does: one that gets worse fails, one that gets better renews the table."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from crm.sandbox import seed
from crm.sandbox.server import Sandbox
from tests.foreign.table import TABLE, Expected
from tests.integration.sandbox.client import FAST, Api
from tests.integration.sandbox.test_golden import a_code, a_pair
from tests.paths import ROOT

pytestmark = pytest.mark.foreign

INSTALLED = ROOT / ".foreign"
CLIENTS = ROOT / "tests" / "foreign" / "clients"
SECONDS = 120


@pytest.fixture
async def account() -> AsyncIterator[Api]:
    """A sample account whose plan has the filters; not every client keeps to seven requests a second."""
    profile = {**FAST, "filters_on": True}
    async with Sandbox(contacts=300, profile=profile) as sandbox, aiohttp.ClientSession() as session:
        yield Api(sandbox, session)


async def told(api: Api) -> dict[str, str]:
    """What a program learns through its environment: where the account is, and what it may use."""
    await api.control("profile", {"access_token_seconds": -60})
    spent = await a_pair(api)
    await api.control("profile", {"access_token_seconds": 86400})
    return {
        "SANDBOX_URL": api.sandbox.url,
        "CLIENT_ID": seed.CLIENT_ID,
        "CLIENT_SECRET": seed.CLIENT_SECRET,
        "REDIRECT": "https://example.com/crm/oauth",
        "CODE": await a_code(api),
        "EXPIRED": spent["access_token"],
        "REFRESH": spent["refresh_token"],
        "TOKEN": api.token,
    }


async def driven(client: str, api: Api) -> dict[str, str | None]:
    """Every operation that the program reports, with its error."""
    program = next(CLIENTS.glob(f"drive_{client.lstrip('@').replace('/', '_').replace('-', '_')}.*"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(INSTALLED), **await told(api)}
    process = await asyncio.create_subprocess_exec(
        *_command(program),
        cwd=ROOT,
        env={**environment, **_where(client, program)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    lines = [json.loads(line) for line in out.decode().splitlines() if line.startswith('{"operation"')]
    assert process.returncode == 0, err.decode()[-3000:]
    return {line["operation"]: line["error"] for line in lines}


def _command(program: Path) -> list[str]:
    if program.suffix == ".mjs":
        return [str(INSTALLED / "bin" / "node"), "--import", str(CLIENTS / "host.mjs"), str(program)]
    # the interpreter below the virtual environment: nothing of ours may stand in for a client's dependency
    return [sys._base_executable, "-m", f"tests.foreign.clients.{program.stem}"]  # type: ignore[attr-defined]


def _where(client: str, program: Path) -> dict[str, str]:
    if program.suffix == ".mjs":
        return {"FOREIGN": str(INSTALLED / "npm")}
    folder = INSTALLED / client
    assert folder.is_dir(), f"{client} is not installed: make test-foreign installs it"
    return {"PYTHONPATH": str(folder), "PYTHONIOENCODING": "utf-8"}


@pytest.mark.parametrize("client", sorted(TABLE))
async def test_a_foreign_client_does_what_the_table_says(client: str, account: Api) -> None:
    seen = await driven(client, account)
    found = differences(TABLE[client], seen)
    assert not found, "\n".join(found)


def differences(expected: dict[str, Expected], seen: dict[str, str | None]) -> list[str]:
    found = [f"{name}: the program reported nothing" for name in expected if name not in seen]
    for name, error in seen.items():
        row = expected.get(name)
        if row is None:
            found.append(f"{name}: stands in no row of the table, {error or 'works'}")
        elif row.works and error is not None:
            found.append(f"{name}: worse, {error}")
        elif not row.works and error is None:
            found.append(f"{name}: better, it works now")
        elif error is not None and row.error not in error:
            found.append(f"{name}: fails otherwise than the table says, {error}")
    return found


def test_worse_better_other_and_missing_are_told_apart() -> None:
    table = {
        "a": Expected(),
        "b": Expected("client", "its own", "TypeError"),
        "c": Expected(),
        "d": Expected(),
    }
    table["e"] = Expected("client", "its own", "TypeError")
    seen: dict[str, Any] = {"a": None, "b": None, "c": "400", "e": "KeyError", "f": None}
    assert [line.split(",")[0].split(" (")[0] for line in differences(table, seen)] == [
        "d: the program reported nothing",
        "b: better",
        "c: worse",
        "e: fails otherwise than the table says",
        "f: stands in no row of the table",
    ]
