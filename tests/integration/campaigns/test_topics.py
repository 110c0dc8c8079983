"""Topics of a campaign's call, asked of MANGO's contact centre for an hour: one deal, one note, rewritten to what was said last."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg

from crm.effects.store.work import PgEffects
from crm.effects.writer import Writer, WriterSettings
from crm.errors import CrmOutcomeUnknown
from crm.lane import Lane
from gateway.campaigns.topics import Topics
from gateway.configuration import read_snapshot
from gateway.pbx.kinds import KINDS
from gateway.store.admin import accounts
from gateway.store.calls.calls import save_call
from gateway.store.campaigns.topics import take_due
from routing.calls.model import Call, Disposition, Talk
from routing.client import EntityKind
from routing.client_work.values import CallRow
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.fakes.lease import FakeLease
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


MINUTES = (5, 6, 10, 20, 35, 61)
"""Since it began: when it is asked about. It ended after 4."""
TOLD = ("Темы: Цена", "Темы: Цена, Срок\nКомментарий: a", "Темы: Срок\nКомментарий: b\nc")


async def test_56_topics_that_change_give_one_deal_and_one_note_that_is_rewritten(pool: asyncpg.Pool) -> None:
    scene, crm = Scene(pool), FakeCrm(clock=lambda: datetime.now(UTC))
    await scene.open(topics=RULES)
    async with serving(FakeMango()) as mango, aiohttp.ClientSession() as session:
        topics = await campaign_with_call(scene, mango, session)
        mango.topics["e1"] = [
            {"result": 3300}, answer(), answer(5), answer(5), answer(5, 6, comment="a"), answer(6, comment=["b", "c"]),
        ]  # fmt: skip
        notes = []
        for ago in MINUTES:
            await pass_time(pool, ago)
            await topics.look()
            await written(pool, crm)
            notes.append([note.text for note in crm.all_notes()])
        assert notes == [[], [], [TOLD[0]], [TOLD[0]], [TOLD[1]], [TOLD[2]]]
        mango.topics["e1"] = [answer(5)]
        await topics.look()  # nobody asks after that
        await written(pool, crm)
    assert [note.text for note in crm.all_notes()] == [TOLD[2]]
    [deal] = crm.all("deal")
    assert (deal.stage_id, crm.all_notes()[0].target_id) == ("20", deal.id)
    topic = await pool.fetchrow("SELECT * FROM campaign_topic")
    assert topic is not None
    assert (topic["asks"], topic["next_ask_at"], topic["topics"]) == (6, None, ["Срок"])
    whats = [row["what"] for row in await pool.fetch("SELECT what FROM effect ORDER BY seq")]
    assert whats == ["create_contact", "create_deal", "add_note", "change_note", "change_note"]


async def test_56_workers_that_die_in_between_leave_one_note_with_what_was_said_last(
    pool: asyncpg.Pool,
) -> None:
    scene, crm = Scene(pool), FakeCrm(clock=lambda: datetime.now(UTC))
    await scene.open(topics=RULES)
    async with serving(FakeMango()) as mango, aiohttp.ClientSession() as session:
        topics = await campaign_with_call(scene, mango, session)
        mango.topics["e1"] = [answer(5), answer(5, 6, comment="a"), answer(6, comment="b\nc"), answer()]
        await pass_time(pool, 5)
        await topics.look()
        await pass_time(pool, 10)
        async with pool.acquire() as conn:
            assert len(await take_due(conn, 20)) == 1  # and whoever took it is gone
        await topics.look()
        assert await pool.fetchval("SELECT count(*) FROM effect WHERE what = 'change_note'") == 0
        crm.fail("add_notes", CrmOutcomeUnknown("lost"), has_effect=True)
        await written(pool, crm)
        await pass_time(pool, 10)
        await topics.look()  # the note is in doubt
        crm.fail("change_notes", CrmOutcomeUnknown("lost"), has_effect=True)
        await written(pool, crm)
        await pass_time(pool, 35)
        await topics.look()
        await written(pool, crm, processes=3)
        assert [note.text for note in crm.all_notes()] == [TOLD[2]]
        await pass_time(pool, 61)
        await topics.look()
        await written(pool, crm)
    assert [note.text for note in crm.all_notes()] == ["Темы и комментарий сняты."]
    assert len(crm.all("deal")) == 1
    assert {row["state"] for row in await pool.fetch("SELECT state FROM effect")} == {"done"}


async def campaign_with_call(scene: Scene, mango: FakeMango, session: aiohttp.ClientSession) -> Topics:
    """Its topics are asked of this MANGO."""
    async with scene.pool.acquire() as conn:
        await accounts.add_connection(
            conn, account_id=ACCOUNT, name="mango", kind="mango", secret="s", lines=(),
            keys={"api_key": "demo", "api_salt": "demo"}, settings={"base_url": mango.url},
        )  # fmt: skip
        await accounts.set_account_state(conn, ACCOUNT, "on")
    await scene.add(A)
    await called(scene.pool)
    snapshot = await read_snapshot(scene.pool)
    return Topics(scene.pool, session, lambda: snapshot, KINDS)


async def pass_time(pool: asyncpg.Pool, minutes: int) -> None:
    """The call began so many minutes ago, and is to be asked about now."""
    await pool.execute(
        "UPDATE campaign_topic SET next_ask_at = now(), started_at = now() - $1::interval,"
        " ended_at = now() - $1::interval + interval '4 minutes'",
        timedelta(minutes=minutes),
    )


async def written(pool: asyncpg.Pool, crm: FakeCrm, processes: int = 1) -> None:
    """New processes, one after the other, write to the CRM all that waits, and look into what the last one left."""

    async def catch_up(lane: Lane, kinds: Collection[EntityKind]) -> bool:
        return False

    for _ in range(processes):
        effects, settings = PgEffects(pool, ACCOUNT, NumberPolicy), WriterSettings(quiet_seconds=0.0)
        writer = Writer(crm, effects, ACCOUNT, FakeLease(), catch_up, settings=settings)
        await writer.recover_in_flight()
        await writer.drain()


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
