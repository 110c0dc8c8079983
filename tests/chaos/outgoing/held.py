"""Moments of what goes out that no double can see, however short they are: the database holds up the step that ends such a moment
until whoever takes it was killed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from runtime.database.pool import Conn
from tests.chaos.outgoing.kill_points import KillPoints

REFUSAL_POINT = "call-after-refusal"


class _Step(NamedTuple):
    """when: which change of a row ends the moment. lock: held by whoever wants to see it."""

    table: str
    when: str
    lock: int


_STEPS: Mapping[str, _Step] = {
    # committed that it is to be called, and not yet that the request goes out
    "call-claimed": _Step("outbound_attempt", "OLD.state = 'claimed' AND NEW.state = 'placing'", 770_001),
    # the PBX has refused; what it answers to an order that it takes is written down nowhere
    REFUSAL_POINT: _Step(
        "outbound_attempt",
        "OLD.state = 'placing' AND NEW.state = 'over' AND NEW.raw LIKE 'number-not-called:%'",
        770_002,
    ),
    # the end of the call was told and stored
    "call-before-outcome": _Step(
        "outbound_attempt",
        "OLD.state <> 'over' AND NEW.state = 'over' AND NEW.call_key IS NOT NULL AND NEW.side <> 'unknown'",
        770_003,
    ),
    # the provider has said that it took the text
    "text-after-answer": _Step("sms_message", "OLD.state = 'sending' AND NEW.state = 'accepted'", 770_004),
}
HELD_POINTS = tuple(_STEPS)

_FUNCTION = """
CREATE OR REPLACE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint); RETURN NEW; END $$;
"""
_TRIGGER = """
CREATE OR REPLACE TRIGGER "hold_up_{point}" BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({when})
EXECUTE FUNCTION hold_up('{lock}');
"""
HOLD = _FUNCTION + "".join(_TRIGGER.format(point=point, **step._asdict()) for point, step in _STEPS.items())

_HELD_UP = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid::bigint = $1 AND NOT granted"
_END_HELD_UP = f"SELECT pg_terminate_backend(pid) FROM ({_HELD_UP}) AS held"
_END_SECONDS = 10.0


async def kill_held(conn: Conn, points: KillPoints, point: str, seconds: float) -> bool | str:
    """Kill the workers while one of them is held up there, so that what it was about to write is never written. False: nobody came
    in time. Needs HOLD."""
    lock, deadline = _STEPS[point].lock, time.monotonic() + seconds
    if not await _until(lambda: conn.fetchval("SELECT pg_try_advisory_lock($1)", lock), deadline):
        return False
    try:
        held = await _until(lambda: conn.fetch(_HELD_UP, lock), deadline)
        if not held or not points.kill_all() or not await _are_ended(conn, lock):
            return False
    finally:
        await conn.execute("SELECT pg_advisory_unlock($1)", lock)
    points.has_fired(point)
    return f"{len(held)} held up"


async def _are_ended(conn: Conn, lock: int) -> bool:
    """Whoever was held up is gone from the database too: let go, it would still commit what a dead process wanted."""

    async def ended() -> bool:
        return not await conn.fetch(_END_HELD_UP, lock)

    return bool(await _until(ended, time.monotonic() + _END_SECONDS))


async def _until(look: Callable[[], Awaitable[Any]], deadline: float) -> Any:
    """Return the first that is something; None at the deadline."""
    while not (seen := await look()):
        if time.monotonic() > deadline:
            return None
        await asyncio.sleep(0.02)
    return seen
