"""SMS Aero as an SmsKind."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import aiohttp

from runtime.vendors.http import NoteExchange
from sms.model import OutboundSms, SmsAccepted, SmsBalance, SmsOutcome, SmsRefused, SmsReport
from sms.port import SmsCapabilities, SmsConnection, SmsInbound, SmsKind, SmsNews, TakeNews
from sms.providers.asking import ProviderHttp, ProviderRequest
from sms.providers.reading import flat_form, json_of
from sms.providers.smsaero import wire
from sms.reasons import SmsReason

BASE = "https://gate.smsaero.ru/v2"


class SmsAeroKind(SmsKind):
    """Settings `email`, to which the key belongs, and `sign`, the sender's name. Nothing but this host is ever asked: the
    library that others use tries further hosts after any error, and plain HTTP at last."""

    kind = "smsaero"
    keys = ("api_key",)
    settings = ("email", "sign")
    needed_settings = ("email", "sign")
    vendor_hosts = ("gate.smsaero.ru",)
    capabilities: ClassVar[SmsCapabilities] = SmsCapabilities(
        has_polls=True, has_pushes=True, has_balance=True, has_prices=True
    )

    def open(
        self,
        session: aiohttp.ClientSession,
        connection: SmsConnection,
        take: TakeNews,
        on_exchange: NoteExchange | None = None,
    ) -> SmsAero:
        return SmsAero(ProviderHttp(session, connection, BASE, on_exchange), connection)

    def read(self, request: SmsInbound, connection: SmsConnection) -> SmsNews:
        is_json = request.body.lstrip()[:1] == b"{"
        fields = json_of(request.body) if is_json else flat_form(request)
        return SmsNews(reports=(wire.parse_report(fields),))


class SmsAero:
    """One account."""

    def __init__(self, http: ProviderHttp, connection: SmsConnection) -> None:
        self._http = http
        self._connection = connection

    async def run(self) -> None:
        """Nothing is held open."""

    async def send(self, message: OutboundSms) -> SmsOutcome:
        if len(message.segments.text) > wire.LONGEST_TEXT:
            return SmsRefused(reason=SmsReason.TOO_LONG, words=f"> {wire.LONGEST_TEXT}")
        body = wire.send_body(message, self._connection.text("sign"))
        request = ProviderRequest(path="sms/send", json=body, headers=self._headers())
        return await self._http.send(request, wire.parse_sent, statuses=wire.SPEAKING)

    async def find(self, message: OutboundSms, asked_at: datetime) -> SmsAccepted | None:
        request = self._get("sms/list", {"number": message.digits, "text": message.segments.text})
        return await self._http.look(request, lambda body: wire.parse_found(body, message, asked_at))

    async def statuses(self, messages: Sequence[tuple[OutboundSms, str]]) -> tuple[SmsReport, ...]:
        told = [
            await self._http.look(
                self._get("sms/status", {"id": id}), wire.parse_status, statuses=wire.TELLING
            )
            for _, id in messages
        ]
        return tuple(report for report in told if report)

    async def balance(self) -> SmsBalance | None:
        return await self._http.look(self._get("balance", {}), wire.parse_balance)

    def _get(self, path: str, fields: dict[str, str]) -> ProviderRequest:
        return ProviderRequest(path=path, method="GET", fields=fields, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        pair = f"{self._connection.text('email')}:{self._connection.keys.get('api_key', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
