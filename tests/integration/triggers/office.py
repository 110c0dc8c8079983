"""An account with triggers: deals that move as webhooks, the feed and hooks tell, and a CRM in memory that has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from crm.port import CrmEntity, CrmField, Observed
from crm.store.directory import apply_entities
from crm.store.metadata import store_fields, store_pipelines
from crm.store.news import record_news
from gateway.crm_events.job import CrmEventJob
from gateway.crm_events.triggers_fire import NAME, fire_triggers
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.store.triggers.triggers import SavedTrigger, remove_trigger, save_trigger, trigger_of
from gateway.triggers.firing import TriggerDeal, fire_on_hook
from gateway.triggers.reading import AccountFirings
from routing.settings import NumberPolicy
from routing.staff import Employee
from routing.triggers.model import Trigger
from tests.fakes.crm import FakeCrm
from tests.integration.distribution.shop import PIPELINE

ACCOUNT = "office"


def call_back(name: str = "t", **changes: Any) -> Trigger:
    """Fire on an entrance into stage 20."""
    values: dict[str, Any] = {
        "name": name,
        "pipeline_id": "1",
        "stage_id": "20",
        "events": [{"on": "entered"}],
        "action": {"do": "callback", "connection": "main"},
        "is_on": True,
    }
    return Trigger.model_validate(values | changes)


@dataclass
class Office:
    pool: asyncpg.Pool
    crm: FakeCrm = field(default_factory=FakeCrm)

    def __post_init__(self) -> None:
        self.job = CrmEventJob(self.pool, {}, hearers={NAME: fire_triggers()}, pause=timedelta(0))
        self.reader = AccountFirings(self.pool, ACCOUNT, self.crm)
        self.now = datetime.now(UTC)

    async def open(self, *triggers: Trigger) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await accounts.add_account(conn, account_id=ACCOUNT, name="Office", base_url="http://crm.example")
            await replace_staff(conn, ACCOUNT, [Employee(id="anna", name="Anna", crm_user_id="11")])
            await store_pipelines(conn, ACCOUNT, [PIPELINE])
            await store_fields(
                conn, ACCOUNT, "deal", [CrmField(id="5", code=None, name="Sum", type="numeric")]
            )
            await self.job.sweep(conn)
        for trigger in triggers:
            await self.save(trigger)

    async def save(self, trigger: Trigger) -> SavedTrigger:
        async with self.pool.acquire() as conn, conn.transaction():
            return await save_trigger(conn, ACCOUNT, trigger, "test")

    async def remove(self, name: str = "t") -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            assert await remove_trigger(conn, ACCOUNT, name)

    async def deal(self, id: str = "7", *, is_known: bool = False, **changes: Any) -> None:
        """The CRM has it so. is_known: the directory, too."""
        values = {
            "pipeline_id": "1",
            "stage_id": "20",
            "owner_id": "11",
            "contact_ids": ("70",),
            "main_contact_id": "70",
            "price": 1000,
            "tags": (),
            "fields": "{}",
            "updated_at": self.now,
            "created_at": self.now,
        }
        deal = CrmEntity(kind="deal", id=id, name=f"Deal {id}", **{**values, **changes})
        contact = CrmEntity(
            kind="contact",
            id=deal.main_contact_id or "70",
            name="Olga",
            numbers=("+79161234567",),
            updated_at=self.now,
        )
        self.crm.seed(contact, deal)
        if not is_known:
            return
        async with self.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, ACCOUNT, [contact, deal], NumberPolicy())

    async def moved(
        self,
        old: str = "10",
        new: str = "20",
        *,
        id: str = "7",
        at: datetime | None = None,
        work: bool = True,
    ) -> None:
        """A webhook tells of it; a later call is a later move."""
        await self.told({"stage": f"1/{new}"}, {"stage": f"1/{old}"}, id=id, at=at, work=work)

    async def told(
        self,
        values: dict[str, str],
        before: dict[str, str],
        *,
        id: str = "7",
        at: datetime | None = None,
        work: bool = True,
    ) -> None:
        if at is None:
            self.now += timedelta(seconds=3)
        observed = Observed(
            kind="deal",
            id=id,
            at=at or self.now,
            values=values,
            is_changed=frozenset(values) if before else frozenset(),
            before=before,
        )
        async with self.pool.acquire() as conn, conn.transaction():
            await record_news(conn, ACCOUNT, observed=[observed], told_by="webhook")
        if work:
            await self.work(id)

    async def work(self, id: str = "7") -> None:
        await self.job.run(ACCOUNT, f"deal:{id}")
        await self.reader.turn()

    async def hook(
        self, id: str = "7", *, stage: tuple[str, str] | None = ("1", "20"), name: str = "t"
    ) -> int:
        """How many were new."""
        async with self.pool.acquire() as conn, conn.transaction():
            saved = await trigger_of(conn, ACCOUNT, name)
            assert saved is not None
            kept, _ = await fire_on_hook(conn, ACCOUNT, saved, [TriggerDeal(id, stage)])
        await self.reader.turn()
        return len(kept)

    async def reasons(self) -> list[str]:
        rows = await self.pool.fetch("SELECT reason FROM firing ORDER BY created_at, trigger")
        return [row["reason"] for row in rows]

    async def items(self) -> list[str]:
        """Their states."""
        rows = await self.pool.fetch("SELECT state FROM outbound_item ORDER BY created_at, item_id")
        return [row["state"] for row in rows]
