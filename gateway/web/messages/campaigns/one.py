"""One campaign: how far it is, who is in it and what became of them, its numbers, its topics; and what it is told to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from aiohttp import web

from campaigns.states import CampaignCommand
from gateway.admin.campaigns.commands import (
    MemberRefused,
    NobodyToCall,
    command_campaign,
    remove_kept_open,
    take_member_out,
)
from gateway.admin.campaigns.refused import CampaignDialledThere, CampaignStateForbids
from gateway.admin.campaigns.words import member_reason_in_words
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.store.admin.staff import staff_of
from gateway.store.campaigns import lists as list_store
from gateway.store.campaigns.engines import engine_of
from gateway.store.campaigns.figures import figures_of
from gateway.store.campaigns.lists import ListRow
from gateway.store.campaigns.members import MemberRow, listed_members
from gateway.store.campaigns.topics import TopicRow, topics_of_campaign
from gateway.store.worker.long_tasks import LongTask, NoSuchWork, work_of
from gateway.web.frame import AnyPageCall, Form, NoPageQuery, PageCall, PageQuery, SeeOther, Shown
from gateway.web.messages.campaigns.form import campaign_path
from gateway.web.messages.campaigns.shown import campaign_shown, obstacles_of, the_campaign_seen
from gateway.web.messages.tabs import tabs_of
from gateway.web.words.spreadsheet import BEGIN, written
from routing.staff import Staff
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn

_ROWS, _MOST_CSV, _LISTS, _TOPICS = 50, 200_000, 10, 20
_TO_WRITE = timedelta(hours=1)
"""From the call's beginning: so long operators may say something of it."""
MEMBER_STATES = (
    "held", "waiting", "dialling", "succeeded", "failed", "unknown", "expired", "cleared", "dropped"
)  # fmt: skip
_TONES: Mapping[str, str] = {"succeeded": "good", "failed": "bad", "unknown": "warn", "dialling": "info"}
_CSV = ("number", "name", "client_id", "state", "why", "tries", "added", "ended")
MemberStateName = Literal[
    "held", "waiting", "dialling", "succeeded", "failed", "unknown", "expired", "cleared", "dropped"
]


class MembersPageQuery(PageQuery):
    """after: the place of the last row of the page before."""

    state: MemberStateName | None = None
    after: int = 0


class CommandForm(Form):
    command: Literal["start", "pause", "stop", "finish"] = "start"


class PlanForm(Form):
    """starts_at: by the account's clock."""

    starts_at: str = ""


class EndingQuery(PageQuery):
    command: Literal["stop", "finish"] = "stop"


class TakeOutForm(Form):
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    row: MemberRow
    message: str
    tone: str
    employee: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicLine:
    """left: so long something may still be said of the call; None: it is over."""

    row: TopicRow
    employee: str
    left: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLine:
    """work: that reads it, while it does. faults: (in words, how many). refused: (row, what stands there, why)."""

    row: ListRow
    work: LongTask | None
    rows: int
    added: int
    faults: Sequence[tuple[str, int]]
    refused: Sequence[tuple[int, str, str]]


async def campaign(call: PageCall[MembersPageQuery, None]) -> Shown:
    return await campaign_page(call, call.query)


async def campaign_page(
    call: AnyPageCall,
    query: MembersPageQuery | None = None,
    *,
    error: str = "",
    typed: str = "",
    planned: str | None = None,
    status: int = 200,
) -> Shown:
    """error: at the field of numbers. typed: what was typed there. planned: a beginning that was refused, then the error
    is that field's."""
    query = query or MembersPageQuery()
    async with call.connection() as conn:
        row = await the_campaign_seen(call, conn)
        figures, staff = await figures_of(conn, row), await staff_of(conn, call.account.id)
        engine, obstacles = await engine_of(conn, row), await obstacles_of(call, conn)
        members = await listed_members(conn, row, state=query.state, after=query.after, limit=_ROWS + 1)
        lists = [await _list_line(call, conn, one) for one in (await list_store.lists_of(conn, row))[:_LISTS]]
        topics = await topics_of_campaign(conn, call.account.id, row.campaign_id, _TOPICS)
    by_state: dict[str, int] = {}
    for count in figures.members:
        by_state[count.state] = by_state.get(count.state, 0) + count.members
    values: dict[str, Any] = {
        "tabs": tabs_of(call, "campaigns"),
        "shown": campaign_shown(call, row, figures, obstacles, engine),
        "row": row,
        "path": campaign_path(row.name),
        "query": query,
        "states": [(name, by_state[name]) for name in MEMBER_STATES if by_state.get(name)],
        "members": [_member_line(call, one, staff) for one in members[:_ROWS]],
        "last": members[_ROWS - 1] if len(members) > _ROWS else None,
        "lists": lists,
        "is_reading": any(one.work for one in lists),
        "topics": [_topic_line(call, one, staff) for one in topics],
        "hours": figures.hours[:12],
        "may_edit": call.may("admin"),
        "may_command": call.may("senior_manager"),
        "error": error,
        "typed": typed,
        "planned": planned,
    }
    template = "messages/campaigns/_one.html" if call.is_fragment else "messages/campaigns/one.html"
    return Shown(template, values, status=status)


def _member_line(call: AnyPageCall, row: MemberRow, staff: Staff) -> MemberLine:
    person = staff.by_id.get(row.employee_id or "")
    return MemberLine(
        row=row,
        message=member_reason_in_words(row.reason, call.texts),
        tone=_TONES.get(row.state, ""),
        employee=person.name if person else "",
        url=call.services.url_of(row.account_id, "deal", row.deal_id) if row.deal_id else "",
    )


