"""Old messages and decisions are cleaned away, nothing of what is still open."""

from __future__ import annotations

from datetime import timedelta

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
