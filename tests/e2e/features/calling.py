"""Texts and calls that go out of the running sales department: the demo's PBX, which rings nobody and tells how each call goes by
the client's last digit (7 = busy, 9 = the employee does not pick up), and the SMS sandbox."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from crm.sandbox.seed import OPEN_STAGES, PIPELINE
from gateway.demo.data import SECRET
from gateway.demo.pbx import DemoPbx, serving
from tests.e2e.features.sales import API, NEW, STAGE, Sales, user
from tests.waiting import until

TALKED, FAILED = 142, OPEN_STAGES[2]
PLACES = {"succeeded_stage": TALKED, "failed_stage": FAILED}
CALL: dict[str, Any] = {
    "do": "callback",
    "connection": "generic",
    **{name: {"pipeline_id": str(PIPELINE), "stage_id": str(stage)} for name, stage in PLACES.items()},
}
SMS: dict[str, Any] = {
    "do": "sms",
    "provider": "texts",
    "template": "{{maincontact.name}}: {{user.name}}, {{deal.price}}",
}
NO_RETRY = {"minutes": 0, "most": 0}

_NUMBERS = itertools.count(100)


@dataclass
class RecordingPbx(DemoPbx):
    orders: list[dict[str, Any]] = field(default_factory=list)

    async def order(self, request: web.Request) -> web.Response:
        self.orders.append(await request.json())
        return await super().order(request)


@dataclass
class CallBacks:
    sales: Sales
    pbx: RecordingPbx

    async def trigger(self, name: str, *events: dict[str, Any], **fields: Any) -> dict[str, Any]:
        body: dict[str, Any] = {"name": name, "pipeline_id": str(PIPELINE), "stage_id": str(STAGE)}
        body |= {"events": list(events)}
        body |= {"action": CALL, "is_on": True, **fields}
        saved: dict[str, Any] = await self.sales.api("PUT", f"triggers/{name}", body=body)
        return saved

    async def deal(self, ends_with: int = 1, *, stage: int = NEW, **fields: Any) -> tuple[int, str]:
        """(deal of manager 101, its client's number)."""
        number = f"+7900555{next(_NUMBERS)}{ends_with}"
        phone = [{"field_code": "PHONE", "values": [{"value": number, "enum_code": "WORK"}]}]
        [contact] = await self.sales.make("contacts", {"name": "Olga", "custom_fields_values": phone})
        linked = {"contacts": [{"id": contact, "is_main": True}]}
        values = {"responsible_user_id": user(101), "_embedded": linked, **fields}
        [deal] = await self.sales.deals(stage=stage, **values)
        await self.sales.until_told(deal)
        return deal, number

    async def items(self, deal: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            await self.sales.stack.api("GET", f"{API}/outbound/items", deal=str(deal))
        )["items"]
        return found

    async def ended(self, deal: int) -> dict[str, Any]:
        """Its item in full, once it has ended."""

        async def is_over() -> list[dict[str, Any]]:
            return [i for i in await self.items(deal) if i["ended_at"] is not None]

        found = list(await until(is_over, f"what goes out for deal {deal} has ended", seconds=40) or ())
        full: dict[str, Any] = await self.sales.api("GET", f"outbound/items/{found[0]['id']}")
        return full

    async def waiting(self, deal: int) -> dict[str, Any]:
        async def is_there() -> list[dict[str, Any]]:
            return [i for i in await self.items(deal) if i["state"] == "waiting"]

        return next(iter(await until(is_there, f"something waits for deal {deal}", seconds=40) or ()))

    async def in_stage(self, deal: int, stage: int) -> None:
        async def is_there() -> bool:
            return bool((await self.sales.row("deal", deal))["status_id"] == stage)

        await self.sales.until(is_there)

    async def tasks(self, deal: int) -> list[dict[str, Any]]:
        return [t for t in await self.sales.stack.rows("task") if t["entity_id"] == deal]

    async def reasons(self, deal: int) -> dict[str, str]:
        async def decided() -> dict[str, str]:
            found = (await self.sales.stack.api("GET", f"{API}/firings", deal=str(deal)))["items"]
            is_read = found and all(f["state"] != "reading" for f in found)
            return {f["trigger"]: f["reason"] for f in found} if is_read else {}

        return dict(await until(decided, f"firings of deal {deal}", seconds=40) or {})

    async def texts(self, number: str) -> list[str]:
        """Of the client's card: what was sent to this number."""

        async def are_noted() -> list[str]:
            notes = await self.sales.stack.rows("note")
            return [
                n["params"]["text"]
                for n in notes
                if n["note_type"] == "sms_out" and n["params"]["phone"] == number
            ]

        return list(await until(are_noted, f"a text to {number} in the card", seconds=40) or ())

    async def rate(self, rate: int) -> None:
        await self.sales.api("PUT", "outbound/rate", body={"rate": rate})


@contextlib.asynccontextmanager
async def calling_back(sales: Sales) -> AsyncIterator[CallBacks]:
    """Everything is allowed at any hour, at once, and tried once, and nobody is off shift; afterwards nothing of the test is left."""
    stack = sales.stack
    now = await sales.api("GET", "outbound/settings")
    hours = {**now["hours"], "opens": "00:00", "closes": "24:00"}
    retries = dict.fromkeys(now["retries"], NO_RETRY)
    open_now = {**now, "rate": 600, "hours": hours, "retries": retries, "recall_gap_minutes": 0}
    await sales.api("PUT", "outbound/settings", body=open_now)
    await sales.without_schedules()
    for number in (101, 102):
        await sales.press(number, "start")
    pbx = RecordingPbx(stack.http, f"{stack.url}/pbx/generic/events", pace=0.05)
    async with serving(pbx):
        settings = {"originate_url": pbx.url}
        change = {"settings": settings, "keys": {"originate_token": SECRET}}
        await sales.api("PATCH", "connections/generic", body=change)
        yield CallBacks(sales, pbx)
        for trigger in (await sales.api("GET", "triggers"))["items"]:
            await sales.api("DELETE", f"triggers/{trigger['name']}", status=204)
