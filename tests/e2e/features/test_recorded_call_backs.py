"""Call backs as a real Asterisk carried them out, played again to the running processes: whose side it was, and what the CRM
is told. tests/e2e/pbx/test_asterisk_called_back.py makes them anew on a real one; numbers are invented."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from crm.sandbox.seed import OPEN_STAGES, PIPELINE
from gateway.pbx.asterisk.wire import AmiMessage
from tests.e2e.features.sales import API, NEW, STAGE, Sales, user
from tests.integration.asterisk.fake_ami import FakeAmi, fake_ami
from tests.unit.gateway.pbx.builders import CASES
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOLDER = CASES / "asterisk" / "ordered"
SUCCEEDED, FAILED = 142, OPEN_STAGES[2]
TRIGGER = "through asterisk"


class Ending(NamedTuple):
    """side: "<side> <reason>" of the attempt. cut_at: the links break as Asterisk has said this much, and its phones are gone
    when they are back."""

    recording: str
    state: str
    reason: str
    side: str
    cut_at: bytes = b""


def _failed(recording: str, reason: str, side: str) -> Ending:
    return Ending(recording, "failed", reason, side)


_UNKNOWN = ("unknown", "never_heard_of", "unknown never_heard_of")
ENDINGS = {
    "employee busy": _failed("employee_busy", "operator", "operator busy"),
    "employee declines": _failed("employee_declines", "operator", "operator declined"),
    "employee has no phone": _failed("employee_has_no_phone", "operator", "operator unreachable"),
    "employee does not answer": _failed("employee_does_not_answer", "operator", "operator no_answer"),
    "employee hangs up while the client rings": _failed(
        "employee_hangs_up_while_the_client_rings", "client_no_answer", "client cancelled"
    ),
    "client busy": _failed("client_busy", "client_busy", "client busy"),
    "client declines": _failed("client_declines", "client_declined", "client declined"),
    "client does not answer": _failed("client_does_not_answer", "client_no_answer", "client no_answer"),
    "no such number": _failed("no_such_number", "bad_number", "client bad_number"),
    "talked for a second": Ending("talked_for_a_second", "succeeded", "talked", "talked talked"),
}
CUT = {
    "link cut while the employee's phone rings": Ending("talked_for_a_second", *_UNKNOWN, b"DialEnd"),
    "Asterisk restarted while they talk": Ending(
        "talked_for_a_second", "succeeded", "talked", "talked talked", b"BridgeLeave"
    ),
}
"""Played alone, since every link breaks."""


@dataclass
class PlayedAsterisk:
    """endings: by the digits of the client's number."""

    sales: Sales
    ami: FakeAmi
    endings: dict[str, Ending] = field(default_factory=dict)

    def plays(self, order: AmiMessage) -> bytes:
        """What Asterisk said then, as if it had been just now and of this order."""
        number = order.get("Exten")
        ending = self.endings[number]
        raw = (FOLDER / f"{ending.recording}.txt").read_bytes()
        attempt = re.search(rb"Linkedid: (\S+)", raw)
        assert attempt
        raw = raw.replace(attempt[1], order.get("ChannelId").encode())
        raw = re.sub(rb"7903556\d{4}", number.encode(), raw)
        raw = re.sub(rb"\b101\b", order.get("Channel").removeprefix("PJSIP/").encode(), raw)
        last = max(float(at) for at in re.findall(rb"Timestamp: ([\d.]+)", raw))
        later = time.time() - last
        raw = re.sub(rb"(Timestamp: )([\d.]+)", lambda m: m[1] + f"{float(m[2]) + later:.6f}".encode(), raw)
        if not ending.cut_at:
            return raw
        asyncio.get_running_loop().call_later(0.3, self.ami.drop)
        return raw[: raw.rindex(b"Event: ", 0, raw.index(b"Event: " + ending.cut_at) + 1)]

    async def begin(self, number: str, extension: int, ending: Ending) -> int:
        """A deal of this employee with such a client comes into the stage; returns it."""
        self.endings[number] = ending
        phone = [{"field_code": "PHONE", "values": [{"value": f"+{number}", "enum_code": "WORK"}]}]
        [contact] = await self.sales.make("contacts", {"name": "Olga", "custom_fields_values": phone})
        linked = {"contacts": [{"id": contact, "is_main": True}]}
        [deal] = await self.sales.deals(stage=NEW, responsible_user_id=user(extension), _embedded=linked)
        await self.sales.until_told(deal)
        await self.sales.move(deal)
        return deal

    async def ended(self, deal: int) -> dict[str, Any]:
        async def is_over() -> list[dict[str, Any]]:
            page = await self.sales.stack.api("GET", f"{API}/outbound/items", deal=str(deal))
            return [i for i in page["items"] if i["ended_at"] is not None]

        (one,) = list(await until(is_over, f"the call back of deal {deal} has ended", seconds=60) or ())
        full: dict[str, Any] = await self.sales.api("GET", f"outbound/items/{one['id']}")
        return full

    async def came_to(self, deal: int, number: str, ending: Ending) -> None:
        """One order, its end, one task or none, and the deal where it belongs."""
        item = await self.ended(deal)
        sides = [f"{a['side']} {a['reason']}" for a in item["attempts"]]
        assert (item["state"], item["reason"], sides) == (ending.state, ending.reason, [ending.side])
        orders = [b for b in self.ami.blocks if b.get("Action") == "Originate" and b.get("Exten") == number]
        assert len(orders) == 1
        stage = {"succeeded": SUCCEEDED, "failed": FAILED}.get(ending.state, STAGE)

        async def is_told() -> bool:
            tasks = [t for t in await self.sales.stack.rows("task") if t["entity_id"] == deal]
            is_moved = (await self.sales.row("deal", deal))["status_id"] == stage
            return is_moved and len(tasks) == (ending.state == "failed")

        await self.sales.until(is_told)


