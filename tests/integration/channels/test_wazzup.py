"""A channel of Wazzup against its double: over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from runtime.exchange import Exchange
from sms.channels.errors import ChannelTrouble, NotOffered
from sms.channels.model import ChannelStateTold, FileTold
from sms.channels.port import MessengerChannel, OpenChannel
from sms.channels.reasons import ChannelReason, ChannelState, MessageDoubt
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    MessageUnknown,
    OutgoingFile,
    OutgoingMessage,
)
from sms.channels.wazzup.adapter import WazzupKind
from sms.errors import SmsError
from tests.fakes.channels.wazzup import API_KEY, CHANNEL, FakeWazzup
from tests.fakes.sms.server import Fault, serving

HELLO = OutgoingMessage(key="k1", chat_id="79161234567", way="whatsapp", text="Привет 😀")
PICTURE = OutgoingFile(name="a.png", media_type="image/png", url="https://gateway.example/a.png")


@dataclass
class Firm:
    fake: FakeWazzup
    channel: OpenChannel
    exchanges: list[Exchange]


@asynccontextmanager
async def firm(**settings: Any) -> AsyncIterator[Firm]:
    exchanges: list[Exchange] = []
    async with serving(FakeWazzup()) as fake, aiohttp.ClientSession() as session:
        channel = MessengerChannel(
            account_id="1",
            id="1",
            name="x",
            kind="wazzup",
            keys={"api_key": API_KEY},
            settings={"base_url": fake.url, "answer_seconds": "1", "channel_id": CHANNEL, **settings},
        )
        yield Firm(fake, WazzupKind().open(session, channel, exchanges.append), exchanges)


@asynccontextmanager
async def our_door(status: int) -> AsyncIterator[tuple[str, list[Any]]]:
    """Stand where the gateway's address is."""
    bodies: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/channels/1/x", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/channels/1/x", bodies
    finally:
        await runner.cleanup()


async def test_a_text_and_then_a_file_go_out_as_they_were_written() -> None:
    file = OutgoingMessage(key="k2", chat_id="79161234567", way="whatsapp", file=PICTURE)
    async with firm() as f:
        assert await f.channel.send(HELLO) == MessageAccepted(id="w1", chat_id="79161234567")
        assert await f.channel.send(file) == MessageAccepted(id="w2", chat_id="79161234567")
        text, picture = f.fake.messages
    assert (text["text"], text["crmMessageId"], text["channelId"]) == ("Привет 😀", "k1", CHANNEL)
    assert (picture["contentUri"], "text" in picture) == (PICTURE.url, False)


async def test_case_10_a_chat_is_opened_by_a_number_where_the_messenger_lets_us() -> None:
    first = OutgoingMessage(key="k1", chat_id="", phone="+79161234567", text="x")
    async with firm(transport="tgapi") as f:
        assert await f.channel.send(first) == MessageAccepted(id="w1", chat_id="5876543210")
        assert f.fake.messages[0]["phone"] == "79161234567"
    async with firm(transport="avito") as f:
        refused = await f.channel.send(first)
        assert isinstance(refused, MessageRefused)
        assert refused.reason is ChannelReason.NOT_WRITTEN_FIRST
        assert f.fake.asked == 0


async def test_case_45_what_wazzup_would_refuse_is_refused_without_asking() -> None:
    async def why(**more: Any) -> ChannelReason | None:
        fields = {"key": "k", "chat_id": "1", "way": "whatsapp", "text": "x", **more}
        outcome = await f.channel.send(OutgoingMessage(**fields))
        return outcome.reason if isinstance(outcome, MessageRefused) else None

    async with firm() as f:
        assert await why(text="x" * 4097) is ChannelReason.TOO_LONG
        assert await why(text="x" * 1001, way="instagram") is ChannelReason.TOO_LONG
        assert await why(text=" ") is ChannelReason.EMPTY
        assert await why(file=PICTURE) is ChannelReason.BAD_REQUEST
        unreachable = OutgoingFile(name="a", media_type="image/png", content=b"x")
        assert await why(text="", file=unreachable) is ChannelReason.FILE_UNREADABLE
        assert f.fake.asked == 0
        assert await why(text="x" * 4096) is None


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("silent", MessageDoubt.NO_ANSWER),
        ("hang up", MessageDoubt.NO_ANSWER),
        ("bad gateway", MessageDoubt.SERVER_ERROR),
        ("trouble", MessageDoubt.SERVER_ERROR),
        ("page", MessageDoubt.UNREADABLE_ANSWER),
    ],
)
async def test_case_45_a_message_that_may_have_gone_out_is_unknown(fault: Fault, why: MessageDoubt) -> None:
    async with firm() as f:
        f.fake.faults.append(fault)
        outcome = await f.channel.send(HELLO)
        assert f.fake.asked == 1
    assert isinstance(outcome, MessageUnknown)
    assert outcome.why is why


