"""Topics of a campaign's call, asked of MANGO's contact centre for an hour: one deal, one note, with what was said last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg

from gateway.campaigns.topics import Topics
from gateway.configuration import read_snapshot
from gateway.pbx.kinds import KINDS
from gateway.store.admin import accounts
from gateway.store.calls.calls import save_call
from routing.calls.model import Call, Disposition, Talk
from routing.client_work.values import CallRow
from tests.fakes.mango import FakeMango, serving
from tests.integration.campaigns.scene import Scene
from tests.integration.triggers.office import ACCOUNT

A = "+79160000001"
RULES = {
    "is_on": True,
    "deal_there": {"pipeline_id": "1", "stage_id": "30"},
    "no_deal": {"pipeline_id": "1", "stage_id": "20"},
}


def answer(*tags: int, comment: Any = None) -> dict[str, Any]:
    return {"result": 1000, "call": {"tag_id": list(tags), "call_comment": comment}}


async def test_56_topics_that_change_give_one_deal_and_one_note(pool: asyncpg.Pool) -> None:
    scene = Scene(pool)
    await scene.open(topics=RULES)
    async with serving(FakeMango()) as mango, aiohttp.ClientSession() as session:
        async with pool.acquire() as conn:
            await accounts.add_connection(
                conn, account_id=ACCOUNT, name="mango", kind="mango", secret="s", lines=(),
                keys={"api_key": "demo", "api_salt": "demo"}, settings={"base_url": mango.url},
            )  # fmt: skip
            await accounts.set_account_state(conn, ACCOUNT, "on")
        await scene.add(A)
        await called(pool)
        mango.topics["e1"] = [
            {"result": 3300}, answer(), answer(5), answer(5, 6, comment="a"), answer(6, comment=["b", "c"]),
        ]  # fmt: skip
        snapshot = await read_snapshot(pool)
        topics = Topics(pool, session, lambda: snapshot, KINDS)
        orders = []
        for ago in (5, 6, 10, 20, 35, 61):  # minutes since it began
            await pool.execute(
                "UPDATE campaign_topic SET next_ask_at = now(), started_at = now() - $1::interval,"
                " ended_at = now() - $1::interval + interval '4 minutes'",
                timedelta(minutes=ago),
            )
            await topics.look()
            orders.append(await pool.fetchval("SELECT count(*) FROM effect"))
        assert orders == [0, 0, 2, 2, 2, 3]
        await topics.look()
    rows = await pool.fetch('SELECT what, "order" FROM effect ORDER BY created_at, effect_key')
    assert [row["what"] for row in rows] == ["create_contact", "create_deal", "add_note"]
    assert rows[1]["order"]["stage_id"] == "20"
    assert rows[2]["order"]["text"] == "Темы: Срок\nКомментарий: b\nc"
    topic = await pool.fetchrow("SELECT * FROM campaign_topic")
    assert topic is not None
    assert (topic["asks"], topic["next_ask_at"], topic["topics"]) == (6, None, ["Срок"])


async def called(pool: asyncpg.Pool) -> None:
    """An attempt of the member was a call of MANGO that is over."""
    await pool.execute(
        "INSERT INTO outbound_attempt (account_id, attempt_id, item_id, kind, client, connection, claimed_at, look_at, state,"
        " side, reason, over_at, placed_at, employee_id) SELECT account_id, 'a1', item_id, 'campaign', client, 'mango', now(),"
        " now(), 'over', 'talked', 'talked', now(), now(), 'anna' FROM outbound_item"
    )
    now = datetime.now(UTC)
    began = now - timedelta(minutes=5)
    talk = Talk(party="101", started_at=began, ended_at=now)
    call = Call(
        call_key="e1", direction="outbound", client=A, line=None, started_at=began, answered_at=began,
        ended_at=now, disposition=Disposition.ANSWERED, is_over=True, talks=(talk,), talk_seconds=60, attempt="a1",
    )  # fmt: skip
    row = CallRow(
        account_id=ACCOUNT, call_id="c1", connection_id="mango", call_key="e1", client=A, line=None, call=call, heard_at=now
    )  # fmt: skip
    async with pool.acquire() as conn:
        await save_call(conn, row)
