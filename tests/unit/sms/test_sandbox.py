"""The provider that sends nothing: it remembers, and reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

import aiohttp
import pytest

from sms.model import OutboundSms, SmsAccepted, SmsRefused, SmsState, SmsUnknown
from sms.port import SmsConnection, SmsNews
from sms.providers.sandbox.adapter import (
    DOUBTFUL_ENDING,
    FAILING_ENDINGS,
    REFUSED_ENDINGS,
    SandboxKind,
    SandboxProvider,
)

OURS = SmsConnection(account_id="1", id="1", name="texts", kind="sandbox")
NO_SESSION = cast(aiohttp.ClientSession, None)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


async def nothing(news: SmsNews) -> None:
    raise AssertionError("the sandbox pushes nothing")


def opened(kind: SandboxKind, connection: SmsConnection = OURS) -> SandboxProvider:
    return kind.open(NO_SESSION, connection, nothing)


def to(ending: str, own_id: int = 7) -> OutboundSms:
    return OutboundSms(own_id=own_id, number=f"+7916123{ending}", text="Привет")


async def test_what_is_sent_is_remembered_and_delivered_a_moment_later() -> None:
    clock = Clock()
    kind = SandboxKind(clock)
    provider = opened(kind)
    assert await provider.send(to("4567")) == SmsAccepted(ids=("7",), price=Decimal("2.50"))
    assert [sms.message.text for sms in kind.sent(OURS)] == ["Привет"]
    (report,) = await provider.statuses([(to("4567"), "7"), (to("4568", 8), "8")])
    assert report.state is SmsState.SENT
    clock.at += timedelta(seconds=2)
    (report,) = await opened(kind).statuses([(to("4567"), "7")])
    assert report.state is SmsState.DELIVERED
    assert await provider.balance()


async def test_one_connection_does_not_see_anothers_messages() -> None:
    kind = SandboxKind(Clock())
    await opened(kind).send(to("4567"))
    other = SmsConnection(account_id="2", id="2", name="others", kind="sandbox")
    assert kind.sent(other) == ()
    assert await opened(kind, other).statuses([(to("4567"), "7")]) == ()


@pytest.mark.parametrize("ending", REFUSED_ENDINGS)
async def test_some_numbers_are_refused(ending: str) -> None:
    kind = SandboxKind(Clock())
    outcome = await opened(kind).send(to(ending))
    assert isinstance(outcome, SmsRefused)
    assert outcome.reason is REFUSED_ENDINGS[ending]
    assert kind.sent(OURS) == ()


@pytest.mark.parametrize("ending", FAILING_ENDINGS)
async def test_some_numbers_are_never_reached(ending: str) -> None:
    clock = Clock()
    provider = opened(SandboxKind(clock))
    await provider.send(to(ending))
    clock.at += timedelta(minutes=1)
    (report,) = await provider.statuses([(to(ending), "7")])
    assert (report.state, report.reason) == FAILING_ENDINGS[ending]


async def test_one_number_takes_the_message_and_never_answers() -> None:
    provider = opened(SandboxKind(Clock()))
    assert isinstance(await provider.send(to(DOUBTFUL_ENDING)), SmsUnknown)
    assert await provider.find(to(DOUBTFUL_ENDING), Clock()()) == SmsAccepted(
        ids=("7",), price=Decimal("2.50")
    )
    assert await provider.find(to("4567", 8), Clock()()) is None
