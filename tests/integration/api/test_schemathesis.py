"""The description of the API is true: whatever it allows is answered with what it promises, and never with a failure."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.store.calls.missed_calls import save_case
from routing.missed_calls import Case
from tests.integration.api.client import ACCOUNT, Api, add_effect

SECONDS = int(os.environ.get("CALLMATRIX_SCHEMATHESIS_SECONDS", "60"))
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_the_api_does_what_its_description_says(api: Api, tmp_path: Path) -> None:
    await _something_of_everything(api)
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        "[parameters]\n"
        f'"path.account" = "{ACCOUNT}"\n'
        '"path.case" = "case-1"\n'
        '"path.connection" = "office"\n'
        '"path.version" = 1\n'
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(config),
        "run",
        f"{api.url}/api/openapi.json",
        *("-H", f"Authorization: Bearer {api.tokens['admin']}"),
        *("-c", CHECKS),
        *("--phases", "coverage,fuzzing"),
        *("--max-time", str(SECONDS)),
        *("-n", "15"),
        *("--suppress-health-check", "all"),
        *("--seed", "1"),
        # These go out to the network, or take away what the run itself stands on.
        *("--exclude-operation-id", "post_v1_accounts"),
        *("--exclude-operation-id-regex", "^delete_v1_(tokens|accounts_account_connections)"),
        "--no-color",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-20_000:]
    assert b"Tested:" in said, said.decode()[-5_000:]


async def _something_of_everything(api: Api) -> None:
    """So that the handlers find rows to show and to change."""
    now = datetime.now(UTC)
    case = Case(
        id="case-1",
        client="+79161234567",
        opened_at=now,
        last_missed_at=now,
        missed_calls=("call-1",),
        owner_id="1",
        target=None,
        task_text="Перезвонить",
        task_due_at=now,
    )
    async with api.pool.acquire() as conn:
        await save_case(conn, ACCOUNT, case)
    await add_effect(
        api.pool, "dead-1", state="dead", error_code="validation", error_field="name", error_detail="no"
    )
    await add_effect(api.pool, "held-1", state="held")
    await api.pool.execute(
        "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, received_at, raw, events, state, error)"
        " VALUES ($1, 'office', 'k', 'c', now(), 'raw', '[]', 'dead', 'event-unprocessable: no')",
        ACCOUNT,
    )
    await api.pool.execute(
        "INSERT INTO vendor_exchange (account_id, vendor, at, method, target, status, took_ms, lane, sent, received)"
        " VALUES ($1, 'amocrm', now(), 'GET', '/api/v4/users', 200, 12, 'sync', '', '{}')",
        ACCOUNT,
    )
