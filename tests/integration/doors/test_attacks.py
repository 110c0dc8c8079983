"""Strangers without a secret against a real gateway: memory comes back, lookups go on, who says nothing is cut off."""

from __future__ import annotations

import asyncio

from tests.integration.doors.gateway_process import GatewayProcess, gateway_process
from tests.waiting import until

_MIB = 1024 * 1024


async def _settled(gateway: GatewayProcess) -> int:
    """Its memory once it has answered some thousand questions."""
    for _ in range(30):
        await asyncio.gather(*(gateway.lookup() for _ in range(20)))
    await asyncio.sleep(3)
    return gateway.memory


async def test_large_bodies_of_strangers_are_not_held_and_leave_no_memory_behind(database_url: str) -> None:
    async with gateway_process(database_url) as gateway:
        fresh = await _settled(gateway)
        peak = await _peak_of_attack(gateway)
        before = await _settled(gateway)
        assert before < fresh + 32 * _MIB, (
            f"{fresh / _MIB:.0f} MiB, {before / _MIB:.0f} MiB after the first attack"
        )
        for _ in range(3):
            peak = max(peak, await _peak_of_attack(gateway))
        await until(
            lambda: gateway.memory < before + 8 * _MIB,
            f"memory is back to the {before / _MIB:.0f} MiB that it was after the first attack",
            seconds=30,
        )
        assert peak < fresh + 100 * _MIB, f"{fresh / _MIB:.0f} MiB, {peak / _MIB:.0f} MiB at the worst"
        assert len(gateway.log.read_text().splitlines()) < 50


async def _peak_of_attack(gateway: GatewayProcess) -> int:
    """The most that it held while 150 large bodies came."""
    attack = asyncio.create_task(gateway.attack("chunked", 150))
    peak = 0
    while not attack.done():
        peak = max(peak, gateway.memory)
        await asyncio.sleep(0.05)
    assert await attack == 150
    await gateway.lookup()
    return peak


async def test_compressed_bodies_do_not_hold_up_a_lookup(database_url: str) -> None:
    """Of several tries the best counts: other work on this machine holds up lookups as well."""
    async with gateway_process(database_url) as gateway:
        await _settled(gateway)
        await until(gateway.has_pages, "the process that makes the pages answers", seconds=60)
        for name in ("bombs", "bombs_nowhere"):
            worst = [await _worst_lookup_during(gateway, name) for _ in range(3)]
            assert min(worst) < 0.15, (name, worst)


async def _worst_lookup_during(gateway: GatewayProcess, name: str) -> float:
    attack = asyncio.create_task(gateway.attack(name, 50))
    worst = 0.0
    while not attack.done():
        worst = max(worst, await gateway.lookup())
        await asyncio.sleep(0.01)
    told = await attack
    assert set(told) <= {"401", "415", "cut", "303"}, told
    return worst


async def test_who_says_nothing_is_cut_off_and_a_pbx_is_answered_all_the_while(database_url: str) -> None:
    async with gateway_process(database_url, files=600) as gateway:
        before = gateway.descriptors
        attack = await gateway.begin("silent", 1500)
        asked = 0
        while attack.returncode is None:
            await gateway.lookup()
            asked += 1
            assert gateway.descriptors < 600 - 100
            await asyncio.sleep(0.05)
        assert asked > 100
        assert await gateway.outcome(attack) == 0
        await until(lambda: gateway.descriptors < before + 5, "the connections are gone")
        assert await gateway.metric("http_connections_sent_away_total") > 0
        assert await gateway.metric("descriptors_exhausted_total") == 0


async def test_with_files_enough_who_says_nothing_is_cut_off_by_time(database_url: str) -> None:
    async with gateway_process(database_url, CALLMATRIX_MAX_CONNECTIONS_PER_ADDRESS="4000") as gateway:
        before = gateway.descriptors
        attack = await gateway.begin("silent", 300)
        assert attack.stdout is not None
        await attack.stdout.readline()
        await until(lambda: gateway.descriptors > before + 850, "all of them were taken")
        assert await gateway.outcome(attack) == 0
        assert await gateway.metric("http_connections_late_total") >= 600
        await until(lambda: gateway.descriptors < before + 5, "the connections are gone")


async def test_who_asks_and_does_not_read_is_held_up_and_then_cut_off(database_url: str) -> None:
    async with gateway_process(database_url) as gateway:
        before = await _settled(gateway)
        attack = await gateway.begin("deaf", 20)
        assert attack.stdout is not None
        await attack.stdout.readline()
        assert gateway.memory < before + 100 * _MIB
        await gateway.lookup()
        await gateway.outcome(attack)
        await until(lambda: gateway.memory < before + 32 * _MIB, "memory is back", seconds=30)
