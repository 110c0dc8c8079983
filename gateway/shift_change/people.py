"""Who is on shift, as presence has it."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.store.presence.attendance import attendances
from routing.attendance.model import Attendance
from routing.shift_change.turns import OnShift
from runtime.database.pool import Conn


async def people_now(conn: Conn, account_id: str) -> Mapping[str, OnShift]:
    """Return, by employee id, those of whom anything is known."""
    return {one: shift_of(found) for one, found in (await attendances(conn, account_id)).items()}


def shift_of(attendance: Attendance) -> OnShift:
    """Whoever is asked is still there; of whom nothing was seen yet is neither there nor gone."""
    return OnShift(attendance.mark in ("on", "asked"), attendance.mark == "off", attendance.since)