def _topic_line(call: AnyPageCall, row: TopicRow, staff: Staff) -> TopicLine:
    person = staff.by_id.get(row.employee_id or "")
    ends = max(row.started_at + _TO_WRITE, row.ended_at)
    is_open = row.next_ask_at is not None and ends > call.now
    return TopicLine(
        row=row, employee=person.name if person else "", left=ends - call.now if is_open else None
    )


async def _list_line(call: AnyPageCall, conn: Conn, row: ListRow) -> ListLine:
    report = row.report or {}
    work = None
    if row.report is None and row.work_id:
        try:
            found = await work_of(conn, call.account.id, row.work_id)
            work = found if found.state in ("waiting", "running") else None
        except NoSuchWork:
            work = None
    say = call.texts.word
    return ListLine(
        row=row,
        work=work,
        rows=report.get("rows", 0),
        added=report.get("added", 0),
        faults=[(say("campaign.row", fault), n) for fault, n in report.get("faults", {}).items()],
        refused=[
            (one["row"], one["said"], say("campaign.row", one["fault"]))
            for one in report.get("refused", ())[:_ROWS]
        ],
    )


async def members_csv(call: PageCall[MembersPageQuery, None]) -> web.Response:
    """All whom the filter finds, whichever page of them is looked at."""
    async with call.connection() as conn:
        row = await the_campaign_seen(call, conn)
        found = await listed_members(conn, row, state=call.query.state, limit=_MOST_CSV)
    heads = [call.texts.say(f"messages.campaigns.csv.{name}") for name in _CSV]
    body = BEGIN + written([heads, *(_cells(call, one) for one in found)], call.texts.language)
    headers = {"Content-Disposition": f'attachment;filename="campaign-{row.campaign_id}.csv"'}
    return web.Response(body=body, content_type="text/csv", charset="utf-8", headers=headers)


def _cells(call: AnyPageCall, row: MemberRow) -> Sequence[str]:
    """Return the cells in the order of the heads."""

    def at(moment: datetime | None) -> str:
        return moment.astimezone(call.zone).strftime("%Y-%m-%d %H:%M:%S") if moment else ""

    return (
        row.number if call.words.sees_numbers else call.words.phone(row.number),
        row.name,
        row.client_id,
        call.texts.say(f"messages.member.{row.state}"),
        member_reason_in_words(row.reason, call.texts),
        str(row.tries),
        at(row.added_at),
        at(row.ended_at),
    )


async def ask_ending(call: PageCall[EndingQuery, None]) -> Shown:
    """Count who would not be called any more before it is ended."""
    async with call.connection() as conn:
        row = await the_campaign_seen(call, conn)
        figures = await figures_of(conn, row, lines=0)
    values = {
        "tabs": tabs_of(call, "campaigns"),
        "row": row,
        "figures": figures,
        "path": campaign_path(row.name),
        "command": call.query.command,
    }
    return Shown("messages/campaigns/ending.html", values)


async def command(call: PageCall[NoPageQuery, CommandForm]) -> SeeOther | Shown:
    return await _commanded(call, call.form.command)


async def plan(call: PageCall[NoPageQuery, PlanForm]) -> SeeOther | Shown:
    try:
        at = datetime.fromisoformat(call.form.starts_at).replace(tzinfo=ZoneInfo(call.account.time_zone))
    except ValueError:
        return await _not_planned(call)
    return await _commanded(call, "plan", at)


async def close(call: PageCall) -> SeeOther:
    """Take its technical row out."""
    async with call.connection() as conn:
        row = await the_campaign_seen(call, conn)
        await remove_kept_open(conn, call.account.id, row.name)
    return SeeOther(call.here(campaign_path(row.name)), said=phrase("messages.campaigns.said.close"))


async def _commanded(
    call: AnyPageCall, command: CampaignCommand, at: datetime | None = None
) -> SeeOther | Shown:
    try:
        async with call.connection() as conn:
            row = await the_campaign_seen(call, conn)
            await command_campaign(conn, call.account.id, row.name, command, starts_at=at)
    except NobodyToCall:
        return await _refused(call, "empty")
    except (CampaignStateForbids, CampaignDialledThere):
        return await _refused(call, "command", 409)
    except InputRefused as err:
        if err.field != "starts_at":
            raise
        return await _not_planned(call)
    return SeeOther(call.here(campaign_path(row.name)), said=phrase(f"messages.campaigns.said.{command}"))


async def _refused(call: AnyPageCall, why: str, status: int = 422) -> Shown:
    error = call.texts.say(f"messages.campaigns.refused.{why}")
    return await campaign_page(call, error=error, status=status)


async def _not_planned(call: AnyPageCall) -> Shown:
    error = call.texts.say("messages.campaigns.refused.starts_at")
    return await campaign_page(call, error=error, planned=call.form.starts_at, status=422)


async def take_out(call: PageCall[NoPageQuery, TakeOutForm]) -> SeeOther | Shown:
    try:
        async with call.connection() as conn:
            row = await the_campaign_seen(call, conn)
            await take_member_out(conn, call.account.id, row.name, call.form.number)
    except (MemberRefused, NothingOfThatName):
        return await _refused(call, "take_out", 409)
    return SeeOther(call.here(campaign_path(row.name)), said=phrase("messages.campaigns.said.taken_out"))
