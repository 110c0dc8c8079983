"""What a person orders of single items and of whole stages: give this deal, try it again, give it up; give what stands in a stage."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from crm.store.deals import known_deal
from gateway.admin.distribution.templates import check_template, refuse_wrong_stage, the_template
from gateway.admin.protection.grants import refuse_other_template
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.distribution.asked import ask_for
from gateway.distribution.give import lock_deals
from gateway.distribution.stage_run import deals_to_give
from gateway.store.admin.accounts import account
from gateway.store.admin.audit import AuditChange, record
from gateway.store.distribution import items as store
from gateway.store.distribution.entries import latest_of_deal
from gateway.store.distribution.items import ItemRow
from gateway.store.worker import long_tasks
from gateway.store.worker.long_tasks import LongTask
from routing.distribution.problems import can_be_used
from routing.distribution.template import DistributionTemplate
from routing.texts.catalogue import Language
from runtime.database.pool import Conn, database_now

STAGE_RUN = "distribution_stage"
SIMULATION = "distribution_simulation"


_JUST_NOW = timedelta(minutes=10)


class NotGivable(InputRefused):
    """The item is not in a state in which that can be done with it: it was decided already, or it does not wait any more."""

    code = "item-not-waiting"

    def __init__(self, item: ItemRow, wanted: str) -> None:
        super().__init__(
            "item", f"it is {item.state}, and cannot be {wanted}", "see 'callmatrix distribution show'"
        )


class DealGivenAlready(InputRefused):
    """The template gave this deal to somebody a moment ago: asked twice, it would go to the next one and cost a second turn."""

    code = "deal-given-already"

    def __init__(self, item: ItemRow) -> None:
        super().__init__(
            "deal",
            f"template '{item.template}' gave deal {item.entity_id} to {item.employee_id} a moment ago",
            'say that it is to be given again (--again, "again": true), and the next one gets it',
        )


async def order_deal(conn: Conn, account_id: str, template: str, deal_id: str, *, again: bool = False) -> str:
    """Give one deal by a template; one that waits to be given already stays that one. again: though it was given a moment ago.
    Raise NotBoundTo, NothingOfThatName, DealGivenAlready, InputRefused where the directory does not know the deal."""
    refuse_other_template(template)
    if await known_deal(conn, account_id, deal_id) is None:
        raise InputRefused(
            "deal", f"the directory has no deal {deal_id}", "wait until it is loaded, or check the number"
        )
    await the_template(conn, account_id, template)
    async with conn.transaction():
        await lock_deals(conn, account_id, [deal_id])
        latest = await latest_of_deal(conn, account_id, deal_id, template)
        if latest is not None and latest.state == "waiting":
            return latest.item_id
        if latest is not None and not again and _is_just_given(latest, await database_now(conn)):
            raise DealGivenAlready(latest)
        item_id = await ask_for(conn, account_id, template, deal_id, source="api")
        assert item_id is not None
        await _told(conn, account_id, item_id, "asked for", {"deal": deal_id, "template": template})
    return item_id


def _is_just_given(item: ItemRow, now: datetime) -> bool:
    is_new = item.decided_at is not None and now - item.decided_at < _JUST_NOW
    return is_new and item.state == "given" and item.overridden_by is None


async def the_item(conn: Conn, account_id: str, item_id: str) -> ItemRow:
    """Raise NothingOfThatName."""
    found = await store.item_of(conn, account_id, item_id)
    if found is None:
        raise NothingOfThatName("distribution", item_id)
    return found


async def try_again(conn: Conn, account_id: str, item_id: str) -> ItemRow:
    """Look at it now: what waits, was given to nobody, failed or was given up. Raise NothingOfThatName, NotGivable."""
    async with conn.transaction():
        item = await the_item(conn, account_id, item_id)
        if not await store.try_again(conn, account_id, item_id):
            raise NotGivable(item, "tried again")
        await _told(conn, account_id, item_id, "retried", {"state": "waiting"})
        return await the_item(conn, account_id, item_id)


async def give_up(conn: Conn, account_id: str, item_id: str) -> ItemRow:
    """Wait for nobody any more. Raise NothingOfThatName, NotGivable."""
    async with conn.transaction():
        item = await the_item(conn, account_id, item_id)
        if not await store.give_up(conn, account_id, item_id):
            raise NotGivable(item, "given up")
        await _told(conn, account_id, item_id, "given up", {"state": "cancelled"})
        return await the_item(conn, account_id, item_id)


async def preview_stage(conn: Conn, account_id: str, template: str, pipeline: str, stage: str) -> int:
    """How many deals would be given now. Raise NothingOfThatName, InputRefused."""
    await the_template(conn, account_id, template)
    await refuse_wrong_stage(conn, account_id, pipeline, stage)
    return await deals_to_give(conn, account_id, pipeline, stage)


async def give_stage(
    conn: Conn, account_id: str, template: str, pipeline: str, stage: str, *, by: str
) -> LongTask:
    """Give the deals that stand in a stage, as long work. Raise NothingOfThatName, InputRefused, TooMuchWork."""
    await the_template(conn, account_id, template)
    await refuse_wrong_stage(conn, account_id, pipeline, stage)
    asked = {"template": template, "pipeline": pipeline, "stage": stage, "run": secrets.token_hex(8)}
    return await long_tasks.ask(conn, account_id, STAGE_RUN, asked, by, most_open=1)


async def simulate(
    conn: Conn,
    account_id: str,
    name: str,
    draft: DistributionTemplate | None,
    *,
    days: int | None,
    made_up: int | None,
    by: str,
) -> LongTask:
    """Try a template, or the draft of one, as long work. Raise NothingOfThatName, InputRefused, TooMuchWork."""
    template = await tried_template(conn, account_id, name, draft)
    asked: Mapping[str, Any] = {
        "template": template.model_dump(mode="json"),
        "days": days,
        "made_up": made_up,
    }
    return await long_tasks.ask(conn, account_id, SIMULATION, asked, by)


async def tried_template(
    conn: Conn,
    account_id: str,
    name: str,
    draft: DistributionTemplate | None,
    language: Language | None = None,
) -> DistributionTemplate:
    """Return what is simulated: the draft, checked, else what is saved. language: of what is wrong with it, else the account's.
    Raise NothingOfThatName, InputRefused."""
    if draft is None:
        return (await the_template(conn, account_id, name)).template
    found = await check_template(conn, account_id, draft)
    if not can_be_used(found):
        first = next(p for p in found if p.severity == "error")
        spoken = language or (await account(conn, account_id)).settings.language
        raise InputRefused(f"draft.{first.field}", *first.in_words(spoken))
    return draft


async def _told(conn: Conn, account_id: str, item_id: str, action: str, after: Mapping[str, Any]) -> None:
    change = AuditChange(
        what="distribution", object=item_id, action=action, account_id=account_id, after=after
    )
    await record(conn, change)
