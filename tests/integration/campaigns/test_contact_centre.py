"""A campaign that MANGO's contact centre dials: numbers go there once, and what became of them ends their items."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from campaigns.model import TopicRules
from campaigns.topics import CallTopics
from gateway.admin.campaigns.engines import ContactCentreSilent, campaigns_there, centre_of
from gateway.admin.campaigns.refused import CampaignDialledThere, CampaignNotUsable
from gateway.admin.campaigns.saved import change_campaign, refuse_unusable
from gateway.campaigns.engines import CampaignEngines
from gateway.campaigns.topics import note_told
from gateway.configuration import read_snapshot
from gateway.pbx.capabilities import CampaignEngine
from gateway.pbx.connection import Connection
from gateway.pbx.mango.adapter import MangoKind
from gateway.pbx.mango.campaigns import MangoCampaigns
from gateway.store.admin import accounts
from gateway.store.admin.accounts import connections
from gateway.store.admin.staff import replace_staff
from gateway.store.calls.calls import save_call
from gateway.store.campaigns.of_call import campaign_of_call
from gateway.store.campaigns.old import empty_campaign_numbers
from gateway.store.campaigns.topics import find_calls, take_due
from routing.calls.model import Call, Disposition
from routing.client_work.values import CallRow
from routing.staff import Employee
from tests.fakes.mango import FakeMango, serving
from tests.fakes.mango_contact_centre import FakeContactCentre
from tests.integration.campaigns.scene import Scene, adds
from tests.integration.triggers.office import ACCOUNT

A, B, C, D = (f"+7916000000{n}" for n in range(1, 5))
THERE = {"engine": "pbx", "connection": "mango", "engine_ref": "79893"}
OWN_LINE = "+74951230000"


class AtOnce(MangoKind):
    """Without the vendor's limit of requests."""

    def campaigns(self, connection: Connection) -> CampaignEngine | None:
        return MangoCampaigns(seconds_between=0.0)


class Centre(Scene):
    """The scene with a contact centre; `round` is what a worker does in half a minute."""

    mango: FakeMango
    engines: CampaignEngines

    @property
    def centre(self) -> FakeContactCentre:
        return self.mango.contact_centre

    async def round(self, *, later: str = "") -> None:
        """later: so much time has passed since the last one."""
        await self.work.look()
        if later:
            await self.pool.execute(
                "UPDATE campaign_task SET marked_at = marked_at - $1::text::interval", later
            )
        await self.pool.execute(
            "UPDATE campaign_engine SET due_at = now(), send_at = now(), listed_at = NULL, leased_until = now()"
        )
        await self.engines.look()

    async def engine(self) -> tuple[str, str]:
        row = await self.pool.fetchrow("SELECT trouble, words FROM campaign_engine")
        assert row is not None
        return row["trouble"], row["words"]

    async def states(self) -> dict[str, str]:
        """State and reason of each number's item."""
        rows = await self.pool.fetch(
            "SELECT client, state, reason FROM outbound_item WHERE client IS NOT NULL"
        )
        return {row["client"]: f"{row['state']} {row['reason']}".strip() for row in rows}

    def sent(self) -> list[str]:
        """Numbers that came to the contact centre, as often as they came; without the technical one."""
        return [f"+{f['number']}" for f in self.centre.added if f["number"] != OWN_LINE.lstrip("+")]

    async def effects(self) -> list[str]:
        rows = await self.pool.fetch("SELECT what FROM effect ORDER BY created_at, effect_key")
        return [row["what"] for row in rows]


@pytest_asyncio.fixture
async def scene(pool: asyncpg.Pool) -> AsyncIterator[Centre]:
    scene = Centre(pool)
    async with serving(FakeMango()) as mango, aiohttp.ClientSession() as session:
        await scene.open(adds(task=True), name="ours")
        async with pool.acquire() as conn:
            await accounts.add_connection(
                conn, account_id=ACCOUNT, name="mango", kind="mango", secret="s", lines=(OWN_LINE,),
                keys={"api_key": "demo", "api_salt": "demo"}, settings={"base_url": mango.url},
            )  # fmt: skip
            await accounts.set_account_state(conn, ACCOUNT, "on")
        scene.mango = mango
        scene.centre.campaign()
        await scene.campaign("spring", **THERE)
        snapshot = await read_snapshot(pool)
        scene.engines = CampaignEngines(pool, session, lambda: snapshot, {"mango": AtOnce()})
        yield scene


