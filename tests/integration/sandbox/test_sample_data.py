"""The sample data, exactly as the contract states them."""

from __future__ import annotations

import time
from typing import Any

from crm.sandbox import seed
from tests.integration.sandbox.client import Api


async def test_contacts_have_their_number_in_five_spellings_and_their_owner(api: Api) -> None:
    rows = {row["id"]: row for row in await api.rows("contact")}
    spelled = [rows[seed.CONTACTS + i]["phones"][0] for i in range(1, 7)]
    assert spelled == [
        "+7 900 0000001",
        "8 (900) 000-00-02",
        "79000000003",
        "9000000004",
        "+79000000005",
        "+7 900 0000006",
    ]
    assert rows[seed.CONTACTS + 12]["responsible_user_id"] == seed.manager(103)


async def test_every_third_contact_has_an_open_deal_and_every_tenth_a_lead(api: Api) -> None:
    deals = [row for row in await api.rows("deal", is_hidden=0) if row["id"] < seed.LEADS + 1000]
    assert [row["contacts"] for row in deals] == [[seed.CONTACTS + i] for i in range(3, 61, 3)]
    assert deals[0]["responsible_user_id"] == seed.manager(105)
    assert all(row["status_id"] in seed.OPEN_STAGES for row in deals)
    leads = [row for row in await api.rows("lead") if row["id"] < seed.UNSORTED + 1000]
    assert [row["contact_ids"] for row in leads] == [[seed.CONTACTS + i] for i in range(10, 61, 10)]
    deal = (await api.get(f"leads/{leads[0]['lead_id']}")).body
    assert deal["responsible_user_id"] == leads[0]["metadata"]["call_responsible"] == seed.manager(103)


async def owners(api: Api, n: int) -> dict[str, Any]:
    """Who owns what has the special number n: {kind: [owners]}, leads by their deal."""
    number = f"+7901000000{n}"
    found: dict[str, Any] = {}
    for kind in ("contact", "company"):
        for row in await api.rows(kind, phone=number):
            if not row["is_hidden"]:
                found.setdefault(kind, []).append(row["responsible_user_id"])
            for id in row["leads"]:
                deal = (await api.rows("deal", id=id))[0]
                name = "lead" if deal["is_hidden"] else "closed" if deal["closed_at"] else "deal"
                found.setdefault(name, []).append(deal["responsible_user_id"])
    return found


async def test_special_numbers_are_as_promised(api: Api) -> None:
    m = seed.manager
    assert await owners(api, 1) == {"contact": [seed.DEACTIVATED], "deal": [m(104)]}
    assert await owners(api, 2) == {"contact": [seed.UNMAPPED]}
    assert await owners(api, 3) == {"company": [m(105)]}
    assert await owners(api, 4) == {"contact": [m(106), m(107)], "deal": [m(107)]}
    assert await owners(api, 5) == await owners(api, 6) == {"contact": [m(108)]}
    assert await owners(api, 7) == {"contact": [m(109)], "closed": [m(101)]}
    assert await owners(api, 8) == {"lead": [m(110)]}
    assert await owners(api, 9) == {"contact": [seed.DEACTIVATED]}


async def test_users_are_found_by_email_and_only_one_is_deactivated(api: Api) -> None:
    users = (await api.get("users?limit=250")).body["_embedded"]["users"]
    emails = {user["email"]: user for user in users}
    assert {f"manager{extension}@demo.example" for extension in range(101, 111)} <= emails.keys()
    assert [email for email, user in emails.items() if not user["rights"]["is_active"]] == [
        "deactivated@demo.example"
    ]
    assert {"senior100@demo.example", "unmapped@demo.example"} <= emails.keys()


async def test_seeding_more_keeps_what_is_there_and_reset_goes_back(api: Api) -> None:
    await api.patch(f"contacts/{seed.CONTACTS + 1}", {"name": "Изменён"})
    assert (await api.control("seed", {"contacts": 100}))["contacts"] == 100 + 10
    assert (await api.rows("contact", id=seed.CONTACTS + 1))[0]["name"] == "Изменён"
    assert (await api.control("reset", {}))["contacts"] == 60 + 10
    assert (await api.rows("contact", id=seed.CONTACTS + 1))[0]["name"] == "Клиент 1"
    assert (await api.get("account")).status == 200


async def test_100000_contacts_are_there_in_seconds(api: Api) -> None:
    started = time.monotonic()
    await api.control("seed", {"contacts": 100_000})
    assert time.monotonic() - started < 20
    started = time.monotonic()
    found = (await api.get("contacts?query=9000098765")).body["_embedded"]["contacts"]
    assert [one["id"] for one in found] == [seed.CONTACTS + 98_765]
    assert time.monotonic() - started < 1
