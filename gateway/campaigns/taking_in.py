"""A number that a trigger adds comes into its campaign, or is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from campaigns.keep_open import on_trigger_add
from campaigns.reasons import MemberReason
from campaigns.states import takes_members
from gateway.campaigns.refusing import refuse
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.staff import staff_of
from gateway.store.campaigns import adding
from gateway.store.campaigns.adding import ToAdd
from gateway.store.campaigns.campaigns import CampaignRow, keep_open, lock_campaign
from gateway.store.campaigns.engines import engine_of
from gateway.store.outbound.do_not_call import is_listed
from routing.numbers.plans import without_mobile_nine
from routing.settings import NumberPolicy
from runtime.database.pool import Conn, database_now

PolicyOf = Callable[[str], NumberPolicy | None]
"""None: this process has not heard of the account yet."""

_DIRECTORY_KNOWS = timedelta(minutes=10)
"""By then the directory has heard of a contact that the CRM has, or never will."""


async def take_in(conn: Conn, account_id: str, item_id: str, policy: NumberPolicy) -> bool:
    """Take one in, within a transaction. Whether anything became of it."""
    item = await adding.lock_to_add(conn, account_id, item_id)
    if item is None:
        return False
    row = await lock_campaign(conn, account_id, item.campaign)
    number = await adding.number_of(conn, item)
    now = await database_now(conn)
    switches = (await account_of(conn, account_id)).settings.campaigns
    refused = (
        "pipeline_off" if not switches.from_pipeline else await _refusal(conn, row, item, number, policy)
    )
    if refused == "no_number" and now - item.created_at < _DIRECTORY_KNOWS:
        return False
    if refused is not None or row is None or number is None:
        await refuse(conn, item, refused or "no_number")
        return True
    await adding.join_campaign(conn, row, item, number)
    await keep_open(conn, row, on_trigger_add(row.kept_open, is_endless=row.settings.endless, now=now))
    return True


async def _refusal(
    conn: Conn, row: CampaignRow | None, item: ToAdd, number: str | None, policy: NumberPolicy
) -> MemberReason | None:
    """Name what nobody can change before what the client said."""
    if row is None:
        return "campaign_gone"
    if not takes_members(row.state):
        return "campaign_finished"
    if number is None:
        return "no_number"
    if without_mobile_nine(number) in policy.own_numbers:
        return "own_number"
    if row.settings.engine == "pbx" and (refused := await _engine_refusal(conn, row)):
        return refused
    return "do_not_call" if await is_listed(conn, item.account_id, number, row.name) else None


async def _engine_refusal(conn: Conn, row: CampaignRow) -> MemberReason | None:
    """Look for what a contact centre needs: somebody of the CRM who has a phone there, and a contract with it."""
    staff = await staff_of(conn, row.account_id)
    if not any(person.extensions and person.crm_user_id for person in staff.employees):
        return "no_employee"
    engine = await engine_of(conn, row)
    return "edition" if engine is not None and engine.trouble == "edition" else None
