"""A worker is killed at one of the points: there is something to do that comes there, and the point waits for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from runtime.database.pool import Conn
from tests.chaos.outgoing.calling_pbx import CallingPbx
from tests.chaos.outgoing.held import HELD_POINTS, REFUSAL_POINT, kill_held
from tests.chaos.outgoing.kill_points import SEEN_POINTS, KillPoints
from tests.chaos.outgoing.office import Deals

POINTS = (*HELD_POINTS, *SEEN_POINTS)


@dataclass(frozen=True, slots=True)
class Killing:
    """connection: straight to the database."""

    points: KillPoints
    pbx: CallingPbx
    deals: Deals
    connection: Callable[[], AbstractAsyncContextManager[Conn]]

    async def at(self, point: str, seconds: float) -> bool | str:
        """Move a deal that leads there, and kill whoever comes. False: nobody did in time."""
        await self.deals.move(rings=point.startswith("call"))
        if point in SEEN_POINTS:
            return await self.points.at(point, seconds)
        self.pbx.refuses_all = point == REFUSAL_POINT
        try:
            async with self.connection() as conn:
                return await kill_held(conn, self.points, point, seconds)
        finally:
            self.pbx.refuses_all = False
