"""Ringostat's call log as a local server: its key, its paging limit, its zone, and what it does when it is in trouble."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web


@dataclass
class FakeRingostat:
    """rows: the log, in any order, `calldate` in the project's zone. most: calls per answer. down: HTTP status of every
    answer, 0 = it works; down_after: it fails once it has answered so often. windows: what was asked for, with how many calls were answered."""

    auth_key: str = "demo"
    most: int = 6500
    rows: list[dict[str, Any]] = field(default_factory=list)
    down: int = 0
    down_after: int | None = None
    url: str = ""
    windows: list[tuple[str, str, int]] = field(default_factory=list)

    def call(
        self,
        key: str,
        at: datetime,
        *,
        caller: str = "79161234567",
        line: str = "74951230000",
        status: str = "NO ANSWER",
        talk: int = 0,
        wait: int = 15,
        kind: str = "in",
        employee: str | None = None,
        zone: str = "UTC",
    ) -> dict[str, Any]:
        """Adds one call and returns its row. at: aware."""
        row = {
            "calldate": f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}",
            "caller": caller if kind == "in" else line,
            "dst": line if kind == "in" else caller,
            "userfield": caller,
            "disposition": status,
            "duration": str(talk + wait),
            "billsec": str(talk),
            "waittime": str(wait),
            "call_type": kind,
            "uniqueid": key,
        }
        if employee:
            row["employee_number"] = employee
        self.rows.append(row)
        return row

    async def _list(self, request: web.Request) -> web.Response:
        if self.down or (self.down_after is not None and len(self.windows) >= self.down_after):
            return web.Response(status=self.down or 502, text="<html>trouble</html>")
        if request.headers.get("Auth-key") != self.auth_key:
            return web.json_response({"error": "wrong key"}, status=401)
        assert request.query["export_type"] == "json"
        since, until = request.query["from"], request.query["to"]
        found = sorted(
            (row for row in self.rows if since <= str(row["calldate"]) <= until),
            key=lambda row: str(row["calldate"]),
        )[: self.most]
        self.windows.append((since, until, len(found)))
        wanted = request.query["fields"].split(",")
        return web.json_response([{n: row[n] for n in wanted if n in row} for row in found])


@asynccontextmanager
async def serving(fake: FakeRingostat) -> AsyncIterator[FakeRingostat]:
    app = web.Application()
    app.router.add_get("/calls/list", fake._list)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()