@pytest.mark.parametrize("camel", [False, True])
async def test_case_45_the_same_key_goes_out_once_within_a_minute(camel: bool) -> None:
    async with firm() as f:
        f.fake.spells_in_camel_case = camel
        f.fake.faults.append("hang up")
        assert isinstance(await f.channel.send(HELLO), MessageUnknown)
        assert await f.channel.send(HELLO) == MessageAccepted(id="")
        assert len(f.fake.messages) == 1
        f.fake.remembers = False  # after 60 seconds: so an unknown one is never sent again by itself
        await f.channel.send(HELLO)
        assert len(f.fake.messages) == 2


async def test_case_45_what_is_throttled_or_refused_was_not_sent() -> None:
    async with firm() as f:
        f.fake.faults.append("throttle")
        assert await f.channel.send(HELLO) == MessageThrottled(retry_after=5, words="HTTP 429")
        f.fake.refuses = ("CHANNEL_NO_MONEY", "pay")
        refused = await f.channel.send(HELLO)
        assert isinstance(refused, MessageRefused)
        assert (refused.reason, refused.words) == (ChannelReason.NO_MONEY, "pay")
        f.fake.api_key = "new"
        refused = await f.channel.send(HELLO)
        assert isinstance(refused, MessageRefused)
        assert refused.reason is ChannelReason.BAD_KEY
        assert f.fake.messages == []
    async with firm(base_url="http://127.0.0.1:9") as f:
        refused = await f.channel.send(HELLO)
        assert isinstance(refused, MessageRefused)
        assert refused.reason is ChannelReason.NOT_REACHED


async def test_case_46_the_address_is_tried_while_it_is_given() -> None:
    async with firm() as f, our_door(200) as (address, bodies):
        await f.channel.attach(address)
        assert bodies == [{"test": True}]
        assert f.fake.subscription["webhooksUri"] == address
        wanted = f.fake.subscription["subscriptions"]
        assert (wanted["messagesAndStatuses"], wanted["channelsUpdates"]) == (True, True)
        assert wanted["contactsAndDealsCreation"] is False
        await f.channel.detach()
        assert f.fake.subscription["webhooksUri"] == address  # that of all channels of the firm


async def test_case_46_an_address_that_does_not_answer_is_told_in_words() -> None:
    async with firm() as f, our_door(503) as (address, _):
        with pytest.raises(ChannelTrouble, match="does not return 200"):
            await f.channel.attach(address)
        with pytest.raises(ChannelTrouble, match="not valid"):
            await f.channel.attach("gateway.example")
        with pytest.raises(SmsError, match="200 characters"):
            await f.channel.attach("https://gateway.example/" + "x" * 177)
        assert f.fake.subscription == {}


async def test_case_39_a_channel_says_how_it_fares() -> None:
    async with firm() as f:
        told = ChannelStateTold(channel=CHANNEL, state=ChannelState.ACTIVE, words="whatsapp: active")
        assert await f.channel.state() == told
        f.fake.channel_states[CHANNEL] = "notEnoughMoney"
        assert (await f.channel.state()).state is ChannelState.NO_MONEY
        f.fake.channel_states = {"another": "active"}
        assert (await f.channel.state()).state is ChannelState.DISABLED
        f.fake.api_key = "new"
        assert (await f.channel.state()).state is ChannelState.UNAUTHORISED


async def test_files_are_had_without_it() -> None:
    async with firm() as f:
        with pytest.raises(NotOffered):
            await f.channel.fetch(FileTold(url="https://store.example/a"), 10)


async def test_the_key_stands_in_no_record_and_no_number_whole() -> None:
    async with firm() as f:
        await f.channel.send(HELLO)
        await f.channel.state()
        shown = " ".join([*map(str, f.exchanges), repr(f.channel)])
    assert len(f.exchanges) == 2
    assert API_KEY not in shown
    assert "79161234567" not in shown
