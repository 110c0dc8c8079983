"""What was sent and never answered is found, or in doubt, however much has been made since: never taken for not there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from crm.amocrm.adapter import AmoCrm
from crm.budget import Budget
from crm.effects.model import KnownEntities, StoredEffect
from crm.effects.verify import Found, look_for
from crm.lane import Lane
from crm.port import Crm, Keyed, Written
from crm.sandbox.server import Sandbox
from routing.client import Ref
from routing.effects import AddNote, CreateContact, CreateDeal, CreateLead, CreateTask, Order
from tests.fakes.crm import FakeCrm
from tests.fakes.tokens import FixedToken

NOW = datetime.now(UTC).replace(microsecond=0)
THEN = NOW - timedelta(days=2)  # when the calls were: what a backfill makes bears their dates
OURS = "+79161234567"
NEWER = 2300
FAST = {"requests_per_second": 10_000, "account_requests_per_second": 10_000}


@pytest.fixture(params=["fake", "sandbox"])
async def crm(request: pytest.FixtureRequest) -> AsyncIterator[Crm]:
    if request.param == "fake":
        yield _fake()
        return
    async with Sandbox(contacts=3, profile=FAST) as sandbox, aiohttp.ClientSession() as session:
        yield AmoCrm(sandbox.url, FixedToken(sandbox.url, sandbox.token()), Budget(10_000), session)


def _fake() -> FakeCrm:
    return FakeCrm(clock=lambda: datetime.now(UTC))


def _sent(order: Order) -> StoredEffect:
    return StoredEffect(
        key=f"c1:{order.do}", seq=1, lane=Lane.BACKFILL, client=OURS, order=order, attempt=1, unknown_attempts=1,
        created_at=NOW, sent_at=NOW,
    )  # fmt: skip


async def _look(crm: Crm, order: Order) -> Found:
    async def claimed(ids: Collection[str]) -> set[str]:
        return set()

    async def known(numbers: Collection[str]) -> dict[str, KnownEntities]:
        return {}

    return await look_for(crm, Lane.BACKFILL, [_sent(order)], claimed, known)


def _contact(number: str) -> CreateContact:
    return CreateContact(name=f"Client {number}", number=number, created_at=THEN)


async def _made(crm: Crm, *orders: CreateContact | CreateDeal | AddNote) -> list[str]:
    ids = []
    create = {CreateContact: crm.create_contacts, CreateDeal: crm.create_deals, AddNote: crm.add_notes}[
        type(orders[0])
    ]
    for first in range(0, len(orders), 250):
        items = [Keyed(key=str(n), order=order) for n, order in enumerate(orders[first : first + 250])]
        for outcome in await create(items, Lane.BACKFILL):  # type: ignore[operator]
            assert isinstance(outcome, Written), outcome
            ids.append(outcome.id)
    return ids


async def test_a_deal_is_found_among_those_of_its_contact_or_is_not_there(crm: Crm) -> None:
    holder, other = await _made(crm, _contact(OURS), _contact("+79169999999"))
    order = CreateDeal(name="Call", contact=Ref(kind="contact", id=holder), created_at=THEN)
    lost = order.model_copy(update={"contact": Ref(kind="contact", id=other)})
    nobodys = order.model_copy(update={"contact": None})
    [id] = await _made(crm, order)
    await _made(crm, *[CreateDeal(name=f"Call {n}", created_at=THEN) for n in range(NEWER)])
    found = await _look(crm, order)
    assert found.ids == {"c1:create_deal": id}
    assert [e.id for e in found.entities] == [id]
    assert await _look(crm, lost) == Found(), "all deals of its contact were seen: it may be sent again"
    assert (await _look(crm, nobodys)).unclear == {"c1:create_deal"}


async def test_a_contact_is_found_by_its_number_or_is_not_there(crm: Crm) -> None:
    [id] = await _made(crm, _contact(OURS))
    await _made(crm, *[_contact(f"+7926{n:07d}") for n in range(NEWER)])
    assert (await _look(crm, _contact(OURS))).ids == {"c1:create_contact": id}
    assert await _look(crm, _contact("+79165550000")) == Found()


async def test_a_note_that_may_stand_behind_a_page_full_of_newer_ones_stays_in_doubt(crm: Crm) -> None:
    [holder] = await _made(crm, _contact(OURS))
    target = Ref(kind="contact", id=holder)
    ours = AddNote(target=target, text="ours")
    await _made(crm, ours)
    assert (await _look(crm, ours)).ids
    assert await _look(crm, ours.model_copy(update={"text": "lost"})) == Found()
    await _made(crm, *[AddNote(target=target, text=f"newer {n}") for n in range(1100)])
    found = await _look(crm, ours)
    assert found.ids or found.unclear == {"c1:add_note"}
    assert (await _look(crm, ours.model_copy(update={"text": "lost"}))).unclear == {"c1:add_note"}


async def test_a_task_of_nobody_in_particular_stays_in_doubt_behind_newer_ones(crm: Crm) -> None:
    def a_task(text: str) -> CreateTask:
        return CreateTask(target=None, owner_id=None, text=text, due_at=NOW + timedelta(hours=1))

    newer = [Keyed(key=str(n), order=a_task(f"newer {n}")) for n in range(1100)]
    for first in range(0, len(newer), 250):
        await crm.create_tasks(newer[first : first + 250], Lane.BACKFILL)
    assert (await _look(crm, a_task("lost"))).unclear == {"c1:create_task"}


async def test_a_lead_behind_newer_ones_stays_in_doubt() -> None:
    fake = _fake()
    lead = CreateLead(
        source_uid="ours", source_name="Calls", name="Call", contact_name="Client", number=OURS, called_at=NOW
    )  # fmt: skip
    newer = [Keyed(key=str(n), order=lead.model_copy(update={"source_uid": str(n)})) for n in range(NEWER)]
    for first in range(0, NEWER, 250):
        await fake.create_leads(newer[first : first + 250], Lane.BACKFILL)
    assert (await _look(fake, lead)).unclear == {"c1:create_lead"}
