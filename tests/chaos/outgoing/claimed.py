"""The moment between the commit of an attempt and the step that lets its request out, which no double can see: the database
holds that step up for as long as the harness wants."""

from __future__ import annotations

import asyncio
import time

from runtime.database.pool import Conn
from tests.chaos.outgoing.kill_points import CLAIMED_POINT, KillPoints

_LOCK = 770_001
HOLD = f"""
CREATE OR REPLACE FUNCTION hold_placing() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared({_LOCK}); RETURN NEW; END $$;
CREATE OR REPLACE TRIGGER hold_placing BEFORE UPDATE ON outbound_attempt FOR EACH ROW
WHEN (OLD.state = 'claimed' AND NEW.state = 'placing') EXECUTE FUNCTION hold_placing();
"""

_HELD_UP = f"""
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {_LOCK} AND NOT granted
"""


async def kill_claimed(conn: Conn, points: KillPoints, seconds: float) -> bool | str:
    """Kill the workers while an attempt is claimed and not begun, so that it stays so. False: there was none in time. Needs HOLD."""
    await conn.execute(f"SELECT pg_advisory_lock({_LOCK})")
    try:
        deadline = time.monotonic() + seconds
        while not (held := [row["pid"] for row in await conn.fetch(_HELD_UP)]):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.02)
        if not points.kill_all():
            return False
        await conn.fetch("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", held)
        left = await conn.fetchval("SELECT count(*) FROM outbound_attempt WHERE state = 'claimed'")
    finally:
        await conn.execute(f"SELECT pg_advisory_unlock({_LOCK})")
    if not left:
        return False
    points.has_fired(CLAIMED_POINT)
    return f"{left} claimed"
