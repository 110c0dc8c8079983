"""From a PBX's events to the CRM on a virtual clock: thousands of seeds, each with its own disorder and faults."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from crm.effects.model import StoredEffect as StoredEffect
from crm.errors import CrmOutcomeUnknown
from runtime.circuit_breaker import Permit
from tests.unit.simulation.oracle import violations
from tests.unit.simulation.world import START, World

SEEDS = int(os.environ.get("CALLMATRIX_SIMULATION_SEEDS", "2000"))
_PART = 250


async def _lived(seed: int, calls: int = 6, *, has_faults: bool = True) -> World:
    world = World(seed, calls, has_faults=has_faults)
    await world.live()
    return world


@pytest.mark.parametrize("first", range(0, SEEDS, _PART))
async def test_every_call_leaves_exactly_what_it_must_whatever_breaks(first: int) -> None:
    unknown_attempts = kills = 0
    for seed in range(first, min(first + _PART, SEEDS)):
        world = await _lived(seed)
        found = violations(world)
        assert not found, f"seed {seed}: {found}"
        unknown_attempts += sum(1 for row in world.effects.rows.values() if row.unknown_attempts)
        kills += world.kills
    assert unknown_attempts > _PART / 10, "the faults must have fired"
    assert kills > _PART / 50, "writers must have been killed"


async def test_a_seed_gives_the_same_history_every_time() -> None:
    one, other = await _lived(5), await _lived(5)
    assert one.crm.requests == other.crm.requests
    assert one.now() == other.now() > START


async def test_the_oracle_notices_an_effect_that_is_sent_again_without_looking() -> None:
    world = World(11, has_faults=False)
    for method in ("create_tasks", "attach_calls", "create_deals_with_contacts"):
        world.crm.fail(method, CrmOutcomeUnknown("lost"), has_effect=True)
    world.writer._sender.look = _forgetful(world)  # type: ignore[method-assign,assignment]
    await world.live()
    assert violations(world)


def _forgetful(world: World) -> Callable[[Sequence[StoredEffect], Permit], Coroutine[Any, Any, None]]:
    async def look(stored: Sequence[StoredEffect], permit: Permit) -> None:
        for effect in stored:
            row = world.effects.rows[effect.key]
            row.state, row.next_try_at = "waiting", None

    return look


async def test_the_oracle_notices_what_is_missing_in_the_crm() -> None:
    world = await _lived(3, has_faults=False)
    assert not violations(world)
    new = next(c for c in world.crm.all("contact") if not c.numbers[0].startswith("+7900"))
    world.crm.remove("contact", new.id)
    assert any(new.numbers[0] in found for found in violations(world))


async def test_the_oracle_notices_a_call_that_was_accepted_and_forgotten() -> None:
    world = World(3, has_faults=False)
    world.office.work = lambda client: _forget(world, client)  # type: ignore[method-assign]
    await world.live()
    assert violations(world)


def _forget(world: World, client: str) -> None:
    for inbox in world.office.inboxes.values():
        inbox.is_pending = False
