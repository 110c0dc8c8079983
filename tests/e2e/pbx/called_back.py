"""Clients whom a trigger calls back through a real Asterisk: deals, phones, what was rung, and what the CRM was told."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.sandbox.seed import OPEN_STAGES, PIPELINE
from routing.matrix.actions import Attach
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from routing.settings import AccountSettings, CallPolicy
from tests.e2e.features.sales import API, NEW, STAGE, Sales, user
from tests.e2e.pbx.between import Relay, relay
from tests.e2e.pbx.sip_phone import Manner, Talk
from tests.e2e.pbx.stage import Stage, running_stage
from tests.waiting import until

EMPLOYEE, LINE = "101", "+74950000001"
SUCCEEDED, FAILED = 142, OPEN_STAGES[2]
_PLACES = {"succeeded_stage": SUCCEEDED, "failed_stage": FAILED}
CALL_BACK: dict[str, Any] = {
    "do": "callback",
    "connection": "asterisk",
    "line": LINE,
    **{name: {"pipeline_id": str(PIPELINE), "stage_id": str(stage)} for name, stage in _PLACES.items()},
}


@dataclass
class CalledBack:
    """relay: between us and Asterisk's manager interface."""

    stage: Stage
    sales: Sales
    relay: Relay
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(79_035_560_000))

    async def behave(self, employee: Manner, client: Manner) -> str:
        """The number of a new client whose phone does so."""
        number = str(next(self._numbers))
        self.stage.phones.behave({EMPLOYEE: employee, number: client})
        return number

    async def begin(self, number: str, extension: str = EMPLOYEE) -> int:
        """A deal with this client comes into the stage; returns it."""
        phone = [{"field_code": "PHONE", "values": [{"value": f"+{number}", "enum_code": "WORK"}]}]
        [contact] = await self.sales.make("contacts", {"name": "Olga", "custom_fields_values": phone})
        linked = {"contacts": [{"id": contact, "is_main": True}]}
        owner = user(int(extension))
        [deal] = await self.sales.deals(stage=NEW, responsible_user_id=owner, _embedded=linked)
        await self.sales.until_told(deal)
        await self.sales.move(deal)
        return deal

    async def item(self, deal: int, *states: str, seconds: float = 40) -> dict[str, Any]:
        """Its only item, in full, once it is in one of these states."""

        async def is_there() -> list[dict[str, Any]]:
            found = await self._items(deal)
            return [i for i in found if i["state"] in states]

        try:
            (one,) = list(
                await until(is_there, f"the item of deal {deal} is {states}", seconds=seconds) or ()
            )
        except AssertionError as err:
            found = [f"{i['state']} {i['reason']}" for i in await self._items(deal)]
            worker = self.sales.stack.process("worker0").said()
            raise AssertionError(f"the items are {found}\n{worker}") from err
        full: dict[str, Any] = await self.sales.api("GET", f"outbound/items/{one['id']}")
        return full

    async def _items(self, deal: int) -> list[dict[str, Any]]:
        found = await self.sales.stack.api("GET", f"{API}/outbound/items", deal=str(deal))
        return list(found["items"])

    async def ended(self, deal: int, *, seconds: float = 40) -> tuple[str, str, list[str]]:
        """(state, reason, "<side> <reason>" of each attempt) once all is over and nothing waits to be written."""
        item = await self.item(deal, "succeeded", "failed", "unknown", "expired", "dropped", seconds=seconds)
        await self.stage.office.stack.until_idle()
        return item["state"], item["reason"], [f"{a['side']} {a['reason']}" for a in item["attempts"]]

    def rung(self, number: str) -> tuple[int, int]:
        """How often the phones of the employee and of the client were called: INVITEs with a Call-ID of their own."""
        called = [talk.user for talk in self.stage.phones.talks if talk.invite is not None]
        return called.count(EMPLOYEE), called.count(number)

    async def told(self, deal: int, number: str) -> tuple[int, int, list[tuple[str, int]]]:
        """(stage of the deal, tasks, "(kind, status)" of each note of a call) as the CRM has them."""
        left = await self.stage.crm.left(number)
        notes = [(note["note_type"], note["params"]["call_status"]) for note in left.calls]
        return (await self.sales.row("deal", deal))["status_id"], len(left.tasks), notes

    async def age(self, deal: int, minutes: int) -> None:
        """All that is known of the deal's attempts is so much longer ago, and is looked at now."""
        await self.stage.office.stack.pool.execute(
            "UPDATE outbound_attempt SET claimed_at = claimed_at - $2 * interval '1 minute', look_at = now(),"
            " placed_at = placed_at - $2 * interval '1 minute' FROM outbound_item i"
            " WHERE i.deal_id = $1 AND i.item_id = outbound_attempt.item_id",
            str(deal),
            minutes,
        )

    async def look_now(self, deal: int) -> None:
        """Its item is not waited with any longer."""
        await self.stage.office.stack.pool.execute(
            "UPDATE outbound_item SET look_at = NULL WHERE deal_id = $1", str(deal)
        )

    async def both_talk(self, number: str) -> Talk:
        """The employee's side."""
        await self.stage.phones.answered(number, 20)
        return await self.stage.phones.answered(EMPLOYEE)

    async def restart_asterisk(self) -> None:
        """As after a crash: its calls are gone, and it tells nobody."""
        asterisk = self.stage.office.asterisk
        assert asterisk.child is not None
        asterisk.child.popen.kill()
        asterisk.child.popen.wait()
        asterisk.boot()
        await self.is_heard()

    async def is_heard(self) -> None:
        """A worker listens to Asterisk again."""
        self.relay.cut_after, self.relay.is_open = b"", True
        await until(lambda: self.relay.links, "a worker listens", seconds=40)


