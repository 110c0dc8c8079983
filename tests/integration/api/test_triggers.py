"""Triggers over the API: checked, a version each time, off until their action is carried out; firings with their steps."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from gateway.admin.config_document import ConfigDocument
from gateway.admin.config_import import import_config
from gateway.admin.triggers.saved import TriggerWithoutCarrier
from gateway.admin.triggers.saved import save_trigger as save_as_people_do
from gateway.store.triggers.triggers import save_trigger
from gateway.triggers.applying import WORK, apply_work
from gateway.triggers.firing import TriggerDeal, fire_by_name
from gateway.triggers.reading import AccountFirings
from gateway.worker.long_tasks import LongWork
from routing.triggers.model import Trigger
from runtime.database.listen import Listener
from tests.fakes.crm import FakeCrm
from tests.integration.api.client import ACCOUNT, Api

CALL = {
    "name": "big deals",
    "pipeline_id": "1",
    "stage_id": "20",
    "events": [{"on": "price_crossed", "amount": 50000}],
    "conditions": [{"of": "tags", "test": "has_any", "values": ["VIP"]}],
    "action": {"do": "callback", "connection": "office"},
}
PATH = "{a}/triggers/big deals"


async def switched_on(api: Api, **changes: Any) -> None:
    """Past the checks of saving: there is no PBX here."""
    trigger = Trigger.model_validate({**CALL, **changes, "is_on": True})
    async with api.pool.acquire() as conn, conn.transaction():
        await save_trigger(conn, ACCOUNT, trigger, "test")


async def test_a_trigger_is_saved_shown_changed_and_removed_and_its_versions_stay(api: Api) -> None:
    assert (await api.ask("PUT", PATH, body=CALL, version=0))["version"] == 1
    assert (await api.ask("PUT", PATH, body=CALL, version=1))["version"] == 1
    assert (await api.ask("PUT", PATH, body={**CALL, "position": 3}, version=1))["version"] == 2
    shown = await api.ask("GET", PATH, role="read_only")
    assert (shown["version"], shown["trigger"]["is_on"], shown["trigger"]["position"]) == (2, False, 3)
    assert [v["version"] for v in (await api.ask("GET", PATH + "/versions"))["items"]] == [2, 1]
    assert (await api.ask("GET", PATH + "/versions/1"))["position"] == 0
    await api.ask("DELETE", PATH, status=204)
    await api.ask("GET", PATH, status=404)
    assert (await api.ask("GET", "{a}/triggers"))["items"] == []
    assert (await api.ask("PUT", PATH, body=CALL, version=0))["version"] == 3


async def test_triggers_are_listed_in_the_order_in_which_they_are_looked_at(api: Api) -> None:
    for name, position in (("c", 1), ("a", 2), ("b", 1)):
        await api.ask("PUT", f"{{a}}/triggers/{name}", body={**CALL, "name": name, "position": position})
    listed = (await api.ask("GET", "{a}/triggers"))["items"]
    assert [t["name"] for t in listed] == ["b", "c", "a"]


async def test_who_saves_over_a_version_that_they_did_not_see_is_told(api: Api) -> None:
    await api.ask("PUT", PATH, body=CALL)
    said = await api.ask("PUT", PATH, body={**CALL, "position": 1}, version=0, status=409)
    assert said["code"] == "trigger-conflict"
    assert (await api.ask("GET", PATH))["version"] == 1


async def test_a_trigger_whose_action_nobody_carries_out_cannot_be_switched_on(api: Api) -> None:
    trigger = Trigger.model_validate({**CALL, "is_on": True})
    async with api.pool.acquire() as conn:
        with pytest.raises(TriggerWithoutCarrier, match="nothing carries out the action 'callback'"):
            await save_as_people_do(conn, ACCOUNT, trigger, by="test", carried=frozenset())
    await api.ask("GET", PATH, status=404)


async def test_what_is_wrong_is_told_with_all_problems_and_nothing_is_saved(api: Api) -> None:
    wrong = {
        **CALL,
        "events": [{"on": "price_crossed"}],
        "conditions": [{"of": "price", "test": "above", "values": ["50,000"]}],
        "action": {"do": "sms", "template": "{{nothing.here}}", "provider": "main"},
    }
    codes = ["amount-missing", "number-unreadable", "text-refused", "provider-gone"]
    checked = await api.ask("POST", "{a}/trigger-checks", body=wrong, lang="en")
    assert (checked["can_be_saved"], [p["code"] for p in checked["problems"]]) == (False, codes)
    assert "50,000" in checked["problems"][1]["message"]
    said = await api.ask("PUT", PATH, body=wrong, status=422)
    assert (said["code"], [p["code"] for p in said["problems"]]) == ("trigger-not-usable", codes)
    await api.ask("GET", PATH, status=404)


async def test_the_name_in_the_address_and_in_the_trigger_are_the_same(api: Api) -> None:
    await api.ask("PUT", "{a}/triggers/other", body=CALL, status=400)


async def test_switching_off_drops_what_waits_whatever_is_wrong_with_the_trigger(api: Api) -> None:
    await switched_on(api, stage_id="99")
    await api.pool.execute(
        "INSERT INTO outbound_item (account_id, item_id, kind, source, \"order\") VALUES ($1, 'i', 'callback', 'trigger', $2)",
        ACCOUNT,
        {"trigger": CALL["name"]},
    )
    off = await api.ask("PUT", PATH + "/switch", body={"is_on": False})
    assert (off["version"], off["trigger"]["is_on"]) == (2, False)
    assert (
        await api.pool.fetchval("SELECT state || ' ' || reason FROM outbound_item") == "dropped switched_off"
    )


async def test_a_save_that_does_not_say_is_on_switches_nothing_and_drops_nothing(api: Api) -> None:
    text = {**CALL, "action": {"do": "sms", "template": "Hello", "provider": "main"}}
    await api.ask("PUT", PATH, body={**text, "is_on": True})
    await api.pool.execute(
        "INSERT INTO outbound_item (account_id, item_id, kind, source, \"order\") VALUES ($1, 'i', 'callback', 'trigger', $2)",
        ACCOUNT,
        {"trigger": CALL["name"]},
    )
    kept = await api.ask("PUT", PATH, body={**text, "position": 5})
    assert (kept["version"], kept["trigger"]["is_on"], kept["trigger"]["position"]) == (2, True, 5)
    async with api.pool.acquire() as conn:
        document = ConfigDocument(triggers=[Trigger.model_validate({**text, "position": 6})])
        await import_config(conn, ACCOUNT, document, by="test", kinds={})
    assert (await api.ask("GET", PATH))["trigger"]["is_on"] is True
    assert await api.pool.fetchval("SELECT state FROM outbound_item") == "waiting"
    off = await api.ask("PUT", PATH, body={**text, "is_on": False})
    assert off["trigger"]["is_on"] is False
    assert await api.pool.fetchval("SELECT state FROM outbound_item") == "dropped"


async def test_a_firing_is_listed_by_filters_and_told_step_by_step(api: Api) -> None:
    await switched_on(api)
    async with api.pool.acquire() as conn, conn.transaction():
        await fire_by_name(conn, ACCOUNT, str(CALL["name"]), [TriggerDeal("7", None), TriggerDeal("8", None)])
    waiting = (await api.ask("GET", "{a}/firings", role="read_only"))["items"]
    assert [(f["state"], f["message"]) for f in waiting] == [("reading", "")] * 2
    await AccountFirings(api.pool, ACCOUNT, FakeCrm()).turn()
    [one] = (await api.ask("GET", "{a}/firings", deal="7", state="skipped", lang="en"))["items"]
    assert (one["reason"], one["message"]) == ("deal_gone", "the deal is not in the CRM any more")
    assert (await api.ask("GET", "{a}/firings", reason="fires"))["items"] == []
    full = await api.ask("GET", f"{{a}}/firings/{one['id']}", lang="en")
    assert [s["because"] for s in full["steps"]] == ["cause", "deal_gone"]
    assert full["steps"][0]["message"] == "what happened"
    first = await api.ask("GET", "{a}/firings", limit=1)
    rest = await api.ask("GET", "{a}/firings", limit=1, after=first["next"])
    assert {first["items"][0]["deal"], rest["items"][0]["deal"]} == {"7", "8"}
    assert rest["next"] is None
    await api.ask("GET", "{a}/firings/none", status=404)
    await api.ask("GET", "{a}/firings", after="nonsense", status=400)


async def hooked(api: Api, query: str, body: str = "leads[status][0][id]=7") -> tuple[int, dict[str, Any]]:
    secret = await api.pool.fetchval("SELECT webhook_secret FROM account WHERE account_id = $1", ACCOUNT)
    url = f"{api.url}/crm/{ACCOUNT}/hooks/{secret}?{query}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with api.http.post(url, data=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_hook_of_the_crm_fires_a_trigger_that_is_on_once_for_an_entrance(api: Api) -> None:
    await switched_on(api)
    assert (await api.ask("GET", PATH + "/hook"))["url"].endswith("?trigger=big%20deals")
    status, said = await hooked(api, "trigger=big%20deals")
    assert (status, said["trigger"], said["deals"]) == (200, "big deals", ["7"])
    status, said = await hooked(api, "trigger=big%20deals")
    assert (status, said["deals"], said["already"]) == (200, [], ["7"])
    assert len((await api.ask("GET", "{a}/firings"))["items"]) == 1


async def test_a_hook_of_a_trigger_that_is_off_or_not_there_is_told_so(api: Api) -> None:
    await api.ask("PUT", PATH, body=CALL)
    status, said = await hooked(api, "trigger=big%20deals")
    assert (status, said["code"]) == (404, "no-such-trigger")
    assert (await api.ask("GET", "{a}/firings"))["items"] == []


async def in_stage(api: Api, *deals: str, **fields: Any) -> None:
    for id in deals:
        await api.pool.execute(
            "INSERT INTO directory_entity (account_id, kind, entity_id, name, pipeline_id, stage_id, is_open, created_at)"
            " VALUES ($1, 'deal', $2, 'Kitchen', '1', '20', true, now())",
            ACCOUNT,
            id,
        )
    for id, price in fields.get("prices", {}).items():
        await api.pool.execute(
            "INSERT INTO crm_entity_state (account_id, entity_kind, entity_id, aspect, value, at)"
            " VALUES ($1, 'deal', $2, 'price', $3, now())",
            ACCOUNT,
            id,
            price,
        )


async def applied(api: Api) -> dict[str, Any]:
    """The long work that waits, done."""
    listener = Listener("postgresql://nowhere")
    work = LongWork(api.pool, listener, {WORK: partial(apply_work, api.pool)})
    while await work.do_one():
        pass
    [done] = (await api.ask("GET", "{a}/work", kind=WORK))["items"]
    full: dict[str, Any] = await api.ask("GET", f"{{a}}/work/{done['id']}")
    return full


async def test_case_6_a_preview_counts_by_reason_and_stores_nothing(api: Api) -> None:
    dear = {"of": "price", "test": "above", "values": ["50 000"]}
    await api.ask("PUT", PATH, body={**CALL, "conditions": [dear]})
    await in_stage(api, "1", "2", "3", prices={"1": "60000", "2": "100"})
    seen = await api.ask("POST", PATH + "/apply-preview", role="read_only")
    assert seen == {"deals": 3, "reasons": {"fires": 1, "not_met": 2}, "not_known": 1}
    assert (await api.ask("GET", "{a}/firings"))["items"] == []
    assert (await api.ask("POST", PATH + "/apply", status=409))["code"] == "trigger-off"


async def test_case_6_pressed_twice_and_by_two_at_once_it_fires_once_for_each_deal(api: Api) -> None:
    await switched_on(api)
    await in_stage(api, "1", "2", "3")
    pressed = await asyncio.gather(*(api.ask("POST", PATH + "/apply", status=202) for _ in range(4)))
    assert len({work["id"] for work in pressed}) == 1
    assert (await applied(api))["result"] == {"deals": 3, "fired": 3, "already": 0}
    assert (await api.ask("POST", PATH + "/apply", status=202))["id"] == pressed[0]["id"]
    firings = (await api.ask("GET", "{a}/firings"))["items"]
    assert sorted(f["deal"] for f in firings) == ["1", "2", "3"]
    assert len({f["cause_key"] for f in firings}) == 1


async def test_whoever_changed_the_trigger_since_means_another_press(api: Api) -> None:
    await switched_on(api)
    await in_stage(api, "1")
    first = await api.ask("POST", PATH + "/apply", status=202)
    seen = (await api.ask("GET", PATH))["trigger"]
    await api.ask("PUT", PATH, body={**seen, "position": 7})
    assert (await api.ask("POST", PATH + "/apply", status=202))["id"] != first["id"]


async def test_case_6_work_that_is_taken_again_after_a_kill_fires_for_the_rest_only(api: Api) -> None:
    await switched_on(api)
    await in_stage(api, "1", "2")
    await api.ask("POST", PATH + "/apply", status=202)
    await applied(api)
    await in_stage(api, "3")
    await api.pool.execute("UPDATE long_work SET state = 'running', heard_at = now() - interval '1 hour'")
    assert (await applied(api))["result"] == {"deals": 3, "fired": 1, "already": 2}


async def test_a_template_that_a_trigger_rings_is_not_removed_and_belongs_to_who_is_bound_to_it(
    api: Api,
) -> None:
    for name in ("own", "theirs"):
        people = [{"employee_id": "anna"}]
        await api.ask("PUT", f"{{a}}/templates/{name}", body={"name": name, "employees": people})
    rings = {"do": "callback", "connection": "office", "target": {"kind": "template", "name": "theirs"}}
    limits = {"role": "admin", "account": ACCOUNT, "templates": ["own"]}
    made = await api.ask("POST", "/tokens", body={"name": "bound", **limits}, status=201)
    api.tokens["bound"] = made["token"]
    said = await api.ask("PUT", PATH, body={**CALL, "action": rings}, role="bound", status=403)
    assert (said["code"], said["field"]) == ("not-bound", "template")
    await api.ask("PUT", PATH, body={**CALL, "action": rings})
    said = await api.ask("DELETE", "{a}/templates/theirs", status=409)
    assert "trigger big deals" in said["title"] + said["detail"]
    await api.ask("DELETE", PATH, status=204)
    await api.ask("DELETE", "{a}/templates/theirs", status=204)
