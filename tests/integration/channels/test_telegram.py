"""A Telegram bot against its double: over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from runtime.exchange import Exchange
from sms.channels.errors import ChannelTrouble
from sms.channels.model import FileTold, MessageTold
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
from sms.channels.telegram.adapter import TelegramKind
from sms.errors import SmsError
from tests.fakes.channels.telegram import TOKEN, FakeTelegram, update
from tests.fakes.sms.server import Fault, serving

HELLO = OutgoingMessage(key="k1", chat_id="7", text="Привет 😀 <b> & *")


@dataclass
class Bot:
    fake: FakeTelegram
    channel: OpenChannel
    exchanges: list[Exchange]


@asynccontextmanager
async def bot(token: str = TOKEN, *, webhook_secret: str = "", **settings: Any) -> AsyncIterator[Bot]:
    exchanges: list[Exchange] = []
    async with serving(FakeTelegram()) as fake, aiohttp.ClientSession() as session:
        channel = MessengerChannel(
            account_id="1",
            id="1",
            name="x",
            kind="telegram",
            keys={"token": token, "webhook_secret": webhook_secret},
            settings={"base_url": fake.url, "answer_seconds": "1", "poll_seconds": "1", **settings},
        )
        yield Bot(fake, TelegramKind().open(session, channel, exchanges.append), exchanges)


async def test_a_text_goes_out_as_it_was_written_and_nothing_in_it_is_markup() -> None:
    async with bot() as b:
        assert await b.channel.send(HELLO) == MessageAccepted(id="7:1001", chat_id="7")
        (sent,) = b.fake.messages
    assert sent.told == {"chat_id": 7, "text": "Привет 😀 <b> & *"}


async def test_a_file_is_uploaded_with_its_caption_and_name() -> None:
    content = bytes(range(256)) * 40 + b"\r\n--callmatrix-k2\r\n"
    file = OutgoingFile(name="Счёт №1.pdf", media_type="application/pdf", content=content)
    picture = OutgoingFile(name="a.png", media_type="image/png", url="https://example.com/a.png")
    async with bot() as b:
        sent = OutgoingMessage(key="k2", chat_id="7", text="Ваш счёт", file=file, quoted_id="7:5")
        assert isinstance(await b.channel.send(sent), MessageAccepted)
        await b.channel.send(OutgoingMessage(key="k3", chat_id="7", file=picture))
        document, photo = b.fake.messages
    assert (document.method, document.file, document.file_name) == ("sendDocument", content, "Счёт №1.pdf")
    assert document.told == {"chat_id": "7", "caption": "Ваш счёт", "reply_parameters": {"message_id": 5}}
    assert (photo.method, photo.told) == ("sendPhoto", {"chat_id": 7, "photo": picture.url})


async def test_case_45_what_telegram_would_refuse_is_refused_without_asking() -> None:
    smile = "😀"
    file = OutgoingFile(name="a", media_type="image/png", content=b"x")

    async def why(**more: Any) -> ChannelReason | None:
        outcome = await b.channel.send(OutgoingMessage(**{"key": "k", "chat_id": "7", "text": "x", **more}))
        return outcome.reason if isinstance(outcome, MessageRefused) else None

    async with bot() as b:
        assert await why(text=smile * 2048) is None
        assert await why(text=smile * 2048 + "x") is ChannelReason.TOO_LONG
        assert await why(text="x" * 1025, file=file) is ChannelReason.TOO_LONG
        assert await why(text=" \n") is ChannelReason.EMPTY
        assert await why(chat_id="", phone="+79161234567") is ChannelReason.NOT_WRITTEN_FIRST
        assert await why(chat_id="business:7") is ChannelReason.FORBIDDEN
        assert await why(chat_id="@oleg") is ChannelReason.NO_SUCH_CHAT
        assert len(b.fake.messages) == 1


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
    async with bot() as b:
        b.fake.faults.append(fault)
        outcome = await b.channel.send(HELLO)
        assert b.fake.asked == 1
    assert isinstance(outcome, MessageUnknown)
    assert outcome.why is why


async def test_case_45_what_is_throttled_or_refused_was_not_sent() -> None:
    async with bot() as b:
        b.fake.faults.append("throttle")
        throttled = await b.channel.send(HELLO)
        assert isinstance(throttled, MessageThrottled)
        assert throttled.retry_after == 7
        b.fake.refuses = (403, "Forbidden: bot was blocked by the user")
        refused = await b.channel.send(HELLO)
        assert isinstance(refused, MessageRefused)
        assert refused.reason is ChannelReason.BLOCKED
        assert b.fake.messages == []
    async with bot(base_url="http://127.0.0.1:9") as b:
        outcome = await b.channel.send(HELLO)
        assert isinstance(outcome, MessageRefused)
        assert outcome.reason is ChannelReason.NOT_REACHED


async def test_case_32_a_message_to_a_group_that_has_another_number_goes_there_once() -> None:
    async with bot() as b:
        b.fake.moved[-5] = -1001234567890
        outcome = await b.channel.send(OutgoingMessage(key="k", chat_id="-5", text="x"))
        assert outcome == MessageAccepted(id="-1001234567890:1001", chat_id="-1001234567890")
        b.fake.moved = {-5: -6, -6: -5}
        assert isinstance(
            await b.channel.send(OutgoingMessage(key="k", chat_id="-5", text="x")), MessageRefused
        )
        assert b.fake.asked == 4


async def test_updates_are_polled_until_they_are_committed_and_come_again_until_then() -> None:
    async with bot() as b:
        b.fake.updates = [update(2**40 + n, text=str(n)) for n in range(3)]
        first = await b.channel.poll(None)
        again = await b.channel.poll(None)
        assert first == again
        assert [u.sequence - 2**40 for u in first.updates if isinstance(u, MessageTold)] == [0, 1, 2]
        assert first.cursor == str(2**40 + 3)
        assert (await b.channel.poll(first.cursor)).updates == ()
        assert b.fake.updates == []


async def test_a_webhook_and_a_poll_exclude_each_other_and_the_words_say_so() -> None:
    async with bot(webhook="true", webhook_secret="hush-1") as b:
        await b.channel.attach("https://gateway.example/channels/1/x")
        assert b.fake.webhook["secret_token"] == "hush-1"
        assert "business_message" in b.fake.webhook["allowed_updates"]
        with pytest.raises(ChannelTrouble, match="webhook is active") as caught:
            await b.channel.poll(None)
        assert caught.value.state is ChannelState.CONFLICT
        await b.channel.detach()
        assert (await b.channel.poll(None)).updates == ()


async def test_a_bot_that_is_polled_takes_the_webhook_away() -> None:
    async with bot() as b:
        b.fake.webhook = {"url": "https://elsewhere.example"}
        await b.channel.attach("https://gateway.example/channels/1/x")
        assert b.fake.webhook == {}


async def test_a_second_program_that_polls_is_told() -> None:
    async with bot() as b:
        ours = asyncio.create_task(b.channel.poll(None))
        while not b.fake.polls:
            await asyncio.sleep(0.01)
        with pytest.raises(ChannelTrouble, match="other getUpdates"):
            await b.channel.poll(None)
        await ours


async def test_a_secret_that_telegram_would_not_take_is_not_given_to_it() -> None:
    async with bot(webhook="true", webhook_secret="с пробелом") as b:
        with pytest.raises(SmsError, match="webhook_secret"):
            await b.channel.attach("https://gateway.example/x")
        assert b.fake.methods == []


async def test_a_bot_says_its_name_and_one_of_another_token_is_a_state() -> None:
    async with bot() as b:
        assert ((await b.channel.state()).state, (await b.channel.state()).words) == ("active", "@office")
        b.fake.token = "new"
        assert (await b.channel.state()).state is ChannelState.UNAUTHORISED
        refused = await b.channel.send(HELLO)
        assert isinstance(refused, MessageRefused)
        assert refused.reason is ChannelReason.BAD_KEY


async def test_case_27_a_file_is_brought_and_one_that_is_too_large_is_not() -> None:
    async with bot() as b:
        b.fake.files = {"f1": b"abc", "f2": bytes(20 * 1024 * 1024 + 1)}
        fetched = await b.channel.fetch(FileTold(id="f1", name="a.txt", media_type="text/plain"), 10)
        assert (fetched.content, fetched.name, fetched.media_type) == (b"abc", "a.txt", "text/plain")
        for file, most in ((FileTold(id="f1"), 2), (FileTold(id="f2"), 10**9), (FileTold(id="gone"), 10)):
            with pytest.raises(SmsError):
                await b.channel.fetch(file, most)
        asked = len(b.fake.methods)
        with pytest.raises(SmsError, match="more than 20971520"):
            await b.channel.fetch(FileTold(id="f2", size=3 * 2**30), 10**10)
        assert len(b.fake.methods) == asked


async def test_the_token_stands_in_no_record_and_in_no_error() -> None:
    async with bot() as b:
        await b.channel.send(HELLO)
        await b.channel.state()
        b.fake.files["f1"] = b"of a client"
        await b.channel.fetch(FileTold(id="f1"), 100)
        b.fake.faults.append("hang up")
        said = [str(await b.channel.send(HELLO))]
    shown = " ".join([*map(str, b.exchanges), *said, repr(b.channel)])
    assert [e.target for e in b.exchanges][:2] == ["/bot***/sendMessage", "/bot***/getMe"]
    assert len(b.exchanges) == 4  # the file's content is recorded nowhere
    assert "hush" not in shown
    assert "of a client" not in shown
