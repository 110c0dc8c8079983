"""Addresses that were stored before they were judged: whatever stands there never reaches a dialplan."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import asyncpg

from gateway.health.account_checks import account_findings
from gateway.health.status import installation_status
from gateway.pbx.dialects import DIALECTS
from tests.integration.pbx.running_gateway import add_connection, prepare, running_gateway

KNOWN = "79001234567"  # of 101

SPOILT = (
    "108&PJSIP/103",
    '103,20,G(from-inside^105^1)" & "0',
    "${system(touch /tmp/x)}",
    "101\n102",
    "101\r\nX: y",
    "101\n",
    "<b>&\"'",
    "sip:101@evil.example;x=y",
    "101@a@b",
    "101?x=y",
    "а101",
    "",
    "9" * 65,
)


async def test_what_no_phone_has_is_rung_in_no_dialect(pool: asyncpg.Pool, database_url: str) -> None:
    await prepare(pool)
    await add_connection(pool, "generic", "generic")
    await pool.execute(
        "UPDATE employee SET extensions = $1, sip = $1, numbers = $1 WHERE employee_id = 'anna'", list(SPOILT)
    )
    group = json.dumps({"lookup": {"group": SPOILT}})
    await pool.execute("UPDATE account SET settings = settings || $1::text::jsonb", group)
    async with running_gateway(pool, database_url) as pbx:
        params = {"phone": KNOWN, "token": "demo"}
        _, _, body = await pbx.ask("generic", params=params)
        answer = json.loads(body)
        assert (answer["outcome"], answer["reason"], answer["targets"]) == ("scheme", "owner_unmapped", [])
        for dialect in DIALECTS:
            status, _, body = await pbx.ask("generic", params={**params, "format": dialect})
            assert status == 200
            said = re.sub(rb"\b[0-9a-z]{26}\b", b"", body)  # the decision's id may hold any digits
            assert not [s for s in ("108", "evil", "system", "102", "G(") if s.encode() in said], body
    now = datetime.now(UTC)
    status_now = await installation_status(pool, now)
    found = [f for f in account_findings(status_now.accounts[0], now) if f.code == "employees-undialable"]
    assert len(found) == 1


async def test_the_first_address_that_can_be_dialled_is_rung(pool: asyncpg.Pool, database_url: str) -> None:
    await prepare(pool)
    await add_connection(pool, "generic", "generic")
    await pool.execute(
        "UPDATE employee SET extensions = $1, sip = '{anna@pbx.example:5060}' WHERE employee_id = 'anna'",
        list(SPOILT),
    )
    async with running_gateway(pool, database_url) as pbx:
        _, _, body = await pbx.ask("generic", params={"phone": KNOWN, "token": "demo", "format": "text"})
    assert body == b"anna@pbx.example:5060"
