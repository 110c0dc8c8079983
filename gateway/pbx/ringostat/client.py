"""Ringostat's call log, asked over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import aiohttp

from gateway.pbx.asking import ask
from gateway.pbx.call_log import LogPage, PbxAnswerInvalid, PbxRefused, Window, by_call, windows
from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid
from gateway.pbx.ringostat.calls_list import PATH, halves, query
from gateway.pbx.ringostat.wire import parse_calls_list
from routing.calls.model import CallEvent
from runtime.vendors.http import NoteExchange, Question

BASE = "https://api.ringostat.net"


class RingostatLog:
    """Setting `base_url` replaces the vendor's address; key `auth_key`: the project's API key.

    Its times are in the project's zone: setting `time_zone`.
    """

    knows_ends = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        on_exchange: NoteExchange | None = None,
        *,
        seconds: float = 60.0,
    ) -> None:
        self._session = session
        self._connection = connection
        self._on_exchange = on_exchange
        self._seconds = seconds

    async def read(self, since: datetime, until: datetime) -> AsyncIterator[LogPage]:
        """As CallLog. A window whose answer is as long as an answer can be is asked again in halves."""
        for day in windows(since, until):
            waiting = [day]
            while waiting:
                window = waiting.pop(0)
                events, refused = await self._list(window)
                if smaller := halves(window, len(events) + len(refused)):
                    waiting[:0] = smaller
                    continue
                yield LogPage(calls=by_call(events), refused=refused, whole_until=window.until)

    async def _list(self, window: Window) -> tuple[tuple[CallEvent, ...], tuple[str, ...]]:
        base = str(self._connection.settings.get("base_url") or BASE).rstrip("/")
        key = self._connection.keys.get("auth_key")
        if not key:
            raise PbxRefused("the connection has no auth_key")
        _, body = await ask(
            self._session,
            Question(
                method="GET",
                url=f"{base}{PATH}?{query(window, self._connection)}",
                headers={"Auth-key": key, "Accept": "application/json"},
                seconds=self._seconds,
            ),
            self._on_exchange,
        )
        try:
            return parse_calls_list(body, self._connection)
        except WireInvalid as err:
            raise PbxAnswerInvalid(str(err)) from err