def _matrix() -> Matrix:
    """The recommended one, and a note of every outgoing call that did not reach the client."""
    matrix = recommended()
    table = matrix.tables["default"]
    notes = {cell: (Attach(),) for cell in table.cells if cell.startswith("outbound.missed.")}
    return matrix.model_copy(
        update={"tables": {"default": table.model_copy(update={"cells": {**table.cells, **notes}})}}
    )


@asynccontextmanager
async def running_call_backs(
    postgres_url: str, template_database: str, folder: Path
) -> AsyncIterator[CalledBack]:
    """Every deal that comes into the stage is called back, at any hour, at once, and tried once."""
    options: dict[str, Any] = {
        "settings": AccountSettings(calls=CallPolicy(settle_seconds=1)),
        "env": {"CALLMATRIX_POLL_SECONDS": "1", "CALLMATRIX_DIRECTORY_POLL_SECONDS": "5"},
    }
    async with running_stage(postgres_url, template_database, folder, {}, **options) as stage:
        sales = Sales(stage.office.stack)
        await sales.open()
        await stage.crm.use(_matrix())
        async with relay(stage.office.asterisk.ami_port) as between:
            one = CalledBack(stage, sales, between)
            await _set_up(one)
            yield one


async def _set_up(one: CalledBack) -> None:
    await one.stage.office.listen(one.relay.port, originate_context="callmatrix-client")
    await one.is_heard()
    now = await one.sales.api("GET", "outbound/settings")
    open_now = {
        **now,
        "rate": 600,
        "hours": {**now["hours"], "opens": "00:00", "closes": "24:00"},
        "retries": {rule: {"minutes": 0, "most": 0} for rule in now["retries"]},
        "recall_gap_minutes": 0,
        "ring_seconds": 5,
        "client_ring_seconds": 5,
    }
    await one.sales.api("PUT", "outbound/settings", body=open_now)
    trigger: dict[str, Any] = {"name": "back", "pipeline_id": str(PIPELINE), "stage_id": str(STAGE)}
    trigger |= {"events": [{"on": "entered"}], "action": CALL_BACK, "is_on": True}
    await one.sales.api("PUT", "triggers/back", body=trigger)
