"""Old messages and decisions are cleaned away, nothing of what is still open."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest
from pydantic import ValidationError

from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.store.calls import old_calls
from gateway.store.decisions import decisions
from gateway.store.decisions.lookup_inputs import InputsWritten, NoSuchRules, digest_of, lookup_rules
from gateway.store.intake import inbox
from gateway.worker.retention import clean
from routing.settings import LookupPolicy, NumberPolicy
from tests.integration.intake.office import ACCOUNT, START, Office, a_call

LONG_AFTER = START + timedelta(days=400)


async def test_what_is_over_is_forgotten_and_an_open_case_is_kept(office: Office) -> None:
    await office.know_client("+79160000001")
    await office.tell_all(a_call("done", client="+79160000001", answered_by="101"))
    await office.tell_all(a_call("missed", client="+79160000002"))
    await office.settle()
    await office.sent()
    async with office.pool.acquire() as conn:
        assert await inbox.delete_older_than(conn, LONG_AFTER) == 3
        assert await decisions.delete_older_than(conn, ACCOUNT, LONG_AFTER) == 2
    assert {r["client"] for r in await office.rows("SELECT client FROM inbox")} == {"+79160000002"}
    assert {r["client"] for r in await office.rows("SELECT client FROM decision")} == {"+79160000002"}


async def test_what_is_young_dead_or_not_yet_sent_is_kept(office: Office) -> None:
    await office.know_client()
    await office.tell_all(a_call(answered_by="101"))
    await office.settle()
    async with office.pool.acquire() as conn:
        assert await inbox.delete_older_than(conn, START - timedelta(days=1)) == 0
        await conn.execute("UPDATE inbox SET state = 'dead'")
        assert await inbox.delete_older_than(conn, LONG_AFTER) == 0
        assert await decisions.delete_older_than(conn, ACCOUNT, LONG_AFTER) == 0


async def test_a_call_goes_with_what_it_ordered_and_never_before_its_messages_or_an_open_case(
    office: Office,
) -> None:
    await office.know_client("+79160000001")
    await office.tell_all(a_call("done", client="+79160000001", answered_by="101"))
    await office.tell_all(a_call("missed", client="+79160000002"))
    await office.settle()
    await office.sent()
    async with office.pool.acquire() as conn:
        assert await old_calls.delete_calls(conn, ACCOUNT, LONG_AFTER, limit=100) == 0, "messages are kept"
        await inbox.delete_older_than(conn, LONG_AFTER)
        assert await old_calls.delete_calls(conn, ACCOUNT, START, limit=100) == 0
        assert await old_calls.delete_calls(conn, ACCOUNT, LONG_AFTER, limit=100) == 1
        assert {r["client"] for r in await office.effects()} == {"+79160000002"}
        await conn.execute("DELETE FROM inbox")
        assert await old_calls.delete_calls(conn, ACCOUNT, LONG_AFTER, limit=100) == 0, "the case is open"
        assert await old_calls.delete_cases(conn, ACCOUNT, LONG_AFTER, limit=100) == 0
        assert await old_calls.delete_effects(conn, ACCOUNT, LONG_AFTER, limit=100) == 0
        await conn.execute("UPDATE missed_case SET state = 'closed', closed_at = $1", START)
        assert await old_calls.delete_cases(conn, ACCOUNT, LONG_AFTER, limit=100) == 0, "its call is kept"
        assert await old_calls.delete_calls(conn, ACCOUNT, LONG_AFTER, limit=100) == 1
        assert await old_calls.delete_cases(conn, ACCOUNT, LONG_AFTER, limit=100) == 1
    assert await office.effects() == []


async def test_what_one_table_refuses_costs_no_other_its_cleaning(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id=ACCOUNT, name="A", base_url="http://127.0.0.1:1")
    await pool.execute("UPDATE audit SET at = now() - interval '100 days'")
    await pool.execute(
        "INSERT INTO vendor_exchange (account_id, vendor, at, method, target, took_ms, lane, sent, received, error)"
        " VALUES ($1, 'amocrm', now() - interval '100 days', 'GET', '/', 1, 'sync', '', '', '')",
        ACCOUNT,
    )
    await pool.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RAISE EXCEPTION USING ERRCODE = ''22003''; END';"
        " CREATE TRIGGER refuse BEFORE DELETE ON vendor_exchange FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    with pytest.raises(asyncpg.NumericValueOutOfRangeError):
        await clean(pool, Settings(_env_file=None, audit_days=30))
    assert await pool.fetchval("SELECT count(*) FROM audit") == 0
    assert await pool.fetchval("SELECT count(*) FROM vendor_exchange") == 1


async def test_days_that_lead_out_of_the_calendar_are_refused_and_the_longest_are_not(
    pool: asyncpg.Pool,
) -> None:
    names = [name for name in Settings.model_fields if name.endswith("_days")]
    assert len(names) > 5
    for name in names:
        with pytest.raises(ValidationError, match="36500"):
            Settings.model_validate({name: 1_000_000})
    await clean(pool, Settings.model_validate(dict.fromkeys(names, 36_500)))


async def test_rules_of_lookups_are_kept_as_long_as_somebody_is_answered_by_them(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id=ACCOUNT, name="A", base_url="http://127.0.0.1:1")
        written = InputsWritten(used_seconds=0)
        old, used = LookupPolicy(ring_seconds=5), LookupPolicy(ring_seconds=6)
        for rules in (old, used):
            await written.write(conn, ACCOUNT, None, NumberPolicy(), rules)
        await conn.execute("UPDATE lookup_rules SET used_at = now() - interval '200 days'")
        await written.write(conn, ACCOUNT, None, NumberPolicy(), used)
        await clean(pool, Settings(_env_file=None))
        assert await lookup_rules(conn, ACCOUNT, digest_of(NumberPolicy(), used))
        with pytest.raises(NoSuchRules):
            await lookup_rules(conn, ACCOUNT, digest_of(NumberPolicy(), old))


async def test_what_was_known_of_tasks_goes_with_the_calls_and_of_deals_stays(pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO crm_entity_state (account_id, entity_kind, entity_id, aspect, value, at)"
        " SELECT 'main', kind, age::text, 'x', 'v', now() - make_interval(days => age)"
        " FROM unnest('{task,deal}'::text[]) AS kind, unnest('{10,2000}'::integer[]) AS age"
    )
    await clean(pool, Settings(_env_file=None))
    left = await pool.fetch("SELECT entity_kind, entity_id FROM crm_entity_state ORDER BY 1, 2")
    assert [tuple(row) for row in left] == [("deal", "10"), ("deal", "2000"), ("task", "10")]
