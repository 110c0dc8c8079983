"""Webhooks: registering, delivery as a PHP form, retries, switching off."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crm.sandbox import seed
from tests.integration.sandbox.client import Api
from tests.integration.sandbox.receiver import Receiver

LEAD = seed.LEADS + 3
QUICK = {"webhook_delays": [0.02, 0.02, 0.02, 0.02]}


async def register(api: Api, url: str, *settings: str) -> Any:
    answer = await api.post("webhooks", {"destination": url, "settings": list(settings)})
    assert answer.status == 201, answer.body
    return answer.body


async def test_status_change_arrives_as_a_form_with_the_old_status(api: Api) -> None:
    async with Receiver() as receiver:
        await register(api, receiver.url, "status_lead")
        await api.patch(f"leads/{LEAD}", {"status_id": 142, "pipeline_id": seed.PIPELINE})
        [form] = await receiver.count(1)
    assert form["leads[status][0][id]"] == str(LEAD)
    assert form["leads[status][0][old_status_id]"] == str(seed.OPEN_STAGES[0])
    assert form["account[id]"] == "31000001"


async def test_only_what_was_asked_for_is_delivered_and_companies_come_as_contacts(api: Api) -> None:
    async with Receiver() as receiver:
        await register(api, receiver.url, "add_company")
        await api.make("contacts", name="no")
        await api.make("companies", name="yes")
        [form] = await receiver.count(1)
    assert (form["contacts[add][0][name]"], form["contacts[add][0][type]"]) == ("yes", "company")


async def test_acts_of_a_person_are_delivered_too(api: Api) -> None:
    async with Receiver() as receiver:
        await register(api, receiver.url, "delete_lead", "responsible_lead")
        act = {"do": "set_responsible", "kind": "deal", "id": LEAD, "user": seed.manager(110)}
        await api.control("act", act)
        await api.control("act", {"do": "delete", "kind": "deal", "id": LEAD})
        forms = await receiver.count(2)
    keys = {key for form in forms for key in form}
    assert {"leads[delete][0][id]", "leads[responsible][0][old_responsible_user_id]"} <= keys


@pytest.mark.parametrize(("status", "attempts"), [(404, 3), (500, 5), (499, 5)])
async def test_failures_are_repeated_as_the_vendor_does(api: Api, status: int, attempts: int) -> None:
    await api.control("profile", QUICK)
    async with Receiver(status) as receiver:
        await register(api, receiver.url, "add_contact")
        await api.make("contacts", name="x")
        await receiver.count(attempts)
        delivery = await finished(api)
    assert (delivery["state"], len(delivery["attempts"])) == ("failed", attempts)


async def finished(api: Api) -> Any:
    async with asyncio.timeout(5):
        while True:
            delivery = (await api.control("deliveries"))["deliveries"][0]
            if delivery["state"] != "waiting":
                return delivery
            await asyncio.sleep(0.01)


async def test_answer_after_the_time_limit_counts_as_none(api: Api) -> None:
    await api.control("profile", {**QUICK, "webhook_timeout": 0.05})
    async with Receiver(200, delay=0.3) as receiver:
        await register(api, receiver.url, "add_contact")
        await api.make("contacts", name="x")
        delivery = await finished(api)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [0, 0, 0]


async def test_too_many_failures_switch_it_off_and_registering_again_switches_it_on(api: Api) -> None:
    await api.control("profile", {**QUICK, "webhook_disable_after": 2})
    async with Receiver(404) as receiver:
        await register(api, receiver.url, "add_contact")
        await api.make("contacts", name="x")
        await finished(api)
        [hook] = (await api.get("webhooks")).body["_embedded"]["webhooks"]
        assert hook["disabled"] is True
        await api.make("contacts", name="y")
        assert len((await api.control("deliveries"))["deliveries"]) == 1
        assert (await api.control("state?kind=webhook"))["rows"][0]["last_delivery"]["status"] == 404
        assert (await register(api, receiver.url, "add_contact"))["disabled"] is False


async def test_slow_receiver_holds_up_nobody_else(api: Api) -> None:
    async with Receiver(delay=1.5) as slow, Receiver() as quick:
        await register(api, slow.url, "add_contact")
        await register(api, quick.url, "add_contact")
        await api.make("contacts", name="x")
        async with asyncio.timeout(1):
            await quick.count(1)


async def test_same_destination_is_overwritten_and_deleted_once(api: Api) -> None:
    url = "https://example.com/hook"
    first = await register(api, url, "add_lead")
    second = await register(api, url, "add_contact")
    assert (first["id"], second["settings"]) == (second["id"], ["add_contact"])
    assert (await api.call("DELETE", "webhooks", {"destination": url})).status == 204
    assert (await api.call("DELETE", "webhooks", {"destination": url})).status == 404
    assert (await api.get("webhooks")).status == 204


async def test_unknown_setting_is_refused(api: Api) -> None:
    answer = await api.post(
        "webhooks", {"destination": "https://example.com", "settings": ["delete_everything"]}
    )
    assert answer.body["validation-errors"][0]["errors"][0]["path"] == "settings.0"


@pytest.mark.parametrize(("switch", "status"), [("plan_402", 402), ("plan_403", 403)])
async def test_plan_without_webhooks_refuses_them(api: Api, switch: str, status: int) -> None:
    await api.control("profile", {"webhooks": switch})
    assert (
        await api.post("webhooks", {"destination": "https://e.com", "settings": ["add_lead"]})
    ).status == status


async def test_only_admins_register(api: Api) -> None:
    api.token = (await api.control(f"token?user={seed.manager(101)}"))["access_token"]
    assert (await api.get("webhooks")).status == 403
    assert (
        await api.post("webhooks", {"destination": "https://e.com", "settings": ["add_lead"]})
    ).status == 403


async def test_the_action_of_a_stage_tells_what_came_in_once_and_shows_the_answer(api: Api) -> None:
    stage = {"pipeline": seed.PIPELINE, "status": seed.OPEN_STAGES[1]}
    async with Receiver(404) as receiver:
        await api.control("act", {"do": "stage_webhooks", **stage, "destinations": [receiver.url]})
        await api.patch(f"leads/{LEAD}", {"status_id": stage["status"], "pipeline_id": seed.PIPELINE})
        await api.patch(f"leads/{LEAD}", {"status_id": seed.OPEN_STAGES[0], "pipeline_id": seed.PIPELINE})
        await api.make("leads", name="x", status_id=stage["status"], pipeline_id=seed.PIPELINE)
        moved, made = await receiver.count(2)
        delivery = await finished(api)
    assert (moved["leads[status][0][id]"], moved["leads[status][0][old_status_id]"]) == (
        str(LEAD),
        str(seed.OPEN_STAGES[0]),
    )
    assert made["leads[status][0][pipeline_id]"] == str(seed.PIPELINE)
    assert (delivery["state"], len(delivery["attempts"])) == ("failed", 1)
    assert "answer" in delivery["attempts"][0]
    await api.control("act", {"do": "stage_webhooks", **stage, "destinations": []})
    await api.make("leads", name="y", status_id=stage["status"], pipeline_id=seed.PIPELINE)
    assert len((await api.control("deliveries"))["deliveries"]) == 2
