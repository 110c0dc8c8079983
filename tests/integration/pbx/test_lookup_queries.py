"""Whatever stands behind the question mark, the short way of the lookup endpoint answers as the long one does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from gateway.store.admin import accounts
from tests.integration.pbx.running_gateway import (
    ACCOUNT,
    LINE,
    Running,
    add_connection,
    prepare,
    running_gateway,
)

KNOWN = "79001234567"  # of 101
OTHER = "79990000000"
WARM = "Bearer demo"  # recognised before: the short way
COLD = "bearer demo"  # read anew each time, since only the usual spelling is remembered
PLAIN = ("generic", "mango", "asterisk", "ringostat")

NAMES = st.sampled_from(
    [
        "phone",
        "from",
        "caller",
        "number",
        "did",
        "to",
        "call_id",
        "uniqueid",
        "format",
        "token",
        "x",
        "%70hone",
        "",
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [
            KNOWN,
            f"+{KNOWN}",
            f"%2B{KNOWN}",
            f"%2b{KNOWN}",
            f"%20{KNOWN}",
            f"++{KNOWN}",
            "8+(900)+123-45-67",
            OTHER,
        ]
    ),
    st.sampled_from(
        ["", "+", "%", "%zz", "%D0", "%00", "anonymous", "text", "JSON", "xml", "sipgate", "text+", "demo"]
    ),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FF), max_size=6),
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=5).map(
    lambda ps: "&".join(f"{n}={v}" for n, v in ps).encode()
)
NOISE = st.binary(max_size=24).map(lambda raw: bytes(b for b in raw if b > 0x20 and b != 0x7F))


@pytest.fixture
async def admin(pool: asyncpg.Pool) -> dict[str, str]:
    async with pool.acquire() as conn:
        token = await accounts.add_api_token(conn, name="admin", role="admin")
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def pbx(pool: asyncpg.Pool, database_url: str, admin: dict[str, str]) -> AsyncIterator[Running]:
    await prepare(pool)
    for kind in PLAIN:
        await add_connection(pool, kind, kind)
    async with running_gateway(pool, database_url) as running:
        yield running


async def asked(
    pbx: Running, name: str, query: bytes, authorization: str, body: bytes = b""
) -> tuple[bytes, Any]:
    """Status with headers that count, and the answer without what differs between any two; sent byte for byte."""
    port = int(pbx.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = f" HTTP/1.1\r\nHost: pbx\r\nConnection: close\r\nAuthorization: {authorization}\r\n{length}\r\n"
    writer.write(f"GET /pbx/{name}/lookup?".encode() + query + head.encode() + body)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    headers, _, content = answer.partition(b"\r\n\r\n")
    lines = [line for line in headers.split(b"\r\n") if line.startswith((b"HTTP/", b"Content-Type"))]
    if b"application/json" not in headers:
        return b"\n".join(lines), content
    told = json.loads(content)
    return b"\n".join(lines), {k: v for k, v in told.items() if k not in ("decision_id", "directory_age_ms")}


@given(query=st.one_of(PAIRS, PAIRS, NOISE), name=st.sampled_from(PLAIN))
@example(query=f"from={KNOWN}".encode(), name="generic")
@example(query=f"phone={KNOWN}&phone={OTHER}".encode(), name="generic")
@example(query=f"phone={OTHER}&phone={KNOWN}".encode(), name="generic")
@example(query=f"%70hone={KNOWN}".encode(), name="generic")
@example(query=f"phone={KNOWN}&format=TEXT".encode(), name="generic")
@example(query=f"phone={KNOWN}#&phone={OTHER}".encode(), name="generic")
@example(query=b"phone=\xff\xfe7900", name="generic")
@settings(
    max_examples=150,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_a_question_is_answered_alike_the_first_time_and_ever_after(
    pbx: Running, query: bytes, name: str
) -> None:
    cold = await asked(pbx, name, query, COLD)
    assert await asked(pbx, name, query, WARM) == cold
    assert await asked(pbx, name, query, WARM) == cold


@pytest.mark.parametrize(
    ("query", "caller"),
    [
        (f"from={KNOWN}", f"+{KNOWN}"),
        (f"phone=+{KNOWN}", f"+{KNOWN}"),
        (f"phone={OTHER}&phone={KNOWN}", f"+{KNOWN}"),
        (f"phone={KNOWN}&phone=", f"+{KNOWN}"),
        (f"phone={KNOWN}&phone=+", f"+{KNOWN}"),
        (f"phone=&phone={KNOWN}&phone=%20", f"+{KNOWN}"),
        (f"caller={OTHER}&phone={KNOWN}", f"+{KNOWN}"),
        (f"phone=&from={KNOWN}", f"+{KNOWN}"),
        ("phone=%zz", None),
    ],
    ids=[
        "another name",
        "a plus as a space",
        "the last of two",
        "a blank one hides nothing",
        "a space hides nothing",
        "blank before and after",
        "the name that we prefer",
        "empty",
        "broken",
    ],
)
async def test_one_rule_says_which_number_is_meant(pbx: Running, query: str, caller: str | None) -> None:
    for authorization in (COLD, WARM, WARM):
        _, answer = await asked(pbx, "generic", query.encode(), authorization)
        assert answer["caller"] == caller


async def test_a_question_in_the_body_of_a_get_counts_the_second_time_too(pbx: Running) -> None:
    for authorization in (COLD, WARM, WARM):
        _, answer = await asked(
            pbx, "generic", f"phone={OTHER}".encode(), authorization, f"phone={KNOWN}".encode()
        )
        assert answer["caller"] == f"+{KNOWN}"


@pytest.mark.parametrize("name", ["phone", "did", "call_id"])
async def test_the_decision_on_a_question_with_a_nul_is_kept_as_any_other(pbx: Running, name: str) -> None:
    head, told = await asked(pbx, "generic", f"{name}=%00".encode(), WARM)
    assert head.startswith(b"HTTP/1.1 200")
    assert told["outcome"] == "scheme"
    assert len(await pbx.until("SELECT 1 FROM decision WHERE kind = 'lookup'")) == 1


@pytest.mark.parametrize("phone", [KNOWN, OTHER, LINE, "101", "", "anonymous"])
@pytest.mark.parametrize("is_loaded", [True, False], ids=["loaded", "still loading"])
async def test_who_tries_a_number_is_told_what_the_phone_would_be_told(
    pbx: Running, admin: dict[str, str], phone: str, is_loaded: bool
) -> None:
    directory = pbx.gateway.feed.get(ACCOUNT)
    assert directory is not None
    query = urlencode({"phone": phone, "did": LINE})
    url = f"{pbx.url}/api/v1/lookup?{query}&connection=generic"
    for _ in range(50):  # the feed may find it complete in between
        directory.is_complete = is_loaded
        _, rung = await asked(pbx, "generic", query.encode(), WARM)
        async with pbx.http.get(url, headers=admin) as response:
            assert response.status == 200
            tried = await response.json()
        if directory.is_complete is is_loaded:
            break
    assert {name: tried[name] for name in rung} == rung
    assert tried["steps"][-1]["message"]
