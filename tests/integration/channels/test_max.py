"""A bot of MAX against its double: over real sockets."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from runtime.exchange import Exchange
from sms.channels.errors import ChannelTrouble, FileUnavailable
from sms.channels.max.adapter import MaxBotChannel, MaxKind, secret_of
from sms.channels.model import FileTold, MessageTold
from sms.channels.port import MessengerChannel
from sms.channels.reasons import ChannelReason, ChannelState, FileReason, MessageDoubt
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    MessageUnknown,
    OutgoingFile,
    OutgoingMessage,
)
from sms.errors import SmsError
from tests.fakes.channels.max import TOKEN, FakeMax, update
from tests.fakes.sms.server import Fault, serving

HELLO = OutgoingMessage(key="k1", chat_id="182182182", text="Привет 😀 <b> **x**")
ADDRESS = "https://gateway.example/channels/c1/secret"


@dataclass
class Bot:
    fake: FakeMax
    channel: MaxBotChannel
    exchanges: list[Exchange]


def channel_of(url: str, token: str = TOKEN, **settings: Any) -> MessengerChannel:
    base = {"base_url": url, "answer_seconds": "1", "poll_seconds": "1"}
    return MessengerChannel(
        account_id="1", id="c1", name="x", kind="max", keys={"token": token}, settings={**base, **settings}
    )


@asynccontextmanager
async def bot(
    token: str = TOKEN, *, pauses: Sequence[float] = (0.01, 0.01), **settings: Any
) -> AsyncIterator[Bot]:
    exchanges: list[Exchange] = []
    async with serving(FakeMax()) as fake, aiohttp.ClientSession() as session:
        channel = channel_of(fake.url, token, **settings)
        yield Bot(fake, MaxBotChannel(session, channel, exchanges.append, pauses=pauses), exchanges)


async def test_a_text_goes_out_as_it_was_written_and_nothing_in_it_is_markup() -> None:
    async with bot() as b:
        assert await b.channel.send(HELLO) == MessageAccepted(id="mid.1000", chat_id="182182182")
    assert b.fake.sent == [{"text": "Привет 😀 <b> **x**"}]


@pytest.mark.parametrize(
    ("media_type", "kind", "payload"),
    [
        ("image/png", "image", {"photos": {"p1": {"token": "of-picture"}}}),
        ("video/mp4", "video", {"token": "of-video"}),
        ("audio/mpeg", "audio", {"token": "of-audio"}),
        ("application/pdf", "file", {"token": "of-file"}),
        ("image/svg+xml", "file", {"token": "of-file"}),
    ],
)
async def test_a_file_is_given_to_max_before_the_message_and_no_token_of_ours_with_it(
    media_type: str, kind: str, payload: dict[str, Any]
) -> None:
    content = bytes(range(256)) * 40 + b"\r\n--callmatrix-k2\r\n"
    file = OutgoingFile(name="Счёт №1.pdf", media_type=media_type, content=content)
    async with bot() as b:
        sent = OutgoingMessage(key="k2", chat_id="7", text="Ваш счёт", file=file, quoted_id="mid.5")
        assert isinstance(await b.channel.send(sent), MessageAccepted)
        (upload,) = b.fake.uploads
    assert (upload.kind, upload.content, upload.name) == (kind, content, "Счёт №1.pdf")
    assert "Authorization" not in upload.headers
    assert b.fake.sent == [
        {
            "text": "Ваш счёт",
            "attachments": [{"type": kind, "payload": payload}],
            "link": {"type": "reply", "mid": "mid.5"},
        }
    ]


async def test_a_message_whose_file_is_still_worked_on_is_tried_again_and_goes_out_once() -> None:
    file = OutgoingFile(name="a.mp4", media_type="video/mp4", content=b"x")
    with_file = OutgoingMessage(key="k", chat_id="7", file=file)
    async with bot() as b:
        b.fake.not_ready = 2
        assert isinstance(await b.channel.send(with_file), MessageAccepted)
        assert (len(b.fake.sent), len(b.fake.uploads)) == (1, 1)
        b.fake.not_ready = 99
        refused = await b.channel.send(with_file)
        assert isinstance(refused, MessageRefused)
        assert refused.reason is ChannelReason.FILE_UNREADABLE
        assert len(b.fake.sent) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, ChannelReason.FILE_UNREADABLE), (502, ChannelReason.VENDOR_TROUBLE)],
)
async def test_where_the_upload_fails_no_message_goes_out(status: int, reason: ChannelReason) -> None:
    file = OutgoingFile(name="a.bin", media_type="application/zip", content=b"x")
    async with bot() as b:
        b.fake.uploads_refused = status
        refused = await b.channel.send(OutgoingMessage(key="k", chat_id="7", file=file))
        assert isinstance(refused, MessageRefused)
        assert refused.reason is reason
        assert b.fake.asked == 0


async def test_case_45_what_max_would_refuse_is_refused_without_asking() -> None:
    async def why(**more: Any) -> ChannelReason | None:
        outcome = await b.channel.send(OutgoingMessage(**{"key": "k", "chat_id": "7", "text": "x", **more}))
        return outcome.reason if isinstance(outcome, MessageRefused) else None

    async with bot() as b:
        assert await why(text="😀" * 4000) is None
        assert await why(text="x" * 4001) is ChannelReason.TOO_LONG
        assert await why(text=" \n") is ChannelReason.EMPTY
        assert await why(chat_id="", phone="+79161234567") is ChannelReason.NOT_WRITTEN_FIRST
        assert await why(chat_id="@oleg") is ChannelReason.NO_SUCH_CHAT
        assert await why(chat_id="7&user_id=8") is ChannelReason.NO_SUCH_CHAT
        assert b.fake.asked == 1


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
        assert throttled.retry_after == 1
        b.fake.refuses = (403, "chat.denied", "Key: error.dialog.suspended, args: [228,].")
        refused = await b.channel.send(HELLO)
        assert isinstance(refused, MessageRefused)
        assert (refused.reason, refused.vendor_code) == (ChannelReason.BLOCKED, "chat.denied")
        b.fake.refuses = None
        b.fake.faults.append("busy")
        busy = await b.channel.send(HELLO)
        assert isinstance(busy, MessageRefused)
        assert busy.reason is ChannelReason.VENDOR_TROUBLE
        assert b.fake.sent == []
    async with bot(base_url="http://127.0.0.1:9") as b:
        outcome = await b.channel.send(HELLO)
        assert isinstance(outcome, MessageRefused)
        assert outcome.reason is ChannelReason.NOT_REACHED


async def test_a_message_whose_answer_was_lost_is_found_by_its_text_and_no_older_one() -> None:
    async with bot() as b:
        b.fake.write("Привет 😀 <b> **x**", at=time.time() - 600)
        asked_at = datetime.now(UTC)
        assert await b.channel.find(HELLO, asked_at) == ()
        b.fake.faults.append("hang up")
        assert isinstance(await b.channel.send(HELLO), MessageUnknown)
        (found,) = await b.channel.find(HELLO, asked_at)
        assert found == MessageAccepted(id="mid.1001", chat_id="182182182")
        await b.channel.send(HELLO)
        assert [f.id for f in await b.channel.find(HELLO, asked_at)] == ["mid.1001", "mid.1002"]
        other = OutgoingMessage(key="k", chat_id="182182182", text="другое")
        assert await b.channel.find(other, asked_at) == ()


async def test_updates_are_polled_until_they_are_committed_and_come_again_until_then() -> None:
    async with bot(receives="poll") as b:
        b.fake.updates = [(2**40 + n, update(n, str(n))) for n in range(3)]
        first = await b.channel.poll(None)
        assert await b.channel.poll(None) == first
        assert [u.parts[0].text for u in first.updates if isinstance(u, MessageTold)] == ["0", "1", "2"]
        assert first.cursor == str(2**40 + 3)
        over = await b.channel.poll(first.cursor)
        assert (over.updates, over.cursor, b.fake.updates) == ((), first.cursor, [])


async def test_a_subscription_says_the_address_the_secret_and_what_is_wanted() -> None:
    async with bot() as b:
        await b.channel.attach(ADDRESS)
        told = b.fake.subscriptions[ADDRESS]
        assert told["secret"] == secret_of(channel_of(""))
        assert {"message_created", "message_removed", "bot_stopped"} <= set(told["update_types"])
        with pytest.raises(ChannelTrouble, match="webhook") as caught:
            await b.channel.poll(None)
        assert caught.value.state is ChannelState.CONFLICT


async def test_a_subscription_that_max_has_dropped_is_made_again_and_one_that_stands_is_left() -> None:
    async with bot() as b:
        await b.channel.attach(ADDRESS)
        await b.channel.attach(ADDRESS)
        assert b.fake.asked_for.count("POST /subscriptions") == 1
        b.fake.subscriptions.clear()  # eight hours without an answer
        await b.channel.attach(ADDRESS)
        assert list(b.fake.subscriptions) == [ADDRESS]


async def test_an_address_with_an_older_secret_is_taken_away_and_another_programs_is_not() -> None:
    elsewhere, older = "https://shop.example/max", "https://gateway.example/channels/c1/older"
    async with bot() as b:
        b.fake.subscriptions = {elsewhere: {}, older: {}}
        await b.channel.attach(ADDRESS)
        assert set(b.fake.subscriptions) == {elsewhere, ADDRESS}
        await b.channel.detach()
        assert set(b.fake.subscriptions) == {elsewhere}


async def test_a_bot_that_is_polled_is_told_by_no_subscription() -> None:
    async with bot(receives="poll") as b:
        b.fake.subscriptions = {"https://shop.example/max": {}, ADDRESS: {}}
        await b.channel.attach("")
        assert b.fake.subscriptions == {}
        assert (await b.channel.poll(None)).updates == ()


async def test_a_bot_says_its_name_and_one_of_another_token_is_a_state() -> None:
    async with bot() as b:
        assert ((await b.channel.state()).state, (await b.channel.state()).words) == ("active", "@office_bot")
        b.fake.token = "new"
        assert (await b.channel.state()).state is ChannelState.UNAUTHORISED
        refused = await b.channel.send(HELLO)
        assert isinstance(refused, MessageRefused)
        assert refused.reason is ChannelReason.BAD_KEY
        file = OutgoingFile(name="a", media_type="text/plain", content=b"x")
        refused = await b.channel.send(OutgoingMessage(key="k", chat_id="7", file=file))
        assert isinstance(refused, MessageRefused)
        assert refused.reason is ChannelReason.BAD_KEY
        with pytest.raises(ChannelTrouble):
            await b.channel.poll(None)


async def test_case_27_a_film_is_brought_in_the_first_size_that_is_small_enough() -> None:
    async with bot() as b:
        b.fake.films = {"f 1/": {"mp4_1080": b"x" * 300, "mp4_720": b"x" * 200, "mp4_360": b"film"}, "f2": {}}
        film = FileTold(id="video:f 1/", media_type="video/mp4")
        assert len((await b.channel.fetch(film, 250)).content) == 200
        fetched = await b.channel.fetch(film, 100)
        assert (fetched.content, fetched.media_type) == (b"film", "video/mp4")
        for file, most, reason in (
            (film, 2, FileReason.TOO_LARGE),
            (FileTold(id="video:f2"), 99, FileReason.GONE),
        ):
            with pytest.raises(FileUnavailable) as caught:
                await b.channel.fetch(file, most)
            assert caught.value.reason is reason
        for file in (FileTold(id="video:gone"), FileTold(id="x")):
            with pytest.raises(SmsError):
                await b.channel.fetch(file, 10)


async def test_the_token_and_what_files_hold_stand_in_no_record_and_in_no_error() -> None:
    async with bot() as b:
        await b.channel.send(HELLO)
        await b.channel.state()
        await b.channel.attach(ADDRESS)
        b.fake.films = {"f1": {"mp4_720": b"of a client"}}
        await b.channel.fetch(FileTold(id="video:f1"), 100)
        file = OutgoingFile(name="a.txt", media_type="text/plain", content=b"of a client")
        await b.channel.send(OutgoingMessage(key="k", chat_id="7", file=file))
        b.fake.faults.append("hang up")
        said = [str(await b.channel.send(HELLO))]
    shown = " ".join([*map(str, b.exchanges), *said, repr(b.channel)])
    assert "/messages" in shown
    for secret in ("hush", "of a client", secret_of(channel_of("")), "of-file"):
        assert secret not in shown, secret


async def test_whoever_does_not_trust_maxs_certificate_is_told_what_is_missing(tmp_path: Any) -> None:
    missing = tmp_path / "none.pem"
    async with serving(FakeMax()) as fake, aiohttp.ClientSession() as session:
        channel = MaxKind(missing).open(session, channel_of(fake.url))
        told = await channel.state()
    assert told.state is ChannelState.WAITING
    assert told.words.startswith(f"CALLMATRIX_MAX_MESSENGER_CA_FILE: {missing}")
