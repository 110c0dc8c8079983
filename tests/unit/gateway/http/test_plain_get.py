"""What is read without the library's parser is read as that parser reads it, or not at all."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.plain_get import MAX_BYTES, authorization_of, parted

PLAIN = (
    b"GET /pbx/generic/lookup?phone=%2B79001234567 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo\r\n\r\n"
)


def _read(data: bytes) -> tuple[str, str] | None:
    """Address and Authorization."""
    request = parted(data)
    if request is None:
        return None
    authorization = authorization_of(request[1])
    return None if authorization is None else (request[0], authorization)


def _read_by_library(data: bytes) -> list[RawRequestMessage]:
    loop = asyncio.new_event_loop()
    try:
        parser = HttpRequestParser(BaseProtocol(loop), loop, 2**16, max_line_size=8190, max_field_size=8190)
        messages, upgraded, tail = parser.feed_data(data)
        assert not upgraded
        assert not tail
        return [message for message, _ in messages]
    finally:
        loop.close()


def test_a_plain_question_is_read() -> None:
    assert _read(PLAIN) == ("/pbx/generic/lookup?phone=%2B79001234567", "Bearer demo")
    kept = PLAIN.replace(b"Host: x", b"host:x\r\nUser-Agent: Asterisk PBX/22\r\nConnection: Keep-Alive")
    assert _read(kept) == _read(PLAIN)


@pytest.mark.parametrize(
    ("of", "instead"),
    [
        (b"GET ", b"POST "),
        (b"GET ", b"HEAD "),
        (b"GET ", b"get "),
        (b"GET /", b"GET http://x/"),
        (b"GET ", b"\r\nGET "),
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"HTTP/1.1", b"HTTP/2.0"),
        (b" HTTP/1.1", b""),
        (b" HTTP/1.1", b"  HTTP/1.1"),
        (b"?phone", b"? phone"),
        (b"?phone", b"?\x00phone"),
        (b"?phone", b"?\tphone"),
        (b"?phone", b"?\x7fphone"),
        (b"?phone", "?имя=".encode()),
        (b"?phone", b"?\nphone"),
        (b"Host: x\r\n", b""),
        (b"Host: x", b"Host:"),
        (b"Host: x", b"Host: x\r\nHost: y"),
        (b"Host: x", b"Host : x"),
        (b"Host: x", b" Host: x"),
        (b"Host: x", b"Host: x\r\n folded"),
        (b"Host: x", b"Host: x\n"),
        (b"Host: x", b"Host: x\rX: y"),
        (b"Host: x", b"Host: \xff"),
        (b"Host: x", b"Host: x\x00"),
        (b"Host: x", b"Host x"),
        (b"Host: x", b"Host: x\r\nContent-Length: 3"),
        (b"Host: x", b"Host: x\r\nContent-Length: 0"),
        (b"Host: x", b"Host: x\r\nTransfer-Encoding: chunked"),
        (b"Host: x", b"Host: x\r\ncOnTent-EncOding: gzip"),
        (b"Host: x", b"Host: x\r\nExpect: 100-continue"),
        (b"Host: x", b"Host: x\r\nUpgrade: websocket"),
        (b"Host: x", b"Host: x\r\nConnection: close"),
        (b"Host: x", b"Host: x\r\nConnection: keep-alive, Upgrade"),
        (b"Authorization: Bearer demo\r\n", b""),
        (b"Authorization", b"Authorization: Bearer other\r\nAuthorization"),
        (b"demo\r\n\r\n", b"demo\r\n"),
        (b"demo\r\n\r\n", b"demo\r\n\r\n\r\n"),
        (b"demo\r\n\r\n", b"demo\r\n\r\nG"),
        (b"demo\r\n\r\n", b"demo\r\n\r\n" + PLAIN),
        (b"demo\r\n\r\n", b"demo\n\n"),
        (b"x\r\n", b"x\r\nX: " + b"7" * MAX_BYTES + b"\r\n"),
    ],
)
def test_whatever_is_not_certainly_plain_is_left_to_the_library(of: bytes, instead: bytes) -> None:
    assert of in PLAIN
    assert _read(PLAIN.replace(of, instead, 1)) is None


_PIECES = st.sampled_from(
    [
        *(PLAIN[i : i + 1] for i in range(0, len(PLAIN), 7)),
        *(b"\r\n", b"\r", b"\n", b" ", b"\t", b":", b"\x00", b"\xd0\x98", b"\x7f", b"#", b"?", b"%", b'"'),
        *(
            b"X-A: b\r\n",
            b"Connection: close\r\n",
            b"Content-Length: 1\r\n",
            b"X:\r\n",
            b"\r\n\r\n",
            b" HTTP/1.1",
        ),
    ]
)


@given(st.lists(st.tuples(st.integers(0, len(PLAIN)), st.integers(0, 3), _PIECES), max_size=4))
def test_what_is_read_is_what_the_library_reads(edits: list[tuple[int, int, bytes]]) -> None:
    data = PLAIN
    for place, removed, piece in edits:
        data = data[:place] + piece + data[place + removed :]
    ours = _read(data)
    if ours is None:
        return
    try:
        messages = _read_by_library(data)
    except HttpProcessingError as err:
        raise AssertionError(f"the library refuses {data!r}") from err
    assert len(messages) == 1
    message = messages[0]
    assert (message.method, message.path, message.headers["Authorization"]) == ("GET", *ours)
    assert not message.should_close
    assert not message.chunked
    assert message.compression is None
