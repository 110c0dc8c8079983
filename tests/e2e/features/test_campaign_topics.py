"""S3.29 to S3.33: topics and comments of MANGO's contact centre come into a deal of their own, off until somebody wants them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from crm.sandbox.seed import OPEN_STAGES, PIPELINE
from routing.matrix.actions import Action, Attach, MakeContact, MakeDeal
from runtime.vendors.mango_signing import signed_form
from tests.e2e.features.calling import CallBacks
from tests.e2e.features.office import Office
from tests.e2e.features.sales import NEW, STAGE, Sales, person, user
from tests.e2e.features.test_rules import changed
from tests.fakes.mango import FakeMango, serving
from tests.fakes.mango_legs import told_of
from tests.unit.gateway.pbx.builders import FORM
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

THERE = OPEN_STAGES[2]
TOPICS = {
    "is_on": True,
    "deal_there": {"pipeline_id": str(PIPELINE), "stage_id": str(THERE)},
    "no_deal": {"pipeline_id": str(PIPELINE), "stage_id": str(STAGE)},
}
MAKES: tuple[Action, ...] = (MakeContact(), MakeDeal(), Attach())
KINDS = ("new", "known_without_deal", "known_with_deal")
AUTOMATIC = {f"outbound.answered.{kind}/end": MAKES for kind in KINDS}


@dataclass
class ContactCentre:
    calls: CallBacks
    mango: FakeMango

    @property
    def sales(self) -> Sales:
        return self.calls.sales

    async def called(self, name: str, *numbers: str, topics: dict[str, Any] | None = None) -> None:
        """A campaign has talked with these clients, and the operator said something of each."""
        told = {"connection": "mango", "target": {"kind": "employee", "employee_id": person(101)}}
        settings = {**told, **({"topics": topics} if topics else {})}
        await self.sales.api("POST", "campaigns", body={"name": name, "settings": settings}, status=201)
        for number in numbers:
            await self.sales.api("POST", f"campaigns/{name}/members", body={"number": number}, status=201)
        await self.sales.api("POST", f"campaigns/{name}/start")
        for _ in numbers:
            await self._talk(len(self.mango.orders))

        async def are_decided() -> bool:
            members = (await self.sales.api("GET", f"campaigns/{name}/members"))["items"]
            return {m["state"] for m in members} == {"succeeded"}

        await self.sales.until(are_decided)
        await self.sales.stack.until_idle()

    async def _talk(self, before: int) -> None:
        async def is_ordered() -> dict[str, Any] | None:
            found = [told for _, told in self.mango.orders]
            return found[before] if len(found) > before else None

        command = dict(await until(is_ordered, "MANGO is asked to call", seconds=40) or {})
        entry = f"entry-{command['command_id'][:8]}"
        told = ({"tag_id": [5]}, {"tag_id": [5], "call_comment": "Dear"})  # the comment comes later
        self.mango.topics[entry] = [{"result": 1000, "call": call} for call in told]
        for name, payload in told_of(command, "talk", datetime.now(UTC) - timedelta(seconds=45)):
            url = f"{self.sales.stack.url}/pbx/mango/events/{name}"
            body = signed_form("demo", "demo", payload)
            async with self.sales.stack.http.post(url, data=body, headers={"Content-Type": FORM}) as answer:
                assert answer.status == 200, await answer.text()

    async def hour_passes(self, calls: int) -> None:
        """These calls were asked about, and for the last time."""
        pool = self.sales.stack.pool

        async def are_asked() -> bool:
            asked: int = await pool.fetchval("SELECT count(*) FROM campaign_topic WHERE asks > 0")
            return asked == calls

        await self.sales.until(are_asked)
        await pool.execute(
            "UPDATE campaign_topic SET next_ask_at = now(), started_at = started_at - interval '61 minutes'"
        )

        async def is_over() -> bool:
            return not await pool.fetchval(
                "SELECT count(*) FROM campaign_topic WHERE next_ask_at IS NOT NULL"
            )

        await self.sales.until(is_over)
        await self.sales.stack.until_idle()

    async def deals(self, number: str) -> list[dict[str, Any]]:
        """Of whom has this number, the oldest first."""
        contacts = {c["id"] for c in await self.sales.stack.rows("contact", phone=number.lstrip("+"))}
        assert len(contacts) == 1
        found = [d for d in await self.sales.stack.rows("deal") if contacts & set(d["contacts"])]
        return sorted(found, key=lambda deal: int(deal["id"]))

    async def notes(self, deal: int) -> list[str]:
        notes = await self.sales.stack.rows("note")
        return [n["params"]["text"] for n in notes if n["entity_id"] == deal and n["note_type"] == "common"]


@pytest_asyncio.fixture(loop_scope="session")
async def centre(calls: CallBacks) -> AsyncIterator[ContactCentre]:
    async with serving(FakeMango()) as mango:
        keys = {"api_key": mango.api_key, "api_salt": mango.salt}
        change = {"settings": {"base_url": mango.url, "reconcile": False}, "keys": keys}
        await calls.sales.api("PATCH", "connections/mango", body=change)
        yield ContactCentre(calls, mango)


async def clients(calls: CallBacks) -> tuple[str, str, str]:
    """Numbers of somebody new, of somebody without an open deal, and of somebody with one."""
    unknown = f"{(await calls.deal())[1][:-1]}5"
    closed, without = await calls.deal()
    await calls.sales.act("set_status", id=closed, status=143, pipeline=PIPELINE, by=user(101))
    _, with_deal = await calls.deal(stage=NEW)

    async def is_closed() -> bool:
        return not await calls.sales.stack.pool.fetchval(
            "SELECT is_open FROM directory_entity WHERE kind = 'deal' AND entity_id = $1", str(closed)
        )

    await calls.sales.until(is_closed)
    return unknown, without, with_deal


async def test_s3_29_to_s3_33_topics_come_into_a_new_deal_where_they_are_wanted(
    centre: ContactCentre,
) -> None:
    calls = centre.calls
    _, quiet = await calls.deal()
    await centre.called("no topics", quiet)
    by_hand = await clients(calls)
    await centre.called("topics", *by_hand, topics=TOPICS)
    automatic, office = await clients(calls), Office(calls.sales.stack)
    await office.use(changed(AUTOMATIC))
    try:
        await centre.called("topics and matrix", *automatic, topics=TOPICS)
    finally:
        await office.use("recommended")
    await centre.hour_passes(6)
    assert [await centre.notes(deal["id"]) for deal in await centre.deals(quiet)] == [[]]
    for unknown, without, with_deal in (by_hand, automatic):
        for number, count, stage in ((unknown, 1, STAGE), (without, 2, STAGE), (with_deal, 2, THERE)):
            deals = await centre.deals(number)
            assert (len(deals), deals[-1]["status_id"]) == (count, stage)
            assert await centre.notes(deals[-1]["id"]) == ["Темы: Цена\nКомментарий: Dear"]
            assert [await centre.notes(deal["id"]) for deal in deals[:-1]] == [[]] * (count - 1)
