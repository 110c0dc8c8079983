"""SMS.RU as an SmsKind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import aiohttp

from runtime.vendors.http import NoteExchange
from sms.model import OutboundSms, SmsAccepted, SmsBalance, SmsOutcome, SmsReport
from sms.port import SmsCapabilities, SmsConnection, SmsInbound, SmsKind, SmsNews, TakeNews
from sms.providers.asking import ProviderHttp, ProviderRequest
from sms.providers.reading import content_type_of, form_of
from sms.providers.smsru import wire

BASE = "https://sms.ru"


class SmsRuKind(SmsKind):
    """Setting `is_test`: messages are priced and reported, and reach nobody."""

    kind = "smsru"
    keys = ("api_id",)
    settings = ("is_test",)
    vendor_hosts = ("sms.ru",)
    capabilities: ClassVar[SmsCapabilities] = SmsCapabilities(
        has_polls=True, has_pushes=True, is_signed=True, has_balance=True, has_prices=True
    )

    def open(
        self,
        session: aiohttp.ClientSession,
        connection: SmsConnection,
        take: TakeNews,
        on_exchange: NoteExchange | None = None,
    ) -> SmsRu:
        return SmsRu(ProviderHttp(session, connection, BASE, on_exchange), connection)

    def is_genuine(self, request: SmsInbound, connection: SmsConnection) -> bool | None:
        """Judge the hash where one is sent: older reports have none."""
        form = form_of(request.body, content_type_of(request))
        if not (shown := form.get("hash")):
            return None
        api_id = connection.keys.get("api_id")
        return bool(api_id) and wire.is_hashed(_entries(form), shown[-1], api_id or "")

    def read(self, request: SmsInbound, connection: SmsConnection) -> SmsNews:
        reports = wire.parse_pushed(_entries(form_of(request.body, content_type_of(request))))
        return SmsNews(reports=reports, answer=b"100")  # any other answer: the provider tells it again


class SmsRu:
    """One api_id."""

    def __init__(self, http: ProviderHttp, connection: SmsConnection) -> None:
        self._http = http
        self._connection = connection

    async def run(self) -> None:
        """Nothing is held open."""

    async def send(self, message: OutboundSms) -> SmsOutcome:
        fields = wire.send_fields(message, is_test=self._connection.is_set("is_test"))
        return await self._http.send(
            self._request("sms/send", fields), lambda answer: wire.parse_sent(answer.body)
        )

    async def find(self, message: OutboundSms, asked_at: datetime) -> SmsAccepted | None:
        """Find nothing: it has no list of messages and knows no id of ours, so only a report can tell."""
        return None

    async def statuses(self, messages: Sequence[tuple[OutboundSms, str]]) -> tuple[SmsReport, ...]:
        found: list[SmsReport] = []
        ids = [id for _, id in messages]
        for start in range(0, len(ids), wire.MOST_IDS):
            some = ids[start : start + wire.MOST_IDS]
            request = self._request("sms/status", {"sms_id": ",".join(some), "json": "1"})
            found += await self._http.look(request, wire.parse_statuses)
        return tuple(found)

    async def balance(self) -> SmsBalance | None:
        return await self._http.look(self._request("my/balance", {"json": "1"}), wire.parse_balance)

    def _request(self, path: str, fields: dict[str, str]) -> ProviderRequest:
        return ProviderRequest(path=path, fields=fields, secrets={"api_id": self._connection.keys["api_id"]})


def _entries(form: dict[str, list[str]]) -> list[str]:
    return [entry for name, values in form.items() if name.partition("[")[0] == "data" for entry in values]
