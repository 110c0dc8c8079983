"""The CRM of a chat shop, as far as it matters who gets a deal: it carries out what was ordered, and tells the directory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from crm.port import CrmEntity, Observed
from crm.store.directory import apply_entities
from crm.store.news import record_news
from gateway.channels.handouts import ChatHandouts
from gateway.crm_events.deals_to_give import NAME as DEALS
from gateway.crm_events.deals_to_give import give_deals
from gateway.crm_events.dialogue_owners import NAME as OWNERS
from gateway.crm_events.dialogue_owners import follow_deal_owners
from gateway.crm_events.job import CrmEventJob
from gateway.distribution.distributor import Distributor
from gateway.distribution.give import Giver
from gateway.store.admin.staff import replace_staff
from gateway.store.distribution.templates import save_template
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.settings import NumberPolicy
from routing.staff import Employee
from tests.integration.channels.shop import ChatShop
from tests.integration.intake.office import ACCOUNT


def by_weights(*weights: tuple[Employee, int], **more: Any) -> DistributionTemplate:
    members = tuple(TemplateMember(employee_id=p.id, weight=weight) for p, weight in weights)
    return DistributionTemplate(
        **{"name": "chats", "kind": "turn", "balance": "in_a_row", "employees": members, **more}
    )


class ShopCrm:
    """giver: another one is another process that begins anew."""

    def __init__(self, shop: ChatShop, giver: Giver | None = None) -> None:
        self.shop = shop
        self.restart(giver)

    def restart(self, giver: Giver | None = None) -> None:
        giver = giver or Giver()
        self.handouts = ChatHandouts(self.shop.pool)
        self.distributor = Distributor(self.shop.pool, giver)
        self.events = CrmEventJob(
            self.shop.pool, {DEALS: give_deals(giver)}, followers={OWNERS: follow_deal_owners()}
        )

    async def begin(self, template: DistributionTemplate, *people: Employee) -> None:
        async with self.shop.pool.acquire() as conn, conn.transaction():
            await replace_staff(conn, ACCOUNT, people)
            await save_template(conn, ACCOUNT, template, "test")
            await self.events.sweep(conn)

    async def carries_out(self) -> None:
        """What was ordered is done, and the directory knows it."""
        await self.shop.office.sent()
        for row in await self.shop.office.effects("create_contact", "create_deal", "update_entity"):
            if row["state"] == "done":
                await self._knows(row)

    async def _knows(self, row: dict[str, Any]) -> None:
        told, what = row["ordered"], row["what"]
        if what == "update_entity":
            kind, id = told["target"]["kind"], told["target"]["id"]
            await self.shop.pool.execute(
                "UPDATE directory_entity SET owner_id = $3 WHERE kind = $1 AND entity_id = $2",
                kind,
                id,
                told["owner_id"],
            )
        elif not await self.shop.rows("SELECT 1 FROM directory_entity WHERE entity_id = $1", row["crm_id"]):
            await self.tells(what.removeprefix("create_"), row["crm_id"], **await self._fields(told, what))

    async def _fields(self, told: dict[str, Any], what: str) -> dict[str, Any]:
        fields = {"owner_id": told["owner_id"], "name": told["name"]}
        if what == "create_contact":
            return {**fields, "numbers": tuple(filter(None, [told["number"]]))}
        contact = told["contact"]
        effects = {e["effect_key"]: e["crm_id"] for e in await self.shop.office.effects("create_contact")}
        ids = tuple(filter(None, [contact["id"] or effects.get(contact["effect"])])) if contact else ()
        return {**fields, "pipeline_id": told["pipeline_id"], "stage_id": "71", "contact_ids": ids}

    async def tells(self, kind: Any, id: str, **fields: Any) -> None:
        now = datetime.now(UTC)
        values = {"owner_id": "1", "name": id, "created_at": now, "updated_at": now, **fields}
        entity = CrmEntity(kind=kind, id=id, **values)
        async with self.shop.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, ACCOUNT, [entity], NumberPolicy())

    async def has_users(self, **is_active: bool) -> None:
        """These are the CRM's users from now on, some of them deactivated."""
        for user, active in is_active.items():
            await self.shop.pool.execute(
                "INSERT INTO crm_user (account_id, user_id, name, is_active) VALUES ($1, $2, $2, $3)",
                ACCOUNT,
                user,
                active,
            )

    async def turns(self) -> None:
        """A turn of what a worker does all the time."""
        await self.handouts.turn()
        await self.shop.pool.execute("UPDATE distribution_item SET due_at = now() WHERE due_at > now()")
        await self.distributor.turn()

    async def gives(self) -> None:
        """All that can be given is given, and is in the CRM."""
        await self.carries_out()
        await self.turns()
        await self.carries_out()
        await self.turns()

    async def owners(self) -> list[str | None]:
        return [d["owner"] for d in await self.shop.dialogues()]

    async def gives_by_hand(self, deal: str, user: str, before: str, by: str) -> None:
        """Somebody gives the deal to another in the CRM, and its feed tells."""
        told = Observed(
            kind="deal",
            id=deal,
            at=datetime.now(UTC),
            values={"responsible": user},
            is_changed=frozenset({"responsible"}),
            before={"responsible": before},
        )
        async with self.shop.pool.acquire() as conn, conn.transaction():
            await record_news(conn, ACCOUNT, observed=[told], told_by="webhook")
            await conn.execute("UPDATE crm_event SET by_user = $1 WHERE entity_id = $2", by, deal)
        await self.events.run(ACCOUNT, f"deal:{deal}")
