"""Triggers that were stopped because one deal made them fire again and again."""

from __future__ import annotations

from dataclasses import dataclass

from routing.triggers.decide import LOOP_WINDOW
from runtime.database.pool import Conn

# The index of a firing's age leads to the last hour of each account.
_LATELY = """
SELECT a.account_id, stopped.* FROM account a CROSS JOIN LATERAL (
    SELECT (array_agg(trigger ORDER BY created_at DESC, firing_id))[1] AS trigger,
        (array_agg(deal_id ORDER BY created_at DESC, firing_id))[1] AS deal_id, count(DISTINCT deal_id) AS deals
    FROM firing f WHERE f.account_id = a.account_id AND f.reason = 'loop' AND f.created_at > now() - $1::interval
) AS stopped WHERE stopped.deals > 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerCircle:
    """Of an account, within the last hour. trigger, deal_id: the latest that was stopped. deals: how many were."""

    account_id: str
    trigger: str
    deal_id: str
    deals: int


async def circles_lately(conn: Conn) -> dict[str, TriggerCircle]:
    """By account; those without a circle are not there."""
    return {row["account_id"]: TriggerCircle(**dict(row)) for row in await conn.fetch(_LATELY, LOOP_WINDOW)}
