"""S0.3 to S0.18: templates, by turn and by load, the client's own person. Deals come in the CRM, and it has their new owners."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from crm.sandbox.seed import PIPELINE
from tests.e2e.features.sales import BOSS, NEW, STAGE, Sales, person, user
from tests.e2e.stack import ACCOUNT
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_s0_03_there_are_any_number_of_named_templates_and_each_can_be_changed_later(
    sales: Sales,
) -> None:
    for name in ("north", "south", "west"):
        await sales.save(name, 101)
    names = {t["name"] for t in (await sales.api("GET", "templates"))["items"]}
    assert {"north", "south", "west"} <= names
    async with sales.template("north", 101):
        assert await sales.given(await sales.deals()) == [101]
        changed = await sales.save("north", 102)
        assert changed["version"] == 2
        assert await sales.given(await sales.deals()) == [102]
    versions = (await sales.api("GET", "templates/north/versions"))["items"]
    assert [v["version"] for v in versions] == [2, 1]


async def test_s0_04_a_template_has_a_name_and_a_type_by_turn_or_by_load(sales: Sales) -> None:
    for kind in ("turn", "load"):
        saved = await sales.save(f"of-type-{kind}", 101, kind=kind)
        assert (saved["name"], saved["template"]["kind"]) == (f"of-type-{kind}", kind)
    body = {"name": "of-no-type", "employees": [{"employee_id": person(101)}]}
    await sales.api("PUT", "templates/of-no-type", status=400, body={**body, "kind": "by mood"})
    await sales.api("PUT", "templates/of-no-type", status=400, body={**body, "name": ""})
    await sales.api("GET", "templates/of-no-type", status=404)


async def test_s0_05_a_queue_gives_in_strict_turn_over_the_chosen_employees(sales: Sales) -> None:
    async with sales.template("turn", 103, 101, 102, kind="turn"):
        deals = await sales.deals(6)
        assert await sales.given(deals) == [103, 101, 102, 103, 101, 102]
    assert Counter(await sales.owners(deals)) == {user(n): 2 for n in (101, 102, 103)}


async def test_s0_06_who_joins_or_leaves_a_chosen_group_is_followed_without_an_edit(sales: Sales) -> None:
    await sales.employee(101, group="hall")
    await sales.employee(102, group="hall")
    async with sales.template("of-group", groups=[{"name": "hall"}]):
        assert await sales.given(await sales.deals(2)) == [101, 102]
        await sales.employee(103, group="hall")
        assert Counter(await sales.given(await sales.deals(3))) == {101: 1, 102: 1, 103: 1}
        await sales.employee(102)
        assert Counter(await sales.given(await sales.deals(4))) == {101: 2, 103: 2}
    assert (await sales.api("GET", "templates/of-group"))["version"] == 1
    await sales.employee(101)
    await sales.employee(103)


async def test_s0_07_single_employees_take_part_whatever_becomes_of_their_group(sales: Sales) -> None:
    await sales.employee(101, group="yard")
    async with sales.template("singles", 101, 102):
        assert await sales.given(await sales.deals(2)) == [101, 102]
        await sales.employee(101)
        await sales.employee(103, group="yard")
        assert await sales.given(await sales.deals(4)) == [101, 102, 101, 102]
    await sales.employee(103)


async def test_s0_08_by_load_each_has_a_share_of_the_whole_in_percent(sales: Sales) -> None:
    people = [{"employee_id": person(n), "percent": share} for n, share in ((101, 7000), (102, 3000))]
    async with sales.template("load", kind="load", balance="percent", employees=people):
        deals = await sales.deals(10)
        assert Counter(await sales.given(deals)) == {101: 7, 102: 3}
    assert Counter(await sales.owners(deals)) == {user(101): 7, user(102): 3}


async def test_s0_09_an_even_load_gives_equal_counts(sales: Sales) -> None:
    async with sales.template("even", 101, 102, 103, kind="load", balance="even"):
        assert Counter(await sales.given(await sales.deals(6))) == {101: 2, 102: 2, 103: 2}


async def test_s0_10_people_of_one_group_can_have_different_shares_of_its_share(sales: Sales) -> None:
    for number, group in ((101, "big"), (102, "big"), (103, "small")):
        await sales.employee(number, group=group)
    members = [{"employee_id": person(n), "percent": share} for n, share in ((101, 7500), (102, 2500))]
    groups = [{"name": "big", "percent": 8000, "members": members}, {"name": "small", "percent": 2000}]
    async with sales.template("levels", kind="load", balance="percent", groups=groups):
        assert Counter(await sales.given(await sales.deals(10))) == {101: 6, 102: 2, 103: 2}
    for number in (101, 102, 103):
        await sales.employee(number)


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ({"employees": [(101, 5000), (102, 4999)]}, "percent-not-whole"),
        ({"employees": [(101, 5000), (102, 5001)]}, "percent-not-whole"),
        ({"groups": [("a", 6000, []), ("b", 3999, [])]}, "percent-not-whole"),
        ({"groups": [("a", 10000, [(101, 9999)])]}, "percent-not-whole-in-group"),
    ],
)
async def test_s0_11_a_sum_that_is_not_exactly_100_percent_is_not_saved(
    sales: Sales, shares: dict[str, Any], code: str
) -> None:
    def people(rows: list[tuple[int, int]]) -> list[dict[str, Any]]:
        return [{"employee_id": person(n), "percent": share} for n, share in rows]

    body = {
        "employees": people(shares.get("employees", [])),
        "groups": [
            {"name": name, "percent": share, "members": people(members)}
            for name, share, members in shares.get("groups", [])
        ],
    }
    refused = await sales.save("not-100", kind="load", balance="percent", status=422, **body)
    assert code in {p["code"] for p in refused["problems"]}
    await sales.api("GET", "templates/not-100", status=404)


@pytest.mark.parametrize(("daily_reset", "second"), [(False, 102), (True, 101)])
async def test_s0_12_counters_can_be_reset_daily_otherwise_earlier_days_count(
    sales: Sales, daily_reset: bool, second: int
) -> None:
    """The day changes with the account's time zone: between these two it is never the same date."""
    people = [{"employee_id": person(n), "percent": share} for n, share in ((101, 7000), (102, 3000))]
    name = "reset" if daily_reset else "no-reset"
    account = await sales.api("GET", "")
    said = {key: account[key] for key in ("name", "region")}
    await sales.api("PUT", "", body={**said, "time_zone": "Pacific/Pago_Pago"})
    try:
        async with sales.template(
            name, kind="load", balance="percent", employees=people, daily_reset=daily_reset
        ):
            assert await sales.given(await sales.deals()) == [101]
            await sales.api("PUT", "", body={**said, "time_zone": "Pacific/Kiritimati"})
            assert await sales.given(await sales.deals()) == [second]
    finally:
        await sales.api("PUT", "", body={**said, "time_zone": account["time_zone"]})


