"""Calls ordered of MANGO: what it is asked, what its answers mean, and that nothing is ever ordered twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest

from gateway.pbx.capabilities import (
    Cancelled,
    CannotTell,
    NotSeen,
    Placed,
    PlaceOrder,
    PlaceResult,
    PlaceUnknown,
    RefusedByPbx,
)
from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from gateway.pbx.mango.originator import MangoOriginator
from tests.fakes.mango import FakeMango, serving
from tests.unit.gateway.pbx.builders import a_connection

ATTEMPT = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ORDER = PlaceOrder(attempt_id=ATTEMPT, extension="101", number="+79161234567", line="+74951230000")
ORIGINATOR = MangoOriginator(seconds=0.3)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def mango() -> AsyncIterator[FakeMango]:
    async with serving(FakeMango()) as mango:
        yield mango


def connection_to(mango: FakeMango) -> Connection:
    keys = {"api_key": mango.api_key, "api_salt": mango.salt}
    return a_connection("mango", keys=keys, settings={"base_url": mango.url})


async def told(session: aiohttp.ClientSession, mango: FakeMango, says: int | str) -> PlaceResult:
    mango.order_says = says
    result = await ORIGINATOR.place(session, connection_to(mango), ORDER)
    assert [path for path, _ in mango.orders] == ["commands/callback"]
    return result


async def test_an_employee_is_rung_by_extension_and_a_group_by_its_number(
    session: aiohttp.ClientSession, mango: FakeMango
) -> None:
    to_group = replace(ORDER, extension=None, group="200")
    for order in (ORDER, replace(ORDER, line=None), to_group):
        assert await ORIGINATOR.place(session, connection_to(mango), order) == Placed()
    line = {"line_number": "74951230000"}
    first = {"command_id": ATTEMPT, "from": {"extension": "101"}, "to_number": "79161234567"}
    group = {"command_id": ATTEMPT, "from": "200", "to": "79161234567"}
    assert mango.orders == [
        ("commands/callback", {**first, **line}),
        ("commands/callback", first),
        ("commands/callback_group", {**group, **line}),
    ]


@pytest.mark.parametrize(
    ("says", "concerns", "code"),
    [
        (2211, "connection", "day-limit"),
        (2220, "limit", "too-many-calls"),
        (2240, "connection", "no-money"),
        (2299, "connection", "billing"),
        (2300, "this_call", "direction-forbidden"),
        (3102, "connection", "pbx-refused"),
        (3103, "this_call", "order-invalid"),
        (3124, "this_call", "line-unfit"),
        (3136, "this_call", "bad-number"),
        (3300, "this_call", "no-such-object"),
        (4001, "connection", "not-supported"),
        (4100, "limit", "call-limit"),
        (4502, "limit", "call-limit"),
        (5008, "limit", "pbx-throttled"),
        (429, "limit", "pbx-throttled"),
        ("throttled", "limit", "pbx-throttled"),
        (401, "connection", "pbx-refused"),
        (404, "connection", "pbx-refused"),
    ],
)
async def test_each_refusal_says_what_else_it_concerns(
    session: aiohttp.ClientSession, mango: FakeMango, says: int | str, concerns: str, code: str
) -> None:
    result = await told(session, mango, says)
    assert isinstance(result, RefusedByPbx)
    assert (result.concerns, result.code) == (concerns, code)
    if isinstance(says, int) and says >= 1000:
        assert KINDS["mango"].order_refused(says) == result
        assert str(says) in result.words


@pytest.mark.parametrize("says", ["silent", "cut", 500, 502, 5000, 5011])
async def test_what_may_have_been_dialled_is_unknown(
    session: aiohttp.ClientSession, mango: FakeMango, says: int | str
) -> None:
    assert isinstance(await told(session, mango, says), PlaceUnknown)


@pytest.mark.parametrize("says", ["taken", 1000, 1090])
async def test_taken_is_all_that_a_good_answer_means(
    session: aiohttp.ClientSession, mango: FakeMango, says: int | str
) -> None:
    assert await told(session, mango, says) == Placed()
    assert KINDS["mango"].order_refused(1000) is None
    assert KINDS["mango"].order_refused(5000) is None


async def test_a_mango_that_is_away_has_rung_nobody(session: aiohttp.ClientSession, mango: FakeMango) -> None:
    away = replace(connection_to(mango), settings={"base_url": "http://127.0.0.1:9/vpbx"})
    result = await ORIGINATOR.place(session, away, ORDER)
    assert isinstance(result, RefusedByPbx)
    assert (result.concerns, mango.orders) == ("link", [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempt_id": "c1"},
        {"number": "79161234567"},
        {"number": '+7916","line_number":"1'},
        {"extension": "101 102"},
        {"extension": None},
        {"group": "200"},
        {"extension": None, "group": "sales"},
        {"extension": None, "group": "200", "line": None},
        {"line": "sip:a\nb"},
    ],
)
async def test_what_is_no_order_is_not_sent(
    session: aiohttp.ClientSession, mango: FakeMango, wrong: dict[str, str | None]
) -> None:
    result = await ORIGINATOR.place(session, connection_to(mango), replace(ORDER, **wrong))  # type: ignore[arg-type]
    assert isinstance(result, RefusedByPbx)
    assert (result.code, result.concerns, mango.orders) == ("order-invalid", "this_call", [])


async def test_a_call_is_hung_up_by_its_newest_leg(session: aiohttp.ClientSession, mango: FakeMango) -> None:
    connection = connection_to(mango)
    assert isinstance(await ORIGINATOR.cancel(session, connection, ATTEMPT), CannotTell)
    assert await ORIGINATOR.cancel(session, connection, ATTEMPT, ["A", "B"]) == Cancelled()
    assert mango.orders == [("commands/call/hangup", {"command_id": f"{ATTEMPT}-hangup", "call_id": "B"})]
    for says, result in ((3310, NotSeen()), (1000, Cancelled())):
        mango.order_says = says
        assert await ORIGINATOR.cancel(session, connection, ATTEMPT, ["B"]) == result
    mango.order_says = 5000
    assert isinstance(await ORIGINATOR.cancel(session, connection, ATTEMPT, ["B"]), CannotTell)


async def test_nobody_can_ask_for_an_id(session: aiohttp.ClientSession, mango: FakeMango) -> None:
    assert isinstance(await ORIGINATOR.find(session, connection_to(mango), ATTEMPT, NOW), CannotTell)


def test_only_a_connection_with_key_and_salt_places_calls() -> None:
    able = a_connection("mango", keys={"api_key": "key", "api_salt": "salt"})
    unable = replace(able, keys={"api_key": "key"})
    assert [KINDS["mango"].originator(one) is not None for one in (able, unable)] == [True, False]
