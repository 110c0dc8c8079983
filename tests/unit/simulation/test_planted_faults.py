"""A wrong core does not get through the simulation: each fault that is planted is noticed by the oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from routing.calls.model import EventKind
from routing.client_work import call as right
from routing.client_work.call import MISSED
from routing.client_work.values import (
    Act,
    CallRow,
    CaseDecided,
    ClientState,
    MomentDecided,
    RecordingAmended,
    RecordingNoted,
    Setup,
    Told,
    Worked,
)
from routing.effects import CreateContact, Effect
from routing.matrix.presets import update_only
from routing.missed_calls import Case
from tests.unit.simulation.office import Core
from tests.unit.simulation.oracle import violations, violations_of_waiting
from tests.unit.simulation.world import World

SEEDS = 60
WAITING_SEEDS = 150


def forgets_the_late_answer(before: CallRow | None, row: CallRow, state: ClientState, setup: Setup) -> Worked:
    """A call that was decided as missed stays missed, whatever is told afterwards."""
    if before is not None and MISSED in before.moments:
        return Worked(replace(before, due_at=None), (), state)
    return right.work_on_call(before, row, state, setup)


def doubles_the_contact(before: CallRow | None, row: CallRow, state: ClientState, setup: Setup) -> Worked:
    """The contact is ordered for each call of the client, as if nothing had been promised."""
    worked = right.work_on_call(before, row, state, setup)
    return worked._replace(acts=tuple(_with_another_contact(act) for act in worked.acts))


def _with_another_contact(act: Act) -> Act:
    if not isinstance(act, MomentDecided):
        return act
    more = [
        Effect(key=f"{e.key}:again", order=e.order) for e in act.effects if isinstance(e.order, CreateContact)
    ]
    return act._replace(effects=(*act.effects, *more))


def drops_the_missed_task(before: CallRow | None, row: CallRow, state: ClientState, setup: Setup) -> Worked:
    """A missed call opens no case."""
    worked = right.work_on_call(before, row, state, setup)
    kept = (a for a in worked.acts if not (isinstance(a, CaseDecided) and a.decision.reason == "case_opened"))
    return worked._replace(acts=tuple(kept))


def never_closes_a_case(before: CallRow | None, row: CallRow, state: ClientState, setup: Setup) -> Worked:
    """Somebody talks with the client, and the task stays."""
    worked = right.work_on_call(before, row, state, setup)
    kept = (a for a in worked.acts if not (isinstance(a, CaseDecided) and a.decision.reason == "case_closed"))
    return worked._replace(acts=tuple(kept))


def loses_late_recordings(before: CallRow | None, row: CallRow, state: ClientState, setup: Setup) -> Worked:
    """A link that comes after the call note goes nowhere."""
    worked = right.work_on_call(before, row, state, setup)
    kept = (a for a in worked.acts if not isinstance(a, RecordingAmended | RecordingNoted))
    return worked._replace(acts=tuple(kept))


def does_not_wait(before: CallRow | None, row: CallRow, state: ClientState, setup: Setup) -> Worked:
    """What another integration has not made by the end of the call is taken as never to come."""
    calls = setup.settings.calls.model_copy(update={"update_wait_seconds": 0})
    hasty = setup._replace(settings=setup.settings.model_copy(update={"calls": calls}))
    return right.work_on_call(before, row, state, hasty)


def ignores_lost_legs(before: CallRow | None, told: Told, setup: Setup) -> CallRow:
    """What the PBX tells of single phones is not looked at."""
    events = [e for e in told.events if e.kind is not EventKind.LEG_ENDED]
    return right.folded(before, told._replace(events=events), setup)


def never_escalates(account_id: str, case: Case, setup: Setup) -> CaseDecided | None:
    """Who has the task keeps it."""
    if case.escalate_at is None or setup.now < case.escalate_at:
        return None
    decided = right_escalation(account_id, case, setup)
    if decided is None:
        return None
    still = case.model_copy(update={"escalate_at": None})
    return decided._replace(decision=decided.decision._replace(case=still, effects=()))


right_escalation = Core().escalate


@pytest.mark.parametrize(
    "work",
    [
        forgets_the_late_answer,
        doubles_the_contact,
        drops_the_missed_task,
        never_closes_a_case,
        loses_late_recordings,
    ],
)
async def test_the_oracle_notices_a_core_that(
    work: Callable[[CallRow | None, CallRow, ClientState, Setup], Worked],
) -> None:
    assert await _is_noticed(Core(work_on_call=work))


async def test_the_oracle_notices_a_core_that_ignores_lost_legs() -> None:
    assert await _is_noticed(Core(folded=ignores_lost_legs))


async def test_the_oracle_notices_a_core_that_never_escalates() -> None:
    assert await _is_noticed(Core(escalate=never_escalates))


async def _is_noticed(core: Core) -> bool:
    """In one of the seeds; the right core is never found fault with in any of them."""
    for seed in range(SEEDS):
        world = World(seed, has_faults=False, core=core)
        await world.live()
        if violations(world):
            return True
    return False


async def _waits(seed: int, core: Core | None = None) -> World:
    world = World(seed, core=core, matrix=update_only(), has_faults=False)
    await world.live()
    return world


async def test_a_matrix_that_waits_gets_what_another_integration_makes_in_time() -> None:
    waited = 0
    for seed in range(WAITING_SEEDS):
        world = await _waits(seed)
        assert not violations_of_waiting(world), f"seed {seed}: {violations_of_waiting(world)}"
        waited += world.office.waited
    assert waited > WAITING_SEEDS, "there must have been something to wait for"


async def test_the_oracle_notices_a_core_that_does_not_wait() -> None:
    worlds = [await _waits(seed, Core(work_on_call=does_not_wait)) for seed in range(SEEDS)]
    assert any(violations_of_waiting(world) for world in worlds)
