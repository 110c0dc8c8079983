"""What calls through a real Asterisk leave in the CRM, heard over AMI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.pbx.between import relay
from tests.e2e.pbx.office import KNOWN_CALLER, NEW_CALLER, OWNER, RESERVE, Office, running_office

pytestmark = pytest.mark.pbx


@pytest.fixture
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    async with running_office(tmp_path, database_url, workers=2) as running:
        await running.listen()
        yield running


async def users(office: Office) -> dict[str, int]:
    """The CRM's users by the part of their e-mail before the @."""
    return {u["email"].partition("@")[0]: u["id"] for u in await office.stack.rows("user")}


async def left_for(office: Office, number: str) -> dict[str, list[dict[str, Any]]]:
    """What the CRM holds of this client."""
    stack = office.stack
    contacts = await stack.rows("contact", phone=number.removeprefix("+"))
    ids = {c["id"] for c in contacts}
    deals = [d for d in await stack.rows("deal") if ids & set(d["contacts"])]
    ids |= {d["id"] for d in deals}
    return {
        "contacts": contacts,
        "deals": deals,
        "tasks": [t for t in await stack.rows("task") if t["entity_id"] in ids],
        "calls": [n for n in await stack.rows("call") if n["entity_id"] in ids],
    }


async def test_an_unanswered_call_of_a_new_number_leaves_one_contact_one_deal_and_one_task_on_the_senior(
    office: Office,
) -> None:
    with office.phones("phone_rings") as phones, office.call(NEW_CALLER, talk_ms=800, gives_up=True) as call:
        assert await asyncio.to_thread(call.finish) == 0
        assert [m.user for m in phones.invited()] == [RESERVE]
    await office.until_calls(lambda rows: len(rows) == 1 and rows[0]["is_over"])
    await office.stack.until_idle()
    found = await left_for(office, NEW_CALLER)
    senior = (await users(office))["senior100"]
    assert [len(found[kind]) for kind in ("contacts", "deals", "tasks")] == [1, 1, 1], found
    assert found["tasks"][0]["responsible_user_id"] == senior
    assert found["deals"][0]["responsible_user_id"] == senior
    assert await office.stack.busiest_second() <= 7


async def test_an_answered_call_of_a_new_number_leaves_one_contact_one_deal_and_one_note_of_who_answered(
    office: Office,
) -> None:
    # Manager 103 is the reserve here, so that who answered is told apart from the senior manager.
    with office.asking(RESERVE="PJSIP/103"), office.phones() as phones:
        with office.call(NEW_CALLER, talk_ms=2300) as call:
            assert await asyncio.to_thread(call.finish) == 0
        assert [m.user for m in phones.invited()] == ["103"]
    await office.until_calls(lambda rows: len(rows) == 1 and rows[0]["is_over"])
    await office.stack.until_idle()
    found = await left_for(office, NEW_CALLER)
    manager = (await users(office))["manager103"]
    assert [len(found[kind]) for kind in ("contacts", "deals", "tasks", "calls")] == [1, 1, 0, 1], found
    note = found["calls"][0]
    assert note["created_by"] == manager
    assert note["note_type"] == "call_in"
    assert note["params"]["duration"] in (2, 3)
    assert found["contacts"][0]["responsible_user_id"] == manager
    assert found["deals"][0]["responsible_user_id"] == manager


async def test_a_missed_call_of_a_known_client_leaves_a_task_on_its_owner_only(office: Office) -> None:
    with office.phones("phone_rings"), office.call(KNOWN_CALLER, talk_ms=800, gives_up=True) as call:
        assert await asyncio.to_thread(call.finish) == 0
    await office.until_calls(lambda rows: len(rows) == 1 and rows[0]["is_over"])
    await office.stack.until_idle()
    found = await left_for(office, KNOWN_CALLER)
    assert [len(found[kind]) for kind in ("contacts", "deals", "tasks")] == [1, 0, 1], found
    assert found["tasks"][0]["responsible_user_id"] == (await users(office))[f"manager{OWNER}"]


async def test_an_outbound_call_that_was_answered_is_attached_to_the_client(office: Office) -> None:
    # The provider is at the same address as the phones.
    with office.phones(), office.call("103", to=KNOWN_CALLER.removeprefix("+"), talk_ms=1500) as call:
        assert await asyncio.to_thread(call.finish) == 0
    rows = await office.until_calls(lambda rows: len(rows) == 1 and rows[0]["is_over"])
    await office.stack.until_idle()
    found = await left_for(office, KNOWN_CALLER)
    assert [n["note_type"] for n in found["calls"]] == ["call_out"], (found, [dict(r) for r in rows])
    assert found["calls"][0]["created_by"] == (await users(office))["manager103"]
    assert found["tasks"] == []


async def test_a_call_between_phones_leaves_nothing(office: Office) -> None:
    with office.phones(), office.call("103", to="104", talk_ms=500) as call:
        assert await asyncio.to_thread(call.finish) == 0
    await office.until_report(
        lambda body: body["events"] > 0 and body["live_calls"] == 0 and body["waiting"] == 0
    )
    await office.stack.until_idle()
    assert [len(await office.stack.rows(kind)) for kind in ("task", "call")] == [0, 0]


async def test_a_call_that_ended_while_the_link_was_down_is_closed_when_it_is_back(
    tmp_path: Path, database_url: str
) -> None:
    async with (
        running_office(tmp_path, database_url, workers=1) as office,
        relay(office.asterisk.ami_port) as between,
    ):
        await office.listen(between.port)
        with office.phones(), office.call(NEW_CALLER, talk_ms=3000) as call:
            await office.until_calls(lambda rows: len(rows) == 1 and rows[0]["answered_at"] is not None)
            between.cut()
            assert await asyncio.to_thread(call.finish) == 0
        assert not (await office.until_calls(lambda rows: len(rows) == 1))[0]["is_over"]
        between.is_open = True
        await office.until_calls(lambda rows: len(rows) == 1 and rows[0]["is_over"])
        told = await office.until_report(lambda body: bool(body.get("connected") and body["absences"]))
        assert told["absences"][-1]["seconds"] > 0.5
        assert told["reconnects"] == 1
        await office.stack.until_idle()
        found = await left_for(office, NEW_CALLER)
        assert [len(found[kind]) for kind in ("contacts", "deals", "calls")] == [1, 1, 1], found


async def test_another_worker_listens_when_the_one_that_did_is_killed(office: Office) -> None:
    listening = await _listening_worker(office)
    listening.kill()
    killed_at = (await office.report())["connected_at"]
    await office.until_report(lambda body: bool(body["connected"]) and body["connected_at"] != killed_at)
    with office.phones("phone_rings"), office.call(NEW_CALLER, talk_ms=600, gives_up=True) as call:
        assert await asyncio.to_thread(call.finish) == 0
    await office.until_calls(lambda rows: len(rows) == 1 and rows[0]["is_over"])
    assert (await office.report())["absences"], "that nobody listened for a while is told"


async def _listening_worker(office: Office) -> Any:
    workers = [p for p in office.stack.processes if p.name.startswith("worker")]
    said = [p for p in workers if "ami-connected" in p.log.read_text()]
    assert len(said) == 1, "one worker listens, the other waits"
    return said[0]
