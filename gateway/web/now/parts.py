"""The parts of the page: each is read and drawn by itself, so that a change renews no more than what it touches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from crm.store.clients import names_of_numbers
from gateway.decisions.names_then import names_now
from gateway.store.calls.case_lists import calls_of_cases
from gateway.store.calls.journal import CallFilter, page_of
from gateway.web.charts.bars import Column, bars
from gateway.web.charts.spark import spark
from gateway.web.dialogs.lately import last_written
from gateway.web.frame import AnyPageCall
from gateway.web.now.calls_now import calls_going
from gateway.web.now.reading import (
    Going,
    HealthNow,
    calls_going_on,
    health_of,
    hour_of,
    longest_waiting,
)
from gateway.web.now.states import states_of
from gateway.web.now.strips import strips_of
from gateway.web.now.tiles import FigureTile, calls_tile, crm_tile, lookup_tile, missed_tile
from gateway.web.now.waiting import waiting_lines
from routing.texts.catalogue import Phrase

_SHOWN_STRIPS, _SHOWN_WAITING = 3, 3


class NowPart(NamedTuple):
    """topics: with which it changes. template: of the fragment."""

    topics: tuple[str, ...]
    template: str
    values: Callable[[NowReading], Awaitable[Mapping[str, Any]]]


@dataclass(slots=True)
class NowReading:
    """Reads for one request, each thing once."""

    call: AnyPageCall
    _health: HealthNow | None = None
    _going: Going | None = None

    async def health(self) -> HealthNow:
        self._health = self._health or await health_of(self.call)
        return self._health

    async def going(self) -> Going:
        self._going = self._going or await calls_going_on(self.call)
        return self._going


async def _strips(reading: NowReading) -> Mapping[str, Any]:
    health = await reading.health()
    found = strips_of(health.findings, reading.call.words)
    return {"strips": found[:_SHOWN_STRIPS], "more": found[_SHOWN_STRIPS:]}


async def _tiles(reading: NowReading) -> Mapping[str, Any]:
    call, health, going = reading.call, await reading.health(), await reading.going()
    hour = await hour_of(call)
    waiting = await longest_waiting(call, 1)
    longest = waiting[0] if waiting else None
    words = call.words
    tiles = [
        calls_tile(going.rows, sum(s.calls for s in hour), sum(s.answered for s in hour), words),
        missed_tile(
            health.account, longest.case if longest else None, longest.seconds if longest else None, words
        ),
        lookup_tile(health.gateways, call.services.settings.lookup_deadline_ms, words),
        crm_tile(health.account, health.gateways, words),
    ]
    return {"tiles": tiles, "drawn": _drawn(call, tiles)}


def _drawn(call: AnyPageCall, tiles: list[FigureTile]) -> Mapping[str, Any]:
    """Draw the line of a tile that has one."""
    found = {}
    for tile in tiles:
        if len(tile.parts) > 1:
            values = ", ".join(call.words.decimal(part) for part in tile.parts)
            found[tile.name] = spark(tile.parts, call.texts.say("now.tile.lookup.parts", values=values))
    return found


async def _calls(reading: NowReading) -> Mapping[str, Any]:
    call, going = reading.call, await reading.going()
    shown = calls_going(going.rows, going.names, going.lines, going.why, going.staff, call.words)
    written = await last_written(call, {row.client for row in going.rows if row.client})
    by_call = {row.call_id: written[row.client] for row in going.rows if row.client in written}
    return {"calls": shown, "written": by_call, "latest": None if shown else await _latest(call)}


async def _latest(call: AnyPageCall) -> Any:
    async with call.connection() as conn:
        rows = await page_of(conn, call.account.id, CallFilter(), limit=1)
    return rows[0].call.started_at if rows else None


async def _hour(reading: NowReading) -> Mapping[str, Any]:
    call, hour = reading.call, await hour_of(reading.call)
    answered, missed = sum(s.answered for s in hour), sum(s.missed for s in hour)
    label = Phrase("now.hour.label", {"answered": answered, "missed": missed})
    columns = [
        Column(
            _below(call.words.clock(s.starts), at),
            [(float(s.answered), "good"), (float(s.missed), "bad")],
            str(s.missed) if s.missed else "",
        )
        for at, s in enumerate(hour)
    ]
    drawing = bars(columns, call.texts.render(label))
    lines = [(call.words.clock(s.starts), s.answered, s.missed) for s in hour]
    return {"drawing": drawing, "lines": lines, "answered": answered, "missed": missed}


def _below(clock: str, at: int) -> str:
    """Write the first and whole hours in full, of others the minutes: there is little room on a phone."""
    return clock if at == 0 or clock.endswith(":00") else clock[-2:]


async def _states(reading: NowReading) -> Mapping[str, Any]:
    health, call = await reading.health(), reading.call
    states = list(states_of(health.account, call.account.settings.alerts, call.words))
    return {"states": states, "findings": len(strips_of(health.findings, call.words))}


async def _waiting(reading: NowReading) -> Mapping[str, Any]:
    call, health = reading.call, await reading.health()
    found = await longest_waiting(call, _SHOWN_WAITING)
    async with call.connection() as conn:
        names = await names_of_numbers(conn, call.account.id, {one.case.client for one in found})
        people = await names_now(conn, call.account.id)
        calls = await calls_of_cases(conn, call.account.id, {one.case.id for one in found})
    lines = waiting_lines(found, names, calls, people, call.words)
    return {"waiting": lines, "cases": health.account.cases}


PARTS: Mapping[str, NowPart] = {
    "strips": NowPart(
        (
            "findings",
            "work",
            "effects",
        ),
        "now/_strips.html",
        _strips,
    ),
    "tiles": NowPart(
        (
            "calls",
            "cases",
            "effects",
            "work",
            "findings",
        ),
        "now/_tiles.html",
        _tiles,
    ),
    "calls": NowPart(("calls",), "now/_calls.html", _calls),
    "hour": NowPart(("calls",), "now/_hour.html", _hour),
    "states": NowPart(
        (
            "findings",
            "work",
            "effects",
        ),
        "now/_states.html",
        _states,
    ),
    "waiting": NowPart(("cases",), "now/_waiting.html", _waiting),
}
