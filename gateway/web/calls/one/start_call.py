"""A made-up call that really happens: told to the inbox as a PBX would tell it, where the CRM is the sandbox of this machine."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime

import structlog

from gateway.admin.refused import InputRefused
from gateway.intake.inbox import Inbox
from gateway.pbx.connection import Connection
from gateway.pbx.port import InboxUnavailable, Parsed
from gateway.services import Services
from gateway.web.calls.one.made_up import address_at, generic_pbx, may_start
from gateway.web.frame import Form, NoPageQuery, PageCall, SeeOther
from routing.calls.model import CallEvent, Disposition, EventKind
from routing.numbers.normalise import PublicNumber, normalise
from routing.texts.catalogue import phrase
from runtime.database.errors import DATABASE_ERRORS

log = structlog.get_logger(__name__)

_RINGS, _TALKS = 3.0, 6.0
_running: set[asyncio.Task[None]] = set()


class StartForm(Form):
    """who: the employee who answers after three seconds, "" = nobody does."""

    number: str
    who: str = ""


async def start_call(call: PageCall[NoPageQuery, StartForm]) -> SeeOther:
    connection = generic_pbx(call)
    if not may_start(call) or connection is None:
        raise InputRefused(
            "account", "Calls are made up with the sandbox only", "connect the sandbox, or call in earnest"
        )
    policy = call.services.configuration.now.policies[connection.name]
    number = normalise(call.form.number, policy)
    if not isinstance(number, PublicNumber):
        raise InputRefused("number", "This is not a phone number", "write it in any spelling")
    staff = call.services.configuration.now.staff[call.account.id]
    if call.form.who and call.form.who not in staff.by_id:
        raise InputRefused("who", "There is no such employee", "choose one of the list")
    course = _Course(call.services, connection, number.e164, address_at(call.form.who, staff))
    await course.tell(EventKind.STARTED, EventKind.RANG)
    task = asyncio.create_task(course.goes_on())
    _running.add(task)
    task.add_done_callback(_running.discard)
    return SeeOther(call.here("/calls"), said=phrase("calls.try.started"))


class _Course:
    """How the made-up call goes: it rings, somebody answers or nobody does, and it ends."""

    def __init__(self, services: Services, connection: Connection, number: str, party: str | None) -> None:
        self._services, self._connection = services, connection
        self._number, self._party = number, party
        self._key = f"made-up-{secrets.token_hex(8)}"

    async def goes_on(self) -> None:
        try:
            await asyncio.sleep(_RINGS)
            if self._party is not None:
                await self.tell(EventKind.ANSWERED)
                await asyncio.sleep(_TALKS)
            await self.tell(EventKind.ENDED)
        except (InboxUnavailable, *DATABASE_ERRORS) as err:
            log.warning("made-up-call-broken-off", error=type(err).__name__)

    async def tell(self, *kinds: EventKind) -> None:
        now = datetime.now(UTC)
        events = tuple(self._event(kind, now) for kind in kinds)
        parsed = Parsed(canonical=f"{self._key} {' '.join(kinds)}", events=events)
        policy = self._services.configuration.now.policies[self._connection.name]
        async with Inbox(self._services.pool) as inbox:
            await inbox.accept(self._connection, parsed, b"", now, policy)

    def _event(self, kind: EventKind, at: datetime) -> CallEvent:
        ended = Disposition.ANSWERED if self._party else Disposition.NO_ANSWER
        return CallEvent(
            kind=kind,
            call_key=self._key,
            at=at,
            direction="inbound",
            client=self._number,
            line=next(iter(self._connection.lines), None),
            party=self._party if kind in (EventKind.RANG, EventKind.ANSWERED) else None,
            cause=ended if kind is EventKind.ENDED else None,
        )
