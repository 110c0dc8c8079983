"""Calls as people make them, on a real Asterisk: picked up, held in a room, transferred, clicked. Each is looked for in the
journal and in the CRM."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.e2e.pbx.sip_phone import BUSY, RINGS, Manner, Talk
from tests.e2e.pbx.stage import Stage, running_stage

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="module")]

PHONE, QUEUE, ROOM, STASIS = "74950000002", "74950000003", "74950000004", "74950000005"
CONFIGURATION = {
    "extensions.conf": f"""
[from-outside](+)
exten => {PHONE},1,Dial(PJSIP/101,30,tT)
exten => {QUEUE},1,Answer()
 same => n,Queue(direct,t,,,30)
exten => {ROOM},1,Answer()
 same => n,ConfBridge(77)
exten => {STASIS},1,Answer()
 same => n,Stasis(callmatrix-test)
[from-inside](+)
exten => 77,1,Answer()
 same => n,ConfBridge(77)
exten => _**XXX,1,PickupChan(PJSIP/${{EXTEN:2}})
exten => _98XXXXXXXXXX,1,Dial(PJSIP/7${{EXTEN:2}}@provider,30,T)
[click]
exten => _X.,1,Dial(PJSIP/${{EXTEN}}@provider,4,T)
exten => failed,1,NoOp(${{REASON}})
""",
    "features.conf": "[general]\npickupexten=*8\n[featuremap]\natxfer=*2\nblindxfer=#1\n",
    "queues.conf": "[direct]\nstrategy=ringall\ntimeout=20\nmember => PJSIP/101\nmember => PJSIP/102\n",
    "confbridge.conf": "[default_user]\ntype=user\nquiet=yes\n[default_bridge]\ntype=bridge\n",
    "ari.conf": "[general]\nenabled=yes\n[test]\ntype=user\npassword=of-the-test\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("scenes")
    async with running_stage(postgres_url, template_database, folder, CONFIGURATION) as stage:
        yield stage


@pytest.fixture(autouse=True)
def _recorded(stage: Stage, request: pytest.FixtureRequest) -> Any:
    with stage.link.recording(request.node.name):
        yield


@pytest.mark.parametrize("key", ["*8", "**101"])
async def test_a_call_that_a_colleague_picks_up_is_hers(stage: Stage, key: str) -> None:
    stage.phones.behave({"101": RINGS})
    client = stage.client()
    caller = stage.phones.call(client, PHONE)
    await stage.phones.rung("101")
    await stage.phones.call("103", key).until_up()
    await asyncio.sleep(2)
    await caller.hang_up()
    call = await stage.answered_by(client, "103")
    assert call["talk_seconds"] in (1, 2, 3)


async def test_a_call_behind_a_queue_is_picked_up(stage: Stage) -> None:
    stage.phones.behave({"101": RINGS, "102": RINGS})
    client = stage.client()
    caller = stage.phones.call(client, QUEUE)
    await stage.phones.rung("101")
    await stage.phones.rung("102")
    await stage.phones.call("103", "*8").until_up()
    await asyncio.sleep(2)
    await caller.hang_up()
    await stage.answered_by(client, "103")


async def test_a_member_of_a_queue_is_known_by_the_phone(stage: Stage) -> None:
    stage.phones.behave({"101": RINGS, "102": Manner(1)})
    client = stage.client()
    caller = stage.phones.call(client, QUEUE)
    await stage.phones.answered("102")
    await asyncio.sleep(2)
    await caller.hang_up()
    await stage.answered_by(client, "102")


async def test_two_clients_in_a_room_are_both_talked_to(stage: Stage) -> None:
    stage.phones.behave({})
    first, second = stage.client(), stage.client()
    one = await stage.phones.call(first, ROOM).until_up()
    await asyncio.sleep(0.5)
    host = await stage.phones.call("101", "77").until_up()
    await asyncio.sleep(1)
    other = await stage.phones.call(second, ROOM).until_up()
    await asyncio.sleep(2)
    await one.hang_up()
    await asyncio.sleep(1)
    await other.hang_up()
    await host.hang_up()
    assert (await stage.answered_by(first, "101"))["talk_seconds"] in (2, 3, 4)
    assert (await stage.answered_by(second, "101"))["talk_seconds"] in (2, 3, 4)


async def _ask_for(first: Talk, colleague: str) -> None:
    """A consultation by feature code, after a second of talk."""
    await asyncio.sleep(1)
    await first.press("*2")
    await asyncio.sleep(0.7)
    await first.press(colleague)


async def test_an_attended_transfer_by_code(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.client()
    caller = stage.phones.call(client, PHONE)
    first = await stage.phones.answered("101")
    await _ask_for(first, "102")
    await stage.phones.answered("102")
    await asyncio.sleep(1)
    await first.hang_up()
    await asyncio.sleep(2)
    await caller.hang_up()
    await stage.answered_by(client, "101", "102")


async def test_a_transfer_that_is_refused_stays_with_who_has_the_call(stage: Stage) -> None:
    stage.phones.behave({"103": BUSY})
    client = stage.client()
    caller = stage.phones.call(client, PHONE)
    first = await stage.phones.answered("101")
    await _ask_for(first, "103")
    await stage.phones.rung("103")
    await asyncio.sleep(3)
    await caller.hang_up()
    call = await stage.call(client)
    assert (call["direction"], call["disposition"]) == ("inbound", "answered")
    assert {talk["party"] for talk in call["talks"]} == {"101"}


@pytest.mark.parametrize("is_attended", [False, True])
async def test_a_transfer_by_the_phones_own_key(stage: Stage, *, is_attended: bool) -> None:
    stage.phones.behave({})
    client = stage.client()
    caller = stage.phones.call(client, PHONE)
    first = await stage.phones.answered("101")
    await asyncio.sleep(1)
    if is_attended:
        consultation = await stage.phones.call("101", "102").until_up()
        await asyncio.sleep(1)
        first.transfer("102", instead_of=consultation)
    else:
        first.transfer("102")
    await stage.phones.answered("102")
    await asyncio.sleep(2.5)
    await caller.hang_up()
    await stage.answered_by(client, "101", "102")


async def test_a_click_to_call_counts_when_the_client_answers(stage: Stage) -> None:
    stage.phones.behave({"101": Manner(0.5)})
    client = stage.known()
    stage.phones.manners[client] = Manner(1.5)
    await stage.originate("Local/101@from-inside/n", client)
    talk = await stage.phones.answered(client)
    await asyncio.sleep(2)
    await talk.hang_up()
    call = await stage.call(client)
    assert (call["direction"], call["disposition"]) == ("outbound", "answered"), call
    assert call["talk_seconds"] in (1, 2, 3), "from the client's answer, 1.5 s after the employee's"
    assert [t["party"] for t in call["talks"]] == ["101"]
    (note,) = (await stage.crm.left(client)).calls
    assert (note["note_type"], note["created_by"]) == ("call_out", stage.crm.user(101))


@pytest.mark.parametrize(
    ("employee", "side"), [(Manner(0.3), "client_not_reached"), (BUSY, "employee_not_reached")]
)
async def test_a_click_to_call_that_reached_nobody_leaves_the_missed_call_open(
    stage: Stage, employee: Manner, side: str
) -> None:
    stage.phones.behave({"101": RINGS})
    client = stage.known()
    missed = stage.phones.call(client, PHONE)
    await stage.phones.rung("101")
    missed.give_up()
    await stage.call(client)
    stage.phones.behave({"101": employee, client: RINGS})
    await stage.originate("Local/101@from-inside/n", client)
    calls = sorted(await stage.calls(client, 2), key=lambda c: c["started_at"])
    assert [(c["direction"], c["failed_side"]) for c in calls] == [("inbound", None), ("outbound", side)]
    (task,) = (await stage.crm.left(client)).tasks
    assert not task["is_completed"]
    cases = await stage.office.stack.pool.fetch(
        "SELECT state FROM missed_case WHERE client = $1", f"+{client}"
    )
    assert [row["state"] for row in cases] == ["open"]


async def test_an_originate_that_fails_is_no_call(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.client()
    await stage.originate("PJSIP/199", client)  # no such endpoint: only the pseudo channel ever exists
    await stage.link.until_said("OutgoingSpoolFailed")
    await asyncio.sleep(1)
    rows = await stage.office.stack.pool.fetch(
        "SELECT call_id FROM call WHERE client = $1 OR client IS NULL AND direction <> 'internal'",
        f"+{client}",
    )
    assert rows == []


async def test_a_leg_that_ari_makes_for_a_caller_answers_their_call(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.client()
    base = f"http://127.0.0.1:{stage.office.asterisk.http_port}/ari"
    login = {"api_key": "test:of-the-test", "app": "callmatrix-test"}
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{base}/events", params=login) as events:
        caller = stage.phones.call(client, STASIS)
        theirs = await _entered(events)
        async with http.post(f"{base}/bridges", params=login) as made:
            bridge = (await made.json())["id"]
        leg = {**login, "endpoint": "PJSIP/101", "originator": theirs}
        async with http.post(f"{base}/channels", params=leg) as made:
            assert made.status == 200, await made.text()
        ours = await _entered(events)
        both = {**login, "channel": f"{theirs},{ours}"}
        async with http.post(f"{base}/bridges/{bridge}/addChannel", params=both) as added:
            assert added.status == 204, await added.text()
        await asyncio.sleep(2)
        await caller.hang_up()
        async with http.delete(f"{base}/channels/{ours}", params=login):
            pass
    await stage.answered_by(client, "101")


async def _entered(events: aiohttp.ClientWebSocketResponse) -> str:
    """The next channel that comes into our application."""
    async with asyncio.timeout(10):
        while True:
            told = await events.receive_json()
            if told["type"] == "StasisStart":
                return str(told["channel"]["id"])


async def test_a_number_dialled_with_an_outside_prefix_is_the_clients(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.known()
    caller = await stage.phones.call("101", f"98{client[1:]}").until_up()
    await asyncio.sleep(2)
    await caller.hang_up()
    call = await stage.call(client)
    assert (call["direction"], call["disposition"], call["answered_by"]) == ("outbound", "answered", "101")
    (note,) = (await stage.crm.left(client)).calls
    assert note["note_type"] == "call_out"
