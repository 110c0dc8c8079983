"""Items as rows: what is to go out, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.database.pool import Conn

# Whose number is not read yet is the contact's: where that one has other numbers, the claim chooses among them.
_DROP = """
UPDATE outbound_item SET state = 'dropped', reason = $4, ended_at = now() WHERE (account_id, item_id) IN (
    SELECT account_id, item_id FROM outbound_item i WHERE account_id = $1 AND state = 'waiting'
      AND ($3 = '' OR campaign = $3) AND (client = ANY($2) OR (client IS NULL AND EXISTS (
        SELECT FROM directory_number n WHERE n.account_id = $1 AND n.kind = 'contact' AND n.entity_id = i.contact_id
          AND n.number = ANY($5)) AND NOT EXISTS (
        SELECT FROM directory_number n WHERE n.account_id = $1 AND n.kind = 'contact' AND n.entity_id = i.contact_id
          AND n.number <> ALL($5))))
    ORDER BY item_id FOR UPDATE)
"""


async def drop_waiting_for(
    conn: Conn, account_id: str, number: str, reason: str = "do_not_call", campaign: str = ""
) -> int:
    """Drop what waits for this client, without stage and task. number: E.164. campaign: only what is of this one, '' =
    everything. How many were dropped."""
    return await drop_waiting_for_all(conn, account_id, [number], reason, campaign)


async def drop_waiting_for_all(
    conn: Conn, account_id: str, numbers: Sequence[str], reason: str = "do_not_call", campaign: str = ""
) -> int:
    done: str = await conn.execute(
        _DROP, account_id, list(numbers), campaign, reason, [int(number.lstrip("+")) for number in numbers]
    )
    return int(done.split()[-1])
