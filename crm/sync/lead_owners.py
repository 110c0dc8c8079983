"""Who owns the leads of Unsorted: the owner of the deal inside each, read in the background.

Lists of leads do not tell it, and where the account ignores filters each deal is a request of its own: thousands of open
leads take minutes, during which nobody waits. Until then a lead has the owner that its list names, or none, and the
client is answered by the contact. Changes are told sooner, by webhooks and the feed of events.
"""

from __future__ import annotations

from datetime import timedelta

from crm.errors import CrmForbidden
from crm.lane import Lane
from crm.store.lead_owners import mark_read, unread_deals
from crm.sync.source import Source

FEED = "lead-owners"
AT_ONCE = 50
_BELIEVED = timedelta(hours=6)  # then it is read again, in case a change was not told


async def read_lead_owners(source: Source, lane: Lane = Lane.BACKFILL) -> bool:
    """Read some. True: there may be more."""
    people = source.take_strangers(AT_ONCE)
    if people:
        found, hidden = await source.read_again([("contact", id) for id in people], lane)
        source.note_unseen(hidden)
        await source.apply(found)
    async with source.pool.acquire() as conn:
        deals = await unread_deals(conn, source.account_id, _BELIEVED, AT_ONCE)
    if deals:
        try:
            found = await source.crm.deals_in_leads(deals, lane)
        except CrmForbidden:  # this key may not see them: the lead keeps the owner that its list names
            found = []
        await source.apply(found)
        async with source.pool.acquire() as conn:
            await mark_read(conn, source.account_id, deals)
    return len(deals) == AT_ONCE or len(people) == AT_ONCE