async def test_s0_13_the_reset_is_at_midnight_of_the_accounts_own_time_zone(sales: Sales) -> None:
    """Within one day of that zone nothing is reset; the journal says on which of its days each was given."""
    people = [{"employee_id": person(n), "percent": share} for n, share in ((101, 7000), (102, 3000))]
    async with sales.template("own-zone", kind="load", balance="percent", employees=people, daily_reset=True):
        assert await sales.one_by_one(3) == [101, 102, 101]
    account = await sales.api("GET", "")
    [shares] = (await sales.api("GET", "templates/own-zone/shares"))["items"]
    days = {day["day"] for one in shares["people"] for day in one["days"]}
    local = await sales.stack.pool.fetchval(
        "SELECT (now() AT TIME ZONE $1)::date::text", account["time_zone"]
    )
    assert days == {local}


Wanted = tuple[str, tuple[int, ...]]
"""contacts or companies, and the managers whose deals they have."""


async def clients(sales: Sales, *wanted: Wanted) -> list[dict[str, Any]]:
    """Clients with one deal of each of these managers, of whom the directory knows; what a new deal of each is linked to."""
    linked: list[dict[str, Any]] = []
    for kind in ("contacts", "companies"):
        of_kind = [w for w in wanted if w[0] == kind]
        ids = iter(await sales.make(kind, *({} for _ in of_kind)) if of_kind else [])
        linked += [{"_embedded": {kind: [{"id": next(ids)}]}} for _ in of_kind]
    in_order = sorted(wanted, key=lambda w: w[0], reverse=True)  # contacts before companies
    place = {"pipeline_id": PIPELINE, "status_id": NEW}
    rows = [
        {**place, "responsible_user_id": user(number), **link}
        for (_, numbers), link in zip(in_order, linked, strict=True)
        for number in numbers
    ]
    deals = [str(deal) for deal in await sales.make("leads", *rows)]

    async def are_known() -> bool:
        known = await sales.stack.pool.fetchval(
            "SELECT count(*) FROM directory_link WHERE account_id = $1 AND deal_id = ANY($2)", ACCOUNT, deals
        )
        return int(known) == len(deals)

    await until(are_known, "the directory knows whose deals these are", seconds=40)
    return linked