async def test_52_55_numbers_go_there_once_and_come_back_with_their_ends(scene: Centre) -> None:
    await scene.add(A, B)
    await scene.client("1", C)
    await scene.round()
    assert (await scene.row()).state == "running"
    assert sorted(scene.sent()) == [A, B, C]
    [technical] = scene.centre.of(OWN_LINE)
    assert technical["blocked_until"] > "2027"  # it stands there and rings nobody
    await scene.client("2", D)
    await scene.round()
    assert (scene.sent().count(D), len(scene.centre.of(OWN_LINE))) == (1, 1)

    scene.centre.came_to(A, 1)
    scene.centre.came_to(B, 26)
    scene.centre.came_to(C, 6)
    scene.centre.came_to(D, 77)
    for _ in range(3):  # the same results again
        await scene.round()
    assert await scene.states() == {
        A: "succeeded talked", B: "dropped do_not_call", C: "failed operator", D: "unknown never_heard_of"
    }  # fmt: skip
    assert await scene.effects() == ["create_task"]
    assert sorted(scene.sent()) == [A, B, C, D]
    figures = await scene.pool.fetch("SELECT side, reason, n FROM campaign_hour ORDER BY side")
    assert [tuple(row) for row in figures] == [("operator", "operator", 1), ("talked", "talked", 1)]
    member = await scene.pool.fetchrow("SELECT tries, engine_ref FROM campaign_member WHERE number = $1", A)
    assert member is not None
    assert (member["tries"], member["engine_ref"]) == (2, str(scene.centre.of(A)[0]["task_id"]))

    del scene.centre.tasks[technical["task_id"]]  # a person takes the technical one out there
    for _ in range(3):
        await scene.round(later="1 hour")
    assert not (await scene.row()).kept_open.holds
    await scene.client("3", "+79160000009")
    await scene.round()
    assert len(scene.centre.of(OWN_LINE)) == 0

    scene.centre.campaigns[79893]["status"] = 4
    await scene.round()
    assert (await scene.states())["+79160000009"] == "cleared campaign_finished"
    assert (await scene.row()).step == ("finished", "by_engine")
    await scene.client("4", "+79160000008")
    await scene.round()
    assert ("failed", "campaign_finished") in [(s, r) for _, s, r in await scene.items()]

    async with scene.pool.acquire() as conn:
        await empty_campaign_numbers(
            conn, ACCOUNT, datetime.now(UTC) + timedelta(hours=1), client=A, limit=10
        )
    kept = await scene.pool.fetch("SELECT number FROM campaign_task")
    assert A not in [row["number"] for row in kept]
    assert B in [row["number"] for row in kept]


async def test_54_an_answer_that_is_lost_is_looked_for_before_anything_is_sent_again(scene: Centre) -> None:
    scene.centre.faults["tasks/push"] = ["lost", "cut"]
    scene.centre.hides = 1
    await scene.add(A, B)
    await scene.round()  # A: done, and nobody was told
    await scene.round()  # B: not done
    assert scene.sent() == [A]
    for _ in range(3):
        await scene.round(later="20 seconds")
    assert scene.sent() == [A]  # found by its marker; B is still looked for
    assert await scene.states() == {A: "held", B: "held"}
    await scene.round(later="6 minutes")
    assert scene.sent() == [A, B]
    assert len(scene.centre.of(A)) == len(scene.centre.of(B)) == 1
    rows = await scene.pool.fetch("SELECT state FROM campaign_task ORDER BY number")
    assert [row["state"] for row in rows] == ["there", "there"]


