"""A call that is only tried: who would get it, and what it would leave. Writes nothing."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from crm.store.clients import client_of
from gateway.decisions.asked_now import asked_now
from gateway.decisions.dry_run import SampleCall, made_decisions
from gateway.decisions.names_then import names_now
from gateway.decisions.replay import matrix_named
from gateway.pbx.connection import Connection
from gateway.store.admin.matrices import NoSuchMatrixVersion
from gateway.store.calls.journal import CallFilter, page_of
from gateway.web.calls.one.call_file import CallFile
from gateway.web.calls.one.call_page import shown_call
from gateway.web.calls.one.entities_now import entities_now
from gateway.web.calls.one.made_up import address_at, may_start
from gateway.web.frame import PageCall, PageQuery, Shown
from gateway.web.words.sorting import by_name
from routing.client import Client
from routing.lookup.available import ANYBODY
from routing.numbers.normalise import InternalNumber, Number, PublicNumber, normalise
from routing.settings import NumberPolicy
from routing.staff import Staff
from runtime.database.pool import Conn

_SECONDS = range(86_400)
_UNKNOWN_NUMBER = "+79000000000"


class TryQuery(PageQuery):
    """number None: nothing was tried yet. at: by the clocks of the account's zone."""

    number: str | None = None
    line: str | None = None
    pbx: str | None = None
    at: str | None = None
    direction: str | None = None
    result: str | None = None
    who: str | None = None
    talked: str | None = None
    version: str | None = None
    source: str | None = None


TryCall = PageCall[TryQuery, None]


@dataclass(frozen=True, slots=True)
class Tried:
    """What the form says, in values. problems: names of fields that are none."""

    sample: SampleCall
    version: str
    connection: Connection | None
    policy: NumberPolicy
    problems: tuple[str, ...] = ()


async def try_call(call: TryCall) -> Shown:
    async with call.connection() as conn:
        names = await names_now(conn, call.account.id)
        tried = read_form(call, names.staff)
        values = await _form(call, conn, names.staff, tried)
        if call.query.number is not None and not tried.problems:
            values |= await _result(call, conn, tried)
    return Shown("calls/try.html", values)


def read_form(call: TryCall, staff: Staff) -> Tried:
    """Return what is to be tried; the first connection, now and two minutes where nothing is said."""
    query, problems = call.query, []
    snapshot = call.services.configuration.now
    mine = [c for c in snapshot.connections.values() if c.account_id == call.account.id]
    connection = next((c for c in mine if c.name == query.pbx), mine[0] if mine and not query.pbx else None)
    if query.pbx and connection is None:
        problems.append("pbx")
    policy = snapshot.policies[connection.name] if connection else snapshot.policy_of(call.account.id)
    at = _at(query.at, call) if query.at else call.now
    if at is None:
        problems.append("at")
    talked = query.talked or "120"
    if not (talked.isascii() and talked.isdigit() and len(talked) < 6 and int(talked) in _SECONDS):
        problems.append("talked")
        talked = "0"
    if query.who and query.who not in staff.by_id:
        problems.append("who")
    is_answered = query.result != "missed"
    sample = SampleCall(
        number=query.number or "",
        line=query.line or next((line for line in connection.lines), None) if connection else query.line,
        connection=connection.id if connection else "",
        at=(at or call.now).astimezone(UTC),
        direction="outbound" if query.direction == "outbound" else "inbound",
        is_answered=is_answered,
        answered_by=address_at(query.who, staff) if is_answered else None,
        talk_seconds=int(talked),
        params={"utm_source": query.source} if query.source else {},
    )
    return Tried(sample, query.version or "current", connection, policy, tuple(problems))


def _at(text: str, call: TryCall) -> datetime | None:
    with contextlib.suppress(ValueError):
        at = datetime.fromisoformat(text)
        if at.tzinfo is None and 2000 <= at.year < 2100:
            return at.replace(tzinfo=call.zone)
    return None


