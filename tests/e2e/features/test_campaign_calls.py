"""S3.1 to S3.3, S3.9 to S3.11 and F19: calls of campaigns, what is known of their clients, and what happens when nobody is reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm.sandbox.seed import PIPELINE
from gateway.demo import data
from tests.e2e.features.calling import FAILED, NO_RETRY, CallBacks
from tests.e2e.features.contact_centre import ContactCentre
from tests.e2e.features.sales import ADMIN, API, STAGE, person, user
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIELDS = {"campaign": "800104", "campaign_id": "800103"}
"""Text fields that contacts of the sandbox have; the one for the client's id is made by the test."""


async def campaign(calls: CallBacks, name: str, *numbers: str, **settings: Any) -> None:
    """One of manager 101 with these numbers, which runs."""
    sales = calls.sales
    told = {"connection": "generic", "target": {"kind": "employee", "employee_id": person(101)}}
    told |= {"retries": dict.fromkeys(("client_busy", "operator"), NO_RETRY), **settings}
    await sales.api("POST", "campaigns", body={"name": name, "settings": told}, status=201)
    for number in numbers:
        member = {"number": number, "name": "Olga of the list", "client_id": "c-7"}
        await sales.api("POST", f"campaigns/{name}/members", body=member, status=201)
    if numbers:
        await sales.api("POST", f"campaigns/{name}/start")


async def switches(calls: CallBacks, **campaigns: bool) -> None:
    now = await calls.sales.api("GET", "settings")
    await calls.sales.api("PUT", "settings", body={**now, "campaigns": {**now["campaigns"], **campaigns}})


async def the_call(calls: CallBacks, number: str) -> dict[str, Any]:
    """The latest call with this client in full, once it is over and decided."""

    async def is_decided() -> dict[str, Any] | None:
        found = (await calls.sales.stack.api("GET", f"{API}/calls", client=number))["items"]
        return found[-1] if found and found[-1]["is_over"] and found[-1]["moments"] else None

    last = await until(is_decided, f"a call with {number}", seconds=40)
    shown: dict[str, Any] = await calls.sales.api("GET", f"calls/{dict(last or {})['call_id']}")
    return shown


async def reasons(calls: CallBacks, call: dict[str, Any]) -> set[str]:
    told = [await calls.sales.stack.api("GET", f"/v1/decisions/{id}") for id in call["moments"].values()]
    return {one["reason"] for one in told}


async def contact(calls: CallBacks, number: str) -> dict[str, Any]:
    async def is_there() -> list[dict[str, Any]]:
        return await calls.sales.stack.rows("contact", phone=number.lstrip("+"))

    return next(iter(await until(is_there, f"a contact of {number}", seconds=40) or ()))


async def test_s3_01_calls_of_campaigns_are_recorded_in_the_crm_only_while_the_switch_is_on(
    calls: CallBacks,
) -> None:
    clients = [await calls.deal() for _ in range(3)]
    silent, told, own = (number for _, number in clients)
    await switches(calls, leaves_traces=False)
    try:
        await campaign(calls, "silent", silent)
        call = await the_call(calls, silent)
        assert call["disposition"] == "answered"
        assert await reasons(calls, call) == {"campaign_without_traces"}
    finally:
        await switches(calls, leaves_traces=True)
    await campaign(calls, "own switch", own, leaves_traces=False)
    assert await reasons(calls, await the_call(calls, own)) == {"campaign_without_traces"}
    await campaign(calls, "told", told)

    async def noted() -> set[int]:
        return {note["entity_id"] for note in await calls.sales.stack.rows("call")}

    deals = [deal for deal, _ in clients]
    await until(noted, "a call in the CRM", seconds=40)
    contacts = [(await contact(calls, number))["id"] for _, number in clients]
    assert await noted() & {*deals, *contacts} <= {deals[1], contacts[1]}