async def test_54_a_worker_that_was_killed_before_or_after_the_request_leaves_what_is_looked_for(
    scene: Centre,
) -> None:
    await scene.add(A, B)
    items = await scene.pool.fetch("SELECT item_id, client FROM outbound_item ORDER BY client")
    campaign = (await scene.row()).campaign_id
    for item in items:
        await scene.pool.execute(
            "INSERT INTO campaign_task (account_id, campaign_id, marker, item_id, number, state, marked_at)"
            " VALUES ($1, $2, $3, $4, $5, 'marked', now() - interval '2 minutes')",
            ACCOUNT, campaign, f"m{item['client']}", item["item_id"], item["client"],
        )  # fmt: skip
    scene.centre.task(number=A.lstrip("+"), task_comment=f"m{A}")
    for _ in range(3):
        await scene.round(later="20 seconds")
    assert scene.sent() == []
    await scene.round(later="6 minutes")
    assert scene.sent() == [B]


async def test_53_a_number_that_was_there_is_followed_and_not_added(scene: Centre) -> None:
    scene.centre.task(number=A.lstrip("+"), task_status=4, task_status_reason=1)  # of an earlier day
    theirs = scene.centre.task(number=A.lstrip("+"))
    await scene.add(A)
    await scene.round()
    await scene.round()
    assert await scene.states() == {A: "held"}
    assert len(scene.centre.of(A)) == 2
    theirs |= {"task_status": 4, "task_status_reason": 3}
    await scene.round()
    assert await scene.states() == {A: "failed client_no_answer"}


async def test_51_a_campaign_that_ends_between_the_look_and_the_addition_says_so(scene: Centre) -> None:
    def ends(path: str) -> None:
        if path == "tasks/push":
            scene.centre.campaigns[79893]["status"] = 4

    scene.centre.before = ends
    await scene.client("1", A)
    await scene.add(B)
    await scene.round()
    states = await scene.states()
    assert states[A] == "failed campaign_finished"
    assert "add_note" in await scene.effects()  # the deal says why
    await scene.round()
    assert (await scene.row()).state == "finished"
    assert (await scene.states())[B] == "cleared campaign_finished"
    assert scene.sent() == []


async def test_s3_9_what_a_contact_centre_needs_is_said_before_and_after(scene: Centre) -> None:
    with pytest.raises(CampaignNotUsable, match="has no contact centre"):
        await scene.campaign("x", **{**THERE, "connection": "main"})
    with pytest.raises(CampaignNotUsable, match="which campaign of the contact centre"):
        await scene.campaign("x", engine="pbx", connection="mango")
    with pytest.raises(CampaignNotUsable, match="is 'spring' here"):
        await scene.campaign("x", **THERE)
    with pytest.raises(CampaignDialledThere):
        await scene.order("start")
    async with scene.pool.acquire() as conn:
        centre = await centre_of(conn, ACCOUNT, "mango")
    [listed] = await campaigns_there(*centre)
    assert (listed.ref, listed.state) == ("79893", "running")
    scene.centre.edition = False
    with pytest.raises(ContactCentreSilent, match="5101"):
        await campaigns_there(*centre)
    await scene.round()
    assert await scene.engine() == ("edition", "the contract has no contact centre (5101)")
    await scene.client("1", A)
    await scene.round()
    assert [(s, r) for _, s, r in await scene.items()] == [("failed", "edition")]

    scene.centre.edition = True
    scene.centre.faults["tasks/push"] = [5101]  # only additions need it
    await scene.round()
    await scene.client("2", B)
    await scene.round()
    assert (await scene.states())[B] == "failed edition"
    async with scene.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [Employee(id="anna", name="Anna", crm_user_id="11")])
    with pytest.raises(CampaignNotUsable, match="no employee has an extension"):
        async with scene.pool.acquire() as conn:
            await refuse_unusable(conn, ACCOUNT, (await scene.row()).settings, "spring")
    await scene.round()
    await scene.client("3", C)
    await scene.round()
    assert [r for _, s, r in await scene.items()][-1] == "no_employee"
    assert scene.sent() == []


