"""Before the phone rings, and who the people are: S4 rows 2, 8, 9, 12, 36-41."""

from __future__ import annotations

from typing import Any

import pytest

from routing.settings import LookupPolicy
from tests.e2e.features.office import API, Office
from tests.e2e.stack import AUTH

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def search_in(office: Office, *order: str) -> None:
    """The order of the search, set through the API and in force."""
    settings = office.stack.settings.model_copy(update={"lookup": LookupPolicy(priority=order)})
    await office.stack.api("PUT", f"{API}/settings", body=settings.model_dump(mode="json"))
    kinds = {"lead": "no_lead", "contact": "no_contact", "deal": "no_deal"}
    wanted = [kinds[k] for k in order]

    async def is_in_force() -> bool:
        asked = await office.stack.api("GET", "/v1/lookup", phone="+79039990000")
        return [s["because"] for s in asked["steps"]][: len(order)] == wanted

    await office.until(is_in_force)


def told(answer: dict[str, Any]) -> tuple[str | None, str]:
    person = answer["responsible"]
    return (person["extension"] if person else None, answer["reason"])


async def test_s4_02_a_caller_is_forwarded_to_the_manager_of_his_open_deal(office: Office) -> None:
    client, _, deal = await office.known(extension=103)
    await office.stack.act(
        "act", {"do": "set_responsible", "kind": "deal", "id": deal, "user": office.user(105)}
    )
    await search_in(office, "deal", "contact", "lead")
    try:

        async def rings_the_deals_manager() -> bool:
            return told(await office.stack.lookup(client)) == ("105", "deal_owner")

        await office.until(rings_the_deals_manager)
        assert (await office.stack.lookup(client))["targets"][0]["address"] == "105"
    finally:
        await search_in(office, "lead", "contact", "deal")


async def test_s4_36_the_contacts_manager_is_rung(office: Office) -> None:
    client, _, _ = await office.known(extension=104, with_deal=False)
    assert told(await office.stack.lookup(client)) == ("104", "contact_owner")


async def test_s4_37_without_a_usable_contact_the_open_deals_manager_is_rung(office: Office) -> None:
    assert told(await office.stack.lookup("+79010000001")) == ("104", "deal_owner")


async def test_s4_38_without_either_the_pbx_carries_on_with_its_scheme(office: Office) -> None:
    answer = await office.stack.lookup(office.new_number())
    assert (answer["outcome"], answer["reason"], answer["targets"]) == ("scheme", "unknown_caller", [])


async def test_s4_39_responsible_manager_is_a_destination_inside_the_pbx_own_scheme(office: Office) -> None:
    async def asked(phone: str, connection: str, **query: str) -> str:
        async with office.stack.http.get(
            f"{office.stack.url}/pbx/{connection}/lookup", params={"phone": phone, **query}, headers=AUTH
        ) as response:
            assert response.status == 200
            return await response.text()

    client, _, _ = await office.known(extension=107)
    for connection in ("generic", "ringostat"):
        assert await asked(client, connection, format="text") == "107", "the address that the block dials"
        assert await asked(office.new_number(), connection, format="text") == "", "the scheme's next block"


async def test_s4_40_the_order_of_the_search_is_a_setting_and_the_first_open_entity_wins(
    office: Office,
) -> None:
    client = "+79000000030"  # a contact of 101, an open deal of 102, a lead of 103
    try:
        for order, expected in (
            (("lead", "contact", "deal"), ("103", "lead_owner")),
            (("contact", "deal", "lead"), ("101", "contact_owner")),
            (("deal", "lead", "contact"), ("102", "deal_owner")),
        ):
            await search_in(office, *order)
            assert told(await office.stack.lookup(client)) == expected, order
    finally:
        await search_in(office, "lead", "contact", "deal")
    assert told(await office.stack.lookup("+79010000007")) == ("109", "contact_owner"), "a closed deal"


