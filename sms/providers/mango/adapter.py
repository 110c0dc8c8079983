"""MANGO OFFICE as an SmsKind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import aiohttp

from runtime.vendors.http import NoteExchange
from runtime.vendors.mango_signing import is_signature, signed_form
from sms.errors import SmsWireInvalid
from sms.model import (
    OutboundSms,
    SmsAccepted,
    SmsBalance,
    SmsOutcome,
    SmsRefused,
    SmsReport,
    refusal_before_sending,
)
from sms.port import SmsCapabilities, SmsConnection, SmsInbound, SmsKind, SmsNews, TakeNews
from sms.providers.asking import ProviderHttp, ProviderRequest
from sms.providers.mango import wire
from sms.reasons import SmsReason

BASE = "https://app.mango-office.ru/vpbx"
_SPEAKING = frozenset({200, 400, 401, 402, 403, 404, 429})


class MangoSmsKind(SmsKind):
    """Keys are those of the telephony's connection. Setting `from_extension`: whom messages are charged to that name nobody."""

    kind = "mango"
    keys = ("api_key", "api_salt")
    settings = ("from_extension",)
    vendor_hosts = ("app.mango-office.ru",)
    capabilities: ClassVar[SmsCapabilities] = SmsCapabilities(
        has_pushes=True,
        is_signed=True,
        has_balance=True,
        needs_extension=True,
        reports_own_id=True,
        per_second=10.0,
    )

    def open(
        self,
        session: aiohttp.ClientSession,
        connection: SmsConnection,
        take: TakeNews,
        on_exchange: NoteExchange | None = None,
    ) -> MangoSms:
        return MangoSms(ProviderHttp(session, connection, BASE, on_exchange), connection)

    def is_genuine(self, request: SmsInbound, connection: SmsConnection) -> bool | None:
        """Judge the signature, over the exact text of `json`."""
        try:
            key, sign, json = wire.signed_fields(request.body)
        except SmsWireInvalid:
            return False
        keys = connection.keys
        return is_signature(key, sign, json, api_key=keys.get("api_key", ""), salt=keys.get("api_salt", ""))

    def read(self, request: SmsInbound, connection: SmsConnection) -> SmsNews:
        return wire.parse_news(request.path, wire.signed_fields(request.body)[2], request.received_at)


class MangoSms:
    """One product."""

    def __init__(self, http: ProviderHttp, connection: SmsConnection) -> None:
        self._http = http
        self._connection = connection

    async def run(self) -> None:
        """Nothing is held open."""

    async def send(self, message: OutboundSms) -> SmsOutcome:
        extension = message.from_extension or self._connection.text("from_extension")
        if not extension:
            return SmsRefused(reason=SmsReason.EXTENSION_MISSING)
        if refusal := refusal_before_sending(message.text, wire.MOST_PARTS):
            return refusal
        payload = wire.send_payload(message, extension)
        request = self._request("commands/sms", payload)
        return await self._http.send(
            request, lambda answer: wire.parse_sent(answer, message), statuses=_SPEAKING
        )

    async def find(self, message: OutboundSms, asked_at: datetime) -> SmsAccepted | None:
        """Find nothing: it can be asked neither by id nor by list."""
        return None

    async def statuses(self, messages: Sequence[tuple[OutboundSms, str]]) -> tuple[SmsReport, ...]:
        """Tell nothing: reports are pushed, or never known."""
        return ()

    async def balance(self) -> SmsBalance | None:
        return await self._http.look(self._request("account/balance", {}), wire.parse_balance)

    def _request(self, path: str, payload: dict[str, str]) -> ProviderRequest:
        keys = self._connection.keys
        body = signed_form(keys.get("api_key", ""), keys.get("api_salt", ""), payload)
        return ProviderRequest(path=path, fields=payload, body=body)
