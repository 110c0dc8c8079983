"""A recording is a link that people press in the CRM: whatever else a PBX says there is left out, and the rest is kept."""

from __future__ import annotations

import asyncpg
import pytest

from gateway.pbx.asterisk.final import own_event
from gateway.pbx.asterisk.wire import AmiMessage, odd, parse_block
from tests.integration.pbx.running_gateway import Running, add_connection, prepare, running_gateway
from tests.unit.gateway.pbx.builders import RECEIVED, a_connection

NO_LINKS = (
    "javascript:alert(document.cookie)",
    'https://x/"><script>alert(1)</script>',
    "=HYPERLINK(1)",
    "data:text/html,x",
    "//pbx.example/x.wav",
    "https:///x.wav",
    "https://user:pw@pbx.example/x.wav",
    "https://pbx.example/\nx",
    "https://pbx.example/" + "x" * 2000,
    "ftp://pbx.example/x.wav",
    "https://[::1",
)
LINKS = ("https://pbx.example/a%20b.wav?x=1&y=2#t", "http://10.0.0.5:8000/r/1.mp3")


async def told(pbx: Running, connection: str, links: tuple[str, ...]) -> list[str | None]:
    """What is kept of the recordings of one call each."""
    for n, link in enumerate(links):
        event = {"event": "recording", "callId": f"c-{n}", "recording": link, "from": "79001234567"}
        status, _, body = await pbx.tell(connection, json=event, params={"token": "demo"})
        assert status == 200, body
    return [event.get("recording") for (event,) in (await pbx.stored())[-len(links) :]]


async def test_a_recording_that_is_no_link_costs_itself_only(pool: asyncpg.Pool, database_url: str) -> None:
    await prepare(pool)
    await add_connection(pool, "generic", "generic")
    await add_connection(
        pool, "strict", "generic", settings={"recording_hosts": ["pbx.example", "REC.example"]}
    )
    async with running_gateway(pool, database_url) as pbx:
        assert await told(pbx, "generic", NO_LINKS) == [None] * len(NO_LINKS)
        assert await told(pbx, "generic", LINKS) == list(LINKS)
        assert pbx.gateway.events.spoilt == len(NO_LINKS)
        elsewhere = (
            "https://evil.example/x.wav",
            "https://pbx.example.evil.example/x",
            "https://rec.example/x",
        )
        assert await told(pbx, "strict", elsewhere) == [None, None, "https://rec.example/x"]


@pytest.mark.parametrize(
    ("hosts", "kept"), [((), None), (("pbx.example",), "https://pbx.example/1.wav"), (("x.example",), None)]
)
def test_a_dialplan_names_recordings_at_hosts_that_were_named_only(
    hosts: tuple[str, ...], kept: str | None
) -> None:
    """Where a dialplan does not filter what callers write, a caller's number can hold one."""
    at = RECEIVED
    message = AmiMessage((("Event", "UserEvent"), ("Recording", "https://pbx.example/1.wav")))
    connection = a_connection("asterisk", settings={"recording_hosts": list(hosts)})
    assert own_event(message, "1.1", at, at, connection).recording == kept


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (
            b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: PJSIP/a-1\r\nCallerIDNum: 79031117703",
            "no Uniqueid",
        ),
        (b"Event: EvilEvent\r\nX: EVIL", "no Privilege"),
        (b"ConnectedLineNum: x\r\nUniqueid: 1.1", "no Event"),
        (b"Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: 1.1", None),
        (b"Response: Success\r\nMessage: x", None),
        (b"Event: CoreShowChannel\r\nActionID: channels\r\nUniqueid: 1.1", None),
    ],
)
def test_what_a_line_break_in_a_number_leaves_of_an_event_is_told(block: bytes, why: str | None) -> None:
    assert odd(parse_block(block)) == why