async def test_s4_41_an_entity_without_usable_responsible_gives_way_to_the_next_direction(
    office: Office,
) -> None:
    assert told(await office.stack.lookup("+79010000001")) == ("104", "deal_owner")
    assert told(await office.stack.lookup("+79010000002")) == (None, "owner_unmapped")
    assert told(await office.stack.lookup("+79010000009")) == (None, "owner_inactive")
    reserve = LookupPolicy(group=("100", "101"))
    settings = office.stack.settings.model_copy(update={"lookup": reserve})
    await office.stack.api("PUT", f"{API}/settings", body=settings.model_dump(mode="json"))
    try:

        async def rings_the_reserve() -> bool:
            answer = await office.stack.lookup("+79010000009")
            return [t["address"] for t in answer["targets"]] == ["100", "101"]

        await office.until(rings_the_reserve)
    finally:
        await search_in(office, "lead", "contact", "deal")


def a_person(**fields: Any) -> dict[str, Any]:
    return {"name": "Новый сотрудник", "email": "", **fields}


async def save(office: Office, code: str, **fields: Any) -> dict[str, Any]:
    saved: dict[str, Any] = await office.stack.api("PUT", f"{API}/employees/{code}", body=a_person(**fields))
    return saved


async def test_s4_08_an_employee_has_code_name_email_sip_and_internal_number_and_is_mapped_by_email(
    office: Office,
) -> None:
    user = await office.stack.act("act", {"do": "add_user", "name": "Ирина", "email": "irina@demo.example"})
    saved = await save(
        office, "220", name="Ирина", email="irina@demo.example", sip=["irina"], extensions=["220"]
    )
    assert {k: saved[k] for k in ("id", "name", "email", "sip", "extensions", "is_senior")} == {
        "id": "220",
        "name": "Ирина",
        "email": "irina@demo.example",
        "sip": ["irina"],
        "extensions": ["220"],
        "is_senior": False,
    }

    async def is_mapped() -> bool:
        listed = (await office.stack.api("GET", f"{API}/employees"))["items"]
        return any(p["id"] == "220" and p["crm_user_id"] == str(user["id"]) for p in listed)

    await office.until(is_mapped, 20)
    await office.use("recommended")
    client = office.new_number()
    await office.answered(client, "220")
    assert [c["responsible_user_id"] for c in (await office.left(client)).contacts] == [user["id"]]


async def test_s4_09_an_employee_is_recognised_on_each_of_his_numbers_and_sip_accounts(
    office: Office,
) -> None:
    await office.use("recommended")
    await save(
        office,
        "221",
        crm_user_id=str(office.users["unmapped"]),
        extensions=["221", "331"],
        sip=["anna", "anna@other-pbx.example"],
        numbers=["+79035550221", "8 (903) 555-02-22"],
    )
    try:
        for address in ("221", "331", "sip:anna@pbx", "anna@other-pbx.example", "79035550221", "89035550222"):
            client = office.new_number()
            await office.answered(client, address)
            left = await office.left(client)
            assert [c["responsible_user_id"] for c in left.contacts] == [office.users["unmapped"]], address
            assert left.tasks == [], address
    finally:
        await office.stack.api("DELETE", f"{API}/employees/221", status=204)


async def test_s4_12_an_employee_is_mapped_to_a_crm_user_by_hand(office: Office) -> None:
    await office.use("recommended")
    await save(office, "222", extensions=["222"])
    try:
        before, after = office.new_number(), office.new_number()
        await office.answered(before, "222")
        assert [t["responsible_user_id"] for t in (await office.left(before)).tasks] == [office.user(100)]
        await save(office, "222", extensions=["222"], crm_user_id=str(office.users["unmapped"]))
        await office.answered(after, "222")
        left = await office.left(after)
        assert [c["responsible_user_id"] for c in left.contacts] == [office.users["unmapped"]]
        assert left.tasks == []
    finally:
        await office.stack.api("DELETE", f"{API}/employees/222", status=204)
