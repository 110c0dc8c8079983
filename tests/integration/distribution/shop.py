"""An account whose deals are given: people, a pipeline, deals that come in as the CRM tells of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from crm.port import CrmEntity, Observed, Pipeline, Stage
from crm.store.directory import apply_entities
from crm.store.metadata import store_pipelines
from crm.store.news import record_news
from gateway.admin.distribution.templates import attach, save_template
from gateway.crm_events.deals_to_give import NAME, give_deals
from gateway.crm_events.job import CrmEventJob
from gateway.distribution.distributor import Distributor
from gateway.distribution.give import Giver
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.store.distribution.items import ItemRow, as_item
from gateway.store.distribution.templates import Attachment
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.settings import NumberPolicy
from routing.staff import Employee

ACCOUNT = "shop"
STAGE = ("1", "20")
ANNA, BORIS, VERA = (
    Employee(id=id, name=name, crm_user_id=user, extensions=(user,), group="sales")
    for id, name, user in (("anna", "Анна", "11"), ("boris", "Борис", "12"), ("vera", "Вера", "13"))
)
BOSS = Employee(id="boss", name="Ольга", crm_user_id="10", extensions=("10",), is_senior=True)
PIPELINE = Pipeline(
    id="1",
    name="Sales",
    is_main=True,
    is_archived=False,
    is_unsorted_on=False,
    stages=tuple(
        Stage(id=id, name=id, sort=n, is_closed=id == "142", is_unsorted=False)
        for n, id in enumerate(("10", "20", "30", "142"))
    ),
)


def turn(*people: Employee, **more: Any) -> DistributionTemplate:
    """One after the other."""
    members = tuple(TemplateMember(employee_id=p.id) for p in people or (ANNA, BORIS, VERA))
    return DistributionTemplate(**{"name": "t", "employees": members, **more})


@dataclass
class Shop:
    pool: asyncpg.Pool
    giver: Giver = field(default_factory=Giver)
    last_deal: int = 0

    def __post_init__(self) -> None:
        self.job = CrmEventJob(self.pool, {NAME: give_deals(self.giver)}, pause=timedelta(0))
        self.distributor = Distributor(self.pool, self.giver)

    async def open(self, *people: Employee) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await accounts.add_account(conn, account_id=ACCOUNT, name="Shop", base_url="http://crm.example")
            await replace_staff(conn, ACCOUNT, [*(people or (ANNA, BORIS, VERA, BOSS))])
            await store_pipelines(conn, ACCOUNT, [PIPELINE])
            await self.job.sweep(conn)

    async def save(self, template: DistributionTemplate) -> None:
        async with self.pool.acquire() as conn:
            await save_template(conn, ACCOUNT, template, by="test")

    async def attach(self, template: str = "t", **more: Any) -> None:
        wanted = Attachment(pipeline_id=STAGE[0], stage_id=STAGE[1], template=template, **more)
        async with self.pool.acquire() as conn:
            await attach(conn, ACCOUNT, wanted, by="test")

    async def serve(self, template: DistributionTemplate) -> None:
        await self.save(template)
        await self.attach(template.name)

    async def works(self, is_now: bool) -> None:
        """The account works around the clock, or on no day but one that is three days away."""
        days = range(1, 8) if is_now else [(datetime.now(UTC) + timedelta(days=3)).isoweekday()]
        await self.pool.execute(
            "UPDATE account SET time_zone = 'UTC', settings = jsonb_set(settings, '{working_time}', $1)",
            {"hours": {str(day): [["00:00", "24:00"]] for day in days}, "holidays": None},
        )

    async def deal(self, id: str | None = None, *, stage: str = "20", **fields: Any) -> str:
        """Put a deal into the directory; nobody tells of it."""
        self.last_deal += 1
        id = id or str(self.last_deal)
        now = datetime.now(UTC)
        of_deal = {
            "owner_id": "10",
            "pipeline_id": "1",
            "stage_id": stage,
            "created_at": now,
            "updated_at": now,
        }
        entity = CrmEntity(kind="deal", id=id, name=f"Deal {id}", **{**of_deal, **fields})
        async with self.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, ACCOUNT, [entity], NumberPolicy())
        return id

    async def contact(self, id: str, **fields: Any) -> str:
        entity = CrmEntity(kind="contact", id=id, name=f"Contact {id}", **{"owner_id": "10", **fields})
        async with self.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, ACCOUNT, [entity], NumberPolicy())
        return id

    async def moved(self, id: str, old: str = "10", new: str = "20", *, at: datetime | None = None) -> None:
        """A webhook tells that the deal came into a stage."""
        told = Observed(
            kind="deal",
            id=id,
            at=at or datetime.now(UTC),
            values={"stage": f"1/{new}"},
            is_changed=frozenset({"stage"}),
            before={"stage": f"1/{old}"},
        )
        await self._told(told)

    async def made(self, id: str) -> None:
        """A webhook tells that the deal was made."""
        now = datetime.now(UTC)
        await self._told(
            Observed(kind="deal", id=id, at=now, values={"added": "1"}, is_changed=frozenset({"added"}))
        )

    async def owned(self, id: str, user: str, *, before: str = "10") -> None:
        """A webhook tells that somebody gave the deal to this user."""
        values = {"responsible": user}
        told = Observed(
            kind="deal",
            id=id,
            at=datetime.now(UTC),
            values=values,
            is_changed=frozenset({"responsible"}),
            before={"responsible": before},
        )
        await self._told(told)

    async def _told(self, told: Observed) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await record_news(conn, ACCOUNT, observed=[told], told_by="webhook")

    async def came_in(self, *, stage: str = "20", **fields: Any) -> str:
        """A new deal that moves into the stage, and is worked on."""
        id = await self.deal(stage="10", **fields)
        await self.moved(id, "10", stage)
        await self.deal(id, stage=stage, **fields)
        await self.work(id)
        return id

    async def work(self, id: str) -> None:
        await self.job.run(ACCOUNT, f"deal:{id}")

    async def items(self) -> list[ItemRow]:
        rows = await self.pool.fetch(
            "SELECT * FROM distribution_item WHERE account_id = $1 ORDER BY created_at, item_id", ACCOUNT
        )
        return [as_item(row) for row in rows]

    async def item(self, deal: str) -> ItemRow:
        """The latest of this deal."""
        found = [i for i in await self.items() if i.entity_id == deal]
        assert found, f"nothing was to be given of deal {deal}"
        return found[-1]

    async def owner(self, deal: str) -> str | None:
        return (await self.item(deal)).employee_id

    async def given(self) -> Counter[str | None]:
        return Counter(i.employee_id for i in await self.items() if i.state == "given")

    async def effects(self, deal: str) -> list[dict[str, Any]]:
        rows = await self.pool.fetch(
            'SELECT effect_key, what, "order", after, state FROM effect WHERE client = $1 ORDER BY seq',
            f"deal:{deal}",
        )
        return [dict(row) for row in rows]

    async def refuse(self, deal: str, code: str, field: str = "responsible_user_id") -> None:
        """The CRM will not have the deal's new owner."""
        await self.pool.execute(
            "UPDATE effect SET state = 'dead', attempts = 1, error_code = $2, error_field = $3"
            " WHERE client = $1 AND effect_key LIKE '%:deal' AND state = 'waiting'",
            f"deal:{deal}",
            code,
            field,
        )

    async def written(self) -> None:
        """The CRM has all that was ordered, and the directory knows."""
        rows = await self.pool.fetch(
            "UPDATE effect SET state = 'done', attempts = 1, sent_at = now(), done_at = now() WHERE state = 'waiting'"
            " RETURNING \"order\"->'target'->>'kind' AS kind, \"order\"->'target'->>'id' AS id, \"order\"->>'owner_id' AS owner"
        )
        for row in rows:
            await self.pool.execute(
                "UPDATE directory_entity SET owner_id = $4 WHERE account_id = $1 AND kind = $2 AND entity_id = $3",
                ACCOUNT,
                row["kind"],
                row["id"],
                row["owner"],
            )

    async def time_passes(self, hours: float = 0, *, minutes: float = 0) -> None:
        """Everything that is to happen happens so much sooner."""
        by = timedelta(hours=hours, minutes=minutes)
        for column in ("due_at", "opens_at", "take_until", "decided_at", "entered_at", "created_at"):
            await self.pool.execute(f"UPDATE distribution_item SET {column} = {column} - $1::interval", by)


def people_of(rows: Sequence[ItemRow]) -> list[str | None]:
    return [row.employee_id for row in rows]
