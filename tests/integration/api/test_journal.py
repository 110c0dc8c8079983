"""The journal of the API: the filters of the pages, in both orders, and refusals that name the field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from gateway.store.calls.calls import save_call
from routing.calls.model import Call, Disposition, Leg, Talk
from routing.calls.pbx_question import LookupOfCall
from routing.client_work.values import CallRow
from tests.integration.api.client import ACCOUNT, ANNA, Api

_AGO = datetime.now(UTC) - timedelta(hours=1)


def _row(id: str, minute: int, *, is_answered: bool) -> CallRow:
    at = _AGO + timedelta(minutes=minute)
    call = Call(
        call_key=id,
        direction="inbound",
        client=None,
        line=None,
        started_at=at,
        answered_at=at if is_answered else None,
        ended_at=at,
        disposition=Disposition.ANSWERED if is_answered else Disposition.NO_ANSWER,
        is_over=True,
        talks=(Talk(party="101", started_at=at),) if is_answered else (),
        legs=(Leg(party="101", rang_at=at, answered_at=at if is_answered else None),),
    )
    return CallRow(
        account_id=ACCOUNT,
        call_id=id,
        connection_id="office",
        call_key=id,
        client="+79161234567",
        line="+74951230000",
        call=call,
        heard_at=at,
        people=(ANNA.id,) if is_answered else (),
        lookup=LookupOfCall("d1", "deal_owner", "time"),
    )


async def test_calls_are_found_by_any_filter_and_in_both_orders(api: Api, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        for minute, (id, is_answered) in enumerate((("c1", True), ("c2", False), ("c3", True))):
            await save_call(conn, _row(id, minute, is_answered=is_answered))

    async def ids(**asked: Any) -> str:
        listed = await api.ask("GET", f"/accounts/{ACCOUNT}/calls", **asked)
        return " ".join(item["call_id"] for item in listed["items"])

    assert await ids() == "c1 c2 c3"
    assert await ids(order="newest") == "c3 c2 c1"
    assert await ids(employee=ANNA.id, client="4567", reason="deal_owner", line="8 495 123-00-00") == "c1 c3"
    assert await ids(result="missed", client="8 916 123-45-67") == "c2"
    assert await ids(kind="outbound.missed.new") == ""
    first = await api.ask("GET", f"/accounts/{ACCOUNT}/calls", order="newest", limit=2)
    assert [(i["call_id"], i["lookup"]["joined_by"], len(i["legs"])) for i in first["items"]] == [
        ("c3", "time", 1),
        ("c2", "time", 1),
    ]
    assert await ids(order="newest", after=first["next"]) == "c1"


_NOTHING = {
    "client": "Анна",
    "employee": "nobody",
    "connection": "none",
    "kind": "inbound.new",
    "reason": "because",
    "after": "x",
    "result": "good",
}


async def test_a_filter_that_nothing_can_be_is_named(api: Api) -> None:
    for field, value in _NOTHING.items():
        refused = await api.ask("GET", f"/accounts/{ACCOUNT}/calls", status=400, **{field: value})
        assert refused["field"] == field
