"""Those who wait, as the filter finds them, as a table for spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from gateway.web.frame import PageCall
from gateway.web.missed.lines import MissedLine, missed_lines
from gateway.web.missed.query import MissedQuery, is_wanted
from gateway.web.missed.reading import beside, waiting_cases
from gateway.web.words.said import sayer
from gateway.web.words.spreadsheet import BEGIN, written
from routing.missed_calls import Case

_COLUMNS = ("since", "waits", "due", "client", "number", "line", "calls", "person", "card")
_MOST = 10_000

MissedCall = PageCall[MissedQuery, None]


async def missed_csv(call: MissedCall) -> web.Response:
    """All whom the filter finds, whichever page of them is looked at."""
    found = await waiting_cases(call, _MOST)
    async with call.connection() as conn:
        known = await beside(conn, call, [case for case, _ in found])
    lines = missed_lines(found, known, frozenset(), call.words)
    rows = [
        _cells(call, case, line)
        for (case, _), line in zip(found, lines, strict=True)
        if is_wanted(line, call.query)
    ]
    heads = [call.texts.say(f"missed.csv.{name}") for name in _COLUMNS]
    headers = {"Content-Disposition": f'attachment;filename="missed-{call.words.iso(call.now)[:10]}.csv"'}
    body = BEGIN + written([heads, *rows], call.texts.language)
    return web.Response(body=body, content_type="text/csv", charset="utf-8", headers=headers)


def _cells(call: MissedCall, case: Case, line: MissedLine) -> Sequence[str]:
    """Return the cells in the order of the heads."""
    say = sayer(call.texts)
    return (
        case.opened_at.astimezone(call.zone).strftime("%Y-%m-%d %H:%M:%S"),
        str(line.waits // 60),
        case.task_due_at.astimezone(call.zone).strftime("%Y-%m-%d %H:%M:%S"),
        line.client if isinstance(line.client, str) else "",
        case.client if call.words.sees_numbers else line.number,
        line.line,
        str(line.count),
        line.person,
        say(line.card) if line.card_id else "",
    )
