"""Asterisk's Master.csv tells of calls that passed while nobody listened, and of no others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.pbx.asterisk.cdr_csv import CdrCsv
from gateway.pbx.call_log import PbxUnreachable
from gateway.pbx.port import Parsed
from gateway.store.admin import accounts
from routing.calls.model import CallEvent, EventKind
from tests.integration.pbx.site import ACCOUNT, LINE, NOON, Site


def _line(
    unique: str,
    at: datetime,
    *,
    source: str = "79161234567",
    talk: int = 0,
    disposition: str = "NO ANSWER",
) -> str:
    begun, answered = f"{at:%Y-%m-%d %H:%M:%S}", f"{at + timedelta(seconds=5):%Y-%m-%d %H:%M:%S}"
    ended = f"{at + timedelta(seconds=20 + talk):%Y-%m-%d %H:%M:%S}"
    values = ["", source, LINE, "from-trunk", f'""A"" <{source}>', "PJSIP/trunk-0001", "PJSIP/101-0002", "Dial",
              "PJSIP/101,20", begun, answered if talk else "", ended, str(20 + talk), str(talk), disposition,
              "DOCUMENTATION", unique, ""]  # fmt: skip
    return ",".join(f'"{value}"' for value in values)


@pytest.fixture
async def file(site: Site, tmp_path: Path) -> Path:
    path = tmp_path / "Master.csv"
    async with site.pool.acquire() as conn:
        await accounts.add_connection(
            conn,
            account_id=ACCOUNT,
            name="asterisk",
            kind="asterisk",
            secret="demo",
            lines=(LINE,),
            settings={"cdr_csv": str(path)},
        )
        await conn.execute("UPDATE connection SET created_at = $1", NOON - timedelta(days=30))
    await site.configuration.reload()
    return path


async def _heard(site: Site, call_key: str, at: datetime, legs: Iterable[str]) -> None:
    """What the AMI listener told of a call while it listened."""
    connection = site.configuration.now.connections["asterisk"]
    events = tuple(
        CallEvent(
            kind=EventKind.STARTED,
            call_key=call_key,
            at=at,
            leg=leg,
            direction="inbound",
            client="79161234567",
        )
        for leg in legs
    )
    parsed = Parsed(canonical=call_key, events=events)
    await site.inbox.accept(connection, parsed, b"", at, site.configuration.now.policies["asterisk"])


async def test_calls_that_nobody_heard_of_are_imported_and_others_are_not(site: Site, file: Path) -> None:
    at = NOON - timedelta(minutes=40)
    await _heard(site, "100.1", at, ["100.1", "100.2"])
    later = at + timedelta(minutes=10)
    lines = [
        _line("100.1", at, talk=30, disposition="ANSWERED"),
        _line(
            "100.2", at, talk=30, disposition="ANSWERED"
        ),  # the leg of a transfer: another id, the same call
        _line("200.1", later, source="79160000001", talk=60, disposition="ANSWERED"),
    ]
    file.write_text("\n".join(lines) + "\n")
    await site.settle(0)
    swept = await site.sweep("asterisk")
    assert (swept.compared, swept.missing, swept.same_time, swept.imported) == (3, 1, 1, 1)
    await site.settle()
    calls = {r["call_key"]: r for r in await site.rows("SELECT * FROM call")}
    assert set(calls) == {"100.1", "200.1"}
    assert (calls["200.1"]["disposition"], calls["200.1"]["client"]) == ("answered", "+79160000001")
    assert (await site.sweep("asterisk")).imported == 0


async def test_a_long_file_is_read_from_its_end_only(site: Site, file: Path) -> None:
    old = [_line(f"1.{n}", NOON - timedelta(days=40) + timedelta(seconds=n)) for n in range(3000)]
    new = [_line(f"2.{n}", NOON - timedelta(hours=5) + timedelta(minutes=n)) for n in range(200)]
    broken = ["this is no CDR", '"unfinished']
    file.write_text("\n".join([*old, *new[:100], *broken, *new[100:]]) + "\n")
    log = CdrCsv(site.configuration.now.connections["asterisk"])
    (piece,) = [p async for p in log.read(NOON - timedelta(days=3), NOON)]
    assert [c.call_key for c in piece.calls] == [f"2.{n}" for n in range(200)]
    assert len(piece.refused) == 2


async def test_a_file_that_is_not_there_is_an_error_that_says_so(site: Site, file: Path) -> None:
    log = CdrCsv(site.configuration.now.connections["asterisk"])
    with pytest.raises(PbxUnreachable, match=r"Master\.csv"):
        [p async for p in log.read(NOON - timedelta(days=3), NOON)]
    swept = await site.sweep("asterisk")
    assert swept.error is not None
    assert swept.imported == 0