async def test_s0_14_a_client_with_another_deal_goes_to_its_responsible(sales: Sales) -> None:
    [linked] = await clients(sales, ("contacts", (104,)))
    async with sales.template("repeat", 101, 102, repeat={"by": "contacts"}):
        [deal] = await sales.deals(**linked)
        assert await sales.given([deal]) == [104]
        found = await sales.result(deal)
        assert (found["state"], found["reason"]) == ("kept", "repeat_owner")
        assert await sales.given(await sales.deals()) == [101], "no turn was spent"


async def test_s0_15_repeats_are_looked_for_by_contacts_by_companies_or_by_both(sales: Sales) -> None:
    scopes = {"contacts": {104, 101}, "companies": {101, 105}, "both": {104, 105}}
    contact: Wanted = ("contacts", (104,))
    company: Wanted = ("companies", (105,))
    known = await clients(sales, *[contact] * 3, *[company] * 3)
    for number, (by, wanted) in enumerate(scopes.items()):
        async with sales.template(f"repeat-{by}", 101, repeat={"by": by}):
            place = {"pipeline_id": PIPELINE, "status_id": STAGE}
            deals = await sales.make("leads", *({**place, **known[n]} for n in (number, number + 3)))
            assert set(await sales.given(deals)) == wanted, by


async def test_s0_16_so_many_deals_with_one_responsible_are_asked_for(sales: Sales) -> None:
    once, twice = await clients(sales, ("contacts", (104,)), ("contacts", (104, 104)))
    async with sales.template("threshold", 101, repeat={"by": "contacts", "threshold": 3}):
        [first] = await sales.deals(**once)
        assert await sales.given([first]) == [101]
        steps = [s for d in (await sales.result(first))["decisions"] for s in d["steps"]]
        assert "repeat_too_few" in {s["because"] for s in steps}
        assert await sales.given(await sales.deals(**twice)) == [104]


async def test_s0_17_repeat_deals_can_be_ignored(sales: Sales) -> None:
    [linked] = await clients(sales, ("contacts", (104,)))
    async with sales.template("no-repeat", 101, repeat={"by": "off"}):
        assert await sales.given(await sales.deals(**linked)) == [101]


async def test_s0_18_nobody_on_the_exclusion_list_gets_a_deal_through_repeat_control(sales: Sales) -> None:
    [linked] = await clients(sales, ("contacts", (104,)))
    repeat = {"by": "contacts", "exclusions": [person(104)]}
    async with sales.template("heads", 101, repeat=repeat):
        [deal] = await sales.deals(**linked)
        assert await sales.given([deal]) == [101]
        steps = [s for d in (await sales.result(deal))["decisions"] for s in d["steps"]]
        assert "repeat_owner_excluded" in {s["because"] for s in steps}
    assert BOSS not in await sales.owners([deal])
