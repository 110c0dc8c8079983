"""Which campaign a call belongs to, and what is known of who calls while it runs."""

from __future__ import annotations

import asyncpg
import pytest

from gateway.admin.protection.forget_client import ClientBusy, forget_client
from gateway.lookup.campaign_callers import CampaignCallers
from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.store.campaigns.members import listed_members, running_of
from gateway.store.campaigns.of_call import campaign_of_call
from gateway.worker.retention import clean
from routing.settings import PersonalDataPolicy
from runtime.database.listen import Listener
from runtime.lifecycle import background
from tests.integration.campaigns.scene import Scene
from tests.integration.triggers.office import ACCOUNT
from tests.waiting import until

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


async def test_what_lists_say_of_clients_goes_with_its_days_and_with_who_is_forgotten(
    pool: asyncpg.Pool,
) -> None:
    scene = Scene(pool)
    await scene.open()
    await scene.add(A, B, C)
    await pool.execute(
        "UPDATE campaign_member SET name = 'Olga', client_id = 'c-7', data = '{\"city\": \"Omsk\"}'"
    )
    report = {
        "rows": 4,
        "added": 3,
        "faults": {"bad_number": 1},
        "refused": [{"row": 5, "said": "8 916 000-00-01"}],
    }
    await pool.execute(
        "INSERT INTO campaign_list (account_id, campaign_id, upload, name, report, uploaded_by) SELECT account_id, campaign_id,"
        " 'u', 'a.csv', $1, 'test' FROM campaign",
        report,
    )
    await called(pool, A)

    async def kept() -> list[tuple[str, str, str]]:
        rows = await listed_members(conn, await scene.row(), limit=10)
        return [(m.number, m.name, m.client_id) for m in rows]

    async with pool.acquire() as conn:
        with pytest.raises(ClientBusy):
            await forget_client(conn, ACCOUNT, A)
        await scene.ended(A, "failed", "client_busy")
        await forget_client(conn, ACCOUNT, A)
        assert await kept() == [("", "", ""), (B, "Olga", "c-7"), (C, "Olga", "c-7")]
        assert await pool.fetchval("SELECT report->'refused' FROM campaign_list") == []
        assert await pool.fetchval("SELECT client || comment FROM campaign_topic") == ""
        await scene.ended(B, "failed", "client_busy")
        await pool.execute("UPDATE campaign_member SET added_at = now() - interval '40 days'")
        settings = (await accounts.account(conn, ACCOUNT)).settings
        days = PersonalDataPolicy(number_days=30)
        await accounts.save_settings(conn, ACCOUNT, settings.model_copy(update={"personal_data": days}))
    await clean(pool, Settings(_env_file=None))
    async with pool.acquire() as conn:
        assert await kept() == [
            ("", "", ""),
            ("", "", ""),
            (C, "Olga", "c-7"),
        ]  # who waits is still to be called
        leaves = await pool.fetchval(
            "SELECT count(*) FROM campaign_member m WHERE m::text ~ '(Olga|916000000[12]|Omsk)'"
        )
    assert leaves == 1
    callers = CampaignCallers(pool)
    await scene.order("start")
    await callers.look()
    assert [callers.find(ACCOUNT, A), callers.find(ACCOUNT, C)] != [None, None]
    assert callers.find(ACCOUNT, A) is None


async def test_who_is_forgotten_is_gone_from_a_gateways_memory_at_once(
    pool: asyncpg.Pool, database_url: str
) -> None:
    scene = Scene(pool)
    await scene.open()
    await scene.add(A, C)
    await scene.order("start")
    callers, listener = CampaignCallers(pool), Listener(database_url)
    async with background(listener.run(), callers.run(listener)):
        await until(lambda: callers.find(ACCOUNT, A) is not None, "the campaign is known")
        await until(lambda: not callers._stale, "the listener is heard")
        await scene.ended(A, "failed", "client_busy")
        async with pool.acquire() as conn:
            await forget_client(conn, ACCOUNT, A)
        await until(lambda: callers.find(ACCOUNT, A) is None, "nobody knows them", seconds=2.5)
        await until(lambda: callers.find(ACCOUNT, C) is not None, "the others are known")


async def called(pool: asyncpg.Pool, number: str) -> None:
    await pool.execute(
        "INSERT INTO campaign_topic (account_id, call_id, campaign_id, item_id, connection, call_key, client, started_at,"
        " ended_at, comment) SELECT account_id, 'c1', campaign_id, item_id, 'main', 'k', $1, now(), now(), 'she is dear'"
        " FROM campaign_member WHERE number = $1",
        number,
    )
