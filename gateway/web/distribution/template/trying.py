"""A template tried on deals of the past, beside its form: asked for, looked at, each deal with its log. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.admin.distribution import orders
from gateway.admin.refused import InputRefused
from gateway.decisions.explain import step_in_full
from gateway.store.admin.staff import staff_of
from gateway.store.worker import long_tasks
from gateway.store.worker.long_tasks import LongTask, NoSuchWork, TooMuchWork
from gateway.web.distribution.log_steps import log_steps
from gateway.web.distribution.tabs import tabs
from gateway.web.distribution.template.form import TemplateForm
from gateway.web.distribution.template.shares import TriedShares, tried_shares
from gateway.web.distribution.template.typed import template_of
from gateway.web.frame import AnyPageCall, PageCall, Shown, page_not_found
from gateway.web.refusals import refusal_said
from routing.distribution.template import DistributionTemplate
from routing.texts.catalogue import Phrase, phrase
from runtime.database.pool import Conn

MADE_UP = 100
_DAYS = {"week": 7, "month": 31}


class BegunTrial(NamedTuple):
    work_id: str = ""
    refused: Phrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSeen:
    """work: None = it was never tried. is_stale: it was counted before what stands in the form now. shares: once it is done."""

    work: LongTask | None = None
    is_stale: bool = False
    is_made_up: bool = False
    shares: TriedShares | None = None

    @property
    def is_running(self) -> bool:
        return self.work is not None and self.work.state in ("waiting", "running")


async def begin_trial(conn: Conn, call: AnyPageCall, template: DistributionTemplate) -> BegunTrial:
    over = call.form.over
    days, made_up = _DAYS.get(over), MADE_UP if over == "made_up" else None
    try:
        work = await orders.simulate(
            conn, call.account.id, template.name, template, days=days, made_up=made_up, by=call.who.name
        )
    except TooMuchWork:
        return BegunTrial(refused=phrase("distribution.tried.too_much"))
    except InputRefused as err:
        if err.field == "name":
            return BegunTrial(refused=phrase("distribution.refused.odd_name"))
        said = refusal_said(err, call.texts)
        return BegunTrial(refused=phrase("distribution.refused.other", said=said))
    return BegunTrial(work.work_id)


async def trial_seen(conn: Conn, call: AnyPageCall, form: TemplateForm) -> TrialSeen:
    """Return the trial that the form names, else the latest of its template."""
    work = await _work(conn, call, form)
    if work is None:
        return TrialSeen()
    typed, _ = template_of(form)
    is_stale = typed is None or typed != _tried(work)
    shares = None
    if work.state == "done" and work.result is not None:
        shares = tried_shares(work.result, await staff_of(conn, call.account.id), call.words)
    return TrialSeen(
        work=work, is_stale=is_stale, is_made_up=work.asked.get("made_up") is not None, shares=shares
    )


async def _work(conn: Conn, call: AnyPageCall, form: TemplateForm) -> LongTask | None:
    name = form.name.strip()
    if form.simulation:
        named = await _work_of(conn, call, form.simulation)
        return named if named is not None and named.asked["template"]["name"] == name else None
    if not name:
        return None
    asked = {"template": {"name": name}}
    return await long_tasks.latest_work(conn, call.account.id, orders.SIMULATION, asked)


async def _work_of(conn: Conn, call: AnyPageCall, work_id: str) -> LongTask | None:
    try:
        work = await long_tasks.work_of(conn, call.account.id, work_id)
    except NoSuchWork:
        return None
    return work if work.kind == orders.SIMULATION else None


def _tried(work: LongTask) -> DistributionTemplate:
    return DistributionTemplate.model_validate(work.asked["template"], strict=False)


async def show_tried_deal(call: PageCall) -> Shown:
    """Show how one deal of a simulation was decided, as the log of a result shows it."""
    async with call.connection() as conn:
        work = await _work_of(conn, call, call.path["work"])
        row = _row(work, call.path["template"], call.path["number"])
        staff = await staff_of(conn, call.account.id)
    zone = ZoneInfo(call.account.time_zone)
    steps = [step_in_full("distribution", step, call.texts, zone) for step in row["steps"] or ()]
    person = staff.by_id.get(row["employee"] or "")
    values = {
        "name": call.path["template"],
        "deal": row["deal"],
        "at": datetime.fromisoformat(row["at"]),
        "url": None if row["deal"].startswith("made-up") else _url(call, row["deal"]),
        "who_gets": person.name if person else row["employee"],
        "reason": call.texts.word("distribution.reason", row["reason"]),
        "steps": log_steps(steps, staff, call.texts),
        "tabs_shown": tabs(call, "templates"),
    }
    return Shown("distribution/tried_deal.html", values)


def _row(work: LongTask | None, template: str, number: str) -> Mapping[str, Any]:
    rows = (work.result or {}).get("list", ()) if work is not None else ()
    is_own = work is not None and work.asked["template"]["name"] == template
    if not is_own or not (number.isascii() and number.isdigit()) or int(number) >= len(rows):
        raise page_not_found("result")
    row: Mapping[str, Any] = rows[int(number)]
    return row


def _url(call: AnyPageCall, deal: str) -> str:
    return call.services.url_of(call.account.id, "deal", deal)
