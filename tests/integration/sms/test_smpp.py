"""The link to a message centre: what it does when the centre misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import pytest

from sms.model import OutboundSms, SmsAccepted, SmsOutcome, SmsRefused, SmsState, SmsUnknown
from sms.octets import joined, read_header
from sms.port import SmsConnection, SmsNews
from sms.progress import SmsProgress, answered, claimed, reported
from sms.providers.smpp.adapter import Smpp, SmppKind
from sms.providers.smpp.link import SmppTiming
from sms.reasons import FailureClass, SmsDoubt, SmsReason
from sms.segments import SmsEncoding
from tests.fakes.sms.message_centre import BIND, ENQUIRE, NACK, UNBIND, CentreFault, FakeCentre, centre
from tests.waiting import until

QUICK = SmppTiming(silence=30.0, answer=0.4, connect=2.0, pauses=(0.1, 0.2))
NO_SESSION = cast(aiohttp.ClientSession, None)


@dataclass
class Office:
    """A connection to the centre, and what was told by it. failing: so many times taking news fails."""

    provider: Smpp
    task: asyncio.Task[None]
    news: list[SmsNews] = field(default_factory=list)
    links: list[SmsNews] = field(default_factory=list)
    failing: int = 0

    async def send(self, text: str = "Привет", own_id: int = 7) -> SmsOutcome:
        return await self.provider.send(OutboundSms(own_id=own_id, number="+79161234567", text=text))

    async def refused_for(self, reason: SmsReason) -> SmsRefused:
        async def said() -> SmsRefused | None:
            outcome = await self.send()
            return outcome if isinstance(outcome, SmsRefused) and outcome.reason is reason else None

        refused = await until(said, f"it is refused for {reason}")
        assert refused
        return refused

    async def bound(self) -> None:
        await until(lambda: self.provider.is_bound, "the link is bound")


@asynccontextmanager
async def office(
    fake: FakeCentre,
    timing: SmppTiming = QUICK,
    *,
    wait: bool = True,
    password: str = "hush",
    **settings: Any,
) -> AsyncIterator[Office]:
    told: list[Office] = []

    async def take(news: SmsNews) -> None:
        ours = told[0]
        if ours.failing:
            ours.failing -= 1
            raise OSError("no database")
        (ours.links if news.link else ours.news).append(news)

    connection = SmsConnection(
        account_id="1",
        id="1",
        name="texts",
        kind="smpp",
        keys={"password": password},
        settings={
            "host": "127.0.0.1",
            "port": fake.port,
            "system_id": "office",
            "sender": "Office",
            **settings,
        },
    )
    provider = SmppKind(timing).open(NO_SESSION, connection, take)
    told.append(Office(provider, asyncio.create_task(provider.run())))
    try:
        if wait:
            await told[0].bound()
        yield told[0]
    finally:
        told[0].task.cancel()
        await asyncio.gather(told[0].task, return_exceptions=True)


async def test_a_long_message_goes_out_in_parts_that_join() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        outcome = await o.send("я" * 66 + "😀" + "я" * 10)
        assert outcome == SmsAccepted(ids=("A0", "A1"))
        read = [read_header(part.data) for part in fake.submitted]
        heads = [head for head, _ in read if head]
        assert [(head.number, head.total) for head in heads] == [(1, 2), (2, 2)]
        assert len({head.reference for head in heads}) == 1
        assert joined([body for _, body in read], SmsEncoding.UCS2) == "я" * 66 + "😀" + "я" * 10
        assert {(part.esm_class, part.coding) for part in fake.submitted} == {(0x40, 8)}


async def test_receipts_of_all_parts_make_the_delivery() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        progress = answered(claimed(SmsProgress(reports_due=2)), await o.send("я" * 71))
        fake.receipt("A1")
        fake.receipt(str(0xA0))  # in decimal
        await until(lambda: len(o.news) == 2, "both receipts")
        states = []
        for news in o.news:
            progress = reported(progress, news.reports[0])
            states.append(progress.state)
        assert states == [SmsState.ACCEPTED, SmsState.DELIVERED]
        await until(lambda: fake.statuses_of_deliveries == [0, 0], "both are answered with status 0")


async def test_a_receipt_before_the_answer_is_told_like_any_other() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        fake.faults.append("receipt first")
        assert await o.send() == SmsAccepted(ids=("A0",))
        await until(lambda: bool(o.news), "the receipt")
        assert o.news[0].reports[0].id == "A0"


async def test_what_clients_write_comes_in() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        fake.deliver("СТОП".encode("utf-16-be"), coding=8)
        await until(lambda: bool(o.news), "the message")
        (incoming,) = o.news[0].incoming
    assert (incoming.number, incoming.text, incoming.at) == ("+79161234567", "СТОП", None)


async def test_what_cannot_be_kept_is_not_answered_until_it_is() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        o.failing = 1
        fake.receipt("A0")
        await until(lambda: o.failing == 0, "the first try")
        assert fake.statuses_of_deliveries == []
        await until(lambda: fake.statuses_of_deliveries == [0], "the answer")
        assert len(o.news) == 1


async def test_what_cannot_be_read_is_answered_and_holds_up_nothing() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        fake.deliver(b"stat:NONSENSE", esm_class=4)
        fake.receipt("A0")
        await until(lambda: fake.statuses_of_deliveries == [0, 0], "both are answered")
        assert len(o.news) == 1


@pytest.mark.parametrize(
    ("fault", "reason", "pause"),
    [("throttle", SmsReason.THROTTLED, 1.0), ("queue full", SmsReason.QUEUE_FULL, 5.0)],
)
async def test_a_centre_that_is_busy_gets_it_later(
    fault: CentreFault, reason: SmsReason, pause: float
) -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        fake.faults.append(fault)
        outcome = await o.send()
        assert isinstance(outcome, SmsRefused)
        assert (outcome.reason, outcome.failure_class, outcome.retry_after) == (
            reason,
            FailureClass.LATER,
            pause,
        )
        assert fake.submitted == []
        assert isinstance(await o.send(), SmsAccepted)


async def test_a_later_part_that_is_throttled_is_tried_again_by_itself() -> None:
    """The first part is taken already: put back as a whole, it would go out twice."""
    async with centre(FakeCentre()) as fake, office(fake) as o:
        fake.faults.extend(["no id", "throttle"])
        assert await o.send("я" * 71) == SmsAccepted(ids=("A0", "A1"))
        assert len(fake.submitted) == 2


async def test_a_message_taken_in_part_is_unknown_and_not_begun_again() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        fake.faults.extend(["no id", "bad number"])
        outcome = await o.send("я" * 71)
        assert isinstance(outcome, SmsUnknown)
        assert (outcome.why, outcome.ids) == (SmsDoubt.PART_MISSING, ("A0",))


async def test_a_number_that_is_none_is_refused_for_good() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        fake.faults.append("bad number")
        outcome = await o.send()
    assert isinstance(outcome, SmsRefused)
    assert (outcome.reason, outcome.failure_class) == (SmsReason.BAD_NUMBER, FailureClass.MESSAGE)


async def test_a_link_that_is_cut_with_an_open_window_leaves_all_of_it_unknown() -> None:
    async with centre(FakeCentre()) as fake, office(fake, SmppTiming(answer=5.0, pauses=(30.0,))) as o:
        fake.faults.extend(["silent", "silent", "cut"])
        outcomes = await asyncio.gather(*(o.send(own_id=n) for n in (1, 2, 3)))
        assert [type(outcome) for outcome in outcomes] == [SmsUnknown] * 3
        assert {outcome.why for outcome in outcomes if isinstance(outcome, SmsUnknown)} == {
            SmsDoubt.LINK_LOST
        }
        after = await o.send(own_id=4)
        assert isinstance(after, SmsRefused)
        assert after.reason is SmsReason.NOT_CONNECTED
        assert len(fake.submitted) == 3


async def test_no_more_than_the_window_is_on_its_way_and_what_was_never_written_goes_out_later() -> None:
    async with (
        centre(FakeCentre()) as fake,
        office(fake, SmppTiming(answer=5.0, pauses=(30.0,)), window=2) as o,
    ):
        fake.faults.extend(["silent"] * 9)
        sending = [asyncio.create_task(o.send(own_id=n)) for n in (1, 2, 3, 4)]
        await until(lambda: len(fake.submitted) == 2, "the window is full")
        await asyncio.sleep(0.2)
        assert len(fake.submitted) == 2
        fake.cut()
        outcomes = await asyncio.gather(*sending)
    assert [type(outcome) for outcome in outcomes] == [SmsUnknown, SmsUnknown, SmsRefused, SmsRefused]


async def test_an_answer_that_is_late_still_tells_the_id() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        fake.faults.append("late")
        doubt = await o.send()
        assert isinstance(doubt, SmsUnknown)
        assert doubt.why is SmsDoubt.NO_ANSWER
        await until(lambda: bool(o.news), "the late answer")
        (late,) = o.news[0].outcomes
        assert late.id == "7"
        progress = answered(answered(claimed(SmsProgress()), doubt), late.outcome)
        assert (progress.state, progress.ids) == (SmsState.UNKNOWN, ("A0",))
        assert len(fake.submitted) == 1


async def test_a_late_answer_that_cannot_be_kept_is_told_again_and_costs_no_link() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        o.failing = 1
        fake.faults.append("late")
        assert isinstance(await o.send(), SmsUnknown)
        await until(lambda: bool(o.news), "the late answer")
        assert o.news[0].outcomes[0].outcome == SmsAccepted(ids=("A0",))
        assert isinstance(await o.send(own_id=8), SmsAccepted)
        assert fake.binds == 1


async def test_after_a_silence_the_centre_is_asked_for_a_sign_of_life() -> None:
    timing = SmppTiming(silence=0.1, answer=0.3, pauses=(0.1,))
    async with centre(FakeCentre()) as fake, office(fake, timing) as o:
        await until(lambda: fake.units.count(ENQUIRE) >= 3, "signs of life")
        assert fake.binds == 1
        fake.lives = False
        await until(lambda: fake.binds == 2, "it binds anew")
        fake.lives = True
        await o.bound()
        assert isinstance(await o.send(), SmsAccepted)


async def test_who_talks_is_not_asked() -> None:
    async with centre(FakeCentre()) as fake, office(fake, SmppTiming(silence=0.4, answer=0.3)) as o:
        for own_id in range(1, 9):
            await o.send(own_id=own_id)
            await asyncio.sleep(0.1)
        assert ENQUIRE not in fake.units


async def test_a_lost_link_is_bound_again_after_the_first_pause_and_then_the_second() -> None:
    at: list[float] = []
    timing = SmppTiming(answer=0.3, pauses=(0.3, 0.6))
    async with centre(FakeCentre()) as fake, office(fake, timing) as o:
        fake.bind_status = 0x08
        began = asyncio.get_running_loop().time()
        fake.cut()
        for tries in (2, 3, 4):
            await until(lambda tries=tries: fake.binds == tries, "it binds anew")  # type: ignore[misc]
            at.append(asyncio.get_running_loop().time() - began)
        fake.bind_status = 0
        await o.bound()
    first, second, third = at[0], at[1] - at[0], at[2] - at[1]
    assert 0.25 < first < 0.55
    assert second > 0.5
    assert third > 0.5


async def test_a_wrong_password_stops_the_queue() -> None:
    async with centre(FakeCentre()) as fake, office(fake, wait=False, password="wrong") as o:
        outcome = await o.refused_for(SmsReason.BAD_KEY)
        assert (outcome.failure_class, outcome.vendor_code) == (FailureClass.ACCOUNT, "0x0000000E")


async def test_a_password_that_cannot_be_written_stops_the_queue() -> None:
    async with centre(FakeCentre()) as fake, office(fake, wait=False, password="longer-than-eight") as o:
        await o.refused_for(SmsReason.BAD_KEY)
        assert BIND not in fake.units


async def test_without_a_centre_messages_wait() -> None:
    async with office(FakeCentre(port=9), wait=False) as o:
        outcome = await o.send()
    assert isinstance(outcome, SmsRefused)
    assert outcome.failure_class is FailureClass.LATER


async def test_who_ends_says_good_bye() -> None:
    async with centre(FakeCentre()) as fake:
        async with office(fake):
            pass
        assert fake.units[-1] == UNBIND


async def test_what_the_centre_asks_is_answered() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        fake.send(ENQUIRE, 77)
        fake.send(0x21, 78)  # submit_multi is ours to send
        await until(lambda: fake.units[-2:] == [0x80000015, NACK], "both answers")
        fake.send(UNBIND, 79)
        await until(lambda: 0x80000006 in fake.units, "the good-bye is answered")
        await until(lambda: fake.binds == 2, "it binds anew")
        await o.bound()


@pytest.mark.parametrize(
    "junk", [b"\x00\x00\x00\x04" + bytes(12), b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(8)]
)
async def test_a_stream_that_is_none_is_left(junk: bytes) -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        writer: Callable[[bytes], None] = fake._writer.write  # type: ignore[union-attr]
        writer(junk)
        await until(lambda: fake.binds == 2, "it binds anew")
        await o.bound()


async def test_how_the_link_fares_is_told_when_it_changes_and_only_then() -> None:
    async with centre(FakeCentre()) as fake, office(fake) as o:
        await until(lambda: [one.link and one.link.is_up for one in o.links] == [True], "it is told to stand")
        fake.bind_status = 0x0E
        fake.cut()
        await until(lambda: fake.binds >= 4, "it is tried again and again")
        told = [one.link for one in o.links if one.link]
        assert [link.is_up for link in told].count(True) == 1
        assert told[-1].reason is SmsReason.BAD_KEY
        assert len([link for link in told if link.reason is SmsReason.BAD_KEY]) == 1


async def test_a_centre_that_nobody_reaches_is_told_even_when_telling_failed_once() -> None:
    fake = FakeCentre()
    async with centre(fake):
        pass
    async with office(fake, wait=False) as o:
        o.failing = 1
        await until(lambda: o.links, "it is told at the next try")
        assert o.links[0].link is not None
        assert (o.links[0].link.is_up, o.links[0].link.reason) == (False, SmsReason.NOT_REACHED)
