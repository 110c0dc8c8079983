"""An account in which every page has something to show, and the address of every page there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import asyncpg

from crm.effects import backfill
from gateway.admin.accounts import save_settings
from gateway.admin.distribution.templates import attach, save_template
from gateway.admin.operations.shift_change import save_policy
from gateway.admin.schedules.saved import save_schedule
from gateway.admin.triggers.saved import save_trigger
from gateway.admin.users import UserOrder, add_user
from gateway.store.admin import matrices
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.staff import replace_staff
from gateway.store.calls.missed_calls import save_case
from gateway.store.decisions.decisions import DecisionRow, add_decisions
from gateway.store.distribution.templates import Attachment
from gateway.store.presence import attendance
from gateway.store.sms.connections import add_sms_connection
from gateway.web.all_pages import PAGES
from gateway.web.frame import PageRoute
from routing.attendance.machine import first_seen
from routing.client import Client
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.matrix.actions import MakeDeal, MakeNote
from routing.matrix.catalogue import Catalogue
from routing.matrix.versions.parts import MatrixPart, with_part
from routing.schedules.model import Leave, Period, Schedule, WorkPlan
from routing.settings import AccountSettings, PresencePolicy
from routing.shift_change.policy import ShiftPolicy
from routing.staff import Employee, Staff
from routing.triggers.model import CallBack, Trigger, TriggerEvent
from sms.port import SmsConnection
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR, give_key
from tests.integration.api.client import add_effect as add_order
from tests.integration.web.calls_on_pages import CLIENT, a_call, name_client, store
from tests.integration.web.catalogues import read_catalogues
from tests.integration.web.chatting import connect, every_message
from tests.integration.web.scene_outgoing import CAMPAIGNS, FIRINGS, WORK, play_outgoing
from tests.integration.web.test_call_page import a_lookup, a_matrix_decision, add_effect
from tests.integration.web.test_distribution import _ADD as ADD_DISTRIBUTED
from tests.integration.web.test_missed import LONG, SHORT, THEIRS, a_case
from tests.integration.web.test_now import under_way
from tests.integration.web.test_shift_change_pages import _moved as a_shift_change

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneNames:
    """What people wrote: in the CRM, of employees, in notes. Numbers and letters that no sentence of ours has."""

    client: str = "Zhao"
    deal: str = "Kitchen"
    senior: str = "Ferro"
    employee: str = "Li"
    unmapped: str = "Ng"
    note: str = "Xyzzy"


LONG_NAME = "Ж" * 200
ODD = SceneNames(
    client="<b>Мария</b>",
    deal=f"<i>«{LONG_NAME[:190]}»</i>",
    senior="Менеджер 7",
    employee="Ли Чжао",
    unmapped=LONG_NAME,
    note="{{ client.number }} {name} <script>alert(1)</script>",
)

_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "call": ("c1", "c2", "c3", "ringing"),
    "case": ("m22",),
    "connection": ("office",),
    "employee": ("anna", "ng"),
    "item": ("i0", "i1"),
    "login": ("olga",),
    "version": ("1",),
    "recording": ("1",),
    "template": ("turns", "shares"),
    "pipeline": ("1",),
    "stage": ("11",),
    "schedule": ("days", "week"),
    "run": ("1",),
    "trigger": ("call",),
    "campaign": CAMPAIGNS,
    "firing": FIRINGS,
    "work": (WORK,),
    "number": ("0", "1"),
    "provider": ("texts",),
    "dialogue": ("1",),
    "channel": ("c1",),
}
"""Of an address, what may stand in it here."""
_ONLY: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "/calls/{call}/draft": {"call": ("c1", "c2")},
    "/calls/{call}/recording/{number}": {"call": ("c1",), "number": ("1",)},
    "/distribution/templates/{template}/stages/{pipeline}/{stage}/detach": {"template": ("turns",)},
    "/distribution/templates/{template}/stages/{pipeline}/{stage}/give": {"template": ("turns",)},
    "/distribution/templates/{template}/tried/{work}/{number}": {"template": ("turns",)},
    "/messages/campaigns/{campaign}/ending": {"campaign": ("spring",)},
    "/messages/campaigns/{campaign}/edit": {"campaign": ("spring",)},
}
"""Page -> what stands in its address where it is there for some only."""
_ASKED: Mapping[str, tuple[str, ...]] = {
    "/calls": ("?period=all", "?period=all&result=good", "?period=7d&q=1612"),
    "/calls/try": ("?number=89161234567&who=anna", "?number=nine"),
    "/distribution": ("?span=all", "?state=gone"),
    "/distribution/new": ("?kind=load",),
    "/distribution/shift-change/move": ("?employee=anna&kind=away", "?employee=anna&kind=return"),
    "/messages/campaigns/{campaign}": ("?state=failed",),
    "/messages/campaigns/{campaign}/ending": ("?command=finish",),
    "/messages/firings": ("?deal=9", "?trigger=call"),
    "/shifts/schedules/{schedule}": ("?month=2026-12",),
    "/setup/other": ("?part=hours", "?part=kept"),
    "/setup/do-not-call": ("?q=79",),
    "/messages/new-trigger": ("?do=sms", "?do=callback"),
    "/dialogs": ("?only=unread", "?q=hello"),
    "/dialogs/new": ("?number=89161234567",),
    "/dialogs/{dialogue}": ("?quote=1",),
    "/matrix": ("?cell=inbound.missed.new/end", "?cell=inbound.answered.known_with_deal/end&changed=1"),
    "/matrix/versions/difference": ("?old=1&new=2", "?old=current&new=draft"),
    "/setup/numbers": ("?number=nine", "?number=89161234567"),
    "/setup/new-pbx": ("?kind=asterisk", "?kind=mango"),
    "/setup/new-sms-provider": ("?kind=smpp", "?kind=smsc"),
    "/setup/new-channel": ("?kind=max", "?kind=telegram", "?kind=wazzup"),
    "/messages/texts": ("?state=delivered",),
    "/start": ("?kind=generic",),
}
"""Page -> what is asked of it beside nothing."""
_NEVER_BARE = (
    "/distribution/shift-change/move",
    "/setup/new-pbx",
    "/setup/new-sms-provider",
    "/setup/new-channel",
)
"""Pages that have to be asked for something."""
NO_PAGES: Mapping[str, str] = {
    "/events": "a stream",
    "/calls/csv": "a file",
    "/missed/csv": "a file",
    "/setup/audit.csv": "a file",
    "/setup/held/report.csv": "a file",
    "/messages/campaigns/{campaign}/members.csv": "a file",
    "/messages/texts.csv": "a file",
    "/calls/{call}/recording/{number}": "a sound",
    "/calls/new": "a part of the journal",
    "/missed/count": "a part of the navigation",
    "/dialogs/count": "a part of the navigation",
    "/dialogs/{dialogue}/files/{file}": "a file",
    "/now/{part}": "a part of the first page",
    "/wall/{part}": "a part of the wall",
    "/me/parts/{part}": "a part of the desk",
    "/matrix/try": "a part of the matrix",
    "/matrix/publish/replay": "a part of the publication",
    "/setup/pbx/{connection}/wait": "a part of a PBX's page",
}
"""What answers a GET and is no page of its own -> what it is. Its looks are seen on the page that it stands in."""
REFUSED: Mapping[str, int] = {
    "/calls/c3/again": 409,
    "/calls/ringing/again": 409,
    "/distribution?state=gone": 422,
}
"""Address in the scene -> what it answers with, where that is not 200."""
WHILE_SENDING = ("/setup/held/run", "/setup/held/stop")
"""Pages that are there only while held calls are sent (`begin_sending`)."""


def pages_that_are_seen() -> list[PageRoute]:
    """Return what somebody who is signed in may look at."""
    return [p for p in PAGES if p.method == "GET" and p.frame == "inside" and p.path not in NO_PAGES]


def addresses_of(page: PageRoute) -> tuple[str, ...]:
    """Return all addresses of it in the scene. Raise KeyError for a parameter that the scene has no value for."""
    if page.path in WHILE_SENDING:
        return ()
    only = _ONLY.get(page.path, {})
    values = [only.get(name) or _PARAMETERS[name] for name in re.findall(r"\{(\w+)", page.path)]
    filled = [page.path] if not values else []
    for number in range(max(map(len, values), default=0)):
        chosen = iter(some[number % len(some)] for some in values)
        filled.append(re.sub(r"\{[^}]*\}", lambda _, chosen=chosen: next(chosen), page.path))  # type: ignore[misc]
    bare = () if page.path in _NEVER_BARE else ("",)
    return tuple(path + asked for path in filled for asked in (*bare, *_ASKED.get(page.path, ())))


async def play_scene(pool: asyncpg.Pool, names: SceneNames | None = None) -> None:
    """Fill the account that is there."""
    names = names or SceneNames()
    await read_catalogues(pool)
    await give_key(pool)
    await _people(pool, names)
    await connect(pool, "c1", "WhatsApp", {"anna": "send"})
    await every_message(pool, names.client, names.note)
    await _calls(pool, names)
    await _missed(pool)
    await _deals(pool)
    await _going_out(pool)
    await _held(pool, names)
    await _matrix(pool, names)
    await play_outgoing(pool, names.client, names.employee, names.note)


async def _people(pool: asyncpg.Pool, names: SceneNames) -> None:
    staff = [
        SENIOR.model_copy(update={"name": names.senior}),
        ANNA.model_copy(update={"name": names.employee}),
        Employee(id="ng", name=names.unmapped, extensions=(), is_active=False),
    ]
    async with pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, staff)
        settings = (await account_of(conn, ACCOUNT)).settings
        presence = PresencePolicy(is_on=True, idle_minutes=None)
        await save_settings(conn, ACCOUNT, settings.model_copy(update={"presence": presence}))
        await add_user(conn, _olga(names))
        now = datetime.now(UTC)
        was = first_seen(now - _DAY)
        on, off = first_seen(now - 180 * _MINUTE), first_seen(now - 60 * _MINUTE)
        for after in (
            replace(on, mark="on"),
            replace(off, mark="off"),
            replace(on, mark="on", since=now - _MINUTE),
        ):
            await attendance.save(conn, ACCOUNT, ANNA.id, was, after, after.since)
            was = after


def _olga(names: SceneNames) -> UserOrder:
    return UserOrder(login="olga", name=names.senior, role="admin", bound=Bindings(account_id=ACCOUNT))


async def _calls(pool: asyncpg.Pool, names: SceneNames) -> None:
    await store(
        pool,
        under_way("ringing", timedelta(seconds=6), lookup=None),
        a_call(
            "c1", 5 * _MINUTE, answered_by="101", rung=("102", "101"), recording="https://pbx.example/1.mp3",
            params={"utm_source": "y"},
        ),
        a_call("c2", 4 * _MINUTE, client="+79990001122", rung=("102", "103")),
        a_call("c3", 3 * _MINUTE, client=None, direction="outbound", answered_by="999"),
    )  # fmt: skip
    async with pool.acquire() as conn:
        await add_decisions(conn, [_named(a_lookup(), names), _with_inputs(a_matrix_decision())])
    await name_client(pool, CLIENT, names.client)
    contact = {"kind": "contact", "id": "501"}
    await add_effect(pool, "e1", "done", do="create_deal", name=names.deal, contact=contact)
    await add_effect(pool, "e2", "dead", do="add_note", target=contact, text=names.note)


def _named(lookup: DecisionRow, names: SceneNames) -> DecisionRow:
    """The decision with the deal and the employee that the scene has."""
    entity = {"kind": "deal", "id": "601", "name": names.deal}
    outcome = {**lookup.outcome, "entity": entity, "responsible": {"id": "anna", "name": names.employee}}
    candidates = [
        ["contact", "501", "99", 1, names.client, True],
        ["deal", "601", "11", 1, names.deal, False],
    ]
    return replace(lookup, outcome=outcome, inputs={**lookup.inputs, "candidates": candidates})


def _with_inputs(decision: DecisionRow) -> DecisionRow:
    """The decision so that it can be made again."""
    client = Client(number=CLIENT).model_dump(mode="json")
    inputs = {"moment": "end", "client": client, "client_kind": "known_with_deal", "staff_version": 1}
    settings = AccountSettings().model_dump(mode="json")
    days = {"time_zone": "Europe/Moscow", "holidays": [], "worked_days": {}}
    return replace(decision, inputs={**inputs, **days, "settings": settings, "line": None})


async def _missed(pool: asyncpg.Pool) -> None:
    await store(pool, a_call("m22", _DAY, client=LONG), a_call("back", 60 * _MINUTE, client=THEIRS))
    now = datetime.now(UTC)
    closed = {
        "state": "closed",
        "closed_at": now,
        "waited_seconds": 540,
        "closed_by": "anna",
        "closed_by_call": "back",
    }
    async with pool.acquire() as conn:
        await save_case(conn, ACCOUNT, a_case(SHORT, 5 * _MINUTE, _DAY, owner_id="99"))
        await save_case(
            conn, ACCOUNT, a_case(LONG, 4 * _DAY, -3 * _DAY, target={"kind": "contact", "id": "501"})
        )
        await save_case(conn, ACCOUNT, a_case(THEIRS, _DAY, _DAY, **closed))


def _by_day() -> Schedule:
    """Nights of one, who is away for two of the days, and another with none."""
    leave = Leave(first=date(2026, 12, 5), last=date(2026, 12, 6), substitute=SENIOR.id)
    nights = Period(first=date(2026, 12, 1), last=date(2026, 12, 20), hours=(("21:00", "09:00"),))
    plan = WorkPlan(periods=(nights,), leave=(leave,))
    return Schedule(kind="by_day", people={ANNA.id: plan, SENIOR.id: WorkPlan(periods=())})


def _by_week() -> Schedule:
    week = WorkPlan(hours=dict.fromkeys(range(1, 6), (("09:00", "18:00"),)))
    return Schedule(everybody=week, people={ANNA.id: WorkPlan(hours={2: (("21:00", "09:00"),)})})


async def _deals(pool: asyncpg.Pool) -> None:
    template = DistributionTemplate(name="turns", employees=(TemplateMember(employee_id=ANNA.id),))
    members = [TemplateMember(employee_id=who.id, percent=of) for who, of in ((ANNA, 7000), (SENIOR, 3000))]
    shares = DistributionTemplate(name="shares", kind="load", balance="percent", employees=tuple(members))
    async with pool.acquire() as conn:
        await save_template(conn, ACCOUNT, template, by="olga")
        await save_template(conn, ACCOUNT, shares, by="olga")
        place = Attachment(pipeline_id="1", stage_id="11", template="turns")
        await attach(conn, ACCOUNT, place, by="olga")
        await save_policy(conn, ACCOUNT, ShiftPolicy(pipelines=("1",), template="turns"), "olga")
        await save_schedule(conn, ACCOUNT, "days", _by_day(), by="olga")
        await save_schedule(conn, ACCOUNT, "week", _by_week(), by="olga")
    await a_shift_change(pool, "away", ("901", "902"), "1")
    results = (("turns", "given", "turn", ANNA.id), ("shares", "waiting", "nobody", None))
    for number, (name, state, reason, who) in enumerate(results):
        at = datetime.now(UTC) - (number + 1) * _MINUTE
        await pool.execute(
            ADD_DISTRIBUTED, ACCOUNT, f"i{number}", name, str(700 + number), state, reason, who, at
        )


async def _going_out(pool: asyncpg.Pool) -> None:
    action = CallBack(connection="office")
    trigger = Trigger(name="call", pipeline_id="1", events=(TriggerEvent(on="entered"),), action=action)
    async with pool.acquire() as conn:
        await save_trigger(conn, ACCOUNT, trigger, by="olga")
        texts = SmsConnection(account_id=ACCOUNT, id="texts", name="texts", kind="sandbox")
        await add_sms_connection(conn, texts, sender=None, report_secret="s")
    for kind in ("callback", "sms"):
        await pool.execute(
            "INSERT INTO outbound_item (account_id, item_id, kind, source, client, deal_id, \"order\")"
            " VALUES ($1, $2, $2, 'trigger', $3, '701', '{}')",
            ACCOUNT, kind, CLIENT,
        )  # fmt: skip


async def _held(pool: asyncpg.Pool, names: SceneNames) -> None:
    """One day was sent and stopped, two are held still; what the CRM and we said to each other."""
    now = datetime.now(UTC)
    for name, ago in (("h1", 60 * _MINUTE), ("h2", 2 * _DAY), ("h3", 9 * _DAY)):
        await store(pool, a_call(name, ago, client=f"+7999000{name[1] * 4}"))
        await add_order(pool, f"{name}:task", state="held", call_id=name, created_at=now - ago)
    async with pool.acquire() as conn:
        await backfill.start(conn, ACCOUNT, now, dates=[now.date()])
        await backfill.stop(conn, ACCOUNT, now)
    await pool.execute(
        "INSERT INTO vendor_exchange (account_id, vendor, at, method, target, status, took_ms, lane, sent, received)"
        " VALUES ($1, 'amocrm', now(), 'POST', '/api/v4/leads', 401, 12, 'sync', $2, '{}')",
        ACCOUNT, names.note,
    )  # fmt: skip


async def begin_sending(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await backfill.start(conn, ACCOUNT, datetime.now(UTC))


async def _matrix(pool: asyncpg.Pool, names: SceneNames) -> None:
    """A version after the first, and a draft with a problem."""
    async with pool.acquire() as conn:
        seen = await matrices.draft(conn, ACCOUNT)
        part = MatrixPart("default", "inbound.answered.known_with_deal/end")
        changed = with_part(seen.matrix, part, (MakeNote(text="Talked"),))
        seen = await matrices.save_draft(conn, ACCOUNT, changed, revision=seen.revision, by="olga")
        catalogue = Catalogue(staff=Staff.of([SENIOR]))
        await matrices.publish(
            conn, ACCOUNT, revision=seen.revision, by="olga", why=names.note, catalogue=catalogue
        )
        seen = await matrices.draft(conn, ACCOUNT)
        wrong = with_part(
            seen.matrix,
            MatrixPart("default", "inbound.missed.new/end"),
            (MakeDeal(pipeline_id="1", stage_id="99"),),
        )
        await matrices.save_draft(conn, ACCOUNT, wrong, revision=seen.revision, by="olga")
