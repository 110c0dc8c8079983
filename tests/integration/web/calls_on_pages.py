"""Calls for tests of the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from gateway.store.calls.calls import save_call
from routing.calls.model import Call, Disposition, Leg, Talk
from routing.calls.pbx_question import LookupOfCall
from routing.client_work.values import CallRow
from tests.integration.api.client import ACCOUNT

CLIENT = "+79161234567"


def a_call(id: str, ago: timedelta, **fields: Any) -> CallRow:
    """answered_by: an extension; 20 s rung, then a minute talked."""
    at = datetime.now(UTC) - ago
    party: str | None = fields.pop("answered_by", None)
    answered = at + timedelta(seconds=20) if party else None
    ended = at + timedelta(seconds=80)
    rung = fields.pop("rung", (party,) if party else ("101",))
    call = Call(
        call_key=id,
        direction=fields.pop("direction", "inbound"),
        client=None,
        line=None,
        started_at=at,
        answered_at=answered,
        ended_at=ended,
        disposition=Disposition.ANSWERED if party else Disposition.NO_ANSWER,
        is_over=True,
        rung=rung,
        talks=(Talk(party=party, started_at=answered, ended_at=ended),) if answered else (),
        legs=fields.pop(
            "legs",
            tuple(
                Leg(
                    party=one,
                    rang_at=at + timedelta(seconds=2),
                    answered_at=answered if one == party else None,
                    left_at=ended,
                )
                for one in rung
            ),
        ),
        talk_seconds=60 if party else 0,
        wait_seconds=20,
        recording=fields.get("recording"),
        recordings=(fields.pop("recording"),) if fields.get("recording") else (),
        params=fields.pop("params", {}),
    )
    base: dict[str, Any] = {
        "client": CLIENT,
        "line": "+74951230000",
        "people": ("anna",) if "101" in rung else (),
        "lookup": LookupOfCall("look", "deal_owner", "time") if party else None,
    }
    return CallRow(
        account_id=ACCOUNT,
        call_id=id,
        connection_id="office",
        call_key=id,
        call=call,
        heard_at=at,
        **{**base, **fields},
    )


async def store(pool: asyncpg.Pool, *rows: CallRow) -> None:
    async with pool.acquire() as conn:
        for row in rows:
            await save_call(conn, row)


async def name_client(pool: asyncpg.Pool, number: str, name: str, id: str = "501") -> None:
    """The CRM has a contact with this number."""
    await pool.execute(
        "INSERT INTO directory_entity (account_id, kind, entity_id, name, owner_id, updated_at)"
        " VALUES ($1, 'contact', $2, $3, '11', now())",
        ACCOUNT,
        id,
        name,
    )
    await pool.execute(
        "INSERT INTO directory_number (account_id, number, kind, entity_id) VALUES ($1, $2, 'contact', $3)",
        ACCOUNT,
        int(number[1:]),
        id,
    )
