"""From a PBX's events to the CRM on a virtual clock: thousands of seeds, each with its own disorder and faults."""

from __future__ import annotations

import os

import pytest

from tests.unit.simulation.world import World, violations

SEEDS = int(os.environ.get("CALLMATRIX_SIMULATION_SEEDS", "2000"))
_PART = 250


async def _lived(seed: int, **more: object) -> World:
    world = World(seed, **more)  # type: ignore[arg-type]
    await world.live()
    return world


@pytest.mark.parametrize("first", range(0, SEEDS, _PART))
async def test_every_call_leaves_exactly_what_it_must_whatever_breaks(first: int) -> None:
    doubts = kills = 0
    for seed in range(first, min(first + _PART, SEEDS)):
        world = await _lived(seed)
        found = violations(world)
        assert not found, f"seed {seed}: {found}"
        doubts += sum(1 for row in world.effects.rows.values() if row.doubts)
        kills += world.kills
    assert doubts > _PART / 10, "the faults must have fired"
    assert kills > _PART / 50, "writers must have been killed"
