"""SMPP 3.4 as an SmsKind: any message centre, of an operator or an aggregator."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import aiohttp
import structlog

from runtime.cancellation import sleep_unless_cancelled
from runtime.trouble import Trouble
from runtime.vendors.http import NoteExchange
from sms.errors import SmsWireInvalid
from sms.model import OutboundSms, SmsAccepted, SmsBalance, SmsOutcome, SmsRefused, SmsReport, SmsUnknown
from sms.octets import written
from sms.port import (
    LateOutcome,
    SmsCapabilities,
    SmsConnection,
    SmsKind,
    SmsLinkTold,
    SmsNews,
    TakeNews,
)
from sms.providers.smpp.link import SmppLink, SmppLinkLost, SmppTiming
from sms.providers.smpp.wire import SmppCommand, SmppPdu, SmppStatus, bind_body, message_id_of
from sms.providers.smpp.wire_messages import read_delivered, refusal_of, submit_body
from sms.reasons import FailureClass, SmsDoubt, SmsReason

log = structlog.get_logger(__name__)

_PORT = 2775
_WINDOW = 10
_PART_PAUSES = {SmsReason.THROTTLED: (1.0,) * 5, SmsReason.QUEUE_FULL: (5.0, 15.0, 45.0)}
"""Before a part is tried again whose first ones are taken already: the message cannot be put back any more."""


class SmppKind(SmsKind):
    """Settings: `sender` for messages that name none, `window`, `tls`. A receipt comes for every part."""

    kind = "smpp"
    keys = ("password",)
    settings = ("host", "port", "system_id", "system_type", "sender", "window", "tls")
    needed_settings = ("host", "system_id")
    capabilities: ClassVar[SmsCapabilities] = SmsCapabilities(
        has_pushes=True, has_incoming=True, reports_parts=True, has_link=True
    )

    def __init__(self, timing: SmppTiming | None = None) -> None:
        self._timing = timing or SmppTiming()

    def open(
        self,
        session: aiohttp.ClientSession,
        connection: SmsConnection,
        take: TakeNews,
        on_exchange: NoteExchange | None = None,
    ) -> Smpp:
        return Smpp(connection, take, self._timing)


class Smpp:
    """One system id. `run` keeps the link; without it nothing is sent."""

    def __init__(self, connection: SmsConnection, take: TakeNews, timing: SmppTiming) -> None:
        self._connection = connection
        self._take = take
        self._timing = timing
        self._link: SmppLink | None = None
        self._refusal = SmsRefused(reason=SmsReason.NOT_CONNECTED)
        self._told: SmsLinkTold | None = None

    @property
    def is_bound(self) -> bool:
        return self._link is not None

    async def run(self) -> None:
        """Bind, serve the link, and bind again after it was lost, never sooner than centres want it."""
        trouble = Trouble("smpp-link", connection=self._connection.name)
        losses = 0
        while True:
            try:
                await self._serve(trouble)
            except (SmppLinkLost, OSError, TimeoutError, SmsWireInvalid) as err:
                losses = 1 if not trouble.is_present else losses + 1
                trouble.failed(err, is_alarm=self._refusal.failure_class is FailureClass.ACCOUNT)
                await self._tell(self._why_down(err))
            pauses = self._timing.pauses
            await sleep_unless_cancelled(pauses[min(losses, len(pauses)) - 1])

    async def send(self, message: OutboundSms) -> SmsOutcome:
        """Send every part, one after the other. What was taken in part cannot be put back, so it is unknown when the rest is
        refused."""
        link, segments = self._link, message.segments
        if link is None:
            return self._refusal
        sender = message.sender or self._connection.text("sender")
        ids: list[str] = []
        try:
            for part in written(segments, message.own_id):
                body = submit_body(message, part, segments.encoding, sender)
                refusal = await self._submitted(link, body, message, ids)
                if refusal is not None:
                    return _refused(refusal, ids)
        except SmsWireInvalid as err:
            return SmsRefused(reason=SmsReason.BAD_REQUEST, words=str(err))
        except TimeoutError:
            return SmsUnknown(why=SmsDoubt.NO_ANSWER, ids=tuple(ids))
        except SmppLinkLost as err:
            if not err.was_written and not ids:
                return self._refusal
            return SmsUnknown(why=SmsDoubt.LINK_LOST, words=str(err), ids=tuple(ids))
        return SmsAccepted(ids=tuple(ids))

    async def find(self, message: OutboundSms, asked_at: datetime) -> SmsAccepted | None:
        """Find nothing: query_sm asks by the centre's id, which is what we lack."""
        return None

    async def statuses(self, messages: Sequence[tuple[OutboundSms, str]]) -> tuple[SmsReport, ...]:
        """Tell nothing: few centres answer query_sm, all send receipts."""
        return ()

    async def balance(self) -> SmsBalance | None:
        return None

    async def _submitted(
        self, link: SmppLink, body: bytes, message: OutboundSms, ids: list[str]
    ) -> SmsRefused | None:
        """Submit one part until it is taken; its id joins the others."""
        tries = 0
        while True:
            answer = await link.ask(SmppCommand.SUBMIT_SM, body, key=message.own_id)
            if answer.status == SmppStatus.OK:
                ids.append(message_id_of(answer))
                return None
            refusal = refusal_of(answer.status)
            pauses = _PART_PAUSES.get(refusal.reason, ()) if ids else ()
            if tries >= len(pauses):
                return refusal
            await asyncio.sleep(pauses[tries])
            tries += 1

    async def _serve(self, trouble: Trouble) -> None:
        async with asyncio.timeout(self._timing.connect):
            link = await self._connected()
        serving = asyncio.ensure_future(link.run())
        try:
            await self._bind(link)
            trouble.recovered()
            self._link = link
            await self._tell(SmsLinkTold(is_up=True))
            await asyncio.wait([serving])
            serving.result()
        finally:
            self._link = None
            if not serving.done():
                await link.unbind()
                serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    def _why_down(self, err: Exception) -> SmsLinkTold:
        """Say that a person has to act where the centre says so, else that it is not reached."""
        is_reached = isinstance(err, (SmppLinkLost, SmsWireInvalid))
        reason = self._refusal.reason if is_reached else SmsReason.NOT_REACHED
        return SmsLinkTold(is_up=False, reason=reason, words=str(err) or type(err).__name__)

    async def _tell(self, link: SmsLinkTold) -> None:
        """Tell how the link fares, where that is news. What cannot be written down is told again next time."""
        if link == self._told:
            return
        try:
            await self._take(SmsNews(link=link))
        except Exception as err:  # the link goes on whatever becomes of what is told of it
            log.warning("smpp-link-not-told", connection=self._connection.name, error=type(err).__name__)
        else:
            self._told = link

    async def _connected(self) -> SmppLink:
        connection = self._connection
        tls = ssl.create_default_context() if connection.is_set("tls") else None
        host, port = connection.text("host"), connection.number("port", _PORT)
        reader, writer = await asyncio.open_connection(host, port, ssl=tls)
        return SmppLink(
            reader,
            writer,
            window=max(1, connection.number("window", _WINDOW)),
            timing=self._timing,
            take=self._delivered,
            take_late=self._answered_late,
        )

    async def _bind(self, link: SmppLink) -> None:
        self._refusal = SmsRefused(reason=SmsReason.BAD_KEY)  # where it cannot even be written
        body = self._bind_body()
        self._refusal = SmsRefused(reason=SmsReason.NOT_CONNECTED)
        answer = await link.ask(SmppCommand.BIND_TRANSCEIVER, body)
        if answer.status != SmppStatus.OK:
            self._refusal = refusal_of(answer.status)
            raise SmppLinkLost(f"bind refused: {self._refusal.vendor_code}", was_written=False)

    def _bind_body(self) -> bytes:
        system_id, system_type = self._connection.text("system_id"), self._connection.text("system_type")
        return bind_body(system_id, self._connection.keys.get("password", ""), system_type)

    async def _delivered(self, pdu: SmppPdu) -> None:
        report, incoming = read_delivered(pdu.body)
        reports = (report,) if report else ()
        await self._take(SmsNews(reports=reports, incoming=(incoming,) if incoming else ()))

    async def _answered_late(self, own_id: int, pdu: SmppPdu) -> None:
        if pdu.status == SmppStatus.OK and (id := message_id_of(pdu)):
            outcome = SmsAccepted(ids=(id,))
            await self._take(SmsNews(outcomes=(LateOutcome(id=str(own_id), outcome=outcome),)))


def _refused(refusal: SmsRefused, ids: Sequence[str]) -> SmsOutcome:
    if not ids:
        return refusal
    return SmsUnknown(why=SmsDoubt.PART_MISSING, words=refusal.vendor_code, ids=tuple(ids))
