"""What a caller writes into their number, or a phone into what it dials, is nothing but a number to the recipe."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.pbx.office import KNOWN_CALLER, OWNER, RESERVE, Office, running_office
from tests.e2e.stack import ACCOUNT

pytestmark = pytest.mark.pbx

# User parts of From, as PJSIP hands them over with %XX resolved.
CALLERS = (
    "79031117701,Recording%3Ahttps%3A%2F%2Fevil.example%2Fx.wav,pool%3AEVIL",
    "79031117702%2CClient%3A79990001123%2CDirection%3Aout",
    "79031117704,Client%3A79990001123,Direction%3Aout",
    "%24%7BSHELL(id)%7D",
    "79031117705%22%20%26%20%220",
    "79031117706%26PJSIP%2F103",
)
# User parts of the request line, dialled from outside.
DIALLED = (
    "74950000001,Client%3A79990001123,Recording%3Ahttps%3A%2F%2Fevil.example%2Fy,x%3AEVIL",
    "74950000001%26PJSIP%2F103",
)
# And from a phone inside.
DIALLED_INSIDE = (
    "12345678%40provider&PJSIP%2F103",
    "1234567%40provider,5,G(from-inside%5E103%5E1)",
    "1234567%26Local%2F103%40from-inside",
    "+123456%7DPJSIP",
)
BROKEN_LINE = "79031117703%0D%0AX%3A1%0D%0A%0D%0AEvent%3A%20EvilEvent%0D%0AX%3AEVIL"


@pytest.fixture
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    async with running_office(tmp_path, database_url, workers=1) as running:
        await running.listen()
        yield running


async def dialled(office: Office, caller: str, **more: Any) -> list[str]:
    """Whom the recipe rings."""
    with office.phones() as phones, office.call(caller, talk_ms=200, **more) as call:
        await asyncio.to_thread(call.finish)
        return [invited.user for invited in phones.invited()]


async def test_nothing_is_forged_by_what_callers_and_phones_write(office: Office) -> None:
    for caller in CALLERS:
        assert await dialled(office, caller) == [RESERVE], caller
    for number in DIALLED:
        assert await dialled(office, "79031117709", to=number) == [], number
    for number in DIALLED_INSIDE:
        assert await dialled(office, "101", to=number) == [], number
    rows = await office.until_calls(
        lambda rows: len(rows) >= len(CALLERS) and all(row["is_over"] for row in rows)
    )
    await office.stack.until_idle()
    for row in rows:
        facts = row["facts"] if isinstance(row["facts"], dict) else json.loads(row["facts"])
        assert (row["client"], facts["recordings"], facts["params"]) in (
            (None, [], {}),
            ("+79031117709", [], {}),
        )
        assert not (row["direction"] == "outbound" and row["client"]), dict(row)
    notes = await office.stack.rows("call")
    assert "evil" not in str(notes)

    await dialled(office, BROKEN_LINE)
    await office.until_report(lambda body: body.get("odd", 0) > 0)


async def test_an_address_that_rings_two_phones_rings_none_by_fastagi(office: Office) -> None:
    await office.stack.pool.execute(
        "UPDATE employee SET extensions = $1 WHERE account_id = $2 AND $3 = ANY(extensions)",
        [f"{OWNER}&PJSIP/103"],
        ACCOUNT,
        OWNER,
    )
    with office.asking(CALLMATRIX_BY="agi"):
        async with asyncio.timeout(20):
            while await dialled(office, KNOWN_CALLER) == [OWNER]:  # until the gateway has read it
                await asyncio.sleep(0.2)
        assert await dialled(office, KNOWN_CALLER) == [RESERVE]
