"""Old messages and decisions are cleaned away, nothing of what is still open."""

from __future__ import annotations

from datetime import timedelta

from gateway.store.calls import old_calls
from gateway.store.decisions import decisions
from gateway.store.intake import inbox
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