async def _form(call: TryCall, conn: Conn, staff: Staff, tried: Tried) -> dict[str, Any]:
    connections = [
        c for c in call.services.configuration.now.connections.values() if c.account_id == call.account.id
    ]
    lines = sorted({line for c in connections for line in c.lines})
    people = sorted(staff.employees, key=lambda p: by_name(p.name))
    return {
        "tried": tried,
        "may_start": may_start(call),
        "file": None,
        "lines_of": [(line, call.words.phone(line)) for line in lines],
        "people": [(p.id, p.name) for p in people if address_at(p.id, staff)],
        "pbxs": [(c.name, c.name) for c in connections],
        "examples": await _examples(call, conn, people[0].id if people else ""),
        "at": tried.sample.at.astimezone(call.zone).strftime("%Y-%m-%dT%H:%M"),
        "read_as": _read_as(normalise(tried.sample.number, tried.policy), call) if call.query.number else "",
    }


async def _examples(call: TryCall, conn: Conn, person: str) -> list[tuple[str, str]]:
    """Return (what it is, its address): somebody known who is answered, a new client who is missed, and one whom somebody unknown
    answers."""
    known = await page_of(conn, call.account.id, CallFilter(direction="inbound", result="answered"), limit=1)
    number = known[0].client if known and known[0].client and call.who.sees_numbers else _UNKNOWN_NUMBER
    return [
        (call.texts.say("calls.try.example.known"), call.here("/calls/try", number=number, who=person)),
        (
            call.texts.say("calls.try.example.missed"),
            call.here("/calls/try", number=_UNKNOWN_NUMBER, result="missed"),
        ),
        (call.texts.say("calls.try.example.unknown"), call.here("/calls/try", number=_UNKNOWN_NUMBER)),
    ]


def _read_as(number: Number, call: TryCall) -> str:
    """Return how the number was read where that is no client's number; "" for one that can call."""
    if isinstance(number, PublicNumber):
        return call.texts.say("calls.try.read.own") if number.is_own else ""
    if isinstance(number, InternalNumber):
        return call.texts.say("calls.try.read.internal")
    return call.texts.word("calls.try.read", number.reason)


async def _result(call: TryCall, conn: Conn, tried: Tried) -> dict[str, Any]:
    """Return the parts of a call's page for the made-up one."""
    try:
        matrix = (
            await matrix_named(conn, call.account.id, "draft" if tried.version == "draft" else None)
        ).matrix
    except NoSuchMatrixVersion:
        return {"no_matrix": True}
    file = await _tried_file(call, conn, tried, matrix)
    return {**shown_call(call, file), "no_matrix": False, "missing": [], "is_tried": True}


async def _tried_file(call: TryCall, conn: Conn, tried: Tried, matrix: Any) -> CallFile:
    account, made_up = call.account, tried.sample
    names = await names_now(conn, account.id)
    number = normalise(made_up.number, tried.policy)
    e164 = number.e164 if isinstance(number, PublicNumber) and not number.is_own else None
    client = await client_of(conn, account.id, e164) if e164 else None
    decisions = await made_decisions(conn, account, tried.policy, matrix, made_up, call.services.at_work)
    if made_up.direction == "inbound":
        people = call.services.people.get(account.id, ANYBODY)
        asked = await asked_now(conn, account, tried.policy, names.staff, made_up.number, made_up.at, people)
        decisions = [asked, *decisions]
    row = made_up.as_row(account, tried.policy, client or Client(number=made_up.number))
    return CallFile(
        row=replace(row, client=e164),
        decisions=decisions,
        names=[names] * len(decisions),
        now=names,
        entities=await entities_now(conn, account.id, decisions),
        client=client,
        history=None,
        before=None,
        is_before_open=False,
        messages=(),
        connection=tried.connection,
        policy=tried.policy,
    )
