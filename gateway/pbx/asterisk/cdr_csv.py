"""Asterisk's Master.csv as a call log: for calls that passed while nobody listened to its AMI.

It knows legs and not calls, so it tells only of what nobody has heard of at all. cdr_csv.conf must have loguniqueid=yes.
"""

from __future__ import annotations

import asyncio
import csv
import os
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from gateway.pbx.asterisk.cdr import cdr_events
from gateway.pbx.asterisk.wire import message
from gateway.pbx.call_log import LogPage, PbxUnreachable, by_call
from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid
from routing.calls.model import CallEvent

_BLOCK = 256 * 1024
_MOST_BYTES = 64 * 1024 * 1024

# Asterisk's own order; `LinkedID` stands at the end where cdr_custom was told to write it (setting cdr_csv_columns).
_COLUMNS = (
    "AccountCode", "Source", "Destination", "DestinationContext", "CallerID", "Channel", "DestinationChannel",
    "LastApplication", "LastData", "StartTime", "AnswerTime", "EndTime", "Duration", "BillableSeconds",
    "Disposition", "AMAFlags", "UniqueID", "UserField",
)  # fmt: skip


class CdrCsv:
    """Setting `cdr_csv`: the file's path on this machine; `time_zone`: of its times."""

    knows_ends = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._path = Path(str(connection.settings["cdr_csv"]))
        columns = connection.settings.get("cdr_csv_columns")
        self._columns = tuple(str(columns).replace(" ", "").split(",")) if columns else _COLUMNS

    async def read(self, since: datetime, until: datetime) -> AsyncIterator[LogPage]:
        """As CallLog."""
        try:
            yield await asyncio.to_thread(self._piece, since, until)
        except OSError as err:
            raise PbxUnreachable(f"{self._path}: {err.strerror or err}") from err

    def _piece(self, since: datetime, until: datetime) -> LogPage:
        events: list[CallEvent] = []
        refused: list[str] = []
        for line in _lines_from_the_end(self._path):
            try:
                told = self._events(line)
            except (WireInvalid, csv.Error) as err:
                refused.append(f"line: {err}")
                continue
            # Written when a call ends, so the order is nearly that of ends.
            if told and max(event.at for event in told) < since - timedelta(hours=1):
                break
            events += reversed(told)
        # A call whose first part began before lies outside as a whole.
        calls = [call for call in by_call(reversed(events)) if since <= call.began_at < until]
        return LogPage(calls=tuple(calls), refused=tuple(refused), whole_until=until)

    def _events(self, line: str) -> tuple[CallEvent, ...]:
        values = next(csv.reader([line], strict=True))
        return cdr_events(message(zip(self._columns, values, strict=False)), self._connection)


def _lines_from_the_end(path: Path) -> Iterator[str]:
    """Whole lines, last first; the last _MOST_BYTES of the file at most."""
    with path.open("rb") as file:
        place = file.seek(0, os.SEEK_END)
        stop, rest = max(0, place - _MOST_BYTES), b""
        while place > stop:
            size = min(_BLOCK, place - stop)
            place = file.seek(place - size)
            first, *lines = (file.read(size) + rest).split(b"\n")
            rest = first
            yield from (line.decode("utf-8", "replace") for line in reversed(lines) if line.strip())
        if stop == 0 and rest.strip():
            yield rest.decode("utf-8", "replace")
