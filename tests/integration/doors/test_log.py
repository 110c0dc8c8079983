"""Whatever is asked of a gateway, its log holds no secret and no whole number: ours, the libraries', at every level."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Literal

import pytest

from runtime.vendors.mango_signing import signed_form
from tests.e2e.stack import free_port
from tests.integration.doors.gateway_process import GatewayProcess, gateway_process

SECRET = "S3CRETxMARKED"
NUMBER = "79031119977"
_FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
_BEARER = f"Authorization: Bearer {SECRET}\r\n"
_DEMO = "Authorization: Bearer demo\r\n"


def _request(
    method: str, path: str, head: str = "", body: str = "", version: str = "HTTP/1.1", host: str = "localhost"
) -> bytes:
    length = f"Content-Length: {len(body.encode())}\r\n" if body else ""
    return f"{method} {path} {version}\r\nHost: {host}\r\n{head}{length}\r\n{body}".encode()


MALFORMED = [
    _request("GET", f"/pbx/generic/lookup?token={SECRET}&phone={NUMBER}", version="HTTP/9.9 x"),
    _request("GET", f"/pbx/generic/lookup?token={SECRET}&phone={NUMBER}" + "7" * 9000),
    _request("GET", f"/crm/main/webhooks/{SECRET} {NUMBER}"),
    _request("GET", f"/pbx/generic/lookup?token={SECRET}&phone={NUMBER}\x01"),
    _request("GET", "/pbx/generic/lookup", f"Authorization Bearer {SECRET}\r\nX-Phone {NUMBER}\r\n"),
    _request("GET", "/pbx/generic/lookup", f"Authorization: Bearer {SECRET}\x02{NUMBER}\r\n"),
    _request(
        "POST", "/pbx/generic/events", _DEMO + "Transfer-Encoding: chunked\r\n", f"{SECRET}&from={NUMBER}"
    ),
    _request("POST", f"/pbx/generic/events?token={SECRET}", "Content-Length: x\r\n", NUMBER),
    _request(f"G{SECRET}", f"/{NUMBER}"),
    f"\x16\x03\x01{SECRET}{NUMBER}\r\n\r\n".encode("latin-1"),
    f"{SECRET} {NUMBER}".encode(),
]
ORDINARY = [
    _request("GET", f"/pbx/generic/lookup?token={SECRET}&phone={NUMBER}"),
    _request("GET", f"/pbx/generic/lookup?phone={NUMBER} &name=Иван {SECRET[:0]}", _DEMO),
    _request("GET", f"/pbx/generic/lookup?phone=8 (903) 111-99-77&token={SECRET}"),
    _request("GET", f"/pbx/{SECRET}/lookup?phone={NUMBER}", _BEARER),
    _request("POST", "/pbx/generic/lookup", _DEMO, f'{{"phone": "{NUMBER}", "token": "{SECRET}"'),
    _request("POST", "/pbx/generic/events", _DEMO + _FORM, f"event=newCall&callId=1&from={NUMBER}&at={NUMBER}"),
    _request("POST", "/pbx/generic/events", _DEMO + _FORM, f"event={NUMBER}&callId=2&api_key={SECRET}"),
    _request("POST", "/pbx/generic/events", _DEMO + _FORM, f"event=newCall&from={NUMBER}&password={SECRET}"),
    _request("POST", "/pbx/generic/events", _BEARER + _FORM, f"event=newCall&callId=3&from={NUMBER}"),
    _request("POST", f"/pbx/ringostat/events/before?token={SECRET}", _FORM, f"call_id=1&caller={NUMBER}"),
    _request(
        "POST", "/pbx/mango/events/call", _FORM,
        signed_form("demo", SECRET, {"from": {"number": NUMBER}}).decode(),
    ),
    _request("POST", f"/crm/main/webhooks/{SECRET}", _FORM, f"contacts[add][0][phone]={NUMBER}"),
    _request("GET", f"/crm/oauth?state={SECRET}&code={SECRET}&referer={NUMBER}.amocrm.ru"),
    _request("GET", f"/crm/oauth?state=%00{SECRET}&code={SECRET}"),
    _request("GET", f"/api/v1/lookup?number={NUMBER}", _BEARER),
    _request("PUT", "/api/v1/accounts/demo/settings", "Authorization: Bearer bench\r\nContent-Type: application/json\r\n",
             f'{{"own_numbers": ["{NUMBER}"], "{SECRET}": 1}}'),
    _request("GET", f"/{SECRET}/{NUMBER}?token={SECRET}"),
    _request("GET", "/metrics", _BEARER + f"X-Forwarded-For: {NUMBER}\r\n"),
]  # fmt: skip


@pytest.mark.parametrize("format", ["console", "json"])
async def test_no_secret_and_no_whole_number_reaches_the_log(
    database_url: str, format: Literal["console", "json"]
) -> None:
    agi = free_port()
    async with gateway_process(
        database_url,
        CALLMATRIX_LOG_FORMAT=format,
        CALLMATRIX_LOG_LEVEL="debug",
        CALLMATRIX_FASTAGI_PORT=str(agi),
        PYTHONASYNCIODEBUG="1",
    ) as gateway:
        for message in MALFORMED + ORDINARY:
            await _send(gateway.port, message)
        for path in (
            f"lookup?connection=asterisk&token={SECRET}",
            f"lookup?connection=asterisk&token=demo&x={SECRET}",
        ):
            await _send(
                agi, f"agi_network_script: {path}\nagi_callerid: {NUMBER}\nbroken {NUMBER}\n\n".encode()
            )
        await asyncio.sleep(0.5)
        lines = gateway.log.read_text(errors="replace").splitlines()
        _malformed_is_told(gateway, lines, format)
    said = "\n".join(lines)
    assert SECRET not in said
    assert NUMBER not in said
    assert NUMBER[1:] not in "".join(letter for letter in said if letter not in " ()-+")


def _malformed_is_told(gateway: GatewayProcess, lines: list[str], format: str) -> None:
    """Told, but seldom; as the lines of libraries are, in the form that was asked for."""
    assert sum("http-malformed" in line for line in lines) == 1
    assert not [line for line in lines if "Traceback" in line]
    if format == "json":
        assert all(isinstance(json.loads(line), dict) for line in lines)


async def _send(port: int, message: bytes) -> None:
    """Whatever the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(3):
            writer.write(message)
            await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
            await reader.read()
    writer.close()
