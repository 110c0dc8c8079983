"""Which campaign a call belongs to, and what is known of who calls while it runs."""

from __future__ import annotations

import asyncpg

from gateway.lookup.campaign_callers import CampaignCallers
from gateway.store.campaigns.members import running_of
from gateway.store.campaigns.of_call import campaign_of_call
from tests.integration.campaigns.scene import Scene
from tests.integration.triggers.office import ACCOUNT

A, B, C = "+79160000001", "+79160000002", "+4420000001"


async def test_a_call_is_of_the_campaign_that_ordered_it_or_whose_client_calls_while_it_runs(
    pool: asyncpg.Pool,
) -> None:
    scene = Scene(pool)
    await scene.open(leaves_traces=False, contact_fields={"campaign": "501", "client_id": "503"})
    await scene.add(A)
    await pool.execute("UPDATE campaign_member SET name = 'Olga', client_id = 'c-7'")
    await pool.execute(
        "INSERT INTO outbound_attempt (account_id, attempt_id, item_id, kind, client, connection, claimed_at, look_at)"
        " SELECT account_id, 'a1', item_id, 'campaign', client, 'main', now(), now() FROM outbound_item"
    )
    async with pool.acquire() as conn:
        assert await campaign_of_call(conn, ACCOUNT, A, None, is_inbound=True) is None
        await scene.order("start")
        row = await scene.row()
        ours = await campaign_of_call(conn, ACCOUNT, A, "a1", is_inbound=False)
        theirs = await campaign_of_call(conn, ACCOUNT, A, None, is_inbound=True)
        assert ours is not None
        assert theirs is not None
        assert (ours.leaves_traces, theirs.leaves_traces) == (False, True)
        off = await campaign_of_call(conn, ACCOUNT, A, None, is_inbound=True, may_leave_traces=False)
        assert off is not None
        assert off.leaves_traces
        assert ours.contact_fields == {"501": "spring", "503": "c-7"}
        assert (theirs.id, theirs.client_name) == (row.campaign_id, "Olga")
        assert await campaign_of_call(conn, ACCOUNT, A, None, is_inbound=False) is None
        assert await campaign_of_call(conn, ACCOUNT, B, None, is_inbound=True) is None
        assert [(name, id, m.name) for name, id, m in await running_of(conn, ACCOUNT, A)] == [
            ("spring", row.campaign_id, "Olga")
        ]
        await scene.order("pause")
        assert await running_of(conn, ACCOUNT, A) == []


async def test_a_gateway_knows_who_is_in_a_campaign_that_runs(pool: asyncpg.Pool) -> None:
    scene = Scene(pool)
    await scene.open()
    await scene.campaign("autumn")
    await scene.add(A, C)
    await scene.add(C, name="autumn")
    await pool.execute("UPDATE campaign_member SET name = 'Olga', client_id = 'c-7' WHERE number = $1", A)
    callers = CampaignCallers(pool)

    async def found(number: str) -> tuple[str, str, str] | None:
        await callers.look()
        one = callers.find(ACCOUNT, number)
        return None if one is None else (one.name, one.client, one.client_id)

    assert await found(A) is None
    await scene.order("start")
    assert await found(A) == ("spring", "Olga", "c-7")
    assert await found(B) is None
    await scene.add(B)
    assert await found(B) == ("spring", "", "")
    assert await found(C) == ("spring", "", "")
    await scene.order("start", "autumn")
    assert await found(C) == ("autumn", "", "")
    assert callers.find("another", C) is None
    await scene.order("pause")
    assert [await found(A), await found(C)] == [None, ("autumn", "", "")]