async def test_s3_02_to_s3_03_who_calls_while_a_campaign_runs_is_shown_with_it_and_gets_its_fields(
    calls: CallBacks,
) -> None:
    sales, number = calls.sales, "+79005560041"
    made = await sales.crm("POST", "contacts/custom_fields", [{"name": "ЦОВ: клиент", "type": "text"}])
    fields = {**FIELDS, "client_id": str(made["_embedded"]["custom_fields"][0]["id"])}
    await calls.rate(0)

    async def are_known() -> bool:
        told = {"connection": "generic", "target": {"kind": "responsible"}, "contact_fields": fields}
        body = {"name": "fields", "settings": told}
        async with sales.stack.http.post(
            f"{sales.stack.url}/api{API}/campaigns", json=body, headers=ADMIN
        ) as response:
            return response.status == 201

    await sales.until(are_known)
    member = {"number": number, "name": "Olga of the list", "client_id": "c-7"}
    await sales.api("POST", "campaigns/fields/members", body=member, status=201)
    await sales.api("POST", "campaigns/fields/start")

    async def is_shown() -> dict[str, Any] | None:
        return (await sales.stack.lookup(number)).get("campaign")

    shown = dict(await until(is_shown, "the lookup names the campaign", seconds=20) or {})
    assert (shown["name"], shown["client"], shown["client_id"]) == ("fields", "Olga of the list", "c-7")
    [known] = (await sales.api("GET", f"campaign-callers/{number}"))["items"]
    assert (known["campaign"], known["name"]) == ("fields", "Olga of the list")

    about = {"callId": "s3-2", "direction": "in", "from_": number, "to": data.OFFICE_LINE}
    await sales.stack.event(event="newCall", **about)
    await sales.stack.event(event="answer", extension="101", **about)
    await sales.stack.event(event="hangup", cause="normalClearing", billsec=42, **about)
    call = await the_call(calls, number)
    assert (call["campaign"]["name"], call["campaign"]["client"]) == ("fields", "Olga of the list")
    written = await sales.crm("GET", f"contacts/{(await contact(calls, number))['id']}")
    told = {str(f["field_id"]): f["values"][0]["value"] for f in written["custom_fields_values"]}
    assert [told[fields[name]] for name in ("campaign", "campaign_id", "client_id")] == [
        "fields",
        shown["id"],
        "c-7",
    ]


async def refused(calls: CallBacks, **settings: Any) -> tuple[str, str]:
    """Field and title of what is said of a campaign of manager 103 that is not made."""
    target = {"kind": "employee", "employee_id": person(103)}
    body = {"name": "nobody", "settings": {"connection": "generic", "target": target, **settings}}
    said = await calls.sales.api("POST", "campaigns", body=body, status=422)
    return said["field"], said["title"]


async def test_s3_09_who_talks_needs_a_linked_extension_and_a_contact_centre_the_contract_for_it(
    centre: ContactCentre,
) -> None:
    calls, sales = centre.calls, centre.sales
    await sales.employee(103, extensions=[])
    try:
        field, said = await refused(calls)
        assert (field, "extension" in said) == ("target.employee_id", True)
    finally:
        await sales.employee(103)
    await sales.api("PUT", "employees/unlinked", body={"name": "Nobody's user", "extensions": ["150"]})
    try:
        field, said = await refused(calls, target={"kind": "employee", "employee_id": "unlinked"})
        assert (field, "user of the CRM" in said) == ("target.employee_id", True)
    finally:
        await sales.api("DELETE", "employees/unlinked", status=204)
    field, said = await refused(calls, engine="pbx")
    assert (field, "no contact centre" in said) == ("engine", True)
    await without_the_contract(centre)


async def without_the_contract(centre: ContactCentre) -> None:
    """MANGO answers 5101 to everything until the contract has its contact centre; what comes in afterwards is dialled there."""
    calls, sales, vendor = centre.calls, centre.sales, centre.mango.contact_centre
    vendor.campaign()
    vendor.edition = False
    said = await sales.api("GET", "contact-centre-campaigns?connection=mango", status=409)
    assert "5101" in said["title"]
    there = {"engine": "pbx", "connection": "mango", "engine_ref": "79893"}
    await campaign(calls, "there", **there)
    await added(calls, "there")

    async def trouble(wanted: str) -> bool:
        await centre.looks()
        shown = (await sales.api("GET", "campaigns/there"))["contact_centre"]
        return bool(shown and shown["trouble"] == wanted and shown["looked_at" if not wanted else "words"])

    await sales.until(lambda: trouble("edition"))
    deal, _ = await calls.deal(price=900_001)
    await sales.move(deal)
    item = await calls.ended(deal)
    assert (item["state"], item["reason"]) == ("failed", "edition")
    vendor.edition = True
    await sales.until(lambda: trouble(""))
    deal, number = await calls.deal(price=900_001)
    await sales.move(deal)

    async def is_there() -> list[dict[str, Any]]:
        await centre.looks()
        return vendor.of(number)

    [task] = list(await until(is_there, "the number is in the contact centre", seconds=40) or ())
    assert task["campaign_id"] == 79893
    vendor.came_to(number, 1)
    await sales.until(lambda: reached(centre, number))


async def reached(centre: ContactCentre, number: str) -> bool:
    await centre.looks()
    members = (await centre.sales.api("GET", "campaigns/there/members"))["items"]
    return [m["state"] for m in members if m["number"] == number] == ["succeeded"]


async def added(calls: CallBacks, name: str, **unreached: Any) -> None:
    action = {"do": "campaign", "campaign": name, "unreached": unreached}
    dear = [{"of": "price", "test": "above", "values": ["900000"]}]
    await calls.trigger(name, {"on": "entered"}, action=action, conditions=dear)


