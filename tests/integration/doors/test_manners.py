"""What the HTTP door says to requests that are not as they should be, over raw sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from tests.integration.pbx.running_gateway import Running, add_connection, prepare, running_gateway


@dataclass
class Said:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        assert self.headers["content-type"] == "application/problem+json", self.headers
        return str(json.loads(self.body)["code"])


@pytest.fixture
async def pbx(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Running]:
    await prepare(pool)
    await add_connection(pool, "generic", "generic")
    await add_connection(pool, "mango", "mango", keys={"api_key": "demo", "api_salt": "demo"})
    async with running_gateway(pool, database_url) as running:
        yield running


def _port(pbx: Running) -> int:
    return int(pbx.url.rsplit(":", 1)[1])


async def _answer(reader: asyncio.StreamReader) -> Said:
    async with asyncio.timeout(15):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Said(int(first.split()[1]), headers, body)


async def _say(pbx: Running, message: bytes) -> Said:
    reader, writer = await asyncio.open_connection("127.0.0.1", _port(pbx))
    try:
        writer.write(message)
        return await _answer(reader)
    finally:
        writer.close()


def _lookup(address: str, head: str = "Authorization: Bearer demo\r\n") -> bytes:
    return f"GET /pbx/generic/lookup{address} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode()


@pytest.mark.parametrize(
    "address",
    [
        "?phone=7900 1234567",
        "?phone=79001234567&name=Иван Петров",
        "?phone=+7 (900) 123-45-67",
        "?name=\u00a0Ñandú&phone=79001234567",
    ],
)
async def test_a_pbx_that_writes_spaces_and_letters_as_they_are_is_answered(
    pbx: Running, address: str
) -> None:
    said = await _say(pbx, _lookup(address))
    assert (said.status, json.loads(said.body)["caller"]) == (200, "+79001234567")
    assert pbx.gateway.door._mended.total == 1


async def test_a_mended_line_stays_one_request(pbx: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", _port(pbx))
    sneaky = "?phone=79001234567&x= HTTP/1.1 Host: y GET /pbx/generic/events"
    writer.write(_lookup(sneaky) + _lookup("?phone=79007654321"))
    callers = [json.loads((await _answer(reader)).body)["caller"] for _ in range(2)]
    assert callers == ["+79001234567", "+79007654321"]
    writer.close()


@pytest.mark.parametrize(
    "message",
    [
        b"GET /pbx/generic/lookup?token=S3CRET&phone=79001234567 HTTP/9.9 x\r\n\r\n",
        b"GET /pbx/generic/lookup HTTP/1.1\r\nHost: x\r\nAuthorization Bearer S3CRET\r\n\r\n",
        b"GET /pbx/generic/lookup?token=S3CRET" + b"7" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /pbx/generic/lookup HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer S3CRET\x01\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03S3CRET\r\n\r\n",
        b"POST /pbx/generic/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nS3CRET",
    ],
)
async def test_what_is_no_http_is_refused_in_our_form_and_quoted_nowhere(
    pbx: Running, message: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", _port(pbx))
    writer.write(message)
    said = await _answer(reader)
    writer.close()
    assert (said.status, said.code) == (400, "http-malformed")
    assert await reader.read() == b"", "the connection ends with it"
    out = "".join(capfd.readouterr())
    assert all(b"S3CRET" not in text for text in (said.body, out.encode()))
    assert pbx.gateway.door.malformed.total == 1


async def test_a_head_that_grows_and_grows_is_cut_off(pbx: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", _port(pbx))
    lines = b"".join(b"X-%d: " % number + b"a" * 1000 + b"\r\n" for number in range(8))
    for part in (b"GET / HTTP/1.1\r\nHost: x\r\n", lines, lines):
        writer.write(part)
        await asyncio.sleep(0.05)
    writer.write(b"X-Last: " + b"a" * 1000)
    assert (said := await _answer(reader)).status == 431
    assert said.code == "head-too-large"
    writer.close()


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404, "no-such-path"),
        (b"PUT /pbx/generic/events HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method-not-allowed"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n", 417, "expectation-unknown"),
        (
            b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n",
            415,
            "compressed",
        ),
        (
            b"POST /pbx/generic/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo\r\nContent-Encoding: br\r\n"
            b"Content-Length: 9\r\n\r\n",
            415,
            "compressed",
        ),
        (
            b"POST /pbx/generic/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"a" * 65536 + b"\r\n") * 5,
            413,
            "too-large",
        ),
        (
            b"POST /pbx/generic/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo\r\n"
            b"Content-Length: 262145\r\n\r\n",
            413,
            "too-large",
        ),
        (
            b"POST /pbx/generic/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
            400,
            "http-malformed",
        ),
        (
            b"POST /pbx/generic/events HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n",
            401,
            "unauthorised",
        ),
        (
            b"POST /crm/main/webhooks/wrong HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n",
            404,
            "no-such-webhook",
        ),
        (
            b"POST /pbx/mango/events/call HTTP/1.1\r\nHost: x\r\nContent-Length: 262145\r\n\r\n",
            413,
            "too-large",
        ),
        (b"GET /crm/oauth?state=1 HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "foreign-host"),
        (
            b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Real-IP: 203.0.113.9\r\n\r\n",
            403,
            "metrics-closed",
        ),
    ],
)
async def test_every_refusal_is_a_problem_and_comes_before_the_body_is_sent(
    pbx: Running, message: bytes, status: int, code: str
) -> None:
    said = await _say(pbx, message)
    assert (said.status, said.code) == (status, code)
    if status != 400 and (b"Content-Length" in message or b"chunked" in message):
        assert said.headers["connection"] == "close"


async def test_every_answer_carries_the_headers_of_a_careful_server(pbx: Running) -> None:
    for message in (
        _lookup("?phone=79001234567"),
        _lookup("", head=""),
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/v1/tokens HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /crm/oauth?error=denied HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):
        said = await _say(pbx, message)
        assert said.headers["server"] == "callmatrix"
        assert said.headers["x-content-type-options"] == "nosniff"
        assert said.headers["referrer-policy"] == "no-referrer"
        assert said.headers["cache-control"] == "no-store"
        if said.headers["content-type"].startswith("text/html"):
            assert "default-src 'none'" in said.headers["content-security-policy"]


async def test_a_pbx_keeps_its_connection_and_asks_many_times(pbx: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", _port(pbx))
    for pause in (0, 0, 6.5, 0):  # longer than a stranger's silence
        await asyncio.sleep(pause)
        writer.write(_lookup("?phone=79001234567"))
        assert (await _answer(reader)).status == 200
    writer.close()


async def test_a_head_that_drips_is_cut_off_on_a_known_connection_too(pbx: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", _port(pbx))
    writer.write(_lookup("?phone=79001234567"))
    assert (await _answer(reader)).status == 200
    for letter in _lookup("?phone=79001234567")[:16]:
        writer.write(bytes([letter]))
        await asyncio.sleep(0.5)
        if reader.at_eof():
            break
    assert reader.at_eof()
    writer.close()


async def test_a_body_that_drips_is_refused_and_nothing_of_it_is_kept(pbx: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", _port(pbx))
    writer.write(
        b"POST /pbx/generic/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo\r\nContent-Length: 90\r\n\r\n{"
    )
    said = await _answer(reader)
    assert (said.status, said.code) == (408, "body-late")
    assert await pbx.stored() == []
    writer.close()


async def test_a_body_that_breaks_off_is_no_failure_of_ours(
    pbx: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    for address in ("/pbx/generic/events", "/pbx/mango/events/call", "/pbx/generic/lookup", "/nowhere"):
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", _port(pbx))
            writer.write(
                f"POST {address} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo\r\nContent-Length: 90\r\n\r\n{{".encode()
            )
            await writer.drain()
            await asyncio.sleep(0.005)
            writer.transport.abort()
    assert (await pbx.ask("generic", headers={"Authorization": "Bearer demo"}))[0] == 200
    out = "".join(capfd.readouterr())
    assert "Traceback" not in out
    assert len(out.splitlines()) < 10


async def test_a_body_that_is_framed_wrongly_further_on_is_refused(pbx: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", _port(pbx))
    writer.write(
        b"POST /pbx/generic/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
    )
    await asyncio.sleep(0.1)
    writer.write(b"nonsense\r\n")
    assert (await _answer(reader)).code == "body-broken"
    assert await pbx.stored() == []
    writer.close()


@pytest.mark.parametrize("address", ["/pbx/nobody/lookup", "/pbx/generic/events", "/nowhere"])
async def test_a_body_that_nobody_reads_and_that_is_framed_wrongly_is_counted_and_fills_no_log(
    pbx: Running, capfd: pytest.CaptureFixture[str], address: str
) -> None:
    """Whoever guesses is answered a little later: the nonsense comes while that answer is held up."""
    head = f"POST {address} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    lines = [await asyncio.open_connection("127.0.0.1", _port(pbx)) for _ in range(40)]
    for _, writer in lines:
        writer.write(head)
    await asyncio.sleep(0.02)
    for _, writer in lines:
        writer.write(b"zz\r\n\r\n")
    for reader, writer in lines:
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()
    out = "".join(capfd.readouterr())
    assert "Traceback" not in out
    assert "Unhandled" not in out
    assert len(out.splitlines()) < 10
    assert bool(pbx.gateway.door.malformed.total) == address.startswith("/pbx/")
