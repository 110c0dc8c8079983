"""What workers do for matrices: daily checks, and long work that outlives a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from gateway.decisions.replay import Replay
from gateway.health.daily_checks import MATRIX_REPORT, DailyChecks
from gateway.store.admin.matrices import current_version, draft, matrix_at, publish, save_draft
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.admin.staff import staff_of, write_snapshot
from gateway.store.calls.calls import save_call
from gateway.store.decisions.decisions import DecisionRow, add_decisions
from gateway.store.worker import long_tasks as store
from gateway.worker.long_tasks import LongWork
from routing.calls.model import Call, Disposition, Talk
from routing.client import Client, ClientEntity, ClientKind, Ref
from routing.client_work.values import CallRow
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended, update_only
from routing.settings import AccountSettings
from runtime.database.listen import Listener
from runtime.progress import Progress, Stopped
from tests.integration.api.client import ACCOUNT
from tests.waiting import until

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NUMBER = "+79035551122"


async def report_of(pool: asyncpg.Pool) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await pool.fetchval(
        "SELECT body FROM worker_report WHERE account_id = $1 AND report = $2", ACCOUNT, MATRIX_REPORT
    )
    return found


async def test_the_published_matrix_is_checked_daily_and_the_result_is_kept(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    listener = Listener(database_url)
    checks = DailyChecks(pool, listener)
    assert await checks.check_due() == 1
    assert (await report_of(pool))["errors"] == 0
    assert await checks.check_due() == 0, "once a day"
    await pool.execute("UPDATE employee SET is_senior = false")
    await pool.execute("UPDATE worker_report SET at = now() - interval '25 hours'")
    assert await checks.check_due() == 1
    body = await report_of(pool)
    assert body["errors"] > 0
    problem = body["problems"][0]
    assert (problem["code"], problem["cell"].startswith("default/inbound.")) == ("senior-missing", True)


async def test_a_change_of_the_crms_catalogue_is_checked_at_once(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    listener = Listener(database_url)
    checks = DailyChecks(pool, listener)
    running = asyncio.gather(checks.run(), listener.run())
    try:
        await _until(pool, "unsorted", lambda body: body is not None)
        await pool.execute("UPDATE employee SET is_senior = false")
        await _until(pool, "senior", lambda body: body is not None and body["errors"] > 0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _until(pool: asyncpg.Pool, what: str, holds: Any, seconds: float = 10) -> None:
    async def is_so() -> bool:
        return bool(holds(await report_of(pool)))

    await until(is_so, what, seconds=seconds)


async def _ask(pool: asyncpg.Pool) -> store.LongTask:
    async with pool.acquire() as conn:
        return await store.ask(conn, ACCOUNT, "count", {"to": 3}, "anna")


async def _shown(pool: asyncpg.Pool, work: store.LongTask) -> store.LongTask:
    async with pool.acquire() as conn:
        return await store.work_of(conn, ACCOUNT, work.work_id)


async def count(_account: str, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    for n in range(asked["to"]):
        await progress(n, asked["to"])
    return {"counted": asked["to"]}


async def test_long_work_is_done_once_and_keeps_its_result(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    asked = await _ask(pool)
    workers = [LongWork(pool, Listener(database_url), {"count": count}) for _ in range(2)]
    assert sorted(await asyncio.gather(*(w.do_one() for w in workers))) == [False, True]
    done = await _shown(pool, asked)
    assert (done.state, done.done, done.total, done.result) == ("done", 3, 3, {"counted": 3})


async def test_work_whose_worker_died_is_taken_over_and_the_dead_ones_word_counts_no_more(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    asked = await _ask(pool)
    async with pool.acquire() as conn:
        taken = await store.take(conn, ["count"])
        assert taken is not None
        assert await store.take(conn, ["count"]) is None, "it is under way"
        await conn.execute("UPDATE long_work SET heard_at = now() - interval '2 minutes'")
    assert await LongWork(pool, Listener(database_url), {"count": count}).do_one()
    async with pool.acquire() as conn:
        assert not await store.progressed(conn, taken, 1, 3)
        await store.ended(conn, taken, "failed", error="too late")
    assert (await _shown(pool, asked)).state == "done"


async def test_work_that_fails_says_why_and_work_that_is_stopped_ends(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    async def fails(_account: str, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        raise ValueError("no such day")

    async def goes_on(_account: str, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        async with pool.acquire() as conn:
            await store.stop(conn, ACCOUNT, second.work_id)
        await progress(1, 2)
        raise AssertionError("it was stopped")

    first = await _ask(pool)
    await LongWork(pool, Listener(database_url), {"count": fails}).do_one()
    assert ((await _shown(pool, first)).state, (await _shown(pool, first)).error) == (
        "failed",
        "ValueError: no such day",
    )
    second = await _ask(pool)
    await LongWork(pool, Listener(database_url), {"count": goes_on}).do_one()
    assert (await _shown(pool, second)).state == "cancelled"


async def publish_it(pool: asyncpg.Pool, matrix: Matrix) -> None:
    async with pool.acquire() as conn:
        version = await current_version(conn, ACCOUNT)
        if (await matrix_at(conn, ACCOUNT, version)).tables == matrix.tables:
            return  # the first one is there already
        before = await draft(conn, ACCOUNT)
        saved = await save_draft(conn, ACCOUNT, matrix, revision=before.revision, by="anna")
        catalogue = await catalogue_of(conn, ACCOUNT)
        await publish(conn, ACCOUNT, revision=saved.revision, by="anna", why="x", catalogue=catalogue)


def an_answered_call() -> Call:
    return Call(
        call_key="c1",
        direction="inbound",
        client=NUMBER,
        line="+74951230000",
        started_at=NOW - timedelta(hours=1),
        answered_at=NOW - timedelta(minutes=59),
        ended_at=NOW - timedelta(minutes=58),
        disposition=Disposition.ANSWERED,
        is_over=True,
        talks=(Talk(party="101", started_at=NOW - timedelta(minutes=59)),),
        talk_seconds=60,
    )


async def a_stored_call(pool: asyncpg.Pool, *later: ClientEntity, decided: bool = True) -> None:
    """A call of a client who was new when it rang; `later` was there at its end, made by others."""
    call = an_answered_call()
    async with pool.acquire() as conn:
        staff = await staff_of(conn, ACCOUNT)
        await write_snapshot(conn, ACCOUNT, staff)
        row = CallRow(account_id=ACCOUNT, call_id="k1", connection_id="office", call_key="c1", client=NUMBER,
                      line="+74951230000", call=call, client_kind=ClientKind.NEW, matrix_version=1, heard_at=NOW)  # fmt: skip
        await save_call(conn, row)
        if not decided:
            return
        common = {"client_kind": "new", "settings": AccountSettings().model_dump(mode="json"),
                  "time_zone": "Europe/Moscow", "holidays": [], "staff_version": staff.version}  # fmt: skip
        decisions = [
            DecisionRow(
                account_id=ACCOUNT,
                decision_id=f"d-{moment}",
                kind="matrix",
                at=NOW,
                call_id="k1",
                client=NUMBER,
                reason="x",
                outcome={},
                steps=[],
                inputs={
                    **common,
                    "moment": moment,
                    "client": Client(number=NUMBER, entities=entities).model_dump(mode="json"),
                },
            )
            for moment, entities in (("ring", ()), ("end", later))
        ]
        await add_decisions(conn, decisions)


async def replayed(pool: asyncpg.Pool) -> dict[str, Any]:
    async def progress(done: int, total: int | None) -> None:
        return None

    return await Replay(pool, ACCOUNT, NOW).run(1, None, 1, progress)


async def test_a_replay_knows_what_another_integration_made_during_the_call(
    pool: asyncpg.Pool, account: str
) -> None:
    await publish_it(pool, update_only())
    await a_stored_call(pool, ClientEntity(ref=Ref(kind="contact", id="5"), owner_id="11"))
    result = await replayed(pool)
    table = {c["what"]: (c["published"], c["draft"]) for c in result["counts"]}
    assert table["attach_call"] == (1, 1)
    assert table["create_contact"] == (1, 0)
    assert [line["draft"][-1] for line in result["list"]] == ["записать звонок: контакт 5 (поговорили)"]


async def test_a_replay_leaves_out_what_this_very_call_had_made(pool: asyncpg.Pool, account: str) -> None:
    await publish_it(pool, update_only())
    ours = ClientEntity(ref=Ref(kind="contact", effect="k1:contact"), owner_id="11")
    done = ClientEntity(ref=Ref(kind="deal", id="77"), owner_id="11")
    await pool.execute(
        'INSERT INTO effect (account_id, effect_key, decision_id, call_id, client, lane, what, "order", state, crm_id)'
        " VALUES ($1, 'k1:deal', 'd', 'k1', $2, 1, 'create_deal', '{}', 'done', '77')",
        ACCOUNT,
        NUMBER,
    )
    await a_stored_call(pool, ours, done)
    result = await replayed(pool)
    assert {c["what"]: c["draft"] for c in result["counts"]}["attach_call"] == 0, "nobody else made anything"


async def test_a_call_whose_decisions_were_cleaned_away_is_replayed_with_what_is_known_now_and_counted(
    pool: asyncpg.Pool, account: str
) -> None:
    await publish_it(pool, recommended())
    await a_stored_call(pool, decided=False)
    result = await replayed(pool)
    assert (result["calls"], result["reconstructed"], result["different"]) == (1, 1, 0)


async def test_a_stopped_replay_ends_with_stopped(pool: asyncpg.Pool, account: str) -> None:
    async def progress(done: int, total: int | None) -> None:
        raise Stopped

    await publish_it(pool, recommended())
    with pytest.raises(Stopped):
        await Replay(pool, ACCOUNT, NOW).run(1, "draft", None, progress)
