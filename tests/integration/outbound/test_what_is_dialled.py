"""What is looked at in the moment of the call: one scene of many items, each with its own reason, and what a person is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from crm.port import Observed
from crm.store.news import record_news
from gateway.store.admin.staff import replace_staff
from gateway.store.outbound import do_not_call
from gateway.store.triggers.firings import add_firing
from gateway.store.triggers.triggers import save_trigger
from routing.calls.model import Disposition, FailedSide
from routing.triggers.causes import Cause
from routing.triggers.model import Trigger
from tests.fakes.originator import SKILLS
from tests.integration.outbound.calling_office import (
    ACCOUNT,
    ANNA,
    BORIS,
    CHIEF,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    CallingOffice,
)

TRIGGER = Trigger.model_validate(
    {
        "name": "t",
        "pipeline_id": "1",
        "stage_id": "20",
        "events": [{"on": "entered"}],
        "action": {"do": "callback", "connection": "main"},
        "is_on": True,
    }
)


async def _fired(
    office: CallingOffice, deal: str, *, stage: str = "20", on: Any = "entered"
) -> dict[str, Any]:
    """What an item has of the firing that made it."""
    cause = Cause(on=on, key=f"{on}:{deal}", pipeline_id="1", stage_id=stage)
    async with office.pool.acquire() as conn, conn.transaction():
        firing = await add_firing(conn, ACCOUNT, ("t", 1), deal, cause, source="event", happened_at=NOON)
    return {"source": "trigger", "firing_id": firing, "order": {"trigger": "t", "version": 1}}


async def test_cases_9_10_and_20_what_changed_since_it_was_queued_is_seen(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    async with pool.acquire() as conn, conn.transaction():
        await save_trigger(conn, ACCOUNT, TRIGGER, "test")
    for n, deal in enumerate(("moved", "closed", "listed", "numberless", "own", "won", "deleted", "changed")):
        number = {"numberless": None, "own": "+74951230000"}.get(deal, f"+791612300{n:02}")
        await office.deal(deal, number)
        of = {"stage": "142", "on": "won"} if deal == "won" else {}
        await office.item(deal, deal_id=deal, **await _fired(office, deal, **of))
    await office.deal("moved", "+79161230000", stage="30")
    await office.deal("won", "+79161230005", stage="142")
    await office.deal("changed", "+79031112233")
    await pool.execute("UPDATE directory_entity SET is_open = false WHERE entity_id IN ('closed', 'won')")
    async with pool.acquire() as conn, conn.transaction():
        await do_not_call.add(conn, ACCOUNT, "+79161230002", source="client", said_by="sms")
        gone = Observed(
            kind="deal", id="deleted", at=NOON, values={"deleted": "1"}, is_changed=frozenset({"deleted"})
        )
        await record_news(conn, ACCOUNT, observed=[gone], told_by="webhook")
    said = {id: await office.why(id) for id in ("moved", "closed", "numberless", "own", "deleted", "won")}
    await office.run()
    for _ in range(4):
        await office.run(after=SECOND)
    assert said == {
        "moved": "left_stage",
        "closed": "deal_closed",
        "numberless": "no_number",
        "own": "own_number",
        "deleted": "deal_gone",
        "won": "dial",
    }, "a deal that won is called where that is why"
    for id in ("moved", "closed", "numberless", "own", "deleted"):
        assert (await office.state(id), await office.effects(id)) == (f"dropped {said[id]}", [])
    assert await office.state("listed") == "dropped do_not_call"
    assert {order.number for order in office.pbx.orders} <= {"+79161230005", "+79031112233"}


async def test_case_21_who_called_meanwhile_is_not_called_and_who_rings_is_waited_for(
    pool: asyncpg.Pool,
) -> None:
    office = await CallingOffice(pool).open()
    await office.deal("7", "+79161234567")
    await office.item("i1")
    await office.told(None, Disposition.RINGING, key="in", is_over=False, direction="inbound")
    await office.run(after=SECOND)
    assert (await office.state(), await office.why()) == ("waiting client_in_call", "client_in_call")
    await office.told(None, Disposition.ANSWERED, key="in", direction="inbound")
    await office.run(after=3 * MINUTE)
    assert (await office.state(), office.pbx.orders) == ("dropped spoken_meanwhile", [])
    await office.item("i2", source="api")
    anna = {"kind": "employee", "employee_id": "anna"}
    await office.item("i3", source="matrix", deal_id=None, client="+79161234567", target=anna)
    await office.run(after=SECOND)
    assert await office.state("i2") == "dropped spoken_meanwhile", "somebody talked with them a moment ago"
    assert await office.state("i3") == "dialling dial", "they called in vain after that"


async def test_case_21_a_client_who_calls_while_the_employees_phone_rings_is_not_called_besides(
    pool: asyncpg.Pool,
) -> None:
    office = await CallingOffice(pool).open()
    await office.deal("7", "+79161234567")
    await office.item("i1")
    await office.run()
    first = office.latest
    rings = FailedSide.EMPLOYEE_NOT_REACHED
    await office.told(first, Disposition.RINGING, rings, is_over=False)
    await office.told(None, Disposition.NO_ANSWER, key="vain", direction="inbound")
    await office.run(after=SECOND)
    assert (await office.attempts(), office.pbx.hung_up) == (["+79161234567 operator_ringing"], []), (
        "who rang in vain is called all the same"
    )
    await office.told(None, Disposition.RINGING, key="in", is_over=False, direction="inbound")
    await office.run(after=SECOND)
    await office.run(after=SECOND)
    assert office.pbx.hung_up == [first], "asked once"
    await office.told(first, Disposition.CANCELLED, rings)
    await office.run(after=20 * SECOND)
    assert (await office.state(), (await office.row()).counters) == ("waiting client_in_call", {})
    await office.told(None, Disposition.ANSWERED, key="in", direction="inbound")
    await office.run(after=3 * MINUTE)
    assert (await office.state(), len(office.pbx.orders)) == ("dropped spoken_meanwhile", 1)
    assert await office.effects() == []


async def test_case_21_once_the_client_rings_the_call_goes_on(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    await office.deal("7", "+79161234567")
    await office.item("i1")
    await office.run()
    await office.told(office.latest, Disposition.RINGING, FailedSide.CLIENT_NOT_REACHED, is_over=False)
    await office.run(after=SECOND)
    await office.told(None, Disposition.RINGING, key="in", is_over=False, direction="inbound")
    await office.run(after=SECOND)
    assert office.pbx.hung_up == []
    await office.told(office.latest, Disposition.ANSWERED)
    await office.run(after=SECOND)
    assert (await office.state(), len(office.pbx.orders)) == ("succeeded talked", 1)


async def test_cases_22_23_and_24_hours_of_the_client_and_the_end_of_its_time(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open(rate=600)
    office.now = datetime.fromisoformat("2026-03-04T17:59:50+00:00")  # 20:59:50 in Moscow
    await office.deal("7", "+74951234567")
    await office.deal("8", "+73831234567")  # Novosibirsk, 00:59:50
    await office.item("edge", deal_id="7")
    await office.item("night", deal_id="8")
    await office.run()
    assert [await office.state(id) for id in ("edge", "night")] == ["waiting window_closed"] * 2
    assert office.pbx.orders == [], "ringing would not end before the window does"
    assert (await office.row("edge")).expires_at == datetime.fromisoformat("2026-03-04T18:00:00+00:00")
    assert (await office.row("night")).expires_at == datetime.fromisoformat("2026-03-05T14:00:00+00:00")
    await office.run(after=10 * SECOND)
    assert await office.state("edge") == "expired expired"
    assert [order["do"] for order in await office.effects("edge")] == ["create_task"]
    office.now = datetime.fromisoformat("2026-03-05T01:59:00+00:00")
    await office.run()
    assert office.pbx.orders == []
    await office.run(after=MINUTE)
    assert [order.number for order in office.pbx.orders] == ["+73831234567"], "at 09:00 of theirs"
    await office.configure(hours={"is_strict": True})
    office.now = NOON
    await office.deal("9", "+79161234567")
    await office.item("mobile", deal_id="9")
    assert await office.why("mobile") == "window_closed", (
        "09:00 to 21:00 in every zone of Russia is two hours"
    )


async def test_case_33_the_responsible_of_the_moment_is_rung_or_the_senior_has_the_task(
    pool: asyncpg.Pool,
) -> None:
    nobody = replace_extension(BORIS)
    office = await CallingOffice(pool).open(ANNA, nobody, CHIEF)
    await office.deal("7", owner="11")
    await office.item("i1")
    await office.item(
        "gone", target={"kind": "employee", "employee_id": "left"}, deal_id=None, client="+79031112233"
    )
    await office.deal("7", owner="10")
    await office.run()
    await office.run(after=SECOND)
    assert [order.extension for order in office.pbx.orders] == ["100"]
    assert await office.state("gone") == "failed employee_gone"
    (task,) = await office.effects("gone")
    assert task["owner_id"] == "10"
    await office.deal("8", "+79161110000", owner="12")
    await office.item("i2", deal_id="8")
    await office.run(after=SECOND)
    assert await office.state("i2") == "failed employee_gone"
    (task,) = await office.effects("i2")
    assert task["owner_id"] == "12", "they have no phone, and a place in the CRM"


def replace_extension(person: Any) -> Any:
    return person.model_copy(update={"extensions": ()})


async def test_cases_34_and_36_a_group_all_busy_and_a_phone_of_two(pool: asyncpg.Pool) -> None:
    shares = ANNA.model_copy(update={"id": "second", "name": "Vera", "crm_user_id": "13", "group": None})
    office = await CallingOffice(pool).open(ANNA, BORIS, CHIEF, shares)
    group = {"kind": "group", "group": "sales"}
    for n in range(3):
        await office.item(f"g{n}", deal_id=None, client=f"+7916123000{n}", target=group)
    await office.item(
        "same", deal_id=None, client="+79161230009", target={"kind": "employee", "employee_id": "second"}
    )
    for _ in range(6):
        await office.run(after=SECOND)
    assert sorted(o.extension or "" for o in office.pbx.orders) == ["101", "102"]
    assert [await office.why("g2"), await office.why("same")] == ["nobody_free", "nobody_free"]
    first = office.pbx.orders[0]
    await office.told(
        first.attempt_id,
        Disposition.NO_ANSWER,
        FailedSide.EMPLOYEE_NOT_REACHED,
        client=first.number,
        party="101",
    )
    for _ in range(3):
        await office.run(after=11 * SECOND)
    assert len(office.pbx.orders) == 3
    await office.item(
        "empty", deal_id=None, client="+79161239999", target={"kind": "group", "group": "nobody"}
    )
    await office.run(after=SECOND)
    assert await office.state("empty") == "failed employee_gone"


async def test_a_pbx_that_rings_groups_is_given_the_group(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    office.pbx.skills = replace(SKILLS, takes_group=True)
    for n in range(2):
        await office.item(
            f"g{n}", deal_id=None, client=f"+7916123000{n}", target={"kind": "group", "group": "200"}
        )
    for _ in range(3):
        await office.run(after=SECOND)
    assert [(o.group, o.extension) for o in office.pbx.orders] == [("200", None)] * 2


async def test_an_item_that_cannot_be_dialled_stands_in_nobodys_way(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    office.now = NOON
    for n in range(40):  # their PBX is none of ours
        await office.item(
            f"b{n:02}",
            deal_id=None,
            client=f"+7916123{n:04}",
            target={"kind": "employee", "employee_id": "anna"},
        )
    await pool.execute("UPDATE outbound_item SET connection = 'other'")
    await office.item(
        "z", deal_id=None, client="+79035556677", target={"kind": "employee", "employee_id": "anna"}
    )
    await office.run(after=SECOND)
    assert [o.number for o in office.pbx.orders] == ["+79035556677"]
    assert await office.why("b00") == "connection_unfit"


async def test_case_30_of_a_pbx_without_our_ids_a_call_is_known_by_number_and_time(
    pool: asyncpg.Pool,
) -> None:
    office = await CallingOffice(pool).open()
    office.pbx.skills = replace(SKILLS, has_own_id=False)
    for n, number in enumerate(("+79161230001", "+79161230002")):
        person = ("anna", "boris")[n]
        await office.item(
            f"i{n}", deal_id=None, client=number, target={"kind": "employee", "employee_id": person}
        )
    await office.run()
    await office.run(after=SECOND)
    at = office.now + 3 * SECOND
    await office.told(None, Disposition.ANSWERED, key="one", client="+79161230001", started_at=at)
    await office.told(None, Disposition.ANSWERED, key="a", client="+79161230002", started_at=at)
    await office.told(None, Disposition.ANSWERED, key="b", client="+79161230002", started_at=at + SECOND)
    await office.told(
        None, Disposition.ANSWERED, key="in", client="+79161230002", direction="inbound", started_at=at
    )
    await office.run(after=20 * SECOND)
    assert await office.state("i0") == "succeeded talked"
    assert await office.state("i1") == "unknown never_heard_of", "which of the two it was nobody knows"


async def test_case_14_what_is_cleared_has_no_effects_and_what_is_under_way_has_its_own(
    pool: asyncpg.Pool,
) -> None:
    office = await CallingOffice(pool).open()
    await office.deal("7")
    await office.deal("8", "+79161230000")
    await office.item("i1", deal_id="7")
    await office.item("i2", deal_id="8", target={"kind": "employee", "employee_id": "anna"})
    await office.run()
    await pool.execute("UPDATE outbound_item SET state = 'cleared', ended_at = now() WHERE state = 'waiting'")
    await office.told(office.latest, Disposition.FAILED, FailedSide.CLIENT_NOT_REACHED)
    await office.configure(retries={"client_unreachable": {"minutes": 1, "most": 0}})
    await office.run(after=20 * SECOND)
    assert await office.state("i1") == "failed client_unreachable"
    assert (len(await office.effects("i1")), await office.effects("i2")) == (1, [])
    await office.run(after=HOUR)
    assert len(office.pbx.orders) == 1


async def test_a_contacts_next_number_is_called_when_the_first_is_given_up(pool: asyncpg.Pool) -> None:
    """A number that does not exist, and one whose tries are spent; numbers that nobody may call are passed over."""
    office = await CallingOffice(pool).open(retries={"client_busy": {"minutes": 5, "most": 1}})
    numbers = [f"+7916000000{n}" for n in range(5)]
    await office.deal("7", *numbers[:1], more=(*numbers[1:], "+74951230000"))
    async with pool.acquire() as conn, conn.transaction():
        await do_not_call.add(conn, ACCOUNT, numbers[2], source="client", said_by="sms")
    await office.item()
    await office.run()
    came = FailedSide.CLIENT_NOT_REACHED
    await office.told(
        office.latest, Disposition.FAILED, came, client=numbers[0], number_word="no_such_number"
    )
    for n, (after, client) in enumerate(((20, 1), (301, 1), (20, 3))):
        await office.run(after=timedelta(seconds=20))
        await office.run(after=timedelta(seconds=after))
        assert office.pbx.orders[-1].number == numbers[client], (n, await office.state())
        await office.told(office.latest, Disposition.BUSY, came, client=numbers[client], key=f"c{n + 2}")
    await office.configure(retries={"client_busy": {"minutes": 5, "most": 0}})
    await office.run(after=20 * SECOND)
    await office.run(after=SECOND)
    assert office.pbx.orders[-1].number == numbers[4]
    await office.told(office.latest, Disposition.BUSY, came, client=numbers[4], key="last")
    await office.run(after=20 * SECOND)
    assert (await office.state(), len(await office.effects())) == ("failed client_busy", 1)
    await office.run(after=HOUR)
    assert [o.number for o in office.pbx.orders] == [numbers[n] for n in (0, 1, 1, 3, 4)]


async def test_one_contact_is_not_called_at_two_numbers_at_once(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    await office.deal("7", "+79160000001", more=("+79160000002",))
    people = [{"kind": "employee", "employee_id": id} for id in ("anna", "boris")]
    await office.item("i1", deal_id=None, client="+79160000001", target=people[0])
    await office.item("i2", deal_id=None, client="+79160000002", target=people[1])
    await office.run()
    await office.run(after=SECOND)
    assert [o.number for o in office.pbx.orders] == ["+79160000001"]
    assert await office.why("i2") == "client_being_called"


async def test_case_27_an_employee_who_hangs_up_is_not_the_clients_fault(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    await office.deal()
    await office.item()
    await office.run()
    await office.told(office.latest, Disposition.CANCELLED, FailedSide.EMPLOYEE_HUNG_UP)
    await office.run(after=timedelta(seconds=20))
    assert await office.state() == "waiting operator_hung_up"
    assert (await office.row()).counters == {"operator_hung_up": 1}
    async with pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [CHIEF])
    await office.reread()
    await office.run(after=6 * MINUTE)
    assert await office.state() == "failed employee_gone"


async def test_case_37_an_extension_behind_the_clients_number_is_not_dialled(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    await office.deal("7", "+7 916 000-00-01 доб. 12")
    await office.item()
    await office.run()
    assert [order.number for order in office.pbx.orders] == ["+79160000001"]
