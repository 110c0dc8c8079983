"""S3.12 to S3.28: texts and call backs by what happens to a deal."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from crm.sandbox.seed import PIPELINE
from tests.e2e.features.calling import CALL, FAILED, SMS, TALKED, CallBacks
from tests.e2e.features.sales import API, STAGE, person, user
from tests.paths import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="session")


def documented(name: str) -> dict[str, Any]:
    """A trigger as the guide has it, at the places of the sandbox."""
    page = (ROOT / "docs" / "how-to" / "call-back-and-text-by-stage.md").read_text(encoding="utf-8")
    blocks = [
        yaml.safe_load(block.replace("{on:", '{"on":'))
        for block in re.findall(r"```yaml\n(.*?)```", page, re.S)
    ]
    found: dict[str, Any] = next(block for block in blocks if block["name"] == name)
    place = {"pipeline_id": str(PIPELINE), "stage_id": str(FAILED)}
    action = {**found["action"], **({"failed_stage": place} if "failed_stage" in found["action"] else {})}
    if "connection" in action:
        action["connection"] = "generic"
    return {**found, "pipeline_id": str(PIPELINE), "action": action, "is_on": True}


async def test_s3_19_the_employee_is_rung_first_and_then_the_client(calls: CallBacks) -> None:
    await calls.trigger("t", {"on": "entered"})
    deal, number = await calls.deal()
    await calls.sales.move(deal)
    item = await calls.ended(deal)
    assert (item["state"], item["reason"], item["client"]) == ("succeeded", "talked", number)
    assert [(a["employee"], a["side"]) for a in item["attempts"]] == [(person(101), "talked")]
    [order] = [o for o in calls.pbx.orders if o["client"] == number]
    assert order["employee"] == "101"


async def test_s3_20_a_trigger_is_off_until_somebody_switches_it_on(calls: CallBacks) -> None:
    saved = await calls.trigger("t", {"on": "entered"}, is_on=False)
    assert saved["trigger"]["is_on"] is False
    deal, _ = await calls.deal()
    await calls.sales.move(deal)
    await calls.sales.until_told(deal)
    assert (await calls.sales.stack.api("GET", f"{API}/firings", deal=str(deal)))["items"] == []


async def test_s3_21_a_price_that_passes_an_amount_calls_back_as_the_guide_says(calls: CallBacks) -> None:
    body = documented("big deals")
    await calls.sales.api("PUT", "triggers/big deals", body=body)
    deal, _ = await calls.deal(7, price=49_999)
    await calls.sales.act("set_price", id=deal, price=50_001)
    item = await calls.ended(deal)
    assert (item["state"], item["trigger"]) == ("failed", "big deals")
    await calls.in_stage(deal, FAILED)
    assert await calls.tasks(deal)


async def test_s3_22_an_employee_or_the_responsible_is_rung_and_nobody_without_an_extension(
    calls: CallBacks,
) -> None:
    target = {"kind": "employee", "employee_id": person(102)}
    await calls.trigger("t", {"on": "entered"}, action={**CALL, "target": target})
    deal, number = await calls.deal()
    await calls.sales.move(deal)
    await calls.ended(deal)
    assert [o["employee"] for o in calls.pbx.orders if o["client"] == number] == ["102"]
    await calls.sales.employee(103, extensions=[])
    try:
        target = {"kind": "employee", "employee_id": person(103)}
        silent = {"do": "callback", "connection": "generic", "target": target}
        body = {"name": "s", "pipeline_id": str(PIPELINE), "events": [{"on": "entered"}], "action": silent}
        refused = await calls.sales.api("PUT", "triggers/s", status=422, body=body)
        assert [p["code"] for p in refused["problems"]] == ["receiver-without-extension"]
    finally:
        await calls.sales.employee(103)


async def test_s3_22_a_group_is_rung_by_the_pbx(calls: CallBacks) -> None:
    await calls.trigger("t", {"on": "entered"}, action={**CALL, "target": {"kind": "group", "group": "200"}})
    deal, number = await calls.deal()
    await calls.sales.move(deal)
    item = await calls.ended(deal)
    assert (item["state"], item["attempts"][0]["group"]) == ("succeeded", "200")
    [order] = [o for o in calls.pbx.orders if o["client"] == number]
    assert (order["employee"], order["group"]) == (None, "200")


async def test_s3_23_there_is_a_task_when_the_client_or_the_employee_was_not_reached(
    calls: CallBacks,
) -> None:
    await calls.trigger("t", {"on": "entered"})
    for ends_with, side in ((7, "client"), (9, "operator")):
        deal, _ = await calls.deal(ends_with)
        await calls.sales.move(deal)
        item = await calls.ended(deal)
        assert (item["state"], item["attempts"][0]["side"]) == ("failed", side)
        await calls.in_stage(deal, FAILED)
        assert [t["responsible_user_id"] for t in await calls.tasks(deal)] == [user(101)]


async def test_s3_24_a_deal_goes_to_one_stage_after_a_talk_and_to_another_after_none(
    calls: CallBacks,
) -> None:
    await calls.trigger("t", {"on": "entered"})
    for ends_with, stage in ((1, TALKED), (7, FAILED)):
        deal, _ = await calls.deal(ends_with)
        await calls.sales.move(deal)
        await calls.in_stage(deal, stage)


async def test_s3_25_the_client_sees_the_number_that_the_trigger_names(calls: CallBacks) -> None:
    await calls.trigger("t", {"on": "entered"}, action={**CALL, "line": "+74950000001"})
    deal, number = await calls.deal()
    await calls.sales.move(deal)
    item = await calls.ended(deal)
    assert item["attempts"][0]["line"] == "+74950000001"
    [order] = [o for o in calls.pbx.orders if o["client"] == number]
    assert "+74950000001" in order.values()


async def test_s3_26_a_trigger_is_applied_to_the_deals_that_stand_in_the_stage(calls: CallBacks) -> None:
    deal, _ = await calls.deal(stage=STAGE, price=777_001)
    dear = [{"of": "price", "test": "equals", "values": ["777001"]}]
    await calls.trigger("t", {"on": "won"}, conditions=dear)
    seen = await calls.sales.api("POST", "triggers/t/apply-preview")
    assert seen["reasons"]["fires"] == 1
    await calls.sales.api("POST", "triggers/t/apply", status=202)
    assert (await calls.ended(deal))["state"] == "succeeded"


async def test_s3_27_calls_wait_while_the_rate_is_0_and_only_whole_numbers_are_one(calls: CallBacks) -> None:
    assert (await calls.sales.api("PUT", "outbound/rate", body={"rate": "00"}))["rate"] == 0
    for wrong in ("-1", "1.5", "", "five"):
        await calls.sales.api("PUT", "outbound/rate", status=400, body={"rate": wrong})
    await calls.trigger("t", {"on": "entered"})
    deal, number = await calls.deal()
    await calls.sales.move(deal)
    item = await calls.waiting(deal)
    why = await calls.sales.api("GET", f"outbound/items/{item['id']}/why-not")
    assert why["reason"] in ("paused", "deal_unread")
    assert [o for o in calls.pbx.orders if o["client"] == number] == []
    await calls.rate(600)
    assert (await calls.ended(deal))["state"] == "succeeded"


async def test_s3_28_what_is_cleared_changes_no_stage_and_makes_no_task(calls: CallBacks) -> None:
    await calls.rate(0)
    await calls.trigger("t", {"on": "entered"})
    deal, _ = await calls.deal(7)
    await calls.sales.move(deal)
    await calls.waiting(deal)
    queue = await calls.sales.api("GET", "outbound/queue")
    waits = queue["waiting"]["callback"]
    assert waits >= 1
    cleared = await calls.sales.api("POST", "outbound/queue/clear", body={"kind": "callback"})
    assert cleared == {"cleared": waits}
    assert "callback" not in (await calls.sales.api("GET", "outbound/queue"))["waiting"]
    await calls.rate(600)
    item = await calls.ended(deal)
    assert (item["state"], item["attempts"]) == ("cleared", [])
    assert (await calls.sales.row("deal", deal))["status_id"] == STAGE
    assert await calls.tasks(deal) == []


async def test_s3_12_a_text_goes_to_the_client_as_a_deal_comes_into_a_stage(texts: CallBacks) -> None:
    await texts.trigger("t", {"on": "entered"}, action={**SMS, "any_hour": True})
    deal, _ = await texts.deal(price=50_000)
    await texts.sales.move(deal)
    item = await texts.ended(deal)
    assert (item["kind"], item["state"]) == ("sms", "succeeded")


async def test_s3_12_the_responsible_and_chosen_employees_get_a_text_once_each(texts: CallBacks) -> None:
    sales, mobile = texts.sales, {101: "+79005550301", 102: "+79005550302"}
    for extension, phone in mobile.items():
        await sales.employee(extension, numbers=[phone])
    try:
        to = {"client": False, "responsible": True, "employees": [person(101), person(102)]}
        await texts.trigger("t", {"on": "entered"}, action={**SMS, "any_hour": True, "to": to})
        deal, _ = await texts.deal()
        await sales.move(deal)
        item = await texts.ended(deal)
        assert item["state"] == "succeeded"
        sent = sorted((t["employee"], t["number"]) for t in item["texts"])
        assert sent == [(person(n), mobile[n]) for n in (101, 102)]
    finally:
        for extension in mobile:
            await sales.employee(extension)


async def test_s3_15_macros_are_filled_in_from_deal_contact_and_responsible(texts: CallBacks) -> None:
    await texts.trigger("t", {"on": "entered"}, action={**SMS, "any_hour": True})
    deal, number = await texts.deal(price=50_000)
    await texts.sales.move(deal)
    [text] = await texts.texts(number)
    assert text.startswith("Olga: ")
    assert text.endswith(", 50000")


async def test_s3_17_a_text_that_was_sent_stands_in_the_clients_card_once(texts: CallBacks) -> None:
    await texts.trigger("t", {"on": "entered"}, action={**SMS, "any_hour": True, "template": "Hello"})
    deal, number = await texts.deal()
    await texts.sales.move(deal)
    assert (await texts.ended(deal))["state"] == "succeeded"
    assert await texts.texts(number) == ["Hello"]


async def test_s3_14_a_change_of_the_responsible_sends_a_text_as_the_guide_says(texts: CallBacks) -> None:
    body = documented("new responsible")
    await texts.sales.api(
        "PUT", "triggers/new responsible", body={**body, "action": {**body["action"], "any_hour": True}}
    )
    deal, number = await texts.deal()
    tagged, _ = await texts.deal(_embedded={"tags": [{"name": "no texts"}]})
    for id in (deal, tagged):
        await texts.sales.act("set_responsible", kind="deal", id=id, user=user(102))
    [text] = await texts.texts(number)
    assert text.endswith("extension 102.")
    assert (await texts.reasons(tagged))["new responsible"] == "not_met"


async def test_s3_13_nobody_without_an_extension_is_offered_a_text(texts: CallBacks) -> None:
    await texts.sales.employee(103, extensions=[])
    try:
        to = {"employees": [person(103)]}
        body = {
            "name": "s",
            "pipeline_id": str(PIPELINE),
            "events": [{"on": "entered"}],
            "action": {**SMS, "to": to},
        }
        checked = await texts.sales.api("POST", "trigger-checks", body=body)
        assert [p["code"] for p in checked["problems"]] == ["receiver-without-extension"]
    finally:
        await texts.sales.employee(103)


async def test_s3_16_texts_are_sent_for_the_deals_that_stand_in_the_stage(texts: CallBacks) -> None:
    deal, _ = await texts.deal(stage=STAGE, price=777_002)
    dear = [{"of": "price", "test": "equals", "values": ["777002"]}]
    await texts.trigger("texts now", {"on": "won"}, conditions=dear, action={**SMS, "any_hour": True})
    await texts.sales.api("POST", "triggers/texts now/apply", status=202)
    assert (await texts.ended(deal))["state"] == "succeeded"


async def test_s3_18_several_triggers_of_one_stage_each_fire_by_their_own_conditions(
    texts: CallBacks,
) -> None:
    vip, others = ([{"of": "price", "test": test, "values": ["100"]}] for test in ("above", "at_most"))
    await texts.trigger("vip", {"on": "entered"}, conditions=vip)
    await texts.trigger("others", {"on": "entered"}, conditions=others, action={**SMS, "any_hour": True})
    for price, fires in ((500, "vip"), (50, "others")):
        deal, _ = await texts.deal(price=price)
        await texts.sales.move(deal)
        reasons = await texts.reasons(deal)
        assert {name for name, reason in reasons.items() if reason == "fires"} == {fires}
        assert (await texts.ended(deal))["kind"] == ("callback" if fires == "vip" else "sms")
