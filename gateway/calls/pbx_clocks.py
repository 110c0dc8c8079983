"""How far the clock of each connection's PBX is off, as its calls show it: remembered for a moment by this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gateway.store.crm_accounts.exchanges import report
from gateway.store.intake.inbox import latest_tellings
from routing.calls.clocks import AT_ONCE, Telling, connection_offset
from routing.calls.model import CallEvent
from runtime.database.pool import Conn

REPORT = "pbx_clock"
_STEP = timedelta(seconds=30)
_LATEST = 120
"""Messages that are looked at: those of some twenty calls."""
_CHANGED = timedelta(seconds=5)
_NEWS = timedelta(minutes=10)
_BEGAN = datetime(2000, 1, 1, tzinfo=UTC)
_EVENTS = TypeAdapter(tuple[CallEvent, ...])


class PbxClocks:
    """Nothing is kept of it: what is stored of the connection's messages says it, whoever asks."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[datetime, timedelta | None]] = {}
        self._reported: dict[tuple[str, str], timedelta] = {}

    async def offset_of(
        self, conn: Conn, account_id: str, connection_id: str, heard_at: datetime, now: datetime
    ) -> timedelta | None:
        """Return what has to be added to its times; None where its calls do not agree, or are too few.

        heard_at: when the first of the call was heard. Only what had come before counts, so that a recording which comes
        when the clock has been mended does not move the call.
        """
        key, until = (account_id, connection_id), heard_at - (heard_at - _BEGAN) % _STEP
        at, known = self._known.get(key, (None, None))
        if at == until:
            return known
        offset = connection_offset(
            _tellings(await latest_tellings(conn, account_id, connection_id, until, _LATEST))
        )
        self._known[key] = (until, offset)
        if offset is not None and until > now - _NEWS and self._is_news(key, offset):
            await report(
                conn, account_id, f"{REPORT}:{connection_id}", {"offset_seconds": offset.total_seconds()}
            )
            self._reported[key] = offset
        return offset

    def _is_news(self, key: tuple[str, str], offset: timedelta) -> bool:
        """Whether others do not know it: what an earlier process told may have been mended since."""
        told = self._reported.get(key)
        return told is None or abs(offset - told) > _CHANGED


def _tellings(messages: Sequence[tuple[str, datetime, Any]]) -> Iterator[Telling]:
    """Yield what was told as it happened. A message that cannot be read is of no use here, and stands on the desk for itself."""
    for call_key, received_at, stored in messages:
        try:
            events = _EVENTS.validate_python(stored)
        except ValidationError:
            continue
        yield from (Telling(call_key, received_at, e.at) for e in events if e.kind in AT_ONCE)
