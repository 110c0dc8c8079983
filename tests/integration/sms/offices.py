"""Each provider that speaks HTTP with its double, as tests need both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp

from runtime.exchange import Exchange
from sms.kinds import SMS_KINDS
from sms.model import OutboundSms
from sms.port import SmsConnection, SmsInbound, SmsKind, SmsNews, SmsProvider
from tests.fakes.sms.mango import FakeMangoSms
from tests.fakes.sms.server import FakeProvider, serving
from tests.fakes.sms.smsaero import FakeSmsAero
from tests.fakes.sms.smsc import FakeSmsc
from tests.fakes.sms.smsru import FakeSmsRu

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
SECRET = "hush"


@dataclass(frozen=True)
class Vendor:
    """keys, settings: of a connection to the double. path: of the API behind the double's address."""

    fake: Callable[[], FakeProvider]
    keys: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""


VENDORS: Mapping[str, Vendor] = {
    "smsc": Vendor(FakeSmsc, {"password": SECRET, "report_secret": "report-secret"}, {"login": "demo"}),
    "smsru": Vendor(FakeSmsRu, {"api_id": SECRET}),
    "smsaero": Vendor(
        FakeSmsAero, {"api_key": SECRET}, {"email": "office@example.com", "sign": "Office"}, "/v2"
    ),
    "mango": Vendor(FakeMangoSms, {"api_key": "key", "api_salt": SECRET}, {"from_extension": "100"}, "/vpbx"),
}


@dataclass
class SmsOffice:
    """One connection, open, and the double behind it."""

    kind: SmsKind
    connection: SmsConnection
    provider: SmsProvider
    fake: Any
    exchanges: list[Exchange]

    def pushed(self, body: bytes | Mapping[str, str], path: str = "") -> SmsInbound:
        written = body if isinstance(body, bytes) else urlencode(body).encode()
        return SmsInbound(method="POST", path=path, query={}, headers={}, body=written, received_at=NOW)


@asynccontextmanager
async def office(
    name: str, *, money: Decimal | None = None, keys: Mapping[str, str] | None = None, **settings: Any
) -> AsyncIterator[SmsOffice]:
    vendor, kind = VENDORS[name], SMS_KINDS[name]
    exchanges: list[Exchange] = []
    async with serving(vendor.fake()) as fake, aiohttp.ClientSession() as session:
        fake.money = money
        connection = SmsConnection(
            account_id="1",
            id="1",
            name="texts",
            kind=name,
            keys=keys if keys is not None else vendor.keys,
            settings={**vendor.settings, "base_url": fake.url + vendor.path, "answer_seconds": 1, **settings},
        )
        provider = kind.open(session, connection, _nothing_is_pushed, exchanges.append)
        yield SmsOffice(kind, connection, provider, fake, exchanges)


def message(own_id: int = 7, text: str = "Привет, Олег", number: str = "+79161234567") -> OutboundSms:
    return OutboundSms(own_id=own_id, number=number, text=text)


async def _nothing_is_pushed(news: SmsNews) -> None:
    raise AssertionError("these providers push by HTTP")
