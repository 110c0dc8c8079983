"""Every kind of PBX over real HTTP: what it asks, what it is answered, and what its events become."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import asyncpg
import pytest

from gateway.health.account_checks import account_findings
from gateway.health.status import installation_status
from gateway.pbx.kinds import KINDS
from tests.integration.pbx.running_gateway import (
    FORM,
    Running,
    add_connection,
    form,
    prepare,
    running_gateway,
)
from tests.unit.gateway.pbx.builders import a_case

KNOWN = "79001234567"  # of 101
UNREACHABLE = "79007654321"  # of somebody without extension
STRANGER = "79990000000"
BEARER = {"Authorization": "Bearer demo"}
TOKEN = {"token": "demo"}


@pytest.fixture
async def pbx(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Running]:
    await prepare(pool)
    for kind in KINDS:
        keys = {"api_key": "demo", "api_salt": "demo"} if kind == "mango" else {}
        await add_connection(pool, kind, kind, keys=keys, dialect=KINDS[kind].default_dialect)
    await add_connection(
        pool,
        "sipgate",
        "generic",
        dialect="sipgate",
        settings={"events_url": "https://gw.example/pbx/sipgate/events?token=demo&x=1"},
    )
    await add_connection(pool, "zammad", "generic", dialect="zammad")
    async with running_gateway(pool, database_url) as running:
        yield running


@pytest.mark.parametrize("kind", list(KINDS))
async def test_every_kind_tells_whose_client_is_calling(pbx: Running, kind: str) -> None:
    status, content_type, body = await pbx.ask(kind, params={"phone": KNOWN, "format": "json", **TOKEN})
    answer = json.loads(body)
    assert (status, content_type) == (200, "application/json")
    assert answer["caller"] == f"+{KNOWN}"
    assert (answer["outcome"], answer["reason"]) == ("manager", "contact_owner")
    assert answer["targets"][0] == {
        "kind": "extension",
        "address": "101",
        "ring_seconds": answer["targets"][0]["ring_seconds"],
    }


@pytest.mark.parametrize("phone", [STRANGER, UNREACHABLE, "", "nonsense", "anonymous"])
async def test_nobody_to_ring_is_an_empty_text_of_status_200(pbx: Running, phone: str) -> None:
    for kind in KINDS:
        status, _, body = await pbx.ask(kind, params={"phone": phone, "format": "text", **TOKEN})
        assert (kind, status, body) == (kind, 200, b"")


@pytest.mark.parametrize("path", ["lookup", "events"])
async def test_every_kind_refuses_a_wrong_secret(pbx: Running, path: str) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {},
        {"params": {"token": "wrong"}},
        {"headers": {"Authorization": "Bearer wrong"}},
    )
    for kind in KINDS:
        for request in wrong:
            status, _, _ = await pbx.tell(kind, path, **request)
            assert (kind, status) == (kind, 401)
    assert await pbx.stored() == []


async def test_a_connection_that_does_not_exist_is_told_the_same_as_a_wrong_secret(pbx: Running) -> None:
    assert await pbx.ask("nothing", headers=BEARER) == await pbx.ask("generic", params={"token": "wrong"})


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"params": {"caller": KNOWN, "format": "ringostat_text", **TOKEN}}, b"101"),
        ({"params": {"caller": STRANGER, "format": "ringostat_text", **TOKEN}}, b""),
        ({"params": {"caller": KNOWN, "format": "ringostat", **TOKEN}}, b'{"destination":"101"}'),
        ({"params": TOKEN, "json": {"caller": KNOWN, "format": "text"}}, b"101"),
        ({"params": TOKEN, "json": {"method": "x", "params": {"E164": KNOWN}, "format": "text"}}, b"101"),
    ],
    ids=["http", "http, nobody", "json", "object", "json-rpc"],
)
async def test_ringostats_webhook_number_is_answered_in_its_formats(
    pbx: Running, request_: dict[str, Any], expected: bytes
) -> None:
    for method in ("GET", "POST"):
        status, _, body = await pbx.ask("ringostat", method, **request_)
        assert (status, body) == (200, expected)


async def test_ringostats_plain_answer_carries_its_key_as_well(pbx: Running) -> None:
    _, _, body = await pbx.ask("ringostat", params={"caller": KNOWN, **TOKEN})
    assert json.loads(body)["destination"] == "101"


async def test_sipgates_new_call_is_stored_and_answered_with_whom_to_dial(pbx: Running) -> None:
    fields = {"event": "newCall", "from": KNOWN, "to": "74951234567", "direction": "in", "callId": "c1"}
    status, content_type, body = await pbx.tell("sipgate", params=TOKEN, **form(**fields))
    response = ElementTree.fromstring(body)
    assert (status, content_type) == (200, "application/xml")
    assert response.findtext("Dial/Number") == "101"
    assert response.get("onHangup") == "https://gw.example/pbx/sipgate/events?token=demo&x=1"
    ((event,),) = await pbx.stored()
    assert (event["kind"], event["call_key"], event["client"]) == ("started", "c1", KNOWN)


async def test_sipgates_unknown_caller_carries_on_and_is_still_followed(pbx: Running) -> None:
    fields = {"event": "newCall", "from": STRANGER, "to": "74951234567", "direction": "in", "callId": "c1"}
    _, _, body = await pbx.tell("sipgate", params=TOKEN, **form(**fields))
    response = ElementTree.fromstring(body)
    assert response.find("Dial") is None
    assert response.get("onAnswer") is not None


async def test_sipgates_outbound_call_is_not_sent_elsewhere(pbx: Running) -> None:
    fields = {"event": "newCall", "from": "74951234567", "to": KNOWN, "direction": "out", "callId": "c1"}
    _, _, body = await pbx.tell("sipgate", params=TOKEN, **form(**fields))
    assert ElementTree.fromstring(body).find("Dial") is None


async def test_repeated_new_call_is_answered_again_and_stored_once(pbx: Running) -> None:
    fields = {"event": "newCall", "from": KNOWN, "to": "74951234567", "direction": "in", "callId": "c1"}
    bodies = [(await pbx.tell("sipgate", params=TOKEN, **form(**fields)))[2] for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert len(await pbx.stored()) == 1


@pytest.mark.parametrize("name", ["newCall", "answer", "hangup"])
async def test_sipgates_documented_pushes_are_taken(pbx: Running, name: str) -> None:
    status, content_type, body = await pbx.tell(
        "sipgate",
        params=TOKEN,
        data=a_case("generic", "sipgate")[name],
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (status, content_type) == (200, "application/xml")
    assert ElementTree.fromstring(body).tag == "Response"
    assert len(await pbx.stored()) == 1


async def test_zammads_new_call_is_answered_with_an_action_and_other_events_with_none(pbx: Running) -> None:
    told = {"event": "newCall", "from": KNOWN, "to": "74951234567", "direction": "in", "callId": "z1"}
    _, _, body = await pbx.tell("zammad", params=TOKEN, json=told)
    assert json.loads(body) == {"action": "dial", "number": "101"}
    _, _, body = await pbx.tell("zammad", params=TOKEN, json={**told, "event": "hangup", "cause": "cancel"})
    assert json.loads(body) == {}
    kinds = [event["kind"] for events in await pbx.stored() for event in events]
    assert kinds == ["started", "ended"]


async def test_generic_events_are_acknowledged_in_the_contracts_words(pbx: Running) -> None:
    told = {"event": "newCall", "from": KNOWN, "to": "74951234567", "direction": "in", "callId": "g1"}
    first = await pbx.tell("generic", json=told, headers=BEARER)
    again = await pbx.tell("generic", json=told, headers=BEARER)
    assert json.loads(first[2]) == {"accepted": True, "duplicate": False}
    assert json.loads(again[2]) == {"accepted": True, "duplicate": True}


async def test_an_unreadable_event_names_its_field(pbx: Running) -> None:
    status, content_type, body = await pbx.tell(
        "generic", json={"event": "dance", "callId": "g1"}, headers=BEARER
    )
    assert (status, content_type) == (400, "application/problem+json")
    assert json.loads(body)["field"] == "event"


@pytest.mark.parametrize("name", ["webhooks_2_json", "nested_json"])
async def test_ringostats_webhooks_become_events(pbx: Running, name: str) -> None:
    told = a_case("ringostat", "webhooks")[name]
    status, _, body = await pbx.tell("ringostat", "events/after", params=TOKEN, json=told)
    assert (status, json.loads(body)) == (200, {"accepted": True, "duplicate": False})
    ((event,),) = await pbx.stored()
    assert (event["kind"], event["client"]) == ("summary", "380671112233")


async def test_ringostats_webhook_in_the_url_becomes_an_event(pbx: Running) -> None:
    query = a_case("ringostat", "webhooks")["classic_query"]
    status, _, _ = await pbx._request("GET", f"/pbx/ringostat/events/after?{query}")
    assert status == 200
    ((event,),) = await pbx.stored()
    assert (event["kind"], event["call_key"]) == ("summary", "ua-1795262400.101")


@pytest.mark.parametrize("path", ["events/call", "events/vpbx/events/call"])
async def test_mangos_signed_notification_becomes_an_event(pbx: Running, path: str) -> None:
    status, _, _ = await pbx.notify("mango", path, a_case("mango", "notifications")["appeared"])
    ((event,),) = await pbx.stored()
    assert (status, event["kind"], event["call_key"]) == (200, "started", "MTIzNDU2")


async def test_mangos_wrong_signature_is_refused(pbx: Running) -> None:
    told = a_case("mango", "notifications")["appeared"]
    assert (await pbx.notify("mango", "events/call", told, salt="other"))[0] == 401
    assert await pbx.stored() == []


async def test_mangos_result_of_a_command_is_taken(pbx: Running) -> None:
    told = a_case("mango", "notifications")["result"]
    assert (await pbx.notify("mango", "result/route", told))[0] == 200
    (row,) = await pbx.until("SELECT * FROM pbx_command")
    assert (row["command_id"], row["state"], row["code"]) == ("c-1", "done", 1000)


async def test_freeswitch_is_given_a_dialplan_or_told_that_there_is_none(pbx: Running) -> None:
    asked = {
        "section": "dialplan",
        "Caller-Caller-ID-Number": KNOWN,
        "Caller-Destination-Number": "74951234567",
    }
    _, content_type, body = await pbx.ask("freeswitch", "POST", params=TOKEN, **form(**asked))
    bridges = [
        a.get("data") for a in ElementTree.fromstring(body).iter("action") if a.get("application") == "bridge"
    ]
    assert content_type == "text/xml"
    assert len(bridges) == 1
    assert str(bridges[0]).endswith("user/101")
    asked["Caller-Caller-ID-Number"] = STRANGER
    _, _, body = await pbx.ask("freeswitch", "POST", params=TOKEN, **form(**asked))
    result = ElementTree.fromstring(body).find("section/result")
    assert result is not None
    assert result.get("status") == "not found"


async def test_freeswitchs_report_becomes_an_event(pbx: Running) -> None:
    told = a_case("freeswitch", "json_cdr")
    report = told if "variables" in told else next(v for v in told.values() if isinstance(v, dict))
    status, _, _ = await pbx.tell("freeswitch", params=TOKEN, json=report)
    assert status == 200
    assert any(event["kind"] == "summary" for events in await pbx.stored() for event in events)


async def test_kamailio_is_given_routes_or_none(pbx: Running) -> None:
    _, _, body = await pbx.ask("kamailio", params={"phone": KNOWN}, headers=BEARER)
    assert [route["uri"] for route in json.loads(body)["routes"]] == ["sip:101@127.0.0.1"]
    _, _, body = await pbx.ask("kamailio", params={"phone": STRANGER}, headers=BEARER)
    assert json.loads(body)["routes"] == []


async def test_asterisks_dialplan_is_answered_and_its_events_are_taken(pbx: Running) -> None:
    _, _, body = await pbx.ask("asterisk", params={"phone": f"+{KNOWN}", "format": "text"}, headers=BEARER)
    assert body == b"101"
    told = form(event="newCall", callId="a1", **{"from": KNOWN, "to": "74951234567", "direction": "in"})
    status, _, _ = await pbx.tell("asterisk", data=told["data"], headers={**told["headers"], **BEARER})
    assert status == 200
    assert len(await pbx.stored()) == 1


async def test_what_was_answered_can_be_explained(pbx: Running) -> None:
    fields = {"event": "newCall", "from": KNOWN, "to": "74951234567", "direction": "in", "callId": "c1"}
    await pbx.tell("sipgate", params=TOKEN, **form(**fields))
    (row,) = await pbx.until("SELECT * FROM decision WHERE kind = 'lookup'")
    assert (row["client"], row["reason"]) == (f"+{KNOWN}", "contact_owner")


async def test_one_bad_byte_costs_its_field_only_and_is_told(pbx: Running) -> None:
    body = f"event=newCall&callId=g1&from={KNOWN}&to=74951234567&direction=in&at=soon&utm_term=%EC%E5"
    status, _, answer = await pbx.tell("generic", data=body.encode(), headers={**BEARER, **FORM})
    assert (status, json.loads(answer)) == (200, {"accepted": True, "duplicate": False})
    ((event,),) = await pbx.stored()
    assert (event["call_key"], event["client"], event["direction"]) == ("g1", KNOWN, "inbound")
    now = datetime.now(UTC)
    (account,) = (await installation_status(pbx.pool, now)).accounts
    (connection,) = [c for c in account.connections if c.name == "generic"]
    assert (connection.spoilt_messages, set(connection.spoilt_fields)) == (1, {"at", "utm_term"})
    told = [f for f in account_findings(account, now) if f.code == "connection-spoilt"]
    assert len(told) == 1
    counted = {name: value for _, name, _, _, value in pbx.gateway.events.samples()}
    assert counted["events_spoilt"] == 1


async def test_a_compressed_event_is_told_that_it_cannot_be_read(pbx: Running) -> None:
    packed = gzip.compress(b'{"event":"newCall","callId":"g1"}')
    status, content_type, _ = await pbx.tell(
        "generic",
        data=packed,
        headers={**BEARER, "Content-Encoding": "gzip", "Content-Type": "application/json"},
    )
    assert (status, content_type) == (415, "application/problem+json")
    assert await pbx.stored() == []
