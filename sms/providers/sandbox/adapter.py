"""The sandbox as an SmsKind: what was "sent" is remembered, and reported as delivered a moment later.

The last four digits of a number choose another fate, so that each can be seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import aiohttp

from runtime.vendors.http import NoteExchange
from sms.model import (
    OutboundSms,
    SmsAccepted,
    SmsBalance,
    SmsOutcome,
    SmsRefused,
    SmsReport,
    SmsState,
    SmsUnknown,
)
from sms.port import SmsCapabilities, SmsConnection, SmsKind, TakeNews
from sms.reasons import SmsDoubt, SmsReason

_REMEMBERED = 1000
_PRICE = Decimal("2.50")
_DELIVERED_AFTER_SECONDS = 2

REFUSED_ENDINGS: Mapping[str, SmsReason] = {
    "0001": SmsReason.BAD_NUMBER,
    "0002": SmsReason.NO_MONEY,
    "0003": SmsReason.THROTTLED,
}
FAILING_ENDINGS: Mapping[str, tuple[SmsState, SmsReason]] = {
    "0004": (SmsState.UNDELIVERED, SmsReason.UNREACHABLE),
    "0005": (SmsState.EXPIRED, SmsReason.EXPIRED),
    "0006": (SmsState.REJECTED, SmsReason.FORBIDDEN_TEXT),
}
DOUBTFUL_ENDING = "0007"
"""The message is taken, and no answer comes."""


@dataclass(frozen=True, slots=True)
class SandboxSms:
    """One message that was "sent"."""

    message: OutboundSms
    at: datetime


class SandboxKind(SmsKind):
    """Remembers by connection, in this process, the last thousand. Setting `delivered_after_seconds`: until then it is sent."""

    kind = "sandbox"
    settings = ("delivered_after_seconds",)
    capabilities: ClassVar[SmsCapabilities] = SmsCapabilities(
        has_own_id=True, reports_own_id=True, has_polls=True, has_balance=True, has_prices=True
    )

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._sent: dict[str, deque[SandboxSms]] = {}

    def open(
        self,
        session: aiohttp.ClientSession,
        connection: SmsConnection,
        take: TakeNews,
        on_exchange: NoteExchange | None = None,
    ) -> SandboxProvider:
        sent = self._sent.setdefault(connection.id, deque(maxlen=_REMEMBERED))
        seconds = connection.number("delivered_after_seconds", _DELIVERED_AFTER_SECONDS)
        return SandboxProvider(sent, self._now, timedelta(seconds=seconds))

    def sent(self, connection: SmsConnection) -> tuple[SandboxSms, ...]:
        """Return what this connection "sent", oldest first."""
        return tuple(self._sent.get(connection.id, ()))


class SandboxProvider:
    """One connection of the sandbox."""

    def __init__(
        self, sent: deque[SandboxSms], now: Callable[[], datetime], delivered_after: timedelta
    ) -> None:
        self._sent = sent
        self._now = now
        self._delivered_after = delivered_after

    async def run(self) -> None:
        """Nothing is held open."""

    async def send(self, message: OutboundSms) -> SmsOutcome:
        ending = message.number[-4:]
        if reason := REFUSED_ENDINGS.get(ending):
            return SmsRefused(reason=reason, vendor_code=ending)
        self._sent.append(SandboxSms(message, self._now()))
        if ending == DOUBTFUL_ENDING:
            return SmsUnknown(why=SmsDoubt.NO_ANSWER)
        return self._accepted(message)

    async def find(self, message: OutboundSms, asked_at: datetime) -> SmsAccepted | None:
        is_there = any(kept.message.own_id == message.own_id for kept in self._sent)
        return self._accepted(message) if is_there else None

    async def statuses(self, messages: Sequence[tuple[OutboundSms, str]]) -> tuple[SmsReport, ...]:
        kept = {str(sms.message.own_id): sms for sms in self._sent}
        return tuple(self._report(id, kept[id]) for _, id in messages if id in kept)

    async def balance(self) -> SmsBalance | None:
        spent = sum((self._price(sms.message) for sms in self._sent), Decimal())
        return SmsBalance(Decimal(10_000) - spent, "RUB")

    def _accepted(self, message: OutboundSms) -> SmsAccepted:
        return SmsAccepted(ids=(str(message.own_id),), price=self._price(message))

    def _price(self, message: OutboundSms) -> Decimal:
        return _PRICE * len(message.segments.parts)

    def _report(self, id: str, sms: SandboxSms) -> SmsReport:
        now = self._now()
        if now - sms.at < self._delivered_after:
            return SmsReport(id=id, state=SmsState.SENT, at=now)
        state, reason = FAILING_ENDINGS.get(sms.message.number[-4:], (SmsState.DELIVERED, None))
        return SmsReport(id=id, state=state, at=sms.at + self._delivered_after, reason=reason)
