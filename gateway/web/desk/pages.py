"""My day: who is bound to an employee sees what is theirs, and says whether they are there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from gateway.admin.input_words import PAGE_ID
from gateway.admin.operations import shift_change
from gateway.admin.presence.people import LONGEST_PAGE, QuestionOver, answer_question, switch_presence
from gateway.admin.refused import InputRefused
from gateway.presence.heartbeats import BeatsLost
from gateway.web.desk.my_day import Desk, desk_of
from gateway.web.frame import (
    AnyPageCall,
    Form,
    NoPageQuery,
    PageCall,
    PageRefused,
    PageRoute,
    SeeOther,
    Shown,
)
from routing.attendance.pages import page_beat
from routing.attendance.trust import BEAT_SECONDS
from routing.texts.catalogue import phrase

_LONGEST_IDLE = 7 * 24 * 3600
_PATH = "/me"


class HereForm(Form):
    is_here: bool


class AnswerForm(Form):
    """asked_at: which question."""

    is_here: bool
    asked_at: datetime


class BeatForm(Form):
    """As an open page says it: idle, seconds since the last key or touch, none = there was none."""

    page: Annotated[str, Field(min_length=1, max_length=LONGEST_PAGE, pattern=PAGE_ID)]
    idle: Annotated[int, Field(ge=0, le=_LONGEST_IDLE)] | None = None
    visible: bool = True
    closing: bool = False


async def show(call: PageCall) -> Shown:
    return Shown("desk/my_day.html", {"desk": await _desk(call)})


async def part(call: PageCall) -> Shown:
    """Show one part anew: when something of it changed."""
    name: Literal["presence", "work"] = "work" if call.path["part"] == "work" else "presence"
    return Shown(f"desk/_{name}.html", {"desk": await _desk(call)})


async def switch(call: PageCall[NoPageQuery, HereForm]) -> SeeOther:
    employee = _employee(call)
    async with call.connection() as conn:
        await switch_presence(conn, call.account, employee, call.now, is_on=call.form.is_here)
    return SeeOther(
        call.here(_PATH), said=phrase("desk.said.here" if call.form.is_here else "desk.said.away")
    )


async def answer(call: PageCall[NoPageQuery, AnswerForm]) -> SeeOther:
    """Take the answer. A question that was settled meanwhile, in another tab or by a call, is no mistake of who answers."""
    employee, form = _employee(call), call.form
    async with call.connection() as conn:
        try:
            await answer_question(
                conn, call.account, employee, call.now, is_here=form.is_here, asked_at=form.asked_at
            )
        except QuestionOver:
            return SeeOther(call.here(_PATH), said=phrase("desk.said.over"))
    return SeeOther(call.here(_PATH), said=phrase("desk.said.here" if form.is_here else "desk.said.away"))


async def take_back(call: PageCall) -> SeeOther:
    """Let the deals that went to others meanwhile come back, as far as nobody has touched them."""
    employee = _employee(call)
    async with call.connection() as conn:
        try:
            await shift_change.start(conn, call.account.id, employee, "return", by=call.who.name)
        except InputRefused:  # they are on their way already, or shift change is set otherwise by now
            return SeeOther(call.here(_PATH), said=phrase("desk.said.return_runs"))
    return SeeOther(call.here(_PATH), said=phrase("desk.said.return"))


async def beat(call: PageCall[NoPageQuery, BeatForm]) -> web.StreamResponse:
    """Take an open page's word that it is open."""
    employee, form = _employee(call), call.form
    said = page_beat(
        form.page, call.now, idle_seconds=form.idle, is_visible=form.visible, is_closing=form.closing
    )
    if call.account.settings.presence.is_on:
        try:
            await call.services.heartbeats.beat(call.account.id, employee, said)
        except BeatsLost:
            return web.Response(status=503)
    return web.Response(status=204, headers={"X-Next-Seconds": str(BEAT_SECONDS)})


async def _desk(call: AnyPageCall) -> Desk:
    async with call.connection() as conn:
        found = await desk_of(conn, call.account, _employee(call), call.texts, call.now)
    if found is None:
        raise PageRefused(404, "no-desk")
    return found


def _employee(call: AnyPageCall) -> str:
    """Raise PageRefused for a person who is nobody on the phone."""
    if call.who.bound.employee is None:
        raise PageRefused(404, "no-desk")
    return call.who.bound.employee


PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path=_PATH, handler=show, role="manager", entry="desk", is_ones_own=True),
    PageRoute(
        method="GET",
        path=_PATH + "/parts/{part}",
        handler=part,
        role="manager",
        entry="desk",
        is_ones_own=True,
    ),
    PageRoute(
        method="POST", path=_PATH + "/here", handler=switch, role="manager", entry="desk", is_ones_own=True
    ),
    PageRoute(
        method="POST", path=_PATH + "/answer", handler=answer, role="manager", entry="desk", is_ones_own=True
    ),
    PageRoute(
        method="POST",
        path=_PATH + "/return",
        handler=take_back,
        role="manager",
        entry="desk",
        is_ones_own=True,
    ),
    PageRoute(
        method="POST", path=_PATH + "/beat", handler=beat, role="manager", entry="desk", is_ones_own=True
    ),
)
