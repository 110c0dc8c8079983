"""S1: deals of who goes offline pass to those left, and come back. One evening is played once; each row looks at what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from crm.sandbox.seed import PIPELINE, SECOND_PIPELINE
from tests.e2e.features.sales import BOSS, NEW, Sales, person, user
from tests.e2e.stack import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNA, BORIS, CLARA = 110, 109, 108
STAGE, WON = 5000022, 142
CLIENT_ID = 800407


@dataclass
class Evening:
    """deals: by what they are. owners: at each hour, whose each deal was in the CRM."""

    sales: Sales
    deals: dict[str, int] = field(default_factory=dict)
    owners: dict[str, dict[str, int]] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    contacts: dict[str, int] = field(default_factory=dict)
    runs_so_far: list[dict[str, Any]] = field(default_factory=list)

    async def made(self, deals: Mapping[str, Mapping[str, Any]], owner: int = ANNA) -> None:
        rows = [
            {
                "pipeline_id": SECOND_PIPELINE,
                "status_id": STAGE,
                "responsible_user_id": user(owner),
                "name": name,
                **more,
            }
            for name, more in deals.items()
        ]
        ids = await self.sales.make("leads", *rows)
        self.deals |= dict(zip(deals, ids, strict=True))

    async def policy(self, **fields: Any) -> None:
        body = {
            "is_on": True,
            "pipelines": [str(SECOND_PIPELINE)],
            "template": "floor",
            "wait_seconds": 0,
            "pause_minutes": 0,
            "goes_along": ["contact", "deal_tasks"],
            **fields,
        }
        await self.sales.api("PUT", "shift-change", body=body)

    async def known(self) -> None:
        async def is_known() -> bool:
            found = await self.sales.stack.pool.fetchval(
                "SELECT count(*) FROM directory_entity d WHERE account_id = $1 AND kind = 'deal' AND entity_id = ANY($2)"
                " AND NOT EXISTS (SELECT 1 FROM directory_reread r WHERE r.account_id = $1 AND r.entity_id = d.entity_id)",
                ACCOUNT,
                [str(id) for id in self.deals.values()],
            )
            return int(found) == len(self.deals)

        await self.sales.until(is_known)

    async def whose(self) -> dict[str, int]:
        owners = await self.sales.owners(list(self.deals.values()))
        return {name: owner - 1000000 for name, owner in zip(self.deals, owners, strict=True)}

    async def until_left(self, number: int, names: Iterable[str]) -> None:
        async def have_left() -> bool:
            return number not in {(await self.whose())[name] for name in names}

        await self.sales.until(have_left, 30)

    async def until_back(self, number: int, names: Iterable[str]) -> None:
        async def are_back() -> bool:
            return {(await self.whose())[name] for name in names} == {number}

        await self.sales.until(are_back, 30)

    async def settled(self) -> None:
        async def is_settled() -> bool:
            return {run["state"] for run in await self.runs()} <= {"done", "broken_off", "stopped"}

        await self.sales.until(is_settled, 30)

    async def runs(self) -> list[dict[str, Any]]:
        return list((await self.sales.api("GET", "shift-change/runs"))["items"])

    async def see(self, hour: str) -> None:
        self.owners[hour] = await self.whose()


def _value(text: str) -> dict[str, Any]:
    return {"custom_fields_values": [{"field_id": CLIENT_ID, "values": [{"value": text}]}]}


OWN = ("first", "second", "third", "by-hand")
STAYING = ("by-id", "by-tag", "by-field", "closed", "elsewhere")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def evening(sales: Sales) -> AsyncIterator[Evening]:
    evening = Evening(sales)
    for number in (ANNA, BORIS, CLARA):
        await sales.press(number, "start")
    await sales.save("floor", CLARA, BORIS, ANNA)
    await _deals_of_anna(evening)
    await _anna_leaves(evening)
    await _anna_returns(evening)
    await _others_leave(evening)
    yield evening
    await evening.policy(is_on=False)
    for number in (ANNA, BORIS, CLARA):
        await sales.press(number, "start")


async def _deals_of_anna(evening: Evening) -> None:
    sales = evening.sales
    [contact] = await sales.make("contacts", {"responsible_user_id": user(ANNA)})
    evening.contacts["hers"] = contact
    await evening.made(
        {
            "first": {"_embedded": {"contacts": [{"id": contact}]}},
            **{name: {} for name in ("second", "third", "by-hand", "by-id")},
            "by-tag": {"_embedded": {"tags": [{"name": "vip"}]}},
            "by-field": _value("keep"),
            "closed": {"status_id": WON},
            "elsewhere": {"pipeline_id": PIPELINE, "status_id": NEW},
        }
    )
    await evening.made({"borrowed": {}}, BORIS)
    [task] = await sales.make(
        "tasks",
        {"entity_id": evening.deals["first"], "entity_type": "leads", "responsible_user_id": user(ANNA)},
    )
    evening.tasks["hers"] = task
    await evening.known()
    await sales.act("set_responsible", kind="deal", id=evening.deals["borrowed"], user=user(ANNA))
    await sales.until_owned({evening.deals["borrowed"]: user(ANNA)})
    await sales.until_known({evening.deals["borrowed"]: user(ANNA)})


async def _anna_leaves(evening: Evening) -> None:
    sales = evening.sales
    await evening.policy(
        excluded_deals=[str(evening.deals["by-id"])],
        excluded_tags=["vip"],
        excluded_fields=[{"field_id": str(CLIENT_ID), "value": "keep"}],
    )
    await sales.press(ANNA, "stop")
    await evening.until_left(ANNA, (*OWN, "borrowed"))
    await evening.settled()
    await evening.see("she has left")
    evening.tasks["owner"] = (await sales.row("task", evening.tasks["hers"]))["responsible_user_id"]
    evening.contacts["owner"] = (await sales.row("contact", evening.contacts["hers"]))["responsible_user_id"]
    await evening.made({"new": {}})
    await evening.until_left(ANNA, ["new"])
    await evening.see("a new one came")


async def _anna_returns(evening: Evening) -> None:
    sales = evening.sales
    await sales.act("set_responsible", kind="deal", id=evening.deals["by-hand"], user=user(107))
    await sales.until_known({evening.deals["by-hand"]: user(107)})
    await evening.settled()
    await sales.press(ANNA, "start")
    await evening.until_back(ANNA, ("first", "second", "third", "new"))
    await evening.settled()
    await evening.see("she is back")


async def _others_leave(evening: Evening) -> None:
    """Clara is of the group and Boris is not; then nothing comes back; then only new deals pass."""
    sales = evening.sales
    await sales.employee(CLARA, group="late")
    await evening.made({"clara": {}}, CLARA)
    await evening.made({"boris": {}}, BORIS)
    await evening.known()
    await evening.policy(group="late", returns="off")
    await sales.press(BORIS, "stop")
    await sales.press(CLARA, "stop")
    await evening.until_left(CLARA, ["clara"])
    await evening.settled()
    await evening.see("both have left")
    await sales.press(CLARA, "start")
    # What a person orders is done after presence was looked at.
    run = await sales.api(
        "POST", "shift-change/runs", status=201, body={"employee": person(107), "kind": "away"}
    )
    await evening.settled()
    assert run["run_id"] in {one["run_id"] for one in await evening.runs()}
    await evening.see("nothing comes back")
    evening.runs_so_far = await evening.runs()
    await sales.employee(CLARA)
    await evening.policy(new_only=True)
    await sales.press(ANNA, "stop")
    await evening.made({"newest": {}})
    await evening.until_left(ANNA, ["newest"])
    await evening.settled()
    await evening.see("only new ones")


async def test_s1_01_current_and_new_deals_pass_to_those_who_are_online(evening: Evening) -> None:
    online = {BORIS, CLARA}
    assert {evening.owners["she has left"][name] for name in OWN} <= online
    assert evening.owners["a new one came"]["new"] in online
    kinds = {run["kind"] for run in await evening.runs() if run["employee_id"] == person(ANNA)}
    assert {"away", "new", "return"} <= kinds


async def test_s1_06_all_open_deals_of_who_goes_offline_pass_to_those_left(evening: Evening) -> None:
    left = evening.owners["she has left"]
    assert {name for name, owner in left.items() if owner == ANNA} == set(STAYING)


async def test_s1_07_who_returns_gets_back_the_deals_that_were_theirs_when_they_were_made(
    evening: Evening,
) -> None:
    back = evening.owners["she is back"]
    assert {back[name] for name in ("first", "second", "third", "new")} == {ANNA}
    assert back["borrowed"] != ANNA, "it was made for somebody else"
    assert back["by-hand"] == 107, "what a person changed meanwhile stays"


async def test_s1_09_that_deals_come_back_can_be_switched_off(evening: Evening) -> None:
    assert evening.owners["nothing comes back"]["clara"] == evening.owners["both have left"]["clara"] == ANNA
    runs = [r for r in evening.runs_so_far if r["kind"] == "return"]
    assert person(CLARA) not in {r["employee_id"] for r in runs}


async def test_s1_10_only_deals_of_the_chosen_pipelines_pass(evening: Evening) -> None:
    assert evening.owners["she has left"]["elsewhere"] == ANNA


async def test_s1_11_only_deals_of_people_of_the_chosen_group_pass(evening: Evening) -> None:
    left = evening.owners["both have left"]
    assert (left["clara"], left["boris"]) == (ANNA, BORIS)


async def test_s1_12_particular_deals_are_left_out_by_number_tag_or_field(evening: Evening) -> None:
    left = evening.owners["she has left"]
    assert [left[name] for name in ("by-id", "by-tag", "by-field")] == [ANNA] * 3
    away = [r for r in await evening.runs() if r["kind"] == "away" and r["employee_id"] == person(ANNA)]
    moves = (await evening.sales.api("GET", f"shift-change/runs/{away[-1]['run_id']}/moves"))["items"]
    why = {int(m["deal_id"]): m["reason"] for m in moves if m["kind"] == "deal"}
    stayed = {name: why[evening.deals[name]] for name in ("by-id", "by-tag", "by-field")}
    assert stayed == {"by-id": "excluded_deal", "by-tag": "excluded_tag", "by-field": "excluded_field"}


async def test_s1_13_nothing_but_new_deals_passes_where_that_is_set(evening: Evening) -> None:
    only = evening.owners["only new ones"]
    assert only["newest"] in {BORIS, CLARA}
    assert {only[name] for name in ("first", "second", "third")} == {ANNA}


async def test_s1_14_with_several_people_on_shift_deals_are_split_and_none_is_forgotten(
    evening: Evening,
) -> None:
    left = evening.owners["she has left"]
    counts = Counter(left[name] for name in (*OWN, "borrowed"))
    assert sorted(counts.values()) == [2, 3]
    assert set(counts) == {BORIS, CLARA}
    [away] = [
        r
        for r in await evening.runs()
        if r["kind"] == "away" and r["employee_id"] == person(ANNA) and r["deals_total"]
    ]
    assert (away["deals_total"], away["deals_moved"]) == (5, 5)


async def test_s1_15_open_tasks_and_the_contact_go_along_so_that_the_crm_notifies_who_is_on_shift(
    evening: Evening,
) -> None:
    owner = evening.owners["she has left"]["first"]
    assert evening.tasks["owner"] == evening.contacts["owner"] == user(owner)
    assert BOSS not in (evening.tasks["owner"], evening.contacts["owner"])
