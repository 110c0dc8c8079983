"""The sandbox channel against its double: over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from sms.channels.errors import ChannelTrouble
from sms.channels.model import ChannelStateTold, FileTold, MessageTold
from sms.channels.port import MessengerChannel, OpenChannel
from sms.channels.reasons import ChannelReason, ChannelState, MessageDoubt
from sms.channels.sandbox.adapter import SandboxChannelKind
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    MessageUnknown,
    OutgoingFile,
    OutgoingMessage,
)
from tests.fakes.channels.sandbox import FakeMessenger, client_message
from tests.fakes.sms.server import Fault, serving

HELLO = OutgoingMessage(key="k1", chat_id="7", text="Привет 😀")


@asynccontextmanager
async def opened(**settings: Any) -> AsyncIterator[tuple[FakeMessenger, OpenChannel]]:
    async with serving(FakeMessenger(token="hush")) as fake, aiohttp.ClientSession() as session:
        channel = MessengerChannel(
            account_id="1",
            id="1",
            name="x",
            kind="sandbox",
            keys={"token": "hush"},
            settings={"base_url": fake.url, "answer_seconds": "1", "poll_seconds": "1", **settings},
        )
        yield fake, SandboxChannelKind().open(session, channel)


async def test_a_message_and_a_file_arrive_as_they_were_written() -> None:
    file = OutgoingFile(name="a.txt", media_type="text/plain", content=b"\x00\xff")
    async with opened() as (fake, channel):
        assert await channel.send(HELLO) == MessageAccepted(id="s1", chat_id="7")
        await channel.send(OutgoingMessage(key="k2", chat_id="7", file=file))
    assert [(m.key, m.text, m.file) for m in fake.messages] == [
        ("k1", "Привет 😀", b""),
        ("k2", "", b"\x00\xff"),
    ]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("silent", MessageDoubt.NO_ANSWER),
        ("hang up", MessageDoubt.NO_ANSWER),
        ("bad gateway", MessageDoubt.SERVER_ERROR),
        ("page", MessageDoubt.UNREADABLE_ANSWER),
    ],
)
async def test_case_45_a_message_that_may_have_gone_out_is_unknown_and_can_be_found_by_its_key(
    fault: Fault, why: MessageDoubt
) -> None:
    async with opened() as (fake, channel):
        fake.faults.append(fault)
        outcome = await channel.send(HELLO)
        assert isinstance(outcome, MessageUnknown)
        assert outcome.why is why
        assert fake.asked == 1
        found = await channel.find(HELLO, datetime.now(UTC))
    was_taken = fault in ("silent", "hang up")
    assert found == ((MessageAccepted(id="s1", chat_id="7"),) if was_taken else ())


async def test_case_45_what_is_throttled_or_refused_was_not_sent() -> None:
    async with opened() as (fake, channel):
        fake.faults.append("throttle")
        assert await channel.send(HELLO) == MessageThrottled(retry_after=7)
        fake.refuses = "no-money"
        assert await channel.send(HELLO) == MessageRefused(reason=ChannelReason.NO_MONEY, words="no")
        assert fake.messages == []
    async with opened(base_url="http://127.0.0.1:9") as (_, channel):
        outcome = await channel.send(HELLO)
        assert isinstance(outcome, MessageRefused)
        assert outcome.reason is ChannelReason.NOT_REACHED


async def test_updates_are_polled_from_where_one_stood() -> None:
    async with opened() as (fake, channel):
        fake.updates = [client_message("1"), client_message("2")]
        news = await channel.poll(None)
        assert [u.id for u in news.updates if isinstance(u, MessageTold)] == ["1", "2"]
        assert (await channel.poll(news.cursor)).updates == ()


async def test_history_comes_in_pages_under_the_ids_of_updates() -> None:
    async with opened() as (fake, channel):
        fake.updates = [client_message(str(n), at=f"2026-03-0{n}T07:00:00Z") for n in range(1, 6)]
        since, cursor, found = datetime(2026, 3, 2, tzinfo=UTC), None, []
        while True:
            page = await channel.history(since, cursor)
            found += [u.id for u in page.updates if isinstance(u, MessageTold)]
            cursor = page.cursor
            if cursor is None:
                break
    assert found == ["2", "3", "4", "5"]


async def test_a_channel_says_how_it_fares_also_by_not_taking_the_key() -> None:
    async with opened() as (fake, channel):
        fake.state = "no_money"
        assert await channel.state() == ChannelStateTold(state=ChannelState.NO_MONEY)
        fake.token = "new"
        assert (await channel.state()).state is ChannelState.UNAUTHORISED
        with pytest.raises(ChannelTrouble):
            await channel.poll(None)


async def test_an_address_is_given_and_taken_back_and_files_are_fetched() -> None:
    async with opened() as (fake, channel):
        await channel.attach("https://example.com/channels/1/x")
        assert fake.address == "https://example.com/channels/1/x"
        await channel.detach()
        assert fake.address == ""
        fake.files["f1"] = b"abc"
        fetched = await channel.fetch(FileTold(id="f1", name="a.png"), 10)
        assert (fetched.content, fetched.name) == (b"abc", "a.png")


async def test_without_an_address_what_is_sent_is_taken_and_goes_nowhere() -> None:
    async with opened(base_url="") as (fake, channel):
        assert await channel.send(HELLO) == MessageAccepted(id="own-k1", chat_id="7")
        assert (await channel.state()).state is ChannelState.ACTIVE
    assert fake.messages == []
