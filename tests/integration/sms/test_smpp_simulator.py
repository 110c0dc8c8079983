"""Against a server of SMPP that others wrote."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import aiohttp
import pytest
import smpp34

from sms.model import OutboundSms, SmsAccepted, SmsRefused, SmsState, SmsUnknown
from sms.octets import joined, read_header
from sms.port import SmsConnection, SmsNews
from sms.progress import SmsProgress, answered, claimed, reported
from sms.providers.smpp.adapter import Smpp, SmppKind
from sms.providers.smpp.link import SmppTiming
from sms.reasons import SmsReason
from sms.segments import SmsEncoding
from tests.waiting import until

TEXTS = ["Hello", "a" * 152 + "€" + "b" * 20, "я" * 135, "😀" * 36, "{" * 81]


@dataclass
class Simulator:
    """Takes what comes, with statuses in the order given; ids are numbers in hexadecimal."""

    server: smpp34.Server
    port: int
    statuses: deque[int] = field(default_factory=deque)
    taken: list[smpp34.SubmitSmEvent] = field(default_factory=list)
    session: smpp34.Esme | None = None
    holds: bool = False

    async def serve(self) -> None:
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.session = event
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.taken.append(event)
                status = self.statuses.popleft() if self.statuses else 0
                if status:
                    event.reject(status)
                elif not self.holds:
                    event.accept(f"{0xBEE0 + len(self.taken):x}")

    async def receipt(self, id: str, word: str) -> None:
        assert self.session is not None
        text = f"id:{id} sub:001 dlvrd:001 submit date:2603021000 done date:2603021001 stat:{word} err:000 text:x"
        answer = await self.session.deliver_sm(
            "Office", text.encode(), source_addr="79161234567", esm_class=4
        )
        assert answer.is_success

    def text(self, encoding: SmsEncoding) -> str:
        read = [
            read_header(e.short_message)[1] if e.esm_class & 0x40 else e.short_message for e in self.taken
        ]
        return joined(read, encoding)


@asynccontextmanager
async def simulator() -> AsyncIterator[Simulator]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = smpp34.Server("127.0.0.1", port, system_id="centre")
    await server.start()
    simulated = Simulator(server, port)
    serving = asyncio.create_task(simulated.serve())
    try:
        yield simulated
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await server.stop()


@asynccontextmanager
async def bound(simulated: Simulator, news: list[SmsNews]) -> AsyncIterator[Smpp]:
    async def take(told: SmsNews) -> None:
        news.append(told)

    connection = SmsConnection(
        account_id="1",
        id="1",
        name="texts",
        kind="smpp",
        keys={"password": "hush"},
        settings={"host": "127.0.0.1", "port": simulated.port, "system_id": "office", "sender": "Office"},
    )
    timing = SmppTiming(answer=3.0, pauses=(0.2,))
    provider = SmppKind(timing).open(cast(aiohttp.ClientSession, None), connection, take)
    running = asyncio.create_task(provider.run())
    try:
        await until(lambda: provider.is_bound, "the link is bound")
        await until(lambda: simulated.session is not None, "the simulator knows of it")
        yield provider
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def message(text: str, own_id: int = 7) -> OutboundSms:
    return OutboundSms(own_id=own_id, number="+79161234567", text=text)


@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_arrives_whole_and_its_receipts_make_a_delivery(text: str) -> None:
    news: list[SmsNews] = []
    async with simulator() as simulated, bound(simulated, news) as provider:
        outcome = await provider.send(message(text))
        assert isinstance(outcome, SmsAccepted)
        assert simulated.text(message(text).segments.encoding) == text
        progress = answered(claimed(SmsProgress(reports_due=len(outcome.ids))), outcome)
        for id in reversed(outcome.ids):
            assert progress.state is SmsState.ACCEPTED
            await simulated.receipt(str(int(id, 16)), "DELIVRD")
            await until(lambda: bool(news), "the receipt")
            progress = reported(progress, news.pop().reports[0])
        assert progress.state is SmsState.DELIVERED


async def test_a_throttled_message_is_refused_for_later_and_then_taken() -> None:
    async with simulator() as simulated, bound(simulated, []) as provider:
        simulated.statuses.append(0x58)
        refused = await provider.send(message("Hello"))
        assert isinstance(refused, SmsRefused)
        assert refused.reason is SmsReason.THROTTLED
        assert isinstance(await provider.send(message("Hello")), SmsAccepted)


async def test_fifty_messages_at_once_all_arrive_once() -> None:
    async with simulator() as simulated, bound(simulated, []) as provider:
        outcomes = await asyncio.gather(*(provider.send(message("я" * 71, own_id=n)) for n in range(1, 51)))
        ids = [id for outcome in outcomes if isinstance(outcome, SmsAccepted) for id in outcome.ids]
        assert len(ids) == len(set(ids)) == len(simulated.taken) == 100


async def test_a_simulator_that_goes_with_an_open_window_leaves_it_unknown() -> None:
    async with simulator() as simulated, bound(simulated, []) as provider:
        simulated.holds = True
        sending = asyncio.create_task(provider.send(message("Hello")))
        await until(lambda: len(simulated.taken) == 1, "it came")
        assert simulated.session is not None
        await simulated.session.unbind()
        assert isinstance(await sending, SmsUnknown)
