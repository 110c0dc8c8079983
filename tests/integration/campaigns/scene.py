"""An account with a campaign, a trigger that adds to it, and what a worker does every second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg

from campaigns.model import CampaignSettings
from campaigns.states import CampaignCommand
from crm.port import CrmEntity
from crm.store.directory import apply_entities
from gateway.admin.campaigns.commands import command_campaign
from gateway.admin.campaigns.saved import make_campaign
from gateway.campaigns.running import Campaigns
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.store.campaigns.campaigns import CampaignRow, campaign_of, lock_campaign
from gateway.store.campaigns.members import NewMember, add_members
from routing.settings import NumberPolicy
from routing.staff import Employee
from routing.triggers.model import Trigger
from tests.integration.triggers.office import ACCOUNT, Office, call_back

ANNA = Employee(id="anna", name="Anna", crm_user_id="11", extensions=("101",))
OWN = NumberPolicy(own_numbers=frozenset({"+74951230000"}))


def settings(**changes: Any) -> CampaignSettings:
    values = {"connection": "main", "target": {"kind": "employee", "employee_id": "anna"}}
    return CampaignSettings.model_validate(values | changes)


def adds(name: str = "t", campaign: str = "spring", **unreached: Any) -> Trigger:
    return call_back(name, action={"do": "campaign", "campaign": campaign, "unreached": unreached})


@dataclass
class Scene:
    pool: asyncpg.Pool

    def __post_init__(self) -> None:
        self.office = Office(self.pool)
        self.work = Campaigns(self.pool, lambda account_id: OWN)

    async def open(self, *triggers: Trigger, name: str = "spring", **changes: Any) -> None:
        await self.office.open(*triggers)
        async with self.pool.acquire() as conn, conn.transaction():
            await accounts.add_connection(
                conn, account_id=ACCOUNT, name="main", kind="generic", secret="s", lines=()
            )
            await replace_staff(conn, ACCOUNT, [ANNA])
        await self.campaign(name, **changes)

    async def campaign(self, name: str = "spring", **changes: Any) -> CampaignRow:
        async with self.pool.acquire() as conn:
            return await make_campaign(conn, ACCOUNT, name, settings(**changes), by="test")

    async def order(self, command: CampaignCommand, name: str = "spring", **more: Any) -> CampaignRow:
        async with self.pool.acquire() as conn:
            return await command_campaign(conn, ACCOUNT, name, command, **more)

    async def add(self, *numbers: str, name: str = "spring") -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            row = await lock_campaign(conn, ACCOUNT, name)
            assert row is not None
            await add_members(conn, row, [NewMember(number=n, data={}) for n in numbers], source="list")

    async def row(self, name: str = "spring") -> CampaignRow:
        async with self.pool.acquire() as conn:
            row = await campaign_of(conn, ACCOUNT, name)
        assert row is not None
        return row

    async def client(self, id: str, number: str) -> None:
        """The directory knows the contact of deal `id`, which comes into the trigger's stage."""
        contact = CrmEntity(
            kind="contact", id=f"7{id}", name="Olga", numbers=(number,), updated_at=self.office.now
        )
        await self.office.deal(id, main_contact_id=contact.id, contact_ids=(contact.id,))
        async with self.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, ACCOUNT, [contact], OWN)
        await self.office.moved(id=id)
        await self.work.look()

    async def items(self) -> list[tuple[str | None, str, str]]:
        """(client, state, reason) of each."""
        rows = await self.pool.fetch(
            "SELECT client, state, reason FROM outbound_item ORDER BY created_at, not_before, item_id"
        )
        return [tuple(row) for row in rows]

    async def ended(self, number: str, state: str, reason: str = "") -> None:
        """The dialler says what became of it."""
        await self.pool.execute(
            "UPDATE outbound_item SET state = $2, reason = $3, ended_at = now() WHERE client = $1 AND ended_at IS NULL",
            number,
            state,
            reason,
        )