async def test_asked_too_often_it_becomes_slower_and_loses_nobody(scene: Centre) -> None:
    scene.centre.faults["tasks/push"] = ["throttled", 5008, 5113, 5199]
    await scene.add(A, B)
    pauses: list[Any] = []
    for _ in range(4):
        await scene.round()
        pauses.append(await scene.pool.fetchval("SELECT throttled FROM campaign_engine"))
    assert pauses[:2] == [1, 2]
    states = await scene.states()
    assert sorted(states.values()) == ["failed engine_refused", "held"]
    assert len(scene.sent()) == 1
    words = await scene.pool.fetchval("SELECT words FROM campaign_task WHERE state = 'over'")
    assert words == "MANGO 5199"


async def test_a_client_who_asks_not_to_be_called_is_taken_out_there(scene: Centre) -> None:
    await scene.add(A, B)
    await scene.round()
    await scene.pool.execute(
        "UPDATE outbound_item SET state = 'dropped', reason = 'do_not_call', ended_at = now() WHERE client = $1",
        A,
    )
    await scene.round()
    assert (len(scene.centre.of(A)), len(scene.centre.of(B))) == (0, 1)
    await scene.order("finish")
    await scene.round()
    assert scene.centre.tasks == {}
    assert (await scene.row()).state == "finished"


async def test_a_campaign_or_contact_centre_that_is_gone_is_told_and_nobody_is_lost(scene: Centre) -> None:
    await scene.add(A)
    del scene.centre.campaigns[79893]
    await scene.round()
    assert await scene.engine() == ("no_campaign", "there is no campaign 79893")
    scene.mango.down = 502
    await scene.round()
    assert (await scene.engine())[0] == "pbx_unreachable"
    scene.mango.down = 0
    scene.centre.campaign()
    await scene.round()
    assert scene.sent() == [A]
    assert (await scene.engine())[0] == ""


async def test_calls_that_a_contact_centre_makes_are_of_its_campaign_whoever_put_the_number_in(
    scene: Centre,
) -> None:
    await scene.add(A)
    theirs = scene.centre.task(number=B.lstrip("+"))
    await scene.round()
    await scene.round()
    rules = {
        "is_on": True,
        "deal_there": {"pipeline_id": "1", "stage_id": "30"},
        "no_deal": {"pipeline_id": "1", "stage_id": "20"},
    }
    changed = (await scene.row()).settings.model_copy(
        update={"topics": TopicRules.model_validate(rules), "leaves_traces": False}
    )
    async with scene.pool.acquire() as conn:
        await change_campaign(conn, ACCOUNT, "spring", changed)
        there = (await connections(conn, ACCOUNT))[-1].id
        for number, task in ((A, "not read yet"), (B, str(theirs["task_id"]))):
            found = await campaign_of_call(conn, ACCOUNT, number, None, is_inbound=False, there=(there, task))
            assert found is not None
            assert (found.name, found.leaves_traces) == ("spring", False)
            await save_call(conn, a_call_there(there, number, task))
        stranger = (there, "999")
        assert await campaign_of_call(conn, ACCOUNT, C, None, is_inbound=False, there=stranger) is None
        off = await campaign_of_call(
            conn, ACCOUNT, C, None, is_inbound=False, there=stranger, may_leave_traces=False
        )
        assert off is not None
        assert not off.leaves_traces
        await save_call(conn, a_call_there(there, C, "999"))
        assert await find_calls(conn) == 2
        assert await find_calls(conn) == 0
        taken = {row.client: row for row in await take_due(conn, 10)}
        assert sorted(taken) == [A, B]
        async with conn.transaction():
            await note_told(conn, taken[B], CallTopics(topics=("Цена",)), "")
    assert await scene.effects() == ["create_contact", "create_deal", "add_note"]


def a_call_there(connection_id: str, number: str, task: str) -> CallRow:
    now = datetime.now(UTC)
    call = Call(
        call_key=number, direction="outbound", client=number, line=None, started_at=now - timedelta(minutes=3),
        answered_at=now, ended_at=now, disposition=Disposition.ANSWERED, is_over=True, campaign_task=task,
    )  # fmt: skip
    return CallRow(
        account_id=ACCOUNT, call_id=number, connection_id=connection_id, call_key=number, client=number, line=None,
        call=call, heard_at=now,
    )  # fmt: skip
