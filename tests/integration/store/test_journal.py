"""The journal: each filter, pages in both directions, counts, and calls that were stored before filters were kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from gateway.store.admin import accounts
from gateway.store.calls.calls import save_call
from gateway.store.calls.journal import CallCounts, CallFilter, count_of, every_call, page_of, place_of
from routing.calls.model import Call, Direction, Disposition, Talk
from routing.calls.pbx_question import LookupOfCall
from routing.client import ClientKind
from routing.client_work.values import CallRow
from runtime.database.pool import Conn

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MAIN = "main"


def a_row(id: str, minute: int, **fields: Any) -> CallRow:
    """answered_by: party; people None = stored before it was kept."""
    at = NOON + timedelta(minutes=minute)
    party: str | None = fields.pop("answered_by", None)
    is_over: bool = fields.pop("is_over", True)
    direction: Direction = fields.pop("direction", "inbound")
    account_id: str = fields.pop("account_id", MAIN)
    call = Call(
        call_key=id,
        direction=direction,
        client=None,
        line=None,
        started_at=at,
        answered_at=at if party else None,
        ended_at=at if is_over else None,
        disposition=Disposition.ANSWERED if party else Disposition.NO_ANSWER,
        is_over=is_over,
        rung=fields.pop("rung", ()),
        talks=(Talk(party=party, started_at=at),) if party else (),
    )
    defaults: dict[str, Any] = {"client": "+79161234567", "line": "+74951230000", "people": ()}
    return CallRow(
        account_id=account_id,
        call_id=id,
        connection_id="pbx",
        call_key=id,
        call=call,
        heard_at=at,
        **{**defaults, **fields},
    )


ROWS = (
    a_row("c0", 0, people=("anna",), answered_by="101", client_kind=ClientKind.NEW),
    a_row(
        "c1", 1, people=("anna", "boris"), rung=("101", "102"), lookup=LookupOfCall("d", "deal_owner", "id")
    ),
    a_row("c2", 2, answered_by="999", is_by_unknown=True, line="+74950000001"),
    a_row("c3", 3, direction="outbound", client="+79990001122", people=None, answered_by="101"),
    a_row("c4", 4, client=None, people=None, rung=("101",)),
    a_row("c5", 5, is_over=False, client="+79990001123"),
    a_row("other", 6, account_id="other", people=("anna",)),
)


@pytest.fixture
async def conn(pool: asyncpg.Pool) -> AsyncIterator[Conn]:
    async with pool.acquire() as conn:
        for account_id in (MAIN, "other"):
            await accounts.add_account(
                conn, account_id=account_id, name=account_id, base_url="http://127.0.0.1:1"
            )
        for row in ROWS:
            await save_call(conn, row)
        for key, call_id, state in (("e1", "c0", "done"), ("e2", "c1", "dead"), ("e3", "c2", "waiting")):
            await conn.execute(
                'INSERT INTO effect (account_id, effect_key, decision_id, call_id, client, lane, what, "order", state)'
                " VALUES ($1, $2, 'd', $3, '+79161234567', 1, 'add_note', '{}', $4)",
                MAIN,
                key,
                call_id,
                state,
            )
        yield conn


async def _ids(conn: Conn, **wanted: Any) -> str:
    return " ".join(row.call_id for row in await page_of(conn, MAIN, CallFilter(**wanted)))


async def test_each_filter_finds_its_calls_newest_first(conn: Conn) -> None:
    minute = timedelta(minutes=1)
    found = {
        "all": await _ids(conn),
        "period": await _ids(conn, since=NOON + minute, until=NOON + 3 * minute),
        "clients": await _ids(conn, clients=("+79990001122", "+79990001123")),
        "no client": await _ids(conn, clients=()),
        "end": await _ids(conn, client_end="1122"),
        "line": await _ids(conn, line="+74950000001"),
        "connection": await _ids(conn, connection="another"),
        "person": await _ids(conn, employee="anna", addresses=("101",)),
        "second person": await _ids(conn, employee="boris", addresses=("102",)),
        "person without a phone": await _ids(conn, employee="anna"),
        "direction": await _ids(conn, direction="outbound"),
        "answered": await _ids(conn, result="answered"),
        "unknown": await _ids(conn, result="unknown"),
        "missed": await _ids(conn, result="missed"),
        "not reached": await _ids(conn, result="not_reached"),
        "under way": await _ids(conn, result="under_way"),
        "kind": await _ids(conn, direction="inbound", result="answered", client_kind=ClientKind.NEW),
        "reason": await _ids(conn, reason="deal_owner"),
        "dead": await _ids(conn, writes="dead"),
        "waiting": await _ids(conn, writes="waiting"),
    }
    assert found == {
        "all": "c5 c4 c3 c2 c1 c0",
        "period": "c2 c1",
        "clients": "c5 c3",
        "no client": "",
        "end": "c3",
        "line": "c2",
        "connection": "",
        "person": "c4 c3 c1 c0",
        "second person": "c1",
        "person without a phone": "c1 c0",
        "direction": "c3",
        "answered": "c3 c0",
        "unknown": "c2",
        "missed": "c4 c1",
        "not reached": "",
        "under way": "c5",
        "kind": "c0",
        "reason": "c1",
        "dead": "c1",
        "waiting": "c2",
    }


async def test_pages_meet_in_both_directions_also_where_calls_began_at_once(conn: Conn) -> None:
    for id in ("c2a", "c2b"):
        await save_call(conn, a_row(id, 2))
    every = [row.call_id for row in await page_of(conn, MAIN, CallFilter())]
    first = await page_of(conn, MAIN, CallFilter(), limit=5)
    rest = await page_of(conn, MAIN, CallFilter(), place=place_of(first[-1]))
    assert [row.call_id for row in (*first, *rest)] == every
    back = await page_of(conn, MAIN, CallFilter(), towards="newer", place=place_of(rest[0]))
    assert [row.call_id for row in reversed(back)] == every[:5]


async def test_counts_stop_where_nobody_wants_to_know_more(conn: Conn) -> None:
    assert await count_of(conn, MAIN, CallFilter()) == CallCounts(6, 3, 2, False)
    await save_call(conn, a_row("c6", 6, direction="outbound"))
    assert await count_of(conn, MAIN, CallFilter()) == CallCounts(7, 3, 2, False)  # nobody called us
    assert (await _ids(conn, result="missed"), await _ids(conn, result="not_reached")) == ("c4 c1", "c6")
    few = await count_of(conn, MAIN, CallFilter(), at_most=4)
    assert (few.calls, few.is_more) == (4, True)


async def test_all_of_a_filter_comes_in_portions(conn: Conn, pool: asyncpg.Pool) -> None:
    found = [
        row.call_id async for rows in every_call(pool, MAIN, CallFilter(result="missed")) for row in rows
    ]
    assert found == ["c4", "c1"]


async def test_what_is_kept_for_filters_is_read_again(conn: Conn) -> None:
    [row] = await page_of(conn, MAIN, CallFilter(reason="deal_owner"))
    assert row == ROWS[1]
