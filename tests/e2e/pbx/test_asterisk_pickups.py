"""Between a pick-up and a talk, on a real Asterisk: announcements, questions and delays come between, and phones are mobiles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.pbx.sip_phone import RINGS, Manner
from tests.e2e.pbx.stage import Stage, running_stage

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="module")]

PHONE, ANNOUNCED, DELAYED, FOLLOWED = "74950000002", "74950000003", "74950000004", "74950000005"
MOBILE = "79051110001"
CONFIGURATION = {
    "extensions.conf": f"""
[from-outside](+)
exten => {PHONE},1,Dial(PJSIP/101,30,tT)
exten => {ANNOUNCED},1,Dial(PJSIP/101,30,U(announcement))
exten => {DELAYED},1,Answer()
 same => n,Queue(delayed,t,,,30)
 same => n,Hangup()
exten => {FOLLOWED},1,FollowMe(boss)
 same => n,Hangup()
[announcement]
exten => s,1,Wait(2)
 same => n,Return()
[trunks]
exten => _X.,1,Dial(PJSIP/${{EXTEN}}@provider,60)
[together]
exten => _X.,1,Dial(PJSIP/109&PJSIP/{MOBILE}@provider,20)
[click]
exten => _X.,1,Dial(PJSIP/${{EXTEN}}@provider,6,T)
exten => failed,1,NoOp(${{REASON}})
""",
    "queues.conf": "[delayed]\nstrategy=ringall\ntimeout=20\nmemberdelay=3\nmember => PJSIP/103\n",
    "followme.conf": "[general]\nfeaturedigittimeout=>5000\ntakecall=>1\ndeclinecall=>2\n"
    f"[boss]\ncontext=>trunks\nnumber=>{MOBILE},10\ntakecall=>1\ndeclinecall=>2\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("pickups")
    async with running_stage(postgres_url, template_database, folder, CONFIGURATION) as stage:
        await stage.gives_a_mobile(109, MOBILE)
        yield stage


@pytest.fixture(autouse=True)
def _recorded(stage: Stage, request: pytest.FixtureRequest) -> Any:
    with stage.link.recording(request.node.name):
        yield


async def test_a_talk_begins_after_the_announcement_to_the_employee(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.client()
    caller = stage.phones.call(client, ANNOUNCED)
    await stage.phones.answered("101")
    await asyncio.sleep(4)
    await caller.hang_up()
    call = await stage.answered_by(client, "101")
    assert call["talk_seconds"] in (1, 2)


async def test_a_client_who_leaves_during_the_announcement_is_missed(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.client()
    caller = stage.phones.call(client, ANNOUNCED)
    await stage.phones.answered("101")
    await asyncio.sleep(1)
    caller.give_up()
    call = await stage.missed(client)
    assert call["params"]["not_connected"] == "101"


async def test_a_client_who_leaves_in_a_queues_delay_is_missed(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.client()
    caller = stage.phones.call(client, DELAYED)
    await stage.phones.answered("103")
    await asyncio.sleep(1.5)
    await caller.hang_up()
    await stage.missed(client)


async def test_who_accepts_a_call_on_the_mobile_has_it_from_then_on(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.client()
    caller = stage.phones.call(client, FOLLOWED)
    mobile = await stage.phones.answered(MOBILE, 15)
    await asyncio.sleep(3)
    await mobile.press("1")
    await asyncio.sleep(2)
    await caller.hang_up()
    call = await stage.answered_by(client, MOBILE)
    assert call["talk_seconds"] in (1, 2, 3)


async def test_a_call_that_the_mobiles_own_mailbox_took_is_missed(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.client()
    caller = stage.phones.call(client, FOLLOWED)
    await stage.phones.answered(MOBILE, 15)
    await asyncio.sleep(3)
    await caller.hang_up()
    await stage.missed(client)


@pytest.mark.parametrize(
    "first", [f"PJSIP/{MOBILE}@provider", f"Local/{MOBILE}@trunks/n", "Local/109@together/n"]
)
async def test_a_call_back_from_an_employees_own_mobile_closes_the_case(stage: Stage, first: str) -> None:
    stage.phones.behave({"101": RINGS})
    client = stage.known()
    missed = stage.phones.call(client, PHONE)
    await stage.phones.rung("101")
    missed.give_up()
    await stage.missed(client)
    stage.phones.behave({"109": RINGS, MOBILE: Manner(0.5), client: Manner(1)})
    await stage.originate(first, client)
    talk = await stage.phones.answered(client, 12)
    await asyncio.sleep(2)
    await talk.hang_up()
    _, call = sorted(await stage.calls(client, 2), key=lambda c: c["started_at"])
    assert (call["direction"], call["disposition"]) == ("outbound", "answered"), call
    assert [t["party"] for t in call["talks"]] == [MOBILE]
    assert await stage.cases(client) == ["closed"]
    (note,) = [n for n in (await stage.crm.left(client)).calls if n["note_type"] == "call_out"]
    assert note["created_by"] == stage.crm.user(109)


async def test_a_colleague_who_is_consulted_on_the_mobile_takes_the_call_over(stage: Stage) -> None:
    stage.phones.behave({})
    client = stage.client()
    caller = stage.phones.call(client, PHONE)
    first = await stage.phones.answered("101")
    await asyncio.sleep(1)
    consultation = await stage.phones.call("101", MOBILE).until_up()
    await asyncio.sleep(1)
    first.transfer(MOBILE, instead_of=consultation)
    await asyncio.sleep(2.5)
    await caller.hang_up()
    await stage.answered_by(client, "101", MOBILE)
