"""Who rings: a real Asterisk with our recipe asks the gateway while SIPp's call is waiting."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.e2e.pbx.between import relay
from tests.e2e.pbx.office import KNOWN_CALLER, NEW_CALLER, OWNER, RESERVE, Office, running_office

pytestmark = pytest.mark.pbx

AT_MOST_SECONDS = 1.5


@pytest.fixture
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    async with running_office(tmp_path, database_url, workers=1) as running:
        yield running


@pytest.mark.parametrize("by", ["curl", "agi"])
async def test_a_known_caller_rings_the_owner_and_an_unknown_one_the_reserve(office: Office, by: str) -> None:
    with office.asking(CALLMATRIX_BY=by):
        for spelling in (KNOWN_CALLER, "89000000007", "79000000007"):
            assert (await office.rings(spelling))[0] == OWNER, spelling
        assert (await office.rings(NEW_CALLER))[0] == RESERVE
        assert (await office.rings("anonymous"))[0] == RESERVE


@pytest.mark.parametrize("by", ["curl", "agi"])
async def test_the_reserve_rings_in_time_while_the_gateway_is_frozen_slow_or_gone(
    office: Office, by: str, record_property: Callable[[str, object], None]
) -> None:
    gateway = office.stack.process("gateway0")
    async with (
        relay(int(office.stack.url.rpartition(":")[2]), 3.0) as slow,
        relay(office.agi_port, 3.0) as slow_agi,
    ):
        with office.asking(CALLMATRIX_BY=by):
            gateway.signal(signal.SIGSTOP)
            try:
                frozen = await office.rings(KNOWN_CALLER)
            finally:
                gateway.signal(signal.SIGCONT)
            await office.stack.until_answers(f"{office.stack.url}/healthz")
            assert (await office.rings(KNOWN_CALLER))[0] == OWNER, "the gateway came back"
            with office.asking(
                CALLMATRIX_URL=f"http://127.0.0.1:{slow.port}/pbx/asterisk",
                CALLMATRIX_AGI=f"127.0.0.1:{slow_agi.port}",
            ):
                slowed = await office.rings(KNOWN_CALLER)
            with office.asking(
                CALLMATRIX_URL=f"{office.stack.url}/pbx/asterisk",
                CALLMATRIX_AGI=f"127.0.0.1:{office.agi_port}",
            ):
                gateway.kill()
                stopped = await office.rings(KNOWN_CALLER)
    for how, (phone, seconds) in {"frozen": frozen, "slow": slowed, "stopped": stopped}.items():
        record_property(f"{by} {how}", round(seconds, 3))
        print(f"{by}, gateway {how}: {phone} rings after {seconds:.3f} s")
        assert phone == RESERVE, how
        assert seconds <= AT_MOST_SECONDS, how


async def test_a_wrong_secret_rings_the_reserve(office: Office) -> None:
    for by in ("curl", "agi"):
        with office.asking(CALLMATRIX_BY=by, CALLMATRIX_SECRET="wrong"):
            assert (await office.rings(KNOWN_CALLER))[0] == RESERVE
