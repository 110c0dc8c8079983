"""The calls of a filter as a table for spreadsheets, sent as it is read."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from gateway.store.calls.journal import every_call
from gateway.web.calls.call_words import result_of
from gateway.web.calls.journal.lines import CallLine
from gateway.web.calls.journal.listed import JournalCall, shown_lines, wanted_calls
from gateway.web.frame import SeeOther
from gateway.web.page_headers import dress_page
from gateway.web.words.spreadsheet import BEGIN, written
from routing.client_work.values import CallRow

_COLUMNS = (
    "at", "direction", "client", "name", "result", "talked", "waited", "line", "talkers", "why", "writes", "id"
)  # fmt: skip


async def calls_csv(call: JournalCall) -> web.StreamResponse | SeeOther:
    """Every call that the filter finds, newest first. A filter that is none is said on the page: a table would be of more calls
    than were asked for, and nothing in it would say so."""
    async with call.connection() as conn:
        wanted = await wanted_calls(call, conn)
    if wanted.problems:
        return SeeOther(f"/calls?{call.request.query_string}")
    file = f"calls-{call.words.iso(call.now)[:10]}.csv"
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv;charset=utf-8",
            "Content-Disposition": f'attachment;filename="{file}"',
        }
    )
    dress_page(response, is_https=call.services.settings.base_url.startswith("https:"), frame_host=None)
    await response.prepare(call.request)
    heads = [call.texts.say(f"calls.csv.{name}") for name in _COLUMNS]
    await response.write(BEGIN + written([heads], call.texts.language))
    if wanted.filter is not None:
        async for rows in every_call(call.services.pool, call.account.id, wanted.filter):
            async with call.connection() as conn:
                lines = await shown_lines(call, conn, rows)
            await response.write(written(map(_Cells(call), rows, lines), call.texts.language))
    await response.write_eof()
    return response


class _Cells:
    """Makes the cells of a row, in the words of one person."""

    def __init__(self, call: JournalCall) -> None:
        self._words, self._texts = call.words, call.texts

    def __call__(self, row: CallRow, line: CallLine) -> Sequence[str]:
        call = row.call
        number = row.client if self._words.sees_numbers else self._words.phone(row.client)
        return (
            line.at.astimezone(self._words.zone).strftime("%Y-%m-%d %H:%M:%S"),
            self._texts.say(f"calls.direction.{call.direction}"),
            number or "",
            line.client if row.client else "",
            self._texts.say("calls.outcome.answered")
            if call.is_answered
            else result_of(call, self._words).text,
            "" if call.talk_seconds is None else str(call.talk_seconds),
            "" if call.wait_seconds is None else str(call.wait_seconds),
            row.line or "",
            ", ".join(one.name for one in line.talkers),
            line.why,
            line.writes.text,
            row.call_id,
        )
