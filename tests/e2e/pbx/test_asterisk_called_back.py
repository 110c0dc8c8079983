"""Clients called back through a real Asterisk by the running processes: a deal comes into a stage, the employee's phone rings,
then the client's, and the CRM is told what came of it. However it goes, nobody is called a second time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.e2e.pbx.called_back import EMPLOYEE, FAILED, LINE, SUCCEEDED, CalledBack, running_call_backs
from tests.e2e.pbx.sip_phone import BUSY, RINGS, Manner
from tests.waiting import until

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="module")]

TAKES, DECLINES, THERE_IS_NONE = Manner(), Manner(refuses=603), Manner(refuses=404)
TALKED = [("call_out", 4)]
MISSED, MISSED_BUSY = [("call_out", 6)], [("call_out", 7)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CalledBack]:
    folder = tmp_path_factory.mktemp("calledback")
    async with running_call_backs(postgres_url, template_database, folder) as office:
        yield office


@pytest.fixture(autouse=True)
def _recorded(office: CalledBack, request: pytest.FixtureRequest) -> Any:
    with office.stage.link.recording(request.node.name.removeprefix("test_")):
        yield


class Scene(NamedTuple):
    """side: "<side> <reason>" of the attempt. rung: how often the employee's and the client's phones rang."""

    employee: Manner
    client: Manner
    side: str
    reason: str
    rung: tuple[int, int]
    notes: list[tuple[str, int]]


SCENES = {
    "employee busy": Scene(BUSY, TAKES, "operator busy", "operator", (1, 0), []),
    "employee declines": Scene(DECLINES, TAKES, "operator declined", "operator", (1, 0), []),
    "employee has no phone": Scene(THERE_IS_NONE, TAKES, "operator unreachable", "operator", (1, 0), []),
    "employee does not answer": Scene(RINGS, TAKES, "operator no_answer", "operator", (1, 0), []),
    "client busy": Scene(TAKES, BUSY, "client busy", "client_busy", (1, 1), MISSED_BUSY),
    "client declines": Scene(TAKES, DECLINES, "client declined", "client_declined", (1, 1), MISSED),
    "no such number": Scene(TAKES, THERE_IS_NONE, "client bad_number", "bad_number", (1, 1), MISSED),
    "client does not answer": Scene(TAKES, RINGS, "client no_answer", "client_no_answer", (1, 1), MISSED),
}


@pytest.mark.parametrize("name", SCENES)
async def test_not_reached(office: CalledBack, name: str) -> None:
    """Cases 25 and 26: whose side it was, one task, the stage of what failed, and a note only where the client was rung."""
    scene = SCENES[name]
    number = await office.behave(scene.employee, scene.client)
    deal = await office.begin(number)
    assert await office.ended(deal) == ("failed", scene.reason, [scene.side])
    assert office.rung(number) == scene.rung
    assert await office.told(deal, number) == (FAILED, 1, scene.notes)


async def test_talked_for_a_second(office: CalledBack) -> None:
    """Case 28: the client hangs up first, after a second, and that is a success, told once."""
    number = await office.behave(TAKES, TAKES)
    deal = await office.begin(number)
    await office.both_talk(number)
    await asyncio.sleep(1)
    await (await office.stage.phones.answered(number)).hang_up()
    assert await office.ended(deal) == ("succeeded", "talked", ["talked talked"])
    assert office.rung(number) == (1, 1)
    assert await office.told(deal, number) == (SUCCEEDED, 0, TALKED)


async def test_employee_hangs_up_while_the_client_rings(office: CalledBack) -> None:
    """Case 27, its second half."""
    number = await office.behave(TAKES, RINGS)
    deal = await office.begin(number)
    await office.stage.phones.rung(number, 20)
    await asyncio.sleep(0.5)
    await (await office.stage.phones.answered(EMPLOYEE)).hang_up()
    state, _, [side] = await office.ended(deal)
    assert (state, side) == ("failed", "client cancelled")
    assert office.rung(number) == (1, 1)
    stage, tasks, _ = await office.told(deal, number)
    assert (stage, tasks) == (FAILED, 1)


async def test_client_calls_while_the_employees_phone_rings(office: CalledBack) -> None:
    """Case 21: ours is hung up, theirs is answered, and they are not called besides."""
    number = await office.behave(RINGS, TAKES)
    deal = await office.begin(number)
    await office.stage.phones.rung(EMPLOYEE, 20)
    caller = await office.stage.phones.call(number, LINE.lstrip("+")).until_up(20)
    await asyncio.sleep(1)
    await caller.hang_up()
    await office.stage.office.until_calls(lambda rows: all(row["is_over"] for row in rows))
    await office.look_now(deal)
    assert (await office.ended(deal))[:2] == ("dropped", "spoken_meanwhile")
    assert office.rung(number)[1] == 0


async def test_link_cut_and_back_before_the_end(office: CalledBack) -> None:
    """Case 35: the link is gone as Asterisk has the order; the call goes on, and is heard of again."""
    number = await office.behave(Manner(answers_after=3), TAKES)
    office.relay.cut_after = b"Action: Originate"
    deal = await office.begin(number)
    await office.stage.phones.rung(EMPLOYEE, 20)
    await until(lambda: not office.relay.is_open, "the link is cut")
    await office.is_heard()
    await office.both_talk(number)
    await asyncio.sleep(1)
    await (await office.stage.phones.answered(number)).hang_up()
    assert await office.ended(deal) == ("succeeded", "talked", ["talked talked"])
    assert office.rung(number) == (1, 1)
    assert await office.told(deal, number) == (SUCCEEDED, 0, TALKED)


async def test_link_cut_until_all_is_over(office: CalledBack) -> None:
    """Case 35: of a call of which nothing was heard nobody knows; a person is asked, and nobody is called again."""
    number = await office.behave(TAKES, TAKES)
    office.relay.cut_after = b"Action: Originate"
    deal = await office.begin(number)
    talk = await office.both_talk(number)
    await asyncio.sleep(1)
    await talk.hang_up()
    await office.is_heard()
    await office.item(deal, "dialling")
    await office.age(deal, 11)
    assert await office.ended(deal) == ("unknown", "never_heard_of", ["unknown never_heard_of"])
    assert office.rung(number) == (1, 1)
    stage, tasks, notes = await office.told(deal, number)
    assert (tasks, notes) == (0, []), stage


async def test_asterisk_restarted_while_both_talk(office: CalledBack) -> None:
    """Killed and begun anew: they have talked, and what it is told of nobody twice."""
    number = await office.behave(TAKES, TAKES)
    deal = await office.begin(number)
    await office.both_talk(number)
    await asyncio.sleep(1)
    await office.restart_asterisk()
    assert await office.ended(deal) == ("succeeded", "talked", ["talked talked"])
    assert office.rung(number) == (1, 1)
    assert await office.told(deal, number) == (SUCCEEDED, 0, TALKED)


async def test_asterisk_restarted_while_the_employees_phone_rings(office: CalledBack) -> None:
    """Whether they picked up before it died nobody has heard: a person is asked, and nobody is called again."""
    number = await office.behave(RINGS, TAKES)
    deal = await office.begin(number)
    await office.stage.phones.rung(EMPLOYEE, 20)
    await asyncio.sleep(1)
    await office.restart_asterisk()
    assert await office.ended(deal) == ("unknown", "never_heard_of", ["unknown never_heard_of"])
    assert office.rung(number) == (1, 0)
    item = await office.item(deal, "unknown")
    await office.sales.api("POST", f"outbound/items/{item['id']}/settle", body={"is_reached": False})
    await office.stage.office.stack.until_idle()
    assert (await office.told(deal, number))[:2] == (FAILED, 1)
    assert office.rung(number) == (1, 0)
