"""A list comes into a campaign: a report row by row, nobody twice however often it is brought, and a restart half-way."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import asyncpg
import pytest

from gateway.admin.campaigns.lists import Columns, ListRefused, bring_list, read_list_here
from gateway.campaigns.list_import import AT_A_TIME, WORK, import_work
from gateway.store.campaigns.figures import figures_of
from gateway.store.outbound.do_not_call import add as do_not_call
from gateway.worker.long_tasks import LongWork
from runtime.database.listen import Listener
from runtime.progress import Stopped
from tests.integration.campaigns.scene import OWN, Scene
from tests.integration.triggers.office import ACCOUNT

LIST = "phone;name;client id;city\n89160000001;Ольга;c1;Омск\nnonsense\n89160000001\n89160000002\n89160000003\n".encode()


@pytest.fixture
async def scene(pool: asyncpg.Pool) -> Scene:
    made = Scene(pool)
    await made.open()
    return made


async def bring(scene: Scene, body: bytes = LIST, **columns: str) -> Any:
    async with scene.pool.acquire() as conn:
        return await bring_list(conn, ACCOUNT, "spring", "l.csv", body, columns, by="test")  # type: ignore[arg-type]


def work_of(scene: Scene, database_url: str) -> LongWork:
    work = partial(import_work, scene.pool, lambda account_id: OWN)
    return LongWork(scene.pool, Listener(database_url), {WORK: work})


async def report_of(scene: Scene) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await scene.pool.fetchval(
        "SELECT report FROM campaign_list ORDER BY uploaded_at DESC"
    )
    return found


async def test_a_list_is_reported_row_by_row_and_brought_again_adds_nobody(
    scene: Scene, database_url: str
) -> None:
    await scene.add("+79160000003")
    async with scene.pool.acquire() as conn, conn.transaction():
        await do_not_call(conn, ACCOUNT, "+79160000002", source="admin", said_by="boss")
    work = work_of(scene, database_url)
    asked = await bring(scene)
    assert (await bring(scene)).work_id == asked.work_id
    assert await work.do_one()
    expected = {
        "rows": 5,
        "added": 1,
        "faults": {"bad_number": 1, "twice_in_list": 1, "do_not_call": 1, "already_in_campaign": 1},
        "refused": [
            {"row": 3, "fault": "bad_number", "said": "nonsense"},
            {"row": 4, "fault": "twice_in_list", "said": "89160000001"},
            {"row": 5, "fault": "do_not_call", "said": "+79160000002"},
            {"row": 6, "fault": "already_in_campaign", "said": "+79160000003"},
        ],
    }
    assert await report_of(scene) == expected
    member = await scene.pool.fetchrow("SELECT * FROM campaign_member WHERE number = '+79160000001'")
    assert member is not None
    assert (member["name"], member["client_id"], member["data"]) == ("Ольга", "c1", {"city": "Омск"})
    assert await scene.pool.fetchval("SELECT count(*) FROM campaign_list WHERE body IS NOT NULL") == 0
    assert (await bring(scene)).work_id != asked.work_id
    assert await work.do_one()
    assert await report_of(scene) == expected
    assert await scene.pool.fetchval("SELECT count(*) FROM outbound_item") == 2


async def test_60_an_import_that_is_cut_off_goes_on_without_losing_or_doubling_anybody(
    scene: Scene, database_url: str
) -> None:
    rows = 5 * AT_A_TIME
    body = "phone\n" + "".join(f"8916{n:07d}\n" for n in range(rows))
    asked = await bring(scene, body.encode())

    async def dies(done: int, total: int | None) -> None:
        if done >= 2 * AT_A_TIME:
            raise Stopped

    with pytest.raises(Stopped):
        await import_work(scene.pool, lambda account_id: OWN, ACCOUNT, asked.asked, dies)
    assert await scene.pool.fetchval("SELECT count(*) FROM campaign_member") == 2 * AT_A_TIME
    assert await work_of(scene, database_url).do_one()
    report = await report_of(scene)
    assert (report["rows"], report["added"], report["faults"]) == (rows, rows, {})
    places = await scene.pool.fetch("SELECT place FROM campaign_member ORDER BY place")
    assert len({row["place"] for row in places}) == rows
    first = await scene.pool.fetchrow("SELECT client FROM outbound_item ORDER BY not_before, item_id LIMIT 1")
    assert first is not None
    assert first["client"] == "+79160000000"
    async with scene.pool.acquire() as conn:
        figures = await figures_of(conn, await scene.row())
    assert (figures.total, figures.open, figures.reached_percent) == (rows, rows, None)


async def test_a_list_that_cannot_be_read_adds_nobody(scene: Scene) -> None:
    async def nothing(done: int, total: int | None) -> None: ...

    async with scene.pool.acquire() as conn:
        tried: list[tuple[bytes, Columns, str]] = [
            (b"PK\x03\x04x", {}, "no workbook"),
            (LIST, {"number": "fax"}, "no column"),
            (b"", {}, "empty: nothing"),
            (b" \n;;\n", {}, "empty: nothing"),
            (b"phone;name\n", {}, "heading and no row"),
        ]
        for body, columns, why in tried:
            with pytest.raises(ListRefused, match=why):
                await read_list_here(
                    conn,
                    ACCOUNT,
                    "spring",
                    "l",
                    body,
                    columns,
                    nothing,
                    by="test",
                )
        with pytest.raises(ListRefused, match="empty"):
            await bring_list(conn, ACCOUNT, "spring", "l.csv", b" \n", {}, by="test")
    assert await scene.items() == []


async def test_attempts_are_counted_by_hour_and_again_where_they_are_settled_later(scene: Scene) -> None:
    await scene.add("+79160000001", "+79160000002")
    await scene.pool.execute(
        "INSERT INTO outbound_attempt (account_id, attempt_id, item_id, kind, client, connection, claimed_at, placed_at,"
        " look_at) SELECT account_id, client, item_id, 'campaign', client, 'main', now(), now(), now() FROM outbound_item"
    )
    end = "UPDATE outbound_attempt SET state = 'over', side = $2, reason = $3 WHERE client = $1"
    await scene.pool.execute(end, "+79160000001", "talked", "talked")
    await scene.pool.execute(end, "+79160000002", "unknown", "never_heard_of")
    await scene.pool.execute(end, "+79160000002", "client", "busy")
    await scene.ended("+79160000001", "succeeded", "talked")
    async with scene.pool.acquire() as conn:
        found = await figures_of(conn, await scene.row())
    assert (found.total, found.open, found.called, found.reached, found.reached_percent, found.tries) == (
        2, 1, 1, 1, 100.0, 2,
    )  # fmt: skip
    assert sorted((h.side, h.reason, h.attempts) for h in found.hours) == [
        ("client", "busy", 1),
        ("talked", "talked", 1),
    ]
    assert {c.state: c.members for c in found.members} == {"succeeded": 1, "held": 1}
