"""Dialogues whose deal a distribution template hands out, as rows: what is asked for, and whose a dialogue is by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.store.channels.dialogues import Dialogue
from routing.client import Ref
from runtime.database.pool import Conn

_ASK = """
INSERT INTO dialogue_handout AS h (account_id, dialogue_id, key, template, deal, asked_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, dialogue_id) DO UPDATE SET key = excluded.key, template = excluded.template, deal = excluded.deal,
    asked_at = excluded.asked_at, item_id = NULL WHERE h.key <> excluded.key
"""

# A deal is given once the directory has it: before that nobody knows whose client it is. Both rows are taken without waiting:
# a client's job holds the dialogue when it asks for something.
_DUE = """
SELECT h.account_id, h.dialogue_id, h.key, h.template, h.asked_at, d.entity_id AS deal_id, d.pipeline_id, d.stage_id
FROM dialogue_handout h
LEFT JOIN effect e ON e.account_id = h.account_id AND e.effect_key = h.deal->>'effect' AND e.state = 'done'
JOIN directory_entity d ON d.account_id = h.account_id AND d.kind = 'deal' AND d.entity_id = coalesce(h.deal->>'id', e.crm_id)
JOIN account a ON a.account_id = h.account_id AND a.state = 'on'
JOIN dialogue g ON g.account_id = h.account_id AND g.dialogue_id = h.dialogue_id
WHERE h.item_id IS NULL ORDER BY h.asked_at, h.dialogue_id LIMIT $1 FOR UPDATE OF g, h SKIP LOCKED
"""

_BIND = """
UPDATE dialogue_handout SET item_id = $3, deal = jsonb_build_object('kind', 'deal', 'id', $4::text)
WHERE account_id = $1 AND dialogue_id = $2
"""

_BY_ID = """
UPDATE dialogue d SET deal = jsonb_build_object('kind', 'deal', 'id', $3::text) FROM dialogue_handout h
WHERE d.account_id = $1 AND d.dialogue_id = $2 AND h.account_id = $1 AND h.dialogue_id = $2
    AND d.deal->>'effect' = h.deal->>'effect'
"""

_FOLLOW = """
UPDATE dialogue d SET owner = g.employee_id, owner_how = CASE WHEN g.employee_id IS NULL THEN '' ELSE 'by-template' END, owner_at = $4
FROM unnest($2::text[], $3::text[]) AS g (item_id, employee_id)
JOIN dialogue_handout h ON h.account_id = $1 AND h.item_id = g.item_id
WHERE d.account_id = $1 AND d.dialogue_id = h.dialogue_id AND d.owner IS DISTINCT FROM g.employee_id
"""

# Our own first word of a deal is whose it is until somebody gets it: that is nobody's dialogue yet.
_FOLLOW_DEAL = """
UPDATE dialogue d SET owner = $3, owner_how = 'deal-owner', owner_at = $4 FROM channel c
WHERE d.account_id = $1 AND d.deal->>'id' = $2 AND c.account_id = $1 AND c.channel_id = d.channel_id
    AND c.rules->>'owner' = 'template' AND d.owner IS DISTINCT FROM $3
    AND NOT ($5 AND EXISTS (SELECT FROM dialogue_handout h LEFT JOIN distribution_item i USING (account_id, item_id)
        WHERE h.account_id = $1 AND h.dialogue_id = d.dialogue_id AND coalesce(i.state, 'waiting') = 'waiting'))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueHandout:
    """A deal of a dialogue that is to be given. asked_at: since when its client waits."""

    account_id: str
    dialogue_id: int
    key: str
    template: str
    asked_at: datetime
    deal_id: str
    pipeline_id: str | None
    stage_id: str | None


async def ask_handout(
    conn: Conn, of: Dialogue, *, key: str, template: str, deal: Ref, asked_at: datetime
) -> None:
    """Have this deal of the dialogue given, once for the key, as soon as the CRM has told of it."""
    of_deal = deal.model_dump(mode="json", exclude_none=True)
    await conn.execute(_ASK, of.account_id, of.dialogue_id, key, template, of_deal, asked_at)


async def is_handed_out(conn: Conn, of: Dialogue, deal: Ref) -> bool:
    """Whether this deal was last given by the template, or waits for it."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM dialogue_handout h LEFT JOIN effect e ON e.account_id = h.account_id"
        " AND e.effect_key = h.deal->>'effect' WHERE h.account_id = $1 AND h.dialogue_id = $2"
        " AND (h.deal->>'id' = $3 OR h.deal->>'effect' = $4 OR e.crm_id = $3))",
        of.account_id,
        of.dialogue_id,
        deal.id,
        deal.effect,
    )
    return found


async def due_handouts(conn: Conn, limit: int) -> list[DueHandout]:
    """Return what can be given now, who waits longest first; nobody else takes it before the transaction ends."""
    return [DueHandout(**row) for row in await conn.fetch(_DUE, limit)]


async def bind_handout(conn: Conn, due: DueHandout, item_id: str) -> None:
    """Keep under which number it is given, and which deal it is."""
    await conn.execute(_BY_ID, due.account_id, due.dialogue_id, due.deal_id)
    await conn.execute(_BIND, due.account_id, due.dialogue_id, item_id, due.deal_id)


async def channel_of_item(conn: Conn, account_id: str, item_id: str) -> str | None:
    """Return by which channel the client of what is given wrote, None = the dialogue is gone."""
    found: str | None = await conn.fetchval(
        "SELECT d.channel_id FROM dialogue_handout h JOIN dialogue d USING (account_id, dialogue_id)"
        " WHERE h.account_id = $1 AND h.item_id = $2",
        account_id,
        item_id,
    )
    return found


async def follow_given(
    conn: Conn, account_id: str, given: Sequence[tuple[str, str | None]], at: datetime
) -> None:
    """Make dialogues theirs who got their deals. given: (item, employee), None = nobody yet."""
    items, employees = [item for item, _ in given], [employee for _, employee in given]
    await conn.execute(_FOLLOW, account_id, items, employees, at)


async def follow_deal(
    conn: Conn, account_id: str, deal_id: str, employee_id: str, at: datetime, *, is_ours: bool
) -> None:
    """Make dialogues of this deal, in channels that hand out by a template, this employee's. is_ours: we made them responsible."""
    await conn.execute(_FOLLOW_DEAL, account_id, deal_id, employee_id, at, is_ours)