@pytest_asyncio.fixture(loop_scope="session")
async def asterisk(sales: Sales) -> AsyncIterator[PlayedAsterisk]:
    """Every deal that comes into the stage is called back through it, at once and once."""
    now = await sales.api("GET", "outbound/settings")
    hours = {**now["hours"], "opens": "00:00", "closes": "24:00"}
    retries = {rule: {"minutes": 0, "most": 0} for rule in now["retries"]}
    more = {"rate": 600, "hours": hours, "retries": retries, "recall_gap_minutes": 0}
    await sales.api("PUT", "outbound/settings", body={**now, **more})
    await sales.without_schedules()
    for number in range(101, 111):
        await sales.press(number, "start")
    async with fake_ami() as ami:
        played = PlayedAsterisk(sales, ami)
        ami.plays = played.plays
        keys = {"ami_user": "callmatrix", "ami_secret": ami.secret}
        settings: dict[str, Any] = {"ami_host": "127.0.0.1", "ami_port": ami.port, "trunks": ["provider"]}
        settings |= {"originate_context": "callmatrix-client"}
        await sales.api("PATCH", "connections/asterisk", body={"keys": keys, "settings": settings})
        await until(lambda: "CoreShowChannels" in ami.actions, "the worker listens", seconds=40)
        place = {"pipeline_id": str(PIPELINE)}
        stages = {"succeeded_stage": SUCCEEDED, "failed_stage": FAILED}
        action: dict[str, Any] = {"do": "callback", "connection": "asterisk"}
        action |= {name: {**place, "stage_id": str(stage)} for name, stage in stages.items()}
        body: dict[str, Any] = {
            "name": TRIGGER,
            **place,
            "stage_id": str(STAGE),
            "events": [{"on": "entered"}],
        }
        await sales.api("PUT", f"triggers/{TRIGGER}", body={**body, "action": action, "is_on": True})
        yield played
        await sales.api("DELETE", f"triggers/{TRIGGER}", status=204)
        await sales.api("PATCH", "connections/asterisk", body={"settings": {}})


async def test_what_a_real_asterisk_told_of_each_call_back(asterisk: PlayedAsterisk) -> None:
    """Cases 25 to 28: ten at once, each of an employee of its own."""
    numbers = {name: f"7905002{n:04d}" for n, name in enumerate(ENDINGS)}
    deals = [
        await asterisk.begin(numbers[name], 101 + n, ending)
        for n, (name, ending) in enumerate(ENDINGS.items())
    ]
    for deal, name in zip(deals, ENDINGS, strict=True):
        await asterisk.came_to(deal, numbers[name], ENDINGS[name])
    notes = [n for n in await asterisk.sales.stack.rows("call") if "7905002" in str(n["params"]["phone"])]
    talked = numbers["talked for a second"]
    assert [n["params"]["call_status"] for n in notes if talked in str(n["params"]["phone"])] == [4]


@pytest.mark.parametrize("name", CUT)
async def test_what_is_known_when_the_link_was_cut_behind_the_order(
    asterisk: PlayedAsterisk, name: str
) -> None:
    """Case 35: who was heard to talk has talked; else nobody knows. Nobody is called again."""
    number = f"7905003{sorted(CUT).index(name):04d}"
    deal = await asterisk.begin(number, 101, CUT[name])
    await asterisk.came_to(deal, number, CUT[name])