async def test_s3_10_the_pipeline_puts_clients_into_campaigns_only_while_the_switch_is_on(
    calls: CallBacks,
) -> None:
    await campaign(calls, "switches")
    await added(calls, "switches")
    await switches(calls, from_pipeline=False)
    try:
        deal, _ = await calls.deal(price=900_001)
        await calls.sales.move(deal)
        item = await calls.ended(deal)
        assert (item["state"], item["reason"]) == ("dropped", "pipeline_off")
    finally:
        await switches(calls, from_pipeline=True)
    deal, number = await calls.deal(price=900_001)
    await calls.sales.move(deal)

    async def is_in() -> list[str]:
        members = (await calls.sales.api("GET", "campaigns/switches/members"))["items"]
        return [m["number"] for m in members]

    assert await until(is_in, "a member", seconds=40) == [number]


async def test_s3_11_what_a_trigger_wants_when_nobody_was_reached_happens_to_the_deals_in_the_stage(
    calls: CallBacks,
) -> None:
    sales = calls.sales
    await campaign(calls, "unreached")
    deal, _ = await calls.deal(7, stage=STAGE, price=900_001)
    cheap, _ = await calls.deal(7, stage=STAGE, price=5)
    await added(calls, "unreached", task=True, stage={"pipeline_id": str(PIPELINE), "stage_id": str(FAILED)})
    await sales.api("POST", "triggers/unreached/apply", status=202)
    assert (await calls.reasons(cheap))["unreached"] == "not_met"

    async def is_in() -> bool:
        return bool((await sales.api("GET", "campaigns/unreached/members"))["items"])

    await sales.until(is_in)
    await sales.api("POST", "campaigns/unreached/start")
    item = await calls.ended(deal)
    assert (item["state"], item["reason"], item["attempts"][0]["side"]) == ("failed", "client_busy", "client")
    await calls.in_stage(deal, FAILED)
    assert [t["responsible_user_id"] for t in await calls.tasks(deal)] == [user(101)]
    assert await calls.tasks(cheap) == []


async def item_of(calls: CallBacks, number: str, *reasons: str) -> dict[str, Any]:
    """The one item of this client, once it is so."""

    async def is_so() -> dict[str, Any] | None:
        found = (await calls.sales.stack.api("GET", f"{API}/outbound/items", client=number))["items"]
        return found[0] if found and found[0]["reason"] in reasons else None

    return dict(await until(is_so, f"{number} is {reasons}", seconds=40) or {})


async def test_f19_a_campaign_calls_nobody_out_of_hours_against_their_wish_too_often_or_twice_at_once(
    calls: CallBacks,
) -> None:
    sales = calls.sales
    unwilling, late, busy, twice = (f"+790055600{n}" for n in (61, 62, 67, 77))
    never = {"opens": "00:00", "closes": "00:01", "days": [datetime.now(UTC).isoweekday() % 7 + 1]}
    await calls.rate(0)
    await campaign(calls, "asked", unwilling)
    await campaign(calls, "closed", late, hours=never)
    await campaign(calls, "patient", busy, retries={"client_busy": {"minutes": 5, "most": 3}})
    for name in ("one", "other"):
        await campaign(calls, name, twice)
    await campaign(calls, "moved")
    await added(calls, "moved")
    deal, number = await calls.deal(price=900_001)
    await sales.move(deal)

    async def is_in() -> bool:
        return bool((await sales.api("GET", "campaigns/moved/members"))["items"])

    await sales.until(is_in)
    await sales.api("POST", "campaigns/moved/start")
    await sales.move(deal, FAILED)
    await sales.api("POST", "do-not-call", body={"number": unwilling})
    await calls.rate(600)
    assert (await item_of(calls, unwilling, "do_not_call"))["state"] == "dropped"
    assert (await item_of(calls, number, "left_stage"))["state"] == "dropped"
    assert (await item_of(calls, late, "window_closed"))["state"] == "waiting"
    again = await item_of(calls, busy, "client_busy")
    assert (again["state"], again["tries"]) == ("waiting", {"client_busy": 1})
    assert datetime.fromisoformat(again["not_before"]) > datetime.now(UTC) + timedelta(minutes=3)

    async def are_over() -> list[tuple[datetime, datetime]]:
        rows = await sales.stack.pool.fetch(
            "SELECT claimed_at, over_at FROM outbound_attempt WHERE client = $1 ORDER BY claimed_at", twice
        )
        return [tuple(row) for row in rows] if len(rows) == 2 and all(r["over_at"] for r in rows) else []

    first, second = list(await until(are_over, "both campaigns have called", seconds=40) or [])
    assert first[1] <= second[0]
