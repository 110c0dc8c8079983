"""What went out is emptied of its client when the account's days are over; rows and the do-not-call list stay."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from gateway.admin.protection.forget_client import ClientBusy, forget_client
from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.store.outbound import do_not_call
from gateway.worker.retention import clean
from routing.settings import PersonalDataPolicy
from tests.integration.outbound.calling_office import ACCOUNT, CallingOffice

CLIENT = "+79161234567"


async def went_out(office: CallingOffice) -> None:
    """40 days ago one call came to nothing, another one is known of by nobody; both with what was found before."""
    for id, state in (("i1", "failed"), ("i2", "unknown")):
        await office.item(id, client=CLIENT)
        await office.pool.execute("UPDATE outbound_item SET state = $2 WHERE item_id = $1", id, state)
        await office.pool.execute(
            "INSERT INTO outbound_attempt (account_id, attempt_id, item_id, kind, client, connection, state, raw, claimed_at,"
            " look_at) VALUES ($1, $2, $2, 'callback', $3, 'main', 'over', $3, now() - interval '40 days', now())",
            ACCOUNT,
            id,
            CLIENT,
        )
    await office.pool.execute(
        "UPDATE outbound_item SET created_at = now() - interval '40 days', ended_at = now() - interval '40 days'"
    )
    await office.pool.execute(
        "INSERT INTO firing (account_id, firing_id, trigger, version, deal_id, cause_key, cause, source, state, reason, steps,"
        " happened_at, created_at) VALUES ($1, 'f', 't', 1, '7', 'k', '{}', 'event', 'skipped', 'not_met', '[{}]', now(),"
        " now() - interval '40 days')",
        ACCOUNT,
    )
    async with office.pool.acquire() as conn:
        await do_not_call.add(conn, ACCOUNT, CLIENT, source="client", said_by="sms")


async def left(pool: asyncpg.Pool) -> list[tuple[str, str | None, str, str]]:
    rows = await pool.fetch(
        "SELECT item_id, i.client, a.client, a.raw FROM outbound_item i JOIN outbound_attempt a USING (account_id, item_id)"
        " ORDER BY item_id"
    )
    return [tuple(row) for row in rows]


async def test_numbers_go_when_their_days_are_over_and_nobody_wonders_any_more(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    await went_out(office)
    await clean(pool, Settings(_env_file=None))
    assert [row[1] for row in await left(pool)] == [CLIENT, CLIENT]
    async with pool.acquire() as conn:
        settings = (await accounts.account(conn, ACCOUNT)).settings
        days = PersonalDataPolicy(number_days=30)
        await accounts.save_settings(conn, ACCOUNT, settings.model_copy(update={"personal_data": days}))
    await clean(pool, Settings(_env_file=None))
    assert await left(pool) == [("i1", None, "", ""), ("i2", CLIENT, CLIENT, CLIENT)]
    [emptied] = await pool.fetch("SELECT steps, reason FROM firing")
    assert dict(emptied) == {"steps": [], "reason": "not_met"}
    await clean(pool, Settings(_env_file=None, outbound_days=20))
    assert await pool.fetchval("SELECT count(*) FROM outbound_item") == 0
    assert await pool.fetchval("SELECT count(*) FROM outbound_attempt") == 0
    assert await pool.fetchval("SELECT count(*) FROM firing") == 0
    async with pool.acquire() as conn:
        assert await do_not_call.is_listed(conn, ACCOUNT, CLIENT)


async def test_a_client_who_is_forgotten_stays_on_the_do_not_call_list(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    await went_out(office)
    async with pool.acquire() as conn:
        with pytest.raises(ClientBusy):
            await forget_client(conn, ACCOUNT, CLIENT)
        await pool.execute(
            "UPDATE outbound_item SET state = 'failed', ended_at = $1", office.now - timedelta(days=1)
        )
        await forget_client(conn, ACCOUNT, CLIENT)
        assert await left(pool) == [("i1", None, "", ""), ("i2", None, "", "")]
        assert await do_not_call.is_listed(conn, ACCOUNT, CLIENT)
