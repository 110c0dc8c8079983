"""SMSC.ru as an SmsKind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import aiohttp

from runtime.vendors.http import NoteExchange
from sms.model import OutboundSms, SmsAccepted, SmsBalance, SmsOutcome, SmsReport
from sms.port import SmsCapabilities, SmsConnection, SmsInbound, SmsKind, SmsNews, TakeNews
from sms.providers.asking import ProviderHttp, ProviderRequest
from sms.providers.reading import flat_form
from sms.providers.smsc import wire

BASE = "https://smsc.ru/sys"


class SmscKind(SmsKind):
    """Key `password` may be an API key where `login` is left out. `report_secret`: with which reports are signed."""

    kind = "smsc"
    keys = ("password",)
    more_keys = ("report_secret",)
    settings = ("login",)
    vendor_hosts = ("smsc.ru",)
    capabilities: ClassVar[SmsCapabilities] = SmsCapabilities(
        has_own_id=True,
        reports_own_id=True,
        has_polls=True,
        has_pushes=True,
        is_signed=True,
        has_balance=True,
        has_prices=True,
        has_incoming=True,
        moves_to_day=True,
    )

    def open(
        self,
        session: aiohttp.ClientSession,
        connection: SmsConnection,
        take: TakeNews,
        on_exchange: NoteExchange | None = None,
    ) -> Smsc:
        return Smsc(ProviderHttp(session, connection, BASE, on_exchange), connection)

    def is_genuine(self, request: SmsInbound, connection: SmsConnection) -> bool | None:
        """Judge reports; what a client wrote is not signed."""
        form = flat_form(request)
        secret = connection.keys.get("report_secret")
        if not secret or wire.is_incoming(form):
            return None
        return wire.is_signed(form, secret)

    def read(self, request: SmsInbound, connection: SmsConnection) -> SmsNews:
        form = flat_form(request)
        if wire.is_incoming(form):
            return SmsNews(incoming=(wire.parse_incoming(form),))
        return SmsNews(reports=(wire.parse_report(form),))


class Smsc:
    """One login."""

    def __init__(self, http: ProviderHttp, connection: SmsConnection) -> None:
        self._http = http
        self._connection = connection

    async def run(self) -> None:
        """Nothing is held open."""

    async def send(self, message: OutboundSms) -> SmsOutcome:
        request = self._request("send.php", wire.send_fields(message))
        return await self._http.send(request, lambda answer: wire.parse_sent(answer.body))

    async def find(self, message: OutboundSms, asked_at: datetime) -> SmsAccepted | None:
        found = await self._status(message)
        return SmsAccepted(ids=(found.id,), price=found.price) if found else None

    async def statuses(self, messages: Sequence[tuple[OutboundSms, str]]) -> tuple[SmsReport, ...]:
        told = [await self._status(message) for message, _ in messages]
        return tuple(report for report in told if report)

    async def balance(self) -> SmsBalance | None:
        return await self._http.look(
            self._request("balance.php", {"fmt": "3", "cur": "1"}), wire.parse_balance
        )

    async def _status(self, message: OutboundSms) -> SmsReport | None:
        request = self._request("status.php", wire.status_fields(message))
        return await self._http.look(request, lambda body: wire.parse_status(body, message))

    def _request(self, path: str, fields: dict[str, str]) -> ProviderRequest:
        login, password = self._connection.text("login"), self._connection.keys.get("password", "")
        secrets = {"login": login, "psw": password} if login else {"apikey": password}
        return ProviderRequest(path=path, fields=fields, secrets=secrets)
