"""Held calls: what is sent after a disconnect is chosen by day, shown beforehand, followed, and reported."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from aiohttp import web

from crm.effects import backfill as core
from crm.effects.store.held_days import done_by_kind, held_days, progress_by_day, promised
from gateway.admin import backfill
from gateway.admin.refused import InputRefused
from gateway.web.frame import (
    AnyPageCall,
    Form,
    PageAnswer,
    PageCall,
    PageQuery,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.setup.refusals import errors_of
from gateway.web.setup.tabs import tabs_of
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn

_PAGE, _CSV_PAGE, _LATEST = 50, 1000, 5
_ENOUGH_TO_TELL = 20
KINDS = (
    ("notes", ("attach_call", "add_note")),
    ("contacts", ("create_contact",)),
    ("deals", ("create_deal",)),
    ("leads", ("create_lead",)),
    ("tasks", ("create_task",)),
)
"""Figure of the preview -> the orders that it counts."""


class DaysQuery(PageQuery):
    """day: chosen ones; none = today and the two before it."""

    day: tuple[date, ...] = ()
    chosen: bool = False


class DaysForm(Form):
    day: tuple[date, ...] = ()


class DiscardForm(Form):
    note: str = ""


class HeldReportQuery(PageQuery):
    run: str | None = None
    outcome: core.BackfilledCall | None = None
    after: int = 0


async def choose(call: PageCall[DaysQuery, None]) -> PageAnswer:
    """Lead to the run that is open or was the last where nothing is held."""
    async with call.connection() as conn:
        run = await latest(conn, call.account.id)
        if run is not None and run.state in ("running", "paused"):
            return SeeOther(call.here("/setup/held/run"))
        days = await held_days(conn, call.account.id)
        if not days:
            return Shown("setup/held_nothing.html", {"tabs": tabs_of(call, "crm"), "run": run})
        return await _choice(call, conn, call.query.day or (() if call.query.chosen else _three_days(call)))


def _three_days(call: AnyPageCall) -> tuple[date, ...]:
    today = call.now.astimezone(call.zone).date()
    return tuple(today - timedelta(days=n) for n in range(core.DAYS))


async def _choice(
    call: AnyPageCall, conn: Conn, chosen: Sequence[date], err: InputRefused | None = None
) -> Shown:
    days = await held_days(conn, call.account.id)
    taken = [d.day for d in days if d.day in chosen]
    preview = await backfill.preview(conn, call.account.id, dates=taken) if taken else None
    values = {
        "tabs": tabs_of(call, "crm"),
        "days": days,
        "taken": taken,
        "preview": preview,
        "kinds": [name for name, _ in KINDS],
        "total": sum(d.calls for d in days),
        "is_on": call.account.state == "on",
        "errors": errors_of(err, call.texts, "held") if err else {},
    }
    return Shown("setup/held_choice.html", values, status=409 if err else 200)


async def start(call: PageCall[PageQuery, DaysForm]) -> PageAnswer:
    async with call.connection() as conn:
        try:
            await backfill.start(conn, call.account.id, dates=call.form.day)
        except InputRefused as err:
            return await _choice(call, conn, call.form.day, err)
    return SeeOther(call.here("/setup/held/run"), said=phrase("setup.held.said.started"))


async def latest(conn: Conn, account_id: str, run_id: str | None = None) -> core.BackfillProgress | None:
    try:
        return await core.progress(conn, account_id, run_id)
    except core.NoSuchRun:
        return None


async def run_values(call: AnyPageCall, conn: Conn, run: core.BackfillProgress) -> dict[str, Any]:
    told, done = (
        await promised(conn, call.account.id, run.run_id),
        await done_by_kind(conn, call.account.id, run.run_id),
    )
    report = await core.report(conn, call.account.id, run.run_id, after=0, limit=_PAGE)
    settled = [one for one in report if one.outcome != "waiting"][-_LATEST:]
    return {
        "tabs": tabs_of(call, "crm"),
        "run": run,
        "kinds": [(name, told.get(name, 0), sum(done.get(w, 0) for w in whats)) for name, whats in KINDS],
        "days": await progress_by_day(conn, call.account.id, run.run_id),
        "not_needed": told.get("tasks_not_needed", 0),
        "left_out": told.get("older_calls", 0),
        "latest": settled[::-1],
        "seconds_left": seconds_left(run, call.now),
        "hindrance": await core.hindrance(conn, call.account.id) if run.state == "running" else None,
        "rest": run.calls_total - run.calls_settled,
    }


def seconds_left(run: core.BackfillProgress, now: datetime) -> float | None:
    """None: too little is done to tell, or it does not go on."""
    if run.state != "running" or run.calls_settled < _ENOUGH_TO_TELL:
        return None
    each = (now - run.started_at).total_seconds() / run.calls_settled
    return each * (run.calls_total - run.calls_settled)


async def show_run(call: PageCall) -> PageAnswer:
    async with call.connection() as conn:
        run = await latest(conn, call.account.id)
        if run is None:
            return SeeOther(call.here("/setup/held"))
        if call.is_fragment and run.state not in ("running", "paused"):
            return SeeOther(
                call.here("/setup/held/run")
            )  # whole: what could be done with it while it ran is over
        values = await run_values(call, conn, run)
    return Shown("setup/_held_run.html" if call.is_fragment else "setup/held_run.html", values)


async def change_run(call: PageCall) -> PageAnswer:
    do = cast("backfill.RunChange", call.path["do"])
    async with call.connection() as conn:
        await backfill.change(conn, call.account.id, do)
    return SeeOther(call.here("/setup/held/run"), said=phrase(f"setup.held.said.{do}"))


async def ask_stop(call: PageCall) -> PageAnswer:
    async with call.connection() as conn:
        run = await latest(conn, call.account.id)
    if run is None or run.state not in ("running", "paused"):
        return SeeOther(call.here("/setup/held"))
    return Shown("setup/held_stop.html", {"tabs": tabs_of(call, "crm"), "run": run})


async def ask_discard(call: PageCall) -> PageAnswer:
    return await _discard_page(call)


async def _discard_page(call: AnyPageCall, err: InputRefused | None = None) -> Shown:
    async with call.connection() as conn:
        days = await held_days(conn, call.account.id)
    values = {
        "tabs": tabs_of(call, "crm"),
        "total": sum(d.calls for d in days),
        "errors": errors_of(err, call.texts, "held") if err else {},
    }
    return Shown("setup/held_discard.html", values, status=422 if err else 200)


async def discard(call: PageCall[PageQuery, DiscardForm]) -> PageAnswer:
    async with call.connection() as conn:
        try:
            await backfill.discard(conn, call.account.id, call.form.note)
        except InputRefused as err:
            return await _discard_page(call, err)
    return SeeOther(call.here("/setup"), said=phrase("setup.held.said.discarded"))


OUTCOMES: tuple[core.BackfilledCall, ...] = ("sent", "waiting", "partly", "failed", "not_needed", "too_old")


async def show_report(call: PageCall[HeldReportQuery, None]) -> Shown:
    query = call.query
    async with call.connection() as conn:
        run = await latest(conn, call.account.id, query.run)
        if run is None:
            raise page_not_found()
        found = await _filtered(conn, call, run.run_id)
    here, outcome = "/setup/held/report", query.outcome
    is_full = len(found) == _PAGE
    values = {
        "tabs": tabs_of(call, "crm"),
        "run": run,
        "found": found,
        "outcome": outcome,
        "chips": [(o, call.here(here, run=query.run, outcome=o)) for o in (None, *OUTCOMES)],
        "older": call.here(here, run=query.run, outcome=outcome, after=found[-1].position) if is_full else "",
        "csv": call.here("/setup/held/report.csv", run=query.run, outcome=outcome),
    }
    return Shown("setup/held_report.html", values)


async def _filtered(conn: Conn, call: PageCall[HeldReportQuery, None], run_id: str) -> list[core.CallReport]:
    """Return the next page of those with the wanted outcome."""
    found: list[core.CallReport] = []
    after = call.query.after
    while len(found) < _PAGE:
        page = await core.report(conn, call.account.id, run_id, after=after, limit=_CSV_PAGE)
        found += [one for one in page if call.query.outcome in (None, one.outcome)]
        if len(page) < _CSV_PAGE:
            break
        after = page[-1].position
    return found[:_PAGE]


async def report_csv(call: PageCall[HeldReportQuery, None]) -> web.Response:
    async with call.connection() as conn:
        run = await latest(conn, call.account.id, call.query.run)
    if run is None:
        raise page_not_found()
    out = io.StringIO()
    written = csv.writer(out, delimiter=";")
    written.writerow(
        [call.texts.say(f"setup.held.column.{name}") for name in ("time", "client", "call", "outcome", "why")]
    )
    async for one in _all(call, run.run_id):
        if call.query.outcome in (None, one.outcome):
            written.writerow(_line(call, one))
    headers = {"Content-Disposition": 'attachment;filename="held-calls.csv"'}
    return web.Response(
        body=out.getvalue().encode("utf-8-sig"), content_type="text/csv", charset="utf-8", headers=headers
    )


async def _all(call: AnyPageCall, run_id: str) -> AsyncIterator[core.CallReport]:
    after = 0
    while True:
        async with call.connection() as conn:
            page = await core.report(conn, call.account.id, run_id, after=after, limit=_CSV_PAGE)
        for one in page:
            yield one
        if len(page) < _CSV_PAGE:
            return
        after = page[-1].position


def _line(call: AnyPageCall, one: core.CallReport) -> list[str]:
    client = one.client or ""
    return [
        one.started_at.astimezone(call.zone).strftime("%Y-%m-%d %H:%M:%S") if one.started_at else "",
        f"'{client}" if client.startswith(("=", "-", "@")) else client,
        one.call_id,
        call.texts.say(f"setup.held.outcome.{one.outcome}"),
        "; ".join(str(e["detail"]) for e in one.effects if e.get("detail")),
    ]
