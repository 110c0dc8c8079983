"""Texts over the API: how one would read, one that is sent to try, what went out; and the door at which providers report."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from yarl import URL

from crm.port import CrmEntity
from crm.store.directory import apply_entities
from gateway.store.triggers.triggers import save_trigger
from routing.settings import NumberPolicy
from routing.triggers.model import Trigger
from runtime.vendors.mango_signing import signed_form
from tests.fakes.sms.smsc import FakeSmsc
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix

NOW = datetime.now(UTC)
SMSC = {"name": "texts", "kind": "smsc", "keys": {"password": "hush", "report_secret": "report-secret"}}
TEXT = {
    "do": "sms",
    "provider": "texts",
    "template": "{{maincontact.first_name}}, «{{deal.name}}» {{deal.price}}",
    "to": {"client": True, "responsible": True, "employees": ["anna"]},
}


@pytest.fixture
async def deal(api: Api) -> None:
    deal = CrmEntity(
        kind="deal", id="7", name="Кухня", owner_id="1", pipeline_id="1", stage_id="20", contact_ids=("70",),
        main_contact_id="70", updated_at=NOW, created_at=NOW,
    )  # fmt: skip
    contact = CrmEntity(
        kind="contact", id="70", name="Олег Петров", numbers=("+79161234567",), updated_at=NOW
    )
    async with api.pool.acquire() as conn, conn.transaction():
        await apply_entities(conn, ACCOUNT, [contact, deal], NumberPolicy())
    await api.ask("POST", "{a}/sms-connections", body=SMSC, status=201)


async def test_a_preview_says_how_a_text_reads_what_it_costs_and_who_gets_it(
    api: Api, deal: None, database_url: str
) -> None:
    seen = await api.ask("POST", "{a}/sms-previews", body={"deal": "7", "action": TEXT}, role="read_only")
    assert (seen["text"], seen["encoding"], seen["parts"]) == ("Олег, «Кухня»", "ucs2", 1)
    assert seen["odd"] == {"character": "О", "offset": 0}
    assert (seen["empty"], seen["refusal"]) == (["deal.price"], None)
    assert [(r["name"], r["number"], r["why"]) for r in seen["recipients"]] == [
        ("клиент сделки", "+79161234567", None),
        ("Анна", "+79031112233", None),
        ("Ольга", None, "no-mobile"),
    ]
    wrong = {"deal": "7", "action": {**TEXT, "template": "{{deal.nmae}}"}}
    said = await api.ask("POST", "{a}/sms-previews", body=wrong, status=400)
    assert (said["field"], "deal.name" in said["title"] + said["detail"]) == ("template", True)
    long = {"deal": "99", "action": {**TEXT, "template": "я" * 300, "max_parts": 2}}
    seen = await api.ask("POST", "{a}/sms-previews", body=long)
    assert (seen["is_known"], seen["refusal"], seen["parts"]) == (False, "too-long", 5)
    async with api.pool.acquire() as conn, conn.transaction():
        trigger = {"name": "t", "pipeline_id": "1", "events": [{"on": "won"}], "action": TEXT}
        await save_trigger(conn, ACCOUNT, Trigger.model_validate(trigger), "test")
    shown = await callmatrix(database_url, *["sms", "preview", "t", "7", "--account", "main", "--json"])
    assert json.loads(shown.stdout)["text"] == "Олег, «Кухня»"
    unknown = await callmatrix(database_url, *["sms", "preview", "t", "99", "--account", "main"])
    assert unknown.stdout.startswith("Deal 99 is not known here")


async def test_a_test_is_queued_listed_and_settled_by_a_signed_report_only(api: Api, deal: None) -> None:
    body = {"number": "8 916 123-45-67", "text": "Проверка"}
    sent = await api.ask("POST", "{a}/sms-connections/texts/test", body=body, status=202)
    assert (sent["state"], sent["number"], sent["item"]) == ("queued", "+79161234567", None)
    landline = await api.ask(
        "POST", "{a}/sms-connections/texts/test", body={**body, "number": "84951234567"}, status=400
    )
    assert (landline["field"], landline["title"]) == ("number", "+74951234567 is no mobile's number")
    for wrong in ({**body, "number": "abc"}, {**body, "text": " "}):
        await api.ask("POST", "{a}/sms-connections/texts/test", body=wrong, status=400)
    await api.pool.execute("UPDATE sms_message SET state = 'sending', claimed_at = now()")
    address = (await api.ask("GET", "{a}/sms-connections/texts/report-address"))["url"]
    path = "/sms/" + address.partition("/sms/")[2]
    report = _report(sent["id"])
    assert await _told(api, path, {**report, "md5": "0" * 32, "sha1": "0" * 40}) == 404
    assert await _told(api, path[:-1] + "?", report) == 404
    assert await _told(api, path.replace("/main/", "/other/"), report) == 404
    assert await _told(api, path, {"id": "x"}) in (400, 404)
    assert (await api.ask("GET", f"{{a}}/sms/{sent['id']}"))["state"] == "sending"
    assert await _told(api, path, report) == 200
    [listed] = (await api.ask("GET", "{a}/sms", state="delivered"))["items"]
    assert (listed["id"], listed["message"]) == (sent["id"], "доставлено")
    await api.ask("GET", "{a}/sms", role="read_only", status=403)
    assert (await api.ask("GET", "{a}/sms-incoming"))["items"] == []
    said = "phone=79161234568&mes=%D1%F2%EE%EF&id=21&to=1"  # in windows-1251
    for _ in range(2):
        assert await _told(api, path, said.encode()) == 200
        async with api.http.get(URL(f"{api.url}{path}?{said}", encoded=True)) as response:
            assert response.status == 200
    [came] = (await api.ask("GET", "{a}/sms-incoming"))["items"]
    assert (came["text"], came["is_opt_out"]) == ("Стоп", True)


def _report(own_id: int) -> dict[str, str]:
    fake = FakeSmsc()
    fake.taken.append(type("Sent", (), {"own_id": str(own_id), "number": "79161234567"})())
    return fake.report(str(own_id), 1)


async def _told(api: Api, path: str, form: dict[str, Any] | bytes) -> int:
    async with api.http.post(f"{api.url}{path}", data=form) as response:
        return response.status


async def test_who_may_set_nothing_up_is_told_whom_to_ask(api: Api) -> None:
    await api.ask("POST", "{a}/sms-connections", body=SMSC, status=201)
    test = {"number": "+79161234567", "text": "Проверка"}
    sent = await api.ask("POST", "{a}/sms-connections/texts/test", body=test, status=202)
    await api.pool.execute("UPDATE sms_message SET state = 'rejected', reason = 'no-money'")
    by_role = {
        role: (await api.ask("GET", f"{{a}}/sms/{sent['id']}", role=role))["message"]
        for role in ("admin", "manager")
    }
    assert by_role["admin"].endswith("кончились деньги: пополните счёт")
    assert by_role["manager"].endswith("кончились деньги: счёт пополнит тот, кто отвечает за систему")


async def test_what_mango_tells_at_its_pbx_door_settles_the_message_of_the_same_product(api: Api) -> None:
    keys = {"api_key": "key", "api_salt": "salt"}
    for path, more in (("connections", {"dialect": "json"}), ("sms-connections", {})):
        body = {"name": "vpbx", "kind": "mango", "keys": keys, **more}
        await api.ask("POST", f"{{a}}/{path}", body=body, status=201)
    test = {"number": "+79161234567", "text": "Проверка"}
    sent = await api.ask("POST", "{a}/sms-connections/vpbx/test", body=test, status=202)
    await api.pool.execute("UPDATE sms_message SET state = 'sending', claimed_at = now()")
    states = []
    for name, told in (("result/sms", {"result": 1000}), ("events/sms", {"reason": 1000, "timestamp": 1})):
        form = signed_form("key", "salt", {"command_id": str(sent["id"]), **told})
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        async with api.http.post(f"{api.url}/pbx/vpbx/{name}", data=form, headers=head) as response:
            assert response.status == 200, await response.text()
        states.append((await api.ask("GET", f"{{a}}/sms/{sent['id']}"))["state"])
    assert states == ["accepted", "delivered"]
