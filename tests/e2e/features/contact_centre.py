"""MANGO's contact centre beside the running sales department: its local server, spoken to in the vendor's own form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from runtime.vendors.mango_signing import signed_form
from tests.e2e.features.calling import CallBacks
from tests.e2e.features.sales import Sales, person
from tests.fakes.mango import FakeMango
from tests.fakes.mango_legs import told_of
from tests.unit.gateway.pbx.builders import FORM
from tests.waiting import until


@dataclass
class ContactCentre:
    calls: CallBacks
    mango: FakeMango

    @property
    def sales(self) -> Sales:
        return self.calls.sales

    async def looks(self) -> None:
        """A worker looks at its campaigns now, and not when it would."""
        await self.sales.stack.pool.execute(
            "UPDATE campaign_engine SET due_at = now(), send_at = now(), listed_at = NULL WHERE leased_until <= now()"
        )

    async def called(self, name: str, *numbers: str, topics: dict[str, Any] | None = None) -> None:
        """A campaign has talked with these clients, and the operator said something of each."""
        told = {"connection": "mango", "target": {"kind": "employee", "employee_id": person(101)}}
        settings = {**told, **({"topics": topics} if topics else {})}
        await self.sales.api("POST", "campaigns", body={"name": name, "settings": settings}, status=201)
        for number in numbers:
            await self.sales.api("POST", f"campaigns/{name}/members", body={"number": number}, status=201)
        await self.sales.api("POST", f"campaigns/{name}/start")
        for _ in numbers:
            await self._talk(len(self.mango.orders))

        async def are_decided() -> bool:
            members = (await self.sales.api("GET", f"campaigns/{name}/members"))["items"]
            return {m["state"] for m in members} == {"succeeded"}

        await self.sales.until(are_decided)
        await self.sales.stack.until_idle()

    async def _talk(self, before: int) -> None:
        async def is_ordered() -> dict[str, Any] | None:
            found = [told for _, told in self.mango.orders]
            return found[before] if len(found) > before else None

        command = dict(await until(is_ordered, "MANGO is asked to call", seconds=40) or {})
        entry = f"entry-{command['command_id'][:8]}"
        told = ({"tag_id": [5]}, {"tag_id": [5], "call_comment": "Dear"})  # the comment comes later
        self.mango.topics[entry] = [{"result": 1000, "call": call} for call in told]
        for name, payload in told_of(command, "talk", datetime.now(UTC) - timedelta(seconds=45)):
            url = f"{self.sales.stack.url}/pbx/mango/events/{name}"
            body = signed_form("demo", "demo", payload)
            async with self.sales.stack.http.post(url, data=body, headers={"Content-Type": FORM}) as answer:
                assert answer.status == 200, await answer.text()

    async def hour_passes(self, calls: int) -> None:
        """These calls were asked about, and for the last time."""
        pool = self.sales.stack.pool

        async def are_asked() -> bool:
            asked: int = await pool.fetchval("SELECT count(*) FROM campaign_topic WHERE asks > 0")
            return asked == calls

        await self.sales.until(are_asked)
        await pool.execute(
            "UPDATE campaign_topic SET next_ask_at = now(), started_at = started_at - interval '61 minutes'"
        )

        async def is_over() -> bool:
            return not await pool.fetchval(
                "SELECT count(*) FROM campaign_topic WHERE next_ask_at IS NOT NULL"
            )

        await self.sales.until(is_over)
        await self.sales.stack.until_idle()

    async def deals(self, number: str) -> list[dict[str, Any]]:
        """Of whom has this number, the oldest first."""
        contacts = {c["id"] for c in await self.sales.stack.rows("contact", phone=number.lstrip("+"))}
        assert len(contacts) == 1
        found = [d for d in await self.sales.stack.rows("deal") if contacts & set(d["contacts"])]
        return sorted(found, key=lambda deal: int(deal["id"]))

    async def notes(self, deal: int) -> list[str]:
        notes = await self.sales.stack.rows("note")
        return [n["params"]["text"] for n in notes if n["entity_id"] == deal and n["note_type"] == "common"]
