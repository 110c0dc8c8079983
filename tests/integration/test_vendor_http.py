"""One request to a vendor over a real socket: what is known of it when no answer comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from runtime.exchange import Exchange
from runtime.vendors.http import HttpAnswer, Question, VendorSilent, ask

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[str]:
    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/send"
    finally:
        listening.close()


async def asked(url: str, records: list[Exchange], *, seconds: float = 5.0) -> HttpAnswer:
    question = Question(
        method="POST",
        url=url,
        headers={},
        body=b"api_id=hush",
        shown=b'{"to": "79161234567"}',
        lane="sms",
        seconds=seconds,
    )
    async with aiohttp.ClientSession() as session:
        return await ask(session, question, lambda answer: None, records.append)


async def test_a_port_where_nobody_listens_was_sent_nothing() -> None:
    async with server(_hang) as url:
        closed = url
    records: list[Exchange] = []
    with pytest.raises(VendorSilent) as caught:
        await asked(closed, records)
    assert not caught.value.was_sent
    assert records[0].status is None
    assert records[0].error


async def test_an_answer_that_is_no_http_is_told_without_the_address() -> None:
    """A secret may stand in it: that of a bot is a part of the path."""

    async def rave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HELLO\r\n\r\n")
        writer.close()

    async with server(rave) as url:
        with pytest.raises(VendorSilent) as caught:
            await asked(f"{url}/bothush/getMe", [])
    assert "hush" not in str(caught.value)


async def test_the_record_shows_the_address_that_it_may() -> None:
    async with server(_hang_up) as url, aiohttp.ClientSession() as session:
        question = Question(method="GET", url=f"{url}/bothush", shown_url=f"{url}/bot***", headers={})
        kept: list[Exchange] = []
        with pytest.raises(VendorSilent):
            await ask(session, question, lambda answer: None, kept.append)
    assert kept[0].target == "/send/bot***"


async def test_a_name_that_is_none_was_sent_nothing() -> None:
    with pytest.raises(VendorSilent) as caught:
        await asked("http://name.invalid/send", [])
    assert not caught.value.was_sent


@pytest.mark.parametrize("talk", [pytest.param(lambda r, w: _hang_up(r, w), id="hangs up"), pytest.param(lambda r, w: _hang(r, w), id="hangs")])  # fmt: skip
async def test_a_request_that_was_written_and_not_answered_may_have_been_read(talk: Talk) -> None:
    async with server(talk) as url:
        with pytest.raises(VendorSilent) as caught:
            await asked(url, [], seconds=0.5)
    assert caught.value.was_sent


async def test_an_answer_of_any_status_comes_back_whole_and_the_record_hides_what_nobody_may_read() -> None:
    records: list[Exchange] = []
    async with server(_busy) as url:
        answer = await asked(url, records)
    assert (answer.status, answer.body, answer.retry_after) == (503, b'{"phone": 79161234567}', 7.0)
    assert "hush" not in repr(records)
    assert "9161234567" not in repr(records)
    assert records[0].status == 503


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(2)
    writer.close()


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def _busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    body = b'{"phone": 79161234567}'
    head = f"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    writer.close()
