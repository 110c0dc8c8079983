"""How far the clock of each connection's PBX is off, as its latest calls show it: remembered for a moment by this process."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.store.crm_accounts.exchanges import report
from gateway.store.intake.inbox import latest_tellings
from routing.calls.clocks import connection_offset
from runtime.database.pool import Conn

REPORT = "pbx_clock"
_REMEMBERED = timedelta(seconds=30)
_LATEST = 120
"""Messages that are looked at: those of some twenty calls."""
_CHANGED = timedelta(seconds=5)


class PbxClocks:
    """Nothing is kept of it: what is stored of the connection's messages says it, whoever asks."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[datetime, timedelta | None]] = {}
        self._reported: dict[tuple[str, str], timedelta] = {}

    async def offset_of(
        self, conn: Conn, account_id: str, connection_id: str, now: datetime
    ) -> timedelta | None:
        """Return what has to be added to its times; None where its calls do not agree, or are too few."""
        key = (account_id, connection_id)
        at, known = self._known.get(key, (None, None))
        if at is not None and at <= now < at + _REMEMBERED:
            return known
        offset = connection_offset(await latest_tellings(conn, account_id, connection_id, _LATEST))
        self._known[key] = (now, offset)
        if offset is not None and self._is_news(key, offset):
            await report(
                conn, account_id, f"{REPORT}:{connection_id}", {"offset_seconds": offset.total_seconds()}
            )
            self._reported[key] = offset
        return offset

    def _is_news(self, key: tuple[str, str], offset: timedelta) -> bool:
        """Whether others do not know it: what an earlier process told may have been mended since."""
        told = self._reported.get(key)
        return told is None or abs(offset - told) > _CHANGED
