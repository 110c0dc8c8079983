"""What of clients is emptied of campaigns when its days are over or when a client asks to be forgotten: members stay as figures."""

from __future__ import annotations

from datetime import datetime

from runtime.database import channels
from runtime.database.pool import Conn

# Of what nobody knows a person may still find out; what is linked to the member still follows it.
_NAMES = """
UPDATE campaign_member SET name = '', client_id = '', data = '{}' WHERE (account_id, campaign_id, number) IN (
    SELECT account_id, campaign_id, number FROM campaign_member WHERE account_id = $1 AND added_at < $2 AND ended_at IS NOT NULL
      AND state <> 'unknown' AND (name <> '' OR client_id <> '' OR data <> '{}') AND ($3::text IS NULL OR number = $3) LIMIT $4)
"""
_TOPICS = """
UPDATE campaign_topic SET topics = '[]', comment = '' WHERE (account_id, call_id) IN (
    SELECT account_id, call_id FROM campaign_topic WHERE account_id = $1 AND ended_at < $2 AND next_ask_at IS NULL
      AND comment <> '' AND ($3::text IS NULL OR client = $3) LIMIT $4)
"""
_NUMBERS = """
UPDATE campaign_member SET number = 'emptied:' || item_id WHERE (account_id, campaign_id, number) IN (
    SELECT account_id, campaign_id, number FROM campaign_member WHERE account_id = $1 AND added_at < $2 AND ended_at IS NOT NULL
      AND state <> 'unknown' AND number LIKE '+%' AND ($3::text IS NULL OR number = $3) LIMIT $4)
"""
_CLIENTS = """
UPDATE campaign_topic SET client = '' WHERE (account_id, call_id) IN (
    SELECT account_id, call_id FROM campaign_topic WHERE account_id = $1 AND ended_at < $2 AND next_ask_at IS NULL
      AND client <> '' AND ($3::text IS NULL OR client = $3) LIMIT $4)
"""
_TASKS = """
UPDATE campaign_task SET number = '' WHERE (account_id, marker) IN (
    SELECT account_id, marker FROM campaign_task WHERE account_id = $1 AND marked_at < $2 AND state IN ('over', 'foreign')
      AND number <> '' AND ($3::text IS NULL OR number = $3) LIMIT $4)
"""
# What is shown of rows that did not come in is said as it was typed; their counts stay.
_LISTS = """
UPDATE campaign_list SET report = report || '{"refused": []}' WHERE (account_id, campaign_id, upload) IN (
    SELECT account_id, campaign_id, upload FROM campaign_list WHERE account_id = $1 AND uploaded_at < $2
      AND jsonb_array_length(coalesce(report->'refused', '[]')) > 0
      AND ($3::text IS NULL OR regexp_replace(report::text, '[^0-9,]', '', 'g') LIKE '%' || right($3, 10) || '%') LIMIT $4)
"""


async def empty_campaign_names(
    conn: Conn, account_id: str, before: datetime, *, client: str | None = None, limit: int
) -> int:
    """Empty what lists say of those who were done with, and what operators said of their calls. client: E.164, None = of
    everybody."""
    return await _empty(conn, (_NAMES, _TOPICS), account_id, before, client, limit)


async def empty_campaign_numbers(
    conn: Conn, account_id: str, before: datetime, *, client: str | None = None, limit: int
) -> int:
    """As `empty_campaign_names`, of the numbers: in members, contact centres, calls and reports of lists."""
    return await _empty(conn, (_NUMBERS, _TASKS, _CLIENTS, _LISTS), account_id, before, client, limit)


async def _empty(
    conn: Conn, statements: tuple[str, ...], account_id: str, before: datetime, client: str | None, limit: int
) -> int:
    done: list[str] = [await conn.execute(each, account_id, before, client, limit) for each in statements]
    if count := sum(int(said.split()[-1]) for said in done):
        # Gateways have names and numbers in memory.
        await channels.notify(conn, channels.FORGOTTEN, account_id)
    return count
